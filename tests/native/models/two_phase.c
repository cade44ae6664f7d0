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

static inline State packed(word s) {
    State state = {{0}};
    state.w[MODEL_WORDS - 1] = s;
    return state;
}

static void model_initial(Successors *out) { emit(out, packed(0), 0, NULL, 0); }

static void model_successors(const State *from, Successors *out) {
    word s = from->w[MODEL_WORDS - 1];
    word tm = s >> TM_SHIFT & 3;
    for (uint64_t r = 0; r < RM; r++)
        if (s & MESSAGE(r) && tm == 0) emit(out, packed(s | PREPARED_AT_TM(r)), RECEIVE_PREPARED, &r, 1);
    if (tm == 0 && (s >> (3 * RM) & ONES) == ONES) emit(out, packed(s | (word)1 << TM_SHIFT | COMMIT_MESSAGE), COMMIT, NULL, 0);
    if (tm == 0) emit(out, packed(s | (word)2 << TM_SHIFT | ABORT_MESSAGE), ABORT, NULL, 0);
    for (uint64_t r = 0; r < RM; r++)
        if (rm_of(s, (unsigned)r) == WORKING) emit(out, packed(with_rm(s, (unsigned)r, PREPARED) | MESSAGE(r)), PREPARE, &r, 1);
    for (uint64_t r = 0; r < RM; r++)
        if (rm_of(s, (unsigned)r) == WORKING) emit(out, packed(with_rm(s, (unsigned)r, ABORTED)), CHOOSE_TO_ABORT, &r, 1);
    if (s & COMMIT_MESSAGE)
        for (uint64_t r = 0; r < RM; r++) emit(out, packed(with_rm(s, (unsigned)r, COMMITTED)), OBEY_COMMIT, &r, 1);
    if (s & ABORT_MESSAGE)
        for (uint64_t r = 0; r < RM; r++) emit(out, packed(with_rm(s, (unsigned)r, ABORTED)), OBEY_ABORT, &r, 1);
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

static State model_canonical(State state) {
    word s = state.w[MODEL_WORDS - 1], keys[RM], rest = s >> TM_SHIFT << TM_SHIFT;
    for (unsigned r = 0; r < RM; r++) {
        word key = rm_of(s, r) | (s & MESSAGE(r) ? 4 : 0) | (s & PREPARED_AT_TM(r) ? 8 : 0);
        unsigned at = r;
        for (; at > 0 && keys[at - 1] > key; at--) keys[at] = keys[at - 1];
        keys[at] = key;
    }
    for (unsigned r = 0; r < RM; r++)
        rest = with_rm(rest, r, keys[r] & 3) | (keys[r] & 4 ? MESSAGE(r) : 0) | (keys[r] & 8 ? PREPARED_AT_TM(r) : 0);
    return packed(rest);
}

#include "engine.c"
