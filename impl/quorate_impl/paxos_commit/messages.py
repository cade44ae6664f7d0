"""What leaders, participants, acceptors and disks say to each other; clients speak as in `shop.messages`.

The names of phases are those of the specification. What belongs to no phase, it does not have.
"""

from __future__ import annotations

from enum import Enum

from quorate_impl.core import Message, Record
from quorate_impl.shop.messages import Count, Place, Rows, Shelf

Transaction = tuple[str, Count]
"""A purchase's own key: its client, and the number that the client gave it. It is decided once."""

Ballot = tuple[Count, Count, str]
"""A ballot of an instance: its round, and of which start of which leader it is, so that no two are the same."""

OWN: Ballot = (0, 0, "")
"""Ballot 0, in which the participant itself proposes its vote."""


class Vote(Enum):
    """What an instance may choose."""

    PREPARED = "prepared"
    ABORTED = "aborted"


class Accepted(Message, frozen=True):
    """The last vote of an acceptor in one instance."""

    ballot: Ballot
    vote: Vote


class Prepare(Message, frozen=True):
    """Leader to participant: vote on this."""

    place: Place


class Phase1a(Message, frozen=True):
    """Leader to acceptor: begins a ballot of an instance, which has the name of its participant."""

    place: Place
    instance: str
    ballot: Ballot


class Phase1b(Message, frozen=True):
    """Acceptor to leader: promises a ballot, and reports what it has accepted last."""

    transaction: Transaction
    instance: str
    ballot: Ballot
    accepted: Accepted | None


class Phase2a(Message, frozen=True):
    """To an acceptor: a vote is proposed, by the participant in ballot 0, by a leader above. `leader` is to hear of it."""

    place: Place
    instance: str
    ballot: Ballot
    vote: Vote
    leader: str


class Phase2b(Message, frozen=True):
    """Acceptor to leader: has accepted."""

    transaction: Transaction
    instance: str
    ballot: Ballot
    vote: Vote


class Preempted(Message, frozen=True):
    """Acceptor to leader: has promised this ballot, which is above yours."""

    ballot: Ballot


class Verdict(Message, frozen=True):
    """Leader to participant: the outcome."""

    transaction: Transaction
    commit: bool


class Probe(Message, frozen=True):
    """Leader to participant: is it over at yours? Then acknowledge it, whatever the verdict was."""

    transaction: Transaction


class Acknowledged(Message, frozen=True):
    """Participant to leader: it has done as the verdict says, or has nothing to do, and will never vote on this again."""

    transaction: Transaction


class Over(Message, frozen=True):
    """Leader to acceptors: all participants have acknowledged these."""

    transactions: tuple[Transaction, ...]


class Inquire(Message, frozen=True):
    """To a leader, from a participant that has been prepared for long, or an acceptor that keeps votes for long: end it."""

    place: Place


NodeMessage = (
    Prepare | Phase1a | Phase1b | Phase2a | Phase2b | Preempted | Verdict | Probe | Acknowledged | Over | Inquire
)

# The leaders' log


class Began(Record, frozen=True):
    """The leader has started this many times."""

    start: Count


# The participants' log


class Voted(Record, frozen=True):
    """The participant has voted in ballot 0. It does so once."""

    place: Place
    vote: Vote


class Concluded(Record, frozen=True):
    """The participant has committed or aborted, perhaps without having voted."""

    transaction: Transaction
    commit: bool


class Stood(Record, frozen=True):
    """What a checkpoint has of a client's last transaction, which is over here: the vote, and whether it was committed."""

    transaction: Transaction
    vote: Vote | None
    commit: bool


# The acceptors' log


class PromisedBallot(Record, frozen=True):
    """The acceptor accepts nothing in a ballot below."""

    place: Place
    instance: str
    ballot: Ballot


class AcceptedVote(Record, frozen=True):
    """The acceptor has accepted a vote, and promised its ballot."""

    place: Place
    instance: str
    ballot: Ballot
    vote: Vote


class Ended(Record, frozen=True):
    """All participants have acknowledged these."""

    transactions: tuple[Transaction, ...]


LogRecord = Began | Voted | Concluded | Stood | Shelf | Rows | PromisedBallot | AcceptedVote | Ended
