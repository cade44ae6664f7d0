"""A wall clock of one server's own, which can jump."""

from __future__ import annotations

import subprocess
from pathlib import Path

from examples.real.harness.processes import program

SOURCE = Path(__file__).with_name("clock.c")


class Clock:
    """Gives a server, by `environment`, a wall clock that is right until it jumps. Raises `Missing` without a C compiler."""

    def __init__(self, folder: Path) -> None:
        self._offset = folder / "clock"
        library = folder / "clock.so"
        compiler = program("cc", "apt-get install gcc libc6-dev")
        subprocess.run([compiler, "-O1", "-shared", "-fPIC", "-o", library, SOURCE], check=True)
        self.jump(0)
        self.environment = {"LD_PRELOAD": str(library), "CLOCK_OFFSET": str(self._offset)}

    def jump(self, seconds: int) -> None:
        """From now on it shows so many seconds more than it should."""
        self._offset.write_text(str(seconds))
