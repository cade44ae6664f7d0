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
 * The store keeps the states and hands out those of the previous level, in chunks, to the workers (store.h). A level
 * too small to share is expanded by worker 0 alone, without waking the others.
 *
 * When the table is full, or a checkpoint is due, all workers meet, do the work together, and go on. For growing they come as soon as
 * they see the flag; for a checkpoint each first ends its chunk.
 */
#ifndef QUORATE_EXPAND_H
#define QUORATE_EXPAND_H

#include "checkpoint.h"
#include "counterexample.h"

/* ---- Pausing --------------------------------------------------------------------------------------------------- */

/* Grow the table or write the checkpoint, with all workers present, or with worker 0 alone (`solo`). A worker that comes here in the middle of
   a chunk has room to make, or was told to stop there and has come to the end of the level: then there is nothing to write. */
static void pause_together(Worker *me, bool solo) {
    Search *search = me->search;
    unsigned part = solo ? 0 : me->id, parts = solo ? 1 : search->worker_count;
    if (part == 0) {
        bool open = false;
        for (unsigned i = 0; i < parts; i++) open |= search->workers[i].open;
        if (!open && atomic_load(&search->checkpoint_due)) checkpoint_write(search);
        bool full = store_full(search);
        atomic_store(&search->growing, full && store_enlarge(search));
        if (full && !atomic_load(&search->growing)) request_stop(search, STOP_MEMORY);
    }
    if (!solo) meet(search);
    for (int step = 0; step < MOVES && atomic_load(&search->growing); step++) {
        store_move(search, step, part, parts);
        if (!solo) meet(search);
    }
    if (part == 0) {
        atomic_store(&search->full, false);
        atomic_store(&search->pausing, false);
    }
    if (!solo) meet(search);
}

static void pause_now(Worker *me, bool solo) {
    if (!solo) { /* Alone, worker 0 tells nobody: others may still be looking whether the level has ended in a pause. */
        atomic_store(&me->search->pausing, true);
        meet(me->search);
    }
    pause_together(me, solo);
}

/* ---- Inserting ------------------------------------------------------------------------------------------------- */

/* Everything that is checked of a state when it is first generated, by a transition of this group. */
static inline void examine(Worker *me, const State *s, unsigned group) {
    if (UNLIKELY(model_invariant_after(s, group, me->out.memo) != NONE)) note_event(me->search, EVENT_VIOLATION);
    me->reached |= model_reached(s, me->search->reached_before);
}

/* Successor i of those gathered goes into the store. */
static inline void insert_one(Worker *me, size_t i, uint64_t place) {
    if (store_insert(me, i, place)) examine(me, &me->out.states[i], me->out.labels[i].group);
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

/* Whether a successor was met a moment ago before symmetry: then its representative was, and is or will be in the store. */
static inline bool met_unreduced(Worker *me, const State *s) {
    State *met = &me->unreduced[hash_state(s) % RECENT];
    if (same_state(met, s)) return true;
    *met = *s;
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
    if (UNLIKELY(total + insert_slack(search->worker_count) >= store_full_at(search)))
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
        if (!store_has(search, &out->states[i]) && atomic_load(&search->states_total) >= search->options.states_max)
            request_stop(search, STOP_STATES);
        else
            insert_one(me, i, store_locate(me, &out->states[i], hash_state(&out->states[i])));
        publish_states(me);
    }
    pthread_mutex_unlock(&search->limit_lock);
}

static inline bool near_limit(Search *search) {
    uint64_t soon = atomic_load_explicit(&search->states_total, memory_order_relaxed) + insert_slack(search->worker_count);
    return soon >= search->options.states_max;
}

/* Insert the gathered successors, in blocks: between blocks the table may grow. */
static void insert_gathered(Worker *me, bool solo) {
    Search *search = me->search;
    Successors *out = &me->out;
    for (size_t begin = 0; begin < out->count; begin += BLOCK) {
        size_t end = begin + BLOCK < out->count ? begin + BLOCK : out->count;
        uint64_t places[BLOCK + AHEAD];
        bool known[BLOCK + AHEAD];
        size_t count = end - begin;
        if (UNLIKELY(!store_room(me, count))) return request_stop(search, STOP_MEMORY);
        if (UNLIKELY(search->options.states_max != UINT64_MAX) && near_limit(search)) {
            insert_up_to_limit(me, begin, end);
            count = 0;
        }
        for (size_t i = 0; count > 0 && i < count + AHEAD; i++) {
            if (i < count) {
                uint64_t hash = hash_state(&out->states[begin + i]);
                known[i] = out->labels[begin + i].error != NONE || met_recently(me, begin + i, hash);
                if (!known[i]) places[i] = store_locate(me, &out->states[begin + i], hash);
            }
            if (i >= AHEAD / 2 && i - AHEAD / 2 < count && !known[i - AHEAD / 2]) store_approach(search, places[i - AHEAD / 2]);
            if (i >= AHEAD && !known[i - AHEAD]) insert_one(me, begin + i - AHEAD, places[i - AHEAD]);
        }
        publish_states(me);
        if (UNLIKELY(atomic_load_explicit(&search->full, memory_order_relaxed))) pause_now(me, solo);
        if (UNLIKELY(stopping(search))) return;
    }
}

/* Put representatives in the place of the successors from `begin` on, without those that were met a moment ago. */
static void reduce(Worker *me, size_t begin) {
    Successors *out = &me->out;
    size_t kept = begin;
    for (size_t i = begin; i < out->count; i++) {
        if (out->labels[i].error != NONE || met_unreduced(me, &out->states[i])) continue;
        out->states[kept] = model_canonical(out->states[i], out->memo);
        out->labels[kept] = out->labels[i];
        out->masks[kept++] = out->masks[i];
    }
    out->count = kept;
}

/* Append the successors of one state to those gathered, and check what concerns the transitions themselves. */
static inline void gather(Worker *me, const State *from) {
    Successors *out = &me->out;
    size_t begin = out->count;
    uint64_t cuts = out->cut_total, passed = out->passed;
    out->searching = true;
    out->stuttered = false;
    model_successors(from, out);
#if MODEL_POINTS
    count_into(out);
    model_count(from);
    count_nowhere();
#endif
    out->searching = false;
    if (MODEL_DEADLOCK && out->count == begin && out->cut_total == cuts && out->passed == passed && !model_terminal(from))
        note_event(me->search, EVENT_DEADLOCK);
    if (UNLIKELY(out->violated)) note_event(me->search, EVENT_VIOLATION);
    for (size_t i = begin; i < out->count; i++) {
        if (UNLIKELY(out->labels[i].error != NONE)) note_event(me->search, EVENT_VIOLATION);
        else if (MODEL_HAS_STEPS && model_step(from, &out->states[i]) != NONE) note_event(me->search, EVENT_VIOLATION);
    }
    if (MODEL_SYMMETRY) reduce(me, begin);
}

static void insert_all(Worker *me, bool solo) {
    if (UNLIKELY(me->out.exhausted)) request_stop(me->search, STOP_MEMORY); /* Even if it has lost all that there were. */
    if (me->out.count == 0) return;
    insert_gathered(me, solo);
    me->out.count = 0;
}

/* ---- Levels ---------------------------------------------------------------------------------------------------- */

static void expand_level(Worker *me, bool solo) {
    Search *search = me->search;
    Claim claim;
    while (!stopping(search)) {
        if (atomic_load_explicit(&search->full, memory_order_relaxed) ||
            atomic_load_explicit(&search->checkpoint_due, memory_order_relaxed))
            pause_now(me, solo);
        if (MODEL_NUMBERS && UNLIKELY(atomic_load_explicit(&common->crowded, memory_order_relaxed))) request_stop(search, STOP_TRAPPED);
        if (!store_claim(me, solo, &claim)) break;
        me->open = true;
        if (search->checkpoint_last) {
            memcpy(me->begun.fired, me->out.fired, sizeof me->out.fired);
            memcpy(me->begun.cuts, me->out.cuts, sizeof me->out.cuts);
        }
        for (const State *from; (from = store_next(me, &claim));) {
            gather(me, from);
            if (me->out.count >= BATCH) insert_all(me, solo);
            if (UNLIKELY(stopping(search))) break;
        }
        if (LIKELY(!stopping(search))) insert_all(me, solo);
        me->open = stopping(search);
        publish_transitions(me);
    }
    if (solo) return;
    for (meet(search); atomic_load(&search->pausing); meet(search)) pause_together(me, false);
}

/* Let the store settle what of the level is new. */
static void gather_level(Search *search) {
    while (!store_gather(search)) checkpoint_write(search);
}

/* Close the level that was expanded and open the next, until there is one worth sharing. Only worker 0 is awake. */
static void coordinate(Search *search) {
    for (;;) {
        if (search->resumed) { /* A checkpoint was written inside a level: expand what it left of it. */
            search->resumed = false;
            if (search->worker_count > 1) return;
            expand_level(&search->workers[0], true);
        }
        if (search->level_open) {
            if (!stopping(search)) gather_level(search);
            if (search->checkpoint_last && store_lasts(atomic_load(&search->stop))) checkpoint_last(search);
            search->level_open = false;
            if (!stopping(search) && !levels_append(search)) request_stop(search, STOP_MEMORY);
        }
        search->reached_before = reached_by_all(search);
        bool violated = atomic_load(&search->event) != NONE;
        if (atomic_load(&common->trapped) || atomic_load(&common->mistaken) || atomic_load(&common->crowded)) request_stop(search, STOP_TRAPPED);
        if (!stopping(search) && violated) trace_build(search);
        Frontier next = search->frontier = level_of(search, search->levels - 1);
        store_turn(search);
        if (stopping(search) || violated || next.total == 0) {
            search->finished = true;
            return;
        }
        atomic_store_explicit(&search->depth_now, search->levels - 1, memory_order_relaxed);
        atomic_store_explicit(&search->frontier_now, next.total, memory_order_relaxed);
        search->level_open = true;
        atomic_store(&search->cursor, 0);
        if (search->worker_count > 1 && next.total > SOLO_MAX) return;
        expand_level(&search->workers[0], true);
    }
}

static void finish(Search *search) {
    pthread_mutex_lock(&search->meeting.lock);
    atomic_store(&search->done, true);
    pthread_cond_broadcast(&search->meeting.wake);
    pthread_mutex_unlock(&search->meeting.lock);
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
            if (MODEL_SYMMETRY) out->states[i] = model_canonical(out->states[i], out->memo);
        }
    }
    insert_all(me, true);
    gather_level(search);
    if (!levels_append(search)) request_stop(search, STOP_MEMORY);
}

#endif
