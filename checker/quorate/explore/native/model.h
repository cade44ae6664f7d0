/* The interface between a model and the engine.
 *
 * A model is one C file:
 *
 *     #define MODEL_WORDS 1 ...            sizes, see below
 *     #include "model.h"                   this file: what the model may call
 *     static ... model_successors(...)     what the engine will call, see below
 *     #include "engine.c"                  the engine, in the same unit, so that the compiler inlines across
 *
 * A state is MODEL_WORDS words of 64 bits, packed exactly: two states are equal when their words are. The engine
 * compares, hashes and stores states and never looks inside. The highest bit of the last word is never set.
 *
 * The model defines before including this file:
 *
 *     MODEL_KEY         a string: two models with the same key are the same (checkpoints are held against it)
 *     MODEL_WORDS       words of a state, at least 1
 *     MODEL_ARGS        the greatest number of parameters of an action, at least 1
 *     MODEL_ACTIONS     number of actions, at least 1
 *     MODEL_BOUNDS      number of named bounds, at least 1
 *     MODEL_HAS_STEPS   1 if there are step properties
 *     MODEL_DEADLOCK    1 if a state without successors that is not terminal is a violation
 *     MODEL_SYMMETRY    1 if model_canonical does something
 *     MODEL_GROUPS      number of groups of transitions, at least 1; at most 64 if MODEL_SLEEP
 *     MODEL_SLEEP       1 if groups may sleep (sleep.h)
 *     MODEL_POINTS      number of points at which runs are counted; without them nothing is
 *     MODEL_SITES       number of actions and invariants of which something is remembered (memo.h); 0 if it is not defined
 *     MODEL_NUMBERS     number of bits of the network that is a bit set (numbers.h), and MODEL_CLASSES that of the classes of its messages;
 *                       not defined without one
 *
 * and between the two includes:
 *
 *     void model_initial(Successors *out)                       emits the initial states
 *     void model_successors(const State *from, Successors *out) emits the successors: actions in order of declaration,
 *                                                               arguments ascending
 *     unsigned model_invariant(const State *s)                  the first invariant that s violates, or NONE
 *     unsigned model_invariant_after(const State *s, unsigned group, Memo *memo)
 *                                                               the same for a state that a transition of this group reached from
 *                                                               one that violates none: what the group cannot change is not
 *                                                               looked at. Group MODEL_GROUPS stands for "any". The memo (memo.h) is
 *                                                               that of the worker, or NULL
 *     uint64_t model_before(unsigned group)                     the groups with a smaller number, as bits
 *     uint64_t model_independent(unsigned group)                the groups whose transitions commute with all of this one
 *     bool model_room(const State *s)                           whether the state is far enough from all capacities for that
 *     unsigned model_step(const State *old, const State *new)   the first step property violated, or NONE
 *     uint64_t model_reached(const State *s, uint64_t known)    one bit for each reachability property that s satisfies; those
 *                                                               in `known` need not be evaluated again
 *     bool model_terminal(const State *s)                       whether s may be without successors
 *     State model_canonical(State s)                            the representative of the orbit of s
 *     void model_count(const State *s)                          evaluates all invariants and @reachable properties of s, with
 *                                                               MODEL_POINTS: what they come by is counted
 *
 * With MODEL_LIVENESS, the number of liveness properties, also
 *
 *     unsigned model_fairness(unsigned action)                  0 none, 1 weak, 2 strong
 *     unsigned model_arity(unsigned action)                     words of arguments in a label
 *     int model_demand(const State *s, const Label *label, Label *demand)
 *                                                               whether fairness speaks of an instance that starts in s, and of which
 *                                                               demand: its arguments are 0 where they do not matter; -1 for an error
 *     unsigned model_acceptance(unsigned property)              which runs violate it: the sum of PROMISE_... (liveness.h)
 *     unsigned model_promise(unsigned property, const uint64_t *choice, const State *s)
 *                                                               1: an obligation begins in s, 2: s fulfils it, 4: an error; `choice`
 *                                                               has the position of each argument among the values of its type
 *     unsigned model_ends(unsigned property, const uint64_t *choice, const State *old, const State *new)
 *                                                               with PROMISE_STEPS, of a step from a state that does not fulfil the
 *                                                               property: 2: the step does, 4: an error
 *
 * and fair actions report cuts by `cut_fair`.
 *
 * Model and engine may also be compiled apart (apart.h).
 *
 * An error in the spec met while evaluating a property counts as a violation of it. The engine says where a violation is; the caller
 * evaluates the last state again to say what it is.
 */
#ifndef QUORATE_MODEL_H
#define QUORATE_MODEL_H

#if defined(__linux__) && !defined(_GNU_SOURCE)
#define _GNU_SOURCE
#endif
#if defined(__APPLE__) && !defined(_DARWIN_C_SOURCE)
#define _DARWIN_C_SOURCE
#endif

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Compiled with -DSTORE_FINGERPRINT=1, the engine keeps fingerprints instead of states (fingerprint.h). They do not say where a state
   is, so nothing sleeps. */
#ifndef STORE_FINGERPRINT
#define STORE_FINGERPRINT 0
#endif
/* Compiled with -DSTORE_TREE=1, it keeps numbers that stand for states (compact.h). What sleeps would take more memory than all else. */
#ifndef STORE_TREE
#define STORE_TREE 0
#endif
/* Compiled with -DSTORE_DISK=1, it keeps states in files (disk.h), from which it takes all of a level to know what another order finds. */
#ifndef STORE_DISK
#define STORE_DISK 0
#endif
#if STORE_FINGERPRINT || STORE_TREE || STORE_DISK
#undef MODEL_SLEEP
#define MODEL_SLEEP 0
#endif

#ifndef MODEL_POINTS
#define MODEL_POINTS 0
#endif
#ifndef MODEL_GUIDED
#define MODEL_GUIDED 0
#endif

#if defined(_WIN32)
#define EXPORT __declspec(dllexport)
#else
#define EXPORT __attribute__((visibility("default")))
#endif

#define NONE 0xFFFFFFFFu
#define LABEL_CUT 1u
#define LIKELY(x) __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)

/* A function that only prefetches has no effect that the compiler knows of: gcc leaves out calls of it. */
#define PREFETCHING static inline __attribute__((always_inline))

typedef uint64_t word;

#include "bits.h"
#include "numbers.h"

/* What model_acceptance answers: one of the first three; whether obligations begin in initial states only; whether a property says
   something of the end of a run, so that nothing finite fulfils it; whether steps may fulfil it, too. */
enum { PROMISE_NEVER, PROMISE_AGAIN, PROMISE_ONCE, PROMISE_WAY = 3, PROMISE_INITIALLY = 4, PROMISE_ENDLESS = 8, PROMISE_STEPS = 16 };

/* A number that leaves its 64 bits springs a trap. What follows is not what the spec says, so nothing that the engine says afterwards
   counts. */
static __attribute__((noinline, cold, unused)) void trap(int *status, uint32_t place) {
    uint32_t none = 0;
    atomic_compare_exchange_strong(&common->trapped, &none, place + 1);
    *status = -1;
}

typedef struct {
    word w[MODEL_WORDS];
} State;

/* What led to a successor. `error` is NONE for an ordinary successor. Otherwise there is none, and the state beside it is the one it
   started from: the attempt was an error in the spec, or a bound cut it (LABEL_CUT, which is said on demand only). */
typedef struct {
    uint64_t args[MODEL_ARGS];
    uint16_t action;
    uint16_t group;
    uint32_t error;
} Label;

/* The successors of one or several states, in order. States, labels and masks are parallel arrays.

   While searching, successors that need no lookup are counted and not kept: the state itself, and those of groups that sleep. */
typedef struct {
    State *states;
    Label *labels;
    uint64_t *masks; /* the groups that may sleep in the successor, as far as this transition knows */
    size_t count, capacity;
    bool searching;
    struct Memo *memo; /* what is remembered while searching (memo.h), or NULL */
    bool violated;   /* a step property is violated by a transition that was not kept */
    bool stuttered;  /* the step properties were asked about the step from the state being expanded to itself */
    uint64_t asleep; /* the groups that sleep in the state being expanded */
    bool room;       /* whether its successors may have any asleep */
    uint64_t passed; /* successors counted and not kept */
    bool exhausted; /* memory ran out, and some successors are missing */
    bool keep_cuts; /* fair instances that a bound cuts are labelled among the successors */
    uint64_t cuts[MODEL_BOUNDS];
    uint64_t fired[MODEL_ACTIONS];
    uint64_t cut_total;
#if MODEL_POINTS
    uint64_t points[2 * MODEL_POINTS]; /* how often the search came by each point (`quorate.model.points`) */
#endif
} Successors;

static __attribute__((noinline, cold)) bool successors_grow(Successors *out) {
    size_t capacity = out->capacity ? 2 * out->capacity : 1024;
    State *states = realloc(out->states, capacity * sizeof *states);
    if (states) out->states = states;
    Label *labels = realloc(out->labels, capacity * sizeof *labels);
    if (labels) out->labels = labels;
    uint64_t *masks = realloc(out->masks, capacity * sizeof *masks);
    if (masks) out->masks = masks;
    if (!states || !labels || !masks) {
        out->exhausted = true;
        return false;
    }
    out->capacity = capacity;
    return true;
}

static void successors_free(Successors *out) {
    free(out->states);
    free(out->labels);
    free(out->masks);
}

static inline bool same_state(const State *a, const State *b) {
    word difference = 0;
    for (int i = 0; i < MODEL_WORDS; i++) difference |= a->w[i] ^ b->w[i];
    return difference == 0;
}

#if MODEL_POINTS
/* Functions are called for more than is counted: to check a property, to rebuild a run. What a search expands is counted between
   `count_into` and `count_nowhere`. */
static _Thread_local uint64_t *counting;

static inline void count_into(Successors *out) { counting = out->searching ? out->points : NULL; }
static inline void count_nowhere(void) { counting = NULL; }
static inline void count(unsigned counter) {
    if (counting) counting[counter]++;
}
#endif

static unsigned model_step(const State *old, const State *new);
static inline uint64_t model_before(unsigned group);
static inline uint64_t model_independent(unsigned group);

static inline void emit_labelled(Successors *out, const State *next, uint32_t action, uint32_t group, uint32_t error, const uint64_t *args,
                                 size_t arity) {
    if (UNLIKELY(out->count == out->capacity) && !successors_grow(out)) return;
    out->states[out->count] = *next;
    Label *label = &out->labels[out->count++];
    for (size_t i = 0; i < arity; i++) label->args[i] = args[i];
    label->action = (uint16_t)action;
    label->group = (uint16_t)group;
    label->error = error;
}

/* Initial state number `*i` is `state`. */
static inline void emit_initial(Successors *out, const State *state, const uint64_t *i) {
    if (LIKELY(out->count < out->capacity || successors_grow(out))) out->masks[out->count] = 0;
    emit_labelled(out, state, 0, MODEL_GROUPS, NONE, i, 1);
}

/* The transition to `next` by `action` with these arguments exists. It is known whether that is the same state. */
#if MODEL_WORDS <= 2
INLINE
#else
static inline
#endif
void emit_known(Successors *out, const State *from, const State *next, bool same, uint32_t action, uint32_t group,
                              const uint64_t *args, size_t arity) {
    out->fired[action]++;
    if (out->searching) {
        if (same || (MODEL_SLEEP && out->asleep >> group & 1)) {
            out->passed++;
            if (MODEL_HAS_STEPS && !(same && out->stuttered) && model_step(from, next) != NONE) out->violated = true;
            out->stuttered |= same;
            return;
        }
        if (UNLIKELY(out->count == out->capacity) && !successors_grow(out)) return;
        if (MODEL_SLEEP)
            out->masks[out->count] = out->room ? (out->asleep | model_before(group)) & model_independent(group) : 0;
    }
    emit_labelled(out, next, action, group, NONE, args, arity);
}

/* So many transitions by `action` lead to the state itself. */
static inline void emit_same(Successors *out, const State *from, uint32_t action, uint64_t count) {
    if (count == 0) return;
    out->fired[action] += count;
    out->passed += count;
    if (MODEL_HAS_STEPS && !out->stuttered && model_step(from, from) != NONE) out->violated = true;
    out->stuttered = true;
}

/* Whether there is nothing to do for a transition of this group by `action` but to count it, which is done. */
static inline bool emit_asleep(Successors *out, uint32_t action, uint32_t group) {
    if (MODEL_HAS_STEPS || !MODEL_SLEEP || !(out->asleep >> group & 1)) return false;
    out->fired[action]++;
    out->passed++;
    return true;
}

#if MODEL_WORDS <= 2
INLINE /* A call would take as long as it does. */
#else
static inline
#endif
void emit(Successors *out, const State *from, const State *next, uint32_t action, uint32_t group, const uint64_t *args,
                        size_t arity) {
    emit_known(out, from, next, out->searching && same_state(from, next), action, group, args, arity);
}

/* The attempt to take `action` was an error in the spec. */
static inline void fail(Successors *out, const State *from, uint32_t action, const uint64_t *args, size_t arity) {
    emit_labelled(out, from, action, MODEL_GROUPS, 0, args, arity);
}

/* The transition would pass a bound. */
static inline void cut(Successors *out, uint32_t bound) {
    out->cuts[bound]++;
    out->cut_total++;
}

/* The same for an instance of a fair action: liveness must know which one it is. */
static inline void cut_fair(Successors *out, uint32_t bound, const State *from, uint32_t action, const uint64_t *args, size_t arity) {
    cut(out, bound);
    if (UNLIKELY(out->keep_cuts)) emit_labelled(out, from, action, MODEL_GROUPS, LABEL_CUT, args, arity);
}

#include "memo.h"

#endif
