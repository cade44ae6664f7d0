"""What no run has a value for defines nothing: an action that asks for a field that a message has not is in error, for any size, too."""

from __future__ import annotations

import pytest
from quorate.outcome import Failed, Violated
from quorate.prove.proof import Task, prove

from tests import generated

SOURCE = """
from quorate import Nat, Ordered, Scalarset, Spec, action, init, invariant, record, the

class Server(Scalarset, size=2): pass
class Rank(Ordered, size=2): pass
class Term(Nat, max=2): pass

@record
class Note:
    to: Server
    term: Term
    rank: Rank

@record
class Ack:
    to: Server

class Drawn(Spec):
    told: set[Note | Ack]
    top: Term
    rank: Rank
    on: bool

    @init
    def begin(self, s: Server) -> None:
        self.told = {Ack(s)}

    @action
    def use(self, s: Server, t: Term, r: Rank) -> None:
        EFFECT
        self.top = t

    @invariant
    def never(self) -> bool:
        return not self.on

    @invariant
    def there(self) -> bool:
        return any(isinstance(n, Ack) for n in self.told)

    @invariant
    def claim(self) -> bool:
        return CLAIM
"""
EFFECTS = [
    "self.rank = max((n.rank for n in self.told if isinstance(n, Ack)), default=r)",
    "self.rank = max(((n.rank, n.term) for n in self.told if isinstance(n, Ack)), default=(r, t))[0]",
    "self.rank = the((n.rank for n in self.told if isinstance(n, Ack)), default=r)",
    "self.rank = max({n.rank for n in self.told if isinstance(n, Ack)}, default=r)",
    "self.top = max((n.term for n in self.told), default=t)",
    "self.top = min((n.term for n in self.told if n.to == s and not isinstance(n, Note)), default=t)",
]


@pytest.mark.parametrize("effect", EFFECTS)
def test_a_field_that_there_is_not_is_an_error_for_any_size(effect: str) -> None:
    spec = generated.load(SOURCE.replace("EFFECT", effect).replace("CLAIM", "True"))
    assert isinstance(prove(Task(spec, "spec", any_size=True)).outcome, Failed)


@pytest.mark.parametrize("effect", EFFECTS)
def test_where_it_is_never_asked_for_it_hides_nothing(effect: str) -> None:
    spec = generated.load(SOURCE.replace("EFFECT", f"if self.on: {effect}").replace("CLAIM", "self.top == 0"))
    outcome = prove(Task(spec, "spec", any_size=True)).outcome
    assert isinstance(outcome, Violated) and outcome.property == "claim"
