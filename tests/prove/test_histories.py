"""Histories in proofs at fixed bounds: `linearizable(...)` is what it is in CPython, where it is false, and where it raises an error."""

from __future__ import annotations

from typing import Any

import pytest
from quorate.explore import check
from quorate.outcome import Failed, Holds, Unfinished, Violated
from quorate.prove.proof import Task, prove

from tests import generated

FIXED = """
from typing import Annotated
from quorate import *

class Node(Scalarset, size=3): pass
class Value(Nat, max=2): pass

@record
class Event:
    client: Node
    returned: bool
    write: bool
    value: Value

def register(state: Value, event: Event) -> tuple[bool, Value]:
    if event.write:
        return True, event.value
    return event.value == state, state

class Drawn(Spec):
    history: Annotated[list[Event], up_to(6)]

    @action
    def go(self, p: Node, q: Node, r: Node, v: Value) -> None:
        require(p != q and q != r and p != r and len(self.history) == 0)
        for event in (EVENTS):
            self.history.append(event)

    @invariant
    def right(self) -> bool:
        return len(self.history) == 0 or linearizable(self.history, register, 0) == (CLAIM)
"""
CALL, RETURN, WRITE, READ = "False", "True", "True", "False"


def event(client: str, returned: str, write: str, value: str) -> str:
    return f"Event({client}, {returned}, {write}, {value})"


CONCURRENT = [
    event("p", CALL, WRITE, "1"),
    event("q", CALL, WRITE, "2"),
    event("p", RETURN, WRITE, "1"),
    event("r", CALL, READ, "0"),
    event("q", RETURN, WRITE, "2"),
    event("r", RETURN, READ, "v"),
]
PENDING = [
    event("p", CALL, WRITE, "2"),
    event("q", CALL, READ, "0"),
    event("q", RETURN, READ, "v"),
]
ONE_AFTER_ANOTHER = [
    event("p", CALL, WRITE, "1"),
    event("p", RETURN, WRITE, "2"),
    event("p", CALL, READ, "0"),
    event("p", RETURN, READ, "v"),
]


@pytest.mark.parametrize("method", ["bmc", "kinduction", "induction"])
@pytest.mark.parametrize(
    ("events", "right"),
    [(CONCURRENT, "v > 0"), (PENDING, "v != 1"), (ONE_AFTER_ANOTHER, "v == 2")],
    ids=["concurrent writes", "a write that has not returned", "a return tells the result"],
)
def test_a_history_is_right_where_it_is_in_cpython(method: str, events: list[str], right: str) -> None:
    for said, holds in ((right, True), ("v > 1", right == "v == 2"), ("True", False), ("False", False)):
        body = FIXED.replace("(EVENTS)", f"[{', '.join(events)}]").replace(
            "CLAIM", said.replace("v", "self.history[-1].value")
        )
        spec: Any = generated.load(body)
        assert isinstance(check(spec, engine="reference"), Holds if holds else Violated)
        found = prove(Task(spec, "drawn", method=method, seconds=20.0, depth=2)).outcome
        assert isinstance(found, Violated) is not holds
        assert not isinstance(found, Failed)


ORDERS = """
from typing import Annotated
from quorate import *

class Node(Scalarset, size=2): pass
class Value(Nat, max=2): pass

@record
class Event:
    client: Node
    returned: bool
    value: Value

def register(state: Value, event: Event) -> tuple[bool, Value]:
    assert not (state == 1 and event.value == 2)
    return True, event.value

class Drawn(Spec):
    history: Annotated[list[Event], up_to(3)]
    seen: bool

    @action
    def go(self, p: Node, q: Node) -> None:
        require(p != q and len(self.history) == 0)
        self.history.append(Event(p, False, 2))
        self.history.append(Event(q, False, 1))
        self.history.append(Event(p, True, 2))

    @action
    def look(self) -> None:
        require(ASKED)
        self.seen = True

    @invariant
    def right(self) -> bool:
        return CLAIM
"""


@pytest.mark.parametrize("method", ["bmc", "kinduction", "induction"])
@pytest.mark.parametrize(("asked", "claim"), [("True", "CALL"), ("CALL", "True")])
def test_an_error_that_no_search_of_a_history_meets_is_none(method: str, asked: str, claim: str) -> None:
    """At fixed bounds every order is looked at; CPython stops at the first that is right, and is not asked about 2 after 1."""
    call = "linearizable(self.history, register, 0)"
    spec: Any = generated.load(ORDERS.replace("ASKED", asked).replace("CLAIM", claim).replace("CALL", call))
    assert isinstance(check(spec, engine="reference"), Holds)
    found = prove(Task(spec, "drawn", method=method, seconds=20.0, depth=2)).outcome
    assert isinstance(found, Unfinished)
