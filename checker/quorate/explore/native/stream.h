/* A file that is written or read from its beginning to its end, with a digest of all that has passed. */
#ifndef QUORATE_STREAM_H
#define QUORATE_STREAM_H

#include "table.h"

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

#endif
