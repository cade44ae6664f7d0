"""A cluster on one machine: one process for each node, started again when it dies."""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import ClassVar

import msgspec

from quorate_impl.runtime.__main__ import DISK_FAILED, MISCONFIGURED, WHILE_STDIN
from quorate_impl.runtime.config import NodeConfig, Tls, host_and_port
from quorate_impl.runtime.protocols import FOUNDERS, NODES, OFFICERS

FILE = "cluster.json"
RESTART_SECONDS = 1.0


class ClusterConfig(msgspec.Struct, forbid_unknown_fields=True):
    """What a local cluster's directory says of it. `pids` are of its last start."""

    cluster: str
    protocol: str
    members: dict[str, str]
    spares: dict[str, str]
    metrics: dict[str, int]
    tls: dict[str, Tls]
    pids: dict[str, int]
    settings: dict[str, str] = {}

    def __post_init__(self) -> None:
        for address in self.addresses.values():
            host_and_port(address)

    @property
    def addresses(self) -> dict[str, str]:
        """Of members and spares."""
        return self.members | self.spares


def read_cluster(directory: Path) -> ClusterConfig:
    """What the directory says. Raises `OSError` or `msgspec.ValidationError`."""
    return msgspec.json.decode((directory / FILE).read_bytes(), type=ClusterConfig)


def found_cluster(
    directory: Path,
    protocol: str,
    nodes: int | None,
    spares: int,
    with_tls: bool,
    settings: Mapping[str, str] | None = None,
) -> ClusterConfig:
    """A cluster in this directory: the one that is there, or a new one of nodes n1, n2, ... on free ports of loopback.

    `nodes` is None for as many as are usual. Raises `ValueError` if the protocol cannot be run by so many.
    """
    with contextlib.suppress(FileNotFoundError):
        return read_cluster(directory)
    nodes = nodes or NODES.get(protocol, 3)
    names = [f"n{i + 1}" for i in range(nodes + spares)]
    names[nodes:nodes] = officers = OFFICERS.get(protocol, ())
    if protocol in FOUNDERS:
        settings = FOUNDERS[protocol](directory.resolve(), names, settings or {})
    directory.mkdir(parents=True, exist_ok=True)
    members = nodes + len(officers)
    ports = free_ports(2 * len(names))
    addresses = {name: f"127.0.0.1:{port}" for name, port in zip(names, ports, strict=False)}
    tls: dict[str, Tls] = {}
    if with_tls:
        from quorate_impl.runtime.tls import make_certificates

        tls = make_certificates(directory.resolve() / "tls", [*names, "client"])
    config = ClusterConfig(
        secrets.token_hex(8),
        protocol,
        dict(list(addresses.items())[:members]),
        dict(list(addresses.items())[members:]),
        dict(zip(names, ports[len(names) :], strict=True)),
        tls,
        {},
        dict(settings or {}),
    )
    _write(directory / FILE, config)
    return config


def free_ports(count: int) -> list[int]:
    """Ports of loopback that nobody listens on now."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def _write(path: Path, config: msgspec.Struct) -> None:
    unfinished = path.with_suffix(".unfinished")
    unfinished.write_bytes(msgspec.json.format(msgspec.json.encode(config), indent=1) + b"\n")
    os.replace(unfinished, path)


def is_node(pid: int, name: str) -> bool:
    """Whether the process is, now, that of the node: numbers of processes are used again."""
    shown = subprocess.run(["ps", "-o", "args=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return "quorate_impl.runtime" in shown and f"/{name}/config.json" in shown


class LocalCluster:
    """The processes of a cluster; a context manager, at whose end all have ended.

    `supervise` has to be called now and then: it starts again what has died, after a second.
    """

    program: ClassVar[Sequence[str]] = ("-m", "quorate_impl.runtime")
    """What Python runs for a node."""

    def __init__(self, directory: Path, config: ClusterConfig) -> None:
        self._directory = directory
        self.config = config
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.restarts = dict.fromkeys(config.addresses, 0)
        self.failed: dict[str, str] = {}
        self._dead_since: dict[str, float] = {}

    def __enter__(self) -> LocalCluster:
        """Raises `BlockingIOError` if the cluster runs already."""
        self._lock = (self._directory / "lock").open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            for name in self.config.addresses:
                self.start(name)
        except BaseException:
            self._lock.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self.config.pids.clear()
        _write(self._directory / FILE, self.config)
        self._lock.close()

    def start(self, name: str) -> None:
        """Start the process of a node. It must not run already."""
        directory = self._directory / name
        directory.mkdir(exist_ok=True)
        config = NodeConfig(
            self.config.cluster,
            self.config.protocol,
            name,
            self.config.addresses[name],
            self.config.members,
            str(directory / "data"),
            self.config.metrics.get(name),
            self.config.tls.get(name),
            severs=True,
            settings=self.config.settings,
        )
        _write(directory / "config.json", config)
        with (directory / "log.jsonl").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                [sys.executable, *self.program, str(directory / "config.json"), WHILE_STDIN],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.config.pids[name] = self.processes[name].pid
        _write(self._directory / FILE, self.config)

    def supervise(self) -> None:
        """Start again what has been dead for a second; but not a node whose disk has failed, or that cannot run as it was told to."""
        for name, process in self.processes.items():
            if process.poll() is None or name in self.failed:
                self._dead_since.pop(name, None)
            elif process.returncode in (DISK_FAILED, MISCONFIGURED):
                self.failed[name] = self._last_line(name)
            elif time.monotonic() - self._dead_since.setdefault(name, time.monotonic()) >= RESTART_SECONDS:
                del self._dead_since[name]
                self.restarts[name] += 1
                self.start(name)

    def _last_line(self, name: str) -> str:
        lines = (self._directory / name / "log.jsonl").read_text(encoding="utf-8", errors="replace").splitlines()
        return lines[-1] if lines else ""

    def signal(self, name: str, number: signal.Signals) -> None:
        """Send a signal to the process of a node."""
        self.processes[name].send_signal(number)

    def stop(self, names: Iterable[str] | None = None, seconds: float = 5.0) -> Sequence[str]:
        """End the processes; returns the names of those that had to be killed."""
        processes = {name: self.processes[name] for name in names or self.processes}
        for process in processes.values():
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.terminate()
        end, killed = time.monotonic() + seconds, []
        for name, process in processes.items():
            try:
                process.wait(max(end - time.monotonic(), 0.01))
            except subprocess.TimeoutExpired:
                killed.append(name)
                process.kill()
                process.wait()
        return killed
