"""All levels in one run: which hold, which fall, and the strongest that hold."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from quorate.consistency import registers
from quorate.consistency.history import History
from quorate.consistency.levels import LEVELS, judge
from quorate.consistency.models import Model, Register
from quorate.consistency.orders import Limits
from quorate.consistency.verdict import Satisfied, Verdict

IMPLIES: Mapping[str, tuple[str, ...]] = {
    "linearizable": ("convergent", "regular", "sequential"),
    "sequential": ("causal-convergence", "causal-memory"),
    "causal-memory": ("causal",),
    "causal-convergence": ("causal",),
    "causal": ("monotonic-reads", "monotonic-writes", "read-your-writes", "writes-follow-reads"),
    "regular": ("monotonic-writes", "read-your-writes", "safe", "writes-follow-reads"),
    "strict-serializable": ("strong-session-serializable", "strong-snapshot-isolation"),
    "strong-session-serializable": ("serializable", "strong-session-snapshot-isolation"),
    "strong-snapshot-isolation": ("strong-session-snapshot-isolation",),
    "serializable": ("repeatable-read",),
    "repeatable-read": ("serializable", "snapshot-isolation"),
    "strong-session-snapshot-isolation": ("snapshot-isolation", "transactional-causal"),
    "snapshot-isolation": ("prefix",),
    "prefix": ("read-atomic",),
    "transactional-causal": ("read-atomic",),
    "read-atomic": ("read-committed",),
}
"""What each level implies directly, as `docs/consistency.md` establishes it. Repeatable read and serializable are the same
where nothing reads by predicate; else the one that is named first is the stronger."""

RANK: Mapping[str, int] = {level: number for number, level in enumerate(IMPLIES)}


def survey(history: History, model: Model | None = None, limits: Limits | None = None) -> dict[str, Verdict]:
    """The verdict of every level that can be asked of the history, strongest first in each family. Raises as `judge`."""
    model = model or Register()
    transactions = any(o.function == "txn" for o in history) and "txn" not in model.operations
    plain = registers.applies(history, model)
    return {
        name: judge(history, name, model, limits)
        for name, level in LEVELS.items()
        if level.transactions == transactions and (plain or name not in ("regular", "safe"))
    }


def implied(level: str) -> frozenset[str]:
    """All levels that a level implies, itself left out."""
    found: set[str] = set()
    queue = [level]
    while queue:
        for name in IMPLIES.get(queue.pop(), ()):
            if name not in found:
                found.add(name)
                queue.append(name)
    return frozenset(found - {level})


def strongest(satisfied: Collection[str]) -> list[str]:
    """Those of the levels that no other of them implies. Of levels that are the same, the one that is stronger where reads
    are by predicate, too: `same` tells the others."""
    return [
        name
        for name in satisfied
        if not any(name in implied(other) and other not in same(name) for other in satisfied)
        and not any(other in same(name) and RANK[other] < RANK[name] for other in satisfied)
    ]


def same(level: str) -> list[str]:
    """The levels that are equivalent to a level for the histories that can be judged, itself left out."""
    return [other for other in IMPLIES if other in implied(level) and level in implied(other)]


def holding(verdicts: Mapping[str, Verdict]) -> list[str]:
    """The levels that hold."""
    return [name for name, verdict in verdicts.items() if isinstance(verdict, Satisfied)]
