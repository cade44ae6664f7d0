"""The Raft store of `quorate_impl`, in the hands of an adapter, beside the specification `raft`.

Servers are the program's own; network, disks, clocks and clients are the adapter's. Messages of candidates and leaders are made from what
the specification says was sent (the program sends what its flow control allows); votes and replies are the program's, and are delivered
together when they are counted.

- The program's leader begins its term with an entry. It counts as the first command that the leader is asked for; until then it is not on
  its disk, and not shown.
- A `restart` is a crash: the server is made anew from its disk. It hears again what is committed, and the specification keeps that; so
  what it knew before counts as known. A leader that was asked for nothing, and hears of a later term, crashes on the way.
"""

from __future__ import annotations

from typing import Any, ClassVar

from quorate.conform import Adapter, Refused
from quorate_impl.core import Persist, Persisted, Received, Record, Requested, Send, Started
from quorate_impl.raft import Options, Raft
from quorate_impl.raft.core import Role
from quorate_impl.raft.messages import AppendEntries, AppendReply, Entry, Open, RequestVote, TimeoutNow, Vote

Line = dict[str, Any]


class RaftCore(Adapter):
    """Two servers. Heirs name others, and the program."""

    members: ClassVar[dict[str, tuple[str, ...]]] = {"Server": ("n1", "n2")}
    core: type[Raft] = Raft

    def reset(self, arguments: Line) -> None:
        names = self.members["Server"]
        self.disks: dict[str, list[Record]] = {name: [] for name in names}
        self.waiting: dict[str, list[Persist]] = {name: [] for name in names}
        """What a leader's disk does not have yet."""
        self.known = dict.fromkeys(names, 0)
        """What servers knew to be committed before they crashed."""
        self.votes: set[tuple[str, str, int]] = set()
        self.replies: set[tuple[str, str, AppendReply]] = set()
        self.entries: dict[tuple[int, int], tuple[Entry, str]] = {}
        """By term and index, what a leader took, and the command that it stands for."""
        self.cores: dict[str, Raft] = {}
        for name in names:
            self._start(name)

    def _start(self, name: str) -> None:
        members = dict.fromkeys(self.members["Server"], "")
        self.cores[name] = self.core(name, tuple(self.disks[name]), members, Options())
        self._step(name, Started())

    def _step(self, name: str, event: Any) -> None:
        """The disk works at once, but for a leader's first entry; votes and replies are kept."""
        for effect in self.cores[name].step(event):
            match effect:
                case Persist():
                    self.waiting[name].append(effect)
                case Send(target, Vote(term, True)):
                    self.votes.add((name, target, term))
                case Send(target, AppendReply() as reply):
                    self.replies.add((name, target, reply))
        if self.waiting[name] and not self._is_hidden(name):
            self._sync(name)

    def _sync(self, name: str) -> None:
        written, self.waiting[name] = self.waiting[name], []
        self.disks[name] += [record for each in written for record in each.records]
        self._step(name, Persisted(written[-1].number))

    def _is_hidden(self, name: str) -> bool:
        """Whether the last entry of a leader is the one with which it has begun, and nobody has asked for it."""
        core, last = self.cores[name], self.cores[name].log.last_index
        if core.role is not Role.LEADER or core.log.entry(last).term != core.term:
            return False
        return (core.term, last) not in self.entries

    def _crash(self, name: str) -> None:
        self.known[name] = max(self.known[name], self.cores[name].commit_index)
        self.waiting[name].clear()
        self._start(name)

    def _hear(self, name: str, source: str, message: Any) -> None:
        if name == source:
            raise Refused("a server sends nothing to itself")
        if message.term > self.cores[name].term and self._is_hidden(name):
            self._crash(name)
        self._step(name, Received(source, message))

    def perform(self, action: str, arguments: Line) -> None:
        try:
            do = {
                "time_out": self._time_out,
                "handle_request": self._handle_request,
                "win": self._win,
                "restart": self._restart,
                "request": self._request,
                "handle_append": self._handle_append,
                "commit": self._commit,
            }[action]
        except KeyError:
            raise Refused(f"there is no {action}") from None
        do(**arguments)

    def _time_out(self, s: str) -> None:
        self._step(s, Received(s, TimeoutNow(self.cores[s].term)))

    def _handle_request(self, s: str, m: Line) -> None:
        self._hear(s, m["candidate"], RequestVote(m["term"], m["last_index"], m["last_term"], True))

    def _win(self, s: str) -> None:
        for voter, candidate, term in sorted(self.votes):
            if candidate == s and term == self.cores[s].term:
                self._step(s, Received(voter, Vote(term, True)))
        if self.cores[s].role is not Role.LEADER:
            raise Refused("it has not enough votes")

    def _restart(self, s: str) -> None:
        if self.cores[s].role is not Role.LEADER:
            raise Refused("it does not lead")
        self._crash(s)

    def _request(self, s: str, c: str) -> None:
        core = self.cores[s]
        if core.role is not Role.LEADER:
            raise Refused("it does not lead")
        if not self._is_hidden(s):
            self._step(s, Requested("", Open(1)))
        last = core.log.last_index
        self.entries[core.term, last] = core.log.entry(last), c
        if self.waiting[s]:
            self._sync(s)

    def _handle_append(self, s: str, m: Line) -> None:
        entries: tuple[Entry, ...] = ()
        if m["entry"] is not None:
            entries = (self.entries[m["entry"]["term"], m["prev_index"] + 1][0],)
        self._hear(s, m["leader"], AppendEntries(m["term"], m["prev_index"], m["prev_term"], entries, m["commit"], 0))

    def _commit(self, s: str, i: int) -> None:
        core = self.cores[s]
        for follower, leader, reply in sorted(self.replies, key=repr):
            if leader == s and reply.term == core.term and reply.match == i:
                self._step(s, Received(follower, reply))
        if core.commit_index < i:
            raise Refused("it has not enough replies")

    def observe(self) -> Line:
        return {
            "term": {name: core.term for name, core in self.cores.items()},
            "voted_for": {name: core.voted_for for name, core in self.cores.items()},
            "log": {name: self._log(name) for name in self.cores},
            "role": {name: core.role.value for name, core in self.cores.items()},
            "commit_index": {name: max(core.commit_index, self.known[name]) for name, core in self.cores.items()},
        }

    def _log(self, name: str) -> list[Line]:
        log = self.cores[name].log
        shown = range(1, log.last_index + 1 - self._is_hidden(name))
        return [{"term": log.entry(i).term, "command": self.entries[log.entry(i).term, i][1]} for i in shown]
