"""The C compiler and its cache: what is promised under faults."""

from __future__ import annotations

import ctypes
import errno
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from quorate import cc
from quorate.errors import QuorateError

SOURCES = {"answer.c": '#include "answer.h"\nint answer(void) { return ANSWER; }\n', "answer.h": "#define ANSWER 42\n"}


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty cache of the test's own, and the machine's usual compiler."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.delenv("CFLAGS", raising=False)
    yield tmp_path / "cache" / "quorate" / "objects"


def objects(cache: Path) -> list[Path]:
    return sorted(cache.glob("*/*.so"))


def no_building(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> Path:
        raise AssertionError("the compiler was called")

    monkeypatch.setattr(cc.Compiler, "build", refuse)


def test_sources_become_callable_functions() -> None:
    assert cc.load("answer", SOURCES).answer() == 42


def test_a_second_load_does_not_call_the_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    cc.load("answer", SOURCES)
    no_building(monkeypatch)
    assert cc.load("answer", SOURCES).answer() == 42


@pytest.mark.parametrize("change", ["source", "header", "flags", "flags of the user", "compiler"])
def test_any_change_of_the_inputs_builds_anew(cache: Path, change: str, monkeypatch: pytest.MonkeyPatch) -> None:
    cc.load("answer", SOURCES)
    sources, flags = dict(SOURCES), []
    if change == "source":
        sources["answer.c"] += "\n"
    elif change == "header":
        sources["answer.h"] = "#define ANSWER 43\n"
    elif change == "flags":
        flags = ["-O1"]
    elif change == "flags of the user":
        monkeypatch.setenv("CFLAGS", "-Og")
    else:
        monkeypatch.setenv("CC", "gcc -Wall")
    loaded = cc.load("answer", sources, flags)
    assert loaded.answer() == (43 if change == "header" else 42)
    assert len(list(cache.iterdir())) == 2


def test_flags_of_the_user_come_last_and_win(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CFLAGS", "-DANSWER=44 '-include' answer.h")
    asking = {"answer.c": "int answer(void) { return ANSWER; }\n", "answer.h": ""}
    assert cc.load("answer", asking, ["-DANSWER=43", "-w"]).answer() == 44
    monkeypatch.setenv("CFLAGS", "'-Og")
    with pytest.raises(cc.NoCompiler, match=r"\$CFLAGS is \"'-Og\", which no shell could read"):
        cc.load("answer", SOURCES)


@pytest.mark.parametrize("damage", [b"", b"not an object", None])
def test_a_damaged_entry_is_rebuilt(cache: Path, damage: bytes | None) -> None:
    cc.load("answer", SOURCES)
    (entry,) = objects(cache)
    # A loaded object's file must not change under it, so the damage is done to a new file of the same name.
    whole = entry.read_bytes()
    entry.unlink()
    entry.write_bytes(whole[: len(whole) // 2] if damage is None else damage)
    assert cc.load("answer", SOURCES).answer() == 42
    assert objects(cache)[0].read_bytes() == whole


def test_a_file_left_by_a_killed_builder_is_not_taken_for_an_object(cache: Path) -> None:
    cc.load("answer", SOURCES)
    (entry,) = objects(cache)
    leftover = entry.parent / f"{cc.PARTIAL}abc"
    leftover.write_bytes(entry.read_bytes()[:100])
    entry.unlink()
    assert cc.load("answer", SOURCES).answer() == 42
    assert leftover.exists()


def test_a_directory_that_cannot_be_made_falls_back_to_a_temporary_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocked = tmp_path / "blocked"
    blocked.write_text("a file where the cache directory should be")
    monkeypatch.setenv("XDG_CACHE_HOME", str(blocked))
    assert cc.load("answer", SOURCES).answer() == 42


def test_a_full_disk_at_the_cache_falls_back_and_leaves_nothing(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert cc.load("answer", SOURCES).answer() == 42
    assert [file for file in cache.rglob("*") if file.is_file()] == []


def test_no_writable_directory_at_all_is_one_clear_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> str:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(cc.tempfile, "mkdtemp", full)
    with pytest.raises(QuorateError, match=r"No space left on device.*TMPDIR"):
        cc.load("answer", SOURCES)


def test_concurrent_builders_all_succeed(cache: Path) -> None:
    program = f"from quorate import cc; assert cc.load('answer', {SOURCES!r}).answer() == 42"
    running = [subprocess.Popen([sys.executable, "-c", program], stderr=subprocess.PIPE) for _ in range(4)]
    assert [(process.wait(), process.communicate()[1]) for process in running] == [(0, b"")] * 4
    assert list(cache.rglob(f"{cc.PARTIAL}*")) == []


def test_an_error_in_the_source_shows_the_compilers_first_lines() -> None:
    with pytest.raises(cc.CompileFailed, match=r"broken\.c:1.*") as caught:
        cc.load("broken", {"broken.c": "int f(void) { return undeclared_name; }\n"})
    assert "undeclared_name" in str(caught.value) and "--engine reference" in str(caught.value)


def test_many_errors_are_cut_short() -> None:
    with pytest.raises(cc.CompileFailed, match=r"and \d+ more lines") as caught:
        cc.load("broken", {"broken.c": "int f(void) { return a; }\n" * 40})
    assert len(str(caught.value).splitlines()) <= cc.SHOWN_LINES + 5


def test_a_compiler_named_by_cc_that_does_not_exist_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC", "no-such-compiler -O3")
    with pytest.raises(cc.NoCompiler, match="no-such-compiler"):
        cc.load("answer", SOURCES)


def test_under_windows_no_compiler_is_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    with pytest.raises(cc.NoCompiler, match="need Linux or macOS"):
        cc.find()


def test_no_compiler_at_all_says_how_to_get_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(cc, "find_spec", lambda _: None)
    with pytest.raises(cc.NoCompiler, match=r"quorate\[compiler\]"):
        cc.find()


def test_the_cache_does_not_grow_without_limit(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cc, "ENTRIES_MAX", 2)
    for value in range(4):
        sources = {"answer.c": f"int answer(void) {{ return {value}; }}\n"}
        assert cc.load("answer", sources).answer() == value
    assert len(objects(cache)) == 2


COMMON = {"common.c": '#include "answer.h"\nint common(void) { return ANSWER; }\n', "answer.h": "#define ANSWER 42\n"}


def compiled_units(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the compiler compiles from now on, unit by unit."""
    seen: list[str] = []
    started = cc._started

    def noting(command: list[str], folder: Path) -> subprocess.Popen[str]:
        if "-c" in command:
            seen.append(command[command.index("-o") + 2])
        return started(command, folder)

    monkeypatch.setattr(cc, "_started", noting)
    return seen


def with_common(added: int) -> dict[str, str]:
    return COMMON | {"own.c": f"int common(void);\nint own(void) {{ return common() + {added}; }}\n"}


def test_a_unit_that_libraries_have_in_common_is_compiled_once(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = compiled_units(monkeypatch)
    assert [cc.built(cc.Library("own", with_common(added), (), "common.c")).own() for added in (1, 2)] == [43, 44]
    assert sorted(seen) == ["common.c", "own.c", "own.c"]
    changed = with_common(1) | {"answer.h": "#define ANSWER 7\n"}
    assert cc.built(cc.Library("own", changed, (), "common.c")).own() == 8
    assert seen.count("common.c") == 2


def test_a_damaged_common_unit_is_compiled_again(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cc.built(cc.Library("own", with_common(1), (), "common.c"))
    (kept,) = cache.glob("*/*.o")
    kept.write_bytes(kept.read_bytes()[:100])
    seen = compiled_units(monkeypatch)
    assert cc.built(cc.Library("own", with_common(2), (), "common.c")).own() == 44
    assert sorted(seen) == ["common.c", "own.c"]


def test_a_cache_that_cannot_be_written_is_read_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a file system that is mounted so."""

    def read_only(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    cc.built(cc.Library("own", with_common(1), (), "common.c"))
    for module, name in ((os, "utime"), (cc.tempfile, "mkstemp")):
        monkeypatch.setattr(module, name, read_only)
    seen = compiled_units(monkeypatch)
    assert cc.built(cc.Library("own", with_common(2), (), "common.c")).own() == 44 and seen == ["own.c"]
    no_building(monkeypatch)
    assert cc.built(cc.Library("own", with_common(1), (), "common.c")).own() == 43


def test_what_the_compiler_says_of_one_of_several_units_is_shown() -> None:
    with pytest.raises(cc.CompileFailed, match=r"undeclared_name"):
        cc.built(cc.Library("own", COMMON | {"own.c": "int own(void) { return undeclared_name; }\n"}, (), "common.c"))


def test_flags_of_its_own_are_not_those_of_the_common_unit(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = compiled_units(monkeypatch)
    sources = with_common(1) | {"own.c": "int common(void);\nint own(void) { return common() + ADDED; }\n"}
    one, two = (cc.Library("own", sources, (), "common.c", (f"-DADDED={added}",)) for added in (1, 2))
    assert cc.kept(one) is None
    assert (cc.built(one).own(), cc.built(two).own()) == (43, 44)
    assert sorted(seen) == ["common.c", "own.c", "own.c"]
    found = cc.kept(one)
    assert found is not None and found.own() == 43


def test_what_is_built_meanwhile_is_there_in_the_end() -> None:
    building = cc.Meanwhile(cc.Library("answer", SOURCES))
    while not building.is_done:
        time.sleep(0.01)
    assert building.found is not None and building.found.answer() == 42


COUNTER = {"counter.c": "static int count;\nint next(void) { return ++count; }\n"}


def ended(building: cc.Meanwhile) -> cc.Meanwhile:
    while not building.is_done:
        time.sleep(0.01)
    return building


def test_what_is_found_meanwhile_has_variables_of_its_own() -> None:
    first = ended(cc.Meanwhile(cc.Library("counter", COUNTER))).found
    others = cc.load("counter", COUNTER)
    second = ended(cc.Meanwhile(cc.Library("counter", COUNTER))).found
    assert first is not None and second is not None
    assert [one.next() for one in (first, first, others, second, others, second)] == [1, 2, 1, 1, 2, 2]


def test_what_is_removed_meanwhile_is_nobody_elses(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The cache may lose a file between the moment in which it is taken and the one in which it is copied."""
    others = cc.load("counter", COUNTER)
    take = cc._take

    def taken(entry: Path) -> ctypes.CDLL | None:
        found = take(entry)
        shutil.rmtree(cache)
        return found

    monkeypatch.setattr(cc, "_take", taken)
    found = ended(cc.Meanwhile(cc.Library("counter", COUNTER))).found
    assert found is None and others.next() == 1


def test_what_is_not_needed_any_more_is_not_built(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compiler = tmp_path / "compiler"
    compiler.write_text(f"#!/bin/sh\necho $$ > {tmp_path}/started\nsleep 60\n")
    compiler.chmod(0o700)
    monkeypatch.setenv("CC", str(compiler))
    building = cc.Meanwhile(cc.Library("answer", SOURCES))
    while not (tmp_path / "started").exists() or not (tmp_path / "started").read_text():
        time.sleep(0.01)
    building.stop()
    assert building.is_done and building.found is None and objects(cache) == []
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "started").read_text()), 0)
