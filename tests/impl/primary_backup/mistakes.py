"""Mistakes that primary/backup systems have made, each as small as it is."""

from __future__ import annotations

from collections.abc import Sequence

from quorate_impl.core import Record
from quorate_impl.primary_backup import Arbiter, PrimaryBackup
from quorate_impl.primary_backup.messages import Answer, Command, Entry, Position, Scheme, Stored
from quorate_impl.primary_backup.progress import ReadRound
from quorate_impl.primary_backup.store import Store


class NoFencing(PrimaryBackup):
    """Backups do not compare epochs: they store whatever any primary ships to them (`NoFencing`)."""

    def accepts(self, epoch: int) -> bool:
        return True


class ForgetsItsPromise(PrimaryBackup):
    """The epoch to which a node has promised itself is in its memory only: when it restarts, it takes that of its log."""

    def _recover(self, records: Sequence[Record]) -> None:
        super()._recover(records)
        self.epoch = self.log.last[0]


class ConfirmsBeforeSync(PrimaryBackup):
    """A backup confirms what its disk does not have yet."""

    def _confirm(self, source: str, reply: Stored) -> None:
        self.send_at_once(source, reply)


class ShipsBeforeSync(PrimaryBackup):
    """The primary ships what its own disk does not have yet, and goes on in its epoch when it restarts."""

    def _replicate(self, name: str) -> None:
        stored, self.stored = self.stored, self.log.last_index
        super()._replicate(name)
        self.stored = stored


class PaymentSentAsync(PrimaryBackup):
    """A payment is acknowledged as soon as the primary has it (`PaymentSentAsync`)."""

    def is_safe(self, index: int, scheme: Scheme) -> bool:
        return super().is_safe(index, Scheme.ASYNCHRONOUS)


class SynchronousByMajority(PrimaryBackup):
    """A majority counts as all."""

    def is_safe(self, index: int, scheme: Scheme) -> bool:
        return super().is_safe(index, Scheme.SEMI_SYNCHRONOUS if scheme is Scheme.SYNCHRONOUS else scheme)


class ReadsAtDeposedPrimary(PrimaryBackup):
    """The primary answers reads without asking whether a majority still follows it."""

    def may_read(self, reads: ReadRound) -> bool:
        return True


class IgnoresTokens(PrimaryBackup):
    """A node answers a session's read without looking at what the session has seen."""

    def _has_token(self, token: Position) -> bool:
        return True


class KeepsItsTail(PrimaryBackup):
    """Whoever rejoins keeps what its log has where the new primary's has something else."""

    def _fits(self, prev_epoch: int, prev_index: int) -> bool:
        return prev_index <= self.log.last_index

    def _take(self, prev_index: int, entries: tuple[Entry, ...]) -> bool:
        known = max(self.log.last_index - prev_index, 0)
        return super()._take(prev_index + known, entries[known:])


class KeepsItsState(PrimaryBackup):
    """Whoever rejoins cuts its log, and not the state that the log had led to."""

    def _cut(self, index: int) -> None:
        self.log.replace(index, ())
        self._fit(index - 1)


class ForgetfulStore(Store):
    def execute(self, command: Command, position: Position) -> Answer:
        return self._update(command.update, position)

    def answer(self, session: Position, number: int) -> None:
        return None


class ExecutesTwice(PrimaryBackup):
    """An update that is in the log twice is executed twice."""

    def _compute(self) -> None:
        self.store = ForgetfulStore()
        if self._snapshot is not None:
            self.store.restore(self._snapshot.state)
        for index in range(self._snapshot_index + 1, self.log.last_index + 1):
            self._execute(index)


class ForgetsItsEpoch(Arbiter):
    """The arbiter begins with the first epoch again when it restarts."""

    def _recover(self, record: Record) -> None:
        pass


class PromotesWhoIsBehind(Arbiter):
    """The arbiter does not compare logs."""

    def _most_complete(self) -> str:
        return min(self.fenced, key=lambda name: self.fenced[name])


class PromotesTheFirst(Arbiter):
    """The arbiter appoints a node before a majority has promised to obey nobody older."""

    def _is_enough(self) -> bool:
        return bool(self.fenced)
