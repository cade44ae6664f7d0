/* What a search is: its workers, its levels, and how it is told to end. The parts that make it up share this and nothing else:
 *
 *     store.h           the states that were met
 *     checkpoint.h      a search on the disk
 *     path.h            the counterexample: by trace.h from the states, by retrace.h from fingerprints, by backtrack.h from files
 *     expand.h          the search itself
 */
#ifndef QUORATE_SEARCH_H
#define QUORATE_SEARCH_H

#include <sched.h>

#include "meeting.h"
#include "packets.h"
#include "plan.h"
#include "sleep.h"

enum {
    RECENT = 1024,            /* states that a worker remembers to have met */
    BATCH = 192,              /* successors gathered before they are inserted */
    BLOCK = 64,               /* successors inserted before the table may grow */
    INSERT_SLACK = 2 * BLOCK, /* what a worker may add before it sees that the table is full: the block it is in, and one more */
    AHEAD = 12,               /* successors between a prefetch and its use */
    CHUNK_MAX = 256,          /* states that a worker takes at a time */
    SPINS = 4000              /* looks at the barrier before sleeping */
};
#ifndef SOLO_MAX /* States of a level that one worker expands alone: a test that wants to see several takes fewer. */
#define SOLO_MAX 192
#endif
enum { STOP_NONE, STOP_INTERRUPTED, STOP_TIME, STOP_MEMORY, STOP_STATES, STOP_TRAPPED, STOP_DISK };

/* What can be wrong, in order of precedence at one level: a deadlock, whose trace is one step shorter than the others; anything
   else, of which trace.h finds the one that a sequential search generates first. */
enum { EVENT_DEADLOCK = 0, EVENT_VIOLATION = 1, EVENT_NONE = -1 };

typedef struct {
    uint64_t workers, memory_limit, states_max;
    uint64_t again; /* one answer of the memo in so many is looked into again (memo.h): a power of two, or 0 */
    const char *directory; /* of a search on the disk (disk.h) */
    const char *about; /* what was asked for, in words: whoever goes on from a checkpoint of another search can be told what differs */
} Options;

/* What each worker counts. Written by its worker only, after each batch, and read by anyone at any time. */
typedef struct {
    _Atomic uint64_t transitions;
} Counters;

/* What is counted of the states that are expanded. */
typedef struct {
    uint64_t fired[MODEL_ACTIONS], cuts[MODEL_BOUNDS];
} Tally;

/* Keys of tree.h. */
typedef struct {
    uint64_t *keys, count, capacity;
} Keys;

/* What a tree store has of each worker (compact.h). */
typedef struct {
    Numbered numbered; /* what it has numbered last */
    Packets found;     /* what it has found of the level being found, unless that is marked */
    Keys taken;        /* what it has claimed of the level being expanded */
    State state;       /* the one of these that it expands */
} Own;

/* And what all share. */
typedef struct {
    Tree tree;
    Roots roots;
    Packets queue;             /* the level being expanded, unless that is marked */
    bool queued, found_listed; /* whether `queue` and `found` have the levels, or marks */
    bool planned;              /* whether the tree was chosen from states that were met */
    _Atomic size_t peak;       /* bytes in use at a time */
} Compact;

struct Search;

typedef struct {
    _Alignas(128) Counters counters;
    struct Search *search;
    pthread_t thread;
    unsigned id;
    bool open;           /* not everything that it has claimed is done, */
    uint64_t claimed[2]; /* which are these positions of the frontier (arenas.h), */
    Tally begun;         /* and this was counted before, for a last checkpoint */
    Successors out;
    State recent[RECENT]; /* states met a moment ago, by hash: neighbours share many successors, and these cost no access to the table */
    uint64_t recent_masks[RECENT]; /* what these meetings left of their sleep sets, at least */
    State unreduced[RECENT]; /* successors met a moment ago, before symmetry: these cost no search for their representative either */
    uint64_t reached;
    uint64_t counted; /* states of its arena that `states_total` includes */
    Own own;
} Worker;

typedef struct {
    uint64_t begin[WORKERS_MAX], end[WORKERS_MAX], total;
} Frontier;

/* One step of a counterexample: how the state was reached and what it is. */
typedef struct {
    Label label;
    State state;
} TraceStep;

typedef struct Search {
    Options options;
    Budget budget;
    Table table;
    Compact compact;
    struct Disk *disk;
    Worker *workers;
    unsigned worker_count, arena_count;

    Frontier frontier;
    uint64_t *ends; /* ends[level * WORKERS_MAX + arena]: where the level ends */
    size_t levels, levels_capacity;
    _Atomic uint64_t depth_now, frontier_now; /* for progress */
    _Atomic uint64_t arenas_peak;             /* bytes of states kept at a time */
    _Alignas(128) _Atomic uint64_t cursor;
    _Alignas(128) _Atomic uint64_t states_total;
    _Atomic uint32_t event;
    _Atomic int stop;
    _Atomic bool full;    /* the table must grow before more is inserted */
    _Atomic bool pausing; /* some worker waits for all others */
    _Atomic bool growing;
    bool finished, level_open, resumed;
    uint64_t reached_before; /* what `@reachable` properties ask for and the levels before the one being found have */
    uint64_t initial_count, transitions_before;

    pthread_mutex_t limit_lock;

    Meeting meeting;   /* of the workers, and of who waits for their end: */
    _Atomic bool done;

    /* Requests of a checkpoint, and how the last one went. */
    _Atomic bool checkpoint_due;
    bool checkpoint_last; /* one is written where a limit ends the search, too */
    char *checkpoint_path;
    char checkpoint_error[160];
    char failure[240]; /* why the search ended with STOP_DISK */
    _Atomic uint64_t checkpoints;

    TraceStep *trace;
    size_t trace_length;
    bool trace_failed;
} Search;

static void meet(Search *search) {
    if (search->worker_count > 1) meet_and(&search->meeting, NULL, NULL);
}

static void request_stop(Search *search, int reason) {
    int none = STOP_NONE;
    atomic_compare_exchange_strong(&search->stop, &none, reason);
}

static inline bool stopping(Search *search) {
    return atomic_load_explicit(&search->stop, memory_order_relaxed) != STOP_NONE;
}

static void note_event(Search *search, uint32_t event) {
    if (atomic_load(&common->trapped) || atomic_load(&common->mistaken)) return request_stop(search, STOP_TRAPPED);
    uint32_t least = atomic_load_explicit(&search->event, memory_order_relaxed);
    while (event < least && !atomic_compare_exchange_weak(&search->event, &least, event)) {
    }
}

/* No state was met. None has its highest bit set. */
static void forget_met(Worker *me) {
    memset(me->recent, 0xFF, sizeof me->recent);
    memset(me->unreduced, 0xFF, sizeof me->unreduced);
}

/* The transitions that a worker took: every successor, errors excepted. */
static void publish_transitions(Worker *me) {
    uint64_t total = 0;
    for (int i = 0; i < MODEL_ACTIONS; i++) total += me->out.fired[i];
    atomic_store_explicit(&me->counters.transitions, total, memory_order_relaxed);
}

static bool levels_append(Search *search) {
    if (search->levels == search->levels_capacity) {
        size_t capacity = search->levels_capacity ? 2 * search->levels_capacity : 64;
        uint64_t *ends = realloc(search->ends, capacity * WORKERS_MAX * sizeof *ends);
        if (!ends) return false;
        search->ends = ends;
        search->levels_capacity = capacity;
    }
    uint64_t *ends = search->ends + search->levels++ * WORKERS_MAX;
    for (unsigned i = 0; i < WORKERS_MAX; i++) ends[i] = i < search->arena_count ? search->table.arenas[i].count : 0;
    return true;
}

/* The states of a level, as a frontier. */
static Frontier level_of(const Search *search, size_t level) {
    Frontier found = {.total = 0};
    for (unsigned i = 0; i < search->arena_count; i++) {
        found.begin[i] = level == 0 ? 0 : search->ends[(level - 1) * WORKERS_MAX + i];
        found.end[i] = search->ends[level * WORKERS_MAX + i];
        found.total += found.end[i] - found.begin[i];
    }
    return found;
}

/* How many of so many states a worker takes at a time. */
static inline uint64_t chunk_size(const Search *search, uint64_t total, bool solo) {
    if (solo) return CHUNK_MAX;
    uint64_t size = total / ((uint64_t)search->worker_count * 16) + 1;
    return size < CHUNK_MAX ? size : CHUNK_MAX;
}

/* How many states all workers together may add before they see that there are too many. */
static inline uint64_t insert_slack(unsigned workers) { return (uint64_t)workers * INSERT_SLACK; }

#endif
