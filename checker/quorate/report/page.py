"""Pages to read, in Markdown: the map of the library and the gallery of counterexamples."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Chapter(Generic[T]):
    """A family of protocols in a page: what it is about, what to learn from it, and what is said of each protocol."""

    name: str
    about: str
    lesson: str
    sections: Sequence[T]


@dataclass(frozen=True)
class Entry:
    """One counterexample of the gallery.

    `why` is what goes wrong, in two sentences; `command` shows it again; `picture` is the diagram's path, seen from the
    page; `steps` the length of the run, 0 if the initial state is at fault.
    """

    spec: str
    variant: str
    property: str
    why: str
    command: str
    picture: str
    steps: int


HOW_TO_READ = """\
Every picture below is a shortest run: no run of fewer steps fails. Time runs downwards. Each column is one process, each \
row one step, each arrow a message from the step that sent it to the step that received it. The words at the right are what \
the step changed, old value and new. A dashed red arrow that ends in a cross was lost; a dashed blue one is a second \
delivery. A short line with a small mark at its end is a message still on the wire: a red diamond where the broken property \
reads it there. Values that the property rests on are red, and the steps that set or sent them have a red ring; what no step of \
its causal past has read is pale. Processes in which nothing happens are left out, and named at the head.

To use one in class, hide the red box at the foot and ask at which step it was already too late."""


@dataclass(frozen=True)
class Section:
    """A protocol in the gallery: its file, seen from the page, what it is about, what it promises ("" if it does not say), and how
    its variants break."""

    spec: str
    file: str
    about: str
    promise: str
    entries: Sequence[Entry]


def gallery(chapters: Sequence[Chapter[Section]]) -> str:
    """The gallery as Markdown: a chapter for each family, in it the protocols, each with its counterexamples."""
    total = sum(len(section.entries) for chapter in chapters for section in chapter.sections)
    lines = [
        "# What breaks, and how",
        "",
        f"{_many(total, 'broken variant')} of protocols in this library, each with the shortest run in which it fails.",
        "",
        HOW_TO_READ,
        "",
    ]
    for number, chapter in enumerate(chapters, 1):
        lines += [f"{number}. [{_title(chapter)}](#{chapter.name}): {chapter.about}", ""]
        lines += [f"   - **{_inline(section.spec)}**: {_links(section)}" for section in chapter.sections]
        lines.append("")
    for number, chapter in enumerate(chapters, 1):
        lines += [f'<a id="{chapter.name}"></a>', "", *_heading(number, chapter)]
        for section in chapter.sections:
            lines += _section(section)
    return "\n".join(lines).rstrip("\n") + "\n"


def _links(section: Section) -> str:
    return ", ".join(f"[{_inline(entry.variant)}](#{anchor(section.spec, entry.variant)})" for entry in section.entries)


def _section(section: Section) -> Iterator[str]:
    promise = f" **Promise.** {section.promise}" if section.promise else ""
    yield from [f"### [{_inline(section.spec)}](<{section.file}>)", "", f"{section.about}{promise}", ""]
    for entry in section.entries:
        yield from [*_entry(entry), ""]


def _entry(entry: Entry) -> list[str]:
    length = f"after {_many(entry.steps, 'step')}" if entry.steps else "in the initial state"
    alternative = f"Space-time diagram: {entry.variant} violates {entry.property} {length}"
    return [
        f'<a id="{anchor(entry.spec, entry.variant)}"></a>',
        "",
        f"#### {_inline(entry.variant)}",
        "",
        f"**Breaks `{entry.property}` {length}.** {' '.join(entry.why.split())}",
        "",
        f"![{_inline(alternative)}](<{entry.picture}>)",
        "",
        "```sh",
        entry.command,
        "```",
    ]


def anchor(spec: str, variant: str) -> str:
    """The name of a variant's place in the gallery."""
    return "".join(character if character.isalnum() else "-" for character in f"{spec}-{variant}".lower())


def _heading(number: int, chapter: Chapter[T]) -> list[str]:
    """The head of a chapter, with what to learn from it."""
    return [f"## {number}. {_title(chapter)}", "", f"*{_inline(chapter.about)}* {chapter.lesson}", ""]


def _title(chapter: Chapter[T]) -> str:
    return chapter.name.replace("_", " ").capitalize()


def _inline(text: str) -> str:
    """Text with the characters escaped that Markdown would take for its own."""
    return "".join(f"\\{character}" if character in "\\`*_[]<>" else character for character in text)


def _many(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


@dataclass(frozen=True)
class Count:
    """What an exploration at the default bounds found: `day` is when, in ISO format."""

    verdict: str
    states: int
    bounds: dict[str, int]
    day: str


@dataclass(frozen=True)
class Variant:
    """A variant on the map: its `expect`, and the place in the gallery that shows how it breaks, if it does."""

    name: str
    expect: str
    link: str | None


@dataclass(frozen=True)
class Place:
    """A protocol on the map: its file, what it promises, its count if there is one, what is proven of it for any size (""), and
    its implementation. Paths are seen from the page."""

    spec: str
    file: str
    promise: str
    count: Count | None
    proven: str
    implementation: str | None
    variants: Sequence[Variant]


HOW_TO_USE = """\
`quorate check NAME` explores a protocol, `quorate check NAME --variant VARIANT` shows how a variant breaks, and \
`quorate list NAME` says what each of them is. The order is that of a course; \
[the gallery](../counterexamples/README.md) goes through it with pictures.

*States* are those that are reached at the default bounds, which stand beside the variants, up to symmetry. `holds` is said of \
all that can happen at these sizes; `holds within bounds` of what is left when the steps that would pass a bound (a term \
above the highest, say) are taken away. How long it takes depends on the machine and is left out: `quorate verify NAME` shows \
it. *Proven for any size* repeats [the table of proofs](../docs/proofs.md#what-the-library-proves-for-any-size); what has \
nothing there is explored at its bounds."""


def library(chapters: Sequence[Chapter[Place]]) -> str:
    """The map of the library as Markdown: by family, what each protocol promises and what is known of it, and its variants."""
    places = [place for chapter in chapters for place in chapter.sections]
    days = sorted({place.count.day for place in places if place.count})
    families = f"{len(chapters)} {'family' if len(chapters) == 1 else 'families'}"
    total = _many(sum(len(place.variants) for place in places), "variant")
    lines = ["# The map of the library", ""]
    lines += [f"{_many(len(places), 'protocol')} in {families}, with {total}.", "", HOW_TO_USE, ""]
    if days:
        when = f"on {days[0]}" if len(days) == 1 else f"between {days[0]} and {days[-1]}"
        lines += [f"`quorate map` makes this page, and counts states where it must; they were counted {when}.", ""]
    for number, chapter in enumerate(chapters, 1):
        lines += _heading(number, chapter)
        lines += ["| protocol | promises | states | proven for any size | implementation |", "|---|---|--:|---|---|"]
        lines += map(_row, chapter.sections)
        lines.append("")
        lines += map(_variants, chapter.sections)
        lines.append("")
    return "\n".join(lines).rstrip("\n") + "\n"


def _row(place: Place) -> str:
    count = place.count
    states = f"{count.states:,}<br>{count.verdict.replace('-', ' ')}" if count else "not counted"
    code = (
        f"[{place.implementation.removeprefix('../')}](<{place.implementation}>)"
        if place.implementation
        else "none yet"
    )
    cells = (f"[{_inline(place.spec)}](<{place.file}>)", place.promise, states, place.proven, code)
    return f"| {' | '.join(cell.replace('|', '&#124;') for cell in cells)} |"


def _variants(place: Place) -> str:
    bounds = ", ".join(f"{name} {size}" for name, size in place.count.bounds.items()) if place.count else ""
    shown = [
        f"[{_inline(one.name)}]({one.link}) {_broken(one.expect)}" if one.link else f"{_inline(one.name)} {one.expect}"
        for one in place.variants
    ]
    at = f" ({_inline(bounds)})" if bounds else ""
    return f"- **{_inline(place.spec)}**{at}: {'; '.join(shown) or 'no variants'}."


def _broken(expect: str) -> str:
    """An expectation to violate something, with the properties as code."""
    violates, _, names = expect.partition(" ")
    return f"{violates} {', '.join(f'`{name}`' for name in names.split(', '))}"
