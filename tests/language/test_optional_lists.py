"""A list may be None: a value then, which no engine changes in place."""

from __future__ import annotations

import pytest
from quorate.errors import SpecError
from quorate.explore import check
from quorate.language.system import System

from tests.generated import load
from tests.language.one_action import end_of, source
from tests.model.test_rejections import rejected


def drawn(body: str, more: str = "", plan: str = "Annotated[list[Node], up_to(2)] | None") -> str:
    """The source of a specification whose action has this body, with a list that may be None."""
    variables = [f"plan: {plan}", "plain: Annotated[list[Node], up_to(3)]", "flag: bool"]
    return source(variables, "p: Node, q: Node", body, more=more)


ENDS = {
    "its length where it is None": ("self.flag = len(self.plan) == 0", "error"),
    "an element where it is None": ("self.flag = self.plan[0] == p", "error"),
    "a member where it is None": ("self.flag = p in self.plan", "error"),
    "an empty one is not None": ("self.plan = []\nassert self.plan is not None and self.plan == []", "ends"),
    "one more": ("self.plan = [p] if self.plan is None else self.plan + [q]\nassert self.plan[0] == p", "ends"),
    "more than its capacity": ("self.plan = [p, q, p]", "cut"),
    "more than its capacity, from a list": ("self.plain = [p, q, p]\nself.plan = self.plain", "cut"),
    "one that fits, from a list": (
        "self.plain = [p, q]\nself.plan = self.plain\nself.plain.pop()\nassert len(self.plan) == 2",
        "ends",
    ),
    "into a list": ("self.plan = [p]\nself.plain = self.plan\nself.plain.append(q)\nassert self.plan == [p]", "ends"),
    "None into a list": ("self.plain = self.plan", "error"),
    "taken out and put back": (
        "self.plan = [p, q]\nx = self.plan\nself.plan = None\nassert x is not None and x[1] == q",
        "ends",
    ),
}


@pytest.mark.parametrize("body, end", ENDS.values(), ids=ENDS)
def test_the_model_ends_as_cpython_does(body: str, end: str) -> None:
    assert end_of(drawn(body)) == end


REJECTED = {
    "appended": "«self.plan.append(p)»",
    "added to": "«self.plan += [p]»",
    "an element replaced": "«self.plan[0]» = p",
}


@pytest.mark.parametrize("body", REJECTED.values(), ids=REJECTED)
def test_it_is_not_changed_in_place(body: str) -> None:
    rejected(drawn(body))


@pytest.mark.parametrize(
    "hint", ["set[Node] | None", "dict[Node, bool] | None", "list[Node] | Note | None", "list[Node] | Note"]
)
def test_no_other_container_is_an_alternative(hint: str) -> None:
    with pytest.raises(SpecError, match="cannot be an alternative of a union"):
        System(load(drawn("self.flag = True", plan=hint)))


CLAIM = """
    @invariant
    def short(self) -> bool:
        return self.plan is None or len(self.plan) < 2
"""


@pytest.mark.parametrize("engine", ["reference", pytest.param("native", marks=pytest.mark.slow)])
def test_engines_count_alike(engine: str) -> None:
    body = "require(self.plan != [])\nself.plan = [p] if self.plan is None else self.plan[1:] if p == q else self.plan + [q]"
    outcome = check(load(drawn(body, CLAIM)), engine=engine, symmetry=False)
    assert outcome.verdict == "violated" and outcome.trace is not None and len(outcome.trace.steps) == 2
