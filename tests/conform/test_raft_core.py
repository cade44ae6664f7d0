"""The Raft of `quorate_impl` does what the specification `raft` says, under partitions, pauses and bad clocks; mistakes are named."""

from __future__ import annotations

from pathlib import Path

import pytest
from quorate.conform import Conforms, Differs, validate
from quorate_impl.raft import Raft
from quorate_impl.raft.messages import AppendEntries, RequestVote
from quorate_specs.consensus.raft import Raft as Specification

from tests.conform.raft_core import MAP, told_run
from tests.conform.runs import write
from tests.impl.raft.mistakes import TruncatesAlways, VotesForAnyone


class VotesTwice(Raft):
    """Forgets in a term whom it has voted for."""

    def _handle_request(self, source: str, m: RequestVote) -> None:
        if m.term == self.term:
            self.voted_for = None
        super()._handle_request(source, m)


class OneIsEnough(Raft):
    """Takes itself for a majority."""

    def _win_if_enough(self) -> None:
        self._votes |= set(self.log.members)
        super()._win_if_enough()


class CommitsOldTerms(Raft):
    """Commits an entry of an earlier term by counting."""

    def _may_commit(self, index: int) -> bool:
        return True


class CommitsTooFar(Raft):
    """Commits what one server has."""

    def _replicated(self) -> int:
        return max(self._match(name) for name in self.log.members)


class TakesWhatDoesNotFit(Raft):
    """Does not look at the term of the entry before the new ones."""

    def _handle_append(self, source: str, m: AppendEntries) -> None:
        if 0 < m.prev_index <= self.log.last_index:
            super()._handle_append(
                source,
                AppendEntries(m.term, m.prev_index, self.log.term_at(m.prev_index), m.entries, m.commit, m.round),
            )
        else:
            super()._handle_append(source, m)


class BelievesTheLeader(Raft):
    """Takes the leader's commit index for its own, whatever it has."""

    def _handle_append(self, source: str, m: AppendEntries) -> None:
        super()._handle_append(source, m)
        if m.term == self.term and m.commit <= self.log.last_index:
            self._advance(max(self.commit_index, m.commit))


class StaysInItsTerm(Raft):
    """Runs again in the term in which it has lost."""

    def _time_out(self, is_invited: bool) -> None:
        self.term -= min(self.term, 1)
        super()._time_out(is_invited)


MISTAKES = {
    VotesTwice: {"handle_request"},
    VotesForAnyone: {"handle_request"},
    OneIsEnough: {"win"},
    CommitsOldTerms: {"commit"},
    CommitsTooFar: {"commit"},
    TruncatesAlways: {"handle_append"},
    TakesWhatDoesNotFit: {"handle_append", "commit"},  # A false reply shows when the leader counts it.
    BelievesTheLeader: {"handle_append"},
    StaysInItsTerm: {"time_out"},
}


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (33, *range(100, 112)))])
def test_the_core_does_what_the_specification_says(seed: int, tmp_path: Path) -> None:
    lines, outcome = told_run(seed)
    assert outcome.failure is None
    verdict = validate([write(tmp_path / "log.jsonl", lines)], Specification, MAP, "raft")
    assert isinstance(verdict, Conforms)
    assert verdict.coverage.events == len(lines) > 100
    assert verdict.coverage.values.keys() == {"term", "voted_for", "leads", "commit_index", "log_length", "last_entry"}


@pytest.mark.slow
@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.__name__)
def test_every_planted_mistake_is_named(mistake: type[Raft], tmp_path: Path) -> None:
    """Which run meets it is chance; the promises of Raft need not be broken in it."""
    for seed in range(60):
        lines, _ = told_run(seed, mistake)
        if not lines:
            continue
        verdict = validate([write(tmp_path / "log.jsonl", lines)], Specification, MAP, "raft")
        if isinstance(verdict, Differs):
            assert verdict.event.name in MISTAKES[mistake]
            return
    pytest.fail("no run meets it")
