"""`quorate gallery`: the counterexamples that the repository keeps, one folder for every variant that must break.

A command for the upkeep of the library, not listed in the help. `tests/counterexamples` says when to run it: whenever a
specification or its picture changes.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

import click

from quorate.commands._live import end_with_parent
from quorate.commands._options import Explicit
from quorate.commands._show import Folder
from quorate.errors import QuorateError, UsageError
from quorate.files import write_whole
from quorate.outcome import Exit, Violated

if TYPE_CHECKING:
    from quorate.language.spec import Spec
    from quorate.report.page import Entry
    from quorate.trace import Trace


@dataclass(frozen=True)
class Broken:
    """A variant that must break, by the names that load it."""

    spec: str
    variant: str

    @property
    def folder(self) -> Path:
        """Where its counterexample is kept, below the gallery."""
        return Path(self.spec.replace(".", "/")) / snake(self.variant)

    @property
    def cls(self) -> type[Spec]:
        """Its class."""
        from quorate.loading import load

        return load(self.spec).variant(self.variant)


@click.command("gallery", cls=Explicit)
@click.argument("directory", type=click.Path(path_type=Path), default=Path("counterexamples"))
@click.option("--workers", type=click.IntRange(min=1), default=2, show_default=True, help="Processes.")
@click.option("--only", "chosen", metavar="NAME", multiple=True, help="The variants of this protocol only; repeatable.")
@click.option("--refresh", is_flag=True, help="Keep the stored runs that still happen; draw them again.")
def command(directory: Path, workers: int, chosen: tuple[str, ...], refresh: bool) -> Exit:
    """Find the shortest counterexample of every variant that must break; write traces, pictures and a page to DIRECTORY.

    With --refresh, after a change of pictures alone: stored runs are run again instead of searched for. That they are
    still the shortest is not looked at. With --only, the other folders stay as they are.
    """
    from quorate.loading import load

    for name in chosen:
        load(name)  # An unknown name is an error, not an empty choice.
    found = [member for member in broken() if not chosen or member.spec in chosen]
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=end_with_parent) as pool:
        for written in pool.map(_write, [(member, directory, refresh) for member in found]):
            click.echo(written)
    write_whole(directory / "README.md", page(directory))
    return Exit.SUCCESS


def broken() -> Iterator[Broken]:
    """Every variant of the library that is expected to violate something."""
    from quorate.loading import load, names

    for name in names():
        for variant, cls in load(name).variants.items():
            if cls.expect.violated is not None:
                yield Broken(name, variant)


def page(directory: Path) -> str:
    """The gallery's page, from the traces that are stored below `directory`."""
    from quorate.loading import families, load
    from quorate.report.page import Chapter, Section, gallery

    entries: dict[str, list[Entry]] = {}
    for member in broken():
        entries.setdefault(member.spec, []).append(_entry(member, directory))
    chapters = []
    for family in families():
        shown = [load(name) for name in family.protocols if name in entries]
        sections = [
            Section(one.name, f"../specs/{one.file}", one.about, one.promise, entries[one.name]) for one in shown
        ]
        chapters.append(Chapter(family.name, family.about, family.lesson, sections))
    return gallery([chapter for chapter in chapters if chapter.sections])


def _entry(member: Broken, directory: Path) -> Entry:
    from quorate.report.page import Entry
    from quorate.trace import Trace

    trace = Trace.load(directory / member.folder / "trace.json")
    why = inspect.cleandoc(member.cls.__doc__ or "").replace("\n\n", "\n")
    command = f"quorate check {member.spec} --variant {member.variant}"
    picture = (member.folder / "diagram.svg").as_posix()
    return Entry(member.spec, member.variant, trace.property or "deadlock", why, command, picture, len(trace))


def _write(job: tuple[Broken, Path, bool]) -> str:
    member, directory, refresh = job
    folder = directory / member.folder
    trace = (_again(member, folder / "trace.json") if refresh else None) or _found(member)
    Folder(folder).save(trace)
    return f"{member.folder}: {trace.property} after {len(trace)} steps"


def _again(member: Broken, file: Path) -> Trace | None:
    """The stored run as it happens today, or None if it does not."""
    from quorate.explore.traces.replay import replay
    from quorate.trace import Trace

    try:
        return replay(Trace.load(file), member.cls).now
    except QuorateError:
        return None


def _found(member: Broken) -> Trace:
    """A shortest run in which the variant breaks."""
    from quorate.explore import Naming, check

    try:
        outcome = check(member.cls, naming=Naming(member.spec, member.variant))
    except QuorateError as error:
        raise UsageError(f"{member.spec} {member.variant}: {error}") from None
    if not isinstance(outcome, Violated) or outcome.trace is None or outcome.property != member.cls.expect.violated:
        met = f"violates {outcome.property}" if isinstance(outcome, Violated) else f"ends in `{outcome.verdict}`"
        raise UsageError(f"{member.spec} {member.variant} {met}, but it is expected that it {member.cls.expect}.")
    return outcome.trace


def snake(name: str) -> str:
    """A class name as the name of a folder."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
