"""The search for lemmas that make properties inductive, from candidates to Python that can be pasted.

1. Atoms are proposed from the specification's types and from its own predicates.
2. Clauses over them that a few thousand explored states refute are dropped, and so are those that any state satisfies.
3. Houdini keeps those that are inductive together at the configured bounds, the properties among them. If a property is
   lost, larger clauses are tried.
4. As many as possible are left out; for any size, beginning with what the unsatisfiable cores name (`needed`).
5. The lemmas that remain are written as methods into a subclass of the specification, and `quorate prove` is asked of
   that subclass, so that what is printed is what was proven.

That nothing is found means nothing: a lemma may need an atom that was not proposed, or a fourth literal.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import count
from time import monotonic

from checker.language.spec import Spec
from checker.language.system import Failure, State
from checker.model.build import build
from checker.outcome import Outcome, Proven, Statistics, Unfinished
from checker.prove.discovery.clauses import Clause, Known, candidates
from checker.prove.discovery.grammar import PURE_VARIABLES_MAX, VARIABLES_MAX, Atom, Grammar, Name, contexts
from checker.prove.discovery.houdini import Houdini
from checker.prove.discovery.needed import AnySize, Judge, Needed
from checker.prove.discovery.own import OwnAtoms
from checker.prove.discovery.pasting import extended, imports, namespace
from checker.prove.discovery.samples import Samples, arbitrary, explored, table
from checker.prove.proof import Proof, Task, prove
from checker.prove.sat import Undecided

STATES = 2_000
ARBITRARY_STATES = 300
ROWS = 60_000
"""Rows of a table of truths: states with values of the variables."""
LITERALS = (2, 3)
"""The sizes of clauses that are tried, one after the other."""
CANDIDATES_MAX = 1_000
"""So many candidates at most are asked of a solver, the shortest ones."""
SAMPLING_SHARE = 0.25
"""How much of the time exploring may take."""

CANDIDATE = "candidate_"


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


class _Search:
    """One search."""

    def __init__(self, task: Task, deadline: float, seconds: float) -> None:
        self.task, self.deadline, self.seconds = task, deadline, seconds
        self.model = build(task.spec)
        kinds = [prop.name for prop in self.model.of("invariant", "step")]
        self.goals = list(task.invariants) or kinds
        self.states: list[State] = []
        self.tried, self.inductive, self.open = 0, 0, ""

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
        for literals in (0, *LITERALS):
            discovery = self._with_clauses(literals)
            if discovery is not None:
                return discovery
        return self._nothing(
            f"of {self.tried:,} clauses of up to {LITERALS[-1]} literals that {len(self.states):,} explored states allow, "
            f"{self.inductive:,} are inductive together at the bounds, and they do not suffice for {self.open}"
            f"{' at any size' if self.task.any_size else ''}. "
            "That does not say that there are none: a lemma may need an expression or a variable that was not tried"
        )

    def _nothing(self, reason: str) -> Discovery:
        outcome = self._outcome(f"no lemmas were found: {reason}")
        return Discovery((), Proof(outcome), len(self.states), self.tried)

    def _outcome(self, reason: str) -> Outcome:
        bounds = self.model.system.bounds
        return Unfinished(self.task.name, self.task.variant, bounds, "z3", (), Statistics(), (), reason=reason)

    # One size of clauses

    def _with_clauses(self, literals: int) -> Discovery | None:
        """The discovery with clauses of up to so many literals (0: without any new lemma), or None."""
        clauses = self._candidates(literals) if literals else []
        self.tried = len(clauses)
        made = {f"{CANDIDATE}{number}": clause for number, clause in enumerate(clauses)}
        model = build(self._extended(made))
        with model.system:
            houdini = Houdini(model, self.deadline, self.task.progress)
            own = [name for name in houdini.names if name not in made]
            pool = houdini.inductive(houdini.initially([*own, *made]))
            self.inductive = sum(name in made for name in pool)
            needed = self._needed(houdini, pool)
        if needed is None or not self.task.any_size:
            return None if needed is None else self._proven(needed, made)
        for names in (needed, pool):  # What suffices at the bounds often does for any size.
            chosen = {name: made[name] for name in names if name in made}
            judge = AnySize(self._extended(chosen), self.goals, self.deadline)
            with judge.model.system:
                found = self._needed(judge, judge.initially([*own, *chosen]), houdini)
            if found is not None:
                return self._proven(found, made)
        return None

    def _needed(self, judge: Judge, names: Sequence[str], hints: Judge | None = None) -> list[str] | None:
        search = Needed(judge, self.goals, self.task.progress, hints)
        found, self.open = search.lemmas(names), search.open
        return found

    def _candidates(self, literals: int) -> list[Clause]:
        """The clauses that no explored state refutes, the shortest first."""
        found: list[Clause] = []
        choices, names = contexts(self.model), namespace(self.task.spec)
        known = Known(choices)
        with self.model.system as system:
            grammar, own = Grammar(self.model, names), OwnAtoms(system)
            reachable = Samples(system, self.states, names)
            random = Samples(system, arbitrary(system, ARBITRARY_STATES), names)
            for context in choices:
                if monotonic() > self.deadline:
                    raise Undecided("the time for lemmas is over")
                self.task.progress(f"clauses over {', '.join(str(name.type) for name in context) or 'the state'}")
                size = literals if len(context) <= VARIABLES_MAX else min(literals, PURE_VARIABLES_MAX - 1)
                atoms = proposed(grammar, own, context)
                found += candidates(table(reachable, random, context, atoms, ROWS), known, size)
        return sorted(found, key=lambda clause: clause.cost)[:CANDIDATES_MAX]

    def _proven(self, names: Sequence[str], made: dict[str, Clause]) -> Discovery:
        """The proof with these lemmas, written out."""
        free = (name for number in count(1) if not hasattr(self.task.spec, name := f"lemma_{number}"))
        named = {next(free): made[name] for name in names if name in made}
        texts = tuple(clause.method(name) for name, clause in named.items())
        task = replace(self.task, spec=self._extended(named), invariants=tuple(self.goals), depth=1)
        return Discovery(texts, prove(task), len(self.states), self.tried, imports(self.task.spec, texts))

    def _extended(self, clauses: dict[str, Clause]) -> type[Spec]:
        """The specification with further lemmas, from source text as a user would write it."""
        return extended(self.task.spec, [clause.method(name) for name, clause in clauses.items()])


def proposed(grammar: Grammar, own: OwnAtoms, context: tuple[Name, ...]) -> list[Atom]:
    """All atoms over these variables; of those that are written alike, one."""
    found: dict[str, Atom] = {}
    for atom in (*grammar.atoms(context), *own.atoms(context, len(context) > VARIABLES_MAX)):
        found.setdefault(atom.text, atom)
    return list(found.values())
