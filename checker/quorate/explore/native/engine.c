/* The engine: what Python calls. Included at the end of a model's file; see model.h for how the two meet.
 *
 * A search is opened, started, waited for and closed. `quorate_wait` returns after a while even if the search goes on, so that the
 * caller can show progress, answer Ctrl-C or end the search; everything that is read meanwhile is a snapshot.
 */
#include "checkpoint.h"
#include "expand.h"
#ifndef SEARCHING /* what is only searched with needs no profiles and no random runs: a fifth of what the compiler takes */
#include "profile.h"
#include "simulate.h"
#endif

#include <time.h>

/* What is known of a search. `event` is as in search.h, -1 for none. */
typedef struct {
    uint64_t states, transitions, depth, frontier, memory_bytes, reached, trace_length, checkpoints;
    int64_t event, stop, done, trace_failed;
    uint64_t cuts[MODEL_BOUNDS], fired[MODEL_ACTIONS];
} Report;

EXPORT uint64_t quorate_report_bytes(void) { return sizeof(Report); }

EXPORT void quorate_close(Search *search) {
    if (!search) return;
    for (unsigned i = 0; search->workers && i < search->worker_count; i++) {
        if (search->workers[i].search == search) pthread_join(search->workers[i].thread, NULL);
        successors_free(&search->workers[i].out);
        memo_close(search->workers[i].out.memo);
    }
    store_close(search);
    meeting_close(&search->meeting);
    pthread_mutex_destroy(&search->limit_lock);
    free(search->table.arenas);
    free(search->workers);
    free(search->ends);
    free(search->trace);
    free(search->checkpoint_path);
    free(search);
}

static void *zeroed(size_t bytes) {
    void *memory = NULL;
    bytes = (bytes + 127) & ~(size_t)127;
    if (posix_memalign(&memory, 128, bytes) != 0) return NULL;
    return memset(memory, 0, bytes);
}

/* A search that has not begun, or NULL without memory. `arenas` is at least the number of workers; a checkpoint needs as many as
   the search that wrote it had workers. */
EXPORT Search *quorate_open(const Options *options, uint64_t arenas) {
    Search *search = zeroed(sizeof *search);
    if (!search) return NULL;
    pthread_mutex_init(&search->limit_lock, NULL);
    search->options = *options;
    search->worker_count = (unsigned)(options->workers < WORKERS_MAX ? options->workers : WORKERS_MAX);
    search->arena_count = arenas < WORKERS_MAX ? (unsigned)arenas : WORKERS_MAX;
    if (search->arena_count < search->worker_count) search->arena_count = search->worker_count;
    meeting_open(&search->meeting, search->worker_count, SPINS);
    search->budget.limit = options->memory_limit;
    atomic_store(&search->event, NONE);
    search->workers = zeroed(search->worker_count * sizeof *search->workers);
    search->table.arenas = zeroed(search->arena_count * sizeof *search->table.arenas);
    if (!search->workers || !search->table.arenas || !store_open(search)) {
        quorate_close(search);
        return NULL;
    }
    for (unsigned i = 0; i < search->worker_count; i++) {
        search->workers[i].id = i;
        search->workers[i].out.memo = memo_open(options->again, options->memory_limit / 16 / search->worker_count, &search->budget);
        forget_met(&search->workers[i]);
    }
    return search;
}

/* Continue from a checkpoint. NULL, or what is wrong with the file. Before `quorate_start`. */
EXPORT const char *quorate_resume(Search *search, const char *path) {
    for (unsigned i = 0; i < search->worker_count; i++) search->workers[i].search = search;
    const char *wrong = checkpoint_read(search, path);
    for (unsigned i = 0; i < search->worker_count; i++) search->workers[i].search = NULL;
    return wrong;
}

/* Number of arenas that a checkpoint needs, or 0 if it cannot be read. */
EXPORT uint64_t quorate_checkpoint_arenas(const char *path) {
    CheckpointHead head;
    FILE *file = fopen(path, "rb");
    if (!file) return 0;
    bool good = fread(&head, 1, sizeof head, file) == sizeof head && memcmp(head.magic, CHECKPOINT_MAGIC, MAGIC_BYTES) == 0;
    fclose(file);
    return good ? head.arenas : 0;
}

/* What a checkpoint says of its search. Nothing of a file that has not as much. */
EXPORT void quorate_checkpoint_about(const char *path, char *into) {
    CheckpointHead head;
    FILE *file = fopen(path, "rb");
    memset(&head, 0, sizeof head);
    bool good = file && fread(&head, 1, offsetof(CheckpointHead, cuts), file) == offsetof(CheckpointHead, cuts);
    if (file) fclose(file);
    head.about[ABOUT_BYTES - 1] = 0;
    memcpy(into, good ? head.about : "", good ? ABOUT_BYTES : 1);
}

/* Send home the workers that have started, `started` of them, when not all could: they wait, or will, at their first meeting. */
static void dismiss(Search *search, unsigned started) {
    pthread_mutex_lock(&search->meeting.lock);
    search->finished = true;
    search->meeting.expected = started;
    if (search->meeting.arrived == started) {
        search->meeting.arrived = 0;
        atomic_fetch_add(&search->meeting.round, 1);
        pthread_cond_broadcast(&search->meeting.wake);
    }
    pthread_mutex_unlock(&search->meeting.lock);
}

/* Begin. 0, or the system's error number when a thread cannot be started. */
EXPORT int quorate_start(Search *search) {
    for (unsigned i = 0; i < search->worker_count; i++) search->workers[i].search = search;
    if (search->levels == 0) seed_initial(search);
    for (unsigned i = search->worker_count; i-- > 0;) {
        int failure = pthread_create(&search->workers[i].thread, NULL, worker_main, &search->workers[i]);
        if (failure == 0) continue;
        for (unsigned k = 0; k <= i; k++) search->workers[k].search = NULL;
        dismiss(search, search->worker_count - i - 1);
        return failure;
    }
    return 0;
}

/* Wait for the end, at most so long. 1 if the search has ended. */
EXPORT int quorate_wait(Search *search, uint64_t milliseconds) {
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += (time_t)(milliseconds / 1000);
    until.tv_nsec += (long)(milliseconds % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_nsec -= 1000000000;
        until.tv_sec++;
    }
    pthread_mutex_lock(&search->meeting.lock);
    int failure = 0;
    while (!atomic_load(&search->done) && failure == 0)
        failure = pthread_cond_timedwait(&search->meeting.wake, &search->meeting.lock, &until);
    pthread_mutex_unlock(&search->meeting.lock);
    return atomic_load(&search->done);
}

/* End the search soon; the first reason given stays. */
EXPORT void quorate_stop(Search *search, int reason) { request_stop(search, reason); }

/* The place of the first number that left its 64 bits, counted from 1, or 0. If there is one, no answer of the engine counts. */
EXPORT uint64_t quorate_trapped(void) { return atomic_load(&common->trapped); }

/* The site, counted from 1, of which something else was remembered than is so, or 0. If there is one, no answer of the engine counts. */
EXPORT uint64_t quorate_mistaken(void) { return atomic_load(&common->mistaken); }

/* Whether more messages occurred than have numbers (numbers.h). Then no answer of the engine counts. */
EXPORT int quorate_crowded(void) { return atomic_load(&common->crowded); }

#if MODEL_NUMBERS
/* The number of a message, one of `most`, which it is given if it has none; its class is what it has above its lowest `shift` bits. */
EXPORT unsigned quorate_number(uint64_t message, unsigned most, unsigned shift) {
    unsigned number = number_of(message);
    return number == NONE ? number_give(message, most, shift) : number;
}
#endif

/* How many messages have numbers. */
EXPORT uint64_t quorate_numbered(void) { return numbers_given(); }

/* Ask for a checkpoint at the next moment that allows one. */
EXPORT int quorate_checkpoint(Search *search, const char *path) {
    if (atomic_load(&search->checkpoint_due)) return 0;
    if (!search->checkpoint_path && !(search->checkpoint_path = strdup(path))) return 1;
    search->checkpoint_error[0] = 0; /* Of an earlier one: nobody writes one now. */
    atomic_store(&search->checkpoint_due, true);
    return 0;
}

/* Write one to this file, too, where the limit of states or of memory ends the search. Before `quorate_start`; 1 without memory. */
EXPORT int quorate_checkpoint_last(Search *search, const char *path) {
    search->checkpoint_path = strdup(path);
    search->checkpoint_last = search->checkpoint_path != NULL;
    return !search->checkpoint_last;
}

/* Write one of a search that is done, for what comes after it. 1 if it cannot be written. */
EXPORT int quorate_checkpoint_whole(Search *search, const char *path) {
    if (!search->checkpoint_path && !(search->checkpoint_path = strdup(path))) return 1;
    checkpoint_write(search);
    return search->checkpoint_error[0] != 0;
}

EXPORT const char *quorate_checkpoint_error(Search *search) { return search->checkpoint_error; }

/* Why a search ended for a file. */
EXPORT const char *quorate_failure(Search *search) { return search->failure; }

EXPORT void quorate_report(Search *search, Report *report) {
    memset(report, 0, sizeof *report);
    for (unsigned i = 0; i < search->worker_count; i++) {
        report->transitions += atomic_load_explicit(&search->workers[i].counters.transitions, memory_order_relaxed);
    }
    report->transitions += search->initial_count;
    report->states = atomic_load(&search->states_total); /* In all arenas: a resumed search may have more of them than workers. */
    report->memory_bytes = store_bytes(search);
    report->stop = atomic_load(&search->stop);
    report->checkpoints = atomic_load(&search->checkpoints);
    report->done = atomic_load(&search->done);
    report->event = EVENT_NONE;
    report->depth = atomic_load_explicit(&search->depth_now, memory_order_relaxed);
    report->frontier = atomic_load_explicit(&search->frontier_now, memory_order_relaxed);
    if (!report->done) return;
    uint32_t event = atomic_load(&search->event);
    if (event != NONE) report->event = (int64_t)event;
    size_t last = search->levels - 1;
    report->depth = last > 0 && level_of(search, last).total == 0 ? last - 1 : last;
    report->reached = reached_by_all(search);
    report->trace_length = search->trace_length;
    report->trace_failed = search->trace_failed;
    for (size_t i = 0; i < MODEL_BOUNDS; i++) report->cuts[i] = cuts_of(search, i);
    for (size_t i = 0; i < MODEL_ACTIONS; i++) report->fired[i] = fired_of(search, i);
}

/* Whether a search that is done has met a state, or one that it stands for. On the disk nobody can say: then it has. */
EXPORT int quorate_met(const Search *search, const uint64_t *words) {
    State s;
    memcpy(s.w, words, sizeof s.w);
    s = representative(s);
    return store_has(search, &s);
}

/* The states first met at a depth, once the search is done. */
EXPORT uint64_t quorate_level(const Search *search, uint64_t depth) { return level_of(search, depth).total; }

#if MODEL_POINTS
/* A counter of a point, once the search is done. */
EXPORT uint64_t quorate_counted(const Search *search, uint64_t counter) {
    uint64_t total = 0;
    for (unsigned i = 0; i < search->worker_count; i++) total += search->workers[i].out.points[counter];
    return total;
}
#endif

static void copy_step(const TraceStep *step, uint64_t *state, uint64_t *args, uint32_t *action, uint32_t *error) {
    memcpy(state, &step->state, sizeof(State));
    memcpy(args, step->label.args, sizeof step->label.args);
    *action = step->label.action;
    *error = step->label.error;
}

/* Step i of the counterexample. Step 0 is an initial state; its arguments are those of @init. */
EXPORT void quorate_trace_step(Search *search, uint64_t i, uint64_t *state, uint64_t *args, uint32_t *action,
                               uint32_t *error) {
    copy_step(&search->trace[i], state, args, action, error);
}

#ifndef SEARCHING
/* Walk the runs of a plan, until one is violated or `*stop` is set. 0, or 1 without memory. Any number of threads may do so at a time. */
EXPORT int quorate_simulate(const Plan *plan, Simulated *total, const volatile int *stop) {
    return !walk_all(plan, NULL, NULL, total, stop);
}

/* Walk one run again, which began with the prefix `start` of a guide, or with 0 of none, and keep its steps, to be read with
   `quorate_trace_step`. NULL without memory. */
EXPORT Search *quorate_rerun(const Plan *plan, const Guide *guide, uint64_t start) {
    Search *record = zeroed(sizeof *record);
    if (!record) return NULL;
    meeting_open(&record->meeting, 1, 0);
    pthread_mutex_init(&record->limit_lock, NULL);
    if (rerun(plan, guide, start, record)) return record;
    quorate_close(record);
    return NULL;
}
#endif

#if MODEL_GUIDED
EXPORT void quorate_guide_close(Guide *guide) {
    if (!guide) return;
    free(guide->pairs.slots);
    free(guide->prefixes.all);
    free(guide->weights);
    free(guide);
}

/* A guide that knows nothing. NULL without memory. */
EXPORT Guide *quorate_guide_open(void) {
    Guide *guide = calloc(1, sizeof *guide);
    if (guide && pairs_open(&guide->pairs, PAIRS_FIRST)) return guide;
    quorate_guide_close(guide);
    return NULL;
}

/* Walk some runs of an epoch. What they found, for `quorate_guide_learn`; NULL without memory. */
EXPORT Finds *quorate_guided(const Plan *plan, const Guide *guide, Simulated *total, const volatile int *stop) {
    Finds *finds = finds_open(plan->runs);
    if (finds && walk_all(plan, guide, finds, total, stop)) return finds;
    finds_close(finds);
    return NULL;
}

/* Add what some runs of an epoch found, once all runs before them are added and none is walked. 0, or 1 without memory. */
EXPORT int quorate_guide_learn(Guide *guide, Finds *finds) {
    bool good = guide_learn(guide, finds);
    finds_close(finds);
    return !good;
}

/* Forget what some runs found. */
EXPORT void quorate_guide_ignore(Finds *finds) { finds_close(finds); }

/* An epoch has ended. 0, or 1 without memory. */
EXPORT int quorate_guide_weigh(Guide *guide) { return !guide_weigh(guide); }

/* By action, how many pairs runs have met, and how many of them first in a run from `late` on. Whether there is no room for more. */
EXPORT int quorate_guide_met(const Guide *guide, uint64_t late, uint64_t *all, uint64_t *new) {
    for (size_t i = 0; i < (size_t)1 << guide->pairs.bits; i++) {
        const Pair *pair = &guide->pairs.slots[i];
        if (!pair->hash) continue;
        all[pair->action]++;
        new[pair->action] += pair->run >= late;
    }
    return guide->full;
}
#endif

EXPORT uint64_t quorate_trace_length(const Search *search) { return search->trace_length; }

#if MODEL_LIVENESS
#include "liveness.h"
#endif

#if MODEL_SHARED
#include "share.h"
#endif
