"""Nothing that a model can hold is passed over: each table over operators, changes and kinds of properties has an entry for every
one of them, and what goes through statements stops at one that it does not know."""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, get_args

import pytest
import quorate
from quorate import Nat, Scalarset, Spec, action, init, invariant
from quorate.explore.native.render.expressions import RENDER
from quorate.explore.native.render.shared import Shared
from quorate.explore.native.render.statements import Body
from quorate.explore.native.render.writer import Writer
from quorate.kinds import KINDS, TRACES
from quorate.language.types import BoolType, SetType
from quorate.model import capacity, changes, footprints, interpret, totality, verify
from quorate.model import nodes as ir
from quorate.model.bodies import terminates
from quorate.model.build import PROPERTY_RESULTS, build
from quorate.model.nodes import Change, Op
from quorate.model.order import check_unordered
from quorate.model.ranges import SPAN
from quorate.model.source import Source
from quorate.prove.bounded.capacities import room
from quorate.prove.encode.anysize.effects import all_rounds
from quorate.prove.encode.anysize.execution import AnySize
from quorate.prove.encode.fixed.execution import Fixed
from quorate.prove.encode.machine import Env, Machine
from quorate.report.story import HEADLINES

CHECKER = Path(quorate.__file__).parent


def names(members: Iterable[object]) -> set[str]:
    return {str(member) for member in members}


def methods(machine: type[Machine]) -> set[str]:
    """The operators that a machine has a method for."""
    return {name.removeprefix("op_") for name in dir(machine) if name.startswith("op_")}


def mismatch(table: Collection[str], wanted: Collection[str]) -> str:
    """What a table lacks and what it has too much, "" if it is complete."""
    lacking, strange = sorted(set(wanted) - set(table)), sorted(set(table) - set(wanted))
    return " and ".join(
        [f"lacks {', '.join(lacking)}"] * bool(lacking)
        + [f"does not know what to do with {', '.join(strange)}"] * bool(strange)
    )


ON_NUMBERS = {op for op, rule in verify.LEGAL.items() if rule.legal is verify.LEGAL[Op.ADD].legal}
"""The operators whose arguments and result are numbers."""

TABLES: dict[str, tuple[set[str], set[str]]] = {
    "model.verify.LEGAL": (names(verify.LEGAL), names(Op)),
    "model.interpret.EVALUATE": (names(interpret.EVALUATE), names(Op)),
    "model.totality.TOTAL and FALLIBLE": (names(totality.TOTAL | totality.FALLIBLE), names(Op)),
    "model.footprints.UNDERSTOOD": (names(footprints.UNDERSTOOD), names(Op)),
    "model.ranges.SPAN": (names(SPAN), names(ON_NUMBERS)),
    "explore.native.render.expressions.RENDER": (names(RENDER), names(Op)),
    "prove.encode.fixed.execution.Fixed": (methods(Fixed), names(Op)),
    "prove.encode.anysize.execution.AnySize": (methods(AnySize), names(Op)),
    "model.verify.CHANGED": (names(verify.CHANGED), names(Change)),
    "model.changes.CHANGES": (set(changes.CHANGES) & names(Change), names(Change)),
    "model.build.PROPERTY_RESULTS": (set(PROPERTY_RESULTS), set(KINDS)),
    "report.story.HEADLINES": (set(HEADLINES), set(TRACES)),
    "the decorators of the facade": (set(quorate.__all__) & set(KINDS), set(KINDS)),
}


@pytest.mark.parametrize("table", TABLES)
def test_a_table_has_an_entry_for_each_and_no_other(table: str) -> None:
    found, wanted = TABLES[table]
    assert not (wrong := mismatch(found, wanted)), f"{table} {wrong}"


@pytest.mark.parametrize("member", [*Op, *Change])
def test_an_entry_that_is_missing_is_named(member: StrEnum) -> None:
    everything = names(type(member))
    assert mismatch(everything - {str(member)}, everything) == f"lacks {member}"
    assert str(member) in mismatch(everything, everything - {str(member)})


def test_no_operator_is_both_total_and_fallible() -> None:
    assert not totality.TOTAL & totality.FALLIBLE


# Statements


class Node(Scalarset, size=2):
    """A node."""


class Small(Nat, max=2):
    """A small number."""


class Seen(Spec):
    """Who was seen."""

    seen: set[Node]
    top: Small

    @init
    def empty(self) -> None:
        """Nobody yet."""
        self.top = Small(0)

    @action
    def see(self, x: Node) -> None:
        """Look."""
        self.seen.add(x)

    @invariant
    def fine(self) -> bool:
        """Nothing is asked."""
        return True


@dataclass(frozen=True)
class Unheard:
    """A statement that nobody knows."""

    location: None = None


UNKNOWN: Any = Unheard()
MODEL = build(Seen)
TRUE = ir.Expr(Op.CONST, BoolType(), (), True)
NODES = ir.Expr(Op.DOMAIN, SetType(MODEL.actions[0].parameters[0][1], None, ""))
LOOP = ir.Loop("y", NODES.type.children()[0], NODES, (UNKNOWN,), False)


def with_unknown() -> ir.Model:
    """A model whose initialization and only property are a statement that nobody knows."""
    assert MODEL.init is not None
    judged = replace(MODEL.properties[0], body=(UNKNOWN,))
    called = ir.Function("called", (), (UNKNOWN,), BoolType())
    return replace(
        MODEL, init=replace(MODEL.init, body=(UNKNOWN,)), properties=(judged,), functions={called.key: called}
    )


def unordered() -> None:
    source = Source.of(Seen.see, Seen)
    check_unordered(source, ast.parse("for y in Node: pass").body[0], LOOP, frozenset(), {})  # type: ignore[arg-type]


THROUGH_STATEMENTS: dict[str, Callable[[], object]] = {
    "model.nodes.statements": lambda: list(ir.statements((UNKNOWN,))),
    "model.nodes.expressions": lambda: list(ir.expressions((UNKNOWN,))),
    "model.nodes.reads": lambda: ir.reads((UNKNOWN,), {}),
    "model.nodes.writes": lambda: ir.writes((UNKNOWN,)),
    "model.verify": lambda: verify.verify(with_unknown()),
    "model.interpret": lambda: interpret.Run(MODEL, {}, None, {}).execute((UNKNOWN,)),
    "model.totality": lambda: totality.is_total(ir.Expr(Op.CALL, BoolType(), (), "called"), with_unknown()),
    "model.footprints": lambda: footprints.footprint(MODEL, (UNKNOWN,), {}),
    "model.capacity": lambda: capacity.additions((UNKNOWN,)),
    "model.order": unordered,
    "explore.native.render.statements": lambda: Body(Shared(MODEL, ()), Writer(), "s", "s", lambda _: None).statement(
        UNKNOWN
    ),
    "prove.bounded.capacities": lambda: room(with_unknown(), 1),
    "model.bodies.terminates": lambda: terminates(UNKNOWN),
    "prove.encode.fixed": lambda: Fixed(MODEL).run((UNKNOWN,), Env({}, None)),
    "prove.encode.anysize": lambda: AnySize(MODEL).run((UNKNOWN,), Env({}, None)),
    "prove.encode.anysize.effects": lambda: all_rounds(AnySize(MODEL), LOOP, Env({}, None)),
}


@pytest.mark.parametrize("walker", THROUGH_STATEMENTS)
def test_what_goes_through_statements_stops_at_an_unknown_one_and_names_it(walker: str) -> None:
    with MODEL.system, pytest.raises(AssertionError, match=r"unreachable.*Unheard"):
        THROUGH_STATEMENTS[walker]()


STATEMENTS = {kind.__name__ for kind in get_args(ir.Stmt)}
SEVERAL = 4
"""A `match` over so many kinds of statements is meant to be about all of them; mypy holds it to that by `assert_never`."""


def _named(pattern: ast.pattern) -> set[str]:
    """The kinds of statements that a case itself is for, not those inside of its patterns."""
    match pattern:
        case ast.MatchClass(cls=ast.Attribute(attr=name) | ast.Name(id=name)):
            return {name} & STATEMENTS
        case ast.MatchOr(patterns=parts):
            return set().union(*map(_named, parts))
        case ast.MatchAs(pattern=inner) if inner is not None:
            return _named(inner)
    return set()


def test_every_match_over_statements_ends_with_assert_never() -> None:
    found = 0
    for path in CHECKER.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Match)
                and len(set().union(*(_named(case.pattern) for case in node.cases))) >= SEVERAL
            ):
                last = ast.unparse(node.cases[-1])
                assert last.startswith("case _:") and "assert_never(" in last, f"{path}:{node.lineno}"
                found += 1
    assert (
        found >= len(THROUGH_STATEMENTS) - 4
    )  # `reads` and `writes` go through `statements`, both encoders through one
