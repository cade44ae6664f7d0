/* The search of search.py in C; its essay is there. Lanes, operation classes and states are numbers. A transition that
 * is not yet known is asked of Python once, through `work_out`, and kept.
 *
 * A configuration is the array of lane positions followed by the state. Configurations are stored exactly, one after
 * another in `seen`; `slots` is an open-addressing table of their numbers plus one. Nothing is ever removed. */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { RUNNING = 0, FOUND = 1, NONE = 2, LIMIT = 3, FAILED = 4 };
enum { REFUSED = -1, BROKEN = -2, UNKNOWN = -3 };

typedef int32_t (*work_out_fn)(int32_t state, int32_t class_);

/* What operations do. Shared by all searches of one model; `next` is an open-addressing map from (state, class). */
typedef struct {
    uint64_t *keys;
    int32_t *next;
    uint64_t capacity, count;
    work_out_fn work_out;
} transitions;

typedef struct {
    int64_t invoked, returned; /* NEVER if pending. */
    int32_t class_;
    int32_t query;
    int32_t before, befores; /* The operations that must come before: `befores` of them from places[before] on. */
} operation;

typedef struct {
    int32_t lane, position;
} place;

/* One step of the order: the lane taken, and the state before it. `forced`: a query taken at once. */
typedef struct {
    int32_t lane, state, forced;
    int64_t returned; /* Of the operation taken; alternatives are tried by (returned, lane). */
} frame;

typedef struct {
    transitions *steps;
    const operation *operations;
    const place *places;
    const int32_t *first; /* Lane l is operations[first[l]] .. operations[first[l + 1] - 1]. */
    int32_t lanes, real_time, status, state;
    uint32_t *now; /* The configuration: positions, then the state. */
    uint32_t *seen;
    uint64_t *slots;
    uint64_t seen_count, seen_room, slot_count, bytes_max;
    frame *frames;
    int32_t *best;
    int32_t depth, best_depth, left;
    int32_t tried_lane; /* After stepping back: the alternative that failed. */
    int64_t tried_returned, horizon;
} search;

#define NEVER (INT64_C(1) << 60)

static uint64_t mix(uint64_t x) {
    x ^= x >> 32;
    x *= UINT64_C(0xd6e8feb86659fd93);
    x ^= x >> 32;
    x *= UINT64_C(0xd6e8feb86659fd93);
    return x ^ (x >> 32);
}

transitions *transitions_new(work_out_fn work_out) {
    transitions *t = calloc(1, sizeof *t);
    if (!t) return NULL;
    t->capacity = 1024;
    t->work_out = work_out;
    t->keys = calloc(t->capacity, sizeof *t->keys);
    t->next = calloc(t->capacity, sizeof *t->next);
    if (t->keys && t->next) return t;
    free(t->keys);
    free(t->next);
    free(t);
    return NULL;
}

void transitions_free(transitions *t) {
    free(t->keys);
    free(t->next);
    free(t);
}

/* The slot of `key` (never 0), or the empty one where it belongs. */
static uint64_t slot_of(const uint64_t *keys, uint64_t capacity, uint64_t key) {
    uint64_t at = mix(key) & (capacity - 1);
    while (keys[at] && keys[at] != key) at = (at + 1) & (capacity - 1);
    return at;
}

static int grow_transitions(transitions *t) {
    uint64_t capacity = t->capacity * 2;
    uint64_t *keys = calloc(capacity, sizeof *keys);
    int32_t *next = calloc(capacity, sizeof *next);
    if (!keys || !next) {
        free(keys);
        free(next);
        return 0;
    }
    for (uint64_t i = 0; i < t->capacity; i++)
        if (t->keys[i]) {
            uint64_t at = slot_of(keys, capacity, t->keys[i]);
            keys[at] = t->keys[i];
            next[at] = t->next[i];
        }
    free(t->keys);
    free(t->next);
    t->keys = keys;
    t->next = next;
    t->capacity = capacity;
    return 1;
}

static int32_t step(transitions *t, int32_t state, int32_t class_) {
    uint64_t key = ((uint64_t)(uint32_t)state << 32 | (uint32_t)class_) + 1;
    uint64_t at = slot_of(t->keys, t->capacity, key);
    if (t->keys[at]) return t->next[at];
    int32_t after = t->work_out(state, class_);
    if (after == BROKEN) return BROKEN;
    if (2 * (t->count + 1) > t->capacity) {
        if (!grow_transitions(t)) return BROKEN;
        at = slot_of(t->keys, t->capacity, key);
    }
    t->keys[at] = key;
    t->next[at] = after;
    t->count++;
    return after;
}

static uint64_t hash(const uint32_t *configuration, int32_t length) {
    uint64_t h = 0;
    for (int32_t i = 0; i < length; i++) h = mix(h + configuration[i] + UINT64_C(0x9e3779b97f4a7c15));
    return h;
}

/* Make room for one more configuration: 1, or 0 when the limit on memory or the machine's memory is reached. */
static int reserve(search *s) {
    uint64_t width = (uint64_t)s->lanes + 1;
    if (s->seen_count == s->seen_room) {
        uint64_t room = s->seen_room * 2, bytes = room * width * sizeof *s->seen;
        if (bytes + s->slot_count * sizeof *s->slots > s->bytes_max) return 0;
        uint32_t *seen = realloc(s->seen, bytes);
        if (!seen) return 0;
        s->seen = seen;
        s->seen_room = room;
    }
    if (2 * (s->seen_count + 1) > s->slot_count) {
        uint64_t count = s->slot_count * 2;
        if (s->seen_room * width * sizeof *s->seen + count * sizeof *s->slots > s->bytes_max) return 0;
        uint64_t *slots = calloc(count, sizeof *slots);
        if (!slots) return 0;
        for (uint64_t i = 0; i < s->seen_count; i++) {
            uint64_t at = hash(s->seen + i * width, s->lanes + 1) & (count - 1);
            while (slots[at]) at = (at + 1) & (count - 1);
            slots[at] = i + 1;
        }
        free(s->slots);
        s->slots = slots;
        s->slot_count = count;
    }
    return 1;
}

/* Remember the configuration `now`: 1 if it is new, 0 if it was known, -1 when there is no room. */
static int remember(search *s) {
    if (!reserve(s)) return -1;
    uint64_t width = (uint64_t)s->lanes + 1;
    uint64_t at = hash(s->now, s->lanes + 1) & (s->slot_count - 1);
    for (; s->slots[at]; at = (at + 1) & (s->slot_count - 1))
        if (!memcmp(s->seen + (s->slots[at] - 1) * width, s->now, width * sizeof *s->now)) return 0;
    memcpy(s->seen + s->seen_count * width, s->now, width * sizeof *s->now);
    s->slots[at] = ++s->seen_count;
    return 1;
}

static const operation *front(const search *s, int32_t lane) {
    int32_t at = s->first[lane] + (int32_t)s->now[lane];
    return at < s->first[lane + 1] ? s->operations + at : NULL;
}

/* The earliest return among the fronts. */
static int64_t due(const search *s) {
    int64_t earliest = NEVER;
    for (int32_t lane = 0; lane < s->lanes; lane++) {
        const operation *o = front(s, lane);
        if (o && o->returned < earliest) earliest = o->returned;
    }
    return earliest;
}

static int allowed(const search *s, const operation *o, int64_t earliest) {
    if (!o || (s->real_time && o->invoked > earliest)) return 0;
    for (int32_t i = o->before; i < o->before + o->befores; i++)
        if ((int32_t)s->now[s->places[i].lane] <= s->places[i].position) return 0;
    return 1;
}

/* A query that is legal now: its lane; or -1; or BROKEN. */
static int32_t legal_query(search *s, int64_t earliest) {
    for (int32_t lane = 0; lane < s->lanes; lane++) {
        const operation *o = front(s, lane);
        if (!allowed(s, o, earliest) || !o->query) continue;
        int32_t after = step(s->steps, s->state, o->class_);
        if (after == BROKEN) return BROKEN;
        if (after != REFUSED) return lane;
    }
    return -1;
}

/* The first legal front after (tried_returned, tried_lane) in the order of returns: its lane, with `after` set; or -1;
 * or BROKEN. */
static int32_t next_update(search *s, int64_t earliest, int32_t *after) {
    for (;;) {
        int32_t chosen = -1;
        int64_t returned = INT64_MAX;
        for (int32_t lane = 0; lane < s->lanes; lane++) {
            const operation *o = front(s, lane);
            if (!allowed(s, o, earliest) || o->query || o->returned >= returned) continue;
            if (o->returned < s->tried_returned) continue;
            if (o->returned == s->tried_returned && lane <= s->tried_lane) continue;
            chosen = lane;
            returned = o->returned;
        }
        if (chosen < 0) return -1;
        *after = step(s->steps, s->state, front(s, chosen)->class_);
        if (*after != REFUSED) return *after == BROKEN ? BROKEN : chosen;
        s->tried_returned = returned;
        s->tried_lane = chosen;
    }
}

/* Take the front of `lane`: 1 if that configuration is new, 0 if it is known to lead nowhere, -1 when there is no
 * room. */
static int take(search *s, int32_t lane, int32_t after, int forced) {
    const operation *o = front(s, lane);
    s->now[lane]++;
    s->now[s->lanes] = (uint32_t)after;
    int new = remember(s);
    if (new <= 0) {
        s->now[lane]--;
        s->now[s->lanes] = (uint32_t)s->state;
        s->tried_returned = o->returned;
        s->tried_lane = lane;
        return new;
    }
    s->frames[s->depth++] = (frame){.lane = lane, .state = s->state, .forced = forced, .returned = o->returned};
    s->state = after;
    s->left -= o->returned != NEVER;
    s->tried_returned = -1;
    s->tried_lane = -1;
    if (s->left == 0) s->status = FOUND;
    return 1;
}

static void leave(search *s) {
    if (s->depth > s->best_depth) {
        for (int32_t i = 0; i < s->depth; i++) s->best[i] = s->frames[i].lane;
        s->best_depth = s->depth;
    }
    int forced;
    do { /* A forced query has no alternative: step back over it too. */
        if (s->depth == 0) {
            s->status = NONE;
            return;
        }
        const frame *f = &s->frames[--s->depth];
        s->now[f->lane]--;
        s->now[s->lanes] = (uint32_t)f->state;
        s->state = f->state;
        s->left += f->returned != NEVER;
        s->tried_returned = f->returned;
        s->tried_lane = f->lane;
        forced = f->forced;
    } while (forced);
}

/* Enter at most `budget` configurations. */
int32_t search_run(search *s, int64_t budget) {
    while (s->status == RUNNING && budget > 0) {
        int64_t earliest = due(s);
        if (earliest > s->horizon) s->horizon = earliest;
        int32_t after = s->state;
        int32_t lane = s->tried_lane < 0 ? legal_query(s, earliest) : -1;
        int forced = lane >= 0;
        if (lane == -1) lane = next_update(s, earliest, &after);
        if (lane == BROKEN) s->status = FAILED;
        else if (lane < 0) leave(s);
        else {
            int new = take(s, lane, after, forced);
            if (new < 0) s->status = LIMIT;
            else if (new) budget--;
            else if (forced) leave(s);
        }
    }
    return s->status;
}

void search_free(search *s) {
    if (!s) return;
    free(s->now);
    free(s->seen);
    free(s->slots);
    free(s->frames);
    free(s->best);
    free(s);
}

/* The arrays stay the caller's and must outlive the search. NULL without memory. */
search *search_new(transitions *steps, const operation *operations, const place *places, const int32_t *first,
                   int32_t lanes, int32_t real_time, int32_t answered, uint64_t bytes_max) {
    search *s = calloc(1, sizeof *s);
    if (!s) return NULL;
    int32_t count = first[lanes];
    *s = (search){.steps = steps, .operations = operations, .places = places, .first = first, .lanes = lanes,
                  .real_time = real_time, .left = answered, .status = answered ? RUNNING : FOUND, .bytes_max = bytes_max, .seen_room = 64,
                  .slot_count = 128, .tried_lane = -1, .tried_returned = -1, .horizon = -1};
    s->now = calloc((size_t)lanes + 1, sizeof *s->now);
    s->seen = malloc(s->seen_room * ((size_t)lanes + 1) * sizeof *s->seen);
    s->slots = calloc(s->slot_count, sizeof *s->slots);
    s->frames = malloc(((size_t)count + 1) * sizeof *s->frames);
    s->best = malloc(((size_t)count + 1) * sizeof *s->best);
    if (s->now && s->seen && s->slots && s->frames && s->best) return s;
    search_free(s);
    return NULL;
}

int64_t search_horizon(const search *s) { return s->horizon; }

int64_t search_entered(const search *s) { return (int64_t)s->seen_count; }

/* The lanes of the order now held, or of the longest one met; the length is returned. `into` has room for every
 * operation. */
int32_t search_order(const search *s, int32_t longest, int32_t *into) {
    if (longest && s->best_depth >= s->depth) {
        memcpy(into, s->best, (size_t)s->best_depth * sizeof *into);
        return s->best_depth;
    }
    for (int32_t i = 0; i < s->depth; i++) into[i] = s->frames[i].lane;
    return s->depth;
}
