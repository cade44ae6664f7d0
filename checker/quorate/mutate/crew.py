"""The processes that explore mutants: of this machine, or of a cluster."""

from __future__ import annotations

import os
import signal
import traceback
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, Protocol

from quorate.explore.cluster.rays import Rays
from quorate.mutate.share import Share, Task
from quorate.outcome import Outcome

LOSSES_MAX = 8
"""So many processes of a cluster are replaced: the mutants may need more memory than there is."""


class Ended(Exception):
    """A process has ended that was not to (it may have been killed for its memory)."""


class Crew(Protocol):
    """Processes with a share of the mutants each, by their numbers."""

    size: int

    def ask(self, worker: int, what: str, *arguments: object) -> None:
        """Have a process do something with its `Share`; it has nothing else to do. Raises Ended."""

    def answers(self, seconds: float) -> Sequence[tuple[int, Any]]:
        """Who is done within this time, and what came of it: an exception if that was raised. Raises Ended."""

    def close(self) -> None:
        """End all of them."""


def shares(crew: Crew, numbers: Sequence[int]) -> list[list[int]]:
    """Whose these mutants are."""
    return [[number for number in numbers if number % crew.size == worker] for worker in range(crew.size)]


@dataclass
class _Worker:
    process: BaseProcess
    pipe: Connection


class OfThisMachine:
    """Processes that are started for it."""

    def __init__(self, task: Task, outcome: Outcome, size: int) -> None:
        self.size = size
        context = get_context("spawn")
        self._workers: list[_Worker] = []
        self._asked: dict[Connection, int] = {}
        for _ in range(size):
            ours, theirs = context.Pipe()
            process = context.Process(target=_work, args=(theirs, task, outcome, size), daemon=True)
            process.start()
            theirs.close()
            self._workers.append(_Worker(process, ours))

    def ask(self, worker: int, what: str, *arguments: object) -> None:
        """As a crew does."""
        pipe = self._workers[worker].pipe
        try:
            pipe.send((what, *arguments))
        except OSError:
            raise Ended from None
        self._asked[pipe] = worker

    def answers(self, seconds: float) -> Sequence[tuple[int, Any]]:
        """As a crew does."""
        readable = wait(list(self._asked), seconds)
        try:
            return [(self._asked.pop(pipe), pipe.recv()) for pipe in list(self._asked) if pipe in readable]
        except (EOFError, OSError):
            raise Ended from None

    def close(self) -> None:
        """As a crew does."""
        for worker in self._workers:
            worker.pipe.close()
            worker.process.terminate()
            worker.process.join()


def _work(pipe: Connection, task: Task, outcome: Outcome, size: int) -> None:
    """A process of the crew: it answers until the other end is closed. Ctrl-C is for the first process to handle."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    share = Share(task, outcome, size)
    while True:
        try:
            what, *arguments = pipe.recv()
        except EOFError:
            return
        pipe.send(_answer(share, what, arguments))


def _answer(share: Share, what: str, arguments: Sequence[Any]) -> Any:
    try:
        return getattr(share, what)(*arguments)
    except Exception as error:
        error.add_note(traceback.format_exc())
        return error


class _Member:
    """The body of an actor, in the folder of the process that started it if its machine has one of that path."""

    def __init__(self, folder: str, task: Task, outcome: Outcome, size: int) -> None:
        with suppress(OSError):
            os.chdir(folder)
        self._share = Share(task, outcome, size)

    def do(self, what: str, arguments: Sequence[Any]) -> Any:
        """What it is asked."""
        return _answer(self._share, what, arguments)


class OfACluster:
    """Processes of a cluster. In the place of one that is lost another one is started, and asked the same again."""

    def __init__(self, task: Task, outcome: Outcome, rays: Rays) -> None:
        self.size, self._rays, self._of = rays.workers, rays, (os.getcwd(), task, outcome, rays.workers)
        self._members = [rays.start(_Member, *self._of) for _ in range(self.size)]
        self._asked: dict[Any, tuple[int, str, Sequence[Any]]] = {}
        self._lost = 0

    def ask(self, worker: int, what: str, *arguments: object) -> None:
        """As a crew does."""
        self._asked[self._rays.task(self._members[worker], "do", what, arguments)] = worker, what, arguments

    def answers(self, seconds: float) -> Sequence[tuple[int, Any]]:
        """As a crew does."""
        found = []
        for done in self._rays.wait(list(self._asked), seconds):
            worker, what, arguments = self._asked.pop(done)
            try:
                found.append((worker, self._rays.get(done)))
            except self._rays.failed as failure:
                found.append((worker, failure))
            except self._rays.lost:
                self._lost += 1
                if self._lost > LOSSES_MAX:
                    raise Ended from None
                self._rays.kill(self._members[worker])  # It may live, and not be heard.
                self._members[worker] = self._rays.start(_Member, *self._of)
                self.ask(worker, what, *arguments)
        return found

    def close(self) -> None:
        """As a crew does."""
        for member in self._members:
            self._rays.kill(member)
