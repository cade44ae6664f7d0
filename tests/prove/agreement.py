"""Comparing the symbolic engine with the reference: transitions of one state, action by action."""

from __future__ import annotations

from typing import Any

import z3

from checker.language.control import Cut
from checker.language.system import Failure, State
from checker.model.nodes import Model
from checker.prove.relation import Fired, Relation

Outcomes = dict[tuple[str, tuple[Any, ...]], Any]
"""For each action instance that is not disabled: its next state, "cut" or "error"."""


def reference(model: Model, state: State) -> Outcomes:
    """What the reference engine's actions do."""
    system, found = model.system, {}
    for method in system.actions:
        for arguments in system.choices(method.parameters):
            try:
                successor = system.fire(state, method, arguments)
            except Cut as cut:
                found[method.name, arguments] = f"cut {cut.bound}"
                continue
            except Failure:
                found[method.name, arguments] = "error"
                continue
            if successor is not None:
                found[method.name, arguments] = successor.state
    return found


def symbolic(relation: Relation, state: State) -> Outcomes:
    """What Z3 finds of the same relation that every other proof uses, with the state before fixed by an assertion."""
    fixed = relation.same(relation.constant(state), relation.before)
    found: Outcomes = {}
    for fired in relation.fired:
        kinds = [("", fired.ok), ("error", relation.machine.either([condition for condition, _ in fired.errors]))]
        kinds += [(f"cut {event.what}", condition) for condition, event in fired.cuts]
        for kind, condition in kinds:
            _solutions(relation, fired, fixed, kind, condition, found)
    return found


def _solutions(relation: Relation, fired: Fired, fixed: int, kind: str, condition: int, found: Outcomes) -> None:
    solver = relation.solver(20)
    solver.add(*relation.legality(0), relation.formula(fixed))
    solver.add(*(relation.formula(part) for part in (*fired.legal, condition)))
    while (verdict := solver.check()) == z3.sat:
        true = relation.reader(solver.model())
        arguments = relation.arguments(fired.arguments, fired.action.parameters, true)
        key = (fired.action.name, arguments)
        assert key not in found, key
        found[key] = kind or relation.read(fired.after, true)
        known = [
            relation.machine.constant(value, kind_)
            for value, (_, kind_) in zip(arguments, fired.action.parameters, strict=True)
        ]
        again = relation.machine.both(
            [relation.machine.equal(a, b) for a, b in zip(known, fired.arguments, strict=True)]
        )
        solver.add(z3.Not(relation.formula(again)))
    assert verdict == z3.unsat
