"""Atomic commitment and transactions.
Copies of one thing may outvote a slow one. Participants of a transaction may not: each holds a part that no other can
do. See why a participant that is prepared can only wait; what it costs not to wait (three-phase commit trusts the
network, Paxos Commit adds acceptors); and what services do that have no transaction in common. Then it is about the
order of transactions: which dependencies may form a cycle at which isolation level, and how clocks that know their
own error give an order in real time.
"""
