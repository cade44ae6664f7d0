"""The report of checks in a real browser: offline, by day and by night, wide and narrow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from quorate.cli import cli


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("report") / "report.html"
    options = ["--engine", "reference", "--workers", "1", "--no-skip", "-o", str(file)]
    variants = ["two_phase_commit:TwoPhaseCommit", "two_phase_commit:CommitByMajority"]
    assert CliRunner().invoke(cli, ["verify", *variants, *options]).exit_code == 0
    return file


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_reader_goes_from_the_table_to_the_run(report: Path, page: Any, scheme: str) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.emulate_media(color_scheme=scheme)
    page.goto(report.as_uri())
    assert page.locator("figure.run svg:visible").count() == 0  # All is as expected, and folded.
    page.get_by_role("link", name="two_phase_commit:CommitByMajority").click()
    picture = page.locator("figure.run svg:visible")
    assert picture.count() == 1 and "atomicity" in picture.text_content()
    bars = page.locator("svg.plot:visible rect.bar")
    assert bars.count() == 8 and "depth 0: 1 state" in bars.first.text_content()
    ground, word = (page.evaluate(f"getComputedStyle(document.body).{name}") for name in ("backgroundColor", "color"))
    assert (ground == "rgb(255, 255, 255)") == (scheme == "light") and ground != word
    page.set_viewport_size({"width": 390, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert asked == [report.as_uri()]
