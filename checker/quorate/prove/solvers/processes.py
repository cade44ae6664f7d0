"""A function of several items, computed in several processes."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def spread(function: Callable[[Item], Result], items: Iterable[Item], workers: int) -> Iterator[Result]:
    """What a function returns for each item, in order, computed by so many processes (one: by this one).

    Items are taken a few at a time, as they are needed. When nobody asks for more results, the processes end.
    """
    if workers == 1:
        yield from map(function, items)
        return
    executor = ProcessPoolExecutor(workers, mp_context=get_context("forkserver"))
    waiting: deque[Future[Result]] = deque()
    try:
        for item in items:
            waiting.append(executor.submit(function, item))
            if len(waiting) > 2 * workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        busy = list((executor._processes or {}).values()) if waiting else []
        executor.shutdown(wait=not busy, cancel_futures=True)
        for process in busy:  # What they compute is wanted no more.
            process.terminate()
