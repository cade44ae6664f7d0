"""What bounded checks leave out: each reduction with a switch, so that what it leaves out can be compared."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Reductions:
    """Which reductions are used in runs from an initial state. None of them changes an answer.

    `symmetry_breaking`: members of symmetric sorts occur in their order. `partial_order`: steps that commute are in
    order. `ternary_simulation`: what is certain of the first states is written down. `capacities`: containers have no more
    room than so many steps can fill, and variables at which nobody looks are left open.
    """

    symmetry_breaking: bool = True
    partial_order: bool = True
    ternary_simulation: bool = True
    capacities: bool = True


ALL = Reductions()
NONE = Reductions(False, False, False, False)
