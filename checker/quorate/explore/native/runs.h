/* Sorted files of states: what a search on the disk is made of (disk.h).
 *
 * A *run* is a piece of a file with states in ascending order, none of them twice. The order is that of their hashes, and of their words
 * where hashes are equal. It is total, so that equal states are neighbours wherever runs are read side by side; whether two states are
 * equal is always decided by all of their words. A hash spreads states evenly, so that a table whose places grow with it is nearly sorted.
 *
 * A file begins with a head that says of which model and which number it is. After that come the states as they are. Files are read and
 * written by position, so that any number of readers may be in one file.
 */
#ifndef QUORATE_RUNS_H
#define QUORATE_RUNS_H

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "stream.h"

#ifndef FAR /* So many buffers ahead it is faster to look for a state than to read on. */
#define FAR 64
#endif

typedef struct {
    char magic[8];
    uint64_t key, words, number;
} RunHead;

/* States `from` to `from + count` of the file with this number; a digest of them, where no other run is in the file. */
typedef struct {
    uint64_t number, from, count, digest;
    int64_t handle; /* of the open file, or -1 */
    uint64_t synced; /* whether it is on the disk */
} Run;

static inline bool comes_before(const State *a, uint64_t hash_a, const State *b, uint64_t hash_b) {
    return hash_a != hash_b ? hash_a < hash_b : compare_words(a->w, b->w, MODEL_WORDS) < 0;
}

static uint64_t digest_states(uint64_t digest, const State *states, uint64_t count) {
    for (uint64_t i = 0; i < count; i++)
        for (int k = 0; k < MODEL_WORDS; k++) digest = mixed(digest ^ states[i].w[k], 0xD6E8FEB86659FD93u) + 1;
    return digest;
}

static off_t place_of(uint64_t state) { return (off_t)(sizeof(RunHead) + state * sizeof(State)); }

/* ---- Bytes at a place of a file: all of them, or false and `errno` ----------------------------------------------- */

static bool write_at(int handle, const void *data, size_t bytes, off_t at) {
    for (const char *from = data; bytes > 0;) {
        ssize_t done = pwrite(handle, from, bytes, at);
        if (done < 0 && errno == EINTR) continue;
        if (done <= 0) return false;
        from += done;
        at += done;
        bytes -= (size_t)done;
    }
    return true;
}

static bool read_at(int handle, void *data, size_t bytes, off_t at) {
    for (char *to = data; bytes > 0;) {
        ssize_t done = pread(handle, to, bytes, at);
        if (done < 0 && errno == EINTR) continue;
        if (done == 0) errno = EIO; /* The file is shorter than it was. */
        if (done <= 0) return false;
        to += done;
        at += done;
        bytes -= (size_t)done;
    }
    return true;
}

/* ---- Reading --------------------------------------------------------------------------------------------------- */

/* Reads states in order: those of its buffer, then those that are `next` in the file. Over memory, there is only a buffer. */
typedef struct {
    State *buffer;
    uint64_t at, filled, capacity;
    uint64_t next, end;
    int handle;
    bool failed;
} Reader;

/* With a buffer for so many states, or for all that there are. */
static bool reader_open(Reader *reader, const Run *run, uint64_t skipped, uint64_t capacity) {
    uint64_t left = run->count - skipped;
    if (left < capacity) capacity = left > 0 ? left : 1;
    *reader = (Reader){.capacity = capacity, .next = run->from + skipped, .end = run->from + run->count, .handle = (int)run->handle};
    reader->buffer = malloc(capacity * sizeof(State));
    return reader->buffer != NULL;
}

static void reader_close(Reader *reader) {
    if (reader->capacity > 0) free(reader->buffer);
    *reader = (Reader){.handle = -1};
}

static bool reader_fill(Reader *reader) {
    uint64_t left = reader->end - reader->next, count = left < reader->capacity ? left : reader->capacity;
    if (count == 0 || reader->failed) return false;
    reader->failed = !read_at(reader->handle, reader->buffer, count * sizeof(State), place_of(reader->next));
    if (reader->failed) return false;
    reader->next += count;
    reader->at = 0;
    reader->filled = count;
    return true;
}

/* The next state, which stays where it is until one after it is asked for; NULL at the end, or if reading failed. */
static inline const State *reader_peek(Reader *reader) {
    return LIKELY(reader->at < reader->filled) || reader_fill(reader) ? &reader->buffer[reader->at] : NULL;
}

/* The first of states `from` to `to` of a file that does not come before this one, or `to`. NOWHERE if reading fails. */
static uint64_t find_in_file(int handle, uint64_t from, uint64_t to, const State *s) {
    uint64_t hash = hash_state(s);
    while (from < to) {
        uint64_t middle = from + (to - from) / 2;
        State met;
        if (!read_at(handle, &met, sizeof met, place_of(middle))) return NOWHERE;
        if (comes_before(&met, hash_state(&met), s, hash))
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

/* Go on to the first state that does not come before this one. */
static bool reader_seek(Reader *reader, const State *s) {
    uint64_t found = find_in_file(reader->handle, reader->next, reader->end, s);
    reader->failed |= found == NOWHERE;
    if (reader->failed) return false;
    reader->next = found;
    reader->at = reader->filled = 0;
    return true;
}

/* Go on to the first state that comes after this one. */
static bool reader_pass(Reader *reader, const State *s) {
    if (!reader_seek(reader, s)) return false;
    const State *met = reader_peek(reader);
    if (met && same_state(met, s)) reader->at++;
    return !reader->failed;
}

/* As `reader_seek` when the buffer is at its end, if that is far: hashes are spread evenly, and so say how many states lie between. */
static bool reader_skip(Reader *reader, const State *s, uint64_t hash) {
    uint64_t last = hash_state(&reader->buffer[reader->filled - 1]), left = reader->end - reader->next;
    if (left <= FAR * reader->capacity || hash <= last) return true;
    uint64_t between = (uint64_t)((unsigned __int128)left * (hash - last) / (UINT64_MAX - last));
    return between <= FAR * reader->capacity || reader_seek(reader, s);
}

/* ---- Writing --------------------------------------------------------------------------------------------------- */

/* Appends states to a file that has `count` already. */
typedef struct {
    State *buffer;
    uint64_t filled, capacity;
    uint64_t count, digest;
    int handle;
    bool failed;
} Writer;

static bool writer_open(Writer *writer, int handle, uint64_t capacity) {
    *writer = (Writer){.capacity = capacity, .digest = 1, .handle = handle, .buffer = malloc(capacity * sizeof(State))};
    return writer->buffer != NULL;
}

static void writer_close(Writer *writer) {
    free(writer->buffer);
    *writer = (Writer){.handle = -1};
}

static bool writer_flush(Writer *writer) {
    if (writer->failed) return false;
    writer->failed = !write_at(writer->handle, writer->buffer, writer->filled * sizeof(State), place_of(writer->count - writer->filled));
    writer->digest = digest_states(writer->digest, writer->buffer, writer->filled);
    writer->filled = 0;
    return !writer->failed;
}

static inline bool writer_put(Writer *writer, const State *s) {
    writer->buffer[writer->filled++] = *s;
    writer->count++;
    return LIKELY(writer->filled < writer->capacity) || writer_flush(writer);
}

/* ---- Merging --------------------------------------------------------------------------------------------------- */

/* Some readers, as one: a heap of those that are not at their end, the least next state at its top. */
typedef struct {
    Reader *readers;
    uint64_t *hashes; /* of the next states */
    unsigned *heap, count, readers_count;
} Merge;

static bool merge_orders(const Merge *merge, unsigned a, unsigned b) {
    const Reader *one = &merge->readers[a], *other = &merge->readers[b];
    return comes_before(&one->buffer[one->at], merge->hashes[a], &other->buffer[other->at], merge->hashes[b]);
}

/* Put a reader where it belongs, from place `at` of the heap on downwards. */
static void merge_sink(Merge *merge, unsigned at, unsigned reader) {
    for (unsigned child; (child = 2 * at + 1) < merge->count; at = child) {
        if (child + 1 < merge->count && merge_orders(merge, merge->heap[child + 1], merge->heap[child])) child++;
        if (!merge_orders(merge, merge->heap[child], reader)) break;
        merge->heap[at] = merge->heap[child];
    }
    merge->heap[at] = reader;
}

static void merge_close(Merge *merge) {
    for (unsigned i = 0; merge->readers && i < merge->readers_count; i++) reader_close(&merge->readers[i]);
    free(merge->readers);
    free(merge->hashes);
    free(merge->heap);
    *merge = (Merge){0};
}

/* Room for so many readers; the caller opens them, and begins. */
static bool merge_room(Merge *merge, unsigned count) {
    *merge = (Merge){.readers_count = count};
    merge->readers = calloc(count + 1, sizeof *merge->readers);
    merge->hashes = calloc(count + 1, sizeof *merge->hashes);
    merge->heap = calloc(count + 1, sizeof *merge->heap);
    return merge->readers && merge->hashes && merge->heap;
}

static void merge_begin(Merge *merge) {
    for (unsigned i = 0; i < merge->readers_count; i++) {
        const State *s = reader_peek(&merge->readers[i]);
        if (!s) continue;
        merge->hashes[i] = hash_state(s);
        merge->heap[merge->count++] = i;
    }
    for (unsigned at = merge->count / 2; at-- > 0;) merge_sink(merge, at, merge->heap[at]);
}

static bool merge_failed(const Merge *merge) {
    for (unsigned i = 0; i < merge->readers_count; i++)
        if (merge->readers[i].failed) return true;
    return false;
}

/* Leave the least state behind. */
static void merge_advance(Merge *merge) {
    unsigned top = merge->heap[0];
    merge->readers[top].at++;
    const State *s = reader_peek(&merge->readers[top]);
    if (s)
        merge->hashes[top] = hash_state(s);
    else if (--merge->count > 0)
        top = merge->heap[merge->count];
    if (merge->count > 0) merge_sink(merge, 0, top);
}

/* The least state that is left, and its hash; however many readers have it, it is met once. False at the end, or if reading failed. */
static bool merge_next(Merge *merge, State *s, uint64_t *hash) {
    if (merge->count == 0) return false;
    const Reader *least = &merge->readers[merge->heap[0]];
    *s = least->buffer[least->at];
    *hash = merge->hashes[merge->heap[0]];
    do {
        merge_advance(merge);
        if (merge->count == 0) break;
        least = &merge->readers[merge->heap[0]];
    } while (merge->hashes[merge->heap[0]] == *hash && same_state(&least->buffer[least->at], s));
    return true;
}

#endif
