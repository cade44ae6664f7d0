/* A tree (tree.h) in a file: its shape, and the pairs of each node. What finds a pair is rebuilt. */
#ifndef QUORATE_TREEFILE_H
#define QUORATE_TREEFILE_H

#include "stream.h"
#include "tree.h"

typedef struct {
    uint64_t nodes, fields, key_bits;
    struct {
        uint64_t left, right, count;
    } node[NODES_MAX];
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
        head->node[n].left = tree->nodes[n].left;
        head->node[n].right = tree->nodes[n].right;
        head->node[n].count = tree->nodes[n].count;
    }
    for (unsigned i = 0; i < tree->field_count; i++) {
        head->field[i].part = tree->fields[i].part;
        head->field[i].bits = tree->fields[i].bits;
    }
}

/* Whether what a file says of a tree can be so. */
static bool tree_sound(const TreeHead *head) {
    uint64_t key_bits = 0;
    bool sound = head->nodes <= NODES_MAX && head->fields <= NODES_MAX && head->key_bits <= KEY_BITS_MAX;
    for (unsigned n = 0; sound && n < head->nodes; n++)
        sound = head->node[n].left < HALVES + n && head->node[n].right < HALVES + n && head->node[n].count <= ones_of(ID_BITS_MAX);
    for (unsigned i = 0; sound && i < head->fields; i++) {
        key_bits += head->field[i].bits;
        sound = head->field[i].part >= HALVES && head->field[i].part < HALVES + head->nodes && head->field[i].bits <= ID_BITS_MAX;
    }
    return sound && (MODEL_WORDS == 1 || key_bits == head->key_bits);
}

/* A tree of this shape in the place of the one that there is, with room for its pairs. False without memory. */
static bool tree_shape(Tree *tree, const TreeHead *head, size_t limit, Budget *budget) {
    tree_close(tree, budget);
    memset(tree, 0, sizeof *tree);
    for (unsigned n = 0; n < head->nodes; n++) {
        Node *node = &tree->nodes[tree->node_count++];
        if (!node_open(node, (unsigned)head->node[n].left, (unsigned)head->node[n].right, limit, budget) ||
            !region_commit(&node->pairs, head->node[n].count * sizeof(uint64_t), budget))
            return false;
        node->count = (uint32_t)head->node[n].count;
    }
    for (unsigned i = 0; i < head->fields; i++) tree_field(tree, (unsigned)head->field[i].part, (unsigned)head->field[i].bits);
    tree->key_bits = (unsigned)head->key_bits;
    return true;
}

/* The pairs, node by node. */
static void tree_pass(const Tree *tree, Stream *stream, Pass pass) {
    for (unsigned n = 0; n < tree->node_count; n++) pass(stream, tree->nodes[n].pairs.base, tree->nodes[n].count * sizeof(uint64_t));
}

/* Make the pairs findable again. False without memory. */
static bool tree_index(Tree *tree, Budget *budget) {
    for (unsigned n = 0; n < tree->node_count; n++) {
        Node *node = &tree->nodes[n];
        uint64_t capacity = node->count + node->count / 2 + PAIRS_MIN;
        if (!region_commit(&node->index, capacity * sizeof(uint32_t), budget)) return false;
        node->capacity = capacity;
        node_index(node);
    }
    return true;
}

#endif
