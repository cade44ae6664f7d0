/* What a search remembers: what actions do and what invariants say, by what they read.
 *
 * In a distributed protocol nearly all work is the same small computation again: what a server does with a message depends on the
 * message and on a few variables of that server, whatever all others are. A *site* is an action, or an invariant with all its instances.
 * Its key is the arguments of the action and the bits of the state that the site's footprint has (checker/quorate/model/footprints.py),
 * all other bits masked out. For each key that was met, a line of the site's table has what was found:
 *
 *     of an invariant     that it holds in all its instances; nothing is remembered of one that does not, or that cannot be evaluated
 *     of an action        whether it is disabled, is cut, and by which bound, or else the bits that it leaves
 *
 * Why it is exact. A footprint has every part of the state that the evaluation may read, or change other than by adding an element to a
 * set. So two states with the same key go the same way through the code, evaluate the same values, and write the same. What an action
 * only adds to (bits of a mask, elements of a sorted network) need not be in the key: it is evaluated on the state without any
 * of that, what is there afterwards was added, and adding it to another state is a union. An addition that could be cut by a
 * capacity reads how much is there: so where there is not room for all that the action may add, nothing is looked up, and the
 * action itself is tried. Where evaluating is an error nothing is remembered either. What is not remembered is evaluated as without a memo;
 * the outcome is counted and emitted in the same place either way. Keys are compared whole: no hash is taken for its key.
 *
 * All of this stands on footprints that are not too small. So one hit in `Options.again` is evaluated again, by the way without a memo, and
 * held against what was remembered. If they differ the run ends, and no answer of it counts.
 *
 * A table has one line for each hash: a later key takes the place of an earlier one, and nothing depends on which are there. It grows while
 * it is too small. Where too few questions have an answer the site is closed for the rest of the search.
 *
 * Each worker has a memo of its own. Only the search itself looks things up: counterexamples, random runs and liveness do not.
 */
#ifndef QUORATE_MEMO_H
#define QUORATE_MEMO_H

#include "memory.h"

#ifndef MODEL_SITES /* how many things are remembered */
#define MODEL_SITES 0
#endif

#define COLD __attribute__((noinline, cold, unused))

/* How a table grows, and when it is given up. */
enum {
    MEMO_FIRST = 8,            /* a table begins with 2^8 lines, */
    MEMO_JUDGED = 10,          /* is judged from 2^10 on, */
    MEMO_LAST = 16,            /* and has no more than 2^16 */
    MEMO_ALIGNED = 64,         /* a line of eight words is one line of the cache */
    MEMO_GROWTH = 2,           /* each step makes 2^2 times as many */
    MEMO_BYTES_MAX = 64 << 20, /* of all tables of a worker, if that is not too much of what the search may take */
    MEMO_ITEMS_MAX = 64        /* transitions that one line may stand for */
};
typedef struct {
    uint64_t *lines; /* NULL before the first; a line that holds nothing is all ones, which is no key */
    unsigned shift;  /* there are 2^(64 - shift) lines */
    bool closed;
    uint64_t *items; /* of actions: what lines stand for, one after the other */
    size_t items_used, items_room;
    uint64_t asked, missed; /* since it was opened or grew */
} Site;

typedef struct Memo {
    Site sites[MODEL_SITES + 1];
    uint64_t again; /* a hit is looked into again if the number of the question has none of these bits */
    size_t bytes, bytes_max;
    Budget *budget;     /* of the search, of which this is a part */
    Successors scratch; /* what an action does that is tried aside */
} Memo;

static COLD void memo_mistake(unsigned number) {
    uint32_t none = 0;
    atomic_compare_exchange_strong(&common->mistaken, &none, number + 1);
}

/* A memo that looks into one hit of `again` again (a power of two; 0: into none), and takes at most so many bytes of the budget. NULL without
   memory: then nothing is remembered. */
static Memo *memo_open(uint64_t again, size_t bytes_max, Budget *budget) {
    Memo *memo = MODEL_SITES > 0 ? calloc(1, sizeof *memo) : NULL;
    if (!memo) return NULL;
    memo->again = again - 1;
    memo->bytes_max = bytes_max < MEMO_BYTES_MAX ? bytes_max : MEMO_BYTES_MAX;
    memo->budget = budget;
    return memo;
}

static void memo_return(Memo *memo, size_t bytes) {
    memo->bytes -= bytes;
    atomic_fetch_sub(&memo->budget->used, bytes);
}

/* Whether so many bytes more may be taken; they are then. */
static bool memo_take(Memo *memo, size_t bytes) {
    memo->bytes += bytes;
    bool good = atomic_fetch_add(&memo->budget->used, bytes) + bytes <= memo->budget->limit && memo->bytes <= memo->bytes_max;
    if (!good) memo_return(memo, bytes);
    return good;
}

static void memo_close(Memo *memo) {
    if (!memo) return;
    for (int i = 0; i < MODEL_SITES; i++) {
        free(memo->sites[i].lines);
        free(memo->sites[i].items);
    }
    successors_free(&memo->scratch);
    free(memo);
}

static inline uint64_t memo_hash(uint64_t hash, word part) {
    hash = (hash ^ part) * 0x9E3779B97F4A7C15u;
    return hash ^ hash >> 32;
}

/* Where the line of a key with this hash is, if there is one. */
static inline uint64_t *memo_line(const Site *site, unsigned width, uint64_t hash) {
    return site->lines + (hash * 0xD6E8FEB86659FD93u >> site->shift) * width;
}

/* Whether a hit is to be looked into again. */
static inline bool memo_doubts(const Memo *memo, const Site *site) { return UNLIKELY((site->asked & memo->again) == 0); }

static size_t memo_lines(const Site *site) { return site->lines ? (size_t)1 << (64 - site->shift) : 0; }

static bool memo_grow(Memo *memo, Site *site, unsigned width, unsigned bits) {
    size_t old = memo_lines(site) * width * sizeof(uint64_t), bytes = width * sizeof(uint64_t) << bits;
    if (!memo_take(memo, bytes)) return false;
    void *lines = NULL;
    if (posix_memalign(&lines, MEMO_ALIGNED, bytes) != 0) {
        memo_return(memo, bytes);
        return false;
    }
    free(site->lines);
    memo_return(memo, old);
    site->lines = lines;
    site->shift = 64 - bits;
    return true;
}

static void memo_empty(Site *site, unsigned width) {
    memset(site->lines, 0xFF, memo_lines(site) * width * sizeof(uint64_t));
    site->items_used = 0;
    site->asked = site->missed = 0;
}

/* Whether there is a table to look into: made when the first question comes. */
static COLD bool memo_begin(Memo *memo, Site *site, unsigned width) {
    if (site->closed) return false;
    site->closed = !memo_grow(memo, site, width, MEMO_FIRST);
    if (!site->closed) memo_empty(site, width);
    return !site->closed;
}

/* Questions for each miss that make a table of this size worth keeping: while it is small, much is new. */
static uint64_t memo_worth(size_t lines) { return lines >> 14 ? 8 : lines >> 12 ? 3 : 2; }

/* A miss: the table grows where it is too small, and is given up where it is of no use. False then. */
static COLD bool memo_missed(Memo *memo, Site *site, unsigned width) {
    size_t lines = memo_lines(site);
    if (LIKELY(++site->missed < lines)) return true;
    if (lines >> MEMO_JUDGED && site->asked < memo_worth(lines) * site->missed) {
        memo_return(memo, lines * width * sizeof(uint64_t) + site->items_room * sizeof(uint64_t));
        free(site->lines);
        free(site->items);
        site->lines = site->items = NULL;
        site->closed = true;
        return false;
    }
    if (!(lines >> MEMO_LAST) && memo_grow(memo, site, width, 64 - site->shift + MEMO_GROWTH)) memo_empty(site, width);
    site->asked = site->missed = 0;
    return true;
}

/* Room for so many words of items, as a position among them. When all lines together have too many, everything is forgotten. */
static COLD bool memo_room(Memo *memo, Site *site, unsigned width, size_t words) {
    if (site->items_used + words <= site->items_room) return true;
    size_t room = 2 * site->items_room + words + 1024, more = (room - site->items_room) * sizeof(uint64_t);
    bool taken = memo_take(memo, more);
    uint64_t *items = taken ? realloc(site->items, room * sizeof(uint64_t)) : NULL;
    if (taken && !items) memo_return(memo, more);
    if (items) {
        site->items = items;
        site->items_room = room;
        return true;
    }
    memo_empty(site, width);
    return words <= site->items_room;
}

/* A sorted network to which an action does nothing but add messages: where its last place lies, how wide and how many places are, and
   its length. */
typedef struct {
    unsigned at, width, capacity, length_at, length_width;
} Sent;

/* How an action is remembered. A line is the key, then where its items begin, then how many there are: the cuts, each by its bound; the
   transitions to the state itself, which are only counted; the others. Of these an item has the group, the words that may change, and for
   each network how many messages are sent, and which. */
typedef struct {
    unsigned site, width, key; /* words of a line, and of its key */
    unsigned touched, sent;    /* so many words may change, and so many networks */
    uint16_t words[MODEL_WORDS];
    const Sent *networks;
    unsigned sends_max; /* messages of one transition */
} Shape;

static inline uint64_t memo_counts(uint64_t left, uint64_t same, uint64_t cuts) { return left | same << 16 | cuts << 32; }
static inline uint64_t memo_left(uint64_t counts) { return counts & 0xFFFF; }
static inline uint64_t memo_same(uint64_t counts) { return counts >> 16 & 0xFFFF; }
static inline uint64_t memo_cuts(uint64_t counts) { return counts >> 32; }

static inline unsigned sent_count(const Sent *network, const word *s) {
    return (unsigned)get_bits(s, network->length_at, network->length_width);
}

/* The messages of a network from `first` on, and before `end` unless that is 0, as two words with their number on top; false if they are
   too many. They stand together, and so do their bits. */
static __attribute__((noinline, unused)) bool memo_slice(const Sent *network, const word *s, word first, word end, word *low,
                                                         word *high) {
    unsigned count = sent_count(network, s), at = network->at, width = network->width, capacity = network->capacity;
    unsigned i = first ? lower_bound(s, at, width, capacity, count, first) : 0, k = end ? i : count;
    while (k < count && element_at(s, at, width, capacity, k) < end) k++;
    unsigned bits = (k - i) * width;
    at += (capacity - k) * width;
    if (bits > 120) return false;
    *low = bits ? get_bits(s, at, bits < 64 ? bits : 64) : 0;
    *high = (bits > 64 ? get_bits(s, at + 64, bits - 64) : 0) | (word)(k - i) << 57;
    return true;
}

/* Whether no message that an action may send can be cut. */
static inline bool memo_has_room(const Shape *shape, const State *from) {
    for (unsigned i = 0; i < shape->sent; i++)
        if (sent_count(&shape->networks[i], from->w) + shape->sends_max > shape->networks[i].capacity) return false;
    return true;
}

static bool sent_add(const Sent *network, word *s, word message) {
    unsigned count = sent_count(network, s), at = network->at, width = network->width, capacity = network->capacity;
    unsigned i = lower_bound(s, at, width, capacity, count, message);
    if (i < count && element_at(s, at, width, capacity, i) == message) return false;
    insert_element(s, at, width, capacity, count, i, message);
    put_bits(s, network->length_at, network->length_width, count + 1);
    return true;
}

/* The state that an item leads to, and whether it is another one. `*items` is then the next item. */
static inline bool memo_apply(const Shape *shape, const State *from, const uint64_t **items, const word *reads, State *next) {
    const uint64_t *item = *items + 1;
    word changed = 0;
    *next = *from;
    for (unsigned i = 0; i < shape->touched; i++) {
        word *to = &next->w[shape->words[i]], before = *to;
        *to = (before & ~reads[i]) | *item++;
        changed |= *to ^ before;
    }
    for (unsigned i = 0; i < shape->sent; i++)
        for (uint64_t left = *item++; left; left--) changed |= sent_add(&shape->networks[i], next->w, *item++);
    *items = item;
    return changed != 0;
}

/* Where an action is tried aside: everything that it does is new there. */
static COLD Successors *memo_aside(Memo *memo) {
    Successors *aside = &memo->scratch;
    aside->count = 0;
    aside->cut_total = 0;
    memset(aside->cuts, 0, sizeof aside->cuts);
    return aside;
}

/* Whether what an action did aside can be remembered. */
static bool memo_may_keep(const Successors *aside) {
    bool errors = aside->exhausted;
    for (size_t i = 0; i < aside->count; i++) errors |= aside->labels[i].error != NONE;
    return !errors && aside->count + aside->cut_total <= MEMO_ITEMS_MAX;
}

/* A state without what an action only adds to. */
static COLD State memo_bare(const Shape *shape, const State *from, const word *reads, const word *adds) {
    State bare = *from;
    for (unsigned i = 0; i < shape->touched; i++) bare.w[shape->words[i]] &= reads[i] | ~adds[i];
    for (unsigned i = 0; i < shape->sent; i++) {
        const Sent *network = &shape->networks[i];
        for (unsigned k = 0; k < network->capacity; k++) put_bits(bare.w, network->at + k * network->width, network->width, 0);
        put_bits(bare.w, network->length_at, network->length_width, 0);
    }
    return bare;
}

static uint64_t *memo_put_item(const Shape *shape, const State *next, uint64_t group, const word *reads, const word *adds, uint64_t *item) {
    *item++ = group;
    for (unsigned i = 0; i < shape->touched; i++) *item++ = next->w[shape->words[i]] & (reads[i] | adds[i]);
    for (unsigned i = 0; i < shape->sent; i++) {
        const Sent *network = &shape->networks[i];
        unsigned count = sent_count(network, next->w);
        *item++ = count;
        for (unsigned k = 0; k < count; k++) *item++ = element_at(next->w, network->at, network->width, network->capacity, k);
    }
    return item;
}

/* What the action did aside from a bare state is remembered: the line, or NULL. */
static COLD uint64_t *memo_learn(Memo *memo, Site *site, const Shape *shape, const State *bare, const word *reads, const word *adds,
                                 const word *key, uint64_t hash) {
    Successors *aside = &memo->scratch;
    size_t item_max = 1 + shape->touched + shape->sent * (1 + (size_t)shape->sends_max);
    if (!memo_may_keep(aside) || !memo_missed(memo, site, shape->width)) return NULL;
    if (!memo_room(memo, site, shape->width, aside->count * item_max + aside->cut_total)) return NULL;
    uint64_t *const items = site->items + site->items_used, *item = items, left = 0, same = 0;
    for (uint64_t bound = 0; bound < MODEL_BOUNDS; bound++)
        for (uint64_t k = 0; k < aside->cuts[bound]; k++) *item++ = bound;
    for (size_t i = 0; i < aside->count; i++) {
        if (same_state(bare, &aside->states[i])) {
            same++;
            continue;
        }
        State next;
        const uint64_t *start = item;
        item = memo_put_item(shape, &aside->states[i], aside->labels[i].group, reads, adds, item);
        left++;
        memo_apply(shape, bare, &start, reads, &next);
        if (!same_state(&next, &aside->states[i])) memo_mistake(shape->site);
    }
    uint64_t *line = memo_line(site, shape->width, hash);
    memcpy(line, key, shape->key * sizeof *key);
    line[shape->key] = site->items_used;
    line[shape->key + 1] = memo_counts(left, same, aside->cut_total);
    site->items_used += (size_t)(item - items);
    return line;
}

/* Whether the action did something else aside than a line says. */
static COLD bool memo_differs(Memo *memo, const Site *site, const Shape *shape, const State *from, const uint64_t *line,
                              const word *reads) {
    Successors *aside = &memo->scratch;
    const uint64_t *item = site->items + line[shape->key], counts = line[shape->key + 1];
    uint64_t left = memo_left(counts), same = memo_same(counts), cuts = memo_cuts(counts);
    if (!memo_may_keep(aside) || aside->count != left + same || aside->cut_total != cuts) return true;
    for (; cuts; cuts--)
        if (aside->cuts[*item++]-- == 0) return true;
    for (size_t i = 0; i < aside->count; i++) {
        State next;
        const uint64_t *after = item;
        if (left && *item == aside->labels[i].group) memo_apply(shape, from, &after, reads, &next);
        if (after != item && same_state(&next, &aside->states[i])) {
            item = after;
            left--;
        } else if (!same_state(from, &aside->states[i]) || same-- == 0)
            return true;
    }
    return left != 0;
}

/* Everything that a line stands for happens. */
static __attribute__((noinline, unused)) void memo_replay(Successors *out, const State *from, const Site *site, const Shape *shape,
                                                          const uint64_t *line, const word *reads, uint32_t action) {
    const uint64_t *item = site->items + line[shape->key], counts = line[shape->key + 1];
    for (uint64_t cuts = memo_cuts(counts); UNLIKELY(cuts); cuts--) cut(out, (uint32_t)*item++);
    emit_same(out, from, action, memo_same(counts));
    for (uint64_t left = memo_left(counts); left; left--) {
        State next;
        const uint32_t group = (uint32_t)*item;
        if (shape->sent == 0 && emit_asleep(out, action, group)) {
            item += 1 + shape->touched;
            continue;
        }
        const bool changed = memo_apply(shape, from, &item, reads, &next);
        emit_known(out, from, &next, !changed, action, group, NULL, 0);
    }
}

#endif
