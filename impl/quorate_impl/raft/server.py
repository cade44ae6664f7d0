"""What a server is: term, vote, log, state machine, role; and how it comes back from its disk."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from quorate_impl.core import Core, Record
from quorate_impl.raft.log import Log
from quorate_impl.raft.messages import Append, HardState, Response, Result, Snapshot
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
    election_ticks_min: int = 50
    election_ticks_max: int = 100
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


class Server(Core):
    """The state that all parts of the protocol share."""

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
        self._quiet_ticks = 0
        self._vote_number = 0
        self._recover(records)

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
        return {name: address for _, members in self.log.configurations for name, address in members.items()}

    def _is_enough(self, servers: Iterable[str]) -> bool:
        """`is_enough`: more than half of the latest configuration."""
        members = self.log.members
        return 2 * sum(1 for name in servers if name in members) > len(members)

    def _observe(self, term: int) -> None:
        """`observe`: whoever hears of a later term enters it as a follower."""
        if term > self.term:
            self.term = term
            self.voted_for = None
            self._vote_number = self._save_vote()
            self._follow(None)

    def _save_vote(self) -> int:
        """Write term and vote; returns the number of the write. No message that tells of them goes out before it is done."""
        return self.persist(HardState(self.term, self.voted_for))

    def _follow(self, leader: str | None) -> None:
        """Be a follower. A leader that steps down tells its clients that it does not know how their requests end."""
        if self.role is Role.LEADER:
            self._stop_leading()
        if leader is not None and leader != self.leader:
            self.note("follows", term=self.term, leader=leader)
        self.role = Role.FOLLOWER
        self.leader = leader

    def _answer(self, client: str, id: int, result: Result) -> None:
        """What is answered is committed, or says that nothing is known: neither depends on the own disk."""
        self.reply_at_once(client, Response(id, result))

    def _stop_leading(self) -> None:
        """The leader is about to be a follower."""
