"""A log is a behaviour exactly if trying everything finds one: all instances of all actions, at bounds that the run does not meet.

Logs are drawn runs of which values, arguments and events were left out, and such logs with a change.
"""

from __future__ import annotations

import copy
from pathlib import Path
from random import Random
from typing import Any

import pytest
from quorate.conform import Conforms, Differs, Map, forgetting, validate
from quorate.explore.choices import Choices
from quorate.explore.traces.witnesses import plain_json
from quorate.language.control import Cut
from quorate.language.spec import Spec
from quorate.language.system import State, System
from quorate.language.types import MapType, Type
from quorate.loading import load

from tests.conform.runs import Line, members, random_run, write

LENGTH = 8
SEEDS = 30
BOUNDS: dict[str, dict[str, int]] = {
    "two_phase_commit": {},
    "raft": {"Term": 4, "Index": 4, "Command": 2, "network": 80},
    "paxos": {"Ballot": 2},
    "primary_backup": {},
}


class Uncertain(Exception):
    """A bound was met: the oracle does not know what is beyond it."""


def is_behaviour(spec: type[Spec], lines: list[Line], silent: tuple[str, ...]) -> bool:
    """Whether a run of the specification has this log, with one silent action at most before each event."""
    system = System(spec)
    with system:
        instances = {action.name: (action, Choices(system, action)) for action in system.actions}

        def following(state: State, name: str, told: dict[str, Any]) -> set[State]:
            action, choices = instances[name]
            found = set()
            for arguments in choices(state):
                named = dict(zip((one.name for one in action.parameters), map(plain_json, arguments), strict=True))
                if not all(_says(told[one], named[one]) for one in told):
                    continue
                try:
                    successor = system.fire(state, action, arguments)
                except Cut:
                    raise Uncertain from None
                if successor is not None:
                    found.add(successor.state)
            return found

        def shows(state: State, told: dict[str, Any]) -> bool:
            kinds = {one.name: one.type for one in system.variables}
            return all(_holds(kinds[name], data, state[system.index[name]]) for name, data in told.items())

        states = {state for _, state in system.initial()}
        for line in lines:
            before = states | {after for state in states for name in silent for after in following(state, name, {})}
            after = {one for state in before for one in following(state, line["event"], line["args"])}
            states = {state for state in after if shows(state, line["vars"])}
        return bool(states)


def _says(told: Any, value: Any) -> bool:
    """Whether a value is what a log tells of it: a record may lack fields."""
    if isinstance(told, dict) and "fields" in told:
        known = isinstance(value, dict) and value.get("record") == told["record"]
        return known and all(_says(part, value["fields"][name]) for name, part in told["fields"].items())
    return bool(told == value and type(told) is type(value))


def _holds(kind: Type, data: Any, value: Any) -> bool:
    if isinstance(kind, MapType):
        return all(_holds(kind.value, part, value[kind.key.from_json(key)]) for key, part in data["map"])
    return bool(kind.to_json(value) == data)


def drawn_log(spec: type[Spec], seed: int, silent: tuple[str, ...]) -> list[Line]:
    """A run of which much is left out, perhaps with a change."""
    random = Random(seed)
    lines = copy.deepcopy([line for line in random_run(spec, seed, LENGTH) if line["event"] != "init"])
    network = {one.name for one in System(spec).variables if "Network" in str(one.type)}
    for line in lines:
        line.setdefault("vars", {})
        line["vars"] = {
            name: value for name, value in line["vars"].items() if name not in network and random.random() < 0.8
        }
        line["args"] = {name: _less(value, random) for name, value in line["args"].items() if random.random() < 0.6}
    if random.random() < 0.8:
        lines = _changed(lines, random)
    return [line for line in lines if line["event"] not in silent or random.random() < 0.5]


def _less(value: Any, random: Random) -> Any:
    if isinstance(value, dict) and "fields" in value:
        kept = {name: part for name, part in value["fields"].items() if random.random() < 0.7}
        return value | {"fields": kept}
    return value


def _changed(lines: list[Line], random: Random) -> list[Line]:
    """A line gone, two lines in another order, a number that is another one, or what another line tells."""
    position = random.randrange(len(lines) - 1)
    match random.randrange(4):
        case 0:
            return lines[:position] + lines[position + 1 :]
        case 1:
            return [*lines[:position], lines[position + 1], lines[position], *lines[position + 2 :]]
        case 2:
            told = random.choice(lines)["vars"]
            return [*lines[:position], lines[position] | {"vars": told}, *lines[position + 1 :]]
        case _:
            numbers = [place for line in lines for part in ("args", "vars") for place in _numbers(line[part])]
            if numbers:
                holder, key = random.choice(numbers)
                holder[key] = max(0, holder[key] + random.choice((-1, 1)))
            return lines


def _numbers(value: Any) -> list[tuple[Any, Any]]:
    """Where numbers are."""
    places = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    found: list[tuple[Any, Any]] = []
    for key, part in places:
        found += [(value, key)] if type(part) is int else _numbers(part)
    return found


@pytest.mark.slow
@pytest.mark.library
@pytest.mark.parametrize(
    ("name", "silent"),
    [
        ("two_phase_commit", ("prepare",)),
        ("raft", ()),
        ("raft", ("handle_request",)),
        ("paxos", ()),
        ("primary_backup", ()),
    ],
)
def test_a_log_is_a_behaviour_exactly_if_trying_everything_finds_one(
    name: str, silent: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forgetting, "KEPT_MIN", 0)  # Whatever can be forgotten is.
    spec = load(name).main.bounded(**BOUNDS[name])
    mapping = Map(members=members(spec), silent=silent)
    found = {Conforms: 0, Differs: 0}
    for seed in range(SEEDS):
        lines = drawn_log(spec, seed, silent)
        if not any(line["vars"] for line in lines):
            continue
        try:
            expected = is_behaviour(spec, lines, silent)
        except Uncertain:
            continue
        verdict = validate([write(tmp_path / "log.jsonl", lines)], spec, mapping, name)
        assert isinstance(verdict, Conforms if expected else Differs), (seed, lines, verdict)
        found[type(verdict)] += 1
    assert min(found.values()) >= 1, found
