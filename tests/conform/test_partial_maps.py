"""A log is held to maps of which keys may be absent: what a program does not list is not there."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Annotated, Any

import pytest
from quorate import Nat, Scalarset, Spec, action, partial, record, require
from quorate.conform import OPEN, Conforms, Differs, Map, Verdict, validate

from tests.conform.runs import Line, write


class Server(Scalarset, size=2):
    """Who gives leases."""


class Client(Scalarset, size=2):
    """Who may hold one."""


class Term(Nat, max=2):
    """How long it lasts."""


@record
class Copy:
    """The leases of a server."""

    held: Annotated[dict[Client, Term], partial]
    by: Server


class Leases(Spec):
    """Servers give leases, and store them."""

    held: dict[Server, Annotated[dict[Client, Term], partial]]
    last: Copy | None

    @action
    def grant(self, s: Server, c: Client, t: Term) -> None:
        require(c not in self.held[s])
        self.held[s][c] = t

    @action
    def end(self, s: Server, c: Client) -> None:
        require(c in self.held[s])
        del self.held[s][c]

    @action
    def store(self, m: Copy) -> None:
        require(m.held == self.held[m.by])
        self.last = m

    @action
    def restore(self, s: Server, held: Annotated[dict[Client, Term], partial]) -> None:
        require(self.last is not None and self.last.held == held)
        self.held[s] = held


MAP = Map(members={"Server": ("a", "b"), "Client": OPEN}, complete=("held",))


def line(event: str, told: Any, node: str | None = None, **arguments: Any) -> Line:
    return {"event": event, "args": arguments, "vars": told} | ({} if node is None else {"node": node})


LOG = [
    line("grant", {"held": {"a": {"x": 7}}}, "a", c="x", t=7),
    line("grant", {"held": {"a": {"y": 1}}}, "a", c="y", t=1),
    line("store", {"last": {"held": {"x": 7, "y": 1}, "by": "a"}}, m={"held": {"y": 1, "x": 7}, "by": "a"}),
    line("end", {"held": {"a": {"x": None}}}, "a", c="x"),
    line("restore", {"held": {"b": {"x": 7, "y": 1}}}, "b", held={"x": 7, "y": 1, "z": None}),
    line("store", {"last": {"held": {"y": 1}, "by": "a"}}, m={"held": {"y": 1}, "by": "a"}),
    line("restore", {"held": {"b": {"x": None}}}, "b"),
]


def judged(folder: Path, lines: list[Line]) -> Verdict:
    return validate([write(folder / "log.jsonl", lines)], Leases, MAP, "leases")


def test_a_log_with_missing_keys_conforms(tmp_path: Path) -> None:
    """Also one that does not tell what is restored: it is what is stored."""
    found = judged(tmp_path, LOG)
    assert isinstance(found, Conforms) and found.coverage.actions == {"grant": 2, "store": 2, "end": 1, "restore": 2}


EDITS: dict[str, tuple[int, Callable[[Any], object]]] = {
    "another value": (1, lambda told: told["vars"]["held"]["a"].update(x=6)),
    "a key that is still there": (4, lambda told: told["vars"]["held"]["a"].update(x=7)),
    "a key that is not told as gone": (4, lambda told: told["vars"].update(held={})),
    "a key missing in a message": (3, lambda told: told["args"]["m"]["held"].pop("x")),
    "a key missing in a record": (3, lambda told: told["vars"]["last"]["held"].pop("y")),
    "one key more in an argument": (5, lambda told: told["args"]["held"].update(z=1)),
}


@pytest.mark.parametrize("at, edit", EDITS.values(), ids=EDITS)
def test_an_edit_is_found_where_it_is(tmp_path: Path, at: int, edit: Callable[[Any], object]) -> None:
    lines = deepcopy(LOG)
    edit(lines[at - 1])
    found = judged(tmp_path, lines)
    assert isinstance(found, Differs) and found.event is not None and found.event.line == at
