/* The counterexample: from the states of each level, or from nothing but which states were met. */
#ifndef QUORATE_COUNTEREXAMPLE_H
#define QUORATE_COUNTEREXAMPLE_H

#include "retrace.h"
#include "trace.h"

static void trace_build(Search *search) {
    Retrace retrace = {.search = search, .event = atomic_load(&search->event)};
    search->trace_failed = !(STORE_FINGERPRINT || STORE_TREE ? retrace_from_numbers(&retrace) : retrace_from_states(&retrace));
    successors_free(&retrace.out);
}

#endif
