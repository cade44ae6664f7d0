"""A command in a process of its own, so that no end but its own can look like a verdict.

What a command uses may end its process from below Python, with an exit code that means something else here: Ray's core does so, with 1,
when the raylet of its machine does not answer or is gone. So the command runs in a child, which says by a pipe with which code it ends, and
what is said so is all that counts.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from quorate.commands._live import STOPPING

PR_SET_PDEATHSIG = 1
"""Of Linux: which signal a process is sent when its parent has ended."""


@dataclass(frozen=True)
class Ended:
    """The child has ended, with this code if it `said` one; `how` is what the system says."""

    said: int | None
    how: str


def begin() -> int | Ended | None:
    """Go on in a child, where the result is the file to write the exit code to, as one byte; in the parent the child has ended then. None
    where processes cannot be divided."""
    if not hasattr(os, "fork"):
        return None
    ours, theirs = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(ours)
        _be_a_child()
        return theirs
    os.close(theirs)
    _pass_on(child)
    _, status = os.waitpid(child, 0)
    os.set_blocking(ours, False)
    said = b""
    with suppress(BlockingIOError):  # Nothing was said, and what the child has started lives.
        said = os.read(ours, 1)
    return Ended(said[0] if said else None, _how(os.waitstatus_to_exitcode(status)))


def _be_a_child() -> None:
    """Signals come from the parent alone, also those of a terminal, of which the second ends a command at once; with the parent it ends."""
    os.setpgid(0, 0)
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)  # It may write to the terminal all the same.
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _pass_on(child: int) -> None:
    """Signals that end a command are for the child; those that are ignored stay so."""

    def send(number: int, _: Any) -> None:
        with suppress(ProcessLookupError):
            os.kill(child, number)

    for name in STOPPING:
        number = getattr(signal, name)
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, send)


def _how(code: int) -> str:
    return f"exit code {code}" if code >= 0 else f"killed by {signal.Signals(-code).name}"
