/* What random runs are guided by.
 *
 * A *pair* is an action, with its arguments, and what it read: the places that its footprint has in the state before (`reading.py`), and of
 * networks the messages that it asks for. A step that makes a pair which no step made before has got to where something new can happen, so
 * the state after it is kept, as a *prefix*, and later runs begin there: as fuzzers mutate the inputs that ran new code (AFL, Zalewski 2014;
 * libFuzzer), but as in Go-Explore (Ecoffet, Huizinga, Lehman, Stanley & Clune 2021) one goes back to the state itself instead of
 * doing all steps again. Of the prefixes one is drawn with a weight that falls with the number of runs that have begun with it, which is the
 * oldest of the power schedules of AFLFast (Böhme, Pham & Roychoudhury 2016) and of Go-Explore's weights. Every second run begins in an
 * initial state all the same: where what is new does not lead to what is looked for, little is lost.
 *
 * What is guided depends on the seed alone. Runs are made in epochs. Run number r of seed s is a function of (s, r) and of the guide as it was
 * when its epoch began, which is not changed before all runs of the epoch are made; what they found is then added in the order of their
 * numbers. So neither the number of workers nor the way in which they share an epoch makes a difference.
 *
 * Steps are not kept. A prefix knows the run that led to it, how many steps of it, and the prefix with which that run began: walked again, one
 * after the other, these runs are the way to it from an initial state (`rerun` in simulate.h).
 *
 * Pairs are told apart by 64 bits: one that is taken for another is not explored further, which a search that proves nothing may do.
 */
#ifndef QUORATE_GUIDE_H
#define QUORATE_GUIDE_H

#include "random.h"

/* A state that some run came to: after `steps` steps of the run `run`, which began with the prefix `parent`, counted from 1, or with 0 in an
   initial state. `depth` counts all steps, and `chosen` the runs that began here. */
typedef struct {
    State state;
    uint64_t run, hash;
    uint32_t parent, steps, depth, chosen;
    uint16_t action;
} Prefix;

/* `hash` is 0 where there is none. */
typedef struct {
    uint64_t hash, run;
    uint16_t action;
} Pair;

typedef struct {
    Pair *slots; /* 2^bits; at most half of them are taken */
    unsigned bits;
    size_t count;
} Pairs;

typedef struct {
    Prefix *all;
    size_t count, room;
} Prefixes;

typedef struct {
    Pairs pairs;
    Prefixes prefixes;
    uint64_t *weights; /* of each prefix with all before it */
    bool full;
} Guide;

/* What some runs found, one after the other: new pairs, and the prefix with which each run began. */
typedef struct {
    Pairs pairs;
    Prefixes prefixes;
    uint32_t *starts;
    uint64_t runs;
    bool exhausted;
} Finds;

#if MODEL_GUIDED

enum {
    PAIRS_FIRST = 10, /* a table begins with 2^10 places */
    PAIRS_MAX = 1 << 21,
    PREFIX_BYTES_MAX = 256 << 20,
    AFRESH = 2,       /* one run in so many begins in an initial state */
    WEIGHT = 1 << 20
};

/* An action with its arguments, and what it reads in a state. */
static uint64_t model_reads(const State *from, const Label *label);

static Pair *pairs_find(const Pairs *pairs, uint64_t hash) {
    size_t mask = ((size_t)1 << pairs->bits) - 1, i = hash & mask;
    while (pairs->slots[i].hash && pairs->slots[i].hash != hash) i = (i + 1) & mask;
    return &pairs->slots[i];
}

static bool pairs_open(Pairs *pairs, unsigned bits) {
    *pairs = (Pairs){.slots = calloc((size_t)1 << bits, sizeof(Pair)), .bits = bits};
    return pairs->slots != NULL;
}

/* Add one that is not there. */
static bool pairs_add(Pairs *pairs, const Pair *pair) {
    if (2 * (pairs->count + 1) > (size_t)1 << pairs->bits) {
        Pairs more;
        if (!pairs_open(&more, pairs->bits + 1)) return false;
        for (size_t i = 0; i < (size_t)1 << pairs->bits; i++)
            if (pairs->slots[i].hash) *pairs_find(&more, pairs->slots[i].hash) = pairs->slots[i];
        more.count = pairs->count;
        free(pairs->slots);
        *pairs = more;
    }
    *pairs_find(pairs, pair->hash) = *pair;
    pairs->count++;
    return true;
}

static bool prefixes_push(Prefixes *prefixes, const Prefix *one) {
    if (prefixes->count == prefixes->room) {
        size_t room = prefixes->room ? 2 * prefixes->room : 64;
        Prefix *all = realloc(prefixes->all, room * sizeof *all);
        if (!all) return false;
        prefixes->all = all;
        prefixes->room = room;
    }
    prefixes->all[prefixes->count++] = *one;
    return true;
}

static void finds_close(Finds *finds) {
    if (!finds) return;
    free(finds->pairs.slots);
    free(finds->prefixes.all);
    free(finds->starts);
    free(finds);
}

static Finds *finds_open(uint64_t runs) {
    Finds *finds = calloc(1, sizeof *finds);
    if (finds && pairs_open(&finds->pairs, PAIRS_FIRST) && (finds->starts = calloc(runs, sizeof *finds->starts))) return finds;
    finds_close(finds);
    return NULL;
}

/* The number of the prefix with which a run begins, counted from 1, or 0. It has its own random numbers, so that the steps of the run
   can be taken again without it. */
static uint32_t guide_choose(const Guide *guide, uint64_t seed, uint64_t run) {
    Random random = random_for(~seed, run);
    size_t low = 0, high = guide->prefixes.count;
    if (high == 0 || random_below(&random, AFRESH) == 0) return 0;
    uint64_t drawn = random_below(&random, guide->weights[high - 1]);
    while (high - low > 1) { /* The weights before `low` are at most what was drawn; those before `high` are more. */
        size_t middle = (low + high) / 2;
        if (guide->weights[middle - 1] <= drawn)
            low = middle;
        else
            high = middle;
    }
    return (uint32_t)low + 1;
}

/* A step was taken: what it found is kept, if it is new. */
static void guide_note(const Guide *guide, Finds *finds, const State *from, const Label *label, Prefix *now) {
    if (same_state(from, &now->state)) return;
    Pair pair = {model_reads(from, label), now->run, label->action};
    if (pairs_find(&guide->pairs, pair.hash)->hash || pairs_find(&finds->pairs, pair.hash)->hash) return;
    now->hash = pair.hash;
    now->action = label->action;
    if (!pairs_add(&finds->pairs, &pair) || !prefixes_push(&finds->prefixes, now)) finds->exhausted = true;
}

/* Add what runs have found. False without memory. */
static bool guide_learn(Guide *guide, const Finds *finds) {
    for (uint64_t i = 0; i < finds->runs; i++)
        if (finds->starts[i]) guide->prefixes.all[finds->starts[i] - 1].chosen++;
    for (size_t i = 0; i < finds->prefixes.count; i++) {
        const Prefix *one = &finds->prefixes.all[i];
        if (pairs_find(&guide->pairs, one->hash)->hash) continue;
        guide->full |= guide->pairs.count >= PAIRS_MAX || guide->prefixes.count >= PREFIX_BYTES_MAX / sizeof(Prefix);
        if (guide->full) break;
        if (!pairs_add(&guide->pairs, &(Pair){one->hash, one->run, one->action}) || !prefixes_push(&guide->prefixes, one)) return false;
    }
    return true;
}

/* An epoch has ended: weigh the prefixes. False without memory. */
static bool guide_weigh(Guide *guide) {
    uint64_t *weights = realloc(guide->weights, (guide->prefixes.count + 1) * sizeof *weights), total = 0;
    if (!weights) return false;
    for (size_t i = 0; i < guide->prefixes.count; i++) weights[i] = total += WEIGHT / (1 + guide->prefixes.all[i].chosen) + 1;
    guide->weights = weights;
    return true;
}

#else

static inline uint32_t guide_choose(const Guide *guide, uint64_t seed, uint64_t run) { return (void)guide, (void)seed, (void)run, 0; }
static inline void guide_note(const Guide *guide, Finds *finds, const State *from, const Label *label, Prefix *now) {
    (void)guide, (void)finds, (void)from, (void)label, (void)now;
}

#endif
#endif
