"""The log, as in `raft` and `raft_log`: the leader's side and the follower's.

Messages are batches. While a follower agrees, they follow each other without waiting; a refusal shows that one was
lost, or that the logs differ, and the leader goes back. A leader sends entries before its own disk has them (Ongaro
2014, section 10.2.1), and counts itself when it has. One that hears no majority for the shortest election timeout steps
down (section 6.2).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence

from quorate_impl.core import Record
from quorate_impl.raft.elections import Elections
from quorate_impl.raft.messages import (
    Append,
    AppendEntries,
    AppendRefusal,
    AppendReply,
    Command,
    Configuration,
    Done,
    Entry,
    Noop,
    NotLeader,
    Opened,
    Result,
    Session,
)
from quorate_impl.raft.progress import Progress
from quorate_impl.raft.server import Options, Role


class Replication(Elections):
    """How entries get into all logs, and are committed and executed.

    `_writing` has the writes of entries that are not durable yet, by number and last index. `_waiting` has the clients
    whose entry is not committed yet, by its index.
    """

    def __init__(self, name: str, records: Sequence[Record], members: Mapping[str, str], options: Options) -> None:
        super().__init__(name, records, members, options)
        self._durable_index = self._saved_index = self.log.last_index
        self._writing: deque[tuple[int, int]] = deque()
        self._progress: dict[str, Progress] = {}
        self._heartbeat_ticks = 0
        self._round = 0
        self._waiting: dict[int, tuple[str, int]] = {}

    # The leader

    def _begin_leading(self) -> None:
        """Begin with an entry of the own term, which tells the others who leads."""
        self._progress = {name: Progress(self.log.last_index + 1) for name in self._peers()}
        self._heartbeat_ticks = self._round = 0
        self._saved_index = self.log.last_index
        self._append(Noop())

    def _stop_leading(self) -> None:
        """Tell the clients that it is open how their requests will end."""
        self._save_entries()
        self.note("stops leading", term=self.term)
        waiting, self._waiting = self._waiting, {}
        for client, id in waiting.values():
            self._answer(client, id, NotLeader(None, self.log.members))

    def _peers(self) -> list[str]:
        """To whom the leader sends: all others of the configurations in use."""
        names = dict.fromkeys(name for members in self.log.in_use(self.commit_index) for name in members)
        return [name for name in names if name != self.name]

    def _follower(self, name: str) -> Progress:
        if name not in self._progress:
            self._progress[name] = Progress(self.log.last_index + 1)
        return self._progress[name]

    def _append(self, payload: Noop | Session | Command | Configuration) -> int:
        """`request`: append to the own log; `settled` writes and sends it. Returns its index."""
        index = self.log.last_index + 1
        self.log.replace(index, [Entry(self.term, payload)])
        return index

    def _save_entries(self) -> None:
        entries = self.log.after(self._saved_index)
        if entries:
            number = self.persist(Append(self._saved_index + 1, entries))
            self._saved_index = self.log.last_index
            self._writing.append((number, self._saved_index))

    def _replicate(self, name: str) -> None:
        """`send_entry`: send what the follower lacks, without waiting for answers while they agree."""
        follower = self._follower(name)
        while (
            follower.transfer is None
            and follower.next <= self.log.last_index
            and len(follower.in_flight) < (1 if follower.is_probing else self.options.window)
        ):
            if follower.next <= self.log.base:
                self._begin_transfer(name, follower)
                return
            entries = self.log.batch(follower.next - 1, self.options.entries_max, self.options.characters_max)
            self._send_entries(name, follower.next - 1, entries)
            last = follower.next - 1 + len(entries)
            follower.in_flight.append(last)
            if not follower.is_probing:
                follower.next = last + 1

    def _send_entries(self, name: str, prev_index: int, entries: tuple[Entry, ...]) -> None:
        prev_term = self.log.term_at(prev_index) if prev_index else 0
        self.send_at_once(
            name, AppendEntries(self.term, prev_index, prev_term, entries, self.commit_index, self._round)
        )

    def _heartbeat(self) -> None:
        """`send_heartbeat`. A refusal of it shows that entries were lost."""
        self._heartbeat_ticks = 0
        for name in self._peers():
            follower = self._follower(name)
            prev_index = follower.next - 1
            if follower.transfer is not None or prev_index < self.log.base:
                prev_index = 0
            self._send_entries(name, prev_index, ())

    def _tick_as_leader(self) -> None:
        self._heartbeat_ticks += 1
        if self._heartbeat_ticks >= self.options.heartbeat_ticks:
            self._heartbeat()
        for follower in self._progress.values():
            follower.silent += 1
        self._quiet_ticks += 1
        heard = [name for name, each in self._progress.items() if each.silent < self.options.election_ticks_min]
        if self._is_enough([self.name, *heard]):
            self._quiet_ticks = 0
        elif self._quiet_ticks >= self.options.election_ticks_min:
            self._follow(None)
            self._draw_timeout()
            return
        self._expire()

    def _handle_reply(self, source: str, m: AppendReply) -> None:
        follower = self._hear(source, m.term, m.round)
        if follower is not None:
            follower.acknowledge(m.match)
            self._commit()
            self._has_acknowledged()

    def _handle_refusal(self, source: str, m: AppendRefusal) -> None:
        follower = self._hear(source, m.term, m.round)
        if follower is not None:
            follower.refuse(m.prev_index, m.hint)

    def _hear(self, source: str, term: int, round: int) -> Progress | None:
        """A follower of this leader has answered: it confirms that it knows of no later term (`confirm`)."""
        self._observe(term)
        if self.role is not Role.LEADER or term < self.term:
            return None
        follower = self._follower(source)
        follower.silent = 0
        follower.round = max(follower.round, round)
        self._has_confirmed()
        return follower

    def _commit(self) -> None:
        """`commit`: an entry on a majority is committed, with all before it, if it is of the own term."""
        index = self._replicated()
        if index > self.commit_index and self._may_commit(index):
            self._advance(index)

    def _replicated(self) -> int:
        """The highest index up to which a majority has the log on its disks."""
        indices = sorted(self._match(name) for name in self.log.members)
        return indices[(len(indices) - 1) // 2]

    def _match(self, name: str) -> int:
        return self._durable_index if name == self.name else self._follower(name).match

    def _may_commit(self, index: int) -> bool:
        """`may_commit`: only an entry of the own term is committed by counting."""
        return self.log.term_at(index) == self.term

    def _advance(self, index: int) -> None:
        """`advance`: the entries up to `index` are committed; execute them."""
        while self.commit_index < index:
            self.commit_index += 1
            self._execute(self.commit_index, self.log.entry(self.commit_index).payload)
        if self.role is Role.LEADER and not self._may_run():
            self._heartbeat()
            self.note("has left")
            self._follow(None)

    def _execute(self, index: int, payload: Noop | Session | Command | Configuration) -> None:
        result: Result = Done()
        match payload:
            case Command():
                result = self.store.execute(payload)
            case Session():
                self.store.open(index)
                result = Opened(index)
        if index in self._waiting:
            client, id = self._waiting.pop(index)
            self._answer(client, id, result)

    # A follower

    def _handle_append(self, source: str, m: AppendEntries) -> None:
        """`handle_append`: follow the leader of the term, and take what fits to the log."""
        if not self._hear_leader(source, m.term):
            self.send(source, AppendRefusal(self.term, m.prev_index, 0, m.round))
            return
        prev_index, entries = m.prev_index, m.entries
        match = prev_index + len(entries)
        if prev_index < self.log.base:  # What the snapshot stands for is committed, and so the same.
            entries = entries[self.log.base - prev_index :]
            prev_index = self.log.base
        elif not self.log.has(prev_index, m.prev_term):
            self.send(source, AppendRefusal(self.term, m.prev_index, self._hint(prev_index), m.round))
            return
        self._take(prev_index, entries)
        self._confirm(source, AppendReply(self.term, match, m.round))
        self._advance(max(self.commit_index, min(m.commit, match)))

    def _confirm(self, source: str, reply: AppendReply) -> None:
        """Reply when the disk has what the reply says; at once, if it has: it may be busy with a snapshot for long."""
        if reply.match <= self._durable_index and self._vote_number <= self.durable:
            self.send_at_once(source, reply)
        else:
            self.send(source, reply)

    def _hear_leader(self, source: str, term: int) -> bool:
        """Whether this is the leader of the term, or of a later one: then it is followed."""
        if term < self.term:
            return False
        self._observe(term)
        self._follow(source)
        self._quiet_ticks = 0
        return True

    def _take(self, prev_index: int, entries: tuple[Entry, ...]) -> None:
        """`append`: an entry that conflicts with a new one gives way, and all that follow it."""
        for i, entry in enumerate(entries):
            index = prev_index + 1 + i
            if not self.log.has(index, entry.term):
                self._write(index, entries[i:])
                return

    def _write(self, index: int, entries: tuple[Entry, ...]) -> None:
        if index <= self.commit_index:
            raise AssertionError(f"a leader replaces entry {index}, which is committed")
        self.log.replace(index, entries)
        self._durable_index = min(self._durable_index, index - 1)
        self._writing = deque((number, min(last, index - 1)) for number, last in self._writing)
        self._writing.append((self.persist(Append(index, entries)), self.log.last_index))

    def _hint(self, prev_index: int) -> int:
        """Where the leader might try next: before the entries of the term that does not fit (section 5.3)."""
        if prev_index > self.log.last_index:
            return self.log.last_index
        return max(self.log.first_of_term(prev_index) - 1, self.commit_index)

    # What other parts do at this moment

    def _has_confirmed(self) -> None:
        """A follower has confirmed the leader."""

    def _has_acknowledged(self) -> None:
        """A follower has more of the log."""

    def _begin_transfer(self, name: str, follower: Progress) -> None:
        """A follower needs what is compacted."""

    def _expire(self) -> None:
        """A tick of the leader has passed."""
