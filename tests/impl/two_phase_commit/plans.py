"""Fault plans that aim at one thing."""

from __future__ import annotations

from random import Random

from quorate_impl.simulation import Blackout, Crash, Plan, Weather

from tests.impl.two_phase_commit.running import NODES


def power_cuts(seed: int) -> Plan:
    """The power fails all the time, here or everywhere, and messages are late."""
    random, plan = Random(seed), list[Blackout | Crash]()
    for begin in range(0, 2_000, 100):
        at, lasts = begin + random.randrange(100), random.randint(1, 100)
        plan.append(Blackout(at, lasts) if random.random() < 0.2 else Crash(at, lasts, random.choice(NODES)))
    return Weather(0, 2_000, 0, 10, 5), *plan


def bad_weather(seed: int) -> Plan:
    """Every fifth message is lost, some come twice, and all are late."""
    return (Weather(0, 2_000, 20, 20, 10 + seed % 50),)
