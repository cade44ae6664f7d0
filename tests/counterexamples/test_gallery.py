"""The counterexamples in the repository are those of today's library.

When one of these fails after a change that was meant: `quorate gallery` finds and draws all of them again.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner
from quorate.commands.gallery import Broken, _found, broken, command, page
from quorate.errors import UsageError
from quorate.explore.traces.replay import replay
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


@pytest.mark.slow
def test_one_protocol_alone_is_made_again_and_the_others_stay(tmp_path: Path) -> None:
    directory = tmp_path / "gallery"
    shutil.copytree(GALLERY, directory)
    (directory / "lww_register" / "no_tie_break" / "trace.json").unlink()
    (directory / "paxos" / "half_is_enough" / "diagram.svg").write_text("as it was", encoding="utf-8")
    (directory / "README.md").unlink()
    result = CliRunner().invoke(command, [str(directory), "--only", "lww_register", "--workers", "1"])
    assert result.exit_code == 0, result.output
    told = {line.partition(":")[0] for line in result.output.splitlines()}
    assert told == {str(member.folder) for member in broken() if member.spec == "lww_register"}
    assert (directory / "paxos" / "half_is_enough" / "diagram.svg").read_text(encoding="utf-8") == "as it was"
    for file in [Path("README.md"), *(Path(folder) / "trace.json" for folder in told)]:
        assert (directory / file).read_text(encoding="utf-8") == (GALLERY / file).read_text(encoding="utf-8"), file


def test_only_of_an_unknown_protocol_is_refused_and_writes_nothing(tmp_path: Path) -> None:
    result = CliRunner().invoke(command, [str(tmp_path), "--only", "lww_registre"])
    assert isinstance(result.exception, UsageError) and "lww_register" in str(result.exception)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("limit", "met"), [(2, "violates small"), (9, "ends in `holds-within-bounds`")])
def test_a_variant_that_does_otherwise_is_refused_with_what_was_met(tmp_path: Path, limit: int, met: str) -> None:
    file = tmp_path / "count.py"
    file.write_text(
        "from quorate import Nat, Spec, action, invariant, violates\n\n\nclass N(Nat, max=5):\n    ...\n\n\n"
        "class Count(Spec):\n    n: N\n\n    @action\n    def up(self) -> None:\n        self.n += 1\n\n"
        "    @invariant\n    def small(self) -> bool:\n        return self.n < 10\n\n"
        "    @invariant\n    def low(self) -> bool:\n        return self.n < 20\n\n\n"
        "class Broken(Count):\n    expect = violates('low')\n\n"
        f"    @invariant\n    def small(self) -> bool:\n        return self.n < {limit}\n",
        encoding="utf-8",
    )
    with pytest.raises(UsageError, match=f"Broken {met}, but it is expected that it violates low"):
        _found(Broken(str(file), "Broken"))
