"""Objects are only taken from where nobody else can have put them."""

from __future__ import annotations

import errno
import time
from pathlib import Path

import pytest
from quorate import cc

SOURCES = {"answer.c": "int answer(void) { return 42; }\n"}


@pytest.fixture
def base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache directory of the test's own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.mark.parametrize("part", ["", "quorate", "quorate/objects"])
@pytest.mark.parametrize("mode", [0o777, 0o1777, 0o707])
def test_a_cache_that_others_can_write_to_is_not_used(base: Path, part: str, mode: int) -> None:
    cc.load("answer", SOURCES)
    (base / part).chmod(mode)
    directory = cc.cache_directory()
    sticky_above = part != "quorate/objects" and mode == 0o1777
    assert (directory is not None) == sticky_above, "in a sticky directory others can add, and not replace"
    if directory is None:
        before = sorted(base.rglob("*"))
        assert cc.load("answer", SOURCES | {"other.h": ""}).answer() == 42
        assert sorted(base.rglob("*")) == before


def test_what_is_made_is_the_users_alone(base: Path) -> None:
    cc.load("answer", SOURCES)
    (entry,) = (base / "quorate/objects").iterdir()
    assert {folder.stat().st_mode & 0o777 for folder in (entry, entry.parent)} == {0o700}


def test_an_object_that_others_can_write_to_is_built_again(base: Path) -> None:
    cc.load("answer", SOURCES)
    (entry,) = (base / "quorate/objects").glob("*/*.so")
    entry.chmod(0o666)
    assert cc.load("answer", SOURCES).answer() == 42
    assert not entry.stat().st_mode & 0o022


def test_without_a_home_no_name_can_be_foreseen(monkeypatch: pytest.MonkeyPatch) -> None:
    def homeless() -> Path:
        raise RuntimeError

    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(Path, "home", homeless)
    assert cc.cache_directory() is None
    place = cc._of_this_process()
    assert place.stat().st_mode & 0o077 == 0 and place == cc._of_this_process()
    assert cc.load("answer", SOURCES).answer() == 42


def test_no_place_at_all_is_one_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(prefix: str) -> str:
        raise FileNotFoundError(errno.ENOENT, "No usable temporary directory")

    cc._of_this_process.cache_clear()
    monkeypatch.setattr(cc, "cache_directory", lambda: None)
    monkeypatch.setattr(cc.tempfile, "mkdtemp", full)
    with pytest.raises(cc.CompileFailed, match=r"No usable temporary directory\. Point \$TMPDIR elsewhere"):
        cc.load("answer", SOURCES)
    meanwhile = cc.Meanwhile(cc.Library("answer", SOURCES, ()))
    while not meanwhile.is_done:
        time.sleep(0.01)
    assert meanwhile.found is None


def test_a_directory_of_somebody_else_is_not_used(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cc.load("answer", SOURCES)
    owner = base.stat().st_uid
    monkeypatch.setattr(cc.os, "getuid", lambda: owner + 1)
    assert cc.cache_directory() is None


def test_a_compiler_that_is_no_command_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC", "'")
    with pytest.raises(cc.NoCompiler, match="No closing quotation"):
        cc.find()
