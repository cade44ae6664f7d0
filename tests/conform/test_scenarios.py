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
from quorate.loading import load

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
