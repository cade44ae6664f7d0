"""Claims that some run refutes, which no proof for any size may accept: from drawn specifications, and from mutants of the library.

    python -m tests.prove.false_claims --count 2000 --seed 1000

A drawn specification has what proofs for any size find hard: extremes and folds over what may be empty, numbers without a
largest one, quorums of thresholds, bags, several sorts, loops with `require`, the same name in two quantifiers. Exploring at
sizes from 1 to 3 says which of its claims are false; what is left is shown inductive together, if it can be, and must have none of
these. A claim counts as proven without regard to whether it follows by lemmas on demand or is hard: unknown is not proven.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from random import Random
from time import monotonic
from typing import Any

from quorate.errors import QuorateError
from quorate.language.control import Cut
from quorate.language.spec import Spec
from quorate.language.system import Failure, System
from quorate.loading import load
from quorate.prove.any_size.obligations import Prover, model_of_any_size
from quorate.prove.encode.anysize.refusal import NoAnySize
from quorate.prove.solvers.query import Query
from quorate.prove.solvers.smt import selected

from tests import generated, mutants

SIZES = (
    {"Server": 1, "threshold": 1, "Big": 1, "Rank": 1, "Term": 1},
    {"Server": 2, "threshold": 2, "Big": 1, "Rank": 2, "Term": 2},
    {"Server": 3, "threshold": 2, "Big": 2, "Rank": 1, "Term": 1},
    {"Server": 4, "threshold": 3, "Big": 1, "Rank": 1, "Term": 1},
)
"""Sizes for which the thresholds satisfy what they satisfy as configured: a proof rests on that, and says so."""
STATES, SECONDS = 400, 1.5
"""So far each size of a specification is explored."""
ASKED_SECONDS = 10.0
"""So long a solver may take for a claim."""
LIBRARY = (
    "two_phase_commit",
    "raft_election",
    "lww_register",
    "paxos",
    "primary_backup",
    "vector_clock",
    "quorum_register",
)

HEADER = """
from enum import Enum
from typing import Annotated, ClassVar, Self
from quorate import *

class Server(Scalarset, size=3): pass
class Big(Scalarset, size=2): pass
class Rank(Ordered, size=2): pass
class Term(Nat, max=2): pass
class Size(Nat, max=2): pass

class Role(Enum):
    IDLE = 1
    BUSY = 2

@record
class Note:
    to: Server
    term: Term

class Drawn(Spec):
    threshold: ClassVar[int] = 2
    top: Term
    term: dict[Server, Term]
    up: set[Server]
    seen: set[Term]
    votes: dict[Server, set[Server]]
    leader: Server | None
    role: dict[Server, Role]
    pairs: set[tuple[Server, Term]]
    other: set[Big]
    ranked: dict[Rank, bool]
    log: Annotated[list[Term], up_to(Size)]
    net: Network[Note] = Network(capacity=3)
    bag: Bag[Note] = Bag(capacity=3)

    def highest(self, start: Term) -> Term:
        best = start
        for s in Server:
            if s in self.up:
                best = max(best, self.term[s])
        return best

    def lowest(self, start: Term) -> Term:
        best = start
        for s in self.up:
            best = min(best, self.term[s])
        return best

    def free(self) -> set[Term]:
        return {t for t in Term if t not in self.seen}
"""


class _Writer:
    """Draws the text of a specification."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)

    def pick(self, options: Sequence[str]) -> str:
        return self.random.choice(options)

    def number(self, servers: Sequence[str], terms: Sequence[str], depth: int = 2) -> str:
        p = self.pick(servers)
        options = [*terms, "0", "1", "self.top", f"self.term[{p}]", "len(self.log)"]
        if depth:
            a, b = (self.number(servers, terms, depth - 1) for _ in "ab")
            inner = self.number([*servers, "s"], terms, depth - 1)
            truth = self.truth([*servers, "s"], terms, depth - 1)
            options += [
                f"max({a}, {b})",
                f"min({a}, {b})",
                f"({a} + 1)",
                f"({a} - {b})",
                f"self.highest(Term({terms[0]}))" if terms else f"self.highest({'self.top'})",
                "self.lowest(self.top)",
                "max(self.seen, default=Term(0))",
                "min(self.seen, default=Term(0))",
                "max(self.free(), default=Term(0))",
                "min(self.free(), default=Term(0))",
                f"max(({inner} for s in Server if {truth}), default=0)",
                f"min(({inner} for s in Server if {truth}), default=0)",
                f"max(({inner} for s in self.up), default=0)",
                "max((n.term for n in self.net), default=Term(0))",
                "max((t for s, t in self.pairs), default=Term(0))",
                f"the((self.term[s] for s in Server if s == {p}), default=Term(0))",
                "(self.log[-1] if len(self.log) > 0 else 0)",
                f"({a} if {self.truth(servers, terms, depth - 1)} else {b})",
                f"abs({a} - {b})",
            ]
        return self.pick(options)

    def members(self, servers: Sequence[str], terms: Sequence[str], depth: int = 1) -> str:
        p = self.pick(servers)
        options = ["self.up", f"self.votes[{p}]", "{n.to for n in self.net}", f"{{{p}}}"]
        if depth:
            a, b = (self.members(servers, terms, depth - 1) for _ in "ab")
            inner = self.truth([*servers, "s"], terms, depth - 1)
            options += [f"({a} | {b})", f"({a} & {b})", f"({a} - {b})", f"{{s for s in Server if {inner}}}"]
        return self.pick(options)

    def truth(self, servers: Sequence[str], terms: Sequence[str], depth: int = 2) -> str:
        p, q = self.pick(servers), self.pick(servers)
        number = self.number(servers, terms, max(depth - 1, 0))
        options = [
            f"{number} {self.pick(['<', '<=', '==', '>', '>='])} {self.number(servers, terms, max(depth - 1, 0))}",
            f"{p} {self.pick(['in', 'not in'])} {self.members(servers, terms, max(depth - 1, 0))}",
            f"{p} == {q}",
            f"self.leader == {p}",
            f"self.role[{p}] == Role.BUSY",
            "len(self.up) == 0",
            "self.leader is None",
        ]
        if terms:
            t = self.pick(terms)
            options += [
                f"{t} in self.seen",
                f"({p}, {t}) in self.pairs",
                f"Note({p}, {t}) in self.net",
                f"Note({p}, {t}) in self.bag",
                f"{t} in self.log",
            ]
        if depth:
            a, b = (self.truth(servers, terms, depth - 1) for _ in "ab")
            inner = self.truth([*servers, "s"], terms, depth - 1)
            timed = self.truth(servers, [*terms, "t"], depth - 1)
            said = self.truth([*servers, "n.to"], [*terms, "n.term"], depth - 1)
            options += [
                f"({a} and {b})",
                f"({a} or {b})",
                f"not ({a})",
                f"all({inner} for s in Server)",
                f"any({inner} for s in Server)",
                f"any({inner} for s in self.up)",
                f"all(any({inner} for s in Server) for s in self.up)",
                f"all({timed} for t in Term)",
                f"any({timed} for t in Term)",
                f"all({timed} for t in self.seen)",
                f"all({said} for n in self.net)",
                f"any({said} for n in self.bag)",
                f"is_majority({self.members(servers, terms)}, Server)",
                f"is_quorum({self.members(servers, terms)}, self.threshold, Server)",
                f"is_quorum({self.members(servers, terms)}, {self.pick('123')}, Server)",
                "is_majority(self.other, Big)",
                f"{self.members(servers, terms)} <= {self.members(servers, terms)}",
                f"{self.members(servers, terms)} == {self.members(servers, terms)}",
                "self.ranked[max(r for r in Rank)]",
                "any(self.ranked[r] and not self.ranked[k] for r in Rank for k in Rank if r < k)",
            ]
        return self.pick(options)

    def effect(self, servers: Sequence[str], terms: Sequence[str]) -> list[str]:
        p, q, number = self.pick(servers), self.pick(servers), self.number(servers, terms, 1)
        each, s = self.pick(["Server", "self.up", self.members(servers, terms)]), [*servers, "s"]
        inner = self.number(s, terms, 1)
        guarded = [f"for s in {each}:", f"    if {self.truth(s, terms, 1)}:"]
        single = [
            f"self.top = Term({number})",
            "self.top += 1",
            f"self.term[{p}] = Term({number})",
            f"self.up.{self.pick(['add', 'discard'])}({p})",
            f"self.up = {self.members(servers, terms)}",
            f"self.seen.add(Term({number}))",
            f"self.seen |= {{t for t in Term if {self.truth(servers, [*terms, 't'], 1)}}}",
            f"self.votes[{p}].add({q})",
            f"self.leader = {self.pick(['None', p])}",
            f"self.role[{p}] = {self.pick(['Role.BUSY', 'Role.IDLE'])}",
            f"self.pairs.add(({p}, Term({number})))",
            f"self.log.append(Term({number}))",
            f"self.net.send(Note({p}, Term({number})))",
            f"self.bag.send(Note({p}, Term({number})))",
            f"if {self.truth(servers, terms, 1)}: self.top = Term({number})",
        ]
        loops = [
            [*guarded, f"        self.top = max(self.top, Term({inner}))"],
            [*guarded, f"        self.term[s] = Term({inner})"],
            [*guarded, "        self.up.add(s)"],
            [*guarded, "        self.top = Term(0)"],
            [*guarded, "        self.leader = None"],
            [*guarded, f"        self.net.send(Note(s, Term({inner})))"],
            [*guarded, "        self.bag.send(Note(s, Term(0)))"],
            [*guarded, "        self.bag.send(Note(s, Term(0)))", "        self.bag.send(Note(s, Term(0)))"],
            [f"for s in {each}:", "    self.role[s] = Role.BUSY"],
            [f"for s in {each}:", "    self.votes[s].discard(s)"],
            [
                "for i in range(2):",
                f"    require(i == 0 or {self.truth(servers, terms, 0)})",
                "    self.seen.add(Term(i))",
            ],
            ["for b in Big:", "    self.other.add(b)"],
            ["for r in Rank:", f"    self.ranked[r] = {self.truth(servers, terms, 1)}"],
        ]
        return self.random.choice([*([line] for line in single), *loops])

    def action(self, number: int) -> list[str]:
        kind = self.pick(["plain", "plain", "net", "bag"])
        head = {"plain": "p: Server, q: Server, t: Term", "net": "m: Note", "bag": "m: Note"}[kind]
        servers, terms = (["p", "q"], ["t"]) if kind == "plain" else (["m.to"], ["m.term"])
        body = [] if kind == "plain" else [f"require(m in self.{kind})"]
        if self.random.random() < 0.7:
            body.append(f"require({self.truth(servers, terms, 1)})")
        if kind == "bag":
            body.append("self.bag.receive(m)")
        for _ in range(self.random.randint(1, 2)):
            body += self.effect(servers, terms)
        return ["    @action", f"    def act{number}(self, {head}) -> None:", *(f"        {line}" for line in body), ""]

    def claim(self, number: int) -> list[str]:
        step = self.random.random() < 0.2
        kind, old = ("step", ", old: Self") if step else ("invariant", "")
        claim = self.truth(["p", "q"], ["t"])
        if step and self.random.random() < 0.5:
            claim = f"{self.pick(['old.top <= self.top', 'old.up <= self.up', 'old.seen <= self.seen'])} or {claim}"
        head = f"    def claim{number}(self{old}, p: Server, q: Server, t: Term) -> bool:"
        return [f"    @{kind}", head, f"        return {claim}", ""]


def write(seed: int) -> str:
    """The text of a drawn specification."""
    writer = _Writer(seed)
    lines = [line for number in range(2) for line in writer.action(number)]
    lines += [line for number in range(5) for line in writer.claim(number)]
    return HEADER + "\n" + "\n".join(lines)


NO_BEGINNING = "no initial state may"
"""What exploring says of an initial state that passes a bound."""


def refuted(spec: type[Spec], sizes: Sequence[dict[str, int]] = SIZES) -> tuple[set[str], bool]:
    """The invariants, lemmas and step properties that some run at these sizes violates, and whether no run met an error
    first. The claims of a specification that has errors are not judged. Sizes at which an initial state passes a bound are left out: proofs
    ask that of the configured ones, and numbers have no bound in them."""
    found: set[str] = set()
    for size in sizes:
        known = System(spec).bounds
        with System(spec.bounded(**{name: value for name, value in size.items() if name in known})) as system:
            try:
                found |= _violated(system, found)
            except Failure as failure:
                if NO_BEGINNING not in str(failure):
                    return found, False
    return found, True


def _violated(system: System, known: set[str]) -> set[str]:
    found, deadline = set[str](), monotonic() + SECONDS
    claims = [method for method in system.of("invariant", "lemma") if method.name not in known]
    steps = [method for method in system.of("step") if method.name not in known]

    def judge(methods: list[Any], state: Any, old: Any = None) -> None:
        for method in list(methods):
            if not all(system.evaluate(method, state, given, old) for given in system.choices(method.parameters)):
                methods.remove(method)
                found.add(method.name)

    seen: dict[Any, None] = {}
    level = []
    for _, state in system.initial():
        if state not in seen and len(seen) < STATES and monotonic() < deadline:
            seen[state] = None
            level.append(state)
            judge(claims, state)
    while level and len(seen) < STATES and monotonic() < deadline and (claims or steps):
        following = []
        for state in level:
            for after in _successors(system, state, deadline):
                if steps:
                    judge(steps, after, state)
                if after not in seen:
                    seen[after] = None
                    following.append(after)
                    judge(claims, after)
            if len(seen) > STATES:
                break
        level = following
    return found


def _successors(system: System, state: Any, deadline: float) -> Iterator[Any]:
    for action in system.actions:
        for given in system.choices(action.parameters):
            if monotonic() > deadline:
                return
            try:
                successor = system.fire(state, action, given)
            except Cut:
                continue
            if successor is not None:
                yield successor.state


def accepted(spec: type[Spec], whole: bool = True) -> set[str] | None:
    """The properties that are proven together for any size, with no error of any action; None if something is refused: any property
    (`whole`), or an action."""

    def unproven(asked: Sequence[Query]) -> set[str]:
        return {one.name[1] for one in asked if selected(one, seconds=ASKED_SECONDS).status != "unsat"}

    try:
        model = model_of_any_size(spec)
        with model.system:
            prover = Prover(model, None if whole else ())
            if prover.refused() is not None:
                return None
            names = [prop.name for prop in prover.inductive]
            while bad := unproven(prover.queries(names, names)):
                names = [name for name in names if name not in bad]
            if unproven(prover.errors(names)):
                return set()
            steps = [prop.name for prop in prover.steps]
            return {*names, *steps} - unproven(prover.queries(steps, names))
    except NoAnySize:
        return None


@dataclass(frozen=True)
class Judged:
    """What became of one specification: how many of its claims are false, and which of these are proven all the same; of one that raises
    an error, any."""

    what: str
    false: int
    proven: tuple[str, ...]
    true_proven: int = 0


def drawn(seed: int) -> Judged:
    """One drawn specification."""
    return judged(write(seed), SIZES)


def judged(source: str, sizes: Sequence[dict[str, int]], whole: bool = True) -> Judged:
    """What becomes of a specification that is written so."""
    try:
        spec = generated.load(source)
        false, sound = refuted(spec, sizes)
        if not sound:
            return Judged("an error", 0, tuple(sorted(accepted(spec, whole) or ())))
        if not false:
            return Judged("nothing false", 0, ())
        kept = accepted(spec, whole)
    except QuorateError:
        return Judged("outside the subset", 0, ())
    if kept is None:
        return Judged("no meaning for any size", 0, ())
    return Judged("judged", len(false), tuple(sorted(false & kept)), len(kept - false))


def mutated(mutant: mutants.Mutant) -> Judged:
    """One mutant of the library."""
    try:
        spec = mutant.load()
        false, sound = refuted(spec, ({}, *SIZES[:2]))
        if not false or not sound:
            return Judged("an error" if not sound else "nothing false", 0, ())
        kept = accepted(spec)
    except Exception:
        return Judged("not readable", 0, ())
    if kept is None:
        return Judged("no meaning for any size", 0, ())
    return Judged("judged", len(false), tuple(sorted(false & kept)), len(kept - false))


def of_library() -> Iterator[tuple[str, Judged]]:
    """The mutants of the library that can be told apart from what they were made of, in an order of their own."""
    found = [mutant for name in LIBRARY for mutant in mutants.of_spec(load(name).main)]
    Random(0).shuffle(found)
    for mutant in found:
        yield str(mutant), mutated(mutant)


def of_seeds(seed: int, one: Callable[[int], Judged]) -> Iterator[tuple[str, Judged]]:
    """Drawn specifications from a seed on."""
    for number in count(seed):
        yield f"seed {number}", one(number)


def main(one: Callable[[int], Judged] = drawn) -> None:
    """Judge claims until so many false ones have been looked at."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--library", action="store_true", help="mutants of the library instead of drawn specifications")
    given = parser.parse_args()
    tally, false, wrong = Counter[str](), 0, list[str]()
    for number, (name, found) in enumerate(of_library() if given.library else of_seeds(given.seed, one), 1):
        tally[found.what] += 1
        tally["true claims proven"] += found.true_proven
        false += found.false
        if found.proven:
            wrong.append(f"{name}: {', '.join(found.proven)}")
            print("PROVEN ALTHOUGH FALSE", wrong[-1], flush=True)
        if number % 20 == 0:
            print(number, "specifications,", false, "false claims,", dict(tally), flush=True)
        if false >= given.count:
            break
    print(
        f"{sum(tally.values()) - tally['true claims proven']} specifications, {false} false claims, {len(wrong)} proven"
    )


if __name__ == "__main__":
    main()
