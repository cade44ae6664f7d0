"""One step at fixed bounds: `relation` between the cells before and after it, and `unrolling` of many steps.

Runs from an initial state are looked at with three reductions: `symmetry_breaking` leaves one of the runs that differ by a
renaming, `partial_order` one of those that differ by the order of independent steps, and `ternary_simulation` says what
is certain of the first states.
"""
