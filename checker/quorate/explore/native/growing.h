/* Growing: the table by all workers together, an arena by its worker. */
#ifndef QUORATE_GROWING_H
#define QUORATE_GROWING_H

#include "search.h"

/* Fingerprints are what saves memory, so their table is filled further and grows in smaller steps. */
static inline uint64_t full_at(const Table *table) { return table->capacity - table->capacity / (STORE_FINGERPRINT ? 8 : 5); }

/* Make the table larger, by half or as much as the budget allows. It is left empty of meaning until all is restored. */
static bool table_enlarge(Search *search) {
    Table *table = &search->table;
    uint64_t old = table->capacity;
    uint64_t wished = old < ((uint64_t)1 << 21) ? 4 * old : old + old / (STORE_FINGERPRINT ? 4 : 2);
    for (; wished > old + old / 16; wished = old + (wished - old) / 2) {
        if (region_commit(&table->region, wished * sizeof(uint64_t), &search->budget)) {
            table->capacity = wished;
            return !STORE_FINGERPRINT || spread((uint64_t *)table->region.base, old, wished);
        }
    }
    return false;
}

static void share(uint64_t total, unsigned part, unsigned parts, uint64_t *from, uint64_t *to) {
    *from = total / parts * part + (part < total % parts ? part : total % parts);
    *to = *from + total / parts + (part < total % parts);
}

static void clear_share(Search *search, unsigned part, unsigned parts) {
    uint64_t from, to;
    if (STORE_FINGERPRINT) return; /* They are in place: worker 0 has spread them. */
    share(search->table.capacity, part, parts, &from, &to);
    memset(search->table.region.base + from * sizeof(uint64_t), 0, (to - from) * sizeof(uint64_t));
}

static void restore_share(Search *search, unsigned part, unsigned parts) {
    for (unsigned arena = 0; arena < search->arena_count && !STORE_FINGERPRINT; arena++) {
        uint64_t from, to;
        share(search->table.arenas[arena].count, part, parts, &from, &to);
        table_restore_range(&search->table, arena, from, to);
    }
}

static bool arena_reserve(Search *search, Arena *arena, uint64_t states) {
    return region_extend(&arena->region, (arena->count + states) * sizeof(State), &search->budget) &&
           (!MODEL_SLEEP || masks_reserve(arena, arena->count + states - arena->level_begin, &search->budget));
}

#endif
