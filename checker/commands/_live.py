"""What a running engine shows on a terminal, and how Ctrl-C stops it."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from checker.explore.limits import Limits, Progress, Watch


@contextmanager
def watching(limits: Limits, text: Callable[[Progress], str] | None = None) -> Iterator[Watch]:
    """A watch that shows progress on stderr if that is a terminal, and that the first Ctrl-C interrupts.

    A second Ctrl-C kills, as usual. `text` is what is shown; `line` without it.
    """
    if not sys.stderr.isatty():
        with interruptible(Watch(limits)) as watch:
            yield watch
        return
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    console = Console(stderr=True)
    with (Live(console=console, refresh_per_second=8, transient=True) as live,
          interruptible(Watch(limits, lambda progress: live.update(Text((text or line)(progress))))) as watch):
        yield watch


@contextmanager
def interruptible(watch: Watch) -> Iterator[Watch]:
    """Let the first Ctrl-C interrupt the watch's engine instead of raising."""
    def stop(_: int, __: FrameType | None) -> None:
        watch.interrupt()
        signal.signal(signal.SIGINT, signal.default_int_handler)

    before: Any = signal.signal(signal.SIGINT, stop)
    try:
        yield watch
    finally:
        signal.signal(signal.SIGINT, before)


def line(progress: Progress) -> str:
    """One line of progress."""
    rate = progress.states / progress.seconds if progress.seconds > 0 else 0
    return (f"{progress.states:,} states  {rate:,.0f}/s  depth {progress.depth}  frontier {progress.frontier:,}  "
            f"{progress.memory_bytes / 2**20:,.0f} MB  {progress.seconds:.0f} s")


def steps_line(progress: Progress) -> str:
    """One line of the progress of random runs."""
    rate = progress.transitions / progress.seconds if progress.seconds > 0 else 0
    return f"{progress.transitions:,} steps  {rate:,.0f}/s  {progress.memory_bytes / 2**20:,.0f} MB  {progress.seconds:.0f} s"
