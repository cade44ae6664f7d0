/* Symmetry reduction where a state has few renamings: the least of them, found part by part.
 *
 * A *part* is what a renaming changes by itself: a variable, or a component of one. At first all renamings are candidates. Of each part in turn
 * the least that a candidate makes of it is taken, and the candidates that do so are left for the next. What a part becomes by which
 * candidates, and which of them are left, is remembered (memo.h): nearly always it takes a look-up. Where only the renaming that changes
 * nothing is left, nothing is to be done. Of what is wider than a word, networks mostly, too little is met again: it is the *rest*, comes
 * last, and is renamed by each candidate that is left.
 *
 * Why it is exact. The candidates that are left after some parts are those renamings of the state that make these parts the least, in
 * their order. So what comes out is the least of all renamings of the state, by its parts in this order and then by the rest. All states of
 * an orbit have the same renamings, and so the same least one; and it is a renaming of the state, so two orbits never share it. Whether and
 * what a memo remembers changes nothing: a line is what was computed from its key, which has all that is asked.
 *
 * Candidates are the bits of a word, of which the highest is never set: so no key is all ones.
 */
#ifndef QUORATE_CANDIDATES_H
#define QUORATE_CANDIDATES_H

#include "memo.h"

/* A model whose states have few renamings defines before including this: SYMMETRY_RENAMINGS, how many; symmetry_names[], the names
   that each gives to the members of all sorts, and then its number, of which 0 changes nothing; symmetry_alike[], for each renaming the first that
   makes the same of every rest; and the function below, which renames the rest. */
static void symmetry_rest(const State *from, const unsigned char *names, State *to);

/* What a renaming makes of a part. */
typedef word Renamed(word part, const unsigned char *names);

enum { CANDIDATES_LINE = 4 }; /* words: a part, candidates; the least that they make of it, and which do so */

INLINE word least_made(Renamed *renamed, word part, word *candidates) {
    word least = 0, making = 0;
    for (word rest = *candidates; rest; rest &= rest - 1) {
        const unsigned candidate = (unsigned)__builtin_ctzll(rest);
        const word made = renamed(part, symmetry_names[candidate]);
        if (making && made > least) continue;
        if (made != least) making = 0;
        making |= (word)1 << candidate;
        least = made;
    }
    *candidates = making;
    return least;
}

/* The least that a candidate makes of a part. The candidates that do so are left. */
INLINE word least_part(Memo *memo, unsigned number, Renamed *renamed, word part, word *candidates) {
    const word asked = *candidates;
    if (asked == 1) return part;
    Site *site = memo ? &memo->sites[number] : NULL;
    if (!site || !(LIKELY(site->lines != NULL) || memo_begin(memo, site, CANDIDATES_LINE))) return least_made(renamed, part, candidates);
    site->asked++;
    const uint64_t hash = memo_hash(memo_hash(1, part), asked);
    uint64_t *line = memo_line(site, CANDIDATES_LINE, hash);
    if (LIKELY(line[0] == part && line[1] == asked)) {
        *candidates = line[3];
        if (memo_doubts(memo, site)) {
            word left = asked;
            if (least_made(renamed, part, &left) != line[2] || left != line[3]) memo_mistake(number);
        }
        return line[2];
    }
    const word least = least_made(renamed, part, candidates);
    if (!memo_missed(memo, site, CANDIDATES_LINE)) return least;
    line = memo_line(site, CANDIDATES_LINE, hash); /* Lines have moved if the table has grown. */
    line[0] = part;
    line[1] = asked;
    line[2] = least;
    line[3] = *candidates;
    return least;
}

/* A state whose parts are the least already, with the least rest that a candidate makes. */
static inline State least_rest(const State *from, State parts, word candidates) {
    State least = parts;
    for (word tried = 0; candidates; candidates &= candidates - 1) {
        const unsigned renaming = symmetry_alike[__builtin_ctzll(candidates)];
        if (tried >> renaming & 1) continue;
        State made = parts;
        if (renaming) symmetry_rest(from, symmetry_names[renaming], &made);
        if (!tried || compare_words(made.w, least.w, MODEL_WORDS) < 0) least = made;
        tried |= (word)1 << renaming;
    }
    return least;
}

#endif
