"""The regional feed: runs by hand, numbers of states, and shortest counterexamples."""

import pytest
from quorate import Disabled, Spec
from quorate.language.system import System
from quorate_specs.replication.regional_feed import (
    AsPublished,
    Confirm,
    DropsOrphans,
    FanOut,
    Feed,
    OutboxInMemory,
    PinnedForSeconds,
    Post,
    Region,
    RegionalFeed,
    SendsOnce,
    ShowsOrphans,
    User,
)

from tests.specs.claims import agreed, explored, shortest

HERE, THERE = Region
ANN, BOB = User
P, Q = Post


def posted(spec: type[RegionalFeed]) -> RegionalFeed:
    """Ann, whose home is here, has written while there. Regions have no default, so a run begins in an initial state."""
    system = System(spec)
    chosen = ({ANN: HERE, BOB: HERE}, {ANN: THERE, BOB: HERE})
    with system:
        state = next(state for arguments, state in system.initial() if arguments == chosen)
    run = object.__new__(spec)
    run._begin(system, state)
    run.write(ANN, P)
    return run


def test_a_session_reads_at_home_until_the_nearest_region_has_confirmed() -> None:
    run = posted(RegionalFeed)
    run.read(ANN)
    assert run.feed[ANN] == Feed(HERE, frozenset({P})) and run.region_for(ANN) == HERE
    run.fan_out(HERE, THERE, P)
    run.show(THERE, FanOut(HERE, THERE, P))
    assert run.region_for(ANN) == HERE
    run.note_confirmation(HERE, Confirm(THERE, HERE, P))
    assert run.region_for(ANN) == THERE


def test_an_answer_waits_for_its_question() -> None:
    run = posted(RegionalFeed)
    run.read(BOB)
    run.answer(BOB, Q, P)
    run.fan_out(HERE, THERE, Q)
    with pytest.raises(Disabled):
        run.show(THERE, FanOut(HERE, THERE, Q))
    run.fan_out(HERE, THERE, P)
    run.show(THERE, FanOut(HERE, THERE, P))
    run.show(THERE, FanOut(HERE, THERE, Q))
    assert run.shown[THERE] == {P, Q}


def test_as_published_the_author_does_not_see_the_own_post() -> None:
    run = posted(AsPublished)
    run.read(ANN)
    assert run.feed[ANN] == Feed(THERE, frozenset())


def test_with_one_post_nothing_is_answered_as_both_engines_find() -> None:
    assert agreed(RegionalFeed.bounded(Post=1)) == ("violated", 970, 6_156, 10)


@pytest.mark.library
@pytest.mark.slow
def test_at_the_default_bounds_there_are_so_many_states() -> None:
    assert explored(RegionalFeed, "native") == ("holds", 29_650, 259_624, 17)


@pytest.mark.library
@pytest.mark.slow
@pytest.mark.parametrize(
    ("spec", "property_broken", "steps"),
    [
        (AsPublished, "read_your_writes", 2),
        (PinnedForSeconds, "read_your_writes", 3),
        (ShowsOrphans, "no_answer_before_its_question", 6),
        (DropsOrphans, "posts_appear_everywhere", 10),
        (SendsOnce, "posts_appear_everywhere", 2),
        (OutboxInMemory, "posts_appear_everywhere", 2),
    ],
)
def test_each_mistake_shows_after_so_many_steps(spec: type[Spec], property_broken: str, steps: int) -> None:
    assert shortest(spec) == (property_broken, steps)
