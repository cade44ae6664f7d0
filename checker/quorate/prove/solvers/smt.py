"""Asking a portfolio of solvers: a query that one seed does not decide is tried with others, and then with cvc5's finite
model finding, if cvc5 is installed. Whoever says "unknown" is believed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib import metadata
from importlib.util import find_spec
from itertools import starmap
from math import inf
from multiprocessing import get_context
from time import perf_counter
from typing import Any

import z3

from quorate.prove.solvers.premise_selection import Selection
from quorate.prove.solvers.query import Query, Status, limit

SELECTED = "z3, lemmas on demand"
"""The solver that an answer of the first look names."""


@dataclass(frozen=True)
class Answer:
    """What a solver said. `core` are the labels that an "unsat" needs, `conditions` what it rests on; `reason` explains an "unknown"."""

    name: tuple[str, ...]
    status: Status
    seconds: float
    solver: str
    core: frozenset[str] = frozenset()
    reason: str = ""
    conditions: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Effort:
    """How hard to try: seconds for each attempt of Z3 (the seeds count from 0) and for cvc5 (0: do not ask it), and
    processes; `seconds` for all queries together that lemmas on demand leave open. `blindly` lemmas are also added where no
    model says which."""

    z3_seconds: tuple[float, ...] = (2.0, 5.0, 10.0)
    cvc5_seconds: float = 20.0
    workers: int = 1
    seconds: float = 60.0
    blindly: bool = True

    @property
    def looks_twice(self) -> bool:
        """Whether what the first look leaves open is tried in another way, whatever lemmas are known to be useful."""
        return bool(self.z3_seconds or self.cvc5_seconds or self.blindly)

    def shared(self, queries: int) -> Effort:
        """The effort for each of so many queries."""
        wanted = (2 * sum(self.z3_seconds) + self.cvc5_seconds) * queries / self.workers
        part = min(1.0, self.seconds / wanted) if wanted else 1.0
        scaled = tuple(part * seconds for seconds in self.z3_seconds)
        return replace(self, z3_seconds=scaled, cvc5_seconds=part * self.cvc5_seconds)


def version_of(solver: str) -> str:
    """A solver with its version."""
    return f"{solver} {z3.get_version_string() if solver == 'z3' else metadata.version(solver)}"


def ask(asked: Query, effort: Effort, useful: Sequence[str] = ()) -> Answer:
    """The first definite answer: of Z3 with lemmas on demand, `useful` ones first, and then of the portfolio with all
    of them; or "unknown" with everybody's reasons."""
    started = perf_counter()
    all_of_them = frozenset(asked.conditions.values())  # Who names no core may need any of them.
    first = selected(asked, useful, effort.blindly)
    if first.status != "unknown":
        return first
    reasons = [first.reason]
    for seed, seconds in enumerate(effort.z3_seconds):
        for tracked in (False, True) if any(asked.labels) else (False,):
            status, core, reason = ask_z3(asked, seconds, seed, tracked)
            if status != "unknown":
                return Answer(
                    asked.name, status, perf_counter() - started, f"z3 seed {seed}", core, conditions=all_of_them
                )
            reasons.append(f"z3 seed {seed}: {reason}")
    if effort.cvc5_seconds and find_spec("cvc5") is None:
        reasons.append("cvc5 is not installed, so there is no second opinion")
    elif effort.cvc5_seconds:
        status, core, reason = ask_cvc5(asked, effort.cvc5_seconds)
        if status != "unknown":
            return Answer(asked.name, status, perf_counter() - started, "cvc5", core, conditions=all_of_them)
        reasons.append(f"cvc5: {reason}")
    return Answer(asked.name, "unknown", perf_counter() - started, "", frozenset(), "; ".join(reasons))


def selected(asked: Query, useful: Sequence[str] = (), blindly: bool = False, seconds: float = inf) -> Answer:
    """What Z3 says with lemmas on demand, in so many seconds; `blindly` as for `Selection.answer`."""
    started = perf_counter()
    selection = Selection(asked, seconds)
    found = selection.answer(useful, blindly)
    core, conditions = frozenset[str](), frozenset[str]()
    if found.status == "unsat":
        core, conditions = frozenset(found.lemmas), selection.rests_on(found.lemmas)
    reason = "z3 with lemmas on demand: no answer" if found.status == "unknown" else ""
    return Answer(asked.name, found.status, perf_counter() - started, SELECTED, core, reason, conditions)


def ask_z3(asked: Query, seconds: float, seed: int, tracked: bool = True) -> tuple[Status, frozenset[str], str]:
    """What Z3 says: status, core, reason of an unknown.

    Z3 simplifies less if it has to tell a core. Without, it is often faster, and all labels count as needed.
    """
    context = z3.Context()
    formulas = z3.parse_smt2_string(asked.text, ctx=context)
    if len(formulas) != len(asked.labels):
        raise AssertionError(f"{asked.name}: {len(formulas)} assertions were read of {len(asked.labels)}")
    solver = z3.Solver(ctx=context)
    limit(solver, seconds)
    solver.set("random_seed", seed)
    for position, (label, formula) in enumerate(zip(asked.labels, formulas, strict=True)):
        if label and tracked:
            solver.assert_and_track(formula, z3.Bool(f"{position}:{label}", context))
        else:
            solver.add(formula)
    status: Status = str(solver.check())  # type: ignore[assignment]
    core = frozenset[str]()
    if status == "unsat":
        named = [str(name).split(":", 1)[1] for name in solver.unsat_core()]
        core = frozenset(named if tracked else filter(None, asked.labels))
    return status, core, solver.reason_unknown() if status == "unknown" else ""


def ask_cvc5(asked: Query, seconds: float) -> tuple[Status, frozenset[str], str]:
    """What cvc5 says with finite model finding. It names no core, so all labels count as needed."""
    import cvc5

    solver = cvc5.Solver()
    solver.setOption("finite-model-find", "true")
    solver.setOption("tlimit-per", str(max(1, int(seconds * 1000))))
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
    """The answers to several queries, in order; `seen` is called with each as it comes.

    All are looked at with lemmas on demand before any is tried harder, because the lemmas that the proofs about an action
    need tell which ones to try first for the others.
    """
    with _map(effort.workers if len(queries) > 1 else 1) as each:
        answers = list(_watched(each(selected, [(one,) for one in queries]), seen))
        useful = _useful(answers)
        left = [
            position
            for position, answer in enumerate(answers)
            if answer.status == "unknown" and (effort.looks_twice or useful[answer.name[0]])
        ]
        share = effort.shared(len(left))
        harder = each(ask, [(queries[position], share, useful[answers[position].name[0]]) for position in left])
        for position, answer in zip(left, harder, strict=True):
            spent = answers[position].seconds
            answers[position] = replace(answer, seconds=answer.seconds + spent)
            seen(answers[position])
    return answers


def _useful(answers: Sequence[Answer]) -> dict[str, list[str]]:
    """The lemmas that the proofs about each action needed, those that most of them needed first."""
    counts: dict[str, Counter[str]] = {}
    for answer in answers:
        counts.setdefault(answer.name[0], Counter()).update(sorted(answer.core))
    return {action: [lemma for lemma, _ in count.most_common()] for action, count in counts.items()}


@contextmanager
def _map(workers: int) -> Iterator[Callable[[Callable[..., Answer], Sequence[tuple[Any, ...]]], Iterator[Answer]]]:
    """A map over tuples of arguments, in this process or in several."""
    if workers == 1:
        yield lambda function, arguments: starmap(function, arguments)
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("forkserver")) as pool:
        yield lambda function, arguments: pool.map(function, *zip(*arguments, strict=True)) if arguments else iter(())


def _watched(answers: Iterator[Answer], seen: Callable[[Answer], None]) -> Iterator[Answer]:
    for answer in answers:
        if answer.status != "unknown":
            seen(answer)
        yield answer
