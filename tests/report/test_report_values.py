"""Values read as a person would write them, fit the width asked for, and differ where they differ."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from quorate.report.measure import clip, fold, width
from quorate.report.values import differences, show
from report_traces import mapping, members, record

VOTE = record("Vote", term=1, source="s1", target="s2")

atoms = st.none() | st.booleans() | st.integers(-5, 2**80) | st.text(max_size=8)


def containers(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    lists = st.lists(inner, max_size=4)
    names = st.sampled_from(["term", "source", "target", "entries"])
    return st.one_of(
        lists,
        lists.map(lambda v: {"set": v}),
        lists.map(lambda v: {"tuple": v}),
        st.lists(st.tuples(inner, st.integers(1, 3)).map(list), max_size=3).map(lambda v: {"bag": v}),
        st.lists(st.tuples(inner, inner).map(list), max_size=3).map(lambda v: {"map": v}),
        st.lists(st.tuples(inner, inner, lists).map(list), max_size=2).map(lambda v: {"channels": v}),
        st.dictionaries(names, inner, max_size=3).map(lambda v: {"record": "Msg", "fields": v}),
    )


values = st.recursive(atoms, containers, max_leaves=12)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "∅"),
        (True, "yes"),
        (False, "no"),
        (7, "7"),
        ("LEADER", "LEADER"),
        (VOTE, "Vote(term 1, s1→s2)"),
        (record("Ping", source="s1"), "Ping(source s1)"),
        (record("Tick"), "Tick"),
        (members("s1", "s2"), "{s1, s2}"),
        (members(), "{}"),
        ([1, None], "[1, ∅]"),
        ({"tuple": ["a", 1]}, "(a, 1)"),
        (mapping(s1=0, s2=members("x")), "{s1: 0, s2: {x}}"),
        ({"bag": [["m", 2], ["n", 1]]}, "{2\N{MULTIPLICATION SIGN}m, n}"),
        ({"channels": [["a", "b", ["x"]], ["b", "a", []]]}, "{a→b: [x]}"),
        ({"strange": 1}, '{"strange": 1}'),
    ],
)
def test_each_form_of_value_has_a_short_text(value: Any, text: str) -> None:
    assert show(value) == text


def test_what_finds_no_room_is_counted() -> None:
    assert show(members(*(f"s{i}" for i in range(1, 10))), 16) == "{s1, s2, …+7}"
    assert show(record("Append", term=2, entries=[VOTE] * 3), 44) == "Append(term 2, entries [Vote(…+2), …+2])"


@given(values, st.integers(1, 60))
def test_a_width_is_kept(value: Any, limit: int) -> None:
    assert len(show(value, limit)) <= limit
    assert show(value, len(show(value))) == show(value)


@pytest.mark.parametrize(
    ("old", "new", "texts"),
    [
        (0, 1, ["0 → 1"]),
        (None, "s1", ["∅ → s1"]),
        (False, 0, ["no → 0"]),
        (members("s1"), members("s1", "s2"), ["{s1} → {s1, s2}"]),
        (members(*"abcdefgh"), members(*"bcdefghij"), ["\N{MINUS SIGN} a", "+ {i, j}"]),
        (VOTE, record("Vote", term=2, source="s1", target="s2"), [".term 1 → 2"]),
        (VOTE, record("Ping", term=2), ["Vote(term 1, s1→s2) → Ping(term 2)"]),
        (mapping(s1=[VOTE], s2=0), mapping(s1=[VOTE, VOTE], s2=0), ["[s1] + Vote(term 1, s1→s2)"]),
        ([VOTE] * 4, [VOTE], ["\N{MINUS SIGN} [Vote(term 1, s1→s2), Vote(term 1, s1→s2), Vote(term 1, s1→s2)]"]),
        ([VOTE, VOTE], [VOTE, record("Tick")], ["[1] Vote(term 1, s1→s2) → Tick"]),
        ({"channels": [["a", "b", []]]}, {"channels": [["a", "b", ["x"]]]}, ["[a→b] [] → [x]"]),
    ],
)
def test_a_difference_names_the_place_and_both_values(old: Any, new: Any, texts: list[str]) -> None:
    assert [str(difference) for difference in differences(old, new)] == texts


@given(values, values)
def test_values_differ_exactly_when_a_difference_is_told(old: Any, new: Any) -> None:
    assert differences(old, old) == ()
    if show(old) != show(new) and not _reordered(old, new):
        assert differences(old, new)


def _reordered(old: Any, new: Any) -> bool:
    """Sets, bags and maps with the same contents in another order or with repetitions are no different."""
    return (
        sorted(show(old)) == sorted(show(new)) or {"set", "bag", "map", "channels"} & _tags(old) & _tags(new) != set()
    )


def _tags(value: Any) -> set[str]:
    if isinstance(value, list):
        return set().union(*map(_tags, value)) if value else set()
    if isinstance(value, dict):
        inner = set().union(*map(_tags, value.values())) if value else set()
        return set(value) | inner
    return set()


@given(st.text(max_size=40), st.floats(30, 200), st.booleans())
def test_folded_and_clipped_text_keeps_to_its_room_and_loses_no_letter(text: str, room: float, bold: bool) -> None:
    lines = fold(text, room, 10, bold)
    assert all(width(line, 10, bold) <= room for line in lines)
    assert "".join(lines).replace(" ", "") == "".join(text.split())
    assert width(clip(text, room, 10, bold), 10, bold) <= room
