"""`quorate verify` in a project: what is unchanged is skipped, differences from quorate.lock are explained, budgets are kept."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from quorate.commands._verifying import Job, in_order, jobs_of, name_of, verify
from quorate.errors import UsageError
from quorate.explore.limits import Limits
from quorate.outcome import Unfinished
from quorate.pipeline.project import find_project
from quorate.pipeline.record import Last, Record

HELPER = """
def at_most(inside, most):
    return len(inside) < most
"""
BASE = '''
from quorate import Scalarset, Spec, action, invariant, require, violates
from helper import at_most

class Process(Scalarset, size=2):
    """A process."""

class Lock(Spec):
    """Processes take turns."""
    inside: set[Process]

    @action
    def enter(self, p: Process) -> None:
        require(at_most(self.inside, 1))
        self.inside.add(p)

    @action
    def leave(self, p: Process) -> None:
        require(p in self.inside)
        self.inside.discard(p)

    @invariant
    def exclusive(self) -> bool:
        return len(self.inside) <= 1
'''
OTHER = BASE.replace("from helper import at_most\n", "").replace("at_most(self.inside, 1)", "len(self.inside) == 0")
RUDE = """

class Rude(Lock):
    expect = violates("exclusive")

    def enter(self, p: Process) -> None:
        self.inside.add(p)
"""
CONFIGURATION = """
[tool.quorate]
specs = ["specs/lock.py", "specs/other.py"]

[tool.quorate.bounds.nightly]
Process = 3
"specs/other.py" = { Process = 4 }
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "specs").mkdir()
    for name, text in {"helper": HELPER, "lock": BASE + RUDE, "other": OTHER}.items():
        (tmp_path / "specs" / f"{name}.py").write_text(text, encoding="utf-8")
    (tmp_path / "pyproject.toml").write_text(CONFIGURATION, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def quorate(*arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "quorate.cli", "verify", "--engine", "reference", "--workers", "1", *arguments]
    command[1:3] = ["-c", "from quorate.cli import main; main()"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == code, done.stdout + done.stderr
    return done


def rows(*arguments: str, code: int = 0) -> dict[str, dict[str, Any]]:
    found = json.loads(quorate(*arguments, "--format", "json", code=code).stdout)
    return {f"{Path(row['spec']).stem} {row['variant'] or ''}".strip(): row for row in found}


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


def test_only_what_has_changed_is_checked_again(project: Path) -> None:
    first = rows()
    assert list(first) == ["lock", "lock Rude", "other"] and not any(row["skipped"] for row in first.values())
    again = rows()
    assert all(row["skipped"] for row in again.values())
    assert [row["outcome"] for row in again.values()] == [row["outcome"] for row in first.values()]
    edit(project / "specs" / "helper.py", "<", "<=")  # What imports it breaks, and nothing else is looked at.
    broken = rows(code=1)
    assert {name: (row["skipped"], row["found"]) for name, row in broken.items()} == {
        "lock": (False, "violates exclusive"),
        "lock Rude": (False, "violates exclusive"),
        "other": (True, "holds"),
    }
    assert {name: row["skipped"] for name, row in rows(code=1).items()} == {
        "lock": False,  # It is not as it should be.
        "lock Rude": True,
        "other": True,
    }
    text = quorate("--no-skip", code=1).stdout
    assert "skipped" not in text and "2 of 3 do what they say" in text


def test_all_of_a_file_is_verified_whose_path_has_a_colon(project: Path) -> None:
    """Its variants were passed over, and files of two such folders were one."""
    for folder in ("12:30", "12:45"):
        (project / folder).mkdir()
        (project / folder / "lock.py").write_text(OTHER + RUDE, encoding="utf-8")
    edit(project / "pyproject.toml", '"specs/other.py"]', '"12:30/lock.py"]')
    found = find_project()
    (named, other, single) = (found.specs[-1], "12:45/lock.py", "12:30/lock.py:Rude")
    assert [found.named(spec) for spec in (named, other, single)] == ["12:30/lock.py", "12:45/lock.py", "12:30/lock.py"]
    jobs = [
        job for spec in (named, other, single) for job in jobs_of(spec, found, "auto", Limits(), found.profile(None))
    ]
    assert [job.name[:2] for job in jobs] == [
        ("12:30/lock.py", "Lock"),
        ("12:30/lock.py", "Rude"),
        ("12:45/lock.py", "Lock"),
        ("12:45/lock.py", "Rude"),
        ("12:30/lock.py", "Rude"),
    ]


@pytest.mark.slow
def test_a_damaged_record_is_as_none(project: Path) -> None:
    rows("specs/other.py")
    (file,) = (project / ".quorate_cache" / "successes").iterdir()
    file.write_text(file.read_text(encoding="utf-8")[:-9], encoding="utf-8")
    assert not rows("specs/other.py")["other"]["skipped"]
    assert rows("specs/other.py")["other"]["skipped"]
    assert (project / ".quorate_cache" / ".gitignore").read_text(encoding="utf-8") == "*\n"


@pytest.mark.slow
@pytest.mark.parametrize(
    "said", ['{"fine": true, "seconds": "x", "key": null}', '{"fine": 1}', "5", "[]", '{"fine": null}']
)
def test_a_record_with_other_types_is_as_none(said: str, tmp_path: Path) -> None:
    record = Record(tmp_path)
    record.keep_last({"a:b:c": Last(True, 1.0, None)})
    (file,) = (tmp_path / ".quorate_cache").glob("*.json")
    file.write_text(f'{{"a:b:c": {said}, "d:e:f": {{"fine": true, "seconds": 2.0, "key": null}}}}')
    assert record.last() == {"d:e:f": Last(True, 2.0, None)}
    success = tmp_path / ".quorate_cache" / "successes" / "key.json"
    success.parent.mkdir(parents=True, exist_ok=True)
    words = {"expected": "holds", "found": "holds", "sentence": "", "summary": "", "outcome": {}}
    for damaged in (words | {"outcome": 5}, words | {"found": None}, {"outcome": {}}):
        success.write_text(json.dumps({"format": "quorate-success-1"} | damaged))
        assert record.success("key") is None


def test_a_difference_from_the_lock_is_explained_and_put_down_to_what_was_changed(project: Path) -> None:
    assert "wrote quorate.lock: 3 new, 0 changed, 0 gone" in quorate("--update").stderr
    assert "is up to date" in quorate("--update").stderr
    edit(
        project / "specs" / "lock.py", "require(p in self.inside)", "require(p in self.inside and len(self.inside) > 1)"
    )
    done = quorate(code=1).stdout
    assert "specs/lock.py differs from quorate.lock:" in done
    assert "    1 transition fewer (4 became 3)\n    action `leave`, which fired once, never fires\n" in done
    assert "    changed since: specs/lock.py:18 Lock.leave\n" in done
    assert "3 of 3 do what they say." in done and "not as in quorate.lock" in done
    sarif = json.loads(quorate("--format", "sarif", code=1).stdout)["runs"][0]
    (first, *_) = [result for result in sarif["results"] if result["ruleId"] == "quorate.lock"]
    assert first["locations"][0]["physicalLocation"]["region"]["startLine"] == 18, "at what was changed"
    assert "::error file=specs/lock.py,line=18,col=1," in quorate("--format", "github", code=1).stdout
    assert "1 changed, 0 gone" in quorate("specs/lock.py:Lock", "--update").stderr
    assert "its files are as in the lock: this entry was left out of an update" in quorate(code=1).stdout
    assert "changed, 0 gone" in quorate("--update").stderr
    assert "differs" not in quorate().stdout
    edit(project / "specs" / "lock.py", RUDE, "")
    assert "quorate.lock has what is gone: specs/lock.py Rude" in quorate(code=1).stdout
    assert "0 new, 0 changed, 1 gone" in quorate("--update").stderr


@pytest.mark.slow
def test_a_profile_changes_bounds_of_all_or_of_one(project: Path) -> None:
    found = rows("--bounds", "nightly")
    assert [row["outcome"]["bounds"] for row in found.values()] == [{"Process": 3}, {"Process": 3}, {"Process": 4}]
    assert not any(row["skipped"] for row in rows().values()), "other bounds are another check"
    assert "no profile" in quorate("--bounds", "weekly", code=2).stderr
    edit(project / "pyproject.toml", "Process = 3", "Proces = 3")
    assert "Did you mean 'Process'?" in quorate("--bounds", "nightly", code=2).stderr


def test_what_failed_last_goes_first_then_what_changed(tmp_path: Path) -> None:
    names = ("same", "new", "changed", "failed", "unknown")
    jobs = [Job(name, None, "auto", Limits(), (name, "Lock", "default")) for name in names]
    keys = {"same": "1", "changed": "2", "failed": "3", "unknown": None}

    class Keyed(Job):
        key = property(lambda self: keys.get(self.spec))  # type: ignore[assignment]

    keyed = [Keyed(job.spec, None, "auto", Limits(), job.name) for job in jobs]
    record = Record(tmp_path)
    record.keep_last(
        {
            name_of(keyed[0]): Last(True, 1, "1"),
            name_of(keyed[2]): Last(True, 1, "0"),
            name_of(keyed[3]): Last(False, 1, "3"),
            name_of(keyed[4]): Last(True, 9, None),
        }
    )
    assert [job.spec for job in in_order(keyed, record, False)] == ["failed", "unknown", "changed", "new", "same"]


def test_what_the_budget_does_not_reach_is_unfinished(project: Path) -> None:
    verdict = verify(
        Job("specs/other.py", None, "reference", Limits(), ("specs/other.py", "Lock", "default"), deadline=1)
    )
    assert isinstance(verdict.outcome, Unfinished) and "budget" in verdict.outcome.reason
    assert not verdict.fine and verdict.key is None
    assert "0 of 3 do what they say" in quorate("--budget", "0.000001", code=3).stdout


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[tool.quorate]\nspec = []\n", "Did you mean 'specs'"),
        ("[tool.quorate]\nspecs = 'raft'\n", "list of names"),
        ("[tool.quorate.bounds]\nServer = 3\n", "table for each profile"),
        ("[tool.quorate.bounds.ci]\nServer = '3'\n", "not a whole number"),
        ("[tool.quorate.bounds.ci]\n'a.py' = {Server = true}\n", "not a whole number"),
        ("[tool.quorate\n", "cannot be read"),
    ],
)
def test_a_configuration_that_is_wrong_is_refused(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=message):
        find_project(tmp_path)


def test_a_project_is_found_from_below_and_needs_no_configuration(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(CONFIGURATION, encoding="utf-8")
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    found = find_project(below)
    assert found.root == tmp_path and Path(found.specs[0]).resolve() == tmp_path / "specs" / "lock.py"
    assert found.named(found.specs[0] + ":Lock") == "specs/lock.py"
    assert find_project(tmp_path / "a").profile(None).name == "default"


LOSES = """
import multiprocessing, os, signal
from pathlib import Path
from quorate import Nat, Spec, action, invariant, require

for loss in Path(__file__).parent.glob("loss-*") if multiprocessing.parent_process() is not None else ():
    try:
        loss.unlink()
    except FileNotFoundError:  # It was another process'.
        continue
    os.kill(os.getpid(), signal.SIGKILL)


class N(Nat, max=3): ...


class One(Spec):
    n: N

    @action
    def up(self) -> None:
        require(self.n < 2)
        self.n += 1

    @invariant
    def low(self) -> bool:
        return self.n <= 2


class Two(One): ...


class Three(One): ...
"""


@pytest.mark.parametrize(("losses", "code"), [(1, 0), (9, 3)])
def test_a_lost_process_takes_no_verdicts_with_it(losses: int, code: int, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    Path("loses.py").write_text(LOSES)
    for number in range(losses):
        Path(f"loss-{number}").touch()
    found = rows("loses.py", "--workers", "2", "--no-skip", "--engine", "reference", code=code)
    assert [row["fine"] for row in found.values()] == [code == 0] * 3
    if code:
        assert {row["outcome"]["reason"] for row in found.values()} == {
            "the process that checked it was ended: it may have been killed for its memory"
        }
