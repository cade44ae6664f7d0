"""What bounded checks leave out changes no answer: each reduction on and off, where containers are full and branches always cut."""

from __future__ import annotations

from dataclasses import replace

import pytest
from quorate.language.spec import Spec
from quorate.language.system import Failure
from quorate.loading import load
from quorate.model.build import build
from quorate.prove.bounded.bmc import Search
from quorate.prove.transition.reductions import ALL, NONE, Reductions

from tests import generated
from tests.prove.oracle import ERROR, explored

HEADER = '''
from typing import Annotated, ClassVar, Self

from quorate import Bag, Nat, Network, Scalarset, Spec, action, init, invariant, partial, record, require, step, up_to


class Server(Scalarset, size=2):
    """S."""


class Term(Nat, max=1):
    """T."""


class Level(Nat, max=2):
    """L."""


@record
class M:
    to: Server


'''

FULL_SET = """
class Drawn(Spec):
    s: Annotated[set[Term], up_to(1)]
    done: bool

    @init
    def start(self) -> None:
        self.s.add(Term(1))

    @action
    def send(self) -> None:
        require(0 not in self.s)
        self.s.add(Term(0))

    @action
    def take(self) -> None:
        require(1 in self.s)
        self.s.discard(Term(1))

    @action
    def idle(self) -> None:
        require(0 in self.s)
        self.done = True

    @invariant
    def never(self) -> bool:
        return not self.done
"""

FULL_NETWORK = """
class Drawn(Spec):
    net: Network[M] = Network(lossy=True, capacity=1)
    first: Server
    done: bool

    @init
    def start(self, s: Server) -> None:
        self.net.send(M(s))
        self.first = s

    @action
    def a_send(self, s: Server) -> None:
        self.net.send(M(s))

    @action
    def finish(self, m: M) -> None:
        require(m in self.net and m.to != self.first)
        self.done = True

    @invariant
    def never(self) -> bool:
        return not self.done
"""

SEVERAL_AT_ONCE = """
class Drawn(Spec):
    s: Annotated[set[Term], up_to(2)]
    t: Annotated[set[tuple[Server, Term]], up_to(2)]
    done: bool

    @init
    def start(self, a: Server) -> None:
        self.t.add((a, Term(1)))

    @action
    def both(self, a: Server) -> None:
        require((a, Term(1)) not in self.t)
        self.t.add((a, Term(0)))
        self.t.add((a, Term(1)))

    @action
    def clear(self, a: Server) -> None:
        require((a, Term(1)) in self.t)
        self.t.discard((a, Term(1)))

    @action
    def finish(self) -> None:
        require(len(self.t) == 2)
        self.done = True

    @invariant
    def never(self) -> bool:
        return not self.done
"""

FULL_BAG = """
class Drawn(Spec):
    net: Bag[M] = Bag(capacity=1)
    first: Server
    done: bool

    @init
    def start(self, s: Server) -> None:
        self.net.send(M(s))
        self.first = s

    @action
    def a_send(self, s: Server) -> None:
        self.net.send(M(s))

    @action
    def take(self, m: M) -> None:
        require(m in self.net)
        self.net.receive(m)

    @action
    def finish(self, m: M) -> None:
        require(m in self.net and m.to != self.first)
        self.done = True

    @invariant
    def never(self) -> bool:
        return not self.done
"""

LISTS_OF_ONE_BOUND = """
class Drawn(Spec):
    logs: list[list[Term]]
    bounds: ClassVar[dict[str, int]] = {"logs": 2}

    @init
    def start(self) -> None:
        self.logs.append([])

    @action
    def add(self, t: Term) -> None:
        self.logs[0].append(t)

    @invariant
    def never(self) -> bool:
        return len(self.logs[0]) < 2
"""

SETS_OF_ONE_BOUND = """
class Drawn(Spec):
    logs: list[set[Term]]
    bounds: ClassVar[dict[str, int]] = {"logs": 1}

    @init
    def start(self) -> None:
        self.logs.append(set())

    @action
    def add(self, t: Term) -> None:
        self.logs[0].add(t)

    @invariant
    def never(self) -> bool:
        return len(self.logs[0]) < 2
"""

NOTHING_BUT_AN_ERROR = """
class Drawn(Spec):
    done: bool

    @action
    def go(self) -> None:
        assert self.done

    @step
    def moves(self, old: Self) -> bool:
        return self.done != old.done
"""

A_BRANCH_IS_ALWAYS_CUT = """
class Drawn(Spec):
    n: Level
    log: Annotated[list[Level], up_to(1)]
    last: Level | None
    chosen: bool
    done: bool

    @action
    def choose(self, n: Level) -> None:
        require(not self.chosen)
        self.n = n
        self.chosen = True

    @action
    def finish(self, far: bool, further: bool) -> None:
        require(self.chosen and not self.done)
        self.log = [self.n + 3] if far else []
        self.last = self.n + 3 if further else None
        self.done = True

    @invariant
    def never(self) -> bool:
        return not self.done
"""

A_BRANCH_OF_INIT_IS_ALWAYS_CUT = """
class Drawn(Spec):
    log: Annotated[list[Level], up_to(1)]
    high: bool

    @init
    def start(self, n: Level, m: Level, far: bool) -> None:
        require(n > m or not far)
        self.log = [n + 3] if far and n == 0 else []
        self.high = m > 0

    @action
    def forget(self) -> None:
        self.log = []

    @invariant
    def never(self) -> bool:
        return not self.high
"""

A_BRANCH_IS_NEVER_TAKEN = """
class Drawn(Spec):
    last: Annotated[dict[Level, Term], partial]
    log: Annotated[list[Term], up_to(2)]
    done: bool

    @action
    def finish(self, f: bool, n: Level) -> None:
        if f:
            self.done = True
        elif f:
            self.last = {n: Term(1)}
            self.log = [t for t in self.log if t > 0] + [self.log[n]]

    @invariant
    def never(self) -> bool:
        return not self.done
"""

CASES = {name: text for name, text in globals().items() if isinstance(text, str) and "class Drawn" in text}

SWITCHES = (ALL, NONE, *(replace(ALL, **{name: False}) for name in vars(ALL)))


def said(spec: type[Spec], reductions: Reductions, depth: int = 6) -> tuple[str, int] | None:
    """What a bounded check finds: the property and the length of the run."""
    model = build(spec)
    with model.system:
        names = [prop.name for prop in model.of("invariant", "lemma", "step")]
        found = Search(model, 20.0, reductions=reductions).shortest(depth, names)
    return None if found is None or found.method is None else (found.method.name, len(found.steps))


@pytest.mark.parametrize("reductions", SWITCHES, ids=lambda one: "".join("01"[on] for on in vars(one).values()))
@pytest.mark.parametrize("name", CASES)
def test_a_bounded_check_finds_what_exploring_finds(name: str, reductions: Reductions) -> None:
    spec = generated.load(HEADER + CASES[name])
    shortest = explored(build(spec).system, 6, 1000).violated
    shortest |= {"go": shortest.pop(ERROR)} if ERROR in shortest else {}
    assert said(spec, reductions) == next(iter(shortest.items()), None)


INIT_RAISES = """
class Drawn(Spec):
    n: Term

    @init
    def start(self, t: Term) -> None:
        assert t < 1
        self.n = t

    @action
    def tick(self) -> None:
        self.n = Term(0)

    @invariant
    def small(self) -> bool:
        return self.n < 1
"""

INIT_IS_CUT = """
class Drawn(Spec):
    n: Term

    @init
    def start(self, t: Term) -> None:
        self.n = t + 1

    @action
    def tick(self) -> None:
        self.n = Term(0)

    @invariant
    def positive(self) -> bool:
        return self.n >= 0
"""

NO_START = """
class Drawn(Spec):
    n: Term

    @init
    def start(self, t: Term) -> None:
        require(t < 0)

    @action
    def tick(self) -> None:
        self.n = Term(0)

    @invariant
    def positive(self) -> bool:
        return self.n >= 0
"""


@pytest.mark.parametrize(
    ("source", "why"),
    [
        (INIT_RAISES, r"start\(1\) raises an error"),
        (INIT_IS_CUT, "passes the bound Term"),
        (NO_START, "no initial state"),
    ],
)
def test_a_bounded_check_says_what_is_wrong_with_init_as_exploring_does(source: str, why: str) -> None:
    with pytest.raises(Failure, match=why):
        said(generated.load(HEADER + source), ALL)


@pytest.mark.parametrize("name", ["two_phase_commit", "raft_election"])
def test_a_broken_variant_breaks_as_soon_with_each_reduction_off(name: str) -> None:
    protocol = load(name)
    variant = next(iter(protocol.variants.values()))
    found = {said(variant, reductions, 5) for reductions in SWITCHES}
    assert len(found) == 1
