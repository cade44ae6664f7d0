"""States as numbers (`--store tree`): the same answers as with states kept as they are, in a fraction of the memory."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from quorate import Nat, Spec, action, invariant, reachable
from quorate.commands.check import command
from quorate.errors import UsageError
from quorate.explore import Checkpoint, Limits, Watch, check
from quorate.explore.limits import TREE_MIN
from quorate.explore.native import explore as native
from quorate.explore.native import library, search
from quorate.language.system import System
from quorate.outcome import Outcome
from quorate_specs.consensus.paxos import AnyReportedVote, Paxos
from quorate_specs.transactions.two_phase_commit import CommitByMajority

from tests.native.agreement import BATCH, QUICK_FLAGS, SMALL_TREE, agree_on
from tests.native.building import HERE, SANITIZERS, found, program

TWO_PHASE = '#include "two_phase.c"\n#include "run.c"\n'
TREE = ("-DSTORE_TREE=1", *SMALL_TREE)


@pytest.mark.slow
@pytest.mark.parametrize("sanitizer", SANITIZERS)
@pytest.mark.parametrize("words", [2, pytest.param(1, marks=pytest.mark.deep)])
def test_numbers_and_counterexamples_are_those_of_states_as_they_are(
    tmp_path: Path, sanitizer: str, words: int
) -> None:
    """The tree is chosen anew, its fields are made wider, levels are listed and marked, values are merged many times."""
    managers = 5 if sanitizer == "thread" else 6
    for broken in ([], ["-DBROKEN"]):
        defines = [f"-DRM={managers}", f"-DMODEL_WORDS={words}", *broken]
        exact = program(tmp_path / "exact", TWO_PHASE, "plain", *defines)
        kept = program(tmp_path / "kept", TWO_PHASE, sanitizer, *defines, *TREE)
        answers = [found(exact, 1), found(kept, 1), found(kept, 3)]
        for answer in answers:
            answer.pop("bytes")
        assert answers[1:] == [answers[0]] * 2


@pytest.mark.parametrize(
    "arguments", [("keys",), ("set", 9, 1), ("set", 40, 2), ("set", 63, 3), ("tree", 4), ("index",)]
)
def test_numbers_lead_back_to_states_and_are_found_if_they_are_there(
    tmp_path: Path, arguments: tuple[object, ...]
) -> None:
    text = (HERE / "roots.c").read_text(encoding="utf-8")
    assert found(program(tmp_path / "roots", text, "address"), *arguments) == {"wrong": "0"}


@pytest.mark.slow
@pytest.mark.parametrize("words", [1, pytest.param(2, marks=pytest.mark.deep)])
def test_a_state_of_two_phase_commit_takes_less_than_10_bytes(tmp_path: Path, words: int) -> None:
    build = ("-DRM=9", "-DSTORE_TREE=1", f"-DMODEL_WORDS={words}")
    answer = found(program(tmp_path / "tree", TWO_PHASE, "plain", *build), 2)
    assert answer["states"] == "10340352" and int(answer["bytes"]) <= 10 * 10_340_352


@pytest.mark.slow
@pytest.mark.parametrize(("before", "after", "words"), [(1, 2, 2), (2, 1, 1)])
def test_a_killed_search_goes_on_from_its_checkpoint(tmp_path: Path, before: int, after: int, words: int) -> None:
    search = program(tmp_path / "tree", TWO_PHASE, "plain", "-DRM=7", f"-DMODEL_WORDS={words}", *TREE)
    file = tmp_path / "checkpoint"
    with subprocess.Popen([search, str(before), "4000", str(file)], stdout=subprocess.DEVNULL) as running:
        until = time.monotonic() + 30
        while not file.exists() and running.poll() is None and time.monotonic() < until:
            time.sleep(0.002)
        os.kill(running.pid, signal.SIGKILL)
    done = subprocess.run([search, str(after), "4000", str(file)], capture_output=True, text=True, check=True)
    answer = dict(item.split("=", 1) for item in done.stdout.split())
    whole = found(search, 1)
    assert done.stderr == "resumed\n" and answer["states"] == "296448"
    for item in ("transitions", "depth", "fired", "reached"):
        assert answer[item] == whole[item], item


def test_the_checkpoint_of_another_store_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "checkpoint"
    tree, exact = (
        program(tmp_path / f"s{tree}", TWO_PHASE, "plain", "-DRM=6", f"-DSTORE_TREE={tree}") for tree in (1, 0)
    )
    found(tree, 1, 4000, file)
    done = subprocess.run([exact, "1", "4000", str(file)], capture_output=True, text=True, check=False)
    assert done.returncode == 2 and done.stdout.startswith("refused: its states are kept in a tree")


@pytest.mark.slow
def test_drawn_specs_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library, "FLAGS", QUICK_FLAGS)
    count = BATCH // 2
    assert agree_on(range(count), store="tree")["specs"] == count


def test_the_counterexample_is_the_same() -> None:
    exact, kept = (
        check(CommitByMajority, engine="native", workers=2, watch=Watch(store=store)) for store in ("exact", "tree")
    )
    assert getattr(kept, "trace", None) == getattr(exact, "trace", None) is not None
    assert kept.statistics.transitions == exact.statistics.transitions


class Digit(Nat, max=255):
    """Two of them count to 65,535."""


class Clock(Spec):
    """A single run, longer than two bytes can say how long it is."""

    high: Digit
    low: Digit
    over: bool
    seen: set[Digit]

    @action
    def tick(self) -> None:
        """One more."""
        self.over = self.over or (self.low == Digit.bound and self.high == Digit.bound)
        self.high = Digit((self.high + (self.low + 1) // 256) % 256)
        self.low = Digit((self.low + 1) % 256)
        self.seen = {self.high}

    @invariant
    def never_ends(self) -> bool:
        """False at the very end."""
        return not (self.over and self.low == 3)


@pytest.mark.slow
@pytest.mark.parametrize("store", ["tree", "fingerprint"])
def test_a_counterexample_may_be_longer_than_two_bytes_can_say(monkeypatch: pytest.MonkeyPatch, store: str) -> None:
    monkeypatch.setattr(library, "FLAGS", QUICK_FLAGS)
    with (system := System(Clock)):
        found = native(system, (), Watch(store=store), 1)
    assert found.stopped is None and found.finding is not None and found.finding.kind == "invariant"
    assert len(found.finding.steps) == found.depth == 1 << 16 | 3


def test_what_rests_on_a_tree_rests_on_nothing_more() -> None:
    shown = CliRunner().invoke(command, ["paxos", "--bound", "Ballot=2", "--store", "tree", "--format", "json"])
    facts = json.loads(shown.output)
    assert shown.exit_code == 0 and facts["store"] == "tree" and facts["collision_probability"] == 0
    said = CliRunner().invoke(command, ["paxos", "--bound", "Ballot=2", "--store", "tree"])
    assert "probability" not in said.output and "fingerprint" not in said.output


@pytest.mark.slow
def test_where_memory_does_not_suffice_for_states_as_they_are_a_tree_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """And the answer is that of a search with memory enough. Whoever says how states are kept has them so."""

    def asked(**options: Any) -> Outcome:
        return check(AnyReportedVote, engine="native", symmetry=False, workers=1, watch=Watch(**options))

    whole = asked()
    monkeypatch.setattr(search, "machine_bytes", lambda: int((6 << 20) / search.MEMORY_SHARE))
    kept, told = asked(), asked(store="exact")
    assert whole.statistics.store == "exact" and not any("tree" in note for note in whole.notes)
    assert kept.statistics.store == "tree" and any("kept in a tree, after" in note for note in kept.notes)
    same = ("states", "transitions", "depth", "cuts", "actions", "levels")
    assert [getattr(kept.statistics, count) for count in same] == [getattr(whole.statistics, count) for count in same]
    assert kept.verdict == whole.verdict == "violated" and len(kept.trace.steps) == len(whole.trace.steps)
    assert told.verdict == "unfinished" and told.statistics.store == "exact" and "memory is reached" in told.reason


class Unsteady(Spec):
    at: Digit

    @action
    def up(self) -> None:
        self.at += 1

    @reachable
    def far(self) -> bool:
        assert self.at < 3
        return self.at == 9


def test_after_a_search_in_a_tree_the_next_may_need_the_reference_engine() -> None:
    watch = Watch(at_once=0)
    watch.short = True
    assert watch.save_memory()
    outcome = check(Unsteady, watch=watch)
    assert outcome.verdict == "error" and outcome.engine == "reference"


def test_a_tree_is_taken_only_once_and_where_nothing_else_needs_the_states(tmp_path: Path) -> None:
    for store, others, tree in (
        ("auto", {}, True),
        ("auto", {"limits": Limits(memory_bytes=TREE_MIN)}, True),
        ("auto", {"limits": Limits(memory_bytes=TREE_MIN - 1)}, False),
        ("auto", {"checkpoint": Checkpoint(tmp_path / "checkpoint")}, False),
        ("auto", {"profile": True}, False),
        ("auto", {"disk": tmp_path}, False),
        *((store, {}, False) for store in ("exact", "tree", "fingerprint")),
    ):
        watch = Watch(store=store, **others)
        before = watch.keeping
        assert not watch.save_memory() and watch.keeping == before
        watch.short = True
        assert watch.save_memory() is tree and watch.keeping == ("tree" if tree else before)
        watch.short = True
        assert not watch.save_memory()


def test_too_little_memory_is_said() -> None:
    outcome = check(Paxos, engine="native", symmetry=False, watch=Watch(Limits(memory_bytes=2 << 20), store="tree"))
    assert outcome.verdict == "unfinished" and "memory is reached" in outcome.reason


def test_what_a_tree_cannot_do_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="leave out --profile or --store tree"):
        check(Paxos, watch=Watch(store="tree", profile=True))
    with pytest.raises(UsageError, match="Only the native engine keeps states in a tree"):
        check(Paxos, engine="reference", watch=Watch(store="tree"))
    file = tmp_path / "checkpoint"
    limited = Watch(Limits(seconds=0.0), store="tree", checkpoint=Checkpoint(file))
    assert check(Paxos, engine="native", watch=limited).verdict == "unfinished"
