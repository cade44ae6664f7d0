"""Edge replay: every transition of a specification at small bounds is driven through a program.

The walk goes through the whole state graph: from where it is, over the nearest transitions that were not taken yet, and
anew from the beginning when there are none. Wherever it comes, what the program shows must be the state, projected to what
can be observed. It is held both ways: what the specification allows, the program must do, or the adapter says why it need
not (`omitted`, counted); what the specification does not allow in a state, the program must refuse, or leave everything as it
is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from quorate.conform.adapter import Adapter, AdapterError, Refused
from quorate.conform.graph import Edge, Graph, Instance, graph_of, way
from quorate.conform.guards import explain_guard
from quorate.conform.mapping import Map
from quorate.conform.matching import Matching
from quorate.conform.picture import left
from quorate.conform.subject import bounded_system, bounded_values
from quorate.conform.told import Difference, Misfit, Told
from quorate.conform.values import Unreadable
from quorate.errors import QuorateError, UsageError
from quorate.explore.engine import Finding
from quorate.explore.limits import Watch
from quorate.explore.traces.tracing import trace
from quorate.explore.traces.witnesses import plain_json
from quorate.language.spec import Spec
from quorate.language.system import Arguments, State, System
from quorate.outcome import Exit
from quorate.trace import Trace

STATES_MAX = 5_000
"""States of the graph, if nobody says otherwise."""


UNKNOWN = "no_such_action"
"""What is asked of an adapter that may ignore what it does not know."""
IGNORES = "the adapter does not refuse what is no action"
IGNORED = "nothing that it shows changes: the program, or its adapter, ignores this"


@dataclass(frozen=True)
class Driven:
    """What was found of a program that was driven through a specification: `covered` of `total` transitions, `omitted` by reason,
    so many `refused` that must not be. `values` counts comparisons by variable. With a `misfit` the program leaves the
    specification; with a `reason` it is not decided."""

    word: ClassVar[dict[Exit, str]] = {Exit.SUCCESS: "conforms", Exit.VIOLATED: "differs", Exit.OPEN: "not-decided"}

    spec: str
    bounds: dict[str, int]
    states: int = 0
    total: int = 0
    covered: int = 0
    omitted: dict[str, int] = field(default_factory=dict)
    refused: int = 0
    values: dict[str, int] = field(default_factory=dict)
    unseen: tuple[str, ...] = ()
    misfit: Misfit | None = None
    trace: Trace | None = None
    reason: str = ""
    seconds: float = 0.0

    @property
    def exit_code(self) -> Exit:
        """0 if all transitions but the omitted ones were covered and agreed, 1 if the program differs, 3 otherwise."""
        if self.misfit is not None:
            return Exit.VIOLATED
        return Exit.OPEN if self.reason else Exit.SUCCESS


class Left(Exception):
    """The program leaves the specification: after these instances, with this one, which does not fit."""

    def __init__(self, misfit: Misfit, instance: Instance | None) -> None:
        self.misfit, self.instance = misfit, instance
        super().__init__(misfit.reason)


@contextmanager
def _failures(what: str) -> Iterator[None]:
    """An exception in an adapter says nothing of the program. Raises AdapterError."""
    try:
        yield
    except (Refused, QuorateError):
        raise
    except Exception as error:
        raise AdapterError(f"The adapter's {what} raises {type(error).__name__}: {error}.") from error


class Driver:
    """A program in the hands of its adapter, beside the specification. Use it inside the configuration."""

    def __init__(self, system: System, adapter: Adapter) -> None:
        self.system, self.adapter = system, adapter
        self.values = bounded_values(system, adapter.members)
        self.matching = Matching(system, Map(members=dict(adapter.members), views=tuple(adapter.views)), self.values)
        self.counts: Counter[str] = Counter()
        self.taken: Counter[str] = Counter()
        """How often each action was done."""
        self.moving: set[str] = set()
        """The actions of which a step changed something that the adapter shows."""
        self.is_constant = True
        """Whether the adapter has shown the same whatever it was told."""
        self._state: State = ()
        self._shown: tuple[Told, ...] = ()
        self._text: str | None = None
        """What the adapter has shown, as text: most of what is asked of a program it refuses, and shows the same."""

    def begin(self, arguments: Arguments, state: State) -> None:
        """Reset the program. Raises Left if it does not begin in this initial state."""
        init = self.system.init
        names = [one.name for one in init.parameters] if init is not None else []
        told = {name: self.values.write(value) for name, value in zip(names, arguments, strict=True)}
        with _failures("reset"):
            self.adapter.reset(told)
        self._compare(state, None, "it does not begin as the specification does")
        self._state = state

    def words(self, instance: Instance) -> tuple[str, dict[str, Any]]:
        """An instance in the words of the program."""
        action, arguments = instance
        told = zip((one.name for one in action.parameters), map(self.values.write, arguments), strict=True)
        return action.name, dict(told)

    def omitted(self, instance: Instance) -> str | None:
        """Why the program need not be able to do this."""
        return self.adapter.omitted(*self.words(instance))

    def _perform(self, instance: Instance) -> None:
        action, told = self.words(instance)
        with _failures(f"perform({action!r}, {told})"):
            self.adapter.perform(action, told)

    def take(self, instance: Instance, after: State) -> None:
        """Do what an instance says. Raises Left if the program refuses, or is not in the state after it."""
        try:
            self._perform(instance)
        except Refused as refusal:
            reason = f"the program refuses what the specification allows: {refusal}"
            raise Left(Misfit(instance[0].name, self._named(instance), reason, instance=instance), instance) from None
        shown = self._shown
        self.taken[instance[0].name] += 1
        try:
            self._compare(after, instance, "its effect is another one")
        except Left as left:
            if self._shown == shown:
                raise Left(replace(left.misfit, reason=IGNORED), instance) from None
            raise
        finally:
            self.is_constant &= self._shown == shown
        if self.matching.differences(self._shown, self._state):
            self.moving.add(instance[0].name)
        self._state = after

    def refuse(self, instance: Instance, state: State) -> None:
        """Ask for what is not possible in a state. Raises Left if the program does not stay in it."""
        with suppress(Refused):
            self._perform(instance)
        differences = self._differences(state)
        if differences:
            guard, _, location = explain_guard(self.system, state, *instance)
            reason = f"the program does what the specification does not allow: {guard}"
            misfit = Misfit(
                instance[0].name, self._named(instance), reason, tuple(differences), True, instance, location
            )
            raise Left(misfit, None)

    def _compare(self, state: State, instance: Instance | None, reason: str) -> None:
        differences = self._differences(state)
        if differences:
            named = {} if instance is None else self._named(instance)
            name = None if instance is None else instance[0].name
            raise Left(Misfit(name, named, reason, tuple(differences), True, instance), instance)

    def _differences(self, state: State) -> list[Difference]:
        with _failures("observe"):
            shown = self.adapter.observe()
        if (text := repr(shown)) != self._text:
            try:
                self._shown = self.matching.told(shown)
            except (Unreadable, UsageError) as error:
                raise AdapterError(f"What the program shows cannot be read: {error}") from None
            self._text = text
        for one in self._shown:
            self.counts[one.name.partition("[")[0]] += 1
        return self.matching.differences(self._shown, state)

    def doubt(self) -> str:
        """Why it means nothing that the program has done all that it was told; empty if it means something. What is no command is
        asked of the program, too, so that it has to begin anew."""
        if not self.counts:
            return "the adapter shows no variable: nothing was compared"
        if not self.taken:
            return ""
        if not self.moving:
            return (
                f"nothing that the adapter shows changes in {self.taken.total():,} steps: a program that ignores its commands "
                "does as well"
            )
        unseen = sorted(self.taken.keys() - self.moving)
        if unseen and self.ignores_what_it_does_not_know():
            return (
                f"{', '.join(unseen)} {'change' if len(unseen) > 1 else 'changes'} nothing that the adapter shows, and the "
                f"adapter does not refuse what is no action ({UNKNOWN}): it may ignore {'them' if len(unseen) > 1 else 'it'}"
            )
        return ""

    def ignores_what_it_does_not_know(self) -> bool:
        """Whether an action that the specification does not have is taken without a word."""
        try:
            self.adapter.perform(UNKNOWN, {})
        except Exception:  # However it says so.
            return False
        return True

    def explained(self, misfit: Misfit) -> Misfit:
        """A misfit with what is known of the adapter, which is asked for something that is no action."""
        if misfit.reason != IGNORED:
            return misfit
        more = []
        if self.is_constant:
            steps = self.taken.total()
            more.append(f"it has shown the same whatever it was told ({steps:,} step{'s' if steps > 1 else ''})")
        if self.ignores_what_it_does_not_know():
            more.append(f"{IGNORES} ({UNKNOWN}), so that it may not know this one")
        return replace(misfit, reason="; ".join([IGNORED, *more]))

    @staticmethod
    def _named(instance: Instance) -> dict[str, Any]:
        action, arguments = instance
        return {one.name: plain_json(value) for one, value in zip(action.parameters, arguments, strict=True)}


class _Walk:
    """The walk through the graph."""

    def __init__(self, driver: Driver, graph: Graph, watch: Watch) -> None:
        self.driver, self.graph, self.watch = driver, graph, watch
        self.left = {id(edge): edge for edge in graph.transitions}
        self.omitted: Counter[str] = Counter()
        self.refused = 0
        self.looked: set[int] = set()
        self.taken: list[Instance] = []
        self.start: tuple[Arguments, int] = graph.initial[0]
        self.stopped: str | None = None
        self._omit()

    def _omit(self) -> None:
        """Take out what the program need not do. Walks do not go there."""
        for leaving in self.graph.edges:
            for edge in list(leaving):
                reason = self.driver.omitted(edge.instance)
                if reason is not None:
                    self.omitted[reason] += 1
                    leaving.remove(edge)
                    del self.left[id(edge)]

    def run(self) -> None:
        """Take every edge that can be reached. Raises Left."""
        for start in self.graph.initial:
            self.start, at = start, self._begin(start)
            while self.left and self.stopped is None:
                found = way(self.graph, at, self._is_left)
                if found is None and self.taken:
                    at = self._begin(start)
                    found = way(self.graph, at, self._is_left)
                if found is None:
                    break
                for edge in found:
                    at = self._take(edge)

    def _is_left(self, edge: Edge) -> bool:
        return id(edge) in self.left

    def _begin(self, start: tuple[Arguments, int]) -> int:
        self.taken = []
        arguments, number = start
        self.driver.begin(arguments, self.graph.states[number])
        self._look_around(number)
        return number

    def _take(self, edge: Edge) -> int:
        self.driver.take(edge.instance, self.graph.states[edge.target])
        self.taken.append(edge.instance)
        self.left.pop(id(edge), None)
        self._look_around(edge.target)
        done = sum(self.driver.counts.values())
        self.stopped = self.watch.look(len(self.looked), done, 0, len(self.left))
        return edge.target

    def _look_around(self, number: int) -> None:
        """The first time in a state: ask for all that is not possible there."""
        if number in self.looked:
            return
        self.looked.add(number)
        for instance in self.graph.impossible[number]:
            if self.driver.omitted(instance) is None:
                self.driver.refuse(instance, self.graph.states[number])
                self.refused += 1


def drive(
    adapter: Adapter,
    spec: type[Spec],
    name: str,
    bounds: dict[str, int],
    states_max: int = STATES_MAX,
    watch: Watch | None = None,
) -> Driven:
    """Drive a program through all transitions of a specification at small bounds.

    Raises UsageError if the adapter does not fit the specification, AdapterError if it or the program fails."""
    watch = watch or Watch()
    system, _ = bounded_system(spec, adapter.members, bounds)
    with system:
        driver = Driver(system, adapter)
        graph = graph_of(system, states_max)
        total = sum(1 for _ in graph.transitions)
        walk = _Walk(driver, graph, watch)
        found: Left | None = None
        shown: Trace | None = None
        try:
            walk.run()
        except Left as leaving:
            found = leaving
            shown = _picture(driver, graph, walk, leaving)
        seen = driver.counts
        facts: dict[str, Any] = {
            "states": len(graph.states),
            "total": total,
            "covered": total - len(walk.left) - walk.omitted.total(),
            "omitted": dict(sorted(walk.omitted.items())),
            "refused": walk.refused,
            "values": dict(sorted(seen.items())),
            "unseen": tuple(variable for variable in system.index if variable not in seen),
            "seconds": watch.seconds,
        }
        if found is not None:
            return Driven(name, system.bounds, **facts, misfit=driver.explained(found.misfit), trace=shown)
        return Driven(name, system.bounds, **facts, reason=_undecided(walk, graph, total))


def _undecided(walk: _Walk, graph: Graph, total: int) -> str:
    """Why it is not known whether the program conforms; empty if it is."""
    if walk.stopped is not None:
        return walk.stopped
    if total == walk.omitted.total():
        return "every transition is omitted: nothing was asked of the program"
    if not graph.is_whole:
        return f"only the first {len(graph.states):,} states were driven through: lower a bound, or raise --max-states"
    if walk.left:
        return f"{len(walk.left):,} transitions are behind omitted ones, and were not reached"
    return walk.driver.doubt()


def _picture(driver: Driver, graph: Graph, walk: _Walk, leaving: Left) -> Trace | None:
    """The shortest run that shows it: from the beginning straight to where the program left, if it does so there, too."""
    arguments, start = walk.start
    taken = list(walk.taken)
    straight = _straight(driver.system, graph, start, taken)
    if len(straight) < len(taken) and _shows(driver, graph, walk, straight, leaving):
        taken = straight
    if leaving.instance is not None:
        taken.append(leaving.instance)
    if not taken:
        return None
    drawn = trace(driver.system, Finding("run", None, arguments, tuple(taken)), driver.system.name, None)
    what = "the beginning"
    if leaving.misfit.instance is not None:
        action, said = driver.words(leaving.misfit.instance)
        what = f"{action}({', '.join(f'{name} {value}' for name, value in said.items())})"
    return left(drawn, driver.system, leaving.misfit, what, "program")


def _straight(system: System, graph: Graph, start: int, taken: Sequence[Instance]) -> list[Instance]:
    """The shortest way to where a walk has led."""
    state = graph.states[start]
    for instance in taken:
        successor = system.fire(state, *instance)
        assert successor is not None
        state = successor.state
    goal = graph.states.index(state)
    if goal == start:
        return []
    found = way(graph, start, lambda edge: edge.target == goal)
    return [edge.instance for edge in found or ()]


def _shows(driver: Driver, graph: Graph, walk: _Walk, run: Iterable[Instance], leaving: Left) -> bool:
    """Whether the program leaves the specification in the same way after this run."""
    arguments, number = walk.start
    state = graph.states[number]
    instance = leaving.misfit.instance
    if instance is None:
        return False
    try:
        driver.begin(arguments, state)
        for step in run:
            successor = driver.system.fire(state, *step)
            assert successor is not None
            state = successor.state
            driver.take(step, state)
        if leaving.instance is None:
            driver.refuse(instance, state)
        else:
            successor = driver.system.fire(state, *instance)
            assert successor is not None
            driver.take(instance, successor.state)
    except Left as again:
        return again.misfit.instance == instance
    except QuorateError:
        return False
    return False
