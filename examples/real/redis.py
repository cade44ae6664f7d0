"""Redis: asynchronous replication and `WAIT`, a lock whose holder is paused, and Redlock over three stores.

    python -m examples.real.redis

Replication is held to `primary_backup`, locks to `lease_lock`. Sources: the documentation of Redis, "Replication", "WAIT" and
"Distributed Locks with Redis"; Kleppmann 2016, "How to do distributed locking".
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass
from pathlib import Path
from signal import SIGCONT, SIGSTOP
from time import monotonic
from typing import Any
from uuid import uuid4

from quorate import Spec
from quorate_specs.coordination.lease_lock import (
    ClockJumps,
    FencesWritesOnly,
    ForgetsLoans,
    LeaseLock,
    NoFencing,
    Redlock,
)
from quorate_specs.replication.primary_backup import Asynchronous, PrimaryBackup

from examples.real.harness import (
    Client,
    Clock,
    Finding,
    Losses,
    Missing,
    Proxy,
    Recorder,
    Rejected,
    Server,
    failover,
    free_port,
    main,
    program,
    until,
    workspace,
)
from examples.real.variants import PromotesAnybody

try:
    import redis
    from redis.backoff import NoBackoff
    from redis.retry import Retry
except ImportError:
    redis = None

NEEDS = "apt-get install redis-server, pip install redis"
WAIT_MS = 5000


def connect(port: int, timeout_s: float = 10.0) -> Any:
    """A connection that asks once: what has no answer is not asked again."""
    return redis.Redis(
        port=port,
        decode_responses=True,
        socket_timeout=timeout_s,
        socket_connect_timeout=timeout_s,
        retry=Retry(NoBackoff(), 0),
    )


def start(folder: Path, name: str, port: int, *settings: str, **environment: str) -> Server:
    """A server without a disk, as most that keep locks are."""
    if redis is None:
        raise Missing(f"redis is not installed ({NEEDS})")
    command = [program("redis-server", NEEDS), "--port", str(port), "--bind", "127.0.0.1", "--save", "", *settings]
    server = Server(command, folder / f"{name}.log", **environment)
    server.until(lambda: connect(port).ping())
    return server


# Replication


class Replicated:
    """A primary and its replicas, each behind a proxy, whose delay is given."""

    def __init__(self, folder: Path, lags_s: Sequence[float]) -> None:
        self.primary = free_port()
        self._primary = start(folder, "primary", self.primary, "--repl-diskless-sync-delay", "0")
        self._proxies = [Proxy(self.primary) for _ in lags_s]
        self.replicas = [free_port() for _ in lags_s]
        for port, proxy in zip(self.replicas, self._proxies, strict=True):
            start(folder, f"replica-{port}", port, "--replicaof", "127.0.0.1", str(proxy.port))
        until(self._is_online, "replication")
        for proxy, lag_s in zip(self._proxies, lags_s, strict=True):
            proxy.back_s = lag_s  # It is the replica that calls.

    def _is_online(self) -> bool:
        """Whether every replica has acknowledged something, which it does once a second: before, it is sent nothing."""
        told = connect(self.primary).info("replication")
        return all(told[f"slave{number}"]["state"] == "online" for number in range(len(self.replicas)))

    def crash_primary(self) -> None:
        self._primary.pause()
        for proxy in self._proxies:
            proxy.close()
        self._primary.kill()

    def promote(self, number: int) -> list[int]:
        """A replica becomes the primary, and shows what it has."""
        replica = connect(self.replicas[number])
        replica.replicaof("NO", "ONE")
        return sorted(int(member) for member in replica.smembers("ledger"))

    def adder(self, copies: int) -> Callable[[int], None]:
        """A client that adds numbers, and waits until so many replicas have them."""
        client = connect(self.primary)

        def add(number: int) -> None:
            client.sadd("ledger", number)
            if copies and client.wait(copies, WAIT_MS) < copies:
                raise TimeoutError("no replica has said that it has this")

        return add

    def close(self) -> None:
        for proxy in self._proxies:
            proxy.close()


@dataclass(frozen=True)
class Failover:
    """How late each replica is, for how many copies a client waits, and which replica is promoted."""

    name: str
    setting: str
    lags_s: tuple[float, ...]
    copies: int
    promoted: int
    spec: type[Spec]


FAILOVERS = (
    Failover("asynchronous", "one replica, 200 ms late", (0.2,), 0, 0, Asynchronous),
    Failover("wait", "WAIT 1, one replica, 20 ms late", (0.02,), 1, 0, PrimaryBackup),
    Failover(
        "wait-for-another", "WAIT 1, two replicas, the one 200 ms late is promoted", (0.0, 0.2), 1, 1, PromotesAnybody
    ),
)


def failovers() -> Iterator[Finding]:
    """Four clients add numbers, the primary is killed, a replica is promoted and read: which acknowledged ones are lost?"""
    for case in FAILOVERS:
        recorder = fail_over(case)
        losses = Losses.of(recorder)
        yield Finding(
            f"failover-{case.name}",
            f"{case.setting}; primary killed, replica promoted",
            str(losses),
            losses.lost > 0,
            case.spec,
            "acknowledged_survives",
            recorder,
        )


def fail_over(case: Failover) -> Recorder:
    with workspace() as folder, closing(Replicated(folder, case.lags_s)) as servers:
        return failover(
            connect=lambda: servers.adder(case.copies),
            crash=servers.crash_primary,
            survivors=lambda: servers.promote(case.promoted),
        )


# A lock with a lease

LEASE_MS = 300


class Holder:
    """A process of `lock_holder`."""

    def __init__(self, port: int, fenced: str) -> None:
        command = [sys.executable, "-m", "examples.real.lock_holder", str(port), fenced, str(LEASE_MS)]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]
        )

    def begin(self, step: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{step}\n")
        self._process.stdin.flush()

    def end(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def does(self, step: str) -> str:
        self.begin(step)
        return self.end()

    def pause(self) -> None:
        os.kill(self._process.pid, SIGSTOP)

    def resume(self) -> None:
        os.kill(self._process.pid, SIGCONT)

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()


@dataclass(frozen=True)
class Fencing:
    """Which requests of a holder carry its number, and whether the first holder goes on before the second has written."""

    name: str
    setting: str
    fenced: str
    goes_on_early: bool
    spec: type[Spec]
    promise: str


FENCINGS = (
    Fencing("no-fencing", "no request carries a token", "", False, NoFencing, "mutual_exclusion"),
    Fencing("fences-writes-only", "writes carry a token", "write", True, FencesWritesOnly, "no_update_is_lost"),
    Fencing("fencing", "every request carries a token", "read,write", True, LeaseLock, "no_update_is_lost"),
)


def locks() -> Iterator[Finding]:
    """A holder is paused between reading and writing a counter, until its lease has ended and the next one has begun."""
    for case in FENCINGS:
        recorder = increase_twice(case)
        increased = sum(event["f"] == "increment" and event["type"] == "ok" for event in recorder.events)
        yield Finding(
            case.name,
            f"a lock for {LEASE_MS} ms, {case.setting}; its holder is paused (SIGSTOP) for longer",
            f"increments acknowledged: {increased}, the counter shows {recorder.events[-1]['value']}",
            recorder.violates("linearizable", "counter"),
            case.spec,
            case.promise,
            recorder,
        )


def increase_twice(case: Fencing) -> Recorder:
    recorder = Recorder()
    with ExitStack() as stack:
        port = free_port()
        start(stack.enter_context(workspace()), "store", port)
        first, second = (stack.enter_context(closing(Holder(port, case.fenced))) for _ in range(2))
        store = connect(port)
        answers: list[str] = []

        def write_late() -> None:
            first.begin("write")
            first.resume()
            answers.append(first.end())

        def increase_meanwhile() -> None:
            second.does("lock")
            second.does("read")
            if case.goes_on_early:
                write_late()
            if second.does("write") == "refused":
                raise Rejected
            if not case.goes_on_early:
                write_late()

        def increase() -> None:
            first.does("lock")
            first.does("read")
            first.pause()
            until(lambda: not store.exists("lock"), "the end of the lease")
            Client(recorder).ask("increment", increase_meanwhile)
            if answers == ["refused"]:
                raise Rejected

        with suppress(Rejected):
            Client(recorder).ask("increment", increase)
        Client(recorder).ask("read", lambda: int(store.get("counter")))
    return recorder


# Redlock


class Redlocker:
    """A client of Redlock, which reaches each store by a port of its own."""

    def __init__(self, ports: Sequence[int], loan_s: float) -> None:
        self._stores = [connect(port, timeout_s=0.5) for port in ports]
        self._loan_s = loan_s
        self._name = uuid4().hex

    def obtain(self) -> None:
        """Borrow from every store. Raises `Rejected`, with all given back, if that is no majority or took too long."""
        begun = monotonic()
        lent = sum(self._borrow(store) for store in self._stores)
        if 2 * lent <= len(self._stores) or self._loan_s * 0.99 <= monotonic() - begun:
            for store in self._stores:
                self._give_back(store)
            raise Rejected
        self.obtained_at = monotonic()
        self.valid_until = begun + self._loan_s * 0.99

    def obtains(self) -> bool:
        with suppress(Rejected):
            self.obtain()
            return True
        return False

    def _borrow(self, store: Any) -> bool:
        try:
            return bool(store.set("lock", self._name, nx=True, px=int(self._loan_s * 1000)))
        except redis.RedisError:  # It is down, or not reached.
            return False

    def _give_back(self, store: Any) -> None:
        with suppress(redis.RedisError):
            store.eval("if redis.call('GET', 'lock') == ARGV[1] then redis.call('DEL', 'lock') end", 0, self._name)


class Stores:
    """Three stores, the second with a clock of its own; the first client does not reach the third, so that its majority is the
    other two."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._clock = Clock(folder)
        self.ports = [free_port() for _ in range(3)]
        clocks: list[dict[str, str]] = [{}, self._clock.environment, {}]
        self._servers = [
            start(folder, f"store-{number}", port, **clock)
            for number, (port, clock) in enumerate(zip(self.ports, clocks, strict=True))
        ]
        self._unreachable = Proxy(self.ports[2])
        self._unreachable.cut()
        self.ports_of_first = [*self.ports[:2], self._unreachable.port]

    def crash(self) -> None:
        """The second store ends, and what it has lent is forgotten."""
        self._servers[1].kill()

    def restart(self) -> None:
        """It comes back at once."""
        self.crash()
        self._servers[1] = start(self._folder, "store-again", self.ports[1])

    def jump(self) -> None:
        """Its clock goes forward by a minute."""
        self._clock.jump(60)

    def close(self) -> None:
        self._unreachable.close()


LONG_S = 30.0  # So that no machine is slow enough for the loan to end before the second client has asked.
SHORT_S = 1.0  # Where the end of the loan is waited for.


def redlock() -> Iterator[Finding]:
    """The first client holds the lock by two stores of three, and something happens to one of them. When can the second obtain it?"""
    yield obtained("crash", "a store crashes, and is not back before the loan ends", Stores.crash, Redlock, SHORT_S)
    yield obtained("restart", "a store restarts at once", Stores.restart, ForgetsLoans, LONG_S)
    yield obtained("jump", "the clock of a store jumps by a minute", Stores.jump, ClockJumps, LONG_S)


def obtained(name: str, fault: str, happen: Callable[[Stores], None], spec: type[Spec], loan_s: float) -> Finding:
    recorder = Recorder()
    holder, other = Client(recorder), Client(recorder)
    with workspace() as folder, closing(Stores(folder)) as stores:
        first = Redlocker(stores.ports_of_first, loan_s)
        second = Redlocker(stores.ports, loan_s)
        holder.ask("acquire", first.obtain)
        happen(stores)
        until(second.obtains, "the second client has the lock")
    left_s = first.valid_until - second.obtained_at
    for client, what in ((other, "acquire"), (holder, "release"))[:: 1 if left_s > 0 else -1]:
        client.ask(what, lambda: None)  # In the order in which it was so.
    observed = f"the second client has the lock {abs(left_s):.1f} s {'before' if left_s > 0 else 'after'} the first has lost it"
    broken = recorder.violates("linearizable", "mutex")
    return Finding(
        f"redlock-{name}", f"Redlock, three stores; {fault}", observed, broken, spec, "mutual_exclusion", recorder
    )


PARTS = (failovers, locks, redlock)

if __name__ == "__main__":
    main("Redis", *PARTS)
