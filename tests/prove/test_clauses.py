"""Clauses say what their circuit says, whatever part of it is known already, and however little of what follows."""

from __future__ import annotations

import random
from itertools import product

import pytest
from quorate.prove.encode.fixed.circuit import Circuit
from quorate.prove.encode.fixed.cnf import Clauses
from quorate.prove.solvers.sat import Dialogue

VARIABLES, NODES = 4, 9


def drawn_circuit(draw: random.Random) -> tuple[Circuit, list[int], list[int]]:
    """A circuit, its variables, and all its conditions."""
    circuit = Circuit()
    variables = [circuit.variable() for _ in range(VARIABLES)]
    conditions = list(variables)
    while len(conditions) < VARIABLES + NODES:
        parts = [draw.choice(conditions) ^ draw.randint(0, 1) for _ in range(draw.choice((2, 2, 3)))]
        conditions.append(circuit.choice(*parts) if len(parts) == 3 and draw.randint(0, 1) else circuit.both(parts))
    return circuit, variables, [condition for condition in conditions if condition > 1]


def values_of(circuit: Circuit, conditions: list[int], assignment: tuple[bool, ...]) -> dict[int, bool]:
    """The value of each condition's node."""
    memory: dict[int, bool] = {}
    return {
        condition >> 1: circuit.evaluated(condition & ~1, lambda number: assignment[number], memory)
        for condition in conditions
    }


@pytest.mark.parametrize("seed", range(60))
def test_what_is_known_changes_no_solution(seed: int) -> None:
    """Some runs are left out; what all others have in common is known, of some nodes only."""
    draw = random.Random(seed)
    circuit, variables, conditions = drawn_circuit(draw)
    possible = draw.sample(list(product((False, True), repeat=VARIABLES)), draw.randint(1, 8))
    values = [values_of(circuit, conditions, assignment) for assignment in possible]
    common = {node: value for node, value in values[0].items() if all(one[node] == value for one in values)}
    told = {node: value for node, value in common.items() if draw.randint(0, 1)}

    def known(condition: int) -> bool | None:
        value = told.get(condition >> 1)
        return None if value is None else value != bool(condition & 1)

    wanted = draw.choice(conditions) ^ draw.randint(0, 1)
    clauses = Clauses(circuit, 0)
    clauses.know(0, known)
    chosen = clauses.literal(wanted, 0)
    clauses.require(wanted, 0, [-chosen])
    solver = Dialogue(60.0)
    solver.add(clauses.text())
    for assignment, found in zip(possible, values, strict=True):
        cells = [clauses.cells.get(circuit.number(variable >> 1), 0) for variable in variables]
        given = [cell if value else -cell for cell, value in zip(cells, assignment, strict=True) if cell]
        answer = solver.possible("a solution", chosen, *given)
        assert answer == (found[wanted >> 1] != bool(wanted & 1)), (wanted, assignment)
