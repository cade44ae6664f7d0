/* Fingerprints instead of states: `--store fingerprint`.
 *
 * A slot of the table holds a fingerprint of 64 bits, and the states themselves are kept only while they are expanded and while they
 * wait to be. A state whose fingerprint is that of another state is taken for it, and is missed with everything that only it leads
 * to. If fingerprints are as good as random, the probability that this happens among n states is at most n^2 / 2^65.
 *
 * Each word of a state goes through a bijection that the words before have chosen. So states that differ in one word only never collide:
 * among states of one word there are no collisions at all.
 *
 * Source: hash compaction, Wolper & Leroy 1993; the mixing function is Stafford's variant 13 of the finalizer of MurmurHash3.
 */
#ifndef QUORATE_FINGERPRINT_H
#define QUORATE_FINGERPRINT_H

#ifndef FINGERPRINT_BITS /* A test that wants to see collisions takes fewer. */
#define FINGERPRINT_BITS 64
#endif

static inline uint64_t scattered(uint64_t z) {
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

/* Never 0. The first constant has the highest bit, which no one-word state has: only 0 is scattered to 0. */
static inline uint64_t fingerprint_of(const State *s) {
    uint64_t hash = 0x9E3779B97F4A7C15u;
    for (int i = 0; i < MODEL_WORDS; i++) hash = scattered(hash ^ s->w[i]);
    hash = hash >> (64 - FINGERPRINT_BITS) << (64 - FINGERPRINT_BITS);
    return hash + (hash == 0);
}

/* ---- Growing ----------------------------------------------------------------------------------------------------
 *
 * The states are gone, and a second table would double the memory. But a fingerprint says where its home is, and homes are in the
 * order of fingerprints. So the table is nearly sorted: it is packed to the front, sorted by insertion, and spread over the larger
 * capacity from the end. Where linear probing puts a sorted sequence is simple to say, from the front: each fingerprint goes to its
 * home, or behind the one before. So the packed sequence is cut into pieces; one pass from the front notes where each piece
 * begins, a second one from the back puts the pieces in place. No piece is overwritten before it is moved, because nothing moves
 * towards the front. Memory is read and written in order, which is many times faster than inserting.
 */

enum { PIECE = 1 << 16 };

typedef struct {
    uint64_t packed[PIECE]; /* the piece being moved */
    uint64_t aside[PIECE];  /* what does not stand in order: it went around the end of the table, or will */
    uint64_t aside_count;
    uint64_t begins[]; /* the first free slot for each piece */
} Spreading;

static inline uint64_t home_among(uint64_t fingerprint, uint64_t capacity) {
    return (uint64_t)(((unsigned __int128)fingerprint * capacity) >> 64);
}

/* `count` slots are sorted; one more fingerprint, not much less than the last of them, joins. */
static inline void spread_sort(uint64_t *slots, uint64_t count, uint64_t fingerprint) {
    for (; count > 0 && slots[count - 1] > fingerprint; count--) slots[count] = slots[count - 1];
    slots[count] = fingerprint;
}

/* Pack and sort. How many there are, or 0 if too many went around the end. */
static uint64_t spread_pack(uint64_t *slots, uint64_t capacity, Spreading *work) {
    uint64_t count = 0;
    bool around = true; /* only those in the run of full slots that begins the table can have gone around */
    for (uint64_t at = 0; at < capacity; at++) {
        uint64_t fingerprint = slots[at];
        if (fingerprint == 0) {
            around = false;
        } else if (around && home_among(fingerprint, capacity) > at) {
            if (work->aside_count == PIECE) return 0;
            work->aside[work->aside_count++] = fingerprint;
        } else
            spread_sort(slots, count++, fingerprint);
    }
    while (work->aside_count > 0) spread_sort(slots, count++, work->aside[--work->aside_count]);
    memset(slots + count, 0, (capacity - count) * sizeof *slots);
    return count;
}

static void spread_piece(uint64_t *slots, uint64_t from, uint64_t to, uint64_t capacity, Spreading *work) {
    memcpy(work->packed, slots + from, (to - from) * sizeof *slots);
    memset(slots + from, 0, (to - from) * sizeof *slots);
    uint64_t free_slot = work->begins[from / PIECE];
    for (uint64_t i = 0; i < to - from; i++) {
        uint64_t home = home_among(work->packed[i], capacity), at = home > free_slot ? home : free_slot;
        if (at < capacity)
            slots[at] = work->packed[i];
        else
            work->aside[work->aside_count++] = work->packed[i];
        free_slot = at + 1;
    }
}

/* Spread over the first `capacity` slots what stands in the first `old`. False, and the table cannot be used any more, without memory,
   or if an absurd number of fingerprints would go around the end. */
static bool spread(uint64_t *slots, uint64_t old, uint64_t capacity) {
    Spreading *work = malloc(sizeof *work + (old / PIECE + 1) * sizeof *work->begins);
    if (!work) return false;
    work->aside_count = 0;
    uint64_t count = spread_pack(slots, old, work), free_slot = 0;
    for (uint64_t i = 0; i < count; i++) {
        if (i % PIECE == 0) work->begins[i / PIECE] = free_slot;
        uint64_t home = home_among(slots[i], capacity);
        free_slot = (home > free_slot ? home : free_slot) + 1;
    }
    bool good = count > 0 && (free_slot <= capacity || free_slot - capacity <= PIECE);
    if (good) {
        for (uint64_t piece = (count - 1) / PIECE + 1; piece-- > 0;) {
            uint64_t to = (piece + 1) * PIECE;
            spread_piece(slots, piece * PIECE, to < count ? to : count, capacity, work);
        }
        for (uint64_t i = 0, at = 0; i < work->aside_count; i++) {
            while (slots[at] != 0) at++;
            slots[at] = work->aside[i];
        }
    }
    free(work);
    return good;
}

#endif
