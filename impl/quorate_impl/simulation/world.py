"""The deterministic simulator: nodes and clients on a seeded network, with seeded disks and clocks, under a fault plan.

Everything happens in one queue, in the order of simulated time. All chance comes from the seed, and nothing depends on
the order of a set or on a real clock: a seed and a plan give one run, to the byte of its log.

A run has three parts. First the clients work while the faults of the plan come and go. At the end of that all faults are
healed and crashed nodes started again; from then on every client must get `Conditions.rest` answers within
`Conditions.answer_ticks` (liveness). Then nodes have `Conditions.settle_ms` for what they do in the background.
"""

from __future__ import annotations

import hashlib
import heapq
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any
from typing import Protocol as Interface

import msgspec

from quorate_impl.core import (
    Checkpoint,
    Core,
    Draw,
    Drawn,
    Effect,
    Event,
    Message,
    Note,
    Persist,
    Persisted,
    Received,
    Reply,
    Requested,
    Send,
    Started,
    Tick,
)
from quorate_impl.protocol import Protocol
from quorate_impl.simulation import faults
from quorate_impl.simulation.faults import Plan
from quorate_impl.simulation.network import Network
from quorate_impl.simulation.node import Machine
from quorate_impl.storage import StorageError

TICK_US = 10_000
"""A tick of a clock that runs right."""
MS = 1_000
DISK_US = (100, 2_000)
"""How long the disk takes for a write with its sync."""
EPOCH_MS = 1_700_000_000_000
"""What wall clocks show at the beginning."""


class Workload(Interface):
    """What the clients ask, and how the history tells it."""

    def ask(self, client: str, random: Random) -> Message | None:
        """What the application of this client asks next; None if nothing more."""
        ...

    def invoked(self, request: Message) -> dict[str, Any] | None:
        """The fields `f`, `value` and perhaps `key` of the event; None if this is no part of the history."""
        ...

    def returned(self, request: Message, response: Message) -> tuple[str, dict[str, Any]]:
        """The type of the event, ok, fail or info (in doubt), and its fields."""
        ...


Watch = Callable[[str, Core], str | None]
"""Looks at a node after each of its steps, and says what is wrong."""


@dataclass(frozen=True)
class Conditions:
    """How long a run is: `busy_ms` with faults, then until every client is answered `rest` times, within `answer_ticks`.

    A client asks again `think_ms` after an answer. When all is answered the nodes are left alone for `settle_ms`. `keeps_log`
    keeps the lines of the log, not only their digest.
    """

    busy_ms: int = 5_000
    answer_ticks: int = 1_000
    rest: int = 2
    think_ms: int = 0
    settle_ms: int = 0
    keeps_log: bool = False


USUAL = Conditions()


@dataclass
class Outcome:
    """What happened in a run. `failure` is None if nothing was wrong; `digest` stands for the whole log."""

    failure: str | None = None
    history: list[dict[str, Any]] = field(default_factory=list)
    operations: int = 0
    digest: str = ""
    log: list[str] = field(default_factory=list)
    stopped: dict[str, str] = field(default_factory=dict)
    cut: int = 0
    simulated_ms: int = 0


@dataclass
class Application:
    """Who uses a client: what it has asked, and as which process of the history."""

    core: Core
    process: int
    request: Message | None = None
    is_recorded: bool = False
    answered: int = 0


class Simulation:
    """One run. `run` may be called once."""

    def __init__(
        self,
        protocol: Protocol,
        nodes: Sequence[str],
        clients: Mapping[str, Callable[[], Core]],
        workload: Workload,
        seed: int,
        plan: Plan = (),
        conditions: Conditions = USUAL,
        watch: Watch | None = None,
    ) -> None:
        self._random = Random(f"run {seed}")
        self._plan = plan
        self._conditions = conditions
        self._workload = workload
        self._watch = watch
        self._network = Network(self._random)
        self.machines = {name: Machine(protocol, name, self._random) for name in nodes}
        self.applications = {name: Application(make(), i) for i, (name, make) in enumerate(clients.items())}
        self._processes = len(clients)
        self._queue: list[tuple[int, int, Callable[..., None], tuple[Any, ...]]] = []
        self._scheduled = 0
        self._now = 0
        self._is_quiet = False
        self._weather: list[faults.Weather] = []
        self._inbox: dict[str, list[Event]] = {name: [] for name in nodes}
        self._digest = hashlib.sha256()
        self._encode = msgspec.msgpack.Encoder().encode
        self.outcome = Outcome()

    def run(self) -> Outcome:
        """Let it happen, until all clients are answered after the faults, or something is wrong."""
        for name in self.machines:
            self._at(0, self._start, name)
        for name in self.applications:
            self._at(0, self._tick_client, name)
            self._at(self._random.randrange(TICK_US), self._ask, name)
        for fault in self._plan:
            self._at(fault.at * MS, self._strike, fault)
        self._at(self._conditions.busy_ms * MS, self._calm)
        while self._queue and self.outcome.failure is None and not self._is_over():
            self._happen()
        end = self._now + self._conditions.settle_ms * MS
        while self._queue and self.outcome.failure is None and self._queue[0][0] < end:
            self._happen()
        outcome = self.outcome
        outcome.digest = self._digest.hexdigest()
        outcome.simulated_ms = self._now // MS
        outcome.cut = sum(machine.cut for machine in self.machines.values())
        return outcome

    def _happen(self) -> None:
        self._now, _, act, arguments = heapq.heappop(self._queue)
        act(*arguments)

    def _at(self, time: int, act: Callable[..., None], *arguments: Any) -> None:
        self._scheduled += 1
        heapq.heappush(self._queue, (time, self._scheduled, act, arguments))

    def _is_over(self) -> bool:
        return self._is_quiet and all(
            each.request is None and each.answered >= self._conditions.rest for each in self.applications.values()
        )

    # Nodes

    def _start(self, name: str) -> None:
        machine = self.machines[name]
        if machine.down or machine.core is not None:
            return
        if machine.start() is None:
            self.outcome.stopped[name] = machine.stopped or ""
            self._tell(name, Note("cannot start", {"reason": machine.stopped}))
            return
        self._step(name, Started())
        self._at(self._now + self._random.randrange(TICK_US), self._tick, name, machine.life)

    def _tick(self, name: str, life: int) -> None:
        machine = self.machines[name]
        if machine.life != life or machine.core is None:
            return
        self._deliver(name, Tick(EPOCH_MS + self._now // MS + machine.wall_ms))
        self._at(self._now + TICK_US * 100 // machine.percent, self._tick, name, life)

    def _deliver(self, name: str, event: Event) -> None:
        """Give a node an event, or let it wait if the node is paused; a node that is down gets nothing."""
        machine = self.machines[name]
        if machine.core is None:
            return
        if machine.paused:
            self._inbox[name].append(event)
        else:
            self._step(name, event)

    def _step(self, name: str, *events: Event) -> None:
        machine = self.machines[name]
        core = machine.core
        if core is None:
            return
        for event in events:
            self._tell(name, event)
        try:
            effects = core.step(*events)
        except Exception:
            self._fail(f"{name} raised an error:\n{traceback.format_exc()}")
            return
        for effect in effects:
            self._do(machine, effect)
        if self._watch is not None:
            wrong = self._watch(name, core)
            if wrong is not None:
                self._fail(wrong)
        self._begin_job(machine)

    def _do(self, machine: Machine, effect: Effect) -> None:
        name = machine.name
        match effect:
            case Send(target, message):
                for delay in self._network.delays(name, target):
                    self._at(self._now + delay, self._deliver, target, Received(name, message))
            case Reply(client, response):
                for delay in self._network.delays(name, client):
                    self._at(self._now + delay, self._step_client, client, Received(name, response))
            case Persist() | Checkpoint():
                machine.write(effect)
            case Draw(purpose, low, high):
                self._at(self._now, self._deliver, name, Drawn(purpose, self._random.randint(low, high)))
            case Note():
                self._tell(name, effect)

    def _begin_job(self, machine: Machine) -> None:
        try:
            if machine.begin():
                self._at(self._now + self._random.randint(*DISK_US), self._finish_job, machine, machine.life)
        except StorageError as error:
            self._stop(machine, error)

    def _finish_job(self, machine: Machine, life: int) -> None:
        if machine.life != life or machine.core is None:
            return
        try:
            number = machine.finish()
        except StorageError as error:
            self._stop(machine, error)
            return
        self._deliver(machine.name, Persisted(number))
        self._begin_job(machine)

    def _stop(self, machine: Machine, error: StorageError) -> None:
        self._tell(machine.name, Note("stopped", {"reason": str(error)}))
        machine.stop(str(error))
        self._inbox[machine.name].clear()

    # Clients

    def _tick_client(self, name: str) -> None:
        self._step_client(name, Tick(EPOCH_MS + self._now // MS))
        self._at(self._now + TICK_US, self._tick_client, name)

    def _ask(self, name: str) -> None:
        application = self.applications[name]
        request = self._workload.ask(name, self._random)
        if request is None:
            application.answered = self._conditions.rest
            return
        application.request = request
        fields = self._workload.invoked(request)
        application.is_recorded = fields is not None
        if fields is not None:
            self._record(application, "invoke", fields)
        self._step_client(name, Requested("", request))

    def _step_client(self, name: str, event: Event) -> None:
        application = self.applications[name]
        if not isinstance(event, Tick):
            self._tell(name, event)
        for effect in application.core.step(event):
            match effect:
                case Send(target, message):
                    for delay in self._network.delays(name, target):
                        self._at(self._now + delay, self._deliver, target, Requested(name, message))
                case Reply(_, response):
                    self._answered(name, application, response)
                case Draw(purpose, low, high):
                    self._at(self._now, self._step_client, name, Drawn(purpose, self._random.randint(low, high)))

    def _answered(self, name: str, application: Application, response: Message) -> None:
        request = application.request
        assert request is not None, "a client answers what it was asked, once"
        if application.is_recorded:
            kind, fields = self._workload.returned(request, response)
            self._record(application, kind, fields)
            if kind == "info":
                application.process, self._processes = self._processes, self._processes + 1
        self.outcome.operations += 1
        application.request = None
        application.answered += self._is_quiet
        if not self._is_quiet or application.answered < self._conditions.rest:
            self._at(self._now + self._conditions.think_ms * MS, self._ask, name)

    def _record(self, application: Application, kind: str, fields: dict[str, Any]) -> None:
        self.outcome.history.append({"process": application.process, "type": kind, **fields})

    # Faults

    def _strike(self, fault: faults.AnyFault) -> None:
        self._tell("", fault)
        end = min(fault.at + fault.lasts, self._conditions.busy_ms) * MS
        self._at(end, self._heal, fault)
        match fault:
            case faults.Crash(node=node) | faults.Kill(node=node):
                self._end(node, with_power=isinstance(fault, faults.Kill))
            case faults.Replace(node=node):
                self._end(node, with_power=False)
                self.machines[node].replace_disk()
            case faults.Blackout():
                for node in self.machines:
                    self._end(node, with_power=False)
            case faults.Pause(node=node):
                self.machines[node].paused += 1
            case faults.Cut():
                self._cut(fault, 1)
            case faults.Weather():
                self._weather.append(fault)
                self._forecast()
            case faults.Drift(node=node, percent=percent):
                self.machines[node].percent = percent
            case faults.Jump(node=node, by=by):
                self.machines[node].wall_ms += by
            case faults.Full(node=node):
                self.machines[node].disk.is_full = True
            case faults.SyncFails(node=node):
                self.machines[node].disk.fails_sync = True
            case faults.Damage(node=node):
                self.machines[node].disk.damage()

    def _heal(self, fault: faults.AnyFault) -> None:
        match fault:
            case faults.Crash(node=node) | faults.Kill(node=node) | faults.Replace(node=node):
                self._begin_again(node)
            case faults.Blackout():
                for node in self.machines:
                    self._begin_again(node)
            case faults.Pause(node=node):
                self._resume(node)
            case faults.Cut():
                self._cut(fault, -1)
            case faults.Weather():
                self._weather.remove(fault)
                self._forecast()
            case faults.Drift(node=node):
                self.machines[node].percent = 100
            case faults.Full(node=node) | faults.SyncFails(node=node):
                self._repair(node)
            case faults.Jump() | faults.Damage():
                pass

    def _end(self, name: str, with_power: bool) -> None:
        machine = self.machines[name]
        machine.down += 1
        if with_power:
            machine.kill()
        else:
            machine.crash()
        self._inbox[name].clear()

    def _begin_again(self, name: str) -> None:
        self.machines[name].down -= 1
        self._start(name)

    def _resume(self, name: str) -> None:
        machine = self.machines[name]
        machine.paused -= 1
        if not machine.paused:
            events, self._inbox[name] = self._inbox[name], []
            if events and self._random.random() < 0.5:
                self._step(name, *events)
            else:
                for event in events:
                    self._step(name, event)

    def _cut(self, fault: faults.Cut, by: int) -> None:
        self._network.cut(fault.sources, fault.targets, by)
        if fault.both_ways:
            self._network.cut(fault.targets, fault.sources, by)

    def _forecast(self) -> None:
        self._network.loss = max((each.loss for each in self._weather), default=0) / 100
        self._network.duplication = max((each.duplication for each in self._weather), default=0) / 100
        self._network.delay_us = max((each.delay for each in self._weather), default=0) * MS

    def _repair(self, name: str) -> None:
        """The disk takes writes again; a node that had to stop is started anew, as an operator would."""
        machine = self.machines[name]
        machine.disk.is_full = machine.disk.fails_sync = False
        if machine.core is None and not machine.down:
            machine.kill()
            self._start(name)

    # After the faults

    def _calm(self) -> None:
        """All faults end now, and from now on every client has to be answered in time."""
        self._tell("", Note("calm", {}))
        self._is_quiet = True
        self._at(self._now + self._conditions.answer_ticks * TICK_US, self._complain)

    def _complain(self) -> None:
        if self._is_over():
            return
        waiting = [
            name
            for name, each in self.applications.items()
            if each.request is not None or each.answered < self._conditions.rest
        ]
        self._fail(
            f"{self._conditions.answer_ticks} ticks after the faults had stopped, there was no answer yet for "
            f"{', '.join(waiting)}."
        )

    def _fail(self, failure: str) -> None:
        self.outcome.failure = self.outcome.failure or failure

    # The log

    def _tell(self, name: str, what: Event | Effect | faults.AnyFault) -> None:
        self._digest.update(self._encode((self._now, name, what)))
        if self._conditions.keeps_log:
            line = msgspec.json.encode((self._now, name, what)).decode()
            self.outcome.log.append(line)
