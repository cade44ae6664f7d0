"""Fault plans that aim at one thing, where plans of all kinds would need many more runs to hit it."""

from __future__ import annotations

from random import Random

from quorate_impl.simulation import Blackout, Crash, Cut, Drift, Kill, Plan, Weather

from tests.impl.raft.running import NODES


def slow_and_cut_off(seed: int) -> Plan:
    """Again and again, a server's clock is slow, and it hears nobody but the clients: it leads on, if it did."""
    random, plan = Random(seed), list[Cut | Drift]()
    for begin in range(0, 2_000, 500):
        node, at, lasts = random.choice(NODES), begin + random.randrange(200), random.randint(200, 900)
        others = tuple(name for name in NODES if name != node)
        plan += [Drift(at, lasts, node, 25), Cut(at, lasts, (node,), others, True)]
    return tuple(plan)


def restarts(seed: int) -> Plan:
    """Servers restart all the time, and messages are late."""
    random = Random(seed)
    kills = [Kill(random.randrange(2_000), random.randint(1, 10), random.choice(NODES)) for _ in range(40)]
    return Weather(0, 2_000, 0, 10, 60), *kills


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
