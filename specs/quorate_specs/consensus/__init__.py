"""A group of processes agrees on one value, or on one log.
Two quorums have a member in common, and that member remembers. Almost everything here follows from this sentence, and
almost every mistake forgets one half of it. Paxos shows it with one value, Multi-Paxos with a log, Fast Paxos what it
costs to save a message. Raft tells the same with terms and a leader, so that it can be built; elections, log, reads,
leases, snapshots, pre-votes and members each add something that can go wrong. Viewstamped Replication keeps its log in
memory only, and shows what that costs. PBFT asks what is left when some of the members lie: two quorums then need an
honest member in common.
"""
