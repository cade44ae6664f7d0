/* Fingerprints by themselves: growing a table of them, and how often they collide.
 *
 *     fingerprints spread SEED     tables of many sizes and loads grow; prints how many fingerprints were lost
 *     fingerprints collide BITS    among 2^20 states that differ in few bits, equal fingerprints of so many bits; prints how many
 */
#define MODEL_WORDS 2
#define MODEL_ARGS 1
#define MODEL_ACTIONS 1
#define MODEL_BOUNDS 1
#define MODEL_HAS_STEPS 0
#define MODEL_SLEEP 0
#define MODEL_GROUPS 1
#include "model.h"

#include "fingerprint.h"

static unsigned model_step(const State *old, const State *new) { return old == new ? NONE : NONE; }
static inline uint64_t model_before(unsigned group) { return group; }
static inline uint64_t model_independent(unsigned group) { return group; }

static void put(uint64_t *slots, uint64_t capacity, uint64_t fingerprint) {
    uint64_t at = home_among(fingerprint, capacity);
    while (slots[at] != 0) at = at + 1 == capacity ? 0 : at + 1;
    slots[at] = fingerprint;
}

static bool has(const uint64_t *slots, uint64_t capacity, uint64_t fingerprint) {
    uint64_t at = home_among(fingerprint, capacity);
    for (; slots[at] != 0; at = at + 1 == capacity ? 0 : at + 1)
        if (slots[at] == fingerprint) return true;
    return false;
}

/* Fingerprint number i. Half of them lie near the end of the table, so that many go around it. */
static uint64_t number(uint64_t seed, uint64_t i, bool crowded) {
    uint64_t value = scattered(seed + i * 0x9E3779B97F4A7C15u) | 1;
    return crowded && i % 16 == 0 ? value | (uint64_t)0xFFFF << 48 : value;
}

static uint64_t lost_by_growing(uint64_t seed, uint64_t old, uint64_t count, uint64_t capacity, bool crowded) {
    uint64_t *slots = calloc(capacity, sizeof *slots), lost = 0, left = 0;
    for (uint64_t i = 0; i < count; i++) put(slots, old, number(seed, i, crowded));
    if (!spread(slots, old, capacity)) return count;
    for (uint64_t i = 0; i < count; i++) lost += !has(slots, capacity, number(seed, i, crowded));
    for (uint64_t at = 0; at < capacity; at++) left += slots[at] != 0;
    free(slots);
    return lost + (left > count ? left - count : count - left);
}

static int by_value(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static uint64_t collisions(unsigned bits) {
    enum { STATES = 1 << 20 };
    uint64_t *all = malloc(STATES * sizeof *all), found = 0;
    for (uint64_t i = 0; i < STATES; i++) {
        State s = {{i & 0x3FF, (i >> 10) << 40}};
        all[i] = fingerprint_of(&s) >> (64 - bits);
    }
    qsort(all, STATES, sizeof *all, by_value);
    for (uint64_t i = 1; i < STATES; i++) found += all[i] == all[i - 1];
    free(all);
    return found;
}

int main(int argc, char **argv) {
    uint64_t given = argc > 2 ? strtoull(argv[2], NULL, 10) : 0, lost = 0;
    if (argc > 1 && strcmp(argv[1], "collide") == 0) {
        printf("collisions=%llu\n", (unsigned long long)collisions((unsigned)given));
        return 0;
    }
    for (uint64_t old = 8; old < 400000; old = old * 3 + given % 5) {
        for (uint64_t load = 1; load < 8; load += 3) {
            lost += lost_by_growing(given, old, old * load / 8, old + old / 4, old < PIECE);
            lost += lost_by_growing(given, old, old * load / 8, 4 * old, old < PIECE);
        }
    }
    printf("lost=%llu\n", (unsigned long long)lost);
    return 0;
}
