"""Proofs with solvers, in rooms by method.

`bounded` looks for a shortest run to a violation, `inductive` for steps that break a property at fixed bounds, `any_size`
for such steps at no bounds at all. `proof` makes claims by one of these methods and gives the verdict, `reachability`
says what runs show about it, `laws` are about values instead of runs, `discovery` looks for lemmas.

What they share lies below: `fixed_bounds` is what can be asked of a model at fixed bounds, `transition` one step as a
relation and its unrollings, `encode` the translation of the model to formulas, `solvers` the asking.
"""
