"""A search begins with a model that was compiled quickly, and if it lasts goes on with one that was compiled well.

The compiler takes longer for the model of a large protocol than most searches do. Without most optimizations it takes half of the
time, and the search a fifth more; so that is what a first check begins with. If the search lasts, the model is compiled well beside
it, and takes over when it is there; the next check finds it in the cache. Why the two may be exchanged at any moment is said in
`apart.h`. A compiler that fails, or is slow, makes no difference but time.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from quorate.cc import Meanwhile
from quorate.explore.native.library import Library

LASTING_S = 2.0
"""So many seconds of CPU time of all workers, and the model is compiled well, which takes half as many, and is there for all checks that
follow. On a busy machine a search that is short lasts long."""


@contextmanager
def bettered(library: Library) -> Iterator[Callable[[], None]]:
    """What is to be called now and then while a library explores; nothing is compiled any more at the end."""
    began = time.process_time()
    building: Meanwhile | None = None

    def look() -> None:
        nonlocal building
        if library.quick is None:
            return
        if building is None:
            if time.process_time() - began >= LASTING_S:
                building = Meanwhile(library.quick.well)
        elif building.is_done:
            if building.found is None:
                library.quick = None
            else:
                library.go_on_with(building.found)

    try:
        yield look
    finally:
        if building is not None:
            building.stop()
