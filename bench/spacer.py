"""What Z3's Spacer makes of the encoding at fixed bounds. Run: `python -m bench.spacer [--seconds S] [NAME...]`.

Spacer (Komuravelli, Gurfinkel & Chaki 2014) is the engine of Z3 for constrained Horn clauses, a relative of IC3. It is
asked for an invariant Inv over the bits of a state:

    initial(s) -> Inv(s)        Inv(s) and step(s, t) -> Inv(t)        Inv(s) and bad(s) -> false

The three conditions are those of every proof at fixed bounds (`checker/quorate/prove/transition/relation.py`); lemmas of the specification
are not given. A step is one clause for all actions: one clause for each action, or for each choice of arguments, took
6 to over 30 times as long (two-phase commit, 3 resource managers). Numbers instead of bits were no faster. Nothing is
believed because Spacer says it: an invariant is asked of an ordinary solver, the explorer must come to the same verdict,
and its run, which is a shortest one, must not be longer. Each line comes from processes of its own, with limits for
CPU time and memory.
"""

from __future__ import annotations

import argparse
import os
import resource
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from itertools import chain
from multiprocessing import get_context

import z3
from quorate.explore import check
from quorate.explore.limits import Limits, Watch
from quorate.language.spec import Spec, declarations
from quorate.loading import load
from quorate.model.build import build
from quorate.outcome import Unfinished, Violated
from quorate.prove.discovery.pasting import extended
from quorate.prove.transition.relation import SEEN, Cells, Relation

MEMORY_BYTES = 4 << 30
OPTIONS = {"engine": "spacer", "spacer.push_pob": True, "spacer.use_iuc": False}
"""The best of 25 choices on two-phase commit with 3 resource managers: 0.6 CPU seconds, where the defaults need 3.4."""


@dataclass(frozen=True)
class Case:
    """A specification, the properties asked for (none: all invariants and steps), and its bounds."""

    name: str
    bounds: tuple[tuple[str, int], ...] = ()
    goals: tuple[str, ...] = ()
    variant: str | None = None

    @property
    def label(self) -> str:
        """The case in a table."""
        what = (self.name, self.variant, *self.goals, *(f"{bound}={size}" for bound, size in self.bounds))
        return " ".join(filter(None, what))

    def spec(self) -> type[Spec]:
        """The class with the properties asked for and no other."""
        spec = load(self.name).variant(self.variant).bounded(**dict(self.bounds))
        kept = {"init", "action", "terminal"} | (set() if self.goals else {"invariant", "step"})
        others = [name for name, found, _ in declarations(spec) if found.kind not in kept and name not in self.goals]
        return extended(spec, (), others)


CASES = (
    *(Case("two_phase_commit", (("ResourceManager", size),)) for size in (2, 3, 4, 5, 6, 8)),
    *(Case("raft_election", (("Term", term),), ("election_safety",)) for term in (1, 2, 3)),
    Case("lww_register", (("Time", 1),), ("convergence",)),
    Case("lww_register"),
    Case("quorum_register", (("Reader", 1),), ("regular",)),
    Case("primary_backup", (), ("one_primary_per_epoch",)),
    Case("primary_backup", (("Node", 4), ("Epoch", 3)), ("one_primary_per_epoch",)),
    Case("paxos", (("Ballot", 2), ("Learner", 1)), ("one_value_chosen",)),
    Case("vector_clock", (("Process", 2), ("Count", 1))),
    Case("vector_clock", (("Process", 2), ("Count", 2)), ("messages_are_ordered_by_causality",)),
    Case("vector_clock", (), ("messages_are_ordered_by_causality",)),
    Case("raft", (("Term", 1), ("Index", 1)), ("election_safety",)),
    Case("raft", (("Index", 2),), ("election_safety",)),
    Case("two_phase_commit", (), ("atomicity",), "CommitByMajority"),
    Case("two_phase_commit", (), ("atomicity",), "PreparedAborts"),
    Case("raft_election", (), ("election_safety",), "ForgetsVote"),
    Case("lww_register", (), ("convergence",), "NoTieBreak"),
    Case("paxos", (), ("one_value_chosen",), "HalfIsEnough"),
    Case("paxos", (), ("one_value_chosen",), "BallotUsedTwice"),
    Case("primary_backup", (), ("acknowledged_survives",), "NoFencing"),
)

HEAD = ("case", "bits", "Spacer", "CPU s", "clauses", "literals", "explorer", "states", "CPU s")
WIDTHS = (76, 6, 14, 8, 9, 10, 14, 12, 8)


class Horn:
    """The three conditions of a model as Z3 formulas. Make it inside `with model.system`."""

    def __init__(self, relation: Relation) -> None:
        self._circuit = relation.machine.circuit
        self._known: dict[int, z3.BoolRef] = {0: z3.BoolVal(False)}
        machine, width = relation.machine, relation.width
        orders = {self._circuit.number(cell >> 1) for cells in relation.before[SEEN] for cell in cells}
        numbers = [number for number in range(width) if number not in orders]
        self._cells = {number: f"s{number}" for number in numbers} | {
            width + number: f"t{number}" for number in numbers
        }
        self.before = [z3.Bool(self._cells[number]) for number in numbers]
        self.after = [z3.Bool(self._cells[width + number]) for number in numbers]
        self.initial = self._formula(machine.both((*relation.legal, _initially(relation))))
        steps = [machine.both((fired.step, *fired.legal)) for fired in relation.fired]
        self.step = self._formula(machine.either(steps))
        wrong = [machine.both((*fired.legal, relation.raising(fired))) for fired in relation.fired]
        for prop in relation.model.of("invariant"):
            wrong.append(relation.always(prop, relation.before) ^ 1)
        for prop in relation.model.of("step"):
            wrong.append(machine.both((relation.bad(relation.judge(prop)), machine.either(steps))))
        self.bad = self._formula(machine.either(wrong))

    def _formula(self, condition: int) -> z3.BoolRef:
        """A condition of the circuit, with shared parts shared."""
        stack = [condition >> 1]
        while stack:
            node = stack[-1]
            parts = self._circuit.parts(node)
            missing = [part >> 1 for part in parts or () if part >> 1 not in self._known]
            if missing:
                stack += missing
                continue
            if node not in self._known:
                self._known[node] = self._variable(node) if parts is None else z3.And(list(map(self._signed, parts)))
            stack.pop()
        return self._signed(condition)

    def _signed(self, condition: int) -> z3.BoolRef:
        known = self._known[condition >> 1]
        return z3.Not(known) if condition & 1 else known

    def _variable(self, node: int) -> z3.BoolRef:
        number = self._circuit.number(node)
        return z3.Bool(self._cells.get(number, f"a{number}"))

    def rules(self, invariant: z3.FuncDeclRef, wrong: z3.FuncDeclRef) -> Iterator[z3.BoolRef]:
        """The Horn clauses, with Z3's names for a relation and for its goal."""
        here, there = invariant(self.before), invariant(self.after)
        for head, body in ((here, self.initial), (there, z3.And(here, self.step)), (wrong(), z3.And(here, self.bad))):
            free = _constants(z3.And(head, body)) - {wrong()}
            yield z3.ForAll(sorted(free, key=str), z3.Implies(body, head))

    def confirmed(self, invariant: z3.BoolRef) -> bool:
        """Whether a formula over a state is an invariant that excludes what is bad, asked of an ordinary solver."""
        later = z3.substitute(invariant, *zip(self.before, self.after, strict=True))
        return all(
            z3.Solver().check(*claim) == z3.unsat
            for claim in (
                (self.initial, z3.Not(invariant)),
                (invariant, self.step, z3.Not(later)),
                (invariant, self.bad),
            )
        )


def _initially(relation: Relation) -> int:
    """That the state before is initial: any one, where `Relation.initial` keeps to one order of a sort's members."""
    init, machine, system = relation.model.init, relation.machine, relation.model.system
    cells: Cells = relation.constant(system.zero(before_init=init is not None))
    if init is None:
        return relation.same(cells, relation.before)
    legal: list[int] = []
    transition = machine.fire(init, cells, tuple(machine.unknown(kind, legal) for _, kind in init.parameters))
    return machine.both((machine.enabled(transition), *legal, relation.same(transition.after, relation.before)))


def _constants(formula: z3.ExprRef) -> set[z3.ExprRef]:
    found, seen, stack = set(), set(), [formula]
    while stack:
        term = stack.pop()
        if term.get_id() not in seen:
            seen.add(term.get_id())
            if z3.is_const(term) and term.decl().kind() == z3.Z3_OP_UNINTERPRETED:
                found.add(term)
            stack += term.children()
    return found


def spacer(spec: type[Spec]) -> tuple[str, str, str, str, int | None]:
    """Bits, verdict, clauses and literals of the invariant, and the length of the run that was found instead."""
    model = build(spec)
    with model.system:
        horn = Horn(Relation(model))
    bits = len(horn.before)
    invariant = z3.Function("Inv", *[z3.BoolSort()] * (bits + 1))
    wrong = z3.Function("Bad", z3.BoolSort())
    engine = z3.Fixedpoint()
    engine.set(**OPTIONS)
    for relation in (invariant, wrong):
        engine.register_relation(relation)
    for rule in horn.rules(invariant, wrong):
        engine.add_rule(rule)
    verdict = engine.query(wrong())
    if verdict == z3.unsat:
        found = _definition(engine.get_answer(), horn.before)
        clauses = found.children() if z3.is_and(found) else [found]
        literals = sum(len(clause.children()) if z3.is_or(clause) else 1 for clause in clauses)
        if not horn.confirmed(found):
            raise SystemExit("Spacer's invariant is none.")
        return str(bits), "proven", str(len(clauses)), str(literals), None
    length = _states(engine.get_answer()) - 1
    return str(bits), f"run of {length}", "", "", length


def _definition(answer: z3.BoolRef, cells: Sequence[z3.BoolRef]) -> z3.BoolRef:
    """What the answer says that the invariant is, over the cells: it is `... and for all x: Inv(x) == definition`."""
    stack = [answer]
    while stack:
        term = stack.pop()
        if z3.is_quantifier(term) and term.is_forall():
            equation = term.body()
            named = dict(zip(map(z3.get_var_index, equation.arg(0).children()), cells, strict=True))
            return z3.substitute_vars(equation.arg(1), *(named[index] for index in range(term.num_vars())))
        stack += term.children()
    raise SystemExit(f"Spacer's answer has no invariant:\n{answer}")


def _states(answer: z3.ExprRef) -> int:
    """The states in a derivation of what is bad."""
    found, seen, stack = set(), set(), [answer]
    while stack:
        term = stack.pop()
        if term.get_id() not in seen:
            seen.add(term.get_id())
            if z3.is_app(term) and term.decl().kind() == z3.Z3_OP_PR_HYPER_RESOLVE:
                fact = term.children()[-1]
                if fact.decl().name().startswith("Inv"):
                    found.add(fact.get_id())
            stack += term.children()
    return len(found)


def _cpu_s() -> float:
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system


def by_spacer(case: Case, seconds: int) -> tuple[tuple[str, ...], int | None]:
    """Spacer's part of a line, and the length of its run."""
    begin = _cpu_s()
    resource.setrlimit(resource.RLIMIT_CPU, (int(begin) + seconds, int(begin) + seconds))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    try:
        bits, verdict, clauses, literals, length = spacer(case.spec())
    except (z3.Z3Exception, MemoryError):
        return ("", "no memory", f"{_cpu_s() - begin:.1f}", "", ""), None
    return (bits, verdict, f"{_cpu_s() - begin:.1f}", clauses, literals), length


def by_explorer(case: Case, seconds: int) -> tuple[tuple[str, ...], int | None]:
    """The explorer's part of a line, the C compiler included, and the length of its run."""
    begin = _cpu_s()
    outcome = check(case.spec(), engine="native", watch=Watch(Limits(seconds=seconds, memory_bytes=MEMORY_BYTES)))
    length = len(outcome.trace) if isinstance(outcome, Violated) and outcome.trace is not None else None
    verdict = "unfinished" if isinstance(outcome, Unfinished) else "holds" if length is None else f"run of {length}"
    return (verdict, f"{outcome.statistics.states:,}", f"{_cpu_s() - begin:.1f}"), length


def measured(case: Case, seconds: int) -> tuple[str, ...]:
    """One line of the table. Ends the program if the two contradict each other."""
    cells: list[str] = [case.label]
    lengths = []
    for part in (by_spacer, by_explorer):
        with ProcessPoolExecutor(1, get_context("spawn")) as pool:
            try:
                found, length = pool.submit(part, case, seconds).result()
            except BrokenProcessPool:
                found, length = ("", "", f"over {seconds}", "", ""), None
        cells += found
        lengths.append((found, length))
    (mine, first), (theirs, second) = lengths
    decided = mine[1] not in ("", "no memory") and theirs[0] != "unfinished"
    agree = (first is None) == (second is None) and (first or 0) >= (second or 0)
    if decided and not agree:
        raise SystemExit(f"{case.label}: Spacer and the explorer disagree: {mine[1]}, {theirs[0]}")
    return tuple(cells)


def main() -> None:
    """Print the table."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--seconds", type=int, default=120, help="CPU seconds for each of the two")
    options.add_argument("names", nargs="*", metavar="NAME", help="specifications (default: all)")
    chosen = options.parse_args()
    cases = [case for case in CASES if not chosen.names or case.name in chosen.names]
    for first, *rest in chain([HEAD], (measured(case, chosen.seconds) for case in cases)):
        cells = zip(rest, WIDTHS[1:], strict=True)
        print(first.ljust(WIDTHS[0]) + "".join(cell.rjust(width) for cell, width in cells), flush=True)


if __name__ == "__main__":
    main()
