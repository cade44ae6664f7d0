"""What footprints promise, held against runs.

    python -m tests.footprints.checks --count 4000 --seed 100000

does on drawn specs what the tests do on fewer: it prints every spec of which a footprint is too small, and a tally, and exits 1 if
there was one. Three things are asked:

- *recorded*: every read and write that CPython makes of a state is inside the footprint, by variable, key and member;
- *commuting*: transitions of independent groups give the same in both orders, and neither enables, disables, cuts or breaks the other;
- *unchanged*: an invariant that a transition need not be followed by keeps its value, or its error.
"""

from __future__ import annotations

import argparse
import itertools
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from multiprocessing import get_context
from typing import Any

from quorate.errors import SpecError
from quorate.explore.native.render.groups import Apart, Groups
from quorate.language.control import Cut
from quorate.language.system import Failure, State, System
from quorate.language.types import MapType, NetworkType, RecordType, SetType, Type
from quorate.language.types.base import mixed_encode
from quorate.model.abstract import Exactly, equal
from quorate.model.accesses import Access, Footprint, Way
from quorate.model.build import build
from quorate.model.footprints import footprint
from quorate.model.interpret import Interpreter
from quorate.model.nodes import Action, Model, Property

from tests.footprints.recording import ONE_BY_ONE, WHOLE, Noted, recorded_action, recorded_property
from tests.generated import load, write

STATES = 80
BATCH = 50
CONSTRAINED_EVERY = 4
WIDER_EVERY = 5
"""One drawn spec of so many has constraints."""
JUDGED = ("invariant", "lemma", "reachable", "terminal")


@dataclass(frozen=True)
class Transition:
    """An action to try."""

    group: int
    action: Action
    arguments: tuple[Any, ...]


class Explored:
    """The first states of a model, breadth first, with the transitions that each allows, by group."""

    def __init__(self, system: System, states: int = STATES) -> None:
        self.system = system
        self.model: Model = build(system)
        self.groups = Groups(self.model, symmetric=False)
        self.interpreter = Interpreter(self.model)
        self._tried: dict[tuple[State, Transition], Any] = {}
        self._exact: dict[tuple[str, tuple[Any, ...]], Footprint] = {}
        self.states = self._first_states(states)

    def _first_states(self, count: int) -> list[State]:
        found = dict.fromkeys(state for _, state in self.system.initial())
        for state in (queue := list(found)):
            for transition in self.transitions(state):
                following = self.fire(state, transition)
                if isinstance(following, tuple) and following not in found and len(found) < count:
                    found[following] = None
                    queue.append(following)
        return list(found)[:count]

    def transitions(self, state: State) -> list[Transition]:
        """All that an action may try in a state; no more where a choice is an error in the spec."""
        found = []
        for number, action in enumerate(self.model.actions):
            try:
                choices = list(self.interpreter.choices(state, action))
            except (SpecError, Cut):
                continue
            found += [Transition(self.group(number, action, chosen), action, chosen) for chosen in choices]
        return found

    def group(self, number: int, action: Action, arguments: tuple[Any, ...]) -> int:
        """The group of an action with these arguments."""
        place = 0
        values = dict(zip((name for name, _ in action.parameters), arguments, strict=True))
        for split in self.groups.splits[number]:
            value = values[split.parameter] if split.field is None else getattr(values[split.parameter], split.field)
            place = place * split.kind.cardinality + split.kind.encode(value)
        return self.groups.first[number] + place

    def fire(self, state: State, transition: Transition) -> Any:
        """The next state; None if disabled; a word for a bound that is passed, and for an error."""
        key = (state, transition)
        if key not in self._tried:
            try:
                self._tried[key] = self.interpreter.fire(state, transition.action, transition.arguments)
            except Cut as cut:
                self._tried[key] = f"cut by {cut.bound}"
            except SpecError:
                self._tried[key] = "error"
        return self._tried[key]

    def value(self, prop: Any, state: State, arguments: tuple[Any, ...]) -> Any:
        """The value of a property, or that it is an error."""
        try:
            return self.interpreter.evaluate(prop, state, arguments)
        except (SpecError, Cut):
            return "error"

    def room(self, state: State) -> bool:
        """Whether no capacity is near."""
        held = dict(zip((variable.name for variable in self.model.variables), state, strict=True))
        kinds: dict[str, Any] = {variable.name: variable.type for variable in self.model.variables}
        return all(len(held[name]) + needed <= kinds[name].capacity for name, needed in self.groups.room.items())

    def exact(self, name: str, parameters: Any, body: Any, arguments: tuple[Any, ...]) -> Footprint:
        """The footprint of a body whose arguments are all known: the smallest there is."""
        key = (name, arguments)
        if key not in self._exact:
            known = {one: Exactly(value) for (one, _), value in zip(parameters, arguments, strict=True)}
            self._exact[key] = footprint(self.model, body, known)
        return self._exact[key]


# Recorded


def covers(access: Access, noted: Noted) -> bool:
    """Whether a footprint's access allows for something that was really done."""
    ways = {Way.READ: (Way.READ, Way.WRITE), Way.ADD: (Way.ADD, Way.WRITE), Way.WRITE: (Way.WRITE,)}
    if access.variable != noted.variable or access.way not in ways[noted.way] or len(access.keys) > len(noted.keys):
        return False
    if not all(equal(Exactly(key), known).possible for key, known in zip(noted.keys, access.keys, strict=False)):
        return False
    if access.element is None or len(access.keys) < len(noted.keys) or noted.member is ONE_BY_ONE:
        return True
    return noted.member is not WHOLE and equal(Exactly(noted.member), access.element).possible


def element_type(model: Model, noted: Noted) -> Type | None:
    """The type of the members of what was accessed, if it is a set or a network."""
    kind: Type | None = next(variable.type for variable in model.variables if variable.name == noted.variable)
    for _ in noted.keys:
        kind = kind.value if isinstance(kind, MapType) else None
    return kind.element if isinstance(kind, SetType) else kind.message if isinstance(kind, NetworkType) else None


def parts(model: Model, noted: Noted) -> Iterator[Noted]:
    """What a read of several members reads one by one; nothing if it asks for a value that cannot be a member.

    A set that is read at one stroke is read for every value of its type, since the absent ones are read too."""
    kind = element_type(model, noted)
    if kind is None or noted.way is not Way.READ or noted.member is ONE_BY_ONE:
        yield noted
    elif noted.member is WHOLE:
        yield from (replace(noted, member=value) for value in kind.values())
    elif kind.accepts(noted.member):
        yield noted


def _outside(model: Model, allowed: Footprint, done: Sequence[Noted]) -> list[Noted]:
    """What no access allows for, nor several of them together."""

    def inside(noted: Noted) -> bool:
        return any(covers(access, noted) for access in allowed)

    return [noted for noted in done if not inside(noted) and not all(map(inside, parts(model, noted)))]


def _changes(names: Sequence[str], before: State, after: State) -> Iterator[Noted]:
    """The places where two states differ."""
    for name, old, new in zip(names, before, after, strict=True):
        yield from _differences((name, ()), old, new)


def _differences(place: tuple[str, tuple[Any, ...]], old: Any, new: Any) -> Iterator[Noted]:
    if isinstance(old, dict):
        for key in {**old, **new}:
            yield from _differences((place[0], (*place[1], key)), old.get(key), new.get(key))
    elif old != new:
        members = isinstance(old, frozenset) or hasattr(old, "messages")
        one, other = (getattr(old, "messages", old), getattr(new, "messages", new)) if members else ((), ())
        yield from (Noted(Way.ADD, *place, member) for member in set(other) - set(one))
        yield from (Noted(Way.WRITE, *place, member) for member in set(one) - set(other))
        if not members:
            yield Noted(Way.WRITE, *place)


def check_recorded(explored: Explored) -> Counter[str]:
    """Every access of CPython is inside the footprints: that of the group, and that of the arguments."""
    system, groups, tally = explored.system, explored.groups, Counter[str]()
    names = [variable.name for variable in explored.model.variables]
    for state in explored.states:
        for step in explored.transitions(state):
            action = step.action
            done, ended, after = recorded_action(system, state, action.method, step.arguments)
            expected = explored.fire(state, step)
            assert ended or after == expected, f"recording changes what {action.name} does"
            done += _changes(names, state, after)
            exact = explored.exact(action.name, action.parameters, action.body, step.arguments)
            for allowed in (groups.footprints[step.group], exact):
                outside = _outside(explored.model, allowed, done)
                assert not outside, (action.name, step.arguments, outside)
            tally["runs"] += 1
            tally["accesses"] += len(done)
        for prop in explored.model.of(*JUDGED):
            for arguments in itertools.product(*(kind.values() for _, kind in prop.parameters)):
                done = recorded_property(system, state, prop.method, arguments)
                exact = explored.exact(prop.name, prop.parameters, prop.body, arguments)
                outside = _outside(explored.model, exact, done)
                assert not outside, (prop.name, arguments, outside)
                tally["runs"] += 1
                tally["accesses"] += len(done)
    return tally


# Commuting, unchanged


def check_commuting(explored: Explored) -> int:
    """How many pairs of independent transitions there were, all of which commute and end alike in either order."""
    pairs = 0
    independent = explored.groups.independent
    for state in filter(explored.room, explored.states):
        tried = {step: explored.fire(state, step) for step in explored.transitions(state)}
        for a, after_a in tried.items():
            if not isinstance(after_a, tuple):
                continue
            for b in {**tried, **dict.fromkeys(explored.transitions(after_a))}:
                if b == a or not independent[a.group] >> b.group & 1:
                    continue
                pairs += 1
                alone, after = explored.fire(state, b), explored.fire(after_a, b)
                if not isinstance(alone, tuple):
                    assert after == alone, (a, b, state, alone, after)
                else:
                    assert after == explored.fire(alone, a), (a, b, state)
    return pairs


def instance_of(prop: Property, arguments: Sequence[Any], apart: Apart) -> int:
    """The number of the instance that has these arguments."""
    parts = list(arguments[: apart.whole])
    if apart.fields:
        kind = prop.parameters[apart.whole][1]
        assert isinstance(kind, RecordType)
        parts += [getattr(arguments[apart.whole], field) for field in kind.names[: apart.fields]]
    return mixed_encode(apart.kinds(prop.parameters), parts)


def check_unchanged(explored: Explored) -> int:
    """How many times an invariant need not be evaluated; each time it has the value that it had before."""
    spared = 0
    properties = explored.model.of("invariant", "lemma")
    to_check = [explored.groups.to_check(prop) for prop in properties]
    for state in explored.states:
        for step in explored.transitions(state):
            following = explored.fire(state, step)
            if not isinstance(following, tuple):
                continue
            for prop, (wanted, apart) in zip(properties, to_check, strict=True):
                for arguments in itertools.product(*(kind.values() for _, kind in prop.parameters)):
                    if not wanted[step.group] >> instance_of(prop, arguments, apart) & 1:
                        before, after = (explored.value(prop, where, arguments) for where in (state, following))
                        assert before == after, (prop.name, step, state)
                        spared += 1
    return spared


def check_all(system: System, states: int = STATES) -> Counter[str]:
    """All three; how much was looked at."""
    with system:
        explored = Explored(system, states)
        tally = check_recorded(explored)
        tally["specs"] += 1
        tally["pairs in both orders"] += check_commuting(explored)
        tally["evaluations spared"] += check_unchanged(explored)
        return tally


def check_drawn(seed: int, states: int = STATES) -> Counter[str]:
    """All three on a drawn spec; nothing if its initial states are an error."""
    try:
        wider = seed % WIDER_EVERY == 0
        system = System(load(write(seed, constraints=seed % CONSTRAINED_EVERY == 0, wider=wider)))
        with system:
            list(system.initial())
    except Failure:
        return Counter({"without an initial state": 1})
    return check_all(system, states)


def _checked(seeds: range) -> tuple[Counter[str], str]:
    tally: Counter[str] = Counter()
    said = ""
    for seed in seeds:
        try:
            tally += check_drawn(seed, 30)
        except Exception as problem:
            tally["TOO SMALL"] += 1
            said += f"seed {seed}: {type(problem).__name__}: {str(problem)[:600]}\n"
    return tally, said


def main() -> int:
    """Check `--count` drawn specs; 1 if a footprint is too small."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--count", type=int, default=2_000)
    options.add_argument("--seed", type=int, default=0, help="the seed of the first spec")
    options.add_argument("--processes", type=int, default=2)
    chosen = options.parse_args()
    end = chosen.seed + chosen.count
    batches = [range(begin, min(begin + BATCH, end)) for begin in range(chosen.seed, end, BATCH)]
    total: Counter[str] = Counter()
    with get_context("spawn").Pool(chosen.processes, maxtasksperchild=8) as pool:
        for done, (tally, said) in enumerate(pool.imap(_checked, batches), start=1):
            total += tally
            print(f"{said}{done} of {len(batches)} batches", flush=True)
    print(", ".join(f"{count:,} {name}" for name, count in total.items()))
    return int(total["TOO SMALL"] > 0)


if __name__ == "__main__":
    sys.exit(main())
