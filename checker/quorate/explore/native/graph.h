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
 * A record begins at `bases[n / 256] + starts[n]`. While the graph is built, a hash table finds the number of a state; a slot holds 32
 * bits of the hash above the number plus one. The table is given back when the graph is whole.
 */
#ifndef QUORATE_GRAPH_H
#define QUORATE_GRAPH_H

enum { SOURCES = 64, RING = 64, SLOT_AHEAD = 12, STATE_AHEAD = 6, RECORDS_A_BASE = 256, EDGE_BYTES_MAX = 20 };

/* Numbers of states and twice a number fit into 32 bits, with room for marks. */
#define GRAPH_STATES_MAX (((uint64_t)1 << 31) - 16)
#define NOBODY UINT64_MAX
#define CUT_HERE (UINT64_MAX - 1) /* instead of a target */

typedef struct {
    Budget budget;
    uint64_t states_max;
    _Atomic int stop;
    _Atomic uint64_t count, expanded, transitions; /* for progress; written by one thread */
    uint64_t initial_count, edges;
    bool error; /* an attempt was an error in the spec, which the search before should have found */
    bool no_demand; /* what says where an action is fair raised an error */

    Region states; /* State */
    Region records; /* bytes */
    uint64_t record_bytes;
    Region bases, starts; /* uint64_t, uint32_t */
    Region staying; /* one bit for each state: no demand is possible there */
    Region leaving; /* one bit for each state: a bound cuts a transition there, of whatever action */
    uint64_t leaves; /* in how many states */
    Region slots; /* uint64_t */
    uint64_t capacity;

    Region labels; /* Label: the demands, from number 1 on */
    Region label_slots; /* uint32_t */
    uint64_t instances, label_capacity;

    Successors out;
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

static void graph_give_back(Graph *graph, Region *region) {
    atomic_fetch_sub(&graph->budget.used, region->committed);
    region_release(region);
    region->committed = 0;
}

static inline State *state_of(const Graph *graph, uint64_t number) { return (State *)graph->states.base + number; }
static inline uint64_t count_of(const Graph *graph) { return atomic_load_explicit(&graph->count, memory_order_relaxed); }

/* ---- Numbers of states ------------------------------------------------------------------------------------------- */

static inline uint64_t *slots_home(const Graph *graph, uint64_t hash) {
    return (uint64_t *)graph->slots.base + (uint64_t)(((unsigned __int128)hash * graph->capacity) >> 64);
}

/* The high bits of the hash choose the slot; the low ones are the mark in it. */
static inline uint64_t slot_mark(uint64_t hash) { return hash << 32; }

static bool slots_enlarge(Graph *graph) {
    uint64_t old = graph->capacity;
    uint64_t capacity = old < FIRST_CAPACITY ? FIRST_CAPACITY : old < (uint64_t)1 << 24 ? 2 * old : old + old / 2;
    if (!graph_room(graph, &graph->slots, capacity * sizeof(uint64_t))) return false;
    graph->capacity = capacity;
    uint64_t *slots = (uint64_t *)graph->slots.base, *end = slots + capacity, hashes[RING];
    memset(slots, 0, capacity * sizeof *slots);
    for (uint64_t n = 0, count = count_of(graph); n < count + SLOT_AHEAD; n++) {
        if (n < count) {
            hashes[n % RING] = hash_state(state_of(graph, n));
            __builtin_prefetch(slots_home(graph, hashes[n % RING]), 1);
        }
        if (n < SLOT_AHEAD) continue;
        uint64_t hash = hashes[(n - SLOT_AHEAD) % RING], *at = slots_home(graph, hash);
        while (*at)
            if (++at == end) at = slots;
        *at = slot_mark(hash) | (n - SLOT_AHEAD + 1);
    }
    return true;
}

/* The number of a state, which gets the next one if it has none. NOBODY if a limit is reached. */
static inline uint64_t number_of(Graph *graph, const State *s, uint64_t hash) {
    uint64_t *slots = (uint64_t *)graph->slots.base, *end = slots + graph->capacity, *at = slots_home(graph, hash);
    for (; *at; ) {
        if ((*at ^ slot_mark(hash)) >> 32 == 0) {
            uint64_t number = (*at & 0xFFFFFFFFu) - 1;
            if (same_state(state_of(graph, number), s)) return number;
        }
        if (UNLIKELY(++at == end)) at = slots;
    }
    uint64_t number = count_of(graph);
    if (UNLIKELY(number >= graph->states_max)) {
        graph_end(graph, STOP_STATES);
        return NOBODY;
    }
    if (!graph_room(graph, &graph->states, (number + 1) * sizeof(State))) return NOBODY;
    *state_of(graph, number) = *s;
    *at = slot_mark(hash) | (number + 1);
    atomic_store_explicit(&graph->count, number + 1, memory_order_relaxed);
    if (UNLIKELY(number + number / 3 >= graph->capacity) && !slots_enlarge(graph)) return NOBODY;
    return number;
}

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

/* The place of a demand in the table of demands, or the empty one where it belongs. */
static uint32_t *label_slot(const Graph *graph, const Label *label) {
    uint32_t *slots = (uint32_t *)graph->label_slots.base;
    uint64_t hash = mixed(label->action ^ 0x9E3779B97F4A7C15u, 0xD6E8FEB86659FD93u);
    for (unsigned i = 0; i < model_arity(label->action); i++) hash = mixed(hash ^ label->args[i], 0xD6E8FEB86659FD93u);
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

/* The number of a demand, from 1 on; 0 without memory. */
static uint64_t instance_of(Graph *graph, const Label *label) {
    uint32_t *slot = label_slot(graph, label);
    if (LIKELY(*slot)) return *slot;
    if (!graph_room(graph, &graph->labels, (graph->instances + 1) * sizeof(Label))) return 0;
    *slot = (uint32_t)++graph->instances;
    *label_of(graph, graph->instances) = *label;
    if (2 * graph->instances >= graph->label_capacity && !labels_enlarge(graph)) return 0;
    return graph->instances;
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
    return (const uint8_t *)graph->records.base + ((uint64_t *)graph->bases.base)[number / RECORDS_A_BASE] +
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

static bool record_begin(Graph *graph, uint64_t number) {
    if (!graph_room(graph, &graph->starts, (number + 1) * sizeof(uint32_t))) return false;
    if (!graph_room(graph, &graph->staying, (number / 64 + 1) * sizeof(uint64_t))) return false;
    if (!graph_room(graph, &graph->leaving, (number / 64 + 1) * sizeof(uint64_t))) return false;
    if (number % RECORDS_A_BASE == 0) {
        if (!graph_room(graph, &graph->bases, (number / RECORDS_A_BASE + 1) * sizeof(uint64_t))) return false;
        ((uint64_t *)graph->bases.base)[number / RECORDS_A_BASE] = graph->record_bytes;
    }
    uint64_t start = graph->record_bytes - ((uint64_t *)graph->bases.base)[number / RECORDS_A_BASE];
    ((uint32_t *)graph->starts.base)[number] = (uint32_t)start;
    return start <= UINT32_MAX;
}

/* Write the record of a state whose transitions, and those cut that serve a demand, are `labels` and lead to `targets`. */
static bool record_write(Graph *graph, uint64_t number, const Label *labels, const uint64_t *targets, size_t count) {
    if (!record_begin(graph, number)) return false;
    if (!graph_room(graph, &graph->records, graph->record_bytes + count * EDGE_BYTES_MAX)) return false;
    uint8_t *begin = (uint8_t *)graph->records.base + graph->record_bytes, *at = begin;
    uint64_t previous = number;
    bool stays = true;
    for (size_t i = 0; i < count; i++) {
        if (targets[i] == number) continue;
        Label demand;
        int fair = model_demand(state_of(graph, number), &labels[i], &demand);
        graph->no_demand |= fair < 0;
        if (fair <= 0 && targets[i] == CUT_HERE) continue;
        uint64_t target = targets[i] == CUT_HERE ? number : targets[i];
        int64_t step = (int64_t)(target - previous);
        at = put_number(at, ((uint64_t)step << 1 ^ (uint64_t)(step >> 63)) << 1 | (fair > 0));
        previous = target;
        graph->edges += target != number;
        if (fair <= 0) continue;
        stays = false;
        uint64_t instance = instance_of(graph, &demand);
        if (!instance) return false;
        at = put_number(at, instance);
    }
    if (stays) set_bit((uint64_t *)graph->staying.base, number);
    graph->record_bytes += (uint64_t)(at - begin);
    return true;
}

/* ---- Building ---------------------------------------------------------------------------------------------------- */

/* The numbers of all successors that are gathered, in order. Slots, then states, are fetched ahead. */
static bool number_all(Graph *graph, uint64_t *targets) {
    Successors *out = &graph->out;
    uint64_t hashes[RING];
    for (size_t i = 0; i < out->count + SLOT_AHEAD; i++) {
        if (i < out->count) {
            hashes[i % RING] = hash_state(&out->states[i]);
            __builtin_prefetch(slots_home(graph, hashes[i % RING]), 1);
        }
        if (i >= STATE_AHEAD && i - STATE_AHEAD < out->count) {
            uint64_t hash = hashes[(i - STATE_AHEAD) % RING], slot = *slots_home(graph, hash);
            if (slot && (slot ^ slot_mark(hash)) >> 32 == 0) __builtin_prefetch(state_of(graph, (slot & 0xFFFFFFFFu) - 1));
        }
        if (i < SLOT_AHEAD) continue;
        size_t now = i - SLOT_AHEAD;
        if (UNLIKELY(out->labels[now].error != NONE)) {
            graph->error |= out->labels[now].error != LABEL_CUT;
            targets[now] = CUT_HERE;
            continue;
        }
        targets[now] = number_of(graph, &out->states[now], hashes[now % RING]);
        if (targets[now] == NOBODY) return false;
    }
    return true;
}

/* Expand some states, `from` to `to`, and write their records. */
static bool expand_states(Graph *graph, uint64_t from, uint64_t to, Region *numbers) {
    Successors *out = &graph->out;
    size_t ends[SOURCES];
    uint64_t cuts[SOURCES];
    out->count = 0;
    for (uint64_t n = from; n < to; n++) {
        cuts[n - from] = out->cut_total;
        model_successors(state_of(graph, n), out);
        cuts[n - from] = out->cut_total - cuts[n - from];
        ends[n - from] = out->count;
    }
    if (out->exhausted) graph_end(graph, STOP_MEMORY);
    if (out->exhausted || !graph_room(graph, numbers, out->count * sizeof(uint64_t))) return false;
    uint64_t *targets = (uint64_t *)numbers->base;
    if (!number_all(graph, targets)) return false;
    for (uint64_t n = from, begin = 0; n < to; begin = ends[n - from], n++) {
        if (!record_write(graph, n, out->labels + begin, targets + begin, ends[n - from] - begin)) return false;
        if (!cuts[n - from]) continue;
        set_bit((uint64_t *)graph->leaving.base, n);
        graph->leaves++;
    }
    return true;
}

static bool number_initial(Graph *graph) {
    Successors *out = &graph->out;
    model_initial(out);
    for (size_t i = 0; i < out->count; i++)
        if (number_of(graph, &out->states[i], hash_state(&out->states[i])) == NOBODY) return false;
    graph->initial_count = count_of(graph);
    return true;
}

/* Build it whole. `stop` says why it is not. */
static void graph_build(Graph *graph) {
    Region numbers = {0};
    bool good = region_reserve(&numbers, graph->budget.limit) && slots_enlarge(graph) && labels_enlarge(graph);
    good = good && number_initial(graph);
    graph->out.keep_cuts = true;
    for (uint64_t from = 0; good && from < count_of(graph) && !graph_stopping(graph);) {
        uint64_t to = from + SOURCES < count_of(graph) ? from + SOURCES : count_of(graph);
        good = expand_states(graph, from, to, &numbers);
        atomic_store_explicit(&graph->transitions, graph->edges, memory_order_relaxed);
        atomic_store_explicit(&graph->expanded, from = to, memory_order_relaxed);
    }
    good = good && record_begin(graph, count_of(graph)); /* Where the last record ends. */
    if (!good) graph_end(graph, STOP_MEMORY);
    graph->out.keep_cuts = false;
    graph_give_back(graph, &numbers);
    graph_give_back(graph, &graph->slots);
}

static void graph_release(Graph *graph) {
    Region *all[] = {&graph->states, &graph->records, &graph->bases, &graph->starts, &graph->staying, &graph->leaving,
                     &graph->slots, &graph->labels, &graph->label_slots};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) region_release(all[i]);
    successors_free(&graph->out);
}

static bool graph_reserve(Graph *graph) {
    Region *all[] = {&graph->states, &graph->records, &graph->bases, &graph->starts, &graph->staying, &graph->leaving,
                     &graph->slots, &graph->labels, &graph->label_slots};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (!region_reserve(all[i], graph->budget.limit)) return false;
    return true;
}

#endif
