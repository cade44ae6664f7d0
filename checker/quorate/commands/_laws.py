"""The laws of pure functions on the terminal, and as outcomes for programs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from quorate.language.places import full_name, function_location
from quorate.outcome import Declared, Outcome, Proven, Statistics, Unfinished, Violated
from quorate.report.python import prelude, source

if TYPE_CHECKING:
    from quorate.language.laws import Marked
    from quorate.loading import Protocol
    from quorate.prove.laws.prove import Judged, Laws
    from quorate.prove.laws.values import Counterexample
    from quorate.prove.solvers.smt import Effort


def judged(
    protocol: Protocol, effort: Effort, seconds: float, progress: Callable[[str], None] = lambda _: None
) -> Iterator[Laws]:
    """What becomes of the laws of every function that is meant, one after the other."""
    from quorate.prove.laws.prove import Task, prove_laws

    for marked in protocol.marked.values():
        yield prove_laws(Task(marked, effort, seconds, progress))


def outcome_of(laws: Laws, spec: str, marked: Marked) -> Outcome:
    """The laws of a function as one outcome: the first that is violated (the announced one, if it is), else the first
    that is open."""
    seconds = sum(one.seconds for one in laws.judged)
    notes = tuple(line for one in laws.judged if one.status != "proven" for line in _lines(one))
    place, title = function_location(marked.function), full_name(marked.function)
    methods = tuple(
        Declared(f"{title}.{one.law}", one.law, marked.claim.kind, one.sentence, place) for one in laws.judged
    )
    common = {
        "bounds": {},
        "engine": "z3",
        "statistics": Statistics(seconds=seconds),
        "notes": notes,
        "location": place,
        "methods": methods,
    }
    if laws.violated:
        announced = [one for one in laws.violated if one.law in laws.expect.names]
        first = (announced or list(laws.violated))[0]
        assert first.counterexample is not None
        values = tuple((name, source(value)) for name, value in first.counterexample.arguments)
        return Violated(spec, laws.name, property=first.law, values=values, **common)  # type: ignore[arg-type]
    if laws.open:
        reason = "; ".join(f"{one.law}: {one.reason}" for one in laws.open)
        return Unfinished(spec, laws.name, reason=reason, **common)  # type: ignore[arg-type]
    names = tuple(one.law for one in laws.judged)
    return Proven(spec, laws.name, properties=names, any_size=True, rests_on=laws.rests_on, **common)  # type: ignore[arg-type]


def explained(laws: Laws) -> Iterator[str]:
    """The laws of a function in lines of text, those that fail with values to try at a prompt."""
    proven = [one.law for one in laws.judged if one.status == "proven"]
    seconds = sum(one.seconds for one in laws.judged)
    yield f"{laws.name}  ({seconds:.2f} s)"
    if proven:
        yield f"  proven for all values, of any size: {', '.join(proven)}"
        yield from (f"    rests on: {what}" for what in laws.rests_on)
    for one in laws.judged:
        if one.status != "proven":
            yield from (f"  {line}" for line in _lines(one, laws.expect.names))
    missed = [name for name in laws.expect.names if name not in {one.law for one in laws.violated}]
    if missed:
        yield f"  expected to violate {', '.join(missed)}, and it does not"


def _lines(one: Judged, announced: tuple[str, ...] = ()) -> Iterator[str]:
    if one.status == "open":
        yield f"NOT KNOWN  {one.law}: {one.sentence}"
        yield f"    {one.reason}"
        return
    assert one.counterexample is not None
    told = (
        " (as expected)" if one.law in announced else " (not named by `expect`, so free to fail)" if announced else ""
    )
    yield f"VIOLATED{told}  {one.law}: {one.sentence}"
    yield from (f"    {line}" for line in _python(one.counterexample))


def _python(found: Counterexample) -> Iterator[str]:
    """A counterexample as lines of Python."""
    yield from prelude(found.sorts)
    for name, value in found.arguments:
        yield f"{name} = {source(value)}"
    for text, result in found.calls:
        yield f"{text}  # {source(result)}"
    if found.raised is not None:
        yield f"# raises {found.raised}"
