"""What a running engine shows on a terminal, and how Ctrl-C and other signals stop it."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from quorate.explore.limits import Limits, Progress, Watch


@contextmanager
def watching(limits: Limits, text: Callable[[Progress], str] | None = None) -> Iterator[Watch]:
    """A watch that shows progress on stderr if that is a terminal, and that the first Ctrl-C (or SIGTERM) interrupts.

    A second one kills, as usual. `text` is what is shown; `line` without it.
    """
    if not sys.stderr.isatty():
        with interruptible(Watch(limits)) as watch:
            yield watch
        return
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    console = Console(stderr=True)
    with (
        Live(console=console, refresh_per_second=8, transient=True) as live,
        interruptible(Watch(limits, lambda progress: live.update(Text((text or line)(progress))))) as watch,
    ):
        yield watch


STOPPING = {"SIGINT": "interrupted", "SIGTERM": "ended by SIGTERM", "SIGHUP": "ended by SIGHUP"}
"""Signals that end an engine with what it has found so far, and the reason that is given."""


@contextmanager
def interruptible(watch: Watch) -> Iterator[Watch]:
    """Let the first Ctrl-C, or request to terminate, interrupt the watch's engine; a second one ends the process.

    A signal that is ignored stays so, as under `nohup`."""
    before: dict[int, Any] = {}

    def stop(number: int, _: FrameType | None) -> None:
        watch.interrupt(STOPPING[signal.Signals(number).name])
        signal.signal(number, before[number])

    for name in STOPPING:
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            before[number] = signal.signal(number, stop)
    try:
        yield watch
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def end_with_parent() -> None:
    """In a process of a pool: end when the process that made the pool does, however that ends, and leave nothing running."""
    from multiprocessing import parent_process

    parent = parent_process()
    if parent is not None:

        def wait() -> None:
            parent.join()
            os._exit(1)

        threading.Thread(target=wait, daemon=True).start()


def line(progress: Progress) -> str:
    """One line of progress."""
    rate = progress.states / progress.seconds if progress.seconds > 0 else 0
    engine = f"{progress.engine} engine  " if progress.engine else ""
    tree = " in a tree" if progress.in_tree else ""
    workers = "".join(f"  worker {number}: {states:,}" for number, states in enumerate(progress.by_worker))
    return (
        f"{engine}{progress.states:,} states{tree}  {rate:,.0f}/s  depth {progress.depth}  frontier {progress.frontier:,}  "
        f"{progress.memory_bytes / 2**20:,.0f} MB  {progress.seconds:.0f} s{workers}"
    )


def steps_line(progress: Progress) -> str:
    """One line of the progress of random runs."""
    rate = progress.transitions / progress.seconds if progress.seconds > 0 else 0
    return f"{progress.transitions:,} steps  {rate:,.0f}/s  {progress.memory_bytes / 2**20:,.0f} MB  {progress.seconds:.0f} s"


def events_line(progress: Progress) -> str:
    """One line of the progress of reading a log."""
    rate = progress.transitions / progress.seconds if progress.seconds > 0 else 0
    return f"{progress.transitions:,} events  {rate:,.0f}/s  {progress.states:,} states fit  {progress.memory_bytes / 2**20:,.0f} MB"
