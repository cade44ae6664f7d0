/* Random runs.
 *
 * Run number r of seed s is a function of (s, r): each run has its own generator. So the runs can be divided among workers or
 * repeated one at a time, and a violation found in run r is found there again.
 *
 * Source of the generator: xoshiro256**, Blackman & Vigna 2021; seeded by splitmix64, as its authors advise.
 */
#ifndef QUORATE_SIMULATE_H
#define QUORATE_SIMULATE_H

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

typedef struct {
    uint64_t runs, steps, deadlocked, reached, event, violating_run, violating_length;
    uint64_t cuts[MODEL_BOUNDS], fired[MODEL_ACTIONS];
} Simulated;

/* The first attempt among the successors that is a violation, as an event; `at` is its position. */
static uint32_t violation_among(const State *from, const Successors *out, size_t *at) {
    for (*at = 0; *at < out->count; ++*at) {
        if (out->labels[*at].error != NONE) return EVENT_ERROR;
        if (MODEL_HAS_STEPS) {
            uint32_t violated = model_step(from, &out->states[*at]);
            if (violated != NONE) return EVENT_PROPERTY + violated;
        }
    }
    return NONE;
}

/* Walk once; every step is handed to `visit` (which may be NULL). Returns the event that ended the run, or NONE. */
static uint32_t simulate_run(const Plan *plan, uint64_t run, Successors *out, Simulated *total, Search *record) {
    Random random = random_for(plan->seed, run);
    out->count = 0;
    model_initial(out);
    State now = {{0}};
    for (uint64_t depth = 0;; depth++) {
        size_t at;
        uint32_t event = violation_among(&now, out, &at);
        if (depth == 0 && event != EVENT_ERROR) event = NONE;
        if (out->count == 0) {
            total->deadlocked++;
            return MODEL_DEADLOCK && depth > 0 && out->cut_total == 0 && !model_terminal(&now) ? EVENT_DEADLOCK : NONE;
        }
        if (event == NONE) at = random_below(&random, out->count);
        if (record && !trace_push(record, &out->labels[at], &out->states[at])) return NONE;
        if (event != NONE) return event;
        now = out->states[at];
        total->steps += depth > 0;
        if (depth > 0) total->fired[out->labels[at].action]++;
        uint32_t violated = model_invariant(&now);
        total->reached |= model_reached(&now);
        if (violated != NONE) return EVENT_PROPERTY + violated;
        if (depth == plan->depth_max) return NONE;
        out->count = 0;
        out->cut_total = 0;
        model_successors(&now, out);
    }
}

#endif
