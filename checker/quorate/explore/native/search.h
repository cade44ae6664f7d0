/* Exhaustive search, breadth first, level by level, by all workers together.
 *
 * Level k holds the states whose shortest path from an initial state has k steps. The workers expand the states of one
 * level; what is new is the next level. Only between levels do they agree on anything, so every number that is
 * reported at the end of a level - states, transitions, cuts, transitions by action, depth, which property broke - is a
 * function of the model alone and not of the number of workers or of their timing.
 *
 * A violation does not stop the level in which it is found: the level is finished and all counts are of whole levels. No
 * parents are kept. The counterexample is computed afterwards (trace.h), from the levels, and is again a function of the
 * model alone.
 *
 * Transitions that commute lead to the same states in many orders. Those that another order is sure to find are taken and counted,
 * but not looked up in the table (sleep.h).
 *
 * The frontier is the part of the arenas that the previous level appended. Workers take it in chunks from one cursor. A level
 * too small to share is expanded by worker 0 alone, without waking the others.
 *
 * When the table is full, or a checkpoint is due, all workers meet, do the work together, and go on. For growing they come as soon as
 * they see the flag; for a checkpoint each first ends its chunk.
 */
#ifndef QUORATE_SEARCH_H
#define QUORATE_SEARCH_H

#include <pthread.h>
#include <sched.h>

enum { RECENT = 1024, BATCH = 192, BLOCK = 64, AHEAD = 12, CHUNK_MAX = 256, SOLO_MAX = 192, SPINS = 4000 };
enum { STOP_NONE, STOP_INTERRUPTED, STOP_TIME, STOP_MEMORY, STOP_STATES };

/* What can be wrong, in order of precedence at one level: a deadlock, whose trace is one step shorter than the others; anything
   else, of which trace.h finds the one that a sequential search generates first. */
enum { EVENT_DEADLOCK = 0, EVENT_VIOLATION = 1, EVENT_NONE = -1 };

typedef struct {
    uint64_t workers, memory_limit, states_max;
} Options;

/* What each worker counts. Written by its worker only, after each batch, and read by anyone at any time. */
typedef struct {
    _Atomic uint64_t transitions;
} Counters;

struct Search;

typedef struct {
    _Alignas(128) Counters counters;
    struct Search *search;
    pthread_t thread;
    unsigned id;
    bool at_boundary; /* between chunks: everything this worker has claimed is done */
    Successors out;
    State recent[RECENT]; /* states met a moment ago, by hash: neighbours share many successors, and these cost no access to the table */
    uint64_t recent_masks[RECENT]; /* what these meetings left of their sleep sets, at least */
    uint64_t reached;
    uint64_t counted; /* states of its arena that `states_total` includes */
} Worker;

typedef struct {
    uint64_t begin[WORKERS_MAX], end[WORKERS_MAX], total;
} Frontier;

/* One step of a counterexample: how the state was reached and what it is. */
typedef struct {
    Label label;
    State state;
} TraceStep;

typedef struct Search {
    Options options;
    Budget budget;
    Table table;
    Worker *workers;
    unsigned worker_count, arena_count;

    Frontier frontier;
    uint64_t *ends; /* ends[level * WORKERS_MAX + arena]: where the level ends */
    size_t levels, levels_capacity;
    _Atomic uint64_t depth_now, frontier_now; /* for progress */
    _Atomic uint64_t arenas_peak;             /* bytes of states kept at a time */
    _Alignas(128) _Atomic uint64_t cursor;
    _Alignas(128) _Atomic uint64_t states_total;
    _Atomic uint32_t event;
    _Atomic int stop;
    _Atomic bool full;    /* the table must grow before more is inserted */
    _Atomic bool pausing; /* some worker waits for all others */
    _Atomic bool growing;
    bool finished, level_open, resumed;
    uint64_t initial_count, transitions_before;

    pthread_mutex_t limit_lock;

    /* Meeting point of the workers: a sense-reversing barrier that spins briefly, then sleeps. */
    pthread_mutex_t lock;
    pthread_cond_t wake;
    unsigned arrived, expected;
    _Atomic unsigned round;
    _Atomic bool done;

    /* Requests of a checkpoint, and how the last one went. */
    _Atomic bool checkpoint_due;
    char *checkpoint_path;
    char checkpoint_error[160];
    _Atomic uint64_t checkpoints;

    TraceStep *trace;
    size_t trace_length;
    bool trace_failed;
} Search;

static void meet(Search *search) {
    if (search->worker_count == 1) return;
    unsigned round = atomic_load(&search->round);
    pthread_mutex_lock(&search->lock);
    if (++search->arrived == search->expected) {
        search->arrived = 0;
        atomic_store(&search->round, round + 1);
        pthread_cond_broadcast(&search->wake);
        pthread_mutex_unlock(&search->lock);
        return;
    }
    pthread_mutex_unlock(&search->lock);
    for (int i = 0; i < SPINS; i++)
        if (atomic_load_explicit(&search->round, memory_order_acquire) != round) return;
    pthread_mutex_lock(&search->lock);
    while (atomic_load(&search->round) == round) pthread_cond_wait(&search->wake, &search->lock);
    pthread_mutex_unlock(&search->lock);
}

static void request_stop(Search *search, int reason) {
    int none = STOP_NONE;
    atomic_compare_exchange_strong(&search->stop, &none, reason);
}

static inline bool stopping(Search *search) {
    return atomic_load_explicit(&search->stop, memory_order_relaxed) != STOP_NONE;
}

static void note_event(Search *search, uint32_t event) {
    uint32_t least = atomic_load_explicit(&search->event, memory_order_relaxed);
    while (event < least && !atomic_compare_exchange_weak(&search->event, &least, event)) {
    }
}

/* ---- Growing ---------------------------------------------------------------------------------------------------- */

/* Fingerprints are what saves memory, so their table is filled further and grows in smaller steps. */
static inline uint64_t full_at(const Table *table) { return table->capacity - table->capacity / (STORE_FINGERPRINT ? 8 : 5); }

/* Make the table larger, by half or as much as the budget allows. It is left empty of meaning until all is restored. */
static bool table_enlarge(Search *search) {
    Table *table = &search->table;
    uint64_t old = table->capacity;
    uint64_t wished = old < ((uint64_t)1 << 21) ? 4 * old : old + old / (STORE_FINGERPRINT ? 4 : 2);
    for (; wished > old + old / 16; wished = old + (wished - old) / 2) {
        if (region_commit(&table->region, wished * sizeof(uint64_t), &search->budget)) {
            table->capacity = wished;
            return !STORE_FINGERPRINT || spread((uint64_t *)table->region.base, old, wished);
        }
    }
    return false;
}

static void share(uint64_t total, unsigned part, unsigned parts, uint64_t *from, uint64_t *to) {
    *from = total / parts * part + (part < total % parts ? part : total % parts);
    *to = *from + total / parts + (part < total % parts);
}

static void clear_share(Search *search, unsigned part, unsigned parts) {
    uint64_t from, to;
    if (STORE_FINGERPRINT) return; /* They are in place: worker 0 has spread them. */
    share(search->table.capacity, part, parts, &from, &to);
    memset(search->table.region.base + from * sizeof(uint64_t), 0, (to - from) * sizeof(uint64_t));
}

static void restore_share(Search *search, unsigned part, unsigned parts) {
    for (unsigned arena = 0; arena < search->arena_count && !STORE_FINGERPRINT; arena++) {
        uint64_t from, to;
        share(search->table.arenas[arena].count, part, parts, &from, &to);
        table_restore_range(&search->table, arena, from, to);
    }
}

static void checkpoint_write(Search *search);

/* Grow the table or write the checkpoint, with all workers present, or with worker 0 alone (`solo`). */
static void pause_together(Worker *me, bool solo) {
    Search *search = me->search;
    unsigned part = solo ? 0 : me->id, parts = solo ? 1 : search->worker_count;
    if (part == 0) {
        bool boundary = true;
        for (unsigned i = 0; i < parts; i++) boundary &= search->workers[i].at_boundary;
        if (boundary && atomic_load(&search->checkpoint_due)) checkpoint_write(search);
        bool full = atomic_load(&search->states_total) + (uint64_t)parts * 2 * BLOCK >= full_at(&search->table);
        atomic_store(&search->growing, full && table_enlarge(search));
        if (full && !atomic_load(&search->growing)) request_stop(search, STOP_MEMORY);
    }
    if (!solo) meet(search);
    if (atomic_load(&search->growing)) {
        clear_share(search, part, parts);
        if (!solo) meet(search);
        restore_share(search, part, parts);
    }
    if (!solo) meet(search);
    if (part == 0) {
        atomic_store(&search->full, false);
        atomic_store(&search->pausing, false);
    }
    if (!solo) meet(search);
}

static void pause_now(Worker *me, bool solo, bool at_boundary) {
    me->at_boundary = at_boundary;
    atomic_store(&me->search->pausing, true);
    if (!solo) meet(me->search);
    pause_together(me, solo);
    me->at_boundary = true;
}

/* ---- Inserting -------------------------------------------------------------------------------------------------- */

static bool arena_reserve(Search *search, Arena *arena, uint64_t states) {
    return region_extend(&arena->region, (arena->count + states) * sizeof(State), &search->budget) &&
           (!MODEL_SLEEP || masks_reserve(arena, arena->count + states - arena->level_begin, &search->budget));
}

/* Everything that is checked of a state when it is first generated, by a transition of this group. */
static inline void examine(Worker *me, const State *s, unsigned group) {
    if (UNLIKELY(model_invariant_after(s, group) != NONE)) note_event(me->search, EVENT_VIOLATION);
    me->reached |= model_reached(s, me->reached);
}

/* Successor i of those gathered goes into the table. */
static inline void insert_one(Worker *me, size_t i, uint64_t hash) {
    Table *table = &me->search->table;
    Successors *out = &me->out;
    if (MODEL_SLEEP) mask_place(&table->arenas[me->id], out->masks[i]);
    uint64_t slot = table_insert(table, me->id, &out->states[i], hash);
    if (slot == 0) return examine(me, &out->states[i], out->labels[i].group);
    if (MODEL_SLEEP) mask_meet(table, slot, out->masks[i]);
}

/* Whether successor i was met a moment ago, by transitions that left nothing more asleep than this one does. */
static inline bool met_recently(Worker *me, size_t i, uint64_t hash) {
    State *met = &me->recent[hash % RECENT];
    uint64_t *left = &me->recent_masks[hash % RECENT], mask = MODEL_SLEEP ? me->out.masks[i] : 0;
    bool same = same_state(met, &me->out.states[i]);
    if (same && !(*left & ~mask)) return true;
    *left = same ? *left & mask : mask;
    *met = me->out.states[i];
    return false;
}

/* Tell the others how many states this worker has added; ask for a pause if the table is getting full. */
static void publish_states(Worker *me) {
    Search *search = me->search;
    uint64_t count = search->table.arenas[me->id].count;
    if (count == me->counted) return;
    uint64_t total = atomic_fetch_add_explicit(&search->states_total, count - me->counted, memory_order_relaxed) + count -
                     me->counted;
    me->counted = count;
    if (UNLIKELY(total + (uint64_t)search->worker_count * 2 * BLOCK >= full_at(&search->table)))
        atomic_store(&search->full, true);
}

/* Near the limit of states one worker inserts at a time, and none beyond the limit. With several workers, what others have added
   in their current block may still come on top. */
static void insert_up_to_limit(Worker *me, size_t begin, size_t end) {
    Search *search = me->search;
    const Successors *out = &me->out;
    pthread_mutex_lock(&search->limit_lock);
    for (size_t i = begin; i < end && !stopping(search); i++) {
        if (out->labels[i].error != NONE) continue;
        uint64_t hash = hash_state(&out->states[i]);
        bool known = table_find(&search->table, &out->states[i], hash) < search->table.capacity;
        if (!known && atomic_load(&search->states_total) >= search->options.states_max)
            request_stop(search, STOP_STATES);
        else
            insert_one(me, i, hash);
        publish_states(me);
    }
    pthread_mutex_unlock(&search->limit_lock);
}

static inline bool near_limit(Search *search) {
    uint64_t margin = (uint64_t)search->worker_count * 2 * BLOCK;
    return atomic_load_explicit(&search->states_total, memory_order_relaxed) + margin >= search->options.states_max;
}

/* Insert the gathered successors, in blocks: between blocks the table may grow. */
static void insert_gathered(Worker *me, bool solo) {
    Search *search = me->search;
    Table *table = &search->table;
    Successors *out = &me->out;
    for (size_t begin = 0; begin < out->count; begin += BLOCK) {
        size_t end = begin + BLOCK < out->count ? begin + BLOCK : out->count;
        uint64_t hashes[BLOCK + AHEAD];
        bool known[BLOCK + AHEAD];
        size_t count = end - begin;
        if (UNLIKELY(!arena_reserve(search, &table->arenas[me->id], count))) return request_stop(search, STOP_MEMORY);
        if (UNLIKELY(search->options.states_max != UINT64_MAX) && near_limit(search)) {
            insert_up_to_limit(me, begin, end);
            count = 0;
        }
        for (size_t i = 0; count > 0 && i < count + AHEAD; i++) {
            if (i < count) {
                hashes[i] = hash_state(&out->states[begin + i]);
                known[i] = out->labels[begin + i].error != NONE || met_recently(me, begin + i, hashes[i]);
                if (!known[i]) prefetch_home(table, hashes[i]);
            }
            if (i >= AHEAD && !known[i - AHEAD]) insert_one(me, begin + i - AHEAD, hashes[i - AHEAD]);
        }
        publish_states(me);
        if (UNLIKELY(atomic_load_explicit(&search->full, memory_order_relaxed))) pause_now(me, solo, false);
        if (UNLIKELY(stopping(search))) return;
    }
}

/* Append the successors of one state to those gathered, and check what concerns the transitions themselves. */
static inline void gather(Worker *me, const State *from) {
    Successors *out = &me->out;
    size_t begin = out->count;
    uint64_t cuts = out->cut_total, passed = out->passed;
    out->searching = true;
    model_successors(from, out);
    out->searching = false;
    if (MODEL_DEADLOCK && out->count == begin && out->cut_total == cuts && out->passed == passed && !model_terminal(from))
        note_event(me->search, EVENT_DEADLOCK);
    if (UNLIKELY(out->violated)) note_event(me->search, EVENT_VIOLATION);
    for (size_t i = begin; i < out->count; i++) {
        if (UNLIKELY(out->labels[i].error != NONE)) {
            note_event(me->search, EVENT_VIOLATION);
            continue;
        }
        if (MODEL_HAS_STEPS && model_step(from, &out->states[i]) != NONE) note_event(me->search, EVENT_VIOLATION);
        if (MODEL_SYMMETRY) out->states[i] = model_canonical(out->states[i]);
    }
}

static void insert_all(Worker *me, bool solo) {
    if (me->out.count == 0) return;
    insert_gathered(me, solo);
    me->out.count = 0;
    if (UNLIKELY(me->out.exhausted)) request_stop(me->search, STOP_MEMORY);
}

/* The transitions that a worker took: every successor, errors excepted. */
static void publish_transitions(Worker *me) {
    uint64_t total = 0;
    for (int i = 0; i < MODEL_ACTIONS; i++) total += me->out.fired[i];
    atomic_store_explicit(&me->counters.transitions, total, memory_order_relaxed);
}

/* ---- Levels ------------------------------------------------------------------------------------------------------ */

static uint64_t chunk_size(const Search *search, bool solo) {
    if (solo) return CHUNK_MAX;
    uint64_t size = search->frontier.total / ((uint64_t)search->worker_count * 16) + 1;
    return size < CHUNK_MAX ? size : CHUNK_MAX;
}

/* Expand positions `from` to `to` of the frontier, which stands in the arenas one after the other. */
static void expand_chunk(Worker *me, uint64_t from, uint64_t to, bool solo) {
    Search *search = me->search;
    for (unsigned arena = 0; arena < search->arena_count; arena++) {
        uint64_t begin = search->frontier.begin[arena], length = search->frontier.end[arena] - begin;
        const State *states = arena_states(&search->table.arenas[arena]) + begin;
        const uint64_t *masks = masks_expanded(&search->table.arenas[arena]);
        uint64_t stop = to < length ? to : length;
        for (uint64_t i = from; i < stop; i++) {
            if (MODEL_SLEEP) me->out.asleep = masks[i], me->out.room = model_room(&states[i]);
            gather(me, &states[i]);
            if (me->out.count >= BATCH) insert_all(me, solo);
            if (UNLIKELY(stopping(search))) return;
        }
        if (to <= length) break;
        from = from > length ? from - length : 0;
        to -= length;
    }
    insert_all(me, solo);
}

static void expand_level(Worker *me, bool solo) {
    Search *search = me->search;
    uint64_t size = chunk_size(search, solo);
    while (!stopping(search)) {
        if (atomic_load_explicit(&search->full, memory_order_relaxed) ||
            atomic_load_explicit(&search->checkpoint_due, memory_order_relaxed))
            pause_now(me, solo, true);
        uint64_t from = atomic_fetch_add_explicit(&search->cursor, size, memory_order_relaxed);
        if (from >= search->frontier.total) break;
        uint64_t to = from + size < search->frontier.total ? from + size : search->frontier.total;
        expand_chunk(me, from, to, solo);
        publish_transitions(me);
    }
    if (solo) return;
    for (meet(search); atomic_load(&search->pausing); meet(search)) pause_together(me, false);
}

static bool levels_append(Search *search) {
    if (search->levels == search->levels_capacity) {
        size_t capacity = search->levels_capacity ? 2 * search->levels_capacity : 64;
        uint64_t *ends = realloc(search->ends, capacity * WORKERS_MAX * sizeof *ends);
        if (!ends) return false;
        search->ends = ends;
        search->levels_capacity = capacity;
    }
    uint64_t *ends = search->ends + search->levels++ * WORKERS_MAX;
    for (unsigned i = 0; i < WORKERS_MAX; i++) ends[i] = i < search->arena_count ? search->table.arenas[i].count : 0;
    return true;
}

/* The states of a level, as a frontier. */
static Frontier level_of(const Search *search, size_t level) {
    Frontier found = {.total = 0};
    for (unsigned i = 0; i < search->arena_count; i++) {
        found.begin[i] = level == 0 ? 0 : search->ends[(level - 1) * WORKERS_MAX + i];
        found.end[i] = search->ends[level * WORKERS_MAX + i];
        found.total += found.end[i] - found.begin[i];
    }
    return found;
}

/* Levels that were expanded are not looked at again if fingerprints stand for their states. */
static void forget_before(Search *search, const Frontier *frontier) {
    uint64_t kept = 0;
    for (unsigned i = 0; i < search->arena_count; i++) {
        Arena *arena = &search->table.arenas[i];
        kept += arena->count * sizeof(State) - arena->region.forgotten;
        if (STORE_FINGERPRINT) region_forget(&arena->region, frontier->begin[i] * sizeof(State), &search->budget);
    }
    if (kept > search->arenas_peak) atomic_store_explicit(&search->arenas_peak, kept, memory_order_relaxed);
}

static void trace_build(Search *search);

/* Close the level that was expanded and open the next, until there is one worth sharing. Only worker 0 is awake. */
static void coordinate(Search *search) {
    for (;;) {
        if (search->resumed) { /* A checkpoint was written inside a level: expand what it left of it. */
            search->resumed = false;
            if (search->worker_count > 1) return;
            expand_level(&search->workers[0], true);
        }
        if (search->level_open) {
            search->level_open = false;
            if (!stopping(search) && !levels_append(search)) request_stop(search, STOP_MEMORY);
        }
        bool violated = atomic_load(&search->event) != NONE;
        if (!stopping(search) && violated) trace_build(search);
        Frontier next = level_of(search, search->levels - 1);
        forget_before(search, &next);
        if (stopping(search) || violated || next.total == 0) {
            search->finished = true;
            return;
        }
        search->frontier = next;
        atomic_store_explicit(&search->depth_now, search->levels - 1, memory_order_relaxed);
        atomic_store_explicit(&search->frontier_now, next.total, memory_order_relaxed);
        search->level_open = true;
        atomic_store(&search->cursor, 0);
        for (unsigned i = 0; i < search->arena_count; i++) masks_turn(&search->table.arenas[i]);
        if (search->worker_count > 1 && next.total > SOLO_MAX) return;
        expand_level(&search->workers[0], true);
    }
}

static void finish(Search *search) {
    pthread_mutex_lock(&search->lock);
    atomic_store(&search->done, true);
    pthread_cond_broadcast(&search->wake);
    pthread_mutex_unlock(&search->lock);
}

static void *worker_main(void *argument) {
    Worker *me = argument;
    Search *search = me->search;
    for (;;) {
        if (me->id == 0) coordinate(search);
        meet(search);
        if (search->finished) break;
        expand_level(me, false);
    }
    if (me->id == 0) finish(search);
    return NULL;
}

/* Level 0. Duplicates among the initial states count as one state and several transitions. */
static void seed_initial(Search *search) {
    Worker *me = &search->workers[0];
    Successors *out = &me->out;
    model_initial(out);
    memset(out->fired, 0, sizeof out->fired);
    for (size_t i = 0; i < out->count; i++) {
        if (out->labels[i].error != NONE)
            note_event(search, EVENT_VIOLATION);
        else {
            search->initial_count++;
            if (MODEL_SYMMETRY) out->states[i] = model_canonical(out->states[i]);
        }
    }
    insert_all(me, true);
    if (!levels_append(search)) request_stop(search, STOP_MEMORY);
}

#endif
