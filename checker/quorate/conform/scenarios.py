"""Scenarios: a few runs that cover a specification, and what a program makes of a run."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from quorate.conform.adapter import Adapter
from quorate.conform.edges import IGNORES, Driven, Driver, Left
from quorate.conform.graph import Edge, Graph, Instance, graph_of, way_to_pair
from quorate.conform.picture import left
from quorate.conform.subject import bounded_system
from quorate.errors import TraceError, UsageError
from quorate.explore.engine import Finding
from quorate.explore.traces.replay import replay
from quorate.explore.traces.tracing import trace
from quorate.kinds import DEADLOCK, HYPOTHETICAL, INDUCTION, KINDS, Breaks
from quorate.language.control import Cut
from quorate.language.spec import Spec
from quorate.language.system import Arguments, State, System
from quorate.trace import Json, Trace

Cover = Literal["actions", "edges", "pairs"]
LENGTH_MAX = 30
"""Steps of a run, if nobody says otherwise; the way to what has to be covered may be longer."""
STATES_MAX = 5_000
LINE_MAX = 110
"""Columns of a line of a test."""

ENDLESS = {DEADLOCK} | {
    kind.shown_as
    for kind in KINDS.values()
    if kind.acceptance is not None and kind.acceptance.breaks is not Breaks.ONCE_UNFULFILLED
}
"""Kinds of traces that are violations only if a run stops where they end, or goes round for ever."""

Item = tuple[Any, ...]
"""What has to be covered once: an action, a transition, or two actions one after the other."""


@dataclass(frozen=True)
class Scenarios:
    """Runs that cover `covered` of `total` items. `is_whole` is false if not all states were looked at. `never` are the actions that
    are possible in none of them, and so in no run."""

    runs: tuple[Trace, ...]
    covered: int
    total: int
    is_whole: bool
    never: tuple[str, ...] = ()


def _item(cover: Cover, before: Edge | None, edge: Edge) -> Item:
    action = edge.instance[0].name
    if cover == "actions":
        return (action,)
    if cover == "edges":
        return (id(edge),)
    return (before.instance[0].name if before is not None else "", action)


def _items(cover: Cover, graph: Graph) -> set[Item]:
    if cover != "pairs":
        return {_item(cover, None, edge) for edge in graph.transitions}
    first = {("", edge.instance[0].name) for _, start in graph.initial for edge in graph.edges[start]}
    return first | {
        _item(cover, edge, following) for edge in graph.transitions for following in graph.edges[edge.target]
    }


def scenarios(
    spec: type[Spec],
    cover: Cover,
    name: str,
    variant: str | None = None,
    length_max: int = LENGTH_MAX,
    states_max: int = STATES_MAX,
) -> Scenarios:
    """A small set of runs of a specification, at its bounds, in which every action happens, every transition is taken, or every two
    actions that can follow each other do. Greedy: from where a run is, to the nearest that is not covered yet; a new run begins where
    that is nearer to the beginning, or a run is long."""
    system = System(spec)
    with system:
        graph = graph_of(system, states_max)
        missing = _items(cover, graph)
        total = len(missing)
        runs = [
            trace(system, Finding("run", None, arguments, tuple(edge.instance for edge in run)), name, variant)
            for arguments, run in _walks(graph, cover, missing, length_max)
        ]
        possible = {edge.instance[0].name for edge in graph.transitions}
        never = tuple(action.name for action in system.actions if action.name not in possible)
        return Scenarios(tuple(runs), total - len(missing), total, graph.is_whole, never)


def _walks(graph: Graph, cover: Cover, missing: set[Item], length_max: int) -> Iterator[tuple[Arguments, list[Edge]]]:
    def is_missing(before: Edge | None, edge: Edge) -> bool:
        return _item(cover, before, edge) in missing

    for arguments, start in graph.initial:
        run: list[Edge] = []
        while missing:
            anew = way_to_pair(graph, start, is_missing)
            on = way_to_pair(graph, run[-1].target, is_missing, run[-1]) if run and len(run) < length_max else None
            chosen = on if on is not None and (anew is None or len(on) <= len(anew)) else anew
            if chosen is None:
                break
            if chosen is anew and run:
                yield arguments, run
                run = []
            for edge in chosen:
                missing.discard(_item(cover, run[-1] if run else None, edge))
                run.append(edge)
        if run:
            yield arguments, run


# A program, made to follow a run


def follow(adapter: Adapter, stored: Trace, spec: type[Spec], name: str) -> Driven:
    """Make a program follow a run, step by step.

    Raises TraceError if the run is none of the specification, AdapterError if the program fails."""
    system, _ = bounded_system(spec, adapter.members, dict(stored.bounds))
    with system:
        arguments, states, instances = run_of(system, stored)
        driver = Driver(system, adapter)
        taken = 0
        leaving: Left | None = None
        try:
            driver.begin(arguments, states[0])
            for instance, after in zip(instances, states[1:], strict=True):
                if driver.omitted(instance) is not None:
                    raise UsageError(
                        f"Step {taken + 1} is {instance[0].name}, which the adapter omits: {driver.omitted(instance)}."
                    )
                driver.take(instance, after)
                taken += 1
        except Left as found:
            leaving = found
        shown = None
        if leaving is not None and taken + (leaving.instance is not None):
            run = Finding("run", None, arguments, tuple(instances[: taken + (leaving.instance is not None)]))
            drawn = trace(system, run, system.name, None)
            shown = left(drawn, system, leaving.misfit, f"step {taken + 1}", "program")
        return Driven(
            name,
            system.bounds,
            len(states),
            len(instances),
            taken,
            values=dict(sorted(driver.counts.items())),
            unseen=tuple(variable for variable in system.index if variable not in driver.counts),
            misfit=driver.explained(leaving.misfit) if leaving is not None else None,
            trace=shown,
            reason=driver.doubt() if leaving is None else "",
        )


def require_violation(stored: Trace, spec: type[Spec]) -> None:
    """Raises TraceError for a run that does not violate its property, or is none: who follows it has no mistake for that."""
    if stored.kind == INDUCTION:
        raise TraceError(f"The trace begins in {HYPOTHETICAL}: a program that takes its steps has no mistake for that.")
    again = replay(stored, spec)
    if not again.reproduced:
        raise TraceError(f"The trace shows no mistake that a program could have. {again.message}")


def short_of_the_mistake(stored: Trace, adapter: Adapter, variant: type[Spec], correct: type[Spec] | None) -> str:
    """Why it says nothing of a mistake that a program follows the run which shows it; empty if it does. `correct` is the specification
    without the mistake, if there is one."""
    first = None if correct is None else _first_mistaken(stored, adapter, variant, correct)
    if first == len(stored):
        return "it follows the whole run, and so does the specification without the mistake"
    if first is None and stored.kind in ENDLESS:
        return "it follows the whole run, and whether it stops there, or goes round for ever, was not seen"
    return ""


def beside_the_mistake(
    driven: Driven, stored: Trace, adapter: Adapter, variant: type[Spec], correct: type[Spec]
) -> str:
    """Why it says nothing of a mistake that a program leaves the run which shows it; empty if it does. The program has to go with the
    run for as long as the specification without the mistake does, and to refuse what it does not do then."""
    assert driven.misfit is not None
    step = driven.covered
    first = _first_mistaken(stored, adapter, variant, correct)
    if first is not None and step < first:
        return "the specification without the mistake goes on there"
    if IGNORES in driven.misfit.reason:
        return "an action that the adapter ignores is not one that the program refuses"
    return ""


def _first_mistaken(stored: Trace, adapter: Adapter, variant: type[Spec], correct: type[Spec]) -> int | None:
    """The first step of a run, from 0, that the correct specification does not take in this way; their number if it takes all, None if
    the two cannot be compared."""
    system, _ = bounded_system(variant, adapter.members, dict(stored.bounds))
    with system:
        _, states, instances = run_of(system, stored)
        told = [_as_json(system, state) for state in states]
        steps = [
            (
                action.name,
                {one.name: one.type.to_json(value) for one, value in zip(action.parameters, arguments, strict=True)},
            )
            for action, arguments in instances
        ]
    try:
        other, _ = bounded_system(correct, adapter.members, dict(stored.bounds))
        with other:
            state: State = tuple(one.type.from_json(told[0][one.name]) for one in other.variables)
            if _as_json(other, state) != told[0]:
                return None
            for number, (name, arguments) in enumerate(steps):
                try:
                    action = other.action(name)
                    chosen = tuple(one.type.from_json(arguments[one.name]) for one in action.parameters)
                    successor = other.fire(state, action, chosen)
                except (UsageError, Cut):
                    return number
                if successor is None or _as_json(other, successor.state) != told[number + 1]:
                    return number
                state = successor.state
    except (UsageError, KeyError, ValueError):
        return None
    return len(steps)


def _as_json(system: System, state: State) -> dict[str, Json]:
    return {one.name: one.type.to_json(value) for one, value in zip(system.variables, state, strict=True)}


def run_of(system: System, stored: Trace) -> tuple[Arguments, list[State], list[Instance]]:
    """The arguments of @init, the states and the instances of a stored run. Raises TraceError if it is not possible."""
    init = system.init
    wanted = {one.name: stored.initial_arguments.get(one.name) for one in init.parameters} if init is not None else {}
    begun = None
    for arguments, state in system.initial():
        told = zip((one for one in init.parameters), arguments, strict=True) if init is not None else ()
        if all(one.type.to_json(value) == wanted[one.name] for one, value in told):
            begun = arguments, state
            break
    if begun is None:
        raise TraceError("The initial state of the trace is none of the specification.")
    states, instances = [begun[1]], []
    for step in stored.steps:
        try:
            action = system.action(step.action)
            instance = action, tuple(one.type.from_json(step.arguments[one.name]) for one in action.parameters)
            successor = system.fire(states[-1], *instance)
        except (UsageError, KeyError, ValueError, Cut) as error:
            raise TraceError(f"Step {step.index} of the trace is none of the specification: {error}.") from None
        if successor is None:
            raise TraceError(f"Step {step.index} of the trace ({step.action}) is not possible any more.")
        states.append(successor.state)
        instances.append(instance)
    return begun[0], states, instances


# As a test


class Program:
    """A program in a test that reads like a scenario: `does` makes it do something, `shows` compares what it shows.

    `spec` and `bounds` say how values are read; the adapter drives the program."""

    def __init__(self, adapter: Adapter, spec: type[Spec], **bounds: int) -> None:
        self.adapter = adapter
        self._system, _ = bounded_system(spec, adapter.members, bounds)
        with self._system:
            self._driver = Driver(self._system, adapter)

    def begins(self, **arguments: Any) -> None:
        """Begin anew."""
        self.adapter.reset(arguments)

    def does(self, action: str, **arguments: Any) -> None:
        """Do what an action says. Raises Refused if the program does not."""
        self.adapter.perform(action, arguments)

    def shows(self, **values: Any) -> None:
        """Raises AssertionError if the program shows other values, or does not show one of these."""
        with self._system:
            told = self._driver.matching.told
            seen = {(one.of, one.keys): one.value for one in told(self.adapter.observe())}
            for one in told(values):
                if (one.of, one.keys) not in seen:
                    raise AssertionError(f"the program does not show {one.name}")
                found = seen[one.of, one.keys]
                assert found == one.value, f"{one.name} is {found!r}, and not {one.value!r}"

    def close(self) -> None:
        """End the program."""
        self.adapter.close()


def pytest_file(found: Scenarios, adapter: type[Adapter], file: str, spec: type[Spec], name: str) -> str:
    """The text of a pytest file with a test for each run. `file` is the adapter's, beside it."""
    bounds = "".join(f", {key}={size}" for key, size in System(spec).bounds.items())
    head = f'''"""What the program has to do: runs of `{name}`, made by `quorate scenarios`."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from quorate.conform import Program, load_adapter
from quorate.loading import load


@pytest.fixture
def program() -> Iterator[Program]:
    adapter = load_adapter(Path(__file__).parent / {_literal(file)})
    program = Program(adapter(), load({_literal(name)}).main{bounds})
    yield program
    program.close()
'''
    instance = adapter()
    try:
        return head + "".join(_test(number, run, instance, spec) for number, run in enumerate(found.runs, 1))
    finally:
        instance.close()


def _test(number: int, run: Trace, adapter: Adapter, spec: type[Spec]) -> str:
    system, _ = bounded_system(spec, adapter.members, dict(run.bounds))
    with system:
        arguments, states, instances = run_of(system, run)
        driver = Driver(system, adapter)
        init = system.init
        given = [one.name for one in init.parameters] if init is not None else []
        values = {name: driver.values.write(value) for name, value in zip(given, arguments, strict=True)}
        driver.adapter.reset(values)
        seen = [variable.name for variable in system.variables if variable.name in driver.adapter.observe()]
        last = instances[-1][0].name if instances else "nothing"
        lines = [f"\n\ndef test_{number}_{last}(program: Program) -> None:", *_call("begins", _each(values))]
        for instance, before, after in zip(instances, states[:-1], states[1:], strict=True):
            action, said = driver.words(instance)
            lines += _call("does", [_literal(action), *_each(said)])
            changed = _changes(driver, seen, before, after)
            if changed:
                lines += _call("shows", _each(changed))
        return "\n".join(lines) + "\n"


def _changes(driver: Driver, seen: Iterable[str], before: State, after: State) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in seen:
        old, new = before[driver.system.index[name]], after[driver.system.index[name]]
        if old == new:
            continue
        if isinstance(old, dict) and isinstance(new, dict):  # A partial map has None for what is not there.
            keys = [key for key in dict.fromkeys((*old, *new)) if old.get(key) != new.get(key)]
            new = {key: new.get(key) for key in keys}
        found[name] = driver.values.write(new)
    return found


def _call(method: str, arguments: list[str]) -> list[str]:
    """The lines of a call, with an argument on each if one line is too long for them."""
    line = f"    program.{method}({', '.join(arguments)})"
    if len(line) <= LINE_MAX:
        return [line]
    return [f"    program.{method}(", *(f"        {argument}," for argument in arguments), "    )"]


def _each(values: dict[str, Any]) -> list[str]:
    return [f"{name}={_literal(value)}" for name, value in values.items()]


def _literal(value: Any) -> str:
    """A value as Python, with the quotes that formatters write."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, list):
        return f"[{', '.join(map(_literal, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{_literal(key)}: {_literal(part)}' for key, part in value.items())}}}"
    return repr(value)
