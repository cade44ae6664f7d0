"""`quorate run`, `client` and `nemesis`, as a new user tries them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from quorate.commands._cluster import need_implementations
from quorate.errors import UsageError
from quorate_impl.runtime.cluster import read_cluster

from tests.docs.pages import ROOT, blocks

QUORATE = [sys.executable, "-c", "from quorate.cli import main; main()"]


def quorate(folder: Path, *arguments: str) -> tuple[int, str]:
    """The exit code and the output of a command."""
    done = subprocess.run([*QUORATE, *arguments], cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, (done.stdout + done.stderr).strip()


@pytest.mark.slow
def test_the_lines_of_the_readme_work_one_after_the_other(tmp_path: Path) -> None:
    """The cluster runs until Ctrl-C, and ends cleanly; it is asked meanwhile, and survives what the nemesis does."""
    (block,) = [block for block in blocks(ROOT / "README.md") if block.note == "cluster"]
    first, *others = [line.removeprefix("quorate ").split() for line in block.text.splitlines()]
    with subprocess.Popen(
        [*QUORATE, *first], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as running:
        assert running.stdout is not None and "n4 at 127.0.0.1:" in running.stdout.readline()
        said = [quorate(tmp_path, *line) for line in others]
        codes, (put, killed, got, cas, added, removed, status) = [code for code, _ in said], [text for _, text in said]
        running.send_signal(signal.SIGINT)
        output = running.communicate(timeout=30)[0]
    assert codes == [0] * 7, said
    assert (put, got, cas, added, removed) == ("done", "green", "done", "done", "done") and "kill" in killed
    assert "member n4" in status and "member n1" not in status
    assert running.returncode == 0 and output.endswith("Stopped.\n") and "leader" in output


@pytest.mark.slow
def test_so_do_those_about_quorums(tmp_path: Path) -> None:
    """And what is said wrongly is explained without asking anybody."""
    (block,) = [block for block in blocks(ROOT / "README.md") if block.note == "quorums"]
    first, *others = [line.removeprefix("quorate ").split() for line in block.text.splitlines()]
    with subprocess.Popen([*QUORATE, *first], cwd=tmp_path, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None and "n3 at 127.0.0.1:" in running.stdout.readline()
        said = [quorate(tmp_path, *line) for line in others]
        refused = quorate(tmp_path, "client", "dynamo", "get", "cart", "--r", "4", "--data", "quorums")
        other = quorate(tmp_path, "client", "raft", "get", "cart", "--data", "quorums")
        running.send_signal(signal.SIGINT)
    siblings = "done; there are 2 siblings now: book, lamp", "done; there are 2 siblings now: lamp, book"
    assert [code for code, _ in said] == [0] * 5, said
    assert said[0][1] == "done" and said[1][1] in siblings and sorted(said[2][1].splitlines()) == ["book", "lamp"]
    assert said[3][1] == "done" and said[4][1] == "both"
    assert refused == (1, "not done: 4 replicas were asked for, and there are 3")
    assert other == (2, "quorate: The cluster in quorums runs dynamo, not raft.")


@pytest.mark.slow
def test_so_do_those_about_classes(tmp_path: Path) -> None:
    """Tokens are told beside the answers."""
    (block,) = [block for block in blocks(ROOT / "README.md") if block.note == "classes"]
    first, *others = [line.removeprefix("quorate ").split() for line in block.text.splitlines()]
    with subprocess.Popen([*QUORATE, *first], cwd=tmp_path, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None and "arbiter at 127.0.0.1:" in running.stdout.readline()
        said = [quorate(tmp_path, *line) for line in others]
        refused = quorate(tmp_path, "client", "primary_backup", "put", "k", "v", "--class", "gift", "--data", "shop")
        spares = quorate(tmp_path, "run", "primary_backup", "--spares", "1", "--data", "other")
        running.send_signal(signal.SIGINT)
    assert [code for code, _ in said] == [0] * 7, said
    assert said[0][1].splitlines()[0] == "done" and said[0][1].splitlines()[1].startswith("token 1.")
    assert said[2][1].splitlines()[0] == "1" and said[3][1].splitlines()[0] == "yes"
    assert said[4][1] == "done" and said[5][1].splitlines()[1].startswith("token 2.")
    assert "epoch            2" in said[6][1]
    assert refused[0] == 2 and "There is no class 'gift'." in refused[1]
    assert spares == (2, "quorate: primary_backup takes in no servers, and so has no --spares.")


@pytest.mark.slow
def test_purchases_are_made_as_a_whole_or_not_at_all(tmp_path: Path) -> None:
    """By commands that know nothing of each other, and so are other buyers."""
    run = ("run", "two_phase_commit", "--nodes", "2", "--set", "stock=3")
    with subprocess.Popen([*QUORATE, *run], cwd=tmp_path, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None and "orders at 127.0.0.1:" in running.stdout.readline()
        ask = ("client", "two_phase_commit")
        first, second, none = (quorate(tmp_path, *ask, "buy", lines) for lines in ("n1=2,n2=1", "n1=2,n2=1", "n3=1"))
        status = quorate(tmp_path, *ask, "status", "--server", "n2")[1]
        wrong = quorate(tmp_path, *ask, "buy", "n1")
        sold_out = quorate(tmp_path, "bench-store", "two_phase_commit", "--seconds", "0.3", "--data", "quorate-data")
        running.send_signal(signal.SIGINT)
    assert (first, second, none) == ((0, "confirmed"), (1, "rejected"), (1, "rejected"))
    assert "available        2" in status and "reserved         0" in status
    assert wrong == (2, "quorate: A purchase is of units of inventories, such as n1=2,n2=1, not 'n1'.")
    assert sold_out[0] == 2 and sold_out[1].endswith("quorate: A write was not done: rejected")


@pytest.mark.slow
def test_so_do_those_about_purchases(tmp_path: Path) -> None:
    """With the coordinator and an acceptor killed before the second one, and not started again for a second."""
    (block,) = [block for block in blocks(ROOT / "README.md") if block.note == "purchases"]
    first, *others = [line.removeprefix("quorate ").split() for line in block.text.splitlines()]
    with subprocess.Popen([*QUORATE, *first], cwd=tmp_path, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None and "a3 at 127.0.0.1:" in running.stdout.readline()
        said = [quorate(tmp_path, *others[0])]
        for node in ("l1", "a1"):
            os.kill(read_cluster(tmp_path / "store").pids[node], signal.SIGKILL)
        said += [quorate(tmp_path, *line) for line in others[1:]]
        running.send_signal(signal.SIGINT)
    assert said[:2] == [(0, "confirmed"), (0, "confirmed")] and "role             acceptor" in said[2][1]


@pytest.mark.slow
def test_a_store_is_loaded_with_each_kind_of_writes(tmp_path: Path) -> None:
    """A cluster of its own, which has ended when the figures are there; and the one that is in a directory."""
    arguments = ("bench-store", "primary_backup", "--seconds", "0.3", "--clients", "2", "--open", "2")
    code, text = quorate(tmp_path, *arguments)
    first, head, *rows = text.splitlines()
    assert code == 0 and first.endswith("small appends a second durable.") and head.split()[0] == "writes"
    assert [row.split()[:2] for row in rows] == [["payment", "4"], ["order", "4"], ["page-view", "4"]]
    assert all(float(row.split()[2].replace(",", "")) > 0 for row in rows)
    assert quorate(tmp_path, *arguments, "--data", "here", "--only", "order")[0] == 0
    assert quorate(tmp_path, *arguments, "--data", "here", "--only", "order")[0] == 0
    refused = quorate(tmp_path, "bench-store", "raft", "--data", "here")
    assert refused == (2, "quorate: The cluster in here runs primary_backup, not raft.")
    assert "There is no kind of writes 'gift'" in quorate(tmp_path, *arguments, "--only", "gift")[1]


@pytest.mark.slow
def test_so_do_those_about_liars(tmp_path: Path) -> None:
    """With TLS, and with the keys of the directory when it runs again."""
    (block,) = [block for block in blocks(ROOT / "README.md") if block.note == "liars"]
    first, *others = [line.removeprefix("quorate ").split() for line in block.text.splitlines()]
    for asked in (others, [["client", "pbft", "get", "law", "--data", "assembly"]]):
        with subprocess.Popen([*QUORATE, *first, "--tls"], cwd=tmp_path, stdout=subprocess.PIPE, text=True) as running:
            assert running.stdout is not None and "n4 at 127.0.0.1:" in running.stdout.readline()
            said = [quorate(tmp_path, *line) for line in asked]
            running.send_signal(signal.SIGINT)
        assert [code for code, _ in said] == [0] * len(asked), said
        if asked is others:
            assert [text for _, text in said[:3]] == ["done", "done", "repealed"]
            assert "role             backup" in said[3][1]
    assert said[0][1] == "repealed"


@pytest.mark.slow
def test_a_cluster_with_tls_says_no_and_goes_on_with_its_directory(tmp_path: Path) -> None:
    for round, asked in enumerate((("cas", "k", "v", "w"), ("get", "k"))):
        with subprocess.Popen(
            [*QUORATE, "run", "raft", "--nodes", "1", "--tls"], cwd=tmp_path, stdout=subprocess.PIPE, text=True
        ) as running:
            assert running.stdout is not None and running.stdout.readline()
            if round == 0:
                assert quorate(tmp_path, "client", "raft", "put", "k", "u") == (0, "done")
                assert quorate(tmp_path, "client", "raft", *asked) == (1, "not done: the value is u")
                assert quorate(tmp_path, "run", "raft")[1] == "quorate: The cluster in quorate-data runs already."
            else:
                assert quorate(tmp_path, "client", "raft", *asked) == (0, "u")
            running.terminate()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("client", "raft", "get", "k"), "There is no cluster in quorate-data. Start one with `quorate run raft"),
        (("client", "raft", "gett", "k"), "Did you mean 'get'?"),
        (("run", "raf"), "Did you mean 'raft'?"),
        (("run", "dynamo", "--set", "policy=first"), "policy=siblings|last-write-wins"),
        (("run", "raft", "--set", "policy=siblings"), "raft has no settings"),
        (("run", "pbft", "--nodes", "3"), "at least four: --nodes 4"),
        (("run", "pbft", "--set", "f=1"), "pbft has the setting keys=DIR, and no f."),
        (("client", "pbft", "add-server", "n5"), "There is no action 'add-server'"),
        (("client", "dynamo", "get", "k"), "Start one with `quorate run dynamo"),
        (("client", "dynamo", "get", "k", "--beside"), "`get` of dynamo has no --beside."),
        (("client", "raft", "get", "k", "--consistency", "one"), "`get` of raft has no --consistency."),
        (("nemesis", "--data", "nowhere"), "There is no cluster in nowhere."),
    ],
)
def test_a_wrong_use_is_explained(
    arguments: tuple[str, ...],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from quorate.cli import main

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["quorate", *arguments])
    with pytest.raises(SystemExit, match="2"):
        main()
    assert said in capsys.readouterr().err


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "msgspec", None)
    with pytest.raises(UsageError, match=r"need the package msgspec\. .* pip install 'quorate\[impl\]'"):
        need_implementations()


@pytest.mark.parametrize("address", ["foo:bar", "localhost", "", ":", "127.0.0.1:99999", "x:-1"])
def test_an_address_that_is_none_is_refused_wherever_it_is_given(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from quorate.cli import main

    monkeypatch.chdir(tmp_path)
    config = {
        "cluster": "c",
        "protocol": "raft",
        "members": {"n1": "127.0.0.1:7001"},
        "spares": {},
        "metrics": {"n1": 7002},
        "tls": {},
        "pids": {},
    }
    file = tmp_path / "quorate-data" / "cluster.json"
    file.parent.mkdir()
    for members, command in (
        ({"n1": "127.0.0.1:7001"}, ["client", "raft", "add-server", "n4", address]),
        ({"n1": address}, ["client", "raft", "status"]),
        ({"n1": address}, ["nemesis"]),
    ):
        file.write_text(json.dumps(config | {"members": members}))
        monkeypatch.setattr(sys, "argv", ["quorate", *command])
        with pytest.raises(SystemExit, match="2"):
            main()
        assert "is no address such as 127.0.0.1:7001" in capsys.readouterr().err
