"""What all tests need of the process that they run in, and which of those that look at the whole library are quick."""

import re
import signal

import pytest

SAMPLE = {"cache_aside", "lww_register", "order_inventory", "raft_election", "two_phase_commit"}
"""The protocols whose tests marked `library` are not slow."""


def pytest_configure() -> None:
    """Tests send signals: a shell starts what it runs in the background with SIGINT ignored, `nohup` with SIGHUP ignored, and
    processes inherit that."""
    for number, usual in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, usual)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A test marked `library` has a case for each protocol, whose name its parameters begin with; all but a sample are slow."""
    for item in items:
        if item.get_closest_marker("library") and re.split(r"[\[.\]-]", item.name)[1] not in SAMPLE:
            item.add_marker(pytest.mark.slow)
