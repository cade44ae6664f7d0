/* A state as a number: its parts are numbered as they occur, and rows of numbers again.
 *
 * States of a protocol are made of few parts in many combinations. A state of MODEL_WORDS words is a row of twice as many halves. A node
 * stands for a row of halves and of nodes below it; it has a table of the rows that have occurred, and the place
 * of a row in that table is its number. The numbers of the topmost nodes, side by side, are the key of the state. Rows are never removed
 * and never change their number, so a key has one state and a state has one key: from the rows upward by looking them up, from the
 * numbers downward by reading them. This is tree compression (Laarman, Optimal compression of combinatorial state spaces, Innovations in
 * Systems and Software Engineering 15, 2019; in LTSmin: Laarman, van de Pol & Weber, SPIN 2011), with a root of more than two children.
 *
 * Which halves are paired is chosen from states that were met (plan.h): those whose pair takes few values, because they change
 * together or hardly at all. A pair that takes many values costs its table; a topmost node more costs its bits in every key. A bad choice
 * costs memory and is never wrong.
 *
 * A tree of pairs is deep, and each of its nodes costs a look-up wherever something below it has changed. So a node whose rows are few is
 * *contracted* into the one above it, as soon as that takes next to no memory (`tree_contract`): in each row of that one its number is
 * replaced by the row that it stands for. No number changes but by that, and no key.
 *
 * Looking up needs no lock; a new row is appended under the lock of its node, and can be found only when it is written. Tables grow, and nodes
 * are contracted, while all workers wait.
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
    PARTS_MAX = HALVES + NODES_MAX, /* halves, then nodes: what a row is made of */
    ROWS_MIN = 1 << 10,             /* slots of a node's index at first */
    SLOT_BYTES = 6,                 /* what a row has of the index, about */
    PAIR_BYTES = 8 + SLOT_BYTES,    /* what a row of two takes */
    SAMPLE_MAX = (1 << 26) / (HALVES * HALVES) < 1 << 14 ? (1 << 26) / (HALVES * HALVES) + 1 : 1 << 14, /* states */
    ID_BITS_MAX = 31
};

typedef struct {
    Region rows, index;
    uint64_t capacity;        /* slots of the index: a place plus one, below bits of the hash */
    _Atomic uint32_t count;
    _Atomic uint32_t soft;    /* so many rows, and the node must grow */
    _Atomic bool locked;
    unsigned first, arity;    /* its parts, among the `below` of the tree */
} Node;

/* A topmost node, and where its number stands in the key. */
typedef struct {
    unsigned part, shift, bits;
} Field;

typedef struct {
    Node nodes[NODES_MAX];
    Field fields[NODES_MAX];
    unsigned below[PARTS_MAX]; /* each part is part of one node, or topmost */
    unsigned node_count, field_count, below_count, key_bits;
} Tree;

/* What a worker has numbered last: the next state mostly differs from it in few parts. */
typedef struct {
    uint32_t parts[PARTS_MAX];
    bool valid;
} Numbered;

/* ---- Nodes ----------------------------------------------------------------------------------------------------- */

static inline uint64_t pair_hash(uint64_t pair) { return scattered(pair ^ 0x9E3779B97F4A7C15u); }

static inline uint64_t row_hash(const uint32_t *row, unsigned arity) {
    uint64_t hash = 0x9E3779B97F4A7C15u;
    for (unsigned i = 0; i + 1 < arity; i += 2) hash = mixed(hash ^ (row[i] | (uint64_t)row[i + 1] << 32), 0xD6E8FEB86659FD93u);
    if (arity % 2) hash = mixed(hash ^ row[arity - 1], 0xE7037ED1A0B428DBu);
    return mixed(hash ^ 0xA0761D6478BD642Fu, 0xE7037ED1A0B428DBu);
}

static inline uint32_t *row_at(const Node *node, uint32_t place) { return (uint32_t *)node->rows.base + (size_t)place * node->arity; }
static inline size_t row_bytes(const Node *node) { return node->arity * sizeof(uint32_t); }

static inline bool same_row(const uint32_t *a, const uint32_t *b, unsigned arity) {
    for (unsigned i = 0; i < arity; i++)
        if (a[i] != b[i]) return false;
    return true;
}

/* The parts of a node, in their order. */
static inline void row_of(const Tree *tree, const Node *node, const uint32_t *parts, uint32_t *row) {
    for (unsigned i = 0; i < node->arity; i++) row[i] = parts[tree->below[node->first + i]];
}

/* Whether a part of a node has this. */
static inline bool any_below(const Tree *tree, const Node *node, const bool *has) {
    bool any = false;
    for (unsigned i = 0; i < node->arity; i++) any |= has[tree->below[node->first + i]];
    return any;
}

static inline unsigned place_bits(const Node *node) { return 64 - (unsigned)__builtin_clzll(node->capacity); }

static inline uint32_t slot_of_row(const Node *node, uint64_t hash, uint32_t place) {
    return (uint32_t)(hash << place_bits(node)) | (place + 1);
}

/* Look for a row from slot `*at` on. Its place, or NONE, and then `*at` is the empty slot where it belongs. */
static inline uint32_t node_find(const Node *node, const uint32_t *row, uint64_t hash, uint64_t *at) {
    _Atomic uint32_t *index = (_Atomic uint32_t *)node->index.base;
    uint32_t mask = (uint32_t)ones_of(place_bits(node)), tag = (uint32_t)(hash << place_bits(node));
    for (;;) {
        uint32_t slot = atomic_load_explicit(&index[*at], memory_order_acquire);
        if (slot == 0) return NONE;
        if ((slot & ~mask) == (tag & ~mask) && same_row(row_at(node, (slot & mask) - 1), row, node->arity)) return (slot & mask) - 1;
        if (UNLIKELY(++*at == node->capacity)) *at = 0;
    }
}

/* The number of a row. `*full` is set when the node must grow before many more are numbered. */
static inline uint32_t node_number(Node *node, const uint32_t *row, _Atomic bool *full) {
    uint64_t hash = row_hash(row, node->arity), at = home_among(hash, node->capacity);
    uint32_t place = node_find(node, row, hash, &at);
    if (LIKELY(place != NONE)) return place;
    while (atomic_exchange_explicit(&node->locked, true, memory_order_acquire)) sched_yield();
    place = node_find(node, row, hash, &at);
    if (place == NONE) {
        place = atomic_load_explicit(&node->count, memory_order_relaxed);
        memcpy(row_at(node, place), row, row_bytes(node));
        atomic_store_explicit(&((_Atomic uint32_t *)node->index.base)[at], slot_of_row(node, hash, place), memory_order_release);
        atomic_store_explicit(&node->count, place + 1, memory_order_relaxed);
        if (UNLIKELY(place + 1 >= node->soft)) atomic_store(full, true);
    }
    atomic_store_explicit(&node->locked, false, memory_order_release);
    return place;
}

static void node_close(Node *node, Budget *budget) {
    region_return(&node->rows, budget);
    region_return(&node->index, budget);
}

/* A node more, of these parts. False without memory. */
static bool node_open(Tree *tree, const unsigned *parts, unsigned arity, size_t limit, Budget *budget) {
    Node *node = &tree->nodes[tree->node_count++];
    memset(node, 0, sizeof *node);
    node->first = tree->below_count;
    node->arity = arity;
    node->capacity = ROWS_MIN;
    for (unsigned i = 0; i < arity; i++) tree->below[tree->below_count++] = parts[i];
    return region_reserve(&node->rows, limit, ALL_OVER) && region_reserve(&node->index, limit, ALL_OVER) &&
           region_commit(&node->index, ROWS_MIN * sizeof(uint32_t), budget);
}

/* Build the index anew from the rows. */
static void node_index(Node *node) {
    memset(node->index.base, 0, node->capacity * sizeof(uint32_t));
    for (uint32_t place = 0; place < node->count; place++) {
        uint64_t hash = row_hash(row_at(node, place), node->arity), at = home_among(hash, node->capacity);
        node_find(node, row_at(node, place), hash, &at);
        ((uint32_t *)node->index.base)[at] = slot_of_row(node, hash, place);
    }
}

/* Room for at least `slack` rows more, and `soft` so that they are still free when it is reached. False without memory. */
static bool node_room(Node *node, uint64_t slack, uint64_t most, Budget *budget) {
    uint64_t wanted = node->count + 2 * slack;
    wanted += wanted / 8;
    if (wanted > most) wanted = most;
    if (wanted <= node->count + slack) return false;
    uint64_t capacity = node->capacity;
    if (wanted > capacity - capacity / 4) capacity = wanted + wanted / 2;
    if (!region_commit(&node->rows, wanted * row_bytes(node), budget) ||
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
        if (!any_below(tree, node, changed)) continue;
        uint32_t row[HALVES];
        row_of(tree, node, parts, row);
        uint32_t number = node_number(node, row, full);
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
        const uint32_t *row = row_at(node, parts[HALVES + n]);
        for (unsigned i = 0; i < node->arity; i++) parts[tree->below[node->first + i]] = row[i];
    }
    for (unsigned i = 0; i < MODEL_WORDS; i++) s.w[i] = parts[2 * i] | (uint64_t)parts[2 * i + 1] << 32;
    return s;
}

/* ---- Growing: one thread, and nobody reads --------------------------------------------------------------------- */

/* The most rows that a node may have: those of topmost nodes must fit into their fields. */
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

/* Room for `slack` rows more in every node that is full. False if some field or the memory is too small for it. */
static bool tree_room(Tree *tree, uint64_t slack, Budget *budget) {
    for (unsigned n = 0; n < tree->node_count; n++) {
        Node *node = &tree->nodes[n];
        if (node->count >= node->soft && !node_room(node, slack, pairs_most(tree, n), budget)) return false;
    }
    return true;
}

static void tree_close(Tree *tree, Budget *budget) {
    for (unsigned n = 0; n < tree->node_count; n++) node_close(&tree->nodes[n], budget);
    tree->node_count = tree->below_count = 0;
}

static size_t tree_bytes(const Tree *tree) {
    size_t bytes = 0;
    for (unsigned n = 0; n < tree->node_count; n++) bytes += tree->nodes[n].rows.committed + tree->nodes[n].index.committed;
    return bytes;
}

/* ---- Contracting: one thread, and nobody reads ----------------------------------------------------------------- */

/* The node that a node is part of, or the number of nodes if it is topmost. */
static unsigned node_above(const Tree *tree, unsigned n) {
    for (unsigned above = n + 1; above < tree->node_count; above++)
        for (unsigned i = 0; i < tree->nodes[above].arity; i++)
            if (tree->below[tree->nodes[above].first + i] == HALVES + n) return above;
    return tree->node_count;
}

/* The bytes that contracting a node takes more than it saves. */
static int64_t contraction_cost(const Tree *tree, unsigned n, unsigned above) {
    const Node *node = &tree->nodes[n], *upper = &tree->nodes[above];
    return (int64_t)upper->count * (int64_t)(row_bytes(node) - sizeof(uint32_t)) - (int64_t)node->count * (int64_t)(row_bytes(node) + SLOT_BYTES);
}

/* The rows of a node with those of one of its parts in the place of their numbers. */
static void rows_contracted(const Tree *tree, const Node *node, unsigned part, const Node *lower, Node *into) {
    for (uint32_t place = 0; place < node->count; place++) {
        const uint32_t *row = row_at(node, place);
        uint32_t *at = row_at(into, place);
        for (unsigned i = 0; i < node->arity; i++) {
            if (tree->below[node->first + i] != part) *at++ = row[i];
            else {
                memcpy(at, row_at(lower, row[i]), row_bytes(lower));
                at += lower->arity;
            }
        }
    }
}

/* Replace a node by its parts wherever parts are named, and count the nodes without it. */
static void parts_contracted(Tree *tree, unsigned n) {
    unsigned below[PARTS_MAX], count = 0, part = HALVES + n;
    const Node gone = tree->nodes[n];
    for (unsigned k = 0; k < tree->node_count; k++) {
        Node *node = &tree->nodes[k];
        unsigned first = count;
        for (unsigned i = 0; i < node->arity && k != n; i++) {
            unsigned one = tree->below[node->first + i];
            for (unsigned j = 0; one == part && j < gone.arity; j++) below[count++] = tree->below[gone.first + j];
            if (one != part) below[count++] = one - (one > part);
        }
        node->first = first;
        node->arity = count - first;
    }
    memcpy(tree->below, below, count * sizeof *below);
    tree->below_count = count;
    memmove(tree->nodes + n, tree->nodes + n + 1, (--tree->node_count - n) * sizeof *tree->nodes);
    for (unsigned i = 0; i < tree->field_count; i++) tree->fields[i].part -= tree->fields[i].part > part;
}

/* Contract a node into the one above it. False, and nothing changed, without memory. */
static bool node_contract(Tree *tree, unsigned n, unsigned above, size_t limit, Budget *budget) {
    Node *node = &tree->nodes[above], other = *node;
    size_t rows = node->rows.committed / row_bytes(node);
    other.arity += tree->nodes[n].arity - 1;
    other.rows = (Region){0};
    if (!region_reserve(&other.rows, limit, ALL_OVER) || !region_commit(&other.rows, rows * row_bytes(&other), budget)) {
        region_return(&other.rows, budget);
        return false;
    }
    rows_contracted(tree, node, HALVES + n, &tree->nodes[n], &other);
    region_return(&node->rows, budget);
    node->rows = other.rows;
    node_close(&tree->nodes[n], budget);
    parts_contracted(tree, n);
    node_index(&tree->nodes[above - 1]);
    return true;
}

/* Contract what takes no more than so many bytes, the cheapest first, one node after the other. Whether anything was. */
static bool tree_contract(Tree *tree, uint64_t bytes, size_t limit, Budget *budget) {
    for (bool any = false;; any = true) {
        unsigned best = tree->node_count, into = best;
        int64_t least = (int64_t)bytes + 1;
        for (unsigned n = 0; n < tree->node_count; n++) {
            unsigned above = node_above(tree, n);
            int64_t cost = above < tree->node_count ? contraction_cost(tree, n, above) : least;
            if (cost >= least) continue;
            least = cost;
            best = n;
            into = above;
        }
        if (best == tree->node_count || !node_contract(tree, best, into, limit, budget)) return any;
    }
}

static void tree_field(Tree *tree, unsigned part, unsigned bits) {
    tree->fields[tree->field_count++] = (Field){.part = part, .shift = tree->key_bits, .bits = bits};
    tree->key_bits += bits;
}

#endif
