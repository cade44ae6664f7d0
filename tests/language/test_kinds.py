"""The kinds of properties stand once, and no part of the checker passes over one."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest
import quorate
from quorate import Spec, kinds
from quorate.errors import TraceError
from quorate.explore import check
from quorate.explore.liveness import acceptance_of
from quorate.explore.properties import Properties
from quorate.kinds import CLAIMS, ENDS, GOALS, KINDS, LIVENESS, SAFETY, TRACES, Demand, Subject
from quorate.language.declarations import Declaration
from quorate.language.system import System
from quorate.model.build import PROPERTY_RESULTS
from quorate.report.story import HEADLINES
from quorate.trace import Trace

CHECKER = Path(quorate.__file__).parent


class Number(quorate.Nat, max=1):
    """A number."""


BODIES = {name: "return (True, True)" if kind.is_pair else "return True" for name, kind in KINDS.items()}


def spec_with(kind: str, body: str) -> type[Spec]:
    """A spec whose only property is of one kind."""

    class OneProperty(Spec):
        number: Number

        @quorate.action(fair="weak")
        def flip(self) -> None:
            self.number = Number(1 - self.number)

    decorator = getattr(quorate, kind)
    scope: dict[str, Any] = {}
    head = "self, old" if KINDS[kind].subject is Subject.STEP else "self"
    further: dict[str, Any] = {}
    if kind == kinds.MAPPING:
        further = {"refines": OneProperty}
        body = f"old.number = Number({body.removeprefix('return ')} and 0)"
    exec(f"def it({head}):\n    {body}\n", {**globals()}, scope)
    return type("OneProperty", (OneProperty,), {"it": decorator(scope["it"]), "__module__": __name__} | further)


def test_every_kind_is_a_decorator_of_the_facade_and_every_decorator_a_kind() -> None:
    marked = set()
    for name in quorate.__all__:
        try:
            declaration = getattr(getattr(quorate, name)(lambda self: None), "__quorate__", None)
        except Exception:
            continue
        if isinstance(declaration, Declaration):
            assert declaration.kind == name
            marked.add(name)
    assert marked == set(KINDS) | set(kinds.ROLES)


def test_every_kind_is_safety_or_liveness_or_a_goal_or_says_where_runs_may_end_and_only_one_of_them() -> None:
    assert sorted([*SAFETY, *LIVENESS, *GOALS, *ENDS]) == sorted(KINDS)
    assert sorted([*CLAIMS, *ENDS]) == sorted(KINDS)
    for kind in KINDS.values():
        assert (kind.acceptance is not None) == (kind.subject is Subject.RUN)
        assert kind.shown_as in TRACES


def test_every_kind_of_trace_has_a_headline() -> None:
    assert set(HEADLINES) == set(TRACES)


def test_a_trace_of_an_unknown_kind_is_refused() -> None:
    stored = Trace("s", None, {}, "run", None, "", (), {}, ()).to_json()
    with pytest.raises(TraceError, match="'never' is none of invariant"):
        Trace.from_json(stored | {"kind": "never"})


def test_every_kind_has_a_type_of_result() -> None:
    assert set(PROPERTY_RESULTS) == set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_evaluated_by_the_reference_engine(kind: str) -> None:
    """A property that raises is noticed, whichever kind it is of: it was not passed over."""
    if KINDS[kind].demand is Demand.END:
        pytest.skip("evaluated where there is no transition")
    outcome = check(spec_with(kind, "return 1 // 0 == 1"), engine="reference")
    assert outcome.verdict == "error", outcome


@pytest.mark.parametrize("kind", LIVENESS)
def test_every_liveness_kind_has_an_acceptance_that_is_searched_for(kind: str) -> None:
    system = System(spec_with(kind, BODIES[kind]))
    with system:
        assert acceptance_of(system.of(kind)[0])


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_reaches_the_lists_that_engines_evaluate(kind: str) -> None:
    system = System(spec_with(kind, BODIES[kind]))
    with system:
        properties = Properties(system)
        listed = [method.name for method, _ in (*properties.invariants, *properties.steps, *properties.reachable)]
        ends = [properties.terminal.name] if properties.terminal is not None else []
        lasting = [method.name for method in system.of(*LIVENESS)]
    assert [*listed, *ends, *lasting] == ["it"]


def test_a_kind_that_is_not_listed_is_refused_wherever_it_is_asked_for() -> None:
    system = System(spec_with("invariant", "return True"))
    with pytest.raises(LookupError, match="no kind of property"):
        system.of("invarient")
    with pytest.raises(LookupError, match="no kind of property"):
        Declaration("sometimes")


def test_no_list_of_kinds_is_written_by_hand() -> None:
    """Two kinds or more in one display outside the table: a list that could lack one."""
    for path in CHECKER.rglob("*.py"):
        if path == CHECKER / "kinds.py":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "of":
                named = [part.value for part in node.args if isinstance(part, ast.Constant)]
                assert len([name for name in named if name in KINDS]) < 2, f"{path}:{node.lineno}"
