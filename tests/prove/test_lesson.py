"""docs/proofs.md shows what `quorate prove` prints."""

from pathlib import Path

import pytest
from click.testing import CliRunner
from quorate.commands.prove import command
from quorate.explore import check
from quorate.kinds import SAFETY
from quorate.loading import load
from quorate.model.build import build
from quorate.outcome import HoldsWithinBounds
from quorate.prove.any_size.history import history_of, with_history

RAFT = ("election_safety", "log_matching", "leader_completeness", "state_machine_safety")
LESSON = Path(__file__).parents[2] / "docs" / "proofs" / "lesson.py"


@pytest.mark.parametrize(("name", "wire"), [("Bare", "{}"), ("OneLemma", "{COMMIT}")])
def test_the_counterexamples_of_the_lesson_are_those_that_are_drawn(name: str, wire: str) -> None:
    result = CliRunner().invoke(command, [f"{LESSON}:{name}", "--bound", "ResourceManager=2", "--depth", "6"])
    assert result.exit_code == 3, result.output
    assert "atomicity holds before choose_to_abort(r=rm1) and not after" in result.output
    assert f"network        {wire}" in result.output


@pytest.mark.parametrize(
    ("name", "broken", "open_lemmas"),
    [
        ("BareElection", "election_safety holds before win(s=s2) and not after", ["election_safety"]),
        ("Majorities", "one_vote_per_term holds before handle_request", ["election_safety", "one_vote_per_term"]),
        ("BindingVotes", "votes_bind holds before handle_request", ["votes_bind", "elected_by_majority"]),
    ],
)
def test_the_election_fails_where_the_lesson_says(name: str, broken: str, open_lemmas: list[str]) -> None:
    bounds = ["--bound", "Server=2", "--bound", "Term=1", "--depth", "6"]
    result = CliRunner().invoke(command, [f"{LESSON}:{name}", *bounds])
    assert result.exit_code == 3, result.output
    assert broken in result.output and "a lemma can exclude it" in result.output
    failed = [line.split()[2] for line in result.output.splitlines() if line.startswith("NOT PROVEN")]
    assert set(open_lemmas) <= set(failed)
    assert ("election_safety" in failed) == (name != "BindingVotes")


def test_the_lesson_ends_with_proofs() -> None:
    for spec in ("two_phase_commit", "raft_election"):
        result = CliRunner().invoke(command, [spec, "--any-size"])
        assert result.exit_code == 0 and "proven for any size" in result.output


@pytest.mark.deep
@pytest.mark.slow
def test_log_matching_is_proven_for_any_number_of_servers() -> None:
    goals = ["--invariant", "election_safety", "--invariant", "log_matching"]
    result = CliRunner().invoke(command, [f"{LESSON}:NothingRemembered", "--any-size", *goals])
    assert result.exit_code == 0 and "proven for any size: election_safety, log_matching" in result.output
    assert "logs_match_what_was_sent" in result.output


@pytest.mark.deep
@pytest.mark.slow
def test_raft_is_proven_to_the_end_for_any_number_of_servers() -> None:
    goals = [part for name in RAFT for part in ("--invariant", name)]
    result = CliRunner().invoke(command, ["raft", "--any-size", *goals])
    assert result.exit_code == 0 and f"proven for any size: {', '.join(RAFT)}" in result.output, result.output


def test_what_is_proven_of_the_heir_that_remembers_is_proven_of_raft() -> None:
    raft = load("raft").main
    heir = with_history(raft)
    assert heir is not raft and history_of(raft, heir) == ("leader_log",)
    properties = {prop.name for prop in build(heir).of(*SAFETY)}
    assert {prop.name for prop in build(raft).of(*SAFETY) if prop.kind != "lemma"} <= properties


@pytest.mark.deep
@pytest.mark.slow
def test_leaders_are_alone_in_their_term_for_any_number_of_servers() -> None:
    goals = ["winners_are_first", "leaders_are_alone"]
    result = CliRunner().invoke(command, ["raft", "--any-size", *(f"--invariant={name}" for name in goals)])
    assert result.exit_code == 0 and f"proven for any size: {', '.join(goals)}" in result.output, result.output


@pytest.mark.slow
def test_the_lemmas_of_raft_are_true_where_they_are_explored() -> None:
    found = check(with_history(load("raft").main.bounded(Index=1)))
    assert isinstance(found, HoldsWithinBounds), found


def test_quorums_are_asked_on_the_command_line() -> None:
    result = CliRunner().invoke(command, ["quorums", "--N", "5", "--R", "2", "--W", "3"])
    assert result.exit_code == 1 and "it needs 2 + 3 > 5" in result.output
