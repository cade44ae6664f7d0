/* The state graph in a file: a check of liveness that was killed goes on from it.
 *
 * Everything that graph.h holds is only ever appended to, and between two blocks (building.h) all of it agrees: the records of the states
 * below `expanded`, and every state that has a number. So a file of that is a graph that is being built, or one that is whole, and whoever goes on
 * expands the states from `expanded` on, as if nothing had been. Numbers that a block had given when it was ended stay: they are those that it
 * gives again. What finds states and demands is rebuilt. What was judged on a graph that is whole stands in it, too: for each property and
 * arguments that are not violated the verdict, what was counted, and the path if there is one.
 *
 * The file is whole or not there (stream.h). Its size must be what its head says, and then its digest must be right, before anything
 * in it counts.
 */
#ifndef QUORATE_GRAPHFILE_H
#define QUORATE_GRAPHFILE_H

#include <sys/stat.h>

#include "graph.h"
#include "treefile.h"

#define GRAPH_MAGIC "QUORATEG"

typedef struct {
    char magic[MAGIC_BYTES];
    uint64_t key, words, treed, whole, count, expanded, transitions, initial_count, record_bytes, leaves, instances, answers;
    uint64_t slack, planned;
    TreeHead tree;
} GraphHead;

static size_t groups_of(uint64_t states) { return (states + GROUP - 1) / GROUP; }

/* A region, and how much of it is kept. */
typedef struct {
    Region *region;
    size_t bytes;
} Kept;

enum { KEPT = 8 };

/* What follows the head; rows of a tree come before it. */
static void graph_kept(Graph *graph, uint64_t expanded, Kept kept[KEPT]) {
    Vertices *v = &graph->vertices;
    size_t group_words = groups_of(expanded) * sizeof(uint64_t);
    kept[0] = (Kept){&v->held, count_of(graph) * vertex_bytes(v)};
    kept[1] = (Kept){&graph->records, graph->record_bytes};
    kept[2] = (Kept){&graph->bases, group_words};
    kept[3] = (Kept){&graph->starts, expanded * sizeof(uint32_t)};
    kept[4] = (Kept){&graph->staying, group_words};
    kept[5] = (Kept){&graph->leaving, group_words};
    kept[6] = (Kept){&graph->labels, graph->instances * sizeof(Label)};
    kept[7] = (Kept){&graph->answers, graph->answer_words * sizeof(uint64_t)};
}

/* ---- Writing ----------------------------------------------------------------------------------------------------- */

static void graph_stream(void *argument, Stream *stream) {
    Graph *graph = argument;
    Kept kept[KEPT];
    GraphHead *head = calloc(1, sizeof *head);
    if (!head) {
        stream->failed = true;
        errno = ENOMEM;
        return;
    }
    memcpy(head->magic, GRAPH_MAGIC, MAGIC_BYTES);
    head->key = model_key();
    head->words = MODEL_WORDS;
    head->treed = STORE_TREE;
    head->whole = graph->whole;
    head->count = count_of(graph);
    head->expanded = atomic_load(&graph->expanded);
    head->transitions = atomic_load(&graph->transitions);
    head->initial_count = graph->initial_count;
    head->record_bytes = graph->record_bytes;
    head->leaves = graph->leaves;
    head->instances = graph->instances;
    head->answers = graph->answer_words;
    head->slack = graph->vertices.slack;
    head->planned = graph->vertices.planned;
    if (TREED) tree_describe(&graph->vertices.tree, &head->tree);
    stream_write(stream, head, sizeof *head);
    if (TREED) tree_pass(&graph->vertices.tree, stream, pass_out);
    graph_kept(graph, head->expanded, kept);
    for (unsigned i = 0; i < KEPT; i++) stream_write(stream, kept[i].region->base, kept[i].bytes);
    free(head);
}

/* Whether going on from the graph is as good as making it: what has gone wrong would not be seen again. */
static bool graph_good(Graph *graph) {
    return graph->initial_count > 0 && !atomic_load(&graph->error) && !atomic_load(&graph->no_demand) &&
           !atomic_load(&common->trapped) && !atomic_load(&common->mistaken);
}

/* Write the graph if it is to be kept: between two blocks, or when nothing is done to it. */
static void graph_save(Graph *graph) {
    atomic_store(&graph->save_due, false);
    if (!graph->path || !graph_good(graph)) return;
    graph->failure[0] = 0;
    if (file_exchange(graph->path, GRAPH_MAGIC, graph_stream, graph)) atomic_fetch_add(&graph->saves, 1);
    else snprintf(graph->failure, sizeof graph->failure, "%s", strerror(errno));
}

/* ---- Reading ----------------------------------------------------------------------------------------------------- */

/* Whether the numbers of a head can be so, in a file of this size. */
static bool graph_sound(const GraphHead *head, uint64_t size) {
    return head->count <= GRAPH_STATES_MAX && head->expanded <= head->count && head->initial_count <= head->count &&
           head->whole <= (head->expanded == head->count) && head->record_bytes <= size && head->instances <= size && head->answers <= size &&
           (!TREED || tree_sound(&head->tree));
}

/* The numbers of a head into an empty graph. */
static void graph_take(Graph *graph, const GraphHead *head) {
    atomic_store(&graph->count, head->count);
    atomic_store(&graph->expanded, head->expanded);
    atomic_store(&graph->transitions, head->transitions);
    graph->initial_count = head->initial_count;
    graph->record_bytes = head->record_bytes;
    graph->leaves = head->leaves;
    graph->instances = head->instances;
    graph->answer_words = head->answers;
    graph->whole = head->whole;
    graph->vertices.key_bytes = bytes_of_keys(head->tree.key_bits);
    graph->vertices.slack = head->slack;
    graph->vertices.planned = head->planned;
}

/* All of a file of this size into a graph that is empty, and of no use if something is wrong. */
static const char *graph_fill(Graph *graph, Stream *stream, uint64_t size, GraphHead *head) {
    Kept kept[KEPT];
    Budget *budget = &graph->budget;
    uint64_t expected = sizeof *head + sizeof stream->digest;
    stream_read(stream, head, sizeof *head);
    if (stream->failed || memcmp(head->magic, GRAPH_MAGIC, MAGIC_BYTES) != 0) return "it is not a graph";
    if (head->key != model_key() || head->words != MODEL_WORDS) return OF_ANOTHER;
    if (head->treed != STORE_TREE) return head->treed < 2 ? STORED[head->treed] : DAMAGED;
    if (!graph_sound(head, size)) return DAMAGED;
    graph_take(graph, head);
    graph_kept(graph, head->expanded, kept);
    for (unsigned i = 0; i < KEPT; i++) expected += kept[i].bytes;
    if (expected + (TREED ? rows_bytes(&head->tree) : 0) != size) return DAMAGED;
    if (TREED && !tree_shape(&graph->vertices.tree, &head->tree, budget->limit, budget)) return NO_MEMORY;
    if (TREED) tree_pass(&graph->vertices.tree, stream, stream_read);
    for (unsigned i = 0; i < KEPT; i++) {
        if (!region_commit(kept[i].region, kept[i].bytes + sizeof(uint64_t), budget)) return NO_MEMORY; /* Keys are read as words. */
        stream_read(stream, kept[i].region->base, kept[i].bytes);
    }
    return stream_sealed(stream) ? NULL : DAMAGED;
}

/* What is not in the file: of a graph that is whole, where the last record ends; of any other, what finds states and demands. */
static bool graph_complete(Graph *graph) {
    Vertices *v = &graph->vertices;
    if (graph->whole) return graph_finished(graph);
    while (2 * graph->instances >= graph->label_capacity)
        if (!labels_enlarge(graph)) return false;
    if (TREED && !tree_index(&v->tree, &graph->budget)) return false;
    if (!index_enlarge(v, count_of(graph), &graph->budget)) return false;
    index_clear(v, 0, 1);
    index_restore(v, count_of(graph), 0, 1);
    return true;
}

/* A graph that was saved into one that is empty. NULL, or what is wrong with the file, and then the graph is of no use. */
static const char *graph_load(Graph *graph, const char *path) {
    struct stat status;
    Stream stream = {.file = fopen(path, "rb"), .digest = 1};
    GraphHead *head = malloc(sizeof *head);
    const char *wrong = !stream.file || fstat(fileno(stream.file), &status) != 0 ? strerror(errno) : !head ? NO_MEMORY : NULL;
    if (!wrong) wrong = graph_fill(graph, &stream, (uint64_t)status.st_size, head);
    if (!wrong && !graph_complete(graph)) wrong = NO_MEMORY;
    if (stream.file) fclose(stream.file);
    free(head);
    return wrong;
}

#endif
