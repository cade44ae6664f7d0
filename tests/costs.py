"""What each test costs, measured and not guessed: which ones the quick loop runs, and which a nightly run only.

`costs.txt` lists the processor seconds, children included, of the tests that take more than QUICK_S. Three marks follow from it:

- `slow`: not in the quick loop, `pytest -m "not slow"`. Tests may be marked by hand as well.
- `library`: by hand, on tests that have a case for each protocol or variant. There are as many of these as protocols times engines: a case
  that takes more than SHARE_S is
- `deep`: left out unless asked for, `pytest -m deep`, as the nightly workflow does. Drawn specs beyond those that each run looks at are
  marked so by hand.

    pytest --costs -m "deep or not deep"

runs everything and writes the file anew.
"""

from __future__ import annotations

import resource
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

FILE = Path(__file__).with_name("costs.txt")
QUICK_S = 0.05
SHARE_S = 0.35
COST = "processor seconds"

_began = 0.0
_found: dict[str, float] = {}


def recorded() -> dict[str, float]:
    """Processor seconds by the id of the test."""
    pairs = (line.split(" ", 1) for line in FILE.read_text(encoding="utf-8").splitlines())
    return {name: float(seconds) for seconds, name in pairs}


def marks(seconds: float, item: pytest.Item) -> Iterator[pytest.MarkDecorator]:
    """The marks that follow from what a test costs and how it is marked already."""
    deep = item.get_closest_marker("deep") or (seconds > SHARE_S and item.get_closest_marker("library"))
    if deep:
        yield pytest.mark.deep
    if deep or seconds > QUICK_S:
        yield pytest.mark.slow


def shares(count: int, each: int, deep: float = 0.75) -> list[Any]:
    """Where each share of `count` drawn specs begins; the last part of them, `deep` of the whole, is deep."""
    begins = range(0, count, each)
    return [pytest.param(begin, marks=[pytest.mark.deep] if begin >= count * (1 - deep) else []) for begin in begins]


def _used() -> float:
    own, children = (resource.getrusage(whose) for whose in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def pytest_runtest_logstart() -> None:
    """Where the tests run: a test begins."""
    global _began
    _began = _used()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Where the tests run: with the last part of a test goes what it has cost."""
    report: Any = yield
    if call.when == "teardown":
        report.user_properties.append((COST, _used() - _began))
    return report  # type: ignore[no-any-return]


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Where the reports come together: take note."""
    for name, value in report.user_properties:
        if name == COST:
            _found[report.nodeid] = float(str(value))


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write what was found, once, keeping what is known of tests that were not run."""
    if hasattr(session.config, "workerinput"):
        return
    known = {name: seconds for name, seconds in recorded().items() if name not in _found} | _found
    lines = [f"{seconds:.2f} {name}" for name, seconds in sorted(known.items()) if round(seconds, 2) > QUICK_S]
    FILE.write_text("\n".join(lines) + "\n", encoding="utf-8")
