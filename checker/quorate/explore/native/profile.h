/* What makes the states: by which action each is first met, and how many values a part of the state has.
 *
 * Asked of a search that is done, of the states that it has kept; the search itself knows nothing of it and pays nothing. The levels say
 * which states are first met after how many steps. A state counts for one action: of all transitions that lead to it from the level before,
 * the one whose action is declared first. So the counts do not depend on which worker was there first.
 *
 * Values are told apart by their fingerprints (fingerprint.h).
 */
#ifndef QUORATE_PROFILE_H
#define QUORATE_PROFILE_H

#include "search.h"

/* The states first met at a depth, also those of a level that was not finished. */
static Frontier found_at(const Search *search, size_t level) {
    if (level < search->levels) return level_of(search, level);
    Frontier found = {.total = 0};
    for (unsigned i = 0; i < search->arena_count; i++) {
        found.begin[i] = search->ends[(search->levels - 1) * WORKERS_MAX + i];
        found.end[i] = search->table.arenas[i].count;
        found.total += found.end[i] - found.begin[i];
    }
    return found;
}

/* The states of a level, and by which action each is met first. A slot has the number of a state plus one. */
typedef struct {
    const State **states;
    uint16_t *actions;
    uint64_t *slots, count, capacity;
} Met;

static void met_free(Met *met) {
    free(met->states);
    free(met->actions);
    free(met->slots);
}

static uint64_t *met_slot(const Met *met, const State *s) {
    uint64_t at = fingerprint_of(s) % met->capacity;
    while (met->slots[at] && !same_state(met->states[met->slots[at] - 1], s)) at = at + 1 == met->capacity ? 0 : at + 1;
    return &met->slots[at];
}

static bool met_open(Met *met, const Search *search, const Frontier *level) {
    met->capacity = 2 * level->total + 1;
    met->states = malloc((level->total + 1) * sizeof *met->states);
    met->actions = malloc((level->total + 1) * sizeof *met->actions);
    met->slots = calloc(met->capacity, sizeof *met->slots);
    if (!met->states || !met->actions || !met->slots) return false;
    for (unsigned arena = 0; arena < search->arena_count; arena++) {
        for (uint64_t i = level->begin[arena]; i < level->end[arena]; i++) {
            const State *state = &arena_states(&search->table.arenas[arena])[i];
            uint64_t *slot = met_slot(met, state);
            met->states[met->count] = state;
            met->actions[met->count] = MODEL_ACTIONS;
            *slot = ++met->count;
        }
    }
    return true;
}

/* Add to `by_action` the states of the level after this one. 0, or 1 without memory. Any number of threads may do so at a time. */
EXPORT int quorate_new_states(const Search *search, uint64_t level, uint64_t *by_action) {
    Frontier from = found_at(search, level), next = found_at(search, level + 1);
    Met met = {0};
    Successors out = {0};
    bool good = met_open(&met, search, &next);
    for (unsigned arena = 0; good && arena < search->arena_count; arena++) {
        for (uint64_t i = from.begin[arena]; i < from.end[arena]; i++) {
            out.count = 0;
            model_successors(&arena_states(&search->table.arenas[arena])[i], &out);
            for (size_t k = 0; k < out.count; k++) {
                if (out.labels[k].error != NONE) continue;
                State state = MODEL_SYMMETRY ? model_canonical(out.states[k], NULL) : out.states[k];
                uint64_t number = *met_slot(&met, &state);
                if (number && out.labels[k].action < met.actions[number - 1]) met.actions[number - 1] = out.labels[k].action;
            }
        }
    }
    for (uint64_t n = 0; good && n < met.count; n++)
        if (met.actions[n] < MODEL_ACTIONS) by_action[met.actions[n]]++;
    good = good && !out.exhausted;
    met_free(&met);
    successors_free(&out);
    return !good;
}

/* A set of fingerprints, none of which is 0. */
typedef struct {
    uint64_t *slots, count, capacity;
} Distinct;

static void distinct_put(Distinct *set, uint64_t fingerprint) {
    uint64_t at = home_among(fingerprint, set->capacity);
    while (set->slots[at] && set->slots[at] != fingerprint) at = at + 1 == set->capacity ? 0 : at + 1;
    set->count += set->slots[at] == 0;
    set->slots[at] = fingerprint;
}

static bool distinct_room(Distinct *set) {
    if (2 * set->count < set->capacity) return true;
    Distinct larger = {.capacity = set->capacity ? 4 * set->capacity : 1024};
    larger.slots = calloc(larger.capacity, sizeof *larger.slots);
    if (!larger.slots) return false;
    for (uint64_t i = 0; i < set->capacity; i++)
        if (set->slots[i]) distinct_put(&larger, set->slots[i]);
    free(set->slots);
    *set = larger;
    return true;
}

/* How many values `bits` bits of the states, from bit `at` on, have; with `others`, how many all other bits have. 0 without memory. */
EXPORT uint64_t quorate_distinct(const Search *search, uint64_t at, uint64_t bits, int others) {
    word mask[MODEL_WORDS] = {0};
    for (uint64_t bit = at; bit < at + bits; bit++) mask[bit / 64] |= (word)1 << bit % 64;
    Distinct set = {0};
    bool good = true;
    for (unsigned arena = 0; arena < search->arena_count; arena++) {
        for (uint64_t i = 0; good && i < search->table.arenas[arena].count; i++) {
            State state = arena_states(&search->table.arenas[arena])[i];
            for (int k = 0; k < MODEL_WORDS; k++) state.w[k] &= others ? ~mask[k] : mask[k];
            good = distinct_room(&set);
            if (good) distinct_put(&set, fingerprint_of(&state));
        }
    }
    free(set.slots);
    return good ? set.count : 0;
}

#endif
