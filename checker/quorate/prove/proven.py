"""Proofs in one call, for programs and notebooks: `quorate.proven(MySpec, any_size=True)`.

It is called by what it is to give, a `Proven` outcome, since `quorate.prove` is the package of the methods.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from quorate.language.spec import Spec
from quorate.outcome import Outcome
from quorate.prove.proof import prove
from quorate.prove.results import Task
from quorate.prove.solvers.smt import Effort


def proven(
    spec: type[Spec],
    *,
    any_size: bool = False,
    invariants: Sequence[str] = (),
    method: str = "induction",
    depth: int | None = None,
    seconds: float = 60.0,
    workers: int | None = None,
) -> Outcome:
    """Prove invariants and step properties: those of `invariants` with what their proofs need, or all.

    At the bounds of the class, or with `any_size` for every number of members. `method` is "induction", "bmc" (no run of at most
    `depth` steps violates them) or "kinduction" (from `depth` states in a row, two without a number). `Proven` if all are; `Violated`
    with a run that shows it; else `Unfinished`, which says what could not be proven: an invariant that is true and not inductive needs
    a lemma. `seconds` are for the whole proof, `workers` the processes (one for each core without a number). What became of each step
    of a proof says `quorate.prove.proof.prove`. Raises UsageError for a name or a method that does not exist and for a depth below 1,
    and SpecError for a specification without a typed model.
    """
    effort = Effort((seconds / 20, seconds / 10, seconds / 5), seconds / 3, workers or os.cpu_count() or 1, seconds)
    task = Task(
        spec, spec.__name__, None, tuple(invariants), method, depth, any_size=any_size, effort=effort, seconds=seconds
    )
    return prove(task).outcome
