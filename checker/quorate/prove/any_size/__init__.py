"""Proofs for any number of nodes: `obligations` are the queries, `quorums` why any two quorums meet."""
