"""Small bodies, each judged by `mypy --strict` and by the typed model (`test_mypy.py`).

Each is an action of a specification of its own, with the parameters `s: Server` and `i: Index`, over the variables of `HEADER`.
"""

from __future__ import annotations

HEADER = '''\
from enum import Enum
from typing import Annotated, ClassVar, Self

from quorate import (
    Bag, Nat, Network, Ordered, Scalarset, Spec, action, init, is_majority, record, replace, require, the, up_to,
)


class Server(Scalarset, size=2):
    """A server."""


class Rank(Ordered, size=2):
    """A rank."""


class Index(Nat, max=3):
    """A position."""


class Term(Nat, max=3):
    """A term."""


class Role(Enum):
    FOLLOWER = "follower"
    LEADER = "leader"


@record
class Note:
    source: Server
    index: Index


@record
class Ack:
    source: Server
    ok: bool


@record
class Box:
    note: Note | None
    term: Term


def twice(i: Index) -> Index:
    return i + i


def heard_from(n: Note) -> Server:
    return n.source


class Base(Spec):
    index: Index
    term: Term
    rank: Rank
    flag: bool
    role: dict[Server, Role]
    count: dict[Server, Index]
    leader: Server | None
    note: Note | None
    kind: Note | Ack
    some: Note | Ack | None
    box: Box
    log: Annotated[list[Note], up_to(Index)]
    gaps: Annotated[list[Note | None], up_to(Index)]
    seen: set[Server]
    heard: set[Note | Ack]
    votes: dict[Server, Server | None]
    last: dict[Server, Note | None]
    friends: dict[Server, set[Server]]
    pair: tuple[Server, Index]
    wire: Network[Note | Ack]

    @init
    def begin(self, s: Server) -> None:
        self.kind = Ack(s, False)
        self.pair = (s, Index(0))

    def pick(self) -> Server | None:
        return self.leader

    def newest(self, s: Server) -> Note | None:
        return self.last[s]

    def bump(self, n: Note) -> None:
        self.index = n.index
'''

AGREED = [
    "n = self.note\nif n is None:\n    return\nself.index = n.index",
    "n = self.note\nif n is not None:\n    self.index = n.index",
    "if self.note is not None:\n    self.index = self.note.index",
    "if self.note is None:\n    self.index = Index(0)\nelse:\n    self.index = self.note.index",
    "n = self.note\nself.index = n.index if n is not None else Index(0)",
    "self.index = self.note.index if self.note is not None else Index(0)",
    "self.index = Index(0) if self.note is None else self.note.index",
    "n = self.note\nself.flag = n is not None and n.index > 0",
    "n = self.note\nself.flag = n is None or n.index > 0",
    "n = self.note\nself.flag = not (n is None) and n.index > 0",
    "n = self.note\nself.flag = not (n is None or n.index == 0)",
    "n = self.note\nassert n is not None\nself.index = n.index",
    "n = self.note\nif not (n is not None):\n    return\nself.index = n.index",
    "n = self.note\nif n is None or self.flag:\n    return\nself.index = n.index",
    "n = self.note\nif n is not None and self.flag:\n    self.index = n.index",
    "n = self.note\nif n == None:\n    return\nself.index = n.index",
    "n = self.note\nif n != None:\n    self.index = n.index",
    "n = self.newest(s)\nif n is not None:\n    self.index = n.index",
    "self.leader = self.pick()",
    "p = self.pick()\nif p is not None:\n    self.seen.add(p)",
    "if self.leader is not None:\n    self.seen.add(self.leader)",
    "if self.leader is not None:\n    self.role[self.leader] = Role.LEADER",
    "p = self.leader\nif p is not None:\n    self.count[p] += 1",
    "v = self.votes[s]\nif v is not None:\n    self.seen.add(v)",
    "self.note = None",
    "self.note = Note(s, i)\nself.index = self.note.index",
    "n = Note(s, i)\nself.note = n\nself.index = n.index",
    "self.kind = None",
    "self.leader = s\nself.seen.add(self.leader)",
    "self.leader = self.kind.source",
    "if isinstance(self.kind, Note):\n    self.index = self.kind.index",
    "if isinstance(self.kind, Ack):\n    self.flag = self.kind.ok\nelse:\n    self.index = self.kind.index",
    "k = self.kind\nif not isinstance(k, Note):\n    return\nself.index = k.index",
    "k = self.kind\nif isinstance(k, Note):\n    return\nself.flag = k.ok",
    "k = self.some\nif isinstance(k, Note):\n    self.index = k.index",
    "k = self.some\nif k is not None and isinstance(k, Ack):\n    self.flag = k.ok",
    "k = self.some\nif k is not None:\n    self.leader = k.source",
    "k = self.some\nif isinstance(k, Note | Ack):\n    self.leader = k.source",
    "k = self.some\nif isinstance(k, (Note, Ack)):\n    self.leader = k.source",
    "k = self.kind\nself.index = k.index if isinstance(k, Note) else Index(0)",
    "k = self.kind\nself.index = Index(0) if isinstance(k, Ack) else k.index",
    "k = self.kind\nself.flag = isinstance(k, Ack) and k.ok",
    "k = self.kind\nself.flag = isinstance(k, Note) or k.ok",
    "k = self.kind\nself.flag = not isinstance(k, Note) and k.ok",
    "if isinstance(self.kind, Note):\n    self.note = self.kind",
    "self.some = self.kind",
    "if self.some is not None:\n    self.kind = self.some",
    "if self.note is not None:\n    self.kind = self.note",
    "self.some = self.note",
    "if isinstance(self.kind, Note):\n    self.log.append(self.kind)",
    "self.heard.add(self.kind)",
    "self.heard.add(Note(s, i))",
    "self.heard.add(Ack(s, True))",
    "self.heard.add(Box(None, Term(0)))",
    "self.wire.send(self.kind)",
    "if self.note is not None:\n    self.wire.send(self.note)",
    "self.flag = any(m.index > 0 for m in self.heard if isinstance(m, Note))",
    "self.flag = any(isinstance(m, Note) and m.index > 0 for m in self.heard)",
    "self.flag = all(isinstance(m, Ack) or m.index > 0 for m in self.heard)",
    "self.flag = all(m.ok for m in self.heard if not isinstance(m, Note))",
    "self.seen = {m.source for m in self.heard}",
    "self.seen = {m.source for m in self.heard if isinstance(m, Note) and m.index == i}",
    "self.seen = {m.source for m in self.heard if isinstance(m, Ack) if m.ok}",
    "notes = {m for m in self.heard if isinstance(m, Note)}\nself.flag = all(m.index == 0 for m in notes)",
    "notes = {m for m in self.heard if isinstance(m, Note)}\nself.flag = all(m.ok for m in notes)",
    "self.seen = {p for p in Server if self.votes[p] is not None}",
    "self.seen = {self.votes[p] for p in Server}",
    "self.seen = {self.votes[p] for p in Server if self.votes[p] is not None}",
    "self.seen = {v for v in self.votes.values() if v is not None}",
    "self.seen = {v for v in self.votes.values()}",
    "self.seen = set(self.votes.values())",
    "self.flag = any(n.index == 0 for n in self.gaps if n is not None)",
    "self.flag = any(n is not None and n.index == 0 for n in self.gaps)",
    "self.log = [n for n in self.gaps if n is not None]",
    "self.log = [n for n in self.gaps]",
    "self.gaps = [n for n in self.log]",
    "self.flag = all(n.index == 0 for n in self.last.values() if n is not None and n.source == s)",
    "self.index = max((n.index for n in self.log), default=Index(0))",
    "self.index = max(n.index for n in self.gaps if n is not None)",
    "self.index = max((m.index for m in self.heard if isinstance(m, Note)), default=Index(0))",
    "self.leader = the((m.source for m in self.heard), None)",
    "self.seen = {the((m.source for m in self.heard), None)}",
    "self.leader = the(m.source for m in self.heard if isinstance(m, Ack))",
    "self.votes = {p: self.leader for p in Server}",
    "self.votes = {p: p for p in Server}",
    "self.count = {p: self.votes[p] for p in Server}",
    "self.flag = is_majority({m.source for m in self.wire if isinstance(m, Ack) and m.ok}, Server)",
    "self.flag = is_majority(self.log, Server)",
    "self.flag = any(p == q for p in Server for q in self.friends[p] if p != q)",
    "self.seen = {q for p in Server if self.role[p] == Role.LEADER for q in self.friends[p]}",
    "for m in self.heard:\n    if isinstance(m, Note):\n        self.seen.add(m.source)",
    "for m in self.heard:\n    self.seen.add(m.source)",
    "for n in self.gaps:\n    if n is None:\n        continue\n    self.index = n.index",
    "for p, v in self.votes.items():\n    if v is not None:\n        self.friends[p].add(v)",
    "for n in self.log:\n    self.index = n.index",
    "for n in self.log:\n    self.flag = n.ok",
    "for k in range(3):\n    self.index = Index(k)",
    "for k, n in enumerate(self.log):\n    if k == 0:\n        self.index = n.index",
    "if self.note is not None:\n    self.note = replace(self.note, index=i)",
    "self.note = replace(self.note, index=i)",
    "if isinstance(self.kind, Ack):\n    self.kind = replace(self.kind, ok=True)",
    "self.box = replace(self.box, note=None)",
    "self.box = replace(self.box, note=Note(s, i))",
    "self.box = replace(self.box, term=self.term)",
    "b = self.box\nif b.note is not None:\n    self.index = b.note.index",
    "if self.box.note is not None:\n    self.index = self.box.note.index",
    "self.box = Box(self.note, self.term)",
    "self.box = Box(Note(s, i), Term(1))",
    "self.box = Box(note=None, term=Term(0))",
    "self.box = Box(None)",
    "self.box = Box(None, Term(0), True)",
    "self.note = Note(s)",
    "self.note = Note(i, s)",
    "self.note = Note(source=s, index=i)",
    "if self.leader is not None:\n    self.note = Note(self.leader, i)",
    "self.note = Note(s, self.index + 1)",
    "self.box.term = Term(1)",
    "self.pair = (s, i)",
    "self.pair = (i, s)",
    "self.pair = (s, i, i)",
    "self.pair = (self.leader, i)",
    "p, k = self.pair\nself.seen.add(p)\nself.index = k",
    "p, k = self.pair\nself.seen.add(k)",
    "self.seen.add(self.pair[0])",
    "self.seen.add(self.pair[1])",
    "p, k, x = self.pair",
    "self.seen = {s}",
    "self.seen = {s, self.leader}",
    "self.seen = set()",
    "self.log = [Note(s, i)]",
    "self.log = []",
    "self.log = [self.note]",
    "if self.note is not None:\n    self.log = [self.note]",
    "self.gaps = [self.note, None]",
    "self.gaps = [Note(s, i)]",
    "self.log = self.log + [Note(s, i)]",
    "self.log = self.log + [self.note]",
    "self.log += [Note(s, i)]",
    "self.log = self.log[1:]",
    "self.log = self.log[0]",
    "self.heard = {Note(s, i), Ack(s, True)}",
    "self.heard = {self.kind}",
    "self.log.append(s)",
    "self.log.extend(self.gaps)",
    "self.seen = self.seen | {s}",
    "self.seen |= {self.leader}",
    "self.seen = self.seen - self.log",
    "self.flag = self.leader in self.seen",
    "self.flag = s in self.seen",
    "self.flag = self.seen <= {s}",
    "self.index = i + 1",
    "self.index += 1",
    "self.index = self.index - 1",
    "self.index = Index(0)",
    "self.index = Index(len(self.log))",
    "self.index = Index(self.term)",
    "self.index = max(i, self.index)",
    "self.index = Index(sum(self.count[p] for p in Server))",
    "self.index = twice(i)",
    "self.index = twice(Index(2))",
    "self.index = i // 2",
    "self.index = i % 2",
    "self.index = i * i",
    "self.count[s] = self.index + len(self.seen)",
    "self.flag = i > self.term",
    "self.flag = i",
    "self.index = self.flag",
    "self.index = s",
    "self.flag = s < s",
    "self.flag = self.rank < self.rank",
    "self.index = Index(self.rank.index)",
    "self.flag = self.role[s] == Role.LEADER",
    "self.role[s] = Role.CANDIDATE",
    "self.role[s] = True",
    "self.flag = self.missing",
    "self.flag = unknown",
    "self.seen.add(s, s)",
    "self.seen.push(s)",
    "self.bump(Note(s, i))",
    "n = self.note\nif n is not None:\n    self.bump(n)",
    "self.bump()",
    "self.flag = self.note is not None and heard_from(self.note) == s",
    "self.flag = isinstance(self.kind, Note) and heard_from(self.kind) == s",
    "self.index = self.newest(i).index",
    "self.last[s] = self.newest(s)",
    "x = self.leader\nx = None\nself.leader = x",
    "x = None\nif self.flag:\n    x = s\nself.leader = x",
    "x = s\nx = i",
    "x: Server | None = None\nif self.flag:\n    x = s\nself.leader = x",
    "x: set[Server] = set()\nx.add(s)\nself.seen = x",
    "x: set[Server] = set()\nx.add(i)",
    "return self.flag",
    "require(self.note is not None and self.note.index == i)",
    "require(s in self.seen)\nself.seen.remove(s)",
]
"""mypy and the model accept or reject these alike."""

HELD_WHEN_RUN = [
    "self.index = self.note.index",
    "require(self.note is not None)\nself.index = self.note.index",
    "n = self.note\nrequire(n is not None)\nself.index = n.index",
    "if self.note is None:\n    self.index = self.note.index",
    "self.index = self.note.index if self.note is None else Index(0)",
    "n = self.note\nself.flag = n is not None or n.index > 0",
    "n = self.note\nself.flag = n is None and n.index > 0",
    "n = self.note\nself.flag = n.index > 0 and n is not None",
    "n = self.note\nif n is None and self.flag:\n    return\nself.index = n.index",
    "n = self.note\nif n is not None or self.flag:\n    self.index = n.index",
    "self.index = self.newest(s).index",
    "if self.newest(s) is not None:\n    self.index = self.newest(s).index",
    "self.seen.add(self.pick())",
    "self.seen.add(self.leader)",
    "self.role[self.leader] = Role.LEADER",
    "p = self.leader\nself.count[p] += 1",
    "if self.votes[s] is not None:\n    self.seen.add(self.votes[s])",
    "v = self.votes[s]\nself.seen.add(v)",
    "if self.last[s] is not None:\n    self.index = self.last[s].index",
    "self.index = self.last[s].index",
    "self.index = self.kind.index",
    "self.leader = self.some.source",
    "if isinstance(self.kind, Ack):\n    self.index = self.kind.index",
    "k = self.kind\nrequire(isinstance(k, Note))\nself.index = k.index",
    "k = self.kind\nif isinstance(k, Note):\n    return\nself.index = k.index",
    "k = self.some\nif k is not None:\n    self.index = k.index",
    "k = self.kind\nself.flag = isinstance(k, Ack) or k.ok",
    "self.note = self.kind",
    "self.kind = self.some",
    "self.kind = self.note",
    "self.log.append(self.kind)",
    "self.heard.add(self.some)",
    "self.wire.send(self.note)",
    "self.flag = any(m.index > 0 for m in self.heard)",
    "self.flag = all(m.ok for m in self.heard if not isinstance(m, Ack))",
    "self.seen = {m.source for m in self.heard if isinstance(m, Ack) if m.index == 0}",
    "self.flag = any(n.index == 0 for n in self.gaps)",
    "self.index = max(n.index for n in self.gaps)",
    "self.count = {p: self.last[p].index for p in Server}",
    "self.flag = is_majority({m.source for m in self.wire if m.ok}, Server)",
    "for n in self.gaps:\n    self.index = n.index",
    "for p, v in self.votes.items():\n    self.friends[p].add(v)",
    "for p in Server:\n    if self.votes[p] is not None:\n        self.friends[p].add(self.votes[p])",
    "n = self.note\nrequire(n is not None)\nself.note = replace(n, index=n.index + 1)",
    "b = self.box\nself.index = b.note.index",
    "self.box = Box(self.kind, self.term)",
    "self.note = Note(self.leader, i)",
    "self.gaps = self.log",
    "self.index = 0",
    "self.index = len(self.log)",
    "self.index = self.term",
    "self.index = max(i, 0)",
    "self.index = min(i, self.term)",
    "self.index = sum(self.count[p] for p in Server)",
    "self.index = twice(self.term)",
    "self.index = twice(2)",
    "self.index = abs(i)",
    "self.index = -i",
    "self.count[s] = len(self.seen)",
    "self.index = self.rank.index",
    "self.bump(self.note)",
    "self.bump(self.kind)",
    "self.flag = heard_from(self.note) == s",
    "self.flag = heard_from(self.kind) == s",
    "x: Server | None = None\nself.seen.add(x)",
    "require(self.note.index == i)",
    "require(self.leader in self.seen)\nself.seen.remove(self.leader)",
]
"""mypy rejects these, and the model takes them: it holds a value against its type where it is used or stored, when the
specification runs. An alternative that is not there is an error in the spec, with its run; a number is cut by its bound."""

REFUSED = {
    "acks = [m for m in self.heard if isinstance(m, Ack) and m.source == s]\nself.flag = len(acks) > 0": (
        "a list has an order, and a set of the state has none"
    ),
    "self.seen = {v for p in Server for v in (self.votes[p],) if v is not None}": (
        "a loop ranges over what the language has, and a tuple is no collection"
    ),
    "self.count = {p: n.index if (n := self.last[p]) is not None else Index(0) for p in Server}": "`:=` is outside the compiled subset",
    "self.kind = replace(self.kind, source=s)": "`replace` copies one class of records",
    "self.missing = True": "mypy takes any attribute, since a specification has `__setattr__`",
    "x = set()\nx.add(s)\nself.seen = x": "the type of an empty set is annotated, or given by a place",
}
"""mypy accepts these, and the model refuses them: by which rule of the language."""

BODIES = [*AGREED, *HELD_WHEN_RUN, *REFUSED]
