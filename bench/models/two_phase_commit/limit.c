/* The physical limit: two-phase commit searched by a program written for nothing else.
 *
 * One word for a state, a table of words of the right size from the beginning, a queue that is an array. No traces, no properties but one,
 * no growth, no threads. What a general engine needs on top of this is the price of being general.
 *
 *     cc -O3 -march=native -DRM=9 -DSTATES=10340352 two_phase_limit.c && ./a.out
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define ONES (((uint64_t)1 << RM) - 1)
#define MASK(at) (ONES << (at))

/* From the lowest bit: committed-or-prepared mask, committed-or-aborted mask, messages, prepared at the manager, manager, commit, abort. */
enum { LOW = 0, HIGH = RM, MESSAGES = 2 * RM, AT_TM = 3 * RM, TM = 4 * RM, COMMIT = 4 * RM + 2, ABORT = 4 * RM + 3 };

static uint64_t *table, *queue, capacity, states, transitions;

static inline uint64_t home(uint64_t s) {
    unsigned __int128 product = (unsigned __int128)(s ^ 0x9E3779B97F4A7C15u) * 0xD6E8FEB86659FD93u;
    return (uint64_t)(((unsigned __int128)((uint64_t)product ^ (uint64_t)(product >> 64)) * capacity) >> 64);
}

static uint64_t waiting[8];
static unsigned waiting_count;

static inline void settle(uint64_t s) {
    for (uint64_t at = home(s);; at = at + 1 == capacity ? 0 : at + 1) {
        if (table[at] == s + 1) return;
        if (table[at] == 0) {
            table[at] = s + 1;
            queue[states++] = s;
            uint64_t low = s >> LOW & ONES, high = s >> HIGH & ONES;
            if (high & ~low && high & low) abort(); /* Committed here, aborted there. */
            return;
        }
    }
}

/* A successor waits for its cache line while the next ones are computed. */
static inline void found(uint64_t s) {
    transitions++;
    __builtin_prefetch(&table[home(s)], 1);
    unsigned slot = waiting_count++ % 8;
    if (waiting_count > 8) settle(waiting[slot]);
    waiting[slot] = s;
}

static void expand(uint64_t s) {
    uint64_t low = s >> LOW & ONES, high = s >> HIGH & ONES, messages = s >> MESSAGES & ONES, tm = s >> TM & 3;
    if (tm == 0) {
        for (uint64_t left = messages; left; left &= left - 1) found(s | (left & -left) << AT_TM);
        if ((s >> AT_TM & ONES) == ONES) found(s | (uint64_t)1 << TM | (uint64_t)1 << COMMIT);
        found(s | (uint64_t)2 << TM | (uint64_t)1 << ABORT);
    }
    for (uint64_t left = ~(low | high) & ONES; left; left &= left - 1) {
        uint64_t r = left & -left;
        found(s | r << LOW | r << MESSAGES);
        found(s | r << LOW | r << HIGH);
    }
    if (s >> COMMIT & 1)
        for (unsigned r = 0; r < RM; r++) found((s & ~((uint64_t)1 << (LOW + r))) | (uint64_t)1 << (HIGH + r));
    if (s >> ABORT & 1)
        for (unsigned r = 0; r < RM; r++) found(s | (uint64_t)1 << (LOW + r) | (uint64_t)1 << (HIGH + r));
}

int main(void) {
    capacity = (uint64_t)STATES * 3 / 2;
    table = calloc(capacity, sizeof *table);
    queue = malloc((uint64_t)STATES * sizeof *queue);
    if (!table || !queue) return 1;
    found(0);
    for (uint64_t next = 0;; next++) {
        if (next == states) { /* What waits may be new. */
            unsigned first = waiting_count > 8 ? waiting_count - 8 : 0;
            for (unsigned i = first; i < waiting_count; i++) settle(waiting[i % 8]);
            waiting_count = 0;
            if (next == states) break;
        }
        expand(queue[next]);
    }
    printf("states=%llu transitions=%llu\n", (unsigned long long)states, (unsigned long long)transitions);
    return 0;
}
