"""One event of a log against one state of a specification: what steps it may be, and why it is none.

An event is a step if its action is possible with the arguments that the log tells, and the state after it has the values
that the log tells. What the log does not tell is tried: an argument ranges over what the action takes it from
(`require(m in self.network)`), else over its type.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from inspect import signature
from itertools import islice
from typing import Any, TypeVar, get_type_hints

from quorate.conform.guards import explain_guard
from quorate.conform.logs import Event, LogError
from quorate.conform.mapping import NOTHING, Map
from quorate.conform.told import INIT, UNTOLD, Attempt, Difference, Instance, Misfit, Told, View, Wanted
from quorate.conform.values import ANY, INHABITANTS_MAX, Partial, Unreadable, Values, is_whole, matches, observed, pairs
from quorate.conform.wide.maps import SparseMap
from quorate.conform.wide.networks import WideNetwork
from quorate.conform.wide.sorts import is_open
from quorate.conform.wide.system import Unsettled, Wide, as_many_again
from quorate.errors import QuorateError, UsageError, unknown
from quorate.explore.choices import collections_of, members_of, require_understood
from quorate.explore.traces.witnesses import plain_json
from quorate.language.control import Cut
from quorate.language.declarations import SpecBase
from quorate.language.resolve import resolve
from quorate.language.sorts import Int
from quorate.language.system import Arguments, Failure, Method, State, System, is_of_spec
from quorate.language.types import IdentityType, MapType, Type
from quorate.language.types.partial import FrozenPartial
from quorate.trace import Json

R = TypeVar("R")

TRIED_MAX = 2_000
"""So many instances of an action are looked at to explain why an event is none of them."""


class Matching:
    """A specification and a map. Make and use it inside the system's configuration.

    Raises UsageError where the map names what the specification does not have."""

    def __init__(self, system: System, mapping: Map, values: Values) -> None:
        self.system, self.mapping, self.values = system, mapping, values
        self._actions = {action.name: action for action in system.actions}
        self._collections = {action.name: collections_of(action) for action in system.actions}
        self._views = {view.name: view for view in map(self._view, mapping.views)}
        self._hidden = self._known_names("hidden", mapping.hidden)
        complete = self._known_names("complete", mapping.complete)
        self.asked = {name for name in complete if name in system.index}
        """The variables that the log, or a view, has asked for."""
        self._complete = tuple((system.index[name], name) for name in complete if name in system.index)
        self._complete_views = tuple(
            (self._views[name], self._all_keys(self._views[name])) for name in complete if name in self._views
        )
        self.silent = tuple(self._action("silent", name) for name in mapping.silent)
        for event, meant in mapping.events.items():
            for name in _names(meant):
                if name != NOTHING:
                    self._action(f"events[{event!r}]", name)
        self._numbers = tuple(sort for sort in system.sizes if issubclass(sort, Int))
        self._meant: dict[str, tuple[Method | None, ...]] = {}
        self.guessed: dict[str, None] = {}
        """The arguments that were tried with what was met by then, where others may be meant."""
        self._last_viewed: deque[tuple[State, dict[tuple[Any, ...], Any]]] = deque(maxlen=2)

    def _action(self, where: str, name: str) -> Method:
        if name not in self._actions:
            raise UsageError(f"The map's {where}: {unknown('action', name, self._actions)}")
        return self._actions[name]

    def _known_names(self, where: str, names: Any) -> tuple[str, ...]:
        known = [*self.system.index, *self._views]
        for name in names:
            if name not in known:
                raise UsageError(f"The map's {where}: {unknown('variable or view', name, known)}")
        return tuple(names)

    def _view(self, function: Callable[..., Any]) -> View:
        names = list(signature(function).parameters)[1:]
        hints = get_type_hints(function)
        missing = [name for name in names if name not in hints]
        if missing or hints.get("return") is None:
            raise UsageError(
                f"The map's view {function.__name__} needs annotations: of {', '.join(missing) or 'what it returns'}."
            )
        configuration = self.system.configuration
        wide: Callable[[Type], Type] = self.system.wide if isinstance(self.system, Wide) else lambda kind: kind
        keys = tuple(wide(resolve(hints[name], f"{function.__name__}.{name}", configuration)) for name in names)
        returned = hints["return"]
        result = returned if returned in (int, bool, str) else wide(resolve(returned, function.__name__, configuration))
        return View(function.__name__, function, keys, result)

    # From the log

    def wanted(self, event: Event) -> Wanted:
        """What an event asks for. Raises LogError, at its line, if the event cannot be of this specification."""
        try:
            attempts = tuple(self._attempts(event))
            met = self._largest()
            told = tuple(self._all_told(event))
            told_all = all(map(_is_told, (one for attempt in attempts for one in attempt.wanted)))
            for sort, number in met.items():  # What is only observed was not met, unless it may be an argument.
                if told_all or sort.bound - number > INHABITANTS_MAX:
                    sort.bound = number
        except (Unreadable, UsageError) as error:
            raise error if isinstance(error, LogError) else LogError(f"{event.place}: {error}") from None
        mentioned = frozenset((one.of, *one.keys) for one in told) if self.mapping.complete else frozenset()
        return Wanted(event, attempts, tuple(one for one in told if self._is_shown(one)), mentioned)

    def _largest(self) -> dict[type[Int], int]:
        """How far each sort of numbers goes now."""
        return {sort: sort.bound for sort in self._numbers}

    def _is_shown(self, told: Told) -> bool:
        name = told.of.name if isinstance(told.of, View) else self.system.variables[told.of].name
        return name not in self._hidden

    def meant(self, name: str) -> tuple[Method | None, ...]:
        """The actions that an event of this name may be; None for no action."""
        if name not in self._meant:
            if name in self.mapping.events:
                names = _names(self.mapping.events[name]) or (NOTHING,)
                self._meant[name] = tuple(None if each == NOTHING else self._actions[each] for each in names)
            elif name in self._actions:
                self._meant[name] = (self._actions[name],)
            elif name == INIT:
                self._meant[name] = (None,)
            else:
                raise UsageError(
                    f"{unknown('action', name, self._actions)} `events` in the map says which action an event stands for, "
                    "or None to pass over it."
                )
        return self._meant[name]

    def _attempts(self, event: Event) -> Iterator[Attempt]:
        arguments = event.arguments or {}
        found = False
        strange: dict[str, None] = {}
        for action in self.meant(event.name):
            if action is None:
                found = True
                yield Attempt(None, ())
                continue
            names = [parameter.name for parameter in action.parameters]
            other = [name for name in arguments if name not in names]
            if other:
                strange |= dict.fromkeys(other)
                continue
            found = True
            yield Attempt(action, tuple(self._arguments(action, arguments, event.node)))
        if not found:
            raise UsageError(f"{event.name} has no argument {next(iter(strange))!r}.")

    def _arguments(self, action: Method, told: Mapping[str, Json], node: Json) -> Iterator[Any]:
        sort = self.values.sort_of(node) if node is not None else None
        bound = sort is not None
        for parameter in action.parameters:
            kind = parameter.type
            if parameter.name in told:
                try:
                    yield self.values.read(kind, told[parameter.name])
                except Unreadable as error:
                    raise Unreadable(f"the argument {parameter.name} of {action.name}: {error}.") from None
            elif sort is not None and isinstance(kind, IdentityType) and kind.sort is sort:
                yield self.values.read(kind, node)
                sort = None
            elif node is not None and sort is None and isinstance(kind, IdentityType) and not bound:
                raise Unreadable(
                    f"the node {node!r} is no member of {kind}, and {parameter.name} of {action.name} is not told"
                )
            else:
                yield ANY

    def _all_told(self, event: Event) -> Iterator[Told]:
        for name, data in (event.told or {}).items():
            if name in self.system.index:
                position = self.system.index[name]
                self.asked.add(name)
                yield from self._places(position, (), self.system.variables[position].type, data, name)
            elif name in self._views:
                view = self._views[name]
                yield from self._of_view(view, view.keys, (), data, name)
            else:
                known = [*self.system.index, *self._views]
                raise UsageError(str(unknown("variable or view", name, known)))

    def _places(self, of: int, keys: tuple[Any, ...], kind: Type, data: Json, name: str) -> Iterator[Told]:
        if isinstance(kind, MapType):
            for key, part in pairs(kind, data):
                read = self._read(kind.key, key, name)
                yield from self._places(of, (*keys, read), kind.value, part, f"{name}[{_text(key)}]")
            return
        yield Told(of, keys, self._read(kind, data, name), name)

    def _of_view(
        self, view: View, left: tuple[Type, ...], keys: tuple[Any, ...], data: Json, name: str
    ) -> Iterator[Told]:
        if left:
            for key, part in pairs(left[0], data):
                read = self._read(left[0], key, name)
                yield from self._of_view(view, left[1:], (*keys, read), part, f"{name}[{_text(key)}]")
            return
        if isinstance(view.result, Type):
            data = self._read(view.result, data, name)
        elif type(data) is not view.result:  # 1, 1.0 and true are equal in Python.
            raise Unreadable(f"{name}: {data!r} is not a value of type {view.result.__name__}.")
        yield Told(view, keys, data, name)

    def _read(self, kind: Type, data: Json, name: str) -> Any:
        try:
            return self.values.read(kind, data)
        except Unreadable as error:
            raise Unreadable(f"{name}: {error}.") from None

    # Steps

    def is_beginning(self, event: Event) -> bool:
        """Whether an event tells how its log begins: it is no action, and the map does not say that it is something else."""
        return event.name == INIT and not (INIT in self.mapping.events or INIT in self._actions)

    def initial(self, beginnings: Iterable[Event] = ()) -> Iterator[State]:
        """The initial states with the arguments of @init that these events tell; of others, those that are made of what was met by now.
        Raises LogError for what is none of them."""
        parameters = {one.name: one for one in self.system.init.parameters} if self.system.init is not None else {}
        wanted = []
        for event in beginnings:
            for name, data in (event.arguments or {}).items():
                if name not in parameters:
                    raise LogError(f"{event.place}: {unknown('argument of @init', name, parameters)}")
                try:
                    wanted.append((list(parameters).index(name), self.values.read(parameters[name].type, data)))
                except Unreadable as error:
                    raise LogError(f"{event.place}: the argument {name} of @init: {error}.") from None
        told = {position for position, value in wanted if is_whole(value)}
        for position, parameter in enumerate(parameters.values()):
            if position not in told and is_open(parameter.type):
                self.guessed.setdefault(f"{parameter.name} of @init")
        for arguments, state in self.system.initial():
            if all(matches(value, arguments[position]) for position, value in wanted):
                yield state

    def steps(self, state: State, wanted: Wanted) -> Iterator[tuple[Instance | None, State]]:
        """The steps from a state that an event may be, each with the state after it."""
        for attempt in wanted.attempts:
            if attempt.action is None:
                if self.fits(wanted, None, state):
                    yield None, state
                continue
            for arguments in self.choices(state, attempt):
                after = self.fire(state, attempt.action, arguments)
                if after is not None and self.fits(wanted, state, after):
                    yield (attempt.action, arguments), after

    def may_be_of_others(self, state: State, wanted: Wanted) -> bool:
        """Whether an event that is no step from a state may be one with members that were not met yet as its arguments."""
        system = self.system
        untold = [
            attempt
            for attempt in wanted.attempts
            if attempt.action is not None
            and any(
                not _is_told(one) and is_open(each.type)
                for one, each in zip(attempt.wanted, attempt.action.parameters, strict=True)
            )
        ]
        if not untold or not isinstance(system, Wide):
            return False
        some = replace(wanted, attempts=tuple(untold))
        return system.with_more(system.open, lambda: next(self.steps(state, some), None), as_many_again) is not None

    def silent_steps(self, state: State) -> Iterator[tuple[Instance, State]]:
        """The steps that happen without being logged. What the log tells every change of, they do not change."""
        for action in self.silent:
            for arguments in self.choices(state, _untold(action)):
                after = self.fire(state, action, arguments)
                if after is not None and next(self._unmentioned(UNTOLD, state, after), None) is None:
                    yield (action, arguments), after

    def fire(self, state: State, action: Method, arguments: Arguments) -> State | None:
        """The state after an action, None if it is not possible. Raises Unsettled."""

        def after() -> State | None:
            try:
                successor = self.system.fire(state, action, arguments)
            except (Cut, Failure):
                return None
            return None if successor is None else successor.state

        return self._settled(action.name, after)

    def _settled(self, what: str, run: Callable[[], R]) -> R:
        return self.system.open_to_more(what, run) if isinstance(self.system, Wide) else run()

    def choices(self, state: State, attempt: Attempt) -> Iterator[Arguments]:
        """The arguments for an action that match what is wanted."""
        if all(map(_is_told, attempt.wanted)):
            yield attempt.wanted
            return
        yield from self._chosen(self.system.view(state), attempt, ())

    def _chosen(self, view: SpecBase, attempt: Attempt, chosen: Arguments) -> Iterator[Arguments]:
        if len(chosen) == len(attempt.wanted):
            yield chosen
            return
        for value in self._candidates(view, attempt, chosen):
            yield from self._chosen(view, attempt, (*chosen, value))

    def _candidates(self, view: SpecBase, attempt: Attempt, chosen: Arguments) -> Iterator[Any]:
        """The values for the next argument."""
        assert attempt.action is not None
        parameter, wanted = attempt.action.parameters[len(chosen)], attempt.wanted[len(chosen)]
        if _is_told(wanted):
            yield wanted
            return
        within = self._within(view, attempt, chosen)
        if within is None:
            if is_open(parameter.type):
                self.guessed.setdefault(f"{parameter.name} of {attempt.action.name}")
            try:
                within = self.values.inhabitants(parameter.type, wanted)
            except UsageError as error:
                raise UsageError(
                    f"the argument {parameter.name} of {attempt.action.name} is not told: {error}."
                ) from None
        yield from within

    def _within(self, view: SpecBase, attempt: Attempt, chosen: Arguments) -> Iterable[Any] | None:
        """The values for the next argument in what the action takes it from; None where it does not say so, or where that fails, does not
        say by its members what is in it, or depends on what was not met yet."""
        assert attempt.action is not None
        parameter, wanted = attempt.action.parameters[len(chosen)], attempt.wanted[len(chosen)]
        collection = self._collections[attempt.action.name].get(parameter.name)
        if collection is None:
            return None

        def members() -> list[Any]:
            source = collection(view, *chosen)
            require_understood(source)
            if isinstance(wanted, Partial) and isinstance(source, WideNetwork):
                source = source.like(wanted.type.sort, {part: one for part, one in wanted.known if is_whole(one)})
            return [value for value in members_of(parameter.type, source) if matches(wanted, value)]

        try:
            return self._settled(parameter.name, members)
        except BaseException as error:
            if not is_of_spec(error):
                raise
            return None

    # Effects

    def fits(self, wanted: Wanted, before: State | None, after: State) -> bool:
        """Whether a state after an event is what the log tells."""
        for told in wanted.told:
            if not matches(told.value, self._value(told, after)):
                return False
        return (
            before is None or not self.mapping.complete or next(self._unmentioned(wanted, before, after), None) is None
        )

    def _value(self, told: Told, state: State) -> Any:
        if isinstance(told.of, View):
            return self._seen(told.of, self._noting(state), told.keys)
        value = state[told.of]
        for key in told.keys:
            value = value.get(key)  # A partial map has None for what is absent.
        return value

    def _noting(self, state: State) -> SpecBase:
        """An instance that shows a state to views, and notes what they ask for."""
        shown = self.system.view(state)
        read = shown.__dict__["_read"]

        def noting(name: str) -> Any:
            self.asked.add(name)
            return read(name)

        shown.__dict__["_read"] = noting
        return shown

    def _seen(self, view: View, state: SpecBase, keys: tuple[Any, ...]) -> Any:
        try:
            return self._settled(view.name, lambda: view.function(state, *keys))
        except Unsettled:
            raise
        except Exception as error:
            called = f"{view.name}({', '.join(map(repr, keys))})"
            raise UsageError(f"The map's view {called} raises {type(error).__name__}: {error}.") from error

    def _unmentioned(self, wanted: Wanted, before: State, after: State) -> Iterator[tuple[str, Any, Any]]:
        """Places of which the log tells every change that a step changes, and that the event does not mention."""
        for position, name in self._complete:
            if before[position] is not after[position]:
                yield from self._changed(wanted, (position,), name, before[position], after[position])
        if self._complete_views:
            was, now = self._viewed(before), self._viewed(after)
            for key, old in was.items():
                if now[key] != old and key not in wanted.mentioned:
                    view, *keys = key
                    yield view.name + "".join(f"[{each!r}]" for each in keys), old, now[key]

    def _viewed(self, state: State) -> dict[tuple[Any, ...], Any]:
        """The values of all complete views in a state. Those that have keys of which no more are met are remembered for the last states."""
        view = self._noting(state)
        values = next((values for known, values in self._last_viewed if known is state), None)
        if values is None:
            values = {
                (one, *keys): self._seen(one, view, keys) for one, listed in self._complete_views for keys in listed
            }
            self._last_viewed.append((state, values))
        return values | {
            (one, *keys): self._seen(one, view, keys)
            for one, listed in self._complete_views
            if not listed
            for keys in self._keys(one.keys, ())
        }

    def told(self, values: Mapping[str, Json]) -> tuple[Told, ...]:
        """The places that these values of variables and views tell. Raises Unreadable or UsageError for what is none."""
        return tuple(one for one in self._all_told(Event("", 0, "", told=dict(values))) if self._is_shown(one))

    def differences(self, told: Iterable[Told], state: State) -> list[Difference]:
        """Where a state has other values than those that are told."""
        found = []
        for one in told:
            value = self._value(one, state)
            if not matches(one.value, value):
                found.append(Difference(one.name, plain_json(value), observed(one.value)))
        return found

    def _changed(
        self, wanted: Wanted, place: tuple[Any, ...], name: str, old: Any, new: Any
    ) -> Iterator[tuple[str, Any, Any]]:
        if place in wanted.mentioned or old is new:
            return
        if isinstance(old, SparseMap | FrozenPartial):
            for key in dict.fromkeys((*dict.keys(old), *dict.keys(new))):
                yield from self._changed(wanted, (*place, key), f"{name}[{key!r}]", old.get(key), new.get(key))
        elif old != new:
            yield name, old, new

    def _all_keys(self, view: View) -> tuple[tuple[Any, ...], ...]:
        """The keys of a view, where no more are met."""
        system = self.system
        closed = not isinstance(system, Wide) or all(
            isinstance(kind, IdentityType) and kind.sort in system.closed for kind in view.keys
        )
        return tuple(self._keys(view.keys, ())) if closed else ()

    def _keys(self, kinds: tuple[Type, ...], chosen: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
        if not kinds:
            yield chosen
            return
        for key in self.values.inhabitants(kinds[0]):
            yield from self._keys(kinds[1:], (*chosen, key))

    # Why not

    def misfits(self, state: State, wanted: Wanted) -> list[Misfit]:
        """Why an event is no step from a state: what is nearest first."""
        found: list[Misfit] = []
        for attempt in wanted.attempts:
            if attempt.action is None:
                found.append(self._effect(None, {}, None, wanted, None, state))
                continue
            tried = list(islice(self._safely(state, attempt), TRIED_MAX))
            found += [self._misfit(state, attempt.action, arguments, wanted) for arguments in tried]
            if not tried:
                found.append(_nothing_to_try(attempt.action))
        return sorted(found, key=lambda one: (not one.is_effect, len(one.differences)))

    def _safely(self, state: State, attempt: Attempt) -> Iterator[Arguments]:
        try:
            yield from self.choices(state, attempt)
        except QuorateError:
            return

    def _misfit(self, state: State, action: Method, arguments: Arguments, wanted: Wanted) -> Misfit:
        named = {one.name: plain_json(value) for one, value in zip(action.parameters, arguments, strict=True)}
        instance = action, arguments
        try:
            successor = self.system.fire(state, action, arguments)
        except Cut as cut:
            return Misfit(
                action.name, named, f"a number passes {cut.bound}, which the map says ends", instance=instance
            )
        except Failure as failure:
            return Misfit(action.name, named, f"the specification raises: {failure.message}", instance=instance)
        if successor is None:
            reason, values, location = explain_guard(self.system, state, action, arguments)
            differences = tuple(Difference(name, value, None) for name, value in values)
            return Misfit(action.name, named, reason, differences, instance=instance, location=location)
        return self._effect(action.name, named, instance, wanted, state, successor.state)

    def _effect(
        self,
        action: str | None,
        arguments: Mapping[str, Json],
        instance: Instance | None,
        wanted: Wanted,
        before: State | None,
        after: State,
    ) -> Misfit:
        differences = self.differences(wanted.told, after)
        reason = "its effect is another one"
        if before is not None and not differences:
            reason = "it changes what the log does not mention, although the log tells every change of it"
            differences = [
                Difference(name, plain_json(new), plain_json(old))
                for name, old, new in self._unmentioned(wanted, before, after)
            ]
        if action is None:
            reason = "nothing happens, and the state is another one"
        return Misfit(action, arguments, reason, tuple(differences), is_effect=True, instance=instance)

    def others(self, state: State, wanted: Wanted) -> list[tuple[str, Mapping[str, Json]]]:
        """Instances of other actions that would be possible here and have the effect that the log tells."""
        meant = {attempt.action.name for attempt in wanted.attempts if attempt.action is not None}
        found: list[tuple[str, Mapping[str, Json]]] = []
        for action in self.system.actions:
            if action.name in meant or not wanted.told:
                continue
            for arguments in islice(self._safely(state, _untold(action)), TRIED_MAX):
                try:
                    after = self.fire(state, action, arguments)
                except Unsettled:
                    continue
                if after is not None and after != state and self.fits(wanted, state, after):
                    named = {
                        one.name: plain_json(value) for one, value in zip(action.parameters, arguments, strict=True)
                    }
                    found.append((action.name, named))
                    break
        return found


def _untold(action: Method) -> Attempt:
    """A step of which nothing is told."""
    return Attempt(action, (ANY,) * len(action.parameters))


def _is_told(wanted: Any) -> bool:
    """Whether an argument is known, all of it."""
    return wanted is not ANY and is_whole(wanted)


def _nothing_to_try(action: Method) -> Misfit:
    return Misfit(action.name, {}, "nothing that the action could take as its arguments matches what the log tells")


def _names(meant: Any) -> tuple[str, ...]:
    return () if meant is None else (meant,) if isinstance(meant, str) else tuple(meant)


def _text(key: Json) -> str:
    return key if isinstance(key, str) else str(plain_json(key))
