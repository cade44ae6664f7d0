"""The store under Maelstrom's protocol: three processes, and this test in the place of Maelstrom."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import Queue
from typing import Any

import pytest

NODE = [sys.executable, "-c", "from quorate.cli import main; main()", "run", "raft", "--maelstrom"]
NAMES = ["n1", "n2", "n3"]


class Network:
    """Carries lines between the processes, and asks as a client. `cut` holds a name that nothing gets to or from."""

    def __init__(self, processes: dict[str, subprocess.Popen[str]]) -> None:
        self._processes = processes
        self._answers: Queue[dict[str, Any]] = Queue()
        self._ids = 0
        self.cut: str | None = None
        for process in processes.values():
            threading.Thread(target=self._carry, args=(process,), daemon=True).start()

    def _carry(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            envelope = json.loads(line)
            if envelope["dest"] == "c1":
                self._answers.put(envelope["body"])
            elif self.cut not in (envelope["src"], envelope["dest"]):
                with suppress(OSError, ValueError):  # At the end, one of them is gone before the other.
                    self._write(envelope["dest"], line)

    def _write(self, name: str, line: str) -> None:
        stdin = self._processes[name].stdin
        assert stdin is not None
        stdin.write(line)
        stdin.flush()

    def ask(self, name: str, kind: str, **fields: Any) -> dict[str, Any]:
        """The answer of a node, without its numbers."""
        self._ids += 1
        body = {"type": kind, "msg_id": self._ids, **fields}
        self._write(name, json.dumps({"src": "c1", "dest": name, "body": body}) + "\n")
        while True:
            answer = self._answers.get(timeout=20)
            if answer.pop("in_reply_to") == self._ids:
                answer.pop("text", None)
                return answer


@contextmanager
def network(folder: Path) -> Iterator[Network]:
    processes = {
        name: subprocess.Popen(
            [*NODE, "--data", str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            bufsize=1,
        )
        for name in NAMES
    }
    try:
        made = Network(processes)
        for name in NAMES:
            assert made.ask(name, "init", node_id=name, node_ids=NAMES) == {"type": "init_ok"}
        yield made
    finally:
        for process in processes.values():
            assert process.stdin is not None
            process.stdin.close()
        assert [process.wait(timeout=20) for process in processes.values()] == [0, 0, 0]


@pytest.mark.slow
def test_lin_kv_is_served_by_every_node_and_without_one_of_them(tmp_path: Path) -> None:
    with network(tmp_path) as cluster:
        assert cluster.ask("n1", "write", key=1, value=[2, "x"]) == {"type": "write_ok"}
        assert [cluster.ask(name, "read", key=1) for name in NAMES] == [{"type": "read_ok", "value": [2, "x"]}] * 3
        assert cluster.ask("n2", "read", key=2) == {"type": "error", "code": 20}
        assert cluster.ask("n3", "cas", key=1, **{"from": 3, "to": 4}) == {"type": "error", "code": 22}
        assert cluster.ask("n3", "cas", key=1, **{"from": [2, "x"], "to": 4}) == {"type": "cas_ok"}
        assert cluster.ask("n1", "cas", key=5, **{"from": 1, "to": 2}) == {"type": "error", "code": 20}
        assert cluster.ask("n1", "cas", key=5, create_if_not_exists=True, **{"from": 1, "to": 2}) == {"type": "cas_ok"}
        assert cluster.ask("n1", "dance") == {"type": "error", "code": 10}
        assert cluster.ask("n1", "write", key=1) == {"type": "error", "code": 12}
        cluster.cut = "n2"
        assert cluster.ask("n1", "read", key=5) == {"type": "read_ok", "value": 2}
        assert cluster.ask("n2", "read", key=5) == {"type": "error", "code": 11}
        cluster.cut = None
        deadline = time.monotonic() + 20
        while (answer := cluster.ask("n2", "read", key=5))["type"] == "error":
            assert time.monotonic() < deadline
        assert answer == {"type": "read_ok", "value": 2}
    with network(tmp_path) as cluster:
        assert cluster.ask("n3", "read", key=1) == {"type": "read_ok", "value": 4}, "it was on the disks"
