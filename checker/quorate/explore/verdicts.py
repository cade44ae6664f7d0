"""Every property's own verdict, gathered while a check goes on. What nobody has judged stays `not-judged`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from quorate.explore.engine import Covered, Lasting
from quorate.kinds import CLAIMS, DEADLOCK, ENDS, GOALS, LIVENESS, kind_of
from quorate.language.places import full_name, function_location
from quorate.language.system import Method, System
from quorate.outcome import Declared, Judgement, Status
from quorate.trace import Trace

NOT_YET = "not judged"
"""The reason of what nobody has judged so far."""


def methods_of(system: System, *kinds: str) -> tuple[Declared, ...]:
    """The methods of these kinds, as outcomes name them: what ends runs by the verdict on it, "deadlock"."""
    return tuple(_declared(method) for kind in kinds for method in system.of(kind))


def _declared(method: Method) -> Declared:
    function, kind = method.function, method.declaration.kind
    name = DEADLOCK if kind in ENDS else method.name
    return Declared(full_name(function), name, kind, method.sentence, function_location(function))


@dataclass
class Verdicts:
    """The judgements of one check, in the order in which properties are judged."""

    def __init__(self, system: System) -> None:
        self._system = system
        self._cuts: Mapping[str, int] = {}
        self._known: dict[str, Judgement] = {}
        for method in system.of(*CLAIMS):
            self._begin(method.name, method.declaration.kind, method)
        for method in system.of(*ENDS):
            self._begin(DEADLOCK, DEADLOCK, method)

    def _begin(self, name: str, kind: str, method: Method) -> None:
        self._known[name] = Judgement(name, kind, "not-judged", NOT_YET, function_location(method.function))

    def judgements(self) -> tuple[Judgement, ...]:
        """What is known so far."""
        return tuple(self._known.values())

    def _set(self, name: str, status: Status, reason: str = "", trace: Trace | None = None) -> None:
        self._known[name] = replace(self._known[name], status=status, reason=reason, trace=trace)

    def _holding(self) -> Status:
        return "holds-within-bounds" if self._cuts else "holds"

    def violated(self, name: str, trace: Trace | None) -> None:
        """A property is violated, and how."""
        if name in self._known:
            self._set(name, "violated", trace=trace)

    def judge_goals(self, covered: Covered) -> None:
        """What a search says of the goals; it may have ended early."""
        self._cuts = {name: count for name, count in covered.cuts.items() if count}
        is_whole = covered.finding is None and covered.stopped is None
        for method in self._system.of(*GOALS):
            if method.name in covered.reached:
                self._set(method.name, "holds")
            elif is_whole and self._cuts:
                cuts = ", ".join(f"{name} {count:,}" for name, count in self._cuts.items())
                reason = f"not reached within the bounds, where transitions were cut ({cuts}): it may be reachable beyond them"
                self._set(method.name, "not-reached", reason)
            elif is_whole:
                self._set(method.name, "violated", "no reachable state satisfies it")

    def judge_safety(self) -> None:
        """Everything was explored, and no violation was found on the way."""
        for name, one in self._known.items():
            if one.kind == DEADLOCK or kind_of(one.kind).is_safety:
                self._set(name, self._holding())

    def judge_liveness(self, lasting: Lasting, runs: Mapping[str, Trace]) -> None:
        """What the full graph says of liveness, with `runs` that have to leave the bounds. Engines end at the first violation; those
        before it hold."""
        if lasting.stopped is not None:
            self.leave_open(lasting.stopped)
            return
        broken = None if lasting.finding is None else lasting.finding.method
        for method in self._system.of(*LIVENESS):
            if broken is not None and method.name == broken.name:
                return
            if method.name in lasting.unjudged:
                self._set(method.name, "not-judged", lasting.unjudged[method.name], runs.get(method.name))
            else:
                self._set(method.name, self._holding())

    def leave_open(self, reason: str) -> None:
        """Why what is not judged so far will not be."""
        for name, one in self._known.items():
            if one.status == "not-judged" and one.reason == NOT_YET:
                self._set(name, "not-judged", f"not judged: {reason}")
