"""The quorum store of `quorate_impl`, in the hands of an adapter, beside the specification `dynamo`.

Nodes and clients are the program's own; network, disks and ticks are the adapter's. What the specification does in one step, and
the program in several messages, the adapter delivers together:

- `write`: the request reaches the coordinator, and what that sends is kept, to be delivered by `store`; the coordinator is also
  made to wait for an answer, so that its message to the stand-in, if there is one, is there for `stand_in`.
- `store`, `stand_in`: one replica gets the message, and its confirmation is kept until `acknowledge`.
- `acknowledge`: all confirmations reach the coordinator, and its answer the client.
- `get`: a read that waits for one node. Other nodes are not reached.
- `hand_over`, `repair_after_read`, `anti_entropy`: both ways, between these two nodes. In a repair, `behind` coordinates the read.

What an application knows is the adapter's: `put`, `shown` and `past` are made from what clients were told.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from typing import Any, ClassVar

from quorate.conform import Adapter, Refused
from quorate_impl.core import Draw, Drawn, Message, Persist, Persisted, Received, Reply, Requested, Send, Started, Tick
from quorate_impl.dynamo import Client, Dynamo, Options
from quorate_impl.dynamo.client import Get, Put
from quorate_impl.dynamo.messages import (
    Compare,
    Confirmed,
    Done,
    HandOver,
    Offer,
    Query,
    Read,
    Replicate,
    Siblings,
    Values,
)
from quorate_impl.dynamo.ring import Ring, position

OPTIONS = Options(replicas=2, patience_ticks=1, hand_over_ticks=1, anti_entropy_ticks=1, request_ticks=10**9)
WHOLE = 2**64

Sent = list[tuple[str, Message]]


def name_of(key: int, places: int) -> str:
    """A name that hashes to the part of the ring which the specification calls this key."""
    names = (f"key {key}.{number}" for number in range(1_000))
    return next(name for name in names if position(name) * places // WHOLE == key)


class DynamoCore(Adapter):
    """Three nodes with one place each on the ring, a client, and a write. Heirs name other members, and the program."""

    members: ClassVar[dict[str, tuple[str, ...]]] = {"Node": ("n1", "n2", "n3"), "Client": ("c1",), "Update": ("u1",)}
    key_count = 1
    core: type[Dynamo] = Dynamo

    def reset(self, arguments: dict[str, Any]) -> None:
        places = len(arguments["ring"])
        tokens = [((int(p) + 1) * WHOLE // places - 1, node) for p, node in arguments["ring"].items()]
        names = [*self.members["Node"]]
        placed: Any = type(self.core.__name__, (self.core,), {"_ring": lambda _: Ring(tokens, OPTIONS.replicas)})
        self.keys = [name_of(key, places) for key in range(places)]
        self.nodes: dict[str, Dynamo] = {}
        self.answers: list[Any] = []
        for name in names:
            self.nodes[name] = placed(name, (), dict.fromkeys(names, ""), OPTIONS)
            self._step(name, Started(), Tick(1_000))
        self.clients = {name: Client(name, dict.fromkeys(names, "")) for name in self.members["Client"]}
        self.waiting: dict[str, str] = {}
        self.put: dict[str, Any] = dict.fromkeys(self.members["Update"])
        self.messages: dict[str, Sent] = {}
        self.confirmed: dict[str, dict[str, Confirmed]] = {each: {} for each in self.put}
        self.acknowledged: set[str] = set()
        self.shown: dict[tuple[str, str], set[str]] = {(c, k): set() for c in self.clients for k in self.keys}
        self.past: dict[str, set[str]] = {each: set() for each in self.put}

    def _step(self, name: str, *events: Any) -> Sent:
        """What a node sends. Its disk works at once; its answers to clients are in `answers`."""
        sent: Sent = []
        for effect in self.nodes[name].step(*events):
            match effect:
                case Send(target, message):
                    sent.append((target, message))
                case Reply(_, response):
                    self.answers.append(response)
                case Persist(number):
                    sent += self._step(name, Persisted(number))
                case Draw(purpose):
                    sent += self._step(name, Drawn(purpose, 0))
        return sent

    def _deliver(self, source: str, target: str, message: Message) -> Sent:
        return self._step(target, Received(source, message))

    def perform(self, action: str, arguments: dict[str, Any]) -> None:
        self.answers.clear()
        if "k" in arguments:
            arguments["k"] = self.keys[arguments["k"]]
        getattr(self, f"_{action}")(**arguments)

    # Clients

    def _ask(self, c: str, n: str, request: Get | Put) -> Query | Any:
        """What a client sends when it asks this node."""
        client = self.clients[c]
        client._target = n
        effects = client.step(Requested("", request))
        match effects:
            case [Draw(purpose)]:
                effects = client.step(Drawn(purpose, 1 + [*self.clients].index(c)))
        (sent,) = effects
        assert isinstance(sent, Send)
        return sent.message

    def _show(self, c: str, n: str, k: str) -> None:
        """The node's answer reaches the client. Raises Refused if there is none."""
        if not self.answers:
            raise Refused("there is no answer")
        for effect in self.clients[c].step(Received(n, self.answers.pop())):
            assert isinstance(effect, Reply)
            if not isinstance(effect.response, Values | Done):
                raise Refused(str(effect.response))
            values = set(effect.response.values)
            self.shown[c, k] |= values.union(*(self.past[value] for value in values))

    def _get(self, c: str, n: str, k: str) -> None:
        before = deepcopy(self.clients[c])
        try:
            self._step(n, Requested(c, self._ask(c, n, Get(k, "one"))))
            self._show(c, n, k)
        except Refused:
            self.clients[c] = before
            raise
        finally:
            self.nodes[n].readings.clear()  # The others are not reached.

    def _write(self, c: str, u: str, n: str, k: str) -> None:
        if self.put[u] is not None or c in self.waiting:
            raise Refused("a value is written once, and a client waits for the answer")
        before = deepcopy(self.clients[c])
        others = [name for name in self.nodes if name != n]
        sent = self._step(n, Requested(c, self._ask(c, n, Put(k, u, 2))))
        if self.answers and not isinstance(self.answers[-1].result, Done):
            self.clients[c] = before
            raise Refused(str(self.answers[-1].result))
        for other in others:
            self._deliver(other, n, Confirmed((0, 0)))  # Nobody is suspected any more.
        sent += self._step(n, Tick(1_000))
        self.messages[u] = sent
        self.put[u] = {"client": c, "key": self.keys.index(k), "node": n}
        self.past[u] = set(self.shown[c, k])
        self.waiting[c] = u

    def _acknowledge(self, u: str) -> None:
        if u not in self.waiting.values():
            raise Refused("nobody waits for it")
        put = self.put[u]
        for source, message in self.confirmed[u].items():
            self._deliver(source, put["node"], message)
        self._show(put["client"], put["node"], self.keys[put["key"]])
        del self.waiting[put["client"]]
        self.acknowledged.add(u)

    # Replicas

    def _copies(self, u: str, n: str, target: str | None) -> Iterator[Replicate]:
        for to, message in self.messages.get(u, ()):
            if to == n and isinstance(message, Replicate) and message.target == target:
                yield message

    def _take(self, n: str, m: dict[str, Any], target: str | None) -> None:
        copy = next(self._copies(m["update"], n, target), None)
        if copy is None:
            raise Refused("there is no such message")
        for _, message in self._deliver(m["source"], n, copy):
            if isinstance(message, Confirmed) and message.id == copy.id:
                self.confirmed[m["update"]][n] = message

    def _store(self, n: str, m: dict[str, Any]) -> None:
        self._take(n, m, None)

    def _stand_in(self, n: str, target: str, m: dict[str, Any]) -> None:
        if n in self.confirmed[m["update"]]:
            raise Refused("the network repeats no message to a stand-in")
        self._take(n, m, target)

    def _hand_over(self, n: str, target: str, k: str) -> None:
        for to, message in self._step(n, Tick(1_000)):
            if to == target and isinstance(message, HandOver) and message.key == k:
                for _, confirmed in self._deliver(n, target, message):
                    self._deliver(target, n, confirmed)
                return
        raise Refused("it owes nothing")

    def _repair_after_read(self, n: str, behind: str, k: str) -> None:
        sent = self._step(behind, Requested("", Query(0, k, 2)))
        sent += self._step(behind, Tick(1_000))
        asked = [message for to, message in sent if to == n and isinstance(message, Read)]
        for message in asked[:1]:
            for _, found in self._deliver(behind, n, message):
                self._deliver(n, behind, found)
        self._step(behind, Tick(1_000))
        self.nodes[behind].readings.clear()

    def _anti_entropy(self, n: str, other: str, k: str) -> None:
        compared = (message for _ in self.nodes for message in self._step(n, Tick(1_000)))
        sent = [(to, m) for to, m in compared if to == other and isinstance(m, Compare)]
        while sent:
            source, target, message = (n, other, sent[0][1]) if sent[0][0] == other else (other, n, sent[0][1])
            if isinstance(message, Offer) and (target == other or message.path[0] != self.nodes[n].ring.range_of(k)):
                del sent[0]  # Only this key, and only this way.
                continue
            sent = [*sent[1:], *self._deliver(source, target, message)]

    # What is seen

    def _siblings(self, siblings: Siblings) -> Any:
        versions = [
            {"update": v.value, "node": v.actor.partition("#")[0], "number": v.number} for v in siblings.versions
        ]
        return {"versions": versions, "covers": self._vector(siblings.covers)}

    def _vector(self, vector: dict[str, int]) -> dict[str, int]:
        return {name: vector.get(node.actor, 0) for name, node in self.nodes.items()}

    def _by_key(self, of: Any) -> dict[str, Any]:
        return {str(number): of(key) for number, key in enumerate(self.keys[: self.key_count])}

    def observe(self) -> dict[str, Any]:
        network = []
        for update, sent in self.messages.items():
            first = next((message for _, message in sent if isinstance(message, Replicate)), None)
            if first is not None:
                put = self.put[update]
                record = {"source": put["node"], "key": put["key"], "update": update}
                network.append(record | {"siblings": self._siblings(first.siblings)})
        coordinators = {u: [put["node"]] if put is not None else [] for u, put in self.put.items()}
        return {
            "stored": {
                name: self._by_key(lambda key, node=node: self._siblings(node.siblings(key)))
                for name, node in self.nodes.items()
            },
            "owes": {
                name: self._by_key(lambda key, node=node: sorted(node.owes.get(key, ())))
                for name, node in self.nodes.items()
            },
            "network": network,
            "put": self.put,
            "confirmed": {u: [*coordinators[u], *self.confirmed[u]] for u in self.put},
            "acknowledged": sorted(self.acknowledged),
            "context": {
                name: self._by_key(lambda key, client=client: self._vector(client.contexts.get(key, {})))
                for name, client in self.clients.items()
            },
            "shown": {c: self._by_key(lambda key, c=c: sorted(self.shown[c, key])) for c in self.clients},
            "past": {u: sorted(past) for u, past in self.past.items()},
        }
