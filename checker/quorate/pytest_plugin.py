"""Specifications as tests.

In a test, `verified` checks that a specification does what its `expect` says, at the bounds you give, and fails with
the counterexample in words:

    from quorate.pytest_plugin import verified

    def test_raft_with_five_servers() -> None:
        verified(Raft.bounded(Server=5, Term=2))

With `pytest --quorate`, files whose names match the ini option `quorate_files` (by default `spec_*.py` and
`*_spec.py`) are collected as well, with one test for every specification that they define.
"""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from quorate.language.spec import Spec
    from quorate.outcome import Outcome


class NotAsExpected(AssertionError):
    """A specification does not do what its `expect` says. The message is the outcome, with the trace if there is
    one."""


def verified(
    spec: type[Spec],
    *,
    engine: str = "auto",
    max_states: int | None = None,
    max_time: float | None = None,
    max_memory: float | None = None,
    **bounds: int,
) -> Outcome:
    """Check a specification and compare with its `expect`; returns the outcome.

    `max_states`, `max_time` (seconds) and `max_memory` (GB) end it early. Raises NotAsExpected if the outcome differs (an
    unfinished check, and one that leaves a property open, differ, too), SpecError and UsageError where the specification
    or a bound is wrong.
    """
    __tracebackhide__ = _of_ours
    from quorate.explore import Limits, Watch, as_expected, check_expected

    memory_bytes = None if max_memory is None else int(max_memory * 2**30)
    watch = Watch(Limits(max_states, max_time, memory_bytes))
    outcome = check_expected(spec.bounded(**bounds), engine=engine, watch=watch)
    if not as_expected(spec, outcome):
        from quorate.report.machine import traces_of
        from quorate.report.text import outcome_text, trace_text

        runs = "".join(f"\n\n{trace_text(trace)}" for trace in traces_of(outcome))
        raise NotAsExpected(f"expected: {spec.expect}\n{outcome_text(outcome)}{runs}")
    return outcome


def _of_ours(error: pytest.ExceptionInfo[BaseException]) -> bool:
    """Whether an error speaks for itself: pytest then shows the test's line, and nothing of ours."""
    from quorate.errors import QuorateError

    return isinstance(error.value, NotAsExpected | QuorateError)


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--quorate`, and the ini option `quorate_files`."""
    group = parser.getgroup("quorate", "specifications of distributed protocols")
    group.addoption("--quorate", action="store_true", help="collect specifications and verify them")
    parser.addini("quorate_files", "files with specifications (glob patterns)", "args", ["spec_*.py", "*_spec.py"])


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> SpecFile | None:
    """Collect files of specifications, with `--quorate`."""
    config = parent.config
    if config.getoption("--quorate") and any(fnmatch(file_path.name, glob) for glob in config.getini("quorate_files")):
        made: SpecFile = SpecFile.from_parent(parent, path=file_path)
        return made
    return None


class SpecFile(pytest.File):
    """A file of specifications."""

    def collect(self) -> Iterator[SpecItem]:
        """One item for each specification."""
        from quorate.loading import load

        for name, spec in load(str(self.path)).classes.items():
            yield SpecItem.from_parent(self, name=name, spec=spec)

    def repr_failure(  # type: ignore[override]
        self, excinfo: pytest.ExceptionInfo[BaseException]
    ) -> Any:
        """The error with its place instead of our traceback."""
        from quorate.errors import QuorateError

        if isinstance(excinfo.value, QuorateError):
            return f"{self.path}: {excinfo.value}"
        return super().repr_failure(excinfo)


class SpecItem(pytest.Item):
    """The verification of one specification."""

    def __init__(self, *, spec: type[Spec], **options: Any) -> None:
        super().__init__(**options)
        self._spec = spec

    def runtest(self) -> None:
        """Check it."""
        verified(self._spec)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """The outcome instead of our traceback."""
        from quorate.errors import QuorateError

        if isinstance(excinfo.value, NotAsExpected | QuorateError):
            return f"{self.path}: {self.name}\n{excinfo.value}"
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Where the test is."""
        from quorate.language.places import class_location

        place = class_location(self._spec)
        return self.path, None if place is None else place.line - 1, f"{self.name}: {self._spec.expect}"
