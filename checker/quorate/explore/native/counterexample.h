/* The counterexample: from the states, or from what fingerprints have left of them. */
#ifndef QUORATE_COUNTEREXAMPLE_H
#define QUORATE_COUNTEREXAMPLE_H

#include "retrace.h"
#include "trace.h"

static void trace_build(Search *search) {
    Retrace retrace = {.search = search, .event = atomic_load(&search->event)};
    search->trace_failed = !(STORE_FINGERPRINT ? retrace_from_fingerprints(&retrace) : retrace_from_states(&retrace));
    successors_free(&retrace.out);
}

#endif
