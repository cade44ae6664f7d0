"""Fault plans that aim at one thing, where plans of all kinds would need many more runs to hit it."""

from __future__ import annotations

from random import Random

from quorate_impl.primary_backup import ARBITER
from quorate_impl.simulation import Blackout, Crash, Cut, Kill, Plan, Weather

from tests.impl.primary_backup.running import ALL, NODES


def cut_off(seed: int) -> Plan:
    """Again and again a node hears nobody but the clients, and nobody hears it; for long enough that they look elsewhere."""
    random, plan = Random(seed), list[Cut]()
    for begin in range(0, 2_000, 900):
        node = random.choice(NODES)
        others = tuple(name for name in ALL if name != node)
        plan.append(Cut(begin + random.randrange(200), random.randint(600, 900), (node,), others, True))
    return tuple(plan)


def out_of_the_arbiters_sight(seed: int) -> Plan:
    """Again and again a node and the arbiter do not hear each other, and everybody else hears both."""
    random = Random(seed)
    return tuple(
        Cut(begin + random.randrange(200), random.randint(200, 600), (random.choice(NODES),), (ARBITER,), True)
        for begin in range(0, 2_000, 300)
    )


def power_cuts(seed: int) -> Plan:
    """The power fails everywhere, and one machine stays dark until another is the primary."""
    random, plan = Random(seed), list[Blackout | Crash]()
    for begin in range(0, 2_000, 280):
        at = begin + random.randrange(60)
        plan += [Blackout(at, 1), Crash(at, random.randint(180, 220), random.choice(NODES))]
    return tuple(plan)


def brownouts(seed: int) -> Plan:
    """The power fails all the time, here or there, for a moment."""
    random = Random(seed)
    return tuple(
        Crash(begin + random.randrange(20), random.randint(1, 10), random.choice(NODES))
        for begin in range(0, 2_000, 30)
    )


def restarts(seed: int) -> Plan:
    """The arbiter restarts all the time, and the nodes now and then; messages are late."""
    random = Random(seed)
    kills = [
        Kill(random.randrange(2_000), random.randint(1, 200), random.choice((*NODES, ARBITER, ARBITER)))
        for _ in range(20)
    ]
    return Weather(0, 2_000, 0, 10, 30), *kills


def between_two(seed: int) -> Plan:
    """A node sees the arbiter no more, and soon sees one of the others no more; the third sees all, and restarts then."""
    random, plan = Random(seed), list[Cut | Kill]()
    for begin in range(0, 2_000, 650):
        here, between, there = random.sample(NODES, 3)
        at = begin + random.randrange(50)
        plan += [Cut(at, 600, (here,), (ARBITER,), True), Cut(at + 120, 480, (here,), (there,), True)]
        plan.append(Kill(at + 150 + random.randrange(60), 1, between))
    return tuple(plan)


def bad_weather(seed: int) -> Plan:
    """Every fifth message is lost, replies to clients too, and some come twice."""
    return (Weather(0, 2_000, 20, 10, seed % 30),)


def alone_with_the_arbiter(seed: int) -> Plan:
    """Again and again the arbiter and one node see nobody else."""
    random, plan = Random(seed), list[Cut]()
    for begin in range(0, 2_000, 500):
        here = (random.choice(NODES), ARBITER)
        there = tuple(name for name in NODES if name not in here)
        plan.append(Cut(begin + random.randrange(200), random.randint(200, 500), here, there, True))
    return tuple(plan)
