"""etcd's Raft library, driven: `go build -tags with_tla -o driver .`, then `quorate conform scenario TRACE --adapter adapter.py`."""

from typing import ClassVar

from quorate.conform import Process


class EtcdRaft(Process):
    """Three servers of the library in one process, which reads JSON lines (`drive.go`)."""

    command: ClassVar[tuple[str]] = ("./driver",)
    members: ClassVar[dict[str, tuple[str, ...]]] = {"Server": ("1", "2", "3")}
