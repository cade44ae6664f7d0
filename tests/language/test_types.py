"""Every type numbers its values, renames identities in them, and writes them as JSON, without loss."""

from __future__ import annotations

import json
from itertools import combinations, combinations_with_replacement
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from quorate.language.containers import Log
from quorate.language.control import Cut
from quorate.language.networks import Channels
from quorate.language.types import ChannelsType, ListType, NatType, NetworkType, Renaming, SetType, Type
from quorate.language.types.base import choices_cardinality, choices_decode, choices_encode

from tests.language.random_types import NODE, NOTE, Client, Level, Node, Note, types

QUIET = settings(max_examples=150)


def some(kind: Type, seed: int, most: int = 40) -> list[object]:
    """A few values of a type."""
    values = list(kind.values())
    return values if len(values) <= most else Random(seed).sample(values, most)


def renaming(seed: int) -> Renaming:
    random = Random(seed)
    return Renaming({sort: tuple(random.sample(sort.members(), len(sort))) for sort in (Node, Client)})


def inverse(names: Renaming) -> Renaming:
    turned = {}
    for sort, new in names.items():
        back = [sort.at(0)] * len(new)
        for old, name in enumerate(new):
            back[name.index] = sort.at(old)
        turned[sort] = tuple(back)
    return Renaming(turned)


@pytest.mark.slow
@QUIET
@given(types())
def test_values_are_numbered_without_gaps(kind: Type) -> None:
    values = list(kind.values())
    assert [kind.encode(value) for value in values] == list(range(kind.cardinality))
    assert len(set(values)) == len(values), "equal values have equal numbers"


@QUIET
@given(types(), st.integers(0, 99))
def test_a_renaming_is_undone_by_its_inverse_and_keeps_values_apart(kind: Type, seed: int) -> None:
    there, back = renaming(seed), inverse(renaming(seed))
    values = some(kind, seed)
    renamed = [kind.permute(value, there) for value in values]
    assert [kind.permute(value, back) for value in renamed] == values
    assert len({kind.encode(value) for value in renamed}) == len(values)
    assert [hash(value) for value in renamed] == [hash(kind.decode(kind.encode(value))) for value in renamed]


@QUIET
@given(types(), st.integers(0, 99))
def test_json_and_drafts_give_back_the_same_value(kind: Type, seed: int) -> None:
    for value in some(kind, seed):
        assert kind.from_json(json.loads(json.dumps(kind.to_json(value)))) == value
        assert kind.freeze(kind.thaw(value, Log())) == value
        assert kind.check(value) == value


@pytest.mark.parametrize(
    "data", [None, True, -1, 99, "n9", [1], {"set": [1]}, {"record": "Note", "fields": {}}, {"map": []}]
)
def test_json_that_is_no_value_of_the_type_is_refused(data: object) -> None:
    with pytest.raises(ValueError):
        NOTE.from_json(data)
    with pytest.raises(ValueError):
        NetworkType(NOTE, 2, "net", False, "net").from_json(data)


def test_channels_number_and_rename_their_queues() -> None:
    kind = ChannelsType(NOTE, 2, "net", False, "net", NODE, NODE)
    one, two = Node.members()[:2]
    first, second = Note(one, two, Level(1)), Note(one, two, Level(0))
    value = kind.check(Channels([((one, two), (first, second))]))
    assert kind.decode(kind.encode(value)) == value
    assert kind.from_json(kind.to_json(value)) == value
    swapped = kind.permute(value, Renaming({Node: (two, one, Node.members()[2])}))
    assert list(swapped.queues) == [(two, one)] and first not in swapped
    assert Note(two, one, Level(1)) in swapped and Note(two, one, Level(0)) not in swapped


def test_capacities_cut_by_name() -> None:
    level = NatType(Level, 3)
    with pytest.raises(Cut, match="Level"):
        level.check(4)
    with pytest.raises(Cut, match="log"):
        ListType(level, 2, "log").check([1, 2, 3])
    with pytest.raises(Cut, match="seen"):
        SetType(level, 1, "seen").check({1, 2})
    notes = [Note(source, target, Level(0)) for source in Node for target in Node]
    wire = ChannelsType(NOTE, 1, "wires", False, "wires", NODE, NODE)
    with pytest.raises(Cut, match="wires"):
        wire.check(Channels([((notes[0].source, notes[0].target), (notes[0], notes[0]))]))


@pytest.mark.parametrize("base", range(6))
@pytest.mark.parametrize(("drawn", "repeating"), [(combinations, False), (combinations_with_replacement, True)])
def test_sets_and_bags_are_numbered_by_size_and_then_by_their_first_difference(
    base: int, drawn: Any, repeating: bool
) -> None:
    expected: list[list[int]] = []
    for capacity in range(6):
        expected += map(list, drawn(range(base), capacity))
        assert choices_cardinality(base, capacity, repeating) == len(expected)
    assert [choices_encode(chosen, base, repeating) for chosen in expected] == list(range(len(expected)))
    assert [choices_decode(code, base, repeating) for code in range(len(expected))] == expected


def test_numbers_of_sets_are_found_where_no_loop_could_reach() -> None:
    base, chosen = 10**30, [0, 7, 10**29]
    assert choices_decode(choices_encode(chosen, base), base) == chosen
    twice = [7, *chosen[1:]]
    assert choices_decode(choices_encode(twice, base, repeating=True), base, repeating=True) == twice
