------------------------------- MODULE Paxos -------------------------------
\* Single-decree Paxos, state for state and transition for transition as specs/quorate_specs/consensus/paxos.py without symmetry.
\* The set of all messages ever sent is kept in one set for each kind.
EXTENDS Naturals, FiniteSets, TLC

CONSTANTS Acceptor, Learner, Value, Ballots

Ballot == 1..Ballots
None == [ballot |-> 0]
Perms == Permutations(Acceptor) \cup Permutations(Learner) \cup Permutations(Value)
IsMajority(q) == 2 * Cardinality(q) > Cardinality(Acceptor)
Majorities == {q \in SUBSET Acceptor : IsMajority(q)}

VARIABLES requested, promised, accepted, learned, prepares, promises, accepts, votes

Init ==
    /\ requested \in SUBSET Value
    /\ promised = [a \in Acceptor |-> 0]
    /\ accepted = [a \in Acceptor |-> None]
    /\ learned = [k \in Learner |-> {}]
    /\ prepares = {}
    /\ promises = {}
    /\ accepts = {}
    /\ votes = {}

Prepare(b) ==
    /\ b \notin prepares
    /\ prepares' = prepares \cup {b}
    /\ UNCHANGED <<requested, promised, accepted, learned, promises, accepts, votes>>

Promise(a, b) ==
    /\ b > promised[a]
    /\ promised' = [promised EXCEPT ![a] = b]
    /\ promises' = promises \cup {[acceptor |-> a, ballot |-> b, accepted |-> accepted[a]]}
    /\ UNCHANGED <<requested, accepted, learned, prepares, accepts, votes>>

\* Every quorum is a way of its own to propose, as in the original: they lead to one state.
Propose(b, q, v) ==
    LET heard == {m \in promises : m.ballot = b /\ m.acceptor \in q}
        reported == {m.accepted : m \in heard} \ {None}
    IN  /\ \A m \in accepts : m.ballot # b
        /\ \A a \in q : \E m \in heard : m.acceptor = a
        /\ \/ reported = {}
           \/ \E vote \in reported : vote.value = v /\ \A other \in reported : other.ballot <= vote.ballot
        /\ accepts' = accepts \cup {[ballot |-> b, value |-> v]}
        /\ UNCHANGED <<requested, promised, accepted, learned, prepares, promises, votes>>

Accept(a, m) ==
    /\ m.ballot >= promised[a]
    /\ accepted[a] # m
    /\ promised' = [promised EXCEPT ![a] = m.ballot]
    /\ accepted' = [accepted EXCEPT ![a] = m]
    /\ votes' = votes \cup {[acceptor |-> a, ballot |-> m.ballot, value |-> m.value]}
    /\ UNCHANGED <<requested, learned, prepares, promises, accepts>>

Chosen(b, v) == IsMajority({m.acceptor : m \in {n \in votes : n.ballot = b /\ n.value = v}})

Learn(k, b, v) ==
    /\ learned[k] = {}
    /\ Chosen(b, v)
    /\ learned' = [learned EXCEPT ![k] = {v}]
    /\ UNCHANGED <<requested, promised, accepted, prepares, promises, accepts, votes>>

Next ==
    \/ \E b \in Ballot : Prepare(b)
    \/ \E a \in Acceptor, b \in prepares : Promise(a, b)
    \/ \E b \in prepares, q \in Majorities, v \in requested : Propose(b, q, v)
    \/ \E a \in Acceptor, m \in accepts : Accept(a, m)
    \/ \E k \in Learner, b \in Ballot, v \in Value : Learn(k, b, v)

ChosenValues == {v \in Value : \E b \in Ballot : Chosen(b, v)}
OneValueChosen == Cardinality(ChosenValues) <= 1
LearnersAgree == Cardinality(UNION {learned[k] : k \in Learner}) <= 1
OnlyRequestedValues == ChosenValues \subseteq requested
=============================================================================
