"""The primary/backup store of `quorate_impl`, in the hands of an adapter, beside the specification `primary_backup`.

Nodes and arbiter are the program's own; network, disks, clients and clocks are the adapter's. What the specification does in one
step, and the program in several messages, the adapter delivers together:

- `submit`: the client's request, and what the primary ships, which is kept. What it has shipped to a node since it took office
  is delivered by `store` in one message, as the specification's carries the whole log.
- `acknowledge`: the client asks again (the primary may have restarted since), the confirmations that there are reach the
  primary, and its answer the client.
- `read`: all keys are read. A round of heartbeats goes to the nodes that are up and know of no older epoch, and back.
- `fence`: the arbiter's message, and the promise, which is kept until `promote`: then all promises reach the arbiter, and its
  appointment the node. Which of several nodes is asked first, if their logs are the same, is the arbiter's configuration.

Left out is what a new primary knows, from earlier epochs, of how far the log is stored: it would serve reads, and answer clients,
earlier than the specification's, which asks for confirmations in its own epoch.
The first entry of each epoch, and those of sessions, are not in the specification's log.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any, ClassVar

import msgspec
from quorate.conform import Adapter, Refused
from quorate_impl.core import Message, Persist, Persisted, Received, Reply, Requested, Send, Started, Tick
from quorate_impl.primary_backup import ARBITER, Arbiter, Options, PrimaryBackup
from quorate_impl.primary_backup.messages import (
    START,
    Command,
    Consistency,
    Done,
    Entry,
    Execute,
    Fence,
    Fenced,
    Get,
    Open,
    Opened,
    Promote,
    Put,
    Query,
    Replicate,
    Response,
    Result,
    Scheme,
    Stored,
)

OPTIONS = Options(heartbeat_ticks=10**9, snapshot_after=10**9)

Sent = list[tuple[str, Message]]
Log = tuple[str, ...]


class PrimaryBackupCore(Adapter):
    """Three nodes and a transaction. Heirs name other members, the scheme, how is read, and the program."""

    members: ClassVar[dict[str, tuple[str, ...]]] = {"Node": ("n1", "n2", "n3"), "Tx": ("t1",)}
    scheme = Scheme.SEMI_SYNCHRONOUS
    consistency = Consistency.LATEST
    core: type[PrimaryBackup] = PrimaryBackup
    arbiter: type[Arbiter] = Arbiter

    def reset(self, arguments: dict[str, Any]) -> None:
        self.nodes = [*self.members["Node"]]
        self.addresses = dict.fromkeys((*self.nodes, ARBITER), "")
        self.disk: dict[str, list[Any]] = {name: [] for name in self.addresses}
        self.cores: dict[str, Any] = {}
        self.down: set[str] = set()
        self.submitted: set[str] = set()
        self.acknowledged: set[str] = set()
        self.due: set[str] = set()
        self.view: list[str] = []
        self.fences: set[tuple[str, int]] = set()
        self.promises: dict[str, Fenced] = {}
        self.ends: dict[tuple[int, Log], int] = {}
        self.primaries: dict[int, str] = {}
        self.shipped: dict[tuple[int, str], dict[int, Entry]] = {}
        self.stored: dict[tuple[str, int, int], Stored] = {}
        self.answers: dict[str, dict[int, Result]] = {name: {} for name in self.addresses}
        for name in self.addresses:
            self._start(name)
        self._begin(arguments["p"])

    def _begin(self, first: str) -> None:
        """The first primary takes office, all nodes hear of it, and a client opens its session."""
        for name in self.nodes:
            self._fence(name)
        self._promote(first)
        self._step(first, Requested("", Open(0)))
        for name in self.nodes:
            if name != first:
                entries = self.shipped[1, name]
                self._give(name, first, 1, max(entries))
        for (name, _, _), message in list(self.stored.items()):
            self._step(first, Received(name, message))
        opened = self.answers[first].pop(0)
        assert isinstance(opened, Opened)
        self.session = opened.session
        self.ends.clear()
        self.stored.clear()

    # The world of a node

    def _start(self, name: str) -> None:
        kind = self.arbiter if name == ARBITER else self.core
        self.cores[name] = kind(name, tuple(self.disk[name]), self.addresses, OPTIONS)
        self._step(name, Started())

    def _step(self, name: str, *events: Any) -> Sent:
        """What is sent. The disk works at once; answers to clients are in `answers`, and what a primary ships is kept."""
        sent: Sent = []
        for effect in self.cores[name].step(*events):
            match effect:
                case Send(target, message):
                    sent.append((target, message))
                    self._keep(name, target, message)
                case Reply(_, Response(id, result)):
                    self.answers[name][id] = result
                case Persist(number, records):
                    self.disk[name] += records
                    sent += self._step(name, Persisted(number))
        return sent

    def _keep(self, name: str, target: str, message: Message) -> None:
        match message:
            case Replicate(epoch, prev_index, _, entries) if entries:
                kept = self.shipped.setdefault((epoch, target), {})
                kept.update(enumerate(entries, prev_index + 1))
                end = prev_index + len(entries)
                self.ends[epoch, self._log(name, end)] = end
                self.primaries[epoch] = name
            case Fence(epoch):
                self.fences.add((target, epoch))

    def _log(self, name: str, end: int | None = None) -> Log:
        """The transactions in a node's log."""
        log = self.cores[name].log
        entries = log.after(0)[:end]
        return tuple(each.payload.update.key for each in entries if isinstance(each.payload, Command))

    def _greet(self, name: str) -> None:
        """The others confirm nothing, so that the primary ships its whole log."""
        for other in self.nodes:
            if other != name:
                self._step(name, Received(other, Stored(self.cores[name].epoch, 0, 0)))

    # What the specification does

    def perform(self, action: str, arguments: dict[str, Any]) -> None:
        before = {name: deepcopy(value) for name, value in self.__dict__.items()}
        act: Callable[..., None] = getattr(self, f"_{action}")
        try:
            act(**arguments)
        except Refused:
            self.__dict__ = before
            raise

    def _need_up(self, name: str) -> None:
        if name in self.down:
            raise Refused(f"{name} is down")

    def _execute(self, p: str, t: str) -> None:
        number = self.members["Tx"].index(t) + 1
        request = Execute(number, self.session, number, 0, START, Put(t, t, self.scheme))
        self._step(p, Requested("", request))

    def _submit(self, p: str, t: str) -> None:
        self._need_up(p)
        if t in self.submitted:
            raise Refused("a transaction is submitted once")
        self._execute(p, t)
        if t not in self._log(p):
            raise Refused(str(self.answers[p]))
        self.submitted.add(t)
        self._greet(p)

    def _store(self, n: str, m: dict[str, Any]) -> None:
        self._need_up(n)
        epoch, log = m["epoch"], tuple(m["log"])
        if (epoch, log) not in self.ends or self.primaries[epoch] == n:
            raise Refused("there is no such message")
        self._give(n, self.primaries[epoch], epoch, self.ends[epoch, log])

    def _give(self, n: str, source: str, epoch: int, end: int) -> None:
        """A node hears of the log up to here. What it confirms again is lost."""
        core, shipped = self.cores[n], self.shipped[epoch, n]
        before = core.epoch, core.office, core.log.last
        entries = tuple(shipped[index] for index in range(1, end + 1))
        for _, message in self._step(n, Received(source, Replicate(epoch, 0, 0, entries, 0, 0, 0))):
            if isinstance(message, Stored) and (core.epoch, core.office, core.log.last) != before:
                self.stored[n, message.epoch, len(self._log(n, message.length))] = message
        self._forget(n)

    def _forget(self, name: str) -> None:
        """Whoever is not in office any more has no answers under way."""
        if not self.cores[name].in_office():
            self.answers[name].clear()

    def _confirm(self, p: str) -> None:
        """The confirmations that are under way reach the primary."""
        for (name, epoch, _), message in self.stored.items():
            if epoch == self.cores[p].epoch:
                self._step(p, Received(name, message))

    def _acknowledge(self, p: str, t: str) -> None:
        self._need_up(p)
        if t in self.acknowledged or t not in self._log(p):
            raise Refused("nobody waits for it here")
        number = self.members["Tx"].index(t) + 1
        if number not in self.answers[p]:
            self._execute(p, t)
            self._confirm(p)
        if not isinstance(self.answers[p].get(number), Done):
            raise Refused("it is not answered")
        self.acknowledged.add(t)

    def _read(self, n: str) -> None:
        self._need_up(n)
        keys = self.members["Tx"]
        asked = [Query(100 + i, Get(key, self.consistency)) for i, key in enumerate(keys)]
        sent = self._step(n, *(Requested("", query) for query in asked))
        self._confirm(n)
        for target, message in sent:
            core = self.cores[target]
            if isinstance(message, Replicate) and target not in self.down and core.epoch >= message.epoch:
                heard = msgspec.structs.replace(message, safe=0, everywhere=0)
                for _, answer in self._step(target, Received(n, heard)):
                    self._step(n, Received(target, answer))
        found = [self.answers[n].pop(query.id, None) for query in asked]
        values = [(getattr(each, "position", None), getattr(each, "value", None)) for each in found]
        if any(position is None for position, _ in values):
            raise Refused("it is not answered")
        self.view = [str(value) for _, value in sorted(values) if value is not None]
        self.due = set(self.acknowledged)

    def _crash(self, n: str) -> None:
        self._need_up(n)
        if 2 * (len(self.nodes) - len(self.down) - 1) <= len(self.nodes):
            raise Refused("a majority stays up")
        self.down.add(n)
        self.answers[n].clear()

    def _restart(self, n: str) -> None:
        if n not in self.down:
            raise Refused(f"{n} is up")
        self.down.discard(n)
        ends = dict(self.ends)
        self._start(n)
        if self.cores[n].in_office():
            self._greet(n)
        self.ends = ends  # It ships again what it has shipped before.

    def _suspect(self) -> None:
        arbiter = self.cores[ARBITER]
        if arbiter._timers.runs("suspect"):
            arbiter._timers.set("suspect", 1)
            self.promises.clear()
            self._step(ARBITER, Tick(0))

    def _fence(self, n: str) -> None:
        self._need_up(n)
        arbiter = self.cores[ARBITER]
        if (n, arbiter.latest) not in self.fences or arbiter.elected:
            raise Refused("the arbiter does not ask for it")
        for _, message in self._step(n, Received(ARBITER, Fence(arbiter.latest))):
            if isinstance(message, Fenced):
                self.promises[n] = message
        self._forget(n)

    def _promote(self, n: str) -> None:
        self._need_up(n)
        arbiter = self.cores[ARBITER]
        arbiter.nodes = (n, *(name for name in self.nodes if name != n))
        sent = [each for name, promise in self.promises.items() for each in self._hear(name, promise)]
        if arbiter._timers.runs("grace"):
            arbiter._timers.set("grace", 1)
            sent += self._step(ARBITER, Tick(0))
        appointed = next((each for each in sent if isinstance(each[1], Promote)), None)
        if appointed is None or appointed[0] != n:
            raise Refused("it is not appointed")
        self.promises.clear()
        self._step(n, Received(ARBITER, appointed[1]))
        self.cores[n].safe = self.cores[n].everywhere = 0
        self._greet(n)

    def _hear(self, name: str, promise: Fenced) -> Sent:
        return self._step(ARBITER, Received(name, promise))

    # What is seen

    def observe(self) -> dict[str, Any]:
        cores = {name: self.cores[name] for name in self.nodes}
        arbiter = self.cores[ARBITER]
        replicate = [{"record": "Replicate", "epoch": epoch, "log": [*log]} for epoch, log in self.ends]
        stored = [{"record": "Stored", "node": n, "epoch": e, "length": length} for n, e, length in self.stored]
        return {
            "office": {name: core.office.value for name, core in cores.items()},
            "epoch": {name: core.epoch for name, core in cores.items()},
            "log": {name: [*self._log(name)] for name in cores},
            "copied": {name: core.log.last[0] for name, core in cores.items()},
            "down": sorted(self.down),
            "latest": arbiter.latest,
            "elected": arbiter.elected,
            "submitted": sorted(self.submitted),
            "acknowledged": sorted(self.acknowledged),
            "view": self.view,
            "due": sorted(self.due),
            "network": [*replicate, *stored],
        }
