/* The parts of a tree store by themselves, and the index of a graph.
 *
 *     roots keys            numbers of all widths through the bijection and back; prints how many came back as others
 *     roots set BITS SEED   numbers of so many bits are inserted, merged, marked and looked up; prints how many were found wrongly
 *     roots tree SEED       states of words of few values are numbered by a first tree and by a chosen one, and read back, also when nodes are
 *                           contracted
 *     roots index           slots with numbers of all widths are numbered anew; prints how many have another number, or another hash, then
 */
#define MODEL_WORDS 3
#define MODEL_BITS 190
#define MODEL_ARGS 1
#define MODEL_ACTIONS 1
#define MODEL_BOUNDS 1
#define MODEL_HAS_STEPS 0
#define MODEL_SLEEP 0
#define MODEL_GROUPS 1
#define RECENT_MIN 64
#include "model.h"

#include <sched.h>

#include "vertices.h"

static unsigned model_step(const State *old, const State *new) { return old == new ? NONE : NONE; }
static inline uint64_t model_before(unsigned group) { return group; }
static inline uint64_t model_independent(unsigned group) { return group; }

static const size_t LIMIT = (size_t)1 << 30;

static uint64_t keys(void) {
    uint64_t wrong = 0;
    for (unsigned bits = 2; bits <= KEY_BITS_MAX; bits++) {
        Roots roots = {.key_bits = bits};
        for (uint64_t i = 0; i < 2000; i++) {
            uint64_t key = (i < 1000 ? i : scattered(i)) & ones_of(bits), value = value_of(&roots, key);
            wrong += key_of(&roots, value) != key || value == 0;
        }
    }
    return wrong;
}

/* Every third number is inserted, twice; of each batch the marks are its number's parity. */
static uint64_t set(unsigned bits, uint64_t seed) {
    Budget budget = {.limit = LIMIT};
    Roots roots;
    uint64_t wrong = 0, recent = 0, most = bits < 14 ? (uint64_t)1 << bits : 16000, batch = 0;
    if (!roots_open(&roots, bits, LIMIT, &budget)) return 1;
    for (uint64_t i = 0; i < most; i += 3) {
        uint64_t value = value_of(&roots, (i * (2 * seed + 1)) & ones_of(bits));
        wrong += !roots_insert(&roots, value);
        wrong += roots_insert(&roots, value) || !roots_has(&roots, value);
        if (roots.count + ++recent < roots_full_at(&roots)) continue;
        wrong += !roots_merge(&roots, recent, 1u << (batch++ & 1), &budget);
        recent = 0;
    }
    wrong += !roots_merge(&roots, recent, 1u << (batch & 1), &budget);
    uint64_t met = 0, marked[MARKS] = {0};
    for (uint64_t bucket = 0; bucket < bucket_count(&roots); bucket++)
        for (uint64_t i = starts_of(&roots)[bucket]; i < starts_of(&roots)[bucket + 1]; i++, met++) {
            uint64_t entry = entry_at(&roots, i, entry_bits(&roots));
            wrong += roots_find(&roots, value_at(&roots, bucket, entry)) != i;
            for (unsigned mark = 0; mark < MARKS; mark++) {
                marked[mark] += entry >> mark & 1;
                if (entry >> mark & 1) wrong += !(holds_of(&roots, mark)[bucket / 64] >> bucket % 64 & 1);
            }
        }
    wrong += met != roots.count || met != (most + 2) / 3 || marked[0] + marked[1] != met;
    for (uint64_t i = 0; i < most; i++)
        wrong += roots_has(&roots, value_of(&roots, (i * (2 * seed + 1)) & ones_of(bits))) != (i % 3 == 0);
    roots_close(&roots, &budget);
    return wrong + (budget.used != 0);
}

static State drawn(uint64_t i, uint64_t seed) {
    uint64_t a = scattered(3 * i + seed), b = scattered(a + 1);
    return (State){{(a & 7) << 40 | (b & 3), (a >> 8 & 63) << 32 | (b >> 8 & 1), b >> 20 & 255}};
}

static uint64_t number_all(Tree *tree, uint64_t seed, Budget *budget) {
    Numbered last = {.valid = false};
    _Atomic bool full = false;
    uint64_t wrong = !tree_room(tree, 1, budget);
    for (uint64_t i = 0; i < 3000; i++) {
        State s = drawn(i, seed);
        tree_number(tree, &s, &last, &full);
        if (full) wrong += !tree_room(tree, 1, budget);
        full = false;
    }
    return wrong;
}

/* Nodes are contracted one after the other, until only topmost ones are left: every state keeps its key. */
static uint64_t contracted(Tree *tree, uint64_t seed, Budget *budget) {
    uint64_t wrong = 0;
    bool more = true;
    for (uint64_t bytes = 0; more; bytes = 2 * bytes + 1) {
        uint64_t keys[3000];
        for (uint64_t i = 0; i < 3000; i++) {
            Numbered fresh = {.valid = false};
            _Atomic bool full = false;
            State s = drawn(i, seed);
            keys[i] = tree_key(tree, &s, &fresh, &full);
        }
        more = tree->node_count > tree->field_count;
        tree_contract(tree, bytes, LIMIT, budget);
        Numbered last = {.valid = false};
        for (uint64_t i = 0; i < 3000; i++) {
            _Atomic bool full = false;
            State s = drawn(i, seed), back = tree_state(tree, keys[i]);
            wrong += !same_state(&s, &back) || tree_key(tree, &s, &last, &full) != keys[i];
        }
    }
    return wrong;
}

static uint64_t tree(uint64_t seed) {
    Budget budget = {.limit = LIMIT};
    State sample[500];
    uint64_t wrong = 0;
    for (uint64_t i = 0; i < 500; i++) sample[i] = drawn(5 * i, seed);
    for (int chosen = 0; chosen < 2; chosen++) {
        Tree tree;
        Numbered last = {.valid = false};
        _Atomic bool full = false;
        wrong += !plan_tree(&tree, sample, chosen ? 500 : 0, KEY_BITS_MAX, 1, LIMIT, &budget);
        wrong += number_all(&tree, seed, &budget);
        if (chosen) wrong += plan_fields(&tree, 1) != 0;
        for (uint64_t i = 0; i < 3000; i++) {
            State s = drawn(i, seed), back = tree_state(&tree, tree_key(&tree, &s, &last, &full));
            wrong += !same_state(&s, &back);
        }
        wrong += contracted(&tree, seed, &budget);
        tree_close(&tree, &budget);
    }
    return wrong + (budget.used != 0);
}

static uint64_t index_of_all_widths(void) {
    uint64_t wrong = 0;
    for (unsigned bits = 4; bits <= 32; bits++) {
        Vertices v = {.number_bits = bits};
        for (uint64_t i = 0; i < 1000; i++) {
            uint64_t hash = scattered(i), most = ones_of(bits) - 1, first = scattered(hash) % most, second = scattered(first) % most;
            _Atomic uint32_t slot = slot_for_number(&v, first, hash);
            wrong += slot_number(&v, slot) != first;
            slot_renumber(&v, &slot, second);
            wrong += slot_number(&v, slot) != second || !tag_fits(&v, slot, hash);
        }
    }
    return wrong;
}

int main(int argc, char **argv) {
    if (argc < 2) return 1;
    uint64_t wrong = argv[1][0] == 'k' ? keys() : argv[1][0] == 'i' ? index_of_all_widths() : argv[1][0] == 's' ? set((unsigned)atoi(argv[2]), strtoull(argv[3], NULL, 10)) : tree(strtoull(argv[2], NULL, 10));
    printf("wrong=%llu\n", (unsigned long long)wrong);
    return 0;
}
