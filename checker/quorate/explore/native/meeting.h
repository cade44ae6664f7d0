/* Where the workers meet: a sense-reversing barrier that spins briefly, then sleeps. The last that arrives does what has to be done while all
 * wait, before it lets them go. */
#ifndef QUORATE_MEETING_H
#define QUORATE_MEETING_H

#include <pthread.h>
#include <stdatomic.h>

typedef struct {
    pthread_mutex_t lock;
    pthread_cond_t wake;
    unsigned arrived, expected, spins; /* looks before sleeping */
    _Atomic unsigned round;
} Meeting;

static void meeting_open(Meeting *meeting, unsigned expected, unsigned spins) {
    pthread_mutex_init(&meeting->lock, NULL);
    pthread_cond_init(&meeting->wake, NULL);
    meeting->arrived = 0;
    meeting->expected = expected;
    meeting->spins = spins;
    atomic_init(&meeting->round, 0);
}

static void meeting_close(Meeting *meeting) {
    pthread_mutex_destroy(&meeting->lock);
    pthread_cond_destroy(&meeting->wake);
}

/* Wait for all others. `action`, or NULL, is called once. */
static void meet_and(Meeting *meeting, void (*action)(void *), void *argument) {
    unsigned round = atomic_load(&meeting->round);
    pthread_mutex_lock(&meeting->lock);
    if (++meeting->arrived == meeting->expected) {
        meeting->arrived = 0;
        if (action) action(argument);
        atomic_store(&meeting->round, round + 1);
        pthread_cond_broadcast(&meeting->wake);
        pthread_mutex_unlock(&meeting->lock);
        return;
    }
    pthread_mutex_unlock(&meeting->lock);
    for (unsigned i = 0; i < meeting->spins; i++)
        if (atomic_load_explicit(&meeting->round, memory_order_acquire) != round) return;
    pthread_mutex_lock(&meeting->lock);
    while (atomic_load(&meeting->round) == round) pthread_cond_wait(&meeting->wake, &meeting->lock);
    pthread_mutex_unlock(&meeting->lock);
}

#endif
