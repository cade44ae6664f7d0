/* The sets of states that a fair run can visit for ever while an obligation is pending.
 *
 * They are strongly connected within the states that an obligation reaches without being fulfilled. Components are found by
 * Tarjan's algorithm in the form of Pearce 2016 ("A space-efficient algorithm for finding strongly connected components", section 3),
 * which needs one number for each state, with a stack of its own instead of recursion. The search begins at the states in which an
 * obligation begins and stays among those that do not fulfil it, so it visits exactly the states of interest.
 *
 * The number of a state, its `rank`, says what is known of it:
 *
 *     0                    not visited yet
 *     up to the visited    on the way: its place in the order of visits, or the least one that it is known to reach
 *     CLOSED               outside: fulfils the obligation, or no fair run stays in its component
 *     above the visited    the number of a fair component, from CLOSED - 1 downwards
 *
 * So "smaller" means "still open", and states outside need no test of their own. A finished component is judged at once. An
 * instance of weak fairness that is possible in all of its states and taken by no transition inside rules it out; one of
 * strong fairness that is possible somewhere and taken nowhere leaves only the states where it is not possible, and these are
 * decomposed again (Emerson & Lei 1987). A run may stay in one state for ever, so a single state is a component too. A component
 * without a state that is `accepting` is no use: a run has to visit one again and again.
 *
 * A fair instance that a bound cuts is possible and never taken. With `bounded` it is not possible instead: the components are then
 * those of the bounded system, which has no transition there.
 *
 * A transition may end the obligation (`ending`): it is pending no more in the state that it leads to, so that such a transition is none of the
 * region, and takes nothing inside of a component, though what it serves is possible where it begins.
 *
 * Cost: time linear in the transitions, once for each time that strong fairness splits what is left; 4 bytes a state, and
 * the stacks, at most 20 bytes a state on the longest way through the graph.
 */
#ifndef QUORATE_COMPONENTS_H
#define QUORATE_COMPONENTS_H

#define CLOSED UINT32_MAX
#define IS_ROOT ((uint32_t)1 << 31)
enum { WEAK = 1, STRONG = 2 };

/* A state whose transitions are being followed: how far in its record, and the target there. The highest bit of `state` is IS_ROOT as
   long as it reaches nothing that was visited before it. */
typedef struct {
    uint32_t state, offset, target;
} Frame;

/* What a component does with an instance. */
typedef struct {
    uint32_t possible; /* in how many of its states */
    uint32_t seen;     /* 1 plus the last of them */
    bool taken, wanted;
} Demand;

/* A stack of numbers that grows within the budget. */
typedef struct {
    Region region;
    uint64_t count;
} Stack;

typedef struct {
    Graph *graph;
    Region ranks;                     /* uint32_t for each state */
    Region begins, fulfilled, accepting; /* one bit for each state */
    Region open;                         /* the same: where spread_back works */
    Region ending;                       /* one bit for each edge_number: transitions that end an obligation */
    Region frames;
    Stack unjudged, rest, touched;
    Region demands; /* Demand for each fair instance; zero between uses */
    uint64_t depth;
    uint32_t visited, next_component;
    bool ends;    /* whether there are such transitions */
    bool bounded; /* whether a fair instance that a bound cuts is not possible */
} Components;

static inline uint32_t *ranks_of(const Components *c) { return (uint32_t *)c->ranks.base; }
static inline uint64_t *bits_in(const Region *region) { return (uint64_t *)region->base; }
static inline Demand *demand_of(const Components *c, uint64_t instance) { return (Demand *)c->demands.base + instance; }
static inline uint32_t *items_of(const Stack *stack) { return (uint32_t *)stack->region.base; }
static inline bool is_fair_component(const Components *c, uint64_t state) {
    return ranks_of(c)[state] > c->next_component && ranks_of(c)[state] != CLOSED;
}

static inline bool is_pending(const Components *c, uint64_t state) {
    return ranks_of(c)[state] != 0 && !bit_of(bits_in(&c->fulfilled), state);
}

static inline bool stack_push(Components *c, Stack *stack, uint64_t item) {
    if (UNLIKELY(!graph_room(c->graph, &stack->region, (stack->count + 1) * sizeof(uint32_t)))) return false;
    items_of(stack)[stack->count++] = (uint32_t)item;
    return true;
}

/* Whether a transition of a state is, or a cut counts as, a fair instance that is possible there. */
static inline bool is_demand(const Components *c, const Edges *edges, uint64_t state) {
    return edges->instance && !(c->bounded && edges->target == state);
}

/* Whether an obligation that was pending is not any more after the transition that edge_next has given last. */
static inline bool is_ending(const Components *c, const Edges *edges) {
    return UNLIKELY(c->ends) && bit_of(bits_in(&c->ending), edge_number(c->graph, edges));
}

/* Whether a run may stay in a state for ever. */
static bool may_stay(const Components *c, uint64_t state) {
    if (bit_of(bits_in(&c->graph->staying), state)) return true;
    if (!c->bounded) return false;
    for (Edges edges = edges_of(c->graph, state); edge_next(&edges);)
        if (is_demand(c, &edges, state)) return false;
    return true;
}

/* ---- Judging a component ------------------------------------------------------------------------------------------ */

static inline Demand *demand_touch(Components *c, uint64_t instance) {
    Demand *demand = demand_of(c, instance);
    if (demand->possible == 0 && !demand->taken && !stack_push(c, &c->touched, instance)) return NULL;
    return demand;
}

/* What the states of a component, all of one rank, do with every fair instance that is possible there. */
static bool count_demands(Components *c, const uint32_t *states, uint64_t size) {
    const uint32_t *ranks = ranks_of(c);
    uint32_t rank = ranks[states[0]];
    for (uint64_t i = 0; i < size; i++) {
        if (bit_of(bits_in(&c->graph->staying), states[i])) continue;
        for (Edges edges = edges_of(c->graph, states[i]); edge_next(&edges);) {
            if (!is_demand(c, &edges, states[i])) continue;
            Demand *demand = demand_touch(c, edges.instance);
            if (!demand) return false;
            demand->possible += demand->seen != i + 1; /* Several transitions of a state may serve one demand. */
            demand->seen = (uint32_t)i + 1;
            demand->taken |= edges.target != states[i] && ranks[edges.target] == rank && !is_ending(c, &edges);
        }
    }
    return true;
}

/* Keep the states of a component in which no instance that is `wanted` is possible, to be decomposed again. */
static bool keep_rest(Components *c, const uint32_t *states, uint64_t size) {
    uint64_t before = c->rest.count;
    if (!stack_push(c, &c->rest, 0)) return false;
    for (uint64_t i = 0; i < size; i++) {
        bool kept = true;
        for (Edges edges = edges_of(c->graph, states[i]); kept && edge_next(&edges);)
            kept = !is_demand(c, &edges, states[i]) || !demand_of(c, edges.instance)->wanted;
        if (kept && !stack_push(c, &c->rest, states[i])) return false;
    }
    items_of(&c->rest)[before] = (uint32_t)(c->rest.count - before - 1);
    return true;
}

/* Whether instances rule a component out: 0, WEAK, or STRONG, which leaves some of its states to look at. */
static unsigned ruled_out(Components *c, uint64_t size) {
    unsigned found = 0;
    for (uint64_t i = 0; i < c->touched.count; i++) {
        uint64_t instance = items_of(&c->touched)[i];
        Demand *demand = demand_of(c, instance);
        unsigned fairness = fairness_of(c->graph, instance);
        if (demand->taken || (fairness == WEAK && demand->possible < size)) continue;
        demand->wanted = fairness == STRONG;
        found |= fairness;
    }
    return found & WEAK ? WEAK : found;
}

static void forget_demands(Components *c) {
    for (uint64_t i = 0; i < c->touched.count; i++) *demand_of(c, items_of(&c->touched)[i]) = (Demand){0};
    c->touched.count = 0;
}

static inline void rank_all(Components *c, const uint32_t *states, uint64_t size, uint32_t rank) {
    for (uint64_t i = 0; i < size; i++) ranks_of(c)[states[i]] = rank;
}

static bool any_accepting(const Components *c, const uint32_t *states, uint64_t size) {
    for (uint64_t i = 0; i < size; i++)
        if (bit_of(bits_in(&c->accepting), states[i])) return true;
    return false;
}

/* A component is found: give its states their rank. */
static bool component_judge(Components *c, const uint32_t *states, uint64_t size) {
    if (!any_accepting(c, states, size)) {
        rank_all(c, states, size, CLOSED);
        return true;
    }
    if (size == 1) {
        ranks_of(c)[states[0]] = may_stay(c, states[0]) ? c->next_component-- : CLOSED;
        return true;
    }
    rank_all(c, states, size, c->next_component);
    if (!count_demands(c, states, size)) return false;
    unsigned reason = ruled_out(c, size);
    if (reason == STRONG && !keep_rest(c, states, size)) return false;
    forget_demands(c);
    if (reason == 0)
        c->next_component--;
    else
        rank_all(c, states, size, CLOSED);
    return true;
}

/* ---- Finding components ------------------------------------------------------------------------------------------- */

static inline Frame *frame_at(const Components *c, uint64_t depth) { return (Frame *)c->frames.base + depth; }

/* Visit a state. The ranks of all targets are fetched before the first is looked at. */
static inline bool visit_enter(Components *c, uint64_t state) {
    if (UNLIKELY(!graph_room(c->graph, &c->frames, (c->depth + 1) * sizeof(Frame)))) return false;
    ranks_of(c)[state] = ++c->visited;
    *frame_at(c, c->depth++) = (Frame){.state = (uint32_t)state | IS_ROOT, .offset = 0, .target = (uint32_t)state};
    for (Edges edges = edges_of(c->graph, state); edge_next(&edges);) __builtin_prefetch(&ranks_of(c)[edges.target]);
    return true;
}

/* Follow the transitions of the last frame up to one that leads to a new state. NOBODY if there is none. */
static inline uint64_t visit_follow(Components *c, Frame *frame) {
    uint32_t *ranks = ranks_of(c), state = frame->state & ~IS_ROOT;
    const uint8_t *begin = record_of(c->graph, state);
    Edges edges = {.at = begin + frame->offset, .end = record_of(c->graph, state + 1), .target = frame->target};
    while (edge_next(&edges)) {
        if (is_ending(c, &edges)) continue;
        uint32_t rank = ranks[edges.target];
        if (rank == 0) {
            frame->offset = (uint32_t)(edges.at - begin);
            frame->target = (uint32_t)edges.target;
            return edges.target;
        }
        if (rank < ranks[state]) {
            ranks[state] = rank;
            frame->state &= ~IS_ROOT;
        }
    }
    return NOBODY;
}

/* Everything that the last frame's state reaches is visited. */
static inline bool visit_leave(Components *c) {
    uint32_t *ranks = ranks_of(c);
    Frame frame = *frame_at(c, --c->depth);
    uint32_t state = frame.state & ~IS_ROOT, rank = ranks[state];
    if (!stack_push(c, &c->unjudged, state)) return false;
    if (!(frame.state & IS_ROOT)) {
        Frame *parent = frame_at(c, c->depth - 1); /* There is one, because this state reaches one visited before it. */
        uint32_t above = parent->state & ~IS_ROOT;
        if (rank < ranks[above]) {
            ranks[above] = rank;
            parent->state &= ~IS_ROOT;
        }
        return true;
    }
    uint64_t begin = c->unjudged.count - 1;
    while (begin > 0 && ranks[items_of(&c->unjudged)[begin - 1]] >= rank) begin--;
    uint64_t size = c->unjudged.count - begin;
    c->unjudged.count = begin;
    c->visited -= (uint32_t)size;
    return component_judge(c, items_of(&c->unjudged) + begin, size);
}

/* Visit what a state reaches, and judge the components in it. */
static bool explore_from(Components *c, uint64_t root) {
    if (ranks_of(c)[root] != 0) return true;
    if (graph_stopping(c->graph) || !visit_enter(c, root)) return false;
    for (unsigned steps = 0; c->depth > 0; steps++) {
        uint64_t next = visit_follow(c, frame_at(c, c->depth - 1));
        if (next != NOBODY ? !visit_enter(c, next) : !visit_leave(c)) return false;
        if (UNLIKELY(steps % 4096 == 0 && graph_stopping(c->graph))) return false;
    }
    return true;
}

/* Decompose what strong fairness has left of components, until it leaves nothing more. Each list stands in `rest` after its length. */
static bool explore_rest(Components *c) {
    for (uint64_t at = 0; at < c->rest.count;) {
        uint64_t size = items_of(&c->rest)[at++];
        for (uint64_t i = 0; i < size; i++) ranks_of(c)[items_of(&c->rest)[at + i]] = 0;
        for (uint64_t i = 0; i < size; i++)
            if (!explore_from(c, items_of(&c->rest)[at + i])) return false;
        at += size;
    }
    return true;
}

/* Find all sets in which a fair run can stay, given `begins` and `fulfilled`. False if the graph was told to stop. */
static bool find_components(Components *c) {
    Graph *graph = c->graph;
    uint64_t count = count_of(graph);
    uint32_t *ranks = ranks_of(c);
    c->depth = c->unjudged.count = c->rest.count = c->touched.count = 0;
    c->visited = 0;
    c->next_component = CLOSED - 1;
    for (uint64_t n = 0; n < count; n++) ranks[n] = bit_of(bits_in(&c->fulfilled), n) ? CLOSED : 0;
    for (uint64_t n = 0; n < count; n++)
        if (bit_of(bits_in(&c->begins), n) && !explore_from(c, n)) return false;
    return explore_rest(c);
}

/* Extend a set of states, as bits, by all states in which an obligation is pending and from which it is reached while it is pending.
   After find_components, which visits exactly the states in which one is. Most transitions lead to higher numbers, so few rounds do. */
static bool spread_back(Components *c, uint64_t *set) {
    for (bool grown = true; grown;) {
        grown = false;
        for (uint64_t n = count_of(c->graph); n-- > 0;) {
            if (n % 4096 == 0 && graph_stopping(c->graph)) return false;
            if (!is_pending(c, n) || bit_of(set, n)) continue;
            bool reaches = false;
            for (Edges edges = edges_of(c->graph, n); !reaches && edge_next(&edges);)
                reaches = is_pending(c, edges.target) && bit_of(set, edges.target) && !is_ending(c, &edges);
            if (reaches) set_bit(set, n);
            grown |= reaches;
        }
    }
    return true;
}

static inline bool any_component(const Components *c) { return c->next_component != CLOSED - 1; }

static void components_release(Components *c) {
    Region *all[] = {&c->ranks, &c->begins, &c->fulfilled, &c->accepting, &c->open, &c->ending, &c->frames, &c->demands,
                     &c->unjudged.region, &c->rest.region, &c->touched.region};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) region_release(all[i]);
}

/* Make room for a graph that is whole. */
static bool components_prepare(Components *c) {
    Graph *graph = c->graph;
    uint64_t count = count_of(graph), bits = (count / 64 + 1) * sizeof(uint64_t);
    return graph_room(graph, &c->ranks, count * sizeof(uint32_t)) && graph_room(graph, &c->begins, bits) &&
           graph_room(graph, &c->fulfilled, bits) && graph_room(graph, &c->accepting, bits) &&
           graph_room(graph, &c->open, bits) && graph_room(graph, &c->demands, (graph->instances + 1) * sizeof(Demand));
}

static bool components_reserve(Components *c, Graph *graph) {
    Region *all[] = {&c->ranks, &c->begins, &c->fulfilled, &c->accepting, &c->open, &c->ending, &c->frames, &c->demands,
                     &c->unjudged.region, &c->rest.region, &c->touched.region};
    c->graph = graph;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (!region_reserve(all[i], graph->budget.limit, ALL_OVER)) return false;
    return true;
}

#endif
