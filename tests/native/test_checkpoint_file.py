"""`--checkpoint FILE` touches nothing that is not its own checkpoint, and one search at a time uses it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import pytest
from click.testing import CliRunner
from quorate import Spec
from quorate.commands.check import command
from quorate.errors import UsageError
from quorate.explore import Checkpoint, Limits, Watch, check, only
from quorate.explore.engine import Covered
from quorate.explore.native import explore as native
from quorate.explore.native import library, search
from quorate.explore.native.checkpoint import GRAPH_MAGIC, MAGIC, claimed, graph_beside
from quorate.language.system import System
from quorate.outcome import Outcome
from quorate_specs.transactions.two_phase_commit import TwoPhaseCommit, TwoPhaseCommitWithCrashes

from tests.native.agreement import QUICK_FLAGS, SMALL, SMALL_TREE, Case, draw, remembering_everything, summary
from tests.native.batch import by_words, compile_batch

SPEC = TwoPhaseCommit.bounded(ResourceManager=9)


def ended(checkpoint: Checkpoint) -> Outcome:
    """A search that is interrupted: the first look at its progress is after a twentieth of a second, and it takes longer."""
    watch = Watch(report=lambda _: watch.interrupt(), checkpoint=checkpoint)
    return check(SPEC, engine="native", symmetry=False, watch=watch)


def test_a_file_that_is_no_checkpoint_is_left_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    for text in (b"keep me", b"", MAGIC[:-1]):
        file.write_bytes(text)
        for checkpoint in (Checkpoint(file), Checkpoint(file, overwrite=True), Checkpoint(file, resume=True)):
            with pytest.raises(UsageError, match="not a checkpoint"):
                ended(checkpoint)
        assert file.read_bytes() == text
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.slow
def test_an_older_checkpoint_asks_for_resume_or_overwrite(tmp_path: Path) -> None:
    file = tmp_path / "checkpoint"
    assert ended(Checkpoint(file)).verdict == "unfinished" and file.read_bytes().startswith(MAGIC)
    kept = file.read_bytes()
    with pytest.raises(UsageError, match=r"--resume.*--overwrite"):
        ended(Checkpoint(file))
    assert file.read_bytes() == kept
    assert ended(Checkpoint(file, overwrite=True)).verdict == "unfinished"
    whole = Watch(checkpoint=Checkpoint(file, resume=True))
    assert check(SPEC, engine="native", symmetry=False, watch=whole).verdict == "holds"
    assert list(tmp_path.iterdir()) == [], "a search that has come to its end leaves nothing"


def test_of_a_checkpoint_of_another_search_it_is_said_what_differs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "checkpoint"

    def search(spec: type[Spec] = SPEC, symmetry: bool = False, resume: bool = True) -> Outcome:
        watch = Watch(Limits(200), checkpoint=Checkpoint(file, resume=resume))
        return check(spec, engine="native", symmetry=symmetry, watch=watch)

    assert search(resume=False).verdict == "unfinished"
    kept = file.read_bytes()
    others: list[tuple[dict[str, Any], str]] = [
        ({"symmetry": True}, "with other symmetry none (now ResourceManager)."),
        ({"spec": SPEC.bounded(ResourceManager=8)}, "with other bounds ResourceManager=9 (now ResourceManager=8)."),
        ({"spec": only(SPEC, ["all_commit"])}, "with other properties "),
        ({"spec": SPEC.bounded(ResourceManager=8), "symmetry": True}, "; other symmetry none (now ResourceManager)."),
    ]
    for options, said in others:
        with pytest.raises(UsageError) as refused:
            search(**options)
        assert said in str(refused.value)
    with (
        monkeypatch.context() as patch,
        pytest.raises(UsageError, match="another version: its text has changed, or Quorate"),
    ):
        patch.setattr(library, "engine_version", lambda: "before")
        search()
    for damaged in (kept[:200], kept[:5_000]):
        file.write_bytes(damaged)
        with pytest.raises(UsageError):
            search(symmetry=True)


@pytest.mark.slow
@pytest.mark.parametrize("store", ["exact", "tree"])
def test_a_search_goes_on_from_where_a_limit_of_states_ended_it(
    tmp_path: Path, store: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the middle of levels, and of chunks of several workers: every count is that of one search."""
    monkeypatch.setattr(library, "FLAGS", (*QUICK_FLAGS, *SMALL_TREE))
    file, system, random = tmp_path / "checkpoint", System(TwoPhaseCommit.bounded(ResourceManager=4)), Random(7)
    with system:
        expected = summary(native(system, (), Watch(store=store), 1), True)
        for _ in range(3):
            most = 30
            while True:
                checkpoint = Checkpoint(file, resume=file.exists())
                found = native(
                    system, (), Watch(Limits(states=most), store=store, checkpoint=checkpoint), random.randint(1, 4)
                )
                if found.stopped is None:
                    break
                assert file.exists() and f"{most:,} states" in found.stopped and "goes on" in found.notes[0]
                most += random.randint(1, 600)
            assert summary(found, True) == expected


@pytest.mark.slow
@pytest.mark.parametrize("store", ["exact", "tree", "disk"])
def test_drawn_searches_go_on_from_limit_to_limit(tmp_path: Path, store: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """By other numbers of workers each time, with sleep sets, symmetry and memos, past cuts, goals and violations."""
    monkeypatch.setattr(library, "FLAGS", (*QUICK_FLAGS, "-DSOLO_MAX=2", *SMALL.get(store, ())))
    with remembering_everything():
        cases = [case for number in range(200_000, 200_024) for case in draw(number, ("bits",), wider=True)]
    tally = Counter[str]()
    for group in by_words([case.rendered for case in cases]):
        batch = compile_batch([cases[position].rendered for position in group], store)
        for number, position in enumerate(group):
            case = cases[position]
            found = _in_stages(case, batch.choose(number), tmp_path, store, tally)
            assert summary(found, not case.sorts) == summary(case.expected, not case.sorts), case.seed
            tally["with symmetry"] += bool(case.sorts)
            tally["violated"] += case.expected.finding is not None
    assert tally["stages"] > 90 and tally["with symmetry"] > 12 and tally["violated"] > 12


def _in_stages(case: Case, engine: library.Library, folder: Path, store: str, tally: Counter[str]) -> Covered:
    """A search that a limit of states ends again and again; one on the disk has one worker."""
    random, most, file = Random(case.seed), 0, folder / "checkpoint"
    while True:
        tally["stages"] += 1
        most += random.randint(1, max(2, case.expected.states // 2))
        limits, again = Limits(states=most), random.choice((0, 1, 2))
        checkpoint = Checkpoint(file, interval_s=1e9, resume=file.exists())
        if store == "disk":
            watch, workers = Watch(limits, again=again, disk=folder / "disk", disk_interval_s=0.0), 1
        else:
            watch, workers = Watch(limits, store=store, again=again, checkpoint=checkpoint), random.randint(1, 4)
        with case.system:
            found = search.run(case.system, engine, case.initial, watch, workers, case.sorts)
        if found.stopped is None:
            return found


@pytest.mark.slow
def test_a_search_goes_on_from_where_memory_ended_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, system = tmp_path / "checkpoint", System(TwoPhaseCommit.bounded(ResourceManager=7))
    with system:
        expected = summary(native(system, (), Watch(), 1), True)
        for most in (1 << 20, 2 << 20):
            monkeypatch.setattr(search, "memory_limit", lambda _, most=most: most)
            found = native(system, (), Watch(checkpoint=Checkpoint(file, resume=file.exists())), 2)
            assert found.stopped is not None and "memory" in found.stopped and file.exists()
        monkeypatch.undo()
        whole = native(system, (), Watch(checkpoint=Checkpoint(file, resume=True)), 3)
        assert summary(whole, True) == expected and not file.exists()


@pytest.mark.slow
@pytest.mark.parametrize("store", ["exact", "tree"])
def test_the_search_is_not_lost_with_the_check_of_liveness(
    tmp_path: Path, store: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was searched is kept until liveness is judged, and so is the graph, as far as it was built."""
    monkeypatch.setattr(library, "FLAGS", QUICK_FLAGS)
    file, spec = tmp_path / "checkpoint", TwoPhaseCommitWithCrashes
    few = Watch(Limits(states=5_000), store=store, checkpoint=Checkpoint(file))
    outcome = check(spec, engine="native", watch=few)
    assert outcome.verdict == "unfinished" and "checking liveness" in outcome.reason and file.exists()  # type: ignore[attr-defined]
    assert any("goes on from what was written at the end" in note for note in outcome.notes)
    graph = graph_beside(file)
    kept = graph.read_bytes()
    with pytest.raises(UsageError, match=r"--resume.*--overwrite"):
        check(spec, engine="native", watch=Watch(store=store, checkpoint=Checkpoint(file)))
    for content, reason in ((kept[:-1], "it is damaged"), (kept[:8] + bytes(8) + kept[16:], "another spec")):
        graph.write_bytes(content)
        with pytest.raises(UsageError, match=f"cannot go on from .*graph: .*{reason}"):
            check(spec, engine="native", watch=Watch(store=store, checkpoint=Checkpoint(file, resume=True)))
    graph.write_bytes(kept)
    with pytest.raises(UsageError, match="other bounds"):
        check(
            spec.bounded(ResourceManager=2),
            engine="native",
            watch=Watch(store=store, checkpoint=Checkpoint(file, resume=True)),
        )
    whole = check(spec, engine="native", watch=Watch(store=store, checkpoint=Checkpoint(file, resume=True)))
    alone = check(spec, engine="native", watch=Watch(store=store))
    assert whole.verdict == alone.verdict == "holds"
    assert f"liveness went on from {graph}, which had 5,000 states" in whole.notes
    for field in ("states", "transitions", "depth", "cuts", "actions", "levels"):
        assert getattr(whole.statistics, field) == getattr(alone.statistics, field)
    assert list(tmp_path.iterdir()) == []


def test_several_searches_have_no_checkpoint_in_common(tmp_path: Path) -> None:
    """Whoever went on would find that of another search, or none."""
    asked = ["two_phase_commit", "--keep-going", "--checkpoint", str(tmp_path / "checkpoint")]
    shown = CliRunner().invoke(command, asked)
    assert shown.exit_code == 2 and "one --property at a time" in shown.output and list(tmp_path.iterdir()) == []


def test_files_beside_the_checkpoint_are_left_as_they_are(tmp_path: Path) -> None:
    file, others = tmp_path / "checkpoint", [tmp_path / "checkpoint.partial", tmp_path / "checkpoint.partial-abcdef"]
    for other in others:
        other.write_text("keep me")
    left = tmp_path / "checkpoint.partial-uvwxyz"
    left.write_bytes(MAGIC + b"a search was killed while it wrote this")
    ended(Checkpoint(file))
    assert all(other.read_text() == "keep me" for other in others) and not left.exists()


def test_a_graph_is_only_touched_if_it_is_one(tmp_path: Path) -> None:
    file, graph = tmp_path / "checkpoint", tmp_path / "checkpoint.graph"
    graph.write_text("keep me")
    for checkpoint in (Checkpoint(file), Checkpoint(file, overwrite=True)):
        with pytest.raises(UsageError, match=r"checkpoint\.graph is there and is not a checkpoint"):
            ended(checkpoint)
    assert graph.read_text() == "keep me"
    graph.write_bytes(GRAPH_MAGIC)
    with pytest.raises(UsageError, match=r"whose checkpoint .* is not there any more"):
        ended(Checkpoint(file))
    left = tmp_path / "checkpoint.graph.partial-uvwxyz"
    left.write_bytes(GRAPH_MAGIC)
    ended(Checkpoint(file, overwrite=True))
    assert not graph.exists() and not left.exists() and file.exists()


def test_two_searches_with_one_checkpoint_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "checkpoint"
    with claimed(Checkpoint(file)), pytest.raises(UsageError, match="Another search"):
        ended(Checkpoint(file))
    ended(Checkpoint(file))
    assert list(tmp_path.iterdir()) == [file], "the lock is gone with the search"


def test_a_lock_file_that_is_none_is_left_as_it_is(tmp_path: Path) -> None:
    lock = tmp_path / "checkpoint.lock"
    lock.write_text("keep me")
    with pytest.raises(UsageError, match="no lock of a checkpoint"):
        ended(Checkpoint(tmp_path / "checkpoint"))
    assert lock.read_text() == "keep me"


@pytest.mark.parametrize(("place", "said"), [("", "is a directory"), ("missing/checkpoint", "no directory")])
def test_a_directory_or_a_missing_one_is_said_before_the_search(tmp_path: Path, place: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        ended(Checkpoint(tmp_path / place))
