"""`quorate list`: what is in the library."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import click

from quorate.commands._options import Explicit
from quorate.commands._show import apart, paragraph, table
from quorate.errors import UsageError, unknown
from quorate.language.spec import Spec
from quorate.loading import Family, Protocol, families, load
from quorate.outcome import Exit


@dataclass(frozen=True)
class Member:
    """The main class of a protocol, a variant, or (`kind`) a function with laws; what is said of it, and expected."""

    name: str
    expect: str
    sentence: str
    cls: type[Spec] | None = None
    kind: str = ""


@dataclass(frozen=True)
class Row:
    """A protocol, and those of its members that are to be shown. The protocol of a file is of no family."""

    protocol: Protocol
    family: Family | None
    members: Sequence[Member]


@click.command("list", cls=Explicit)
@click.argument("words", nargs=-1, metavar="[WORD|FILE]...")
@click.option("--family", "chosen", multiple=True, metavar="NAME", help="Protocols of this family only; repeatable.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(words: tuple[str, ...], chosen: tuple[str, ...], form: str) -> Exit:
    """Show the protocols by family. Of those that are asked for, also their promises, variants and functions with laws, and what
    each is expected to do.

    What has a word that begins with WORD is asked for: a protocol by its name or by what it is about, a variant by its name, by
    what it breaks or by its first sentence. FILE is a specification of your own. JSON is always complete, with the bounds.
    """
    files = [word for word in words if re.search(r"[./:]", word)]
    wanted = [word for word in words if word not in files]
    with apart(form):
        rows = [Row(protocol, None, list(_members(protocol))) for protocol in map(load, files)]
    if wanted or chosen or not files:
        rows += _asked(wanted, _chosen(chosen))
    if form == "json":
        click.echo(json.dumps([_facts(row) for row in rows], indent=1))
    elif words or chosen:
        click.echo("\n\n".join(map(_details, rows)))
    else:
        click.echo(_overview(rows))
    return Exit.SUCCESS


def _chosen(names: Sequence[str]) -> list[Family]:
    known = {family.name: family for family in families()}
    for name in names:
        if name not in known:
            raise unknown("family", name, known)
    return [family for name, family in known.items() if not names or name in names]


def _asked(words: Sequence[str], among: Sequence[Family]) -> list[Row]:
    """The protocols that have one of the words, or members that have; all of them if there is no word."""
    rows = [
        Row(protocol, family, list(_members(protocol))) for family in among for protocol in map(load, family.protocols)
    ]
    found = [row for row in (_narrowed(row, words) for row in rows) if row.members] if words else rows
    if not found:
        near = unknown("protocol", words[0], (row.protocol.name for row in rows))
        raise UsageError(f"No protocol, and nothing that a variant is called or breaks, has this word. {near}")
    return found


def _narrowed(row: Row, words: Sequence[str]) -> Row:
    """The protocol with all its members, if it has one of the words itself, else with those that have."""
    if _says(words, row.protocol.name, row.protocol.about):
        return row
    found = [one for one in row.members if _says(words, one.name, one.expect, one.sentence)]
    return Row(row.protocol, row.family, found)


def _says(words: Sequence[str], *texts: str) -> bool:
    """Whether a word of the texts begins with one of `words`. The parts of a name are words, and so is the whole."""
    parts = [re.sub(r"_|(?<=[a-z0-9])(?=[A-Z])", " ", text) for text in texts]
    said = " ".join([*texts, *parts])
    return any(re.search(rf"\b{re.escape(word)}", said, re.IGNORECASE) for word in words)


def _members(protocol: Protocol) -> Iterator[Member]:
    if not protocol.has_only_laws:
        for cls in (protocol.main, *protocol.variants.values()):
            yield Member(cls.__name__, str(cls.expect), _sentence(cls), cls)
    for name, one in protocol.marked.items():
        yield Member(name, str(one.claim.expect), _sentence(one.function), None, one.claim.kind)


def _overview(rows: Sequence[Row]) -> str:
    """Each protocol in one line, by family."""
    lines = []
    for family, found in groupby(rows, key=lambda row: row.family):
        assert family is not None
        lines += [
            paragraph(f"{family.name}: {family.about}", 0),
            table([(f"  {row.protocol.name}", row.protocol.about) for row in found]),
            "",
        ]
    lines.append(paragraph("`quorate list WORD` or `--family NAME` shows promises and variants.", 0))
    return "\n".join(lines)


def _details(row: Row) -> str:
    """A protocol with what it promises, and its members."""
    family = f" ({row.family.name})" if row.family else ""
    promise = f"Promise: {row.protocol.promise}" if row.protocol.promise else ""
    members = [(f"  {f'@{one.kind} ' if one.kind else ''}{one.name}", one.expect, one.sentence) for one in row.members]
    said = [paragraph(text, 2) for text in (row.protocol.about, promise) if text]
    return "\n".join([f"{row.protocol.name}{family}", *said, table(members)])


def _facts(row: Row) -> dict[str, Any]:
    return {
        "spec": row.protocol.name,
        "family": row.family.name if row.family else None,
        "about": row.protocol.about,
        "promise": row.protocol.promise or None,
        "classes": [
            {
                "variant": None if one.cls is row.protocol.main else one.name,
                "class": one.name,
                "expect": one.expect,
                "sentence": one.sentence,
                "bounds": _bounds(one.cls),
            }
            for one in row.members
            if one.cls is not None
        ],
        "functions": [
            {"function": one.name, "kind": one.kind, "expect": one.expect, "sentence": one.sentence}
            for one in row.members
            if one.kind
        ],
    }


def _bounds(cls: type[Spec]) -> dict[str, int]:
    from quorate.language.system import System

    return System(cls).bounds


def _sentence(what: object) -> str:
    return (what.__doc__ or "").strip().partition("\n")[0]
