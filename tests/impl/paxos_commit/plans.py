"""Fault plans that aim at one thing."""

from __future__ import annotations

from random import Random

from quorate_impl.simulation import Blackout, Crash, Pause, Plan, Weather

from tests.impl.paxos_commit.running import NODES, OPTIONS


def power_cuts(seed: int) -> Plan:
    """The power fails all the time, here or everywhere, and messages are late."""
    random, plan = Random(seed), list[Blackout | Crash]()
    for begin in range(0, 1_500, 50):
        at, lasts = begin + random.randrange(50), random.randint(1, 100)
        plan.append(Blackout(at, lasts) if random.random() < 0.2 else Crash(at, lasts, random.choice(NODES)))
    return Weather(0, 1_500, 0, 10, 5), *plan


def bad_weather(seed: int) -> Plan:
    """Every fifth message is lost, some come twice, and all are late."""
    return (Weather(0, 1_500, 20, 20, 10 + seed % 50),)


def leaders_come_and_go(seed: int) -> Plan:
    """One of them crashes or is paused, and then the other, while messages are lost and late."""
    random, plan = Random(seed), list[Crash | Pause]()
    for begin in range(0, 1_400, 100):
        kind, leader = random.choice((Crash, Pause)), OPTIONS.leaders[begin // 100 % len(OPTIONS.leaders)]
        plan.append(kind(begin + random.randrange(100), random.randint(50, 400), leader))
    return Weather(0, 1_500, 10, 10, 20), *plan


def quarrels(seed: int) -> Plan:
    """Messages take long, and acceptors lose their power again and again. To be run with impatient leaders."""
    random, plan = Random(seed), list[Crash]()
    for begin in range(0, 1_450, 30):
        plan.append(Crash(begin + random.randrange(30), random.randint(1, 20), random.choice(OPTIONS.acceptors)))
    return Weather(0, 1_500, 20, 20, 50), *plan
