/* Random runs.
 *
 * Run number r of seed s is a function of (s, r): each run has its own generator. So the runs can be divided among workers or
 * repeated one at a time, and a violation found in run r is found there again.
 *
 * In a swarm (Groce, Zhang, Eide, Chen & Regehr 2012) each run draws how much it likes every action, some of them not at all, and takes no
 * step that changes nothing while there is another: runs that are alike in everything seldom get far where much is possible.
 *
 * A guided run begins where an earlier one found something new, and goes on as one of a swarm (guide.h).
 *
 * What is covered is estimated: distinct states, and distinct steps, which are told apart by their action and by what they change. A
 * register keeps the longest run of zeros that a hash of its kind began with; registers of several workers are joined by the greater
 * (Flajolet, Fusy, Gandouet & Meunier 2007), so the estimate depends on the runs alone.
 */
#ifndef QUORATE_SIMULATE_H
#define QUORATE_SIMULATE_H

#include "guide.h"

typedef struct {
    uint64_t seed, first_run, runs, depth_max, swarm;
} Plan;

enum { REGISTER_BITS = 12, REGISTERS = 1 << REGISTER_BITS, COVERED_STATES = 0, COVERED_STEPS = 1 };

/* What runs did. `event` is NONE, or what ended the last of them, which is run number `last_run`, began with the prefix `last_start`,
   and has `last_steps` with it. */
typedef struct {
    uint64_t runs, steps, event, last_run, last_start, last_steps;
    uint64_t fired[MODEL_ACTIONS];
    uint8_t covered[2][REGISTERS];
} Simulated;

/* Random runs by one thread. `stop` is looked at now and then. */
typedef struct {
    const Plan *plan;
    const volatile int *stop;
    Simulated *total;
    Successors initial, out;
    Search *record; /* where the steps of a run are kept, or NULL */
    uint64_t liking[MODEL_ACTIONS]; /* of this run, in a swarm */
    const Guide *guide;             /* or NULL */
    Finds *finds;                   /* where what is new is kept, or NULL */
    Prefix now;                     /* of this run: where it is */
} Walker;

enum { STOP_INTERVAL = 1 << 7, LIKED = 4 };

static const uint64_t LIKINGS[LIKED] = {0, 1, 4, 16};

static void cover(Simulated *total, unsigned kind, uint64_t hash) {
    uint8_t *known = &total->covered[kind][hash >> (64 - REGISTER_BITS)];
    uint64_t rest = hash << REGISTER_BITS;
    uint8_t zeros = rest ? (uint8_t)(__builtin_clzll(rest) + 1) : 64 - REGISTER_BITS + 1;
    if (*known < zeros) *known = zeros;
}

/* A step by its action and the bits that it changes. */
static uint64_t hash_step(const State *before, const State *after, unsigned action) {
    uint64_t hash = mixed(action + 1, 0x9E3779B97F4A7C15u);
    for (unsigned i = 0; i < MODEL_WORDS; i++) {
        word changed = before->w[i] ^ after->w[i];
        if (changed) hash = mixed(mixed(hash ^ changed, 0xD6E8FEB86659FD93u + i) ^ (after->w[i] & changed), 0xA0761D6478BD642Fu);
    }
    return mixed(hash, 0xE7037ED1A0B428DBu);
}

/* How much a transition is liked: an error always, one that changes nothing not at all, and others by their action, or all `alike`. */
static uint64_t liked(const Walker *walker, const State *now, size_t at, bool alike) {
    const Label *label = &walker->out.labels[at];
    if (label->error != NONE) return 1;
    if (same_state(now, &walker->out.states[at])) return 0;
    return alike ? 1 : walker->liking[label->action];
}

/* One of the transitions, as likely as it is liked; if none is, one that changes something; if none does, any. */
static size_t choose_liked(const Walker *walker, Random *random, const State *now) {
    for (unsigned alike = 0; alike < 2; alike++) {
        uint64_t total = 0;
        size_t at = 0;
        for (size_t i = 0; i < walker->out.count; i++) total += liked(walker, now, i, alike);
        if (total == 0) continue;
        for (uint64_t left = random_below(random, total), like; left >= (like = liked(walker, now, at, alike)); at++) left -= like;
        return at;
    }
    return random_below(random, walker->out.count);
}

/* Take a transition, any as likely as the others, or in a swarm as it is liked. Whether it is a violation by itself or leads to one. */
static bool walk_step(Walker *walker, Random *random, bool initial) {
    State *const now = &walker->now.state, before = *now;
    Successors *out = initial ? &walker->initial : &walker->out;
    size_t at = initial || !walker->plan->swarm ? random_below(random, out->count) : choose_liked(walker, random, now);
    const Label *label = &out->labels[at];
    State next = out->states[at];
    if (walker->record && !trace_push(walker->record, label, &next)) out->exhausted = true;
    if (label->error != NONE) return true;
    *now = next;
    if (!initial) {
        walker->total->steps++;
        walker->total->fired[label->action]++;
        walker->now.steps++;
        walker->now.depth++;
        cover(walker->total, COVERED_STEPS, hash_step(&before, now, label->action));
        if (walker->finds && walker->now.depth < walker->plan->depth_max) guide_note(walker->guide, walker->finds, &before, label, &walker->now);
        if (MODEL_HAS_STEPS && model_step(&before, now) != NONE) return true;
    }
    cover(walker->total, COVERED_STATES, hash_state(now));
    return model_invariant_after(now, label->group, NULL) != NONE;
}

/* Walk once, on from a prefix, or from an initial state if it is NULL, until the run has so many steps in all. Returns the event that ended
   it, or NONE. */
static uint32_t walk(Walker *walker, uint64_t run, const Prefix *from, uint64_t depth_max) {
    Random random = random_for(walker->plan->seed, run);
    Successors *out = &walker->out;
    walker->now = from ? *from : (Prefix){.run = run};
    walker->now.run = run;
    walker->now.steps = 0;
    walker->now.parent = from ? (uint32_t)(from - walker->guide->prefixes.all) + 1 : 0;
    if (walker->plan->swarm)
        for (unsigned i = 0; i < MODEL_ACTIONS; i++) walker->liking[i] = LIKINGS[random_below(&random, LIKED)];
    if (!from && walk_step(walker, &random, true)) return EVENT_VIOLATION;
    for (uint64_t depth = walker->now.depth; depth < depth_max; depth++) {
        uint64_t cuts = out->cut_total;
        if (depth % STOP_INTERVAL == STOP_INTERVAL - 1 && *walker->stop) return NONE;
        out->count = 0;
        model_successors(&walker->now.state, out);
        if (out->count == 0)
            return MODEL_DEADLOCK && out->cut_total == cuts && !model_terminal(&walker->now.state) ? EVENT_DEADLOCK : NONE;
        if (walk_step(walker, &random, false)) return EVENT_VIOLATION;
    }
    return NONE;
}

static bool walked(Walker *walker) {
    bool good = !walker->out.exhausted && !walker->initial.exhausted;
    successors_free(&walker->initial);
    successors_free(&walker->out);
    return good;
}

/* Walk the runs of the plan, with or without a guide, until one is violated or `*stop` is set. False without memory. */
static bool walk_all(const Plan *plan, const Guide *guide, Finds *finds, Simulated *total, const volatile int *stop) {
    Walker walker = {.plan = plan, .stop = stop, .total = total, .guide = guide, .finds = finds};
    memset(total, 0, sizeof *total);
    total->event = NONE;
    model_initial(&walker.initial);
    for (uint64_t run = plan->first_run; run < plan->first_run + plan->runs && !*stop && total->event == NONE; run++) {
        uint64_t start = guide ? guide_choose(guide, plan->seed, run) : 0;
        total->event = walk(&walker, run, start ? &guide->prefixes.all[start - 1] : NULL, plan->depth_max);
        if (finds) finds->starts[total->runs] = (uint32_t)start;
        total->last_run = run;
        total->last_start = start;
        total->last_steps = walker.now.depth;
        total->runs++;
    }
    if (finds) finds->runs = total->runs;
    return walked(&walker) && !(finds && finds->exhausted);
}

/* Walk to a prefix: the runs that led to it. */
static void walk_to(Walker *walker, uint64_t number) {
    if (number == 0) return;
    const Prefix *one = &walker->guide->prefixes.all[number - 1];
    walk_to(walker, one->parent);
    walk(walker, one->run, one->parent ? &walker->guide->prefixes.all[one->parent - 1] : NULL, one->depth);
}

/* Walk one run again, which began with the prefix `start`, and the way to that; at most `plan->depth_max` steps in all. False without memory. */
static bool rerun(const Plan *plan, const Guide *guide, uint64_t start, Search *record) {
    static const volatile int go_on = 0;
    Simulated total;
    Walker walker = {.plan = plan, .stop = &go_on, .total = &total, .record = record, .guide = guide};
    memset(&total, 0, sizeof total);
    model_initial(&walker.initial);
    walk_to(&walker, start);
    walk(&walker, plan->first_run, start ? &guide->prefixes.all[start - 1] : NULL, plan->depth_max);
    return walked(&walker);
}

#endif
