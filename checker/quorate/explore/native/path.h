/* Finding the path to a violation again: what trace.h and retrace.h have in common. */
#ifndef QUORATE_PATH_H
#define QUORATE_PATH_H

#include "store.h"

typedef struct {
    Search *search;
    Successors out;
    uint32_t event;
    /* trace.h */
    uint64_t *member; /* one bit for each position of each arena: in M(its level) */
    uint64_t *bases;  /* where an arena's bits begin */
    uint64_t *target; /* one bit for each slot of the table: in M(level + 1) */
} Retrace;

static inline State representative(State s) { return MODEL_SYMMETRY ? model_canonical(s, NULL) : s; }

/* Whether a violation shows at the transition `i` of `out`, which leads away from `from`: it is an error, breaks a step
   property, or leads to a state that breaks an invariant. Such a state is new, or the search had ended before. */
static bool shows_on_transition(const Retrace *retrace, const State *from, size_t i) {
    const Successors *out = &retrace->out;
    if (out->labels[i].error != NONE) return true;
    if (MODEL_HAS_STEPS && model_step(from, &out->states[i]) != NONE) return true;
    return model_invariant(&out->states[i]) != NONE;
}

static bool shows_at_state(Retrace *retrace, const State *s) {
    (void)retrace;
    return model_invariant(s) != NONE;
}

/* Whether a state of the last expanded level is in M: it has a violating transition, or is the deadlock. */
static bool shows_at_expansion(Retrace *retrace, const State *s) {
    Successors *out = &retrace->out;
    uint64_t cuts = out->cut_total;
    out->count = 0;
    model_successors(s, out);
    if (retrace->event == EVENT_DEADLOCK) return out->count == 0 && out->cut_total == cuts && !model_terminal(s);
    for (size_t i = 0; i < out->count; i++)
        if (shows_on_transition(retrace, s, i)) return true;
    return false;
}

/* Whether a state is in the set of states that is looked for. */
typedef bool (*Belongs)(Retrace *, const State *);

/* False: the path is not found, because there is no memory for it. */
static bool lacks_memory(Search *search) {
    request_stop(search, STOP_MEMORY);
    return false;
}

static bool trace_push(Search *search, const Label *label, const State *s) {
    TraceStep *steps = realloc(search->trace, (search->trace_length + 1) * sizeof *steps);
    if (!steps) return lacks_memory(search);
    search->trace = steps;
    steps[search->trace_length++] = (TraceStep){.label = *label, .state = *s};
    return true;
}

/* The successors of the last state of the path, or the initial states if there is none yet. */
static void expand_end(Retrace *retrace) {
    const Search *search = retrace->search;
    retrace->out.count = 0;
    if (search->trace_length == 0)
        model_initial(&retrace->out);
    else
        model_successors(&search->trace[search->trace_length - 1].state, &retrace->out);
}

/* Extend the path by the first transition that leads into a set, which `has` looks into. */
static bool step_forward(Retrace *retrace, bool (*has)(const Retrace *, const void *set, const State *), const void *set) {
    const Successors *out = &retrace->out;
    expand_end(retrace);
    for (size_t i = 0; i < out->count; i++) {
        if (out->labels[i].error != NONE) continue;
        State stored = representative(out->states[i]);
        if (has(retrace, set, &stored)) return trace_push(retrace->search, &out->labels[i], &out->states[i]);
    }
    return false;
}

/* The violating transition itself, at the end: a failed attempt keeps the state it started from. */
static bool step_violating(Retrace *retrace) {
    Search *search = retrace->search;
    State from = search->trace[search->trace_length - 1].state;
    retrace->out.count = 0;
    model_successors(&from, &retrace->out);
    for (size_t i = 0; i < retrace->out.count; i++)
        if (shows_on_transition(retrace, &from, i)) return trace_push(search, &retrace->out.labels[i], &retrace->out.states[i]);
    return false;
}

#endif
