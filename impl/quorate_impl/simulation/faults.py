"""Fault plans: what goes wrong in a run, and when. A plan is data, so that it can be drawn, printed and shrunk."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from random import Random

import msgspec


class Fault(msgspec.Struct, frozen=True, tag=True):
    """Something goes wrong `at` a time for as long as it `lasts`, in milliseconds from the beginning."""

    at: int
    lasts: int


class Crash(Fault, frozen=True):
    """The node loses its memory and what was not synced, and starts again afterwards."""

    node: str


class Blackout(Fault, frozen=True):
    """All nodes lose their power at the same moment."""


class Kill(Fault, frozen=True):
    """The process of the node ends, and starts again afterwards; the system goes on, with what it has not synced."""

    node: str


class Pause(Fault, frozen=True):
    """The node does nothing; what arrives meanwhile waits."""

    node: str


class Cut(Fault, frozen=True):
    """Nothing gets from the sources to the targets, nor back if it is cut both ways."""

    sources: tuple[str, ...]
    targets: tuple[str, ...]
    both_ways: bool


class Weather(Fault, frozen=True):
    """Messages are lost and repeated, by so many in a hundred, and take up to so many milliseconds longer."""

    loss: int
    duplication: int
    delay: int


class Drift(Fault, frozen=True):
    """The clock of the node runs at so many hundredths of its speed."""

    node: str
    percent: int


class Jump(Fault, frozen=True):
    """The wall clock of the node is set forward or back, by milliseconds. It is not set right afterwards."""

    node: str
    by: int


class Full(Fault, frozen=True):
    """The disk of the node takes no more."""

    node: str


class SyncFails(Fault, frozen=True):
    """The next sync of the node fails."""

    node: str


class Damage(Fault, frozen=True):
    """A sector of the node's disk is damaged, before the last frame, where it can be told from a torn write."""

    node: str


class Replace(Fault, frozen=True):
    """The node ends, and its disk with it; it starts again with an empty one."""

    node: str


AnyFault = Crash | Blackout | Kill | Pause | Cut | Weather | Drift | Jump | Full | SyncFails | Damage | Replace

Plan = tuple[AnyFault, ...]
"""What goes wrong in a run."""

KINDS: Sequence[type[Fault]] = (Crash, Blackout, Kill, Pause, Cut, Weather, Drift, Jump, Full, SyncFails)
"""What `draw_plan` draws from. `Damage` and `Replace` are not among them: what a node had is lost for good."""


def draw_plan(
    seed: int, nodes: Sequence[str], until: int, kinds: Sequence[type[Fault]] = KINDS, faults_max: int = 8
) -> Plan:
    """Up to so many faults of these kinds, all over `until` so many milliseconds."""
    random = Random(f"plan {seed}")
    drawn = [_draw(random, random.choice(kinds), nodes, until) for _ in range(random.randint(1, faults_max))]
    return tuple(sorted(drawn, key=lambda fault: fault.at))


def _draw(random: Random, kind: type[Fault], nodes: Sequence[str], until: int) -> AnyFault:
    at = random.randrange(until)
    lasts = 1 + int((until - at) * random.random() ** 3)  # Many are short, and some last to the end.
    node = random.choice(nodes)
    if kind is Blackout:
        return Blackout(at, lasts)
    if kind is Cut:
        sources = tuple(sorted(random.sample(nodes, random.randint(1, len(nodes) - 1))))
        targets = tuple(name for name in nodes if name not in sources)
        return Cut(at, lasts, sources, targets, random.random() < 0.5)
    if kind is Weather:
        return Weather(at, lasts, random.randint(0, 30), random.randint(0, 30), random.choice((0, 5, 50)))
    if kind is Drift:
        return Drift(at, lasts, node, random.choice((25, 50, 80, 125, 200, 400)))
    if kind is Jump:
        return Jump(at, lasts, node, random.randint(-60_000, 60_000))
    constructors: dict[type[Fault], Callable[[int, int, str], AnyFault]] = {
        Crash: Crash,
        Kill: Kill,
        Pause: Pause,
        Full: Full,
        SyncFails: SyncFails,
        Damage: Damage,
    }
    return constructors[kind](at, lasts, node)


def shrink(plan: Plan, fails: Callable[[Plan], bool]) -> Plan:
    """A plan that fails as well, of which no fault can be left out and none can last half as long.

    `fails` runs the simulation with a plan and the seed of the run that failed. A run with other faults takes other
    random numbers, so that the smallest plan need not be found.
    """
    while True:
        smaller = next((each for each in _smaller(plan) if fails(each)), None)
        if smaller is None:
            return plan
        plan = smaller


def _smaller(plan: Plan) -> Iterator[Plan]:
    size = len(plan) // 2
    while size > 0:
        for begin in range(0, len(plan), size):
            yield plan[:begin] + plan[begin + size :]
        size //= 2
    for i, fault in enumerate(plan):
        if fault.lasts > 1:
            yield (*plan[:i], msgspec.structs.replace(fault, lasts=fault.lasts // 2), *plan[i + 1 :])
