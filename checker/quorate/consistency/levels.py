"""The consistency levels by name, each with its definition and source, and `judge`, which decides one.

Every "satisfied" has had its witness checked by `verify.py`, and every limit that was hit says "unknown".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from quorate.consistency import causal, evidence, orders, registers, regular, replicas, saturation, verify
from quorate.consistency.history import History, misfit
from quorate.consistency.models import Model, Register
from quorate.consistency.orders import Found, Limits
from quorate.consistency.transactions import levels as transactional
from quorate.consistency.transactions.rules import RULES
from quorate.consistency.verdict import (
    Explanations,
    Invariant,
    Order,
    Satisfied,
    Sources,
    Unknown,
    Unorderable,
    Verdict,
    Violated,
)
from quorate.consistency.workloads import WORKLOADS, Workload
from quorate.errors import unknown


@dataclass(frozen=True)
class Level:
    """A consistency level. `definition` is one sentence; `source` where it was defined; `transactions` whether its
    operations are transactions; `decide` judges a history that fits the model. A `workload` has operations of its own."""

    name: str
    definition: str
    source: str
    transactions: bool
    decide: Callable[[History, Model, Limits], Verdict]
    workload: bool = False


def judge(history: History, level: str, model: Model | None = None, limits: Limits | None = None) -> Verdict:
    """Whether `history` satisfies `level` for objects of `model` (by default registers; not used for transactions).

    Raises `UsageError` for a level that does not exist and `HistoryError` for operations that do not fit the model."""
    chosen = find_level(level)
    model = model or Register()
    history = history.frozen()
    if not chosen.transactions and not chosen.workload:
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
    known = LEVELS | WORKLOAD_LEVELS
    if name not in known:
        raise unknown("consistency level", name, known)
    return known[name]


def _by_workload(workload: Workload) -> Callable[[History, Model, Limits], Verdict]:
    def decide(history: History, model: Model, limits: Limits) -> Verdict:
        found = workload.judge(history)
        if found is not None:
            return Violated(workload.name, workload.name, len(history), evidence=found)
        return Satisfied(workload.name, workload.name, len(history), witness=Invariant(workload.definition))

    return decide


def _by_order(
    name: str, search: Callable[[History, Model, Limits], Found], check: Callable[[History, Model, Order], bool]
) -> Callable[[History, Model, Limits], Verdict]:
    def decide(history: History, model: Model, limits: Limits) -> Verdict:
        found = search(history, model, limits)
        notes = (found.note,) if found.note else ()
        if found.evidence is not None or found.bad is not None:
            shown = found.evidence if found.bad is None else evidence.explain(found.bad)
            assert shown is not None
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


def _convergent(history: History, model: Model, order: Order) -> bool:
    return all(
        verify.comes_to_rest(order.per_key[key], own, model) and verify.legal(order.per_key[key], model)
        for key, own in orders.parts(history, model).items()
    )


def _by_visibility(name: str) -> Callable[[History, Model, Limits], Verdict]:
    asked = causal.GUARANTEES[name]

    def decide(history: History, model: Model, limits: Limits) -> Verdict:
        answer = causal.decide(history, model, asked, limits)
        if isinstance(answer, str):
            return Unknown(name, model.name, len(history), reason=answer)
        if isinstance(answer, Explanations | Sources):
            if isinstance(answer, Sources):
                right = replicas.performs(answer, history, model, asked)
            else:
                right = verify.explains(answer, history, model, asked)
            if not right:
                raise AssertionError(f"The witness for {name} is wrong: {answer}")
            return Satisfied(name, model.name, len(history), witness=answer)
        return Violated(name, model.name, len(history), evidence=answer)

    return decide


def _sequential_level(history: History, model: Model, limits: Limits) -> Verdict:
    """Sequential implies CM and CCv, which registers decide quickly: a violation of either is one of sequential. Then what
    must come first is worked out, and only if that leads to no answer, orders are searched."""
    if registers.applies(history, model) and not orders.linearizable(history, model, limits).order:
        for name in ("causal-convergence", "causal-memory"):
            answer = causal.decide(history, model, causal.GUARANTEES[name], limits)
            if not isinstance(answer, str | Explanations | Sources | Unorderable):
                return Violated("sequential", model.name, len(history), evidence=answer)
        if 2 * len(history) ** 2 // 8 <= limits.memory_bytes:
            answered = _saturated(history, model)
            if answered is not None:
                return answered
    return _by_order("sequential", orders.sequential, _sequential)(history, model, limits)


def _saturated(history: History, model: Model) -> Verdict | None:
    initial = registers.initial_of(model)
    kept = saturation.without_idle(history, initial)
    try:
        choices = registers.Choices.of(kept, initial)
        if choices.ambiguous:
            return None
        found = saturation.Saturated(kept, next(iter(choices))).sequence()
    except registers.BadPattern as bad:
        return Violated("sequential", model.name, len(history), evidence=bad.cycle)
    if found is None:
        return None
    order = Order({None: found})
    if not _sequential(history, model, order):
        raise AssertionError(f"The witness for sequential is wrong: {order}")
    return Satisfied("sequential", model.name, len(history), witness=order)


def _regular(name: str, only_alone: bool) -> Callable[[History, Model, Limits], Verdict]:
    def decide(history: History, model: Model, limits: Limits) -> Verdict:
        answer = regular.decide(history, model, only_alone)
        if isinstance(answer, Unorderable):
            return Violated(name, model.name, len(history), evidence=answer)
        if not regular.holds(answer, history, model, only_alone):
            raise AssertionError(f"The witness for {name} is wrong: {answer}")
        return Satisfied(name, model.name, len(history), witness=answer)

    return decide


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
        _regular("regular", only_alone=False),
    ),
    Level(
        "safe",
        "Each read that overlaps no write, with all the writes, has a linearization.",
        "Lamport 1986",
        False,
        _regular("safe", only_alone=True),
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
    name: Level(name, rule.definition, rule.source, True, transactional.decider(name)) for name, rule in RULES.items()
}

WORKLOAD_LEVELS: dict[str, Level] = {
    name: Level(name, each.definition, "Jepsen", name == "long-fork", _by_workload(each), workload=True)
    for name, each in WORKLOADS.items()
}
"""Workloads are asked for like levels. None of them implies another."""
