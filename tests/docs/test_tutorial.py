"""The tutorial works: its files are saved, its commands run, their output is what the page prints."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from quorate.report.diagram import spacetime
from quorate.report.render import svg
from quorate.trace import Trace

from tests.docs.following import follow
from tests.docs.pages import DOCS


def words(picture: str) -> list[str]:
    """The texts of an SVG picture."""
    return sorted(re.findall(r"<text[^>]*>([^<]*)</text>", picture))


@pytest.mark.slow
def test_the_tutorial_can_be_followed(tmp_path: Path) -> None:
    assert len(follow(DOCS / "tutorial.md", tmp_path)) == 9
    assert (tmp_path / "lock.png").read_bytes().startswith(b"\x89PNG")
    shown = (DOCS / "lock.svg").read_text(encoding="utf-8")
    assert words(shown) == words(svg(spacetime(Trace.load(tmp_path / "out" / "trace.json"))))
