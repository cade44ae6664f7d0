"""The playground in a real browser, with Python in it, as `quorate site` writes it."""

from __future__ import annotations

import subprocess
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from quorate.commands.site import Site

ROOT = Path(__file__).parents[2]


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Requests are not told."""


@pytest.mark.slow
@pytest.mark.deep
def test_the_tutorials_lock_is_checked_and_stepped_through_in_the_browser(page: Any, tmp_path: Path) -> None:
    try:
        done = subprocess.run(
            ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", str(tmp_path), "pyodide"],
            capture_output=True,
            check=False,
        )
    except FileNotFoundError:
        pytest.skip("there is no npm")
    if done.returncode != 0:
        pytest.skip("npm cannot install Pyodide")
    out = tmp_path / "site"
    out.mkdir()
    Site(ROOT, out, tmp_path / "node_modules" / "pyodide").write_playground()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(out)))
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        page.goto(f"http://127.0.0.1:{server.server_port}/play/")
        page.locator("button:not([disabled])", has_text="Check").wait_for(timeout=120_000)
        page.get_by_role("button", name="Check").click()
        page.locator(".told pre", has_text="one_holder").wait_for(timeout=60_000)
        page.locator(".properties .bad", has_text="one_holder").wait_for(timeout=60_000)
        text = page.locator("#text").input_value()
        page.locator("#text").fill(text.replace("def ask(self", "def ask(self,,"))
        page.get_by_role("button", name="Explore").click()
        page.get_by_text("not valid Python").wait_for(timeout=60_000)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
