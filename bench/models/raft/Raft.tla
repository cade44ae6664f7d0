-------------------------------- MODULE Raft --------------------------------
\* Raft for TLC, state for state and transition for transition as specs/quorate_specs/consensus/raft.py without symmetry.
\* What passes a bound there is not enabled here. Logs are sequences of terms: there is one command.
EXTENDS Naturals, Sequences, FiniteSets, TLC

CONSTANTS Server, None, MaxTerm, MaxIndex

Term == 1..MaxTerm
VARIABLES term, votedFor, log, role, commitIndex, msgs, elected, committed
vars == <<term, votedFor, log, role, commitIndex, msgs, elected, committed>>
Perms == Permutations(Server)

Min(a, b) == IF a < b THEN a ELSE b
Max(a, b) == IF a > b THEN a ELSE b
IsMajority(q) == 2 * Cardinality(q) > Cardinality(Server)
TermAt(s, i) == IF 0 < i /\ i <= Len(log[s]) THEN log[s][i] ELSE 0
LastTerm(s) == TermAt(s, Len(log[s]))

RequestVote(t, c, i, lt) == [type |-> "RequestVote", term |-> t, candidate |-> c, lastIndex |-> i, lastTerm |-> lt]
Vote(t, v, c) == [type |-> "Vote", term |-> t, voter |-> v, candidate |-> c]
AppendEntries(t, l, pi, pt, e, c) ==
    [type |-> "AppendEntries", term |-> t, leader |-> l, prevIndex |-> pi, prevTerm |-> pt, entry |-> e, commit |-> c]
AppendReply(t, f, l, m) == [type |-> "AppendReply", term |-> t, follower |-> f, leader |-> l, match |-> m]

\* An entry is its term; 0 stands for none, in a heartbeat.
Entry(t, s, i, entries) ==
    AppendEntries(t, s, i - 1, IF i > 1 THEN entries[i - 1] ELSE 0, entries[i], commitIndex[s])

Init ==
    /\ term = [s \in Server |-> 0]
    /\ votedFor = [s \in Server |-> None]
    /\ log = [s \in Server |-> <<>>]
    /\ role = [s \in Server |-> "follower"]
    /\ commitIndex = [s \in Server |-> 0]
    /\ msgs = {}
    /\ elected = [t \in 0..MaxTerm |-> {}]
    /\ committed = {}

TimeOut(s) ==
    /\ role[s] # "leader"
    /\ term[s] < MaxTerm
    /\ term' = [term EXCEPT ![s] = @ + 1]
    /\ role' = [role EXCEPT ![s] = "candidate"]
    /\ votedFor' = [votedFor EXCEPT ![s] = s]
    /\ msgs' = msgs \cup {RequestVote(term[s] + 1, s, Len(log[s]), LastTerm(s))}
    /\ UNCHANGED <<log, commitIndex, elected, committed>>

UpToDate(m, s) == m.lastTerm > LastTerm(s) \/ (m.lastTerm = LastTerm(s) /\ m.lastIndex >= Len(log[s]))

HandleRequest(s, m) ==
    /\ m.type = "RequestVote" /\ m.candidate # s
    /\ m.term > term[s] \/ (m.term = term[s] /\ votedFor[s] = None)
    /\ LET later == m.term > term[s] IN
        /\ term' = [term EXCEPT ![s] = m.term]
        /\ role' = IF later THEN [role EXCEPT ![s] = "follower"] ELSE role
        /\ IF UpToDate(m, s)
           THEN /\ votedFor' = [votedFor EXCEPT ![s] = m.candidate]
                /\ msgs' = msgs \cup {Vote(m.term, s, m.candidate)}
           ELSE /\ votedFor' = IF later THEN [votedFor EXCEPT ![s] = None] ELSE votedFor
                /\ msgs' = msgs
    /\ UNCHANGED <<log, commitIndex, elected, committed>>

Win(s) ==
    /\ role[s] = "candidate"
    /\ IsMajority({v \in Server : v = s \/ Vote(term[s], v, s) \in msgs})
    /\ role' = [role EXCEPT ![s] = "leader"]
    /\ elected' = [elected EXCEPT ![term[s]] = @ \cup {s}]
    /\ msgs' = msgs \cup {Entry(term[s], s, i, log[s]) : i \in 1..Len(log[s])}
    /\ UNCHANGED <<term, votedFor, log, commitIndex, committed>>

Restart(s) ==
    /\ role[s] = "leader"
    /\ role' = [role EXCEPT ![s] = "follower"]
    /\ UNCHANGED <<term, votedFor, log, commitIndex, msgs, elected, committed>>

Request(s) ==
    /\ role[s] = "leader"
    /\ Len(log[s]) < MaxIndex
    /\ LET entries == Append(log[s], term[s]) IN
        /\ log' = [log EXCEPT ![s] = entries]
        /\ msgs' = msgs \cup {Entry(term[s], s, Len(entries), entries)}
    /\ UNCHANGED <<term, votedFor, role, commitIndex, elected, committed>>

Fits(s, m) == m.prevIndex <= Len(log[s]) /\ TermAt(s, m.prevIndex) = m.prevTerm

HandleAppend(s, m) ==
    /\ m.type = "AppendEntries" /\ m.leader # s /\ m.term >= term[s]
    /\ term' = [term EXCEPT ![s] = m.term]
    /\ votedFor' = IF m.term > term[s] THEN [votedFor EXCEPT ![s] = None] ELSE votedFor
    /\ role' = [role EXCEPT ![s] = "follower"]
    /\ IF Fits(s, m)
       THEN LET match == IF m.entry = 0 THEN m.prevIndex ELSE m.prevIndex + 1 IN
            /\ log' = IF m.entry # 0 /\ TermAt(s, match) # m.entry
                      THEN [log EXCEPT ![s] = Append(SubSeq(@, 1, m.prevIndex), m.entry)]
                      ELSE log
            /\ msgs' = msgs \cup {AppendReply(m.term, s, m.leader, match)}
            /\ commitIndex' = [commitIndex EXCEPT ![s] = Max(@, Min(m.commit, match))]
       ELSE UNCHANGED <<log, msgs, commitIndex>>
    /\ UNCHANGED <<elected, committed>>

Commit(s, i) ==
    /\ role[s] = "leader" /\ commitIndex[s] < i /\ i <= Len(log[s])
    /\ TermAt(s, i) = term[s]
    /\ IsMajority({r \in Server : r = s \/ \E j \in i..MaxIndex : AppendReply(term[s], r, s, j) \in msgs})
    /\ commitIndex' = [commitIndex EXCEPT ![s] = i]
    /\ committed' = committed \cup {[term |-> term[s], index |-> j, entry |-> log[s][j]] : j \in (commitIndex[s] + 1)..i}
    /\ msgs' = msgs \cup {AppendEntries(term[s], s, j, TermAt(s, j), 0, i) : j \in (commitIndex[s] + 1)..i}
    /\ UNCHANGED <<term, votedFor, log, role, elected>>

Next ==
    \E s \in Server :
        \/ TimeOut(s)
        \/ Win(s)
        \/ Restart(s)
        \/ Request(s)
        \/ \E m \in msgs : HandleRequest(s, m) \/ HandleAppend(s, m)
        \/ \E i \in 1..MaxIndex : Commit(s, i)
Spec == Init /\ [][Next]_vars

ElectionSafety == \A t \in Term : Cardinality(elected[t]) <= 1
LogMatching ==
    \A a, b \in Server : \A i \in 1..Min(Len(log[a]), Len(log[b])) :
        log[a][i] = log[b][i] => SubSeq(log[a], 1, i) = SubSeq(log[b], 1, i)
LeaderCompleteness ==
    \A s \in Server : role[s] = "leader" =>
        \A c \in committed : c.term >= term[s] \/ (c.index <= Len(log[s]) /\ log[s][c.index] = c.entry)
StateMachineSafety ==
    \A a, b \in Server : \A i \in 1..Min(commitIndex[a], commitIndex[b]) :
        i <= Len(log[a]) /\ i <= Len(log[b]) /\ log[a][i] = log[b][i]
=============================================================================
