/* Liveness: the lasso of a property, if there is one.
 *
 * `checker/quorate/explore/liveness/__init__.py` says what a lasso is and is the oracle. The lasso found here is the same, because both choose in the
 * same way, from the order of transitions alone:
 *
 *   The stem   is the first shortest path, in the order of a breadth-first search with a queue, on which an obligation begins and
 *              stays pending up to a state of a set in which a fair run can stay (components.h).
 *   The loop   stays in that set. As long as an instance that fairness demands is neither taken nor, for weak fairness, impossible in
 *              some state of the loop, or no accepting state has been visited, it goes the first shortest way to the nearest such event,
 *              and at last back to where it began.
 *
 * Which runs violate a property is data, `model_acceptance`: where an obligation begins, and what a run does from there on.
 *
 *   PROMISE_NEVER   it is fulfilled in no state: the run stays among those that do not fulfil it, and all of them are accepting.
 *   PROMISE_AGAIN   it is unfulfilled again and again: the run goes anywhere, and the states that do not fulfil it are accepting.
 *   PROMISE_ONCE    it is unfulfilled in one state. No loop is needed: the stem to that state is the counterexample.
 *
 * With PROMISE_STEPS a step may fulfil it as well (`model_ends`): one that leads from a state that does not, after which nothing is
 * pending any more. It is asked once for each such step, and a bit says so (components.h).
 *
 * A property that is not violated is judged twice more where a bound cuts something while an obligation is pending. A lasso of the
 * bounded system that is fair there and not in the specification is a run that has to leave the bounds: what it does then is not
 * known (LIVENESS_UNJUDGED). The same is so, for a property of the ends of runs, of a state from which no fair run stays inside.
 *
 * Parents on a path are kept for its search only: 8 bytes a state, 16 for the stem, when a property is violated.
 */
#ifndef QUORATE_LIVENESS_H
#define QUORATE_LIVENESS_H

#include "building.h"
#include "components.h"

enum { LIVENESS_HOLDS, LIVENESS_VIOLATED, LIVENESS_ERROR, LIVENESS_STOPPED, LIVENESS_UNJUDGED };
enum { BEGINS = 1, FULFILLED = 2, RAISES = 4 }; /* what model_promise answers */

#define NO_PARENT 0u
#define FIRST UINT32_MAX

/* A step of the lasso: transition number `edge`, from 0, of those of `source` that change the state. */
typedef struct {
    uint64_t source, edge, target;
} Passage;

typedef struct {
    Graph graph;
    unsigned workers;
    Components components;
    uint64_t raising; /* with LIVENESS_ERROR: the first state in which the property raises */
    Region parents;   /* uint32_t: a parent plus 1, NO_PARENT or FIRST */
    Stack queue;
    Region path; /* Passage */
    uint64_t path_length, stem_length, origin;
    bool forced; /* the path is a run that has to leave the bounds */
    bool once;                         /* the stem leads to an accepting state, and there is no loop */
    uint64_t begun, pending, open;     /* states where an obligation begins, is pending, can leave the bounds while it is */
} Liveness;

static inline uint32_t *parents_of(const Liveness *l) { return (uint32_t *)l->parents.base; }
static inline Passage *path_of(const Liveness *l) { return (Passage *)l->path.base; }

static bool path_push(Liveness *l, uint64_t source, uint64_t edge, uint64_t target) {
    if (!graph_room(&l->graph, &l->path, (l->path_length + 1) * sizeof(Passage))) return false;
    path_of(l)[l->path_length++] = (Passage){source, edge, target};
    return true;
}

/* ---- The stem ---------------------------------------------------------------------------------------------------- */

/* A node of the search for a stem: twice a state, plus 1 where an obligation is pending. */

static bool stem_is_goal(const Liveness *l, uint64_t node) {
    if (l->raising != NOBODY) return node / 2 == l->raising;
    if (l->once) return node % 2 && bit_of(bits_in(&l->components.accepting), node / 2);
    return node % 2 && is_fair_component(&l->components, node / 2);
}

/* Reach a node from another: both without and with an obligation that begins here. Sets `*goal` at the end of the search. False
   without memory. */
static bool stem_reach(Liveness *l, uint64_t state, bool pending, uint32_t parent, uint64_t *goal) {
    const Components *c = &l->components;
    for (unsigned with = pending; with < 2; with++) {
        if (with && bit_of(bits_in(&c->fulfilled), state)) continue;
        if (with && !pending && !bit_of(bits_in(&c->begins), state)) continue;
        uint64_t node = 2 * state + with;
        if (parents_of(l)[node] != NO_PARENT) continue;
        parents_of(l)[node] = parent;
        if (!stack_push(&l->components, &l->queue, node)) return false;
        if (*goal == NOBODY && stem_is_goal(l, node)) *goal = node;
        if (*goal != NOBODY) return true;
    }
    return true;
}

/* The first transition from one state to another, which there is. */
static uint64_t edge_between(const Graph *graph, uint64_t source, uint64_t target) {
    uint64_t edge = 0;
    for (Edges edges = edges_of(graph, source); edge_next(&edges);) {
        if (edges.target == target) return edge;
        edge += edges.target != source;
    }
    return NOBODY;
}

/* Turn the passages from `begin` on around. */
static void reverse_path(Liveness *l, uint64_t begin) {
    for (uint64_t i = begin, k = l->path_length; i + 1 < k; i++) {
        Passage kept = path_of(l)[i];
        path_of(l)[i] = path_of(l)[--k];
        path_of(l)[k] = kept;
    }
}

/* The first shortest path from an initial state to a goal; with `raising` set, to the state that raises. False if the graph was told to
   stop, or there is no path, which only `once` allows. */
static bool find_stem(Liveness *l) {
    Graph *graph = &l->graph;
    size_t bytes = 2 * count_of(graph) * sizeof(uint32_t);
    if (!graph_room(graph, &l->parents, bytes)) return false;
    memset(l->parents.base, 0, bytes);
    uint64_t goal = NOBODY, next = 0;
    l->queue.count = l->path_length = 0;
    for (uint64_t n = 0; goal == NOBODY && n < graph->initial_count; n++)
        if (!stem_reach(l, n, false, FIRST, &goal)) return false;
    while (goal == NOBODY) {
        if (next == l->queue.count || (next % 4096 == 0 && graph_stopping(graph))) return false;
        uint64_t node = items_of(&l->queue)[next++];
        for (Edges edges = edges_of(graph, node / 2); goal == NOBODY && edge_next(&edges);)
            if (edges.target != node / 2 &&
                !stem_reach(l, edges.target, node % 2 && !is_ending(&l->components, &edges), (uint32_t)node + 1, &goal))
                return false;
    }
    for (l->origin = goal / 2; parents_of(l)[goal] != FIRST; l->origin = goal / 2) {
        uint64_t parent = parents_of(l)[goal] - 1;
        if (!path_push(l, parent / 2, edge_between(graph, parent / 2, goal / 2), goal / 2)) return false;
        goal = parent;
    }
    reverse_path(l, 0);
    l->stem_length = l->path_length;
    return true;
}

/* ---- The loop ---------------------------------------------------------------------------------------------------- */

/* What the loop still has to do. The instances are those `wanted` among the demands of the components. */
typedef struct {
    uint64_t instances, weak; /* how many, and how many of them are weakly fair */
    uint64_t home;            /* with nothing else left: the state to come back to */
    uint32_t rank;
    bool visit;               /* an accepting state */
} Wanted;

static inline bool wants_nothing(const Wanted *wanted) { return wanted->instances == 0 && !wanted->visit; }

static void unmark_possible(Components *c, uint64_t state) {
    for (Edges edges = edges_of(c->graph, state); edge_next(&edges);)
        if (edges.instance) demand_of(c, edges.instance)->possible = 0;
}

/* Whether a weakly fair instance that is wanted is not possible in a state. */
static bool loop_disables(Components *c, const Wanted *wanted, uint64_t state) {
    uint64_t possible = 0;
    if (wanted->weak == 0) return false;
    for (Edges edges = edges_of(c->graph, state); edge_next(&edges);) {
        if (!is_demand(c, &edges, state) || fairness_of(c->graph, edges.instance) != WEAK) continue;
        Demand *demand = demand_of(c, edges.instance);
        possible += demand->wanted && !demand->possible;
        demand->possible = 1; /* A mark: counted. */
    }
    unmark_possible(c, state);
    return possible < wanted->weak;
}

/* Whether a transition does something that is wanted. `new`: its target has not been looked at. */
static bool loop_serves(Components *c, const Wanted *wanted, const Edges *edge, bool new) {
    if (wants_nothing(wanted)) return edge->target == wanted->home;
    if (edge->instance && demand_of(c, edge->instance)->wanted) return true;
    if (!new) return false;
    return (wanted->visit && bit_of(bits_in(&c->accepting), edge->target)) || loop_disables(c, wanted, edge->target);
}

/* Walk from `here` the first shortest way inside the component to a transition that does something that is wanted. False if the
   graph was told to stop. */
static bool loop_to_nearest(Liveness *l, uint64_t here, const Wanted *wanted) {
    Components *c = &l->components;
    Graph *graph = &l->graph;
    uint32_t *parents = parents_of(l);
    uint64_t next = 0, length = l->path_length;
    bool found = false;
    l->queue.count = 0;
    parents[here] = FIRST;
    if (!stack_push(c, &l->queue, here)) return false;
    while (!found) {
        if (next % 4096 == 0 && graph_stopping(graph)) return false;
        uint64_t state = items_of(&l->queue)[next++], edge = 0;
        for (Edges edges = edges_of(graph, state); !found && edge_next(&edges);) {
            if (edges.target == state) continue;
            edge++;
            if (ranks_of(c)[edges.target] != wanted->rank || is_ending(c, &edges)) continue;
            bool new = parents[edges.target] == NO_PARENT;
            found = loop_serves(c, wanted, &edges, new);
            if (found && !path_push(l, state, edge - 1, edges.target)) return false;
            if (found || !new) continue;
            parents[edges.target] = (uint32_t)state + 1;
            if (!stack_push(c, &l->queue, edges.target)) return false;
        }
    }
    for (uint64_t state = path_of(l)[length].source; parents[state] != FIRST; state = parents[state] - 1)
        if (!path_push(l, parents[state] - 1, edge_between(graph, parents[state] - 1, state), state)) return false;
    reverse_path(l, length);
    for (uint64_t i = 0; i < l->queue.count; i++) parents[items_of(&l->queue)[i]] = NO_PARENT;
    return true;
}

static void loop_satisfied(Components *c, Wanted *wanted, uint64_t instance) {
    if (!instance || !demand_of(c, instance)->wanted) return;
    demand_of(c, instance)->wanted = false;
    wanted->instances--;
    wanted->weak -= fairness_of(c->graph, instance) == WEAK;
}

/* The number of the fair instance of a passage, or 0. */
static uint64_t instance_taken(const Graph *graph, const Passage *passage) {
    uint64_t edge = 0;
    for (Edges edges = edges_of(graph, passage->source); edge_next(&edges);) {
        if (edges.target != passage->source && edge++ == passage->edge) return edges.instance;
    }
    return 0;
}

/* The last step of the path has done something that was wanted: note what. */
static void loop_settle(Liveness *l, Wanted *wanted) {
    Components *c = &l->components;
    const Passage *last = &path_of(l)[l->path_length - 1];
    loop_satisfied(c, wanted, instance_taken(&l->graph, last));
    if (bit_of(bits_in(&c->accepting), last->target)) wanted->visit = false;
    for (Edges edges = edges_of(&l->graph, last->target); edge_next(&edges);)
        if (is_demand(c, &edges, last->target)) demand_of(c, edges.instance)->possible = 1; /* A mark: still possible here. */
    for (uint64_t i = 0; i < c->touched.count; i++) {
        uint64_t instance = items_of(&c->touched)[i];
        if (fairness_of(&l->graph, instance) == WEAK && !demand_of(c, instance)->possible) loop_satisfied(c, wanted, instance);
    }
    unmark_possible(c, last->target);
}

static bool loop_want(Components *c, Wanted *wanted, uint64_t instance) {
    if (demand_of(c, instance)->wanted) return true;
    demand_of(c, instance)->wanted = true;
    wanted->instances++;
    wanted->weak += fairness_of(c->graph, instance) == WEAK;
    return stack_push(c, &c->touched, instance);
}

/* What fairness demands of a run that stays in the component of `home`: every strongly fair instance that is possible in it, and the
   weakly fair ones that are possible at `home`. */
static bool collect_wanted(Liveness *l, Wanted *wanted) {
    Components *c = &l->components;
    for (uint64_t n = 0; n < count_of(&l->graph); n++) {
        if (ranks_of(c)[n] != wanted->rank) continue;
        for (Edges edges = edges_of(&l->graph, n); edge_next(&edges);)
            if (is_demand(c, &edges, n) && (n == wanted->home || fairness_of(&l->graph, edges.instance) == STRONG) &&
                !loop_want(c, wanted, edges.instance))
                return false;
    }
    return true;
}

/* The loop from the end of the stem. It is empty where a run may stay in that state. */
static bool find_loop(Liveness *l) {
    Components *c = &l->components;
    uint64_t here = l->path_length ? path_of(l)[l->path_length - 1].target : l->origin;
    Wanted wanted = {.home = here, .rank = ranks_of(c)[here], .visit = !bit_of(bits_in(&c->accepting), here)};
    if (!wanted.visit && may_stay(c, here)) return true;
    memset(l->parents.base, 0, count_of(&l->graph) * sizeof(uint32_t));
    bool good = collect_wanted(l, &wanted);
    while (good && (!wants_nothing(&wanted) || here != wanted.home)) {
        good = loop_to_nearest(l, here, &wanted);
        if (good && !wants_nothing(&wanted)) loop_settle(l, &wanted);
        if (good) here = path_of(l)[l->path_length - 1].target;
    }
    forget_demands(c);
    return good;
}

/* ---- A property -------------------------------------------------------------------------------------------------- */

/* Mark the steps that fulfil a property which no state raises in. They are asked last, since a step is evaluated on both of its states. */
static void mark_endings(Liveness *l, unsigned property, const uint64_t *choice) {
    Components *c = &l->components;
    for (uint64_t n = 0, count = count_of(&l->graph); n < count; n++) {
        if (n % 4096 == 0 && graph_stopping(&l->graph)) return;
        if (bit_of(bits_in(&c->fulfilled), n) || !bit_of(bits_in(&c->accepting), n)) continue; /* The state fulfils it. */
        State s = state_of(&l->graph, n);
        for (Edges edges = edges_of(&l->graph, n); edge_next(&edges);) {
            if (edges.target == n) continue;
            State next = state_of(&l->graph, edges.target);
            unsigned answer = model_ends(property, choice, &s, &next);
            if (answer & RAISES) l->raising = n;
            if (answer & FULFILLED) set_bit(bits_in(&c->ending), edge_number(&l->graph, &edges));
        }
    }
}

/* Evaluate a property with given arguments in all states, and of their steps. */
static void promise_evaluate(Liveness *l, unsigned property, const uint64_t *choice) {
    Components *c = &l->components;
    uint64_t count = count_of(&l->graph), bytes = (count / 64 + 1) * sizeof(uint64_t);
    uint64_t *begins = bits_in(&c->begins), *fulfilled = bits_in(&c->fulfilled), *accepting = bits_in(&c->accepting);
    unsigned acceptance = model_acceptance(property);
    bool never = (acceptance & PROMISE_WAY) == PROMISE_NEVER, steps = acceptance & PROMISE_STEPS;
    size_t marks = (l->graph.record_bytes / 64 + 1) * sizeof(uint64_t);
    c->ends = false;
    memset(begins, 0, bytes);
    memset(fulfilled, 0, bytes);
    memset(accepting, 0, bytes);
    l->raising = NOBODY;
    l->begun = l->pending = l->open = 0;
    for (uint64_t n = 0; n < count && l->raising == NOBODY; n++) {
        if (n % 4096 == 0 && graph_stopping(&l->graph)) return;
        State s = state_of(&l->graph, n);
        unsigned answer = model_promise(property, choice, &s);
        bool starts = answer & BEGINS && (n < l->graph.initial_count || !(acceptance & PROMISE_INITIALLY));
        if (answer & RAISES) l->raising = n;
        l->begun += starts;
        if (never && answer & FULFILLED) set_bit(fulfilled, n);
        else if (starts) set_bit(begins, n);
        if (never || !(answer & FULFILLED)) set_bit(accepting, n);
    }
    if (!steps || l->raising != NOBODY || !graph_room(&l->graph, &c->ending, marks)) return;
    memset(bits_in(&c->ending), 0, marks);
    mark_endings(l, property, choice);
    c->ends = l->raising == NOBODY;
}

/* Count the states in which an obligation is pending, and those of them from which a run can leave the bounds while it is. After
   find_components. */
static bool count_pending(Liveness *l) {
    Components *c = &l->components;
    uint64_t count = count_of(&l->graph), *open = bits_in(&c->open);
    memset(open, 0, (count / 64 + 1) * sizeof(uint64_t));
    l->pending = l->open = 0;
    for (uint64_t n = 0; n < count; n++) {
        if (!is_pending(c, n)) continue;
        l->pending++;
        if (bit_of(bits_in(&l->graph.leaving), n)) set_bit(open, n);
    }
    if (l->graph.leaves && !spread_back(c, open)) return false;
    for (uint64_t n = 0; n < count; n++) l->open += bit_of(open, n);
    return true;
}

/* Take everything that is reached as pending, from the initial states on, and find where fair runs can stay. */
static bool find_all_components(Liveness *l) {
    Components *c = &l->components;
    size_t bytes = (count_of(&l->graph) / 64 + 1) * sizeof(uint64_t);
    c->ends = false;
    memset(bits_in(&c->begins), 0, bytes);
    memset(bits_in(&c->fulfilled), 0, bytes);
    memset(bits_in(&c->accepting), 0xFF, bytes);
    for (uint64_t n = 0; n < l->graph.initial_count; n++) set_bit(bits_in(&c->begins), n);
    return find_components(c);
}

/* For a property that says something of the end of runs: whether some state has no fair run that stays inside the bounds. */
static int judge_the_end(Liveness *l) {
    Components *c = &l->components;
    uint64_t count = count_of(&l->graph), *staying = bits_in(&c->open), stays = 0;
    if (!find_all_components(l) || !count_pending(l)) return LIVENESS_STOPPED;
    memset(staying, 0, (count / 64 + 1) * sizeof(uint64_t));
    for (uint64_t n = 0; n < count; n++)
        if (is_fair_component(c, n)) set_bit(staying, n);
    if (!spread_back(c, staying)) return LIVENESS_STOPPED;
    for (uint64_t n = 0; n < count; n++) stays += bit_of(staying, n);
    return stays == count ? LIVENESS_HOLDS : LIVENESS_UNJUDGED;
}

/* What the bounds leave to be said of a property that no fair run inside of them violates. With a lasso of the bounded system, that is
   the path. */
static int judge_within_bounds(Liveness *l, unsigned property) {
    Components *c = &l->components;
    if (!count_pending(l)) return LIVENESS_STOPPED;
    if (l->open > 0) {
        c->bounded = true;
        bool found = find_components(c);
        bool lasso = found && any_component(c);
        found = found && (!lasso || (find_stem(l) && find_loop(l)));
        c->bounded = false;
        l->forced = found && lasso;
        if (!found) return LIVENESS_STOPPED;
        if (lasso) return LIVENESS_UNJUDGED;
    }
    return l->graph.leaves && model_acceptance(property) & PROMISE_ENDLESS ? judge_the_end(l) : LIVENESS_HOLDS;
}

/* ---- What was judged --------------------------------------------------------------------------------------------- */

/* One answer, as it is kept: a row of words, and then the path. */
typedef struct {
    uint64_t property, position, verdict, begun, pending, open, forced, stem_length, path_length, origin;
} Answer;

enum { ANSWER_WORDS = sizeof(Answer) / sizeof(uint64_t), PASSAGE_WORDS = sizeof(Passage) / sizeof(uint64_t) };

static bool answer_note(Liveness *l, Answer answer) {
    Graph *graph = &l->graph;
    uint64_t words = ANSWER_WORDS + PASSAGE_WORDS * answer.path_length;
    if (!graph_room(graph, &graph->answers, (graph->answer_words + words) * sizeof(uint64_t))) return false;
    uint64_t *at = (uint64_t *)graph->answers.base + graph->answer_words;
    memcpy(at, &answer, sizeof answer);
    if (answer.path_length) memcpy(at + ANSWER_WORDS, path_of(l), answer.path_length * sizeof(Passage));
    graph->answer_words += words;
    return true;
}

/* The answer of a property for the arguments at a position; false if there is none. `*path` is where its path is. */
static bool answer_find(const Graph *graph, uint64_t property, uint64_t position, Answer *answer, const uint64_t **path) {
    const uint64_t *at = (const uint64_t *)graph->answers.base, *end = at + graph->answer_words;
    for (; at < end; at = *path + PASSAGE_WORDS * answer->path_length) {
        memcpy(answer, at, sizeof *answer);
        *path = at + ANSWER_WORDS;
        if (answer->property == property && answer->position == position) return true;
    }
    return false;
}

/* ---- What Python calls ------------------------------------------------------------------------------------------- */

typedef struct {
    uint64_t states, expanded, transitions, record_bytes, bytes, instances, stem_length, path_length, stop, error, begun, pending, open, forced,
        saves;
} LivenessReport;

EXPORT void quorate_liveness_close(Liveness *l) {
    if (!l) return;
    Region *all[] = {&l->parents, &l->queue.region, &l->path};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) region_release(all[i]);
    components_release(&l->components);
    graph_release(&l->graph);
    free(l);
}

/* An empty graph, or NULL without memory. */
EXPORT Liveness *quorate_liveness_open(uint64_t memory_limit, uint64_t states_max, uint64_t workers) {
    Liveness *l = zeroed(sizeof *l);
    if (!l) return NULL;
    l->workers = (unsigned)(workers < WORKERS_MAX ? workers : WORKERS_MAX);
    l->graph.budget.limit = memory_limit;
    l->graph.states_max = states_max < GRAPH_STATES_MAX ? states_max : GRAPH_STATES_MAX;
    if (graph_reserve(&l->graph) && components_reserve(&l->components, &l->graph) &&
        region_reserve(&l->parents, memory_limit, ALL_OVER) && region_reserve(&l->queue.region, memory_limit, IN_ORDER) && region_reserve(&l->path, memory_limit, IN_ORDER))
        return l;
    quorate_liveness_close(l);
    return NULL;
}

/* Keep the graph in a file: when it is whole, when something has ended it, and when that is asked for. 0, or 1 without memory. */
EXPORT int quorate_liveness_keep(Liveness *l, const char *path) {
    l->graph.path = strdup(path);
    return l->graph.path == NULL;
}

/* Go on from a file, before anything is built. NULL, or what is wrong with it. */
EXPORT const char *quorate_liveness_resume(Liveness *l, const char *path) { return graph_load(&l->graph, path); }

/* Write the file soon, while the graph is being built. */
EXPORT void quorate_liveness_checkpoint(Liveness *l) { atomic_store(&l->graph.save_due, true); }

/* Write the file now, while nothing is being done. */
EXPORT void quorate_liveness_save(Liveness *l) { graph_save(&l->graph); }

/* Why the file could not be written the last time, or nothing. */
EXPORT const char *quorate_liveness_failure(const Liveness *l) { return l->graph.failure; }

/* Note what was judged last, of the arguments at a position among all, so that the file has it. 0, or 1 without memory. */
EXPORT int quorate_liveness_note(Liveness *l, uint64_t property, uint64_t position, uint64_t verdict) {
    Answer answer = {.property = property, .position = position, .verdict = verdict, .begun = l->begun, .pending = l->pending, .open = l->open,
                     .forced = l->forced, .stem_length = l->stem_length, .path_length = l->forced ? l->path_length : 0, .origin = l->origin};
    return !answer_note(l, answer);
}

/* Take up what was noted, as if it had been judged now. Its verdict, or -1 if nothing was, or without memory. */
EXPORT int quorate_liveness_recall(Liveness *l, uint64_t property, uint64_t position) {
    Answer answer;
    const uint64_t *path;
    if (!answer_find(&l->graph, property, position, &answer, &path)) return -1;
    if (!graph_room(&l->graph, &l->path, answer.path_length * sizeof(Passage))) return -1;
    l->begun = answer.begun;
    l->pending = answer.pending;
    l->open = answer.open;
    l->forced = answer.forced;
    l->stem_length = answer.stem_length;
    l->path_length = answer.path_length;
    l->origin = answer.origin;
    if (l->path_length) memcpy(l->path.base, path, l->path_length * sizeof(Passage));
    return (int)answer.verdict;
}

/* Build the graph. 1 if it is whole. */
EXPORT int quorate_liveness_build(Liveness *l) {
    graph_build(&l->graph, l->workers);
    return !graph_stopping(&l->graph) && !atomic_load(&l->graph.error) && !atomic_load(&l->graph.no_demand) && components_prepare(&l->components);
}

/* Check a property; `choice` has the position of each argument among the values of its type. */
EXPORT int quorate_liveness_check(Liveness *l, uint64_t property, const uint64_t *choice) {
    l->path_length = l->stem_length = 0;
    l->forced = false;
    promise_evaluate(l, (unsigned)property, choice);
    if (l->raising != NOBODY) return find_stem(l) ? LIVENESS_ERROR : LIVENESS_STOPPED;
    if (graph_stopping(&l->graph)) return LIVENESS_STOPPED;
    l->once = (model_acceptance((unsigned)property) & PROMISE_WAY) == PROMISE_ONCE;
    if (l->once) return find_stem(l) ? LIVENESS_VIOLATED : graph_stopping(&l->graph) ? LIVENESS_STOPPED : LIVENESS_HOLDS;
    if (!find_components(&l->components)) return LIVENESS_STOPPED;
    if (!any_component(&l->components)) return judge_within_bounds(l, (unsigned)property);
    return find_stem(l) && find_loop(l) ? LIVENESS_VIOLATED : LIVENESS_STOPPED;
}

/* End whatever is going on soon. */
EXPORT void quorate_liveness_stop(Liveness *l, int reason) { graph_end(&l->graph, reason); }

EXPORT void quorate_liveness_report(Liveness *l, LivenessReport *report) {
    Graph *graph = &l->graph;
    *report = (LivenessReport){
        .states = count_of(graph), .expanded = atomic_load(&graph->expanded), .transitions = atomic_load(&graph->transitions),
        .record_bytes = graph->record_bytes, .bytes = atomic_load(&graph->budget.used), .instances = graph->instances,
        .stem_length = l->stem_length, .path_length = l->path_length, .stop = (uint64_t)atomic_load(&graph->stop),
        .error = atomic_load(&graph->error) ? 1 : atomic_load(&graph->no_demand) ? 2 : 0, .begun = l->begun, .pending = l->pending, .open = l->open, .forced = l->forced,
        .saves = atomic_load(&graph->saves)};
}

/* The component of a state in which fair runs can stay, by number from 0, or UINT64_MAX: of the last property checked. */
EXPORT uint64_t quorate_liveness_component(const Liveness *l, uint64_t state) {
    return is_fair_component(&l->components, state) ? CLOSED - 1 - ranks_of(&l->components)[state] : NOBODY;
}

/* Step i of the lasso: step 0 is the initial state, whose argument is its number among those of model_initial. 0 if there is none. */
EXPORT int quorate_liveness_step(Liveness *l, uint64_t i, uint64_t *args, uint32_t *action) {
    Successors *out = &l->graph.out;
    const Passage *passage = i ? &path_of(l)[i - 1] : NULL;
    State source = state_of(&l->graph, i ? passage->source : l->origin);
    uint64_t left = i ? passage->edge : 0;
    out->count = 0;
    if (i) model_successors(&source, out);
    else model_initial(out);
    for (size_t k = 0; k < out->count; k++) {
        bool counts = same_state(&out->states[k], &source) == (i == 0);
        if (!counts || left-- > 0) continue;
        memcpy(args, out->labels[k].args, sizeof out->labels[k].args);
        *action = out->labels[k].action;
        return 1;
    }
    return 0;
}

#endif
