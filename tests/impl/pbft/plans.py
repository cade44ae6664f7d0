"""Fault plans that aim at one thing, where plans of all kinds would need many more runs to hit it."""

from __future__ import annotations

from random import Random

from quorate_impl.simulation import Blackout, Crash, Cut, Plan, Weather

from tests.impl.pbft.running import NODES


def calm(seed: int) -> Plan:
    """Nothing goes wrong but what the liar does."""
    return ()


def bad_weather(seed: int) -> Plan:
    """Every fifth message is lost, replies to clients too, and some come twice."""
    return (Weather(0, 2_000, 20, 10, seed % 30),)


def apart(seed: int) -> Plan:
    """Again and again one replica hears nobody, or nobody hears it, or the four are two and two."""
    random, plan = Random(seed), list[Cut]()
    for begin in range(0, 2_000, 250):
        here = tuple(random.sample(NODES, random.choice((1, 1, 2))))
        there = tuple(name for name in NODES if name not in here)
        plan.append(Cut(begin + random.randrange(100), random.randint(50, 400), here, there, random.random() < 0.6))
    return tuple(plan)


def power_cuts(seed: int) -> Plan:
    """The power fails everywhere, and one machine stays dark for longer."""
    random, plan = Random(seed), list[Blackout | Crash]()
    for begin in range(0, 2_000, 150):
        at = begin + random.randrange(100)
        plan += [Blackout(at, random.randint(1, 10)), Crash(at, random.randint(50, 200), random.choice(NODES))]
    return tuple(plan)


def brownouts(seed: int) -> Plan:
    """The power fails all the time, here or there, for a moment."""
    random = Random(seed)
    return tuple(
        Crash(begin + random.randrange(20), random.randint(1, 10), random.choice(NODES))
        for begin in range(0, 2_000, 30)
    )
