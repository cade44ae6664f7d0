"""What a lemma can be made of: typed terms over a specification's variables, and atomic statements about them.

A lemma is a clause (atoms and negated atoms, joined by `or`) for all values of its variables. The variables are of the
sorts that the specification has, at most three of them; terms look things up in the state (`self.rm[r]`,
`self.register[n].time`); atoms compare terms of one type, with each other and with the members of enums, and ask for
membership in sets and networks. Everything is Python source, so that what is found can be pasted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, islice, permutations, product

from quorate.language.types import (
    BagType,
    BoolType,
    ChannelsType,
    EnumType,
    IdentityType,
    MapType,
    NatType,
    NetworkType,
    NoneType,
    OrderedType,
    PartialMapType,
    RecordType,
    SetType,
    TupleType,
    Type,
    UnionType,
)
from quorate.model.nodes import Model
from quorate.prove.discovery.variables import VARIABLES_MAX, Name, is_collection

LOOKUPS_MAX = 3
ELEMENTS_MAX = 96
"""Elements of one collection that are asked for, in one choice of variables."""


@dataclass(frozen=True)
class Term:
    """An expression with a value: `names` are the variables in it, `lookups` how often it looks into the state."""

    text: str
    type: Type
    names: frozenset[str]
    lookups: int = 0

    @property
    def bare(self) -> bool:
        """Whether it is a variable."""
        return self.text in self.names


@dataclass(frozen=True)
class Atom:
    """A statement that is true or false: `text` says that it is true, `negated` that it is false. `cost` is how much
    there is to read; `pure` atoms ask for the membership of what is made of variables alone."""

    text: str
    negated: str
    names: frozenset[str]
    cost: int
    pure: bool


class Grammar:
    """The terms and atoms of a model; `known` are the Python names that may be mentioned, `predicates` the names of
    functions that tell something of two records of a type."""

    def __init__(
        self, model: Model, known: dict[str, object], predicates: Sequence[tuple[str, RecordType]] = ()
    ) -> None:
        self.model, self.known, self.predicates = model, known, predicates
        self._spelling = True

    def atoms(self, context: tuple[Name, ...]) -> list[Atom]:
        """All atoms over these variables, without repetition. Where records are variables, elements are not spelled, and
        nothing is looked up by what was looked up."""
        self._spelling = not _rich(context)
        terms = list(self._terms(context))
        pure_only = len(context) > VARIABLES_MAX
        found: dict[str, Atom] = {}
        for atom in (*self._compared(terms), *self._members(terms), *self._messages(terms), *self._applied(terms)):
            if atom.pure or not pure_only:
                found.setdefault(atom.text, atom)
        return list(found.values())

    # Terms

    def _terms(self, context: tuple[Name, ...]) -> Iterator[Term]:
        keys = list(self._inside([Term(name.text, name.type, frozenset({name.text})) for name in context], ()))
        yield from keys
        roots = [Term(f"self.{variable.name}", variable.type, frozenset(), 1) for variable in self.model.variables]
        first = list(self._inside(roots, keys))
        yield from first
        if _rich(context):
            return
        nested = [term for term in first if isinstance(term.type, NatType | IdentityType) and term.lookups == 1]
        direct = {term.text for term in first}
        yield from (term for term in self._inside(roots, [*keys, *nested]) if term.text not in direct)

    def _inside(self, roots: Iterable[Term], keys: Sequence[Term]) -> Iterator[Term]:
        """The terms, and what can be looked up in them."""
        for term in roots:
            yield term
            if isinstance(term.type, RecordType):
                parts = [Term(f"{term.text}.{name}", kind, term.names, term.lookups) for name, kind in term.type.fields]
                yield from self._inside(parts, keys)
            elif isinstance(term.type, TupleType):
                parts = [
                    Term(f"{term.text}[{position}]", kind, term.names, term.lookups)
                    for position, kind in enumerate(term.type.kinds)
                ]
                yield from self._inside(parts, keys)
            elif isinstance(term.type, MapType):
                chosen = [key for key in keys if key.type == term.type.key]
                at = "{}.get({})" if isinstance(term.type, PartialMapType) else "{}[{}]"
                parts = [
                    Term(
                        at.format(term.text, key.text),
                        term.type.value,
                        term.names | key.names,
                        term.lookups + key.lookups,
                    )
                    for key in chosen
                    if term.lookups + key.lookups <= LOOKUPS_MAX
                ]
                yield from self._inside(parts, keys)

    # Atoms

    def _compared(self, terms: Sequence[Term]) -> Iterator[Atom]:
        for term in terms:
            if not term.bare:
                yield from self._with_constants(term)
        for first, second in combinations(terms, 2):
            lookups = first.lookups + second.lookups
            ordered = isinstance(first.type, NatType | OrderedType)
            if lookups < LOOKUPS_MAX and (ordered or not (first.bare and second.bare)):
                yield from self._related(first, second)

    def _with_constants(self, term: Term) -> Iterator[Atom]:
        kinds = term.type.kinds if isinstance(term.type, UnionType) else (term.type,)
        for kind in kinds:
            match kind:
                case BoolType():
                    yield self._atom(term.text, f"not {term.text}", term)
                case NoneType():
                    yield self._atom(f"{term.text} is None", f"{term.text} is not None", term)
                case EnumType() if self._named(kind):
                    members = kind.members if len(kind.members) > 2 or len(kinds) > 1 else kind.members[:1]
                    for member in members:
                        what = f"{kind}.{member.name}"
                        yield self._atom(f"{term.text} == {what}", f"{term.text} != {what}", term)
                case NatType():
                    yield self._atom(f"{term.text} == 0", f"{term.text} > 0", term)

    def _related(self, first: Term, second: Term) -> Iterator[Atom]:
        """Comparisons of two terms; those of a union with one of its alternatives too."""
        a, b = first, second
        if isinstance(b.type, UnionType) and not isinstance(a.type, UnionType):
            a, b = b, a
        same = a.type == b.type or (isinstance(a.type, UnionType) and b.type in a.type.kinds)
        if (
            not same
            or isinstance(b.type, EnumType | BoolType | MapType | RecordType | TupleType)
            or is_collection(b.type)
        ):
            return
        if not (a.bare and b.bare):  # That two variables are equal is said by a clause's guards.
            yield self._atom(f"{a.text} == {b.text}", f"{a.text} != {b.text}", a, b)
        if isinstance(a.type, NatType | OrderedType) and a.type == b.type:
            yield self._atom(f"{a.text} < {b.text}", f"{a.text} >= {b.text}", a, b)
            yield self._atom(f"{b.text} < {a.text}", f"{b.text} >= {a.text}", a, b)

    def _members(self, terms: Sequence[Term]) -> Iterator[Atom]:
        """Membership of terms in sets."""
        for whole in terms:
            if isinstance(whole.type, SetType):
                yield from self._asked(whole, whole.type.element, terms)

    def _messages(self, terms: Sequence[Term]) -> Iterator[Atom]:
        """Membership of messages in networks."""
        for variable in self.model.variables:
            if isinstance(variable.type, NetworkType | BagType | ChannelsType):
                whole = Term(f"self.{variable.name}", variable.type, frozenset(), 1)
                yield from self._asked(whole, variable.type.message, terms)

    def _applied(self, terms: Sequence[Term]) -> Iterator[Atom]:
        """The predicates of two records."""
        for name, kind in self.predicates:
            same = [term for term in terms if term.type == kind and term.lookups <= 1]
            for first, second in permutations(same, 2):
                text = f"{name}({first.text}, {second.text})"
                yield self._atom(text, f"not {text}", first, second)

    def _asked(self, whole: Term, element: Type, terms: Sequence[Term]) -> Iterator[Atom]:
        for kind in element.kinds if isinstance(element, UnionType) else (element,):
            made = sorted(self._elements(kind, terms), key=lambda term: (term.lookups, len(term.text), term.text))
            for term in made[:ELEMENTS_MAX]:
                if whole.lookups + term.lookups <= LOOKUPS_MAX:
                    text, pure = f"{term.text} in {whole.text}", not term.lookups and whole.lookups <= 1
                    yield self._atom(text, f"{term.text} not in {whole.text}", term, whole, pure=pure)

    def _elements(self, kind: Type, terms: Sequence[Term]) -> Iterator[Term]:
        """Terms of a type that may be in a collection: built from variables, constants, and single lookups."""
        yield from (term for term in terms if term.type == kind and term.lookups <= 1)
        if not self._spelling:
            return
        match kind:
            case EnumType() if self._named(kind):
                yield from (Term(f"{kind}.{member.name}", kind, frozenset()) for member in kind.members)
            case BoolType():
                yield from (Term(str(value), kind, frozenset()) for value in (False, True))
            case NoneType():
                yield Term("None", kind, frozenset())
            case UnionType(kinds=kinds):
                for inner in kinds:
                    yield from self._elements(inner, terms)
            case RecordType(kinds=kinds) if self._named(kind):
                yield from self._built(kinds, terms, lambda parts: f"{kind}({', '.join(parts)})", kind)
            case TupleType(kinds=kinds):
                yield from self._built(kinds, terms, lambda parts: f"({', '.join(parts)})", kind)

    def _built(
        self, kinds: Sequence[Type], terms: Sequence[Term], written: Callable[[list[str]], str], kind: Type
    ) -> Iterator[Term]:
        options = [list(self._elements(part, terms)) for part in kinds]
        for parts in islice(product(*options), 4096):
            names = frozenset[str]().union(*(part.names for part in parts))
            lookups = sum(part.lookups for part in parts)
            if lookups <= 1:
                yield Term(written([part.text for part in parts]), kind, names, lookups)

    def _named(self, kind: EnumType | RecordType) -> bool:
        return self.known.get(kind.sort.__name__) is kind.sort

    def _atom(self, text: str, negated: str, *terms: Term, pure: bool = False) -> Atom:
        names = frozenset[str]().union(*(term.names for term in terms))
        return Atom(text, negated, names, 1 + sum(term.lookups for term in terms), pure)


def _rich(context: Sequence[Name]) -> bool:
    return any(isinstance(name.type, RecordType) for name in context)
