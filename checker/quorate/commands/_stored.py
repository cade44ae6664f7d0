"""The specification that a stored trace is of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from quorate.kinds import INDUCTION
from quorate.loading import load, load_named

if TYPE_CHECKING:
    from quorate.language.spec import Spec
    from quorate.trace import Trace


def specification(stored: Trace, spec: str | None, variant: str | None) -> type[Spec]:
    """The specification to run a trace on: the one that is named, or the one that the trace names, and a variant of it. A counterexample to
    induction may be a step of what it is proven by. Raises UsageError if there is none."""
    protocol = load(spec) if spec is not None else load_named(stored.spec)
    cls = protocol.variant(variant)
    if stored.kind != INDUCTION:
        return cls
    from quorate.prove.any_size.history import as_argued

    return as_argued(cls, filter(None, (*stored.initial, stored.property)))


__all__ = ["specification"]
