/* Checkpoints: a search that was killed goes on from its last one.
 *
 * A checkpoint is what cannot be computed again cheaply: the states, where the levels end, how far the frontier has been
 * expanded, and the counts. What finds the states is rebuilt. It is written when no worker is inside a chunk, so that the
 * frontier up to the cursor is done and the rest is not. The file is whole or not there (stream.h).
 */
#ifndef QUORATE_CHECKPOINT_H
#define QUORATE_CHECKPOINT_H

#include "store.h"
#include "stream.h"

#define CHECKPOINT_MAGIC "QUORATE1"
#define ABOUT_BYTES 4096

typedef struct {
    char magic[MAGIC_BYTES];
    uint64_t key, words, store, arenas, levels, cursor, level_open, event, initial_count, transitions, reached, reached_before;
    char about[ABOUT_BYTES]; /* whatever the model is, at this place */
    uint64_t cuts[MODEL_BOUNDS], fired[MODEL_ACTIONS], counts[WORKERS_MAX];
} CheckpointHead;

static uint64_t reached_by_all(const Search *search) {
    uint64_t reached = 0;
    for (unsigned i = 0; i < search->worker_count; i++) reached |= search->workers[i].reached;
    return reached;
}

static uint64_t sum_of(const Search *search, size_t offset) {
    uint64_t total = 0;
    for (unsigned i = 0; i < search->worker_count; i++) {
        uint64_t part;
        memcpy(&part, (const char *)&search->workers[i].out + offset, sizeof part);
        total += part;
    }
    return total;
}

static uint64_t cuts_of(const Search *search, size_t bound) {
    return sum_of(search, offsetof(Successors, cuts) + bound * sizeof(uint64_t));
}

static uint64_t fired_of(const Search *search, size_t action) {
    return sum_of(search, offsetof(Successors, fired) + action * sizeof(uint64_t));
}

static CheckpointHead checkpoint_head(const Search *search) {
    CheckpointHead head;
    memset(&head, 0, sizeof head);
    memcpy(head.magic, CHECKPOINT_MAGIC, MAGIC_BYTES);
    head.key = model_key();
    head.words = MODEL_WORDS;
    head.store = STORE_KIND;
    if (search->options.about) snprintf(head.about, sizeof head.about, "%s", search->options.about);
    head.arenas = search->arena_count;
    head.levels = search->levels;
    head.level_open = search->level_open;
    uint64_t cursor = atomic_load(&search->cursor);
    head.cursor = cursor < search->frontier.total ? cursor : search->frontier.total;
    head.event = atomic_load(&search->event);
    head.initial_count = search->initial_count;
    head.reached = reached_by_all(search);
    head.reached_before = search->reached_before;
    for (size_t i = 0; i < MODEL_BOUNDS; i++) head.cuts[i] = cuts_of(search, i);
    for (size_t i = 0; i < MODEL_ACTIONS; i++) head.fired[i] = fired_of(search, i);
    for (unsigned i = 0; i < search->arena_count; i++) head.counts[i] = search->table.arenas[i].count;
    return head;
}

static void checkpoint_stream(void *argument, Stream *stream) {
    Search *search = argument;
    CheckpointHead head = checkpoint_head(search);
    stream_write(stream, &head, sizeof head);
    stream_write(stream, search->ends, search->levels * WORKERS_MAX * sizeof(uint64_t));
    store_write(search, stream);
}

static void checkpoint_write(Search *search) {
    search->checkpoint_error[0] = 0;
    if (atomic_load(&common->trapped)) { /* States found since are none, and whoever went on from them would not know. */
        snprintf(search->checkpoint_error, sizeof search->checkpoint_error, "a number has left its 64 bits");
    } else if (!file_exchange(search->checkpoint_path, CHECKPOINT_MAGIC, checkpoint_stream, search)) {
        snprintf(search->checkpoint_error, sizeof search->checkpoint_error, "%s", strerror(errno));
    } else {
        store_written(search);
        atomic_fetch_add(&search->checkpoints, 1);
    }
    atomic_store(&search->checkpoint_due, false); /* Now what came of it is known to whoever has asked. */
}

/* Exchange what a worker has counted for what it had when it claimed what is not done. */
static void tally_exchange(Worker *worker) {
    Tally kept;
    memcpy(kept.fired, worker->out.fired, sizeof kept.fired);
    memcpy(kept.cuts, worker->out.cuts, sizeof kept.cuts);
    memcpy(worker->out.fired, worker->begun.fired, sizeof kept.fired);
    memcpy(worker->out.cuts, worker->begun.cuts, sizeof kept.cuts);
    worker->begun = kept;
}

/* The last checkpoint of a search that a limit has ended in the middle of chunks. Their states are expanded again, as if they had not been;
   the successors that were inserted are known by then. Only one thread is awake. */
static void checkpoint_last(Search *search) {
    uint64_t cursor = atomic_load(&search->cursor), end = cursor < search->frontier.total ? cursor : search->frontier.total;
    for (unsigned i = 0; i < search->worker_count; i++)
        if (search->workers[i].open) tally_exchange(&search->workers[i]);
    atomic_store(&search->cursor, store_left_last(search, end));
    checkpoint_write(search);
    store_left_last(search, end);
    for (unsigned i = 0; i < search->worker_count; i++)
        if (search->workers[i].open) tally_exchange(&search->workers[i]);
}

/* Everything of a file into a search that has not begun. NULL, or what is wrong with it. */
static const char *checkpoint_fill(Search *search, Stream *stream) {
    CheckpointHead head;
    stream_read(stream, &head, sizeof head);
    if (stream->failed || memcmp(head.magic, CHECKPOINT_MAGIC, MAGIC_BYTES) != 0) return "it is not a checkpoint";
    if (head.key != model_key() || head.words != MODEL_WORDS) return OF_ANOTHER;
    if (head.store != STORE_KIND) return head.store < 3 ? STORED[head.store] : DAMAGED;
    if (head.arenas > search->arena_count || head.levels == 0 || head.levels > SIZE_MAX / (WORKERS_MAX * 8)) return DAMAGED;
    free(search->ends);
    search->ends = malloc(head.levels * WORKERS_MAX * sizeof(uint64_t));
    if (!search->ends) return NO_MEMORY;
    search->levels = search->levels_capacity = head.levels;
    stream_read(stream, search->ends, head.levels * WORKERS_MAX * sizeof(uint64_t));
    uint64_t total = 0;
    for (unsigned i = 0; i < head.arenas; i++) total += search->table.arenas[i].count = head.counts[i];
    const char *wrong = stream->failed ? NULL : store_read(search, stream);
    if (wrong) return wrong;
    if (!stream_sealed(stream)) return DAMAGED;
    atomic_store(&search->states_total, total);
    atomic_store(&search->event, (uint32_t)head.event);
    atomic_store(&search->cursor, head.cursor);
    search->initial_count = head.initial_count;
    search->level_open = search->resumed = head.level_open;
    memcpy(search->workers[0].out.cuts, head.cuts, sizeof head.cuts);
    memcpy(search->workers[0].out.fired, head.fired, sizeof head.fired);
    search->workers[0].reached = head.reached;
    search->reached_before = head.reached_before;
    return NULL;
}

static const char *checkpoint_read(Search *search, const char *path) {
    Stream stream = {.file = fopen(path, "rb"), .digest = 1};
    if (!stream.file) return strerror(errno);
    const char *wrong = checkpoint_fill(search, &stream);
    fclose(stream.file);
    if (wrong) return wrong;
    for (unsigned i = 0; i < search->worker_count; i++) search->workers[i].counted = search->table.arenas[i].count;
    search->frontier = level_of(search, search->levels - 1);
    wrong = store_resume(search);
    if (wrong) return wrong;
    publish_transitions(&search->workers[0]);
    return NULL;
}

#endif
