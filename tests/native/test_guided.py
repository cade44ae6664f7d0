"""Guided runs: they get where others do not, they are functions of their seed, and what they find is real."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from quorate import Nat, Network, Scalarset, Spec, action, invariant, record, require
from quorate.commands.simulate import command
from quorate.explore import Limits, Watch, check
from quorate.explore.engine import EngineUnavailable
from quorate.explore.native import library, simulation
from quorate.explore.simulate import Met, simulate
from quorate.language.system import Failure
from quorate_specs.consensus.raft import CommitsOldTerms
from quorate_specs.transactions.two_phase_commit import CommitByMajority, TwoPhaseCommit

from tests.generated import load, write
from tests.native.agreement import QUICK_FLAGS

DRAWN = 6


class Rung(Nat, max=24):
    """A place on a ladder."""


class Ladder(Spec):
    """Of each two steps, one leads back to the ground."""

    at: Rung

    @action
    def climb(self) -> None:
        require(self.at < 24)
        self.at += 1

    @action
    def fall(self) -> None:
        self.at = Rung(0)

    @invariant
    def never_on_top(self) -> bool:
        return self.at < 24


class Member(Scalarset, size=2):
    """Who votes."""


class Round(Nat, max=40):
    """So many that the network is no mask."""


@record
class Vote:
    """`voter` is for `candidate`."""

    round: Round
    voter: Member
    candidate: Member


@record
class Word:
    """Something else on the same network."""

    round: Round
    said: Member


class Counts(Spec):
    """Candidates ask for the votes for themselves; words do not matter to them."""

    network: Network[Vote | Word] = Network(capacity=3)
    won: set[Member]

    @action
    def vote(self, v: Member, c: Member) -> None:
        self.network.send(Vote(Round(7), v, c))

    @action
    def say(self, m: Member) -> None:
        self.network.send(Word(Round(3), m))

    @action
    def win(self, c: Member) -> None:
        require(c not in self.won and any(m.candidate == c for m in self.network if isinstance(m, Vote)))
        self.won.add(c)

    @action
    def hear(self, m: Word) -> None:
        require(m in self.network)
        self.network.receive(m)
        self.won = set()


def test_guided_runs_get_where_others_do_not() -> None:
    """A random run climbs to the top once in 2^24 times; but every rung is something new. What is shown are the runs that led there."""
    found = simulate(Ladder, seed=1, runs=20_000, length=400, guided=True, engine="native", workers=2)
    assert found.violation is not None and found.violation.property == "never_on_top"
    assert [step.action for step in found.violation.steps[-24:]] == ["climb"] * 24
    assert found.met == {"climb": Met(24, found.met["climb"].late), "fall": Met(1, 0)}  # type: ignore[index]
    swarm = simulate(Ladder, seed=1, runs=found.runs, length=400, engine="native")
    assert swarm.violation is None and swarm.met is None


def test_they_are_the_same_with_any_number_of_workers() -> None:
    one, *others = (
        simulate(TwoPhaseCommit, seed=7, runs=6_000, length=40, guided=True, engine="native", workers=workers)
        for workers in (1, 1, 2, 3)
    )
    assert one.runs == 6_000 and one.violation is None and one.steps == sum(one.actions.values()) < 6_000 * 40
    assert one.last is not None and len(one.last.steps) <= 40
    assert others == [one] * 3
    assert simulate(TwoPhaseCommit, seed=8, runs=6_000, length=40, guided=True, engine="native").actions != one.actions


def test_a_violation_ends_them_at_the_same_run() -> None:
    one, two = (
        simulate(CommitByMajority, seed=1, runs=100_000, length=40, guided=True, engine="native", workers=workers)
        for workers in (1, 2)
    )
    assert one == two and one.violation is not None and one.violation.property == "atomicity"
    before = simulate(CommitByMajority, seed=1, runs=one.runs - 1, length=40, guided=True, engine="native")
    assert before.violation is None


def test_what_is_read_of_a_network_are_the_messages_that_are_asked_for() -> None:
    """Each candidate wins with one voter's vote, the other's, or both: words, and votes for the other one, are not told apart. A message
    that is delivered was there."""
    met = simulate(Counts, seed=1, runs=2_000, length=30, guided=True, engine="native").met
    assert met is not None
    assert {name: each.pairs for name, each in met.items()} == {"vote": 4, "say": 2, "win": 2 * 3, "hear": 2}
    assert all(each.late == 0 for each in met.values())


def test_a_prefix_counts_as_part_of_the_run() -> None:
    """No run is longer than asked, and a time limit is kept."""
    short = simulate(Ladder, seed=3, runs=3_000, length=20, guided=True, engine="native")
    assert short.violation is None and short.met is not None and short.met["climb"].pairs <= 20
    ended = simulate(
        Ladder, seed=3, runs=10**9, length=20, guided=True, engine="native", watch=Watch(Limits(seconds=1))
    )
    assert ended.stopped is not None and "1 s" in ended.stopped and ended.last is not None


def test_more_than_there_is_room_for_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    sources = dict(library.engine_sources())
    sources["guide.h"] = sources["guide.h"].replace("PAIRS_MAX = 1 << 21", "PAIRS_MAX = 5")
    monkeypatch.setattr(library, "engine_sources", lambda: sources)
    found = simulate(TwoPhaseCommit, seed=1, runs=500, guided=True, engine="native")
    assert found.met is not None and sum(each.pairs for each in found.met.values()) == 5
    assert any("room" in note for note in found.notes)


def test_the_reference_engine_refuses_and_the_command_goes_on_as_a_swarm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(EngineUnavailable, match="only the native engine guides"):
        simulate(Ladder, seed=1, guided=True, engine="reference")
    monkeypatch.setenv("CC", str(tmp_path / "none"))
    given = ["two_phase_commit", "--runs", "3", "--seed", "1", "--format", "json"]
    facts = json.loads(CliRunner().invoke(command, given).output)
    assert (
        facts["engine"] == "reference"
        and facts["met"] is None
        and facts["notes"][0].startswith("not guided: the native")
    )
    refused = CliRunner().invoke(command, [*given, "--guided"])
    assert isinstance(refused.exception, EngineUnavailable) and "none" in str(refused.exception)


def test_the_command_tells_what_was_met() -> None:
    done = CliRunner().invoke(command, ["two_phase_commit", "--runs", "2000", "--seed", "4"])
    assert (
        done.exit_code == 0
        and "2,000 guided runs" in done.output
        and "new in the last tenth" in done.output
        and "together" in done.output
    )
    alone = CliRunner().invoke(command, ["two_phase_commit", "--seed", "4", "--engine", "native"])
    assert "together" not in alone.output


@pytest.mark.slow
@pytest.mark.parametrize("number", range(DRAWN))
def test_guided_runs_of_drawn_specs_replay(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library, "FLAGS", QUICK_FLAGS)
    monkeypatch.setattr(simulation, "EPOCH_RUNS", 8)
    spec = load(write(2_000 + number))
    try:
        one, two = (
            simulate(spec, seed=number, runs=200, length=12, guided=True, engine="native", workers=workers)
            for workers in (1, 2)
        )
    except Failure:
        pytest.skip("this spec has no initial state")
    assert one == two
    assert one.violation is None or check(spec, engine="reference").verdict in ("violated", "error")


class FromTheBeginning(CommitsOldTerms):
    """Figure 8 without its first stages, where exhaustion is out of reach."""

    omits = ("figure_8",)


@pytest.mark.deep
@pytest.mark.parametrize("seed", [1, 2])
def test_guided_runs_find_figure_8_from_the_very_beginning_within_a_minute(seed: int) -> None:
    spec = FromTheBeginning.bounded(Server=5, Term=4, Index=3)
    found = simulate(
        spec, seed=seed, runs=10**9, length=60, guided=True, engine="native", watch=Watch(Limits(seconds=60))
    )
    assert found.violation is not None and found.violation.property == "leader_completeness"
