---- MODULE Deliver ----
EXTENDS Naturals
VARIABLES msg, got, honest
vars == <<msg, got, honest>>
S == {1,2}
M == {0,1}
Init == msg = [s \in S |-> 0] /\ got = [s \in S |-> FALSE] /\ honest \in S
Swap(s) == ~got[s] /\ msg' = [msg EXCEPT ![s] = 1 - @] /\ UNCHANGED <<got, honest>>
Deliver(s,m) == msg[s]=m /\ ~got[s] /\ got' = [got EXCEPT ![s]=TRUE] /\ UNCHANGED <<msg,honest>>
Reset(s) == got[s] /\ got' = [got EXCEPT ![s]=FALSE] /\ UNCHANGED <<msg,honest>>
Next == \E s \in S: Swap(s) \/ Reset(s) \/ \E m \in M: Deliver(s,m)
Base == Init /\ [][Next]_vars
weak_instance == Base /\ \A s \in S, m \in M: WF_vars(Deliver(s,m))
weak_action == Base /\ WF_vars(\E s \in S, m \in M: Deliver(s,m))
weak_server == Base /\ \A s \in S: WF_vars(\E m \in M: Deliver(s,m))
weak_honest == Base /\ \A s \in S, m \in M: WF_vars(s = honest /\ Deliver(s,m))
weak_honest_server == Base /\ \A s \in S: WF_vars(s = honest /\ \E m \in M: Deliver(s,m))
strong_instance == Base /\ \A s \in S, m \in M: SF_vars(Deliver(s,m))
strong_action == Base /\ SF_vars(\E s \in S, m \in M: Deliver(s,m))
strong_server == Base /\ \A s \in S: SF_vars(\E m \in M: Deliver(s,m))
strong_honest == Base /\ \A s \in S, m \in M: SF_vars(s = honest /\ Deliver(s,m))
strong_honest_server == Base /\ \A s \in S: SF_vars(s = honest /\ \E m \in M: Deliver(s,m))
somebody == <>(\E s \in S: got[s])
everybody_in_turn == \A s \in S: <>(got[s])
again == \A s \in S: []<>(got[s])
the_honest_one == \A s \in S: (honest = s) => <>(got[s])
the_honest_one_again == \A s \in S: [](honest = s => <>(got[s]))
settles == <>[](\E s \in S: got[s])
====
