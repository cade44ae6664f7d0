"""Values that break a law: searched for within bounds, or read from the solver's model, and confirmed by CPython."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cmp_to_key
from time import monotonic
from typing import Any, Literal

import z3

from quorate.errors import SpecError
from quorate.language.control import Cut
from quorate.language.sorts import AnySort, Int
from quorate.language.system import System
from quorate.language.types import (
    BoolType,
    EnumType,
    IdentityType,
    MapType,
    NatType,
    NoneType,
    OrderedType,
    RecordType,
    SetType,
    TupleType,
    Type,
    UnionType,
)
from quorate.prove.encode.anysize import containers
from quorate.prove.encode.anysize.containers import as_term
from quorate.prove.encode.anysize.execution import AnySize
from quorate.prove.encode.anysize.refusal import NoAnySize
from quorate.prove.encode.anysize.terms import Term
from quorate.prove.encode.fixed.circuit import TRUE
from quorate.prove.encode.fixed.execution import Fixed
from quorate.prove.encode.fixed.parts import Mask, Value, as_condition, as_leaf, as_table
from quorate.prove.encode.values import alternatives_of, class_key, parts_of
from quorate.prove.laws.algebra import Law
from quorate.prove.laws.formulas import broken, sentence_of
from quorate.prove.laws.subject import Lowered, Subject
from quorate.prove.solvers.query import limit
from quorate.prove.solvers.sat import Undecided


@dataclass(frozen=True)
class Counterexample:
    """Values that break a law: the arguments, and the calls that the law makes of them, each with its result.

    `raised` is what the function raised, if that is how the law fails; `sorts` are the sizes of the sorts in force.
    """

    arguments: tuple[tuple[str, Any], ...]
    calls: tuple[tuple[str, Any], ...]
    raised: str | None
    sorts: tuple[tuple[AnySort, int], ...]


def confirmed(subject: Subject, system: System, law: Law, values: tuple[Any, ...]) -> Counterexample | None:
    """Values that break a law, with what CPython computes from them; None if it is true of them there, or a bound is passed. Use it
    inside `with system`."""
    raised, calls = None, dict[str, Any]()
    try:
        true, calls = subject.run(system, law, values)
        if true:
            return None
    except Cut:
        return None
    except Exception as error:
        raised = str(error) if isinstance(error, SpecError) else f"{type(error).__name__}: {error}"
    arguments = tuple(zip(subject.names(law), values, strict=True))
    sorts = tuple((sort, system.bounds[name]) for name, sort in subject.sorts.items())
    return Counterexample(arguments, tuple(calls.items()), raised, sorts)


class Search:
    """The search for values within the bounds of `lowered` that break a law. Use it inside `with lowered.system`.

    `deadline` is a time of `time.monotonic`.
    """

    def __init__(self, subject: Subject, lowered: Lowered, law: Law, deadline: float) -> None:
        self.subject, self.lowered, self.law, self.deadline = subject, lowered, law, deadline
        self.sentence = sentence_of(lowered, law)
        self.machine = Fixed(lowered.model)
        self.machine.deadline = deadline
        self.legal: list[int] = []
        self.values = [self.machine.unknown(kind, self.legal) for _, kind in self.sentence.parameters]
        self._memory: dict[int, z3.BoolRef] = {}

    def found(self) -> Counterexample | Literal["unknown"] | None:
        """Values that break the law, None if there are none, or "unknown" when time is over."""
        machine = self.machine
        try:
            bad, cut = broken(machine, self.sentence, machine.stateless(self.sentence.parameters, self.values))
        except Undecided:
            return "unknown"
        wrong = machine.both([*self.legal, machine.negate(cut), bad])
        if machine.is_false(wrong):
            return None
        solver = z3.SolverFor("QF_FD")
        solver.add(self._formula(wrong))
        verdict = self._checked(solver)
        if verdict != z3.sat:
            return None if verdict == z3.unsat else "unknown"
        values = self._read(self._small(solver))
        found = confirmed(self.subject, self.lowered.system, self.law, values)
        if found is None:  # At these bounds, CPython and the solver speak of the same: that would be an error of ours.
            raise AssertionError(f"{self.law.name} holds of {values} in CPython and not in the model")
        return found

    def _formula(self, condition: int) -> z3.BoolRef:
        """A condition of the circuit as a Z3 formula; `_memory` keeps those of nodes between calls."""
        circuit, memory = self.machine.circuit, self._memory
        if condition <= TRUE:
            return z3.BoolVal(condition == TRUE)
        stack = [condition >> 1]
        while stack:
            parts = circuit.parts(stack[-1])
            missing = [part >> 1 for part in parts or () if part >> 1 not in memory]
            if missing:
                stack.extend(missing)
                continue
            node = stack.pop()
            if parts is None:
                memory[node] = z3.Bool(f"x{circuit.number(node)}")
            else:
                memory[node] = z3.And([z3.Not(memory[part >> 1]) if part & 1 else memory[part >> 1] for part in parts])
        return z3.Not(memory[condition >> 1]) if condition & 1 else memory[condition >> 1]

    def _checked(self, solver: z3.Solver, *assumptions: z3.BoolRef) -> z3.CheckSatResult:
        left = self.deadline - monotonic()
        if left <= 0:
            return z3.unknown
        limit(solver, left)
        return solver.check(*assumptions)

    def _small(self, solver: z3.Solver) -> z3.ModelRef:
        """A solution in which as many parts as possible are as simple as possible, taken one by one."""
        best = solver.model()
        for value, (_, kind) in zip(self.values, self.sentence.parameters, strict=True):
            for condition in simple(self.machine, value, kind):
                wish = self._formula(condition)
                if not z3.is_true(best.eval(wish, model_completion=True)):
                    if self._checked(solver, wish) != z3.sat:
                        continue
                    best = solver.model()
                solver.add(wish)
        return best

    def _read(self, solution: z3.ModelRef) -> tuple[Any, ...]:
        def true(condition: int) -> bool:
            return bool(z3.is_true(solution.eval(self._formula(condition), model_completion=True)))

        kinds = [kind for _, kind in self.sentence.parameters]
        return tuple(self.machine.cells.read(one, kind, true) for one, kind in zip(self.values, kinds, strict=True))


def simple(machine: Fixed, value: Value, kind: Type) -> Iterator[int]:
    """Conditions that the parts of a value are simple: numbers small, sets empty, None rather than something."""
    match kind:
        case RecordType(kinds=kinds) | TupleType(kinds=kinds):
            for part, inner in zip(parts_of(value), kinds, strict=True):
                yield from simple(machine, part, inner)
        case UnionType(kinds=kinds):
            yield alternatives_of(value)[class_key(kinds[0])][0]
        case MapType(value=inner):
            for part in as_table(value).values():
                yield from simple(machine, part, inner)
        case SetType() if isinstance(value, Mask):
            yield from (machine.negate(guard) for guard in value.values())
        case BoolType():
            yield machine.negate(as_condition(value))
        case EnumType() | IdentityType():
            yield next(iter(as_leaf(value).values()))
        case NatType():
            leaf = as_leaf(value)
            for bits in reversed(range(max(leaf).bit_length() + 1)):
                yield machine.either([guard for number, guard in leaf.items() if number < 1 << bits])


class Reading:
    """Python values from a model of the unbounded formulas. Raises NoAnySize for maps, sets and lists, which a model
    need not give in finitely many parts."""

    def __init__(
        self, machine: AnySize, model: z3.ModelRef, values: Sequence[containers.Value], kinds: Sequence[Type]
    ) -> None:
        self._machine, self._model = machine, model
        self._values, self._kinds = values, kinds
        self._identities: dict[type, list[Term]] = {}
        self._greatest: dict[type, int] = {}
        self._largest = 1
        for value, kind in zip(values, kinds, strict=True):
            self._look(value, kind)
        for sort in {inner for kind in kinds for inner in kind.walk()}:
            if isinstance(sort, NatType):
                greatest = model[machine.symbols.greatest(sort).decl()]
                if isinstance(greatest, z3.IntNumRef):
                    self._greatest[sort.sort] = greatest.as_long()
            elif isinstance(sort, IdentityType):
                self._look_at_all(sort)

    def _look_at_all(self, kind: IdentityType) -> None:
        """Note all members that the model has of a sort, in their order."""
        found = self._identities.setdefault(kind.sort, [])
        members = self._model.get_universe(self._machine.symbols.sort(kind)) or ()
        found += [member for member in members if not any(member.eq(other) for other in found)]
        if isinstance(kind, OrderedType):
            less = self._machine.symbols.less(kind)
            found.sort(key=cmp_to_key(lambda a, b: -1 if z3.is_true(self._eval(less(a, b))) else 1))

    def size(self, sort: AnySort) -> int:
        """The size of a sort in the model. The greatest number, if the law does not depend on it, is one that small sums of the values stay
        below."""
        if issubclass(sort, Int):
            return self._greatest.get(sort, 4 * self._largest)
        return max(len(self._identities.get(sort, ())), 1)

    def read(self) -> tuple[Any, ...]:
        """The values. Use it inside a system whose bounds they fit into."""
        return tuple(self._read(value, kind) for value, kind in zip(self._values, self._kinds, strict=True))

    def _eval(self, value: containers.Value) -> Term:
        return self._model.eval(as_term(value), model_completion=True)

    def _number(self, value: containers.Value) -> int:
        found = self._eval(value)
        assert isinstance(found, z3.IntNumRef)
        return found.as_long()

    def _chosen(self, value: containers.Value, kinds: Sequence[Type]) -> tuple[containers.Value, Type]:
        """What a value of a union is, and of which of its types."""
        there = alternatives_of(value)
        kind = next(inner for inner in kinds if z3.is_true(self._eval(there[class_key(inner)][0])))
        return there[class_key(kind)][1], kind

    def _look(self, value: containers.Value, kind: Type) -> None:
        """Note the numbers and identities in a value."""
        match kind:
            case RecordType(kinds=kinds) | TupleType(kinds=kinds):
                for part, inner in zip(parts_of(value), kinds, strict=True):
                    self._look(part, inner)
            case UnionType(kinds=kinds):
                self._look(*self._chosen(value, kinds))
            case NatType():
                self._largest = max(self._largest, self._number(value))
            case IdentityType():
                known, found = self._identities.setdefault(kind.sort, []), self._eval(value)
                if not any(found.eq(other) for other in known):
                    known.append(found)
            case NoneType() | BoolType() | EnumType():
                pass
            case _:
                raise NoAnySize(f"A {kind} is not read from a model.", "Look for smaller values.")

    def _read(self, value: containers.Value, kind: Type) -> Any:
        match kind:
            case NoneType():
                return None
            case RecordType(kinds=kinds) | TupleType(kinds=kinds):
                parts = [self._read(part, inner) for part, inner in zip(parts_of(value), kinds, strict=True)]
                return kind.sort(*parts) if isinstance(kind, RecordType) else tuple(parts)
            case UnionType(kinds=kinds):
                return self._read(*self._chosen(value, kinds))
            case EnumType():
                found = self._eval(value)
                return next(member for member in kind.members if self._machine.symbols.member(kind, member).eq(found))
            case IdentityType():
                found, known = self._eval(value), self._identities[kind.sort]
                return kind.sort.at(next(index for index, other in enumerate(known) if other.eq(found)))
            case NatType():
                return self._number(value)
        return bool(z3.is_true(self._eval(value)))
