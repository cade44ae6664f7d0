/* A share of a search that many processes make together, each with an engine of its own (checker/quorate/explore/cluster).
 *
 * Every state has one owner, which its hash tells. A share holds the states that it owns, in a store as any search has, and expands those
 * of the level. Of the successors it inserts its own; the others are written into a *box* for each owner, as they are, and whoever
 * carries the box there has it inserted. A level has ended when all shares have expanded theirs and all boxes are inserted.
 *
 * Why it is exact. Whether a state is new is decided by its owner alone, against all states that were ever met with its hash; so the
 * states of a level, their successors, and all that is counted of them are those of a search by one process. The hash that finds the owner
 * is mixed once more: the owner's table would otherwise be used in the part only that belongs to it.
 * Sleep sets (sleep.h) travel with the states: an owner gets the mask of every transition that reaches a state and intersects
 * them, as the table of one process does, and by the end of the level it has all. A transition that was met a moment ago and leaves nothing
 * less asleep is not sent again, as it is not looked up again. The group travels, too: an invariant that it cannot have changed is not
 * looked at (model.h), wherever the state is examined.
 * Messages have no numbers here (numbers.h): those of one process mean nothing to another.
 *
 * Going back. At the beginning of a level all counts are noted. When some other share is lost within the level, this one forgets what it
 * has found since, and the level is searched again: `quorate_share_back`. One that takes the place of a lost share is given the states
 * that it had, level by level: `quorate_share_load`. Nothing sleeps in its states then, which is always right.
 *
 * A counterexample is found as trace.h says, with sets that all shares are told: each says which of its states of a level have a successor
 * in M(k+1), and one that is told all of M(0), ..., M(d) goes forward. So it is the same as that of one process.
 */
#ifndef QUORATE_SHARE_H
#define QUORATE_SHARE_H

#include "expand.h"
#include "path.h"

/* A state on its way: the group that led to it, which of its words are not zero, and these. What may sleep in it is its last word. */
enum { PARTS = MODEL_WORDS + (MODEL_SLEEP ? 1 : 0), PRESENT = (PARTS + 7) / 8, RECORD_MAX = 2 + PRESENT + 8 * PARTS };

typedef struct {
    char *bytes;
    size_t length, room;
} Box;

/* What is counted and noted, at the beginning of a level. */
typedef struct {
    uint64_t fired[MODEL_ACTIONS], cuts[MODEL_BOUNDS], cut_total, reached;
#if MODEL_POINTS
    uint64_t points[2 * MODEL_POINTS];
#endif
} Noted;

typedef struct {
    Search *search;
    uint64_t part, parts;
    Box *boxes;   /* by owner; that of this share itself has what it is asked for */
    size_t sent;  /* bytes in those of others */
    Noted begun;
    Box wanted;   /* states that are looked for, */
    uint64_t *wanted_slots, wanted_capacity; /* and where each is in it, plus one, by hash */
} Share;

static inline Worker *worker_of(const Share *share) { return &share->search->workers[0]; }
static inline Arena *own_arena(const Share *share) { return &share->search->table.arenas[0]; }

static inline uint64_t owner_of(const Share *share, uint64_t hash) {
    return (uint64_t)((unsigned __int128)mixed(hash ^ 0x8EBC6AF09C88C6E3u, 0x589965CC75374CC3u) * share->parts >> 64);
}

static __attribute__((noinline, cold)) bool box_grow(Box *box, size_t more) {
    size_t room = 2 * box->room + more + 4096;
    char *bytes = realloc(box->bytes, room);
    if (!bytes) return false;
    box->bytes = bytes;
    box->room = room;
    return true;
}

static inline bool box_put(Box *box, const void *bytes, size_t length) {
    if (UNLIKELY(box->length + length > box->room) && !box_grow(box, length)) return false;
    memcpy(box->bytes + box->length, bytes, length);
    box->length += length;
    return true;
}

/* ---- Expanding and inserting ----------------------------------------------------------------------------------- */

/* Successor i goes to its owner. */
static inline void send_away(Share *share, uint64_t owner, const Successors *out, size_t i) {
    char record[RECORD_MAX], *at = record + 2 + PRESENT;
    memcpy(record, &out->labels[i].group, 2);
    memset(record + 2, 0, PRESENT);
    for (int k = 0; k < PARTS; k++) {
        word part = k < MODEL_WORDS ? out->states[i].w[k] : out->masks[i];
        memcpy(at, &part, 8);
        at += part ? 8 : 0;
        record[2 + k / 8] |= (char)((part != 0) << k % 8);
    }
    if (!box_put(&share->boxes[owner], record, (size_t)(at - record))) request_stop(share->search, STOP_MEMORY);
    share->sent += (size_t)(at - record);
}

/* Send away those of the gathered successors that others own, and insert the rest. */
static void distribute(Share *share) {
    Worker *me = worker_of(share);
    Successors *out = &me->out;
    size_t kept = 0;
    for (size_t i = 0; i < out->count; i++) {
        if (out->labels[i].error != NONE) continue;
        uint64_t hash = hash_state(&out->states[i]), owner = owner_of(share, hash);
        if (owner != share->part) {
            if (!met_recently(me, i, hash)) send_away(share, owner, out, i);
            continue;
        }
        out->states[kept] = out->states[i];
        out->labels[kept].group = out->labels[i].group;
        out->labels[kept].error = NONE;
        out->masks[kept++] = out->masks[i];
    }
    out->count = kept;
    insert_all(me, true);
}

/* Expand so many states of the level, or until so many bytes are in the boxes, and then some more. How many states are left. */
EXPORT uint64_t quorate_share_expand(Share *share, uint64_t states, uint64_t bytes) {
    Search *search = share->search;
    Worker *me = worker_of(share);
    Claim claim;
    for (uint64_t done = 0; done < states && share->sent < bytes && !stopping(search); done += claim.to - claim.from) {
        if (!store_claim(me, true, &claim)) break;
        Claim left = claim;
        for (const State *from; (from = store_next(me, &left));) {
            gather(me, from);
            if (me->out.count >= BATCH) distribute(share);
        }
        distribute(share);
    }
    publish_transitions(me);
    if (atomic_load(&common->trapped) || atomic_load(&common->mistaken)) request_stop(search, STOP_TRAPPED);
    uint64_t cursor = atomic_load(&search->cursor);
    return cursor < search->frontier.total ? search->frontier.total - cursor : 0;
}

/* Insert what another share has sent. */
EXPORT void quorate_share_insert(Share *share, const char *bytes, uint64_t length) {
    Worker *me = worker_of(share);
    Successors *out = &me->out;
    if (out->capacity < BATCH && !successors_grow(out)) return request_stop(share->search, STOP_MEMORY);
    for (const char *end = bytes + length; bytes < end && !stopping(share->search);) {
        for (out->count = 0; out->count < BATCH && bytes < end; out->count++) {
            Label *label = &out->labels[out->count];
            const char *present = bytes + 2;
            memcpy(&label->group, bytes, 2);
            label->error = NONE;
            bytes += 2 + PRESENT;
            for (int k = 0; k < PARTS; k++) {
                word part = 0;
                if (present[k / 8] >> k % 8 & 1) memcpy(&part, bytes, 8), bytes += 8;
                *(k < MODEL_WORDS ? &out->states[out->count].w[k] : &out->masks[out->count]) = part;
            }
        }
        insert_all(me, true);
    }
}

/* The box for a share, and its length. */
EXPORT const char *quorate_share_box(const Share *share, uint64_t owner, uint64_t *length) {
    *length = share->boxes[owner].length;
    return share->boxes[owner].bytes;
}

/* The boxes have been carried away. */
EXPORT void quorate_share_sent(Share *share) {
    for (uint64_t i = 0; i < share->parts; i++) share->boxes[i].length = 0;
    share->sent = 0;
}

/* ---- Levels ---------------------------------------------------------------------------------------------------- */

/* Find level 0. The initial states are counted by the first share. */
static void share_seed(Share *share) {
    Worker *me = worker_of(share);
    model_initial(&me->out);
    memset(me->out.fired, 0, sizeof me->out.fired);
    for (size_t i = 0; i < me->out.count; i++) {
        if (me->out.labels[i].error != NONE)
            note_event(share->search, EVENT_VIOLATION);
        else {
            share->search->initial_count += share->part == 0;
            if (MODEL_SYMMETRY) me->out.states[i] = model_canonical(me->out.states[i], me->out.memo);
        }
    }
    distribute(share);
    quorate_share_sent(share); /* Every share finds its own. */
}

/* The level that was found is the next to be expanded. All shares together have `reached` so much of what `@reachable` properties ask for. */
EXPORT void quorate_share_turn(Share *share, uint64_t reached) {
    Search *search = share->search;
    Worker *me = worker_of(share);
    if (!levels_append(search)) return request_stop(search, STOP_MEMORY);
    search->frontier = level_of(search, search->levels - 1);
    store_turn(search);
    atomic_store(&search->cursor, 0);
    memcpy(share->begun.fired, me->out.fired, sizeof me->out.fired);
    memcpy(share->begun.cuts, me->out.cuts, sizeof me->out.cuts);
    share->begun.cut_total = me->out.cut_total;
    share->begun.reached = me->reached;
    search->reached_before = reached;
#if MODEL_POINTS
    memcpy(share->begun.points, me->out.points, sizeof me->out.points);
#endif
}

/* What the table finds are the states of the arena, and no others. */
static void share_settle(Share *share) {
    Search *search = share->search;
    atomic_store(&search->states_total, own_arena(share)->count);
    worker_of(share)->counted = own_arena(share)->count;
    while (store_full(search))
        if (!store_enlarge(search)) return request_stop(search, STOP_MEMORY);
    clear_share(search, 0, 1);
    restore_share(search, 0, 1);
}

/* Forget what was found and counted since the level began. */
EXPORT void quorate_share_back(Share *share) {
    Search *search = share->search;
    Worker *me = worker_of(share);
    own_arena(share)->count = own_arena(share)->level_begin;
    share_settle(share);
    quorate_share_sent(share);
    forget_met(me);
    me->out.count = 0;
    me->out.violated = false;
    memcpy(me->out.fired, share->begun.fired, sizeof me->out.fired);
    memcpy(me->out.cuts, share->begun.cuts, sizeof me->out.cuts);
    me->out.cut_total = share->begun.cut_total;
    me->reached = share->begun.reached;
#if MODEL_POINTS
    memcpy(me->out.points, share->begun.points, sizeof me->out.points);
#endif
    publish_transitions(me);
    atomic_store(&search->cursor, 0);
    atomic_store(&search->event, NONE);
}

/* The states that were first met at a depth, `from` the first of them on; `*count` of them at most. The last depth is that being found. */
EXPORT const char *quorate_share_level(const Share *share, uint64_t depth, uint64_t from, uint64_t *count) {
    const Search *search = share->search;
    uint64_t begin = depth == 0 ? 0 : search->ends[(depth - 1) * WORKERS_MAX];
    uint64_t end = depth == search->levels ? own_arena(share)->count : search->ends[depth * WORKERS_MAX];
    uint64_t left = begin + from < end ? end - begin - from : 0;
    if (left < *count) *count = left;
    return (const char *)&arena_states(own_arena(share))[begin + from];
}

/* States that a lost share had, whose place this one takes, in order. */
EXPORT void quorate_share_load(Share *share, const char *bytes, uint64_t length) {
    Arena *arena = own_arena(share);
    uint64_t count = length / sizeof(State);
    if (!arena_reserve(share->search, arena, count)) return request_stop(share->search, STOP_MEMORY);
    memcpy(arena_states(arena) + arena->count, bytes, length);
    arena->count += count;
}

/* These were all of a level that was expanded before, and what is loaded now is the next. */
EXPORT void quorate_share_loaded(Share *share) {
    if (!levels_append(share->search)) return request_stop(share->search, STOP_MEMORY);
    own_arena(share)->level_begin = own_arena(share)->count;
}

EXPORT void quorate_share_resume(Share *share) { share_settle(share); }

/* ---- Counterexamples ------------------------------------------------------------------------------------------- */

/* These states are looked for. False without memory. */
EXPORT int quorate_share_want(Share *share, const char *bytes, uint64_t length) {
    share->wanted.length = 0;
    free(share->wanted_slots);
    uint64_t count = length / sizeof(State);
    share->wanted_capacity = 2 * count + 1;
    share->wanted_slots = calloc(share->wanted_capacity, sizeof(uint64_t));
    if (!share->wanted_slots || (length > 0 && !box_put(&share->wanted, bytes, length))) return false;
    const State *states = (const State *)share->wanted.bytes;
    for (uint64_t i = 0; i < count; i++) {
        uint64_t at = (uint64_t)((unsigned __int128)hash_state(&states[i]) * share->wanted_capacity >> 64);
        while (share->wanted_slots[at]) at = at + 1 < share->wanted_capacity ? at + 1 : 0;
        share->wanted_slots[at] = i + 1;
    }
    return true;
}

static bool share_wants(const Retrace *retrace, const void *of, const State *s) {
    (void)retrace;
    const Share *share = of;
    const State *states = (const State *)share->wanted.bytes;
    uint64_t at = (uint64_t)((unsigned __int128)hash_state(s) * share->wanted_capacity >> 64);
    for (uint64_t slot; (slot = share->wanted_slots[at]); at = at + 1 < share->wanted_capacity ? at + 1 : 0)
        if (same_state(&states[slot - 1], s)) return true;
    return false;
}

static bool share_leads(const Share *share, Retrace *retrace, const State *s) {
    retrace->out.count = 0;
    model_successors(s, &retrace->out);
    for (size_t i = 0; i < retrace->out.count; i++) {
        if (retrace->out.labels[i].error != NONE) continue;
        State stored = representative(retrace->out.states[i]);
        if (share_wants(retrace, share, &stored)) return true;
    }
    return false;
}

enum { MEMBERS_LEAD, MEMBERS_SHOW, MEMBERS_SHOW_INITIALLY };

/* The states of a level that lead to one that is looked for, or show the event, into the own box. */
EXPORT void quorate_share_members(Share *share, uint64_t depth, int how, uint64_t event) {
    Retrace retrace = {.search = share->search, .event = (uint32_t)event};
    Box *box = &share->boxes[share->part];
    uint64_t count = UINT64_MAX;
    const State *states = (const State *)quorate_share_level(share, depth, 0, &count);
    box->length = 0;
    for (uint64_t i = 0; i < count; i++) {
        const State *s = &states[i];
        bool member = how == MEMBERS_LEAD ? share_leads(share, &retrace, s)
                      : how == MEMBERS_SHOW ? shows_at_expansion(&retrace, s)
                                            : shows_at_state(&retrace, s);
        if (member && !box_put(box, s, sizeof *s)) request_stop(share->search, STOP_MEMORY);
    }
    successors_free(&retrace.out);
}

/* Go from state number `depth` of the path, counted from 1, or from nothing, to a state that is looked for, by the first transition that
   leads there. What is known of a path beyond that is of an attempt whose answer was lost. */
EXPORT int quorate_share_step(Share *share, uint64_t depth) {
    Retrace retrace = {.search = share->search};
    share->search->trace_length = depth;
    bool found = step_forward(&retrace, share_wants, share);
    successors_free(&retrace.out);
    return found;
}

/* The last step: the violation itself. */
EXPORT int quorate_share_violate(Share *share, uint64_t event) {
    Retrace retrace = {.search = share->search, .event = (uint32_t)event};
    bool found = step_violating(&retrace);
    successors_free(&retrace.out);
    return found;
}

/* ---- Opening --------------------------------------------------------------------------------------------------- */

EXPORT void quorate_share_close(Share *share) {
    if (!share) return;
    for (uint64_t i = 0; share->boxes && i < share->parts; i++) free(share->boxes[i].bytes);
    if (share->search) {
        worker_of(share)->search = NULL; /* It has no thread. */
        quorate_close(share->search);
    }
    free(share->boxes);
    free(share->wanted.bytes);
    free(share->wanted_slots);
    free(share);
}

/* A share of so many; with `seed` it has found its initial states. NULL without memory. */
EXPORT Share *quorate_share_open(const Options *options, uint64_t part, uint64_t parts, int seed) {
    Share *share = calloc(1, sizeof *share);
    if (!share) return NULL;
    share->part = part;
    share->parts = parts;
    share->boxes = calloc(parts, sizeof *share->boxes);
    share->search = quorate_open(options, 1);
    if (!share->boxes || !share->search) {
        quorate_share_close(share);
        return NULL;
    }
    worker_of(share)->search = share->search;
    if (seed) share_seed(share);
    return share;
}

EXPORT Search *quorate_share_search(const Share *share) { return share->search; }

EXPORT void quorate_share_report(const Share *share, Report *report) {
    const Search *search = share->search;
    memset(report, 0, sizeof *report);
    report->states = own_arena(share)->count;
    report->transitions = atomic_load(&worker_of(share)->counters.transitions) + search->initial_count;
    report->memory_bytes = store_bytes(search);
    report->reached = worker_of(share)->reached;
    report->stop = atomic_load(&search->stop);
    uint32_t event = atomic_load(&search->event);
    report->event = event != NONE ? (int64_t)event : EVENT_NONE;
    for (size_t i = 0; i < MODEL_BOUNDS; i++) report->cuts[i] = cuts_of(search, i);
    for (size_t i = 0; i < MODEL_ACTIONS; i++) report->fired[i] = fired_of(search, i);
}

#endif
