"""How long a reader waits for the explorer and the playground: wall time, in headless Chromium on this machine.

    python bench/explorer.py [PYODIDE]

PYODIDE is the npm package `pyodide`, for the playground. Each figure is the middle of several times; what a first use compiles is
told apart.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from statistics import median
from threading import Thread
from typing import Any

from playwright.sync_api import sync_playwright
from quorate.commands.site import Site
from quorate.trace import Trace

ROOT = Path(__file__).resolve().parents[1]
FIGURE_8 = Trace.load(ROOT / "counterexamples" / "raft" / "commits_old_terms" / "trace.json")
TIMES, ROUNDS = 5, 4


@contextmanager
def explorer(*arguments: str) -> Iterator[tuple[str, float]]:
    """`quorate explore` as a process: its address, and when it was started."""
    quorate = Path(sys.executable).with_name("quorate")
    begun = time.perf_counter()
    command = [str(quorate), "explore", *arguments, "--no-browser"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        assert process.stdout is not None
        line = next(line for line in process.stdout if "http://" in line)
        try:
            yield line[line.index("http://") :].split()[0], begun
        finally:
            process.terminate()


def first_picture(browser: Any) -> float:
    """From the command to the diagram on the page, in a browser that runs already."""
    with explorer("raft") as (address, begun):
        page = browser.new_page()
        page.goto(address)
        page.locator(".diagram").wait_for()
        seconds = time.perf_counter() - begun
        page.close()
    return seconds


def clicks(browser: Any) -> list[float]:
    """From a click on what can happen to the picture with the step, as the page itself measures it."""
    with explorer("raft") as (address, _):
        found = []
        for number in (1, 2, 3, 4, 5) * ROUNDS:
            if number == 1:
                page = browser.new_page()
                page.goto(address)
                page.locator(".option").first.wait_for()
            found.append(
                page.evaluate(
                    """async (number) => {
                        const begun = performance.now();
                        const options = [...document.querySelectorAll(".option")];
                        options[number % options.length].click();
                        while (document.querySelector("footer output").textContent !== String(number)
                               || !document.querySelector("#state").textContent.includes(`step ${number}`))
                            await new Promise(requestAnimationFrame);
                        return (performance.now() - begun) / 1000;
                    }""",
                    number,
                )
            )
    return found


def figure_8(browser: Any) -> float:
    """From V to the violation of figure 8 on the page."""
    bounds = [part for name, size in FIGURE_8.bounds.items() for part in ("--bound", f"{name}={size}")]
    with explorer("raft", "--variant", "CommitsOldTerms", *bounds) as (address, _):
        page = browser.new_page()
        page.goto(address)
        page.locator(".option").first.wait_for()
        begun = time.perf_counter()
        page.keyboard.press("v")
        page.locator(".properties .bad", has_text="leader_completeness").wait_for(timeout=120_000)
        seconds = time.perf_counter() - begun
        page.close()
    return seconds


class Quiet(SimpleHTTPRequestHandler):
    """Does not tell of requests."""

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing."""


def playground(browser: Any, pyodide: Path) -> tuple[float, float]:
    """From the address to where Check can be pressed, and from there to the verdict on the tutorial's lock."""
    with tempfile.TemporaryDirectory() as folder:
        Site(ROOT, Path(folder), pyodide).write_playground()
        server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder))
        Thread(target=server.serve_forever).start()
        try:
            page = browser.new_context().new_page()
            begun = time.perf_counter()
            page.goto(f"http://127.0.0.1:{server.server_port}/play/")
            page.locator("button:not([disabled])", has_text="Check").wait_for(timeout=120_000)
            loaded = time.perf_counter()
            page.get_by_role("button", name="Check").click()
            page.locator(".told pre", has_text="one_holder").wait_for(timeout=120_000)
            checked = time.perf_counter()
            page.context.close()
        finally:
            server.shutdown()
            server.server_close()
    return loaded - begun, checked - loaded


def main() -> None:
    """Print all of it."""
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))))
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, args=["--no-sandbox"])
        pictures = [first_picture(browser) for _ in range(TIMES)]
        print(
            f"first picture of raft: {median(pictures):.2f} s (of {TIMES}: {min(pictures):.2f} to {max(pictures):.2f})"
        )
        each = clicks(browser)
        print(f"a click: {1000 * median(each):.0f} ms (of {len(each)}: at most {1000 * max(each):.0f} ms)")
        searches = [figure_8(browser) for _ in range(2)]
        print(f"to figure 8: {searches[0]:.1f} s, again {searches[1]:.1f} s")
        if len(sys.argv) > 1:
            loads = [playground(browser, Path(sys.argv[1])) for _ in range(3)]
            print(
                f"the playground: {median(one for one, _ in loads):.1f} s, the check of the lock {median(one for _, one in loads):.1f} s"
            )
        browser.close()


if __name__ == "__main__":
    main()
