/* A store for searches that are larger than memory: `--disk DIR`.
 *
 * All states are in one file, level by level, each level sorted (runs.h). Memory has only what was found of the next level (found.h).
 * Whether that is new is decided when the level has been expanded, for all of it at once: what was found is read in order, beside
 * the levels before it, in order too, and what occurs in none of them is new and is appended to the file as the next level. So every
 * access to the disk is sequential. If memory does not hold what is found of a level, it is written out sorted, as often as
 * need be, and these runs are merged while they are read. This is delayed duplicate detection (Stern & Dill, CAV 1998; Korf, AAAI 2004).
 *
 * It is exact. A state of level k + 1 is found from level k, so it is among what was found; what is found and stands in an earlier level is
 * in that level's part of the file, and is left out; and equal states are neighbours in the total order of runs, so that each is met once.
 * States are compared whole. All that is reported is of whole levels, and a level is a set of states: the same one as any other store has.
 * Properties of a state are looked at when it is first found, perhaps again if it is found again: in the same level, or a second time
 * altogether, with the same answer. A state that violates one was not there before, since the search ends with the level that has one.
 *
 * Levels that are many are merged into longer runs, the shortest first, so that there are never more than RUNS_MAX to read, and of those with few
 * states, which narrow searches have by thousands, SHORTS_MAX. They stay in their file as well: the counterexample needs them (backtrack.h).
 *
 * Durability. A checkpoint (checkpoint.h) names the runs and says how far they count; it is written while nothing is half done, after all that
 * it names is on the disk. Between two checkpoints files grow and are added, and none that the last one names is changed before its end
 * or removed. Going on from a checkpoint, the digest of every run is computed again, and files that it does not name are removed.
 *
 * Cost: for each level one pass over all states that are known, of 8 bytes for each word of a state; where few were found, the
 * places between are skipped. A state is written once, and as often again as it is found in different parts of a level that memory does
 * not hold, or merged.
 */
#ifndef QUORATE_DISK_H
#define QUORATE_DISK_H

#include <dirent.h>

#include "files.h"

enum { MOVES = 0 };

/* What of it a checkpoint holds; the runs come after it. */
typedef struct {
    uint64_t states, digest, next_number, known_count, spilled_count, found_last, gathering;
    State gathered;
} DiskHead;

/* ---- Opening --------------------------------------------------------------------------------------------------- */

static bool store_open(Search *search) {
    Disk *disk = calloc(1, sizeof *disk);
    if (!disk) return false;
    search->disk = disk;
    size_t limit = search->options.memory_limit;
    uint64_t buffer = limit / 8 / (RUNS_MAX + SPILLS_MAX) / sizeof(State);
    disk->budget = &search->budget;
    disk->states.handle = disk->queue.handle = -1;
    disk->buffer = buffer < BUFFER_MIN ? BUFFER_MIN : buffer > BUFFER_MAX ? BUFFER_MAX : buffer;
    disk->directory = strdup(search->options.directory ? search->options.directory : ".");
    return disk->directory && found_open(&disk->found, limit / 8 * 5, &search->budget);
}

static void store_close(Search *search) {
    Disk *disk = search->disk;
    if (!disk) return;
    for (unsigned i = 0; i < disk->known_count; i++)
        if (disk->known[i].number > 0 && disk->known[i].handle >= 0) close((int)disk->known[i].handle);
    for (unsigned i = 0; i < disk->spilled_count; i++)
        if (disk->spilled[i].handle >= 0) close((int)disk->spilled[i].handle);
    if (disk->states.handle >= 0) close(disk->states.handle);
    writer_close(&disk->states);
    reader_close(&disk->queue);
    region_release(&disk->found.slots);
    free(disk->waste);
    free(disk->directory);
    free(disk);
    search->disk = NULL;
}

static size_t store_bytes(const Search *search) { return search->disk ? atomic_load(&search->disk->peak) : 0; }

/* ---- Inserting ------------------------------------------------------------------------------------------------- */

/* Room is made ahead: `store_full`. */
static inline bool store_room(const Worker *me, uint64_t count) {
    (void)me;
    (void)count;
    return true;
}

static inline uint64_t store_locate(Worker *me, const State *s, uint64_t hash) {
    (void)s;
    found_prefetch(&me->search->disk->found, hash);
    return hash;
}

PREFETCHING void store_approach(const Search *search, uint64_t hash) {
    (void)search;
    (void)hash;
}

/* Whether it might be new. */
static inline bool store_insert(Worker *me, size_t i, uint64_t hash) {
    Search *search = me->search;
    Found *found = &search->disk->found;
    const State *s = &me->out.states[i];
    State *place = found_place(found, s, hash);
    if (UNLIKELY(!place)) request_stop(search, STOP_MEMORY);
    if (!place || is_taken(place)) return false;
    *place = marked(*s);
    if (UNLIKELY(++found->count >= found_full_at(found))) atomic_store_explicit(&search->full, true, memory_order_relaxed);
    return true;
}

/* Of what is found nobody knows yet. So the limit of states is kept when they are gathered. */
static inline bool store_has(const Search *search, const State *s) {
    (void)search;
    (void)s;
    return true;
}

static inline uint64_t store_full_at(const Search *search) {
    (void)search;
    return UINT64_MAX;
}

static bool store_full(Search *search) { return search->disk->found.count >= found_full_at(&search->disk->found); }

static void store_move(Search *search, int step, unsigned part, unsigned parts) {
    (void)search, (void)step, (void)part, (void)parts;
}

/* ---- Growing --------------------------------------------------------------------------------------------------- */

/* The file of all states is the first to be made: it has number 0. */
static bool states_file(Search *search) {
    Disk *disk = search->disk;
    Run run;
    return disk->states.handle >= 0 || run_create(search, &run, &disk->states);
}

/* Write out all that memory has of the level being found. */
static bool spill(Search *search) {
    Found *found = &search->disk->found;
    bool good = states_file(search) && spill_states(search, found_sort(found), found->count);
    if (good) found_clear(found, found_fit(found), search->disk->budget);
    return good;
}

static bool store_enlarge(Search *search) {
    bool lost = false;
    if (found_grow(&search->disk->found, &search->budget, &lost)) return true;
    return !lost && spill(search);
}

/* ---- From what was found to the next level ----------------------------------------------------------------------- */

/* What was found, the runs that it is held against, and a piece of it at a time. */
typedef struct {
    Merge found;
    Reader known[RUNS_MAX + 1];
    unsigned known_count;
    State *states;
    uint64_t *hashes;
    uint64_t count;
} Gathering;

/* What was found comes from memory, if all of it is there. */
static bool gathering_found(Search *search, Gathering *work) {
    Disk *disk = search->disk;
    if (disk->spilled_count > 0)
        return (disk->found.count == 0 || spill(search)) &&
               merge_runs(search, &work->found, disk->spilled, disk->spilled_count, disk->gathering ? &disk->gathered : NULL);
    if (!merge_room(&work->found, 1)) {
        request_stop(search, STOP_MEMORY);
        return false;
    }
    work->found.readers[0] = (Reader){.handle = -1, .buffer = found_sort(&disk->found), .filled = disk->found.count};
    merge_begin(&work->found);
    return true;
}

static bool gathering_open(Search *search, Gathering *work) {
    Disk *disk = search->disk;
    if (!states_file(search) || !gathering_found(search, work)) return false;
    work->states = malloc(PIECE_STATES * sizeof *work->states);
    work->hashes = malloc(PIECE_STATES * sizeof *work->hashes);
    bool good = work->states && work->hashes;
    for (unsigned i = 0; good && i < disk->known_count; i++, work->known_count++)
        good = reader_open(&work->known[i], &disk->known[i], 0, disk->buffer);
    if (!good) request_stop(search, STOP_MEMORY);
    return good;
}

static void gathering_close(Gathering *work) {
    merge_close(&work->found);
    for (unsigned i = 0; i < work->known_count; i++) reader_close(&work->known[i]);
    free(work->states);
    free(work->hashes);
}

/* Drop the states of the piece that a run has. */
static bool hold_against(Gathering *work, Reader *known) {
    uint64_t kept = 0;
    const State *s = reader_peek(known);
    uint64_t hash = s ? hash_state(s) : 0;
    for (uint64_t i = 0; i < work->count; i++) {
        const State *wanted = &work->states[i];
        while (s && comes_before(s, hash, wanted, work->hashes[i])) {
            known->at++;
            if (known->at == known->filled && !reader_skip(known, wanted, work->hashes[i])) return false;
            if ((s = reader_peek(known))) hash = hash_state(s);
        }
        if (s && hash == work->hashes[i] && same_state(s, wanted)) continue;
        work->hashes[kept] = work->hashes[i];
        work->states[kept++] = *wanted;
    }
    work->count = kept;
    return !known->failed;
}

/* What is left of the piece is new. All of it was found, up to `last`. */
static bool append_piece(Search *search, const Gathering *work, const State *last) {
    Disk *disk = search->disk;
    uint64_t total = atomic_load(&search->states_total), most = search->options.states_max, count = work->count;
    if (total + count > most) {
        count = total < most ? most - total : 0;
        request_stop(search, STOP_STATES);
        last = count > 0 ? &work->states[count - 1] : NULL;
    }
    for (uint64_t i = 0; i < count; i++)
        if (!writer_put(&disk->states, &work->states[i])) return disk_fails(search, "states cannot be written");
    atomic_store(&search->states_total, total + count);
    search->table.arenas[0].count = search->workers[0].counted = disk->states.count;
    count_bytes(disk, count * sizeof(State), 0);
    if (last) {
        disk->gathering = true;
        disk->gathered = *last;
    }
    return !stopping(search);
}

/* Take the next piece of what was found. False at the end, or when the search must stop. */
static bool gather_piece(Search *search, Gathering *work) {
    for (work->count = 0; work->count < PIECE_STATES; work->count++)
        if (!merge_next(&work->found, &work->states[work->count], &work->hashes[work->count])) break;
    if (merge_failed(&work->found)) return disk_fails(search, "states cannot be read");
    if (work->count == 0) return false;
    State last = work->states[work->count - 1];
    for (unsigned i = 0; i < work->known_count; i++)
        if (!hold_against(work, &work->known[i])) return disk_fails(search, "states cannot be read");
    return append_piece(search, work, &last);
}

/* All that was found is held against all that is known: the level is whole. */
static bool level_whole(Search *search) {
    Disk *disk = search->disk;
    uint64_t before = search->levels ? search->ends[(search->levels - 1) * WORKERS_MAX] : 0, count = disk->states.count - before;
    if (!writer_flush(&disk->states)) return disk_fails(search, "states cannot be written");
    if (count > 0) disk->known[disk->known_count++] = (Run){.from = before, .count = count, .handle = disk->states.handle};
    for (; disk->spilled_count > 0; disk->spilled_count--)
        if (!run_waste(search, &disk->spilled[disk->spilled_count - 1])) return false;
    disk->gathering = false;
    return true;
}

/* So that few runs are to be read: the shorter half of them become one when they are too many, and the short ones when these are. */
static bool unite_shortest(Search *search) {
    Disk *disk = search->disk;
    for (unsigned i = 1; i < disk->known_count; i++) {
        Run run = disk->known[i];
        unsigned to = i;
        for (; to > 0 && disk->known[to - 1].count > run.count; to--) disk->known[to] = disk->known[to - 1];
        disk->known[to] = run;
    }
    unsigned most = disk->known_count > RUNS_MAX ? RUNS_MAX / 2 + 1 : 0, shorts = 0;
    while (shorts < disk->known_count && disk->known[shorts].count < SHORT_RUN) shorts++;
    if (shorts > SHORTS_MAX && shorts > most) most = shorts;
    return most == 0 || runs_unite(search, disk->known, &disk->known_count, most);
}

/* What was found must be on the disk before a checkpoint can be; how much of it is gathered is known. */
static bool keep_found(Search *search, const Gathering *work) {
    const Reader *found = &work->found.readers[0];
    return search->disk->spilled_count > 0 || spill_states(search, found->buffer, found->filled);
}

/* True when all is gathered, or the search must stop; false if a checkpoint is due before that. A limit of states ends it in the middle. */
static bool store_gather(Search *search) {
    Disk *disk = search->disk;
    Gathering *work = calloc(1, sizeof *work);
    if (!work) request_stop(search, STOP_MEMORY);
    if (!disk->gathering) disk->found_last = disk->spilled_count > 0 ? found_fit(&disk->found) : disk->found.count;
    bool good = work && gathering_open(search, work), due = false;
    while (good && !due && gather_piece(search, work)) due = atomic_load(&search->checkpoint_due);
    bool limited = good && atomic_load(&search->stop) == STOP_STATES;
    if ((due || limited) && !keep_found(search, work)) due = limited = search->checkpoint_last = false;
    if (work) gathering_close(work);
    free(work);
    if (stopping(search) && !limited) return true;
    found_clear(&disk->found, disk->found_last, disk->budget);
    if (due || limited) return limited;
    if (level_whole(search)) unite_shortest(search);
    return true;
}

/* The states of a level. */
static Run level_run(const Search *search, size_t level) {
    Frontier states = level_of(search, level);
    return (Run){.from = states.begin[0], .count = states.total, .handle = search->disk->states.handle};
}

static void store_turn(Search *search) {
    Disk *disk = search->disk;
    Run level = level_run(search, search->levels - 1);
    reader_close(&disk->queue);
    if (!reader_open(&disk->queue, &level, 0, disk->buffer)) request_stop(search, STOP_MEMORY);
}

/* ---- Expanding ------------------------------------------------------------------------------------------------- */

/* Of the states that were taken, how many are left. */
typedef struct {
    uint64_t left;
} Claim;

static inline bool store_claim(Worker *me, bool solo, Claim *claim) {
    Search *search = me->search;
    uint64_t size = chunk_size(search, search->frontier.total, solo), total = search->frontier.total;
    uint64_t from = atomic_fetch_add_explicit(&search->cursor, size, memory_order_relaxed);
    claim->left = from >= total ? 0 : total - from < size ? total - from : size;
    return from < total;
}

static inline const State *store_next(Worker *me, Claim *claim) {
    Reader *queue = &me->search->disk->queue;
    if (claim->left == 0) return NULL;
    const State *s = reader_peek(queue);
    if (UNLIKELY(!s)) disk_fails(me->search, "states cannot be read");
    if (s) queue->at++;
    claim->left--;
    return s;
}

/* ---- Checkpoints ----------------------------------------------------------------------------------------------- */

static bool runs_synced(Run *runs, unsigned count) {
    for (unsigned i = 0; i < count; i++) {
        if (runs[i].number > 0 && !runs[i].synced && fsync((int)runs[i].handle) != 0) return false;
        runs[i].synced = true;
    }
    return true;
}

static bool on_the_disk(Disk *disk) {
    bool good = writer_flush(&disk->states) && fsync(disk->states.handle) == 0 && runs_synced(disk->known, disk->known_count) &&
                runs_synced(disk->spilled, disk->spilled_count);
    int directory = open(disk->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    good = good && directory >= 0 && fsync(directory) == 0;
    if (directory >= 0) close(directory);
    return good;
}

/* Whether nothing is lost of a search that was ended for this reason: the limit of states is kept between pieces of a level. */
static bool store_lasts(int stop) { return stop == STOP_STATES; }

/* It has none that are not done. */
static uint64_t store_left_last(Search *search, uint64_t end) {
    (void)search;
    return end;
}

static void store_write(Search *search, Stream *stream) {
    Disk *disk = search->disk;
    if ((disk->found.count > 0 && !spill(search)) || !on_the_disk(disk)) {
        disk_fails(search, "states cannot be written");
        stream->failed = true;
        return;
    }
    DiskHead head = {.states = disk->states.count,
                     .digest = disk->states.digest,
                     .next_number = disk->next_number,
                     .known_count = disk->known_count,
                     .spilled_count = disk->spilled_count,
                     .found_last = disk->found_last,
                     .gathering = disk->gathering,
                     .gathered = disk->gathered};
    stream_write(stream, &head, sizeof head);
    stream_write(stream, disk->known, disk->known_count * sizeof *disk->known);
    stream_write(stream, disk->spilled, disk->spilled_count * sizeof *disk->spilled);
}

/* A checkpoint is on the disk, and what it does not name is not needed any more. */
static void store_written(Search *search) {
    Disk *disk = search->disk;
    char path[4096];
    struct stat file;
    for (; disk->waste_count > 0; disk->waste_count--) {
        if (!disk_path(disk, disk->waste[disk->waste_count - 1], path, sizeof path)) continue;
        if (stat(path, &file) == 0) count_bytes(disk, 0, (uint64_t)file.st_size);
        unlink(path);
    }
}

static const char *store_read(Search *search, Stream *stream) {
    Disk *disk = search->disk;
    DiskHead head;
    stream_read(stream, &head, sizeof head);
    if (stream->failed || head.known_count > RUNS_MAX || head.spilled_count > SPILLS_MAX) return DAMAGED;
    stream_read(stream, disk->known, head.known_count * sizeof *disk->known);
    stream_read(stream, disk->spilled, head.spilled_count * sizeof *disk->spilled);
    disk->states = (Writer){.count = head.states, .digest = head.digest, .handle = -1};
    disk->next_number = head.next_number;
    disk->found_last = head.found_last;
    disk->gathering = head.gathering;
    disk->gathered = head.gathered;
    for (unsigned i = 0; i < head.known_count; i++) disk->known[i].handle = -1;
    for (unsigned i = 0; i < head.spilled_count; i++) disk->spilled[i].handle = -1;
    disk->known_count = (unsigned)head.known_count;
    disk->spilled_count = (unsigned)head.spilled_count;
    return NULL;
}

static const char *run_wrong(Search *search, const Run *run, const char *what) {
    snprintf(search->failure, sizeof search->failure, "its file states-%llu %s", (unsigned long long)run->number, what);
    return search->failure;
}

/* Open the file of a run, which must be what it was. NULL, or what is wrong. */
static const char *run_reopen(Search *search, Run *run) {
    Disk *disk = search->disk;
    char path[4096];
    struct stat file;
    Reader reader;
    uint64_t digest = 1;
    run->handle = disk_path(disk, run->number, path, sizeof path) ? open(path, O_RDWR | O_CLOEXEC) : -1;
    if (run->handle < 0) return run_wrong(search, run, errno == ENOENT ? "is missing" : "cannot be opened");
    if (!is_file_of((int)run->handle, run->number)) return run_wrong(search, run, "is not one of this search");
    if (fstat((int)run->handle, &file) != 0 || file.st_size < place_of(run->from + run->count)) return run_wrong(search, run, "is shorter than it was");
    if (!reader_open(&reader, run, 0, BUFFER_MAX)) return NO_MEMORY;
    while (reader_fill(&reader)) digest = digest_states(digest, reader.buffer, reader.filled);
    bool failed = reader.failed;
    reader_close(&reader);
    count_bytes(disk, sizeof(RunHead) + run->count * sizeof(State), 0);
    return failed || digest != run->digest ? run_wrong(search, run, "is damaged") : NULL;
}

static bool is_named(const Disk *disk, uint64_t number) {
    bool named = number == 0;
    for (unsigned i = 0; i < disk->known_count; i++) named |= disk->known[i].number == number;
    for (unsigned i = 0; i < disk->spilled_count; i++) named |= disk->spilled[i].number == number;
    return named;
}

/* Remove what was written after the checkpoint, and what was not needed any more when it was. */
static bool remove_unnamed(Disk *disk) {
    DIR *directory = opendir(disk->directory);
    if (!directory) return false;
    for (const struct dirent *entry; (entry = readdir(directory));) {
        char path[4096], name[32];
        unsigned long long number;
        if (sscanf(entry->d_name, "states-%20llu", &number) != 1 || is_named(disk, number)) continue;
        snprintf(name, sizeof name, "states-%llu", number);
        if (strcmp(name, entry->d_name) != 0 || !disk_path(disk, number, path, sizeof path)) continue;
        int handle = open(path, O_RDONLY | O_CLOEXEC);
        if (handle >= 0 && is_begun_as(handle, number)) unlink(path);
        if (handle >= 0) close(handle);
    }
    closedir(directory);
    return true;
}

static const char *store_resume(Search *search) {
    Disk *disk = search->disk;
    Run all = {.count = disk->states.count, .digest = disk->states.digest};
    const char *wrong = run_reopen(search, &all);
    disk->states.handle = (int)all.handle;
    for (unsigned i = 0; !wrong && i < disk->known_count; i++) {
        if (disk->known[i].number > 0)
            wrong = run_reopen(search, &disk->known[i]);
        else
            disk->known[i].handle = all.handle;
    }
    for (unsigned i = 0; !wrong && i < disk->spilled_count; i++) wrong = run_reopen(search, &disk->spilled[i]);
    if (wrong) return wrong;
    if (!remove_unnamed(disk)) return strerror(errno);
    Run level = level_run(search, search->levels - 1);
    uint64_t cursor = atomic_load(&search->cursor);
    disk->states.capacity = disk->buffer;
    disk->states.buffer = malloc(disk->buffer * sizeof(State));
    bool good = disk->states.buffer && reader_open(&disk->queue, &level, cursor, disk->buffer);
    return good ? NULL : NO_MEMORY;
}

#endif
