/* A store of states as they are (table.h), or of their fingerprints (fingerprint.h). The table grows by all workers together, an arena
   by its worker. */
#ifndef QUORATE_ARENAS_H
#define QUORATE_ARENAS_H

#include "search.h"
#include "stream.h"

enum { MOVES = 2 };

/* Positions of the frontier, which stands in the arenas one after the other, as far as they are in `arena` or later ones. */
typedef struct {
    uint64_t from, to;
    unsigned arena;
} Claim;

/* Fingerprints are what saves memory, so their table is filled further and grows in smaller steps. */
static inline uint64_t full_at(const Table *table) { return table->capacity - table->capacity / (STORE_FINGERPRINT ? 8 : 5); }

static inline uint64_t store_full_at(const Search *search) { return full_at(&search->table); }

static bool store_full(Search *search) {
    return atomic_load(&search->states_total) + insert_slack(search->worker_count) >= full_at(&search->table);
}

static bool store_open(Search *search) {
    size_t limit = search->options.memory_limit;
    bool good = region_reserve(&search->table.region, limit, ALL_OVER);
    for (unsigned i = 0; good && i < search->arena_count; i++) {
        Arena *arena = &search->table.arenas[i];
        /* With fingerprints, addresses are used only once, and the memory behind them is given back. */
        good = region_reserve(&arena->region, limit * (STORE_FINGERPRINT ? MODEL_WORDS + 1 : 1), IN_ORDER);
        for (int k = 0; MODEL_SLEEP && good && k < 2; k++) good = region_reserve(&arena->masks[k], limit, IN_ORDER);
    }
    search->table.capacity = FIRST_CAPACITY;
    return good && region_commit(&search->table.region, FIRST_CAPACITY * sizeof(uint64_t), &search->budget);
}

static void store_close(Search *search) {
    for (unsigned i = 0; search->table.arenas && i < search->arena_count; i++) {
        region_release(&search->table.arenas[i].region);
        for (int k = 0; k < 2; k++) region_release(&search->table.arenas[i].masks[k]);
    }
    region_release(&search->table.region);
}

static size_t store_bytes(const Search *search) {
    size_t masks = 0;
    for (unsigned i = 0; i < search->arena_count; i++)
        for (int k = 0; k < 2; k++) masks += search->table.arenas[i].masks[k].committed;
    size_t states = STORE_FINGERPRINT ? atomic_load(&search->arenas_peak) : atomic_load(&search->states_total) * sizeof(State);
    return search->table.capacity * sizeof(uint64_t) + states + masks;
}

/* ---- Inserting ------------------------------------------------------------------------------------------------- */

static bool arena_reserve(Search *search, Arena *arena, uint64_t states) {
    return arena->count + states <= POSITIONS_MAX && region_extend(&arena->region, (arena->count + states) * sizeof(State), &search->budget) &&
           (!MODEL_SLEEP || masks_reserve(arena, arena->count + states - arena->level_begin, &search->budget));
}

static inline bool store_room(Worker *me, uint64_t count) {
    return arena_reserve(me->search, &me->search->table.arenas[me->id], count);
}

static inline uint64_t store_locate(Worker *me, const State *s, uint64_t hash) {
    (void)s;
    prefetch_home(&me->search->table, hash);
    return hash;
}

PREFETCHING void store_approach(const Search *search, uint64_t hash) {
    (void)search;
    (void)hash;
}

static inline bool store_insert(Worker *me, size_t i, uint64_t hash) {
    Table *table = &me->search->table;
    Successors *out = &me->out;
    if (MODEL_SLEEP) mask_place(&table->arenas[me->id], out->masks[i]);
    uint64_t slot = table_insert(table, me->id, &out->states[i], hash);
    if (MODEL_SLEEP && slot != 0) mask_meet(table, slot, out->masks[i]);
    return slot == 0;
}

static inline bool store_has(const Search *search, const State *s) {
    return table_find(&search->table, s, hash_state(s)) < search->table.capacity;
}

/* ---- Growing --------------------------------------------------------------------------------------------------- */

/* Make the table larger, by half or as much as the budget allows. It is left empty of meaning until all is moved. */
static bool store_enlarge(Search *search) {
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
    share(search->table.capacity, part, parts, &from, &to);
    memset(search->table.region.base + from * sizeof(uint64_t), 0, (to - from) * sizeof(uint64_t));
}

static void restore_share(Search *search, unsigned part, unsigned parts) {
    for (unsigned arena = 0; arena < search->arena_count; arena++) {
        uint64_t from, to;
        share(search->table.arenas[arena].count, part, parts, &from, &to);
        table_restore_range(&search->table, arena, from, to);
    }
}

static void store_move(Search *search, int step, unsigned part, unsigned parts) {
    if (STORE_FINGERPRINT) return; /* They are in place: worker 0 has spread them. */
    if (step == 0)
        clear_share(search, part, parts);
    else
        restore_share(search, part, parts);
}

/* ---- Levels ---------------------------------------------------------------------------------------------------- */

/* Levels that were expanded are not looked at again if fingerprints stand for their states. */
static void forget_before(Search *search) {
    uint64_t kept = 0;
    for (unsigned i = 0; i < search->arena_count; i++) {
        Arena *arena = &search->table.arenas[i];
        kept += arena->count * sizeof(State) - arena->region.forgotten;
        if (STORE_FINGERPRINT) region_forget(&arena->region, search->frontier.begin[i] * sizeof(State), &search->budget);
    }
    if (kept > search->arenas_peak) atomic_store_explicit(&search->arenas_peak, kept, memory_order_relaxed);
}

static bool store_gather(Search *search) {
    (void)search;
    return true;
}

static void store_turn(Search *search) {
    forget_before(search);
    for (unsigned i = 0; i < search->arena_count; i++) masks_turn(&search->table.arenas[i]);
}

static inline bool store_claim(Worker *me, bool solo, Claim *claim) {
    Search *search = me->search;
    uint64_t size = chunk_size(search, search->frontier.total, solo);
    uint64_t from = atomic_fetch_add_explicit(&search->cursor, size, memory_order_relaxed);
    *claim = (Claim){from, from + size < search->frontier.total ? from + size : search->frontier.total, 0};
    me->claimed[0] = claim->from;
    me->claimed[1] = claim->to;
    return from < search->frontier.total;
}

/* Whether nothing is lost of a search that was ended for this reason. */
static bool store_lasts(int stop) { return stop == STOP_STATES || stop == STOP_MEMORY; }

static State *frontier_at(Search *search, uint64_t position) {
    unsigned arena = 0;
    for (uint64_t length; position >= (length = search->frontier.end[arena] - search->frontier.begin[arena]); arena++) position -= length;
    return &arena_states(&search->table.arenas[arena])[search->frontier.begin[arena] + position];
}

static bool is_left(const Search *search, uint64_t position) {
    bool left = false;
    for (unsigned i = 0; i < search->worker_count; i++) {
        const Worker *worker = &search->workers[i];
        left |= worker->open && worker->claimed[0] <= position && position < worker->claimed[1];
    }
    return left;
}

/* Exchange states of the frontier, of which those before `end` were claimed, so that what is left of these comes last. Where it begins. Done
   twice, all is as it was. */
static uint64_t store_left_last(Search *search, uint64_t end) {
    uint64_t begin = end;
    for (uint64_t i = 0; i < search->worker_count; i++)
        if (search->workers[i].open) begin -= search->workers[i].claimed[1] - search->workers[i].claimed[0];
    uint64_t place = begin;
    for (unsigned i = 0; i < search->worker_count; i++) {
        const Worker *worker = &search->workers[i];
        for (uint64_t k = worker->claimed[0]; worker->open && k < worker->claimed[1] && k < begin; k++, place++) {
            while (is_left(search, place)) place++;
            State *one = frontier_at(search, k), *other = frontier_at(search, place), kept = *one;
            *one = *other;
            *other = kept;
        }
    }
    return begin;
}

static inline const State *store_next(Worker *me, Claim *claim) {
    Search *search = me->search;
    for (; claim->arena < search->arena_count; claim->arena++) {
        uint64_t begin = search->frontier.begin[claim->arena], length = search->frontier.end[claim->arena] - begin;
        if (claim->from < length && claim->from < claim->to) {
            const Arena *arena = &search->table.arenas[claim->arena];
            const State *s = &arena_states(arena)[begin + claim->from];
            if (MODEL_SLEEP) {
                me->out.asleep = masks_expanded(arena)[claim->from];
                me->out.room = model_room(s);
            }
            claim->from++;
            return s;
        }
        if (claim->to <= length) return NULL;
        claim->from = claim->from > length ? claim->from - length : 0;
        claim->to -= length;
    }
    return NULL;
}

/* ---- Numbers: those of slots ----------------------------------------------------------------------------------- */

static bool store_settle(Search *search) {
    (void)search;
    return true;
}

static uint64_t store_numbers(const Search *search) { return search->table.capacity; }

static inline uint64_t store_number(const Search *search, const State *s) {
    uint64_t slot = table_find(&search->table, s, hash_state(s));
    return slot < search->table.capacity ? slot : NOWHERE;
}

/* ---- Checkpoints: the arenas. The table is rebuilt from them ------------------------------------------------------ */

static void store_write(Search *search, Stream *stream) {
    for (unsigned i = 0; i < search->arena_count; i++)
        stream_write(stream, search->table.arenas[i].region.base, search->table.arenas[i].count * sizeof(State));
}

static void store_written(Search *search) { (void)search; }

static const char *store_read(Search *search, Stream *stream) {
    for (unsigned i = 0; i < search->arena_count && !stream->failed; i++) {
        Arena *arena = &search->table.arenas[i];
        uint64_t count = arena->count;
        arena->count = 0;
        if (!arena_reserve(search, arena, count)) return NO_MEMORY;
        stream_read(stream, arena->region.base, count * sizeof(State));
        arena->count = count;
    }
    return NULL;
}

/* Checkpoints hold no sleep sets. After one, nothing sleeps in the states that wait or were just found: memory that was never
   written is zero. */
static bool masks_forget(Search *search) {
    Frontier waiting = level_of(search, search->levels - 1);
    for (unsigned i = 0; MODEL_SLEEP && i < search->arena_count; i++) {
        Arena *arena = &search->table.arenas[i];
        arena->level_begin = waiting.end[i];
        uint64_t states = arena->count - waiting.begin[i];
        for (int k = 0; k < 2; k++)
            if (!region_commit(&arena->masks[k], states * sizeof(uint64_t), &search->budget)) return false;
    }
    return true;
}

static const char *store_resume(Search *search) {
    while (store_full(search))
        if (!store_enlarge(search)) return NO_MEMORY;
    clear_share(search, 0, 1);
    restore_share(search, 0, 1);
    return masks_forget(search) ? NULL : NO_MEMORY;
}

#endif
