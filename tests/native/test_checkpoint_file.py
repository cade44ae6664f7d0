"""`--checkpoint FILE` touches nothing that is not its own checkpoint, and one search at a time uses it."""

from __future__ import annotations

from pathlib import Path

import pytest
from quorate.errors import UsageError
from quorate.explore import Checkpoint, Watch, check
from quorate.explore.native.checkpoint import MAGIC, claimed
from quorate.outcome import Outcome
from quorate_specs.transactions.two_phase_commit import TwoPhaseCommit

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


def test_files_beside_the_checkpoint_are_left_as_they_are(tmp_path: Path) -> None:
    file, others = tmp_path / "checkpoint", [tmp_path / "checkpoint.partial", tmp_path / "checkpoint.partial-abcdef"]
    for other in others:
        other.write_text("keep me")
    left = tmp_path / "checkpoint.partial-uvwxyz"
    left.write_bytes(MAGIC + b"a search was killed while it wrote this")
    ended(Checkpoint(file))
    assert all(other.read_text() == "keep me" for other in others) and not left.exists()


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
