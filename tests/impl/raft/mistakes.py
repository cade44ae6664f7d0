"""Mistakes that implementations of Raft have made, each as small as it is."""

from __future__ import annotations

from quorate_impl.raft import Raft
from quorate_impl.raft.messages import AppendReply, Command, Entry, HardState
from quorate_impl.raft.progress import ReadRound
from quorate_impl.raft.store import Answer, Store


class ForgetsVote(Raft):
    """The vote is kept in memory only."""

    def _save_vote(self) -> int:
        return self.persist(HardState(self.term, None))


class RepliesBeforeSync(Raft):
    """A follower confirms entries that its disk does not have yet."""

    def _confirm(self, source: str, reply: AppendReply) -> None:
        self.send_at_once(source, reply)


class VotesForAnyone(Raft):
    """A voter does not compare logs."""

    def _is_up_to_date(self, last_term: int, last_index: int) -> bool:
        return True


class TruncatesAlways(Raft):
    """A follower cuts its log after what it was sent, without looking for a conflict."""

    def _take(self, prev_index: int, entries: tuple[Entry, ...]) -> None:
        if prev_index >= self.commit_index:
            self._write(prev_index + 1, entries)


class ReadsAtDeposedLeader(Raft):
    """A leader answers reads without asking whether it still leads."""

    def _may_answer(self, reads: ReadRound) -> bool:
        return True


class ReadsBeforeOwnCommit(Raft):
    """A new leader reads up to a commit index that may be behind what was acknowledged."""

    def _knows_commits(self) -> bool:
        return True


class ForgetfulStore(Store):
    def execute(self, command: Command) -> Answer:
        return self._update(command.update)


class ExecutesTwice(Raft):
    """An update that is in the log twice is executed twice."""

    def _recover(self, records: object) -> None:
        self.store = ForgetfulStore()
        super()._recover(records)  # type: ignore[arg-type]


class CommitsOldTerms(Raft):
    """A leader commits an entry of an earlier term by counting."""

    def _may_commit(self, index: int) -> bool:
        return True
