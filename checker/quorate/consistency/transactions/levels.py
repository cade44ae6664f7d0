"""Decides the levels for transactions, which `rules.py` describes.

Versions come from `reading.py`; G1a, G1b (but for read uncommitted) and internal contradictions are ruled out there for every
level.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from quorate.consistency.history import History, without_collections
from quorate.consistency.models import Model
from quorate.consistency.orders import Limits
from quorate.consistency.registers import initial_of
from quorate.consistency.transactions import replay
from quorate.consistency.transactions.graph import Graph, as_cycle
from quorate.consistency.transactions.points import Clocks, Points
from quorate.consistency.transactions.reading import Anomaly, Versions, versions
from quorate.consistency.transactions.rules import RULES, Rule, Sees
from quorate.consistency.transactions.solver import Undecided, solve
from quorate.consistency.transactions.view import consistent_view
from quorate.consistency.verdict import Cycle, Satisfied, Schedule, Unknown, Verdict, Violated
from quorate.errors import UsageError

ATTEMPTS_MAX = 2_000
BY_CHOICE = (Sees.OF_ITS_CURSORS, Sees.ITS_CONFLICTS, Sees.ITS_DEPENDENCIES, Sees.AT_A_POINT)
"""Where the order of two writers that no read shows makes a difference."""
SEEN = (Sees.ITS_SOURCES, Sees.ITS_CONFLICTS, Sees.ITS_CAUSES)


def decider(name: str) -> Callable[[History, Model, Limits], Verdict]:
    """The decision procedure of a level."""
    rule = RULES[name]

    def decide(history: History, model: Model, limits: Limits) -> Verdict:
        initial = initial_of(model)
        if initial is None and model.initial != type(model).initial:
            raise UsageError(
                f"What a {model.name} holds at first says nothing of the keys of transactions: give a register."
            )
        try:
            with without_collections():
                seen = versions(history, initial, rule.dirty)
                kind = "list-append" if seen.lists else "read-write-register"
                answer = _judge(seen, rule, limits)
        except Anomaly as anomaly:
            return Violated(name, "transactions", len(history), evidence=anomaly.cycle)
        except Undecided:
            reason = (
                "The order of versions is not known from the reads, and the search for one hit its limit; or what each "
                "transaction has seen needs more memory than is allowed."
            )
            return Unknown(name, kind, len(history), reason=reason)
        if isinstance(answer, Cycle):
            return Violated(name, kind, len(history), evidence=answer)
        if not _checked(seen, rule, answer):
            raise AssertionError(f"The witness for {name} is wrong: {answer}")
        return Satisfied(name, kind, len(history), witness=answer)

    return decide


def _judge(seen: Versions, rule: Rule, limits: Limits) -> Schedule | Cycle:
    """A schedule or a cycle. Raises `Undecided`."""
    attempts = limits.configurations or ATTEMPTS_MAX
    if rule.sees in BY_CHOICE and seen.loose and not (rule.real_time and not rule.snapshot):
        found = _in_real_time(seen, rule, limits)
        if found is not None:
            return found
    points = Points(seen, rule)
    if rule.sees is Sees.ITS_DEPENDENCIES:
        viewed = consistent_view(points.graph, seen, points.priority, points.label, attempts)
        return viewed if isinstance(viewed, Cycle) else points.schedule(viewed)
    if rule.sees in SEEN:
        if rule.sees is Sees.ITS_CAUSES and Clocks.bytes_of(seen) > limits.memory_bytes:
            raise Undecided
        fractured = points.add_seen()
        if fractured is not None:
            return fractured
    elif rule.snapshot and any(len(loose) > 1 for loose in seen.loose.values()):
        points.start_in_order(Points(seen, replace(rule, snapshot=False, exclusive=False)))
    choices = points if rule.sees in BY_CHOICE else None
    solved = solve(points.graph, choices, points.priority, attempts, limits.memory_bytes)
    if isinstance(solved, Graph):
        edges = solved.cycle()
        if solved is not points.graph and all(edge.kind != "rw" for edge in edges) and rule.sees is Sees.AT_A_POINT:
            return as_cycle(edges, points.label, "G2: a cycle in every order of versions")
        return as_cycle(edges, points.label, None if _is_of_ww_and_wr(seen, rule) else points.anomaly)
    return points.schedule(solved)


def _is_of_ww_and_wr(seen: Versions, rule: Rule) -> bool:
    """Whether there is a cycle also if nobody has to see anything, so that it has a name of its own."""
    if rule.sees in (Sees.AT_A_POINT, Sees.NOBODY):
        return True
    plain = Points(seen, replace(rule, sees=Sees.NOBODY))
    return plain.graph.order(plain.priority) is None


def _in_real_time(seen: Versions, rule: Rule, limits: Limits) -> Schedule | None:
    """A strict serialization, if one is found at once. It satisfies the other levels as well, and real time leaves few
    orders of versions open, so that this is the quickest way for the record of a store that is strict."""
    strict = Points(seen, RULES["strict-serializable"])
    try:
        solved = solve(strict.graph, strict, strict.priority, 1, limits.memory_bytes)
    except Undecided:
        return None
    if isinstance(solved, Graph):
        return None
    schedule = strict.schedule(solved)
    points = tuple((index, kind) for index in schedule.commits for kind in ("start", "commit"))
    return Schedule(schedule.commits, points if rule.snapshot else None)


def _checked(seen: Versions, rule: Rule, schedule: Schedule) -> bool:
    sessions = replay.keeps_sessions(schedule, seen) if rule.session else True
    if rule.sees is Sees.AT_A_POINT:
        real_time = replay.keeps_real_time(schedule, seen) if rule.real_time else True
        return sessions and real_time and replay.snapshots(schedule, seen, rule.exclusive, rule.phantoms)
    return sessions and replay.commit_order(schedule, seen, rule)
