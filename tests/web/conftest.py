"""A headless Chromium of the machine, driven by Playwright. Where one of the two is missing, what needs them is skipped."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import Any

import pytest

WAIT_MS = 120_000
"""How long a test waits for what a page is to show: on a machine with other work a step takes long."""


def chromium() -> str:
    """The browser's program; skips without one."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        pytest.skip("there is no Chromium: `apt-get install chromium`")
    return found


@pytest.fixture(
    scope="module"
)  # While Playwright is there, its event loop runs, and no other can: it goes before the next file's tests.
def browser() -> Iterator[Any]:
    program = chromium()
    playwright = pytest.importorskip("playwright.sync_api", reason="there is no Playwright: `pip install playwright`")
    with playwright.sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    """A tab of 1280x800. A test fails whose page has reported an error."""
    tab = browser.new_page(viewport={"width": 1280, "height": 800})
    tab.set_default_timeout(WAIT_MS)
    errors: list[str] = []
    tab.on("pageerror", lambda error: errors.append(str(error)))
    tab.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    yield tab
    tab.close()
    assert errors == []
