/* The files of a search on the disk (disk.h), and what is done with runs as a whole: made, merged, thrown away.
 *
 * Every file has a number, and is named by it; file 0 has all states, level by level. A file that a checkpoint may name is not removed
 * before the next one is on the disk. What fails for a file ends the search with STOP_DISK, and what it has told stays true: a run that
 * could not be written whole is none, and a level that could not be settled is not counted.
 */
#ifndef QUORATE_FILES_H
#define QUORATE_FILES_H

#include "found.h"
#include "search.h"

#ifndef RUNS_MAX
#define RUNS_MAX 512
#endif
#ifndef SHORTS_MAX /* runs of fewer than SHORT_RUN states */
#define SHORTS_MAX 32
#define SHORT_RUN 4096
#endif
#ifndef SPILLS_MAX
#define SPILLS_MAX 64
#endif
#ifndef PIECE_STATES
#define PIECE_STATES ((uint64_t)1 << 16)
#endif
#ifndef BUFFER_MIN /* states */
#define BUFFER_MIN 512
#define BUFFER_MAX (1 << 15)
#endif

typedef struct Disk {
    char *directory;
    Budget *budget;
    Found found;
    Writer states; /* file 0: every state, level by level */
    Run known[RUNS_MAX + 1], spilled[SPILLS_MAX];
    unsigned known_count, spilled_count;
    Reader queue; /* the level being expanded */
    uint64_t *waste, waste_count, waste_capacity; /* files that the last checkpoint may name, and the next will not */
    uint64_t next_number, buffer;
    uint64_t found_last; /* states found of a level: about as many as of the next */
    bool gathering;      /* whether some of the level being found is in the file already: */
    State gathered;      /* as far as what was found does not come after this state */
    _Atomic uint64_t bytes, peak;
} Disk;

/* ---- Files ----------------------------------------------------------------------------------------------------- */

static bool disk_path(const Disk *disk, uint64_t number, char *path, size_t size) {
    return (size_t)snprintf(path, size, "%s/states-%llu", disk->directory, (unsigned long long)number) < size;
}

/* The search ends because of a file; `errno` says why. */
static bool disk_fails(Search *search, const char *what) {
    int none = STOP_NONE, reason = errno;
    if (!atomic_compare_exchange_strong(&search->stop, &none, STOP_DISK)) return false;
    snprintf(search->failure, sizeof search->failure, "%s: %s", what, strerror(reason));
    return false;
}

static RunHead run_head(uint64_t number) {
    RunHead head = {.key = model_key(), .words = MODEL_WORDS, .number = number};
    memcpy(head.magic, "QUORATES", 8);
    return head;
}

static bool is_file_of(int handle, uint64_t number) {
    RunHead head, wanted = run_head(number);
    return read_at(handle, &head, sizeof head, 0) && memcmp(&head, &wanted, sizeof head) == 0;
}

/* The same of a file that may not have all of its head: a full disk, or whoever killed the search, has left as much. */
static bool is_begun_as(int handle, uint64_t number) {
    struct stat file;
    RunHead head, wanted = run_head(number);
    if (fstat(handle, &file) != 0) return false;
    size_t bytes = (size_t)file.st_size < sizeof head ? (size_t)file.st_size : sizeof head;
    return read_at(handle, &head, bytes, 0) && memcmp(&head, &wanted, bytes) == 0;
}

static void count_bytes(Disk *disk, uint64_t more, uint64_t less) {
    uint64_t now = atomic_fetch_add(&disk->bytes, more - less) + more - less;
    if (now > atomic_load(&disk->peak)) atomic_store(&disk->peak, now);
}

/* A new file for a run, and what writes into it. */
static bool run_create(Search *search, Run *run, Writer *writer) {
    Disk *disk = search->disk;
    char path[4096];
    *run = (Run){.number = disk->next_number++, .handle = -1};
    *writer = (Writer){.handle = -1};
    RunHead head = run_head(run->number);
    if (!disk_path(disk, run->number, path, sizeof path)) errno = ENAMETOOLONG;
    else run->handle = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (run->handle < 0) return disk_fails(search, "a file of states cannot be made");
    count_bytes(disk, sizeof head, 0);
    if (!write_at((int)run->handle, &head, sizeof head, 0)) return disk_fails(search, "states cannot be written");
    if (!writer_open(writer, (int)run->handle, disk->buffer)) {
        request_stop(search, STOP_MEMORY);
        return false;
    }
    return true;
}

static void run_remove(Disk *disk, Run *run) {
    char path[4096];
    if (run->handle < 0) return; /* It was not made; what has its name is not ours. */
    close((int)run->handle);
    if (disk_path(disk, run->number, path, sizeof path)) unlink(path);
    count_bytes(disk, 0, sizeof(RunHead) + run->count * sizeof(State));
    run->handle = -1;
}

/* Everything that was written is in the file now. A run that could not be written whole is none. */
static bool run_finish(Search *search, Run *run, Writer *writer, bool good) {
    if (writer->buffer && !writer_flush(writer)) good = disk_fails(search, "states cannot be written");
    run->count = writer->count;
    run->digest = writer->digest;
    writer_close(writer);
    count_bytes(search->disk, run->count * sizeof(State), 0);
    if (!good) run_remove(search->disk, run);
    return good;
}

/* A file that is not needed any more, but that the last checkpoint may name. */
static bool run_waste(Search *search, Run *run) {
    Disk *disk = search->disk;
    if (run->number == 0) return true;
    if (disk->waste_count == disk->waste_capacity) {
        uint64_t capacity = disk->waste_capacity ? 2 * disk->waste_capacity : 64;
        uint64_t *waste = realloc(disk->waste, capacity * sizeof *waste);
        if (!waste) {
            request_stop(search, STOP_MEMORY);
            return false;
        }
        disk->waste = waste;
        disk->waste_capacity = capacity;
    }
    disk->waste[disk->waste_count++] = run->number;
    close((int)run->handle);
    run->handle = -1;
    return true;
}

/* ---- Runs as a whole ------------------------------------------------------------------------------------------- */

/* Readers of runs as one, from the first state on that comes after `last`. */
static bool merge_runs(Search *search, Merge *merge, const Run *runs, unsigned count, const State *last) {
    bool good = merge_room(merge, count);
    for (unsigned i = 0; good && i < count; i++)
        good = reader_open(&merge->readers[i], &runs[i], 0, search->disk->buffer) && (!last || reader_pass(&merge->readers[i], last));
    if (good) merge_begin(merge);
    if (merge->readers && merge_failed(merge)) return disk_fails(search, "states cannot be read");
    if (!good) request_stop(search, STOP_MEMORY);
    return good;
}

/* The first `count` of some runs become one, in a file of its own, at their place. */
static bool runs_unite(Search *search, Run *runs, unsigned *runs_count, unsigned count) {
    Merge merge;
    Run united;
    Writer writer;
    State s;
    uint64_t hash;
    bool good = merge_runs(search, &merge, runs, count, NULL);
    if (good && (good = run_create(search, &united, &writer))) {
        while (good && merge_next(&merge, &s, &hash)) {
            if (!writer_put(&writer, &s)) good = disk_fails(search, "states cannot be written");
            if (writer.filled == 0) good = good && !stopping(search);
        }
        if (merge_failed(&merge)) good = disk_fails(search, "states cannot be read");
        good = run_finish(search, &united, &writer, good);
    }
    merge_close(&merge);
    for (unsigned i = 0; good && i < count; i++) good = run_waste(search, &runs[i]);
    if (!good) return false;
    runs[0] = united;
    memmove(runs + 1, runs + count, (*runs_count - count) * sizeof *runs);
    *runs_count -= count - 1;
    return true;
}

/* Write states that are sorted, in memory, into a run of their own. */
static bool spill_states(Search *search, const State *states, uint64_t count) {
    Disk *disk = search->disk;
    Run run;
    Writer writer;
    if (disk->spilled_count == SPILLS_MAX && !runs_unite(search, disk->spilled, &disk->spilled_count, SPILLS_MAX)) return false;
    bool good = run_create(search, &run, &writer);
    for (uint64_t i = 0; good && i < count; i++)
        if (!writer_put(&writer, &states[i])) good = disk_fails(search, "states cannot be written");
    if (!run_finish(search, &run, &writer, good)) return false;
    disk->spilled[disk->spilled_count++] = run;
    return true;
}

#endif
