/* A chunk of the queue from which the graph is built (building.h): what one worker does with it, in each of the steps.
 *
 * What is written here, and read by another worker, is written before both meet, but for the slots in which successors without a number are noted: those
 * of the index, and of a table of the block where states are kept in a tree, for a new state may have no key. A slot begins empty and gets a
 * place by one compare-and-swap, before which the state is written to that place; from then on it has the same state, and only lesser places, until
 * all have met. In the index a place is a number that the state has for now.
 */
#ifndef QUORATE_CHUNK_H
#define QUORATE_CHUNK_H

#include "graph.h"
#include "search.h"

/* A test that wants to see many meetings takes less. */
#ifndef GATHERED_MAX
#define GATHERED_MAX ((size_t)1 << 14) /* successors of a block, for each worker, from which on no chunk is begun */
#endif
enum { CHUNKS_A_WORKER = 16, RING = 64, SLOT_AHEAD = 12, VERTEX_AHEAD = 6 }; /* chunks of a block that is shared */

#define SETTLED ((uint64_t)1 << 31) /* in a slot of the block's table: a number, and not a place */
#define PLACE_MASK (SETTLED - 1)
#define UNKEYED ((uint32_t)1 << 31)
#define IS_FIRST ((uint32_t)1 << 31)

/* A successor without a number: its place in the block, with IS_FIRST if it is known that its state occurs nowhere before; and the slot that its
   state has, in a table with UNKEYED if the key of that is not known. */
typedef struct {
    uint32_t place, slot;
} Pending;

struct Building;

typedef struct {
    _Alignas(128) struct Building *building;
    pthread_t thread;
    Successors out;
    Numbered sought, put;
    Demands demands;
    uint64_t hashes[SLOT_AHEAD]; /* of states that have the last numbers, and are not in the index yet */
    Pending *pending; /* chunk by chunk */
    size_t pending_count, pending_room;
    uint8_t *bytes; /* records that it has encoded */
    size_t length, capacity;
} Builder;

/* States of one group that one worker expands. */
typedef struct {
    uint64_t from, to;
    Builder *by;
    size_t begin, ends[GROUP];       /* among the successors of the worker: where they begin, and those of each state end */
    uint64_t place;                  /* of the first of them among all of the block */
    size_t pending, pending_end;
    uint64_t fresh, unkeyed, number; /* new states, those of them without a known key, the number of the first */
    size_t encoded, sizes[GROUP], length;
    uint64_t record; /* where they come to stand */
    uint64_t edges, leaving, staying;
} Chunk;

typedef struct Building {
    Graph *graph;
    Builder *builders;
    unsigned workers;
    Meeting meeting;
    Chunk *chunks, *encoded; /* of the block; of that whose records are still to be copied */
    unsigned offered, chunk_count, encoded_count;
    _Atomic unsigned cursor;
    _Atomic size_t gathered;
    uint64_t *targets; /* of all successors of the block, by place */
    State *met;        /* those without a number */
    Tentative tentative; /* the same, as the index has them */
    size_t room;
    _Atomic uint64_t *slots; /* of the table: half of a hash, and a place plus one, or SETTLED and a number */
    uint64_t capacity;
    uint64_t numbers_end; /* numbers below this are given */
    bool alone, ended, moved, limited;
    bool offered_early; /* the next block is offered while the last is being copied */
} Building;

static inline size_t chunk_successors(const Chunk *chunk) { return chunk->ends[chunk->to - chunk->from - 1] - chunk->begin; }

/* Expand some states of one group: its successors stand behind those that are there. */
static void chunk_expand(Builder *me, Chunk *chunk) {
    Successors *out = &me->out;
    chunk->by = me;
    chunk->begin = out->count;
    chunk->leaving = 0;
    for (uint64_t n = chunk->from; n < chunk->to; n++) {
        uint64_t cuts = out->cut_total;
        State s = state_of(me->building->graph, n);
        model_successors(&s, out);
        if (out->cut_total != cuts) chunk->leaving |= (uint64_t)1 << n % GROUP;
        chunk->ends[n - chunk->from] = out->count;
    }
}

/* Room for all that is expanded. */
static bool pending_room(Builder *me) {
    if (LIKELY(me->out.count <= me->pending_room)) return true;
    free(me->pending);
    me->pending = malloc(me->out.capacity * sizeof *me->pending);
    me->pending_room = me->pending ? me->out.capacity : 0;
    return me->pending != NULL;
}

static void expand_chunks(Builder *me) {
    Building *building = me->building;
    me->out.count = me->length = me->pending_count = 0;
    while (atomic_load_explicit(&building->gathered, memory_order_relaxed) < GATHERED_MAX * building->workers) {
        unsigned k = atomic_fetch_add_explicit(&building->cursor, 1, memory_order_relaxed);
        if (k >= building->offered) break;
        chunk_expand(me, &building->chunks[k]);
        atomic_fetch_add_explicit(&building->gathered, chunk_successors(&building->chunks[k]), memory_order_relaxed);
    }
    if (me->out.exhausted || !pending_room(me)) graph_end(building->graph, STOP_MEMORY);
}

static inline void pending_push(Builder *me, uint64_t place, uint64_t slot) {
    me->pending[me->pending_count++] = (Pending){(uint32_t)place, (uint32_t)slot};
}

/* Note a successor without a number in the table of the block. */
static void note_in_table(Builder *me, uint64_t place, const State *s, const Sought *sought) {
    Building *building = me->building;
    uint64_t hash = hash_state(s), wanted = hash << 32 | (place + 1), at = home_among(hash, building->capacity);
    building->met[place] = *s; /* Before the slot can be seen. */
    for (;;) {
        uint64_t slot = atomic_load_explicit(&building->slots[at], memory_order_acquire);
        if (slot == 0 &&
            atomic_compare_exchange_strong_explicit(&building->slots[at], &slot, wanted, memory_order_acq_rel, memory_order_acquire))
            break;
        if ((slot ^ wanted) >> 32 == 0 && same_state(&building->met[(slot & PLACE_MASK) - 1], s)) {
            while (wanted < slot && !atomic_compare_exchange_weak_explicit(&building->slots[at], &slot, wanted, memory_order_acq_rel,
                                                                           memory_order_acquire)) {
            }
            break;
        }
        if (UNLIKELY(++at == building->capacity)) at = 0;
    }
    pending_push(me, place, at | (sought->key == NO_KEY ? UNKEYED : 0));
}

/* Note a successor without a number in the index, where `at` is its slot if it is `noted`, and else the empty one where that may be. */
static void note_in_index(Builder *me, uint64_t place, const State *s, const Sought *sought, bool noted, _Atomic uint32_t *at) {
    Building *building = me->building;
    const Vertices *v = &building->graph->vertices;
    uint32_t wanted = slot_for_number(v, building->tentative.first + place, sought->hash), slot = 0;
    building->met[place] = *s; /* Before the slot can be seen. */
    while (!noted && !atomic_compare_exchange_strong_explicit(at, &slot, wanted, memory_order_acq_rel, memory_order_acquire)) {
        noted = vertex_from(v, s, sought, &building->tentative, &at) != NOBODY; /* Something was there before. */
        slot = 0;
    }
    if (noted) slot = atomic_load_explicit(at, memory_order_acquire);
    while (wanted < slot && !atomic_compare_exchange_weak_explicit(at, &slot, wanted, memory_order_acq_rel, memory_order_acquire)) {
    }
    pending_push(me, place, (uint64_t)(at - (_Atomic uint32_t *)v->slots.base));
}

/* Whether new states get their numbers when they are looked up. */
static inline bool at_once(const Building *building) { return building->alone && !TREED; }

/* A successor without a number gets the next. */
static inline uint64_t target_new(Building *building, const State *s, const Sought *sought, _Atomic uint32_t *free) {
    Vertices *v = &building->graph->vertices;
    uint64_t number = building->numbers_end;
    if (UNLIKELY(number >= building->graph->states_max)) {
        graph_end(building->graph, STOP_STATES);
        return CUT_HERE;
    }
    held_put(v, number, s, NULL);
    atomic_store_explicit(free, slot_for_number(v, number, sought->hash), memory_order_relaxed);
    building->numbers_end++;
    return number;
}

/* The targets of the successors of a chunk. Slots of the index, then states, are fetched ahead. */
static void chunk_look_up(Builder *me, Chunk *chunk) {
    Building *building = me->building;
    Graph *graph = building->graph;
    const Vertices *v = &graph->vertices;
    const State *states = me->out.states + chunk->begin;
    const Label *labels = me->out.labels + chunk->begin;
    size_t count = chunk_successors(chunk);
    Sought ring[RING];
    chunk->pending = me->pending_count;
    for (size_t i = 0; i < count + SLOT_AHEAD; i++) {
        if (i < count) {
            ring[i % RING] = sought_of(v, &states[i], &me->sought);
            __builtin_prefetch(index_home(v, ring[i % RING].hash));
        }
        if (i >= VERTEX_AHEAD && i - VERTEX_AHEAD < count) {
            uint64_t hash = ring[(i - VERTEX_AHEAD) % RING].hash;
            uint32_t slot = atomic_load_explicit(index_home(v, hash), memory_order_relaxed);
            if (slot && tag_fits(v, slot, hash)) vertex_prefetch(v, slot_number(v, slot));
        }
        if (i < SLOT_AHEAD) continue;
        size_t now = i - SLOT_AHEAD;
        uint64_t *target = &building->targets[chunk->place + now];
        if (UNLIKELY(labels[now].error != NONE)) {
            if (labels[now].error != LABEL_CUT) atomic_store(&graph->error, true);
            *target = CUT_HERE;
            continue;
        }
        const Sought *sought = &ring[now % RING];
        _Atomic uint32_t *at;
        *target = vertex_find(v, &states[now], sought, &building->tentative, &at);
        if (LIKELY(*target < building->tentative.first)) continue;
        if (at_once(building)) *target = target_new(building, &states[now], sought, at);
        else if (TREED) note_in_table(me, chunk->place + now, &states[now], sought);
        else note_in_index(me, chunk->place + now, &states[now], sought, *target != NOBODY, at);
    }
    chunk->pending_end = me->pending_count;
}

static inline _Atomic uint32_t *index_slot(const Building *building, const Pending *pending) {
    return (_Atomic uint32_t *)building->graph->vertices.slots.base + pending->slot;
}

static inline uint64_t table_slot(const Building *building, const Pending *pending) {
    return atomic_load_explicit(&building->slots[pending->slot & ~UNKEYED], memory_order_relaxed) & UINT32_MAX;
}

/* The least place where the state of a pending one occurs, when all are noted. */
static inline uint64_t least_place(const Building *building, const Pending *pending) {
    if (TREED) return table_slot(building, pending) - 1;
    return slot_number(&building->graph->vertices, atomic_load_explicit(index_slot(building, pending), memory_order_relaxed)) - building->tentative.first;
}

static void chunk_count(Builder *me, Chunk *chunk) {
    chunk->fresh = chunk->unkeyed = 0;
    for (size_t i = chunk->pending; i < chunk->pending_end; i++) {
        Pending *pending = &me->pending[i];
        if (!TREED && i + SLOT_AHEAD < chunk->pending_end) __builtin_prefetch((void *)index_slot(me->building, pending + SLOT_AHEAD), 1);
        if (least_place(me->building, pending) != pending->place) continue;
        chunk->fresh++;
        chunk->unkeyed += TREED && pending->slot & UNKEYED;
        pending->place |= IS_FIRST;
    }
}

/* Give a new state its number, and note that where it is pending. */
static inline void number_pending(Builder *me, const Pending *pending, uint64_t number) {
    Building *building = me->building;
    Vertices *v = &building->graph->vertices;
    uint64_t hash = held_put(v, number, &building->met[pending->place & ~IS_FIRST], &me->put);
    if (!TREED) return slot_renumber(v, index_slot(building, pending), number);
    atomic_store_explicit(&building->slots[pending->slot & ~UNKEYED], SETTLED | number, memory_order_relaxed);
    me->hashes[number % SLOT_AHEAD] = hash;
    __builtin_prefetch(index_home(v, hash), 1);
}

/* Give the new states that are met first in a chunk their numbers. Slots of the index are fetched ahead. */
static void chunk_number(Builder *me, Chunk *chunk) {
    Building *building = me->building;
    Vertices *v = &building->graph->vertices;
    uint64_t begin = chunk->number, number = begin;
    for (size_t i = chunk->pending; i < chunk->pending_end && number < building->numbers_end; i++) {
        if (!(me->pending[i].place & IS_FIRST)) continue;
        if (TREED && number >= begin + SLOT_AHEAD) index_put(v, number - SLOT_AHEAD, me->hashes[number % SLOT_AHEAD]);
        number_pending(me, &me->pending[i], number++);
    }
    for (uint64_t n = number > begin + SLOT_AHEAD ? number - SLOT_AHEAD : begin; TREED && n < number; n++) index_put(v, n, me->hashes[n % SLOT_AHEAD]);
}

/* The number of the state of a pending one, when it has one. */
static inline uint64_t settled_number(const Building *building, const Pending *pending) {
    if (TREED) return table_slot(building, pending) & PLACE_MASK;
    return slot_number(&building->graph->vertices, atomic_load_explicit(index_slot(building, pending), memory_order_relaxed));
}

/* Room for so many bytes of records more. */
static bool bytes_room(Builder *me, size_t bytes) {
    if (LIKELY(me->length + bytes <= me->capacity)) return true;
    size_t capacity = 2 * (me->length + bytes);
    uint8_t *grown = realloc(me->bytes, capacity);
    if (!grown) return false;
    me->bytes = grown;
    me->capacity = capacity;
    return true;
}

static void chunk_encode(Builder *me, Chunk *chunk) {
    Building *building = me->building;
    Graph *graph = building->graph;
    size_t count = chunk_successors(chunk), begin = 0;
    uint64_t *targets = building->targets + chunk->place;
    const Label *labels = me->out.labels + chunk->begin;
    if (!bytes_room(me, count * EDGE_BYTES_MAX)) return graph_end(graph, STOP_MEMORY);
    for (size_t i = chunk->pending; i < chunk->pending_end; i++)
        building->targets[me->pending[i].place & ~IS_FIRST] = settled_number(building, &me->pending[i]);
    chunk->encoded = me->length;
    chunk->staying = chunk->edges = 0;
    for (uint64_t n = chunk->from; n < chunk->to; n++) {
        State s = state_of(graph, n);
        size_t end = chunk->ends[n - chunk->from] - chunk->begin;
        Record record = {.at = me->bytes + me->length};
        if (!record_write(graph, &me->demands, n, &s, labels + begin, targets + begin, end - begin, &record)) return graph_end(graph, STOP_MEMORY);
        chunk->sizes[n - chunk->from] = (size_t)(record.at - me->bytes) - me->length;
        me->length += chunk->sizes[n - chunk->from];
        chunk->edges += record.edges;
        if (record.stays) chunk->staying |= (uint64_t)1 << n % GROUP;
        begin = end;
    }
    chunk->length = me->length - chunk->encoded;
}

/* Leave the block's table empty. */
static void chunk_forget(Builder *me, Chunk *chunk) {
    for (size_t i = chunk->pending; TREED && i < chunk->pending_end; i++)
        atomic_store_explicit(&me->building->slots[me->pending[i].slot & ~UNKEYED], 0, memory_order_relaxed);
}

/* The words of bits are those of a group, which nobody else has now. */
static void chunk_copy(Builder *me, Chunk *chunk) {
    Graph *graph = me->building->graph;
    uint64_t place = chunk->record;
    chunk_forget(me, chunk);
    if (chunk->length) memcpy(graph->records.base + place, me->bytes + chunk->encoded, chunk->length);
    for (uint64_t n = chunk->from; n < chunk->to; n++) {
        record_begins(graph, n, place);
        place += chunk->sizes[n - chunk->from];
    }
    ((uint64_t *)graph->staying.base)[chunk->from / GROUP] |= chunk->staying;
    ((uint64_t *)graph->leaving.base)[chunk->from / GROUP] |= chunk->leaving;
}

#endif
