/* The counterexample when the states of earlier levels are not kept as such: the same one as trace.h finds.
 *
 * First the levels are found again, breadth first, to write for each number of a state how deep it lies. Then the path is
 * looked for depth first, in order of actions and arguments, along transitions that lead one level deeper. What was entered and left
 * without a violation is dead, and not entered again. So the first path found is the first in lexicographic order among the
 * shortest; and that is what trace.h computes, which goes from each state to the first successor from which the violation can still be reached.
 *
 * Cost: at most two more expansions of every state, by one worker; two bytes for each number, or four if the path is longer than they can
 * say; the states of two levels.
 */
#ifndef QUORATE_RETRACE_H
#define QUORATE_RETRACE_H

#include "path.h"

#define UNMET 0u
#define DEAD UINT32_MAX
enum { NARROW_MAX = UINT16_MAX - 1 }; /* the greatest distance in two bytes */

/* What is written for each number of a state. */
typedef struct {
    void *of;
    bool wide;
} Distances;

static inline uint32_t distance_at(const Distances *distances, uint64_t number) {
    if (distances->wide) return ((const uint32_t *)distances->of)[number];
    uint16_t narrow = ((const uint16_t *)distances->of)[number];
    return narrow > NARROW_MAX ? DEAD : narrow;
}

static inline void distance_put(Distances *distances, uint64_t number, uint32_t distance) {
    if (distances->wide)
        ((uint32_t *)distances->of)[number] = distance;
    else
        ((uint16_t *)distances->of)[number] = (uint16_t)distance;
}

typedef struct {
    State *states;
    uint64_t count, capacity;
} Queue;

static bool queue_push(Queue *queue, const State *s) {
    if (queue->count == queue->capacity) {
        uint64_t capacity = queue->capacity ? 2 * queue->capacity : 1024;
        State *states = realloc(queue->states, capacity * sizeof *states);
        if (!states) return false;
        queue->states = states;
        queue->capacity = capacity;
    }
    queue->states[queue->count++] = *s;
    return true;
}

/* The number of a state, or NOWHERE if it is not in the table. */
static uint64_t number_met(const Search *search, const State *s) {
    State stored = representative(*s);
    return store_number(search, &stored);
}

/* Write `distance` for the states among `out` that have none, and queue them. False without memory. */
static bool meet_successors(Retrace *retrace, Distances *distances, uint32_t distance, Queue *next) {
    Successors *out = &retrace->out;
    for (size_t i = 0; i < out->count; i++) {
        if (out->labels[i].error != NONE) continue;
        uint64_t number = number_met(retrace->search, &out->states[i]);
        if (number == NOWHERE || distance_at(distances, number) != UNMET) continue;
        distance_put(distances, number, distance);
        if (!queue_push(next, &out->states[i])) return lacks_memory(retrace->search);
    }
    return !out->exhausted || lacks_memory(retrace->search);
}

/* Write the distances, plus one, of all states up to level `last`. */
static bool measure(Retrace *retrace, Distances *distances, size_t last) {
    Queue now = {0}, next = {0};
    retrace->out.count = 0;
    model_initial(&retrace->out);
    bool good = meet_successors(retrace, distances, 1, &now);
    for (size_t level = 0; good && level < last; level++) {
        for (uint64_t i = 0; good && i < now.count; i++) {
            retrace->out.count = 0;
            model_successors(&now.states[i], &retrace->out);
            good = !stopping(retrace->search) && meet_successors(retrace, distances, (uint32_t)(level + 2), &next);
        }
        Queue expanded = now;
        now = next;
        next = expanded;
        next.count = 0;
    }
    free(now.states);
    free(next.states);
    return good;
}

/* Extend the path by the first successor, from number `from` on, that lies one level deeper and is not dead; it is then. Returns its
   number plus one, or 0. */
static size_t descend(Retrace *retrace, Distances *distances, size_t from) {
    Search *search = retrace->search;
    expand_end(retrace);
    for (size_t i = from; i < retrace->out.count; i++) {
        if (retrace->out.labels[i].error != NONE) continue;
        uint64_t number = number_met(search, &retrace->out.states[i]);
        if (number == NOWHERE || distance_at(distances, number) != search->trace_length + 1) continue;
        distance_put(distances, number, DEAD);
        return trace_push(search, &retrace->out.labels[i], &retrace->out.states[i]) ? i + 1 : 0;
    }
    return 0;
}

/* Find the path to a state of level `last` at which the violation shows. `tried[k]` counts the successors that were tried in its step k. */
static bool find_path(Retrace *retrace, Distances *distances, size_t *tried, size_t last, Belongs shows) {
    Search *search = retrace->search;
    tried[0] = 0;
    for (;;) {
        size_t at = search->trace_length;
        if (stopping(search)) return false;
        if (at == last + 1 && shows(retrace, &search->trace[last].state)) return true;
        size_t step = at == last + 1 ? 0 : descend(retrace, distances, tried[at]);
        if (step > 0) {
            tried[at] = step;
            tried[at + 1] = 0;
        } else if (at == 0)
            return false;
        else
            search->trace_length--;
    }
}

static bool retrace_run(Retrace *retrace) {
    Search *search = retrace->search;
    bool initial = search->levels == 1;
    size_t last = initial ? 0 : search->levels - 2;
    if (!store_settle(search)) return lacks_memory(search);
    Distances distances = {.wide = last + 1 > NARROW_MAX};
    distances.of = calloc(store_numbers(search), distances.wide ? sizeof(uint32_t) : sizeof(uint16_t));
    size_t *tried = malloc((last + 3) * sizeof *tried);
    if (!distances.of || !tried) lacks_memory(search);
    bool found = distances.of && tried && measure(retrace, &distances, last) &&
                 find_path(retrace, &distances, tried, last, initial ? shows_at_state : shows_at_expansion);
    free(distances.of);
    free(tried);
    return found && (initial || retrace->event == EVENT_DEADLOCK || step_violating(retrace));
}

#endif
