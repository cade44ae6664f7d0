"""The map of the library is that of today's library.

When one of these fails after a change that was meant: `quorate map` counts what is not counted, and writes the page.
"""

from __future__ import annotations

import importlib
import shutil
from pathlib import Path

import pytest
import quorate_specs
from click.testing import CliRunner
from quorate.commands.map import command, counts, page, proven_for_any_size, uncounted
from quorate.errors import UsageError
from quorate.explore import check
from quorate.loading import families, load, names

ROOT = Path(__file__).parents[2]
SPECS = ROOT / "specs"
AGAIN = "run `quorate map`"
FEW = 20_000
"""So few states are counted again by a test; the others with `quorate map --all`."""


def test_the_page_is_current() -> None:
    assert (SPECS / "README.md").read_text(encoding="utf-8") == page(SPECS), AGAIN


def test_every_protocol_was_counted_at_its_bounds_and_no_other() -> None:
    kept = counts(SPECS)
    assert uncounted(kept) == [] and set(kept) == set(names()), AGAIN


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name, count in counts(SPECS).items() if count.states <= FEW])
def test_small_protocols_have_as_many_states_as_it_says(name: str) -> None:
    outcome, kept = check(load(name).main), counts(SPECS)[name]
    assert (outcome.verdict, outcome.statistics.states) == (kept.verdict, kept.states), (
        f"run `quorate map --only {name}`"
    )


def test_the_course_names_what_there_is() -> None:
    for family, course in quorate_specs.COURSE.items():
        for name in course:
            importlib.import_module(f"quorate_specs.{family}.{name}")


@pytest.mark.parametrize("family", families(), ids=lambda family: family.name)
def test_a_family_says_what_to_learn_and_its_protocols_what_they_promise(family) -> None:  # type: ignore[no-untyped-def]
    assert family.about.endswith(".") and len(family.lesson.split()) > 30
    for name in family.protocols:
        protocol = load(name)
        assert protocol.about and protocol.promise, f"{name}: begin a paragraph of its docstring with *Promise*"


def test_what_is_proven_for_any_size_is_said_of_protocols() -> None:
    proven = proven_for_any_size((ROOT / "docs" / "proofs.md").read_text(encoding="utf-8"))
    assert "atomicity" in proven["two_phase_commit"] and set(proven) <= set(names())


@pytest.mark.slow
def test_what_was_not_counted_is_counted_and_the_rest_stays(tmp_path: Path) -> None:
    for name in ("docs", "counterexamples", "impl"):
        (tmp_path / name).symlink_to(ROOT / name)
    shutil.copytree(SPECS, tmp_path / "specs", ignore=shutil.ignore_patterns("quorate_specs", "README.md"))
    kept = counts(SPECS)
    file = tmp_path / "specs" / "states.json"
    file.write_text(
        file.read_text(encoding="utf-8").replace('"raft_election": {', '"raft_of_old": {'), encoding="utf-8"
    )
    result = CliRunner().invoke(command, [str(tmp_path / "specs")], catch_exceptions=False)
    assert result.output == f"raft_election: {kept['raft_election'].states:,} states\n"
    again = counts(tmp_path / "specs")
    assert {name: count.states for name, count in again.items()} == {name: count.states for name, count in kept.items()}
    assert (tmp_path / "specs" / "README.md").read_text(encoding="utf-8") == page(tmp_path / "specs")


def test_counting_an_unknown_protocol_is_refused_and_writes_nothing(tmp_path: Path) -> None:
    result = CliRunner().invoke(command, [str(tmp_path), "--only", "raft_electoin"])
    assert isinstance(result.exception, UsageError) and "raft_election" in str(result.exception)
    assert not list(tmp_path.iterdir())
