"""The native search: `search.c`, compiled when first needed, behind the interface of `search.Search`."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from itertools import accumulate
from typing import Any

from quorate import cc
from quorate.consistency.history import Operation
from quorate.consistency.models import NEVER
from quorate.consistency.search import Problem, PythonSearch, Search, Status, Transitions
from quorate.errors import QuorateError

BROKEN = -2
FAILED = 4
CONFIGURATION_BYTES_PYTHON = 200  # About what CPython spends on one remembered configuration, without its lanes.

_WorkOut = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_int32, ctypes.c_int32)


class _Operation(ctypes.Structure):
    _fields_ = (
        ("invoked", ctypes.c_int64),
        ("returned", ctypes.c_int64),
        ("class_", ctypes.c_int32),
        ("query", ctypes.c_int32),
        ("before", ctypes.c_int32),
        ("befores", ctypes.c_int32),
    )


@cache
def library() -> ctypes.CDLL:
    """The compiled search. Raises `cc.NoCompiler` and `cc.CompileFailed`."""
    source = files("quorate.consistency").joinpath("search.c").read_text(encoding="utf-8")
    loaded = cc.load("history_search", {"search.c": source})
    pointer = ctypes.c_void_p
    signatures: dict[str, tuple[Any, tuple[Any, ...]]] = {
        "transitions_new": (pointer, (_WorkOut,)),
        "transitions_free": (None, (pointer,)),
        "search_new": (pointer, (pointer, pointer, pointer, pointer, *(ctypes.c_int32,) * 3, ctypes.c_uint64)),
        "search_free": (None, (pointer,)),
        "search_run": (ctypes.c_int32, (pointer, ctypes.c_int64)),
        "search_horizon": (ctypes.c_int64, (pointer,)),
        "search_entered": (ctypes.c_int64, (pointer,)),
        "search_order": (ctypes.c_int32, (pointer, ctypes.c_int32, pointer)),
    }
    for name, (result, arguments) in signatures.items():
        function = getattr(loaded, name)
        function.restype, function.argtypes = result, arguments
    return loaded


class NativeTransitions:
    """The C side's table of transitions, which asks `transitions` for what it lacks.

    An exception cannot pass through C: it is kept in `failure`, and the search stops."""

    def __init__(self, transitions: Transitions) -> None:
        self.failure: BaseException | None = None

        def work_out(state: int, number: int) -> int:
            try:
                return transitions.step(state, number)
            except BaseException as failure:
                self.failure = failure
                return BROKEN

        self._callback = _WorkOut(work_out)
        self._library = library()  # Kept, so that what it made is given back to it whatever becomes of `library`.
        self.handle = self._library.transitions_new(self._callback)
        if not self.handle:
            raise MemoryError

    def __del__(self) -> None:
        if getattr(self, "handle", None):
            self._library.transitions_free(self.handle)


class NativeSearch:
    """A search in C. `memory_bytes` bounds what it remembers."""

    def __init__(
        self, problem: Problem, transitions: Transitions, native: NativeTransitions, memory_bytes: int
    ) -> None:
        self._problem, self._native, self._library = problem, native, library()
        operations = [operation for lane in problem.lanes for operation in lane]
        befores = [problem.before.get(operation.index, ()) for operation in operations]
        offsets = accumulate(map(len, befores), initial=0)
        self._operations = (_Operation * max(len(operations), 1))(
            *(
                _Operation(
                    operation.invoked,
                    NEVER if operation.returned is None else operation.returned,
                    transitions.class_of(operation),
                    transitions.model.is_query(operation),
                    offset,
                    len(before),
                )
                for operation, before, offset in zip(operations, befores, offsets, strict=False)
            )
        )
        numbers = [number for before in befores for place in before for number in place]
        self._places = (ctypes.c_int32 * max(len(numbers), 1))(*numbers)
        starts = list(accumulate((len(lane) for lane in problem.lanes), initial=0))
        self._first = (ctypes.c_int32 * len(starts))(*starts)
        self._handle = self._library.search_new(
            native.handle,
            self._operations,
            self._places,
            self._first,
            len(problem.lanes),
            int(problem.real_time),
            problem.answered,
            memory_bytes,
        )
        if not self._handle:
            raise MemoryError
        self._orders: dict[bool, list[Operation]] = {}
        self._horizon, self._entered = -1, 0

    def run(self, configurations: int) -> Status:
        status = self._library.search_run(self._handle, configurations)
        if status == FAILED:
            raise self._native.failure or MemoryError()
        return Status(status)

    @property
    def order(self) -> list[Operation]:
        return self._lanes_taken(longest=False)

    @property
    def partial(self) -> list[Operation]:
        return self._lanes_taken(longest=True)

    @property
    def horizon(self) -> int:
        return int(self._library.search_horizon(self._handle)) if self._handle else self._horizon

    @property
    def entered(self) -> int:
        return int(self._library.search_entered(self._handle)) if self._handle else self._entered

    def close(self) -> None:
        """Give the memory back. The orders and the horizon stay readable."""
        if self._handle:
            self._orders = {longest: self._lanes_taken(longest=longest) for longest in (False, True)}
            self._horizon, self._entered = self.horizon, self.entered
            self._library.search_free(self._handle)
            self._handle = None

    def __del__(self) -> None:
        if getattr(self, "_handle", None):
            self._library.search_free(self._handle)

    def _lanes_taken(self, longest: bool) -> list[Operation]:
        if not self._handle:
            return self._orders[longest]
        into = (ctypes.c_int32 * max(len(self._operations), 1))()
        count = self._library.search_order(self._handle, int(longest), into)
        positions = [0] * len(self._problem.lanes)
        taken = []
        for lane in into[:count]:
            taken.append(self._problem.lanes[lane][positions[lane]])
            positions[lane] += 1
        return taken


Factory = Callable[[Problem], Search]


def engine(transitions: Transitions, memory_bytes: int, native: bool | None = None) -> tuple[Factory, str | None]:
    """What makes searches over `transitions`, and a note for the reader if it is not the native engine.

    `native` forces one engine (True raises `cc.NoCompiler` without a compiler); None takes the native one if it can be
    had."""
    note = None
    if native is not False:
        try:
            shared = NativeTransitions(transitions)
            return lambda problem: NativeSearch(problem, transitions, shared, memory_bytes), None
        except (cc.NoCompiler, cc.CompileFailed) as failure:
            if native:
                raise
            kind = "There is no C compiler" if isinstance(failure, cc.NoCompiler) else "The C compiler failed"
            note = f"{kind}; the search runs in Python, many times slower."
        except QuorateError as failure:
            if native:
                raise
            note = f"The native search could not be built ({failure}); the search runs in Python, many times slower."

    def python(problem: Problem) -> Search:
        each = CONFIGURATION_BYTES_PYTHON + 8 * len(problem.lanes)
        return PythonSearch(problem, transitions, max(memory_bytes // each, 1))

    return python, note
