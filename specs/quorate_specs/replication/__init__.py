"""Replicated data: one copy after another, by quorums, or at many masters."""
