"""Traces for other tools: the states as ITF, and events with vector clocks for ShiViz, each read back by its own definition."""

from __future__ import annotations

import dataclasses
import enum
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from quorate import Bag, Channels, Network
from quorate.cli import cli
from quorate.language.networks import in_flight
from quorate.language.system import System
from quorate.loading import load
from quorate.report.causality import causes
from quorate.trace import Trace

SPEC = """
from quorate import Bag, Channels, Nat, Scalarset, Spec, action, invariant, record, require


class P(Scalarset, size=2):
    ...


class N(Nat, max=2):
    ...


@record
class Ask:
    target: P
    n: N


@record
class Tell:
    source: P
    target: P
    n: N | None


class Talk(Spec):
    asked: Bag[Ask] = Bag(capacity=2)
    told: Channels[Tell] = Channels(capacity=1)
    pair: dict[P, tuple[N, bool]]
    seen: set[N]
    done: bool

    @action
    def ask(self, p: P, n: N) -> None:
        require(len(self.asked) < 2)
        self.asked.send(Ask(p, n))

    @action
    def answer(self, p: P, q: P, m: Ask) -> None:
        require(m in self.asked and m.target == p and p != q)
        self.asked.receive(m)
        self.told.send(Tell(p, q, None if m.n == 0 else m.n))

    @action
    def note(self, p: P, m: Tell) -> None:
        require(m in self.told and m.target == p)
        self.told.receive(m)
        self.done = m.n is None
        if m.n is not None:
            self.seen.add(m.n)
            self.pair[p] = (m.n, True)

    @invariant
    def never_all(self) -> bool:
        return not (self.done and 2 in self.seen and len(self.asked) > 1)
"""

ROOT = Path(__file__).parents[2] / "counterexamples"
STORED = [
    "raft/forgets_vote",
    "raft/commits_old_terms",
    "two_phase_commit/blocking",
    "multi_master/stops_at_duplicates",
    "quorum_register/as_published",
]


def draw(trace: Path, output: Path, *arguments: str) -> str:
    found = CliRunner().invoke(cli, ["draw", str(trace), "-o", str(output), *arguments])
    assert found.exit_code == 0, (found.output, found.exception)
    return output.read_text(encoding="utf-8")


@pytest.fixture(params=[*STORED, "talk"])
def stored(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    if request.param != "talk":
        return ROOT / request.param / "trace.json"
    monkeypatch.chdir(tmp_path)
    (tmp_path / "talk.py").write_text(SPEC, encoding="utf-8")
    found = CliRunner().invoke(cli, ["check", "talk.py", "--engine", "reference", "--out", "found"])
    assert found.exit_code == 1, found.output
    return tmp_path / "found" / "trace.json"


# ITF, read as ADR 015 says


def value_of(found: Any) -> Any:
    """An expression of ITF as a value of Python that can be a member of a set."""
    match found:
        case bool() | str():
            return found
        case int():
            assert abs(found) < 2**53
            return found
        case list():
            return ("list", *map(value_of, found))
        case {"#bigint": str(digits), **rest} if not rest:
            assert re.fullmatch(r"-?[0-9]+", digits)
            return int(digits)
        case {"#tup": list(parts), **rest} if not rest:
            return ("tuple", *map(value_of, parts))
        case {"#set": list(parts), **rest} if not rest:
            members = frozenset(map(value_of, parts))
            assert len(members) == len(parts)
            return members
        case {"#map": list(pairs), **rest} if not rest:
            assert all(len(pair) == 2 for pair in pairs)
            entries = frozenset((value_of(key), value_of(part)) for key, part in pairs)
            assert len({key for key, _ in entries}) == len(pairs)
            return ("map", entries)
        case dict():
            assert not any(name.startswith("#") for name in found)
            return ("record", *((name, value_of(part)) for name, part in sorted(found.items())))
    raise AssertionError(f"no expression of ITF: {found!r}")


def meant(value: Any) -> Any:
    """A value that CPython computed, as `value_of` gives it for what ITF should say."""
    if value is None:
        return value_of({"tag": "None", "value": {"#tup": []}})
    if isinstance(value, enum.Enum):
        return value.name
    if isinstance(value, bool | int):
        return value
    if dataclasses.is_dataclass(value):
        fields = {part.name: meant(getattr(value, part.name)) for part in dataclasses.fields(value)}
        return ("record", ("tag", type(value).__name__), ("value", ("record", *sorted(fields.items()))))
    if isinstance(value, Channels):
        pairs: dict[Any, list[Any]] = {}
        for message in value:
            pairs.setdefault((message.source, message.target), []).append(meant(message))
        return {("tuple", *map(meant, pair)): ("list", *queue) for pair, queue in pairs.items()}
    if isinstance(value, Bag):
        return ("map", frozenset((meant(part), count) for part, count in in_flight(value).items()))
    if isinstance(value, dict):
        return ("map", frozenset((meant(key), meant(part)) for key, part in value.items()))
    if isinstance(value, Network | set | frozenset):
        return frozenset(map(meant, value))
    if isinstance(value, tuple) and type(value) is tuple:
        return ("tuple", *map(meant, value))
    if isinstance(value, list | tuple):
        return ("list", *map(meant, value))
    return repr(value)


def states_of(trace: Trace) -> Iterator[dict[str, Any]]:
    """The states that CPython goes through, step by step."""
    system = System(load(trace.spec).variant(trace.variant).bounded(**trace.bounds))
    with system:
        first = tuple(
            part.type.from_json(trace.initial_arguments[part.name])
            for init in system.of("init")
            for part in init.parameters
        )
        (state,) = (state for arguments, state in system.initial() if arguments == first)
        yield {variable.name: value for variable, value in zip(system.variables, state, strict=True)}
        for step in trace.steps:
            (action,) = (action for action in system.actions if action.name == step.action)
            arguments = tuple(part.type.from_json(step.arguments[part.name]) for part in action.parameters)
            successor = system.fire(state, action, arguments)
            assert successor is not None
            state = successor.state
            yield {variable.name: value for variable, value in zip(system.variables, state, strict=True)}


def test_itf_has_the_states_that_cpython_goes_through(stored: Path, tmp_path: Path) -> None:
    document = json.loads(draw(stored, tmp_path / "trace.itf.json"))
    assert set(document) <= {"#meta", "vars", "states", "loop"}
    trace = Trace.load(stored)
    found = [{name: value_of(part) for name, part in state.items() if name != "#meta"} for state in document["states"]]
    assert all(list(state) == document["vars"] for state in found)
    computed = list(states_of(trace))
    assert len(found) == len(computed) == len(trace) + 1
    for said, state in zip(found, computed, strict=True):
        for name, value in state.items():
            if isinstance(value, Channels):
                kind, entries = said[name]
                assert kind == "map"
                assert {pair: queue for pair, queue in entries if queue != ("list",)} == meant(value)
            else:
                assert said[name] == meant(value), name
    assert [state["#meta"].get("action") for state in document["states"]] == [
        None,
        *(step.action for step in trace.steps),
    ]
    if trace.loop is not None:
        before = document["loop"] - 1 if document["loop"] <= trace.loop + 1 and trace.loop < len(trace) else -1
        assert found[before] == found[-1], "the run goes on at `loop` from the state before it"


def test_itf_leaves_out_what_is_hidden(tmp_path: Path) -> None:
    stored = ROOT / "raft/forgets_vote/trace.json"
    document = json.loads(draw(stored, tmp_path / "trace.itf.json", "--hide", "network"))
    assert "network" not in document["vars"] and all("network" not in state for state in document["states"])


# ShiViz, read as it does: the first line reads events, the second divides executions, clocks are JSON


def events_of(log: str) -> list[tuple[str, dict[str, int], str]]:
    expression, delimiter, text = log.split("\n", 2)
    assert delimiter == ""
    reader = re.compile(expression.replace("(?<", "(?P<"), re.MULTILINE)
    found = [(match["host"], json.loads(match["clock"]), match["event"]) for match in reader.finditer(text)]
    assert len(found) == len(text.splitlines())
    return found


def test_the_clocks_are_ones_that_shiviz_accepts_and_messages_order_events(stored: Path, tmp_path: Path) -> None:
    trace = Trace.load(stored)
    events = events_of(draw(stored, tmp_path / "trace.shiviz"))
    assert len(events) == len(trace)
    counts: dict[str, int] = {}
    at: dict[tuple[str, int], dict[str, int]] = {}
    for host, clock, _ in events:
        counts[host] = counts.get(host, 0) + 1
        assert clock[host] == counts[host], "the events of a host are numbered 1, 2, 3"
        at[host, clock[host]] = clock
        for other, time in clock.items():
            assert 1 <= time <= counts[other], "an entry is an event that has happened"
            assert all(clock[name] >= part for name, part in at[other, time].items()), "clocks are transitive"
    sent = {message.id: number for number, step in enumerate(trace.steps) for message in step.sent}
    for number, step in enumerate(trace.steps):
        assert step.action in events[number][2]
        for message in step.received:
            if message.id in sent:
                host, clock, _ = events[sent[message.id]]
                assert events[number][1][host] >= clock[host]


def test_what_is_in_the_pictures_causal_past_is_before_the_end_in_the_clocks(stored: Path, tmp_path: Path) -> None:
    trace = Trace.load(stored)
    known = causes(trace)
    if known.past is None:
        return
    events = events_of(draw(stored, tmp_path / "trace.shiviz"))
    ends = [events[index - 1][1] for index in {*known.decisive, len(trace)}]
    for index in known.past:
        host, clock, _ = events[index - 1]
        assert any(end.get(host, 0) >= clock[host] for end in ends)


def test_events_without_influence_on_one_another_are_concurrent(tmp_path: Path) -> None:
    events = events_of(draw(ROOT / "raft_election/forgets_vote/trace.json", tmp_path / "trace.shiviz"))
    (first, early, _), (second, late, _) = events[:2]
    assert first != second and first not in late and second not in early
