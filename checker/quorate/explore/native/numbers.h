/* A network as a bit set over messages that are numbered as they occur.
 *
 * Of the messages that a network may have few ever occur, and of these a state has few. Kept as a sorted sequence, they are most of the
 * state; as a bit set they are a fraction, adding one is a bit, and looking for one is a look into a table. One network of a model is
 * kept so, the widest: its bits are the lowest of the state.
 *
 * Why it is exact. A number is given once and never taken back, to whatever is sent first: which message that is depends on the timing
 * of the workers, so nothing that is reported may depend on numbers, and nothing is ordered by them. Within a search two networks are
 * equal when their bits are. Whoever goes through a network gets its messages sorted, as they would stand in a sequence. Of the members of
 * an orbit the least by its bits stands for all (candidates.h, colours.h): when two are compared all their messages have numbers, so the choice is the
 * same whenever it is made.
 * A message is written before its number is given, under a lock; a state that has the number's bit was made later, so whoever reads the
 * state finds the message, and finds its bit in the masks.
 *
 * The numbers are the library's and outlive a search. When they have all been given, what is sent next gets one that is another's: from
 * then on nothing that the engine says counts (`crowded`), and the caller begins anew (search.py).
 */
#ifndef QUORATE_NUMBERS_H
#define QUORATE_NUMBERS_H

#include <pthread.h>

#ifndef MODEL_NUMBERS /* how many there are; 0 without a network that is kept so */
#define MODEL_NUMBERS 0
#endif
#ifndef MODEL_CLASSES /* classes that its messages are of */
#define MODEL_CLASSES 1
#endif

enum { NUMBER_WORDS = (MODEL_NUMBERS + 63) / 64, NUMBER_SLOTS = 4 * MODEL_NUMBERS + 1 };

#if MODEL_NUMBERS
typedef struct {
    _Atomic uint16_t slots[NUMBER_SLOTS]; /* a number plus one, where its message hashes to, or after that; 0 for none */
    word messages[MODEL_NUMBERS];         /* by number */
    _Atomic word masks[1 + MODEL_CLASSES][NUMBER_WORDS]; /* the numbers given: all, and by class */
    unsigned count;
    pthread_mutex_t lock;
} Messages;
#endif

/* What a model and its engine have in common, though they may be two units (apart.h). */
typedef struct {
    _Atomic uint32_t trapped;  /* the place of the first number that left its 64 bits, counted from 1 (model.h) */
    _Atomic uint32_t mistaken; /* the site, counted from 1, of which something else was remembered than is so (memo.h) */
    _Atomic bool crowded;      /* all numbers have been given */
#if MODEL_NUMBERS
    Messages numbers;
#endif
} Common; /* None of the first three is ever taken back. */

#if defined(APART) && APART == 1
static Common *common;
#elif MODEL_NUMBERS
static Common all_common = {.numbers.lock = PTHREAD_MUTEX_INITIALIZER};
#define common (&all_common)
#else
static Common all_common;
#define common (&all_common)
#endif

#if MODEL_NUMBERS
/* The numbers of all messages (row 0), or of those of a class (the row after its position among the classes), as bits. */
static inline word number_mask(unsigned row, unsigned i) {
    return atomic_load_explicit(&common->numbers.masks[row][i], memory_order_relaxed);
}

static inline word network_word(const word *s, unsigned row, unsigned i) { return s[i] & number_mask(row, i); }

static inline unsigned network_count(const word *s) {
    unsigned count = 0;
    for (unsigned i = 0; i < NUMBER_WORDS; i++) count += (unsigned)__builtin_popcountll(network_word(s, 0, i));
    return count;
}

/* The messages of a network, ascending. */
static __attribute__((unused)) unsigned network_list(const word *s, unsigned row, word *list) {
    unsigned count = 0;
    for (unsigned i = 0; i < NUMBER_WORDS; i++)
        for (word rest = network_word(s, row, i); rest; rest &= rest - 1) {
            word message = common->numbers.messages[64 * i + (unsigned)__builtin_ctzll(rest)];
            unsigned k = count++;
            for (; k > 0 && list[k - 1] > message; k--) list[k] = list[k - 1];
            list[k] = message;
        }
    return count;
}

static inline unsigned number_home(word message) {
    uint32_t hash = (uint32_t)(message * 0x9E3779B97F4A7C15u >> 32);
    return (unsigned)((uint64_t)hash * NUMBER_SLOTS >> 32);
}

/* The number of a message, or NONE. */
static inline unsigned number_of(word message) {
    for (unsigned at = number_home(message);; at = at + 1 < NUMBER_SLOTS ? at + 1 : 0) {
        unsigned found = atomic_load_explicit(&common->numbers.slots[at], memory_order_acquire);
        if (found == 0) return NONE;
        if (LIKELY(common->numbers.messages[found - 1] == message)) return found - 1;
    }
}

/* A number for a message, one of `most`; its class is what it has above its lowest `shift` bits. */
static __attribute__((noinline, cold, unused)) unsigned number_give(word message, unsigned most, unsigned shift) {
    pthread_mutex_lock(&common->numbers.lock);
    unsigned number = number_of(message);
    if (number == NONE && common->numbers.count == most) {
        atomic_store(&common->crowded, true);
        number = 0;
    } else if (number == NONE) {
        number = common->numbers.count++;
        common->numbers.messages[number] = message;
        word bit = (word)1 << number % 64;
        atomic_fetch_or_explicit(&common->numbers.masks[0][number / 64], bit, memory_order_relaxed);
        atomic_fetch_or_explicit(&common->numbers.masks[1 + (message >> shift)][number / 64], bit, memory_order_relaxed);
        unsigned at = number_home(message);
        while (atomic_load_explicit(&common->numbers.slots[at], memory_order_relaxed) != 0) at = at + 1 < NUMBER_SLOTS ? at + 1 : 0;
        atomic_store_explicit(&common->numbers.slots[at], (uint16_t)(number + 1), memory_order_release);
    }
    pthread_mutex_unlock(&common->numbers.lock);
    return number;
}

static __attribute__((unused)) void network_clear(word *s) {
    for (unsigned i = 0; i < NUMBER_WORDS; i++) s[i] ^= network_word(s, 0, i);
}

static inline bool network_has(const word *s, word message) {
    unsigned number = number_of(message);
    return number != NONE && get_bit(s, number);
}

static unsigned numbers_given(void) {
    pthread_mutex_lock(&common->numbers.lock);
    unsigned count = common->numbers.count;
    pthread_mutex_unlock(&common->numbers.lock);
    return count;
}
#else
static unsigned numbers_given(void) { return 0; }
#endif

#endif
