"""One proof from end to end: which claims, asked how, and an honest verdict (`attempt.py` says when it is *proven*)."""

from __future__ import annotations

from dataclasses import replace
from time import perf_counter

from quorate.errors import UsageError, unknown
from quorate.prove.at_any_size import AtAnySize
from quorate.prove.at_bounds import AtBounds
from quorate.prove.results import Claim, Proof, Task

METHODS = ("induction", "bmc", "kinduction")


def prove(task: Task) -> Proof:
    """Prove the properties of a specification. Raises SpecError, where it has no model, and UsageError for unknown
    names."""
    if task.method not in METHODS:
        raise unknown("method", task.method, METHODS)
    if task.any_size and task.method != "induction":
        raise UsageError("--any-size proves by induction; bounded checks and k-induction need bounds.")
    if task.depth is not None and task.depth < 1:
        raise UsageError(f"A depth is at least 1, not {task.depth}.")
    started = perf_counter()
    run = AtAnySize(task) if task.any_size else AtBounds(task)
    with run.model.system:
        proof = run.proof()
    seconds = perf_counter() - started
    return replace(proof, outcome=replace(proof.outcome, statistics=replace(proof.outcome.statistics, seconds=seconds)))


__all__ = ["METHODS", "Claim", "Proof", "Task", "prove"]
