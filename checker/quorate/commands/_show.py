"""Outcomes on the terminal and for programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from quorate.errors import UsageError
from quorate.outcome import Outcome
from quorate.trace import Trace


def show(outcome: Outcome, form: str, with_trace: bool = True) -> None:
    """Print one outcome in a format of `--format`; as text, after its trace."""
    from quorate.report import machine, text

    if form == "json":
        click.echo(json.dumps(machine.outcome_json(outcome), indent=1, ensure_ascii=False))
    elif form == "junit":
        click.echo(machine.junit([outcome]))
    elif form == "github":
        click.echo(machine.github([outcome]), nl=False)
    else:
        trace = machine.trace_of(outcome)
        if trace is not None and with_trace:
            show_trace(trace)
        if sys.stdout.isatty():
            _print(text.outcome_styled(outcome))
        else:
            click.echo(text.outcome_text(outcome), nl=False)


def show_trace(trace: Trace) -> None:
    """Print a trace, in colours on a terminal."""
    from quorate.report import text

    if sys.stdout.isatty():
        _print(text.trace_styled(trace))
    else:
        click.echo(text.trace_text(trace))


def _print(styled: object) -> None:
    from rich.console import Console

    Console(highlight=False, soft_wrap=True).print(styled)


def table(rows: Sequence[Sequence[str]]) -> str:
    """Left-aligned columns."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


class Folder:
    """A directory for results. Making one raises UsageError, before any work is done, if nothing can be written
    there."""

    def __init__(self, path: Path) -> None:
        self.path = path
        missing = [folder for folder in (path, *path.parents) if not folder.exists()]
        probe = path / ".quorate-probe"
        try:
            path.mkdir(parents=True, exist_ok=True)
            probe.write_bytes(b"")
            probe.unlink()
        except OSError as error:
            raise UsageError(
                f"Cannot write into {path}: {error.strerror}. Give another directory with --out."
            ) from None
        self._made = missing

    def discard(self) -> None:
        """Remove the directories that were made for results that there are not."""
        for folder in self._made:
            folder.rmdir()

    def save(self, trace: Trace) -> list[Path]:
        """Write `trace.json` and `diagram.svg`, each whole or not at all."""
        from quorate.report.diagram import spacetime
        from quorate.report.render import render

        files = [self.path / "trace.json", self.path / "diagram.svg"]
        try:
            trace.save(files[0])
            render(spacetime(trace), files[1])
        except OSError as error:
            raise UsageError(
                f"Cannot write into {self.path}: {error.strerror}. Give another directory with --out."
            ) from None
        return files
