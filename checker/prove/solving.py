"""Asking solvers: one query is a text in SMT-LIB, so that every run of it is the same, in whichever process.

The same formulas built twice in one process get other numbers inside Z3, and its heuristics follow those numbers: one
query took 0.15 s and 10 s. Printed and read into a fresh context, a query runs the same way each time. A query that
one seed does not decide is tried with others, and then with cvc5's finite model finding, if cvc5 is installed.
Whoever says "unknown" is believed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from importlib.util import find_spec
from multiprocessing import get_context
from time import perf_counter
from typing import Any, Literal

Status = Literal["unsat", "sat", "unknown"]


@dataclass(frozen=True)
class Query:
    """A satisfiability question. `text` is SMT-LIB; its assertions have the `labels`, "" for those that are not worth
    naming."""

    name: tuple[str, ...]
    text: str
    labels: tuple[str, ...]


@dataclass(frozen=True)
class Answer:
    """What a solver said. `core` are the labels that an "unsat" needs; `reason` explains an "unknown"."""

    name: tuple[str, ...]
    status: Status
    seconds: float
    solver: str
    core: frozenset[str] = frozenset()
    reason: str = ""


@dataclass(frozen=True)
class Effort:
    """How hard to try: seconds for each attempt of Z3 (the seeds count from 0) and for cvc5 (0: do not ask it), and
    processes."""

    z3_seconds: tuple[float, ...] = (2.0, 5.0, 10.0)
    cvc5_seconds: float = 20.0
    workers: int = 1


def query(name: tuple[str, ...], parts: Sequence[tuple[str, Any]]) -> Query:
    """A query from labelled Z3 formulas."""
    import z3

    kept = [(label, formula) for label, formula in parts if not z3.is_true(formula)]
    solver = z3.Solver()
    for _, formula in kept:
        solver.add(formula)
    return Query(name, solver.sexpr(), tuple(label for label, _ in kept))


def ask(asked: Query, effort: Effort) -> Answer:
    """The first definite answer of the portfolio, or "unknown" with everybody's reasons."""
    started = perf_counter()
    reasons = []
    for seed, seconds in enumerate(effort.z3_seconds):
        status, core, reason = ask_z3(asked, seconds, seed)
        if status != "unknown":
            return Answer(asked.name, status, perf_counter() - started, f"z3 seed {seed}", core)
        reasons.append(f"z3 seed {seed}: {reason}")
    if effort.cvc5_seconds and find_spec("cvc5") is not None:
        status, core, reason = ask_cvc5(asked, effort.cvc5_seconds)
        if status != "unknown":
            return Answer(asked.name, status, perf_counter() - started, "cvc5", core)
        reasons.append(f"cvc5: {reason}")
    return Answer(asked.name, "unknown", perf_counter() - started, "", frozenset(), "; ".join(reasons))


def ask_z3(asked: Query, seconds: float, seed: int) -> tuple[Status, frozenset[str], str]:
    """What Z3 says: status, core, reason of an unknown."""
    import z3

    context = z3.Context()
    formulas = z3.parse_smt2_string(asked.text, ctx=context)
    if len(formulas) != len(asked.labels):
        raise AssertionError(f"{asked.name}: {len(formulas)} assertions were read of {len(asked.labels)}")
    solver = z3.Solver(ctx=context)
    solver.set("timeout", max(1, int(seconds * 1000)))
    solver.set("random_seed", seed)
    for position, (label, formula) in enumerate(zip(asked.labels, formulas, strict=True)):
        if label:
            solver.assert_and_track(formula, z3.Bool(f"{position}:{label}", context))
        else:
            solver.add(formula)
    status: Status = str(solver.check())  # type: ignore[assignment]
    core = frozenset(str(name).split(":", 1)[1] for name in solver.unsat_core()) if status == "unsat" else frozenset()
    return status, core, solver.reason_unknown() if status == "unknown" else ""


def ask_cvc5(asked: Query, seconds: float) -> tuple[Status, frozenset[str], str]:
    """What cvc5 says with finite model finding. It names no core, so all labels count as needed."""
    import cvc5

    solver = cvc5.Solver()
    solver.setOption("finite-model-find", "true")
    solver.setOption("tlimit-per", str(int(seconds * 1000)))
    solver.setLogic("ALL")
    parser = cvc5.InputParser(solver)
    parser.setStringInput(cvc5.InputLanguage.SMT_LIB_2_6, asked.text, asked.name[0])
    symbols = parser.getSymbolManager()
    try:
        while not (command := parser.nextCommand()).isNull():
            command.invoke(solver, symbols)
        result = solver.checkSat()
    except RuntimeError as error:
        return "unknown", frozenset(), str(error).splitlines()[0]
    if result.isUnsat():
        return "unsat", frozenset(label for label in asked.labels if label), ""
    return ("sat", frozenset(), "") if result.isSat() else ("unknown", frozenset(), "it gave up or ran out of time")


def ask_all(queries: Sequence[Query], effort: Effort, seen: Callable[[Answer], None] = lambda _: None) -> list[Answer]:
    """The answers to several queries, in order; `seen` is called with each in that order as it comes."""
    return list(_watched(_answers(queries, effort), seen))


def _answers(queries: Sequence[Query], effort: Effort) -> Iterator[Answer]:
    if effort.workers == 1 or len(queries) < 2:
        yield from (ask(one, effort) for one in queries)
        return
    with ProcessPoolExecutor(effort.workers, mp_context=get_context("forkserver")) as pool:
        yield from pool.map(ask, queries, [effort] * len(queries))


def _watched(answers: Iterator[Answer], seen: Callable[[Answer], None]) -> Iterator[Answer]:
    for answer in answers:
        seen(answer)
        yield answer
