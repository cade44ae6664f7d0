"""`quorate.lock` says what was found, and `explained` how two findings differ, in words."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from quorate.errors import UsageError
from quorate.pipeline.lock import Finding, Lock, changed_pieces, explained, read
from quorate.pipeline.sources import Piece

FOUND = Finding(
    "holds-within-bounds",
    {"Server": 3, "Term": 2},
    ["Server"],
    states=30,
    transitions=90,
    depth=3,
    levels=[1, 9, 12, 8],
    actions={"win": 30, "vote": 59},
    cuts={"Term": 4},
)
BROKEN = Finding("violates one_leader", {"Server": 3}, counterexample=7)
NAME = ("specs/my raft.py", "Raft", "default")


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    lock = Lock().updated(
        {NAME: FOUND, ("raft", "Rüde", "nightly"): BROKEN}, (), {"a b.py": {"(file)": Piece("12ab", 1)}}
    )
    file = tmp_path / "quorate.lock"
    file.write_text(lock.text(), encoding="utf-8")
    assert read(file) == lock
    assert file.read_text(encoding="utf-8").count("\n[found.") == 2


def test_what_is_found_empty_is_read_as_it_was_found(tmp_path: Path) -> None:
    """A lock that is up to date says so, also of laws, which have no levels."""
    numbers: dict[str, object] = {"symmetry": [], "levels": [], "actions": {}, "cuts": {}, "states": 0, "trace": None}
    lock = Lock().updated({NAME: Finding.of("holds", numbers)}, (), {})
    file = tmp_path / "quorate.lock"
    file.write_text(lock.text(), encoding="utf-8")
    assert read(file) == lock


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('states = "x"', "Expected `int`"),
        ("levels = 5", "Expected `array`"),
        ("levels = ['a']", "Expected `int`"),
        ("bounds = 'a'", "Expected `object`"),
        ("actions = { up = true }", "Expected `int`"),
        ("cuts = 3", "Expected `object`"),
        ("more = 3", "unexpected keyword argument"),
    ],
)
def test_a_lock_with_a_value_of_another_type_is_refused(line: str, said: str, tmp_path: Path) -> None:
    file = tmp_path / "quorate.lock"
    file.write_text(f'format = "quorate-lock-1"\n[found.spec.Main.default]\nverdict = "holds"\n{line}\n')
    with pytest.raises(UsageError, match=f"is not as `--update` writes it: .*{said}"):
        read(file)


def test_an_update_keeps_what_was_not_checked_and_leaves_out_what_is_gone() -> None:
    old = Lock({NAME: FOUND, ("a", "A", "default"): BROKEN, ("a", "Gone", "default"): BROKEN}, {"x.py": {"f": "1"}})
    new = old.updated({NAME: BROKEN}, [("a", "Gone", "default")], {"y.py": {"g": Piece("2", 1)}})
    assert new.findings == {NAME: BROKEN, ("a", "A", "default"): BROKEN}
    assert new.pieces == {"x.py": {"f": "1"}, "y.py": {"g": "2"}}


def test_what_is_no_lock_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "quorate.lock"
    assert read(file) is None
    for text in ("format = 3", "= 1", 'format = "quorate-lock-1"\n[found.a.A.default]\nverdit = "holds"\n'):
        file.write_text(text, encoding="utf-8")
        with pytest.raises(UsageError, match=r"quorate\.lock"):
            read(file)


def test_equal_findings_need_no_words() -> None:
    assert explained(FOUND, replace(FOUND, symmetry=("Server",))) == []


@pytest.mark.parametrize(
    ("new", "words"),
    [
        (replace(FOUND, states=27, levels=[1, 9, 12, 5]), ["3 states fewer (8 became 5) at depth 3"]),
        (
            replace(FOUND, states=34, levels=[1, 9, 13, 10, 1], depth=4),
            [
                "4 states more (30 became 34), the first difference at depth 2: 12 became 13",
                "the depth is 4 instead of 3",
            ],
        ),
        (
            replace(FOUND, levels=[1, 9, 13, 7]),
            ["as many states in all, the first difference at depth 2: 12 became 13"],
        ),
        (
            replace(FOUND, transitions=78, actions={"win": 18, "vote": 59}),
            ["12 transitions fewer (90 became 78)", "action `win` fires 12 times less often (30 became 18)"],
        ),
        (
            replace(FOUND, actions={"win": 0, "elect": 59}),
            [
                "action `win`, which fired 30 times, never fires",
                "action `vote`, which fired 59 times, is gone",
                "action `elect` is new and fires 59 times",
            ],
        ),
        (replace(FOUND, cuts={"Term": 5}), ["Term cuts 5 transitions instead of 4"]),
        (
            replace(FOUND, verdict="holds", cuts={}),
            ["it was `holds-within-bounds` and is `holds`", "Term cuts 0 transitions instead of 4"],
        ),
        (
            replace(FOUND, bounds={"Server": 4}, states=900),
            ["the bounds were Server=3, Term=2 and are Server=4: the numbers are not compared"],
        ),
        (
            replace(FOUND, symmetry=[], states=900),
            ["it was explored with symmetry over Server and now over nothing: the numbers are not compared"],
        ),
    ],
)
def test_differences_are_told_in_words(new: Finding, words: list[str]) -> None:
    assert explained(FOUND, new) == words


def test_the_length_of_a_counterexample_counts() -> None:
    assert explained(BROKEN, replace(BROKEN, counterexample=9)) == ["the counterexample has 9 steps instead of 7"]


def test_of_what_has_changed_the_innermost_is_named_with_its_line() -> None:
    lock = Lock(pieces={"raft.py": {"Raft": "1", "Raft.win": "2", "helper": "3"}})
    now = {
        "raft.py": {"Raft": Piece("0", 3), "Raft.win": Piece("0", 9), "Raft.vote": Piece("4", 14)},
        "new.py": {"(file)": Piece("5", 1)},
    }
    assert [str(changed) for changed in changed_pieces(lock, now)] == [
        "raft.py:9 Raft.win",
        "raft.py:14 Raft.vote",
        "raft.py helper (gone)",
        "new.py (not in the lock)",
    ]
