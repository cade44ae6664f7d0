"""A small Raft, as somebody would write it, that logs what it does: the program that tests hold to the specification `raft`.

The nodes run in one process over a network that delivers in any order, late, twice or never. Each mutation is a subclass of
`Node` with one mistake.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from quorate.conform import OPEN, Map
from quorate_specs.consensus.raft import Entry, Raft, Server

Message = dict[str, Any]
Line = dict[str, Any]

PIPELINE_MAX = 5
"""Entries that a leader has not committed yet before it takes more."""


@dataclass
class Node:
    """One server: what is on its disk, and what it knows."""

    name: str
    size: int
    tell: Callable[..., None]
    term: int = 0
    voted_for: str | None = None
    log: list[dict[str, Any]] = field(default_factory=list)
    role: str = "follower"
    commit_index: int = 0
    votes: set[str] = field(default_factory=set)
    match: dict[str, int] = field(default_factory=dict)
    sent: dict[int, Message] = field(default_factory=dict)
    """What the leader sent of each entry, to be sent again."""

    def majority(self, count: int) -> bool:
        return 2 * count > self.size

    def term_at(self, index: int) -> int:
        return int(self.log[index - 1]["term"]) if 0 < index <= len(self.log) else 0

    def time_out(self) -> Iterator[Message]:
        self.term += 1
        self.role, self.voted_for, self.votes = "candidate", self.name, {self.name}
        self.tell("time_out", self)
        yield {
            "record": "RequestVote",
            "term": self.term,
            "candidate": self.name,
            "last_index": len(self.log),
            "last_term": self.term_at(len(self.log)),
        }

    def observe(self, term: int) -> None:
        if term > self.term:
            self.term, self.voted_for, self.role = term, None, "follower"

    def receive(self, message: Message) -> Iterator[Message]:
        handle = {
            "RequestVote": self.on_request,
            "Vote": self.on_vote,
            "AppendEntries": self.on_append,
            "AppendReply": self.on_reply,
        }[message["record"]]
        yield from handle(message)

    def on_request(self, message: Message) -> Iterator[Message]:
        if message["candidate"] == self.name or message["term"] < self.term:
            return
        if message["term"] == self.term and not self.may_vote(message):
            return
        self.observe(message["term"])
        if self.is_up_to_date(message):
            self.voted_for = message["candidate"]
            yield {"record": "Vote", "term": self.term, "voter": self.name, "candidate": message["candidate"]}
        self.tell("handle_request", self, m=message)

    def may_vote(self, message: Message) -> bool:
        return self.voted_for is None

    def is_up_to_date(self, message: Message) -> bool:
        mine = self.term_at(len(self.log)), len(self.log)
        return (message["last_term"], message["last_index"]) >= mine

    def on_vote(self, message: Message) -> Iterator[Message]:
        if message["candidate"] != self.name or message["term"] != self.term or self.role != "candidate":
            return
        self.votes.add(message["voter"])
        if self.majority(len(self.votes)):
            self.role, self.match, self.sent = "leader", {}, {}
            self.tell("win", self)
            for index in range(1, len(self.log) + 1):
                yield self.entry_message(index)

    def entry_message(self, index: int) -> Message:
        self.sent[index] = self.append_message(index - 1, self.log[index - 1])
        return self.sent[index]

    def append_message(self, before: int, entry: dict[str, Any] | None) -> Message:
        return {
            "record": "AppendEntries",
            "term": self.term,
            "leader": self.name,
            "prev_index": before,
            "prev_term": self.term_at(before),
            "entry": entry,
            "commit": self.commit_index,
        }

    def has_room(self) -> bool:
        """A leader of a new term must take an entry before it can commit those of its predecessors."""
        return len(self.log) - self.commit_index < PIPELINE_MAX or self.term_at(len(self.log)) != self.term

    def request(self, command: str) -> Iterator[Message]:
        self.log.append({"term": self.term, "command": command})
        self.tell("request", self, c=command)
        yield self.entry_message(len(self.log))

    def on_append(self, message: Message) -> Iterator[Message]:
        if message["leader"] == self.name or message["term"] < self.term:
            return
        self.observe(message["term"])
        self.role = "follower"
        if self.fits(message):
            match = message["prev_index"]
            if message["entry"] is not None:
                match += 1
                if self.term_at(match) != message["entry"]["term"]:
                    self.store(match, message["entry"])
            self.advance(min(message["commit"], match))
            yield {
                "record": "AppendReply",
                "term": message["term"],
                "follower": self.name,
                "leader": message["leader"],
                "match": match,
            }
        self.tell("handle_append", self, m=message)

    def fits(self, message: Message) -> bool:
        before = message["prev_index"]
        return before <= len(self.log) and self.term_at(before) == message["prev_term"]

    def store(self, index: int, entry: dict[str, Any]) -> None:
        del self.log[index - 1 :]
        self.log.append(entry)

    def advance(self, index: int) -> None:
        self.commit_index = max(self.commit_index, index)

    def on_reply(self, message: Message) -> Iterator[Message]:
        if message["leader"] != self.name or message["term"] != self.term or self.role != "leader":
            return
        follower = message["follower"]
        self.match[follower] = max(self.match.get(follower, 0), message["match"])
        index = self.replicated()
        if index > self.commit_index and self.may_commit(index):
            known, self.commit_index = self.commit_index, index
            self.tell("commit", self, i=index)
            for each in range(known + 1, index + 1):
                yield self.append_message(each, None)

    def replicated(self) -> int:
        matches = sorted([len(self.log), *self.match.values(), *[0] * (self.size - 1 - len(self.match))])
        return matches[(self.size - 1) // 2]

    def again(self, follower: str) -> Iterator[Message]:
        """What the follower lacks next, once more."""
        index = self.match.get(follower, 0) + 1
        if index in self.sent:
            yield self.sent[index]

    def may_commit(self, index: int) -> bool:
        return self.term_at(index) == self.term

    def restart(self) -> None:
        if self.role == "leader":
            self.role = "follower"
            self.tell("restart", self)


# Mistakes


class VotesTwice(Node):
    """Gives its vote to everyone who asks."""

    def may_vote(self, message: Message) -> bool:
        return True


class VotesForAnyLog(Node):
    """Does not compare logs when it votes."""

    def is_up_to_date(self, message: Message) -> bool:
        return True


class HalfIsEnough(Node):
    """Takes half of the servers for a majority: with three, itself."""

    def majority(self, count: int) -> bool:
        return 2 * count + 1 >= self.size

    def time_out(self) -> Iterator[Message]:
        yield from super().time_out()
        yield from self.on_vote({"candidate": self.name, "term": self.term, "voter": self.name})


class AppendsAnywhere(Node):
    """A follower does not look at the entry before the new one."""

    def fits(self, message: Message) -> bool:
        return message["prev_index"] <= len(self.log)


class KeepsConflicts(Node):
    """A follower does not remove entries that conflict."""

    def store(self, index: int, entry: dict[str, Any]) -> None:
        if index > len(self.log):
            self.log.append(entry)


class CommitsOldTerms(Node):
    """A leader commits an entry of an earlier term by counting replicas."""

    def may_commit(self, index: int) -> bool:
        return True


class CommitRegresses(Node):
    """A follower takes the commit index of every message."""

    def advance(self, index: int) -> None:
        self.commit_index = index


class KeepsRole(Node):
    """A leader that hears of a later term goes on leading in it."""

    def observe(self, term: int) -> None:
        if term > self.term:
            self.term, self.voted_for = term, None


class ForgetsVote(Node):
    """The vote is not on the disk."""

    def restart(self) -> None:
        if self.role == "leader":
            self.role, self.voted_for = "follower", None
            self.tell("restart", self)


MISTAKES = (
    VotesTwice,
    VotesForAnyLog,
    HalfIsEnough,
    AppendsAnywhere,
    KeepsConflicts,
    CommitsOldTerms,
    CommitRegresses,
    KeepsRole,
    ForgetsVote,
)


# The cluster


def log_length(state: Raft, s: Server) -> int:
    """How many entries a server has: whole logs are too long to be written down at every event."""
    return len(state.log[s])


def last_entry(state: Raft, s: Server) -> Entry | None:
    """The last entry of a server."""
    return state.log[s][-1] if state.log[s] else None


VARIABLES = ("term", "voted_for", "role", "commit_index")
MAP = Map(
    members={"Server": ("n1", "n2", "n3"), "Command": OPEN},
    views=(log_length, last_entry),
    complete=(*VARIABLES, "log_length", "last_entry"),
)
IN_FLIGHT_MAX = 30


class Cluster:
    """Three nodes, a network that loses, repeats and reorders, and a schedule drawn from a seed."""

    def __init__(self, seed: int, kind: type[Node] = Node) -> None:
        self.rng = random.Random(seed)
        self.lines: list[Line] = []
        self.told: dict[str, dict[str, Any]] = {}
        self.flying: list[tuple[str, Message]] = []
        self.nodes = {name: kind(name, 3, self.tell) for name in ("n1", "n2", "n3")}
        self.told = {name: self.known(node) for name, node in self.nodes.items()}
        self.commands = 0

    def known(self, node: Node) -> dict[str, Any]:
        values = {name: getattr(node, name) for name in VARIABLES}
        return values | {"log_length": len(node.log), "last_entry": node.log[-1] if node.log else None}

    def tell(self, event: str, node: Node, **arguments: Any) -> None:
        """Log an event with what has changed."""
        now, before = self.known(node), self.told[node.name]
        changed = {name: {node.name: value} for name, value in now.items() if value != before[name]}
        self.told[node.name] = now
        self.lines.append({"event": event, "node": node.name, "args": arguments, "vars": changed})

    def send(self, messages: Iterator[Message]) -> None:
        for message in messages:
            only = message.get("candidate") if message["record"] == "Vote" else message.get("leader")
            targets = [only] if message["record"] in ("Vote", "AppendReply") else list(self.nodes)
            for target in targets:
                for _ in range(self.rng.choice((1, 1, 1, 1, 2, 0))):
                    self.flying.append((str(target), message))
        if len(self.flying) > IN_FLIGHT_MAX:
            del self.flying[: len(self.flying) - IN_FLIGHT_MAX]

    def run(self, events: int, elections: float = 0.02) -> list[Line]:
        """Go on until so many events are logged."""
        while len(self.lines) < events:
            node = self.rng.choice(list(self.nodes.values()))
            chance = self.rng.random()
            is_led = any(each.role == "leader" for each in self.nodes.values())
            if chance < elections or (not self.flying and not is_led):
                if node.role != "leader":
                    self.send(node.time_out())
            elif chance < elections * 1.2:
                node.restart()
            elif chance < 0.25 and node.role == "leader" and node.has_room():
                self.commands += 1
                self.send(node.request(f"command {self.commands}"))
            elif chance < 0.5 and node.role == "leader":
                self.send(node.again(self.rng.choice([name for name in self.nodes if name != node.name])))
            elif self.flying:
                self.deliver()
        return self.lines[:events]

    def deliver(self) -> None:
        """One of the messages that have been under way for longest arrives."""
        target, message = self.flying.pop(self.rng.randrange(min(len(self.flying), 8)))
        self.send(self.nodes[target].receive(message))
