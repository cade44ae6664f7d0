"""The laws of merging, each written once as Python over an abstract `Structure`.

A structure says what `merge`, `order` and `equal` are. Three read the same laws: `Words` says them in a sentence,
`Run` computes them in CPython, and `subject.Tree` writes them as expressions of the typed model for the solvers. So
what is proven, what is printed and what is run again on a counterexample cannot drift apart.

Source: Shapiro, Preguiça, Baquero & Zawirski 2011, "Conflict-free Replicated Data Types", section 2.3 (a state-based
replicated object converges if merging is the join of a semilattice and updates only go up); Davey & Priestley 2002,
"Introduction to Lattices and Order", chapter 2.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from quorate.language.laws import Claim

ARGUMENTS = ("a", "b", "c")


class Structure(ABC):
    """What the laws speak of. `call("merge", a, b)` applies a function of the claim; a missing `order` is the one
    that merging induces, and a missing `equal` is `==`."""

    def __init__(self, claim: Claim) -> None:
        self.claim = claim

    @abstractmethod
    def call(self, role: str, *values: Any) -> Any:
        """The value of a function that the claim names."""

    @abstractmethod
    def same(self, a: Any, b: Any) -> Any:
        """`a == b`."""

    @abstractmethod
    def both(self, *parts: Any) -> Any:
        """The conjunction."""

    @abstractmethod
    def implies(self, left: Any, right: Any) -> Any:
        """Implication."""

    @abstractmethod
    def defined(self, value: Any) -> Any:
        """True, once the value has been computed without an error."""

    @abstractmethod
    def never(self) -> Any:
        """What is true of nothing."""

    def merge(self, a: Any, b: Any) -> Any:
        """What remains of two values."""
        return self.call("merge", a, b)

    def equal(self, a: Any, b: Any) -> Any:
        """The equality that is meant."""
        return self.same(a, b) if self.claim.equal is None else self.call("equal", a, b)

    def order(self, a: Any, b: Any) -> Any:
        """Whether a is below b, or equal to it."""
        return self.equal(self.merge(a, b), b) if self.claim.order is None else self.call("order", a, b)


@dataclass(frozen=True)
class Law:
    """A law about `arity` values: for all that are valid and satisfy the premise, the claim is true."""

    name: str
    arity: int
    claim: Callable[..., Any]
    premise: Callable[..., Any] | None = None


def _equivalence(m: Structure, a: Any, b: Any, c: Any) -> Any:
    return m.both(
        m.equal(a, a),
        m.implies(m.equal(a, b), m.equal(b, a)),
        m.implies(m.both(m.equal(a, b), m.equal(b, c)), m.equal(a, c)),
    )


TOTAL = Law("total", 2, lambda m, a, b: m.defined(m.merge(a, b)))
EMPTY = Law("empty", 1, lambda m, a: m.never())
"""What is claimed of a merge by nobody: that no value is valid. If none breaks it, no other law says anything."""
CLOSED = Law("closed", 2, lambda m, a, b: m.call("valid", m.merge(a, b)))
JOIN = (
    Law("commutative", 2, lambda m, a, b: m.equal(m.merge(a, b), m.merge(b, a))),
    Law("associative", 3, lambda m, a, b, c: m.equal(m.merge(m.merge(a, b), c), m.merge(a, m.merge(b, c)))),
    Law("idempotent", 1, lambda m, a: m.equal(m.merge(a, a), a)),
    Law("inflationary", 2, lambda m, a, b: m.both(m.order(a, m.merge(a, b)), m.order(b, m.merge(a, b)))),
)
EQUALITY = (
    Law("equivalence", 3, _equivalence),
    Law(
        "congruent",
        3,
        lambda m, a, b, c: m.both(m.equal(m.merge(a, c), m.merge(b, c)), m.equal(m.merge(c, a), m.merge(c, b))),
        lambda m, a, b, c: m.equal(a, b),
    ),
)
ORDER = (
    Law("reflexive", 1, lambda m, a: m.order(a, a)),
    Law("antisymmetric", 2, lambda m, a, b: m.equal(a, b), lambda m, a, b: m.both(m.order(a, b), m.order(b, a))),
    Law("transitive", 3, lambda m, a, b, c: m.order(a, c), lambda m, a, b, c: m.both(m.order(a, b), m.order(b, c))),
    Law(
        "least",
        3,
        lambda m, a, b, c: m.order(m.merge(a, b), c),
        lambda m, a, b, c: m.both(m.order(a, c), m.order(b, c)),
    ),
)


def laws_of(claim: Claim, name: str, arity: int) -> tuple[Law, ...]:
    """The laws that a claim makes; `name` and `arity` are those of the function."""
    if claim.kind == "law":
        return (Law(name, arity, lambda m, *values: m.call("law", *values)),)
    found = [TOTAL]
    found += [CLOSED] if claim.valid is not None else []
    found += EQUALITY if claim.equal is not None else ()
    found += JOIN
    found += ORDER if claim.order is not None else ()
    return tuple(found)


class Words(Structure):
    """The laws in words: every value is its text."""

    def __init__(self, claim: Claim, names: dict[str, str]) -> None:
        """`names` says what the functions of the claim are called."""
        super().__init__(claim)
        self.names = names

    def call(self, role: str, *values: Any) -> str:
        """The call, as it is written."""
        return f"{self.names[role]}({', '.join(values)})"

    def same(self, a: str, b: str) -> str:
        """An equation."""
        return f"{a} == {b}"

    def both(self, *parts: str) -> str:
        """The parts, with `and` between them."""
        return " and ".join(parts)

    def implies(self, left: str, right: str) -> str:
        """`right if left`, since Python has no arrow."""
        return f"({right} if {left})"

    def defined(self, value: str) -> str:
        """That there is no error."""
        return f"{value} raises no error"

    def never(self) -> str:
        """What is true of nothing."""
        return "False"

    def sentence(self, law: Law, arguments: tuple[str, ...]) -> str:
        """A law with its premise."""
        said = str(law.claim(self, *arguments))
        return said if law.premise is None else f"{said} if {law.premise(self, *arguments)}"


@dataclass(frozen=True)
class Shown:
    """A Python value and the expression that gave it."""

    text: str
    value: Any


class Run(Structure):
    """The laws computed by CPython on concrete values, which are `Shown`. Truths are plain bools."""

    def __init__(self, claim: Claim, words: Words, functions: dict[str, Callable[..., Any]]) -> None:
        super().__init__(claim)
        self.words, self.functions = words, functions
        self.results: dict[str, Any] = {}

    def call(self, role: str, *values: Shown) -> Any:
        """Call the author's function; the result of merging is a value again, that of the others a truth."""
        text = self.words.call(role, *(value.text for value in values))
        result = self.functions[role](*(value.value for value in values))
        self.results[text] = result
        return Shown(text, result) if role == "merge" else result

    def same(self, a: Shown, b: Shown) -> bool:
        """Python's `==`."""
        return bool(a.value == b.value)

    def both(self, *parts: bool) -> bool:
        """`all`."""
        return all(parts)

    def implies(self, left: bool, right: bool) -> bool:
        """Material implication."""
        return not left or right

    def defined(self, value: Shown) -> bool:
        """There is a value, or an exception would have come."""
        return True

    def never(self) -> bool:
        """What is true of nothing."""
        return False

    def holds(self, law: Law, values: tuple[Shown, ...]) -> bool:
        """Whether a law is true of these values; valid are those of which `valid` is true. Raises what the functions
        raise."""
        if self.claim.valid is not None and not all(self.functions["valid"](value.value) for value in values):
            return True
        if law.premise is not None and not law.premise(self, *values):
            return True
        return bool(law.claim(self, *values))
