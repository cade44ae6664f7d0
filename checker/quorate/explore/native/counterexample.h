/* The counterexample: from the states of each level, in memory or in files, or from nothing but which states were met. */
#ifndef QUORATE_COUNTEREXAMPLE_H
#define QUORATE_COUNTEREXAMPLE_H

#if STORE_DISK
#include "backtrack.h"
#elif STORE_TREE || STORE_FINGERPRINT
#include "retrace.h"
#else
#include "trace.h"
#endif

static void trace_build(Search *search) {
    Retrace retrace = {.search = search, .event = atomic_load(&search->event)};
    search->trace_failed = !retrace_run(&retrace);
    successors_free(&retrace.out);
}

#endif
