"""What the tests of the library ask of every protocol: the length of a variant's shortest counterexample, and numbers of both engines."""

from quorate import Spec
from quorate.explore import check
from quorate.outcome import Violated


def shortest(spec: type[Spec]) -> tuple[str, int]:
    """The property that a variant violates, and the number of steps of the shortest run that shows it."""
    outcome = check(spec)
    assert isinstance(outcome, Violated) and outcome.trace is not None
    return outcome.property, len(outcome.trace)


def explored(spec: type[Spec], engine: str = "auto") -> tuple[str, int, int, int]:
    """The verdict, and the states, transitions and depth of an exploration."""
    outcome = check(spec, engine=engine)
    numbers = outcome.statistics
    return outcome.verdict, numbers.states, numbers.transitions, numbers.depth


def agreed(spec: type[Spec]) -> tuple[str, int, int, int]:
    """The same, found by the reference engine and by the native one."""
    found = explored(spec, "reference")
    assert explored(spec, "native") == found
    return found
