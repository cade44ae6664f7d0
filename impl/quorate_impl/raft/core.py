"""Raft, as a core: a replicated key-value store of which no acknowledged update is lost.

Read it beside the specifications `raft`, `raft_log`, `raft_prevote`, `raft_reads`, `raft_snapshots` and
`raft_membership`: each handler names the action that it is. The parts are classes, each an heir of the one before it:
`Server`, `Elections`, `Replication`, `Snapshots`, `Reads`, `Membership`. What a program adds to the specifications:

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

from quorate_impl.core import Message
from quorate_impl.raft.membership import Membership
from quorate_impl.raft.messages import (
    AddServer,
    AppendEntries,
    AppendRefusal,
    AppendReply,
    Command,
    Execute,
    Facts,
    InstallSnapshot,
    NotLeader,
    Open,
    PreVote,
    PreVoteReply,
    Query,
    RemoveServer,
    RequestVote,
    Session,
    SnapshotReply,
    Status,
    TimeoutNow,
    Transfer,
    Vote,
)
from quorate_impl.raft.progress import Read
from quorate_impl.raft.server import Options, Role

__all__ = ["Options", "Raft", "Role"]


class Raft(Membership):
    """One server: its events, each given to the part that it belongs to."""

    def started(self) -> None:
        self._draw_timeout()

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
            self._end_read_round()  # With fewer members, fewer confirmations are enough.
            self._begin_read_round()
        if self.commit_index - self.log.base >= self.options.snapshot_after + self.options.entries_kept:
            self._take_snapshot()

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
