/* Single-decree Paxos, state for state and transition for transition as specs/quorate_specs/consensus/paxos.py without symmetry, but for one root state more, from
 * which a step chooses what the clients ask for. Three acceptors, two values; BALLOTS may be 2, 3 or 4, LEARNERS 1 or 2.
 *
 * The state is bit fields. A ballot proposes one value, and an acceptor answers it once, so each possible message of a ballot is a small number:
 * PROMISE(a, b) is 0 before it is sent, then 1 + the reported vote; a vote is 0 for none, else 1 + 2 * ballot + value.
 */
#ifndef BALLOTS
#define BALLOTS 3
#endif
#ifndef LEARNERS
#define LEARNERS 2
#endif
#define BALLOT(b) ((b) + 1)
#define VOTE(b, v) (1 + 2 * (b) + (v))

unsigned started : 1;
unsigned requested : 2;          /* a bit for each value */
#if BALLOTS > 3
#define BALLOT_BITS 3
#define VOTE_BITS 4
unsigned promised : 9;           /* BALLOT_BITS for each acceptor: 0, or BALLOT(b) */
unsigned accepted : 12;          /* VOTE_BITS for each acceptor: 0, or VOTE(b, v) */
unsigned promises3 : 9;          /* as promises0 */
#else
#define BALLOT_BITS 2
#define VOTE_BITS 3
unsigned promised : 6;
unsigned accepted : 9;
#endif
unsigned learned : 4;            /* 2 bits for each learner: 0, or 1 + value */
unsigned prepares : 4;           /* a bit for each ballot */
unsigned accepts : 8;            /* 2 bits for each ballot: 0, or 1 + value */
unsigned votes : 12;             /* 3 bits for each ballot, one for each acceptor; the value is that of the ballot */
unsigned promises0 : 9;          /* 3 bits for each acceptor; one such set for each ballot */
unsigned promises1 : 9;
unsigned promises2 : 9;

#define PROMISED(a) (promised >> (BALLOT_BITS * (a)) & ((1 << BALLOT_BITS) - 1))
#define ACCEPTED(a) (accepted >> (VOTE_BITS * (a)) & ((1 << VOTE_BITS) - 1))
#define LEARNED(k) (learned >> (2 * (k)) & 3)
#define PROPOSED(b) (accepts >> (2 * (b)) & 3)
#define VOTES(b) (votes >> (3 * (b)) & 7)
#define PROMISE(a, b) (promises##b >> (3 * (a)) & 7)
#define REPORTED(a, b) (PROMISE(a, b) - 1)
#define VALUE(vote) (((vote) - 1) & 1)

#define MAJORITY(set) ((set) == 3 || (set) >= 5)
#define CHOSEN(b, v) (PROPOSED(b) == 1 + (v) && MAJORITY(VOTES(b)))
#define EVER(v) (CHOSEN(0, v) || CHOSEN(1, v) || CHOSEN(2, v) || CHOSEN(3, v))
/* Where it can break: after a vote, and after a learner's step. */
#define CHECK assert(!(EVER(0) && EVER(1)) && (!EVER(0) || (requested & 1)) && (!EVER(1) || (requested & 2)) \
    && (LEARNED(0) == 0 || LEARNED(1) == 0 || LEARNED(0) == LEARNED(1)))

#define PREPARE(b) \
    :: d_step { started && !(prepares & (1 << (b))) -> prepares = prepares | 1 << (b) }

#define ANSWER(a, b) \
    :: d_step { (prepares & (1 << (b))) && BALLOT(b) > PROMISED(a) -> \
        promised = (promised & ~(((1 << BALLOT_BITS) - 1) << (BALLOT_BITS * (a)))) | BALLOT(b) << (BALLOT_BITS * (a)); \
        promises##b = promises##b | (1 + ACCEPTED(a)) << (3 * (a)) }

/* A later vote is a larger number: the vote that binds the proposer is the largest reported one. */
#define MAX(x, y) ((x) > (y) -> (x) : (y))
#define FREE(vote, v) ((vote) == 0 || VALUE(vote) == (v))
#define MAY_PROPOSE(b, v) (requested & (1 << (v))) && PROPOSED(b) == 0
#define TWO(a, c, b, v) (PROMISE(a, b) && PROMISE(c, b) && FREE(MAX(REPORTED(a, b), REPORTED(c, b)), v))
#define THREE(b, v) (PROMISE(0, b) && PROMISE(1, b) && PROMISE(2, b) \
    && FREE(MAX(REPORTED(0, b), MAX(REPORTED(1, b), REPORTED(2, b))), v))
#define QUORUM(heard, b, v) \
    :: d_step { MAY_PROPOSE(b, v) && heard -> accepts = accepts | (1 + (v)) << (2 * (b)) }
#define PROPOSE(b, v) \
    QUORUM(TWO(0, 1, b, v), b, v) \
    QUORUM(TWO(0, 2, b, v), b, v) \
    QUORUM(TWO(1, 2, b, v), b, v) \
    QUORUM(THREE(b, v), b, v)

#define ACCEPT(a, b) \
    :: d_step { PROPOSED(b) && BALLOT(b) >= PROMISED(a) && ACCEPTED(a) != VOTE(b, PROPOSED(b) - 1) -> \
        promised = (promised & ~(((1 << BALLOT_BITS) - 1) << (BALLOT_BITS * (a)))) | BALLOT(b) << (BALLOT_BITS * (a)); \
        accepted = (accepted & ~(((1 << VOTE_BITS) - 1) << (VOTE_BITS * (a)))) | VOTE(b, PROPOSED(b) - 1) << (VOTE_BITS * (a)); \
        votes = votes | 1 << (3 * (b) + (a)); CHECK }

#define LEARN(k, b, v) \
    :: d_step { LEARNED(k) == 0 && CHOSEN(b, v) -> learned = learned | (1 + (v)) << (2 * (k)); CHECK }

#define ACCEPTOR(a, b) ANSWER(a, b) ACCEPT(a, b)
#if LEARNERS > 1
#define LEARNERS_OF(b, v) LEARN(0, b, v) LEARN(1, b, v)
#else
#define LEARNERS_OF(b, v) LEARN(0, b, v)
#endif
#define RUN(b) \
    PREPARE(b) \
    ACCEPTOR(0, b) ACCEPTOR(1, b) ACCEPTOR(2, b) \
    PROPOSE(b, 0) PROPOSE(b, 1) \
    LEARNERS_OF(b, 0) LEARNERS_OF(b, 1)

#define ASK(values) :: d_step { !started -> started = 1; requested = values }

active proctype system() {
end:
    do
    ASK(0) ASK(1) ASK(2) ASK(3)
    RUN(0)
    RUN(1)
#if BALLOTS > 2
    RUN(2)
#endif
#if BALLOTS > 3
    RUN(3)
#endif
    od
}
