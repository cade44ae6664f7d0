"""What Raft's servers, clients and disks say to each other."""

from __future__ import annotations

from typing import Annotated

import msgspec

from quorate_impl.core import Message, Record

Count = Annotated[int, msgspec.Meta(ge=0)]
"""Terms, indices, sizes. What comes over the wire with another number is no message."""

# The key-value store


class Put(Message, frozen=True):
    """Set the value of a key."""

    key: str
    value: str


class Get(Message, frozen=True):
    """The value of a key."""

    key: str


class Cas(Message, frozen=True):
    """Set the value of a key if it is `expected` now; None is the value of a key that is not there."""

    key: str
    expected: str | None
    value: str


class Delete(Message, frozen=True):
    """Take a key away."""

    key: str


Update = Put | Cas | Delete
"""What changes the store, and so goes through the log."""


# Results


class Done(Message, frozen=True):
    """It has been done."""


class Value(Message, frozen=True):
    """The value of the key, None if it is not there."""

    value: str | None


class Mismatch(Message, frozen=True):
    """A `Cas` found this value, and changed nothing."""

    value: str | None


class Opened(Message, frozen=True):
    """The session has this number."""

    session: Count


class Expired(Message, frozen=True):
    """The cluster has forgotten the session: whether the request was executed, it does not know."""


class NotLeader(Message, frozen=True):
    """The server does not lead (any more); whether the request will be executed is open.

    `leader` may lead; these are the members that the server knows, each with its address.
    """

    leader: str | None
    members: dict[str, str]


class Refused(Message, frozen=True):
    """Nothing was done, because of this."""

    reason: str


class Facts(Message, frozen=True):
    """What a server knows of itself and of the cluster."""

    facts: dict[str, str | int | float | bool | None]
    members: dict[str, str]


Result = Done | Value | Mismatch | Opened | Expired | NotLeader | Refused | Facts


# Requests of clients


class Open(Message, frozen=True):
    """Begin a session, in which each update is executed once."""

    id: int


class Execute(Message, frozen=True):
    """Execute the update with this number of the session. The client has the answers to all numbers up to `answered`."""

    id: int
    session: Count
    number: Count
    answered: Count
    update: Update


class Query(Message, frozen=True):
    """Read, and see all that was acknowledged before."""

    id: int
    get: Get


class Status(Message, frozen=True):
    """What does this server know? Any server answers."""

    id: int


class AddServer(Message, frozen=True):
    """Make this server a member, when it has caught up."""

    id: int
    name: str
    address: str


class RemoveServer(Message, frozen=True):
    """Go on without this server."""

    id: int
    name: str


class Transfer(Message, frozen=True):
    """Let this server lead."""

    id: int
    target: str


Request = Open | Execute | Query | Status | AddServer | RemoveServer | Transfer


class Response(Message, frozen=True):
    """The answer to the request with this id."""

    id: int
    result: Result


# The log


class Noop(Message, frozen=True):
    """A leader's first entry, so that it can commit what it found in its log."""


class Session(Message, frozen=True):
    """A client begins a session; its number is the index of the entry."""


class Command(Message, frozen=True):
    """An update of a session."""

    session: Count
    number: Count
    answered: Count
    update: Update


class Configuration(Message, frozen=True):
    """From here on, these are the members, each with its address."""

    members: dict[str, str]


class Entry(msgspec.Struct, frozen=True, array_like=True):
    """What a log holds at an index: a payload, and the term of the leader that received it."""

    term: Count
    payload: Noop | Session | Command | Configuration


# Between servers


class PreVote(Message, frozen=True):
    """Would you vote for me in this term? My log ends with an entry of `last_term` at `last_index`."""

    term: Count
    last_index: Count
    last_term: Count


class PreVoteReply(Message, frozen=True):
    """Yes, in this term; or no, and my own term is this."""

    term: Count
    is_granted: bool


class RequestVote(Message, frozen=True):
    """Vote for me in this term. `is_invited` says that the leader has asked me to take over."""

    term: Count
    last_index: Count
    last_term: Count
    is_invited: bool


class Vote(Message, frozen=True):
    """I vote for you in this term; or not, and my own term is this."""

    term: Count
    is_granted: bool


class AppendEntries(Message, frozen=True):
    """After the entry of `prev_term` at `prev_index` come these. Without entries it is a heartbeat.

    `commit` is the leader's commit index; `round` is what the reply tells back, to confirm the leader for reads.
    """

    term: Count
    prev_index: Count
    prev_term: Count
    entries: tuple[Entry, ...]
    commit: Count
    round: Count


class AppendReply(Message, frozen=True):
    """I have the leader's log up to `match`, on my disk."""

    term: Count
    match: Count
    round: Count


class AppendRefusal(Message, frozen=True):
    """I lack the entry at `prev_index`, or have another one. Try after `hint`."""

    term: Count
    prev_index: Count
    hint: Count
    round: Count


class InstallSnapshot(Message, frozen=True):
    """A piece of the leader's snapshot, from byte `offset` on."""

    term: Count
    last_index: Count
    last_term: Count
    members: dict[str, str]
    offset: Count
    data: bytes
    is_last: bool


class SnapshotReply(Message, frozen=True):
    """Of the snapshot up to `last_index` I have `offset` bytes."""

    term: Count
    last_index: Count
    offset: Count


class TimeoutNow(Message, frozen=True):
    """Run for the next term at once: I hand over to you."""

    term: Count


PeerMessage = (
    PreVote
    | PreVoteReply
    | RequestVote
    | Vote
    | AppendEntries
    | AppendReply
    | AppendRefusal
    | InstallSnapshot
    | SnapshotReply
    | TimeoutNow
)


# On the disk


class HardState(Record, frozen=True):
    """The term, and whom the server has voted for in it."""

    term: Count
    voted_for: str | None


class Append(Record, frozen=True):
    """From `index` on the log holds these entries, whatever it held there before."""

    index: Count
    entries: tuple[Entry, ...]


class Snapshot(Record, frozen=True):
    """What all entries up to `last_index`, of which the last is of `last_term`, have led to."""

    last_index: Count
    last_term: Count
    members: dict[str, str]
    state: bytes


RaftRecord = HardState | Append | Snapshot
