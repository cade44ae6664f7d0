"""Raft, as a core: a replicated key-value store of which no acknowledged update is lost.

Read it beside the specifications `raft`, `raft_log`, `raft_prevote`, `raft_reads`, `raft_snapshots` and
`raft_membership`: each handler names the action that it is. What a program adds to them:

- *Messages are batches*, and sent again when heartbeats show that they were lost; there is a `next` for each follower.
  A leader sends entries before its own disk has them (Ongaro 2014, section 10.2.1) and counts itself when it has.
- *Everything else waits for the disk*: a vote, a reply, a candidate's request goes out when term, vote and entries
  before it are durable (`Core.send`).
- *Time*: a follower that hears no leader for a randomly drawn number of ticks runs; a leader that hears no majority for
  the shortest such time steps down (section 6.2), so that one that can only be heard does not lead for ever.
- *A new server catches up before it counts* (section 4.2.1), and a leader can hand over (section 3.10).

Sources: Ongaro & Ousterhout 2014; Ongaro 2014, "Consensus: Bridging Theory and Practice"; Ongaro 2015, "Bug in
single-server membership changes" (raft-dev).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from quorate_impl.core import Core, Message, Record
from quorate_impl.raft.log import Log
from quorate_impl.raft.messages import (
    AddServer,
    Append,
    AppendEntries,
    AppendRefusal,
    AppendReply,
    Command,
    Configuration,
    Done,
    Entry,
    Execute,
    Facts,
    HardState,
    InstallSnapshot,
    Noop,
    NotLeader,
    Open,
    Opened,
    PreVote,
    PreVoteReply,
    Query,
    Refused,
    RemoveServer,
    RequestVote,
    Response,
    Result,
    Session,
    Snapshot,
    SnapshotReply,
    Status,
    TimeoutNow,
    Transfer,
    Vote,
)
from quorate_impl.raft.messages import Get as GetKey
from quorate_impl.raft.progress import Progress, Read, ReadRound
from quorate_impl.raft.progress import Transfer as SnapshotTransfer
from quorate_impl.raft.store import Store


class Role(Enum):
    """What a server takes itself for. Who asks for pre-votes is a `PROSPECT`, and has not entered a new term."""

    FOLLOWER = "follower"
    PROSPECT = "prospect"
    CANDIDATE = "candidate"
    LEADER = "leader"


@dataclass(frozen=True)
class Options:
    """Times in ticks, and sizes. A majority must be heard within the shortest election timeout for a leader to go on."""

    heartbeat_ticks: int = 5
    election_ticks_min: int = 20
    election_ticks_max: int = 40
    entries_max: int = 512
    """How many entries one message carries."""
    characters_max: int = 2**20
    """How many characters of keys and values one message carries, if it carries more than one entry."""
    window: int = 16
    """How many messages may be under way to one follower."""
    snapshot_after: int = 10_000
    """After how many entries a snapshot is taken."""
    entries_kept: int = 2_000
    """How many of the entries in the snapshot are kept for followers that are a little behind."""
    piece_bytes: int = 256 * 1024
    """How much of a snapshot one message carries."""
    catch_up_ticks: int = 1_000
    """How long a new server may take until it has caught up."""


@dataclass
class Asked:
    """An administrator's request that is being worked on: the way back, and when it is given up."""

    client: str
    id: int
    server: str
    address: str
    ticks_left: int


class Raft(Core):
    """One server."""

    def __init__(self, name: str, records: Sequence[Record], members: Mapping[str, str], options: Options) -> None:
        super().__init__(name)
        self.options = options
        self.term = 0
        self.voted_for: str | None = None
        self.log = Log(members)
        self.store = Store()
        self.commit_index = 0
        self.role = Role.FOLLOWER
        self.leader: str | None = None
        self._snapshot: Snapshot | None = None
        self._recover(records)
        self._durable_index = self.log.last_index
        self._writing: deque[tuple[int, int]] = deque()
        self._saved_index = self.log.last_index
        self._checkpointing = 0
        self._quiet_ticks = 0
        self._timeout_ticks = options.election_ticks_max
        self._votes: set[str] = set()
        self._vote_number = 0
        self._progress: dict[str, Progress] = {}
        self._heartbeat_ticks = 0
        self._waiting: dict[int, tuple[str, int]] = {}
        self._reads: list[Read] = []
        self._read_round: ReadRound | None = None
        self._round = 0
        self._joining: Asked | None = None
        self._handing_over: Asked | None = None
        self._incoming: tuple[int, int, bytearray] | None = None

    def _recover(self, records: Sequence[Record]) -> None:
        """`restart`: come back as a follower with what is on the disk."""
        for record in records:
            match record:
                case HardState(term, voted_for):
                    self.term, self.voted_for = term, voted_for
                case Append(index, entries):
                    self.log.replace(index, entries)
                case Snapshot(last_index, last_term, members, state):
                    self.log.reset(last_index, last_term, members)
                    self.store.restore(state)
                    self.commit_index = last_index
                    self._snapshot = record

    def addresses(self) -> dict[str, str]:
        known = {name: address for _, members in self.log.configurations for name, address in members.items()}
        return known | ({self._joining.server: self._joining.address} if self._joining else {})

    # Events

    def started(self) -> None:
        self._draw_timeout()

    def drawn(self, purpose: str, number: int) -> None:
        self._timeout_ticks = number

    def _draw_timeout(self) -> None:
        self._quiet_ticks = 0
        self.draw("election", self.options.election_ticks_min, self.options.election_ticks_max)

    def tick(self, now: int) -> None:
        if self.role is Role.LEADER:
            self._tick_as_leader()
            return
        self._quiet_ticks += 1
        if self._quiet_ticks >= self._timeout_ticks:
            self._run()

    def received(self, source: str, message: Message) -> None:
        match message:
            case AppendEntries():
                self._handle_append(source, message)
            case AppendReply():
                self._handle_reply(source, message)
            case AppendRefusal():
                self._handle_refusal(source, message)
            case PreVote():
                self._handle_pre_vote(source, message)
            case PreVoteReply():
                self._handle_pre_vote_reply(source, message)
            case RequestVote():
                self._handle_request(source, message)
            case Vote():
                self._handle_vote(source, message)
            case InstallSnapshot():
                self._handle_snapshot(source, message)
            case SnapshotReply():
                self._handle_snapshot_reply(source, message)
            case TimeoutNow():
                self._handle_timeout_now(message)

    def persisted(self) -> None:
        while self._writing and self._writing[0][0] <= self.durable:
            self._durable_index = max(self._durable_index, self._writing.popleft()[1])
        if self.role is Role.CANDIDATE and self.durable >= self._vote_number:
            self._votes.add(self.name)
            self._win_if_enough()
        elif self.role is Role.LEADER:
            self._commit()

    def settled(self) -> None:
        """Write and send what was gathered."""
        if self.role is Role.LEADER:
            self._save_entries()
            for name in self._peers():
                self._replicate(name)
            self._begin_read_round()
        if self.commit_index - self.log.base >= self.options.snapshot_after + self.options.entries_kept:
            self._take_snapshot()

    # Elections: `raft`, `raft_prevote`

    def _may_run(self) -> bool:
        """`may_run`: the server is in a configuration that is committed and the latest, or may yet be so."""
        return any(self.name in members for members in self.log.in_use(self.commit_index))

    def _is_enough(self, servers: Iterable[str]) -> bool:
        """`is_enough`: more than half of the latest configuration."""
        members = self.log.members
        return 2 * sum(1 for name in servers if name in members) > len(members)

    def _hears_leader(self) -> bool:
        """`is_content`: the server has heard a leader within the shortest timeout, or leads."""
        if self.role is Role.LEADER:
            return True
        return self.leader is not None and self._quiet_ticks < self.options.election_ticks_min

    def _run(self) -> None:
        """`would_win`: no leader was heard; ask whether the others would vote for this server, in the next term."""
        self._draw_timeout()
        if not self._may_run():
            return
        self._follow(None)
        self.role = Role.PROSPECT
        self._votes = {self.name}
        for name in self._voters():
            self.send(name, PreVote(self.term + 1, self.log.last_index, self.log.last_term))
        if self._is_enough(self._votes):
            self._time_out(is_invited=False)

    def _voters(self) -> list[str]:
        return [name for name in self.log.members if name != self.name]

    def _handle_pre_vote(self, source: str, m: PreVote) -> None:
        """`would_vote`: a promise of nothing. A refusal tells the own term."""
        is_granted = not self._hears_leader() and m.term > self.term and self._is_up_to_date(m.last_term, m.last_index)
        self.send(source, PreVoteReply(m.term if is_granted else self.term, is_granted))

    def _handle_pre_vote_reply(self, source: str, m: PreVoteReply) -> None:
        """`learn_term`, if the answer is no."""
        if self.role is not Role.PROSPECT:
            return
        if not m.is_granted:
            self._observe(m.term)
        elif m.term == self.term + 1:
            self._votes.add(source)
            if self._is_enough(self._votes):
                self._time_out(is_invited=False)

    def _time_out(self, is_invited: bool) -> None:
        """`time_out`: become a candidate of the next term. The own vote counts when it is durable."""
        self._draw_timeout()
        self.term += 1
        self.voted_for = self.name
        self.role = Role.CANDIDATE
        self.leader = None
        self._votes = set()
        self._vote_number = self._save_vote()
        for name in self._voters():
            self.send(name, RequestVote(self.term, self.log.last_index, self.log.last_term, is_invited))

    def _save_vote(self) -> int:
        """Write term and vote. No message that tells of them goes out before they are durable."""
        return self.persist(HardState(self.term, self.voted_for))

    def _handle_request(self, source: str, m: RequestVote) -> None:
        """`handle_request`: vote for the first candidate of a term that asks, if it has all that this server has.

        Who hears a leader pays no heed, unless the leader itself has asked the candidate to run (`listens`).
        """
        if m.term > self.term and self._hears_leader() and not m.is_invited:
            return
        self._observe(m.term)
        is_granted = (
            m.term == self.term and self.voted_for in (None, source) and self._is_up_to_date(m.last_term, m.last_index)
        )
        if is_granted and self.voted_for is None:
            self.voted_for = source
            self._save_vote()
            self._quiet_ticks = 0
        self.send(source, Vote(self.term, is_granted))

    def _is_up_to_date(self, last_term: int, last_index: int) -> bool:
        """`is_up_to_date`: the candidate's log ends no earlier than the own."""
        return (last_term, last_index) >= (self.log.last_term, self.log.last_index)

    def _observe(self, term: int) -> None:
        """`observe`: whoever hears of a later term enters it as a follower."""
        if term > self.term:
            self.term = term
            self.voted_for = None
            self._save_vote()
            self._follow(None)

    def _handle_vote(self, source: str, m: Vote) -> None:
        self._observe(m.term)
        if self.role is Role.CANDIDATE and m.term == self.term and m.is_granted:
            self._votes.add(source)
            self._win_if_enough()

    def _win_if_enough(self) -> None:
        """`win`: a candidate with the votes of a majority leads, and begins with an entry of its own term."""
        if not self._is_enough(self._votes):
            return
        self.role = Role.LEADER
        self.leader = self.name
        self._progress = {}
        self._heartbeat_ticks = self._round = 0
        self._saved_index = self.log.last_index
        self.note("leads", term=self.term, last_index=self.log.last_index)
        self._append(Noop())
        self._heartbeat()

    def _follow(self, leader: str | None) -> None:
        """Be a follower. A leader that steps down tells its clients that it does not know how their requests end."""
        if self.role is Role.LEADER:
            self._save_entries()
            self.note("stops leading", term=self.term)
            self._let_go()
        if leader is not None and leader != self.leader:
            self.note("follows", term=self.term, leader=leader)
        self.role = Role.FOLLOWER
        self.leader = leader

    def _let_go(self) -> None:
        waiting = [*self._waiting.values(), *((read.client, read.id) for read in self._all_reads())]
        self._waiting, self._reads, self._read_round = {}, [], None
        for client, id in waiting:
            self._answer(client, id, NotLeader(None, self.log.members))
        if self._joining is not None:
            self._answer(self._joining.client, self._joining.id, NotLeader(None, self.log.members))
        if self._handing_over is not None:
            self._answer(self._handing_over.client, self._handing_over.id, Done())
        self._joining = self._handing_over = None

    # Replication, at the leader: `raft`, `raft_log`

    def _peers(self) -> list[str]:
        """To whom the leader sends: all others of the configurations in use, and whoever is about to join."""
        names = {name: None for members in self.log.in_use(self.commit_index) for name in members}
        if self._joining is not None:
            names[self._joining.server] = None
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
            if follower.transfer is not None:
                follower.transfer.quiet += 1
                if follower.transfer.quiet > 1:
                    self._send_piece(name, follower.transfer)

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
            self._admit()
            self._hand_over()

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
        self._end_read_round()
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

    # Replication, at a follower: `raft`, `raft_snapshots`

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
        self.send(source, AppendReply(self.term, match, m.round))
        self._advance(max(self.commit_index, min(m.commit, match)))

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

    # Snapshots: `raft_snapshots`

    def _take_snapshot(self) -> None:
        """`take_snapshot`: the state in the place of the committed entries. A few are kept in memory, for stragglers."""
        if self._checkpointing > self.durable:
            return
        index = self.commit_index
        self._save_snapshot(Snapshot(index, self.log.term_at(index), self.log.members_at(index), self.store.snapshot()))
        self.log.compact(index - self.options.entries_kept)

    def _save_snapshot(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        entries = self.log.after(snapshot.last_index)
        self._checkpointing = self.checkpoint(
            snapshot, HardState(self.term, self.voted_for), Append(snapshot.last_index + 1, entries)
        )
        self._saved_index = self.log.last_index
        self._writing.append((self._checkpointing, self.log.last_index))
        self.note("snapshot", last_index=snapshot.last_index, bytes=len(snapshot.state))

    def _begin_transfer(self, name: str, follower: Progress) -> None:
        """`offer_snapshot`: the follower needs what is compacted."""
        assert self._snapshot is not None, "what is compacted is in the snapshot"
        follower.transfer = SnapshotTransfer(self._snapshot)
        self._send_piece(name, follower.transfer)

    def _send_piece(self, name: str, transfer: SnapshotTransfer) -> None:
        """`send_snapshot`, piece by piece; each is sent when the one before it has arrived."""
        transfer.quiet = 0
        snapshot, end = transfer.snapshot, transfer.offset + self.options.piece_bytes
        piece = snapshot.state[transfer.offset : end]
        is_last = end >= len(snapshot.state)
        self.send_at_once(
            name,
            InstallSnapshot(
                self.term,
                snapshot.last_index,
                snapshot.last_term,
                snapshot.members,
                transfer.offset,
                piece,
                is_last,
            ),
        )

    def _handle_snapshot(self, source: str, m: InstallSnapshot) -> None:
        if not self._hear_leader(source, m.term):
            self.send(source, SnapshotReply(self.term, m.last_index, 0))
            return
        if m.last_index <= self.commit_index:
            self.send(source, AppendReply(self.term, m.last_index, 0))
            return
        if m.offset == 0:
            self._incoming = (m.term, m.last_index, bytearray())
        if self._incoming is None or self._incoming[:2] != (m.term, m.last_index):
            self.send(source, SnapshotReply(self.term, m.last_index, 0))
            return
        data = self._incoming[2]
        if m.offset == len(data):
            data += m.data
            if m.is_last:
                self._incoming = None
                self._install(source, Snapshot(m.last_index, m.last_term, m.members, bytes(data)))
                return
        self.send(source, SnapshotReply(self.term, m.last_index, len(data)))

    def _install(self, source: str, snapshot: Snapshot) -> None:
        """`install`: take over the leader's snapshot. What comes after it in the log is kept, if it fits."""
        if self._has_last_entry(snapshot):
            self.log.compact(snapshot.last_index)
        else:
            self.log.reset(snapshot.last_index, snapshot.last_term, snapshot.members)
            self._durable_index = 0
            self._writing = deque((number, 0) for number, _ in self._writing)
        self.store.restore(snapshot.state)
        self.commit_index = snapshot.last_index
        self._save_snapshot(snapshot)
        self.send(source, AppendReply(self.term, snapshot.last_index, 0))

    def _has_last_entry(self, snapshot: Snapshot) -> bool:
        """`has_last_entry`: the snapshot describes a prefix of the log."""
        return self.log.has(snapshot.last_index, snapshot.last_term)

    def _handle_snapshot_reply(self, source: str, m: SnapshotReply) -> None:
        follower = self._hear(source, m.term, 0)
        if follower is None or follower.transfer is None or follower.transfer.snapshot.last_index != m.last_index:
            return
        if m.offset != follower.transfer.offset:
            follower.transfer.offset = m.offset
            self._send_piece(source, follower.transfer)

    # Reads: `raft_reads`

    def _begin_read_round(self) -> None:
        """`read`: note the commit index, and ask the others whether this server still leads.

        Reads that come while a round is under way wait for the next one: they must be confirmed after they began.
        """
        if self._read_round is None and self._reads and self._knows_commits():
            self._round += 1
            self._read_round = ReadRound(self._round, self.commit_index, self._reads)
            self._reads = []
            self._heartbeat()
            self._end_read_round()

    def _knows_commits(self) -> bool:
        """`knows_commits`: the leader has committed an entry of its own term."""
        return self.log.term_at(self.commit_index) == self.term

    def _end_read_round(self) -> None:
        """`answer`: a majority has confirmed that this server led after the reads began."""
        if self._read_round is not None and self._may_answer(self._read_round):
            for read in self._read_round.reads:
                self._answer(read.client, read.id, self.store.read(GetKey(read.key)))
            self._read_round = None

    def _may_answer(self, reads: ReadRound) -> bool:
        confirmed = [name for name, each in self._progress.items() if each.round >= reads.number]
        return self._is_enough([self.name, *confirmed])

    def _all_reads(self) -> list[Read]:
        return [*self._reads, *(self._read_round.reads if self._read_round is not None else ())]

    # Clients

    def requested(self, client: str, request: Message) -> None:
        if isinstance(request, Status):
            self._answer(client, request.id, Facts(self.status(), self.log.members))
        elif self.role is not Role.LEADER or self._handing_over is not None:
            known = self.leader if self.leader != self.name else None
            assert isinstance(request, Open | Execute | Query | AddServer | RemoveServer | Transfer)
            self._answer(client, request.id, NotLeader(known, self.log.members))
        else:
            self._requested_of_leader(client, request)

    def _requested_of_leader(self, client: str, request: Message) -> None:
        match request:
            case Execute(id, session, number, answered, update):
                self._waiting[self._append(Command(session, number, answered, update))] = client, id
            case Query(id, get):
                self._reads.append(Read(client, id, get.key))
            case Open(id):
                self._waiting[self._append(Session())] = client, id
            case AddServer():
                self._add_server(client, request)
            case RemoveServer():
                self._remove_server(client, request)
            case Transfer(id, target):
                self._begin_handing_over(client, id, target)

    def _answer(self, client: str, id: int, result: Result) -> None:
        """What is answered is committed, or says that nothing is known: neither depends on the own disk."""
        self.reply_at_once(client, Response(id, result))

    # Membership: `raft_membership`

    def _may_change(self) -> bool:
        """`may_change`: the configuration is committed, and so is an entry of the leader's own term."""
        return len(self.log.in_use(self.commit_index)) == 1 and self._knows_commits()

    def _add_server(self, client: str, m: AddServer) -> None:
        """A new server gets the log before it counts."""
        if m.name in self.log.members:
            self._confirm_members(client, m.id)
        elif self._joining is not None and self._joining.server == m.name:
            self._joining.client, self._joining.id = client, m.id
        elif self._joining is not None or not self._may_change():
            self._answer(client, m.id, Refused("Another change of the members is under way; ask again."))
        else:
            self._joining = Asked(client, m.id, m.name, m.address, self.options.catch_up_ticks)
            self._progress[m.name] = Progress(self.log.last_index + 1)

    def _admit(self) -> None:
        """`change`, when the new server has caught up with what is committed."""
        asked = self._joining
        if asked is not None and self._may_change() and self._follower(asked.server).match >= self.commit_index:
            self._joining = None
            self._change(asked.client, asked.id, {**self.log.members, asked.server: asked.address})

    def _remove_server(self, client: str, m: RemoveServer) -> None:
        if m.name not in self.log.members:
            self._confirm_members(client, m.id)
        elif self._joining is not None or not self._may_change():
            self._answer(client, m.id, Refused("Another change of the members is under way; ask again."))
        elif len(self.log.members) == 1:
            self._answer(client, m.id, Refused("It is the last member."))
        else:
            left = {name: address for name, address in self.log.members.items() if name != m.name}
            self._change(client, m.id, left)

    def _confirm_members(self, client: str, id: int) -> None:
        """The latest configuration is as it was asked: say so when it is committed."""
        index = self.log.configurations[-1][0]
        if index > self.commit_index:
            self._waiting[index] = client, id
        else:
            self._answer(client, id, Done())

    def _change(self, client: str, id: int, members: dict[str, str]) -> None:
        """`change`: append a configuration that differs by one server, and use it from now on."""
        self._waiting[self._append(Configuration(members))] = client, id
        self.note("members", members=" ".join(members))

    def _begin_handing_over(self, client: str, id: int, target: str) -> None:
        """`hand_over`: take no more requests, and invite the target when it has everything."""
        if target == self.name:
            self._answer(client, id, Done())
        elif target not in self.log.members:
            self._answer(client, id, Refused(f"{target} is no member."))
        else:
            self._handing_over = Asked(client, id, target, "", self.options.election_ticks_min)
            self._hand_over()

    def _hand_over(self) -> None:
        asked = self._handing_over
        if asked is not None and self._follower(asked.server).match == self.log.last_index:
            self.send_at_once(asked.server, TimeoutNow(self.term))

    def _handle_timeout_now(self, m: TimeoutNow) -> None:
        if m.term == self.term and self.role is not Role.LEADER and self._may_run():
            self._follow(None)
            self._time_out(is_invited=True)

    def _expire(self) -> None:
        """Give up what takes too long: a server that does not catch up, or that does not take over."""
        for asked in (self._joining, self._handing_over):
            if asked is not None:
                asked.ticks_left -= 1
        if self._joining is not None and self._joining.ticks_left <= 0:
            self._answer(self._joining.client, self._joining.id, Refused("The new server does not catch up."))
            self._joining = None
        if self._handing_over is not None and self._handing_over.ticks_left <= 0:
            self._answer(self._handing_over.client, self._handing_over.id, Refused("It does not take over."))
            self._handing_over = None

    def status(self) -> dict[str, str | int | float | bool | None]:
        facts: dict[str, str | int | float | bool | None] = {
            "name": self.name,
            "role": self.role.value,
            "term": self.term,
            "leader": self.leader,
            "commit_index": self.commit_index,
            "last_index": self.log.last_index,
            "durable_index": self._durable_index,
            "snapshot_index": self._snapshot.last_index if self._snapshot is not None else 0,
        }
        if self.role is Role.LEADER:
            for name in self._peers():
                facts[f"lag_{name}"] = self.log.last_index - self._follower(name).match
        return facts
