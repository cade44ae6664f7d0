"""The playground in a real browser, with Python in it, as `quorate site` writes it."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from quorate.commands.site import Site
from quorate.explorer.exercises import Exercise, exercises

from tests.web.conftest import WAIT_MS
from tests.web.npm import installed

ROOT = Path(__file__).parents[2]
EXERCISES = exercises(ROOT / "docs" / "exercises")


CANDLE = (ROOT / "tests" / "explorer" / "candle.py").read_text(encoding="utf-8")


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Requests are not told."""


@pytest.fixture(scope="module")
def playground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serves the playground; its address."""
    folder = tmp_path_factory.mktemp("playground")
    try:
        done = subprocess.run(
            ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", str(folder), "pyodide"],
            capture_output=True,
            check=False,
        )
    except FileNotFoundError:
        pytest.skip("there is no npm")
    if done.returncode != 0:
        pytest.skip("npm cannot install Pyodide")
    out = folder / "site"
    out.mkdir()
    Site(ROOT, out, folder / "node_modules" / "pyodide").write_playground()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(out)))
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/play/"
    server.shutdown()
    thread.join()
    server.server_close()


def check(page: Any) -> None:
    page.locator("button:not([disabled])", has_text="Check").click()


def write(page: Any, text: str) -> None:
    """Replace the text as a reader does who pastes another one."""
    page.locator("#text").click()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(text)


@pytest.mark.slow
@pytest.mark.deep
def test_the_tutorials_lock_is_checked_and_stepped_through_in_the_browser(page: Any, playground: str) -> None:
    page.goto(playground)
    check(page)
    page.locator(".told pre", has_text="one_holder").wait_for()
    page.locator(".properties .bad", has_text="one_holder").wait_for()


@pytest.mark.slow
@pytest.mark.deep
def test_liveness_is_judged_in_the_browser_and_when_it_was_too_late(page: Any, playground: str) -> None:
    page.goto(playground)
    write(page, CANDLE)
    check(page)
    page.locator(".told pre", has_text="is_out").wait_for()
    page.locator(".properties .bad", has_text="burns_long").wait_for()
    page.get_by_role("button", name="When was it too late?").first.click()
    page.get_by_text("Among fair runs it is step 3").first.wait_for()
    assert page.locator(".tick.late").count() == 2


@pytest.mark.slow
@pytest.mark.deep
def test_an_error_is_marked_in_its_line_and_the_cursor_is_there(page: Any, playground: str) -> None:
    page.goto(playground)
    text = EXERCISES[0].given.replace("def ask(self", "def ask(self,,")
    write(page, text)
    page.locator("button:not([disabled])", has_text="Explore").click()
    page.locator(".told .error", has_text="not valid Python").wait_for()
    number = text[: text.index("self,,")].count("\n") + 1
    assert page.locator(".told .error").inner_text().startswith(f"Line {number}:")
    assert page.locator(".cm-lintRange-error").count() == 1 and page.locator(".cm-lint-marker-error").count() == 1
    assert "ask(self,," in page.locator(".cm-activeLine").first.inner_text()
    page.keyboard.press("Tab")
    assert page.evaluate("() => document.activeElement.id") != "text", "whoever uses the keyboard only gets out"


@pytest.mark.slow
@pytest.mark.deep
@pytest.mark.parametrize("half", [EXERCISES[:5], EXERCISES[5:]], ids=["first", "second"])
def test_each_exercise_fails_as_given_and_passes_with_its_answer_in_the_browser(
    page: Any, playground: str, half: list[Exercise]
) -> None:
    page.goto(f"{playground}#exercise={half[0].name}")
    for exercise in half:
        page.get_by_label("Exercises").select_option(exercise.name)
        page.get_by_role("heading", name=exercise.title).wait_for()
        check(page)
        page.locator(".told .error", has_text="Not yet").wait_for()
        page.get_by_role("button", name="Show an answer").click()
        check(page)
        page.locator(".told .solved", has_text="Solved").wait_for()
    write(page, half[-1].given.replace("    @invariant\n", "", 1))
    check(page)
    page.locator(".told pre", has_text="is part of the question").wait_for()


@pytest.mark.slow
@pytest.mark.deep
def test_axe_finds_nothing_in_the_playground(browser: Any, playground: str) -> None:
    axe = (installed() / "node_modules" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")
    for scheme in ("light", "dark"):
        context = browser.new_context(viewport={"width": 1280, "height": 800}, color_scheme=scheme)
        context.set_default_timeout(WAIT_MS)
        page = context.new_page()
        page.goto(f"{playground}#exercise=quorums")
        check(page)
        page.locator(".told .error", has_text="Not yet").wait_for()
        page.evaluate(axe)
        found = page.evaluate("() => axe.run()")["violations"]
        context.close()
        assert [(one["id"], [node["html"][:120] for node in one["nodes"]]) for one in found] == []
