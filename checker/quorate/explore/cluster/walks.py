"""Random runs by the processes of a cluster: each takes some, and the driver adds them up in their order.

Run number r of a seed is the same run whoever takes it (`native/simulate.h`), so the result is that of one process. Processes are given
the C of the specification, and no specification; the run that is shown is taken again by the driver. Runs whose process is lost are
taken again by another one.
"""

from __future__ import annotations

import ctypes
from collections.abc import Generator
from contextlib import closing
from functools import partial
from typing import Any, NamedTuple

from quorate import cc
from quorate.errors import UsageError
from quorate.explore.cluster.rays import Rays, connected
from quorate.explore.engine import EngineUnavailable
from quorate.explore.limits import Cluster, Watch
from quorate.explore.native.library import FLAGS, Library, Plan, with_engine
from quorate.explore.native.render import Rendered
from quorate.explore.native.search import begins_wrongly, compiled
from quorate.explore.native.simulation import NO_MEMORY, Part, Walk, by_reference, taken
from quorate.explore.simulate import Walked, Walks
from quorate.language.system import System

TASK_STEPS = 5_000_000
"""About so many steps are a task, some seconds: when the runs end early, those that are under way are lost."""
TASKS_EACH = 2
"""So many tasks wait for each process."""


def walk(system: System, walks: Walks, watch: Watch, cluster: Cluster) -> Walked:
    """Random runs by a cluster, as `quorate.explore.simulate` wants them. Raises EngineUnavailable; UsageError for what a cluster cannot
    do."""
    if walks.guided:
        raise UsageError(
            "Guided runs learn from each other, and a cluster takes runs that do not: leave out --guided, or --cluster."
        )
    if begins_wrongly(system):
        return by_reference(system, walks, watch)
    initial, library = compiled(system, (), without=frozenset({"bits"}), searching=False)
    with connected(cluster) as rays:
        found = _ByCluster(system, library, initial, walks, watch)
        with closing(found.parts(rays)) as parts:
            last = found.add_up(parts)
    return found.answer(last)


class _Task(NamedTuple):
    """Some runs: the fields of a `Plan`."""

    seed: int
    first_run: int
    runs: int
    length: int
    swarm: int


class _ByCluster(Walk):
    def parts(self, rays: Rays) -> Generator[Part, None, None]:
        """What the processes do, in the order of the runs."""
        rendered = self.library.rendered
        task = partial(_taken, self.system.name, with_engine(rendered.source), rendered.silent)
        tasks = (
            _Task(plan.seed, plan.first_run, plan.runs, plan.depth_max, plan.swarm)
            for plan in self.plans(0, self.walks.runs, TASK_STEPS)
        )
        early: dict[int, Part] = {}
        due = 0
        with closing(rays.each(task, tasks, _lost, TASKS_EACH * rays.workers, self.look)) as answers:
            for number, answer in answers:
                if isinstance(answer, str):
                    raise EngineUnavailable(answer)
                early[number] = answer
                while due in early:
                    yield early.pop(due)
                    due += 1


def _lost(_: _Task) -> str:
    return "the process that took the runs was ended: it may have been killed for its memory"


def _taken(name: str, files: dict[str, str], rendered: Rendered, task: _Task) -> Part | str:
    """Take some runs; or why that cannot be."""
    library = Library(rendered, cc.load(name, files, FLAGS))
    total: Any = library.Simulated()
    go_on = ctypes.c_int(0)
    if library.c.quorate_simulate(ctypes.byref(Plan(*task)), ctypes.byref(total), ctypes.byref(go_on)) != 0:
        return NO_MEMORY
    return library.trapped() or taken(total)
