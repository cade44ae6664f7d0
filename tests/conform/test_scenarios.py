"""Scenarios of a specification with partial maps, with keys that are no texts, and with an action that is never possible."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from quorate.cli import cli
from quorate.conform import Map
from quorate.conform.subject import wide_system
from quorate.errors import TraceError
from quorate.explore import Naming, check, only
from quorate.loading import load
from quorate.outcome import Violated

SPEC = '''
from typing import Annotated

from quorate import Nat, Scalarset, Spec, action, invariant, partial, require


class K(Scalarset, size=2):
    """A key."""


class V(Nat, max=1):
    """A value."""


class Held(Spec):
    """What is held comes and goes."""

    held: Annotated[dict[K, V], partial]
    pairs: dict[tuple[V, bool], V]

    @action
    def put(self, k: K, v: V) -> None:
        require(k not in self.held)
        self.held[k] = v
        self.pairs[v, True] = 1

    @action
    def drop(self, k: K) -> None:
        require(k in self.held)
        self.held.pop(k)

    @action
    def overflow(self) -> None:
        require(len(self.held) > 2)

    @invariant
    def fine(self) -> bool:
        return True
'''
ADAPTER = '''
from quorate.conform import Adapter
from quorate.conform.adapter import Refused


class Program(Adapter):
    """A dictionary, and what was ever put."""

    def reset(self, arguments):
        self.held, self.put = {}, set()

    def perform(self, action, arguments):
        k = arguments.get("k")
        if action == "put" and k not in self.held:
            self.held[k] = arguments["v"]
            self.put.add(arguments["v"])
        elif action == "drop" and k in self.held:
            DROP
        else:
            raise Refused(action)

    def observe(self):
        pairs = [[[v, True], 1] for v in sorted(self.put)]
        return {"held": {k: self.held.get(k) for k in ("k1", "k2")}, "pairs": {"map": pairs}}
'''


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "held.py").write_text(SPEC, encoding="utf-8")
    return tmp_path


def quorate(line: str) -> Result:
    return CliRunner().invoke(cli, line.split())


@pytest.mark.parametrize(("drop", "code"), [("del self.held[k]", 0), ("pass", 1)])
def test_what_a_partial_map_loses_is_shown(drop: str, code: int, folder: Path) -> None:
    (folder / "adapter.py").write_text(ADAPTER.replace("DROP", drop), encoding="utf-8")
    done = quorate("scenarios held.py --cover pairs --pytest spec_held.py --adapter adapter.py")
    assert done.exit_code == 0, done.output
    written = (folder / "spec_held.py").read_text(encoding="utf-8")
    assert 'program.shows(held={"k1": None})' in written and 'pairs={"map": [[[0, True], 1]]}' in written
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:quorate", "-p", "no:cacheprovider", "spec_held.py"]
    assert subprocess.run(command, cwd=folder, capture_output=True).returncode == code
    assert quorate("conform edges --spec held.py --adapter adapter.py").exit_code == code


def test_an_action_that_is_never_possible_is_told_and_runs_of_an_earlier_time_are_removed(folder: Path) -> None:
    done = quorate("scenarios held.py --cover edges --length 3 --out runs")
    assert done.exit_code == 0 and done.stdout.endswith("\n    never possible: overflow\n")
    assert len(list((folder / "runs").glob("trace-*.json"))) > 1
    assert quorate("scenarios held.py --out runs").exit_code == 0
    assert [file.name for file in sorted((folder / "runs").iterdir())] == ["diagram-001.svg", "trace-001.json"]


def test_a_test_that_cannot_be_written_is_an_error_of_the_usage(folder: Path) -> None:
    (folder / "adapter.py").write_text(ADAPTER.replace("DROP", "pass"), encoding="utf-8")
    done = quorate("scenarios held.py --pytest nowhere/spec_held.py --adapter adapter.py")
    assert done.exit_code not in (0, 4)


def test_an_argument_with_keys_that_are_no_texts_is_read_as_it_is_written(folder: Path) -> None:
    system, values_of = wide_system(load("held.py").main, Map(members={"K": ("a", "b")}))
    with system:
        values = values_of(system)
        kind = system.variable("pairs").type
        value = kind.check(dict.fromkeys(kind.keys, 0) | {(0, True): 1})
        assert values.read(kind, values.write(value)) == value
        assert list(value) == list(kind.keys) and len(value) >= 4


TURNS = """
from quorate import *

class N(Nat, max=7):
    pass

class Turns(Spec):
    n: N
    busy: bool

    @action
    def turn(self) -> None:
        self.busy = not self.busy

    @action(fair="weak")
    def up(self) -> None:
        require(self.n == 0 or self.n == 5)
        self.n += 1

    @eventually
    def done(self) -> bool:
        return self.n == 1

    @terminal
    def end(self) -> bool:
        return self.n == 1

    @invariant
    def small(self) -> bool:
        return self.n != 6

class Unfair(Turns):
    expect = violates("done")

    @action
    def up(self) -> None:
        super().up()

class Stuck(Turns):
    expect = violates("deadlock")

    @action
    def turn(self) -> None:
        require(not self.busy)
        self.busy = True

    @action(fair="weak")
    def up(self) -> None:
        require(not self.busy)
        super().up()

class Jumps(Turns):
    expect = violates("small")

    @action
    def up(self) -> None:
        self.n = 6
"""

TURNING = """
from quorate.conform import Adapter, Refused

class Program(Adapter):
    def reset(self, arguments):
        self.n, self.busy = 0, False

    def perform(self, action, arguments):
        if action == "turn":
            self.busy = not self.busy
        elif action == "up" and self.n == 0:
            self.n = STEP
        else:
            raise Refused(action)

    def observe(self):
        return {"n": self.n, "busy": self.busy}
"""


@pytest.mark.parametrize(
    ("variant", "step", "code", "said"),
    [
        ("Jumps", 6, 1, "has the mistake"),
        ("Jumps", 1, 0, "does not have the mistake"),
        ("Unfair", 1, 3, "and so does the specification without the mistake"),
        ("Stuck", 1, 3, "and so does the specification without the mistake"),
    ],
)
def test_a_mistake_is_what_the_specification_without_it_does_not_do(
    variant: str, step: int, code: int, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "turns.py").write_text(TURNS, encoding="utf-8")
    (tmp_path / "adapter.py").write_text(TURNING.replace("STEP", str(step)), encoding="utf-8")
    spec = load("turns.py").variant(variant)
    found = check(only(spec, [spec.expect.names[0]]), engine="reference", naming=Naming("turns.py", variant))
    assert isinstance(found, Violated) and found.trace is not None
    found.trace.save(tmp_path / "trace.json")
    done = quorate("conform scenario trace.json --adapter adapter.py")
    assert done.exit_code == code and said in done.output


def test_a_run_that_shows_no_mistake_is_not_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "turns.py").write_text(TURNS, encoding="utf-8")
    (tmp_path / "adapter.py").write_text(TURNING.replace("STEP", "1"), encoding="utf-8")
    found = check(load("turns.py").variant("Jumps"), engine="reference", naming=Naming("turns.py", "Jumps"))
    assert isinstance(found, Violated) and found.trace is not None
    found.trace.but(kind="induction").save(tmp_path / "step.json")
    found.trace.save(tmp_path / "old.json")
    (tmp_path / "turns.py").write_text(TURNS.replace("self.n = 6", "self.n = 1"), encoding="utf-8")
    for name, why in (("step", "begins in a hypothetical state"), ("old", "violates nothing")):
        done = quorate(f"conform scenario {name}.json --adapter adapter.py")
        assert isinstance(done.exception, TraceError) and why in str(done.exception)
