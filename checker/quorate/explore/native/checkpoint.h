/* Checkpoints: a search that was killed goes on from its last one.
 *
 * A checkpoint is what cannot be computed again cheaply: the states, where the levels end, how far the frontier has been
 * expanded, and the counts. What finds the states is rebuilt. It is written when no worker is inside a chunk, so that the
 * frontier up to the cursor is done and the rest is not. The file gets its name only when it is complete and on the disk,
 * and ends with a digest of everything before it: a partial or damaged file is refused.
 */
#ifndef QUORATE_CHECKPOINT_H
#define QUORATE_CHECKPOINT_H

#include <errno.h>
#include <unistd.h>

#include "store.h"

typedef struct {
    char magic[8];
    uint64_t key, words, store, arenas, levels, cursor, level_open, event, initial_count, transitions, reached, reached_before;
    uint64_t cuts[MODEL_BOUNDS], fired[MODEL_ACTIONS], counts[WORKERS_MAX];
} CheckpointHead;

/* How the states of a checkpoint are kept: what whoever goes on from it must know. */
enum { STORE_KIND = STORE_DISK ? 2 : STORE_TREE };
static const char *const STORED[] = {"its states are kept as they are (`--store exact`)", "its states are kept in a tree (`--store tree`)",
                                     "its states are in the directory that it is in (`--disk`)"};

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
    memcpy(head.magic, "QUORATE1", 8);
    head.key = model_key();
    head.words = MODEL_WORDS;
    head.store = STORE_KIND;
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

static void checkpoint_stream(Search *search, Stream *stream) {
    CheckpointHead head = checkpoint_head(search);
    stream_write(stream, &head, sizeof head);
    stream_write(stream, search->ends, search->levels * WORKERS_MAX * sizeof(uint64_t));
    store_write(search, stream);
    uint64_t digest = stream->digest;
    stream_write(stream, &digest, sizeof digest);
}

/* Whether a file may be replaced: it is a checkpoint, or there is none. */
static bool replaceable(const char *path) {
    char magic[8] = {0};
    FILE *file = fopen(path, "rb");
    if (!file) return errno == ENOENT;
    bool own = fread(magic, 1, sizeof magic, file) == sizeof magic && memcmp(magic, "QUORATE1", 8) == 0;
    fclose(file);
    if (!own) errno = EEXIST;
    return own;
}

/* A new file beside the one that is wanted, with a name that nothing else has. */
static FILE *partial_open(char *partial, size_t size, const char *path) {
    if ((size_t)snprintf(partial, size, "%s.partial-XXXXXX", path) >= size) {
        errno = ENAMETOOLONG;
        partial[0] = 0;
        return NULL;
    }
    int handle = mkstemp(partial);
    if (handle < 0) partial[0] = 0;
    return handle < 0 ? NULL : fdopen(handle, "wb");
}

static void checkpoint_write(Search *search) {
    char partial[4096];
    atomic_store(&search->checkpoint_due, false);
    search->checkpoint_error[0] = 0;
    if (atomic_load(&trapped)) { /* States found since are none, and whoever went on from them would not know. */
        snprintf(search->checkpoint_error, sizeof search->checkpoint_error, "a number has left its 64 bits");
        return;
    }
    Stream stream = {.file = partial_open(partial, sizeof partial, search->checkpoint_path), .digest = 1};
    bool good = stream.file != NULL;
    if (good) {
        checkpoint_stream(search, &stream);
        good = !stream.failed && fflush(stream.file) == 0 && fsync(fileno(stream.file)) == 0;
        int failure = errno;
        if (fclose(stream.file) != 0) good = false;
        errno = failure;
    }
    if (good) good = replaceable(search->checkpoint_path) && rename(partial, search->checkpoint_path) == 0;
    if (!good) {
        snprintf(search->checkpoint_error, sizeof search->checkpoint_error, "%s", strerror(errno));
        if (partial[0]) remove(partial);
    } else {
        store_written(search);
        atomic_fetch_add(&search->checkpoints, 1);
    }
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
    if (stream->failed || memcmp(head.magic, "QUORATE1", 8) != 0) return "it is not a checkpoint";
    if (head.key != model_key() || head.words != MODEL_WORDS) return "it belongs to another spec, other bounds or another version";
    if (head.store != STORE_KIND) return head.store < 3 ? STORED[head.store] : "it is damaged";
    if (head.arenas > search->arena_count || head.levels == 0 || head.levels > SIZE_MAX / (WORKERS_MAX * 8)) return "it is damaged";
    free(search->ends);
    search->ends = malloc(head.levels * WORKERS_MAX * sizeof(uint64_t));
    if (!search->ends) return "memory is too small for it";
    search->levels = search->levels_capacity = head.levels;
    stream_read(stream, search->ends, head.levels * WORKERS_MAX * sizeof(uint64_t));
    uint64_t total = 0;
    for (unsigned i = 0; i < head.arenas; i++) total += search->table.arenas[i].count = head.counts[i];
    const char *wrong = stream->failed ? NULL : store_read(search, stream);
    if (wrong) return wrong;
    uint64_t expected = stream->digest, found = 0;
    stream_read(stream, &found, sizeof found);
    if (stream->failed || found != expected) return "it is damaged";
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
