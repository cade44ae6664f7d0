"""Requests that are repeated, and what they do the second time."""

import pytest
from quorate import Spec
from quorate.language.system import System
from quorate_specs.coordination.idempotent_requests import (
    AsksOnce,
    Balance,
    Client,
    ForgetsKeys,
    IdempotentRequests,
    Key,
    KeyPerAttempt,
    NoKeys,
    Paid,
    Pay,
    TableInMemory,
)

from tests.specs.claims import agreed, shortest


def paid_before_a_restart(bank: IdempotentRequests) -> Client:
    """The first client's payment was made, the answer was lost, and the server has restarted."""
    c = next(iter(Client))
    bank.pay(c)
    bank.serve(Pay(c, Key(0)))
    bank.network.drop(Paid(c, Key(0), Balance(1)))
    bank.crash()
    bank.restart()
    return c


def test_a_repetition_after_a_restart_gets_the_first_answer() -> None:
    with System(IdempotentRequests):
        bank = IdempotentRequests()
        c = paid_before_a_restart(bank)
        bank.retry(c)
        bank.serve(Pay(c, Key(0)))
        bank.learn(Paid(c, Key(0), Balance(1)))
        assert bank.balance == bank.payments[c] == 1


def test_a_table_in_memory_pays_again_after_a_restart() -> None:
    with System(TableInMemory):
        bank = TableInMemory()
        c = paid_before_a_restart(bank)
        bank.serve(Pay(c, Key(0)))
        assert bank.payments[c] == 2


@pytest.mark.library
@pytest.mark.slow
def test_both_engines_count_the_same() -> None:
    assert agreed(IdempotentRequests.bounded(Client=2)) == ("holds", 741, 3_272, 12)


@pytest.mark.library
@pytest.mark.slow
@pytest.mark.parametrize(
    ("variant", "broken", "steps"),
    [
        (NoKeys, "at_most_once", 3),
        (KeyPerAttempt, "at_most_once", 4),
        (TableInMemory, "at_most_once", 5),
        (ForgetsKeys, "at_most_once", 4),
        (AsksOnce, "every_payment_is_answered", 2),
    ],
)
def test_the_shortest_counterexamples(variant: type[Spec], broken: str, steps: int) -> None:
    assert shortest(variant) == (broken, steps)
