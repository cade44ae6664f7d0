"""A cluster in this process: workers whose tasks run one at a time, in an order that is drawn, and some of which are lost.

A worker does its tasks in the order in which it was given them, as Ray's actors do; what comes first among different workers is drawn."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any


class Lost(Exception):
    """A worker was lost, and with it what it was to answer."""


@dataclass(eq=False)
class Answer:
    """Of a task, when it is done."""

    is_done: bool = False
    is_lost: bool = False
    value: Any = None


@dataclass(eq=False)
class Task:
    method: str
    arguments: Sequence[Any]
    answers: list[Answer]

    @property
    def can_run(self) -> bool:
        return all(each.is_done for each in self.arguments if isinstance(each, Answer))

    def lose(self) -> None:
        for answer in self.answers:
            answer.is_done = answer.is_lost = True


@dataclass(eq=False)
class Actor:
    body: Any
    lives: bool = True
    tasks: deque[Task] = field(default_factory=deque)

    def run(self) -> str:
        """Do the next task."""
        task = self.tasks.popleft()
        given = [each.value if isinstance(each, Answer) else each for each in task.arguments]
        if any(each.is_lost for each in task.arguments if isinstance(each, Answer)):
            task.lose()
            return task.method
        found = getattr(self.body, task.method)(*given)
        for answer, value in zip(task.answers, found if len(task.answers) > 1 else [found], strict=True):
            answer.is_done, answer.value = True, value
        return task.method


class Failed(Lost):
    """A task has raised an error."""


class InProcess:
    """What `quorate.explore.cluster.rays.Rays` is, with `losses` workers and `mislaid` answers lost at moments that are drawn."""

    lost, failed = Lost, Failed
    DEADLY: Sequence[str] = ("expand", "insert", "end", "load", "keep", "members")

    def __init__(self, workers: int, seed: int = 0, losses: int = 0, mislaid: int = 0) -> None:
        self.workers, self.losses, self.mislaid, self.draw = workers, losses, mislaid, Random(seed)
        self.actors: list[Actor] = []
        self.died_in: list[str] = []
        self.began = False

    def start(self, body: type, *arguments: Any) -> Actor:
        self.actors.append(Actor(body(*arguments)))
        return self.actors[-1]

    def task(self, worker: Actor, method: str, *arguments: Any, answers: int = 1) -> Any:
        task = Task(method, arguments, [Answer() for _ in range(answers)])
        if worker.lives:
            worker.tasks.append(task)
        else:
            task.lose()
        return task.answers if answers > 1 else task.answers[0]

    def put(self, value: Any) -> Answer:
        return Answer(is_done=True, value=value)

    def wait(self, tasks: Sequence[Answer], seconds: float) -> Sequence[Answer]:
        while not (done := [task for task in tasks if task.is_done]):
            actor = self.draw.choice([each for each in self.actors if each.tasks and each.tasks[0].can_run])
            method = actor.run()
            self.began |= method == "end"
            if method in self.DEADLY and self.losses and self.draw.random() < 0.1:
                self.losses -= 1
                self.died_in.append(method)
                self.kill(self.draw.choice([each for each in self.actors if each.lives]))
        return [self.draw.choice(done)]

    def get(self, task: Answer) -> Any:
        is_mislaid = self.began and self.mislaid > 0 and self.draw.random() < 0.05
        self.mislaid -= is_mislaid
        if task.is_lost or is_mislaid:
            raise Lost
        return task.value

    def kill(self, worker: Actor) -> None:
        worker.lives = False
        while worker.tasks:
            worker.tasks.popleft().lose()
