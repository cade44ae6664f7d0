/* Sleep sets: which transitions need no lookup.
 *
 * In a distributed protocol most transitions commute: a step of one node and a step of another lead to the same state in either
 * order. A search that looks up the successor of every transition meets such a state once for every order. It suffices to
 * look it up for one order. Godefroid's sleep sets (Partial-Order Methods, LNCS 1032, 1996, section 5) choose that order. They leave
 * out transitions and never states; here even the transitions are taken and counted, and only the lookup is left out. So all
 * numbers are those of a search without sleep sets.
 *
 * Transitions are divided into numbered groups. Two groups are independent if no transition of one touches what any transition of the
 * other reads or writes (checker/quorate/model/footprints.py): neither enables or disables the other, and both orders lead to the same
 * state. Each state t of the level being found has a sleep set, the groups whose transitions in t need no lookup. A transition of
 * group g from a state s to t leaves in it
 *
 *     (groups asleep in s, and groups with a smaller number than g) that are independent of g,
 *
 * or nothing, if s is so close to the capacity of a container that the order could decide which of two transitions is cut;
 * the set of t is the intersection over all transitions from the level before. By then all of them are known: the levels are
 * searched one after the other.
 *
 * No state is lost, and none is found later than at its distance. For order the paths to t of least length by the group numbers of
 * their transitions, the rest in any way, and let p·b·a be the first, b from s to u, and a from u to t. All of its beginnings are first
 * paths too. Suppose that a sleeps in u. Then its group is in what b left there: it is independent of b, and it is smaller than b's or
 * asleep in s. In the latter case it is in what the transition before b left, and so on; nothing sleeps in initial states, so
 * somewhere along p·b there is a transition c of a greater group such that a is independent of c and of all after it. So a can be
 * taken before c: that is a path to t of the same length that comes earlier. So a does not sleep in u. By induction over the length,
 * all transitions of the first path to t are looked up, and t is found.
 *
 * A smaller sleep set is always right. Sets are dropped where they would be in the way: after resuming from a checkpoint.
 *
 * Under symmetry groups do not keep their meaning from state to state, and nothing sleeps.
 */
#ifndef QUORATE_SLEEP_H
#define QUORATE_SLEEP_H

#include "table.h"

static inline bool masks_reserve(Arena *arena, uint64_t states, Budget *budget) {
    return region_extend(&arena->masks[arena->found], states * sizeof(uint64_t), budget);
}

static inline _Atomic uint64_t *mask_found(Arena *arena, uint64_t position) {
    return (_Atomic uint64_t *)arena->masks[arena->found].base + (position - arena->level_begin);
}

/* The sleep sets of the level being expanded, in order. */
static inline const uint64_t *masks_expanded(const Arena *arena) { return (const uint64_t *)arena->masks[!arena->found].base; }

/* The sleep set of the state that may be appended next: written before the state can be found. */
static inline void mask_place(Arena *arena, uint64_t mask) {
    atomic_store_explicit(mask_found(arena, arena->count), mask, memory_order_relaxed);
}

/* A transition leads to a state that is known: if it was found in this level, its sleep set shrinks. */
static inline void mask_meet(const Table *table, uint64_t slot, uint64_t mask) {
    Arena *arena = arena_of(table, slot);
    if (position_of(slot) < arena->level_begin) return;
    _Atomic uint64_t *kept = mask_found(arena, position_of(slot));
    if (atomic_load_explicit(kept, memory_order_relaxed) & ~mask) atomic_fetch_and_explicit(kept, mask, memory_order_relaxed);
}

/* The level that was found is now expanded. */
static inline void masks_turn(Arena *arena) {
    arena->found = !arena->found;
    arena->level_begin = arena->count;
}

#endif
