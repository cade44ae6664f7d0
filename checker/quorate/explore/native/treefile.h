/* A tree (tree.h) in a file: its shape, and the rows of each node. What finds a row is rebuilt. */
#ifndef QUORATE_TREEFILE_H
#define QUORATE_TREEFILE_H

#include "stream.h"
#include "tree.h"

typedef struct {
    uint64_t nodes, fields, key_bits;
    struct {
        uint64_t arity, count;
    } node[NODES_MAX];
    uint64_t below[PARTS_MAX];
    struct {
        uint64_t part, bits;
    } field[NODES_MAX];
} TreeHead;

static void tree_describe(const Tree *tree, TreeHead *head) {
    memset(head, 0, sizeof *head);
    head->nodes = tree->node_count;
    head->fields = tree->field_count;
    head->key_bits = tree->key_bits;
    for (unsigned n = 0; n < tree->node_count; n++) {
        head->node[n].arity = tree->nodes[n].arity;
        head->node[n].count = tree->nodes[n].count;
    }
    for (unsigned i = 0; i < tree->below_count; i++) head->below[i] = tree->below[i];
    for (unsigned i = 0; i < tree->field_count; i++) {
        head->field[i].part = tree->fields[i].part;
        head->field[i].bits = tree->fields[i].bits;
    }
}

/* Whether what a file says of a tree can be so. */
static bool tree_sound(const TreeHead *head) {
    uint64_t key_bits = 0, below = 0;
    bool sound = head->nodes <= NODES_MAX && head->fields <= NODES_MAX && head->key_bits <= KEY_BITS_MAX;
    for (unsigned n = 0; sound && n < head->nodes; n++) {
        uint64_t arity = head->node[n].arity, end = below + arity;
        sound = arity >= 1 && arity <= HALVES && end <= PARTS_MAX && head->node[n].count <= ones_of(ID_BITS_MAX);
        for (; sound && below < end; below++) sound = head->below[below] < HALVES + n;
    }
    for (unsigned i = 0; sound && i < head->fields; i++) {
        key_bits += head->field[i].bits;
        sound = head->field[i].part >= HALVES && head->field[i].part < HALVES + head->nodes && head->field[i].bits <= ID_BITS_MAX;
    }
    return sound && (MODEL_WORDS == 1 || key_bits == head->key_bits);
}

/* The bytes of the rows of a tree, as `tree_pass` tells them. */
static uint64_t rows_bytes(const TreeHead *head) {
    uint64_t bytes = 0;
    for (unsigned n = 0; n < head->nodes; n++) bytes += head->node[n].count * head->node[n].arity * sizeof(uint32_t);
    return bytes;
}

/* A tree of this shape in the place of the one that there is, with room for its rows. False without memory. */
static bool tree_shape(Tree *tree, const TreeHead *head, size_t limit, Budget *budget) {
    tree_close(tree, budget);
    memset(tree, 0, sizeof *tree);
    for (unsigned n = 0; n < head->nodes; n++) {
        Node *node = &tree->nodes[n];
        unsigned parts[HALVES], arity = (unsigned)head->node[n].arity;
        for (unsigned i = 0; i < arity; i++) parts[i] = (unsigned)head->below[tree->below_count + i];
        if (!node_open(tree, parts, arity, limit, budget) || !region_commit(&node->rows, head->node[n].count * row_bytes(node), budget))
            return false;
        node->count = (uint32_t)head->node[n].count;
    }
    for (unsigned i = 0; i < head->fields; i++) tree_field(tree, (unsigned)head->field[i].part, (unsigned)head->field[i].bits);
    tree->key_bits = (unsigned)head->key_bits;
    return true;
}

/* The rows, node by node. */
static void tree_pass(const Tree *tree, Stream *stream, Pass pass) {
    for (unsigned n = 0; n < tree->node_count; n++) pass(stream, tree->nodes[n].rows.base, tree->nodes[n].count * row_bytes(&tree->nodes[n]));
}

/* Make the rows findable again. False without memory. */
static bool tree_index(Tree *tree, Budget *budget) {
    for (unsigned n = 0; n < tree->node_count; n++) {
        Node *node = &tree->nodes[n];
        uint64_t capacity = node->count + node->count / 2 + ROWS_MIN;
        if (!region_commit(&node->index, capacity * sizeof(uint32_t), budget)) return false;
        node->capacity = capacity;
        node_index(node);
    }
    return true;
}

#endif
