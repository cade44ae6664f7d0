"""Locks with leases: what tokens protect, and what Redlock rests on."""

import pytest
from quorate import Disabled, Spec
from quorate.language.system import System
from quorate_specs.coordination.lease_lock import (
    Client,
    ClockJumps,
    FencesWritesOnly,
    ForgetsLoans,
    Granted,
    LateCheck,
    LeaseLock,
    NoFencing,
    NoLease,
    Read,
    Redlock,
    Shows,
    Store,
    Time,
    Token,
    TokensInMemory,
    Write,
)

from tests.specs.claims import agreed, shortest

SMALL = {"Client": 2, "Token": 2}


def with_two_believers(lock: LeaseLock) -> None:
    """The first two clients hold the lock, the first under a lease that has ended."""
    a, b, *_ = Client
    for number, c in enumerate((a, b), 1):
        lock.ask(c)
        lock.grant(c)
        lock.obtain(Granted(c, Token(number)))
        if c == a:
            lock.expire()


def read_as(lock: LeaseLock, c: Client, token: int) -> None:
    lock.read(c)
    lock.serve_read(Read(c, Token(token)))
    lock.learn(Shows(c, Token(token), lock.value))


def test_the_late_write_of_a_paused_holder_is_refused() -> None:
    with System(LeaseLock):
        lock, (a, b, *_) = LeaseLock(), Client
        with_two_believers(lock)
        read_as(lock, a, 1)
        lock.write(a)
        read_as(lock, b, 2)
        with pytest.raises(Disabled):
            lock.serve_write(Write(a, Token(1), Token(1)))
        lock.write(b)
        lock.serve_write(Write(b, Token(2), Token(1)))
        assert lock.value == 1 and lock.updates == {2}


def test_tokens_on_writes_alone_let_the_late_write_in() -> None:
    with System(FencesWritesOnly):
        lock, (a, b) = FencesWritesOnly(), Client
        with_two_believers(lock)
        read_as(lock, a, 1)
        lock.write(a)
        read_as(lock, b, 2)
        lock.serve_write(Write(a, Token(1), Token(1)))
        lock.write(b)
        lock.serve_write(Write(b, Token(2), Token(1)))
        assert lock.value == 1 and lock.updates == {1, 2}


def test_a_service_that_restarts_goes_on_counting() -> None:
    with System(LeaseLock):
        lock, (a, b, *_) = LeaseLock(), Client
        lock.ask(a)
        lock.ask(b)
        lock.grant(a)
        lock.restart_service()
        lock.grant(b)
        assert Granted(b, Token(2)) in lock.network


def test_a_store_that_restarts_keeps_silent_for_the_length_of_a_loan() -> None:
    with System(Redlock):
        lock, (a, b), (s, *_) = Redlock(), Client, Store
        lock.begin(a)
        lock.begin(b)
        lock.lend(s, a)
        lock.restart(s)
        lock.tick()
        with pytest.raises(Disabled):
            lock.lend(s, b)
        lock.tick()
        assert lock.silent_until[s] == lock.now == Time(2)


def test_a_holder_of_redlock_whose_loan_may_have_ended_does_not_act() -> None:
    with System(Redlock):
        lock, (a, _), (s, t, _) = Redlock(), Client, Store
        lock.begin(a)
        lock.lend(s, a)
        lock.lend(t, a)
        lock.enter(a)
        lock.tick()
        lock.read(a)
        lock.tick()
        with pytest.raises(Disabled):
            lock.write(a)


@pytest.mark.library
@pytest.mark.slow
def test_both_engines_count_the_same() -> None:
    assert agreed(LeaseLock.bounded(**SMALL)) == ("holds", 398, 1_520, 20)
    assert agreed(Redlock.bounded(Time=2)) == ("holds-within-bounds", 972, 1_480, 19)


@pytest.mark.library
@pytest.mark.slow
@pytest.mark.parametrize(
    ("variant", "broken", "steps"),
    [
        (NoFencing, "mutual_exclusion", 11),
        (FencesWritesOnly, "no_update_is_lost", 17),
        (NoLease, "crashed_holder_loses_the_lock", 3),
        (TokensInMemory, "tokens_are_unique", 7),
        (LateCheck, "no_update_is_lost", 14),
        (ForgetsLoans, "mutual_exclusion", 9),
        (ClockJumps, "mutual_exclusion", 9),
    ],
)
def test_the_shortest_counterexamples(variant: type[Spec], broken: str, steps: int) -> None:
    assert shortest(variant) == (broken, steps)
