"""The causal store: random runs as `quorate.consistency` judges them, numbers of states, and shortest counterexamples."""

from random import Random

import pytest
from quorate import Disabled, Spec
from quorate.consistency import History, judge
from quorate.consistency.history import Operation
from quorate.language.system import System
from quorate_specs.replication.causal_store import (
    CausalStore,
    Client,
    ClientsStay,
    ConfirmsOnReceipt,
    DependsOnOwnWrites,
    DropsWhatIsEarly,
    Key,
    LastMessageWins,
    MovesWithoutContext,
    NewerWillDo,
    NoDependencyCheck,
    OnlyWritesCount,
    Region,
    Update,
)

from tests.specs.claims import agreed, explored, shortest

SESSIONS = ("read-your-writes", "monotonic-reads", "monotonic-writes", "writes-follow-reads")


def wander(spec: type[CausalStore], seed: int, steps: int = 60) -> History:
    """A random run of so many attempts, as its clients see it."""
    chance, seen = Random(seed), list[Operation]()

    def note(c: Client, function: str, k: Key, argument: Update | None, result: Update | None) -> None:
        number, told = len(seen), None if result is None else str(result)
        written = None if argument is None else str(argument)
        seen.append(Operation(number, str(c), function, written, told, 2 * number, 2 * number + 1, str(k)))

    def act() -> None:
        c, k, r, u = (chance.choice(list(sort)) for sort in (Client, Key, Region, Update))
        match chance.choice(["get", "get", "put", "apply", "apply", "move"]):
            case "get":
                run.get(c, k)
                answer = run.answer[c]
                assert answer is not None
                note(c, "read", k, None, answer.update)
            case "put":
                run.put(c, k, u)
                note(c, "write", k, u, None)
            case "apply" if len(run.network) > 0:
                run.apply(r, chance.choice(sorted(run.network, key=str)))
            case "move" if "move" not in spec.omits:
                run.move(c, r)

    larger = spec.bounded(Update=6, Number=6, network=6)
    with System(larger):
        run = larger()
        run.clients_live_somewhere({c: chance.choice(list(Region)) for c in Client})
        for _ in range(steps):
            try:
                act()
            except Disabled:
                continue
    return History.of(seen)


@pytest.mark.parametrize("spec", [CausalStore, ClientsStay])
def test_what_clients_see_is_causal_and_convergent_and_has_the_session_guarantees(spec: type[CausalStore]) -> None:
    for seed in range(40):
        history = wander(spec, seed)
        for level in ("causal", "causal-convergence", *SESSIONS):
            assert judge(history, level).verdict == "satisfied", (seed, level)


@pytest.mark.parametrize("spec", [NoDependencyCheck, LastMessageWins, MovesWithoutContext, OnlyWritesCount])
def test_the_judge_of_histories_sees_the_mistake_too(spec: type[CausalStore]) -> None:
    assert any(judge(wander(spec, seed), "causal").verdict == "violated" for seed in range(40))


def test_who_moves_waits_for_the_own_write_and_then_reads_it() -> None:
    run = CausalStore()
    c, d = Client
    here, there = Region
    k, _ = Key
    u, _ = Update
    run.clients_live_somewhere({c: here, d: here})
    run.put(c, k, u)
    run.move(c, there)
    with pytest.raises(Disabled):
        run.get(c, k)
    (message,) = run.network
    run.apply(there, message)
    run.get(c, k)
    answer = run.answer[c]
    assert answer is not None and answer.update == u


def test_with_one_write_nothing_conflicts_as_both_engines_find() -> None:
    assert agreed(CausalStore.bounded(Update=1)) == ("violated", 393, 2_686, 7)


@pytest.mark.library
@pytest.mark.slow
def test_at_the_default_bounds_there_are_so_many_states() -> None:
    assert explored(CausalStore, "native") == ("holds", 16_176, 121_798, 13)
    assert explored(ClientsStay, "native") == ("holds", 62_133, 416_983, 14)


@pytest.mark.library
@pytest.mark.slow
@pytest.mark.parametrize(
    ("spec", "property_broken", "steps"),
    [
        (NoDependencyCheck, "causal", 5),
        (NewerWillDo, "read_your_writes", 5),
        (ConfirmsOnReceipt, "monotonic_writes", 5),
        (DropsWhatIsEarly, "regions_converge", 4),
        (DependsOnOwnWrites, "writes_follow_reads", 4),
        (LastMessageWins, "read_your_writes", 6),
        (MovesWithoutContext, "read_your_writes", 3),
        (OnlyWritesCount, "monotonic_reads", 4),
    ],
)
def test_each_mistake_shows_after_so_many_steps(spec: type[Spec], property_broken: str, steps: int) -> None:
    assert shortest(spec) == (property_broken, steps)
