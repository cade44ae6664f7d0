/* Random runs.
 *
 * Run number r of seed s is a function of (s, r): each run has its own generator. So the runs can be divided among workers or
 * repeated one at a time, and a violation found in run r is found there again.
 *
 * Source of the generator: xoshiro256**, Blackman & Vigna 2021; seeded by splitmix64, as its authors advise.
 */
#ifndef QUORATE_SIMULATE_H
#define QUORATE_SIMULATE_H

#include "path.h"

typedef struct {
    uint64_t s[4];
} Random;

static inline uint64_t rotate_left(uint64_t x, int by) { return x << by | x >> (64 - by); }

static uint64_t random_next(Random *random) {
    uint64_t *s = random->s, result = rotate_left(s[1] * 5, 7) * 9, t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate_left(s[3], 45);
    return result;
}

static Random random_for(uint64_t seed, uint64_t run) {
    Random random;
    uint64_t x = mixed(seed ^ 0x9E3779B97F4A7C15u, 0xD6E8FEB86659FD93u) + run * 0xA0761D6478BD642Fu;
    for (int i = 0; i < 4; i++) {
        x += 0x9E3779B97F4A7C15u;
        uint64_t z = (x ^ x >> 30) * 0xBF58476D1CE4E5B9u;
        z = (z ^ z >> 27) * 0x94D049BB133111EBu;
        random.s[i] = z ^ z >> 31;
    }
    return random;
}

/* A number below `bound`, each as likely as the others up to bound / 2^64. */
static size_t random_below(Random *random, size_t bound) {
    return (size_t)(((unsigned __int128)random_next(random) * bound) >> 64);
}

typedef struct {
    uint64_t seed, first_run, runs, depth_max;
} Plan;

/* What runs did. `event` is NONE, or what ended the last of them, which is run number `last_run` and took `last_steps`. */
typedef struct {
    uint64_t runs, steps, event, last_run, last_steps;
    uint64_t fired[MODEL_ACTIONS];
} Simulated;

/* Random runs by one thread. `stop` is looked at now and then. */
typedef struct {
    const Plan *plan;
    const volatile int *stop;
    Simulated *total;
    Successors initial, out;
    Search *record; /* where the steps of a run are kept, or NULL */
} Walker;

enum { STOP_INTERVAL = 1 << 7 };

/* Take a transition, any as likely as the others. Whether it is a violation by itself or leads to one. */
static bool walk_step(Walker *walker, Random *random, State *now, bool initial) {
    Successors *out = initial ? &walker->initial : &walker->out;
    size_t at = random_below(random, out->count);
    const Label *label = &out->labels[at];
    State next = out->states[at];
    if (walker->record && !trace_push(walker->record, label, &next)) out->exhausted = true;
    if (label->error != NONE) return true;
    if (!initial) {
        walker->total->steps++;
        walker->total->fired[label->action]++;
        if (MODEL_HAS_STEPS && model_step(now, &next) != NONE) return true;
    }
    *now = next;
    return model_invariant_after(now, label->group, NULL) != NONE;
}

/* Walk once. Returns the event that ended the run, or NONE. */
static uint32_t walk(Walker *walker, uint64_t run) {
    Random random = random_for(walker->plan->seed, run);
    Successors *out = &walker->out;
    State now = {{0}};
    if (walk_step(walker, &random, &now, true)) return EVENT_VIOLATION;
    for (uint64_t depth = 0; depth < walker->plan->depth_max; depth++) {
        uint64_t cuts = out->cut_total;
        if (depth % STOP_INTERVAL == STOP_INTERVAL - 1 && *walker->stop) return NONE;
        out->count = 0;
        model_successors(&now, out);
        if (out->count == 0) return MODEL_DEADLOCK && out->cut_total == cuts && !model_terminal(&now) ? EVENT_DEADLOCK : NONE;
        if (walk_step(walker, &random, &now, false)) return EVENT_VIOLATION;
    }
    return NONE;
}

/* Walk the runs of the plan, until one is violated or `*stop` is set. False without memory. */
static bool walk_all(const Plan *plan, Simulated *total, const volatile int *stop, Search *record) {
    Walker walker = {.plan = plan, .stop = stop, .total = total, .record = record};
    memset(total, 0, sizeof *total);
    total->event = NONE;
    model_initial(&walker.initial);
    for (uint64_t run = plan->first_run; run < plan->first_run + plan->runs && !*stop && total->event == NONE; run++) {
        uint64_t before = total->steps;
        total->event = walk(&walker, run);
        total->last_run = run;
        total->last_steps = total->steps - before;
        total->runs++;
    }
    bool good = !walker.out.exhausted && !walker.initial.exhausted;
    successors_free(&walker.initial);
    successors_free(&walker.out);
    return good;
}

#endif
