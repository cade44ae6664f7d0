"""Specifications as tests: an item for each property, one exploration for each class, and pytest's own options behave."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

SPEC = '''
import abc

from quorate import Scalarset, Spec, action, invariant, reachable, require, violates


class Process(Scalarset, size=2):
    """A process."""


class Lock(Spec):
    """Processes take turns."""

    inside: set[Process]

    @action
    def enter(self, p: Process) -> None:
        require(self.free())
        self.inside.add(p)

    @action
    def leave(self, p: Process) -> None:
        require(p in self.inside)
        self.inside.discard(p)

    def free(self) -> bool:
        return len(self.inside) == 0

    @invariant
    def exclusive(self) -> bool:
        """At most one process is inside."""
        return len(self.inside) <= 1

    @reachable
    def used(self) -> bool:
        return len(self.inside) == 1


class Rude(Lock):
    expect = violates("exclusive")

    def free(self) -> bool:
        return True


class Mistaken(Rude):
    expect = violates("used")


class _Draft(Lock):
    pass


class Elsewhere(Lock):
    __test__ = False


class Abstract(Lock, abc.ABC):
    @abc.abstractmethod
    def free(self) -> bool: ...
'''
WRONG = SPEC.replace("return len(self.inside) <= 1", "return len(self.inside) <= 1 // (1 - len(self.inside))")
COUNTING = """
import os
import quorate.explore as explore


def counted(real):
    def check(spec, **options):
        with open(os.path.join(os.path.dirname(__file__), "explored.txt"), "a") as file:
            print(spec.__name__, spec.bounds, file=file)
        return real(spec, **options)

    return check


explore.check_all, explore.check_expected = counted(explore.check_all), counted(explore.check_expected)
"""


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    monkeypatch.setenv("CC", "no-such-compiler")  # The reference engine starts faster.
    monkeypatch.delitem(
        sys.modules, "lock", raising=False
    )  # Of an example in the documents, if its test ran in this process.
    pytester.makeconftest(COUNTING)
    pytester.makepyfile(lock=SPEC)
    return pytester


def explored(project: pytest.Pytester) -> list[str]:
    file = project.path / "explored.txt"
    return [line.split()[0] for line in file.read_text().splitlines()] if file.exists() else []


def test_each_property_is_an_item_and_a_class_is_explored_once(project: pytest.Pytester) -> None:
    result = project.runpytest_inprocess("-v", "lock.py")
    result.assert_outcomes(passed=3, failed=1)
    result.stdout.fnmatch_lines(
        [
            "lock.py::Lock::exclusive PASSED*",
            "lock.py::Lock::used PASSED*",
            "lock.py::Rude::exclusive PASSED*",
            "lock.py::Mistaken::used FAILED*",
        ]
    )
    assert explored(project) == ["Lock", "Rude", "Mistaken"]
    result.stdout.fnmatch_lines(["Mistaken.used is expected to be violated; found: holds*"])


def test_a_class_that_another_one_of_its_name_replaces_is_an_error_of_the_file(project: pytest.Pytester) -> None:
    project.makepyfile(lock=SPEC + "\n\nclass Rude(Lock):\n    pass\n")
    result = project.runpytest_inprocess("lock.py")
    result.assert_outcomes(errors=3)  # Each of the file's.
    result.stdout.fnmatch_lines(["*Rude is defined again in line *, which replaces this one*"])


def test_a_class_that_a_function_of_another_file_makes_is_not_passed_over(project: pytest.Pytester) -> None:
    making = "from lock import Lock\n\ndef made():\n    class Made(Lock):\n        pass\n    return Made\n"
    project.makepyfile(makes=making, spec_made="from lock import Lock\nfrom makes import made\nQuick = made()\n")
    result = project.runpytest_inprocess("spec_made.py")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*Quick is made by a function of makes, and is no specification of this file*"])


def test_a_failure_shows_the_run_and_where_its_picture_is(project: pytest.Pytester) -> None:
    project.makepyfile(lock=SPEC.replace('expect = violates("exclusive")', ""))
    result = project.runpytest_inprocess("lock.py::Rude")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        [
            "Rude.exclusive is expected to hold; found: violated",
            "*2  p2  enter",
            "picture: *.svg",
            "violated: exclusive*",
        ]
    )
    assert "Traceback" not in result.stdout.str() and "pytest_plugin.py" not in result.stdout.str()
    picture = re.search(r"picture: (.+)", result.stdout.str())
    assert picture is not None and Path(picture[1]).read_text(encoding="utf-8").rstrip().endswith("</svg>")


@pytest.mark.slow
def test_one_property_is_selected_by_its_name_and_by_keywords(project: pytest.Pytester) -> None:
    project.runpytest_inprocess("lock.py::Lock::used").assert_outcomes(passed=1)
    project.runpytest_inprocess("lock.py", "-k", "exclusive").assert_outcomes(passed=2, deselected=2)


@pytest.mark.slow
def test_last_failed_and_exit_first_and_durations_behave(project: pytest.Pytester) -> None:
    project.runpytest_inprocess("lock.py").assert_outcomes(passed=3, failed=1)
    result = project.runpytest_inprocess("lock.py", "--lf", "--durations=1", "-vv")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*s call *lock.py::Mistaken::used"])
    project.makepyfile(lock=SPEC.replace("size=2", "size=1"))
    project.runpytest_inprocess("lock.py::Rude", "lock.py::Mistaken", "-x").assert_outcomes(failed=1)


@pytest.mark.slow
def test_what_is_configured_is_collected_where_nothing_is_named(project: pytest.Pytester) -> None:
    project.makepyfile(test_other="from lock import Lock, Rude\n\ndef test_it():\n    assert issubclass(Rude, Lock)\n")
    project.makepyprojecttoml('[tool.quorate]\nspecs = ["lock.py:Lock"]\n[tool.quorate.bounds.ci]\nProcess = 3\n')
    project.runpytest_inprocess().assert_outcomes(passed=3)
    project.runpytest_inprocess("lock.py").assert_outcomes(passed=3, failed=1)
    project.runpytest_inprocess("test_other.py").assert_outcomes(passed=1)
    project.runpytest_inprocess("--quorate-profile", "ci").assert_outcomes(passed=3)
    assert "Lock {'Process': 3}" in (project.path / "explored.txt").read_text()
    result = project.runpytest_inprocess("--quorate-profile", "nightly")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*There is no profile*'nightly'*Known: ci.*"])


@pytest.mark.slow
@pytest.mark.parametrize("named", [(), ("lock.py",)], ids=["configured", "named"])
def test_with_xdist_the_items_of_a_class_go_to_one_worker(project: pytest.Pytester, named: tuple[str, ...]) -> None:
    if not named:
        project.makepyprojecttoml('[tool.quorate]\nspecs = ["lock.py"]\n')
    project.runpytest_inprocess("-n", "2", *named).assert_outcomes(passed=3, failed=1)
    assert sorted(explored(project)) == ["Lock", "Mistaken", "Rude"]
    for options in ((), ("-n", "2")):
        project.runpytest_inprocess("--lf", *options, *named).assert_outcomes(failed=1)


@pytest.mark.slow
def test_files_that_are_called_as_specifications_are_collected_on_demand(project: pytest.Pytester) -> None:
    (project.path / "lock.py").rename(project.path / "spec_lock.py")
    project.runpytest_inprocess().assert_outcomes()
    project.runpytest_inprocess("--quorate").assert_outcomes(passed=3, failed=1)


@pytest.mark.slow
def test_an_error_in_a_specification_fails_all_its_tests_with_its_place(project: pytest.Pytester) -> None:
    project.makepyfile(lock=WRONG)
    result = project.runpytest_inprocess("lock.py::Lock")
    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(["*ZeroDivisionError*"])
    project.makepyfile(lock=SPEC.replace("inside: set[Process]", "inside: set[int]"))
    result = project.runpytest_inprocess("lock.py")
    result.assert_outcomes(errors=3)
    result.stdout.fnmatch_lines(["*int is infinite*"])
    assert "Traceback" not in result.stdout.str()


@pytest.mark.slow
def test_a_specification_that_claims_nothing_does_not_pass(project: pytest.Pytester) -> None:
    text = SPEC[: SPEC.index("    @invariant")]
    project.makepyfile(lock=text)
    result = project.runpytest_inprocess("lock.py")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*declares no property*"])


def test_in_a_project_without_specifications_nothing_of_quorate_is_imported(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(
        "import sys\n\n\ndef pytest_unconfigure():\n    print(sorted(name for name in sys.modules if name.startswith('quorate')))\n"
    )
    (tmp_path / "test_it.py").write_text("class Test:\n    def test_it(self):\n        pass\n")
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert "['quorate', 'quorate.pytest_plugin']" in done.stdout
