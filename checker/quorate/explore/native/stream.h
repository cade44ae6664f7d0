/* A file that is written or read from its beginning to its end, with a digest of all that has passed.
 *
 * What is kept of a search, or of a graph, is such a file. It gets its name only when it is complete and on the disk, and ends with the
 * digest of everything before it: a partial or damaged file is refused.
 */
#ifndef QUORATE_STREAM_H
#define QUORATE_STREAM_H

#include <errno.h>
#include <unistd.h>

#include "table.h"

enum { MAGIC_BYTES = 8 }; /* Files are told apart by so many. */

typedef struct {
    FILE *file;
    uint64_t digest;
    bool failed;
} Stream;

static uint64_t digest_bytes(uint64_t digest, const void *data, size_t bytes) {
    const unsigned char *from = data;
    for (; bytes >= 8; bytes -= 8, from += 8) {
        uint64_t piece;
        memcpy(&piece, from, 8);
        digest = mixed(digest ^ piece, 0xD6E8FEB86659FD93u) + 1;
    }
    uint64_t rest = bytes;
    for (size_t i = 0; i < bytes; i++) rest = rest << 8 | from[i];
    return mixed(digest ^ rest, 0xA0761D6478BD642Fu) + 1;
}

static uint64_t model_key(void) { return digest_bytes(1, MODEL_KEY, strlen(MODEL_KEY) + 1); }

static void stream_write(Stream *stream, const void *data, size_t bytes) {
    if (bytes == 0) return; /* Whoever reads may have more parts that are empty. */
    stream->digest = digest_bytes(stream->digest, data, bytes);
    if (fwrite(data, 1, bytes, stream->file) != bytes) stream->failed = true;
}

static void stream_read(Stream *stream, void *data, size_t bytes) {
    if (bytes == 0) return;
    if (fread(data, 1, bytes, stream->file) != bytes) stream->failed = true;
    if (!stream->failed) stream->digest = digest_bytes(stream->digest, data, bytes);
}

/* Either of them: what is kept is listed once, for both ways. */
typedef void (*Pass)(Stream *, void *, size_t);

static void pass_out(Stream *stream, void *data, size_t bytes) { stream_write(stream, data, bytes); }

/* Write the digest of all that was written. */
static void stream_seal(Stream *stream) {
    uint64_t digest = stream->digest;
    stream_write(stream, &digest, sizeof digest);
}

/* Whether what was read is followed by its digest. */
static bool stream_sealed(Stream *stream) {
    uint64_t expected = stream->digest, found = 0;
    stream_read(stream, &found, sizeof found);
    return !stream->failed && found == expected;
}

/* How the states of a checkpoint are kept: what whoever goes on from it must know. */
enum { STORE_KIND = STORE_DISK ? 2 : STORE_TREE };
static const char *const STORED[] = {"its states are kept as they are (`--store exact`)", "its states are kept in a tree (`--store tree`)",
                                     "its states are in the directory that it is in (`--disk`)"};

/* What else can be wrong with a file. */
static const char OF_ANOTHER[] = "it belongs to another spec, other bounds or another version", DAMAGED[] = "it is damaged",
                  NO_MEMORY[] = "memory is too small for it";

/* ---- Whole files -------------------------------------------------------------------------------------------------- */

/* Whether a file may be replaced: it begins as its like does, or there is none. */
static bool replaceable(const char *path, const char *magic) {
    char begin[MAGIC_BYTES] = {0};
    FILE *file = fopen(path, "rb");
    if (!file) return errno == ENOENT;
    bool own = fread(begin, 1, sizeof begin, file) == sizeof begin && memcmp(begin, magic, sizeof begin) == 0;
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

/* Write a file that begins with `magic`, and take the place of the one before only when it is on the disk. Otherwise false, `errno` says
   why, and the one before is as it was. */
static bool file_exchange(const char *path, const char *magic, void (*fill)(void *, Stream *), void *argument) {
    char partial[4096];
    Stream stream = {.file = partial_open(partial, sizeof partial, path), .digest = 1};
    bool good = stream.file != NULL;
    if (good) {
        fill(argument, &stream);
        stream_seal(&stream);
        good = !stream.failed && fflush(stream.file) == 0 && fsync(fileno(stream.file)) == 0;
        int failure = errno;
        if (fclose(stream.file) != 0) good = false;
        errno = failure;
    }
    if (good && replaceable(path, magic) && rename(partial, path) == 0) return true;
    int failure = errno;
    if (partial[0]) remove(partial);
    errno = failure;
    return false;
}

#endif
