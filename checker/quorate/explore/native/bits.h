/* Values as bit strings. Included by generated models.
 *
 * A value of a type is a bit string of fixed width, laid out so that comparing bit strings as numbers is the canonical order of the
 * type: the first field, key, or element stands highest. A value of at most 64 bits is one word; a wider one is an array of
 * words, lowest first. Offsets count from bit 0 of word 0. Unused bits are zero, so equal values are equal words.
 */
#ifndef QUORATE_BITS_H
#define QUORATE_BITS_H

#ifndef INLINE /* A program that is compiled often and run briefly, such as a test, leaves it to the compiler. */
#define INLINE static inline __attribute__((always_inline, unused))
#endif

INLINE word ones(unsigned width) { return width >= 64 ? ~(word)0 : ((word)1 << width) - 1; }

INLINE word get1(word from, unsigned at, unsigned width) { return from >> at & ones(width); }

INLINE word get_bits(const word *from, unsigned at, unsigned width) {
    unsigned i = at / 64, shift = at % 64;
    word bits = from[i] >> shift;
    if (shift + width > 64) bits |= from[i + 1] << (64 - shift);
    return bits & ones(width);
}

INLINE void put1(word *to, unsigned at, unsigned width, word bits) { *to = (*to & ~(ones(width) << at)) | bits << at; }

INLINE void put_bits(word *to, unsigned at, unsigned width, word bits) {
    unsigned i = at / 64, shift = at % 64;
    to[i] = (to[i] & ~(ones(width) << shift)) | bits << shift;
    if (shift + width > 64) {
        unsigned rest = shift + width - 64;
        to[i + 1] = (to[i + 1] & ~ones(rest)) | bits >> (64 - shift);
    }
}

/* `width` bits from one place to another. They may overlap if they move down, to lower bits. */
INLINE void copy_bits(word *to, unsigned to_at, const word *from, unsigned from_at, unsigned width) {
    for (; width > 64; width -= 64, to_at += 64, from_at += 64) put_bits(to, to_at, 64, get_bits(from, from_at, 64));
    put_bits(to, to_at, width, get_bits(from, from_at, width));
}

INLINE int compare_words(const word *a, const word *b, unsigned count) {
    for (unsigned i = count; i-- > 0;)
        if (a[i] != b[i]) return a[i] < b[i] ? -1 : 1;
    return 0;
}

INLINE bool any_words(const word *a, unsigned count) {
    word any = 0;
    for (unsigned i = 0; i < count; i++) any |= a[i];
    return any != 0;
}

INLINE int64_t count_words(const word *a, unsigned count) {
    int64_t total = 0;
    for (unsigned i = 0; i < count; i++) total += __builtin_popcountll(a[i]);
    return total;
}

INLINE bool get_bit(const word *a, unsigned at) { return a[at / 64] >> (at % 64) & 1; }
INLINE void put_bit(word *a, unsigned at) { a[at / 64] |= (word)1 << (at % 64); }
INLINE void drop_bit(word *a, unsigned at) { a[at / 64] &= ~((word)1 << (at % 64)); }

/* The first set bit at or after `from`, or `width`. */
INLINE unsigned next_bit(const word *a, unsigned from, unsigned width) {
    while (from < width) {
        word rest = a[from / 64] >> (from % 64);
        if (rest) return from + (unsigned)__builtin_ctzll(rest);
        from = (from / 64 + 1) * 64;
    }
    return width;
}

/* Sequences: a count, then `capacity` elements of `width` bits, element 0 highest; `at` is where the last one lies. */
INLINE word element_at(const word *a, unsigned at, unsigned width, unsigned capacity, unsigned i) {
    return get_bits(a, at + (capacity - 1 - i) * width, width);
}

INLINE void put_element(word *a, unsigned at, unsigned width, unsigned capacity, unsigned i, word element) {
    put_bits(a, at + (capacity - 1 - i) * width, width, element);
}

/* The position of the first element that is not less, in an ascending sequence. */
INLINE unsigned lower_bound(const word *a, unsigned at, unsigned width, unsigned capacity, unsigned count, word element) {
    unsigned i = 0;
    while (i < count && element_at(a, at, width, capacity, i) < element) i++;
    return i;
}

INLINE void insert_element(word *a, unsigned at, unsigned width, unsigned capacity, unsigned count, unsigned i, word element) {
    unsigned end = at + (capacity - i) * width; /* Elements from i on move down by one place: lowest bits first. */
    if (count > i) copy_bits(a, end - (count - i + 1) * width, a, end - (count - i) * width, (count - i) * width);
    put_element(a, at, width, capacity, i, element);
}

INLINE void remove_element(word *a, unsigned at, unsigned width, unsigned capacity, unsigned count, unsigned i) {
    for (unsigned k = i; k + 1 < count; k++)
        put_element(a, at, width, capacity, k, element_at(a, at, width, capacity, k + 1));
    put_element(a, at, width, capacity, count - 1, 0);
}

INLINE void sort_words(word *a, unsigned count) {
    for (unsigned i = 1; i < count; i++) {
        word moved = a[i];
        unsigned k = i;
        for (; k > 0 && a[k - 1] > moved; k--) a[k] = a[k - 1];
        a[k] = moved;
    }
}

INLINE int64_t floor_div(int64_t a, int64_t b) { return a / b - (a % b != 0 && (a < 0) != (b < 0)); }

/* The machine's division of the least number by -1 is a fault, also where only the remainder is wanted. */
INLINE int64_t floor_mod(int64_t a, int64_t b) {
    int64_t rest = b == -1 ? 0 : a % b;
    return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}

/* The position of a value in an ascending table that has it. */
INLINE unsigned rank_of(const word *table, unsigned count, word value) {
    unsigned low = 0;
    while (count > 1) {
        unsigned half = count / 2;
        if (table[low + half] <= value) low += half;
        count -= half;
    }
    return low;
}

INLINE uint64_t blend(uint64_t a, uint64_t b) {
    unsigned __int128 product = (unsigned __int128)(a ^ 0x9E3779B97F4A7C15u) * (b ^ 0xD6E8FEB86659FD93u);
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

INLINE uint64_t hash_words(const word *a, unsigned count) {
    uint64_t hash = 1;
    for (unsigned i = 0; i < count; i++) hash = blend(hash, a[i]);
    return hash;
}

#endif
