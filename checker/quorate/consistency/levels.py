"""The consistency levels by name, each with its definition and source, and `judge`, which decides one.

Every "satisfied" has had its witness checked by `verify.py`, and every limit that was hit says "unknown".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from quorate.consistency import causal, evidence, orders, registers, verify
from quorate.consistency.history import History, Operation, misfit
from quorate.consistency.models import Model, Register
from quorate.consistency.orders import Found, Limits
from quorate.consistency.transactions import levels as transactional
from quorate.consistency.verdict import Explanations, Order, Satisfied, Unknown, Unorderable, Verdict, Violated
from quorate.errors import unknown


@dataclass(frozen=True)
class Level:
    """A consistency level. `definition` is one sentence; `source` where it was defined; `transactions` whether its
    operations are transactions; `decide` judges a history that fits the model."""

    name: str
    definition: str
    source: str
    transactions: bool
    decide: Callable[[History, Model, Limits], Verdict]


def judge(history: History, level: str, model: Model | None = None, limits: Limits | None = None) -> Verdict:
    """Whether `history` satisfies `level` for objects of `model` (by default registers; not used for transactions).

    Raises `UsageError` for a level that does not exist and `HistoryError` for operations that do not fit the model."""
    chosen = find_level(level)
    model = model or Register()
    history = history.frozen()
    if not chosen.transactions:
        txn = next((o for o in history if o.function == "txn" and "txn" not in model.operations), None)
        if txn is not None:
            raise misfit(
                txn,
                f"The history has transactions (f = txn), and {level!r} is a level for single operations. "
                f"Levels for transactions: {', '.join(sorted(name for name, each in LEVELS.items() if each.transactions))}.",
            )
        model.check(history)
    return chosen.decide(history, model, limits or Limits())


def find_level(name: str) -> Level:
    if name not in LEVELS:
        raise unknown("consistency level", name, LEVELS)
    return LEVELS[name]


def _by_order(
    name: str, search: Callable[[History, Model, Limits], Found], check: Callable[[History, Model, Order], bool]
) -> Callable[[History, Model, Limits], Verdict]:
    def decide(history: History, model: Model, limits: Limits) -> Verdict:
        found = search(history, model, limits)
        notes = (found.note,) if found.note else ()
        if found.bad is not None:
            shown = evidence.explain(found.bad)
            return Violated(name, model.name, len(history), evidence=shown, notes=notes)
        if found.order is None:
            reason = f"The search hit its limit ({limits.memory_bytes >> 20} MiB of configurations) without an answer."
            return Unknown(name, model.name, len(history), reason=reason, notes=notes)
        if not check(history, model, found.order):
            raise AssertionError(f"The witness for {name} is wrong: {found.order}")
        return Satisfied(name, model.name, len(history), witness=found.order, notes=notes)

    return decide


def _linearizable(history: History, model: Model, order: Order) -> bool:
    return all(
        verify.complete(order.per_key[key], own)
        and verify.keeps_real_time(order.per_key[key])
        and verify.legal(order.per_key[key], model)
        for key, own in orders.parts(history, model).items()
    )


def _sequential(history: History, model: Model, order: Order) -> bool:
    whole = order.per_key[None]
    return verify.complete(whole, history.operations) and verify.keeps_sessions(whole) and verify.legal(whole, model)


def _regular(history: History, model: Model, order: Order) -> bool:
    """Each read that was asked about is last in an order with all the writes of its key, or before those that followed
    it."""
    return all(
        _with_all_updates(one, history, model)
        and verify.keeps_real_time(one)
        and verify.legal(one, model)
        and sum(model.is_query(o) for o in one) == 1
        for one in order.per_key.values()
    )


def _with_all_updates(one: Sequence[Operation], history: History, model: Model) -> bool:
    """Whether an order that is about some of the queries of one key has all the updates of that key."""
    about = [
        o for own in orders.parts(history, model).values() if any(o.index == one[0].index for o in own) for o in own
    ]
    queries = {o.index for o in one if model.is_query(o)}
    return verify.complete(one, [o for o in about if not model.is_query(o) or o.index in queries])


def _convergent(history: History, model: Model, order: Order) -> bool:
    return all(
        not one or (_with_all_updates(one, history, model) and verify.legal(one, model) and verify.keeps_real_time(one))
        for one in order.per_key.values()
    )


def _by_visibility(name: str) -> Callable[[History, Model, Limits], Verdict]:
    asked = causal.GUARANTEES[name]

    def decide(history: History, model: Model, limits: Limits) -> Verdict:
        answer = causal.decide(history, model, asked, limits)
        if isinstance(answer, str):
            return Unknown(name, model.name, len(history), reason=answer)
        if isinstance(answer, Explanations):
            if not verify.explains(answer, history, model, asked):
                raise AssertionError(f"The witness for {name} is wrong: {answer}")
            return Satisfied(name, model.name, len(history), witness=answer)
        return Violated(name, model.name, len(history), evidence=answer)

    return decide


def _sequential_level(history: History, model: Model, limits: Limits) -> Verdict:
    """Sequential implies both CM and CCv, which registers decide quickly: a violation of either is one of
    sequential."""
    if registers.applies(history, model) and not orders.linearizable(history, model, limits).order:
        for name in ("causal-convergence", "causal-memory"):
            answer = causal.decide(history, model, causal.GUARANTEES[name], limits)
            if not isinstance(answer, (str, Explanations, Unorderable)):
                return Violated("sequential", model.name, len(history), evidence=answer)
    return _by_order("sequential", orders.sequential, _sequential)(history, model, limits)


def _safe(history: History, model: Model, limits: Limits) -> Found:
    return orders.regular(history, model, limits, only_alone=True)


_OBJECTS = (
    Level(
        "linearizable",
        "One legal order of all operations that keeps real time.",
        "Herlihy & Wing 1990, section 2",
        False,
        _by_order("linearizable", orders.linearizable, _linearizable),
    ),
    Level(
        "sequential",
        "One legal order of all operations that keeps the order of each process.",
        "Lamport 1979",
        False,
        _sequential_level,
    ),
    Level(
        "causal",
        "CC: each answer follows from its causal past in some order that keeps causality.",
        "Bouajjani et al. 2017, section 3; Perrin et al. 2016",
        False,
        _by_visibility("causal"),
    ),
    Level(
        "causal-memory",
        "CM: CC, and the order of a causal past also gives the earlier answers of the same process.",
        "Ahamad et al. 1995; Bouajjani et al. 2017",
        False,
        _by_visibility("causal-memory"),
    ),
    Level(
        "causal-convergence",
        "CCv: CC, and all orders agree with one arbitration of the updates.",
        "Perrin et al. 2016; Bouajjani et al. 2017",
        False,
        _by_visibility("causal-convergence"),
    ),
    Level(
        "read-your-writes",
        "Each answer has seen the earlier updates of its own process.",
        "Terry et al. 1994, section 3.1",
        False,
        _by_visibility("read-your-writes"),
    ),
    Level(
        "monotonic-reads",
        "Each answer has seen what the earlier answers of its process had seen.",
        "Terry et al. 1994, section 3.2",
        False,
        _by_visibility("monotonic-reads"),
    ),
    Level(
        "writes-follow-reads",
        "Who sees an update has seen before it what its process had seen.",
        "Terry et al. 1994, section 3.3",
        False,
        _by_visibility("writes-follow-reads"),
    ),
    Level(
        "monotonic-writes",
        "Who sees an update has seen before it the earlier updates of its process.",
        "Terry et al. 1994, section 3.4",
        False,
        _by_visibility("monotonic-writes"),
    ),
    Level(
        "regular",
        "Each read, with all the writes, has a linearization.",
        "Lamport 1986; Shao, Pierce & Welch 2011 (MWR weak)",
        False,
        _by_order("regular", orders.regular, _regular),
    ),
    Level(
        "safe",
        "Each read that overlaps no write, with all the writes, has a linearization.",
        "Lamport 1986",
        False,
        _by_order("safe", _safe, _regular),
    ),
    Level(
        "convergent",
        "The final reads, begun after all updates returned, follow from one order of all the updates.",
        "Perrin et al. 2016 (eventual consistency, with final reads taken as repeated for ever)",
        False,
        _by_order("convergent", orders.convergent, _convergent),
    ),
)

LEVELS: dict[str, Level] = {level.name: level for level in _OBJECTS} | {
    name: Level(name, rule.definition, rule.source, True, transactional.decider(rule))
    for name, rule in transactional.RULES.items()
}
