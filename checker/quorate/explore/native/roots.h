/* A set of numbers of at most 63 bits in little more room than information theory asks for: what a state is, to a tree store (tree.h).
 *
 * A number is kept as the image under a bijection of numbers of `key_bits` bits, which scatters it. Its highest bits say in which bucket
 * it is, and are not written down; the rest is one entry of the bucket, and all entries lie one after the other, ascending, each in
 * as many bits as it needs. So n numbers of k bits take n (k - log2 n + 5) bits and 4 bytes for each bucket of 4 to 8. This is Cleary's
 * compact hashing (IEEE Transactions on Computers C-33, 1984), with the places of buckets written down instead of searched for, because
 * nothing is ever inserted: what is new stands in a small table of 8 bytes a number, `recent`, and now and then all of that is merged
 * into the entries, in place, from the back to the front. Between two merges the entries are only read, so that any number of threads
 * may look into them; the small table is one of open addressing, in which insertion is one compare-and-swap.
 *
 * An entry also has two marks, which its owner may set when it merges and clear at any time.
 *
 * A number is handed over as a *value*: its image, shifted to the highest bits, with the lowest bit set. So values are never 0, are ordered
 * as images are, and their highest bits say where they belong in a table of any size.
 */
#ifndef QUORATE_ROOTS_H
#define QUORATE_ROOTS_H

#include "table.h"

#define KEY_BITS_MAX 63
enum { MARKS = 2, BUCKET_FULL = 8 };
#ifndef RECENT_MIN /* A test that wants to see many merges takes fewer. */
#define RECENT_MIN ((uint64_t)1 << 15)
#endif

typedef struct {
    Region entries, starts, recent;
    Region holds[MARKS];         /* one bit a bucket: whether some entry of it may have the mark */
    uint64_t count, capacity;    /* entries; slots of `recent` */
    unsigned key_bits, bucket_bits;
} Roots;

static inline uint64_t ones_of(unsigned bits) { return bits >= 64 ? ~(uint64_t)0 : ((uint64_t)1 << bits) - 1; }

/* ---- The bijection --------------------------------------------------------------------------------------------- */

#define SCATTER_1 0xBF58476D1CE4E5B9u
#define SCATTER_2 0x94D049BB133111EBu

/* What takes the multiplications back. */
#define GATHER_1 0x96DE1B173F119089u
#define GATHER_2 0x319642B2D24D8EC3u
_Static_assert(SCATTER_1 * GATHER_1 == 1 && SCATTER_2 * GATHER_2 == 1, "modulo 2 to the 64th");

static inline uint64_t value_of(const Roots *roots, uint64_t key) {
    uint64_t mask = ones_of(roots->key_bits);
    unsigned half = (roots->key_bits + 1) / 2;
    key = (key ^ key >> half) * SCATTER_1 & mask;
    key = (key ^ key >> half) * SCATTER_2 & mask;
    key ^= key >> half;
    return key << (64 - roots->key_bits) | 1;
}

static inline uint64_t key_of(const Roots *roots, uint64_t value) {
    uint64_t mask = ones_of(roots->key_bits), key = value >> (64 - roots->key_bits);
    unsigned half = (roots->key_bits + 1) / 2;
    key = (key ^ key >> half) * GATHER_2 & mask;
    key = (key ^ key >> half) * GATHER_1 & mask;
    return key ^ key >> half;
}

/* ---- Entries --------------------------------------------------------------------------------------------------- */

static inline unsigned rest_bits(const Roots *roots) { return roots->key_bits - roots->bucket_bits; }
static inline unsigned entry_bits(const Roots *roots) { return rest_bits(roots) + MARKS; }
static inline uint64_t bucket_count(const Roots *roots) { return (uint64_t)1 << roots->bucket_bits; }
static inline uint64_t bucket_of(const Roots *roots, uint64_t value) { return value >> (64 - roots->bucket_bits); }
static inline uint64_t rest_of(const Roots *roots, uint64_t value) { return value << roots->bucket_bits >> (64 - rest_bits(roots)); }
static inline uint32_t *starts_of(const Roots *roots) { return (uint32_t *)roots->starts.base; }
static inline _Atomic uint64_t *holds_of(const Roots *roots, unsigned mark) { return (_Atomic uint64_t *)roots->holds[mark].base; }

static inline uint64_t value_at(const Roots *roots, uint64_t bucket, uint64_t entry) {
    return (bucket << rest_bits(roots) | entry >> MARKS) << (64 - roots->key_bits) | 1;
}

/* Words are read while marks in them are cleared; what is read of them besides does not change. */
static inline uint64_t word_at(const Roots *roots, uint64_t i) {
    return atomic_load_explicit(&((_Atomic uint64_t *)roots->entries.base)[i], memory_order_relaxed);
}

static inline uint64_t entry_at(const Roots *roots, uint64_t i, unsigned width) {
    uint64_t at = i * width, bits = word_at(roots, at / 64) >> at % 64;
    if (at % 64 + width > 64) bits |= word_at(roots, at / 64 + 1) << (64 - at % 64);
    return bits & ones_of(width);
}

static inline void entry_put(Roots *roots, uint64_t i, unsigned width, uint64_t entry) {
    uint64_t *words = (uint64_t *)roots->entries.base, at = i * width, mask = ones_of(width);
    unsigned shift = at % 64;
    words += at / 64;
    words[0] = (words[0] & ~(mask << shift)) | entry << shift;
    if (shift + width > 64) words[1] = (words[1] & ~(mask >> (64 - shift))) | entry >> (64 - shift);
}

static inline void mark_clear(Roots *roots, uint64_t i, unsigned width, unsigned mark) {
    uint64_t at = i * width + mark;
    atomic_fetch_and_explicit(&((_Atomic uint64_t *)roots->entries.base)[at / 64], ~((uint64_t)1 << at % 64), memory_order_relaxed);
}

static inline void holds_set(Roots *roots, uint64_t bucket, unsigned mark) {
    ((uint64_t *)roots->holds[mark].base)[bucket / 64] |= (uint64_t)1 << bucket % 64;
}

/* The number of the entry that has a value, or NOWHERE. There is a word behind the last one. */
static inline uint64_t roots_find(const Roots *roots, uint64_t value) {
    const uint32_t *starts = starts_of(roots) + bucket_of(roots, value);
    uint64_t width = entry_bits(roots), wanted = rest_of(roots, value), mask = ones_of(rest_bits(roots));
    for (uint64_t at = starts[0] * width + MARKS, end = starts[1] * width; at < end; at += width) {
        uint64_t rest = (word_at(roots, at / 64) >> at % 64 | word_at(roots, at / 64 + 1) << 1 << (63 - at % 64)) & mask;
        if (rest >= wanted) return rest == wanted ? at / width : NOWHERE;
    }
    return NOWHERE;
}

PREFETCHING void roots_prefetch_bucket(const Roots *roots, uint64_t value) {
    __builtin_prefetch(starts_of(roots) + bucket_of(roots, value));
    __builtin_prefetch((uint64_t *)roots->recent.base + home_among(value, roots->capacity), 1);
}

PREFETCHING void roots_prefetch_entries(const Roots *roots, uint64_t value) {
    const char *at = roots->entries.base + (uint64_t)starts_of(roots)[bucket_of(roots, value)] * entry_bits(roots) / 8;
    __builtin_prefetch(at);
    __builtin_prefetch(at + 64);
}

/* ---- What is new ----------------------------------------------------------------------------------------------- */

/* Whether a value was not there; it is now. */
static inline bool roots_insert(Roots *roots, uint64_t value) {
    _Atomic uint64_t *slots = (_Atomic uint64_t *)roots->recent.base;
    bool looked = false;
    for (uint64_t at = home_among(value, roots->capacity);;) {
        uint64_t slot = atomic_load_explicit(&slots[at], memory_order_relaxed);
        if (slot == 0) {
            if (!looked && roots_find(roots, value) != NOWHERE) return false;
            looked = true;
            if (atomic_compare_exchange_strong_explicit(&slots[at], &slot, value, memory_order_relaxed, memory_order_relaxed))
                return true;
        }
        if (slot == value) return false;
        if (UNLIKELY(++at == roots->capacity)) at = 0;
    }
}

static inline bool roots_has(const Roots *roots, uint64_t value) {
    const _Atomic uint64_t *slots = (const _Atomic uint64_t *)roots->recent.base;
    for (uint64_t at = home_among(value, roots->capacity);;) {
        uint64_t slot = atomic_load_explicit(&slots[at], memory_order_relaxed);
        if (slot == value) return true;
        if (slot == 0) return roots_find(roots, value) != NOWHERE;
        if (UNLIKELY(++at == roots->capacity)) at = 0;
    }
}

/* How many values there may be before they must be merged. */
static inline uint64_t roots_full_at(const Roots *roots) { return roots->count + roots->capacity - roots->capacity / 5; }

/* ---- Merging: one thread, and nobody reads --------------------------------------------------------------------- */

/* Twice as many buckets: an entry's highest bit is not written down any more. Whether memory allows it does not matter. */
static void roots_split(Roots *roots, Budget *budget) {
    uint64_t buckets = bucket_count(roots);
    if (!region_commit(&roots->starts, (2 * buckets + 1) * sizeof(uint32_t), budget)) return;
    for (int mark = 0; mark < MARKS; mark++)
        if (!region_commit(&roots->holds[mark], buckets / 4, budget)) return;
    uint32_t *starts = starts_of(roots);
    unsigned width = entry_bits(roots);
    for (uint64_t b = buckets; b-- > 0;) {
        uint32_t middle = starts[b], end = starts[b + 1];
        while (middle < end && !(entry_at(roots, middle, width) >> (width - 1))) middle++;
        starts[2 * b + 2] = end;
        starts[2 * b + 1] = middle;
        for (int mark = 0; mark < MARKS; mark++) {
            uint64_t *holds = (uint64_t *)roots->holds[mark].base, held = holds[b / 64] >> b % 64 & 1, both = (uint64_t)3 << 2 * b % 64;
            holds[2 * b / 64] = held ? holds[2 * b / 64] | both : holds[2 * b / 64] & ~both;
        }
    }
    for (uint64_t i = 0; i < roots->count; i++)
        entry_put(roots, i, width - 1, entry_at(roots, i, width) & ones_of(width - 1));
    roots->bucket_bits++;
}

/* Put the sorted values among the entries, with marks. */
static void roots_interleave(Roots *roots, const uint64_t *values, uint64_t count, unsigned marks) {
    uint32_t *starts = starts_of(roots);
    unsigned width = entry_bits(roots);
    uint64_t from = roots->count, to = roots->count + count;
    for (uint64_t bucket = bucket_count(roots); count > 0;) {
        uint64_t begin = starts[--bucket];
        starts[bucket + 1] = (uint32_t)to;
        while (count > 0 && bucket_of(roots, values[count - 1]) == bucket) {
            uint64_t rest = rest_of(roots, values[--count]);
            for (; from > begin; from--) {
                uint64_t entry = entry_at(roots, from - 1, width);
                if (entry >> MARKS < rest) break;
                entry_put(roots, --to, width, entry);
            }
            entry_put(roots, --to, width, rest << MARKS | marks);
            for (unsigned mark = 0; mark < MARKS; mark++)
                if (marks >> mark & 1) holds_set(roots, bucket, mark);
        }
        for (; from > begin && count > 0; from--) entry_put(roots, --to, width, entry_at(roots, from - 1, width));
    }
}

/* Merge the `recent` values, so many, into the entries, with marks. False, and nothing changed, without memory. */
static bool roots_merge(Roots *roots, uint64_t recent, unsigned marks, Budget *budget) {
    if (recent == 0) return true;
    uint64_t total = roots->count + recent;
    Spreading *work = total <= UINT32_MAX ? malloc(sizeof *work) : NULL;
    if (!work || !region_commit(&roots->entries, total * entry_bits(roots) / 8 + 16, budget)) {
        free(work);
        return false;
    }
    uint64_t *slots = (uint64_t *)roots->recent.base;
    work->aside_count = 0;
    bool all = spread_pack(slots, roots->capacity, work) == recent;
    free(work);
    if (!all) return false;
    roots_interleave(roots, slots, recent, marks);
    memset(slots, 0, recent * sizeof *slots);
    roots->count = total;
    while (roots->count > BUCKET_FULL * bucket_count(roots)) {
        unsigned before = roots->bucket_bits;
        roots_split(roots, budget);
        if (roots->bucket_bits == before) break;
    }
    uint64_t capacity = roots->count / 8 + roots->count / 32;
    if (capacity > roots->capacity && region_commit(&roots->recent, capacity * sizeof *slots, budget)) roots->capacity = capacity;
    return true;
}

/* Mark the entry that has a value, which is there. */
static void roots_mark(Roots *roots, uint64_t value, unsigned mark) {
    uint64_t i = roots_find(roots, value);
    unsigned width = entry_bits(roots);
    entry_put(roots, i, width, entry_at(roots, i, width) | (uint64_t)1 << mark);
    holds_set(roots, bucket_of(roots, value), mark);
}

/* ---- Opening --------------------------------------------------------------------------------------------------- */

static void roots_close(Roots *roots, Budget *budget) {
    region_return(&roots->entries, budget);
    region_return(&roots->starts, budget);
    region_return(&roots->recent, budget);
    for (int mark = 0; mark < MARKS; mark++) region_return(&roots->holds[mark], budget);
}

/* Room for so many buckets, and no entries. */
static bool roots_room(Roots *roots, unsigned bucket_bits, Budget *budget) {
    roots->bucket_bits = bucket_bits;
    bool good = region_commit(&roots->starts, (bucket_count(roots) + 1) * sizeof(uint32_t), budget);
    for (int mark = 0; good && mark < MARKS; mark++) good = region_commit(&roots->holds[mark], bucket_count(roots) / 8 + 8, budget);
    return good;
}

/* An empty set of numbers of so many bits. False without memory. */
static bool roots_open(Roots *roots, unsigned key_bits, size_t limit, Budget *budget) {
    memset(roots, 0, sizeof *roots);
    roots->key_bits = key_bits;
    roots->capacity = RECENT_MIN;
    bool good = region_reserve(&roots->entries, limit, ALL_OVER) && region_reserve(&roots->starts, limit, ALL_OVER) &&
                region_reserve(&roots->recent, limit, ALL_OVER);
    for (int mark = 0; good && mark < MARKS; mark++) good = region_reserve(&roots->holds[mark], limit / 64 + HUGE_PAGE, ALL_OVER);
    return good && roots_room(roots, key_bits > 6 ? 6 : key_bits - 1, budget) &&
           region_commit(&roots->entries, 64, budget) && region_commit(&roots->recent, RECENT_MIN * sizeof(uint64_t), budget);
}

static size_t roots_bytes(const Roots *roots) {
    return roots->entries.committed + roots->starts.committed + roots->recent.committed + roots->holds[0].committed + roots->holds[1].committed;
}

#endif
