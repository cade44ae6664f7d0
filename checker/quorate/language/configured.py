"""A spec under one choice of bounds, before it runs: its variables, methods, bounds and constants, found and checked.

What can be wrong in a class that CPython accepts is refused here, at its place.
"""

from __future__ import annotations

import inspect
import linecache
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from types import FunctionType
from typing import Any, Self, TypeVar, get_args

from quorate.errors import Location, SpecError, UsageError, unknown
from quorate.kinds import CLAIMS, CONSTRAINT, DEADLOCK, ENDS, LIVENESS, MAPPING, STEPS, known_kinds
from quorate.language.auxiliary import is_auxiliary, unbounded
from quorate.language.beginning import joined
from quorate.language.control import Cut, require
from quorate.language.declarations import (
    Declaration,
    Declared,
    SpecBase,
    VariableSlot,
    authored,
    carried,
    check_own,
    declarations,
    declared,
    mapping_of,
    original,
)
from quorate.language.early import is_kept, read_early
from quorate.language.failures import place_of
from quorate.language.known import METACLASSES, UNKNOWN, attribute, mark, parameters, raw, shown
from quorate.language.loaded import imported_by
from quorate.language.methods import Method, Parameter, Variable
from quorate.language.places import class_location, declaration, definition, placed
from quorate.language.resolve import (
    Bound,
    Configuration,
    activate,
    deactivate,
    hints,
    hold_records,
    is_classvar,
    partial,
    resolve,
    scope_of,
    two_bounds,
)
from quorate.language.sorts import IDENTITIES_MAX, NUMBER_MAX, SCRIPT, Identity, SortMeta
from quorate.language.types import Type, WireType


class Configured:
    """What a class declares, under its bounds. Use it as a context manager: sorts have their configured sizes inside.

    Raises SpecError if the declarations are wrong and UsageError if the bounds are.
    """

    abstract: Configured | None
    """The more abstract specification that a `@mapping` leads to, at the same bounds."""

    def __init__(self, spec: type[SpecBase]) -> None:
        if not (isinstance(spec, type) and issubclass(spec, SpecBase)) or SpecBase in (spec, *spec.__bases__):
            raise UsageError(f"{spec!r} is not a subclass of Spec.")
        if not __debug__:
            raise UsageError(
                "Python runs without `assert` (-O, or PYTHONOPTIMIZE is set), and so would the specification. Run it with them."
            )
        self.spec = spec
        self.name = original(spec).__name__
        self._check_plain()
        self.bounds: dict[str, int] = {}
        self.abstract = None
        self._saved: list[dict[Any, int | None]] = []
        self._sizes: dict[Any, int | None] = {}
        self._forms: dict[tuple[str, str], dict[str, Any]] = {}
        self._hints = hints(spec)
        self.constants = dict(self._class_constants())
        requested = self._requested()
        self._asked = requested.keys() & set(self._integers())
        refined = self._refined()
        declared_bounds = self._explore_bounds(requested)
        self.bounds = {name: bound.default for name, bound in declared_bounds.items()}
        self.bounds |= {
            name: size for name, size in requested.items() if name not in self.constants
        }  # Of what is refined, too.
        self.bounds = dict(sorted(self.bounds.items()))
        self.bounds |= {name: value for name, value in self.constants.items() if type(value) is int}
        self._sizes = {
            bound.sort: self.bounds[name] for name, bound in declared_bounds.items() if bound.sort is not None
        }
        self.configuration = Configuration(capacities=requested)
        if refined is not None:
            self.abstract = self._at_same_bounds(refined, requested)
            self.bounds = dict(sorted((self.abstract.bounds | self.bounds).items()))
        self._check_loaded()
        self._check_read_early(self)
        with self:
            self.variables = tuple(self._variables())
            self.auxiliary = {variable.name: variable for variable in self._auxiliary_variables()}
            methods = [self._method(*found) for found in self._declarations]
            self._fair_conditions = {method.name: self._fair_condition(method) for method in methods}
        self.index = {variable.name: position for position, variable in enumerate(self.variables)}
        self._by_kind: dict[str, list[Method]] = {}
        for method in methods:
            self._by_kind.setdefault(method.declaration.kind, []).append(method)
        lossy = [variable for variable in self.variables if isinstance(variable.type, WireType) and variable.type.lossy]
        for wire in lossy:
            name = LOSS if len(lossy) == 1 else f"{LOSS}_{wire.name}"
            self._check_free(name, f"the loss of a message of {wire.name}, which is lossy")
            self._by_kind.setdefault("action", []).append(_loss(name, wire))
        if self.of(*ENDS):
            self._check_free(DEADLOCK, "the verdict on what its @terminal says", *CLAIMS)
        for bound in self.bounds.keys() & {method.name for method in self.of(CONSTRAINT)}:
            self._check_free(bound, "a bound, and cuts are counted by name")
        if not self.of("action"):
            raise SpecError(f"{self.name} has no actions: mark the methods that change the state with @action.")
        self.init = joined(self.name, self.of("init"))
        """What makes the initial states: the @init method, or all of them as one."""
        if len(self.of(*ENDS)) > 1:
            raise SpecError(
                f"{self.name} has more than one @terminal: {', '.join(method.name for method in self.of('terminal'))}."
            )
        if len(self.of(MAPPING)) > 1:
            raise SpecError(
                f"{self.name} has more than one @mapping: {', '.join(method.name for method in self.of(MAPPING))}. What it "
                f"refines may refine another specification in turn."
            )

    # Declarations

    def _check_plain(self) -> None:
        """Raises SpecError where Python does not find variables and methods by its plain rules: the class may have been changed
        since it was made."""
        try:
            if type(self.spec) not in METACLASSES:
                raise SpecError(
                    f"{self.name} has the metaclass {type(self.spec).__name__}, which could find anything under a name."
                )
            check_own(self.spec)
            if inspect.isabstract(self.spec):
                raise SpecError(
                    f"{self.name} is abstract: it lacks {', '.join(sorted(vars(self.spec)['__abstractmethods__']))}."
                )
            for name in declared(self.spec):
                if not isinstance(raw(self.spec, name), VariableSlot):
                    raise SpecError(f"{self.name}.{name} is a variable, and was replaced in the class since.")
        except SpecError as error:
            raise placed(error, class_location(original(self.spec))) from None

    def _check_free(self, name: str, meant: str, *kinds: str) -> None:
        """Raises SpecError where a method of these kinds, of any without them, has a name that is taken."""
        for method in self.of(*kinds or self._by_kind):
            if method.name == name:
                raise SpecError(
                    f"{self.name}.{name} has the name of {meant}: choose another one.", definition(method.function)
                )

    def of(self, *kinds: str) -> tuple[Method, ...]:
        """The methods of these roles and kinds of properties, one after the other, each in order of definition. Raises
        LookupError for a kind that there is not."""
        return tuple(method for kind in known_kinds(*kinds) for method in self._by_kind.get(kind, ()))

    @property
    def actions(self) -> tuple[Method, ...]:
        """The actions, in order of definition; the losses of lossy networks last."""
        return self.of("action")

    @cached_property  # It is asked for at every transition.
    def constraints(self) -> tuple[Method, ...]:
        """The constraints, in order of definition."""
        return self.of(CONSTRAINT)

    def action(self, name: str) -> Method:
        """The action with this name. Raises UsageError, listing the actions, if there is none."""
        for method in self.actions:
            if method.name == name:
                return method
        raise unknown("action", name, (method.name for method in self.actions))

    def unjudged_runs(self, what: str) -> tuple[str, ...]:
        """What a reader must know of properties of runs where only states and steps are judged: that `what` says nothing of them."""
        names = [f"{method.name} (@{method.declaration.kind})" for method in self.of(*LIVENESS)]
        return (f"{what} of {', '.join(names)}: `quorate check` judges it",) if names else ()

    def variable(self, name: str) -> Variable:
        """The variable with this name."""
        return self.variables[self.index[name]]

    def _class_constants(self) -> Iterator[tuple[str, Any]]:
        for name, hint in self._hints.items():
            if is_classvar(hint) and name not in SpecBase.__annotations__ and not name.startswith("_"):
                if not hasattr(self.spec, name):
                    raise SpecError(f"{self.name}.{name} is a ClassVar without a value.")
                value = attribute(self.spec, name)
                if value is UNKNOWN:
                    raise SpecError(
                        f"{self.name}.{name} is computed when it is asked for: a constant is a plain value.",
                        declaration(self.spec, name),
                    )
                yield name, value

    def _requested(self) -> dict[str, int]:
        sizes: dict[str, int] = {}
        for base in reversed(self.spec.__mro__):
            sizes |= base.__dict__.get("bounds", {})
        for name, size in sizes.items():
            if not isinstance(size, int) or isinstance(size, bool):
                raise UsageError(f"The bound {name} must be a whole number, not {size!r}.")
            if name in self._integers():
                if not 0 <= size <= NUMBER_MAX:
                    raise UsageError(
                        f"The parameter {name}={size} is out of range: use a number from 0 to {NUMBER_MAX:,}."
                    )
                self.constants[name] = size
        return sizes

    def _refined(self) -> Any:
        """The specification that a @mapping leads to, if the class has one."""
        refines, mapping = self.spec.refines, mapping_of(self.spec)
        if mapping is None:
            if refines is not None:
                raise SpecError(
                    f"{self.name} refines {refines.__name__}, and no method says how: mark one with @mapping, "
                    f"`def as_{refines.__name__.lower()}(self, abstract: {refines.__name__}) -> None`."
                )
            return None
        name, _, function = mapping
        if not {name, *carried(self.spec)} - {*self.spec.omits}:
            return None
        if not (isinstance(refines, type) and issubclass(refines, SpecBase)):
            raise SpecError(
                f"{self.name}.{name} is a @mapping, and the class does not say to what: write `refines = ...`, the more abstract "
                f"specification.",
                definition(function),
            )
        return refines

    def _bounds_of_refined(self) -> Collection[str]:
        """The bounds of the specification that it refines, of which a class that omits the mapping asks nothing but takes them."""
        mapped = self.spec.refines
        return self._like(mapped).bounds if isinstance(mapped, type) and issubclass(mapped, SpecBase) else ()

    def _at_same_bounds(self, refined: Any, requested: dict[str, int]) -> Self:
        """The specification that this one refines: bounds of one name are one bound. Raises SpecError where both say what a parameter is,
        and nobody has asked for either."""
        own, declared_there = requested | self.bounds, self._like(refined)
        for name in set(declared_there._integers()).intersection(self._integers()) - self._asked:
            here, there = self.constants[name], declared_there.constants[name]
            if here != there:
                raise SpecError(
                    f"{self.name}.{name} is {here}, and {declared_there.name}.{name} is {there}, which {self.name} refines: bounds of one "
                    f"name are one bound. Give them one value, or one of them another name.",
                    declaration(self.spec, name),
                )
        ambiguous = self.configuration.ambiguous | declared_there.configuration.ambiguous
        for name in sorted(ambiguous & own.keys() & declared_there.bounds.keys() - requested.keys()):
            raise SpecError(
                f"{self.name} and {declared_there.name}, which it refines, have one bound {name}, and in one of them it is that of several "
                f"capacities: ask for one number, `bounds = {{{name!r}: ...}}`, or give each a Nat, `up_to(Length)`."
            )
        return self._like(refined.bounded(**{name: own[name] for name in declared_there.bounds if name in own}))

    def _like(self, spec: type[SpecBase]) -> Self:
        """Another specification, configured as this one is."""
        return type(self)(spec)

    def _explore_bounds(self, requested: dict[str, int]) -> dict[str, Bound]:
        """Every bound of the spec, found by resolving all its types; a change of one size can make another bound
        appear.
        """
        configuration = Configuration(capacities=requested)
        for _ in range(3):
            known = configuration.found
            self._sizes = {bound.sort: requested.get(name) for name, bound in known.items() if bound.sort is not None}
            for name, bound in known.items():
                if name in requested:
                    self._check_bound(name, requested[name], bound)
            configuration = Configuration(capacities=requested)
            self.configuration = configuration
            with self:
                for _ in self._types():  # What they begin with is held against the sizes that are found, not these.
                    pass
                for declared_method in self._declarations:
                    self._method(*declared_method)
                for hint in self._hints.values():
                    for part in get_args(hint) if is_classvar(hint) else ():
                        if isinstance(part, SortMeta):
                            resolve(part, self.name, configuration)
            if configuration.found == known:  # So it is from now on.
                break
        unknown_here = requested.keys() - configuration.found.keys() - self.constants.keys()
        others = self._bounds_of_refined() if unknown_here else ()
        for name, size in requested.items():
            if name in unknown_here and name not in others:
                raise unknown("bound", name, {*configuration.found, *self._integers(), *others})
            if name not in configuration.found and name in self.constants and name not in self._integers():
                raise UsageError(
                    f"{self.name}.{name} is {shown(self.constants[name])}, and only whole numbers are bounds: give it another value in a "
                    f"variant, `class Other({self.name})` with `{name} = ...`."
                )
            if name in configuration.found:
                self._check_bound(name, size, configuration.found[name])
        return configuration.found

    def _check_loaded(self) -> None:
        """Raises SpecError where the files of the spec have read a size while they were loaded that is another one here, be it of a sort
        that only the specification that it refines has: what they made of it is that of the other size."""
        early = [
            (sort, size, one)
            for sort, size in self.sizes.items()
            for one in sort.read_while_loading
            if not one.allows(size)
        ]
        parts = imported_by({base.__module__ for base in authored(self.spec)}) if early else {}
        for sort, size, reading in early:
            # A test may list the members of what it tests, and a script those of what it defines.
            if reading.module in parts and (reading.module != SCRIPT or is_kept(self.spec, reading)):
                name, text = sort.__name__, linecache.getline(reading.file, reading.line).rstrip()
                was = f"{name} was {reading.size} when this was computed, once, as the file was loaded, and it is {size} now: compute"
                if reading.is_least:
                    was = f"{name}[{reading.size - 1}] was named, once, as the file was loaded, and {name} is {size} now: name"
                raise SpecError(
                    f"{was} it in a method or function, and a size or capacity by a `max=lambda: ...`.",
                    Location(reading.file, reading.line, 0, max(len(text), 1), text),
                )

    def _check_read_early(self, asked: Configured) -> None:
        """The same of the parameters that were asked for, here and in what this refines."""
        for name in sorted(asked._asked):
            found = read_early(asked.spec, name, asked.constants[name], self.spec)
            if found is not None:
                raise SpecError(
                    f"{name} was {found[1]} when this was computed, once, as the file was loaded, and it was asked to be "
                    f"{asked.constants[name]}: compute it in a method.",
                    found[0],
                )
        if asked.abstract is not None:
            self._check_read_early(asked.abstract)

    def require_asked(self, owner: object, name: str) -> None:
        """Raises SpecError where a class that is named has a parameter with another value than it was asked to have here, or in the
        specification that this one refines."""
        if self.abstract is not None:
            self.abstract.require_asked(owner, name)
        if name in self._asked and isinstance(owner, type) and issubclass(self.spec, owner):
            here, there = self.constants[name], attribute(owner, name)
            if here != there:
                raise SpecError(
                    f"{owner.__name__}.{name} is {there}, and the bound {name} was asked to be {here}, which `self.{name}` is: write that."
                )

    def require_none_asked(self, owner: object) -> None:
        """Raises SpecError where a class has any such parameter: whoever has the class in hand may ask it for that in many ways."""
        if self.abstract is not None:
            self.abstract.require_none_asked(owner)
        for name in sorted(self._asked):
            if issubclass(type(owner), type) and attribute(owner, name) is not UNKNOWN:
                self.require_asked(owner, name)

    def require_own_sort(self, named: object) -> None:
        """Raises SpecError for a sort that has the name of a bound, and is another one: that of another file, say."""
        if type(named) is SortMeta:
            known = self.configuration.found.get(named.__name__)
            if known is not None and known.sort is not named:
                raise two_bounds(named.__name__)

    def _integers(self) -> list[str]:
        return [name for name, value in self.constants.items() if type(value) is int]

    @staticmethod
    def _check_bound(name: str, size: int, bound: Bound) -> None:
        most = IDENTITIES_MAX if bound.sort is not None and issubclass(bound.sort, Identity) else NUMBER_MAX
        least = bound.sort._range[1] if isinstance(bound.sort, SortMeta) else 1
        if not least <= size <= most:
            raise UsageError(
                f"The bound {name}={size} is out of range: this {bound.kind} goes from {least:,} to {most:,} "
                f"(default {bound.default})."
            )

    def _types(self) -> Iterator[tuple[str, Type]]:
        """The variables of the state, each with its type."""
        for name, slot in declared(self.spec).items():
            if is_auxiliary(self._hints[name]):
                continue
            try:
                yield name, resolve(self._hints[name], name, self.configuration, slot.default)
            except SpecError as error:
                raise placed(error, declaration(self.spec, name)) from None

    def _variables(self) -> list[Variable]:
        found = []
        for name, kind in self._types():
            default = declared(self.spec)[name].default
            if default is not None and not isinstance(kind, WireType):
                try:
                    default = kind.check(default)
                    hold_records(default)
                except Cut as cut:
                    raise SpecError(
                        f"{self.name}.{name} has the default {default!r}, above the bound {cut.bound}.",
                        declaration(self.spec, name),
                    ) from None
                except SpecError as error:
                    raise SpecError(
                        f"{self.name}.{name}: its default is wrong. {error}", declaration(self.spec, name)
                    ) from None
            found.append(Variable(name, kind, default))
        if not found:
            raise SpecError(f"{self.name} has no state: declare variables, such as `term: dict[Server, Term]`.")
        return found

    def _auxiliary_variables(self) -> Iterator[Variable]:
        """What is told along runs and is no part of the state."""
        for name, slot in declared(self.spec).items():
            if not is_auxiliary(self._hints[name]):
                continue
            try:
                kind = resolve(unbounded(self._hints[name]), name, Configuration())
                default = kind.zero() if slot.default is None else kind.check(slot.default)
            except SpecError as error:
                raise placed(error, declaration(self.spec, name)) from None
            if partial in getattr(self._hints[name], "__metadata__", ()):
                raise SpecError(
                    f"{self.name}.{name}: an auxiliary map is total; write `dict[K, V | None]`.",
                    declaration(self.spec, name),
                )
            if isinstance(kind, WireType):
                raise SpecError(
                    f"{self.name}.{name}: a network is part of the state; an auxiliary variable may be a list or a set of messages.",
                    declaration(self.spec, name),
                )
            yield Variable(name, kind, default)

    @cached_property
    def _declarations(self) -> Sequence[Declared]:
        """The declared methods. They are looked for once, and so are their forms: in every configuration they are the same."""
        return tuple(declarations(self.spec))

    def _method(self, name: str, declaration: Declaration, function: Callable[..., Any]) -> Method:
        form = name, declaration.kind
        if form not in self._forms:
            self._forms[form] = self._form(name, declaration, function)
        parameters = []
        for parameter, hint in self._forms[form].items():
            try:
                kind = resolve(hint, f"{self.name}.{declaration.of or name}.{parameter}", self.configuration)
            except SpecError as error:
                raise placed(error, definition(function, parameter)) from None
            parameters.append(Parameter(parameter, kind))
        return Method(name, declaration, function, tuple(parameters))

    def _form(self, name: str, declaration: Declaration, function: Callable[..., Any]) -> dict[str, Any]:
        """The parameters that a method ranges over, with their annotations. Raises SpecError where it has not the form of its kind."""
        where = f"{self.name}.{name}"
        written = inspect.getattr_static(
            self.spec, name, function
        )  # What a mapping carries over stands in another class.
        if not isinstance(written, FunctionType):
            raise SpecError(
                f"{where} is marked @{declaration.kind}, and is no plain method: it is a {type(written).__name__}. "
                f"Define it with `def {name}(self, ...)`, without another decorator.",
                definition(inspect.unwrap(function)) or class_location(original(self.spec)),
            )
        known = self.method_hints(function)
        names = self._own_first(where, declaration, function, known)
        for parameter in names:
            if parameter not in known:
                raise SpecError(
                    f"{where}: the parameter {parameter!r} has no annotation; it must have one, such as `s: Server`, to range over.",
                    definition(function, parameter),
                )
        return {parameter: known[parameter] for parameter in names}

    def _own_first(
        self, where: str, declaration: Declaration, function: Callable[..., Any], known: dict[str, Any]
    ) -> list[str]:
        """The parameters of a method that range over something: those after `self`, and after `old` of a step. Raises SpecError where a
        method has no such form, or could not be run to its end."""
        wanted = "(self, old: Self, ...)" if declaration.kind in STEPS else "(self, ...)"
        if declaration.kind == MAPPING:
            wanted = f"(self, abstract: {getattr(self.spec.refines, '__name__', '...')})"
        if declaration.kind == CONSTRAINT:
            wanted = "(self) or (self, old: Self)"
        if (
            inspect.iscoroutinefunction(function)
            or inspect.isgeneratorfunction(function)
            or inspect.isasyncgenfunction(function)
        ):
            what = "generator" if inspect.isgeneratorfunction(function) else "coroutine"
            raise SpecError(
                f"{where} is a {what}: calling it runs none of it. Write it with plain `def`, without `await` and `yield`.",
                definition(function),
            )
        plain = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
        found = parameters(function)
        for parameter in found:
            if parameter.kind not in plain:
                raise SpecError(
                    f"{where}: the parameter {parameter.name!r} is not given by position. A method marked @{declaration.kind} takes "
                    f"{wanted}.",
                    definition(function, parameter.name),
                )
        skipped = 2 if takes_old(declaration, function) else 1
        roles = ("self", "abstract") if declaration.kind == MAPPING else ("self", "old")
        for position, role in enumerate(roles[:skipped]):
            missing = position >= len(found)
            if missing or (
                found[position].name in known and not self._is_own(known[found[position].name], declaration)
            ):
                given = "" if missing else f", and {found[position].name!r} stands where `{role}` is expected"
                raise SpecError(
                    f"{where}: a method marked @{declaration.kind} takes {wanted}{given}.",
                    definition(function, None if missing else found[position].name),
                )
        if declaration.kind == CONSTRAINT and len(found) > skipped:
            raise SpecError(
                f"{where}: a constraint has no parameters, as a bound has none: it takes {wanted}. Write `all(... for ...)`.",
                definition(function, found[skipped].name),
            )
        if declaration.kind in ENDS and len(found) > skipped:
            raise SpecError(
                f"{where}: where runs may end is asked of the state alone: it takes (self). Write `any(... for ...)`.",
                definition(function, found[skipped].name),
            )
        if declaration.kind == MAPPING and len(found) > skipped:
            raise SpecError(
                f"{where}: a mapping has no parameters: it takes {wanted}.", definition(function, found[skipped].name)
            )
        return [parameter.name for parameter in found[skipped:]]

    def _is_own(self, hint: Any, declaration: Declaration) -> bool:
        """Whether an annotation of `self` or `old` names the spec; of a @mapping's `abstract`, the one that it refines."""
        if declaration.kind == MAPPING and self.spec.refines is not None and isinstance(hint, type):
            return issubclass(self.spec, hint) or issubclass(self.spec.refines, hint)
        return (
            hint in (Self, Any) or isinstance(hint, TypeVar) or (isinstance(hint, type) and issubclass(self.spec, hint))
        )

    def method_hints(self, function: Callable[..., Any]) -> dict[str, Any]:
        """The evaluated annotations of a method, also of a class defined inside a function."""
        written_in = function.__module__, function.__qualname__.rpartition(".")[0]
        bases = [base for base in reversed(self.spec.__mro__) if (base.__module__, base.__qualname__) == written_in]
        scope = {name: value for base in bases for name, value in scope_of(base).items()}
        if "<locals>" not in function.__qualname__:
            return hints(function, scope)
        namespace = {"Self": Self} | scope
        try:
            return inspect.get_annotations(function, locals=namespace, eval_str=True)
        except NameError as error:
            raise SpecError(
                f"{self.name}.{function.__name__}: an annotation uses the unknown name {error.name!r}."
            ) from None

    def fair_condition(self, action: Method) -> Method | None:
        """The method that says in which states an instance of an action is fair; None if it always is. Its parameters are some of
        the action's."""
        return self._fair_conditions.get(action.name)

    def _fair_condition(self, action: Method) -> Method | None:
        """Raises SpecError where `fair_per` or `fair_if` of an action name what there is not."""
        known = {parameter.name: parameter.type for parameter in action.parameters}
        per, name = action.declaration.fair_per, action.declaration.fair_if
        has = f"it has {', '.join(known) or 'none'}"
        for chosen in () if isinstance(per, str) else per:
            if chosen not in known:
                raise self._misdeclared(
                    action, f"fair_per names {chosen!r}, which is no parameter of it: {has}.", "fair_per"
                )
        if name is None:
            return None
        function = getattr(self.spec, name, None)
        if not callable(function) or mark(function, "__quorate__") is not None:
            raise self._misdeclared(
                action,
                f"fair_if names {name!r}, which is no pure method of the class: define it, without a decorator.",
                "fair_if",
            )
        condition = self._method(name, replace(action.declaration, of=action.name), function)
        for parameter in condition.parameters:
            if known.get(parameter.name) != parameter.type:
                raise self._misdeclared(
                    action,
                    f"{name} takes {parameter.name}: {parameter.type}, which is no parameter of the action: {has}.",
                    "fair_if",
                )
        return condition

    def _misdeclared(self, method: Method, message: str, word: str) -> SpecError:
        """A mistake in a method's decorator, at a word of it."""
        return SpecError(f"{self.name}.{method.name}: {message}", place_of(word, method.function))

    # Configuration in force

    @property
    def sizes(self) -> dict[Any, int]:
        """The sorts whose sizes are bounds, with their sizes; those of the specification that is refined among them."""
        others = {} if self.abstract is None else self.abstract.sizes
        return others | {sort: size for sort, size in self._sizes.items() if size is not None}

    def __enter__(self) -> Self:
        if self.abstract is not None:
            self.abstract.__enter__()
        self._saved.append({sort: sort._configured for sort in self._sizes})
        for sort, size in self._sizes.items():
            sort.bound = size
        for name in self._integers():
            if getattr(self.spec, name) != self.constants[name]:
                setattr(self.spec, name, self.constants[name])
        activate(self.configuration)
        return self

    def __exit__(self, *_: object) -> None:
        deactivate()
        for sort, size in self._saved.pop().items():
            sort.bound = size
        if self.abstract is not None:
            self.abstract.__exit__()


def takes_old(declaration: Declaration, function: Callable[..., Any]) -> bool:
    """Whether a method is about a transition, so that it has a second parameter: the state before, or what a mapping assigns."""
    return declaration.kind in STEPS or (declaration.kind == CONSTRAINT and len(parameters(function)) > 1)


LOSS = "lose"


def _loss(name: str, wire: Variable) -> Method:
    """The action of a lossy network that takes a deliverable message off the wire."""
    assert isinstance(wire.type, WireType)

    def lose(self: Any, message: Any) -> None:
        require(message in getattr(self, wire.name))
        getattr(self, wire.name).drop(message)

    lose.__doc__ = "The network loses a message."
    return Method(name, Declaration("action", mark="loss"), lose, (Parameter("message", wire.type.message),))
