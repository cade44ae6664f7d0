"""The search for lemmas that make properties inductive, from candidates to Python that can be pasted.

1. Atoms are proposed from the specification's types and from its own predicates.
2. Clauses over them that a few thousand explored states refute are dropped, and so are those that any state satisfies.
3. Counterexamples to induction at the configured bounds choose among them. Those that turn out not to be inductive give way
   to weaker ones (`guided`, `universe`). If a property is lost, longer clauses are listed.
4. As many as possible are left out; for any size, beginning with what the unsatisfiable cores name (`needed`).
5. The lemmas that remain are written as methods into a subclass of the specification, and `quorate prove` is asked of
   that subclass, so that what is printed is what was proven.

That nothing is found means nothing: a lemma may need an atom that was not proposed, or a fourth literal.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import count
from time import monotonic

from quorate.kinds import INVARIANTS, SAFETY, SAFETY_PROPER
from quorate.language.spec import Spec
from quorate.language.system import Failure, State, System
from quorate.language.written import free_name
from quorate.model.build import build
from quorate.model.nodes import Model, Property
from quorate.outcome import Outcome, Proven, Statistics, Unfinished
from quorate.prove.discovery.clauses import Clause, Known, candidates
from quorate.prove.discovery.grammar import Atom, Grammar
from quorate.prove.discovery.guided import Guided, Written
from quorate.prove.discovery.houdini import Houdini
from quorate.prove.discovery.needed import AnySize, Judge, Needed
from quorate.prove.discovery.own import OwnAtoms, comparisons
from quorate.prove.discovery.pasting import extended, imports, namespace
from quorate.prove.discovery.samples import Form, Samples, Table, arbitrary, explored, table
from quorate.prove.discovery.universe import Scope, Universe, scope_of
from quorate.prove.discovery.variables import PURE_VARIABLES_MAX, VARIABLES_MAX, Name, contexts
from quorate.prove.proof import Proof, Task, prove
from quorate.prove.solvers.sat import Undecided

STATES = 2_000
ARBITRARY_STATES = 300
RECORD_STATES = 400
"""Explored states that clauses about records are held against: there are many values for each."""
ROWS = 60_000
"""Rows of a table of truths: states with values of the variables."""
STAGES = ((0, False), (2, False), (2, True), (3, False), (3, True))
"""What is tried, one after the other: clauses of up to so many literals, and whether records are variables."""
POOL_MAX = 1_000
"""Clauses that may be used for any size, where those that are needed at the bounds do not suffice: the first ones."""
SAMPLING_SHARE = 0.25
"""How much of the time exploring may take."""


@dataclass(frozen=True)
class Discovery:
    """What was found: the lemmas as methods (empty if none), the proof with them, how many states and candidates were
    looked at, and the import statements that the specification's file needs for them."""

    lemmas: tuple[str, ...]
    proof: Proof
    states: int
    candidates: int
    imports: tuple[str, ...] = ()

    @property
    def found(self) -> bool:
        """Whether the properties are proven."""
        return isinstance(self.proof.outcome, Proven)


def discover(task: Task, seconds: float) -> Discovery:
    """Search for lemmas that prove the properties of a task, for at most about so many seconds before the last proof.

    Raises what `prove` raises.
    """
    return _Search(task, monotonic() + seconds, seconds).discovery()


@dataclass(frozen=True)
class _Stage:
    """Clauses of one size: the universe, a model whose lemmas say what its forms say, and the names of the properties that
    the specification has already."""

    model: Model
    universe: Universe
    forms: dict[Form, Property]
    own: tuple[str, ...]


class _Search:
    """One search."""

    def __init__(self, task: Task, deadline: float, seconds: float) -> None:
        self.task, self.deadline, self.seconds = task, deadline, seconds
        self.model = build(task.spec)
        kinds = [prop.name for prop in self.model.of(*SAFETY_PROPER)]
        self.goals = list(task.invariants) or kinds
        self.comparisons = comparisons(task.spec, self.model)
        self.states: list[State] = []
        self.near = frozenset[str]().union(*(prop.reads for prop in self.model.properties if prop.name in self.goals))
        self.tried, self.weakened, self.exhausted, self.open = 0, 0, False, ""
        self._tables: dict[tuple[Name, ...], Table] = {}

    def discovery(self) -> Discovery:
        """The whole search."""
        try:
            return self._found()
        except Undecided as undecided:
            return self._nothing(str(undecided))
        except KeyboardInterrupt:
            return self._nothing("interrupted")

    def _found(self) -> Discovery:
        with self.model.system as system:
            self.task.progress("exploring")
            try:
                found = explored(system, STATES, self.seconds * SAMPLING_SHARE, self.goals)
            except Failure as failure:
                return self._nothing(f"a run raises an error ({failure.message}); `quorate check` shows the run")
        if found.refuted is not None:
            return self._nothing(f"{found.refuted} is false in a run; `quorate check` shows it")
        self.states = found.states
        with self.model.system as system:
            self._look(system)
        for literals, records in STAGES:
            if records and not contexts(self.model, records=True):
                continue
            discovery = self._with_clauses(literals, records)
            if discovery is not None:
                return discovery
        return self._nothing(
            f"of {self.tried:,} clauses of up to {STAGES[-1][0]} literals that {len(self.states):,} explored states allow, "
            f"and {self.weakened:,} weaker ones{' (as many as are made)' if self.exhausted else ''}, "
            f"those that are inductive together do not suffice for {self.open}"
            f"{' at any size' if self.task.any_size else ''}. "
            "That does not say that there are none: a lemma may need an expression or a variable that was not tried"
        )

    def _nothing(self, reason: str) -> Discovery:
        outcome = self._outcome(f"no lemmas were found: {reason}")
        return Discovery((), Proof(outcome), len(self.states), self.tried)

    def _outcome(self, reason: str) -> Outcome:
        bounds = self.model.system.bounds
        return Unfinished(self.task.name, self.task.variant, bounds, "z3", (), Statistics(), (), reason=reason)

    def _look(self, system: System) -> None:
        """Prepare what clauses are made of and held against."""
        names = namespace(self.task.spec)
        self.grammar, self.own = Grammar(self.model, names, self.comparisons), OwnAtoms(system)
        self.samples, self.fewer = (Samples(system, some, names) for some in (self.states, self.states[:RECORD_STATES]))
        self.random = Samples(system, arbitrary(system, ARBITRARY_STATES), names)

    # One size of clauses

    def _with_clauses(self, literals: int, records: bool) -> Discovery | None:
        """The discovery with clauses of up to so many literals, or weaker ones (0: without any new lemma), or None.

        `records`: some variables are records."""
        stage = self._stage(literals, records)
        with stage.model.system:
            houdini, written = self._questions(stage)
            guided = Guided(houdini, stage.universe, written, self.goals, self.task.progress)
            found, self.open = guided.lemmas(), guided.open
            universe = stage.universe
            self.tried, self.weakened, self.exhausted = universe.listed, universe.weakened, universe.exhausted
            needed = None if found is None else self._needed(houdini, found)
        if found is None or needed is None:
            return None
        if not self.task.any_size:
            return self._proven(needed, self._made(stage, guided, needed))
        for hints, names in self._attempts(stage, guided, houdini, found, needed):
            made = self._made(stage, guided, names)
            judge = AnySize(self._extended(made), self.goals, self.deadline)
            with judge.model.system:
                sufficient = self._needed(judge, judge.initially([*stage.own, *made]), hints)
            if sufficient is not None:
                return self._proven(sufficient, made)
        return None

    def _stage(self, literals: int, records: bool) -> _Stage:
        names = namespace(self.task.spec)
        with self.model.system as system:
            scopes, clauses = self._candidates(literals, records) if literals else ([], [])
            universe = Universe(system, names, scopes, clauses, self.near)
            forms = {form: free_name(self.task.spec, f"form_{number}") for number, form in enumerate(universe.forms())}
            model = build(extended(self.task.spec, [_probe(form, name) for form, name in forms.items()]))
        named = {prop.name: prop for prop in model.properties}
        own = tuple(prop.name for prop in model.of(*INVARIANTS) if prop.name not in forms.values())
        return _Stage(model, universe, {form: named[name] for form, name in forms.items()}, own)

    def _questions(self, stage: _Stage) -> tuple[Houdini, Written]:
        houdini = Houdini(stage.model, self.deadline, self.task.progress, stage.own)
        return houdini, Written(houdini.relation, stage.universe, stage.forms)

    def _made(self, stage: _Stage, guided: Guided, names: Sequence[str]) -> dict[str, Clause]:
        return {name: stage.universe.clause(guided.names[name]) for name in names if name in guided.names}

    def _attempts(
        self, stage: _Stage, guided: Guided, houdini: Houdini, found: list[str], needed: list[str]
    ) -> Iterator[tuple[Houdini, list[str]]]:
        """Which lemmas may be used for any size, with a judge at the bounds for hints. What suffices at the bounds often
        does; if not, what two proofs there use together, of which the second has the choice of all lemmas; at last
        these."""
        yield houdini, needed
        with stage.model.system:
            pool = guided.pool(POOL_MAX)
            fresh, written = self._questions(stage)
            for name in (name for name in pool if name in guided.names):
                fresh.add(name, written.always(guided.names[name]), written.reads(guided.names[name]))
            others = Needed(fresh, self.goals, self.task.progress).sufficient(pool) or []
        both = {*found, *others}
        yield fresh, [name for name in pool if name in both]
        yield fresh, pool

    def _needed(self, judge: Judge, names: Sequence[str], hints: Judge | None = None) -> list[str] | None:
        search = Needed(judge, self.goals, self.task.progress, hints)
        found, self.open = search.lemmas(names), search.open
        return found

    def _candidates(self, literals: int, records: bool) -> tuple[list[Scope], list[Clause]]:
        """The minimal clauses that no explored state refutes, and what they are made of. Use it inside `with system`."""
        found: list[Clause] = []
        plain = contexts(self.model)
        rich = contexts(self.model, records=True) if records else []
        known, tables = Known([*plain, *rich]), []
        for context in (*plain, *rich):
            if monotonic() > self.deadline:
                raise Undecided("the time for lemmas is over")
            self.task.progress(f"clauses over {', '.join(str(name.type) for name in context) or 'the state'}")
            tables.append(self._table(context, context in rich))
            size = literals if len(context) <= VARIABLES_MAX else min(literals, PURE_VARIABLES_MAX - 1)
            found += candidates(tables[-1], known, size)
        return [scope_of(table) for table in tables], found

    def _table(self, context: tuple[Name, ...], rich: bool) -> Table:
        if context not in self._tables:
            atoms = proposed(self.grammar, self.own, context)
            self._tables[context] = table(self.fewer if rich else self.samples, self.random, context, atoms, ROWS)
        return self._tables[context]

    def _proven(self, names: Sequence[str], made: dict[str, Clause]) -> Discovery:
        """The proof with these lemmas, written out. At fixed bounds all other properties would be assumed and have to be
        shown: they are left out."""
        free = (name for number in count(1) if not hasattr(self.task.spec, name := f"lemma_{number}"))
        named = {next(free): made[name] for name in names if name in made}
        provable = [prop.name for prop in self.model.of(*SAFETY)]
        others = () if self.task.any_size else [name for name in provable if name not in {*names, *self.goals}]
        texts = tuple(clause.method(name) for name, clause in named.items())
        spec = extended(self.task.spec, texts, others)
        proof = prove(replace(self.task, spec=spec, invariants=tuple(self.goals), depth=1))
        open_still = {claim.property for claim in proof.claims if claim.status != "proven"}
        shown = {*names, *self.goals, *(claim.property for claim in proof.claims)} - open_still
        if left := [name for name in provable if name not in shown]:
            note = f"{', '.join(left)}: left out, neither shown nor used"
            proof = replace(proof, outcome=replace(proof.outcome, notes=(*proof.outcome.notes, note)))
        return Discovery(texts, proof, len(self.states), self.tried, imports(self.task.spec, texts))

    def _extended(self, clauses: dict[str, Clause]) -> type[Spec]:
        """The specification with further lemmas, from source text as a user would write it."""
        return extended(self.task.spec, [clause.method(name) for name, clause in clauses.items()])


def _probe(form: Form, name: str) -> str:
    """A method whose value is that of a form."""
    parameters = ", ".join(["self", *(f"v{number}: {kind}" for number, kind in enumerate(form.types))])
    return f"    @lemma\n    def {name}({parameters}) -> bool:\n        return {form.text}\n"


def proposed(grammar: Grammar, own: OwnAtoms, context: tuple[Name, ...]) -> list[Atom]:
    """All atoms over these variables; of those that are written alike, one."""
    found: dict[str, Atom] = {}
    for atom in (*grammar.atoms(context), *own.atoms(context, len(context) > VARIABLES_MAX)):
        found.setdefault(atom.text, atom)
    return list(found.values())
