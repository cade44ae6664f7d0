"""What a sequential model is: one object whose operations come one at a time. The built-in ones are in `models.py`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable, Iterable, Mapping, Sequence
from enum import Enum
from typing import ClassVar

from quorate.consistency.history import HistoryError, Operation, Value, misfit, show
from quorate.consistency.values import Truth, freeze
from quorate.errors import QuorateError, UsageError


class Refused(Enum):
    """The answer of `Model.step` for an operation that the object could not have answered so."""

    REFUSED = "refused"


REFUSED = Refused.REFUSED
State = Hashable
NEVER = 1 << 60  # A position after every event.


class Model(ABC):
    """A deterministic sequential object.

    `operations` names all it can do; those in `queries` never change its state. With `per_key`, operations with
    different keys act on different, independent objects, and a history is judged key by key (locality: Herlihy & Wing
    1990, section 3.2). `per_process` says that `step` looks at the operation's process, as a lock does.
    """

    name: ClassVar[str]
    operations: ClassVar[frozenset[str]]
    queries: ClassVar[frozenset[str]] = frozenset()
    initial: ClassVar[State] = None
    per_key: ClassVar[bool] = True
    per_process: ClassVar[bool] = False

    @abstractmethod
    def step(self, state: State, operation: Operation) -> State | Refused:
        """The state after `operation` in `state`, or `REFUSED` when its answer is wrong there.

        The answer of a pending operation is unknown: compare with `operation.agrees`, which then accepts anything."""

    def after(self, state: State, operation: Operation) -> State | Refused:
        """What `step` says. Raises `HistoryError` where it fails, or leaves a state that is no key."""
        try:
            after = self.step(state, operation)
            hash(after)
        except QuorateError:
            raise
        except Exception as failure:
            raise HistoryError(
                f"The model {self.name!r} failed at operation {operation.index}, {operation}, in state {state!r}: "
                f"{type(failure).__name__}: {failure}."
            ) from failure
        return after

    def is_query(self, operation: Operation) -> bool:
        return operation.function in self.queries

    def splits(self, operations: Iterable[Operation]) -> bool:
        """Whether these operations may be judged key by key."""
        return self.per_key

    def must_precede(self, operations: Sequence[Operation]) -> Mapping[int, tuple[int, ...]]:
        """What every linearization of `operations` from the initial state has in common: for an operation's index, the
        indexes of operations that are before it in all of them. It need not be complete; it only makes searches
        shorter."""
        return {}

    def contradicts(self, operations: Sequence[Operation]) -> bool:
        """Whether `operations` can be seen to have no linearization from the initial state without a search. False says
        nothing."""
        return False

    def start(self, value: Value) -> State:
        """The state of an object that at first holds `value`. Raises `UsageError` for what it cannot hold."""
        raise UsageError(f"An object of the model {self.name!r} has no initial value that can be given.")

    def starting(self, value: Value) -> Model:
        """This model, with objects that at first hold `value`."""
        self.initial = self.start(freeze(value))  # type: ignore[misc]
        return self

    def problem(self, operation: Operation) -> str | None:
        """Why this model cannot have `operation` with such an argument or answer; None if it can."""
        return None

    def check(self, operations: Iterable[Operation]) -> None:
        """Raise `HistoryError` for the first operation that this model does not have, and for a first state that is no key."""
        if not isinstance(self.initial, Hashable):
            raise HistoryError(
                f"The model {self.name!r} begins in {self.initial!r}. States are compared and kept, so that they are immutable: "
                "a tuple instead of a list, a frozenset instead of a set."
            )
        for operation in operations:
            if operation.function not in self.operations:
                raise misfit(
                    operation,
                    f"{operation} of process {operation.process}, is not one of the model {self.name!r}. "
                    f"It has: {', '.join(sorted(self.operations))}.",
                )
            problem = self.problem(operation)
            if problem is not None:
                raise misfit(operation, problem)


def asks_plainly(operation: Operation) -> str | None:
    """The problem of a query that was invoked with an argument. What it returned in the end may stand there already."""
    if operation.argument is None or operation.argument == operation.result:
        return None
    return (
        f"{operation.function} takes no argument, and this one was invoked with {show(operation.argument)}. Where there are "
        "several objects, the event has a field `key`, or its value is [key value] (--keyed)."
    )


def says_nothing(operation: Operation) -> str | None:
    """The problem of an update that was answered with something that its model knows nothing of."""
    if operation.pending or operation.result in (None, Truth.TRUE) or operation.result == operation.argument:
        return None
    return (
        f"{operation.function}({'' if operation.argument is None else show(operation.argument)}) was answered with "
        f"{show(operation.result)}, and this model knows no such answer. An operation that had no effect has the type fail."
    )
