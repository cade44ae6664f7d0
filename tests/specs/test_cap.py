"""All small policies for a replicated register in a partition: how many there are of which kind, and that none is of both."""

import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from itertools import chain, combinations, product
from typing import cast

import pytest
from quorate import Spec
from quorate.explore import check
from quorate.explore.graph import build
from quorate.language.system import System
from quorate.outcome import HoldsWithinBounds
from quorate_specs.consistency import cap
from quorate_specs.consistency.cap import (
    AsPublished,
    AsPublishedOne,
    Cap,
    DeposedPrimaryReads,
    Eventually,
    GilbertLynch,
    Group,
    MajorityWritesAnyReads,
    Node,
    StaysConsistent,
    WithoutLosses,
    can_miss,
)

from tests.specs.claims import agreed, explored, shortest

Groups = frozenset[Group]
SIGHTS = [frozenset(sight) for size in (1, 2, 3) for sight in combinations(range(3), size)]
"""What may have been reached, of three nodes of which node 0 is the primary."""


def policies() -> Iterator[tuple[Groups, Groups]]:
    """What is enough for a write, and for a read."""
    subsets = [frozenset(some) for some in chain.from_iterable(combinations(Group, size) for size in range(5))]
    return ((writes, reads) for writes in subsets for reads in subsets)


def seen(sight: frozenset[int]) -> Group:
    if 0 in sight:
        return Group.MAJORITY if len(sight) > 1 else Group.PRIMARY_ALONE
    return Group.OTHERS if len(sight) > 1 else Group.ONE_OTHER


@cache
def facts(writes: Groups, reads: Groups) -> tuple[bool, bool]:
    """Whether a policy never refuses, and never lies, in a write and two reads after it, by brute force."""
    available = consistent = True
    for written, *read in product(SIGHTS, repeat=3):
        have, answers = set(written), [1] if seen(written) in writes else []
        available &= bool(answers)
        for sight in read:
            if have & sight:
                have |= sight
            if seen(sight) in reads:
                answers.append(int(bool(have & sight)))
            else:
                available = False
        consistent &= answers == sorted(answers)
    return available, consistent


def counted() -> dict[str, int]:
    """The table of the docstring. Whether the nodes are hasty or patient, with writes and with reads, gives four policies for each."""
    found = Counter(facts(*policy) for policy in policies())
    return {
        "policies": 4 * found.total(),
        "available": 4 * (found[True, False] + found[True, True]),
        "consistent": 4 * (found[False, True] + found[True, True]),
        "both": 4 * found[True, True],
        "neither": 4 * found[False, False],
    }


def test_the_table_of_policies_is_what_is_counted() -> None:
    rows = dict(re.findall(r"^ +(policies|available|consistent|both|neither) +([\d,]+)", cap.__doc__ or "", re.M))
    assert {name: int(number.replace(",", "")) for name, number in rows.items()} == counted()
    assert counted() == {"policies": 1_024, "available": 4, "consistent": 176, "both": 0, "neither": 844}


def test_what_the_properties_call_available_and_consistent_is_what_never_refuses_and_never_lies() -> None:
    with System(Cap) as system:
        for _, state in system.initial():
            spec = cast(Cap, system.view(state))
            found = facts(frozenset(spec.writes), frozenset(spec.reads))
            assert (spec.is_available(), spec.is_consistent()) == found


def test_groups_can_miss_each_other_where_some_two_of_their_kinds_do() -> None:
    for a, b in product(Group, repeat=2):
        assert can_miss(a, b) == any(seen(x) == a and seen(y) == b and not x & y for x, y in product(SIGHTS, repeat=2))


class Hasty(Cap):
    """The policies of nodes that do not wait for more than is enough."""

    def is_tried(self) -> bool:
        return len(self.patient) == 0


@pytest.mark.deep
@pytest.mark.slow
def test_the_search_finds_a_run_against_each_policy_that_is_not_available_or_not_consistent() -> None:
    with System(Hasty) as system:
        views = [cast(Cap, system.view(state)) for state in build(system, (Node,)).states]
        refuse = {(frozenset(spec.writes), frozenset(spec.reads)) for spec in views if spec.refused}
        lie = {(frozenset(spec.writes), frozenset(spec.reads)) for spec in views if spec.inconsistent}
    for policy in policies():
        assert (policy not in refuse, policy not in lie) == facts(*policy)


def test_both_configurations_of_the_article_are_among_the_policies() -> None:
    for kind, kept in ((AsPublished, (False, True)), (AsPublishedOne, (True, False))):
        with System(kind) as system:
            first = cast(Cap, system.view(next(state for _, state in system.initial())))
            assert facts(frozenset(first.writes), frozenset(first.reads)) == kept


def test_a_node_alone_refuses_a_write_or_answers_it() -> None:
    for kind, step in ((AsPublished, "stop_waiting"), (AsPublishedOne, "answer")):
        with System(kind) as system:
            state, alone = next(state for _, state in system.initial()), next(iter(Node))
            asked = system.fire(state, system.action("write"), (alone,))
            assert asked is not None
            ends = {
                name: system.fire(asked.state, system.action(name), (frozenset({alone}),))
                for name in ("answer", "stop_waiting")
            }
            assert [name for name, end in ends.items() if end is not None] == [step]


def test_the_numbers_at_default_bounds() -> None:
    assert explored(Cap) == ("holds-within-bounds", 306_960, 570_192, 10)


@pytest.mark.slow
def test_every_policy_gives_something_up_in_the_run_of_the_proof() -> None:
    assert explored(GilbertLynch) == ("holds", 21_760, 30_720, 5)


@pytest.mark.slow
@pytest.mark.parametrize("variant", [StaysConsistent, Eventually, WithoutLosses])
def test_what_is_kept(variant: type[Spec]) -> None:
    assert isinstance(check(variant), HoldsWithinBounds)


@pytest.mark.library
@pytest.mark.slow
def test_both_engines_count_the_same() -> None:
    assert agreed(StaysConsistent) == ("holds-within-bounds", 1_212, 2_288, 8)


@pytest.mark.library
@pytest.mark.slow
@pytest.mark.parametrize(
    ("variant", "broken", "steps"),
    [
        (AsPublished, "every_request_is_answered", 2),
        (AsPublishedOne, "every_run_is_linearizable", 4),
        (MajorityWritesAnyReads, "every_run_is_linearizable", 5),
        (DeposedPrimaryReads, "every_run_is_linearizable", 5),
    ],
)
def test_the_shortest_counterexamples(variant: type[Spec], broken: str, steps: int) -> None:
    assert shortest(variant) == (broken, steps)
