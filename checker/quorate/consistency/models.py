"""Sequential models: what one object does when operations come one at a time.

A model is a small class: a first state, the operations it knows, and `step`. States are immutable and hashable. The
built-in models are the objects that stores offer; a user's own model is a subclass of `Model`, named on the command
line as `--model file.py:Class`.

    class Stack(Model):
        name = "stack"
        operations = frozenset({"push", "pop"})
        initial = ()

        def step(self, state, operation):
            if operation.function == "push":
                return (*state, operation.argument)
            if not state:
                return state if operation.agrees(None) else REFUSED
            return state[:-1] if operation.agrees(state[-1]) else REFUSED
"""

from __future__ import annotations

import importlib.util
import sys
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from pathlib import Path
from typing import ClassVar

from quorate.consistency.history import Operation, Value, show
from quorate.consistency.model import NEVER, REFUSED, Model, Refused, State, asks_plainly, says_nothing
from quorate.consistency.values import Map, Truth, freeze, word
from quorate.errors import QuorateError, UsageError, unknown

__all__ = [
    "MODELS",
    "NEVER",
    "REFUSED",
    "AppendString",
    "CasRegister",
    "Counter",
    "KeyValueMap",
    "Lock",
    "Model",
    "MultiRegister",
    "Mutex",
    "Queue",
    "Refused",
    "Register",
    "SetModel",
    "State",
    "find_model",
    "register",
]


class Register(Model):
    """A register: `write(v)`, and `read` of the last value written, at first nil."""

    name = "register"
    operations = frozenset({"read", "write"})
    queries = frozenset({"read"})

    def start(self, value: Value) -> State:
        return value

    def problem(self, operation: Operation) -> str | None:
        return asks_plainly(operation) if operation.function == "read" else says_nothing(operation)

    def step(self, state: State, operation: Operation) -> State | Refused:
        if operation.function == "write":
            return operation.argument
        return state if operation.agrees(state) else REFUSED


class CasRegister(Register):
    """A register with `cas([old, new])`. A result `false` says that the comparison failed; `true`, none or
    the argument again, that it succeeded.

    In Jepsen's histories a failed comparison is usually a `:fail`, which leaves no trace in the register."""

    name = "cas-register"
    operations = frozenset({"read", "write", "cas"})

    def problem(self, operation: Operation) -> str | None:
        if operation.function != "cas":
            return super().problem(operation)
        if not isinstance(operation.argument, tuple) or len(operation.argument) != 2:
            return f"A cas takes [old new], not {show(operation.argument)}."
        return None if operation.result is Truth.FALSE else says_nothing(operation)

    def step(self, state: State, operation: Operation) -> State | Refused:
        if operation.function != "cas":
            return super().step(state, operation)
        assert isinstance(operation.argument, tuple)
        old, new = operation.argument
        if operation.pending:
            return new if state == old else state
        succeeded = freeze(operation.result) is not Truth.FALSE
        if succeeded != (state == old):
            return REFUSED
        return new if succeeded else state


class AppendString(Model):
    """A string: `append(s)`, `write(s)`, and `read` of the whole, at first empty."""

    name = "append-string"
    operations = frozenset({"read", "write", "append"})
    queries = frozenset({"read"})
    initial = ""

    def start(self, value: Value) -> State:
        if not isinstance(value, str):
            raise UsageError(f"The model 'append-string' holds text, not {show(value)}.")
        return value

    def problem(self, operation: Operation) -> str | None:
        if operation.function == "read":
            return asks_plainly(operation)
        if not isinstance(operation.argument, str):
            return f"The model 'append-string' holds text, not {show(operation.argument)}."
        return says_nothing(operation)

    def step(self, state: State, operation: Operation) -> State | Refused:
        if operation.function == "read":
            return state if operation.agrees(state) else REFUSED
        assert isinstance(operation.argument, str)
        return operation.argument if operation.function == "write" else f"{state}{operation.argument}"


class SetModel(Model):
    """A set: `add(v)`, `remove(v)`, and `read` of all its members."""

    name = "set"
    operations = frozenset({"add", "remove", "read"})
    queries = frozenset({"read"})
    initial: ClassVar[State] = frozenset()

    def start(self, value: Value) -> State:
        if not isinstance(value, (tuple, frozenset)):
            raise UsageError(f"A set is given as a list of its members, not as {show(value)}.")
        return frozenset(value)

    def problem(self, operation: Operation) -> str | None:
        if operation.function != "read":
            return says_nothing(operation)
        result = operation.result
        if not (operation.pending or result is None or isinstance(result, (tuple, frozenset))):
            return f"A read of a set returns a list, not {show(result)}."
        if isinstance(result, tuple) and len(set(result)) < len(result):
            return f"A set has each member once, and {show(result)} has one twice."
        return asks_plainly(operation)

    def step(self, state: State, operation: Operation) -> State | Refused:
        assert isinstance(state, frozenset)
        if operation.function == "add":
            return state | {operation.argument}
        if operation.function == "remove":
            return state - {operation.argument}
        return state if operation.pending or _members(operation) == state else REFUSED


def _members(operation: Operation) -> frozenset[Value]:
    assert operation.result is None or isinstance(operation.result, (tuple, frozenset))
    return frozenset(operation.result or ())


class Queue(Model):
    """A first-in-first-out queue: `enqueue(v)`, and `dequeue` of the oldest value, or nil when it is empty."""

    name = "queue"
    operations = frozenset({"enqueue", "dequeue"})
    initial = ()

    def start(self, value: Value) -> State:
        if not isinstance(value, tuple):
            raise UsageError(f"A queue is given as a list, oldest first, not as {show(value)}.")
        return value

    def problem(self, operation: Operation) -> str | None:
        return asks_plainly(operation) if operation.function == "dequeue" else says_nothing(operation)

    def step(self, state: State, operation: Operation) -> State | Refused:
        assert isinstance(state, tuple)
        if operation.function == "enqueue":
            return (*state, operation.argument)
        if not operation.agrees(state[0] if state else None):
            return REFUSED
        return state[1:]

    def must_precede(self, operations: Sequence[Operation]) -> Mapping[int, tuple[int, ...]]:
        """First in, first out: of two values, each enqueued once, that whose dequeue had returned before the other's
        was invoked, or that is dequeued while the other never is, was enqueued first. Without this a search finds out
        about the order of overlapping enqueues only much later."""
        if self.initial:
            return {}
        enqueued = [o for o in operations if o.function == "enqueue"]
        dequeued = {o.result: o for o in operations if o.function == "dequeue" and not o.pending}
        if len({o.argument for o in enqueued}) < len(enqueued) or None in {o.argument for o in enqueued}:
            return {}
        leaves = [(o, dequeued[o.argument]) for o in enqueued if o.argument in dequeued]
        before = {o.index: _latest(leaves, out.invoked) for o, out in leaves}
        if all(o.function == "enqueue" or not o.pending for o in operations):
            last = _latest(leaves, None)
            before |= {o.index: last for o in enqueued if o.argument not in dequeued}
        return before

    def contradicts(self, operations: Sequence[Operation]) -> bool:
        """Patterns of Henzinger, Sezgin & Vafeiadis (2013): a value that is dequeued twice (VRepet) or was never
        enqueued (VFresh), and two values that leave in the other order than they came (VOrd)."""
        if self.initial:
            return False
        enqueued = {o.argument: o for o in operations if o.function == "enqueue"}
        out = [o for o in operations if o.function == "dequeue" and not o.pending and o.result is not None]
        if len(enqueued) < sum(o.function == "enqueue" for o in operations) or None in enqueued:
            return False
        if len({o.result for o in out}) < len(out) or any(o.result not in enqueued for o in out):
            return True
        never = any(o.function == "dequeue" and o.pending for o in operations)
        leaves = {o.result: o.invoked for o in out}
        came = sorted(
            (o.returned, leaves.get(value, -1 if never else NEVER))
            for value, o in enqueued.items()
            if o.returned is not None
        )
        latest = list(accumulate((leaving for _, leaving in came), max))
        for o in out:
            assert o.returned is not None
            earlier = bisect_left(came, (enqueued[o.result].invoked, -1))
            if earlier and latest[earlier - 1] > o.returned:
                return True
        return False


def _latest(leaves: list[tuple[Operation, Operation]], until: int | None) -> tuple[int, ...]:
    """The enqueues of what had been dequeued by position `until`, without those that others of them imply."""
    gone = [(o, out) for o, out in leaves if until is None or (out.returned is not None and out.returned < until)]
    since = max((out.invoked for _, out in gone), default=0)
    return tuple(o.index for o, out in gone if out.returned is not None and out.returned > since)


class Mutex(Model):
    """A mutex: `acquire` succeeds only when it is free, `release` only when it is held, whoever holds it."""

    name = "mutex"
    operations = frozenset({"acquire", "release"})
    initial: ClassVar[State] = False

    def problem(self, operation: Operation) -> str | None:
        return says_nothing(operation)

    def step(self, state: State, operation: Operation) -> State | Refused:
        return REFUSED if state == (operation.function == "acquire") else not state


class Lock(Mutex):
    """A lock with an owner: `acquire` succeeds only when it is free, `release` only in the process that holds it."""

    name = "lock"
    initial = None
    per_process = True

    def step(self, state: State, operation: Operation) -> State | Refused:
        if operation.function == "acquire":
            return operation.process if state is None else REFUSED
        return None if state == operation.process else REFUSED


class Counter(Model):
    """A counter: `add(n)`, `increment`, and `read`, at first 0."""

    name = "counter"
    operations = frozenset({"add", "increment", "read"})
    queries = frozenset({"read"})
    initial = 0

    def start(self, value: Value) -> State:
        if not isinstance(value, int):
            raise UsageError(f"A counter holds a whole number, not {show(value)}.")
        return value

    def problem(self, operation: Operation) -> str | None:
        if operation.function == "read":
            return asks_plainly(operation)
        if operation.function == "increment" and operation.argument is not None:
            return f"increment takes no argument, and this one has {show(operation.argument)}; add takes one."
        if operation.function == "add" and not isinstance(operation.argument, int):
            return f"A counter adds a whole number, not {show(operation.argument)}."
        return says_nothing(operation)

    def step(self, state: State, operation: Operation) -> State | Refused:
        assert isinstance(state, int)
        if operation.function == "read":
            return state if operation.agrees(state) else REFUSED
        amount = 1 if operation.function == "increment" else operation.argument
        assert isinstance(amount, int)
        return state + amount


class KeyValueMap(Model):
    """A map: `put(v)`, `append(text)`, `delete` and `get` of the operation's key, and `snapshot` of all pairs.

    A key that is not there has the value `absent`: nil, unless another is given. `append` to what is absent or nil makes
    the text alone. Without snapshots the keys are independent, and the map is judged key by key."""

    name = "map"
    operations = frozenset({"get", "put", "append", "delete", "snapshot"})
    queries = frozenset({"get", "snapshot"})
    initial = ()
    absent: Value = None

    def starting(self, value: Value) -> Model:
        self.absent = freeze(value)
        return self

    def splits(self, operations: Iterable[Operation]) -> bool:
        return all(operation.function != "snapshot" for operation in operations)

    def problem(self, operation: Operation) -> str | None:
        if operation.function == "snapshot":
            if operation.pending or isinstance(operation.result, Map) or _is_pairs(operation.result):
                return asks_plainly(operation)
            return f"A snapshot returns pairs, each key once, not {show(operation.result)}."
        if operation.function == "get":
            return asks_plainly(operation)
        if operation.function == "append" and not isinstance(operation.argument, str):
            return f"append to a map takes text, not {show(operation.argument)}."
        if operation.function == "delete" and operation.argument is not None:
            return (
                f"delete takes no argument, and this one has {show(operation.argument)}; the key is a field of its own."
            )
        return says_nothing(operation)

    def step(self, state: State, operation: Operation) -> State | Refused:
        assert isinstance(state, tuple)
        if operation.function == "snapshot":
            return state if operation.pending or _pairs(operation) == frozenset(state) else REFUSED
        pairs = dict(state)
        before = pairs.get(operation.key, self.absent)
        if operation.function == "get":
            return state if operation.agrees(before) else REFUSED
        if operation.function == "append" and not isinstance(before, str | None):
            return REFUSED  # Nothing can be appended to what is no text.
        pairs.pop(operation.key, None)
        if operation.function == "put":
            pairs[operation.key] = operation.argument
        elif operation.function == "append":
            pairs[operation.key] = f"{before or ''}{operation.argument}"
        return tuple(sorted(pairs.items(), key=repr))


def _is_pairs(value: Value) -> bool:
    return (
        isinstance(value, tuple)
        and all(isinstance(pair, tuple) and len(pair) == 2 for pair in value)
        and len({pair[0] for pair in value}) == len(value)
    )


def _pairs(operation: Operation) -> frozenset[Value]:
    result = operation.result
    if isinstance(result, Map):
        return frozenset(result.items)
    assert isinstance(result, tuple)
    return frozenset(result)


class MultiRegister(Model):
    """Several registers written and read at once: `write({x: 1, y: 2})`, and `read` that returns such a map of all that it
    looked at; or, as in Knossos, `txn` with a list of steps `[r x 1]` and `[w y 2]`. At first all are nil."""

    name = "multi-register"
    operations = frozenset({"read", "write", "txn"})
    queries = frozenset({"read"})
    initial = ()
    first: Value = None

    def starting(self, value: Value) -> Model:
        self.first = freeze(value)
        return self

    def problem(self, operation: Operation) -> str | None:
        if operation.function == "write":
            if not isinstance(operation.argument, Map):
                return f"A write of several registers takes a map from registers to values, not {show(operation.argument)}."
            return says_nothing(operation)
        if operation.function == "read":
            if operation.pending or isinstance(operation.result, Map):
                return None
            return f"A read of several registers returns a map from registers to values, not {show(operation.result)}."
        steps = operation.argument if operation.pending else operation.result
        if not isinstance(steps, tuple) or not all(
            isinstance(s, tuple) and len(s) == 3 and word(s[0]) in _STEPS for s in steps
        ):
            return (
                f"A transaction of several registers is a list of steps [r x value] and [w x value], not {show(steps)}."
            )
        return None

    def step(self, state: State, operation: Operation) -> State | Refused:
        assert isinstance(state, tuple)
        values = dict(state)
        for reads, register_, value in _register_steps(operation):
            if not reads:
                values[register_] = value
            elif not operation.pending and values.get(register_, self.first) != value:
                return REFUSED
        return tuple(sorted(values.items(), key=repr))


_STEPS = {"r": True, "read": True, "w": False, "write": False}


def _register_steps(operation: Operation) -> list[tuple[bool, Value, Value]]:
    """The steps of an operation on several registers: whether it reads, which register, which value."""
    told = operation.argument if operation.pending or operation.function == "write" else operation.result
    if isinstance(told, Map):
        return [(operation.function == "read", name, value) for name, value in told.items]
    steps = told if isinstance(told, tuple) and operation.function == "txn" else ()
    return [(_STEPS[word(s[0])], s[1], s[2]) for s in steps]  # type: ignore[index]


MODELS: dict[str, type[Model]] = {
    model.name: model
    for model in (
        Register,
        CasRegister,
        MultiRegister,
        AppendString,
        SetModel,
        Queue,
        Mutex,
        Lock,
        Counter,
        KeyValueMap,
    )
}


def register(model: type[Model]) -> type[Model]:
    """Make a user's model known by its name. Usable as a decorator. Raises `UsageError` for a name that is taken."""
    if MODELS.get(model.name, model) is not model:
        raise UsageError(f"There is already a model {model.name!r}; give {model.__name__} another name.")
    MODELS[model.name] = model
    return model


def find_model(name: str) -> Model:
    """The model called `name`: a built-in or registered one, or `file.py:Class`.

    Raises `QuorateError` for a name, file or class that does not exist, and for a class that is not a model."""
    if ".py:" not in name:
        if name not in MODELS:
            raise unknown("model", name, [*MODELS, "file.py:Class"])
        return MODELS[name]()
    file, _, wanted = name.rpartition(":")
    path = Path(file)
    if not path.is_file():
        raise UsageError(f"There is no file {file!r} to take the model {wanted!r} from.")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules.setdefault(path.stem, module)
    try:
        spec.loader.exec_module(module)
    except QuorateError:
        raise
    except Exception as failure:
        raise UsageError(f"{file} cannot be imported: {type(failure).__name__}: {failure}.") from failure
    models = {k: v for k, v in vars(module).items() if isinstance(v, type) and issubclass(v, Model) and v is not Model}
    if wanted not in models:
        raise unknown(f"model in {file},", wanted, models)
    try:
        return models[wanted]()
    except TypeError as failure:
        raise UsageError(f"The model {wanted} of {file} is not complete: {failure}.") from None
