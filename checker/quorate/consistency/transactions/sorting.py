"""Topological orders: in Python for small graphs, in C (`sorting.c`) for large ones."""

from __future__ import annotations

import ctypes
from array import array
from functools import cache
from heapq import heapify, heappop, heappush
from importlib.resources import files

from quorate import cc
from quorate.errors import QuorateError

NATIVE_FROM = 20_000  # Points. Below, C would save less than it takes to load it.


def sorted_points(
    points: int, sources: array[int], targets: array[int], priority: array[int], through_cycles: bool = False
) -> list[int]:
    """The points in an order that keeps all edges, of those that may come next the one of least priority first; without
    those that are in or after a cycle. `through_cycles`: with them, so that most edges inside of cycles are kept."""
    if points >= NATIVE_FROM and not through_cycles:
        native = _native()
        if native is not None:
            order = array("i", bytes(4 * points))
            arrays = (sources, targets, priority, order)
            count = native(points, len(sources), *(ctypes.c_void_p(a.buffer_info()[0]) for a in arrays))
            if count < 0:
                raise MemoryError
            return order[:count].tolist()
    return _in_python(points, sources, targets, priority, through_cycles)


@cache
def _native() -> ctypes._NamedFuncPointer | None:
    """The function in C, if there is a compiler."""
    source = files("quorate.consistency.transactions").joinpath("sorting.c").read_text(encoding="utf-8")
    try:
        function = cc.load("history_sorting", {"sorting.c": source}).sorted_points
    except QuorateError:
        return None
    function.restype = ctypes.c_int32
    function.argtypes = (ctypes.c_int32, ctypes.c_int64, *(ctypes.c_void_p,) * 4)
    return function


def _in_python(
    points: int, sources: array[int], targets: array[int], priority: array[int], through_cycles: bool
) -> list[int]:
    after: list[list[int]] = [[] for _ in range(points)]
    waiting = [0] * points
    for source, target in zip(sources, targets, strict=True):
        after[source].append(target)
        waiting[target] += 1
    ready = [(priority[p], p) for p, count in enumerate(waiting) if count == 0]
    heapify(ready)
    order: list[int] = []
    placed = [False] * points
    while ready or (through_cycles and len(order) < points):
        if not ready:
            heappush(ready, min((priority[p], p) for p, done in enumerate(placed) if not done))
        _, p = heappop(ready)
        if placed[p]:
            continue
        placed[p] = True
        order.append(p)
        for target in after[p]:
            waiting[target] -= 1
            if waiting[target] == 0:
                heappush(ready, (priority[target], target))
    return order
