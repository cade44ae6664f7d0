/* A state as a number: its parts are numbered as they occur, and pairs of numbers again.
 *
 * States of a protocol are made of few parts in many combinations. A state of MODEL_WORDS words is a row of twice as many halves. A node
 * stands for a pair of halves, or of nodes below it, or of one half alone; it has a table of the pairs that have occurred, and the place
 * of a pair in that table is its number. The numbers of the topmost nodes, side by side, are the key of the state. Pairs are never removed
 * and never change their number, so a key has one state and a state has one key: from the pairs upward by looking them up, from the
 * numbers downward by reading them. This is tree compression (Laarman, Optimal compression of combinatorial state spaces, Innovations in
 * Systems and Software Engineering 15, 2019; in LTSmin: Laarman, van de Pol & Weber, SPIN 2011), with a root of more than two children.
 *
 * Which halves are paired is chosen from states that were met (`plan`): those whose pair takes few values, because they change
 * together or hardly at all. A pair that takes many values costs its table; a topmost node more costs its bits in every key. A bad choice
 * costs memory and is never wrong.
 *
 * Looking up needs no lock; a new pair is appended under the lock of its node, and can be found only when it is written. Tables grow
 * while all workers wait.
 */
#ifndef QUORATE_TREE_H
#define QUORATE_TREE_H

#include "roots.h"

#ifndef MODEL_BITS
#define MODEL_BITS (64 * MODEL_WORDS - 1)
#endif

enum {
    HALVES = 2 * MODEL_WORDS,
    NODES_MAX = MODEL_WORDS == 1 ? 1 : 2 * HALVES,
    PARTS_MAX = HALVES + NODES_MAX, /* halves, then nodes: what a pair is made of */
    PAIRS_MIN = 1 << 10,            /* slots of a node's index at first */
    PAIR_BYTES = 14,                /* what a pair takes: itself, and its share of the index */
    SAMPLE_MAX = (1 << 26) / (HALVES * HALVES) < 1 << 14 ? (1 << 26) / (HALVES * HALVES) + 1 : 1 << 14, /* states */
    ID_BITS_MAX = 31
};

typedef struct {
    Region pairs, index;
    uint64_t capacity;        /* slots of the index: a place plus one, below bits of the hash */
    _Atomic uint32_t count;
    _Atomic uint32_t soft;    /* so many pairs, and the node must grow */
    _Atomic bool locked;
    unsigned left, right;     /* parts */
} Node;

/* A topmost node, and where its number stands in the key. */
typedef struct {
    unsigned part, shift, bits;
} Field;

typedef struct {
    Node nodes[NODES_MAX];
    Field fields[NODES_MAX];
    unsigned node_count, field_count, key_bits;
} Tree;

/* What a worker has numbered last: the next state mostly differs from it in few parts. */
typedef struct {
    uint32_t parts[PARTS_MAX];
    bool valid;
} Numbered;

/* ---- Nodes ----------------------------------------------------------------------------------------------------- */

static inline uint64_t pair_hash(uint64_t pair) { return scattered(pair ^ 0x9E3779B97F4A7C15u); }
static inline uint64_t *pairs_of(const Node *node) { return (uint64_t *)node->pairs.base; }

static inline unsigned place_bits(const Node *node) { return 64 - (unsigned)__builtin_clzll(node->capacity); }

static inline uint32_t slot_of_pair(const Node *node, uint64_t hash, uint32_t place) {
    return (uint32_t)(hash << place_bits(node)) | (place + 1);
}

/* Look for a pair from slot `*at` on. Its place, or NONE, and then `*at` is the empty slot where it belongs. */
static inline uint32_t node_find(const Node *node, uint64_t pair, uint64_t hash, uint64_t *at) {
    _Atomic uint32_t *index = (_Atomic uint32_t *)node->index.base;
    uint32_t mask = (uint32_t)ones_of(place_bits(node)), tag = (uint32_t)(hash << place_bits(node));
    for (;;) {
        uint32_t slot = atomic_load_explicit(&index[*at], memory_order_acquire);
        if (slot == 0) return NONE;
        if ((slot & ~mask) == (tag & ~mask) && pairs_of(node)[(slot & mask) - 1] == pair) return (slot & mask) - 1;
        if (UNLIKELY(++*at == node->capacity)) *at = 0;
    }
}

/* The number of a pair. `*full` is set when the node must grow before many more are numbered. */
static inline uint32_t node_number(Node *node, uint64_t pair, _Atomic bool *full) {
    uint64_t hash = pair_hash(pair), at = home_among(hash, node->capacity);
    uint32_t place = node_find(node, pair, hash, &at);
    if (LIKELY(place != NONE)) return place;
    while (atomic_exchange_explicit(&node->locked, true, memory_order_acquire)) sched_yield();
    place = node_find(node, pair, hash, &at);
    if (place == NONE) {
        place = atomic_load_explicit(&node->count, memory_order_relaxed);
        pairs_of(node)[place] = pair;
        atomic_store_explicit(&((_Atomic uint32_t *)node->index.base)[at], slot_of_pair(node, hash, place), memory_order_release);
        atomic_store_explicit(&node->count, place + 1, memory_order_relaxed);
        if (UNLIKELY(place + 1 >= node->soft)) atomic_store(full, true);
    }
    atomic_store_explicit(&node->locked, false, memory_order_release);
    return place;
}

static void node_close(Node *node, Budget *budget) {
    region_return(&node->pairs, budget);
    region_return(&node->index, budget);
}

static bool node_open(Node *node, unsigned left, unsigned right, size_t limit, Budget *budget) {
    memset(node, 0, sizeof *node);
    node->left = left;
    node->right = right;
    node->capacity = PAIRS_MIN;
    return region_reserve(&node->pairs, limit, ALL_OVER) && region_reserve(&node->index, limit, ALL_OVER) &&
           region_commit(&node->index, PAIRS_MIN * sizeof(uint32_t), budget);
}

/* Build the index anew from the pairs. */
static void node_index(Node *node) {
    memset(node->index.base, 0, node->capacity * sizeof(uint32_t));
    for (uint32_t place = 0; place < node->count; place++) {
        uint64_t pair = pairs_of(node)[place], hash = pair_hash(pair), at = home_among(hash, node->capacity);
        node_find(node, pair, hash, &at);
        ((uint32_t *)node->index.base)[at] = slot_of_pair(node, hash, place);
    }
}

/* Room for at least `slack` pairs more, and `soft` so that they are still free when it is reached. False without memory. */
static bool node_room(Node *node, uint64_t slack, uint64_t most, Budget *budget) {
    uint64_t wanted = node->count + 2 * slack;
    wanted += wanted / 8;
    if (wanted > most) wanted = most;
    if (wanted <= node->count + slack) return false;
    uint64_t capacity = node->capacity;
    if (wanted > capacity - capacity / 4) capacity = wanted + wanted / 2;
    if (!region_commit(&node->pairs, wanted * sizeof(uint64_t), budget) ||
        !region_commit(&node->index, capacity * sizeof(uint32_t), budget))
        return false;
    if (capacity != node->capacity) {
        node->capacity = capacity;
        node_index(node);
    }
    node->soft = (uint32_t)(wanted - slack);
    return true;
}

/* ---- Numbering ------------------------------------------------------------------------------------------------- */

static inline uint32_t half_of(const State *s, unsigned i) { return (uint32_t)(s->w[i / 2] >> 32 * (i % 2)); }

/* The numbers of all nodes for a state, beside its halves. */
static inline void tree_number(Tree *tree, const State *s, Numbered *last, _Atomic bool *full) {
    uint32_t *parts = last->parts;
    bool changed[PARTS_MAX];
    for (unsigned i = 0; i < HALVES; i++) {
        uint32_t half = half_of(s, i);
        changed[i] = half != parts[i] || !last->valid;
        parts[i] = half;
    }
    for (unsigned n = 0; n < tree->node_count; n++) {
        Node *node = &tree->nodes[n];
        changed[HALVES + n] = false;
        if (!changed[node->left] && !changed[node->right]) continue;
        uint32_t number = node_number(node, parts[node->left] | (uint64_t)parts[node->right] << 32, full);
        changed[HALVES + n] = number != parts[HALVES + n] || !last->valid;
        parts[HALVES + n] = number;
    }
    last->valid = true;
}

static inline uint64_t tree_key(Tree *tree, const State *s, Numbered *last, _Atomic bool *full) {
    if (MODEL_WORDS == 1) return s->w[0];
    tree_number(tree, s, last, full);
    uint64_t key = 0;
    for (unsigned i = 0; i < tree->field_count; i++) key |= (uint64_t)last->parts[tree->fields[i].part] << tree->fields[i].shift;
    return key;
}

static inline State tree_state(const Tree *tree, uint64_t key) {
    State s;
    if (MODEL_WORDS == 1) {
        s.w[0] = key;
        return s;
    }
    uint32_t parts[PARTS_MAX];
    for (unsigned i = 0; i < tree->field_count; i++)
        parts[tree->fields[i].part] = (uint32_t)(key >> tree->fields[i].shift & ones_of(tree->fields[i].bits));
    for (unsigned n = tree->node_count; n-- > 0;) {
        const Node *node = &tree->nodes[n];
        uint64_t pair = pairs_of(node)[parts[HALVES + n]];
        parts[node->left] = (uint32_t)pair;
        parts[node->right] = (uint32_t)(pair >> 32);
    }
    for (unsigned i = 0; i < MODEL_WORDS; i++) s.w[i] = parts[2 * i] | (uint64_t)parts[2 * i + 1] << 32;
    return s;
}

/* ---- Growing: one thread, and nobody reads --------------------------------------------------------------------- */

/* The most pairs that a node may have: those of topmost nodes must fit into their fields. */
static uint64_t pairs_most(const Tree *tree, unsigned n) {
    for (unsigned i = 0; i < tree->field_count; i++)
        if (tree->fields[i].part == HALVES + n) return (uint64_t)1 << tree->fields[i].bits;
    return (uint64_t)1 << ID_BITS_MAX;
}

/* Whether no node must grow. */
static bool tree_roomy(const Tree *tree) {
    for (unsigned n = 0; n < tree->node_count; n++)
        if (tree->nodes[n].count >= tree->nodes[n].soft) return false;
    return true;
}

/* Room for `slack` pairs more in every node that is full. False if some field or the memory is too small for it. */
static bool tree_room(Tree *tree, uint64_t slack, Budget *budget) {
    for (unsigned n = 0; n < tree->node_count; n++) {
        Node *node = &tree->nodes[n];
        if (node->count >= node->soft && !node_room(node, slack, pairs_most(tree, n), budget)) return false;
    }
    return true;
}

static void tree_close(Tree *tree, Budget *budget) {
    for (unsigned n = 0; n < tree->node_count; n++) node_close(&tree->nodes[n], budget);
    tree->node_count = 0;
}

static size_t tree_bytes(const Tree *tree) {
    size_t bytes = 0;
    for (unsigned n = 0; n < tree->node_count; n++) bytes += tree->nodes[n].pairs.committed + tree->nodes[n].index.committed;
    return bytes;
}

static void tree_field(Tree *tree, unsigned part, unsigned bits) {
    tree->fields[tree->field_count++] = (Field){.part = part, .shift = tree->key_bits, .bits = bits};
    tree->key_bits += bits;
}

#endif
