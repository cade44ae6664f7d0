"""The harness of the real systems: the network that delays, processes with their children, and what is counted as lost."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from quorate.consistency import Satisfied, Verdict, Violated, find_model, judge, read_history
from quorate_specs.replication.primary_backup import Asynchronous, PrimaryBackup

from examples.real import variants
from examples.real.harness import (
    Client,
    Finding,
    Losses,
    Missing,
    Proxy,
    Recorder,
    Rejected,
    Server,
    failover,
    main,
    program,
    until,
)

RECORDS = Path(__file__).parents[2] / "examples" / "real" / "records"


class Listener:
    """What arrives at a port, and when."""

    def __init__(self) -> None:
        self.arrived: list[tuple[bytes, float]] = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        while True:
            connection, _ = self._socket.accept()
            while data := connection.recv(100):
                self.arrived.append((data, time.monotonic()))


def test_the_proxy_delays_and_what_is_on_its_way_is_lost_with_the_link() -> None:
    listener = Listener()
    proxy = Proxy(listener.port, there_s=0.05)
    with socket.create_connection(("127.0.0.1", proxy.port)) as sender:
        sent = time.monotonic()
        sender.sendall(b"early")
        until(lambda: listener.arrived, "the first message", 5)
        ((data, at),) = listener.arrived
        assert data == b"early" and at - sent >= 0.05
        proxy.there_s = 30.0
        sender.sendall(b"late")
        proxy.cut()
        assert sender.recv(1) == b""
    with pytest.raises(OSError), socket.create_connection(("127.0.0.1", proxy.port), timeout=5) as refused:
        raise OSError if refused.recv(1) == b"" else AssertionError
    proxy.there_s = 0.0
    proxy.mend()
    with socket.create_connection(("127.0.0.1", proxy.port)) as sender:
        sender.sendall(b"again")
        until(lambda: len(listener.arrived) == 2, "the third message", 5)
    assert [data for data, _ in listener.arrived] == [b"early", b"again"]
    proxy.close()


def test_a_server_dies_with_its_children(tmp_path: Path) -> None:
    code = "import subprocess, time; print(subprocess.Popen(['sleep', '60']).pid, flush=True); time.sleep(60)"
    server = Server([sys.executable, "-c", code], tmp_path / "parent.log")
    child = int(server.until(lambda: server.log.read_text()))
    server.kill()
    until(lambda: "Z" in _state(child), "the child is dead", 10)


def _state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return "Z"  # Somebody has looked at it already.


def test_a_server_that_does_not_come_up_shows_its_log(tmp_path: Path) -> None:
    server = Server([sys.executable, "-c", "raise SystemExit('no such setting')"], tmp_path / "broken.log")
    with pytest.raises(TimeoutError, match="no such setting"):
        server.until(lambda: False, timeout_s=0.5)


def test_a_store_that_acknowledges_before_it_stores_loses_what_was_acknowledged() -> None:
    stored: list[int] = []
    up = [True]

    def add(number: int) -> None:
        time.sleep(0.001)
        if not up[0]:
            raise ConnectionError
        if number % 2:
            stored.append(number)

    recorder = failover(lambda: add, lambda: up.remove(True) or up.append(False), lambda: stored, seconds=0.2)
    losses = Losses.of(recorder)
    assert 0 < losses.lost <= losses.acknowledged
    assert str(losses) == f"{losses.lost:,} of {losses.acknowledged:,} acknowledged writes lost"


def test_what_has_no_answer_is_in_doubt_and_the_client_goes_on_under_another_name(tmp_path: Path) -> None:
    recorder = Recorder()
    client = Client(recorder)
    client.ask("write", lambda: None, 1, "x")
    with pytest.raises(Rejected):
        client.ask("write", _raiser(Rejected()), 2, "x")
    with pytest.raises(ConnectionError):
        client.ask("write", _raiser(ConnectionError()), 3, "x")
    assert client.ask("read", lambda: 3, key="x") == 3
    assert [(event["process"], event["type"]) for event in recorder.events] == [
        *[(0, "invoke"), (0, "ok")],
        *[(0, "invoke"), (0, "fail")],
        *[(0, "invoke"), (0, "info")],
        *[(1, "invoke"), (1, "ok")],
    ]
    assert isinstance(recorder.judge("linearizable"), Satisfied)
    recorder.save(tmp_path / "kept.jsonl.gz")
    assert read_history(tmp_path / "kept.jsonl.gz") == recorder.history()


def _raiser(error: Exception):  # type: ignore[no-untyped-def]
    def call() -> None:
        raise error

    return call


def test_a_finding_is_held_to_what_the_specification_says_of_the_variant() -> None:
    lost = Finding("name", "setting", "1 of 2 lost", True, Asynchronous, "acknowledged_survives")
    assert lost.agrees
    assert "primary_backup.Asynchronous violates acknowledged_survives, and so it was seen" in str(lost)
    kept = Finding("name", "setting", "0 of 2 lost", False, Asynchronous, "acknowledged_survives")
    assert not kept.agrees and "but it was kept" in str(kept)
    assert not Finding("name", "setting", "1 of 2 lost", True, PrimaryBackup, "acknowledged_survives").agrees


def test_what_is_not_installed_is_skipped_with_a_message(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def part():  # type: ignore[no-untyped-def]
        program("no-such-server", "apt-get install no-such-server")
        yield

    monkeypatch.setattr(sys, "argv", ["system"])
    with pytest.raises(SystemExit) as ended:
        main("A system", part)
    assert ended.value.code == 77
    assert "skipped: no-such-server is not installed (apt-get install no-such-server)" in capsys.readouterr().out
    with pytest.raises(Missing):
        program("no-such-server", "nothing", "/usr/lib/*/bin")


@pytest.mark.parametrize(
    ("name", "model", "level", "verdict"),
    [
        ("postgresql/standby", "register", "read-your-writes", Violated),
        ("postgresql/both", "register", "monotonic-reads", Violated),
        ("postgresql/applied-both", "register", "causal-memory", Violated),
        ("postgresql/cancelled", "register", "set-full", Violated),
        ("postgresql/failover-on", "register", "set-full", Satisfied),
        ("postgresql/read-committed-snapshot-isolation", "register", "snapshot-isolation", Violated),
        ("postgresql/repeatable-read-serializable", "register", "serializable", Violated),
        ("redis/no-fencing", "counter", "linearizable", Violated),
        ("redis/fences-writes-only", "counter", "linearizable", Violated),
        ("redis/fencing", "counter", "linearizable", Satisfied),
        ("redis/redlock-restart", "mutex", "linearizable", Violated),
        ("redis/redlock-jump", "mutex", "linearizable", Violated),
        ("kafka/election-unclean", "register", "set-full", Violated),
        ("cassandra/one", "register", "regular", Violated),
        ("cassandra/quorum", "register", "regular", Satisfied),
        ("cassandra/skew", "register", "regular", Violated),
        ("etcd/serializable", "register", "linearizable", Violated),
        ("zookeeper/local", "register", "linearizable", Violated),
    ],
)
def test_what_was_recorded_is_judged_as_it_was(name: str, model: str, level: str, verdict: type[Verdict]) -> None:
    assert isinstance(judge(read_history(RECORDS / f"{name}.jsonl.gz"), level, find_model(model)), verdict)


@pytest.mark.slow
def test_the_variants_do_what_they_say() -> None:
    quorate = Path(sys.executable).with_name("quorate")
    run = subprocess.run([quorate, "verify", variants.__file__], capture_output=True, text=True, check=False)
    assert run.returncode == 0 and "2 of 2 do what they say" in run.stdout
    command = [quorate, "check", f"{variants.__file__}:RemoteApply", "--keep-going"]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "monotonic_reads: violated, by a run of 3 steps" in run.stdout
    assert "acknowledged_survives, one_primary_per_epoch, backups_are_prefixes, read_your_writes: holds" in run.stdout
