"""An error of @init is a claim of every proof, as that of any action is."""

from __future__ import annotations

import re

import pytest
from quorate.explore import check
from quorate.language.system import Failure, System
from quorate.outcome import Failed, Proven, Unfinished, Violated
from quorate.prove.at_any_size import AtAnySize
from quorate.prove.proof import Task, prove
from quorate.prove.solvers.sat import Undecided

from tests import generated

SOURCE = """
from quorate import Nat, Spec, action, init, invariant


class Term(Nat, max=3):
    '''A number.'''


class Drawn(Spec):
    n: Term

    @init
    def start(self, t: Term) -> None:
        assert t < LIMIT
        self.n = t

    @action
    def tick(self) -> None:
        self.n = Term(0)

    @invariant
    def small(self) -> bool:
        return self.n < LIMIT
"""


@pytest.mark.parametrize("method", ["induction", "kinduction", "bmc", "any size"])
def test_an_error_of_init_is_no_proof(method: str) -> None:
    spec = generated.load(SOURCE.replace("LIMIT", "2"))
    task = Task(spec, "spec", any_size=True) if method == "any size" else Task(spec, "spec", method=method)
    with pytest.raises(Failure, match=r"start\(2\) raises an error"):
        prove(task)


def test_an_error_of_init_beyond_the_bounds_is_no_proof_for_any_size() -> None:
    spec = generated.load(SOURCE.replace("LIMIT", "5"))
    found = prove(Task(spec, "spec", any_size=True)).outcome
    assert isinstance(found, Unfinished) and "@init raises an error" in found.reason


UNSET = """
from quorate import Nat, Scalarset, Spec, action, init, invariant


class Server(Scalarset, size=2, prefix='s'):
    '''A server.'''


class Place(Nat, max=1):
    '''A place on a ring.'''


class Drawn(Spec):
    '''Variables that have no value before @init gives them one.'''

    owner: Server
    ring: dict[Place, Server]

    @init
    def start(self, owner: Server, ring: dict[Place, Server]):
        '''{owner} begins.'''
        self.ring = ring
        self.owner = owner

    @action
    def hand_over(self, place: Place):
        '''Whoever stands at {place} takes over.'''
        self.owner = self.ring[place]

    @invariant
    def stays(self):
        '''The owner stands at the first place.'''
        return self.owner == self.ring[Place(0)]
"""


@pytest.mark.parametrize(("method", "steps"), [("bmc", 0), ("induction", 0)])
def test_variables_that_init_alone_gives_a_value(method: str, steps: int) -> None:
    found = prove(Task(generated.load(UNSET), "drawn", method=method, depth=2)).outcome
    assert isinstance(found, Violated) and found.trace is not None
    assert (found.property, len(found.trace)) == ("stays", steps)


REFINED = """
from quorate import Nat, Spec, action, init, mapping, require


class Term(Nat, max=2):
    '''A number.'''


class Above(Spec):
    n: Term

    @init
    def start(self, t: Term) -> None:
        BEGINS
        self.n = t

    @action
    def tick(self) -> None:
        self.n = Term(0)


class Drawn(Spec):
    refines = Above
    n: Term

    @action
    def tick(self) -> None:
        self.n = Term(0)

    @mapping
    def as_above(self, above: Above) -> None:
        above.n = self.n
"""


@pytest.mark.parametrize("method", ["induction", "kinduction", "bmc"])
@pytest.mark.parametrize(
    ("begins", "message"),
    [
        ("assert t < 1", r"Above\.start\([12]\) raises an error"),
        ("self.n = Term(t + 1)", r"Above\.start passes the bound Term"),
    ],
)
def test_an_error_of_the_more_abstract_init_is_one_whatever_it_is_needed_for(
    method: str, begins: str, message: str
) -> None:
    spec = generated.load(REFINED.replace("BEGINS", begins))
    explored = check(spec, engine="reference")
    assert isinstance(explored, Failed) and re.search(message, explored.message)
    with pytest.raises(Failure, match=message):
        prove(Task(spec, "spec", method=method))


OWN = SOURCE.replace("assert t < LIMIT", "BEGINS").replace("self.n < LIMIT", "self.n >= 0")
OWN = OWN.replace("import ", "import require, ", 1)
BEGUN = REFINED.replace(
    "    refines = Above\n    n: Term\n",
    """    refines = Above
    n: Term

    @init
    def begin(self, s: Term) -> None:
        require(s == 1)
        self.n = s
""",
)


@pytest.mark.parametrize("source", [OWN, BEGUN])
@pytest.mark.parametrize(("most", "is_proven"), [(9, False), (1, True)])
def test_no_initial_state_passes_a_bound_in_a_proof_for_any_size(source: str, most: int, is_proven: bool) -> None:
    source = source.replace("BEGINS", f"require(t < {most})").replace("self.n = t\n", "self.n = t + 1\n")
    spec = generated.load(source)
    assert isinstance(check(spec, engine="reference"), Failed) is not is_proven
    if is_proven:
        assert isinstance(prove(Task(spec, "spec", any_size=True)).outcome, Proven)
    else:
        with pytest.raises(Failure, match="start passes the bound Term"):
            prove(Task(spec, "spec", any_size=True))


def test_a_proof_says_that_there_was_no_time_for_the_initial_states(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_time(self: AtAnySize, system: System, evidence: object = None) -> None:
        raise Undecided("no time is left")

    monkeypatch.setattr(AtAnySize, "require_total", no_time)
    spec = generated.load(OWN.replace("BEGINS", "require(t < 1)"))
    found = prove(Task(spec, "spec", any_size=True)).outcome
    assert isinstance(found, Proven)
    assert "that no initial state of Drawn passes a bound, for which there was no time" in found.rests_on


def test_the_more_abstract_init_may_refuse_arguments() -> None:
    spec = generated.load(REFINED.replace("BEGINS", "require(t < 1)"))
    assert isinstance(prove(Task(spec, "spec")).outcome, Proven)
