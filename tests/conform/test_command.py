"""`quorate conform`: exit codes, formats, and what is written."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from quorate.cli import cli
from quorate.trace import Trace

from tests.conform.runs import write
from tests.conform.test_edges import FILES
from tests.docs.test_json_formats import validate

MAP = """
from quorate.conform import OPEN, Map

map = Map(members={"Server": ("n1", "n2", "n3"), "Command": OPEN}, hidden=HIDDEN)
"""
ELECTION: list[dict[str, Any]] = [
    {"event": "time_out", "node": "n1", "vars": {"term": {"n1": 1}}},
    {"event": "handle_request", "node": "n2"},
    {"event": "win", "node": "n1", "vars": {"role": {"n1": "leader"}}},
]


def command(folder: Path, lines: list[dict[str, Any]], *options: str, hidden: str = "()") -> Result:
    mapping = folder / f"map_{len(hidden)}.py"  # A file is imported once.
    mapping.write_text(MAP.replace("HIDDEN", hidden), encoding="utf-8")
    log = write(folder / "log.jsonl", lines)
    arguments = ["conform", "trace", log, "--spec", "raft", "--map", str(mapping), *options]
    return CliRunner().invoke(cli, arguments)


def test_exit_codes(tmp_path: Path) -> None:
    assert command(tmp_path, ELECTION).exit_code == 0
    assert command(tmp_path, ELECTION[::2]).exit_code == 1
    assert command(tmp_path, []).exit_code == 3
    assert command(tmp_path, ELECTION, hidden='("term", "role")').exit_code == 3


@pytest.mark.parametrize("lines", [ELECTION, ELECTION[::2], []], ids=["conforms", "differs", "not-decided"])
def test_json_is_as_its_schema_says(lines: list[dict[str, Any]], tmp_path: Path) -> None:
    validate(json.loads(command(tmp_path, lines, "--format", "json").stdout), "conformance")


def test_other_formats_place_the_failure_at_its_line(tmp_path: Path) -> None:
    assert ",line=2," in command(tmp_path, ELECTION[::2], "--format", "github").stdout
    assert '"startLine": 2' in command(tmp_path, ELECTION[::2], "--format", "sarif").stdout
    assert 'type="differs"' in command(tmp_path, ELECTION[::2], "--format", "junit").stdout


def test_the_failing_run_is_written(tmp_path: Path) -> None:
    out = tmp_path / "failure"
    done = command(tmp_path, ELECTION[::2], "--out", str(out))
    assert done.exit_code == 1
    trace = Trace.load(out / "trace.json")
    assert (trace.kind, [step.action for step in trace.steps]) == ("conform", ["time_out"])
    assert "self.is_enough" in (out / "diagram.svg").read_text(encoding="utf-8")


DEAF = """
from quorate.conform import Adapter


class Deaf(Adapter):
    def reset(self, arguments):
        pass

    def perform(self, action, arguments):
        pass

    def observe(self):
        return {"tm": "init"}
"""


@pytest.fixture
def adapters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with the example of the page, and with an adapter that ignores its commands."""
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "deaf.py").write_text(DEAF, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "commit_server", raising=False)
    yield tmp_path
    sys.modules.pop("commit_server", None)


def quorate(line: str) -> Result:
    return CliRunner().invoke(cli, line.split())


def test_a_program_is_driven(adapters: Path) -> None:
    edges = "conform edges --spec two_phase_commit --format json"
    done = quorate(f"{edges} --adapter commit_adapter.py --max-states 30")
    assert done.exit_code == 3
    validate(json.loads(done.stdout), "driven")
    done = quorate(f"{edges} --adapter deaf.py --bound ResourceManager=2 --out failure")
    assert done.exit_code == 1
    found = json.loads(done.stdout)
    validate(found, "driven")
    assert found["misfit"]["differences"] == [{"name": "tm", "expected": "ABORTED", "observed": "INIT"}]
    assert (adapters / "failure" / "diagram.svg").exists()


@pytest.mark.slow
def test_scenarios_are_written_and_followed(adapters: Path) -> None:
    done = quorate("scenarios two_phase_commit --out runs --adapter commit_adapter.py --pytest test_commit.py")
    assert (done.exit_code, done.stdout.splitlines()[-1]) == (0, "2 runs cover 7 of 7 actions")
    written = (adapters / "test_commit.py").read_text(encoding="utf-8")
    assert '    program.does("choose_to_abort", r="bob")\n    program.shows(rm={"bob": "aborted"})\n' in written
    for adapter, code in (("commit_adapter.py", 0), ("deaf.py", 1)):
        done = quorate(f"conform scenario runs/trace-001.json --adapter {adapter} --format json")
        assert done.exit_code == code
        validate(json.loads(done.stdout), "driven")
    assert quorate("scenarios two_phase_commit --max-states 10").exit_code == 3


FORGETFUL = """
from quorate.conform import Adapter
from quorate.loading import load_module
from pathlib import Path

CommitServer = load_module(Path("commit_adapter.py")).CommitServer


class Forgetful(CommitServer):
    def perform(self, action, arguments):
        if action in KNOWN:
            super().perform(action, arguments)
"""


def test_only_a_program_that_goes_with_the_run_does_not_have_its_mistake(adapters: Path) -> None:
    """An adapter that ignores commands does not have the mistake either, and neither does one that knows all but the mistaken one."""
    done = quorate("check two_phase_commit --variant PreparedAborts --bound ResourceManager=3 --out mistake")
    assert done.exit_code == 1
    actions = [step.action for step in Trace.load(adapters / "mistake" / "trace.json").steps]
    assert "choose_to_abort" in actions and actions[-1] != "choose_to_abort"
    scenario = "conform scenario mistake/trace.json --adapter"
    assert quorate(f"{scenario} commit_adapter.py").exit_code == 0
    shown = '{"rm": {name: "working" for name in ("rm1", "rm2", "rm3")}}'
    (adapters / "deafer.py").write_text(DEAF.replace('{"tm": "init"}', shown), encoding="utf-8")
    done = quorate(f"{scenario} deafer.py")
    assert done.exit_code == 3 and "the specification without the mistake goes on there" in done.stdout
    known = [action for action in actions if action != "choose_to_abort"]
    (adapters / "forgetful.py").write_text(FORGETFUL.replace("KNOWN", repr(known)), encoding="utf-8")
    done = quorate(f"{scenario} forgetful.py --format json")
    assert done.exit_code == 3
    found = json.loads(done.stdout)
    validate(found, "driven")
    assert "an action that the adapter ignores is not one that the program refuses" in found["reason"]
