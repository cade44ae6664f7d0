/* Which halves of a state are paired in a tree (tree.h), chosen from a sample of the states.
 *
 * At first every half is by itself. Again and again the two are paired that save most bits of the key for each value that their pair takes,
 * as long as the bits saved are worth more than the table of the pair, or the key is too long.
 */
#ifndef QUORATE_PLAN_H
#define QUORATE_PLAN_H

#include "tree.h"

#ifndef PLAN_AT /* With so many states a tree is chosen. A test that wants it early takes fewer. */
#define PLAN_AT ((uint64_t)1 << 16)
#endif
enum { HEADROOM = 3 }; /* bits that a field has beyond those it needs, if there is room */

/* A part that is not paired yet, and its number in each state of the sample. */
typedef struct {
    unsigned part;
    uint32_t distinct;
    uint32_t *column;
} Item;

typedef struct {
    Item items[HALVES];
    unsigned count;
    uint32_t *pairs;  /* pairs[a * HALVES + b]: how many values items a < b take together */
    uint64_t *slots;  /* scratch: pairs that were seen */
    uint32_t *places; /* and their numbers */
    uint32_t states, capacity;
    uint64_t slack;   /* pairs that may be added before a field that is full is noticed */
} Planning;

static unsigned bits_for(uint64_t values) { return values < 2 ? 0 : 64 - (unsigned)__builtin_clzll(values - 1); }

/* The bits of a field for so many values: some to spare, and at least as many as are noticed too late. */
static unsigned field_bits(uint64_t values, unsigned headroom, uint64_t slack) {
    unsigned bits = bits_for(values + 1) + headroom, least = bits_for(values + 2 * slack);
    return bits > least ? bits : least;
}

static unsigned item_bits(const Planning *plan, uint64_t values) { return field_bits(values, HEADROOM, plan->slack); }

/* How many values two columns take together; their numbers go to `into` unless it is NULL. */
static uint32_t together(Planning *plan, const uint32_t *a, const uint32_t *b, uint32_t *into) {
    uint32_t distinct = 0;
    memset(plan->places, 0, plan->capacity * sizeof *plan->places);
    for (uint32_t i = 0; i < plan->states; i++) {
        uint64_t pair = a[i] | (uint64_t)b[i] << 32, at = home_among(pair_hash(pair), plan->capacity);
        while (plan->places[at] && plan->slots[at] != pair) at = at + 1 == plan->capacity ? 0 : at + 1;
        if (plan->places[at] == 0) {
            plan->places[at] = ++distinct;
            plan->slots[at] = pair;
        }
        if (into) into[i] = plan->places[at] - 1;
    }
    return distinct;
}

/* Note with how many values item `a` goes together with each other. A part of one value changes nothing. */
static void compare_item(Planning *plan, unsigned a) {
    for (unsigned b = 0; b < plan->count; b++) {
        if (b == a) continue;
        const Item *one = &plan->items[a], *other = &plan->items[b];
        uint32_t distinct = one->distinct == 1 ? other->distinct : other->distinct == 1 ? one->distinct : together(plan, one->column, other->column, NULL);
        plan->pairs[(a < b ? a : b) * HALVES + (a < b ? b : a)] = distinct;
    }
}

static unsigned key_bits_planned(const Planning *plan) {
    unsigned bits = 0;
    for (unsigned i = 0; i < plan->count; i++) bits += item_bits(plan, plan->items[i].distinct);
    return bits;
}

/* The two items to pair next; false if none should be. */
static bool best_pair(const Planning *plan, bool forced, unsigned *left, unsigned *right) {
    double best = 0;
    for (unsigned a = 0; a < plan->count; a++) {
        for (unsigned b = a + 1; b < plan->count; b++) {
            double values = plan->pairs[a * HALVES + b];
            double saved = (double)(item_bits(plan, plan->items[a].distinct) + item_bits(plan, plan->items[b].distinct)) -
                           (double)item_bits(plan, plan->pairs[a * HALVES + b]);
            if (!forced && saved / 8 * plan->states < values * PAIR_BYTES) continue;
            if (saved / values <= best) continue;
            best = saved / values;
            *left = a;
            *right = b;
        }
    }
    return best > 0;
}

static bool pair_items(Planning *plan, Tree *tree, unsigned a, unsigned b, size_t limit, Budget *budget) {
    Item *kept = &plan->items[a], *gone = &plan->items[b];
    if (!node_open(tree, (unsigned[]){kept->part, gone->part}, 2, limit, budget)) return false;
    if (plan->pairs) kept->distinct = together(plan, kept->column, gone->column, kept->column);
    kept->part = HALVES + tree->node_count - 1;
    Item last = plan->items[--plan->count], swapped = *gone;
    *gone = last;
    plan->items[plan->count] = swapped; /* Its column is freed with the others. */
    if (!plan->pairs) return true;
    for (unsigned i = 0; i < plan->count; i++) {
        if (i == b || b == plan->count) continue;
        unsigned l = plan->count;
        plan->pairs[(i < b ? i : b) * HALVES + (i < b ? b : i)] = plan->pairs[i * HALVES + l];
    }
    compare_item(plan, a);
    return true;
}

/* Every topmost part becomes a node. */
static bool items_top(Planning *plan, Tree *tree, size_t limit, Budget *budget) {
    for (unsigned i = 0; i < plan->count; i++) {
        unsigned part = plan->items[i].part;
        if (part < HALVES) {
            part = HALVES + tree->node_count;
            if (!node_open(tree, &plan->items[i].part, 1, limit, budget)) return false;
        }
        tree_field(tree, part, ID_BITS_MAX);
    }
    return true;
}

static bool plan_columns(Planning *plan, const State *sample) {
    plan->capacity = 2 * plan->states + 1;
    plan->pairs = calloc((size_t)HALVES * HALVES, sizeof *plan->pairs);
    plan->slots = malloc(plan->capacity * sizeof *plan->slots);
    plan->places = malloc(plan->capacity * sizeof *plan->places);
    if (!plan->pairs || !plan->slots || !plan->places) return false;
    for (unsigned i = 0; i < HALVES; i++) {
        uint32_t *column = plan->items[i].column = malloc(plan->states * sizeof *column);
        if (!column) return false;
        for (uint32_t k = 0; k < plan->states; k++) column[k] = half_of(&sample[k], i);
        plan->items[i].distinct = together(plan, column, column, column);
    }
    for (unsigned i = 0; i < HALVES; i++) compare_item(plan, i);
    return true;
}

/* A tree without pairs, whose topmost nodes need at most `bits_most` bits in the sample. Without a sample, neighbours are paired until two are
   left. The fields are as wide as can be; who knows the pairs may make them narrower. False without memory. */
static bool plan_tree(Tree *tree, const State *sample, uint32_t states, unsigned bits_most, uint64_t slack, size_t limit, Budget *budget) {
    Planning plan = {.count = HALVES, .states = states, .slack = slack};
    memset(tree, 0, sizeof *tree);
    for (unsigned i = 0; i < HALVES; i++) plan.items[i].part = i;
    bool good = states == 0 || plan_columns(&plan, sample);
    while (good && states == 0 && plan.count > 2)
        for (unsigned i = 0; good && i + 1 < plan.count && plan.count > 2; i++) good = pair_items(&plan, tree, i, i + 1, limit, budget);
    for (unsigned a, b; good && states > 0 && plan.count > 2 && best_pair(&plan, key_bits_planned(&plan) > bits_most, &a, &b);)
        good = pair_items(&plan, tree, a, b, limit, budget);
    good = good && items_top(&plan, tree, limit, budget);
    for (unsigned i = 0; i < HALVES; i++) free(plan.items[i].column);
    free(plan.pairs);
    free(plan.slots);
    free(plan.places);
    if (!good) tree_close(tree, budget);
    return good;
}

static unsigned fields_bits(const Tree *tree, unsigned headroom, uint64_t slack) {
    unsigned bits = 0;
    for (unsigned i = 0; i < tree->field_count; i++)
        bits += field_bits(tree->nodes[tree->fields[i].part - HALVES].count, headroom, slack);
    return bits;
}

/* Make the fields as wide as the pairs that there are need, and some bits more. How many bits too many they have together. */
static unsigned plan_fields(Tree *tree, uint64_t slack) {
    unsigned headroom = HEADROOM, fields = tree->field_count;
    while (headroom > 1 && fields_bits(tree, headroom, slack) > KEY_BITS_MAX) headroom--;
    unsigned bits = fields_bits(tree, headroom, slack);
    if (bits > KEY_BITS_MAX && fields > 2) return bits - KEY_BITS_MAX;
    tree->field_count = tree->key_bits = 0;
    for (unsigned i = 0; i < fields; i++) {
        unsigned part = tree->fields[i].part, own = field_bits(tree->nodes[part - HALVES].count, headroom, slack);
        tree_field(tree, part, own < ID_BITS_MAX ? own : ID_BITS_MAX);
    }
    return 0;
}

#endif
