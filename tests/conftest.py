"""What all tests need of the process that they run in, and which of them run when: see `costs.py`."""

import os
import signal

import pytest
from hypothesis import HealthCheck, settings
from quorate.explore.native import library

from tests import costs


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--costs`."""
    parser.addoption("--costs", action="store_true", help="write what the tests cost to tests/costs.txt")


def pytest_configure(config: pytest.Config) -> None:
    """Tests send signals: a shell starts what it runs in the background with SIGINT ignored, `nohup` with SIGHUP ignored, and
    processes inherit that. Models and the engine are compiled in half of the time; `quorate verify` runs what users run. Processes
    that tests start find Python's bytecode, as those of users do. Hypothesis draws the same each time, however slow the machine is."""
    if config.option.costs:
        config.pluginmanager.register(costs)
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    library.FLAGS = (*(flag for flag in library.FLAGS if flag != "-O1"), *library.QUICKLY)
    library.QUICKLY = ()
    settings.register_profile(
        "tests", deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
    )
    settings.load_profile("tests")
    for number, usual in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, usual)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what is slow and what is deep, and leave out what is deep unless `-m` or a full name asks for it."""
    known = costs.recorded()
    for item in items:
        for mark in costs.marks(known.get(item.nodeid, 0.0), item):
            item.add_marker(mark)
    if "deep" in config.option.markexpr or any("[" in argument for argument in config.args):
        return
    deep = [item for item in items if item.get_closest_marker("deep")]
    if deep:
        config.hook.pytest_deselected(items=deep)
        items[:] = [item for item in items if not item.get_closest_marker("deep")]
