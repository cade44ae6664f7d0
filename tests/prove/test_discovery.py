"""Lemmas that are found prove the property, also when they are pasted; and nothing is claimed where nothing was found."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from time import monotonic
from typing import Self

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from quorate import Nat, Network, Scalarset, Spec, action, invariant, is_majority, record, require, step
from quorate.commands.prove import command
from quorate.language.declarations import declarations
from quorate.language.system import System
from quorate.loading import load
from quorate.model.build import build
from quorate.outcome import Proven, Unfinished
from quorate.prove.discovery.clauses import Clause, Known, candidates
from quorate.prove.discovery.discover import Discovery, discover, proposed
from quorate.prove.discovery.grammar import Grammar
from quorate.prove.discovery.houdini import Houdini
from quorate.prove.discovery.own import OwnAtoms, comparisons
from quorate.prove.discovery.pasting import extended, namespace
from quorate.prove.discovery.samples import Samples, arbitrary, explored, table
from quorate.prove.discovery.variables import contexts
from quorate.prove.fixed_bounds import Bounded
from quorate.prove.proof import Task, prove

from tests import generated

LESSON = Path(__file__).parents[2] / "docs" / "proofs" / "lesson.py"


class Client(Scalarset, size=3):
    """Somebody who wants the lock."""


class Lock(Enum):
    """Whether the server has the lock to give."""

    FREE = "free"
    TAKEN = "taken"


@record
class Grant:
    """The server gives the lock to a client."""

    to: Client


@record
class Release:
    """A client gives it back."""

    by: Client


class LockServer(Spec):
    """A lock that a server hands out by messages, each of which is received once."""

    lock: Lock
    holders: set[Client]
    network: Network[Grant | Release]

    @action
    def grant(self, c: Client) -> None:
        require(self.lock == Lock.FREE)
        self.lock = Lock.TAKEN
        self.network.send(Grant(c))

    @action
    def enter(self, m: Grant) -> None:
        require(m in self.network)
        self.network.drop(m)
        self.holders.add(m.to)

    @action
    def leave(self, c: Client) -> None:
        require(c in self.holders)
        self.holders.discard(c)
        self.network.send(Release(c))

    @action
    def take_back(self, m: Release) -> None:
        require(m in self.network)
        self.network.drop(m)
        self.lock = Lock.FREE

    @invariant
    def mutual_exclusion(self, a: Client, b: Client) -> bool:
        """At most one client holds the lock."""
        return a == b or a not in self.holders or b not in self.holders


class Careless(LockServer):
    """A lock with a property that is false."""

    @invariant
    def never_twice(self, c: Client) -> bool:
        """No client gets the lock, which some do."""
        return c not in self.holders or self.lock == Lock.FREE


class HandsOutTwice(LockServer):
    """The server forgets that it has given the lock."""

    def grant(self, c: Client) -> None:
        self.network.send(Grant(c))


class Vote(Spec):
    """Two majorities of voters who vote once."""

    voted: dict[Client, Client | None]
    elected: set[Client]

    @action
    def vote(self, v: Client, c: Client) -> None:
        require(self.voted[v] is None)
        self.voted[v] = c

    @action
    def win(self, c: Client) -> None:
        require(is_majority({v for v in Client if self.voted[v] == c}, Client))
        self.elected.add(c)

    @invariant
    def one_winner(self, a: Client, b: Client) -> bool:
        return a == b or a not in self.elected or b not in self.elected


class Count(Nat, max=6):
    """A number."""


class Even(Spec):
    """A counter that is always even, which no comparison of it says, and its last value."""

    count: Count
    last: Count

    @action
    def grow(self) -> None:
        self.last = self.count
        self.count += 2

    @invariant
    def never_five(self) -> bool:
        return self.count != 5

    @step
    def never_grows(self, old: Self) -> bool:
        return self.count <= old.count


class Broken(Even):
    """Its action fails."""

    omits = ("never_grows",)

    def grow(self) -> None:
        assert self.count == 0
        self.count += 2


class Base(Enum):
    """Called as the search might call a class."""

    OPEN = "open"
    SHUT = "shut"


class Hostile(Spec):
    """A key is lent once. Variables are called as the search calls what it tries."""

    form_0: Base
    lemma_1: Client | None
    held: dict[Client, bool]

    @action
    def lend(self, c: Client) -> None:
        require(self.form_0 == Base.OPEN)
        self.form_0 = Base.SHUT
        self.lemma_1 = c

    @action
    def take(self, c: Client) -> None:
        require(self.lemma_1 == c)
        self.lemma_1 = None
        self.held[c] = True

    @invariant
    def one(self, a: Client, b: Client) -> bool:
        return a == b or not (self.held[a] and self.held[b])


def found(spec: type[Spec], any_size: bool = True, seconds: float = 120.0) -> Discovery:
    return discover(Task(spec, spec.__name__, any_size=any_size), seconds)


def without_lemmas(spec: type[Spec], folder: Path) -> Path:
    """A file with the specification's source, its lemmas cut out: what an author would have before proving."""
    source = Path(sys.modules[spec.__module__].__file__ or "").read_text(encoding="utf-8")
    lemmas = [name for name, declaration, _ in declarations(spec) if declaration.kind == "lemma"]
    file = folder / f"{spec.__module__.rpartition('.')[2]}_bare.py"
    body = f"\n\nclass Bare({spec.__name__}):\n    omits = {(*spec.omits, *lemmas)!r}\n"
    file.write_text(source + body, encoding="utf-8")
    return file


def loaded(file: Path, name: str) -> type[Spec]:
    spec = importlib.util.spec_from_file_location(file.stem, file)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[file.stem] = module
    spec.loader.exec_module(module)
    made: type[Spec] = vars(module)[name]
    return made


@pytest.fixture
def pasted(tmp_path: Path) -> Iterator[Path]:
    """A folder for files with pasted lemmas."""
    known = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - known:
        del sys.modules[name]


@pytest.mark.parametrize("spec", [LockServer, Vote])
def test_a_small_protocol_is_proven_for_any_size_with_what_is_found(spec: type[Spec]) -> None:
    discovery = found(spec)
    assert isinstance(discovery.proof.outcome, Proven) and discovery.proof.outcome.any_size
    assert discovery.lemmas and discovery.found


@pytest.mark.deep
def test_none_of_the_lemmas_can_be_left_out() -> None:
    discovery = found(LockServer)
    for left_out in discovery.lemmas:
        rest = [lemma for lemma in discovery.lemmas if lemma != left_out]
        spec = extended(LockServer, rest)
        task = Task(spec, "", invariants=("mutual_exclusion",), any_size=True, depth=1)
        assert not isinstance(prove(task).outcome, Proven), left_out


@pytest.mark.slow
def test_pasted_into_a_copy_of_the_file_they_prove_two_phase_commit(pasted: Path) -> None:
    file = without_lemmas(load("two_phase_commit").main, pasted)
    bare = loaded(file, "Bare")
    assert not isinstance(prove(Task(bare, "bare", any_size=True, depth=1)).outcome, Proven)
    discovery = found(bare)
    assert discovery.found and discovery.imports == ()
    copy = pasted / "two_phase_commit_with_lemmas.py"
    copy.write_text(file.read_text(encoding="utf-8") + "\n" + "\n".join(discovery.lemmas), encoding="utf-8")
    outcome = prove(Task(loaded(copy, "Bare"), "pasted", any_size=True)).outcome
    assert isinstance(outcome, Proven) and {"atomicity", "validity"} <= set(outcome.properties)


def test_names_of_the_author_are_not_those_of_the_search() -> None:
    discovery = found(Hostile, any_size=False)
    assert isinstance(discovery.proof.outcome, Proven)
    assert any("Base.SHUT" in lemma or "Base.OPEN" in lemma for lemma in discovery.lemmas)


def test_at_fixed_bounds_the_proof_is_for_these_bounds() -> None:
    discovery = found(LockServer.bounded(Client=2), any_size=False)
    assert isinstance(discovery.proof.outcome, Proven) and not discovery.proof.outcome.any_size


@pytest.mark.parametrize("any_size", [False, True])
def test_other_properties_are_left_out_of_a_proof_and_named(any_size: bool) -> None:
    outcome = discover(Task(Careless, "", invariants=("mutual_exclusion",), any_size=any_size), 60.0).proof.outcome
    assert isinstance(outcome, Proven) and outcome.properties == ("mutual_exclusion",)
    assert any("never_twice: left out, neither shown nor used" in note for note in outcome.notes)


@pytest.mark.slow
def test_writes_converge_at_fixed_bounds() -> None:
    lemmas = ("writes_have_a_time", "seen_writes_have_a_time", "latest_is_held")
    spec = extended(load("lww_register").main.bounded(Time=1), (), lemmas)
    assert [name for name, declaration, _ in declarations(spec) if declaration.kind == "lemma"] == []
    outcome = found(spec, any_size=False).proof.outcome
    assert isinstance(outcome, Proven) and "convergence" in outcome.properties


def test_what_a_run_refutes_is_not_searched_for() -> None:
    discovery = found(HandsOutTwice)
    assert not discovery.found and discovery.lemmas == ()
    outcome = discovery.proof.outcome
    assert (
        isinstance(outcome, Unfinished)
        and "mutual_exclusion is false in a run; `quorate check` shows it" in outcome.reason
    )


def test_when_time_is_over_nothing_is_claimed() -> None:
    discovery = found(LockServer, seconds=0.05)
    assert isinstance(discovery.proof.outcome, Unfinished) and "no lemmas were found" in discovery.proof.outcome.reason


def test_a_step_that_a_run_refutes_is_not_searched_for() -> None:
    outcome = found(Even).proof.outcome
    assert isinstance(outcome, Unfinished) and "never_grows is false in a run" in outcome.reason


@pytest.mark.parametrize("any_size", [False, True])
def test_where_no_clause_helps_it_says_what_was_tried(any_size: bool) -> None:
    discovery = discover(Task(Even, "Even", invariants=("never_five",), any_size=any_size), 60.0)
    outcome = discovery.proof.outcome
    assert isinstance(outcome, Unfinished) and discovery.lemmas == () and discovery.candidates > 0
    assert "4 explored states allow" in outcome.reason and "do not suffice for never_five" in outcome.reason


def test_a_run_that_raises_an_error_ends_the_search() -> None:
    outcome = found(Broken).proof.outcome
    assert isinstance(outcome, Unfinished) and "a run raises an error" in outcome.reason


def test_a_predicate_of_the_author_may_raise_what_it_likes_where_it_is_not_asked() -> None:
    source = """
from typing import Self
from quorate import Nat, Scalarset, Spec, action, invariant, record, require, step, the

class Node(Scalarset, size=2): pass
class Phase(Nat, max=2): pass

@record
class Sent:
    by: Node
    phase: Phase

def newer(a: Sent, b: Sent) -> bool:
    assert a.by == b.by
    return a.phase < b.phase

class Drawn(Spec):
    phase: dict[Node, Phase]
    sent: set[Sent]
    done: set[Node]
    first: Sent | None

    def ready(self, n: Node) -> bool:
        assert self.phase[n] > 0
        return Sent(n, Phase(1)) in self.sent

    @action
    def send(self, n: Node) -> None:
        require(self.phase[n] == 0)
        self.phase[n] = Phase(1)
        self.sent.add(Sent(n, Phase(1)))

    @action
    def finish(self, n: Node) -> None:
        require(self.phase[n] == 1)
        require(self.ready(n))
        self.phase[n] = Phase(2)
        self.done.add(n)
        self.first = the(sent for sent in self.sent if sent.by == n)

    @invariant
    def what_is_done_was_sent(self, n: Node) -> bool:
        return n not in self.done or any(sent.by == n for sent in self.sent)

    @invariant
    def the_first_began(self) -> bool:
        return self.first is None or self.first.phase == 1

    @step
    def the_first_grows(self, old: Self) -> bool:
        return old.first is None or self.first is None or old.first.by != self.first.by or not newer(old.first, self.first)
"""
    assert discover(Task(generated.load(source), "asked"), 30.0).found


def test_an_interruption_ends_the_search() -> None:
    def interrupted(what: str) -> None:
        if what.startswith("clauses"):
            raise KeyboardInterrupt

    outcome = discover(Task(LockServer, "", any_size=True, progress=interrupted), 60.0).proof.outcome
    assert isinstance(outcome, Unfinished) and "interrupted" in outcome.reason


def test_the_same_lemmas_are_found_each_time() -> None:
    spec = load(f"{LESSON}:Bare").main.bounded(ResourceManager=2)
    first, second = found(spec, any_size=False), found(spec, any_size=False)
    assert first.found and first.lemmas == second.lemmas


def test_pasted_with_the_imports_named_they_prove_it(pasted: Path) -> None:
    discovery = found(load(f"{LESSON}:Bare").main)
    assert discovery.found
    assert discovery.imports == (
        "from quorate import lemma",
        "from quorate_specs.transactions.transaction_commit import RM, ResourceManager",
        "from quorate_specs.transactions.two_phase_commit import Prepared, TM, Verdict",
    )
    copy = pasted / "lesson_with_lemmas.py"
    text = LESSON.read_text(encoding="utf-8")
    heading = '"""Atomicity alone."""'
    assert text.count(heading) == 1
    pasted_text = text.replace(heading, heading + "\n\n" + "\n".join(discovery.lemmas))
    copy.write_text(
        pasted_text.replace("\nALL = ", "\n".join(["", *discovery.imports, "", "ALL = "])), encoding="utf-8"
    )
    assert isinstance(prove(Task(loaded(copy, "Bare"), "pasted", any_size=True)).outcome, Proven)


@pytest.mark.deep
@pytest.mark.slow
def test_one_leader_in_a_term_is_proven_for_any_number_of_servers() -> None:
    spec = load(f"{LESSON}:BareElection").main
    assert not any(declaration.kind == "lemma" for _, declaration, _ in declarations(spec))
    discovery = found(spec, seconds=600.0)
    outcome = discovery.proof.outcome
    assert isinstance(outcome, Proven) and outcome.any_size and outcome.properties == ("election_safety",)
    assert any("is_majority(" in lemma for lemma in discovery.lemmas)


# The parts


def clauses_of(spec: type[Spec], literals: int) -> list[Clause]:
    model, names = build(spec), namespace(spec)
    with model.system as system:
        states = explored(system, 500, 20).states
        reachable = Samples(system, states, names)
        random = Samples(system, arbitrary(system, 100), names)
        grammar, own, known = Grammar(model, names), OwnAtoms(system), Known(contexts(model))
        return [
            clause
            for context in contexts(model)
            for clause in candidates(
                table(reachable, random, context, proposed(grammar, own, context), 20_000), known, literals
            )
        ]


@pytest.mark.parametrize("spec", [LockServer, Vote])
def test_candidates_are_true_in_every_explored_state_and_not_in_every_state(spec: type[Spec]) -> None:
    clauses = clauses_of(spec, 2)
    assert clauses
    with System(spec) as system:
        views = [system.view(state) for state in explored(system, 500, 20).states]
        for clause in clauses:
            rows = list(system.choices(tuple(clause.context)))  # type: ignore[arg-type]
            names = ", ".join(["self", *(name.text for name in clause.context)])
            true = eval(f"lambda {names}: {' or '.join(clause.parts)}", namespace(spec))
            assert all(true(view, *row) for view in views for row in rows), clause.parts


def test_no_candidate_is_inside_another() -> None:
    clauses = clauses_of(LockServer, 3)
    literals = [(clause.context, {literal.text for literal in clause.literals}) for clause in clauses]
    for context, texts in literals:
        assert not any(context == other and inner < texts for other, inner in literals)


def test_the_guard_of_an_action_is_an_atom_also_of_other_terms() -> None:
    with System(load("raft_election").main) as system:
        model = build(system)
        texts = {atom.text for context in contexts(model) for atom in OwnAtoms(system).atoms(context, pure_only=False)}
    majority = "is_majority({v for v in Server if v == s or Vote(%s, v, s) in self.network}, Server)"
    assert majority % "self.term[s]" in texts and majority % "t" in texts


def test_elements_with_many_fields_are_variables_themselves() -> None:
    spec = load("lww_register").main
    model, names = build(spec), namespace(spec)
    compared = comparisons(spec, model)
    assert [name for name, _ in compared] == ["not_later"]
    with model.system as system:
        context = next(
            one for one in contexts(model, records=True) if [str(name.type) for name in one] == ["Node", "Write"]
        )
        known = Known([context])
        reachable, random = (
            Samples(system, states, names) for states in (explored(system, 200, 20).states, arbitrary(system, 50))
        )
        atoms = proposed(Grammar(model, names, compared), OwnAtoms(system), context)
        texts = {
            " or ".join(clause.parts)
            for clause in candidates(table(reachable, random, context, atoms, 10_000), known, 2)
        }
    assert "w not in self.seen[n] or not_later(w, self.register[n])" in texts


def test_records_that_variables_spell_are_no_variables() -> None:
    assert contexts(build(load("two_phase_commit").main), records=True) == []


@settings(max_examples=15)
@given(st.integers(0, 2**32))
def test_houdini_keeps_the_largest_inductive_set(seed: int) -> None:
    """Compared with asking for each property and action by itself, until nothing is dropped."""
    spec = generated.load(generated.write(seed))
    model = build(spec)
    with model.system:
        houdini, bounded = Houdini(model, monotonic() + 60), Bounded(model)
        left = [name for name in houdini.names if bounded.initially(named(model, name))]
        assert houdini.initially(houdini.names) == left
        kept = list(left)
        while True:
            lost = [
                name
                for name in kept
                if any(
                    bounded.broken_by(fired, named(model, name), kept) is not None for fired in bounded.relation.fired
                )
            ]
            if not lost:
                break
            kept = [name for name in kept if name not in lost]
        assert houdini.inductive(left) == kept


def named(model: object, name: str) -> object:
    return next(prop for prop in model.properties if prop.name == name)  # type: ignore[attr-defined]


# On the command line


def test_lemmas_are_printed_as_methods_with_the_proof() -> None:
    result = CliRunner().invoke(command, [f"{LESSON}:Bare", "--discover", "--any-size"])
    assert result.exit_code == 0, result.output
    assert "to be pasted into the class" in result.output
    assert "    @lemma\n    def lemma_1(self" in result.output
    assert "proven for any size: atomicity" in result.output


def test_a_proof_that_needs_no_lemma_says_so() -> None:
    result = CliRunner().invoke(command, ["two_phase_commit", "--discover", "--any-size", "--invariant", "atomicity"])
    assert result.exit_code == 0 and "No further lemma is needed." in result.output
