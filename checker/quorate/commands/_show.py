"""Outcomes on the terminal and for programs."""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, nullcontext, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING

import click

from quorate.errors import QuorateError, TraceError, UsageError, unknown
from quorate.files import write_whole
from quorate.kinds import DIFFERENCE
from quorate.outcome import Failed, Outcome
from quorate.report.formats import FORMATS, SUFFIXES, TEXT
from quorate.report.results import Result
from quorate.trace import Trace

if TYPE_CHECKING:
    from rich.text import Text


def show(outcome: Outcome, form: str, with_trace: bool = True) -> None:
    """Print one outcome in a format of `--format`; as text, after its traces."""
    from quorate.report import machine, text

    if form != TEXT:
        show_results([machine.result_of(outcome)], form, together=False)
        return
    for trace in machine.traces_of(outcome) if with_trace else ():
        show_trace(trace)
    if is_terminal():
        _print(text.outcome_styled(outcome))
    else:
        click.echo(text.outcome_text(outcome), nl=False)


def show_results(results: Sequence[Result], form: str, together: bool = True) -> None:
    """Print results in a format of `--format`; `together` as a list."""
    click.echo(FORMATS[form].write(results, together), nl=False)


def write_results(results: Sequence[Result], files: Sequence[Path], together: bool = True) -> None:
    """Write results to the files of `-o`, each in the format of its name."""
    for file in files:
        try:
            write_whole(file, FORMATS[SUFFIXES[file.suffix]].write(results, together))
        except OSError as error:
            raise UsageError(f"Cannot write {file}: {error.strerror}.") from None
        click.echo(f"wrote {file}", err=True)


@contextmanager
def apart(form: str) -> Iterator[None]:
    """In a format for programs, what a specification prints goes to stderr meanwhile: stdout is for the result alone."""
    with redirect_stdout(sys.stderr) if form != TEXT else nullcontext():
        yield


@contextmanager
def rejections(form: str, spec: str, variant: str | None = None, files: Sequence[Path] = ()) -> Iterator[None]:
    """In a format for programs, an error of a user is an outcome on stdout, and in the files of `-o`, before it ends the command; what is
    printed is kept `apart`."""
    try:
        with apart(form):
            yield
    except QuorateError as error:
        from quorate.report.machine import result_of

        rejected = [result_of(Failed.rejected(spec, variant, error))]
        if form != TEXT:
            show_results(rejected, form, together=False)
        write_results(rejected, files, together=False)
        raise


def show_trace(trace: Trace, hide: Collection[str] = ()) -> None:
    """Print a trace, in colours on a terminal, without the changes of the variables in `hide`."""
    from quorate.report import text

    if is_terminal():
        _print(text.trace_styled(trace, hide))
        click.echo()
    else:
        click.echo(text.trace_text(trace, hide))


def known_variables(trace: Trace, names: Collection[str]) -> None:
    """Raise UsageError if one of these is no variable of a trace."""
    for name in names:
        if name not in trace.initial:
            raise unknown("variable", name, trace.initial)


def is_terminal() -> bool:
    """Whether a person reads what is printed."""
    return sys.stdout is not None and sys.stdout.isatty()


def _print(styled: Text) -> None:
    """Print on a terminal: lines that are too long go on in the next one, indented, with whole words; with NO_COLOR, no styles."""
    from rich.console import Console
    from rich.text import Text

    plain = bool(os.environ.get("NO_COLOR"))
    console = Console(highlight=False, soft_wrap=True, color_system=None if plain else "auto")
    for line in styled.split("\n"):
        shown = Text(line.plain) if plain else line
        hang = min(len(line.plain) - len(line.plain.lstrip()) + 4, console.width // 3)
        if shown.cell_len <= console.width:
            console.print(shown)
            continue
        first, *rest = shown.wrap(console, max(console.width - hang, 20))
        for part in (first, *(Text(" " * hang) + part for part in rest)):
            part.rstrip()
            console.print(part)


def table(rows: Sequence[Sequence[str]]) -> str:
    """Left-aligned columns. Where a terminal is too narrow for them, cells follow one another and lines break between words."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    room = _room()
    fixed = sum(widths[:-1]) + 2 * (len(widths) - 1)
    if fixed + min(widths[-1], 24) > room:
        return "\n".join(_wrapped("  ".join(cell for cell in row if cell), room, 6) for row in rows)
    lines = ("  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows)
    return "\n".join(_wrapped(line, room, fixed) for line in lines)


def paragraph(text: str, indent: int) -> str:
    """A text with `indent` spaces before each line; on a terminal, lines break between words."""
    return _wrapped(" " * indent + text, _room(), indent)


def _room() -> int:
    """The columns of the terminal; without one, no line is too long."""
    return shutil.get_terminal_size().columns if is_terminal() else sys.maxsize


def _wrapped(line: str, room: int, hang: int) -> str:
    if len(line) <= room:
        return line
    indent = len(line) - len(line.lstrip())
    return textwrap.fill(
        line[indent:],
        room,
        initial_indent=line[:indent],
        subsequent_indent=" " * hang,
        break_long_words=False,
        break_on_hyphens=False,
        drop_whitespace=True,
        replace_whitespace=False,
    )


def _remove_earlier(folder: Path) -> None:
    """Remove the traces of an earlier run, and the pictures beside them: they would look like results of this one. Only under the
    names that `Folder.save` gives them: a trace that somebody keeps under another name stays."""
    for file in folder.glob("trace*.json"):
        try:
            trace = Trace.load(file)
        except TraceError:
            continue  # It is not ours.
        is_run = trace.kind == "run" and file.stem.removeprefix("trace-").isdigit()
        if file.stem not in ("trace", f"trace-{trace.property}") and trace.kind != DIFFERENCE and not is_run:
            continue
        file.unlink(missing_ok=True)
        file.with_name(file.name.replace("trace", "diagram", 1)).with_suffix(".svg").unlink(missing_ok=True)


class Folder:
    """A directory for results, in which none of an earlier run are left. Making one raises UsageError, before any work is done, if
    nothing can be written there."""

    def __init__(self, path: Path) -> None:
        self.path = path
        probe = path / ".quorate-probe"
        try:
            missing = [folder for folder in (path, *path.parents) if not folder.exists()]
            path.mkdir(parents=True, exist_ok=True)
            probe.write_bytes(b"")
            probe.unlink()
        except OSError as error:
            raise UsageError(
                f"Cannot write into {path}: {error.strerror}. Give another directory with --out."
            ) from None
        self._made = missing
        _remove_earlier(path)

    def discard(self) -> None:
        """Remove the directories that were made for results that there are not."""
        for folder in self._made:
            folder.rmdir()

    def save(self, trace: Trace, name: str = "") -> list[Path]:
        """Write `trace.json` and `diagram.svg` (with `name`: `trace-NAME.json`), each whole or not at all."""
        from quorate.report.diagram import spacetime
        from quorate.report.render import render

        suffix = f"-{name}" if name else ""
        files = [self.path / f"trace{suffix}.json", self.path / f"diagram{suffix}.svg"]
        try:
            trace.save(files[0])
            render(spacetime(trace), files[1])
        except OSError as error:
            raise UsageError(
                f"Cannot write into {self.path}: {error.strerror}. Give another directory with --out."
            ) from None
        return files
