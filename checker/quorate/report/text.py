"""Traces and outcomes as text: plain for files and pipes, styled for terminals. Both are made from the same lines.

The wording never claims more than the engine found: `holds` names the sizes that it holds for, `holds within bounds`
names each bound and how often it cut, `unfinished` says why and what was covered.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING

from quorate.errors import printable
from quorate.outcome import (
    OPEN,
    Failed,
    Holds,
    HoldsWithinBounds,
    NotJudged,
    Outcome,
    Proven,
    Reached,
    Statistics,
    Unfinished,
    Violated,
)
from quorate.report.story import Flight, Shown, Story, beginning, in_full, read, repetition, shows_its_beginning
from quorate.report.values import differences, show
from quorate.trace import Step, Trace, Witness

if TYPE_CHECKING:
    from rich.text import Text

Span = tuple[str, str]
"""A piece of a line and its style, as `rich` names styles; plain text leaves styles out."""
Line = list[Span]

BAD, GOOD, WARN, DIM, STRONG, NAME, WIRE = "bold red", "bold green", "bold yellow", "dim", "bold", "cyan", "blue"
WIDTH = 100
TELLING = 10_000
"""Of fewer states it is not worth saying what one takes: the table has a least size."""


def trace_text(trace: Trace, hide: Collection[str] = ()) -> str:
    """A trace, step by step, with what changed, and at the end what is violated and by which values."""
    return _plain(_trace_lines(trace, hide))


def trace_styled(trace: Trace, hide: Collection[str] = ()) -> Text:
    """The same text with colours, for `rich.print`."""
    return _styled(_trace_lines(trace, hide))


def step_text(story: Story, step: Step) -> str:
    """One step of a trace, as `trace_text` has it."""
    return _plain(_step_lines(story, step, 0)).strip()


def outcome_text(outcome: Outcome) -> str:
    """The verdict, what was covered, what was cut, the notes, and how often each action fired."""
    return _plain(_outcome_lines(outcome))


def outcome_styled(outcome: Outcome) -> Text:
    """The same text with colours, for `rich.print`."""
    return _styled(_outcome_lines(outcome))


def verdict(outcome: Outcome) -> str:
    """One sentence: what was found, and for what it was found."""
    return "".join(text for text, _ in _verdict(outcome))


def _plain(lines: Iterable[Line]) -> str:
    return printable("".join("".join(text for text, _ in line).rstrip() + "\n" for line in lines))


def _styled(lines: Iterable[Line]) -> Text:
    from rich.text import Text

    text = Text()
    for line in lines:
        for piece, style in line:
            text.append(printable(piece), style or None)
        text.append("\n")
    return text


def _name(subject: Trace | Outcome) -> Line:
    """What was checked: the name that a user gave, the variant, and the class if these do not name it."""
    name = getattr(subject, "subject", "")
    told = not name or name in (subject.variant, subject.spec) or subject.spec.endswith(f":{name}")
    variant = f", variant {subject.variant}" if subject.variant else ""
    return [(subject.spec, STRONG), (variant + ("" if told else f", class {name}"), "")]


def _trace_lines(trace: Trace, hide: Collection[str] = ()) -> Iterable[Line]:
    story = read(trace, hide)
    bounds = ", ".join(f"{name}={size}" for name, size in trace.bounds.items())
    yield [*_name(trace), (f" ({bounds})" if bounds else "", DIM)]
    yield []
    if shows_its_beginning(trace):
        given = ", ".join(f"{name} {show(value, 60)}" for name, value in trace.initial_arguments.items())
        yield [("   0  ", DIM), (beginning(trace), STRONG), (f"  {given}" if given else "", DIM)]
    if in_full(trace):
        for name, value in story.trace.initial.items():
            if name in story.hidden:
                continue
            yield [("        ", ""), (f"{name} ", ""), (show(value, WIDTH), STRONG)]
    owner = max((len(step.lane or "net") for step in trace.steps), default=0)
    if trace.abstract is not None and trace.steps:
        yield from _two_levels(trace, owner, hide)
    for step in trace.steps if trace.abstract is None else ():
        if trace.loop is not None and step.index == trace.loop + 1:
            yield [(f"   ┌─ the run {repetition(trace)}", WARN)]
        yield from _step_lines(story, step, owner)
    if trace.loop is not None:
        yield [(f"   └─ the run {repetition(trace)}", WARN)]
    yield from _headline_lines(story)


def _two_levels(trace: Trace, owner: int, hide: Collection[str]) -> Iterable[Line]:
    """The steps of a run, and beside them what they are in the more abstract specification."""
    assert trace.abstract is not None
    below = read(trace.but(abstract=None), hide)
    rows = [(list(_step_lines(below, step, owner)), list(_abstract_lines(trace, step))) for step in trace.steps]
    began: list[Line] = [
        [(f"{name} ", ""), (show(value, WIDTH), STRONG)] for name, value in trace.abstract.initial.items()
    ]
    rows.insert(0, ([], [[(trace.abstract.spec, NAME)], *began]))
    column = max((_length(line) for left, _ in rows for line in left), default=0) + 2
    for left, right in rows:
        nothing: Line = []
        for one, other in zip_longest(left, right, fillvalue=nothing):
            yield [*one, (" " * (column - _length(one)), ""), ("│ ", DIM), *other]


def _length(line: Line) -> int:
    return sum(len(text) for text, _ in line)


def _abstract_lines(trace: Trace, step: Step) -> Iterable[Line]:
    if step.abstract is None or not step.abstract.changes:
        yield [("unchanged", DIM)]
        return
    given = ", ".join(f"{name} {show(value, 60)}" for name, value in step.abstract.arguments.items())
    if step.abstract.action is None:
        yield [("✗ no step", BAD)]
    else:
        yield [(step.abstract.action, STRONG), (f"({given})" if given else "", "")]
    for change in step.abstract.changes:
        place = change.variable + "".join(f"[{show(key)}]" for key in change.key)
        for difference in differences(change.old, change.new, WIDTH // 2):
            yield [("  ", ""), *_change(Shown(None, place + difference.path, difference, step.abstract.action is None))]


def _step_lines(story: Story, step: Step, owner: int) -> Iterable[Line]:
    lane = story.lane_of(step)
    arguments = ", ".join(f"{name} {show(value, 60)}" for name, value in story.arguments(step).items())
    told = lane is None or step.mark is None or step.mark in step.action.replace("_", "").lower()
    mark = "" if told else f"  {step.mark}"
    yield [
        (f"{step.index:4}  ", DIM),
        ((lane or step.lane or "net").ljust(owner), NAME if lane else DIM),
        ("  ", ""),
        (step.action, STRONG if story.dark(step.index) else ""),
        (f"({arguments})" if arguments else "", ""),
        (mark, WARN),
    ]
    indent = " " * (owner + 8)
    for flight in story.flights:
        if flight.ended == step.index and flight.fate == "received":
            sender = f" from {flight.source}" if flight.source else " from before the start"
            again = ", again" if flight.again else ""
            yield [(f"{indent}receives ", DIM), (_flight(flight), WIRE), (sender, DIM), (again, WARN)]
    for flights in _sent(story, step):
        targets = ", ".join(dict.fromkeys(flight.target for flight in flights if flight.target))
        fate = (
            ""
            if any(flight.fate == "received" for flight in flights)
            else (f", lost in step {flights[0].ended}" if flights[0].fate == "lost" else ", never received")
        )
        yield [
            (f"{indent}sends ", DIM),
            (_flight(flights[0]), WIRE),
            (f" to {targets}" if targets else "", DIM),
            (fate, WARN),
        ]
    for remark in story.remarks(step):
        yield [(f"{indent}{remark}", DIM)]
    for change in story.changes(step, WIDTH // 2):
        yield [(indent[:-2] + ("* " if change.stressed else "  "), BAD), *_change(change)]


def _sent(story: Story, step: Step) -> list[list[Flight]]:
    """The flights of each message that a step sends: one message may reach several lanes."""
    groups: dict[str, list[Flight]] = {}
    for flight in story.flights:
        if flight.sent == step.index and not flight.again:
            groups.setdefault(flight.message.id, []).append(flight)
    return list(groups.values())


def _flight(flight: Flight) -> str:
    return f"{flight.message.id} {show(flight.label, WIDTH)}"


def _change(change: Shown) -> Line:
    place = f"{change.lane}.{change.place}" if change.lane else change.place
    old, new, style = change.difference.old, change.difference.new, BAD if change.stressed else STRONG
    if new is None:
        return [(f"{place} without ", ""), (old or "", DIM)]
    return [(f"{place} ", ""), ("+ " if old is None else f"{old} → ", DIM), (new, style)]


def _headline_lines(story: Story) -> Iterable[Line]:
    head = story.headline
    style, sign = {"bad": (BAD, "✗ "), "good": (GOOD, "✓ "), "plain": (STRONG, "")}[head.tone]
    yield []
    yield [(sign + head.title, style), (f": {head.text}", "")]
    if story.trace.witnesses:
        yield from _witness_lines(story.trace.witnesses, style)
    if story.causes.stressed:
        yield [("    * the property reads this value", DIM)]


def _witness_lines(witnesses: Sequence[Witness], style: str) -> Iterable[Line]:
    from quorate.report.panel import witness_name, witness_steps

    names = [witness_name(witness) for witness in witnesses]
    column = min(max(map(len, names)), 40)
    for name, witness in zip(names, witnesses, strict=True):
        yield [
            (f"    {name.ljust(column)}  ", ""),
            (show(witness.value, WIDTH), style),
            (f"  {witness_steps(witness)}", DIM),
        ]


def _outcome_lines(outcome: Outcome) -> Iterable[Line]:
    yield _name(outcome)
    yield _verdict(outcome)
    counts = _counts(outcome)
    if counts:
        yield [(counts, DIM)]
    for name, number in sorted(outcome.statistics.cuts.items()):
        if number:
            cut = f"{_many(number, 'transition')}; what lies beyond was not explored"
            yield [(f"    cut by {_bound(outcome, name)}: {cut}", WARN)]
    yield from _judgements(outcome)
    if isinstance(outcome, Proven):
        yield from ([(f"    rests on: {what}", DIM)] for what in outcome.rests_on)
    yield from ([(f"    note: {note}", "")] for note in outcome.notes)
    yield from _by_action(outcome.statistics, complete=isinstance(outcome, Holds | HoldsWithinBounds | NotJudged))
    if outcome.profile is not None:
        from quorate.report.profile import profile_lines

        yield from profile_lines(outcome.profile)
    if outcome.coverage is not None:
        from quorate.report.coverage import coverage_lines

        yield from coverage_lines(outcome.coverage)


def _judgements(outcome: Outcome) -> Iterable[Line]:
    """Every property's own verdict, where that of the outcome does not say it: those of one verdict and reason together."""
    groups: dict[tuple[str, str], list[str]] = {}
    for one in outcome.judgements:
        groups.setdefault((one.status, one.reason or _run_length(one.trace)), []).append(one.property)
    told = (outcome.property,) if isinstance(outcome, Violated) else ()
    if len(groups) < 2 and outcome.violated == told and not any(status in OPEN for status, _ in groups):
        return
    for (status, reason), names in groups.items():
        sign, style = ("✗", BAD) if status == "violated" else ("?", WARN) if status in OPEN else ("✓", GOOD)
        said = status.replace("-", " ") + f", {reason}" if status == "violated" else reason or status.replace("-", " ")
        yield [("    ", ""), (sign, style), (f" {', '.join(names)}: {said}", "")]


def _verdict(outcome: Outcome) -> Line:
    stats = outcome.statistics
    sizes = ", ".join(f"{name}={size}" for name, size in outcome.bounds.items())
    of = f" with {sizes}" if sizes else ""
    match outcome:
        case Proven():
            properties = ", ".join(outcome.properties) or "every property"
            if outcome.any_size:
                return [("proven", GOOD), (f" for any size: {properties}", "")]
            depth = f", in runs of at most {_many(stats.depth, 'step')}" if stats.depth else ""
            return [("proven", GOOD), (f"{of or ' for this spec'}{depth} (not for other sizes): {properties}", "")]
        case HoldsWithinBounds():
            cuts = ", ".join(
                f"{_bound(outcome, name)} ({_many(number, 'cut')})"
                for name, number in sorted(stats.cuts.items())
                if number
            )
            left = f"no violation in the {_states(outcome)} that the bounds leave{of}"
            return [("holds within bounds", GOOD), (f": {left}; cut by {cuts or 'a bound'}{_trust(stats)}", "")]
        case Holds():
            return [
                ("holds", GOOD),
                (f": every property is true in all {_states(outcome, 'reachable state')}{of}{_trust(stats)}", ""),
            ]
        case Violated():
            return [("violated", BAD), (f": {outcome.property}{_how(outcome, of)}", "")]
        case Reached():
            return [("reached", GOOD), (f": {outcome.property}{_how_long(outcome.trace, of)}", "")]
        case NotJudged():
            return [*_left(outcome), (f"; no violation in {_states(outcome)}{of}{_trust(stats)}", "")]
        case Unfinished():
            reason = outcome.reason.rstrip(".") or "stopped"
            covered = (
                f"; {_states(outcome)} to depth {stats.depth} were explored, the rest was not" if stats.states else ""
            )
            return [("unfinished", WARN), (f": {reason}{covered}. This is no verdict", "")]
        case Failed():
            return [("error in the spec", BAD), (f": {outcome.message}", "")]
    raise LookupError(f"an outcome {outcome.verdict!r} has no sentence")


def _left(outcome: NotJudged) -> Line:
    """What is not known to hold."""
    if not outcome.judgements:
        return [("not judged", WARN), (f": {outcome.reason.rstrip('.')}", "")]
    line: Line = []
    for status, said in (("not-reached", "not reached within bounds"), ("not-judged", "not judged within bounds")):
        names = [one.property for one in outcome.judgements if one.status == status]
        if names:
            line += [("; " if line else "", ""), (said, WARN), (f": {', '.join(names)}", "")]
    return line


def _how(outcome: Violated, of: str) -> str:
    if outcome.values:
        return f", for {', '.join(f'{name} = {value}' for name, value in outcome.values)}"
    if outcome.trace is None:
        cut = "; a state beyond the bounds might" if any(outcome.statistics.cuts.values()) else ""
        return (
            f", which none of the {_states(outcome, 'explored state')} satisfies{of}{cut}{_trust(outcome.statistics)}"
        )
    return _how_long(outcome.trace, of)


def _how_long(trace: Trace | None, of: str) -> str:
    return f", {_run_length(trace)}{of}"


def _run_length(trace: Trace | None) -> str:
    if trace is None:
        return ""
    if trace.steps:
        return f"by a run of {_many(len(trace.steps), 'step')}"
    return "in the initial state" if trace.loop is None else "by a run that stays in the initial state"


def _trust(stats: Statistics) -> str:
    """What a claim about all states rests on if they were not kept themselves."""
    if stats.store != "fingerprint":
        return ""
    if stats.collision == 0:
        return "; states were kept as fingerprints, of which no two can be equal"
    return f"; unless fingerprints of two states are equal and one was missed (probability below {_upward(stats.collision)})"


def _upward(probability: float) -> str:
    """With two digits, rounded up."""
    return f"{min(probability * 1.05, 1.0):.1e}" if probability < 0.01 else f"{min(probability + 0.005, 1.0):.2f}"


def _bound(outcome: Outcome, name: str) -> str:
    return f"{name}={outcome.bounds[name]}" if name in outcome.bounds else name


def _states(outcome: Outcome, noun: str = "state") -> str:
    """How many states; under symmetry one stands for all that renaming makes of it."""
    orbits = f" up to symmetry of {', '.join(outcome.symmetry)}" if outcome.symmetry else ""
    return _many(outcome.statistics.states, noun) + orbits


def _many(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _counts(outcome: Outcome) -> str:
    stats = outcome.statistics
    parts = [
        _states(outcome) if stats.states else "",
        _many(stats.transitions, "transition") if stats.transitions else "",
        f"depth {stats.depth}" if stats.states else "",
        f"{stats.seconds:.2f} s" if outcome.engine else "",
        f"{stats.memory_bytes / 2**20:,.0f} MiB" if stats.memory_bytes else "",
        f"{stats.stored_bytes / stats.states:.0f} bytes a state{' on the disk' if stats.store == 'disk' else ''}"
        if stats.stored_bytes and stats.states >= TELLING
        else "",
        f"{outcome.engine} engine" if outcome.engine else "",
    ]
    said = ", ".join(part for part in parts if part)
    return f"    {said}" if said else ""


def _by_action(stats: Statistics, complete: bool) -> Iterable[Line]:
    """The transitions of each action. That one never fires is known only after a complete search."""
    if not stats.actions:
        return
    column = max(map(len, stats.actions))
    digits = max(len(f"{number:,}") for number in stats.actions.values())
    yield [("    transitions by action:", DIM)]
    for name, number in stats.actions.items():
        yield [
            (f"      {name.ljust(column)}  {number:>{digits},}", ""),
            ("  never fired" if not number and complete else "", WARN),
        ]
