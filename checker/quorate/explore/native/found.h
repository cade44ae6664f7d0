/* A set of states in memory that comes out sorted: what a search on the disk has found and not yet held against what it knows (disk.h).
 *
 * States stand in an array at the place that their hash says, or behind it: open addressing with linear probing, and a place is
 * hash * capacity / 2^64. So states that are far from each other in the order of runs (runs.h) are in that order in the array, too, and
 * only neighbours must be exchanged to sort it, in place, in one pass. Behind the last place is room for those that are pushed there, so
 * that nothing goes around the end. A place is taken if the highest bit of its last word is set, which no state has set.
 *
 * Growing is sorting, moving everything to the end of a larger array, and putting it from there in order to its places.
 */
#ifndef QUORATE_FOUND_H
#define QUORATE_FOUND_H

#include "runs.h"

#ifndef FOUND_MIN
#define FOUND_MIN ((uint64_t)1 << 12)
#endif
#ifndef FOUND_MAX /* A test that wants to see many runs takes fewer. */
#define FOUND_MAX ((uint64_t)1 << 40)
#endif
#define BEHIND ((uint64_t)4096)
#define TAKEN ((word)1 << 63)

typedef struct {
    Region slots;
    uint64_t count, capacity, capacity_max;
} Found;

static inline State *found_slots(const Found *found) { return (State *)found->slots.base; }
static inline bool is_taken(const State *slot) { return slot->w[MODEL_WORDS - 1] & TAKEN; }

static inline State marked(State s) {
    s.w[MODEL_WORDS - 1] ^= TAKEN;
    return s;
}

/* With so many it must grow, or be emptied, before the next block of states. */
static inline uint64_t found_full_at(const Found *found) { return found->capacity - found->capacity / 5; }

static bool found_commit(Found *found, uint64_t capacity, Budget *budget) {
    return region_commit(&found->slots, (capacity + BEHIND) * sizeof(State), budget);
}

static bool found_open(Found *found, size_t bytes, Budget *budget) {
    uint64_t most = bytes / sizeof(State) > BEHIND ? bytes / sizeof(State) - BEHIND : 0;
    found->capacity_max = most < FOUND_MAX ? most : FOUND_MAX;
    found->capacity = found->capacity_max < FOUND_MIN ? found->capacity_max : FOUND_MIN;
    return found->capacity > 0 && region_reserve(&found->slots, bytes, ALL_OVER) && found_commit(found, found->capacity, budget);
}

/* The place of a state, or the free one that it would take; NULL if even behind the last place there is none. */
static inline State *found_place(const Found *found, const State *s, uint64_t hash) {
    State wanted = marked(*s);
    State *end = found_slots(found) + found->capacity + BEHIND;
    for (State *at = found_slots(found) + home_among(hash, found->capacity); LIKELY(at < end); at++)
        if (!is_taken(at) || same_state(at, &wanted)) return at;
    return NULL;
}

PREFETCHING void found_prefetch(const Found *found, uint64_t hash) {
    __builtin_prefetch(found_slots(found) + home_among(hash, found->capacity), 1);
}

static inline bool found_has(const Found *found, const State *s) {
    const State *place = found_place(found, s, hash_state(s));
    return place && is_taken(place);
}

/* Make it sorted states without marks, at the front of the array. Until it is cleared, nothing can be looked up. */
static State *found_sort(Found *found) {
    State *slots = found_slots(found);
    uint64_t count = 0, last = 0;
    for (uint64_t at = 0; count < found->count; at++) {
        if (!is_taken(&slots[at])) continue;
        State s = marked(slots[at]);
        memset(&slots[at], 0, sizeof s);
        uint64_t hash = hash_state(&s), to = count++;
        if (to > 0 && hash <= last)
            for (; to > 0 && comes_before(&s, hash, &slots[to - 1], hash_state(&slots[to - 1])); to--) slots[to] = slots[to - 1];
        else
            last = hash;
        slots[to] = s;
    }
    return slots;
}

/* For so many, `found_clear` leaves as many places as there are. */
static inline uint64_t found_fit(const Found *found) { return found->capacity / 3 * 2; }

/* Forget what was sorted, and have room for about as many as are `expected`. */
static void found_clear(Found *found, uint64_t expected, Budget *budget) {
    memset(found_slots(found), 0, found->count * sizeof(State));
    found->count = 0;
    uint64_t capacity = expected + expected / 2;
    if (capacity < FOUND_MIN) capacity = FOUND_MIN;
    if (capacity > found->capacity_max) capacity = found->capacity_max;
    if (found_commit(found, capacity, budget)) found->capacity = capacity;
}

/* Twice as many places, or as many as there may be. False, and nothing changed, if that is not enough to be worth it; `*lost` if some states
   have no place any more, which would take thousands of hashes at one end. */
static bool found_grow(Found *found, Budget *budget, bool *lost) {
    uint64_t count = found->count, capacity = 2 * found->capacity;
    if (capacity > found->capacity_max) capacity = found->capacity_max;
    if (capacity < found->capacity + found->capacity / 4 || 2 * count > capacity + BEHIND || !found_commit(found, capacity, budget)) return false;
    State *slots = found_sort(found), *from = slots + capacity + BEHIND - count;
    memmove(from, slots, count * sizeof *slots);
    memset(slots, 0, count * sizeof *slots);
    found->capacity = capacity;
    State *next = slots;
    for (uint64_t i = 0; i < count; i++) {
        State s = from[i], *home = slots + home_among(hash_state(&s), capacity);
        memset(&from[i], 0, sizeof s);
        State *to = home > next ? home : next;
        if ((*lost = to > from + i)) return false;
        *to = marked(s);
        next = to + 1;
    }
    return true;
}

#endif
