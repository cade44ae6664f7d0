"""`quorate why`: the table, the page, and that what is known is not explored again."""

from __future__ import annotations

import json
import multiprocessing
import os
import re
import subprocess
import sys
import zlib
from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from quorate.cli import cli
from quorate.errors import UsageError
from quorate.explore import Watch
from quorate.language.system import System
from quorate.mutate import Task, Verdict, series
from quorate.mutate.cache import Cache
from quorate.report.why import VERDICTS

from tests.docs.pages import DOCS
from tests.docs.test_json_formats import validate
from tests.mutate.samples import LOCK

ROWS = """\
  31     require(self.is_free() and self.epoch … ✗ one_holder 4
           · without self.is_free()              ✗ one_holder 4
           · without self.epoch < 2              nothing breaks
           · self.epoch <= 2 instead of self.ep… nothing breaks
  32     self.epoch += 1                         ◌ no held_twice
"""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A specification in the working directory, and a cache of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "lock.py").write_text(LOCK, encoding="utf-8")
    return tmp_path / "lock.py"


def embedded(page: str) -> list[dict[str, Any]]:
    """What a page says of the mutants."""
    found = re.search(r'id="parts">(.*?)</script>', page)
    assert found is not None
    parts: list[dict[str, Any]] = json.loads(found[1])
    return parts


def run(arguments: str) -> str:
    result = CliRunner().invoke(cli, ["why", *arguments.split()], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_every_verdict_is_said() -> None:
    assert list(VERDICTS) == sorted((verdict.value for verdict in Verdict), key=list(VERDICTS).index)


def test_the_table_the_data_and_the_page(file: Path) -> None:
    text = run("lock.py --engine reference --workers 2 -o why.html")
    assert ROWS in text and "28 mutants · 7 break a property" in text
    assert max(map(len, text.splitlines())) <= 80
    data = json.loads(run("lock.py --engine reference --workers 1 --format json"))
    validate(data, "why")
    assert data["known"] == len(data["mutants"]) == sum(data["totals"].values()) == 28
    page = (file.parent / "why.html").read_text(encoding="utf-8")
    assert not re.search(r"(src|href)=|url\(|https?://(?!www\.w3\.org)", page)
    parts = embedded(page)
    pictures = json.loads(zlib.decompress(b64decode(re.search(r'id="pictures">(.*?)</script>', page)[1])))  # type: ignore[index]
    assert [(one["line"], one["verdict"]) for one in parts] == [
        (one["line"], one["verdict"]) for one in data["mutants"]
    ]
    shown = {one["picture"] for one in parts if one["picture"] is not None}
    assert shown == set(range(len(pictures))) and all(picture.startswith("<svg") for picture in pictures)


def test_mutants_may_have_bounds_of_their_own(file: Path) -> None:
    """What the class says of its mutants goes before what it is checked at, the command line before both; heirs have none."""
    small = '    """A server gives a lock to one node at a time, with a number that grows."""\n'
    heir = "\n\nclass Heir(Lock):\n    pass\n"
    file.write_text(LOCK.replace(small, f'{small}    mutant_bounds = {{"Epoch": 3}}\n') + heir, encoding="utf-8")
    told = {name: Task("lock.py", variant, bounds) for name, variant, bounds in ASKED}
    assert {name: System(task.loaded()[1]).bounds["Epoch"] for name, task in told.items()} == {
        "plain": 3,
        "asked": 4,
        "heir": 2,
    }
    briefly = ["why", "lock.py", "--engine", "reference", "--workers", "1", "--budget", "0.001", "--format"]
    text, data = (CliRunner().invoke(cli, [*briefly, form]).stdout for form in ("text", "json"))
    assert "\nEpoch 3 (2 in check), Node 2; " in text
    assert (json.loads(data)["bounds"], json.loads(data)["checked"]) == (
        {"Epoch": 3, "Node": 2},
        {"Epoch": 2, "Node": 2},
    )


ASKED = (("plain", None, {}), ("asked", None, {"Epoch": 4}), ("heir", "Heir", {}))


def test_what_is_the_same_is_counted_and_what_has_no_time_is_told(file: Path) -> None:
    same = LOCK.replace(
        "require(self.is_free() and self.epoch < 2)", "require(self.is_free())\n        require(self.epoch < 2)"
    )
    file.write_text(same.replace("return self.holder is None", "return True and self.holder is None"), encoding="utf-8")
    result = CliRunner().invoke(cli, ["why", "lock.py", "--engine", "reference", "--workers", "1", "--budget", "0.001"])
    assert result.exit_code == 3 and "are not decided" in result.stdout


def test_an_interruption_gives_what_is_known(file: Path) -> None:
    watch = Watch()

    def interrupt(done: int, _: int, what: str) -> None:
        if (done, what) == (3, "mutants"):
            watch.interrupt()

    cache = Cache.of_user("key")
    found = series(Task("lock.py", engine="reference"), 60.0, 1, watch, interrupt, cache)
    verdicts = [trial.finding.verdict for trial in found.trials]
    assert found.stopped == "interrupted" and verdicts.count(Verdict.UNDECIDED) == len(verdicts) - 3
    again = series(Task("lock.py", engine="reference"), 60.0, 1, Watch(), cache=cache)
    assert (
        again.known == 3
        and again.stopped is None
        and Verdict.UNDECIDED not in {one.finding.verdict for one in again.trials}
    )


ROLES = """from enum import Enum

class Role(Enum):
    ONE = "one"
    TWO = "two"
"""
USES_ROLES = """from quorate import Spec, action, invariant, require
from roles import Role

class Chosen(Spec):
    role: Role

    @action
    def choose(self, role: Role) -> None:
        require(role in (Role.ONE, Role.TWO))
        self.role = role

    @invariant
    def known(self) -> bool:
        return self.role in (Role.ONE, Role.TWO)
"""


def test_what_is_known_is_of_all_files_that_a_specification_is_made_from(tmp_path: Path) -> None:
    """What a type of another file has does not show in a model that names none of it."""
    (tmp_path / "chosen.py").write_text(USES_ROLES, encoding="utf-8")
    command = [sys.executable, "-m", "quorate", "why", "chosen.py", "--engine", "reference", "--workers", "1"]
    env = os.environ | {"XDG_CACHE_HOME": str(tmp_path / "cache")}

    def told(roles: str) -> str:
        (tmp_path / "roles.py").write_text(roles, encoding="utf-8")
        return subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=True).stdout

    assert "2 break nothing" in told(ROLES)
    assert "2 known from before" in told(ROLES)
    assert "1 break a property" in told(ROLES + '    THREE = "three"\n')


def test_nothing_is_kept_of_a_specification_that_has_changed_since_it_was_read(file: Path) -> None:
    stale = Cache.of_user("key", lambda: False)
    for _ in range(2):
        assert series(Task("lock.py", engine="reference"), 60.0, 1, Watch(), cache=stale).known == 0


FORGETFUL = """

class Forgetful(Lock):
    @action
    def take(self, n: Node, m: Grant) -> None:
        require(m in self.network)
        require(m.node == n and self.holder == n)
        self.network.receive(m)
        self.held[n] = max(self.held[n], m.epoch)
"""


def test_what_a_variant_may_break_at_its_own_bounds_is_not_decided_before_it_is_explored(file: Path) -> None:
    file.write_text(LOCK + FORGETFUL, encoding="utf-8")
    watch = Watch()

    def interrupt(done: int, total: int, what: str) -> None:
        if (done, what) == (total, "mutants"):
            watch.interrupt()

    for asked, expected in ((watch, Verdict.UNDECIDED), (Watch(), Verdict.COSTS)):
        found = series(Task("lock.py", engine="reference"), 60.0, 1, asked, interrupt)
        trial = next(one for one in found.trials if one.variants == ("Forgetful",))
        assert trial.finding.verdict is expected and ("Forgetful" in trial.finding.sentence) is (asked is watch)


def test_a_process_that_ends_leaves_what_is_known(file: Path) -> None:
    def kill(done: int, _: int, what: str) -> None:
        if (done, what) == (2, "mutants"):
            (process,) = multiprocessing.active_children()
            process.kill()

    found = series(Task("lock.py", engine="reference"), 60.0, 1, Watch(), kill)
    undecided = [trial.finding.sentence for trial in found.trials if trial.finding.verdict is Verdict.UNDECIDED]
    assert set(undecided) == {"a process that explored mutants has ended"} and len(found.trials) - len(undecided) in (
        2,
        3,
    )


@pytest.mark.parametrize(
    "arguments", ["lock.py -o why.png", "lock.py --variant Nothing", "lock.py --bound Nothing=2", "nothing.py"]
)
def test_mistakes_are_refused(arguments: str, file: Path) -> None:
    assert isinstance(CliRunner().invoke(cli, ["why", *arguments.split()]).exception, UsageError)


def test_what_does_not_hold_is_not_explained(file: Path) -> None:
    file.write_text(LOCK.replace("self.is_free() and", ""), encoding="utf-8")
    refused = CliRunner().invoke(cli, ["why", "lock.py", "--engine", "reference", "--workers", "1"]).exception
    assert isinstance(refused, UsageError) and "violates one_holder" in str(refused)


@pytest.mark.slow
def test_the_page_of_two_phase_commit_is_current(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the others a test would take too long: `docs/why.md` has the commands."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    page = tmp_path / "why.html"
    run(f"two_phase_commit --engine reference --workers 1 -o {page}")
    stored, fresh = (
        embedded(file.read_text(encoding="utf-8")) for file in (DOCS / "why" / "two_phase_commit.html", page)
    )
    assert stored == fresh, "quorate why two_phase_commit -o docs/why/two_phase_commit.html"


def test_pages_are_small() -> None:
    for page in (DOCS / "why").glob("*.html"):
        assert page.stat().st_size < 1_000_000
