"""`quorate map`: the map of the library, `specs/README.md`, and the numbers of states that it tells.

A command for the upkeep of the library, not listed in the help. The numbers are kept in `states.json`, since some take minutes;
what else the page says comes from the specifications, the gallery's folder and the table in `docs/proofs.md`.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from quorate.commands._options import Explicit
from quorate.commands.gallery import Broken
from quorate.errors import UsageError
from quorate.files import write_whole
from quorate.outcome import Exit, Holds, HoldsWithinBounds

if TYPE_CHECKING:
    from quorate.loading import Protocol
    from quorate.report.page import Count, Place, Variant


@click.command("map", cls=Explicit)
@click.argument("directory", type=click.Path(path_type=Path), default=Path("specs"))
@click.option("--only", "chosen", metavar="NAME", multiple=True, help="Count this protocol, and no other; repeatable.")
@click.option("--all", "everything", is_flag=True, help="Count all protocols again.")
def command(directory: Path, chosen: tuple[str, ...], everything: bool) -> Exit:
    """Count the states of protocols that were not counted yet, or at other bounds; write states.json and the page to DIRECTORY."""
    from quorate.loading import load, names

    for name in chosen:
        load(name)  # An unknown name is an error, not an empty choice.
    if not _proofs(directory).is_file():
        raise UsageError(f"{directory} is not `specs` of Quorate's repository, whose page this writes.")
    kept = {name: count for name, count in counts(directory).items() if name in names()}
    due = names() if everything else chosen or uncounted(kept)
    for name in due:
        kept[name] = _counted(name)
        click.echo(f"{name}: {kept[name].states:,} states")
        _write(directory / "states.json", kept)
    _write(directory / "states.json", kept)
    write_whole(directory / "README.md", page(directory))
    return Exit.SUCCESS


def counts(directory: Path) -> dict[str, Count]:
    """What was counted, by the names of protocols."""
    from quorate.report.page import Count

    file = directory / "states.json"
    kept = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    return {name: Count(**count) for name, count in kept.items()}


def uncounted(kept: dict[str, Count]) -> list[str]:
    """The protocols of which there is no number, or one for other bounds than today's."""
    from quorate.language.system import System
    from quorate.loading import load, names

    return [name for name in names() if name not in kept or kept[name].bounds != System(load(name).main).bounds]


def _counted(name: str) -> Count:
    from quorate.explore import Naming, check
    from quorate.loading import load
    from quorate.report.page import Count

    outcome = check(load(name).main, naming=Naming(name))
    if not isinstance(outcome, Holds | HoldsWithinBounds):
        raise UsageError(f"{name} ends in `{outcome.verdict}`; the map has protocols that hold.")
    return Count(outcome.verdict, outcome.statistics.states, outcome.bounds, date.today().isoformat())


def _write(file: Path, kept: dict[str, Count]) -> None:
    data = {name: asdict(kept[name]) for name in sorted(kept)}
    write_whole(file, json.dumps(data, indent=1) + "\n")


def page(directory: Path) -> str:
    """The map, from what is stored in `directory` and beside it."""
    from quorate.loading import families, load
    from quorate.report.page import Chapter, library

    root = directory.resolve().parent
    kept = counts(directory)
    proven = proven_for_any_size(_proofs(directory).read_text(encoding="utf-8"))

    def place(name: str) -> Place:
        return _place(load(name), kept.get(name), proven.get(name, ""), root)

    return library([Chapter(one.name, one.about, one.lesson, [*map(place, one.protocols)]) for one in families()])


def _proofs(directory: Path) -> Path:
    return directory.resolve().parent / "docs" / "proofs.md"


def proven_for_any_size(proofs: str) -> dict[str, str]:
    """What is proven, by the names of protocols: the table of docs/proofs.md under the heading that says so."""
    section = proofs.partition("## What the library proves for any size\n")[2].partition("\n## ")[0]
    rows = section.partition("|--:|\n")[2]
    return dict(re.findall(r"^\| `(\w+)[^`]*` \| ([^|]+?) \|", rows, re.MULTILINE))


def _place(protocol: Protocol, count: Count | None, proven: str, root: Path) -> Place:
    from quorate.report.page import Place, Variant, anchor

    def variant(name: str, expect: str) -> Variant:
        broken = (root / "counterexamples" / Broken(protocol.name, name).folder / "trace.json").exists()
        link = f"../counterexamples/README.md#{anchor(protocol.name, name)}"
        return Variant(name, expect, link if broken else None)

    return Place(
        protocol.name,
        protocol.file,
        protocol.promise,
        count,
        proven,
        _implementation(protocol.name.rpartition(".")[2], root),
        [variant(name, str(cls.expect)) for name, cls in protocol.variants.items()],
    )


def _implementation(stem: str, root: Path) -> str | None:
    """The module or package below `impl/` that has the protocol's name, seen from the page."""
    found = (file for file in sorted((root / "impl").rglob(f"{stem}*")) if file.name in (stem, f"{stem}.py"))
    return next((f"../{file.relative_to(root).as_posix()}" for file in found), None)
