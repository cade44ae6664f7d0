/* The keys of a level in the order in which they were found, in packets of a few bytes a key.
 *
 * States that were found one after the other mostly come from one state: they have most of their successors, and of what properties and
 * actions read, in common. A level that is expanded in the order of a hash loses all of that: successors that were met a moment ago,
 * answers that are remembered (memo.h), what lies in the processor's caches. And they differ in few bytes, so each is written as those
 * in which its key differs from the one before.
 */
#ifndef QUORATE_PACKETS_H
#define QUORATE_PACKETS_H

#include "memory.h"

#ifndef PACKET_KEYS /* What a worker takes at a time. A test that wants several to share a small level takes fewer. */
#define PACKET_KEYS 64
#endif
enum { PACKET_HEAD = 3, PACKET_BYTES_MAX = PACKET_HEAD + 9 * PACKET_KEYS }; /* how many bytes, and how many keys */

/* Packets, and one that is being filled: a list of one worker. */
typedef struct {
    uint8_t **packets;
    uint64_t count, capacity;
    uint64_t bytes, last; /* of the packets that are whole; the key before */
    unsigned keys, length;
    uint8_t open[PACKET_BYTES_MAX];
} Packets;

static bool packets_append(Packets *list, uint8_t *packet) {
    if (UNLIKELY(list->count == list->capacity)) {
        uint64_t capacity = list->capacity ? list->capacity + list->capacity / 2 : 64;
        uint8_t **packets = realloc(list->packets, capacity * sizeof *packets);
        if (!packets) return false;
        list->packets = packets;
        list->capacity = capacity;
    }
    list->packets[list->count++] = packet;
    return true;
}

static inline unsigned packet_bytes(const uint8_t *packet) { return packet[0] | (unsigned)packet[1] << 8; }

/* What a packet takes, with what the allocator adds and its place in the list. */
static inline size_t packet_cost(const uint8_t *packet) { return packet_bytes(packet) + 3 * sizeof(uint64_t); }

static void packet_free(uint8_t *packet, Budget *budget) {
    atomic_fetch_sub(&budget->used, packet_cost(packet));
    free(packet);
}

/* Whether the packet that is being filled could be made one of the others. */
static bool packets_seal(Packets *list, Budget *budget) {
    if (list->keys == 0) return true;
    unsigned length = PACKET_HEAD + list->length;
    list->open[0] = (uint8_t)length;
    list->open[1] = (uint8_t)(length >> 8);
    list->open[2] = (uint8_t)list->keys;
    uint8_t *packet = malloc(length);
    if (!packet || !packets_append(list, packet)) {
        free(packet);
        return false;
    }
    memcpy(packet, list->open, length);
    list->bytes += packet_cost(packet);
    atomic_fetch_add(&budget->used, packet_cost(packet));
    list->keys = list->length = 0;
    list->last = 0;
    return true;
}

static inline bool packets_push(Packets *list, uint64_t key, Budget *budget) {
    uint8_t *at = list->open + PACKET_HEAD + list->length, *mask = at++;
    uint64_t differs = key ^ list->last;
    *mask = 0;
    for (unsigned byte = 0; differs; byte++, differs >>= 8) {
        if (!(differs & 0xFF)) continue;
        *mask |= (uint8_t)(1 << byte);
        *at++ = (uint8_t)differs;
    }
    list->last = key;
    list->length = (unsigned)(at - list->open) - PACKET_HEAD;
    return ++list->keys < PACKET_KEYS || packets_seal(list, budget);
}

/* The keys of a packet, so many. */
static unsigned packet_keys(const uint8_t *packet, uint64_t *keys) {
    const uint8_t *at = packet + PACKET_HEAD;
    uint64_t last = 0;
    for (unsigned i = 0; i < packet[2]; i++) {
        for (unsigned mask = *at++; mask; mask &= mask - 1) last ^= (uint64_t)*at++ << 8 * __builtin_ctz(mask);
        keys[i] = last;
    }
    return packet[2];
}

/* All packets of `from` behind those of `to`, or false without memory, and some are still where they were. */
static bool packets_move(Packets *to, Packets *from, Budget *budget) {
    if (!packets_seal(from, budget)) return false;
    for (uint64_t i = 0; i < from->count; i++)
        if (!packets_append(to, from->packets[i])) {
            memmove(from->packets, from->packets + i, (from->count -= i) * sizeof *from->packets);
            return false;
        }
    to->bytes += from->bytes;
    from->count = from->bytes = 0;
    return true;
}

/* What a worker has taken is not there any more. */
static void packets_free(Packets *list, Budget *budget) {
    for (uint64_t i = 0; i < list->count; i++)
        if (list->packets[i]) packet_free(list->packets[i], budget);
    free(list->packets);
    *list = (Packets){0};
}

#endif
