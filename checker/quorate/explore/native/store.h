/* Where a search keeps the states that it has met. The search knows this interface and not what is behind it:
 *
 *     arenas.h      states as they are, or fingerprints of them, and a table that finds them
 *     compact.h     numbers that stand for states, and a tree of parts that says for which
 *     disk.h        states in files, level by level, and in memory what is found of the next level
 *
 *     bool store_open(search), void store_close(search)
 *     size_t store_bytes(search)                    all that is kept, in bytes: states, what finds them, what waits to be expanded
 *     bool store_room(me, count)                    before so many states are inserted; false without memory
 *     uint64_t store_locate(me, state, hash)        what `store_insert` needs; begins to fetch memory. `hash` is that of the state
 *     void store_approach(search, place)            some states later: fetch what that memory points to
 *     bool store_insert(me, i, place)               insert successor i of those gathered: whether it is new, or may be
 *     bool store_has(search, state)
 *     bool store_full(search)                       whether there might be no room for what the workers insert before they notice
 *     uint64_t store_full_at(search)                with this many states it is full; it can also be for other reasons
 *     bool store_enlarge(search)                    make room, while all wait: worker 0; false without memory
 *     void store_move(search, step, part, parts)    and then all together, in MOVES steps
 *     bool store_gather(search)                     the level that was found is whole: worker 0, while all wait; false if a checkpoint is due
 *                                                   before that is settled, and then it must be called again
 *     void store_turn(search)                       the level that was found is expanded next: worker 0, while all wait
 *     bool store_claim(me, solo, claim)             some states of that level to expand; false if none is left
 *     const State *store_next(me, claim)            the next of them, or NULL
 *     bool store_settle(search)                     before states are numbered, at the end
 *     uint64_t store_numbers(search)                numbers of states are below this
 *     uint64_t store_number(search, state)          the number of a state, or NOWHERE
 *     bool store_lasts(stop)                        whether a last checkpoint can be written when the search was ended for this reason
 *     uint64_t store_left_last(search, end)         for it: what was claimed and is not done comes last; where that begins
 *     void store_write(search, stream)              into a checkpoint: worker 0, while all wait between two claims
 *     void store_written(search)                    that checkpoint has replaced the one before
 *     const char *store_read(search, stream)        out of it: NULL, or what is wrong
 *     const char *store_resume(search)              what was read is whole, and now it counts
 *
 * Only what a store does between two meetings of all workers is done by several at a time: locating, approaching, inserting, claiming.
 */
#ifndef QUORATE_STORE_H
#define QUORATE_STORE_H

#if STORE_DISK
#include "disk.h"
#elif STORE_TREE
#include "compact.h"
#else
#include "arenas.h"
#endif

#endif
