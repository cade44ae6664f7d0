/* The graph is built by all workers, and is the same whoever builds it.
 *
 * States are numbered in the order of a breadth-first search with a queue (graph.h). So the queue is the numbers themselves, and what
 * is next in it is cut into blocks. Of a block the workers
 *
 *     expand      states, a chunk at a time: the successors of a chunk stand in the order of its states, of actions and of arguments
 *     look up     the successors. Those that have no number are noted, each with the first place, in the order of all of the block, where
 *                 it occurs: in the index, by a number that it has for now; where states are kept in a tree, in a table of the block
 *     count       the first places in each chunk; chunk by chunk, that says which numbers the new states of a chunk get
 *     number      these, in order
 *     encode      the records, with all targets known
 *     copy        them to where they belong, which is known when their lengths are
 *
 * and between two of these they meet; but who has copied goes on to the next block. What follows from one to the next does not depend on who did what, or when: the successors of a chunk are
 * a function of its states; whether a state has a number is the same all through the block, because numbers are given between two look-ups
 * only; the least of several places is the same in whatever order they come. So numbers and targets are those of one worker, which does the same with blocks of one
 * chunk. Where a block ends depends on timing, if successors are many, and is nothing that is told. Demands of fairness are
 * numbered as they are met; nothing depends on which number one has.
 *
 * A block of few states is not worth a meeting: the last that arrives does it while the others wait. Who is alone meets all successors in their
 * order, and so gives a number at once to what has none (with states as they are: for a tree, it must first be known how many are new).
 */
#ifndef QUORATE_BUILDING_H
#define QUORATE_BUILDING_H

#include "chunk.h"
#include "graphfile.h"

enum { LONG_SPINS = 10 * SPINS }; /* There are six meetings in a millisecond. */

/* ---- Between ------------------------------------------------------------------------------------------------------- */

static bool must_end(Building *building) {
    building->ended |= graph_stopping(building->graph);
    return building->ended;
}

/* Room for all successors of the block. */
static bool block_room(Building *building, size_t successors) {
    if (successors > PLACE_MASK / 4) return false;
    if (successors > building->room) {
        size_t room = successors + successors / 2;
        free(building->targets);
        free(building->met);
        free((void *)building->slots);
        building->targets = malloc(room * sizeof *building->targets);
        building->met = malloc(room * sizeof *building->met);
        building->slots = TREED ? calloc(2 * room + 1, sizeof *building->slots) : NULL;
        building->room = building->targets && building->met && (building->slots || !TREED) ? room : 0;
    }
    return successors <= building->room;
}

/* Room for so many new states. */
static void room_for(Building *building, uint64_t states, uint64_t unkeyed) {
    Graph *graph = building->graph;
    building->numbers_end = count_of(graph);
    building->limited = false;
    if (!vertices_room(&graph->vertices, count_of(graph), states, unkeyed, &building->moved, graph->budget.limit, &graph->budget))
        graph_end(graph, STOP_MEMORY);
}

/* All are expanded. */
static void expanded(void *argument) {
    Building *building = argument;
    unsigned claimed = atomic_load(&building->cursor);
    uint64_t place = 0;
    if (must_end(building)) return;
    building->chunk_count = claimed < building->offered ? claimed : building->offered;
    for (unsigned k = 0; k < building->chunk_count; k++) {
        building->chunks[k].place = place;
        place += chunk_successors(&building->chunks[k]);
    }
    if (!block_room(building, place)) graph_end(building->graph, STOP_MEMORY);
    building->capacity = 2 * place + 1;
    building->tentative = (Tentative){building->met, at_once(building) ? NOBODY : count_of(building->graph)};
    if (!TREED) room_for(building, place, 0);
    for (unsigned i = 0; i < building->workers; i++) building->builders[i].sought.valid = building->builders[i].put.valid = false;
    must_end(building);
}

/* All new states are counted. */
static void counted(void *argument) {
    Building *building = argument;
    Graph *graph = building->graph;
    uint64_t count = count_of(graph), fresh = 0, unkeyed = 0;
    if (must_end(building)) return;
    for (unsigned k = 0; k < building->chunk_count; k++) {
        building->chunks[k].number = count + fresh;
        fresh += building->chunks[k].fresh;
        unkeyed += building->chunks[k].unkeyed;
    }
    if (TREED) room_for(building, fresh, unkeyed);
    building->numbers_end = count + fresh < graph->states_max ? count + fresh : graph->states_max;
    building->limited = count + fresh > graph->states_max;
    must_end(building);
}

static void numbered(void *argument) {
    Building *building = argument;
    if (building->limited) graph_end(building->graph, STOP_STATES);
    atomic_store_explicit(&building->graph->count, building->numbers_end, memory_order_relaxed);
    must_end(building);
}

/* Offer the states that are next in the queue. */
static void offer(Building *building, uint64_t from, uint64_t count) {
    unsigned most = building->workers == 1 ? 1 : CHUNKS_A_WORKER * building->workers;
    for (building->offered = 0; building->offered < most && from < count; building->offered++) {
        uint64_t end = (from / GROUP + 1) * GROUP, to = end < count ? end : count;
        building->chunks[building->offered].from = from;
        from = building->chunks[building->offered].to = to;
    }
    atomic_store(&building->cursor, 0);
    atomic_store(&building->gathered, 0);
}

/* Whether so many states are for one worker. */
static bool is_solo(const Building *building, uint64_t states) { return building->workers == 1 || states <= SOLO_MAX; }

/* All records are encoded. From here on nothing ends the block. If the next one is shared too, it is offered at once: copying and expanding
   have nothing in common. */
static void encoded(void *argument) {
    Building *building = argument;
    Graph *graph = building->graph;
    uint64_t edges = atomic_load(&graph->transitions), to = building->chunks[building->chunk_count - 1].to, length = graph->record_bytes;
    for (unsigned k = 0; k < building->chunk_count; k++) {
        building->chunks[k].record = length;
        length += building->chunks[k].length;
        if (!group_holds(graph, building->chunks[k].from, building->chunks[k].record, length)) graph_end(graph, STOP_MEMORY);
    }
    records_room(graph, to, length);
    if (must_end(building)) return;
    for (unsigned k = 0; k < building->chunk_count; k++) {
        graph->leaves += (unsigned)__builtin_popcountll(building->chunks[k].leaving);
        edges += building->chunks[k].edges;
    }
    graph->record_bytes = length;
    atomic_store_explicit(&graph->transitions, edges, memory_order_relaxed);
    atomic_store_explicit(&graph->expanded, to, memory_order_relaxed);
    Chunk *chunks = building->encoded;
    building->encoded = building->chunks;
    building->encoded_count = building->chunk_count;
    building->chunks = chunks;
    building->offered_early = !building->alone && !atomic_load(&graph->save_due) && !is_solo(building, count_of(graph) - to);
    if (building->offered_early) offer(building, to, count_of(graph));
}

/* ---- Blocks -------------------------------------------------------------------------------------------------------- */

static void meet_builders(Building *building, void (*action)(void *)) {
    if (!building->alone) meet_and(&building->meeting, action, building);
    else if (action) action(building);
}

static void each_chunk(Builder *me, void (*act)(Builder *, Chunk *)) {
    Building *building = me->building;
    for (unsigned k = 0; k < building->chunk_count; k++)
        if (building->chunks[k].by == me) act(me, &building->chunks[k]);
}

/* Put all numbers into an index that has become larger, or has other keys. */
static void move_index(Builder *me) {
    Building *building = me->building;
    unsigned part = building->alone ? 0 : (unsigned)(me - building->builders), parts = building->alone ? 1 : building->workers;
    if (!building->moved) return;
    index_clear(&building->graph->vertices, part, parts);
    meet_builders(building, NULL);
    index_restore(&building->graph->vertices, count_of(building->graph), part, parts);
    meet_builders(building, NULL);
}

/* Find the targets of what is expanded. */
static void number_targets(Builder *me) {
    Building *building = me->building;
    if (!TREED) move_index(me);
    each_chunk(me, chunk_look_up);
    if (at_once(building)) return numbered(building);
    meet_builders(building, NULL);
    each_chunk(me, chunk_count);
    meet_builders(building, counted);
    if (building->ended) return;
    if (TREED) move_index(me);
    each_chunk(me, chunk_number);
    meet_builders(building, numbered);
}

static void block(Builder *me) {
    Building *building = me->building;
    expand_chunks(me);
    meet_builders(building, expanded);
    if (!building->ended) number_targets(me);
    if (building->ended) return;
    each_chunk(me, chunk_encode);
    meet_builders(building, encoded);
    if (building->ended) return;
    for (unsigned k = 0; k < building->encoded_count; k++)
        if (building->encoded[k].by == me) chunk_copy(me, &building->encoded[k]);
}

/* The next block that is shared. Those before it that are not are done here. Between two blocks the graph can be kept. */
static void next_block(void *argument) {
    Building *building = argument;
    Graph *graph = building->graph;
    for (;;) {
        uint64_t from = atomic_load(&graph->expanded), count = count_of(graph);
        building->ended = from == count;
        if (must_end(building)) return;
        if (atomic_load(&graph->save_due)) graph_save(graph);
        offer(building, from, count);
        building->alone = is_solo(building, count - from);
        if (!building->alone) return;
        block(&building->builders[0]);
    }
}

/* The initial states are the successors of none. */
static void number_initial(Building *building) {
    Builder *me = &building->builders[0];
    Chunk *chunk = &building->chunks[0];
    model_initial(&me->out);
    if (me->out.exhausted || !pending_room(me)) graph_end(building->graph, STOP_MEMORY);
    *chunk = (Chunk){.to = 1, .by = me, .ends = {me->out.count}};
    building->alone = true;
    atomic_store(&building->cursor, building->offered = 1);
    expanded(building);
    if (!building->ended) number_targets(me);
    chunk_forget(me, chunk);
    if (!building->ended) building->graph->initial_count = count_of(building->graph);
}

static void *build_blocks(void *argument) {
    Builder *me = argument;
    meet_and(&me->building->meeting, next_block, me->building);
    while (!me->building->ended) {
        block(me);
        if (!me->building->ended && !me->building->offered_early) meet_and(&me->building->meeting, next_block, me->building);
    }
    return NULL;
}

/* Start the other workers. With fewer than there should be, if the system gives no more. */
static void builders_start(Building *building) {
    for (unsigned i = 1; i < building->workers; i++) {
        if (pthread_create(&building->builders[i].thread, NULL, build_blocks, &building->builders[i]) == 0) continue;
        pthread_mutex_lock(&building->meeting.lock);
        building->workers = building->meeting.expected = i;
        pthread_mutex_unlock(&building->meeting.lock);
    }
}

static bool building_open(Building *building, Graph *graph, unsigned workers) {
    *building = (Building){.graph = graph, .workers = workers};
    meeting_open(&building->meeting, workers, LONG_SPINS);
    building->builders = zeroed(workers * sizeof *building->builders);
    building->chunks = malloc(CHUNKS_A_WORKER * workers * sizeof *building->chunks);
    building->encoded = malloc(CHUNKS_A_WORKER * workers * sizeof *building->encoded);
    if (!building->builders || !building->chunks || !building->encoded) return false;
    for (unsigned i = 0; i < workers; i++) building->builders[i].building = building;
    return true;
}

static void building_close(Building *building, unsigned workers) {
    for (unsigned i = 0; building->builders && i < workers; i++) {
        successors_free(&building->builders[i].out);
        free(building->builders[i].pending);
        free(building->builders[i].bytes);
    }
    meeting_close(&building->meeting);
    free(building->builders);
    free(building->chunks);
    free(building->encoded);
    free(building->targets);
    free(building->met);
    free((void *)building->slots);
}

/* Whether there are as few states as there may be, which may be fewer than when what there is was made. */
static bool within_limit(Graph *graph) {
    if (count_of(graph) > graph->states_max) graph_end(graph, STOP_STATES);
    return !graph_stopping(graph);
}

/* Build it whole, from where it is. `stop` says why it is not. */
static void graph_build(Graph *graph, unsigned workers) {
    Building building;
    if (!within_limit(graph) || graph->whole) return;
    bool begun = graph->initial_count > 0, good = building_open(&building, graph, workers);
    if (good && !begun) good = index_enlarge(&graph->vertices, 0, &graph->budget) && labels_enlarge(graph);
    if (good && !begun) number_initial(&building);
    for (unsigned i = 0; good && i < workers; i++) building.builders[i].out.keep_cuts = true;
    if (good && !building.ended) {
        builders_start(&building);
        build_blocks(&building.builders[0]);
        for (unsigned i = 1; i < building.workers; i++) pthread_join(building.builders[i].thread, NULL);
    }
    building_close(&building, workers);
    if (!good) graph_end(graph, STOP_MEMORY);
    graph->whole = !graph_stopping(graph) && graph_finished(graph);
    graph_save(graph);
    index_give_back(&graph->vertices, &graph->budget);
}

#endif
