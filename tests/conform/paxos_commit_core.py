"""Paxos Commit of `quorate_impl`, in the hands of an adapter, beside the specification `paxos_commit`.

Participants, acceptors and leaders are the program's own; network, disks, clocks and what a participant can promise are the
adapter's. The purchase of the program is the one transaction of the specification. A leader leads one ballot, and all leaders
are deaf until the specification says that one proposes, by the promises that there are. Who decides is a leader that has just
been asked, and hears what acceptors have accepted: any of them might.
"""

from __future__ import annotations

from collections.abc import Collection
from copy import deepcopy
from typing import Any, ClassVar

from quorate.conform import Adapter, Refused
from quorate_impl.core import Checkpoint, Core, Persist, Persisted, Received, Record, Send, Started
from quorate_impl.paxos_commit import Acceptor, Leader, Options, Participant
from quorate_impl.paxos_commit.messages import (
    OWN,
    Accepted,
    Ballot,
    Phase1a,
    Phase1b,
    Phase2a,
    Phase2b,
    Prepare,
    Verdict,
    Vote,
)
from quorate_impl.shop.messages import Place, Rows
from quorate_impl.shop.resources import Resource, Status

PATIENCE = 1_000_000


class Willing(Resource):
    """Data that can be promised, or not."""

    role = "inventory"

    def __init__(self) -> None:
        self.can = True

    def covers(self, place: Place, promised: Collection[Place]) -> bool:
        return self.can

    def execute(self, place: Place) -> None:
        pass

    def record(self) -> Record:
        return Rows(())

    def restore(self, record: Record) -> None:
        pass

    def status(self, promised: Collection[Place]) -> Status:
        return {}


class PaxosCommitCore(Adapter):
    """So many of each, as the heirs say, which also name the programs."""

    members: ClassVar[dict[str, tuple[Any, ...]]] = {"ResourceManager": ("orders",), "Acceptor": ("a1", "a2", "a3")}
    leader: type[Leader] = Leader
    acceptor: type[Acceptor] = Acceptor
    participant: type[Participant] = Participant

    def reset(self, arguments: dict[str, Any]) -> None:
        self.place = Place("c", 1, dict.fromkeys(self.members["ResourceManager"][1:], 1))
        self.options = Options(acceptors=self.members["Acceptor"], leaders=("l1", "l2"))
        self.network: list[Any] = []
        self.cores: dict[str, Core] = {}
        for name in self.members["ResourceManager"]:
            self.cores[name] = self.participant(name, (), Willing(), self.options)
        for name in self.members["Acceptor"]:
            self.cores[name] = self.acceptor(name, (), self.options)
        for name in self.options.leaders:
            self.cores[name] = self._leader(name)

    def _leader(self, name: str) -> Leader:
        core = self.leader(name, (), tuple(self.place.lines), self.options)
        self._take(core, core.step(Started()))
        core.lead(self.place, None, PATIENCE)
        return core

    # Steps

    def perform(self, action: str, arguments: dict[str, Any]) -> None:
        getattr(self, f"_{action}")(**arguments)

    def _step(self, name: str, *messages: Any) -> None:
        """Deliver them together."""
        core = self.cores[name] = deepcopy(self.cores[name])
        self._take(core, core.step(*(Received("l1", each) for each in messages)))

    def _take(self, core: Core, effects: list[Any]) -> None:
        """The disk works at once, and what is sent is kept."""
        for effect in effects:
            match effect:
                case Send(_, Phase1a() | Phase2a() | Verdict() as message) if message not in self.network:
                    self.network.append(message)
                case Send(_, Phase1b() | Phase2b() as message) if (core.name, message) not in self.network:
                    self.network.append((core.name, message))
                case Persist(number) | Checkpoint(number):
                    self._take(core, core.step(Persisted(number)))

    @staticmethod
    def _ballot(b: int) -> Ballot:
        return (b, 1, f"l{b}") if b else OWN

    def _need(self, is_there: bool) -> None:
        if not is_there:
            raise Refused("nobody has said so")

    # Actions

    def _prepare(self, r: str, can: bool = True) -> None:
        core = self.cores[r]
        assert isinstance(core, Participant) and isinstance(core.resource, Willing)
        core.resource.can = can
        self._step(r, Prepare(self.place))

    def _choose_to_abort(self, r: str) -> None:
        self._prepare(r, can=False)

    def _obey_commit(self, r: str, commit: bool = True) -> None:
        verdict = Verdict(self.place.key, commit)
        self._need(verdict in self.network)
        self._step(r, verdict)

    def _obey_abort(self, r: str) -> None:
        self._obey_commit(r, commit=False)

    def _begin_ballot(self, r: str, b: int) -> None:
        self._need(b > 0 and not any(self._is(each, Phase1a, r, b) for each in self.network))
        name = f"l{b}"
        core = self.cores[name] = deepcopy(self.cores[name])
        assert isinstance(core, Leader)
        core.begin_ballot(self.place, r, b)
        self._take(core, core.step())

    def _is(self, message: Any, kind: type, r: str, b: int) -> bool:
        return isinstance(message, kind) and (message.instance, message.ballot) == (r, self._ballot(b))

    def _propose(self, r: str, b: int) -> None:
        promises = [each for each in self.network if isinstance(each, tuple) and self._is(each[1], Phase1b, r, b)]
        self._need(b > 0 and bool(promises))
        core = self.cores[f"l{b}"] = deepcopy(self.cores[f"l{b}"])
        self._take(core, core.step(*(Received(source, message) for source, message in promises)))

    def _decide_to_commit(self, commit: bool = True) -> None:
        core = self._leader("l1")
        for each in [each for each in self.network if isinstance(each, tuple) and isinstance(each[1], Phase2b)]:
            effects = core.step(Received(*each))
            self._take(core, [one for one in effects if one.message == Verdict(self.place.key, commit)])

    def _decide_to_abort(self) -> None:
        self._decide_to_commit(commit=False)

    def _promise(self, a: str, m: dict[str, Any]) -> None:
        message = Phase1a(self.place, m["instance"], self._ballot(m["ballot"]))
        self._need(message in self.network)
        self._step(a, message)

    def _accept(self, a: str, m: dict[str, Any]) -> None:
        ballot = self._ballot(m["ballot"])
        message = Phase2a(self.place, m["instance"], ballot, Vote(m["vote"]), ballot[2] or "l1")
        self._need(message in self.network)
        self._step(a, message)

    # What is seen

    def _seen(self, message: Any) -> Any:
        match message:
            case Verdict(_, commit):
                return "COMMIT" if commit else "ABORT"
            case Phase1a(_, instance, ballot):
                return {"record": "Phase1a", "instance": instance, "ballot": ballot[0]}
            case Phase2a(_, instance, ballot, vote, _):
                return {"record": "Phase2a", "instance": instance, "ballot": ballot[0], "vote": vote.value}
            case source, Phase1b(_, instance, ballot, accepted):
                fields = {"instance": instance, "ballot": ballot[0], "accepted": self._accepted(accepted)}
                return {"record": "Phase1b", **fields, "acceptor": source}
            case source, Phase2b(_, instance, ballot, vote):
                fields = {"instance": instance, "ballot": ballot[0], "vote": vote.value}
                return {"record": "Phase2b", **fields, "acceptor": source}
        raise AssertionError(message)

    @staticmethod
    def _accepted(accepted: Accepted | None) -> dict[str, Any] | None:
        return None if accepted is None else {"ballot": accepted.ballot[0], "vote": accepted.vote.value}

    def observe(self) -> dict[str, Any]:
        rm = {}
        promised: dict[str, dict[str, int]] = {}
        accepted: dict[str, dict[str, Any]] = {}
        for name, core in self.cores.items():
            if isinstance(core, Participant):
                part = core.rm.get(self.place.client)
                rm[name] = part.state.value if part is not None else "working"
            elif isinstance(core, Acceptor):
                entry = core.entries.get(self.place.key)
                instances = entry.instances if entry is not None else {}
                names = self.members["ResourceManager"]
                promised[name] = {r: instances[r].promised[0] if r in instances else 0 for r in names}
                accepted[name] = {r: self._accepted(instances[r].accepted) if r in instances else None for r in names}
        network = [self._seen(each) for each in self.network]
        return {"rm": rm, "promised": promised, "accepted": accepted, "network": network}
