"""What a proof for any size means: numbers end somewhere, bags count, sizes are a sort's own, errors of @init are claims.

Each specification here was once proven although a run violates it, or was not understood although it is true.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import pytest
from quorate.language.system import Failure
from quorate.loading import load
from quorate.model.build import build
from quorate.outcome import Failed, Outcome, Proven, Unfinished, Violated
from quorate.prove.any_size.obligations import Prover
from quorate.prove.encode.anysize.refusal import NoAnySize
from quorate.prove.proof import Task, prove
from quorate.prove.solvers.smt import Effort, selected

from tests import generated

HEADER = """
from typing import Annotated, ClassVar, Self
from quorate import *

class Server(Scalarset, size=3): pass
class Big(Scalarset, size=5): pass
class Rank(Ordered, size=2): pass
class Term(Nat, max=3): pass
class Left(Nat, max=10): pass
class Few(Nat, max=2): pass

@record
class M:
    to: Server
    urgent: bool = False

@record
class Told:
    term: Term = Term(1)

TWO = 2

class Drawn(Spec):
"""

BAG_TWICE = """
    bag: Bag[M] = Bag(capacity=20)
    done: bool

    @action
    def go(self) -> None:
        require(not self.done)
        self.done = True
        for s in Server:
            self.bag.send(M(s))
            self.bag.send(M(s))

    @invariant
    def nothing(self, s: Server) -> bool:
        return M(s) not in self.bag
"""
BAG_COUNTS = """
    bag: Bag[M] = Bag(capacity=20)
    sent: bool

    @action
    def go(self, t: Server) -> None:
        require(not self.sent)
        self.sent = True
        for s in Server:
            self.bag.send(M(s))
            self.bag.send(M(s))
        self.bag.receive(M(t))

    @invariant
    def one_is_left(self, s: Server) -> bool:
        return not self.sent or M(s) in self.bag
"""
BAG_SAME = """
    bag: Bag[bool] = Bag(capacity=20)
    done: bool

    @action
    def go(self) -> None:
        require(not self.done and True not in self.bag)
        self.done = True
        for s in Server:
            self.bag.send(True)
        self.bag.receive(True)

    @invariant
    def nothing(self) -> bool:
        return True not in self.bag
"""
TWO_SORTS = """
    votes: set[Server]
    other: set[Big]
    majority: bool

    @action
    def vote(self, s: Server) -> None:
        self.votes.add(s)

    @action
    def vote_too(self, s: Big) -> None:
        self.other.add(s)

    @action
    def count(self) -> None:
        require(is_majority(self.other, Big))
        self.majority = True

    @invariant
    def three_are_needed(self) -> bool:
        return not is_majority(self.votes, Server) or is_quorum(self.votes, 3, Server)
"""
INIT_ERROR = """
    n: Term

    @init
    def start(self, t: Term) -> None:
        assert t < 2
        self.n = t

    @action
    def tick(self) -> None:
        self.n = Term(0)

    @invariant
    def small(self) -> bool:
        return self.n < 2
"""
NO_LIMIT = """
    t: Term
    left: Left

    @action
    def tick(self) -> None:
        self.t += 1

    @action
    def put(self) -> None:
        self.left = Left(10 - self.t)

    @invariant
    def small(self) -> bool:
        return self.left <= 10
"""
NO_LIMIT_INSIDE = """
    seen: set[Term]
    left: dict[Server, Left]
    lefts: set[Left]

    @action
    def tick(self, t: Term) -> None:
        self.seen.add(t)

    @action
    def put(self, t: Term) -> None:
        self.left = {s: Left(9) for s in Server}
        WHAT

    @invariant
    def small(self) -> bool:
        return all(x <= 10 for x in self.lefts)
"""
ROUNDS_IN_ORDER = """
    flag: bool
    seen: set[Term]

    @action
    def set_flag(self) -> None:
        self.flag = True

    @action
    def go(self) -> None:
        for i in range(2):
            require(i == 0 or self.flag)
            self.seen.add(Term(i))
            assert i != 0 or self.flag

    @invariant
    def nothing(self) -> bool:
        return 3 not in self.seen
"""
REPLACED = """
    queue: Annotated[list[Server], up_to(2)]
    some: set[Server]
    kept: set[Server]
    sets: dict[Server, set[Server]]

    @action
    def put(self, s: Server) -> None:
        self.queue.append(s)

    @action
    def go(self, t: Server) -> None:
        kept = set(self.kept)
        for s in self.queue:
            WHAT
        self.kept = kept

    @step
    def grows(self, old: Self) -> bool:
        return old.some <= self.some and old.kept <= self.kept and all(old.sets[s] <= self.sets[s] for s in Server)
"""
WIDER = """
    pairs: set[tuple[Server, Few]]
    wide: set[WIDE]

    @action
    def put(self, s: Server, n: Few) -> None:
        self.pairs.add((s, n))

    @action
    def go(self) -> None:
        self.wide = self.wide | self.pairs

    @invariant
    def claim(self) -> bool:
        return CLAIM
"""
WIDE = {
    "tuple[Server | None, Few]": "all(one[0] is not None for one in self.wide)",
    "tuple[Server, Few] | None": "all(one is not None and one in self.pairs for one in self.wide)",
    "tuple[Server | None, Few] | None": "all(one is not None and one[0] is not None for one in self.wide)",
}
EMPTIED = """
    servers: Annotated[list[Server], up_to(2)]
    numbers: Annotated[list[Few], up_to(2)]

    @action
    def put(self, s: Server) -> None:
        self.servers.append(s)
        self.numbers.append(0)

    @action
    def clear(self, which: bool) -> None:
        self.servers = [] if which else self.servers
        self.numbers = self.numbers if which else []

    @invariant
    def zero(self, s: Server) -> bool:
        return all(number == 0 for number in self.numbers) and (s not in self.servers or any(s == t for t in self.servers))
"""
CONSTANT = """
    n: Term
    up: set[Server]

    @action
    def go(self) -> None:
        for s in Server:
            if s in self.up:
                self.n = Term(0)

    @action
    def add(self, s: Server) -> None:
        self.up.add(s)

    @invariant
    def small(self) -> bool:
        return self.n <= 1
"""
TWO_EXTREMES = """
    up: set[Rank]
    seen: set[Term]
    n: bool

    @action
    def go(self) -> None:
        self.n = True

    @invariant
    def p(self) -> bool:
        return len(self.up) == 0 or len(self.seen) == 0 or max(self.up) == max(self.up) and max(self.seen) >= 0
"""
FOLD = """
    x: bool

    def same(self, t: Term) -> Term:
        best = t
        for s in Server:
            best = max(best, t)
        return best

    @action
    def go(self) -> None:
        self.x = True

    @step
    def bad(self, old: Self, t: Term) -> bool:
        return self.same(t) != t
"""
OBSERVE = """
    term: dict[Server, Term]
    up: set[Server]
    outage: bool

    def highest(self, start: Term) -> Term:
        best = start
        for s in Server:
            if s in self.up:
                best = max(best, self.term[s])
        return best

    @action
    def join(self, s: Server) -> None:
        self.up.add(s)
        self.term[s] += 1

    @action
    def observe(self) -> None:
        self.outage = len(self.up) == 0

    @invariant
    def highest_is_high(self, t: Term) -> bool:
        return self.highest(t) >= t

    @invariant
    def no_outage(self) -> bool:
        return not self.outage
"""
LARGEST_FREE = """
    port: dict[Server, Term | None]

    def free(self) -> set[Term]:
        return {p for p in Term if all(self.port[c] != p for c in Server)}

    @action
    def get(self, c: Server) -> None:
        require(self.port[c] is None and len(self.free()) > 0)
        self.port[c] = max(self.free())

    @invariant
    def PROPERTY
"""
NOBODY = LARGEST_FREE.replace("PROPERTY", "p(self, c: Server) -> bool:\n        return self.port[c] is None\n")
DISTINCT = LARGEST_FREE.replace(
    "PROPERTY",
    "p(self, a: Server, b: Server) -> bool:\n"
    "        return a == b or self.port[a] is None or self.port[a] != self.port[b]\n",
)
LARGEST_LOCAL = """
    x: Term
    used: set[Term]

    @action
    def grow(self, t: Term) -> None:
        self.x += 1
        self.used.add(t)

    @step
    def bad(self, old: Self) -> bool:
        free = {t for t in Term if t > self.x} SOMEHOW
        top = max(free, default=Term(0))
        return top > 100 and self.x < old.x
"""
ALWAYS_MORE = """
    x: Term

    @action
    def grow(self) -> None:
        self.x += 1

    @invariant
    def always_more(self) -> bool:
        return any(t > self.x for t in Term)
"""
THRESHOLD = """
    size: ClassVar[int] = 2
    votes: dict[Server, set[Server]]
    voted: set[Server]

    @action
    def vote(self, a: Server, b: Server) -> None:
        require(a not in self.voted)
        self.voted.add(a)
        self.votes[b].add(a)

    @invariant
    def one(self, a: Server, b: Server) -> bool:
        return a == b or not (is_quorum(self.votes[a], SIZE, Server) and is_quorum(self.votes[b], SIZE, Server))

    @lemma
    def votes_once(self, a: Server, b: Server, c: Server) -> bool:
        return b == c or not (a in self.votes[b] and a in self.votes[c])

    @lemma
    def voters_have_voted(self, a: Server, b: Server) -> bool:
        return a in self.voted or a not in self.votes[b]
"""
HELPED = (
    THRESHOLD.replace("is_quorum(self.votes[a], SIZE, Server)", "self.enough(self.votes[a], SIZE)").replace(
        "is_quorum(self.votes[b], SIZE, Server)", "self.enough(self.votes[b], SIZE)"
    )
    + """
    def enough(self, votes: set[Server], size: int) -> bool:
        return is_quorum(votes, size, Server)
"""
)
UNMENTIONED = """
    count: dict[Server, Term]
    up: set[Server]

    @action
    def rise(self, s: Server) -> None:
        self.count[s] += 1
        self.up.add(s)

    @invariant
    def nobody_is_up_alone(self, s: Server) -> bool:
        return s not in self.up or any(t in self.up for t in Server)
"""
SET_LEMMA = """
    seen: set[Server]
    other: set[Server]
    done: bool

    @action
    def see(self, s: Server) -> None:
        self.seen.add(s)

    @action
    def join(self, s: Server) -> None:
        self.other.add(s)

    @action
    def finish(self) -> None:
        require(is_majority(self.seen, Server))
        self.done = True

    @invariant
    def they_meet(self) -> bool:
        return not (self.done and is_majority(self.other, Server)) or any(s in self.seen for s in self.other)

    @lemma
    def every_majority_is_met(self, q: set[Server]) -> bool:
        return not (self.done and is_majority(q, Server)) or any(s in self.seen for s in q)
"""
HOSTILE = """
    distinct: dict[Server, Term]
    store: set[Server]
    ite: bool

    @action
    def select(self, let: Server, exists: Term) -> None:
        require(not self.ite)
        self.distinct[let] = exists
        self.store.add(let)

    @invariant
    def forall(self, xor: Server) -> bool:
        return xor in self.store or self.distinct[xor] == 0
"""

QUICK = Effort((0.5, 1.0), 0.0, seconds=5.0)


def verdict(body: str, *invariants: str) -> Outcome:
    spec: Any = generated.load(HEADER + body)
    task = Task(spec, "drawn", invariants=invariants, any_size=True, effort=QUICK, seconds=20.0, depth=5)
    return prove(task).outcome


@pytest.mark.parametrize(
    ("body", "kinds"),
    [
        pytest.param(BAG_TWICE, Violated, id="a loop that sends twice"),
        pytest.param(BAG_SAME, Violated, id="rounds that send the same message"),
        pytest.param(TWO_SORTS, Violated, id="majorities of two sorts"),
        *(
            pytest.param(
                WIDER.replace("WIDE", wide).replace("CLAIM", "len(self.wide) == 0"), Violated, id=f"a pair in {wide}"
            )
            for wide in WIDE
        ),
        *(
            pytest.param(REPLACED.replace("WHAT", what), Unfinished, id=f"the last of some rounds: {what}")
            for what in ("self.some = {t} | {s}", "kept = self.some | {s}", "self.sets[t] = self.some | {s}")
        ),
        pytest.param(NO_LIMIT, (Failed, Unfinished), id="below zero beyond the configured maximum"),
        pytest.param(
            NO_LIMIT_INSIDE.replace("WHAT", "self.lefts = {10 - x for x in self.seen}"),
            (Failed, Unfinished),
            id="elements below zero beyond the configured maximum",
        ),
        pytest.param(
            NO_LIMIT_INSIDE.replace("WHAT", "self.left = {s: 10 - t for s in Server}"),
            (Failed, Unfinished),
            id="values below zero beyond the configured maximum",
        ),
        pytest.param(ROUNDS_IN_ORDER, (Failed, Unfinished), id="an error before a later require"),
        pytest.param(FOLD, Violated, id="a fold over a parameter"),
        pytest.param(OBSERVE, Violated, id="a false property beside a fold"),
        pytest.param(NOBODY, Violated, id="the largest free number"),
        pytest.param(LARGEST_LOCAL.replace("SOMEHOW", ""), Violated, id="the largest of a local"),
        pytest.param(LARGEST_LOCAL.replace("SOMEHOW", "- self.used"), Violated, id="the largest of a difference"),
        pytest.param(
            LARGEST_LOCAL.replace("SOMEHOW", "if self.x > 0 else set(self.used)"),
            Violated,
            id="the largest of a choice",
        ),
        pytest.param(ALWAYS_MORE, Violated, id="a number above all"),
        pytest.param(THRESHOLD.replace("SIZE", "2"), Unfinished, id="a threshold that is just a number"),
        pytest.param(THRESHOLD.replace("SIZE", "TWO"), Unfinished, id="a threshold of the module"),
        pytest.param(HELPED.replace("SIZE", "2"), Unfinished, id="a number that is given to a helper as a threshold"),
    ],
)
def test_what_a_run_refutes_is_not_proven(body: str, kinds: Any) -> None:
    assert isinstance(verdict(body), kinds)


def test_an_error_of_init_is_reported_where_it_is() -> None:
    with pytest.raises(Failure, match="assert t < 2"):
        verdict(INIT_ERROR)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(BAG_COUNTS, id="a bag has two of what a loop sends twice"),
        pytest.param(CONSTANT, id="a loop that assigns a constant"),
        pytest.param(TWO_EXTREMES, id="extremes of two sorts"),
        pytest.param(DISTINCT, id="the largest free number is free"),
        pytest.param(THRESHOLD.replace("SIZE", "self.size"), id="a threshold that is configured"),
        pytest.param(UNMENTIONED, id="an action counts what no property mentions"),
        pytest.param(SET_LEMMA, id="a lemma about every set"),
        pytest.param(EMPTIED, id="lists of two kinds that are empty, or not"),
        *(
            pytest.param(WIDER.replace("WIDE", wide).replace("CLAIM", claim), id=f"pairs in a set of {wide}")
            for wide, claim in WIDE.items()
        ),
        pytest.param(HOSTILE, id="names that are words of SMT-LIB"),
    ],
)
def test_what_is_true_at_any_size_is_proven(body: str) -> None:
    found = verdict(body)
    assert isinstance(found, Proven), found


CONSTRAINED = """
    count: dict[Server, Term]

    @action
    def up(self, s: Server) -> None:
        self.count[s] += 1

    @constraint
    def few(self) -> bool:
        return all(self.count[s] < 2 for s in Server)

    @invariant
    def small(self) -> bool:
        return all(self.count[s] < 2 for s in Server)

    @invariant
    def never_below_zero(self) -> bool:
        return all(self.count[s] >= 0 for s in Server)
"""


def test_a_constraint_proves_nothing_for_any_size() -> None:
    found = verdict(CONSTRAINED)
    assert isinstance(found, Unfinished) and "small is not inductive" in found.reason
    assert "a proof for any size is one without the constraint few" in found.notes
    assert isinstance(verdict(CONSTRAINED, "never_below_zero"), Proven)


PARTLY = (
    CONSTANT
    + """
    @invariant
    def few(self) -> bool:
        return len(self.up) <= 64
"""
)


def test_what_has_no_meaning_for_any_size_is_named_with_its_line_and_the_rest_is_proven() -> None:
    found = verdict(PARTLY)
    assert isinstance(found, Unfinished) and "proven for any size: small" in found.reason
    assert "not judged: few" in found.reason
    assert any(note.startswith("few is neither proven nor assumed (") and "line" in note for note in found.notes)
    assert any(note.startswith("what is proven rests on this: answers of z3") for note in found.notes)


def test_a_verdict_says_what_it_rests_on() -> None:
    found = verdict(THRESHOLD.replace("SIZE", "self.size"))
    assert isinstance(found, Proven)
    assert any("any size (2) and any size (2) of Server have a member in common" in what for what in found.rests_on)
    found = verdict(CONSTANT)
    assert isinstance(found, Proven) and any("up to any greatest one" in what for what in found.rests_on)


ALL_OF_ONE_NAME = """
    t: dict[Server, Term]
    u: dict[Server, Term]

    def first(self) -> Term:
        best = Term(0)
        for s in Server:
            best = max(best, self.t[s])
        return best

    def second(self) -> Term:
        best = Term(0)
        for s in Server:
            best = max(best, self.u[s])
        return best

    @action
    def go(self, s: Server, x: Term) -> None:
        self.t[s] = x

    @invariant
    def claim(self) -> bool:
        return """


@pytest.mark.parametrize(
    "claim",
    [
        "all(self.first() >= 0 and fold <= self.second() for fold in Term)",
        "all(max((x for x in Term), default=Term(0)) >= 0 and max_of <= max((self.u[s] for s in Server), default=Term(0)) "
        "for max_of in Term)",
    ],
)
def test_what_is_ranged_over_is_no_definition_of_its_name(claim: str) -> None:
    assert isinstance(verdict(ALL_OF_ONE_NAME + claim), Violated)


@pytest.mark.parametrize("action", ["go", "follows"])
def test_an_action_may_be_called_as_it_likes(action: str) -> None:
    body = f"""
    x: Term
    y: Term

    @action
    def {action}(self) -> None:
        x = self.x
        self.x = self.y
        self.y = x

    @invariant
    def first(self) -> bool:
        return self.x == 0

    @invariant
    def second(self) -> bool:
        return self.y == 0
    """
    assert isinstance(verdict(body, "first"), Proven)


def test_an_argument_is_no_element_of_an_empty_list() -> None:
    body = """
    log: list[Term]

    @action
    def nothing(self, Term: Server) -> None:
        self.log = self.empty() + self.log

    def empty(self) -> list[Term]:
        return []

    @invariant
    def claim(self) -> bool:
        return self.log == []
    """
    assert isinstance(verdict(body), Proven)


@pytest.mark.slow
def test_what_a_property_and_an_action_define_have_names_of_their_own() -> None:
    # A value of the state after `tick` is an extreme, worked out when a property asks for it, and the property has extremes itself.
    model = build(load("replication_lag").main)
    with model.system:
        prover = Prover(model, ())
        names = [prop.name for prop in prover.inductive]
        for query in prover.queries(names, names):
            declared = Counter(re.findall(r"\(declare-fun (\|[^|]*\||\S+) ", query.text))
            assert declared.most_common(1)[0][1] == 1, query.name


KEYS = """
    at: dict[Term, bool]
    wide: dict[Term, bool]
    maybe: dict[Term | None, bool]
    queue: Annotated[list[Server], up_to(2)]
    terms: set[Term]
    optional: set[Term | None]
    both: set[tuple[Term | None, Term]]
    told: set[Told]
    pairs: dict[tuple[Server, Term], Term]
    sets: dict[Server, dict[Term, set[Server]]]
    seen: Annotated[dict[Term, Server], partial]
    on: bool

    def before(self, t: Term) -> bool:
        return self.at[t - 1]

    @action
    def go(self, s: Server, t: Term, few: Few) -> None:
        WHAT

    @invariant
    def anything(self) -> bool:
        return True

    @lemma
    def off(self) -> bool:
        return not self.on
"""


@pytest.mark.parametrize(
    "what",
    [
        "self.on = self.at[t KEY]",
        "self.at[t KEY] = True",
        "x = t KEY\n        self.at[x] = self.on",
        "self.pairs[s, t KEY] += 1",
        "self.sets[s][t KEY].add(s)",
        "self.seen[t KEY] = s",
        "self.on = any(self.at[t KEY] for r in Server)",
    ],
)
@pytest.mark.parametrize(("key", "guard"), [("- 1", "t > 0"), ("+ 1", "t + 1 in Term")])
def test_there_is_no_key_below_zero_or_above_the_greatest_number(what: str, key: str, guard: str) -> None:
    for guarded in (False, True):
        body = f"require({guard})\n        {what}" if guarded else what
        spec: Any = generated.load(HEADER + KEYS.replace("WHAT", body.replace("KEY", key)))
        found = [selected(query, blindly=True).status for query in Prover(build(spec)).errors([])]
        assert found == ["unsat" if guarded else "sat"]


@pytest.mark.parametrize(
    "what",
    [
        "self.at[few] = True",
        "self.at[len(self.queue)] = True",
        "self.pairs[s, few] += 1",
        "self.on = self.at[t // 2 + 1]",
        "self.on = any(self.at[n] for n in range(2))",
        "self.maybe[few] = True",
        "self.seen.pop(t // 2 + 1, None)",
        "self.on = self.seen.get(t // 2 + 1) is not None",
        "self.seen = {**self.seen, t // 2 + 1: s}",
    ],
)
def test_the_range_of_a_key_is_one_at_some_bounds(what: str) -> None:
    """As many numbers of another sort, or so long a list, may be too many at others."""
    spec: Any = generated.load(HEADER + KEYS.replace("WHAT", what))
    assert "sat" in [selected(query).status for query in Prover(build(spec)).errors([])]


@pytest.mark.parametrize(
    "what",
    [
        "require(few not in self.terms)",
        "require(few not in self.optional)",
        "require((few, t) not in self.both)",
        "self.terms.discard(few)",
        "self.optional.discard(few)",
    ],
)
def test_no_bound_cuts_what_is_looked_for(what: str) -> None:
    spec: Any = generated.load(HEADER + KEYS.replace("WHAT", what + "\n        self.on = few not in Term"))
    prover = Prover(build(spec))
    (kept,) = [query for query in prover.queries(["off"], ["off"]) if query.name[0] == "go"]
    assert selected(kept).status == "sat"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("what", "claim", "supposed"),
    [
        ("self.at[2] = True", "True", 2),
        ("self.on = self.at[1 if self.on else 2]", "True", 2),
        ("self.at[max(t, 2)] = True", "True", 2),
        ("self.seen = {2: s}", "True", 2),
        ("self.wide = {**self.wide, 3: True}", "True", 3),
        ("self.on = self.maybe[2]", "True", 2),
        ("self.terms.add(t)", "Told(2) not in self.told", 2),
        ("self.terms.add(t)", "Told() not in self.told", 1),
        ("self.at[min(t, 2)] = True", "True", 0),
        ("if 2 in Term:\n            self.at[2] = True", "True", 0),
        ("self.at[0] = True", "True", 0),
    ],
)
def test_numbers_that_are_written_are_supposed_to_be_there(what: str, claim: str, supposed: int) -> None:
    """Where they are not, there is an error at that bound; the verdict says so, and asks no more than it needs to."""
    body = KEYS.replace("WHAT", what).replace("return True", f"return {claim}")
    found = verdict(body, "anything")
    assert isinstance(found, Proven)
    said = f"only for sizes of which this is true: Term goes up to {supposed}, or further"
    assert [why for why in found.rests_on if "goes up" in why] == ([said] if supposed else [])


def test_what_is_a_key_only_at_these_bounds_is_refused_at_its_line() -> None:
    spec: Any = generated.load(HEADER + KEYS.replace("WHAT", "self.seen.pop(few, None)"))
    with pytest.raises(NoAnySize, match="That is so at other bounds") as refused:
        Prover(build(spec))
    assert refused.value.location is not None


def test_a_number_that_is_not_there_is_not_supposed() -> None:
    spec: Any = generated.load(HEADER + KEYS.replace("WHAT", "self.at[3] = True")).bounded(Term=2)
    with pytest.raises(NoAnySize, match="3 is no Term at the configured size"):
        Prover(build(spec)).errors([])


def test_a_key_that_is_none_is_an_error_of_methods_and_properties_too() -> None:
    spec: Any = generated.load(HEADER + KEYS.replace("WHAT", "self.on = self.before(t)"))
    (query,) = Prover(build(spec)).errors([])
    assert selected(query).status == "sat"
    claim = KEYS.replace("WHAT", "self.on = True").replace(
        "return True", "return not any(self.at[t + 1] for t in Term)"
    )
    spec = generated.load(HEADER + claim)
    prover = Prover(build(spec))
    assert selected(prover.initial(prover.inductive[0])).status == "sat"


ROOM = """
    log: Annotated[list[Server], up_to(Few)]
    few: set[Few]
    sent: Network[Logged]
    kept: Network[Marked]
    limit: ClassVar[int] = 2
    q: ClassVar[int] = QUORUM
    up: set[Server]

    @action
    def go(self, s: Server, n: Few) -> None:
        self.log.append(s)
        self.few.add(n)
        self.up.add(s)

    @invariant
    def claim(self) -> bool:
        return CLAIM
"""
RECORDS = """
@record
class Logged:
    log: Annotated[list[Server], up_to(Few)]

@record
class Marked:
    terms: frozenset[Term]
"""


def roomy(claim: str, quorum: int = 1) -> str:
    return ROOM.replace("CLAIM", claim).replace("QUORUM", str(quorum))


@pytest.mark.parametrize(
    "claim", ["Logged(self.log + self.log) not in self.sent", "Marked(frozenset(self.few)) not in self.kept"]
)
def test_a_property_that_makes_a_container_too_large_is_not_proven(claim: str) -> None:
    """An error of the property, at bounds that are small enough."""
    spec: Any = generated.load(HEADER.replace("TWO = 2", RECORDS) + roomy(claim))
    prover = Prover(build(spec), ())
    assert list(prover.skipped) == ["claim"]


NAMESAKES = """
class Left:
    @record
    class Note:
        few: Few

    class Mark(Enum):
        ONE = 1

class Right:
    @record
    class Note:
        few: Few

    class Mark(Enum):
        ONE = 1

class Wide:
    @record
    class Note:
        few: Term
"""


@pytest.mark.parametrize(
    ("variable", "put", "claim"),
    [
        (
            "set[Left.Note | Right.Note]",
            "self.at.add(Left.Note(n))",
            "(Left.Note(n) in self.at) == (Right.Note(n) in self.at)",
        ),
        (
            "Network[Left.Note | Right.Note] = Network(capacity=2)",
            "self.at.send(Left.Note(n))",
            "(Left.Note(n) in self.at) == (Right.Note(n) in self.at)",
        ),
        (
            "dict[Left.Note | Right.Note, bool]",
            "self.at[Left.Note(n)] = True",
            "self.at[Left.Note(n)] == self.at[Right.Note(n)]",
        ),
        (
            "set[Left.Mark | Right.Mark]",
            "self.at.add(Left.Mark.ONE)",
            "(Left.Mark.ONE in self.at) == (Right.Mark.ONE in self.at)",
        ),
        (
            "Left.Note | Wide.Note",
            "self.at = Wide.Note(t)",
            "isinstance(self.at, Left.Note) or any(self.at.few == n for n in Few)",
        ),
        (
            "set[frozenset[Wide.Note]]",
            "self.at.add(frozenset({Wide.Note(t)}))",
            "frozenset({Left.Note(n)}) not in self.other and all(any(x.few == f for f in Few) for one in self.at for x in one)",
        ),
    ],
)
def test_classes_of_one_name_are_not_one(variable: str, put: str, claim: str) -> None:
    body = f"""
    at: {variable}
    other: set[frozenset[Left.Note]]

    @action
    def go(self, n: Few, t: Term) -> None:
        {put}

    @invariant
    def claim(self, n: Few) -> bool:
        return {claim}
    """
    spec: Any = generated.load(
        HEADER.replace("TWO = 2", NAMESAKES).replace("from typing", "from enum import Enum\nfrom typing") + body
    )
    found = prove(Task(spec, "drawn", any_size=True, effort=QUICK, seconds=20.0, depth=3)).outcome
    assert isinstance(found, Violated)


@pytest.mark.parametrize(
    "what",
    [
        "for s in Server:\n            self.sets[s] = self.few | {0}",
        "self.sets = {s: self.few | {0} for s in Server}",
        "self.kinds = {frozenset(self.few | {0}) for s in Server}",
    ],
)
def test_an_action_may_be_cut_where_a_property_asks_what_it_leaves(what: str) -> None:
    """What an action makes is worked out when a property asks for it, and is the action's all the same."""
    body = f"""
    few: set[Few]
    sets: dict[Server, Annotated[set[Few], up_to(2)]]
    kinds: set[frozenset[Few]]

    @action
    def go(self, n: Few) -> None:
        self.few.add(n)
        {what}

    @invariant
    def zero(self, s: Server) -> bool:
        return (len(self.sets[s]) == 0 or 0 in self.sets[s]) and all(0 in kind for kind in self.kinds)
    """
    assert isinstance(verdict(body), Proven)


def test_what_was_stored_has_room_where_it_was() -> None:
    spec: Any = generated.load(HEADER.replace("TWO = 2", RECORDS) + roomy("Logged(self.log) not in self.sent"))
    assert not Prover(build(spec), ()).skipped


@pytest.mark.parametrize(
    ("claim", "quorum", "said"),
    [
        ("not is_quorum(self.up, self.q, Server) or len(self.up) > 0", 1, "q (1) of Server is at least 1"),
        (
            "not is_quorum(self.up, self.q + self.q, Server) or len(self.up) > 0",
            1,
            "any q + q (2) and any q + q (2) of Server have a member in common",
        ),
        ("is_quorum(self.up, self.q, Server)", 0, "q (0) of Server is 0 or less"),
        ("self.limit == 2", 1, "constants as configured: limit = 2"),
    ],
)
def test_what_is_configured_and_no_size_is_said(claim: str, quorum: int, said: str) -> None:
    spec: Any = generated.load(HEADER.replace("TWO = 2", RECORDS) + roomy(claim, quorum))
    found = prove(Task(spec, "drawn", any_size=True, effort=QUICK, seconds=20.0)).outcome
    assert isinstance(found, Proven)
    assert [why.removeprefix("only for sizes of which this is true: ") for why in found.rests_on].count(said) == 1


CONFIGURED = """
    x: Term
    limit: ClassVar[int] = 2
    q: ClassVar[int] = 2
    up: set[Server]

    def most(this) -> int:
        return this.limit

    @action
    def grow(self) -> None:
        self.x += 1

    @step
    def claim(self, old: Self) -> bool:
        return CLAIM
"""


@pytest.mark.parametrize(
    "claim",
    [
        "self.x <= old.limit",
        "self.x >= -self.limit",
        "self.x >= -(-self.limit)",
        "self.x <= max(self.limit, 1)",
        "self.x in (old.limit, 1)",
        "self.x <= self.most()",
        "self.x <= self . limit",
        "is_quorum(self.up, self.most(), Server)",
    ],
)
def test_a_class_variable_is_named_however_it_is_read(claim: str) -> None:
    """`--bound limit=1` is another specification."""
    spec: Any = generated.load(HEADER + CONFIGURED.replace("CLAIM", claim))
    assert Prover(build(spec)).constants == {"limit": 2}


def test_the_size_of_a_quorum_is_no_constant() -> None:
    """Conditions tell of it."""
    spec: Any = generated.load(HEADER + CONFIGURED.replace("CLAIM", "is_quorum(self.up, old.q, Server)"))
    assert not Prover(build(spec)).constants


GIVEN = """
    x: Term
    at: dict[Term, Annotated[dict[Term, Term], partial]]
    limit: ClassVar[int] = 2
    q: ClassVar[int] = 2
    up: set[Server]

    @action
    def start(self) -> None:
        CALL

    def grow(self, most: int, by: int = 1) -> None:
        require(BODY)
        self.x += by

    def again(self, most: int) -> None:
        self.grow(most)

    @invariant
    def claim(self) -> bool:
        return self.x <= 2
"""


@pytest.mark.parametrize(
    ("call", "body"),
    [
        ("self.grow(self.limit)", "self.x < most"),
        ("self.grow(self.limit)", "self.x < -(-most)"),
        ("self.grow(2, by=self.limit)", "self.x == 0"),
        ("self.again(self.limit)", "self.x < most"),
        ("self.grow(self.limit)", "self.at[0].get(most) is None and self.x < 2"),
        ("self.grow(self.limit)", "self.x < 2 and is_quorum(self.up, self.q + most, Server)"),
    ],
)
def test_a_class_variable_that_a_procedure_is_given_is_named(call: str, body: str) -> None:
    spec: Any = generated.load(HEADER + GIVEN.replace("CALL", call).replace("BODY", body))
    assert Prover(build(spec)).constants.get("limit") == 2


def test_the_size_of_a_quorum_that_a_procedure_is_given_has_its_name() -> None:
    """Two servers are a quorum of 2, and of `q` only as it is configured."""
    given = GIVEN.replace("CALL", "self.grow(self.q)").replace("BODY", "is_quorum(self.up, most, Server)")
    body = given.replace("self.x <= 2", "self.x == 0 or is_quorum(self.up, 2, Server)")
    spec: Any = generated.load(HEADER + body)
    assert not Prover(build(spec)).constants
    assert not isinstance(verdict(body), Proven)


HELPED = """
    f: ClassVar[int] = 0
    echoes: set[Server]
    ready: bool

    def enough(self, votes: set[Server], n: int) -> bool:
        return is_quorum(votes, SIZE, Server)

    def times(self, n: int, f: int) -> int:
        return n * f + 1

    @action
    def echo(self, s: Server) -> None:
        self.echoes.add(s)

    @action
    def deliver(self) -> None:
        require(self.enough(self.echoes, 1))
        self.ready = True

    @invariant
    def delivered_by_many(self) -> bool:
        return not self.ready or self.enough(self.echoes, 2)
"""


@pytest.mark.parametrize("size", ["n * self.f + 1", "self.times(n, self.f)"])
def test_what_a_helper_is_given_is_in_no_name_of_a_size(size: str) -> None:
    """Both quorums have one member while `f` is 0, and the sizes are written alike; with `--bound f=1` one is larger."""
    spec: Any = generated.load(HEADER + HELPED.replace("SIZE", size))
    assert Prover(build(spec)).constants == {"f": 0}


def test_a_size_of_several_lines_is_told_by_its_constants() -> None:
    """Two that begin alike are not one for that."""
    claim = "is_quorum(self.up, self.q +\n            self.limit, Server)"
    spec: Any = generated.load(HEADER + CONFIGURED.replace("CLAIM", claim))
    assert Prover(build(spec)).constants == {"limit": 2, "q": 2}


REFINED = """
    x: Term
    limit: ClassVar[int] = 2

    @action
    def grow(self) -> None:
        require(self.x < self.limit)
        self.x += 1

class Refining(Spec):
    refines = Drawn
    x: Term

    @action
    def grow(self) -> None:
        require(self.x < 2)
        self.x += 1

    @mapping
    def seen(self, abstract: Drawn) -> None:
        abstract.x = self.x
"""


def test_a_class_variable_of_what_is_refined_is_named() -> None:
    spec: Any = generated.load(HEADER + REFINED, "Refining")
    assert Prover(build(spec)).constants == {"limit": 2}


MANY_ARGUMENTS = """
    term: Term

    @action
    def up(self, to: Term) -> None:
        require(self.term < to)
        self.term = to

    @invariant
    def total(self, one: Term, other: Term) -> bool:
        return one < other or other <= one
"""


def test_a_property_of_more_arguments_than_can_be_listed_is_proven() -> None:
    """Runs at the configured bounds are held against what is proven, and of such a property nothing can be asked there."""
    spec: Any = generated.load(HEADER.replace("Term(Nat, max=3)", "Term(Nat, max=1000)") + MANY_ARGUMENTS)
    assert isinstance(prove(Task(spec, "drawn", any_size=True)).outcome, Proven)
