"""The log keeps what was synced, cuts off what was torn, and stops at everything else."""

from __future__ import annotations

import os
from collections.abc import Iterable
from itertools import count
from pathlib import Path
from random import Random

import pytest
from quorate_impl.core import Checkpoint, Persist, Record
from quorate_impl.simulation.disk import PowerLoss, SimulatedDisk
from quorate_impl.storage import Corrupt, Failed, OperatingSystemFiles, WriteAheadLog, files
from quorate_impl.storage.files import Files
from quorate_impl.storage.group import GroupCommit


class Number(Record, frozen=True):
    value: int
    padding: str = ""


def log_of(files: Files, segment_bytes: int = 100) -> WriteAheadLog:
    return WriteAheadLog(files, Number, segment_bytes)


def write(log: WriteAheadLog, values: Iterable[int]) -> None:
    for value in values:
        log.append([Number(value)])
        log.sync()


def values(log: WriteAheadLog) -> list[int]:
    return [record.value for record in log.records if isinstance(record, Number)]


def test_what_was_written_is_read_again_over_many_segments(tmp_path: Path) -> None:
    write(log_of(OperatingSystemFiles(tmp_path / "a" / "b")), range(50))
    again = log_of(OperatingSystemFiles(tmp_path / "a" / "b"))
    assert values(again) == list(range(50)) and again.cut == 0
    assert len(list((tmp_path / "a" / "b").iterdir())) > 5


def test_a_checkpoint_stands_for_all_before_it(tmp_path: Path) -> None:
    log = log_of(OperatingSystemFiles(tmp_path))
    write(log, range(50))
    log.checkpoint([Number(1000)])
    log.checkpoint([Number(1001)])
    write(log, range(50, 60))
    assert values(log_of(OperatingSystemFiles(tmp_path))) == [1001, *range(50, 60)]
    log.checkpoint([])
    assert values(log_of(OperatingSystemFiles(tmp_path))) == []
    assert [path.suffix for path in tmp_path.iterdir()] == [".checkpoint"]


@pytest.mark.parametrize("left", range(1, 25))
def test_a_torn_frame_is_cut_off_and_told(tmp_path: Path, left: int) -> None:
    write(log_of(OperatingSystemFiles(tmp_path), 10**6), range(3))
    (path,) = tmp_path.iterdir()
    size = path.stat().st_size
    os.truncate(path, size - left)
    again = log_of(OperatingSystemFiles(tmp_path), 10**6)
    assert values(again) == [0, 1] and again.cut == size // 3 - left
    write(again, [7])
    third = log_of(OperatingSystemFiles(tmp_path), 10**6)
    assert values(third) == [0, 1, 7] and third.cut == 0


def test_damage_before_the_tail_stops_the_node_wherever_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "_sync", lambda descriptor: None)  # What is tested needs none, and it is done 600 times.
    log = log_of(OperatingSystemFiles(tmp_path), 150)
    write(log, range(9))
    log.checkpoint([Number(100)])
    write(log, range(9, 20))
    *others, last = sorted(tmp_path.glob("*.log"))
    (checkpoint,) = tmp_path.glob("*.checkpoint")
    tail = last.stat().st_size - last.read_bytes().rfind(b"QWAL")
    places = [(path, i) for path in (checkpoint, *others) for i in range(path.stat().st_size)]
    places += [(last, i) for i in range(last.stat().st_size - tail)]
    assert len(places) > 300
    for path, i in places:
        whole = path.read_bytes()
        path.write_bytes(whole[:i] + bytes([whole[i] ^ 16]) + whole[i + 1 :])
        with pytest.raises(Corrupt):
            log_of(OperatingSystemFiles(tmp_path), 150)
        path.write_bytes(whole)
    assert values(log_of(OperatingSystemFiles(tmp_path), 150)) == [100, *range(9, 20)]


def test_a_file_that_is_gone_stops_the_node(tmp_path: Path) -> None:
    log = log_of(OperatingSystemFiles(tmp_path))
    write(log, range(3))
    log.checkpoint([Number(100)])
    write(log, range(20))
    for path in sorted(tmp_path.iterdir())[:-1]:
        whole = path.read_bytes()
        path.unlink()
        with pytest.raises(Corrupt):
            log_of(OperatingSystemFiles(tmp_path))
        path.write_bytes(whole)
    assert values(log_of(OperatingSystemFiles(tmp_path)))[0] == 100


def test_records_of_another_protocol_stop_the_node(tmp_path: Path) -> None:
    class Text(Record, frozen=True):
        value: str

    log = WriteAheadLog(OperatingSystemFiles(tmp_path), Text)
    log.append([Text("x")])
    log.sync()
    with pytest.raises(Corrupt, match="no record of this protocol"):
        log_of(OperatingSystemFiles(tmp_path))


def test_nothing_is_written_after_a_sync_that_failed() -> None:
    disk = SimulatedDisk(Random(0))
    log = log_of(disk)
    write(log, [1])
    log.append([Number(2)])
    disk.fails_sync = True
    with pytest.raises(Failed, match="Input/output error"):
        log.sync()
    for retry in (log.sync, lambda: log.append([Number(3)]), lambda: log.checkpoint([])):
        with pytest.raises(Failed, match="after a failure"):
            retry()
    disk.crash()
    assert values(log_of(disk)) == [1]


def test_a_full_disk_fails_and_what_was_durable_stays() -> None:
    disk = SimulatedDisk(Random(0))
    log = log_of(disk)
    write(log, range(5))
    disk.is_full = True
    with pytest.raises(Failed, match="No space"):
        write(log, [5])
    disk.is_full = False
    assert values(log_of(disk)) == list(range(5))


def test_a_real_full_disk_fails(tmp_path: Path) -> None:
    (tmp_path / "00000000000000000001.log").symlink_to("/dev/full")
    if not Path("/dev/full").exists():
        pytest.skip("the system has no /dev/full")
    files = OperatingSystemFiles(tmp_path)
    with pytest.raises(OSError, match="No space"):
        files.append("00000000000000000001.log", b"x")


def test_a_crash_at_any_operation_leaves_what_was_synced() -> None:
    """Frames of several sectors, segments and checkpoints; now the process is killed, now the power goes."""
    for seed in range(200):
        disk, random = SimulatedDisk(Random(seed)), Random(seed)
        safe, attempted = [], []
        for _ in range(4):
            log = log_of(disk, 2_000)
            recovered = values(log)
            assert recovered in (safe, attempted), seed
            safe = attempted = recovered
            disk.operations_left = random.randrange(25)
            try:
                for value in count(max(safe, default=0) + 1):
                    attempted = [*safe, value]
                    if random.random() < 0.2:
                        log.checkpoint([Number(each, "x" * 300) for each in attempted])
                    else:
                        log.append([Number(value, "x" * random.randrange(3_000))])
                        log.sync()
                    safe = attempted
            except PowerLoss:
                disk.operations_left = None
                if random.random() < 0.5:
                    disk.crash()


def test_writes_that_wait_go_into_one_frame() -> None:
    group = GroupCommit()
    for effect in (
        Persist(1, (Number(1),)),
        Persist(2, (Number(2), Number(3))),
        Checkpoint(3, (Number(4),)),
        Persist(4, (Number(5),)),
    ):
        group.add(effect)
    jobs = [group.take() for _ in range(4)]
    assert [(job.number, len(job.records), job.is_checkpoint) for job in jobs if job is not None] == [
        (2, 3, False),
        (3, 1, True),
        (4, 1, False),
    ]
    assert jobs[3] is None


@pytest.mark.parametrize("starts", [1, 2, 3])
def test_what_a_sync_has_failed_to_write_is_durable_when_it_is_told_again(starts: int) -> None:
    """A process that starts again finds the frame in the system's memory, which calls it synced: it must be written once more."""
    disk = SimulatedDisk(Random(0))
    log = log_of(disk)
    write(log, [1])
    log.append([Number(2)])
    disk.fails_sync = True
    with pytest.raises(Failed, match="Input/output error"):
        log.sync()
    for _ in range(starts):
        log = log_of(disk)
        assert values(log) == [1, 2]
    write(log, [3])
    disk.crash()
    assert values(log_of(disk)) == [1, 2, 3]


def test_a_system_that_dropped_what_was_not_synced_calls_it_synced() -> None:
    """What is not written once more is not on the disk, whatever later syncs say."""
    disk = SimulatedDisk(Random(0))
    disk.append("file", b"abc")
    disk.sync("file")
    disk.append("file", b"def")
    disk.fails_sync = True
    with pytest.raises(OSError, match="Input/output error"):
        disk.sync("file")
    disk.append("file", b"ghi")
    disk.sync("file")
    disk.sync_directory()
    assert disk.read("file") == b"abcdefghi"
    disk.crash()
    assert disk.read("file") == b"abc\0\0\0ghi"


def test_a_start_that_cannot_write_the_last_frame_again_is_none() -> None:
    disk = SimulatedDisk(Random(0))
    log = log_of(disk)
    write(log, [1])
    log.append([Number(2)])
    for _ in range(2):
        disk.fails_sync = True
        with pytest.raises(Failed, match="Input/output error"):
            log_of(disk)
    disk.crash()
    assert values(log_of(disk)) == [1]


def test_files_of_the_system_are_written_again_in_their_place(tmp_path: Path) -> None:
    there = OperatingSystemFiles(tmp_path)
    there.append("file", b"abcdef")
    there.rewrite("file", 3, b"def")
    there.append("file", b"ghi")
    there.rewrite("file", 0, b"abcdefghi")
    there.sync("file")
    assert there.read("file") == b"abcdefghi"
