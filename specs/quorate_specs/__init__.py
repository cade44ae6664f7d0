"""The protocol library: one module per protocol, by family, each with its properties and its broken variants.

The docstring of a family says in its first line what it is about, and then what to learn from it.
"""

COURSE = {
    "coordination": ["idempotent_requests", "lease_lock"],
    "caching": ["cache_aside"],
    "replication": [
        "primary_backup",
        "replication_lag",
        "quorum_register",
        "atomic_register",
        "lww_register",
        "vector_clock",
        "hybrid_clock",
        "multi_master",
        "crdt",
        "dynamo",
        "causal_store",
        "regional_feed",
        "replica_set",
        "isr_log",
    ],
    "consistency": ["consistency_ladder", "cap"],
    "consensus": [
        "paxos",
        "voting",
        "multi_paxos",
        "fast_paxos",
        "raft_election",
        "raft_log",
        "raft",
        "raft_reads",
        "raft_leases",
        "raft_snapshots",
        "raft_prevote",
        "raft_membership",
        "viewstamped",
        "pbft",
    ],
    "transactions": [
        "transaction_commit",
        "two_phase_commit",
        "three_phase_commit",
        "paxos_commit",
        "order_inventory",
        "isolation",
        "truetime",
    ],
    "sharding": ["sharding"],
}
"""The families in the order in which a teacher would take them, and so their protocols. What is not named comes last."""
