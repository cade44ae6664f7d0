"""What is said of abstract values is so of all values that they stand for; "maybe" is never taken for "surely"."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from enum import Enum

import pytest
from quorate import Nat, Ordered, Scalarset, record
from quorate.language.resolve import Configuration, resolve
from quorate.language.types import RecordType, TupleType, Type, UnionType
from quorate.model import totality
from quorate.model.abstract import Abstract, Answer, Built, Exactly, Some, all_of, any_of, belongs, equal
from quorate.model.footprints import UNDERSTOOD
from quorate.model.nodes import Op


class Node(Scalarset, size=2):
    """A node."""


class Rank(Ordered, size=2):
    """A rank."""


class Level(Nat, max=1):
    """A level."""


class Mood(Enum):
    """A mood."""

    GOOD = "good"
    BAD = "bad"


@record
class Note:
    """A note."""

    level: Level
    mood: Mood | None


@record
class Letter:
    """Another message with the same fields."""

    level: Level
    mood: Mood | None


KINDS = (
    bool,
    None,
    Level,
    Node,
    Rank,
    Mood,
    Note,
    Letter,
    Note | None,
    Note | Letter,
    Level | None,
    tuple[Level, bool],
)


def _kinds() -> list[Type]:
    return [resolve(kind, "test", Configuration(capacities={})) for kind in KINDS]


def _all(value: Abstract) -> list[object]:
    match value:
        case Exactly(value=exact):
            return [exact]
        case Some(kind=kind):
            return list(kind.values())
        case Built(kind=TupleType(), parts=parts):
            return list(itertools.product(*map(_all, parts)))
        case Built(kind=RecordType(sort=sort), parts=parts):
            return [sort(*values) for values in itertools.product(*map(_all, parts))]
    raise AssertionError(value)


def _abstract() -> Iterator[Abstract]:
    for kind in _kinds():
        yield Some(kind)
        yield from map(Exactly, kind.values())
        if isinstance(kind, RecordType | TupleType):
            choices = [[Some(part), *map(Exactly, part.values())] for part in kind.kinds]
            yield from (Built(kind, parts) for parts in itertools.product(*choices))


def _is_of(kind: Type, value: object) -> bool:
    return any(_is_of(part, value) for part in kind.kinds) if isinstance(kind, UnionType) else kind.accepts(value)


def test_answers_about_a_class_are_right_for_every_value() -> None:
    certain = 0
    for value, kind in itertools.product(_abstract(), _kinds()):
        found = {_is_of(kind, exact) for exact in _all(value)}
        answer = belongs(value, kind)
        assert answer.possible or found == {False}, (value, kind)
        assert not answer.certain or found == {True}, (value, kind)
        certain += answer is not Answer.MAYBE
    assert certain > 300, "most answers are definite"


def test_answers_about_equality_are_right_for_every_pair_of_values() -> None:
    definite = 0
    for one, other in itertools.product(list(_abstract()), repeat=2):
        found = {a == b for a, b in itertools.product(_all(one), _all(other))}
        answer = equal(one, other)
        assert answer.possible or found == {False}, (one, other)
        assert not answer.certain or found == {True}, (one, other)
        definite += answer is not Answer.MAYBE
    assert definite > 1_000


def test_a_record_is_certainly_not_none_and_a_union_with_none_is_neither() -> None:
    note, none, either = (resolve(kind, "test", Configuration(capacities={})) for kind in (Note, None, Note | None))
    assert isinstance(note, RecordType)
    built = Built(note, tuple(map(Some, note.kinds)))
    assert belongs(built, none) is Answer.NO and belongs(built, note) is Answer.YES
    assert belongs(Some(either), none) is Answer.MAYBE and belongs(Some(either), note) is Answer.MAYBE


def test_an_answer_is_no_truth_value() -> None:
    with pytest.raises(TypeError, match="possible"):
        bool(Answer.MAYBE)
    assert all_of([]) is Answer.YES and any_of([]) is Answer.NO
    assert all_of([Answer.YES, Answer.MAYBE]) is Answer.MAYBE and any_of([Answer.NO, Answer.MAYBE]) is Answer.MAYBE


def test_true_is_not_one() -> None:
    assert Exactly(True) != Exactly(1) and equal(Exactly(True), Exactly(1)) is Answer.YES


def test_every_operator_is_understood_by_footprints_and_is_total_or_not() -> None:
    assert set(Op) == UNDERSTOOD, "what is missing reads and changes everything"
    both = totality.TOTAL | totality.FALLIBLE
    assert both == set(Op) and not totality.TOTAL & totality.FALLIBLE
