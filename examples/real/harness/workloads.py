"""What clients do while a server fails: additions and a failover, reads at several nodes, transactions on lists."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from random import Random
from typing import Any, Protocol

from examples.real.harness.processes import until
from examples.real.harness.recording import Client, Recorder, Rejected

ENDS_WITHIN_S = 30.0


@contextmanager
def at_work(clients: int, work: Callable[[int, Callable[[], bool]], None]) -> Iterator[None]:
    """Threads that do `work(number, goes_on)` as long as `goes_on()` is true, which it is until the end of the block.

    What a client raises ends the block in the same way."""
    stop = threading.Event()
    failures: list[Exception] = []

    def run(number: int) -> None:
        try:
            work(number, lambda: not stop.is_set())
        except Exception as failure:
            failures.append(failure)

    threads = [threading.Thread(target=run, args=(number,), daemon=True) for number in range(clients)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join(ENDS_WITHIN_S)
    if failures:
        raise failures[0]
    if any(thread.is_alive() for thread in threads):
        raise TimeoutError(f"a client has not ended within {ENDS_WITHIN_S:.0f} s")


def failover(
    connect: Callable[[], Callable[[int], Any]],
    crash: Callable[[], None],
    survivors: Callable[[], list[int]],
    clients: int = 4,
    seconds: float = 1.0,
) -> Recorder:
    """Clients `add` numbers, each until one has no answer; `seconds` after the first answer comes the `crash`, and in the end
    `survivors` are read.

    `connect` gives a function that adds one number and returns when it was acknowledged."""
    recorder = Recorder()
    numbers = itertools.count()

    def work(_: int, goes_on: Callable[[], bool]) -> None:
        client, add = Client(recorder), connect()
        with suppress(Exception):  # It is recorded as in doubt.
            while goes_on():
                number = next(numbers)
                client.ask("add", partial(add, number), number)

    with at_work(clients, work):
        until(lambda: any(event["type"] == "ok" for event in recorder.events), "an addition is acknowledged")
        time.sleep(seconds)
        crash()
    Client(recorder).ask("read", survivors)
    return recorder


class Node(Protocol):
    """A connection to one node of a store of registers."""

    def write(self, key: str, value: int) -> None: ...

    def read(self, key: str) -> int | None: ...


def reads(
    connect: Callable[[], tuple[Node, Sequence[Node]]],
    rounds: int,
    clients: int = 3,
    keys: str = "xy",
    pause_s: float = 0.0,
) -> Recorder:
    """Clients write at one node and then read the same key at others, one after the other; `connect` gives them.

    The pause after each write lets clients be at different places of their rounds."""
    recorder = Recorder()
    numbers = itertools.count(1)

    def work(number: int, _: Callable[[], bool]) -> None:
        client, random = Client(recorder), Random(number)
        writer, readers = connect()
        for _round in range(rounds):
            key, value = random.choice(keys), next(numbers)
            client.ask("write", partial(writer.write, key, value), value, key)
            time.sleep(random.random() * pause_s)
            for reader in readers:
                client.ask("read", partial(reader.read, key), key=key)

    with at_work(clients, work):
        pass
    return recorder


Step = list[Any]


def transactions(
    connect: Callable[[], Callable[[list[Step]], list[Step]]],
    count: int,
    clients: int = 5,
    keys: int = 3,
    seed: int = 0,
    numbers: Iterator[int] | None = None,
) -> Recorder:
    """Clients append to lists and read them, in transactions of two to four steps, some `count` in all.

    `connect` gives a function that performs the steps and returns them with what was read; it raises `Rejected` where the
    server has rolled the transaction back."""
    recorder = Recorder()
    numbers = itertools.count()

    def work(client_number: int, _: Callable[[], bool]) -> None:
        client, random, perform = Client(recorder), Random(f"{seed} {client_number}"), connect()
        for _round in range(count // clients):
            steps: list[Step] = []
            for key in sorted(
                random.choices(range(keys), k=random.randint(2, 4))
            ):  # So that they do not wait in circles.
                steps.append(["append", key, next(numbers)] if random.random() < 0.4 else ["r", key, None])
            with suppress(Rejected):
                client.ask("txn", partial(perform, steps), steps)

    with at_work(clients, work):
        pass
    return recorder
