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

import ast
import builtins
import linecache
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import count
from time import monotonic
from typing import Any

import checker
from checker.explore.properties import Properties
from checker.language.spec import Spec, original
from checker.language.system import State, System
from checker.model.build import build
from checker.outcome import Outcome, Proven, Statistics, Unfinished
from checker.prove.discovery.clauses import Clause, Known, candidates
from checker.prove.discovery.grammar import PURE_VARIABLES_MAX, VARIABLES_MAX, Atom, Grammar, Name, contexts
from checker.prove.discovery.houdini import Houdini
from checker.prove.discovery.needed import AnySize, Needed
from checker.prove.discovery.own import OwnAtoms
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

_numbers = count(1)


@dataclass(frozen=True)
class Discovery:
    """What was found: the lemmas as methods (empty if none), the proof with them, how many states and candidates were
    looked at, and the names in the lemmas that the specification's file does not have yet."""

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
        self.namespace = namespace(task.spec)
        self.states: list[State] = []
        self.tried, self.inductive = 0, 0

    def discovery(self) -> Discovery:
        """The whole search."""
        with self.model.system as system:
            self.task.progress("exploring")
            self.states = explored(system, STATES, self.seconds * SAMPLING_SHARE)
            refuted = self._refuted(system)
        if refuted is not None:
            return self._nothing(f"{refuted} is false in a state that a run reaches; `quorate check` shows the run")
        try:
            for literals in (0, *LITERALS):
                found = self._with_clauses(literals)
                if found is not None:
                    return found
        except Undecided as undecided:
            return self._nothing(str(undecided))
        except KeyboardInterrupt:
            return self._nothing("interrupted")
        return self._nothing(
            f"no clauses of up to {LITERALS[-1]} literals over the atoms proposed are inductive with it"
        )

    def _refuted(self, system: System) -> str | None:
        properties = Properties(system)
        for state in self.states:
            found = properties.falsified(state)
            if found is not None:
                return found.method.name
        return None

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
            needed = Needed(houdini, self.goals, self.task.progress).lemmas(pool)
        if needed is None:
            return None
        if not self.task.any_size:
            return self._proven(needed, made)
        for names in (needed, pool):  # What suffices at the bounds mostly does at any size.
            chosen = {name: made[name] for name in names if name in made}
            judge = AnySize(self._extended(chosen), self.goals, self.deadline)
            with judge.model.system:
                names = judge.initially([*own, *chosen])
                found = Needed(judge, self.goals, self.task.progress, houdini).lemmas(names)
            if found is not None:
                return self._proven(found, made)
        return None

    def _candidates(self, literals: int) -> list[Clause]:
        """The clauses that no explored state refutes, the shortest first."""
        found: list[Clause] = []
        choices = contexts(self.model)
        known = Known(choices)
        with self.model.system as system:
            grammar, own = Grammar(self.model, self.namespace), OwnAtoms(system)
            reachable = Samples(system, self.states, self.namespace)
            random = Samples(system, arbitrary(system, ARBITRARY_STATES), self.namespace)
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
        chosen = [made[name] for name in names if name in made]
        named = {f"lemma_{position}": clause for position, clause in enumerate(chosen, 1)}
        texts = tuple(clause.method(name) for name, clause in named.items())
        task = replace(self.task, spec=self._extended(named), invariants=tuple(self.goals), depth=1)
        return Discovery(texts, prove(task), len(self.states), self.tried, missing(task.spec, texts, self.namespace))

    def _extended(self, clauses: dict[str, Clause]) -> type[Spec]:
        """The specification with further lemmas, from source text as a user would write it."""
        return extended(self.task.spec, [clause.method(name) for name, clause in clauses.items()], self.namespace)


def proposed(grammar: Grammar, own: OwnAtoms, context: tuple[Name, ...]) -> list[Atom]:
    """All atoms over these variables; of those that are written alike, one."""
    found: dict[str, Atom] = {}
    for atom in (*grammar.atoms(context), *own.atoms(context, len(context) > VARIABLES_MAX)):
        found.setdefault(atom.text, atom)
    return list(found.values())


def namespace(spec: type[Spec]) -> dict[str, Any]:
    """The names that a method of a specification can use."""
    names: dict[str, Any] = {name: getattr(checker, name) for name in checker.__all__}
    for base in reversed(spec.__mro__):
        names |= vars(sys.modules.get(base.__module__, checker)) | base.__dict__.get("__quorate_namespace__", {})
    return names


def missing(spec: type[Spec], methods: Sequence[str], names: dict[str, Any]) -> tuple[str, ...]:
    """The names in methods that have a meaning here, and none in the file of the specification that an author wrote."""
    there = vars(sys.modules.get(original(spec).__module__, checker)) | original(spec).__dict__.get(
        "__quorate_namespace__", {}
    )
    text = "class Lemmas:\n" + "\n".join(methods) if methods else ""
    used = {node.id for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name)}
    return tuple(sorted(name for name in used & names.keys() if name not in there and not hasattr(builtins, name)))


def extended(spec: type[Spec], methods: Sequence[str], names: dict[str, Any]) -> type[Spec]:
    """A subclass of a specification with further methods."""
    body = "\n".join(methods) or "    pass\n"
    text = f"class Extended(Base):\n    _configured_from = None\n\n{body}"
    file = f"<lemmas {next(_numbers)}>"
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    scope = names | {"Base": spec, "lemma": checker.lemma, "__name__": spec.__module__}
    exec(compile(text, file, "exec", dont_inherit=True), scope)
    made: type[Spec] = scope["Extended"]
    made.__name__ = made.__qualname__ = spec.__name__
    return made
