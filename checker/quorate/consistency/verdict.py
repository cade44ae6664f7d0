"""What a judgement says: satisfied with a witness, violated with evidence, or unknown with a reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from quorate.consistency.history import Operation, Value
from quorate.showing import shown


@dataclass(frozen=True)
class Order:
    """Operations in an order in which one object, or one object for each key, gives the recorded answers.

    `per_key` holds one order for each key of a level judged key by key, else one order under the key None."""

    per_key: Mapping[Value, tuple[Operation, ...]]


@dataclass(frozen=True)
class Explanations:
    """For each operation, by index: the operations it observed, in an order that gives its answer, itself last.

    `arbitration` is the one order that all of them follow, where the level asks for one."""

    orders: Mapping[int, tuple[Operation, ...]]
    arbitration: tuple[Operation, ...] | None = None


@dataclass(frozen=True)
class Schedule:
    """Transactions in commit order; for the snapshot levels `points` gives the order of (transaction, "start" |
    "commit")."""

    commits: tuple[int, ...]
    points: tuple[tuple[int, str], ...] | None = None


@dataclass(frozen=True)
class Sources:
    """For each answered read of registers, by index: the write that it reads from, None for the initial value.

    `arbitration` is the one order of the writes that all follow (causal convergence); `sessions` the order in which each
    process performed what it saw (causal memory)."""

    reads: Mapping[int, int | None]
    arbitration: tuple[Operation, ...] | None = None
    sessions: tuple[tuple[Operation, ...], ...] | None = None


@dataclass(frozen=True)
class Invariant:
    """What was asked of the answers, and is true of all of them: no order is needed for it."""

    sentence: str


Witness = Order | Explanations | Sources | Schedule | Invariant


@dataclass(frozen=True)
class Unorderable:
    """Operations that no order explains.

    `prefix` is the smallest beginning of the judged operations that is already in violation (all of them where the
    level is not closed under prefixes), on `key` if the level was judged key by key. `after` are its operations that
    had not returned before a cut, and `states` those that the object may have had there. `core` are the operations
    after the cut that cannot be ordered: even when every other answer after the cut is forgotten, no order exists from
    any of the states. `minimal` says whether forgetting any one more was tried and leaves an order. `partial` is the
    longest partial order of the prefix that was found; `stuck` are the answered operations that it could not place.
    """

    prefix: tuple[Operation, ...]
    key: Value
    after: tuple[Operation, ...]
    core: tuple[Operation, ...]
    states: tuple[Value, ...]
    minimal: bool
    partial: tuple[Operation, ...]
    stuck: tuple[Operation, ...]
    explanation: str


@dataclass(frozen=True)
class Edge:
    """`source` must come before `target`, and why. `kind` is one of ww, wr, rw, so (session), rt (real time), co
    (causal), cf (conflict), vis (seen)."""

    source: int
    target: int
    kind: str
    reason: str = ""


@dataclass(frozen=True)
class Cycle:
    """A violation named by its anomaly. `nodes` labels the operations or transactions of `edges`, which form a cycle;
    an anomaly of a single transaction has no edges."""

    anomaly: str
    explanation: str
    nodes: Mapping[int, str]
    edges: tuple[Edge, ...] = ()
    operations: tuple[Operation, ...] = ()


Evidence = Unorderable | Cycle


@dataclass(frozen=True)
class Verdict:
    """Base of the three answers. `notes` are things a reader must know, such as a slower engine in use."""

    verdict: ClassVar[str]
    exit_code: ClassVar[int]

    level: str
    model: str
    operations: int
    notes: tuple[str, ...] = field(default=(), kw_only=True)

    def _repr_html_(self) -> str | None:
        """The result in words, with its pictures, in a notebook."""
        return shown("html", self)


@dataclass(frozen=True)
class Satisfied(Verdict):
    """The history satisfies the level; `witness` has been checked by `quorate.consistency.verify`."""

    verdict = "satisfied"
    exit_code = 0
    witness: Witness


@dataclass(frozen=True)
class Violated(Verdict):
    """The history violates the level."""

    verdict = "violated"
    exit_code = 1
    evidence: Evidence


@dataclass(frozen=True)
class Unknown(Verdict):
    """A limit was hit before the question was decided. Never a guess."""

    verdict = "unknown"
    exit_code = 3
    reason: str
