"""Judged histories as text, as data, and as pictures.

Two kinds of pictures. A *time line* has one lane for each process, a bar for each operation from its invocation to its
answer, and the longest partial order that was found as a numbered path from bar to bar: each point lies inside its bar,
since the order keeps real time. A *dependency cycle* has a box for each transaction or operation and an arrow for each
reason why one must come before another. Positions in time lines are pinned, so that Graphviz computes no layout.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from quorate.consistency.history import Operation, Process, show
from quorate.consistency.verdict import (
    Cycle,
    Evidence,
    Explanations,
    Invariant,
    Order,
    Satisfied,
    Schedule,
    Sources,
    Unknown,
    Unorderable,
    Verdict,
    Violated,
    Witness,
)

INK, FAINT, LANE, BAR, RED, PALE_RED, BLUE = "#1f2933", "#8494a7", "#c3cbd6", "#eef2f6", "#c81e1e", "#fdf2f2", "#2b5f9e"
COLOURS = {
    "ww": BLUE,
    "wr": "#2f855a",
    "rw": RED,
    "so": FAINT,
    "rt": "#7c4dae",
    "co": INK,
    "cf": "#b7791f",
    "hb": INK,
    "vis": "#2f855a",
}
LANE_HEIGHT, BAR_HEIGHT, EVENT_GAP, LETTER = 52, 26, 20, 6.4  # In points.
SHOWN_BEFORE = 10  # How many operations of the partial order are shown before those that matter.
LISTED_MAX = 12
SENTENCE_MAX = 160  # Letters of a reason in a table.


@dataclass(frozen=True)
class Timeline:
    """What a time line shows: operations, those in red (they cannot be ordered), those the partial order could not
    place, the partial order, and a headline with a sentence under it."""

    operations: tuple[Operation, ...]
    core: frozenset[int] = frozenset()
    stuck: frozenset[int] = frozenset()
    order: tuple[Operation, ...] = ()
    headline: str = ""
    sentence: str = ""


def timeline_of(verdict: Violated) -> Timeline | None:
    """The time line of a violation, cut to the operations that matter; None if its evidence is about transactions."""
    evidence = verdict.evidence
    if isinstance(evidence, Cycle):
        if not evidence.operations or any(o.function == "txn" for o in evidence.operations):
            return None
        operations = tuple(sorted(evidence.operations, key=lambda o: o.index))
        core = frozenset(o.index for o in operations)
        return Timeline(
            operations, core, headline=f"not {verdict.level}: {evidence.anomaly}", sentence=evidence.explanation
        )
    core = frozenset(o.index for o in evidence.core)
    stuck = frozenset(o.index for o in evidence.stuck)
    wanted = (
        core | stuck | _sources(evidence.prefix, core | stuck) | {o.index for o in evidence.partial[-SHOWN_BEFORE:]}
    )
    shown = tuple(o for o in evidence.prefix if o.index in wanted)
    left_out = len(evidence.prefix) - len(shown)
    sentence = evidence.explanation + (f" ({left_out} operations that matter less are not shown.)" if left_out else "")
    return Timeline(shown, core, stuck, evidence.partial, f"not {verdict.level}", sentence)


def _sources(operations: Sequence[Operation], reads: frozenset[int]) -> set[int]:
    """The updates that brought what the given operations were told: without them a reader cannot see where a value is
    from."""
    told = {(o.key, o.result) for o in operations if o.index in reads and not o.pending and o.result is not None}
    return {o.index for o in operations if o.argument is not None and (o.key, o.argument) in told}


def timeline(view: Timeline) -> str:
    """Graphviz source of a time line."""
    place, right = _columns(view.operations)
    lanes = {process: number for number, process in enumerate(_lanes(view.operations))}
    bottom = -LANE_HEIGHT * len(lanes)
    lines = [
        "graph timeline {",
        '  graph [layout=neato, inputscale=72, splines=line, overlap=true, notranslate=true, pad="0.2"]',
        "  graph [outputorder=edgesfirst]",
        f'  node [shape=box, fontname="Helvetica", fontsize=11, fontcolor="{INK}", margin=0]',
        f'  edge [color="{LANE}"]',
    ]
    for process, lane in lanes.items():
        y = -LANE_HEIGHT * lane
        lines += [
            _text(f".p{lane}", -34, y, f"<b>{escape(str(process))}</b>"),
            _dot(f".a{lane}", 0, y),
            _dot(f".z{lane}", right, y),
        ]
        lines.append(f'  ".a{lane}" -- ".z{lane}" [penwidth=3]')
    for o in view.operations:
        lines.append(_bar(o, view, place, right, -LANE_HEIGHT * lanes[o.process]))
    lines += _path(view, place, lanes)
    lines += _caption(view.headline, view.sentence, 0, bottom)
    return "\n".join([*lines, "}\n"])


def _lanes(operations: Iterable[Operation]) -> list[Process]:
    return sorted({o.process for o in operations}, key=lambda p: (isinstance(p, str), p))


def _columns(operations: Sequence[Operation]) -> tuple[dict[int, float], float]:
    """Where each shown event is, from left to right in the order of events, with room for the labels; and the right
    end."""
    starts = {o.invoked: o for o in operations}
    ends = {o.returned: o for o in operations if o.returned is not None}
    place: dict[int, float] = {}
    x = 0.0
    for event in sorted([*starts, *ends]):
        x += EVENT_GAP
        if event in ends:
            x = max(x, place[ends[event].invoked] + _width(ends[event]))
        place[event] = x
    waiting = [place[o.invoked] + _width(o) for o in operations if o.returned is None]
    return place, max([x, *waiting]) + EVENT_GAP


def _width(o: Operation) -> float:
    return LETTER * len(str(o)) + 18


def _bar(o: Operation, view: Timeline, place: Mapping[int, float], right: float, y: float) -> str:
    left = place[o.invoked]
    end = right if o.returned is None else place[o.returned]
    colour = RED if o.index in view.core else FAINT
    style = "rounded,filled,dashed" if o.pending else "rounded,filled"
    fill = PALE_RED if o.index in view.stuck else BAR
    attributes = (
        f'pos="{(left + end) / 2:.1f},{y}!", width={(end - left) / 72:.3f}, height={BAR_HEIGHT / 72:.3f}, '
        f'fixedsize=true, style="{style}", color="{colour}", fillcolor="{fill}", penwidth={1.8 if o.index in view.core else 1}, '
        f'fontcolor="{RED if o.index in view.stuck else INK}", label={_quoted(str(o))}'
    )
    return f"  o{o.index} [{attributes}]"


def _path(view: Timeline, place: Mapping[int, float], lanes: Mapping[Process, int]) -> list[str]:
    """The partial order as numbered points on the upper edges of the bars, joined by a line."""
    shown = {o.index for o in view.operations}
    lines: list[str] = []
    x, before = 0.0, ""
    for number, o in enumerate(view.order, 1):
        if o.index not in shown:
            before = ""
            continue
        x = max(x + 7, place[o.invoked] + 8)
        y = -LANE_HEIGHT * lanes[o.process] + BAR_HEIGHT / 2
        lines.append(
            f'  ".n{number}" [shape=ellipse, pos="{x:.1f},{y}!", width={0.12 + 0.075 * len(str(number)):.3f}, height=0.19, '
            f'fixedsize=true, style=filled, fillcolor="{BLUE}", color="{BLUE}", fontcolor=white, fontsize=8, label="{number}"]'
        )
        if before:
            lines.append(f'  "{before}" -- ".n{number}" [color="{BLUE}", penwidth=1.2]')
        before = f".n{number}"
    return lines


def _caption(headline: str, sentence: str, x: float, y: float) -> list[str]:
    colour = RED if headline.startswith("not ") else INK
    bold = f'<font point-size="14" color="{colour}"><b>{escape(headline)}</b></font>'
    rows = [_text(".headline", x, y, bold, left=True)]
    for number, line in enumerate(_wrapped(sentence), 1):
        rows.append(_text(f".line{number}", x, y - 16 * number - 4, escape(line), left=True))
    return rows if headline else []


def _wrapped(text: str, width: int = 96) -> list[str]:
    lines = [""]
    for word in text.split():
        if len(lines[-1]) + len(word) >= width:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return lines if lines != [""] else []


def _text(name: str, x: float, y: float, html: str, left: bool = False) -> str:
    """Text at a place. Text that begins at `x` is a table of fixed width, since Graphviz centres nodes."""
    if not left:
        return f'  "{name}" [shape=plain, pos="{x:.1f},{y:.1f}!", label=<{html}>]'
    wide = 700
    size = f'fixedsize="true" width="{wide}" height="18"'
    cell = f'<tr><td align="left">{html}</td></tr>'
    table = f'<table border="0" cellborder="0" cellspacing="0" cellpadding="0" {size}>{cell}</table>'
    return f'  "{name}" [shape=plain, pos="{x + wide / 2:.1f},{y:.1f}!", label=<{table}>]'


def _dot(name: str, x: float, y: float) -> str:
    return f'  "{name}" [shape=point, style=invis, width=0, pos="{x:.1f},{y}!"]'


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def cycle(evidence: Cycle, level: str) -> str:
    """Graphviz source of a dependency cycle."""
    lines = [
        "digraph cycle {",
        f'  graph [layout=dot, rankdir=LR, nodesep=0.4, ranksep=0.45, pad="0.2", labelloc=b, labeljust=l, '
        f'fontname="Helvetica", label={_cycle_caption(evidence, level)}]',
        f'  node [shape=box, style="rounded,filled", color="{FAINT}", fillcolor="{BAR}", '
        f'fontname="Helvetica", fontsize=11, fontcolor="{INK}", margin="0.15,0.08"]',
        "  edge [penwidth=1.6]",
    ]
    for number, label in sorted(evidence.nodes.items()):
        lines.append(f"  n{number} [label={_box(label)}]")
    for number, edge in enumerate(evidence.edges):
        colour = COLOURS.get(edge.kind, INK)
        style = f'color="{colour}"' + (", style=dashed" if edge.kind in ("rw", "rt") else "")
        words = "<br/>".join(escape(line) for line in _wrapped(edge.reason, 30))
        label = f"<<b>{edge.kind}</b><br/>{words}>" if words else f"<<b>{edge.kind}</b>>"
        # The words are a node on the way: lines lead around nodes, and would run through a label.
        lines += [
            f'  e{number} [shape=plain, style="", fontsize=10, fontcolor="{colour}", margin="0.12,0.06", label={label}]',
            f"  n{edge.source} -> e{number} [{style}, arrowhead=none]",
            f"  e{number} -> n{edge.target} [{style}]",
        ]
    return "\n".join([*lines, "}\n"])


def _box(label: str) -> str:
    """A transaction's name in bold, its steps below, a few to a line."""
    head, colon, rest = label.partition(": ")
    lines = "<br/>".join(escape(line) for line in _wrapped(rest, 34)[:8])
    return f"<<b>{escape(head)}</b><br/>{lines}>" if colon else f"<<b>{escape(label)}</b>>"


def _cycle_caption(evidence: Cycle, level: str) -> str:
    rows = "".join(f'{escape(line)}<br align="left"/>' for line in _wrapped(evidence.explanation)[:8])
    return (
        f'<<font color="{RED}"><b>not {escape(level)}: {escape(evidence.anomaly)}</b></font><br align="left"/>{rows}>'
    )


def text(verdict: Verdict) -> str:
    """A verdict for people."""
    lines = [f"{verdict.verdict}: {verdict.level}, {verdict.model}, {verdict.operations:,} operations"]
    if isinstance(verdict, Unknown):
        lines.append(verdict.reason)
    elif isinstance(verdict, Violated):
        lines += _evidence_lines(verdict.evidence)
    elif isinstance(verdict, Satisfied):
        lines.append(_witness_line(verdict.witness))
    return "\n".join([*lines, *(f"note: {note}" for note in verdict.notes)])


def survey_text(verdicts: Mapping[str, Verdict]) -> str:
    """The verdicts of all levels for people: one line each, and the strongest that hold."""
    from quorate.consistency.survey import holding, strongest

    wide = max(map(len, verdicts))
    lines = []
    for name, verdict in verdicts.items():
        why = ""
        if isinstance(verdict, Violated):
            named = f"{verdict.evidence.anomaly}. " if isinstance(verdict.evidence, Cycle) else ""
            why = f"  {_shortened(named + verdict.evidence.explanation)}"
        elif isinstance(verdict, Unknown):
            why = f"  {_shortened(verdict.reason)}"
        lines.append(f"{name:{wide}}  {verdict.verdict}{why}")
    best = strongest(holding(verdicts))
    lines.append(f"The strongest that hold: {', '.join(best)}." if best else "None of these levels is known to hold.")
    return "\n".join(lines)


def _shortened(text: str) -> str:
    return text if len(text) <= SENTENCE_MAX else f"{text[:SENTENCE_MAX].rsplit(' ', 1)[0]} ..."


def _evidence_lines(evidence: Evidence) -> list[str]:
    if isinstance(evidence, Cycle):
        nodes = [f"    {label}" for _, label in sorted(evidence.nodes.items())]
        edges = [f"    {e.source} -> {e.target}  {e.kind}{': ' if e.reason else ''}{e.reason}" for e in evidence.edges]
        return [f"{evidence.anomaly}. {evidence.explanation}", *nodes, *edges]
    least = "these are all needed" if evidence.minimal else "the smallest set found within the limit"
    before = ""
    if len(evidence.states) > 1:
        before = f", whatever came before left ({' or '.join(show(state) for state in evidence.states)})"
    head = [
        evidence.explanation,
        f"Smallest prefix: {len(evidence.prefix)} operations. These cannot be ordered{before} ({least}):",
    ]
    return [
        *head,
        *_listed(evidence.core),
        f"Longest partial order, its end ({len(evidence.partial)} in all):",
        *_listed(evidence.partial[-5:]),
    ]


def _listed(operations: Sequence[Operation]) -> list[str]:
    lines = [
        f"    process {o.process}: {o} (events {o.invoked} to {'?' if o.returned is None else o.returned})"
        for o in operations
    ]
    return lines if len(lines) <= LISTED_MAX else [*lines[:LISTED_MAX], f"    and {len(lines) - LISTED_MAX} more"]


def _witness_line(witness: Witness) -> str:
    if isinstance(witness, Order):
        parts = len(witness.per_key)
        return "A legal order was found and checked" + (f", for each of {parts} parts." if parts > 1 else ".")
    if isinstance(witness, Invariant):
        return witness.sentence
    if isinstance(witness, Sources):
        return "For each read, the write that it reads from was found, and checked to explain it."
    if isinstance(witness, Explanations):
        return "For each answer, what it has seen and in which order was found and checked."
    return "A schedule of the transactions was found and executed."


def facts(verdict: Verdict) -> dict[str, Any]:
    """A verdict as a JSON object. Operations and transactions are named by their number in the order of invocations."""
    found: dict[str, Any] = {
        "level": verdict.level,
        "model": verdict.model,
        "operations": verdict.operations,
        "verdict": verdict.verdict,
        "reason": verdict.reason if isinstance(verdict, Unknown) else None,
        "evidence": _evidence_facts(verdict.evidence) if isinstance(verdict, Violated) else None,
        "witness": _witness_facts(verdict.witness) if isinstance(verdict, Satisfied) else None,
        "notes": list(verdict.notes),
    }
    return found


def _numbers(operations: Iterable[Operation]) -> list[int]:
    return [o.index for o in operations]


def _operation_facts(o: Operation) -> dict[str, Any]:
    return {"index": o.index, "process": o.process, "operation": str(o), "invoked": o.invoked, "returned": o.returned}


def _evidence_facts(evidence: Evidence) -> dict[str, Any]:
    if isinstance(evidence, Unorderable):
        return {
            "kind": "unorderable",
            "explanation": evidence.explanation,
            "key": None if evidence.key is None else show(evidence.key),
            "prefix": _numbers(evidence.prefix),
            "core": [_operation_facts(o) for o in evidence.core],
            "states": [show(state) for state in evidence.states],
            "minimal": evidence.minimal,
            "partial": _numbers(evidence.partial),
            "stuck": _numbers(evidence.stuck),
        }
    return {
        "kind": "cycle" if evidence.edges else "anomaly",
        "anomaly": evidence.anomaly,
        "explanation": evidence.explanation,
        "nodes": {str(number): label for number, label in sorted(evidence.nodes.items())},
        "edges": [{"source": e.source, "target": e.target, "kind": e.kind, "reason": e.reason} for e in evidence.edges],
    }


def _witness_facts(witness: Witness) -> dict[str, Any]:
    if isinstance(witness, Order):
        parts = [
            {"key": None if key is None else show(key), "order": _numbers(order)}
            for key, order in witness.per_key.items()
        ]
        return {"kind": "order", "parts": parts}
    if isinstance(witness, Schedule):
        points = None if witness.points is None else [list(point) for point in witness.points]
        return {"kind": "schedule", "commits": list(witness.commits), "points": points}
    if isinstance(witness, Invariant):
        return {"kind": "invariant", "sentence": witness.sentence}
    if isinstance(witness, Sources):
        return {
            "kind": "sources",
            "reads": {str(read): source for read, source in sorted(witness.reads.items())},
            "arbitration": None if witness.arbitration is None else _numbers(witness.arbitration),
            "sessions": None if witness.sessions is None else [_numbers(own) for own in witness.sessions],
        }
    return {
        "kind": "explanations",
        "orders": {str(number): _numbers(order) for number, order in sorted(witness.orders.items())},
        "arbitration": None if witness.arbitration is None else _numbers(witness.arbitration),
    }
