/* Random numbers: xoshiro256**, Blackman & Vigna 2021; seeded by splitmix64, as its authors advise. */
#ifndef QUORATE_RANDOM_H
#define QUORATE_RANDOM_H

#include "path.h"

typedef struct {
    uint64_t s[4];
} Random;

static inline uint64_t rotate_left(uint64_t x, int by) { return x << by | x >> (64 - by); }

static uint64_t random_next(Random *random) {
    uint64_t *s = random->s, result = rotate_left(s[1] * 5, 7) * 9, t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate_left(s[3], 45);
    return result;
}

/* The generator of a run. */
static Random random_for(uint64_t seed, uint64_t run) {
    Random random;
    uint64_t x = mixed(seed ^ 0x9E3779B97F4A7C15u, 0xD6E8FEB86659FD93u) + run * 0xA0761D6478BD642Fu;
    for (int i = 0; i < 4; i++) {
        x += 0x9E3779B97F4A7C15u;
        uint64_t z = (x ^ x >> 30) * 0xBF58476D1CE4E5B9u;
        z = (z ^ z >> 27) * 0x94D049BB133111EBu;
        random.s[i] = z ^ z >> 31;
    }
    return random;
}

/* A number below `bound`, each as likely as the others up to bound / 2^64. */
static size_t random_below(Random *random, size_t bound) {
    return (size_t)(((unsigned __int128)random_next(random) * bound) >> 64);
}

#endif
