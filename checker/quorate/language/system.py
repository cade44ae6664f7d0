"""A spec under one choice of bounds, run by CPython.

`System` turns a class into what an engine explores: initial states, and actions that take a state and arguments to
the next state. It is the meaning of the language; everything faster is compared with it. A state is the tuple of the
frozen values of the variables.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Any

from quorate.errors import SpecError, unknown
from quorate.kinds import LIVENESS, MAPPING
from quorate.language.beginning import assigned_twice, divided
from quorate.language.configured import Configured, takes_old
from quorate.language.containers import Event, Log, _immutable
from quorate.language.control import RUNNING, Cut, Disabled
from quorate.language.declarations import FAIR, SpecBase, carried, mapping_of
from quorate.language.failures import Failure, ending, is_of_spec, where
from quorate.language.methods import Method, Parameter, Variable
from quorate.language.places import definition
from quorate.language.refinement import UNSET, Refinement, State
from quorate.language.types import Renaming, WireType

__all__ = [
    "UNSET",
    "Arguments",
    "Failure",
    "Method",
    "Parameter",
    "State",
    "Successor",
    "System",
    "Variable",
    "is_of_spec",
]

Arguments = tuple[Any, ...]
Told = dict[str, Any]
"""The values of auxiliary variables at a point of a run."""


@dataclass(frozen=True)
class Successor:
    """A transition's result: the next state, and what happened to the networks."""

    state: State
    events: tuple[Event, ...]


@dataclass(frozen=True)
class Again:
    """Circumstances in which a method is run again, in each of them, and ends as before. If it does not, it depends `on` what may not
    be."""

    on: str
    circumstances: Callable[[], Iterator[AbstractContextManager[None]]]


class System(Configured):
    """A configured spec that runs. Raises the same errors when it is made."""

    abstract: System | None

    def __init__(self, spec: type[SpecBase]) -> None:
        super().__init__(spec)
        self.refinement: Refinement | None = None
        """How the states of the specification that this one refines are seen in its own."""
        self.carried: dict[str, Method] = {}
        """Properties of runs of that specification that are asked of this one's runs."""
        if self.abstract is not None:
            self._refine(self.abstract)
        self.waiting: Callable[[], None] = lambda: None
        """Called for every choice of arguments of @init, of which there may be very many: it may raise to end this."""
        self.again: Sequence[Again] = ()
        """How every method is run again, where no typed model says that it depends on the state alone."""
        self.remembered: dict[Callable[..., Any], Any] = {}
        """What was worked out of this system, by the function that did it, which asks here first. It is not in a `WeakKeyDictionary`: that
        forgets in code of its own, and a Ctrl-C that arrives there (as all do that arrive while garbage is collected) is lost."""

    def _refine(self, abstract: System) -> None:
        found = mapping_of(self.spec)
        assert found is not None
        name, declaration, function = found
        self.refinement = Refinement(abstract, name, function)
        self.mapping = Method(name, declaration, self.refinement.property(), (), function)
        """The claim of the mapping, also where it is omitted and only what it carries over is asked."""
        if self.of(MAPPING):
            self._by_kind[MAPPING] = [self.mapping]
        promised = {method.name: method for method in abstract.of(*LIVENESS)}
        for kind in LIVENESS:
            for position, method in enumerate(self.of(kind)):
                if method.name in promised and method.name in carried(self.spec):
                    seen = replace(method, function=self.refinement.seen(promised[method.name].function, abstract.view))
                    self._by_kind[kind][position] = self.carried[method.name] = seen
                elif method.name in carried(self.spec):
                    action = next(one for one in abstract.actions if FAIR.format(one.name) == method.name)
                    claim = replace(
                        self.refinement.fairness(action, self.view), name=method.name, declaration=method.declaration
                    )
                    self._by_kind[kind][position] = self.carried[method.name] = claim

    def zero(self, before_init: bool = False) -> State:
        """The state of all defaults. Before @init, which must set them, variables without a zero are `UNSET`."""
        values = []
        for variable in self.variables:
            try:
                values.append(
                    variable.type.zero()
                    if variable.default is None or isinstance(variable.type, WireType)
                    else variable.default
                )
            except SpecError as error:
                if not before_init:
                    raise SpecError(f"{self.name}.{variable.name}: {error}") from None
                values.append(UNSET)
        return tuple(values)

    def blank(self) -> State:
        """The state in which nothing has a value yet."""
        return (UNSET,) * len(self.variables)

    def draft(self, state: State, instance: SpecBase | None = None, told: Told | None = None) -> tuple[SpecBase, Log]:
        """An instance whose variables can be changed, starting from `state`; auxiliary ones from what is `told` of them so far."""
        draft: Any = object.__new__(self.spec) if instance is None else instance
        log = Log()
        index, variables = self.index, self.variables

        def read(name: str) -> Any:
            if name in self.auxiliary:
                auxiliary = self.auxiliary[name]
                return auxiliary.type.thaw(auxiliary.default if told is None else told[name], log)
            position = index[name]
            if state[position] is UNSET:
                raise SpecError(
                    f"self.{name} has no value yet: {variables[position].type} has no default, so @init must first assign it as a whole."
                )
            return variables[position].type.thaw(state[position], log)

        def write(name: str, value: Any) -> None:
            if name in self.auxiliary:
                auxiliary = self.auxiliary[name].type
                draft.__dict__[name] = auxiliary.thaw(auxiliary.check(value), log)
                return
            if name not in index:
                raise unknown("variable", name, index, SpecError)
            kind = variables[index[name]].type
            if value is not draft.__dict__.get(name) or not isinstance(kind, WireType):
                value = kind.thaw(kind.check(value), log)
            draft.__dict__[name] = value

        draft.__dict__["_read"], draft.__dict__["_write"] = read, write
        return draft, log

    def view(self, state: State, told: Told | None = None) -> SpecBase:
        """An instance that shows `state`, and what is `told` along the run that leads there, and cannot change it."""
        view: Any = object.__new__(self.spec)
        index = self.index

        def read(name: str) -> Any:
            if name in self.auxiliary:
                if told is None:
                    raise SpecError(f"self.{name} is auxiliary, and no part of the state")
                return told[name]
            return state[index[name]]

        view.__dict__["_read"] = read
        view.__dict__["_write"] = _immutable
        return view  # type: ignore[no-any-return]

    def renamed(self, state: State, renaming: Renaming) -> State:
        """A state with members exchanged."""
        kinds = (variable.type for variable in self.variables)
        return tuple(kind.permute(value, renaming) for kind, value in zip(kinds, state, strict=True))

    def committed(self, state: State, draft: SpecBase) -> State:
        """The state that a draft of `state` has come to."""
        changed = draft.__dict__
        return tuple(
            [
                variable.type.freeze(changed[variable.name]) if variable.name in changed else old
                for variable, old in zip(self.variables, state, strict=True)
            ]
        )

    @property
    def told(self) -> Told:
        """The auxiliary variables in the beginning."""
        return {name: variable.default for name, variable in self.auxiliary.items()}

    def told_after(self, told: Told, state: State, action: Method, arguments: Arguments) -> Told:
        """The auxiliary variables after a transition that an action makes."""
        if not told:
            return told
        draft, _ = self.draft(state, told=told)
        try:
            action.function(draft, *arguments)
        except Cut:  # A container holds no more: what is told of it ends here.
            return told
        changed = draft.__dict__
        return {
            name: variable.type.freeze(changed[name]) if name in changed else told[name]
            for name, variable in self.auxiliary.items()
        }

    def fire(self, state: State, action: Method, arguments: Arguments) -> Successor | None:
        """The transition of an action instance, or None if it is disabled. Raises `Cut`, and `Failure` for any other
        exception.
        """
        successor = self.unconstrained(state, action, arguments)
        if successor is None or action.declaration.kind == "init":  # An initial state is made, and then asked about.
            return successor
        if (name := self.excluded_by(successor.state, state)) is not None:
            raise Cut(name)
        return successor

    def excluded_by(self, state: State, old: State | None = None) -> str | None:
        """The first constraint that is false of a state or of the transition from `old` to it; without `old` it is an initial state.
        Raises Failure."""
        for method in self.constraints:
            of_step = takes_old(method.declaration, method.function)
            if of_step and old is None:
                continue
            value = self.evaluate(method, state, (), old if of_step else None)
            if value is not True and value is not False:
                raise self.not_a_bool(method, (), value)
            if not value:
                return method.name
        return None

    def unconstrained(self, state: State, action: Method, arguments: Arguments) -> Successor | None:
        if self.again:
            self._refuse_changes(
                action, arguments, (state,), lambda views, given: self._fired(self._viewed(*views), action, given)
            )
            self._run_again(action, arguments, lambda: self._told_apart(self._fired(state, action, arguments)))
        return self._fired(state, action, arguments)

    @staticmethod
    def _told_apart(successor: Successor | None) -> Any:
        """A transition as far as it counts: in which order a method sent its messages does not."""
        return successor and (successor.state, Counter(successor.events))

    def _run_again(self, method: Method, arguments: Arguments, run: Callable[[], Any]) -> None:
        """Raises Failure if a run of a method ends otherwise in other circumstances."""
        first = ending(run)
        for again in self.again:
            for circumstances in again.circumstances():
                with circumstances:
                    other = ending(run)
                if other != first:
                    call = method.call(arguments)
                    raise Failure(
                        f"{self.name}.{call} gave two results for the same state and arguments: it depends on {again.on}",
                        definition(method.function),
                    )

    def _refuse_changes(
        self,
        method: Method,
        arguments: Arguments,
        states: Iterable[State],
        run: Callable[[Sequence[SpecBase], Arguments], Any],
    ) -> None:
        """Raises Failure if a method changes a state that it is shown, or an argument: some of Python's own functions change a list without
        asking it, and an instance has a `__dict__`. It runs with copies, since nothing could be said any more of what was changed."""

        def as_json(kinds: Iterable[Any], values: Iterable[Any]) -> list[Any]:
            return [UNSET if value is UNSET else kind.to_json(value) for kind, value in zip(kinds, values, strict=True)]

        def copied(kinds: Iterable[Any], values: Iterable[Any]) -> tuple[Any, ...]:
            return tuple(
                UNSET if one is UNSET else kind.from_json(one) for kind, one in zip(kinds, values, strict=True)
            )

        kinds, given_kinds = [one.type for one in self.variables], [one.type for one in method.parameters]
        shown, told = [as_json(kinds, state) for state in states], as_json(given_kinds, arguments)
        try:
            views, given = [self.view(copied(kinds, state)) for state in shown], copied(given_kinds, told)
            ending(lambda: run(views, given))
            kept = ([as_json(kinds, self._viewed(view)) for view in views], as_json(given_kinds, given)) == (
                shown,
                told,
            )
        except Exception:  # What is no value of its type any more has no such form.
            kept = False
        if not kept:
            raise Failure(
                f"{self.name}.{method.name} changes a state that is only shown to it, or puts something into one unseen. Work on a copy, "
                f"such as `list(self.log)`, and assign the result.",
                definition(method.function),
            )

    def _viewed(self, view: SpecBase) -> State:
        return tuple(getattr(view, variable.name) for variable in self.variables)

    def _fired(self, state: State, action: Method, arguments: Arguments) -> Successor | None:
        draft, log = self.draft(state)
        before, RUNNING.cut = RUNNING.cut, None
        try:
            try:
                result = action.function(draft, *arguments)
            except Disabled:
                found = None
            else:
                if result is not None:
                    raise SpecError(
                        f"it returned {result!r}, and an action returns nothing. `require` is what disables it"
                    )
                found = Successor(self.committed(state, draft), tuple(log.events))
            if RUNNING.cut is not None:
                raise RUNNING.cut
            return found
        except Cut:
            raise
        except BaseException as error:
            if not is_of_spec(error):
                raise
            raise self.failure(action, arguments, error) from error
        finally:
            RUNNING.cut = before

    def settled(self, method: Method, arguments: Arguments, *views: SpecBase) -> Any:
        """The value of a property of what is viewed; asked for again where no typed model vouches for the spec. Raises Failure if it
        differs."""
        if self.again:
            states = [self._viewed(view) for view in views]
            self._refuse_changes(method, arguments, states, lambda shown, given: method.function(*shown, *given))
            self._run_again(method, arguments, lambda: method.function(*views, *arguments))
        before, RUNNING.cut = RUNNING.cut, None
        try:
            value = method.function(*views, *arguments)
            if RUNNING.cut is not None:
                raise RUNNING.cut
            return value
        finally:
            RUNNING.cut = before

    def initial_state(self, zero: State, method: Method, arguments: Arguments) -> State | None:
        """What @init makes of the defaults, or None if a `require` is false. Raises Failure if it fails."""
        state, made = zero, dict[str, str]()
        for part, given in divided(method, arguments):
            try:
                successor = self.fire(state, part, given)
            except Cut as cut:
                raise Failure(f"{self.name}.{part.name} passes the bound {cut.bound}: no initial state may.") from None
            if successor is None:
                return None
            for variable, old, new in zip(self.variables, state, successor.state, strict=True):
                if old is not new and old != new and made.setdefault(variable.name, part.name) != part.name:
                    raise Failure(assigned_twice(self.name, variable.name, made[variable.name], part.name))
            state = successor.state
        for variable, value in zip(self.variables, state, strict=True):
            if value is UNSET:
                raise Failure(f"{self.name}.{method.name} leaves self.{variable.name} without a value: assign it.")
        return state

    def initial(self) -> Iterator[tuple[Arguments, State]]:
        """The initial states that no constraint excludes, in order of the arguments of @init. Raises Failure if there is none."""
        found = False
        for arguments, state in self.begun():
            if self.excluded_by(state) is None:
                found = True
                yield arguments, state
        if not found:
            raise self.no_initial_state()

    def excluded_initially(self) -> Counter[str]:
        """How many initial states each constraint excludes."""
        names = (self.excluded_by(state) for _, state in self.begun()) if self.constraints else ()
        return Counter(name for name in names if name is not None)

    def begins(self, state: State) -> bool:
        """Whether the specification begins in a state that `initial` gives, so that mappings have to lead from it to where the other one
        begins. Always, unless somebody else says where to begin."""
        del state
        return True

    def begun(self) -> Iterator[tuple[Arguments, State]]:
        """All initial states, before any constraint is asked."""
        zero = self.zero(before_init=self.init is not None)
        if self.init is None:
            yield (), zero
            return
        for arguments in self.choices(self.init.parameters):
            self.waiting()
            state = self.initial_state(zero, self.init, arguments)
            if state is not None:
                yield arguments, state

    def no_initial_state(self) -> Failure:
        """The error that the `require`s of @init and the constraints exclude everything."""
        guards = [f"the `require`s of {init.name}" for init in self.of("init")]
        guards += [method.name for method in self.constraints if not takes_old(method.declaration, method.function)]
        return Failure(f"{self.name} has no initial state: {' and '.join(guards)} are never all true.")

    def choices(self, parameters: tuple[Parameter, ...]) -> Iterator[Arguments]:
        """All arguments for these parameters, in canonical order."""
        if not parameters:
            yield ()
            return
        first, rest = parameters[0], parameters[1:]
        for value in first.type.values():
            for others in self.choices(rest):
                yield (value, *others)

    def evaluate(self, method: Method, state: State, arguments: Arguments, old: State | None = None) -> Any:
        """The value of a property. Raises Failure if it raises, or passes a bound."""
        before = () if old is None else (self.view(old),)
        try:
            return self.settled(method, arguments, self.view(state), *before)
        except BaseException as error:
            if not is_of_spec(error):
                raise
            raise self.property_failure(method, arguments, error) from error

    def property_failure(self, method: Method, arguments: Arguments, error: BaseException) -> Failure:
        """What a user reads when a property raises."""
        if isinstance(error, Failure):
            return error
        if isinstance(error, Cut):
            message = f"a value passes the bound {error.bound}, which only an action may do"
            return Failure(f"{self.name}.{method.name}: {message}.", where(error, method.function))
        if isinstance(error, Disabled):
            return Failure(
                f"{self.name}.{method.name}: `require` guards actions; a property returns its value.",
                where(error, method.function),
            )
        return self.failure(method, arguments, error)

    def not_a_bool(self, method: Method, arguments: Arguments, value: Any) -> Failure:
        """What a user reads when a property returns something other than True or False."""
        call = method.call(arguments)
        return Failure(f"{self.name}.{call} must return True or False, and returned {value!r}.")

    def failure(self, method: Method, arguments: Arguments, error: BaseException) -> Failure:
        """What a user reads when a method raises."""
        call = method.call(arguments)
        what = str(error) if isinstance(error, SpecError) else f"{type(error).__name__}: {error}"
        return Failure(f"{self.name}.{call} raises an error: {what}", where(error, method.function))
