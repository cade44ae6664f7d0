"""The deterministic simulator: one seed, one run."""

from quorate_impl.simulation.faults import (
    KINDS,
    Crash,
    Cut,
    Damage,
    Drift,
    Fault,
    Full,
    Jump,
    Kill,
    Pause,
    Plan,
    SyncFails,
    Weather,
    draw_plan,
    shrink,
)
from quorate_impl.simulation.world import Conditions, Outcome, Simulation, Watch, Workload

__all__ = [
    "KINDS",
    "Conditions",
    "Crash",
    "Cut",
    "Damage",
    "Drift",
    "Fault",
    "Full",
    "Jump",
    "Kill",
    "Outcome",
    "Pause",
    "Plan",
    "Simulation",
    "SyncFails",
    "Watch",
    "Weather",
    "Workload",
    "draw_plan",
    "shrink",
]
