/* A store of at most ten bytes a state: each state is a number (tree.h), and the numbers are a set that says of each only what its place
 * does not say (roots.h).
 *
 * It is exact. A state and its key determine each other, since rows keep their numbers; a key and its value determine each other, since a
 * bijection leads from one to the other; and a value is found if it was inserted: it is in the small table, where it is compared whole, or
 * among the entries, where its bucket and its entry together are all of its bits. Two workers that insert the same value at a time come
 * to the same slot of the small table, and one of them takes it.
 *
 * The levels. States that wait to be expanded are not kept a second time: an entry has two marks, one for levels of even depth and one for
 * levels of odd depth. The mark of the level being expanded is cleared when a worker takes the state, so that what has the mark is
 * what is left to do, and a checkpoint needs nothing else. Looking for marks goes over one bit a bucket. But marks have the order of a hash,
 * so a level is listed as long as that takes little for each state that there is (packets.h), and marked only when it takes more, memory is
 * short, or a checkpoint is written (`gather_marks`).
 *
 * When some states are known, a tree is chosen anew, and all states are numbered again. When parts have outgrown their fields of the key, the
 * fields are made wider, as long as there are bits for that: the tree and all numbers stay, and only the keys are written anew. Where there are
 * none, a tree is chosen anew.
 *
 * Bytes that are counted: entries, places of buckets, small table, rows and their indices, lists. The peak of them, with both trees while
 * there are two.
 */
#ifndef QUORATE_COMPACT_H
#define QUORATE_COMPACT_H

#include <errno.h>

#include "search.h"
#include "treefile.h"

#ifndef LISTED_MIN /* Bytes of a level that are listed however few states there are. A test that wants marks takes fewer. */
#define LISTED_MIN ((uint64_t)1 << 16)
#endif
#ifndef LISTED_BYTES /* For each state that there is: with more, a level is marked. */
#define LISTED_BYTES 8
#endif
enum { MOVES = 0, CONTRACTED_SHARE = 8 }; /* a byte for so many states is what contracting a node may take */

/* Of the states that a worker has taken, the next. */
typedef struct {
    uint64_t next;
} Claim;

static inline unsigned mark_expanded(const Search *search) { return (unsigned)(search->levels + 1) & 1; }
static inline unsigned mark_found(const Search *search) { return (unsigned)search->levels & 1; }

static bool keys_push(Keys *list, uint64_t key) {
    if (UNLIKELY(list->count == list->capacity)) {
        uint64_t capacity = list->capacity ? list->capacity + list->capacity / 2 : 256;
        uint64_t *keys = realloc(list->keys, capacity * sizeof *keys);
        if (!keys) return false;
        list->keys = keys;
        list->capacity = capacity;
    }
    list->keys[list->count++] = key;
    return true;
}

static uint64_t recent_count(Search *search) { return atomic_load(&search->states_total) - search->compact.roots.count; }

/* What lists take. */
static size_t lists_bytes(const Search *search) {
    const Packets *queue = &search->compact.queue;
    size_t bytes = 0;
    for (uint64_t k = atomic_load(&search->cursor); search->compact.queued && k < queue->count; k++) bytes += packet_cost(queue->packets[k]);
    for (unsigned i = 0; i < search->worker_count; i++) bytes += search->workers[i].own.found.bytes;
    return bytes;
}

static size_t bytes_now(const Search *search) {
    size_t bytes = roots_bytes(&search->compact.roots) + tree_bytes(&search->compact.tree) + lists_bytes(search);
    for (unsigned i = 0; i < search->worker_count; i++) bytes += search->workers[i].own.taken.capacity * sizeof(uint64_t);
    return bytes;
}

static void note_bytes(Search *search, size_t more) {
    size_t bytes = bytes_now(search) + more;
    if (bytes > atomic_load(&search->compact.peak)) atomic_store(&search->compact.peak, bytes);
}

static size_t store_bytes(const Search *search) { return atomic_load(&search->compact.peak); }

/* ---- Opening --------------------------------------------------------------------------------------------------- */

static bool store_open(Search *search) {
    Compact *compact = &search->compact;
    size_t limit = search->options.memory_limit;
    compact->found_listed = true;
    compact->planned = MODEL_WORDS == 1;
    if (MODEL_WORDS == 1)
        compact->tree.key_bits = MODEL_BITS < 2 ? 2 : MODEL_BITS;
    else if (!plan_tree(&compact->tree, NULL, 0, 0, 0, limit, &search->budget))
        return false;
    bool good = tree_room(&compact->tree, insert_slack(search->worker_count), &search->budget) &&
                roots_open(&compact->roots, compact->tree.key_bits, limit, &search->budget);
    note_bytes(search, 0);
    return good;
}

static void store_close(Search *search) {
    tree_close(&search->compact.tree, &search->budget);
    roots_close(&search->compact.roots, &search->budget);
    packets_free(&search->compact.queue, &search->budget);
    for (unsigned i = 0; search->workers && i < search->worker_count; i++) {
        packets_free(&search->workers[i].own.found, &search->budget);
        free(search->workers[i].own.taken.keys);
    }
}

/* ---- Inserting ------------------------------------------------------------------------------------------------- */

/* Room is made ahead: `store_full`. */
static inline bool store_room(const Worker *me, uint64_t count) {
    (void)me;
    (void)count;
    return true;
}

static inline uint64_t store_locate(Worker *me, const State *s, uint64_t hash) {
    Compact *compact = &me->search->compact;
    (void)hash;
    uint64_t value = value_of(&compact->roots, tree_key(&compact->tree, s, &me->own.numbered, &me->search->full));
    roots_prefetch_bucket(&compact->roots, value);
    return value;
}

PREFETCHING void store_approach(const Search *search, uint64_t value) { roots_prefetch_entries(&search->compact.roots, value); }

/* How many bytes of a level a worker lists before the level is marked. */
static inline uint64_t listed_most(const Search *search) {
    uint64_t most = search->compact.roots.count * LISTED_BYTES / search->worker_count;
    return most > LISTED_MIN ? most : LISTED_MIN;
}

static inline bool store_insert(Worker *me, size_t i, uint64_t value) {
    Search *search = me->search;
    (void)i;
    if (!roots_insert(&search->compact.roots, value)) return false;
    search->table.arenas[me->id].count++;
    if (!search->compact.found_listed) return true;
    if (UNLIKELY(!packets_push(&me->own.found, key_of(&search->compact.roots, value), &search->budget))) request_stop(search, STOP_MEMORY);
    if (UNLIKELY(me->own.found.bytes >= listed_most(search))) atomic_store(&search->full, true);
    return true;
}

/* The value of a state whose parts have all occurred, or 0. */
static inline uint64_t value_known(const Search *search, const State *s) {
    const Tree *tree = &search->compact.tree;
    uint64_t key = s->w[0];
    if (MODEL_WORDS > 1) {
        uint32_t parts[PARTS_MAX];
        for (unsigned i = 0; i < HALVES; i++) parts[i] = half_of(s, i);
        for (unsigned n = 0; n < tree->node_count; n++) {
            const Node *node = &tree->nodes[n];
            uint32_t row[HALVES];
            row_of(tree, node, parts, row);
            uint64_t hash = row_hash(row, node->arity), at = home_among(hash, node->capacity);
            if ((parts[HALVES + n] = node_find(node, row, hash, &at)) == NONE) return 0;
        }
        key = 0;
        for (unsigned i = 0; i < tree->field_count; i++) key |= (uint64_t)parts[tree->fields[i].part] << tree->fields[i].shift;
    }
    return value_of(&search->compact.roots, key);
}

static inline bool store_has(const Search *search, const State *s) {
    uint64_t value = value_known(search, s);
    return value != 0 && roots_has(&search->compact.roots, value);
}

/* ---- Marks ----------------------------------------------------------------------------------------------------- */

static bool merge_recent(Search *search, unsigned marks) {
    bool good = roots_merge(&search->compact.roots, recent_count(search), marks, &search->budget);
    note_bytes(search, 0);
    return good;
}

/* Mark the keys of a packet. */
static void mark_packet(Search *search, const uint8_t *packet, unsigned mark) {
    uint64_t keys[PACKET_KEYS];
    unsigned count = packet_keys(packet, keys);
    for (unsigned k = 0; k < count; k++) roots_mark(&search->compact.roots, value_of(&search->compact.roots, keys[k]), mark);
}

/* From lists to marks: of the level being found, and of what is left of the level being expanded. */
static bool gather_marks(Search *search) {
    Compact *compact = &search->compact;
    if (!merge_recent(search, compact->found_listed ? 0 : 1u << mark_found(search))) return false;
    for (unsigned i = 0; compact->found_listed && i < search->worker_count; i++)
        if (!packets_seal(&search->workers[i].own.found, &search->budget)) return false;
    for (unsigned i = 0; compact->found_listed && i < search->worker_count; i++) {
        Packets *found = &search->workers[i].own.found;
        for (uint64_t k = 0; k < found->count; k++) mark_packet(search, found->packets[k], mark_found(search));
        packets_free(found, &search->budget);
    }
    compact->found_listed = false;
    if (compact->queued) {
        for (uint64_t k = atomic_load(&search->cursor); k < compact->queue.count; k++)
            mark_packet(search, compact->queue.packets[k], mark_expanded(search));
        packets_free(&compact->queue, &search->budget);
        compact->queued = false;
        atomic_store(&search->cursor, 0);
    }
    return true;
}

static bool store_gather(Search *search) {
    (void)search;
    return true;
}

static void store_turn(Search *search) {
    Compact *compact = &search->compact;
    compact->queued = compact->found_listed;
    packets_free(&compact->queue, &search->budget);
    for (unsigned i = 0; i < search->worker_count; i++)
        if (!packets_move(&compact->queue, &search->workers[i].own.found, &search->budget)) request_stop(search, STOP_MEMORY);
    atomic_store(&search->cursor, 0);
    if (!compact->queued && !merge_recent(search, 1u << mark_expanded(search))) request_stop(search, STOP_MEMORY);
    compact->found_listed = true;
    note_bytes(search, 0);
}

/* Take what is marked in 64 buckets. */
static bool take_marked(Worker *me, uint64_t word) {
    Search *search = me->search;
    Roots *roots = &search->compact.roots;
    unsigned mark = mark_expanded(search), width = entry_bits(roots);
    uint64_t buckets = atomic_load_explicit(&holds_of(roots, mark)[word], memory_order_relaxed);
    if (buckets == 0) return true;
    atomic_store_explicit(&holds_of(roots, mark)[word], 0, memory_order_relaxed);
    for (; buckets; buckets &= buckets - 1) {
        uint64_t bucket = 64 * word + (unsigned)__builtin_ctzll(buckets);
        for (uint64_t i = starts_of(roots)[bucket], end = starts_of(roots)[bucket + 1]; i < end; i++) {
            uint64_t entry = entry_at(roots, i, width);
            if (!(entry >> mark & 1)) continue;
            mark_clear(roots, i, width, mark);
            if (!keys_push(&me->own.taken, key_of(roots, value_at(roots, bucket, entry)))) return false;
        }
    }
    return true;
}

/* Take a packet of the queue. */
static bool take_packet(Worker *me, uint64_t number) {
    Search *search = me->search;
    uint8_t *packet = search->compact.queue.packets[number];
    Keys *taken = &me->own.taken;
    if (taken->capacity < PACKET_KEYS) {
        uint64_t *keys = realloc(taken->keys, PACKET_KEYS * sizeof *keys);
        if (!keys) return false;
        taken->keys = keys;
        taken->capacity = PACKET_KEYS;
    }
    taken->count = packet_keys(packet, taken->keys);
    search->compact.queue.packets[number] = NULL;
    packet_free(packet, &search->budget);
    return true;
}

static inline bool store_claim(Worker *me, bool solo, Claim *claim) {
    Search *search = me->search;
    Compact *compact = &search->compact;
    Keys *taken = &me->own.taken;
    (void)solo;
    claim->next = taken->count = 0;
    if (compact->queued) {
        uint64_t number = atomic_fetch_add_explicit(&search->cursor, 1, memory_order_relaxed);
        if (number >= compact->queue.count) return false;
        if (!take_packet(me, number)) request_stop(search, STOP_MEMORY);
        return true;
    }
    while (taken->count == 0) {
        uint64_t word = atomic_fetch_add_explicit(&search->cursor, 1, memory_order_relaxed);
        if (64 * word >= bucket_count(&compact->roots)) return false;
        if (!take_marked(me, word)) request_stop(search, STOP_MEMORY);
    }
    return true;
}

static inline const State *store_next(Worker *me, Claim *claim) {
    const Compact *compact = &me->search->compact;
    if (claim->next == me->own.taken.count) return NULL;
    me->own.state = tree_state(&compact->tree, me->own.taken.keys[claim->next++]);
    return &me->own.state;
}

/* ---- Growing --------------------------------------------------------------------------------------------------- */

/* With this many states it is full; other reasons are found where they arise, and set `full`. */
static inline uint64_t store_full_at(const Search *search) {
    uint64_t full = roots_full_at(&search->compact.roots), plan = PLAN_AT + insert_slack(search->worker_count);
    return search->compact.planned || full < plan ? full : plan;
}

static bool must_plan(Search *search) { return !search->compact.planned && atomic_load(&search->states_total) >= PLAN_AT; }

/* Whether levels had better be marked: lists of them have become long, or are much of what there is when memory is short. */
static bool lists_full(Search *search) {
    size_t used = atomic_load(&search->budget.used), limit = search->budget.limit;
    for (unsigned i = 0; i < search->worker_count; i++)
        if (search->workers[i].own.found.bytes >= listed_most(search)) return true;
    return used > limit - limit / 8 && lists_bytes(search) > used / 64;
}

static bool recent_full(Search *search) {
    return atomic_load(&search->states_total) + insert_slack(search->worker_count) >= roots_full_at(&search->compact.roots);
}

static bool store_full(Search *search) {
    return recent_full(search) || lists_full(search) || must_plan(search) || !tree_roomy(&search->compact.tree);
}

static void store_move(Search *search, int step, unsigned part, unsigned parts) {
    (void)search, (void)step, (void)part, (void)parts;
}

/* ---- Another tree ---------------------------------------------------------------------------------------------- */

/* What is being built, with all that it is built from. */
typedef struct {
    Search *search;
    Tree tree;
    Roots roots;
    Numbered numbered;
    bool widened; /* the tree is the same, with wider fields */
    unsigned marks;
    uint64_t inserted;
    State *sample;
    uint64_t sampled, met;
} Rebuilding;

typedef bool (*Visit)(Rebuilding *, uint64_t key);
enum { EVERY = 1 << MARKS };

/* Calls for every entry whose marks are `marks`, or for all if that is EVERY, until one says no. */
static bool each_key(Rebuilding *work, unsigned marks, Visit visit) {
    const Roots *roots = &work->search->compact.roots;
    unsigned width = entry_bits(roots);
    for (uint64_t bucket = 0; bucket < bucket_count(roots); bucket++) {
        for (uint64_t i = starts_of(roots)[bucket], end = starts_of(roots)[bucket + 1]; i < end; i++) {
            uint64_t entry = entry_at(roots, i, width);
            if (marks != EVERY && (entry & ones_of(MARKS)) != marks) continue;
            if (!visit(work, key_of(roots, value_at(roots, bucket, entry)))) return false;
        }
    }
    return true;
}

static State state_of_key(const Rebuilding *work, uint64_t key) { return tree_state(&work->search->compact.tree, key); }

static bool visit_sample(Rebuilding *work, uint64_t key) {
    uint64_t step = work->search->compact.roots.count / SAMPLE_MAX + 1;
    if (work->met++ % step == 0 && work->sampled < SAMPLE_MAX) work->sample[work->sampled++] = state_of_key(work, key);
    return true;
}

static bool visit_number(Rebuilding *work, uint64_t key) {
    _Atomic bool full = false;
    State s = state_of_key(work, key);
    tree_number(&work->tree, &s, &work->numbered, &full);
    return !full || tree_room(&work->tree, 1, &work->search->budget);
}

/* The key by the tree that is being built: its pairs are numbered anew, or nothing but the fields is new. */
static uint64_t key_anew(Rebuilding *work, uint64_t key) {
    const Tree *from = &work->search->compact.tree;
    if (!work->widened) {
        _Atomic bool full = false;
        State s = tree_state(from, key);
        return tree_key(&work->tree, &s, &work->numbered, &full);
    }
    uint64_t wider = 0;
    for (unsigned i = 0; i < from->field_count; i++)
        wider |= (key >> from->fields[i].shift & ones_of(from->fields[i].bits)) << work->tree.fields[i].shift;
    return wider;
}

static bool visit_insert(Rebuilding *work, uint64_t key) {
    roots_insert(&work->roots, value_of(&work->roots, key_anew(work, key)));
    work->inserted++;
    if (work->inserted + 1 < roots_full_at(&work->roots)) return true;
    return roots_merge(&work->roots, work->inserted - work->roots.count, work->marks, &work->search->budget);
}

/* A tree for the states that there are: chosen from a sample, its pairs numbered, its fields as wide as they need to be. */
static bool choose_tree(Rebuilding *work) {
    Search *search = work->search;
    size_t limit = search->options.memory_limit;
    uint64_t slack = insert_slack(search->worker_count);
    for (unsigned bits = KEY_BITS_MAX;;) {
        if (!plan_tree(&work->tree, work->sample, (uint32_t)work->sampled, bits, slack, limit, &search->budget)) return false;
        work->numbered.valid = false;
        bool good = tree_room(&work->tree, 1, &search->budget) && each_key(work, EVERY, visit_number);
        unsigned excess = plan_fields(&work->tree, slack);
        for (unsigned n = 0; n < work->tree.node_count; n++) work->tree.nodes[n].soft = 0;
        if (good && excess == 0 && tree_room(&work->tree, slack, &search->budget)) return true;
        tree_close(&work->tree, &search->budget);
        if (!good || excess == 0 || bits <= excess) return false;
        bits -= excess;
    }
}

static bool fill_roots(Rebuilding *work) {
    Search *search = work->search;
    if (!roots_open(&work->roots, work->tree.key_bits, search->options.memory_limit, &search->budget)) return false;
    work->numbered.valid = false;
    for (work->marks = 0; work->marks < EVERY; work->marks++) {
        if (!each_key(work, work->marks, visit_insert)) return false;
        if (!roots_merge(&work->roots, work->inserted - work->roots.count, work->marks, &search->budget)) return false;
    }
    return true;
}

/* The keys of packets from number `from` on are made anew. False without memory, and then they cannot be used any more. */
static bool packets_anew(Rebuilding *work, Packets *list, uint64_t from) {
    Budget *budget = &work->search->budget;
    Packets *other = calloc(1, sizeof *other);
    bool good = other && packets_seal(list, budget);
    for (uint64_t i = from; good && i < list->count; i++) {
        uint64_t keys[PACKET_KEYS];
        unsigned count = packet_keys(list->packets[i], keys);
        for (unsigned k = 0; good && k < count; k++) good = packets_push(other, key_anew(work, keys[k]), budget);
        good = good && packets_seal(other, budget);
        if (!good || other->count == 0) continue;
        list->bytes -= packet_cost(list->packets[i]);
        packet_free(list->packets[i], budget);
        list->packets[i] = other->packets[--other->count];
        list->bytes += packet_cost(list->packets[i]);
    }
    if (other) packets_free(other, budget);
    free(other);
    return good;
}

/* What is listed has new keys, too: what workers have taken and not yet expanded, and levels. */
static bool lists_anew(Rebuilding *work) {
    Search *search = work->search;
    bool good = !search->compact.queued || packets_anew(work, &search->compact.queue, atomic_load(&search->cursor));
    for (unsigned i = 0; i < search->worker_count; i++) {
        Own *own = &search->workers[i].own;
        own->numbered.valid &= work->widened;
        for (uint64_t k = 0; k < own->taken.count; k++) own->taken.keys[k] = key_anew(work, own->taken.keys[k]);
        good = good && packets_anew(work, &own->found, 0);
    }
    return good;
}

/* Have all keys by the tree of `work`. False, and all is as it was, without memory; the tree is still that of `work` then. */
static bool rebuild(Rebuilding *work) {
    Search *search = work->search;
    Compact *compact = &search->compact;
    bool good = fill_roots(work);
    if (good) {
        note_bytes(search, roots_bytes(&work->roots) + (work->widened ? 0 : tree_bytes(&work->tree)));
        if (!lists_anew(work)) request_stop(search, STOP_MEMORY);
    }
    Roots old = good ? compact->roots : work->roots;
    roots_close(&old, &search->budget);
    if (!good) return false;
    if (!work->widened) tree_close(&compact->tree, &search->budget);
    compact->tree = work->tree;
    compact->roots = work->roots;
    if (!compact->queued) atomic_store(&search->cursor, 0); /* What is left to do of the level lies in other buckets. */
    return true;
}

/* Choose a tree anew and number all states by it. */
static bool choose_anew(Rebuilding *work) {
    work->sample = malloc(SAMPLE_MAX * sizeof(State));
    if (!work->sample) return false;
    each_key(work, EVERY, visit_sample);
    bool chosen = choose_tree(work), good = chosen && rebuild(work);
    if (chosen && !good) tree_close(&work->tree, &work->search->budget);
    free(work->sample);
    return good;
}

/* Make the fields of the tree wider. False if there are no bits for that, or no memory. */
static bool widen(Rebuilding *work) {
    uint64_t slack = insert_slack(work->search->worker_count);
    work->tree = work->search->compact.tree;
    if (plan_fields(&work->tree, slack) > 0) return false;
    work->widened = true;
    for (unsigned n = 0; n < work->tree.node_count; n++) work->tree.nodes[n].soft = 0;
    return rebuild(work) && tree_room(&work->search->compact.tree, slack, &work->search->budget);
}

/* Another tree, or another key for each state: `how` it is made. False, and all is as it was, without memory. */
static bool another(Search *search, bool (*how)(Rebuilding *)) {
    Rebuilding *work = calloc(1, sizeof *work);
    if (work) work->search = search;
    bool good = work && merge_recent(search, search->compact.found_listed ? 0 : 1u << mark_found(search)) && how(work);
    free(work);
    return good;
}

/* Nodes that have become few beside the states have no table of their own any more. */
static void contract_nodes(Search *search) {
    uint64_t bytes = search->compact.roots.count / CONTRACTED_SHARE;
    if (!search->compact.planned || !tree_contract(&search->compact.tree, bytes, search->options.memory_limit, &search->budget)) return;
    for (unsigned i = 0; i < search->worker_count; i++) search->workers[i].own.numbered.valid = false;
}

static bool store_enlarge(Search *search) {
    Compact *compact = &search->compact;
    if (must_plan(search)) {
        compact->planned = true;
        another(search, choose_anew); /* Without memory for it, the first tree will do. */
    }
    if (lists_full(search) && !gather_marks(search)) return false;
    if (recent_full(search) && !merge_recent(search, compact->found_listed ? 0 : 1u << mark_found(search))) return false;
    if (!tree_room(&compact->tree, insert_slack(search->worker_count), &search->budget) && !another(search, widen) &&
        !another(search, choose_anew))
        return false;
    contract_nodes(search);
    note_bytes(search, 0);
    return !store_full(search);
}

/* ---- Numbers: those of entries --------------------------------------------------------------------------------- */

static bool store_settle(Search *search) { return gather_marks(search); }

static uint64_t store_numbers(const Search *search) { return search->compact.roots.count; }

static inline uint64_t store_number(const Search *search, const State *s) {
    uint64_t value = value_known(search, s);
    return value == 0 ? NOWHERE : roots_find(&search->compact.roots, value);
}

/* ---- Checkpoints ------------------------------------------------------------------------------------------------- */

typedef struct {
    TreeHead tree;
    uint64_t bucket_bits, count, planned;
} CompactHead;

static size_t entries_bytes(const Roots *roots) { return (roots->count * entry_bits(roots) / 64 + 1) * sizeof(uint64_t); }

/* What follows the head, by turns. */
static void compact_pass(Search *search, Stream *stream, Pass pass) {
    Compact *compact = &search->compact;
    Roots *roots = &compact->roots;
    tree_pass(&compact->tree, stream, pass);
    pass(stream, roots->starts.base, (bucket_count(roots) + 1) * sizeof(uint32_t));
    pass(stream, roots->entries.base, entries_bytes(roots));
    for (int mark = 0; mark < MARKS; mark++) pass(stream, roots->holds[mark].base, bucket_count(roots) / 8 + 8);
}

/* Whether nothing is lost of a search that was ended for this reason: without memory, what is to be expanded may be. */
static bool store_lasts(int stop) { return stop == STOP_STATES; }

/* It is marked: `store_write`. */
static uint64_t store_left_last(Search *search, uint64_t end) {
    (void)search;
    return end;
}

static void store_write(Search *search, Stream *stream) {
    Compact *compact = &search->compact;
    if (!gather_marks(search)) {
        stream->failed = true;
        errno = ENOMEM;
        return;
    }
    for (unsigned i = 0; i < search->worker_count; i++) {
        const Worker *worker = &search->workers[i];
        for (uint64_t k = 0; worker->open && k < worker->own.taken.count; k++)
            roots_mark(&compact->roots, value_of(&compact->roots, worker->own.taken.keys[k]), mark_expanded(search));
    }
    CompactHead *head = calloc(1, sizeof *head);
    if (!head) {
        stream->failed = true;
        return;
    }
    tree_describe(&compact->tree, &head->tree);
    head->bucket_bits = compact->roots.bucket_bits;
    head->count = compact->roots.count;
    head->planned = compact->planned;
    stream_write(stream, head, sizeof *head);
    free(head);
    compact_pass(search, stream, pass_out);
}

/* Whether what a file says can be so. */
static bool head_sound(const CompactHead *head) {
    return tree_sound(&head->tree) && head->tree.key_bits >= 2 && head->bucket_bits >= 1 && head->bucket_bits < head->tree.key_bits &&
           head->bucket_bits < 32 && head->count <= UINT32_MAX;
}

static const char *compact_open(Search *search, const CompactHead *head) {
    Compact *compact = &search->compact;
    size_t limit = search->options.memory_limit;
    roots_close(&compact->roots, &search->budget);
    if (!tree_shape(&compact->tree, &head->tree, limit, &search->budget)) return NO_MEMORY;
    compact->planned = head->planned;
    if (!roots_open(&compact->roots, compact->tree.key_bits, limit, &search->budget) ||
        !roots_room(&compact->roots, (unsigned)head->bucket_bits, &search->budget))
        return NO_MEMORY;
    compact->roots.count = head->count;
    return region_commit(&compact->roots.entries, entries_bytes(&compact->roots) + 16, &search->budget) ? NULL : NO_MEMORY;
}

static void store_written(Search *search) { (void)search; }

static const char *store_read(Search *search, Stream *stream) {
    CompactHead *head = malloc(sizeof *head);
    if (!head) return NO_MEMORY;
    stream_read(stream, head, sizeof *head);
    const char *wrong = stream->failed || !head_sound(head) ? DAMAGED : compact_open(search, head);
    free(head);
    if (!wrong) compact_pass(search, stream, stream_read);
    return wrong;
}

/* Nothing is listed. */
static const char *store_resume(Search *search) {
    Compact *compact = &search->compact;
    compact->queued = compact->found_listed = false;
    atomic_store(&search->cursor, 0);
    if (!tree_index(&compact->tree, &search->budget)) return NO_MEMORY;
    while (store_full(search))
        if (!store_enlarge(search)) return NO_MEMORY;
    return NULL;
}

#endif
