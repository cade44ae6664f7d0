/* The set of visited states.
 *
 * States live in arenas, one for each worker, appended and never moved. The table is an array of 8-byte slots that finds
 * them; 0 is an empty slot.
 *
 *   One-word states    a slot holds the state itself, plus one. A lookup touches one cache line. Not where groups of transitions
 *                      may sleep: then a lookup must find where the state is, and there are few of them.
 *   Fingerprints       a slot holds the 64 bits that the state is taken for (fingerprint.h).
 *   All others         a slot holds 24 bits of the hash and 40 bits of the state's address (worker and position). The
 *                      arena is read only when the 24 bits agree: once for a state that is there, almost never for others.
 *
 * Addressing is open with linear probing; a hash h goes to slot h * capacity / 2^64, so that a capacity need not be a power of
 * two and can grow by half: the table is never less than half as full as it may be (80%). Insertion is one compare-and-swap of
 * an empty slot; nothing is ever removed, so a lookup needs no lock. Growing empties the table and inserts all
 * states anew from the arenas: it needs no second table, so the peak is what is in use, and all workers share the work.
 */
#ifndef QUORATE_TABLE_H
#define QUORATE_TABLE_H

#include "fingerprint.h"
#include "memory.h"

#define NOWHERE UINT64_MAX
#define ADDRESS_BITS 40
#ifndef POSITION_BITS /* A test that wants an arena to be full takes fewer. */
#define POSITION_BITS 33
#endif
#define ADDRESS_MASK (((uint64_t)1 << ADDRESS_BITS) - 1)
#define WORKERS_MAX 127
#define SLOT_IS_STATE (MODEL_WORDS == 1 && !MODEL_SLEEP && !STORE_FINGERPRINT)
#define POSITIONS_MAX (SLOT_IS_STATE || STORE_FINGERPRINT ? UINT64_MAX : (uint64_t)1 << POSITION_BITS) /* of an arena, by slots */
#define FIRST_CAPACITY ((uint64_t)1 << 15)

typedef struct {
    Region region;
    uint64_t count;
    uint64_t level_begin; /* where the level that is being found begins */
    Region masks[2];      /* the sleep sets of the level being expanded and of the one being found (sleep.h) */
    unsigned found;       /* which of the two is that of the level being found */
} Arena;

typedef struct {
    Region region;
    uint64_t capacity;
    Arena *arenas;
} Table;

static inline uint64_t mixed(uint64_t a, uint64_t b) {
    unsigned __int128 product = (unsigned __int128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint64_t hash_state(const State *s) {
    if (STORE_FINGERPRINT) return fingerprint_of(s);
    uint64_t hash = 0x9E3779B97F4A7C15u;
    for (int i = 0; i < MODEL_WORDS; i++) hash = mixed(hash ^ s->w[i], 0xD6E8FEB86659FD93u);
    return mixed(hash ^ 0xA0761D6478BD642Fu, 0xE7037ED1A0B428DBu);
}

static inline _Atomic uint64_t *slots_of(const Table *table) { return (_Atomic uint64_t *)table->region.base; }

static inline uint64_t home_of(const Table *table, uint64_t hash) {
    return (uint64_t)(((unsigned __int128)hash * table->capacity) >> 64);
}

PREFETCHING void prefetch_home(const Table *table, uint64_t hash) {
    __builtin_prefetch((const void *)&slots_of(table)[home_of(table, hash)], 1);
}

static inline State *arena_states(const Arena *arena) { return (State *)arena->region.base; }

static inline Arena *arena_of(const Table *table, uint64_t slot) {
    return &table->arenas[((slot & ADDRESS_MASK) - 1) >> POSITION_BITS];
}

static inline uint64_t position_of(uint64_t slot) { return ((slot & ADDRESS_MASK) - 1) & (((uint64_t)1 << POSITION_BITS) - 1); }

static inline State *state_at(const Table *table, uint64_t slot) {
    return &arena_states(arena_of(table, slot))[position_of(slot)];
}

/* The content of the slot for a state that is, or would be, at this place of an arena. Never 0. */
static inline uint64_t slot_for(const State *s, uint64_t hash, unsigned arena, uint64_t position) {
    if (STORE_FINGERPRINT) return hash;
    if (SLOT_IS_STATE) return s->w[0] + 1;
    return hash << ADDRESS_BITS | ((((uint64_t)arena << POSITION_BITS) | position) + 1);
}

static inline bool slot_holds(const Table *table, uint64_t slot, uint64_t wanted, const State *s) {
    if (SLOT_IS_STATE || STORE_FINGERPRINT) return slot == wanted;
    return ((slot ^ wanted) >> ADDRESS_BITS) == 0 && same_state(state_at(table, slot), s);
}

/* Put a state into the table unless it is there; 0 if it was not, else the slot that holds it. It is appended to the arena, in
   which the caller has made room for it. */
static inline uint64_t table_insert(Table *table, unsigned arena, const State *s, uint64_t hash) {
    Arena *own = &table->arenas[arena];
    _Atomic uint64_t *slots = slots_of(table);
    uint64_t wanted = slot_for(s, hash, arena, own->count);
    uint64_t at = home_of(table, hash);
    bool written = false;
    for (;;) {
        uint64_t slot = atomic_load_explicit(&slots[at], memory_order_acquire);
        if (slot == 0) {
            if (!written) arena_states(own)[own->count] = *s; /* Before the slot can be seen, and overwritten if lost. */
            written = true;
            if (atomic_compare_exchange_strong_explicit(&slots[at], &slot, wanted, memory_order_acq_rel,
                                                        memory_order_acquire)) {
                own->count++;
                return 0;
            }
        }
        if (slot_holds(table, slot, wanted, s)) return slot;
        if (UNLIKELY(++at == table->capacity)) at = 0;
    }
}

/* The index of the slot that holds a state, or the capacity if none does. */
static inline uint64_t table_find(const Table *table, const State *s, uint64_t hash) {
    _Atomic uint64_t *slots = slots_of(table);
    uint64_t wanted = slot_for(s, hash, 0, 0);
    for (uint64_t at = home_of(table, hash);;) {
        uint64_t slot = atomic_load_explicit(&slots[at], memory_order_relaxed);
        if (slot == 0) return table->capacity;
        if (slot_holds(table, slot, wanted, s)) return at;
        if (UNLIKELY(++at == table->capacity)) at = 0;
    }
}

/* Put back a state that is in an arena and not in the table: part of growing. */
static inline void table_restore(Table *table, uint64_t hash, uint64_t content) {
    _Atomic uint64_t *slots = slots_of(table);
    for (uint64_t at = home_of(table, hash);;) {
        uint64_t slot = 0;
        if (atomic_load_explicit(&slots[at], memory_order_relaxed) == 0 &&
            atomic_compare_exchange_strong_explicit(&slots[at], &slot, content, memory_order_relaxed,
                                                    memory_order_relaxed))
            return;
        if (UNLIKELY(++at == table->capacity)) at = 0;
    }
}

/* Put back positions `from` to `to` of an arena. Slots are fetched ahead; the loads overlap. */
static void table_restore_range(Table *table, unsigned arena, uint64_t from, uint64_t to) {
    enum { AHEAD = 32 };
    const State *states = arena_states(&table->arenas[arena]);
    uint64_t hashes[AHEAD];
    for (uint64_t i = from; i < to + AHEAD; i++) {
        if (i >= from + AHEAD) {
            uint64_t hash = hashes[(i - AHEAD) % AHEAD];
            table_restore(table, hash, slot_for(&states[i - AHEAD], hash, arena, i - AHEAD));
        }
        if (i < to) {
            hashes[i % AHEAD] = hash_state(&states[i]);
            prefetch_home(table, hashes[i % AHEAD]);
        }
    }
}

#endif
