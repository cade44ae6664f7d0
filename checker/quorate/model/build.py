"""From a spec class to its typed model."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache
from itertools import takewhile
from typing import Any
from weakref import ref

from quorate.errors import Location, OutsideSubset, SpecError
from quorate.kinds import KINDS, LIVENESS, MAPPING
from quorate.language.configured import takes_old
from quorate.language.declarations import original
from quorate.language.known import shown
from quorate.language.places import class_location, declaration
from quorate.language.spec import Spec
from quorate.language.system import UNSET, Method, System
from quorate.language.types import BoolType, Renaming, TupleType, Type, WireType
from quorate.model import bodies, calls, comprehensions, expressions, maps, operators
from quorate.model import nodes as ir
from quorate.model.beginning import check_parts
from quorate.model.context import Context, Findings, Rule
from quorate.model.conversion import alternatives, element_type, same_class
from quorate.model.nodes import Change, Op
from quorate.model.ranges import is_number
from quorate.model.refinement import Abstract, Claims, Refinement
from quorate.model.rounds import deciding_sorts
from quorate.model.source import Source
from quorate.model.totality import is_total

PASSES_MAX = 12
NO_AUXILIARY = "@init makes states; auxiliary variables begin with their defaults."
PROPERTY_RESULTS: dict[str, Type] = {
    name: TupleType((BoolType(), BoolType())) if kind.is_pair else BoolType() for name, kind in KINDS.items()
}


RULES: dict[type[ast.expr], Rule] = {
    **expressions.RULES,
    **operators.RULES,
    **calls.RULES,
    **comprehensions.RULES,
    **maps.RULES,
}
"""How every kind of expression is lowered."""


class Builder:
    """Builds the model of one configured spec; holds what the bodies share."""

    def __init__(self, system: System) -> None:
        self.system = system
        self.rules: Mapping[type[ast.expr], Rule] = RULES
        self.functions: dict[str, ir.Function] = {}
        self.configured: dict[Location | None, str] = {}
        self.calls: dict[str, int] = {}
        self._keys: dict[Any, str] = {}
        self._open: list[Any] = []

    def model(self) -> ir.Model:
        """The whole model. Raises SpecError or OutsideSubset at the first construct that has no place in it."""
        system = self.system
        init = self.beginning()
        constraints = tuple(self.property(method) for method in system.constraints)
        ends = tuple(map(self._within, constraints))
        actions = tuple(_ending(self.action(method), ends, self.functions) for method in system.actions)
        refined = None if system.abstract is None else self._refined(system.abstract)
        claims = {} if refined is None else {refined.step.name: refined.step, **refined.carried}
        properties = tuple(
            self.property(method) if method.name not in claims else claims[method.name] for method in system.of(*KINDS)
        )
        used: set[type] = set()
        for kind in [variable.type for variable in system.variables] + [
            kind for action in actions for _, kind in action.parameters
        ]:
            used |= kind.scalarsets
        model = ir.Model(
            system.name,
            system,
            system.variables,
            init,
            actions,
            properties,
            self.functions,
            tuple(sorted(used, key=lambda sort: sort.__name__)),
            constraints,
            beginnings=(refined.beginning,) if refined is not None and system.of(MAPPING) else (),
            endings=() if refined is None else refined.endings,
            configured=self.configured,
        )
        deciding = deciding_sorts(model)
        return replace(
            model, symmetric=tuple(sort for sort in model.symmetric if sort not in deciding), deciding=deciding
        )

    def beginning(self) -> ir.Action | None:
        """The model of what makes the initial states. Raises SpecError where that is not clear."""
        self._check_defaults()
        method = self.system.init
        init = None if method is None else self._joined(method) if method.parts else self.action(method)
        self._check_initial(init)
        return init

    def _joined(self, method: Method) -> ir.Action:
        """Several @init methods as one action: each in its own names, one after the other."""
        sources = [Source.of(part.function, self.owner(part)) for part in method.parts]

        def lowered(ctx: Context) -> tuple[ir.Stmt, ...]:
            found: list[ir.Stmt] = []
            for part, source in zip(method.parts, sources, strict=True):
                names = {parameter.name: given[parameter.name] for parameter in part.parameters}
                with ctx.inlined(source, names, {source.tree.args.args[0].arg: Op.STATE}, part.function):
                    found.append(ir.Scope(part.name, bodies.block(ctx, source.body), source.location(source.tree)))
            return tuple(found)

        parameters = tuple((parameter.name, parameter.type) for parameter in method.parameters)
        given = {name: ir.Expr(Op.LOCAL, kind, (), name) for name, kind in parameters}
        findings, body = self._fixpoint(sources[0], {}, parameters, pure=False, result=None, lowered=lowered)
        check_parts(self.system.name, sources, body, self.functions)
        if findings.writes_auxiliary:
            raise sources[0].error(sources[0].tree, NO_AUXILIARY)
        ranges = (None,) * len(parameters)
        read = ir.reads(body, self.functions)
        return ir.Action(method.name, method, parameters, ranges, body, read, ir.writes(body))

    def _check_defaults(self) -> None:
        """No renaming changes a default: it would make an initial state that is none, and what is so for one member would not be so for
        another."""
        for variable in self.system.variables:
            kind, value = variable.type, variable.default
            if isinstance(kind, WireType) or value is None:
                continue
            if all(kind.permute(value, swap) == value for swap in Renaming.swaps(kind.scalarsets)):
                continue
            raise OutsideSubset(
                f"{self.system.spec.__name__}.{variable.name} begins with {shown(value)}, which tells members of "
                f"{', '.join(sorted(sort.__name__ for sort in kind.scalarsets))} apart.",
                "Let @init choose them by parameters: the members are interchangeable.",
                declaration(self.system.spec, variable.name),
            )

    def _check_initial(self, init: ir.Action | None) -> None:
        """A variable without a zero is assigned as a whole by @init, before anything reads it. Otherwise some member of a
        scalarset would be the first, and the reduction by symmetry unsound."""
        unset = [
            name
            for name, value in zip(self.system.index, self.system.zero(before_init=True), strict=True)
            if value is UNSET
        ]
        for name in unset:
            if init is None:
                self.system.zero()
            assert init is not None
            if not ir.assigned_first(name, init.body, self.functions):
                raise SpecError(
                    f"{self.system.name}.{init.name} does not assign self.{name} as a whole, on every path and before it is read; "
                    f"its type has no default. Write `self.{name} = ...` among the first lines."
                )

    def owner(self, method: Method) -> type:
        """The class in which a method's function is defined."""
        for cls in self.system.spec.__mro__:
            if cls.__dict__.get(method.name) is (method.mapping or method.function):
                return cls
        return self.system.spec

    def action(self, method: Method) -> ir.Action:
        """The model of an action."""
        if method.declaration.mark == "loss" and not hasattr(self.system.spec, method.name):
            return self._loss(method)
        source = Source.of(method.function, self.owner(method))
        self_name = source.tree.args.args[0].arg
        parameters = tuple((parameter.name, parameter.type) for parameter in method.parameters)
        findings, body = self._fixpoint(source, {self_name: Op.STATE}, parameters, pure=False, result=None)
        if findings.writes_auxiliary and method.declaration.kind == "init":
            raise source.error(source.tree, NO_AUXILIARY)
        ranges = self._ranges(parameters, body)
        condition = self.system.fair_condition(method)
        return ir.Action(
            method.name,
            method,
            parameters,
            ranges,
            body,
            ir.reads(body, self.functions),
            ir.writes(body),
            None if condition is None else self._fair_if(condition),
        )

    def _ranges(
        self, parameters: tuple[tuple[str, Type], ...], body: tuple[ir.Stmt, ...]
    ) -> tuple[ir.Expr | None, ...]:
        """For each parameter the collection that a leading `require(p in collection)` makes it range over: one that cannot fail,
        and whose elements have, alternative by alternative, the parameter's type. Others range over their type: the guard is exact."""
        found: dict[str, ir.Expr] = {}
        names, kinds = [name for name, _ in parameters], dict(parameters)
        for statement in body:
            if not isinstance(statement, ir.Require):
                break
            first = next(ir.conjuncts(statement.condition))
            if first.op is not Op.IN:
                break
            element, whole = first.args
            while element.op is Op.COERCE:
                element = element.args[0]
            if (
                element.op is not Op.LOCAL
                or element.data not in names
                or element.data in found
                or whole.op is Op.DOMAIN
            ):
                break
            later = set(names[names.index(element.data) :])
            if any(part.op is Op.LOCAL and part.data in later for part in whole.walk()):
                break
            held = element_type(whole.type)
            if held is None or not _ranged_over(held, kinds[element.data]) or not is_total(whole, self):
                break
            found[element.data] = whole
        return tuple(found.get(name) for name in names)

    def _fair_if(self, method: Method) -> ir.Function:
        """Where an instance of an action is fair. It is no function that bodies call, so that no other part of the model depends on
        it."""
        source = Source.of(method.function, self.owner(method))
        self_names = {source.tree.args.args[0].arg: Op.STATE}
        parameters = tuple((parameter.name, parameter.type) for parameter in method.parameters)
        _, body = self._fixpoint(source, self_names, parameters, pure=True, result=BoolType())
        return ir.Function(method.name, parameters, body, BoolType())

    def _loss(self, method: Method) -> ir.Action:
        variable = next(
            variable
            for variable in self.system.variables
            if isinstance(variable.type, WireType)
            and variable.type.lossy
            and method.name in ("lose", f"lose_{variable.name}")
        )
        kind = variable.type
        assert isinstance(kind, WireType)
        message = ir.Expr(Op.LOCAL, kind.message, (), "message")
        wire = ir.Expr(Op.STATE, kind, (), variable.name)
        body: tuple[ir.Stmt, ...] = (
            ir.Require(ir.Expr(Op.IN, BoolType(), (message, wire))),
            ir.Mutate(Change.DROP, ir.Place(variable.name, True, (), (kind,)), (message,)),
        )
        name = frozenset({variable.name})
        return ir.Action(method.name, method, (("message", kind.message),), (wire,), body, name, name)

    def property(self, method: Method) -> ir.Property:
        """The model of a property."""
        source = Source.of(method.function, self.owner(method))
        names = [argument.arg for argument in source.tree.args.args]
        self_names = {names[0]: Op.STATE}
        if takes_old(method.declaration, method.function):
            self_names[names[1]] = Op.OLD
        parameters = tuple((parameter.name, parameter.type) for parameter in method.parameters)
        kind = method.declaration.kind
        _, body = self._fixpoint(
            source, self_names, parameters, pure=True, result=PROPERTY_RESULTS.get(kind, BoolType())
        )
        found = ir.reads(body, self.functions) | ir.reads(body, self.functions, old=True)
        return ir.Property(method.name, kind, method, parameters, body, found)

    def _refined(self, system: System) -> Claims:
        """What the mapping to a more abstract specification claims."""
        method = self.system.mapping
        assert method.mapping is not None
        source = Source.of(method.mapping, self.owner(method))
        concrete, abstract = [argument.arg for argument in source.tree.args.args]
        _, mapping = self._fixpoint(
            source, {concrete: Op.OLD, abstract: Op.STATE}, (), pure=False, result=None, systems={abstract: system}
        )
        with system:
            builder = Builder(system)
            builder.configured = self.configured
            init = builder.beginning()
            actions = [builder.action(action) for action in system.actions]
            promises = [
                builder.property(promise) for promise in system.of(*LIVENESS) if promise.name in self.system.carried
            ]
            known = Abstract(system, init, actions, builder.functions, promises)
        return Refinement(known, self.functions, self.key).claims(method, source, mapping, self.system.carried)

    def _within(self, constraint: ir.Property) -> ir.Within:
        """What holds the state after an action to a constraint."""
        key = self.key(constraint.name)
        self.functions[key] = ir.Function(key, (), constraint.body, BoolType())
        return ir.Within(constraint.name, ir.Expr(Op.CALL, BoolType(), (), key))

    def function(
        self,
        ctx: Context,
        node: ast.AST,
        function: Any,
        owner: type | None,
        self_op: Op | None,
        parameters: tuple[tuple[str, Type], ...],
        result: Type | None = None,
    ) -> ir.Function:
        """A pure function for these argument types, built on first use."""
        identity = (function, tuple(kind for _, kind in parameters), self_op, result)
        if identity in self._keys:
            return self.functions[self._keys[identity]]
        if function in self._open:
            raise ctx.source.outside(
                node, f"{function.__name__} calls itself.", "Recursion has no bound; write a loop over a range."
            )
        source = Source.of(function, owner)
        self_names = {} if self_op is None else {source.tree.args.args[0].arg: self_op}
        wanted = ctx.parameter_hints(function, owner).get("return")
        self._open.append(function)
        found, body = self._fixpoint(source, self_names, parameters, pure=True, result=result, wanted=wanted)
        self._open.pop()
        kind = result or found.result
        if kind is None:
            raise source.error(
                source.tree, f"{function.__name__} returns nothing: it is no pure function. Call it as a statement."
            )
        key = self.key(function.__name__)
        self._keys[identity] = key
        made = ir.Function(key, parameters, body, kind)
        self.functions[key], self.calls[key] = made, found.calls
        return made

    def key(self, name: str) -> str:
        """A key that no function has yet."""
        key, number = name, 1
        while key in self.functions:
            number += 1
            key = f"{name}_{number}"
        return key

    def _fixpoint(
        self,
        source: Source,
        self_names: dict[str, Op],
        parameters: tuple[tuple[str, Type], ...],
        *,
        pure: bool,
        result: Type | None,
        wanted: Type | None = None,
        systems: Mapping[str, System] | None = None,
        lowered: Callable[[Context], tuple[ir.Stmt, ...]] | None = None,
    ) -> tuple[Findings, tuple[ir.Stmt, ...]]:
        """Lower a body until the types of its locals no longer grow. `systems` are those whose variables are meant by a name that is
        no `self` of this one; `lowered` gives the statements where they are not those of `source`."""
        findings = Findings()
        for _ in range(PASSES_MAX):
            findings.changed = False
            ctx = Context(self, source, self_names, findings, pure)
            ctx.systems = systems or {}
            ctx.declared_result, ctx.wanted_result = result, wanted
            for name, kind in parameters:
                ctx.local(name, kind, source.tree)
            body = bodies.block(ctx, source.body) if lowered is None else lowered(ctx)
            findings.writes_auxiliary, findings.calls = ctx.auxiliary_writes > 0, ctx.calls
            findings.passes += 1
            if not findings.changed:
                break
        else:
            raise source.error(
                source.tree, f"The types of the local names of {source.tree.name} do not settle; annotate them."
            )
        if pure and (not body or not bodies.terminates(body[-1])):
            raise source.error(source.tree, f"{source.tree.name} may end without returning a value.")
        return findings, body


def _ending(action: ir.Action, ends: tuple[ir.Within, ...], functions: dict[str, ir.Function]) -> ir.Action:
    """An action that is held to the constraints at its end, wherever it returns. Its guards stay the first statements."""
    if not ends:
        return action
    guards = tuple(takewhile(lambda statement: isinstance(statement, ir.Require), action.body))
    rest = action.body[len(guards) :]
    if any(isinstance(statement, ir.Return) for statement in ir.statements(rest)):
        rest = (ir.Scope(action.name, rest),)
    body = (*guards, *rest, *ends)
    return replace(action, body=body, reads=ir.reads(body, functions) | ir.reads(body, functions, old=True))


def _ranged_over(held: Type, want: Type) -> bool:
    """Whether the elements of a collection that are values of `want` are so whatever they are computed from."""
    if is_number(held) and is_number(want):
        return True
    return all(kind == other for kind in alternatives(held) for other in alternatives(want) if same_class(kind, other))


def build(spec: System | type[Spec]) -> ir.Model:
    """The typed model of a spec under its bounds. Raises OutsideSubset, with file, line and caret, where it has
    none.
    """
    system = spec if isinstance(spec, System) else System(spec)
    held = system.remembered.get(build)
    model: ir.Model | None = None if held is None else held()
    if model is None:
        model = _of(system)
        system.remembered[build] = ref(model)  # One that somebody holds is not built again.
    return model


@lru_cache(maxsize=1)  # Who asks which sorts are symmetric wants the model next.
def _of(system: System) -> ir.Model:
    with system:
        try:
            return Builder(system).model()
        except RecursionError:
            raise OutsideSubset(
                "Calls or expressions are nested too deeply.",
                "Give parts of them names.",
                class_location(original(system.spec)),
            ) from None
