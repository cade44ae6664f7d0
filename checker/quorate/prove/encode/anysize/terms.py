"""Terms of the logic, and connectives that keep formulas small.

A conjunction is flat and without repetitions, and a negation stands inside: so equal formulas mostly have equal forms.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

import z3

Term = z3.ExprRef
"""A Z3 expression."""

Formula = z3.BoolRef
"""One that is true or false."""

Number = z3.ArithRef
"""One that is an integer."""


def _kind(term: Term) -> int:
    """What a formula is the application of, as Z3 numbers its operators; -1 of a quantifier. One call for what
    `is_and`, `is_or`, ... ask one by one."""
    context, tree = term.ctx_ref(), term.as_ast()
    if z3.Z3_get_ast_kind(context, tree) != z3.Z3_APP_AST:
        return -1
    return int(z3.Z3_get_decl_kind(context, z3.Z3_get_app_decl(context, tree)))


def operands(part: Formula) -> list[Formula]:
    """The operands of a connective, which are formulas again."""
    return cast(list[Formula], part.children())


def negation(part: Formula) -> Formula:
    """A negation, pushed inwards."""
    match _kind(part):
        case z3.Z3_OP_NOT:
            return operands(part)[0]
        case z3.Z3_OP_TRUE | z3.Z3_OP_FALSE:
            return z3.BoolVal(z3.is_false(part))
        case z3.Z3_OP_AND:
            return disjunction([negation(inner) for inner in operands(part)])
        case z3.Z3_OP_OR:
            return conjunction([negation(inner) for inner in operands(part)])
    return z3.Not(part)


def conjunction(parts: Iterable[Formula]) -> Formula:
    """A conjunction: flat, without repetitions, false if it has a part and its negation."""
    kept = _connected(parts, z3.Z3_OP_AND, z3.Z3_OP_TRUE, z3.Z3_OP_FALSE)
    if kept is None:
        return z3.BoolVal(False)
    return z3.BoolVal(True) if not kept else kept[0] if len(kept) == 1 else z3.And(kept)


def disjunction(parts: Iterable[Formula]) -> Formula:
    """A disjunction: flat, without repetitions, true if it has a part and its negation."""
    kept = _connected(parts, z3.Z3_OP_OR, z3.Z3_OP_FALSE, z3.Z3_OP_TRUE)
    if kept is None:
        return z3.BoolVal(True)
    return z3.BoolVal(False) if not kept else kept[0] if len(kept) == 1 else z3.Or(kept)


def _connected(parts: Iterable[Formula], same: int, neutral: int, absorbing: int) -> list[Formula] | None:
    """The parts that matter, or None if one absorbs the others; `same`, ... are kinds of operators."""
    kept: dict[int, Formula] = {}
    negated: set[int] = set()
    stack = list(parts)[::-1]
    while stack:
        part = stack.pop()
        kind = _kind(part)
        if kind == absorbing:
            return None
        if kind == same:
            stack.extend(reversed(operands(part)))
        elif kind != neutral:
            kept.setdefault(part.get_id(), part)
            if kind == z3.Z3_OP_NOT:
                negated.add(part.arg(0).get_id())
    return None if negated & kept.keys() else list(kept.values())


def quantified(term: Term) -> bool:
    """Whether there is a quantifier in a term."""
    stack, seen = [term], set[int]()
    while stack:
        part = stack.pop()
        if z3.is_quantifier(part):
            return True
        if part.get_id() not in seen:
            seen.add(part.get_id())
            stack.extend(part.children())
    return False
