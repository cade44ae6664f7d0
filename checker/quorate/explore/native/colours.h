/* Symmetry reduction where a state has many renamings: one representative for each orbit, exactly, without trying all of them. Where they are
 * few, candidates.h takes less time.
 *
 * Members of the reduced scalarsets get colours, numbers that depend on the state but not on names: renaming the members of a state
 * renames its colours along. The colour of a member is a hash of the state as seen from it: every identity in the state is replaced
 * by its colour of the previous round, the member itself by a special one, and what has no order (sets, maps keyed by
 * identities, bags) is combined by a sum. Rounds are repeated while they separate more members. The first round leaves out networks, which are
 * most of a state: what the members have in their variables often tells them apart.
 *
 * If all colours differ, ordering the members by colour is the one renaming to apply. Members of equal colour are nearly always
 * interchangeable in this state: exchanging two of them changes nothing. That is tested, for neighbours, and if it is so for all
 * ties then any order among them gives the same state. Otherwise a cell of ties is split: each of its members in turn is made
 * first, the colours are refined again, and the least of the resulting states is taken.
 *
 * Why it is exact. Every step is a function of the state up to renaming, so two states of one orbit give the same set of candidates, of which
 * the least is taken; and a representative is a renaming of the state, so two orbits never share one. A collision of hashes
 * can only make ties, and ties are resolved by comparing states.
 *
 * Sources: the scalarset discipline is Ip & Dill 1996; individualization and refinement, McKay 1981.
 */
#ifndef QUORATE_COLOURS_H
#define QUORATE_COLOURS_H

/* A model with symmetry defines before including this: SYMMETRY_MEMBERS, the members of all reduced sorts in one numbering;
   symmetry_first[], where each sort begins (and the end); symmetry_sorts; SYMMETRY_NEAR, whether there are networks and variables to
   look at before them; and the two functions below, of which the second leaves networks out if it is not to hash the `whole` state. */
static State symmetry_renamed(const State *s, const unsigned char *names);
static uint64_t symmetry_hash(const State *s, const uint64_t *colours, bool whole);

typedef struct {
    uint64_t colour[SYMMETRY_MEMBERS];
} Colouring;

static unsigned colours_apart(const Colouring *now) {
    unsigned apart = 0;
    for (unsigned sort = 0; sort < symmetry_sorts; sort++)
        for (unsigned i = symmetry_first[sort]; i < symmetry_first[sort + 1]; i++) {
            bool fresh = true;
            for (unsigned k = symmetry_first[sort]; k < i; k++) fresh &= now->colour[k] != now->colour[i];
            apart += fresh;
        }
    return apart;
}

static void colour_round(const State *s, Colouring *now, bool whole) {
    Colouring seen = *now, next;
    for (unsigned i = 0; i < SYMMETRY_MEMBERS; i++) {
        seen.colour[i] = blend(now->colour[i], 0x5E1F);
        next.colour[i] = blend(symmetry_hash(s, seen.colour, whole), now->colour[i]);
        seen.colour[i] = now->colour[i];
    }
    *now = next;
}

/* The state with the members of each sort renamed to their rank by colour; ties by number. */
static State ranked(const State *s, const Colouring *now) {
    unsigned char names[SYMMETRY_MEMBERS];
    for (unsigned sort = 0; sort < symmetry_sorts; sort++)
        for (unsigned i = symmetry_first[sort]; i < symmetry_first[sort + 1]; i++) {
            unsigned rank = 0;
            for (unsigned k = symmetry_first[sort]; k < symmetry_first[sort + 1]; k++)
                rank += now->colour[k] < now->colour[i] || (now->colour[k] == now->colour[i] && k < i);
            names[i] = (unsigned char)rank;
        }
    return symmetry_renamed(s, names);
}

static bool exchange_changes(const State *s, unsigned sort, unsigned a, unsigned b) {
    unsigned char names[SYMMETRY_MEMBERS];
    for (unsigned other = 0; other < symmetry_sorts; other++)
        for (unsigned i = symmetry_first[other]; i < symmetry_first[other + 1]; i++)
            names[i] = (unsigned char)(i - symmetry_first[other]);
    names[a] = (unsigned char)(b - symmetry_first[sort]);
    names[b] = (unsigned char)(a - symmetry_first[sort]);
    State exchanged = symmetry_renamed(s, names);
    for (int i = 0; i < MODEL_WORDS; i++)
        if (exchanged.w[i] != s->w[i]) return true;
    return false;
}

/* A cell of ties that are not interchangeable, as one of its members: of the first such sort, the least colour. SYMMETRY_MEMBERS if none. */
static unsigned unresolved_cell(const State *s, const Colouring *now) {
    for (unsigned sort = 0; sort < symmetry_sorts; sort++) {
        unsigned found = SYMMETRY_MEMBERS;
        for (unsigned i = symmetry_first[sort]; i < symmetry_first[sort + 1]; i++) {
            if (found < SYMMETRY_MEMBERS && now->colour[i] >= now->colour[found]) continue;
            for (unsigned k = i + 1; k < symmetry_first[sort + 1]; k++) {
                if (now->colour[k] != now->colour[i]) continue;
                if (exchange_changes(s, sort, i, k)) found = i;
                break;
            }
        }
        if (found < SYMMETRY_MEMBERS) return found;
    }
    return SYMMETRY_MEMBERS;
}

static State least_renaming(const State *s, Colouring now) {
    unsigned apart = colours_apart(&now), before, cell;
    do {
        before = apart;
        colour_round(s, &now, true);
        apart = colours_apart(&now);
        if (apart == SYMMETRY_MEMBERS) return ranked(s, &now);
        cell = unresolved_cell(s, &now);
        if (cell == SYMMETRY_MEMBERS) return ranked(s, &now);
    } while (apart > before);
    State best = *s;
    bool any = false;
    uint64_t colour = now.colour[cell];
    unsigned sort = 0;
    while (symmetry_first[sort + 1] <= cell) sort++;
    for (unsigned i = symmetry_first[sort]; i < symmetry_first[sort + 1]; i++) {
        if (now.colour[i] != colour) continue;
        Colouring split = now;
        split.colour[i] = blend(colour, 0xF125);
        State candidate = least_renaming(s, split);
        if (!any || compare_words(candidate.w, best.w, MODEL_WORDS) < 0) best = candidate;
        any = true;
    }
    return best;
}

static State model_canonical(State s, Memo *memo) {
    (void)memo;
    Colouring now;
    for (unsigned sort = 0; sort < symmetry_sorts; sort++)
        for (unsigned i = symmetry_first[sort]; i < symmetry_first[sort + 1]; i++) now.colour[i] = sort + 1;
    if (SYMMETRY_NEAR) {
        colour_round(&s, &now, false);
        if (colours_apart(&now) == SYMMETRY_MEMBERS) return ranked(&s, &now);
    }
    return least_renaming(&s, now);
}

#endif
