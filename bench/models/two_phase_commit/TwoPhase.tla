------------------------------ MODULE TwoPhase ------------------------------
\* Two-phase commit for TLC, after Gray & Lamport 2006.
EXTENDS TLC
CONSTANT RM
VARIABLES rm, tm, prepared, msgs
vars == <<rm, tm, prepared, msgs>>
Perms == Permutations(RM)

Init == /\ rm = [r \in RM |-> "working"] /\ tm = "init" /\ prepared = {} /\ msgs = {}

Receive(r) == /\ tm = "init" /\ [type |-> "Prepared", rm |-> r] \in msgs
              /\ prepared' = prepared \cup {r} /\ UNCHANGED <<rm, tm, msgs>>
Commit == /\ tm = "init" /\ prepared = RM /\ tm' = "committed"
          /\ msgs' = msgs \cup {[type |-> "Commit"]} /\ UNCHANGED <<rm, prepared>>
Abort == /\ tm = "init" /\ tm' = "aborted"
         /\ msgs' = msgs \cup {[type |-> "Abort"]} /\ UNCHANGED <<rm, prepared>>
Prepare(r) == /\ rm[r] = "working" /\ rm' = [rm EXCEPT ![r] = "prepared"]
              /\ msgs' = msgs \cup {[type |-> "Prepared", rm |-> r]} /\ UNCHANGED <<tm, prepared>>
Refuse(r) == /\ rm[r] = "working" /\ rm' = [rm EXCEPT ![r] = "aborted"] /\ UNCHANGED <<tm, prepared, msgs>>
ObeyCommit(r) == /\ [type |-> "Commit"] \in msgs /\ rm' = [rm EXCEPT ![r] = "committed"] /\ UNCHANGED <<tm, prepared, msgs>>
ObeyAbort(r) == /\ [type |-> "Abort"] \in msgs /\ rm' = [rm EXCEPT ![r] = "aborted"] /\ UNCHANGED <<tm, prepared, msgs>>

Next == \/ Commit \/ Abort
        \/ \E r \in RM : Receive(r) \/ Prepare(r) \/ Refuse(r) \/ ObeyCommit(r) \/ ObeyAbort(r)
Spec == Init /\ [][Next]_vars
Atomicity == \A a, b \in RM : ~(rm[a] = "committed" /\ rm[b] = "aborted")
=============================================================================
