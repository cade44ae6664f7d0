"""Fault plans that aim at one thing, where plans of all kinds would need many more runs to hit it."""

from __future__ import annotations

from random import Random

from quorate_impl.simulation import Blackout, Crash, Cut, Damage, Jump, Kill, Plan, Replace, Weather

from tests.impl.dynamo.running import NODES


def power_cuts(seed: int) -> Plan:
    """The power fails, here or everywhere."""
    random, plan = Random(seed), list[Blackout | Crash]()
    for begin in range(0, 2_000, 250):
        at, lasts = begin + random.randrange(250), random.randint(1, 300)
        plan.append(Blackout(at, lasts) if random.random() < 0.3 else Crash(at, lasts, random.choice(NODES)))
    return tuple(plan)


def bad_weather(seed: int) -> Plan:
    """Every fifth message is lost, replies to clients too, and some come twice."""
    return (Weather(0, 2_000, 20, 10, seed % 30),)


def divided(seed: int) -> Plan:
    """Again and again two nodes hear nobody but the clients, and messages are late."""
    random, plan = Random(seed), list[Cut | Weather]([Weather(0, 2_000, 2, 5, 60)])
    for begin in range(0, 2_000, 400):
        away = tuple(sorted(random.sample(NODES, 2)))
        others = tuple(name for name in NODES if name not in away)
        plan.append(Cut(begin + random.randrange(100), random.randint(100, 400), away, others, True))
    return tuple(plan)


def clocks_are_set(seed: int) -> Plan:
    """Wall clocks are set forward and back."""
    random = Random(seed)
    return tuple(
        Jump(random.randrange(2_000), 1, random.choice(NODES), random.randint(-60_000, 60_000)) for _ in range(10)
    )


def restarts(seed: int) -> Plan:
    """Nodes restart all the time, and messages are late."""
    random = Random(seed)
    kills = [Kill(random.randrange(1_000), random.randint(1, 10), random.choice(NODES)) for _ in range(40)]
    return Weather(0, 1_000, 0, 10, 60), *kills


def a_disk_dies(seed: int) -> Plan:
    """Two nodes are cut off, and another one loses its disk for good: what was acknowledged by two is at one more."""
    random = Random(seed)
    lost, *away = random.sample(NODES, 3)
    others = tuple(name for name in NODES if name not in away)
    at = random.randint(500, 900)
    return Cut(0, 1_000, tuple(away), others, True), Damage(at, 0, lost), Crash(at, 1, lost)


def the_power_fails_and_a_disk_dies(seed: int) -> Plan:
    """What was acknowledged by two is on the disk of the other one."""
    random = Random(seed)
    at = random.randint(60, 150)
    return Damage(at - 1, 0, random.choice(NODES)), Blackout(at, 20)


def disks_are_replaced(seed: int) -> Plan:
    """One after another, when the others have had the time to tell each other what they have."""
    random = Random(seed)
    return tuple(Replace(at, 100, random.choice(NODES)) for at in (500, 1_000, 1_500))
