"""Specifications as tests.

Every class derived from `Spec` in a file that pytest collects is a set of tests, one for each property:

    pytest specs/raft.py                                    all of them
    pytest specs/raft.py::Raft::one_leader_per_term         one

A specification that is expected to hold has a test for each property that it declares; a variant that is expected to break
has one for each property that it is to violate. All tests of a class share one exploration. pytest collects files that are named
on its command line or match its `python_files`, and, where `pytest` is called without files, those that `specs` of `[tool.quorate]` in
`pyproject.toml` names; with `--quorate`, files that match the ini option `quorate_files` as well. `__test__ = False` in a class
leaves it out.

In a test, `verified` checks that a specification does what its `expect` says, at the bounds you give, and fails with
the counterexample in words:

    from quorate.pytest_plugin import verified

    def test_raft_with_five_servers() -> None:
        verified(Raft.bounded(Server=5, Term=2))
"""

from __future__ import annotations

import inspect
import os
import re
import sys
from collections.abc import Iterator
from fnmatch import fnmatch
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from quorate.language.spec import Spec
    from quorate.outcome import Judgement, Outcome
    from quorate.pipeline.project import Project
    from quorate.trace import Trace


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
    """`--quorate`, `--quorate-profile`, and the ini option `quorate_files`."""
    group = parser.getgroup("quorate", "specifications of distributed protocols")
    group.addoption("--quorate", action="store_true", help="collect files that match quorate_files, too")
    group.addoption(
        "--quorate-profile", metavar="NAME", help="check specifications at the bounds of this profile of [tool.quorate]"
    )
    parser.addini("quorate_files", "files with specifications (glob patterns)", "args", ["spec_*.py", "*_spec.py"])


PROJECT = pytest.StashKey["Project"]()
FILES = pytest.StashKey[dict[Path, set[str]]]()
"""The configured files, each with the classes that are meant; none for all."""


def pytest_configure(config: pytest.Config) -> None:
    """Add the configured specifications to what is collected, if nothing is named."""
    config.stash[FILES] = {}
    configuration = config.rootpath / "pyproject.toml"
    if not configuration.is_file() or b"[tool.quorate" not in configuration.read_bytes():
        return
    from quorate.files import parted

    chosen = config.stash[FILES]
    for spec in _project(config).specs:
        path, name = parted(spec)
        file = (Path(path) if path.endswith(".py") or "/" in path else _of_library(path)).resolve()
        chosen[file] = chosen.get(file, {name}) | {name} if name and chosen.get(file) != set() else set()
    if config.args_source is not pytest.Config.ArgsSource.ARGS:
        config.args.extend(map(str, chosen))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Let pytest-xdist send the tests of a class in a file of specifications to one worker, for one exploration. Such a file is
    configured, or matches none of the patterns by which pytest finds tests. Whoever chooses another `--dist` gets that."""
    if config.getoption("dist") != "load" or not _has_specifications(config):
        return None
    from xdist.scheduler import LoadScopeScheduling

    def scope(nodeid: str) -> str:
        file, _, rest = nodeid.partition("::")
        path = config.rootpath / file
        is_of_class = path in config.stash[FILES] or not _matches(path, config.getini("python_files"))
        return nodeid.rpartition("::")[0] if is_of_class and "::" in rest else nodeid

    scheduler = LoadScopeScheduling(config, log)
    scheduler._split_scope = scope
    return scheduler


def _has_specifications(config: pytest.Config) -> bool:
    named = (Path(argument.partition("::")[0]) for argument in config.args)
    patterns = config.getini("python_files")
    specs = (path.suffix == ".py" and not _matches(path, patterns) for path in named)
    return bool(config.stash[FILES]) or config.getoption("--quorate") or any(specs)


def _project(config: pytest.Config) -> Project:
    from quorate.errors import QuorateError
    from quorate.pipeline.project import find_project

    if PROJECT not in config.stash:
        try:
            project = find_project(config.rootpath)
            project.profile(config.getoption("--quorate-profile"))
        except QuorateError as error:
            raise pytest.UsageError(str(error)) from None
        config.stash[PROJECT] = project
    return config.stash[PROJECT]


def _of_library(name: str) -> Path:
    from quorate.errors import QuorateError
    from quorate.loading import located

    try:
        return located(name)[1]
    except QuorateError as error:
        raise pytest.UsageError(f"[tool.quorate] specs: {error}") from None


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Module | None:
    """Collect files of specifications that pytest would not collect by itself."""
    config = parent.config
    patterns = config.getini("quorate_files") if config.getoption("--quorate") else ()
    if file_path.suffix != ".py" or not (file_path in config.stash[FILES] or _matches(file_path, patterns)):
        return None
    if parent.session.isinitpath(file_path) or _matches(file_path, config.getini("python_files")):
        return None
    made: pytest.Module = pytest.Module.from_parent(parent, path=file_path)
    return made


def pytest_pycollect_makemodule(module_path: Path, parent: pytest.Collector) -> pytest.Module | None:
    """A protocol of the library, which is in no folder of the project, is called by its name."""
    if module_path not in parent.config.stash[FILES] or module_path.is_relative_to(parent.config.rootpath):
        return None
    made: pytest.Module = pytest.Module.from_parent(parent, path=module_path, nodeid=module_path.stem)
    return made


def _matches(path: Path, patterns: Any) -> bool:
    return any(fnmatch(path.name, pattern) for pattern in patterns)


def pytest_pycollect_makeitem(collector: Any, name: str, obj: object) -> SpecClass | None:
    """The tests of a class, if it is a specification that its module defines."""
    spec = sys.modules.get("quorate.language.spec")
    if spec is None or not isinstance(collector, pytest.Module) or not isinstance(obj, type):
        return None
    if not issubclass(obj, spec.Spec) or name.startswith("_") or not _is_of(collector.obj, obj):
        return None
    chosen = collector.config.stash[FILES].get(collector.path)
    is_left_out = chosen and name not in chosen and collector.config.args_source is not pytest.Config.ArgsSource.ARGS
    if is_left_out or inspect.isabstract(obj) or not getattr(obj, "__test__", True):
        return None
    made: SpecClass = SpecClass.from_parent(collector, name=name, spec=obj, module=collector.obj)
    return made


def _is_of(module: ModuleType, spec: type[Spec]) -> bool:
    """Whether a specification is one of this module, or is to be refused there."""
    from quorate.loading import is_made

    return spec.__module__ == module.__name__ or is_made(module, spec)


class SpecClass(pytest.Collector):
    """A specification: one test for each property of which something is expected."""

    def __init__(self, *, spec: type[Spec], module: ModuleType, **options: Any) -> None:
        super().__init__(**options)
        self.spec, self.module = spec, module
        self.add_marker(pytest.mark.xdist_group(self.nodeid))

    def collect(self) -> Iterator[PropertyItem]:
        """The items, those of a variant that is to break for the properties that it is to violate."""
        from quorate.explore.every import judgeable
        from quorate.loading import refuse_made, refuse_replaced

        refuse_made(self.module, self.name, self.spec)
        refuse_replaced(self.module, (self.spec.__name__,))
        known = judgeable(self.configured)
        for name in self.spec.expect.names or known or ("properties",):
            yield PropertyItem.from_parent(self, name=name)

    @cached_property
    def configured(self) -> type[Spec]:
        """The class at the bounds of the profile. Raises SpecError and UsageError."""
        from quorate.language.system import System

        name = self.config.getoption("--quorate-profile")
        if name is None:
            return self.spec
        project = _project(self.config)
        sizes = project.profile(name).sizes(project.placed(self.path), System(self.spec).bounds)
        return self.spec.bounded(**sizes)

    @cached_property
    def outcome(self) -> Outcome:
        """What the one exploration finds that all tests of the class look at."""
        from quorate.explore import Naming, check_all, check_expected

        workers = 1 if "PYTEST_XDIST_WORKER" in os.environ else os.cpu_count() or 1
        ask = check_expected if self.spec.expect.names else check_all
        return ask(self.configured, workers=workers, naming=Naming(f"{self.path}:{self.name}"))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """An error of the specification with its place instead of our traceback."""
        return str(excinfo.value) if _of_ours(excinfo) else super().repr_failure(excinfo)


class PropertyItem(pytest.Item):
    """A property of a specification, and what is expected of it."""

    parent: SpecClass

    def runtest(self) -> None:
        """Explore, if no other test of the class has, and look at the judgement. Only what is said to be so passes."""
        from quorate.outcome import Failed

        outcome = self.parent.outcome
        found = next((one for one in outcome.judgements if one.property == self.name), None)
        wanted = ("violated",) if self.parent.spec.expect.names else ("holds", "holds-within-bounds")
        if isinstance(outcome, Failed) or found is None or found.status not in wanted:
            raise NotAsExpected(self._told(outcome, found))

    def _told(self, outcome: Outcome, found: Judgement | None) -> str:
        from quorate.outcome import Failed
        from quorate.report.machine import trace_of
        from quorate.report.text import outcome_text, trace_text

        expected = f"expected to {'be violated' if self.parent.spec.expect.names else 'hold'}"
        said = "not judged" if found is None else f"{found.status} {found.reason}".strip()
        lines = [f"{self.parent.name}.{self.name} is {expected}; found: {said}"]
        trace = trace_of(outcome) if isinstance(outcome, Failed) else None if found is None else found.trace
        if trace is not None:
            lines += ["", trace_text(trace), f"picture: {self._drawn(trace)}"]
        return "\n".join([*lines, "", outcome_text(outcome)])

    def _drawn(self, trace: Trace) -> Path | str:
        """The picture of a run, below the project's folder."""
        from quorate.errors import QuorateError
        from quorate.pipeline.record import FOLDER
        from quorate.report.diagram import spacetime
        from quorate.report.render import render

        folder = self.config.rootpath / FOLDER / "pytest"
        file = folder / f"{re.sub(r'[^A-Za-z0-9_.]+', '-', self.nodeid)}.svg"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            (folder.parent / ".gitignore").write_text("*\n", encoding="utf-8")
            render(spacetime(trace), file)
        except OSError as error:
            return f"none, {folder} cannot be written to: {error.strerror}"
        except QuorateError as error:
            return f"none. {error}"
        return file

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """The run instead of our traceback."""
        return str(excinfo.value) if _of_ours(excinfo) else super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Where the property is."""
        from quorate.language.places import class_location, function_location

        function = getattr(self.parent.spec, self.name, None)
        place = function_location(function) if callable(function) else class_location(self.parent.spec)
        return self.path, None if place is None else place.line - 1, f"{self.parent.name}.{self.name}"
