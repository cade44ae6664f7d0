/* The counterexample, computed after the search.
 *
 * The search keeps no parents. What it keeps is the levels, and they suffice. Let the violation lie d levels deep. Going backward
 * from there, M(k) is the set of states of level k that have a successor in M(k+1); M(d) are the states of level d at
 * which the violation shows. Every path of d steps from an initial state to the violation runs through M(0), ..., M(d), and
 * every state in M(k) is on one.
 *
 * Going forward, the path takes the first initial state in M(0) and then from each state the first successor, in order of action
 * and arguments, that is in the next M. That is the path a sequential search with a queue would have found: by induction its
 * state in M(k) is the one that such a search generates first. It does not depend on how the workers divided the search.
 *
 * Under symmetry the stored states are representatives. The path is a real run: it continues with the successor itself, not with
 * its representative, and looks the representative up.
 *
 * Cost: every level is expanded once more without inserting anything, and two bits a state.
 */
#ifndef QUORATE_TRACE_H
#define QUORATE_TRACE_H

#include "path.h"

static bool leads_to_target(Retrace *retrace, const State *s) {
    enum { MANY = 64 };
    const Table *table = &retrace->search->table;
    Successors *out = &retrace->out;
    out->count = 0;
    model_successors(s, out);
    for (size_t begin = 0; begin < out->count; begin += MANY) {
        size_t end = begin + MANY < out->count ? begin + MANY : out->count;
        uint64_t hashes[MANY];
        for (size_t i = begin; i < end; i++) {
            out->states[i] = out->labels[i].error == NONE ? representative(out->states[i]) : *s;
            hashes[i - begin] = hash_state(&out->states[i]);
            prefetch_home(table, hashes[i - begin]);
        }
        for (size_t i = begin; i < end; i++) {
            if (out->labels[i].error != NONE) continue;
            uint64_t slot = table_find(table, &out->states[i], hashes[i - begin]);
            if (slot < table->capacity && bit_of(retrace->target, slot)) return true;
        }
    }
    return false;
}

/* Compute M(level), and make it the target. False if nothing belongs, or the search was stopped. */
static bool mark_level(Retrace *retrace, size_t level, Belongs belongs) {
    Search *search = retrace->search;
    const Table *table = &search->table;
    Frontier states = level_of(search, level);
    bool any = false;
    for (unsigned arena = 0; arena < search->arena_count; arena++)
        for (uint64_t i = states.begin[arena]; i < states.end[arena]; i++) {
            if (stopping(search)) return false;
            if (!belongs(retrace, &arena_states(&table->arenas[arena])[i])) continue;
            set_bit(retrace->member, retrace->bases[arena] + i);
            any = true;
        }
    memset(retrace->target, 0, (table->capacity / 64 + 1) * sizeof(uint64_t));
    for (unsigned arena = 0; arena < search->arena_count; arena++)
        for (uint64_t i = states.begin[arena]; i < states.end[arena]; i++)
            if (bit_of(retrace->member, retrace->bases[arena] + i)) {
                const State *s = &arena_states(&table->arenas[arena])[i];
                set_bit(retrace->target, table_find(table, s, hash_state(s)));
            }
    return any;
}

/* Whether a state of a level is marked. */
static bool is_member(const Retrace *retrace, const void *level, const State *wanted) {
    const Search *search = retrace->search;
    const Frontier *states = level;
    for (unsigned arena = 0; arena < search->arena_count; arena++)
        for (uint64_t i = states->begin[arena]; i < states->end[arena]; i++)
            if (bit_of(retrace->member, retrace->bases[arena] + i) &&
                same_state(&arena_states(&search->table.arenas[arena])[i], wanted))
                return true;
    return false;
}

static bool retrace_path(Retrace *retrace) {
    Search *search = retrace->search;
    bool initial = search->levels == 1; /* An initial state breaks an invariant. */
    size_t last = initial ? 0 : search->levels - 2;
    if (!mark_level(retrace, last, initial ? shows_at_state : shows_at_expansion)) return false;
    for (size_t level = last; level-- > 0;)
        if (!mark_level(retrace, level, leads_to_target)) return false;
    for (size_t level = 0; level <= last; level++) {
        Frontier states = level_of(search, level);
        if (!step_forward(retrace, is_member, &states)) return false;
    }
    return initial || retrace->event == EVENT_DEADLOCK || step_violating(retrace);
}

static bool retrace_run(Retrace *retrace) {
    const Search *search = retrace->search;
    uint64_t bits = 0;
    retrace->bases = calloc(search->arena_count, sizeof(uint64_t));
    for (unsigned i = 0; retrace->bases && i < search->arena_count; i++) {
        retrace->bases[i] = bits;
        bits += search->table.arenas[i].count;
    }
    retrace->member = calloc(bits / 64 + 1, sizeof(uint64_t));
    retrace->target = calloc(search->table.capacity / 64 + 1, sizeof(uint64_t));
    if (!retrace->bases || !retrace->member || !retrace->target) lacks_memory(retrace->search);
    bool found = retrace->bases && retrace->member && retrace->target && retrace_path(retrace);
    free(retrace->bases);
    free(retrace->member);
    free(retrace->target);
    return found;
}

#endif
