/* The states of the graph by number, and the number of a state.
 *
 * Numbers are 0, 1, 2, ... as states are put in. Forward, from number to state, there is an array: of the states as they are, or of keys
 * of as many bytes as a key needs, where a state and its key determine each other. A state of one word is its own key; with
 * `--store tree` the key of any other is made by a tree (tree.h), so that a state takes some bytes whatever its width. Backward there
 * is an index of 4 bytes a slot: the number plus one, below as many bits of the hash as are left.
 *
 * It is exact. A number is found only if what stands at it was compared whole, the state or its key. A state has no key when one of its
 * pairs has not occurred: then it was never put in. Which number a pair has depends on the timing of the workers, so keys do; nothing but the
 * forward array and the index knows of keys, and the number of a state does not come from its key.
 *
 * Any number of threads may look for states at a time, and any number may put in states that are new and different, each with a number
 * of its own; not both at a time, but for states that are put in tentatively, with numbers that nothing has yet, and stand elsewhere. Making room, and choosing another tree, is done by one thread while nobody looks.
 */
#ifndef QUORATE_VERTICES_H
#define QUORATE_VERTICES_H

#include "plan.h"

/* A test that wants trees that are outgrown and an index that grows takes less. */
#ifndef INDEX_MIN
#define INDEX_MIN FIRST_CAPACITY
#endif
#ifndef PAIRS_SLACK
#define PAIRS_SLACK 512
#endif
enum { TREED = STORE_TREE && MODEL_WORDS > 1, KEYED = TREED || MODEL_WORDS == 1 };
enum { WHOLE_KEYS = __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__ }; /* Shorter keys are the first bytes of a word. */
enum { WORD_BYTES = WHOLE_KEYS ? 8 : (MODEL_BITS + 7) / 8 };

#define NOBODY UINT64_MAX
#define NO_KEY UINT64_MAX /* No key has its highest bit set. */

typedef struct {
    Region held; /* by number: State, or keys of key_bytes each, and then a word's room */
    unsigned key_bytes; /* of a tree */
    Region slots; /* uint32_t: the index */
    uint64_t capacity;
    unsigned number_bits; /* so many bits of a slot are the number */
    Tree tree;
    uint64_t slack; /* so many states more have room in the tree */
    bool planned;   /* whether the tree was chosen from states that were met */
} Vertices;

/* What is looked for. */
typedef struct {
    uint64_t key, hash;
} Sought;

/* ---- Keys ------------------------------------------------------------------------------------------------------ */

/* The key of a state, or NO_KEY. `last` is what was looked for last: the next state mostly differs from it in few parts. */
static inline uint64_t key_known(const Tree *tree, const State *s, Numbered *last) {
    uint32_t *parts = last->parts;
    bool changed[PARTS_MAX], known = true;
    for (unsigned i = 0; i < HALVES; i++) {
        uint32_t half = half_of(s, i);
        changed[i] = half != parts[i] || !last->valid;
        parts[i] = half;
    }
    for (unsigned n = 0; n < tree->node_count; n++) {
        const Node *node = &tree->nodes[n];
        changed[HALVES + n] = false;
        if (!any_below(tree, node, changed)) {
            known &= parts[HALVES + n] != NONE;
            continue;
        }
        uint32_t number = NONE, row[HALVES];
        bool numbered = true;
        for (unsigned i = 0; i < node->arity; i++) {
            unsigned part = tree->below[node->first + i];
            row[i] = parts[part];
            numbered &= part < HALVES || row[i] != NONE;
        }
        if (numbered) {
            uint64_t hash = row_hash(row, node->arity), at = home_among(hash, node->capacity);
            number = node_find(node, row, hash, &at);
        }
        known &= number != NONE;
        changed[HALVES + n] = number != parts[HALVES + n] || !last->valid;
        parts[HALVES + n] = number;
    }
    last->valid = true;
    if (!known) return NO_KEY;
    uint64_t key = 0;
    for (unsigned i = 0; i < tree->field_count; i++) key |= (uint64_t)parts[tree->fields[i].part] << tree->fields[i].shift;
    return key;
}

/* Of a state of one word it is known when the model is compiled. */
static inline unsigned key_size(const Vertices *v) { return TREED ? v->key_bytes : WORD_BYTES; }

/* What is held of one. */
static inline size_t vertex_bytes(const Vertices *v) { return KEYED ? key_size(v) : sizeof(State); }

static inline uint64_t key_at(const Vertices *v, uint64_t number) {
    uint64_t key;
    memcpy(&key, v->held.base + number * key_size(v), sizeof key);
    return key & ones_of(8 * key_size(v));
}

static inline void key_put(Vertices *v, uint64_t number, uint64_t key) { memcpy(v->held.base + number * key_size(v), &key, key_size(v)); }

static inline State vertex_state(const Vertices *v, uint64_t number) {
    if (KEYED) return tree_state(&v->tree, key_at(v, number));
    return ((const State *)v->held.base)[number];
}

/* ---- The index ------------------------------------------------------------------------------------------------- */

/* What the index knows a state by. */
static inline Sought sought_of(const Vertices *v, const State *s, Numbered *last) {
    if (!TREED) return (Sought){.key = s->w[0], .hash = hash_state(s)};
    uint64_t key = key_known(&v->tree, s, last);
    return (Sought){.key = key, .hash = pair_hash(key)};
}

static inline _Atomic uint32_t *index_home(const Vertices *v, uint64_t hash) {
    return (_Atomic uint32_t *)v->slots.base + home_among(hash, v->capacity);
}

/* Whether a slot has the bits of a hash that stand above the number. */
static inline bool tag_fits(const Vertices *v, uint32_t slot, uint64_t hash) {
    return (uint64_t)(slot ^ (uint32_t)(hash << v->number_bits)) >> v->number_bits == 0;
}

static inline uint64_t slot_number(const Vertices *v, uint32_t slot) { return (slot & (((uint64_t)1 << v->number_bits) - 1)) - 1; }

static inline void vertex_prefetch(const Vertices *v, uint64_t number) {
    __builtin_prefetch(v->held.base + number * vertex_bytes(v));
}

/* States without a number of their own: for now, that of `states[i]` is first + i. */
typedef struct {
    const State *states;
    uint64_t first; /* NOBODY if there are none */
} Tentative;

/* Whether a state is the one that has this number. */
static inline bool vertex_is(const Vertices *v, uint64_t number, const State *s, const Sought *sought, const Tentative *tentative) {
    if (!TREED && number >= tentative->first) return same_state(&tentative->states[number - tentative->first], s);
    return KEYED ? key_at(v, number) == sought->key : same_state(&((const State *)v->held.base)[number], s);
}

/* The number of a state, from `*at` in the index on, or NOBODY. `*at` is then where it stands, or where it may. */
static inline uint64_t vertex_from(const Vertices *v, const State *s, const Sought *sought, const Tentative *tentative, _Atomic uint32_t **at) {
    _Atomic uint32_t *begin = (_Atomic uint32_t *)v->slots.base, *end = begin + v->capacity;
    for (uint32_t slot; (slot = atomic_load_explicit(*at, memory_order_acquire));) {
        if (tag_fits(v, slot, sought->hash)) {
            uint64_t number = slot_number(v, slot);
            if (vertex_is(v, number, s, sought, tentative)) return number;
        }
        if (UNLIKELY(++*at == end)) *at = begin;
    }
    return NOBODY;
}

static inline uint64_t vertex_find(const Vertices *v, const State *s, const Sought *sought, const Tentative *tentative, _Atomic uint32_t **at) {
    *at = index_home(v, sought->hash);
    return TREED && sought->key == NO_KEY ? NOBODY : vertex_from(v, s, sought, tentative, at);
}

static inline uint32_t slot_for_number(const Vertices *v, uint64_t number, uint64_t hash) {
    return (uint32_t)(hash << v->number_bits) | (uint32_t)(number + 1);
}

/* The state that stands in a slot has this number now. */
static inline void slot_renumber(const Vertices *v, _Atomic uint32_t *at, uint64_t number) {
    uint64_t slot = atomic_load_explicit(at, memory_order_relaxed); /* The number may take all of its 32 bits. */
    atomic_store_explicit(at, (uint32_t)(slot >> v->number_bits << v->number_bits | (number + 1)), memory_order_relaxed);
}

static inline void index_put(Vertices *v, uint64_t number, uint64_t hash) {
    _Atomic uint32_t *begin = (_Atomic uint32_t *)v->slots.base, *end = begin + v->capacity, *at = index_home(v, hash);
    for (uint32_t slot = slot_for_number(v, number, hash), none = 0;
         atomic_load_explicit(at, memory_order_relaxed) != 0 ||
         !atomic_compare_exchange_strong_explicit(at, &none, slot, memory_order_relaxed, memory_order_relaxed);
         none = 0)
        if (UNLIKELY(++at == end)) at = begin;
}

/* Put in a state that is new, for which there is room, with a number that nothing else has. What its hash is: the index does not know it yet. */
static inline uint64_t held_put(Vertices *v, uint64_t number, const State *s, Numbered *last) {
    if (TREED) {
        _Atomic bool full = false; /* There is room. */
        uint64_t key = tree_key(&v->tree, s, last, &full);
        key_put(v, number, key);
        return pair_hash(key);
    }
    if (KEYED) key_put(v, number, s->w[0]);
    else ((State *)v->held.base)[number] = *s;
    return hash_state(s);
}

/* ---- Growing: one thread, and nobody looks --------------------------------------------------------------------- */

static size_t held_bytes(const Vertices *v, uint64_t count) {
    return count * vertex_bytes(v) + (KEYED ? sizeof(uint64_t) : 0);
}

/* Whether the index has room for so many states. */
static bool index_roomy(const Vertices *v, uint64_t count) { return count + count / 3 < v->capacity; }

/* Make the index large enough for so many states. It is left empty of meaning until `index_clear` and `index_restore` have been all over it. */
static bool index_enlarge(Vertices *v, uint64_t count, Budget *budget) {
    uint64_t old = v->capacity, capacity = old < INDEX_MIN ? INDEX_MIN : old < (uint64_t)1 << 24 ? 2 * old : old + old / 2;
    while (count + count / 3 >= capacity) capacity += capacity / 2;
    if (!region_commit(&v->slots, capacity * sizeof(uint32_t), budget)) return false;
    v->capacity = capacity;
    v->number_bits = 64 - (unsigned)__builtin_clzll(capacity);
    return true;
}

static void index_clear(Vertices *v, unsigned part, unsigned parts) {
    uint64_t from = v->capacity * part / parts, to = v->capacity * (part + 1) / parts;
    memset((uint32_t *)v->slots.base + from, 0, (to - from) * sizeof(uint32_t));
}

/* Put a part of the numbers below `count` into an index that is clear. Slots are fetched ahead. */
static void index_restore(Vertices *v, uint64_t count, unsigned part, unsigned parts) {
    enum { RESTORED_AHEAD = 16 };
    uint64_t from = count * part / parts, to = count * (part + 1) / parts, hashes[RESTORED_AHEAD];
    for (uint64_t n = from; n < to + RESTORED_AHEAD; n++) {
        if (n >= from + RESTORED_AHEAD) index_put(v, n - RESTORED_AHEAD, hashes[n % RESTORED_AHEAD]);
        if (n >= to) continue;
        if (TREED) hashes[n % RESTORED_AHEAD] = pair_hash(key_at(v, n));
        else {
            State s = vertex_state(v, n);
            hashes[n % RESTORED_AHEAD] = hash_state(&s);
        }
        __builtin_prefetch(index_home(v, hashes[n % RESTORED_AHEAD]), 1);
    }
}

/* Number the parts of all states by a tree that has no pairs yet. */
static bool number_parts(const Vertices *v, Tree *tree, uint64_t count, Numbered *last, Budget *budget) {
    last->valid = false;
    for (uint64_t n = 0; n < count; n++) {
        _Atomic bool full = false;
        State s = vertex_state(v, n);
        tree_number(tree, &s, last, &full);
        if (full && !tree_room(tree, 1, budget)) return false;
    }
    return true;
}

/* A tree for the states that there are: chosen from a sample, its pairs numbered, its fields as wide as they need to be. */
static bool choose_for(const Vertices *v, Tree *tree, uint64_t count, Numbered *last, size_t limit, Budget *budget) {
    uint64_t step = count / SAMPLE_MAX + 1, sampled = 0;
    State *sample = malloc((count / step + 1) * sizeof *sample);
    if (!sample) return false;
    for (uint64_t n = 0; n < count; n += step) sample[sampled++] = vertex_state(v, n);
    bool chosen = false;
    for (unsigned bits = KEY_BITS_MAX; !chosen;) {
        if (!plan_tree(tree, sample, (uint32_t)sampled, bits, v->slack, limit, budget)) break;
        bool good = tree_room(tree, 1, budget) && number_parts(v, tree, count, last, budget);
        unsigned excess = plan_fields(tree, v->slack);
        for (unsigned n = 0; n < tree->node_count; n++) tree->nodes[n].soft = 0;
        chosen = good && excess == 0 && tree_room(tree, v->slack, budget);
        if (!chosen) tree_close(tree, budget);
        if (!chosen && (!good || excess == 0 || bits <= excess)) break;
        bits -= excess;
    }
    free(sample);
    return chosen;
}

static unsigned bytes_of_keys(uint64_t bits) { return WHOLE_KEYS ? 8 : (unsigned)(bits + 7) / 8; }

/* Other keys in the place of those that there are, by another tree. */
static void keys_exchange(Vertices *v, const Tree *tree, Tree *other, uint64_t count, Numbered *last) {
    unsigned before = v->key_bytes, after = bytes_of_keys(other->key_bits);
    _Atomic bool full = false; /* All pairs have occurred. */
    for (uint64_t i = 0; i < count; i++) { /* In the order in which none is written over before it is read. */
        uint64_t n = after <= before ? i : count - 1 - i;
        v->key_bytes = before;
        State s = tree_state(tree, key_at(v, n));
        v->key_bytes = after;
        key_put(v, n, tree_key(other, &s, last, &full));
    }
    v->key_bytes = after;
}

/* Choose a tree anew, and all keys by it; the index must be cleared and restored. False, and all is as it was, without memory. */
static bool vertices_replant(Vertices *v, uint64_t count, size_t limit, Budget *budget) {
    Tree *other = calloc(1, sizeof *other);
    Numbered *last = calloc(1, sizeof *last);
    bool good = other && last && choose_for(v, other, count, last, limit, budget);
    if (good && !region_extend(&v->held, count * bytes_of_keys(other->key_bits) + sizeof(uint64_t), budget)) {
        tree_close(other, budget);
        good = false;
    }
    if (good) {
        keys_exchange(v, &v->tree, other, count, last);
        tree_close(&v->tree, budget);
        v->tree = *other;
    }
    free(other);
    free(last);
    return good;
}

/* Room in the tree for so many states more whose key is not known. `*replanted` is set if all have other keys now. */
static bool tree_ready(Vertices *v, uint64_t count, uint64_t unkeyed, bool *replanted, size_t limit, Budget *budget) {
    uint64_t slack = 2 * unkeyed > PAIRS_SLACK ? 2 * unkeyed : PAIRS_SLACK;
    if (unkeyed > v->slack) {
        v->slack = slack;
        for (unsigned n = 0; n < v->tree.node_count; n++) v->tree.nodes[n].soft = 0;
    }
    if (!v->planned && count >= PLAN_AT) {
        uint64_t before = v->slack;
        v->planned = true;
        v->slack = slack; /* At first nearly all parts are new. */
        *replanted = vertices_replant(v, count, limit, budget);
        if (!*replanted) v->slack = before; /* Without memory for it, the first tree will do. */
    }
    if (tree_roomy(&v->tree) || tree_room(&v->tree, v->slack, budget)) return true;
    return *replanted = vertices_replant(v, count, limit, budget);
}

/* Room for so many states more than `count`, of which so many have no known key. `*moved` is set if the index must be cleared and
   restored. False without memory. */
static bool vertices_room(Vertices *v, uint64_t count, uint64_t more, uint64_t unkeyed, bool *moved, size_t limit, Budget *budget) {
    *moved = false;
    if (TREED && !tree_ready(v, count, unkeyed, moved, limit, budget)) return false;
    if (!index_roomy(v, count + more)) {
        *moved = true;
        if (!index_enlarge(v, count + more, budget)) return false;
    }
    return region_extend(&v->held, held_bytes(v, count + more), budget);
}

/* Numbers are not looked for any more. */
static void index_give_back(Vertices *v, Budget *budget) {
    region_return(&v->slots, budget);
    if (TREED)
        for (unsigned n = 0; n < v->tree.node_count; n++) region_return(&v->tree.nodes[n].index, budget);
}

/* ---- Opening --------------------------------------------------------------------------------------------------- */

static void vertices_close(Vertices *v, Budget *budget) {
    if (TREED) tree_close(&v->tree, budget);
    region_return(&v->held, budget);
    region_return(&v->slots, budget);
}

static bool vertices_open(Vertices *v, size_t limit, Budget *budget) {
    bool good = region_reserve(&v->held, limit, ALL_OVER) && region_reserve(&v->slots, limit, ALL_OVER);
    v->slack = PAIRS_SLACK;
    if (!TREED) return good;
    good = good && plan_tree(&v->tree, NULL, 0, 0, v->slack, limit, budget) && tree_room(&v->tree, v->slack, budget);
    v->key_bytes = bytes_of_keys(v->tree.key_bits);
    return good;
}

#endif
