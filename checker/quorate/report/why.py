"""Why is this line here? The source of a specification with a margin that says what each line protects: as text, and as data.

`why_page.py` makes a page of the same.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from quorate.trace import Json, Trace

Tone = Literal["bad", "lost", "plain", "open", "look", "skipped"]
"""How a verdict is to be read: something is violated, progress is lost, it costs states only, it is undecided, it is the finding to
look at, or it was not explored."""


@dataclass(frozen=True)
class Verdict:
    """How a verdict is said: in the margin, in the totals, and at the end of a sentence. `{name}` is the property, `{names}` are all that
    are lost, with their verb, and `{length}` says when."""

    tone: Tone
    margin: str
    total: str
    says: str


VERDICTS: Mapping[str, Verdict] = {
    "violated": Verdict("bad", "✗ {name}", "break a property", "{name} breaks {length}"),
    "error": Verdict("bad", "✗ raises an error", "raise an error", "a step raises an error {length}"),
    "deadlock": Verdict("lost", "◌ deadlock", "end in a deadlock", "the protocol gets stuck {length}"),
    "liveness": Verdict("lost", "◌ {name}", "lose progress", "{name} is lost: a fair run goes on without it"),
    "unreachable": Verdict("lost", "◌ no {name}", "lose a goal", "{names} not reached any more"),
    "costs": Verdict("plain", "only costs states", "only cost states", "every property holds, of more states"),
    "delivery": Verdict(
        "plain", "only the picture", "only mark a delivery", "nothing changes but the picture: it marks a delivery"
    ),
    "undecided": Verdict("open", "not decided", "are not decided", "it is not decided"),
    "nothing": Verdict(
        "look",
        "nothing breaks",
        "break nothing",
        "every property holds, of no more states than before: it is redundant, or a property is missing",
    ),
    "same": Verdict("skipped", "as another", "are the same as another", "the model is the same"),
    "illegal": Verdict("skipped", "not legal", "are not legal", "it is no legal specification"),
}
"""Every verdict on a mutant, in the order of the totals."""

WHOLE = frozenset({"guard", "assignment", "send", "receive", "effect", "call", "loop", "condition", "memory", "action"})
"""Kinds of mutants that are about a line as a whole."""


@dataclass(frozen=True)
class Part:
    """A mutant: what of the source is removed or weakened (lines from 1, columns from 0), and what came of it; `where`, if that was found
    elsewhere than at the bounds. `later` are the properties that break, too, each with the steps of its shortest run. `same_as` is the
    number of the mutant that it equals, -1 for the specification itself."""

    line: int
    column: int
    end_line: int
    end_column: int
    kind: str
    method: str
    before: str
    instead: str
    verdict: str
    properties: tuple[str, ...] = ()
    steps: int | None = None
    states: int = 0
    transitions: int = 0
    depth: int = 0
    sentence: str = ""
    where: str = ""
    later: tuple[tuple[str, int], ...] = ()
    same_as: int | None = None
    variants: tuple[str, ...] = ()
    trace: Trace | None = field(default=None, repr=False)

    @property
    def name(self) -> str:
        """The properties that it is about, or the first of them and how many more."""
        first, *more = self.properties or ("",)
        return f"{first} and {len(more)} more" if more else first

    @property
    def length(self) -> str:
        """How long the shortest run is that shows it."""
        if self.steps is None:
            return ""
        return "in the initial state" if self.steps == 0 else f"after {_many(self.steps, 'step')}"

    @property
    def margin(self) -> str:
        """What stands in the margin."""
        return VERDICTS[self.verdict].margin.format(name=self.name)

    @property
    def note(self) -> str:
        """What stands beside it, small; a star says that it was found elsewhere."""
        steps = "" if self.steps is None else _many(self.steps, "step")
        return f"{steps} *" if self.where else steps

    @property
    def change(self) -> str:
        """What was changed."""
        if self.kind == "memory":
            return f"{self.before} {self.instead}"
        return f"{self.instead} instead of {self.before}" if self.instead else f"without {self.before}"


@dataclass(frozen=True)
class Why:
    """What is known of the lines of a specification. `source` are the lines of its file, `extent` the first and last of its class,
    `shown` those of what its runs go through, `bounds` those in force, `checked` those at which `quorate check` explores;
    `verdict`, `states`, `transitions` and `depth` are those of the specification itself; `known` counts what was known from an
    earlier time, and `stopped` says why it ended early."""

    spec: str
    variant: str | None
    subject: str
    file: str
    source: Sequence[str]
    extent: tuple[int, int]
    shown: Sequence[tuple[int, int]]
    bounds: Mapping[str, int]
    checked: Mapping[str, int]
    verdict: str
    states: int
    transitions: int
    depth: int
    seconds: float
    processes: int
    parts: Sequence[Part]
    known: int = 0
    stopped: str | None = None

    @property
    def totals(self) -> dict[str, int]:
        """How many mutants have each verdict, without those that have none."""
        counts = Counter(part.verdict for part in self.parts)
        return {verdict: counts[verdict] for verdict in VERDICTS if counts[verdict]}

    @property
    def heading(self) -> list[str]:
        """The totals in words: how many were explored, what came of them, and how many were not."""
        skipped = [verdict for verdict in self.totals if VERDICTS[verdict].tone == "skipped"]
        explored = sum(count for verdict, count in self.totals.items() if verdict not in skipped)
        return [
            _many(explored, "mutant"),
            *(f"{count} {VERDICTS[verdict].total}" for verdict, count in self.totals.items() if verdict not in skipped),
        ]

    @property
    def skipped(self) -> str:
        """Which mutants were not explored, "" if all were."""
        told = [
            f"{count} {VERDICTS[verdict].total}"
            for verdict, count in self.totals.items()
            if VERDICTS[verdict].tone == "skipped"
        ]
        return f"not explored: {', '.join(told)}" if told else ""

    @property
    def effort(self) -> str:
        """At which bounds, and how long it took."""
        bounds = ", ".join(f"{name} {size}{self._other(name)}" for name, size in self.bounds.items())
        known = f", {self.known} known from before" if self.known else ""
        return f"{bounds}; {_time(self.seconds)} in {_many(self.processes, 'process', 'es')}{known}"

    def _other(self, name: str) -> str:
        size = self.checked.get(name, self.bounds[name])
        return "" if size == self.bounds[name] else f" ({size} in check)"

    def by_line(self) -> dict[int, list[Part]]:
        """The mutants that were explored at each line: what is about the whole of it first."""
        found: dict[int, list[Part]] = {}
        for part in self.parts:
            if VERDICTS[part.verdict].tone != "skipped":
                found.setdefault(part.line, []).append(part)
        return {line: sorted(parts, key=lambda part: part.kind not in WHOLE) for line, parts in found.items()}


def _many(number: int, noun: str, ending: str = "s") -> str:
    return f"{number:,} {noun}{'' if number == 1 else ending}"


def _time(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{seconds:.0f} s"


def sentence(part: Part) -> str:
    """What a mutant shows, in a sentence or two."""
    if part.kind == "memory":
        begin = f"If {part.before} {part.instead}"
    elif part.kind == "action":
        begin = f"Without {part.before}"
    else:
        begin = f"With `{part.instead}`" if part.instead else "Without it"
    *others, last = part.properties or ("",)
    names = f"{', '.join(others)} and {last} are" if others else f"{last} is"
    end = VERDICTS[part.verdict].says.format(name=part.name, names=names, length=part.length).rstrip()
    rest = f" {part.sentence.rstrip('.')}." if part.sentence else ""
    where = f", {part.where}" if part.where else ""
    return f"{begin}, {end}{where}.{rest}"


def later(part: Part) -> str:
    """What else breaks, in a sentence; "" if nothing is known to."""
    told = [f"{name} after {_many(steps, 'step')}" for name, steps in part.later]
    return f"Also broken: {', '.join(told)}." if told else ""


# Text

WIDTH, NUMBER, MARGIN = 80, 4, 31


def why_text(why: Why) -> str:
    """The lines that a protocol goes through, with what each protects, in 80 columns; then what to look at."""
    name = f"{why.spec} {why.variant}" if why.variant else why.spec
    lines = [f"Why is this line here? {name}", *_wrapped(" · ".join(why.heading)), *_wrapped(why.effort)]
    lines += [part for part in (why.skipped, f"ended early: {why.stopped}" if why.stopped else "") if part]
    at = why.by_line()
    declared = [line for line in sorted(at) if not any(first <= line <= last for first, last in why.shown)]
    for first, last in [*((line, line) for line in declared), *why.shown]:
        if first != last or first == declared[0]:
            lines.append("")
        for number in range(first, last + 1):
            lines += _row(number, why.source[number - 1], at.get(number, []))
    lines += _to_look_at(why)
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _row(number: int, source: str, parts: Sequence[Part]) -> Iterator[str]:
    room = WIDTH - NUMBER - MARGIN - 2
    whole, others = (parts[0], parts[1:]) if parts and (parts[0].kind in WHOLE or len(parts) == 1) else (None, parts)
    text = source.rstrip("\n").removeprefix("    ")
    yield f"{number:>{NUMBER}} {_cut(text, room):<{room}} {_margin(whole) if whole else ''}"
    indent = " " * (len(text) - len(text.lstrip()) + 2)
    for part in others:
        yield f"{'':>{NUMBER}} {_cut(f'{indent}· {part.change}', room):<{room}} {_margin(part)}"


def _margin(part: Part) -> str:
    steps = "" if part.steps is None else f" {part.steps}{'*' if part.where else ''}"
    return _cut(part.margin, MARGIN - len(steps)) + steps


def _cut(text: str, room: int) -> str:
    return text if len(text) <= room else f"{text[: room - 1]}…"


def _to_look_at(why: Why) -> Iterator[str]:
    """What was found elsewhere, and what a reader of the table should look at: what breaks nothing, and what is not decided."""
    places = dict.fromkeys(part.where for part in why.parts if part.where)
    if places:
        yield ""
        yield from _wrapped(f"* {'; '.join(places)}", 2)
    for verdict in ("nothing", "undecided"):
        found = [part for part in why.parts if part.verdict == verdict]
        if found:
            yield ""
            yield f"{_many(len(found), 'mutant')} {VERDICTS[verdict].total}:"
        for part in found:
            where = f"{part.line:>{NUMBER}} "
            reason = f" ({part.sentence})" if part.sentence else ""
            yield from _wrapped(f"{where}{part.change}{reason}", NUMBER + 1)


def _wrapped(text: str, hang: int = 0) -> list[str]:
    from textwrap import wrap

    return wrap(text, WIDTH, subsequent_indent=" " * hang, break_long_words=False, break_on_hyphens=False)


# Data


def why_json(why: Why) -> str:
    """All of it as JSON (docs/schemas/why.json)."""
    return json.dumps(why_data(why), indent=1, ensure_ascii=False) + "\n"


def why_data(why: Why) -> dict[str, Any]:
    """All of it as plain data."""
    return {
        "spec": why.spec,
        "variant": why.variant,
        "class": why.subject,
        "file": why.file,
        "bounds": dict(why.bounds),
        "checked": dict(why.checked),
        "verdict": why.verdict,
        "states": why.states,
        "transitions": why.transitions,
        "depth": why.depth,
        "seconds": round(why.seconds, 3),
        "processes": why.processes,
        "known": why.known,
        "stopped": why.stopped,
        "totals": why.totals,
        "mutants": [part_json(part) for part in why.parts],
    }


def part_json(part: Part) -> dict[str, Json]:
    """A mutant as plain data; columns are counted from 1, as everywhere in what is printed."""
    return {
        "kind": part.kind,
        "method": part.method,
        "line": part.line,
        "column": part.column + 1,
        "end_line": part.end_line,
        "end_column": part.end_column + 1,
        "before": part.before,
        "instead": part.instead,
        "verdict": part.verdict,
        "properties": list(part.properties),
        "steps": part.steps,
        "states": part.states,
        "transitions": part.transitions,
        "depth": part.depth,
        "sentence": part.sentence,
        "where": part.where,
        "later": [{"property": name, "steps": steps} for name, steps in part.later],
        "same_as": part.same_as,
        "variants": list(part.variants),
        "trace": None if part.trace is None else part.trace.to_json(),
    }
