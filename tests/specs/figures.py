"""What an exploration of a spec finds, in the few numbers that its test records."""

from __future__ import annotations

from quorate.explore import check
from quorate.language.spec import Spec
from quorate.outcome import Holds, HoldsWithinBounds, Violated


def explored(spec: type[Spec], engine: str = "native") -> tuple[int, int, int]:
    """States up to symmetry, transitions and depth of a spec that holds at its bounds."""
    outcome = check(spec, engine=engine)
    assert isinstance(outcome, Holds | HoldsWithinBounds), outcome
    found = outcome.statistics
    return found.states, found.transitions, found.depth


def broken(spec: type[Spec]) -> tuple[str | None, int]:
    """The property that a variant violates, and the number of steps of a shortest run that shows it."""
    outcome = check(spec, engine="native")
    assert isinstance(outcome, Violated) and outcome.trace is not None, outcome
    return outcome.property, len(outcome.trace)
