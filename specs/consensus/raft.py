"""Raft: leader election and log replication (Ongaro & Ousterhout 2014, "In Search of an Understandable Consensus Algorithm")."""

from enum import Enum
from typing import Annotated

from checker import (
    Nat,
    Network,
    Scalarset,
    Spec,
    action,
    invariant,
    is_majority,
    reachable,
    record,
    require,
    step,
    up_to,
    violates,
)


class Server(Scalarset, size=3):
    """A member of the cluster."""


class Command(Scalarset, size=1):
    """What a client asks the replicated state machine to do."""


class Term(Nat, max=2):
    """Numbers the reigns of leaders; 0 is before the first election."""


class Index(Nat, max=2):
    """A position in a log, from 1; 0 is before the first entry."""


class Role(Enum):
    """What a server takes itself for."""

    FOLLOWER = "follower"
    CANDIDATE = "candidate"
    LEADER = "leader"


@record
class Entry:
    """A log entry: a command, and the term of the leader that received it."""

    term: Term
    command: Command


@record
class RequestVote:
    """`candidate` asks all servers for their votes; its log ends with an entry of `last_term` at `last_index`."""

    term: Term
    candidate: Server
    last_index: Index
    last_term: Term


@record
class Vote:
    """`voter` gives `candidate` its vote of `term`."""

    term: Term
    voter: Server
    candidate: Server


@record
class AppendEntries:
    """The leader's message to all: after the entry of `prev_term` at `prev_index` comes `entry`.

    Without an entry it is a heartbeat. `commit` is the leader's commit index.
    """

    term: Term
    leader: Server
    prev_index: Index
    prev_term: Term
    entry: Entry | None
    commit: Index


@record
class AppendReply:
    """`follower` has the log of the leader of `term` up to `match`."""

    term: Term
    follower: Server
    leader: Server
    match: Index


@record
class Commitment:
    """The leader of `term` found `entry` committed at `index`."""

    term: Term
    index: Index
    entry: Entry


class Raft(Spec):
    """Raft as in figure 2 of the paper, without membership changes, reads and snapshots.

    Promise, to the clients: the servers execute the same commands in the same order, and an entry once committed stays in its
    place for ever, whatever messages are lost, delayed, reordered or repeated and whoever crashes and restarts.

    Five choices keep the state space small, and take no behaviour away that matters for safety:

    - The network is the set of all messages ever sent. Any may arrive late, repeatedly or never; so a message to all is sent
      once, and a leader sends what it has at once and need not send it again.
    - An AppendEntries carries one entry at most. A batch is like its parts, delivered one after the other.
    - There is no nextIndex: it only says where a leader should try first, and here it tries everywhere. So refusals, by which
      it would learn where to try next, carry no news but their term, and that the RequestVote of the same term carries too.
    - A candidate counts votes, and a leader replies, by looking at what has arrived.
    - A restart keeps the commit index, which a server could also find out anew; `commit_index` is therefore all that
      a server ever knew to be committed.
    """

    role_variable = None

    term: dict[Server, Term]
    voted_for: dict[Server, Server | None]
    log: dict[Server, Annotated[list[Entry], up_to(Index)]]
    role: dict[Server, Role]
    commit_index: dict[Server, Index]
    network: Network[RequestVote | Vote | AppendEntries | AppendReply] = Network(capacity=40)

    elected: dict[Term, set[Server]]
    committed: set[Commitment]
