/* The counterexample when states are in files: the same one as trace.h finds, in the same way.
 *
 * M(k), the states of level k from which the violation is d - k steps away, is a run (runs.h) for each k. Going backward, M(k + 1) is put into
 * the memory that held what was found, as much of it at a time as there is room for; level k is read once for each such part,
 * and a state with a successor in it is in M(k). It is read in order, and so is what is known of M(k) from the parts before. All of these
 * runs are in one file. Going forward, a successor is looked for in M(k) by bisection.
 *
 * Cost: every level is expanded once more, or as often as the next M does not fit into memory.
 */
#ifndef QUORATE_BACKTRACK_H
#define QUORATE_BACKTRACK_H

#include "path.h"

static bool leads_to_found(Retrace *retrace, const State *s) {
    Successors *out = &retrace->out;
    out->count = 0;
    model_successors(s, out);
    for (size_t i = 0; i < out->count; i++) {
        if (out->labels[i].error != NONE) continue;
        State stored = representative(out->states[i]);
        if (found_has(&retrace->search->disk->found, &stored)) return true;
    }
    return false;
}

/* Put states of a run into memory, from number `from` on, as many as there is room for: the number of the first that is not. */
static uint64_t load_found(Search *search, const Run *run, uint64_t from) {
    Disk *disk = search->disk;
    Found *found = &disk->found;
    Reader reader;
    found_sort(found);
    found_clear(found, run->count - from, disk->budget);
    if (!reader_open(&reader, run, from, disk->buffer)) request_stop(search, STOP_MEMORY);
    for (const State *s; reader.buffer && found->count < found_full_at(found) && (s = reader_peek(&reader)); reader.at++, from++) {
        State *place = found_place(found, s, hash_state(s));
        if (!place) break; /* There is no room behind the last place; some are in, and they are enough for now. */
        *place = marked(*s);
        found->count++;
    }
    if (reader.failed) disk_fails(search, "states cannot be read");
    reader_close(&reader);
    return from;
}

/* Append the states of a level that belong, and those that were known to, as a run. */
static bool mark_states(Retrace *retrace, Writer *writer, const Run *level, const Run *known, Belongs belongs, Run *members) {
    Search *search = retrace->search;
    uint64_t buffer = search->disk->buffer;
    Reader states, before = {.handle = -1};
    bool good = reader_open(&states, level, 0, buffer) && (!known || reader_open(&before, known, 0, buffer));
    if (!good) request_stop(search, STOP_MEMORY);
    *members = (Run){.from = writer->count, .handle = writer->handle};
    for (const State *s; good && (s = reader_peek(&states)); states.at++) {
        const State *next = reader_peek(&before);
        bool member = next && same_state(next, s);
        if (member) before.at++;
        if ((member || belongs(retrace, s)) && !writer_put(writer, s)) good = disk_fails(search, "states cannot be written");
        good = good && !stopping(search);
    }
    if (states.failed || before.failed) good = disk_fails(search, "states cannot be read");
    if (good && !writer_flush(writer)) good = disk_fails(search, "states cannot be written");
    members->count = writer->count - members->from;
    reader_close(&states);
    reader_close(&before);
    return good;
}

/* M(level), from M(level + 1), or for the last level from what shows there. False if nothing belongs, or the search was stopped. */
static bool mark_level(Retrace *retrace, Writer *writer, size_t at, const Run *next, Belongs belongs, Run *members) {
    Search *search = retrace->search;
    Run level = level_run(search, at), known = {0};
    uint64_t from = 0;
    bool first = true;
    do {
        uint64_t before = from;
        if (next && (from = load_found(search, next, from)) == before) return false;
        if (stopping(search) || !mark_states(retrace, writer, &level, first ? NULL : &known, belongs, members)) return false;
        known = *members;
        first = false;
    } while (next && from < next->count);
    return members->count > 0;
}

/* Whether a run has a state. */
static bool is_in_run(const Retrace *retrace, const void *run, const State *wanted) {
    const Run *members = run;
    State met;
    int handle = (int)members->handle;
    uint64_t end = members->from + members->count, place = find_in_file(handle, members->from, end, wanted);
    bool good = place != NOWHERE && (place == end || read_at(handle, &met, sizeof met, place_of(place)));
    if (!good) disk_fails(retrace->search, "states cannot be read");
    return good && place < end && same_state(&met, wanted);
}

static bool retrace_levels(Retrace *retrace, Writer *writer, Run *members, size_t last) {
    const Search *search = retrace->search;
    if (!mark_level(retrace, writer, last, NULL, search->levels == 1 ? shows_at_state : shows_at_expansion, &members[last])) return false;
    for (size_t level = last; level-- > 0;)
        if (!mark_level(retrace, writer, level, &members[level + 1], leads_to_found, &members[level])) return false;
    for (size_t level = 0; level <= last; level++)
        if (!step_forward(retrace, is_in_run, &members[level])) return false;
    return true;
}

static bool retrace_run(Retrace *retrace) {
    Search *search = retrace->search;
    bool initial = search->levels == 1; /* An initial state breaks an invariant. */
    size_t last = initial ? 0 : search->levels - 2;
    Run *members = calloc(last + 1, sizeof *members), file;
    Writer writer;
    if (!members) request_stop(search, STOP_MEMORY);
    bool found = members && run_create(search, &file, &writer);
    if (found) {
        found = retrace_levels(retrace, &writer, members, last);
        writer_close(&writer);
        run_remove(search->disk, &file);
    }
    free(members);
    return found && (initial || retrace->event == EVENT_DEADLOCK || step_violating(retrace));
}

#endif
