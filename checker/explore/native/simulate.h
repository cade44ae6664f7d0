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
    uint64_t runs, steps, stuck, reached, event, violating_run;
    uint64_t cuts[MODEL_BOUNDS], fired[MODEL_ACTIONS];
} Simulated;

/* Whether the transition `i` of `out` is a violation by itself. */
static bool violates_on_the_way(const State *from, const Successors *out, size_t i, bool initial) {
    return out->labels[i].error != NONE || (MODEL_HAS_STEPS && !initial && model_step(from, &out->states[i]) != NONE);
}

/* The transition to take: the first that is a violation by itself, else any. */
static size_t choose(const State *from, const Successors *out, bool initial, Random *random, bool *violated) {
    for (size_t i = 0; i < out->count; i++)
        if (violates_on_the_way(from, out, i, initial)) {
            *violated = true;
            return i;
        }
    return random_below(random, out->count);
}

/* Walk once, into `record` unless it is NULL. Returns the event that ended the run, or NONE. */
static uint32_t simulate_run(const Plan *plan, uint64_t run, Successors *out, Simulated *total, Search *record) {
    Random random = random_for(plan->seed, run);
    State now = {{0}};
    for (uint64_t depth = 0;; depth++) {
        uint64_t cuts = out->cut_total;
        bool initial = depth == 0, violated = false;
        out->count = 0;
        if (initial) model_initial(out);
        else model_successors(&now, out);
        if (out->count == 0) {
            total->stuck++;
            return MODEL_DEADLOCK && !initial && out->cut_total == cuts && !model_terminal(&now) ? EVENT_DEADLOCK : NONE;
        }
        size_t at = choose(&now, out, initial, &random, &violated);
        if (record && !trace_push(record, &out->labels[at], &out->states[at])) return NONE;
        if (violated) return EVENT_VIOLATION;
        now = out->states[at];
        total->steps += !initial;
        if (!initial) total->fired[out->labels[at].action]++;
        total->reached |= model_reached(&now, total->reached);
        if (model_invariant(&now) != NONE) return EVENT_VIOLATION;
        if (depth == plan->depth_max) return NONE;
    }
}

#endif
