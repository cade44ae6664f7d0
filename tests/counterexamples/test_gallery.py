"""The counterexamples in the repository are those of today's library.

When one of these fails after a change that was meant: `quorate gallery` finds and draws all of them again.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from quorate.commands.gallery import Broken, broken, page
from quorate.explore.replay import replay
from quorate.report.diagram import spacetime
from quorate.report.render import svg
from quorate.trace import Trace

GALLERY = Path(__file__).parents[2] / "counterexamples"
AGAIN = "run `quorate gallery`"
every = pytest.mark.parametrize("member", list(broken()), ids=lambda member: str(member.folder))


def stored(member: Broken) -> Trace:
    """The trace in the repository."""
    file = GALLERY / member.folder / "trace.json"
    assert file.is_file(), f"{file} is missing: {AGAIN}"
    return Trace.load(file)


def words(picture: str) -> list[str]:
    """The texts of an SVG picture, wherever they stand."""
    return sorted(re.findall(r"<text[^>]*>([^<]*)</text>", picture))


@every
def test_the_trace_happens_today_and_violates_what_the_variant_announces(member: Broken) -> None:
    trace = stored(member)
    assert trace.property == member.cls.expect.violated
    assert (trace.spec, trace.variant) == (member.spec, member.variant)
    result = replay(trace, member.cls)
    assert result.reproduced, f"{result.message} {AGAIN}"
    assert result.now == trace, f"the witnesses or marks of {member.folder} are of an older day: {AGAIN}"


@every
def test_the_picture_says_what_the_trace_says(member: Broken) -> None:
    picture = (GALLERY / member.folder / "diagram.svg").read_text(encoding="utf-8")
    assert words(picture), f"{member.folder} has an empty picture"
    assert words(picture) == words(svg(spacetime(stored(member)))), f"{member.folder}: {AGAIN}"


def test_no_counterexample_is_left_of_a_variant_that_is_gone() -> None:
    kept = {file.parent.relative_to(GALLERY) for file in GALLERY.rglob("trace.json")}
    assert kept == {member.folder for member in broken()}, AGAIN


def test_the_page_shows_them_all() -> None:
    assert (GALLERY / "README.md").read_text(encoding="utf-8") == page(GALLERY), AGAIN


def test_folders_are_named_after_the_variants() -> None:
    assert Broken("raft", "AsPublished").folder == Path("raft/as_published")
    assert Broken("consensus.raft", "A").folder == Path("consensus/raft/a")
