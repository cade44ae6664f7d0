------------------------------ MODULE TwoPhase ------------------------------
\* Two-phase commit for TLC, after Gray & Lamport 2006, state for state and transition for transition as
\* specs/quorate_specs/transactions/two_phase_commit.py without symmetry. A Prepared message is no more than its sender.
EXTENDS TLC
CONSTANTS RM
VARIABLES rm, tm, received, prepared, outcome
vars == <<rm, tm, received, prepared, outcome>>
Perms == Permutations(RM)

Init ==
    /\ rm = [r \in RM |-> "working"]
    /\ tm = "init"
    /\ received = {}
    /\ prepared = {}
    /\ outcome = {}

Receive(r) ==
    /\ tm = "init"
    /\ r \in prepared
    /\ received' = received \cup {r}
    /\ UNCHANGED <<rm, tm, prepared, outcome>>

Commit ==
    /\ tm = "init"
    /\ received = RM
    /\ tm' = "committed"
    /\ outcome' = outcome \cup {"Commit"}
    /\ UNCHANGED <<rm, received, prepared>>

Abort ==
    /\ tm = "init"
    /\ tm' = "aborted"
    /\ outcome' = outcome \cup {"Abort"}
    /\ UNCHANGED <<rm, received, prepared>>

Prepare(r) ==
    /\ rm[r] = "working"
    /\ rm' = [rm EXCEPT ![r] = "prepared"]
    /\ prepared' = prepared \cup {r}
    /\ UNCHANGED <<tm, received, outcome>>

Refuse(r) ==
    /\ rm[r] = "working"
    /\ rm' = [rm EXCEPT ![r] = "aborted"]
    /\ UNCHANGED <<tm, received, prepared, outcome>>

ObeyCommit(r) ==
    /\ "Commit" \in outcome
    /\ rm' = [rm EXCEPT ![r] = "committed"]
    /\ UNCHANGED <<tm, received, prepared, outcome>>

ObeyAbort(r) ==
    /\ "Abort" \in outcome
    /\ rm' = [rm EXCEPT ![r] = "aborted"]
    /\ UNCHANGED <<tm, received, prepared, outcome>>

Next ==
    \/ Commit
    \/ Abort
    \/ \E r \in RM : Receive(r) \/ Prepare(r) \/ Refuse(r) \/ ObeyCommit(r) \/ ObeyAbort(r)
Spec == Init /\ [][Next]_vars

Atomicity == (\A r \in RM : rm[r] # "committed") \/ (\A r \in RM : rm[r] # "aborted")
=============================================================================
