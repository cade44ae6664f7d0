/* Two-phase commit by hand (Gray & Lamport 2006, TwoPhase): the model that the engine's own tests and benchmarks use.
 *
 * State, from the lowest bit: 2 bits for each resource manager (working, prepared, committed, aborted), its prepared message, its place in
 * the transaction manager's set, 2 bits of the transaction manager, the commit and the abort message.
 */
#ifndef RM
#define RM 3
#endif
#define TEXT_(x) #x
#define TEXT(x) TEXT_(x)
#define MODEL_KEY "two-phase commit, by hand, RM=" TEXT(RM)
#ifndef MODEL_WORDS
#define MODEL_WORDS 1
#endif
#define MODEL_ARGS 1
#define MODEL_ACTIONS 7
#define MODEL_BOUNDS 1
#define MODEL_HAS_STEPS 0
#define MODEL_DEADLOCK 0
#ifndef MODEL_SYMMETRY
#define MODEL_SYMMETRY 0
#endif
#ifndef MODEL_SLEEP
#define MODEL_SLEEP 0
#endif
#define MODEL_GROUPS (5 * RM + 2) /* commit and abort, then those of each resource manager */
#include "model.h"

enum { WORKING, PREPARED, COMMITTED, ABORTED };
enum { RECEIVE_PREPARED, COMMIT, ABORT, PREPARE, CHOOSE_TO_ABORT, OBEY_COMMIT, OBEY_ABORT };

#define ONES (((word)1 << RM) - 1)
#define MESSAGE(r) ((word)1 << (2 * RM + (r)))
#define PREPARED_AT_TM(r) ((word)1 << (3 * RM + (r)))
#define TM_SHIFT (4 * RM)
#define COMMIT_MESSAGE ((word)1 << (4 * RM + 2))
#define ABORT_MESSAGE ((word)1 << (4 * RM + 3))

static inline word rm_of(word s, unsigned r) { return s >> (2 * r) & 3; }
static inline word with_rm(word s, unsigned r, word v) { return (s & ~((word)3 << (2 * r))) | v << (2 * r); }

#define packed(s) (&(const State){.w[MODEL_WORDS - 1] = (s)})

static void model_initial(Successors *out) {
    uint64_t number = 0;
    emit_initial(out, packed(0), &number);
}

enum { COMMIT_GROUP, ABORT_GROUP, RECEIVE_GROUPS, PREPARE_GROUPS = RECEIVE_GROUPS + RM, CHOOSE_GROUPS = PREPARE_GROUPS + RM,
       OBEY_COMMIT_GROUPS = CHOOSE_GROUPS + RM, OBEY_ABORT_GROUPS = OBEY_COMMIT_GROUPS + RM };

static void model_successors(const State *from, Successors *out) {
    word s = from->w[MODEL_WORDS - 1];
    word tm = s >> TM_SHIFT & 3;
    for (uint64_t r = 0; r < RM; r++)
        if (s & MESSAGE(r) && tm == 0)
            emit(out, from, packed(s | PREPARED_AT_TM(r)), RECEIVE_PREPARED, RECEIVE_GROUPS + (unsigned)r, &r, 1);
    if (tm == 0 && (s >> (3 * RM) & ONES) == ONES)
        emit(out, from, packed(s | (word)1 << TM_SHIFT | COMMIT_MESSAGE), COMMIT, COMMIT_GROUP, NULL, 0);
    if (tm == 0) emit(out, from, packed(s | (word)2 << TM_SHIFT | ABORT_MESSAGE), ABORT, ABORT_GROUP, NULL, 0);
    for (uint64_t r = 0; r < RM; r++)
        if (rm_of(s, (unsigned)r) == WORKING)
            emit(out, from, packed(with_rm(s, (unsigned)r, PREPARED) | MESSAGE(r)), PREPARE, PREPARE_GROUPS + (unsigned)r, &r, 1);
    for (uint64_t r = 0; r < RM; r++)
        if (rm_of(s, (unsigned)r) == WORKING)
            emit(out, from, packed(with_rm(s, (unsigned)r, ABORTED)), CHOOSE_TO_ABORT, CHOOSE_GROUPS + (unsigned)r, &r, 1);
    if (s & COMMIT_MESSAGE)
        for (uint64_t r = 0; r < RM; r++)
            emit(out, from, packed(with_rm(s, (unsigned)r, COMMITTED)), OBEY_COMMIT, OBEY_COMMIT_GROUPS + (unsigned)r, &r, 1);
    if (s & ABORT_MESSAGE)
        for (uint64_t r = 0; r < RM; r++)
            emit(out, from, packed(with_rm(s, (unsigned)r, ABORTED)), OBEY_ABORT, OBEY_ABORT_GROUPS + (unsigned)r, &r, 1);
}

static inline uint64_t model_before(unsigned group) { return ((uint64_t)1 << group) - 1; }

/* Two resource managers do not touch each other's state; receiving and deciding touch the transaction manager's. */
static inline uint64_t model_independent(unsigned group) {
    uint64_t all = ((uint64_t)1 << MODEL_GROUPS) - 1, decisions = 3, dependent = decisions;
    if (group <= ABORT_GROUP) {
        uint64_t obey = ONES << (group == COMMIT_GROUP ? OBEY_COMMIT_GROUPS : OBEY_ABORT_GROUPS);
        return all & ~(decisions | ONES << RECEIVE_GROUPS | obey);
    }
    unsigned r = (group - RECEIVE_GROUPS) % RM;
    for (unsigned first = RECEIVE_GROUPS; first < MODEL_GROUPS; first += RM) dependent |= (uint64_t)1 << (first + r);
    bool prepares = group >= PREPARE_GROUPS && group < CHOOSE_GROUPS, chooses = group >= CHOOSE_GROUPS && group < OBEY_COMMIT_GROUPS;
    return all & ~(prepares || chooses ? dependent & ~decisions : dependent);
}

static bool model_room(const State *s) {
    (void)s;
    return true;
}

static unsigned model_invariant(const State *state) {
    word low = 0, s = state->w[MODEL_WORDS - 1];
    for (unsigned r = 0; r < RM; r++) low |= (word)1 << (2 * r);
    word committed = ~s & s >> 1 & low, aborted = s & s >> 1 & low;
#ifdef BROKEN
    return committed && aborted ? 0 : aborted == low ? 0 : NONE; /* A claim that is false at depth RM. */
#endif
    return committed && aborted ? 0 : NONE;
}

static unsigned model_invariant_after(const State *state, unsigned group, Memo *memo) {
    (void)group, (void)memo;
    return model_invariant(state);
}

static unsigned model_step(const State *old, const State *new) {
    (void)old, (void)new;
    return NONE;
}

static uint64_t model_reached(const State *state, uint64_t known) {
    (void)known;
    word low = 0, s = state->w[MODEL_WORDS - 1];
    for (unsigned r = 0; r < RM; r++) low |= (word)1 << (2 * r);
    return (uint64_t)((~s & s >> 1 & low) == low) | (uint64_t)((s & s >> 1 & low) == low) << 1;
}

static bool model_terminal(const State *s) {
    (void)s;
    return true;
}

static State model_canonical(State state, Memo *memo) {
    (void)memo;
    word s = state.w[MODEL_WORDS - 1], keys[RM], rest = s >> TM_SHIFT << TM_SHIFT;
    for (unsigned r = 0; r < RM; r++) {
        word key = rm_of(s, r) | (s & MESSAGE(r) ? 4 : 0) | (s & PREPARED_AT_TM(r) ? 8 : 0);
        unsigned at = r;
        for (; at > 0 && keys[at - 1] > key; at--) keys[at] = keys[at - 1];
        keys[at] = key;
    }
    for (unsigned r = 0; r < RM; r++)
        rest = with_rm(rest, r, keys[r] & 3) | (keys[r] & 4 ? MESSAGE(r) : 0) | (keys[r] & 8 ? PREPARED_AT_TM(r) : 0);
    return *packed(rest);
}

#include "engine.c"
