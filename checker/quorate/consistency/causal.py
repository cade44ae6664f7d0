"""The causal levels and the session guarantees: which decision procedure answers for which history."""

from __future__ import annotations

from dataclasses import replace

from quorate.consistency.evidence import core
from quorate.consistency.history import History, Operation
from quorate.consistency.models import Model
from quorate.consistency.orders import Limits, whole
from quorate.consistency.registers import BadPattern, Choices, ReadsFrom, applies, initial_of
from quorate.consistency.verdict import Cycle, Evidence, Explanations, Sources, Unorderable
from quorate.consistency.visibility import Guarantees, OutOfBudget, VisibilitySearch

CHOICES_MAX = 20_000
ATTEMPTS_MAX = 300_000
OPERATIONS_MAX = 200
CORE_ATTEMPTS = 20_000

CAUSAL = Guarantees(read_your_writes=True, monotonic_reads=True, monotonic_writes=True, writes_follow_reads=True)
GUARANTEES = {
    "read-your-writes": Guarantees(read_your_writes=True),
    "monotonic-reads": Guarantees(monotonic_reads=True),
    "monotonic-writes": Guarantees(monotonic_writes=True),
    "writes-follow-reads": Guarantees(writes_follow_reads=True),
    "causal": CAUSAL,
    "causal-memory": replace(CAUSAL, session_answers=True),
    "causal-convergence": replace(CAUSAL, arbitration=True),
}


def decide(
    history: History, model: Model, asked: Guarantees, limits: Limits
) -> Explanations | Sources | Evidence | str:
    """A witness, evidence, or the reason why it is not known."""
    if applies(history, model):
        if 3 * len(history) ** 2 // 8 > limits.memory_bytes:
            return f"The causal pasts of {len(history):,} operations need more memory than is allowed."
        initial = initial_of(model)
        try:
            choices = Choices.of(history, initial)
        except BadPattern as bad:
            return bad.cycle
        if not (choices.ambiguous and asked.session_answers):
            return _any_choice(history, asked, choices, limits.configurations or CHOICES_MAX)
    return _search(history, model, asked, limits.configurations or ATTEMPTS_MAX)


def _any_choice(
    history: History, asked: Guarantees, choices: Choices, most: int
) -> Explanations | Sources | Cycle | str:
    first: Cycle | None = None
    for number, sources in enumerate(choices):
        if number >= most:
            return (
                "Values are written more than once, and none of the first "
                f"{most} ways to say which write was read is consistent."
            )
        try:
            return ReadsFrom(history, asked, sources).explain()
        except BadPattern as bad:
            first = first or bad.cycle
    assert first is not None
    if choices.ambiguous:
        return replace(
            first, explanation=f"{first.explanation} Every other way to say which write was read fails as well."
        )
    return first


def _search(history: History, model: Model, asked: Guarantees, attempts: int) -> Explanations | Unorderable | str:
    if len(history) > OPERATIONS_MAX:
        return (
            f"For models other than registers with distinct values this level is decided by exhaustive search, which is not "
            f"tried for more than {OPERATIONS_MAX} operations."
        )
    product = whole(model, history.operations)
    try:
        witness = VisibilitySearch(history, product, asked, attempts).run()
    except OutOfBudget:
        return (
            f"The search tried {attempts} sets of visible updates without an answer. For models other than registers "
            "with distinct values this level is decided by exhaustive search."
        )
    if witness is not None:
        return witness
    minimal = True

    def no_order(operations: list[Operation]) -> bool:
        nonlocal minimal
        try:
            return VisibilitySearch(History(tuple(operations)), product, asked, CORE_ATTEMPTS).run() is None
        except OutOfBudget:
            minimal = False
            return False

    kept = core(history.operations, model, no_order, updates_too=False)
    text = "No choice of visible updates and of their orders explains the answers of these operations."
    return Unorderable(history.operations, None, history.operations, kept, (product.initial,), minimal, (), (), text)
