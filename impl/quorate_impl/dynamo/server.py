"""What a node is: its siblings of each key, whom it owes some of them, and how it comes back from its disk."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from quorate_impl.core import Core, Message, Record
from quorate_impl.dynamo.clock import Clock
from quorate_impl.dynamo.merkle import Trees
from quorate_impl.dynamo.messages import (
    Began,
    Done,
    Executed,
    Id,
    Kept,
    Level,
    Response,
    Result,
    Siblings,
    StoreRecord,
    Values,
)
from quorate_impl.dynamo.ring import Ring
from quorate_impl.dynamo.siblings import NOTHING, POLICIES, Policy, latest, values


@dataclass(frozen=True)
class Options:
    """What all nodes of a cluster agree on, and times in ticks."""

    replicas: int = 3
    """How many homes a key has (the paper's N); all nodes, if there are fewer."""
    policy: str = "siblings"
    """One of `siblings.POLICIES`."""
    skew_ms: int | None = None
    """How far a stamp may be ahead of a node's wall clock for the node to believe it; None believes all."""
    is_sloppy: bool = True
    """Whether nodes that are no homes stand in for those that do not answer."""
    virtual_nodes: int = 16
    patience_ticks: int = 10
    """After how long a home that has not answered is asked again, and somebody else as well."""
    request_ticks: int = 200
    """After how long a coordinator forgets a request that too few have answered."""
    stale_ms: int = 1_000
    """How long before a read a value was written, by its stamp, for the read to be counted as stale if it lacks it."""
    hand_over_ticks: int = 50
    """How often a stand-in tries to hand over."""
    hand_over_keys: int = 64
    """How many keys it hands over at a time."""
    anti_entropy_ticks: int = 100
    """How often a node compares its trees with those of another one."""
    offer_characters: int = 2**20
    """How many characters of keys and values one message of anti-entropy has, if it has more than one key."""
    siblings_characters: int = 2**20
    """How many characters the values of one key may have in all, if there are several."""
    sessions_max: int = 10_000
    """Of how many keys and sessions the last write is remembered, to know it when it comes again."""
    checkpoint_after: int = 10_000
    """How many records the log may have beyond twice what a checkpoint has, which then takes its place."""


class Server(Core):
    """The state that all parts of the protocol share. `stored` and `owes` are the specification's."""

    def __init__(self, name: str, records: Sequence[Record], members: Mapping[str, str], options: Options) -> None:
        super().__init__(name)
        self.options = options
        self.members = dict(members)
        self.ring = self._ring()
        self.policy = self._policy()
        self.clock = Clock(options.skew_ms)
        self.stored: dict[str, Siblings] = {}
        self.owes: dict[str, frozenset[str]] = {}
        self.trees = self._trees()
        self.suspects: set[str] = set()
        self.counts = dict.fromkeys(("stale_reads", "repairs", "hints_taken", "handed_over", "exchanged"), 0)
        self.sizes: Counter[int] = Counter()
        """How many keys have so many siblings, if they have more than one."""
        self._executed: dict[tuple[int, str], Executed] = {}
        self.actor = ""
        self._start = 0
        self._begun = 0
        self._logged = len(records)
        self._recover(records)

    def _ring(self) -> Ring:
        return Ring.of(self.members, self.options.replicas, self.options.virtual_nodes)

    def _policy(self) -> Policy:
        return POLICIES[self.options.policy]()

    def _trees(self) -> Trees:
        return Trees()

    def _recover(self, records: Sequence[Record]) -> None:
        """A node that was down is, for the specification, one that has done nothing for a while: all it had is on the disk."""
        for record in records:
            match record:
                case Began(start, actor):
                    self._start, self.actor = start, actor
                case Kept(key, siblings, owes):
                    self._set(key, siblings, frozenset(owes))
                case Executed():
                    self._remember(record)
        self._start += 1

    def addresses(self) -> dict[str, str]:
        return dict(self.members)

    def started(self) -> None:
        """Whatever was begun before this start has other numbers, so that a late answer is not taken for one to something else.

        With an empty disk the node is a new actor, and counts its starts from another number: the dots of an earlier one would
        be given again (`ForgetsItsDots`).
        """
        if self.actor:
            self._save(Began(self._start, self.actor))
        else:
            self.draw("actor", 0, 2**48)

    def drawn(self, purpose: str, number: int) -> None:
        self.actor, self._start = f"{self.name}#{number:x}", number
        self._save(Began(self._start, self.actor))

    def _next_id(self) -> Id:
        self._begun += 1
        return self._start, self._begun

    # The ring

    def homes(self, key: str) -> Sequence[str]:
        """The preference list of a key."""
        return self.ring.homes[self.ring.range_of(key)]

    def stand_ins(self, key: str) -> Sequence[str]:
        """Who may stand in for the homes of a key, in the order of the ring."""
        walk = self.ring.walks[self.ring.range_of(key)]
        return walk[len(self.homes(key)) :] if self.options.is_sloppy else ()

    def is_home(self, key: str) -> bool:
        """`is_home`, of this node."""
        return self.name in self.homes(key)

    def _needed(self, level: Level) -> int:
        """How many replicas a level means; more than there are if it cannot be met."""
        replicas = min(self.options.replicas, len(self.members))
        match level:
            case "one":
                return 1
            case "quorum":
                return replicas // 2 + 1
            case "all":
                return replicas
        return level

    # What is stored

    def siblings(self, key: str) -> Siblings:
        """What this node has of a key."""
        return self.stored.get(key, NOTHING)

    def _merge(self, key: str, received: Siblings, target: str | None = None) -> None:
        """Take what another node has; as a stand-in, to hand it over to the target. What is known already is not written."""
        own, owes = self.siblings(key), self.owes.get(key, frozenset[str]())
        merged = self.policy.merge(own, received)
        owed = owes | {target} if target is not None else owes
        if merged != own or owed != owes:
            self._keep(key, merged, owed)

    def _keep(self, key: str, siblings: Siblings, owes: frozenset[str], *also: StoreRecord) -> None:
        self._set(key, siblings, owes)
        self._save(Kept(key, siblings, tuple(sorted(owes))), *also)

    def _set(self, key: str, siblings: Siblings, owes: frozenset[str]) -> None:
        old = self.siblings(key)
        if self.is_home(key):
            self.trees.replace(self.ring.range_of(key), key, old, siblings)
        self._count(len(old.versions), -1)
        self._count(len(siblings.versions), 1)
        self.clock.observe(latest(siblings))
        self.stored[key] = siblings
        self.owes[key] = owes
        if siblings == NOTHING:
            del self.stored[key]
        if not owes:
            del self.owes[key]

    def _count(self, size: int, by: int) -> None:
        if size > 1:
            self.sizes[size] += by
            if not self.sizes[size]:
                del self.sizes[size]

    def _remember(self, executed: Executed) -> None:
        write = executed.session, executed.key
        self._executed.pop(write, None)
        self._executed[write] = executed
        if len(self._executed) > self.options.sessions_max:
            del self._executed[next(iter(self._executed))]

    def _save(self, *records: StoreRecord) -> None:
        self._logged += len(records)
        needed = 1 + len(self.stored) + len(self._executed)
        if self._logged < 2 * needed + self.options.checkpoint_after:
            self.persist(*records)
            return
        self._logged = needed
        kept = (Kept(key, it, tuple(sorted(self.owes.get(key, ())))) for key, it in self.stored.items())
        self.checkpoint(Began(self._start, self.actor), *kept, *self._executed.values())

    def _merged(self, found: Iterable[Siblings]) -> Siblings:
        merged = NOTHING
        for siblings in found:
            merged = self.policy.merge(merged, siblings)
        return merged

    # Answers

    def _show(self, client: str, id: int, kind: type[Values | Done], found: Siblings) -> None:
        """`show`: a client gets siblings, and their context."""
        self._answer(client, id, kind(values(found), found.covers, latest(found)))

    def _answer(self, client: str, id: int, result: Result) -> None:
        """Whatever it tells is on the disk first."""
        self.reply(client, Response(id, result))

    def _tell(self, target: str, message: Message) -> None:
        """Whatever it tells of this node is on the disk first."""
        self.send(target, message)
