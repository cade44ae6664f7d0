"""Proofs with Z3: bounded checks, induction at fixed sizes, any number of nodes, algebraic laws, finding lemmas."""
