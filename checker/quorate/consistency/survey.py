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
    "serializable": ("repeatable-read", "snapshot-isolation"),
    "repeatable-read": ("cursor-stability",),
    "strong-session-snapshot-isolation": ("snapshot-isolation", "transactional-causal"),
    "snapshot-isolation": ("consistent-view", "prefix"),
    "consistent-view": ("update-atomic",),
    "update-atomic": ("cursor-stability", "read-atomic"),
    "prefix": ("read-atomic",),
    "transactional-causal": ("read-atomic",),
    "cursor-stability": ("read-committed",),
    "read-atomic": ("read-committed",),
    "read-committed": ("read-uncommitted",),
}
"""What each level implies directly, as `docs/consistency.md` establishes it."""


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
    """Those of the levels that no other of them implies."""
    return [name for name in satisfied if not any(name in implied(other) for other in satisfied)]


def holding(verdicts: Mapping[str, Verdict]) -> list[str]:
    """The levels that hold."""
    return [name for name, verdict in verdicts.items() if isinstance(verdict, Satisfied)]
