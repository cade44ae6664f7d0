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
 *
 * and between the two includes:
 *
 *     void model_initial(Successors *out)                       emits the initial states
 *     void model_successors(const State *from, Successors *out) emits the successors: actions in order of declaration,
 *                                                               arguments ascending
 *     unsigned model_invariant(const State *s)                  the first invariant that s violates, or NONE
 *     unsigned model_step(const State *old, const State *new)   the first step property violated, or NONE
 *     uint64_t model_reached(const State *s, uint64_t known)    one bit for each reachability property that s satisfies; those
 *                                                               in `known` need not be evaluated again
 *     bool model_terminal(const State *s)                       whether s may be without successors
 *     State model_canonical(State s)                            the representative of the orbit of s
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

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NONE 0xFFFFFFFFu
#define LIKELY(x) __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)

typedef uint64_t word;

typedef struct {
    word w[MODEL_WORDS];
} State;

/* What led to a successor. `error` is NONE for an ordinary successor; otherwise the attempt was an error in the spec, and the
   state beside it is the one it started from. */
typedef struct {
    uint64_t args[MODEL_ARGS];
    uint32_t action;
    uint32_t error;
} Label;

/* The successors of one or several states, in order. States and labels are parallel arrays. */
typedef struct {
    State *states;
    Label *labels;
    size_t count, capacity;
    bool exhausted; /* memory ran out, and some successors are missing */
    uint64_t cuts[MODEL_BOUNDS];
    uint64_t fired[MODEL_ACTIONS];
    uint64_t cut_total;
} Successors;

static __attribute__((noinline, cold)) bool successors_grow(Successors *out) {
    size_t capacity = out->capacity ? 2 * out->capacity : 1024;
    State *states = realloc(out->states, capacity * sizeof *states);
    if (states) out->states = states;
    Label *labels = realloc(out->labels, capacity * sizeof *labels);
    if (labels) out->labels = labels;
    if (!states || !labels) {
        out->exhausted = true;
        return false;
    }
    out->capacity = capacity;
    return true;
}

static inline void emit_labelled(Successors *out, State next, uint32_t action, uint32_t error, const uint64_t *args,
                                 size_t arity) {
    if (UNLIKELY(out->count == out->capacity) && !successors_grow(out)) return;
    out->states[out->count] = next;
    Label *label = &out->labels[out->count++];
    for (size_t i = 0; i < arity; i++) label->args[i] = args[i];
    label->action = action;
    label->error = error;
}

/* The transition to `next` by `action` with these arguments exists. */
static inline void emit(Successors *out, State next, uint32_t action, const uint64_t *args, size_t arity) {
    out->fired[action]++;
    emit_labelled(out, next, action, NONE, args, arity);
}

/* The attempt to take `action` was an error in the spec. */
static inline void fail(Successors *out, State from, uint32_t action, const uint64_t *args, size_t arity) {
    emit_labelled(out, from, action, 0, args, arity);
}

/* The transition would pass a bound. */
static inline void cut(Successors *out, uint32_t bound) {
    out->cuts[bound]++;
    out->cut_total++;
}

#endif
