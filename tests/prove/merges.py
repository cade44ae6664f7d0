"""Merge functions with laws, for `test_laws.py`."""

from typing import ClassVar

from quorate import Nat, Ordered, Scalarset, Spec, action, law, merge, record, violates


class Node(Scalarset, size=3):
    """A replica."""


class Rank(Ordered, size=2):
    """A replica with a place in an order."""


class Count(Nat, max=3):
    """How many."""


class Time(Nat, max=9):
    """A time."""


class Element(Scalarset, size=2):
    """What is in a set."""


Counter = dict[Node, Count]


def below(a: Counter, b: Counter) -> bool:
    return all(a[n] <= b[n] for n in Node)


@merge(order=below)
def grow_only(a: Counter, b: Counter) -> Counter:
    return {n: max(a[n], b[n]) for n in Node}


@law
def below_is_antisymmetric(a: Counter, b: Counter) -> bool:
    return a == b or not (below(a, b) and below(b, a))


@law(expect=violates("below_is_total"))
def below_is_total(a: Counter, b: Counter) -> bool:
    return below(a, b) or below(b, a)


@merge
def positive_negative(a: tuple[Counter, Counter], b: tuple[Counter, Counter]) -> tuple[Counter, Counter]:
    return (grow_only(a[0], b[0]), grow_only(a[1], b[1]))


@merge(expect=violates("idempotent"))
def sum_up(a: Counter, b: Counter) -> Counter:
    return {n: a[n] + b[n] for n in Node}


@merge(expect=violates("total"))
def difference(a: Count, b: Count) -> Count:
    return a - b


@merge
def as_many_as_nodes(a: Count, b: Count) -> Count:
    return max(a, b) if len(Node) < 9 else a


@record
class Write:
    at: Time
    rank: Rank


@merge(expect=violates("commutative"))
def last(a: Write, b: Write) -> Write:
    return a if a.at > b.at else b


@merge(expect=violates("associative"))
def within_a_tolerance(a: Write, b: Write) -> Write:
    """Times that are close count as equal, and then the rank decides: "equal" is not transitive."""
    if abs(a.at - b.at) >= 500:
        return a if a.at > b.at else b
    return a if (a.rank, a.at) >= (b.rank, b.at) else b


@record
class Dot:
    node: Node
    number: Count
    element: Element


@record
class AddWins:
    entries: set[Dot]
    seen: dict[Node, Count]


def entries_were_seen(a: AddWins) -> bool:
    return all(entry.number <= a.seen[entry.node] for entry in a.entries)


@merge(valid=entries_were_seen)
def add_wins(a: AddWins, b: AddWins) -> AddWins:
    left = {e for e in a.entries if e in b.entries or e.number > b.seen[e.node]}
    right = {e for e in b.entries if e in a.entries or e.number > a.seen[e.node]}
    return AddWins(left | right, grow_only(a.seen, b.seen))


@merge
def two_phase(
    a: tuple[set[Element], set[Element]], b: tuple[set[Element], set[Element]]
) -> tuple[set[Element], set[Element]]:
    return (a[0] | b[0], a[1] | b[1])


Versions = dict[Node, Count | None]


def number(entry: Count | None) -> Count:
    return Count(0) if entry is None else entry


def same(a: Versions, b: Versions) -> bool:
    return all(number(a[n]) == number(b[n]) for n in Node)


@merge(equal=same)
def versions(a: Versions, b: Versions) -> Versions:
    return {n: max(number(a[n]), number(b[n])) for n in Node}


class Register(Spec):
    """A register whose merge is a method."""

    held: Write
    ranks_matter: ClassVar[bool] = True

    @action
    def write(self, w: Write) -> None:
        self.held = self.join(self.held, w)

    def key(self, a: Write) -> tuple[Time, Rank]:
        return (a.at, a.rank)

    @merge
    def join(self, a: Write, b: Write) -> Write:
        return a if self.key(a) > self.key(b) and self.ranks_matter else b if self.ranks_matter else a


class LastArgument(Register):
    """The variant overrides the method, and says what it breaks."""

    @merge(expect=violates("commutative"))
    def join(self, a: Write, b: Write) -> Write:
        return a if a.at > b.at else b
