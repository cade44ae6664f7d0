/* The state graph, whole and compressed: what liveness is checked on.
 *
 * States are numbered in the order of a breadth-first search with a queue: the initial states first, then the successors of each
 * state in order of action and arguments. The numbers are a function of the model alone. Symmetry is not used, because a
 * representative does not say which instance of an action leads to it, and fairness speaks of instances.
 *
 * The record of a state is its transitions, in order, each as one or two numbers of 7 bits a byte:
 *
 *     2 * zigzag(target - previous target) + f      the first target is relative to the state itself
 *     demand                                        only if f: the number of the demand of fairness that is served
 *
 * A demand is an action and those of its arguments that tell its demands apart: with fairness per instance, the instance. Transitions that
 * leave the state as it is are left out: they are neither taken nor possible in the sense of fairness. An instance that a bound cuts
 * is possible and never taken; if it serves a demand, it is kept as a transition from the state to itself. A counterexample finds the
 * names of its instances by firing the states again.
 *
 * A record begins at `bases[n / 64] + starts[n]`. States are kept as vertices.h says; building.h makes the graph, graphfile.h keeps it.
 */
#ifndef QUORATE_GRAPH_H
#define QUORATE_GRAPH_H

#include "vertices.h"

enum { GROUP = 64, EDGE_BYTES_MAX = 20 }; /* records with a base of their own */

/* Numbers of states and twice a number fit into 32 bits, with room for marks. */
#define GRAPH_STATES_MAX (((uint64_t)1 << 31) - 16)
#define CUT_HERE (UINT64_MAX - 1) /* instead of a target */

typedef struct {
    Budget budget;
    uint64_t states_max;
    _Atomic int stop;
    _Atomic uint64_t count, expanded, transitions; /* for progress, while it is built */
    uint64_t initial_count;
    _Atomic bool error;     /* an attempt was an error in the spec, which the search before should have found */
    _Atomic bool no_demand; /* what says where an action is fair raised an error */

    Vertices vertices;
    Region records; /* bytes */
    uint64_t record_bytes;
    Region bases, starts; /* uint64_t, uint32_t */
    Region staying; /* one bit for each state: no demand is possible there */
    Region leaving; /* one bit for each state: a bound cuts a transition there, of whatever action */
    uint64_t leaves; /* in how many states */

    Region labels; /* Label: the demands, from number 1 on */
    Region label_slots; /* uint32_t */
    uint64_t instances, label_capacity;
    pthread_mutex_t labels_lock;

    bool whole;         /* nothing is left to expand */
    Region answers;     /* uint64_t: what was judged on it (liveness.h) */
    uint64_t answer_words;

    char *path; /* of the file that it is kept in, or NULL */
    _Atomic bool save_due;
    _Atomic uint64_t saves;
    char failure[160]; /* why the last could not be written */

    Successors out; /* of whoever names the steps of a lasso */
} Graph;

static inline bool graph_stopping(Graph *graph) { return atomic_load_explicit(&graph->stop, memory_order_relaxed) != STOP_NONE; }

static void graph_end(Graph *graph, int reason) {
    int none = STOP_NONE;
    atomic_compare_exchange_strong(&graph->stop, &none, reason);
}

/* Make the first `bytes` of a region usable, and some more. False, and the graph ends, if there is no memory for it. */
static bool graph_room(Graph *graph, Region *region, size_t bytes) {
    if (LIKELY(region_extend(region, bytes, &graph->budget))) return true;
    graph_end(graph, STOP_MEMORY);
    return false;
}

static inline State state_of(const Graph *graph, uint64_t number) { return vertex_state(&graph->vertices, number); }
static inline uint64_t count_of(const Graph *graph) { return atomic_load_explicit(&graph->count, memory_order_relaxed); }

/* ---- Numbers of demands ----------------------------------------------------------------------------------- */

static inline bool same_label(const Label *a, const Label *b) {
    if (a->action != b->action) return false;
    for (unsigned i = 0; i < model_arity(a->action); i++)
        if (a->args[i] != b->args[i]) return false;
    return true;
}

static inline Label *label_of(const Graph *graph, uint64_t instance) { return (Label *)graph->labels.base + (instance - 1); }
static inline unsigned fairness_of(const Graph *graph, uint64_t instance) {
    return model_fairness(label_of(graph, instance)->action);
}

static inline uint64_t label_hash(const Label *label) {
    uint64_t hash = mixed(label->action ^ 0x9E3779B97F4A7C15u, 0xD6E8FEB86659FD93u);
    for (unsigned i = 0; i < model_arity(label->action); i++) hash = mixed(hash ^ label->args[i], 0xD6E8FEB86659FD93u);
    return hash;
}

/* The place of a demand in the table of demands, or the empty one where it belongs. */
static uint32_t *label_slot(const Graph *graph, const Label *label) {
    uint32_t *slots = (uint32_t *)graph->label_slots.base;
    uint64_t hash = label_hash(label);
    for (uint64_t at = hash % graph->label_capacity;; at = (at + 1) % graph->label_capacity)
        if (slots[at] == 0 || same_label(label_of(graph, slots[at]), label)) return &slots[at];
}

static bool labels_enlarge(Graph *graph) {
    uint64_t capacity = graph->label_capacity ? 2 * graph->label_capacity : 1024;
    if (!graph_room(graph, &graph->label_slots, capacity * sizeof(uint32_t))) return false;
    graph->label_capacity = capacity;
    memset(graph->label_slots.base, 0, capacity * sizeof(uint32_t));
    for (uint64_t i = 1; i <= graph->instances; i++) *label_slot(graph, label_of(graph, i)) = (uint32_t)i;
    return true;
}

static uint64_t instance_found(Graph *graph, const Label *label) {
    uint32_t *slot = label_slot(graph, label);
    if (*slot) return *slot;
    if (!graph_room(graph, &graph->labels, (graph->instances + 1) * sizeof(Label))) return 0;
    *slot = (uint32_t)++graph->instances;
    *label_of(graph, graph->instances) = *label;
    if (2 * graph->instances >= graph->label_capacity && !labels_enlarge(graph)) return 0;
    return graph->instances;
}

/* The demands that a worker has met, by hash, so that it mostly needs no lock for their numbers. */
enum { DEMANDS_KEPT = 256 };
typedef struct {
    Label labels[DEMANDS_KEPT];
    uint32_t numbers[DEMANDS_KEPT]; /* 0: none yet */
} Demands;

/* The number of a demand, from 1 on; 0 without memory. */
static inline uint64_t instance_of(Graph *graph, Demands *kept, const Label *label) {
    uint64_t at = label_hash(label) >> 32 & (DEMANDS_KEPT - 1);
    if (LIKELY(kept->numbers[at] && same_label(&kept->labels[at], label))) return kept->numbers[at];
    pthread_mutex_lock(&graph->labels_lock);
    uint64_t number = instance_found(graph, label);
    pthread_mutex_unlock(&graph->labels_lock);
    kept->labels[at] = *label;
    kept->numbers[at] = (uint32_t)number;
    return number;
}

/* ---- Records ----------------------------------------------------------------------------------------------------- */

static inline uint8_t *put_number(uint8_t *at, uint64_t value) {
    for (; value >= 128; value >>= 7) *at++ = (uint8_t)(value | 128);
    *at++ = (uint8_t)value;
    return at;
}

static inline uint64_t get_number(const uint8_t **at) {
    uint64_t value = *(*at)++;
    if (LIKELY(value < 128)) return value;
    value &= 127;
    for (unsigned shift = 7;; shift += 7) {
        uint64_t byte = *(*at)++;
        value |= (byte & 127) << shift;
        if (byte < 128) return value;
    }
}

/* A walk along the record of a state. After `edge_next` is true, `target` and `instance` (the demand; 0: none) are those of the next
   transition; a target that is the state itself is a cut. */
typedef struct {
    const uint8_t *at, *end;
    uint64_t target, instance;
} Edges;

static inline const uint8_t *record_of(const Graph *graph, uint64_t number) {
    return (const uint8_t *)graph->records.base + ((uint64_t *)graph->bases.base)[number / GROUP] +
           ((uint32_t *)graph->starts.base)[number];
}

static inline Edges edges_of(const Graph *graph, uint64_t number) {
    return (Edges){.at = record_of(graph, number), .end = record_of(graph, number + 1), .target = number};
}

static inline bool edge_next(Edges *edges) {
    if (edges->at == edges->end) return false;
    uint64_t code = get_number(&edges->at);
    edges->target += (code >> 2) ^ (0 - (code >> 1 & 1));
    edges->instance = code & 1 ? get_number(&edges->at) : 0;
    return true;
}

/* A number of the transition that edge_next has given last, below `record_bytes`, which no other one has. */
static inline uint64_t edge_number(const Graph *graph, const Edges *edges) {
    return (uint64_t)(edges->at - (const uint8_t *)graph->records.base) - 1;
}

/* Room for the records of all states before `end`, of so many bytes, and for where the last of them ends. */
static bool records_room(Graph *graph, uint64_t end, uint64_t bytes) {
    return graph_room(graph, &graph->records, bytes) && graph_room(graph, &graph->starts, (end + 1) * sizeof(uint32_t)) &&
           graph_room(graph, &graph->bases, (end / GROUP + 1) * sizeof(uint64_t)) &&
           graph_room(graph, &graph->staying, (end / 64 + 1) * sizeof(uint64_t)) &&
           graph_room(graph, &graph->leaving, (end / 64 + 1) * sizeof(uint64_t));
}

/* Whether it can be said where a record begins if that of state `number` does at one place, and those of the rest of its group before another. */
static bool group_holds(const Graph *graph, uint64_t number, uint64_t place, uint64_t end) {
    return end - (number % GROUP == 0 ? place : ((uint64_t *)graph->bases.base)[number / GROUP]) <= UINT32_MAX;
}

/* The record of state `number` begins at this place. */
static inline void record_begins(Graph *graph, uint64_t number, uint64_t place) {
    if (number % GROUP == 0) ((uint64_t *)graph->bases.base)[number / GROUP] = place;
    ((uint32_t *)graph->starts.base)[number] = (uint32_t)(place - ((uint64_t *)graph->bases.base)[number / GROUP]);
}

/* All states are expanded: the last record ends. False without memory. */
static bool graph_finished(Graph *graph) {
    if (!records_room(graph, count_of(graph), graph->record_bytes)) return false;
    record_begins(graph, count_of(graph), graph->record_bytes);
    return true;
}

/* The record of a state, to be written to `at`. */
typedef struct {
    uint8_t *at;
    uint64_t edges; /* that change the state */
    bool stays;     /* no demand is possible there */
} Record;

/* Write the record of a state whose transitions, and those cut that serve a demand, are `labels` and lead to `targets`. False without memory. */
static bool record_write(Graph *graph, Demands *kept, uint64_t number, const State *s, const Label *labels, const uint64_t *targets,
                         size_t count, Record *record) {
    uint8_t *at = record->at;
    uint64_t previous = number;
    record->stays = true;
    record->edges = 0;
    for (size_t i = 0; i < count; i++) {
        if (targets[i] == number) continue;
        Label demand;
        int fair = model_demand(s, &labels[i], &demand);
        if (UNLIKELY(fair < 0)) atomic_store(&graph->no_demand, true);
        if (fair <= 0 && targets[i] == CUT_HERE) continue;
        uint64_t target = targets[i] == CUT_HERE ? number : targets[i];
        int64_t step = (int64_t)(target - previous);
        at = put_number(at, ((uint64_t)step << 1 ^ (uint64_t)(step >> 63)) << 1 | (fair > 0));
        previous = target;
        record->edges += target != number;
        if (fair <= 0) continue;
        record->stays = false;
        uint64_t instance = instance_of(graph, kept, &demand);
        if (!instance) return false;
        at = put_number(at, instance);
    }
    record->at = at;
    return true;
}

/* ---- Opening ----------------------------------------------------------------------------------------------------- */

enum { GRAPH_REGIONS = 8 };

/* All that grows but what vertices.h has. */
static Region *graph_region(Graph *graph, unsigned i) {
    Region *all[GRAPH_REGIONS] = {&graph->records, &graph->bases,  &graph->starts,      &graph->staying,
                                  &graph->leaving, &graph->labels, &graph->label_slots, &graph->answers};
    return all[i];
}

static void graph_release(Graph *graph) {
    for (unsigned i = 0; i < GRAPH_REGIONS; i++) region_release(graph_region(graph, i));
    vertices_close(&graph->vertices, &graph->budget);
    pthread_mutex_destroy(&graph->labels_lock);
    successors_free(&graph->out);
    free(graph->path);
}

static bool graph_reserve(Graph *graph) {
    pthread_mutex_init(&graph->labels_lock, NULL);
    for (unsigned i = 0; i < GRAPH_REGIONS; i++)
        if (!region_reserve(graph_region(graph, i), graph->budget.limit, ALL_OVER)) return false;
    return vertices_open(&graph->vertices, graph->budget.limit, &graph->budget);
}

#endif
