"""Comparing the symbolic engine with the reference: transitions of one state, action by action."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from math import prod
from typing import Any

from quorate.explore.choices import Choices
from quorate.language.control import Cut
from quorate.language.methods import Method
from quorate.language.system import Arguments, Failure, State, System
from quorate.model.nodes import Model
from quorate.prove.solvers.sat import Dialogue
from quorate.prove.transition.relation import Fired, Relation

Outcomes = dict[tuple[str, tuple[Any, ...]], Any]
"""For each action instance that is not disabled: its next state, "cut" or "error"."""


MANY = 10_000

choices = lru_cache(maxsize=64)(Choices)


def tried(system: System, method: Method, state: State) -> Iterable[Arguments]:
    """The arguments to try: all there are, or, of many, those that the reference engine tries."""
    every = prod(parameter.type.cardinality for parameter in method.parameters)
    return system.choices(method.parameters) if every <= MANY else choices(system, method)(state)


def reference(model: Model, state: State) -> Outcomes:
    """What the reference engine's actions do."""
    system, found = model.system, {}
    for method in system.actions:
        for arguments in tried(system, method, state):
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
    """What the solver finds of the same relation that every proof at fixed bounds uses, with the state before fixed by
    clauses."""
    fixed = relation.same(relation.constant(state), relation.before)
    found: Outcomes = {}
    for fired in relation.fired:
        kinds = [("", fired.ok), ("error", relation.raising(fired))]
        kinds += [(f"cut {event.what}", condition) for condition, event in fired.cuts]
        for kind, condition in kinds:
            _solutions(relation, fired, fixed, kind, condition, found)
    return found


def _solutions(relation: Relation, fired: Fired, fixed: int, kind: str, condition: int, found: Outcomes) -> None:
    clauses, dialogue = relation.clauses(), Dialogue(20)
    for part in (*relation.legal, fixed, *fired.legal, condition):
        clauses.require(part, 0)
    dialogue.add(clauses.text())
    while dialogue.possible("a step"):
        true = relation.reader(clauses.cells, dialogue.solution())
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
        clauses.require(again ^ 1, 0)
        dialogue.add(clauses.text())
