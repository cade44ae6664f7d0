"""Servers as processes: started with a log, paused, resumed and killed by their ids, with all their children."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import ClassVar, TypeVar

T = TypeVar("T")


class Missing(Exception):
    """The system is not installed here; the message says what it takes."""


def program(name: str, needs: str, *folders: str) -> str:
    """The path of a program, looked for in `folders` (patterns, the last match wins), beside Python, and on the path.

    Raises `Missing`."""
    found = [str(path) for folder in folders for path in sorted(Path("/").glob(f"{folder.lstrip('/')}/{name}"))]
    path = (
        found[-1]
        if found
        else shutil.which(name, path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    )
    if path is None:
        raise Missing(f"{name} is not installed ({needs})")
    return path


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(ready: Callable[[], T], what: str, timeout_s: float = 60.0) -> T:
    """What `ready` returns, as soon as that is true; exceptions are a no. Raises `TimeoutError` with the last of them."""
    end = time.monotonic() + timeout_s
    failure: Exception | None = None
    while time.monotonic() < end:
        try:
            if answer := ready():
                return answer
        except Exception as error:  # Whatever a client says of a server that is not up yet.
            failure = error
        time.sleep(0.02)
    raise TimeoutError(f"{what}: not within {timeout_s:.0f} s") from failure


@contextmanager
def workspace(user: str | None = None) -> Iterator[Path]:
    """A folder for data, in memory where the machine has such, that `user` owns. At the end, servers whose logs are in it are
    killed, and it is removed."""
    memory = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(prefix="quorate-real-", dir=memory if os.access(memory, os.W_OK) else None))
    try:
        if user is not None:
            shutil.chown(folder, user, user)
        yield folder
    finally:
        for server in [server for server in Server.started if server.log.parent == folder]:
            server.kill()
            Server.started.remove(server)
        shutil.rmtree(folder, ignore_errors=True)


def unprivileged(user: str) -> list[str]:
    """What goes before a command so that a server that refuses to be root's runs as `user`; nothing for whoever is not root."""
    return ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups"] if os.geteuid() == 0 else []


class Server:
    """A running server. Its output goes to `log`, whose end is shown if it does not come up."""

    started: ClassVar[list[Server]] = []

    def __init__(self, command: Sequence[str], log: Path, **environment: str) -> None:
        self.log = log
        self._members: list[int] = []
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=log.parent,
                env={**os.environ, **environment},
                start_new_session=True,
            )
        Server.started.append(self)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def is_running(self) -> bool:
        return self._process.poll() is None

    def until(self, ready: Callable[[], T], timeout_s: float = 60.0) -> T:
        """Wait for what a server that is up can do."""

        def asked() -> T:
            if self._process.poll() is not None:
                raise ChildProcessError(f"it has ended with {self._process.returncode}")
            return ready()

        try:
            return until(asked, f"{self.log.stem} is up", timeout_s)
        except TimeoutError as failure:
            end = self.log.read_text(errors="replace")[-2000:]
            raise TimeoutError(f"{failure} ({failure.__cause__})\n{end}") from failure

    def pause(self) -> None:
        """Stop it as it is, until `resume`: a long garbage collection, a virtual machine that is moved."""
        for pid in family(self.pid):
            send(pid, signal.SIGSTOP)

    def resume(self) -> None:
        for pid in family(self.pid):
            send(pid, signal.SIGCONT)

    def kill(self) -> None:
        """A crash: all its processes end at once."""
        if not self.is_running:
            return
        self.pause()  # So that no child lives a moment longer than its parent and answers somebody.
        self._members = family(self.pid)
        for pid in self._members:
            send(pid, signal.SIGKILL)
        self._process.wait()

    def gone(self) -> None:
        """Wait until nothing is left of what was killed, zombies included: a server that starts looks for its predecessor by
        its id, and it may take seconds until somebody has looked at the children."""
        until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in self._members), f"{self.log.stem} is gone")


def family(pid: int) -> list[int]:
    """A process and all that it has started, parents first."""
    members = [pid]
    for member in members:
        for task in Path(f"/proc/{member}/task").glob("*/children"):
            try:
                members.extend(map(int, task.read_text().split()))
            except OSError:  # It has ended meanwhile.
                continue
    return members


def send(pid: int, what: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, what)
