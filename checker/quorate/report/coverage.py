"""Coverage for people and programs: the source with how often each line ran in its margin, and what a reader should look at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from quorate.outcome import Block, Counted, Coverage
from quorate.report.results import relative
from quorate.trace import Json

WARN, DIM = "bold yellow", "dim"
REPRESENTATIVES = "* in the representatives of orbits; `--no-symmetry` asks every state"


def told(point: Counted) -> str:
    """A finding in words."""
    text = point.location.text[point.location.column :][: point.location.length].strip()
    asked = f" ({point.runs:,} times)" if point.runs else ""
    star = " *" if point.of_representatives else ""
    return f"{point.finding}{star}" if point.kind == "statement" else f"`{text}` is {point.finding}{asked}{star}"


def heading(coverage: Coverage) -> str:
    """How much ran, in a sentence."""
    statements = [point for point in coverage.points if point.kind == "statement"]
    conditions = [point for point in coverage.points if point.kind == "condition" and point.acts]
    ran, decided = sum(point.runs > 0 for point in statements), sum(0 < point.true < point.runs for point in conditions)
    return (
        f"coverage: {ran:,} of {len(statements):,} statements ran; {decided:,} of {len(conditions):,} conditions of actions "
        "were both true and false"
    )


def rows(coverage: Coverage, block: Block) -> Iterator[tuple[int, str, int | None, list[Counted]]]:
    """The lines of a function: number, text, how often the first statement in it ran (None if nothing is counted there), findings."""
    here = [point for point in coverage.points if point.location.file == block.file]
    for number, text in enumerate(block.lines, block.first):
        points = [point for point in here if point.location.line == number]
        ran = next((point.runs for point in points if point.kind == "statement"), None)
        yield number, text, ran, [point for point in points if point.finding]


def coverage_lines(coverage: Coverage) -> Iterator[list[tuple[str, str]]]:
    """The text, as pieces with styles."""
    yield []
    yield [(f"    {heading(coverage)}", "")]
    counts = [f"{point.runs:,}" for point in coverage.points]
    width, file = max(map(len, counts), default=0), ""
    for block in coverage.blocks:
        yield []
        if block.file != file:
            file = block.file
            yield [(f"    {relative(file)}", DIM)]
        for number, text, ran, findings in rows(coverage, block):
            lost = any(point.kind == "statement" for point in findings)
            margin = "" if ran is None else f"{ran:,}"
            yield [
                (f"{number:>6} {margin:>{width}} ", DIM),
                ("✗ " if lost else "  ", WARN),
                (text.rstrip(), WARN if lost else ""),
            ]
            indent = " " * (len(text) - len(text.lstrip()) + 2)
            for point in findings:
                if point.kind == "condition":
                    yield [(f"{'':>{width + 8}}~ {indent}{told(point)}", WARN)]
    if any(point.of_representatives for point in coverage.findings):
        yield [(f"    {REPRESENTATIVES}", DIM)]


def coverage_json(coverage: Coverage) -> Json:
    """The points as JSON."""
    return {
        "points": [_point(point) for point in coverage.points],
        "functions": [_function(block) for block in coverage.blocks],
    }


def _point(point: Counted) -> dict[str, Json]:
    place, is_condition = point.location, point.kind == "condition"
    return {
        "kind": point.kind,
        "file": place.file,
        "line": place.line,
        "column": place.column + 1,
        "length": place.length,
        "text": place.text[place.column :][: place.length],
        "of": "action" if point.acts else "property",
        "runs": point.runs,
        "false": point.false if is_condition else None,
        "true": point.true if is_condition else None,
        "finding": point.finding or None,
        "of_representatives": point.of_representatives,
    }


def _function(block: Block) -> dict[str, Json]:
    return {"file": block.file, "name": block.name, "line": block.first, "source": list(block.lines)}


def coverage_html(data: Mapping[str, Any]) -> Iterator[str]:
    """The same as HTML, from the JSON."""
    coverage = _read(data)
    yield f"<h3>Coverage</h3>\n<p>{escape(heading(coverage).removeprefix('coverage: ').capitalize())}.</p>\n"
    yield from _to_look_at(coverage.findings)
    for block in coverage.blocks:
        lost = sum(len(findings) for *_, findings in rows(coverage, block))
        mark = f' <span class="badge look">{lost} to look at</span>' if lost else ""
        yield f"<details{' open' if lost else ''}><summary>{escape(block.name)}{mark}</summary>\n"
        yield '<div class="wide"><table class="source">\n'
        for number, text, ran, findings in rows(coverage, block):
            kind = ' class="lost"' if any(point.kind == "statement" for point in findings) else ""
            said = "; ".join(map(told, findings))
            margin = "" if ran is None else f"{ran:,}"
            yield f'<tr{kind}><td class="n">{number}</td><td class="n">{margin}</td><td><code>{escape(text)}</code></td>'
            yield f"<td>{escape(said)}</td></tr>\n"
        yield "</table></div></details>\n"


def _to_look_at(findings: Sequence[Counted]) -> Iterator[str]:
    if findings:
        places = (f"{Path(point.location.file).name}:{point.location.line}" for point in findings)
        items = "".join(
            f"<li>{escape(place)}: {escape(told(point))}</li>" for place, point in zip(places, findings, strict=True)
        )
        yield f"<ul>{items}</ul>\n"
    if any(point.of_representatives for point in findings):
        yield f"<p>{escape(REPRESENTATIVES)}.</p>\n"


def _read(data: Mapping[str, Any]) -> Coverage:
    """Coverage from its JSON."""
    from quorate.errors import Location

    points = tuple(
        Counted(
            # Of the line only the part is kept that the point is about, at its place.
            Location(
                one["file"], one["line"], one["column"] - 1, one["length"], " " * (one["column"] - 1) + one["text"]
            ),
            one["kind"],
            one["runs"],
            one["false"] or 0,
            one["true"] or 0,
            one["of"] == "action",
            one["finding"] or "",
            one["of_representatives"],
        )
        for one in data["points"]
    )
    blocks = tuple(Block(one["file"], one["name"], one["line"], tuple(one["source"])) for one in data["functions"])
    return Coverage(points, blocks)
