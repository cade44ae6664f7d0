"""A specification as a state machine of Hypothesis: random runs that shrink when a property breaks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from quorate.explore.choices import Choices
from quorate.explore.properties import Falsified, Properties
from quorate.language.control import Cut
from quorate.language.spec import Spec
from quorate.language.system import Arguments, Method, State, System
from quorate.language.written import free_name
from quorate.model.determinism import vouch

if TYPE_CHECKING:
    from hypothesis.stateful import RuleBasedStateMachine


def stateful(spec: type[Spec], **bounds: int) -> type[RuleBasedStateMachine]:
    """A `RuleBasedStateMachine` with a rule for each action, which Hypothesis runs and shrinks:

        TestLock = stateful(Lock, Client=3).TestCase

    A rule is possible where its action is enabled and passes no bound; what it draws are the arguments. Invariants, lemmas and
    properties of steps are asserted on the way, and an exception in the specification fails, too; goals, deadlocks and
    properties of whole runs are for `quorate check`. `expect` is not looked at: a variant that is broken fails. Needs the
    package hypothesis.
    """
    from hypothesis import strategies as st
    from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

    system = System(spec.bounded(**bounds))
    with system:
        vouch(system)
        choices = {action.name: Choices(system, action) for action in system.actions}
        begins = list(system.initial())

    class Machine(RuleBasedStateMachine):
        """One run."""

        def __init__(self) -> None:
            super().__init__()
            system.__enter__()
            self._properties = Properties(system)
            self._go_to(begins[0][1])

        def teardown(self) -> None:
            system.__exit__(None, None, None)

        @initialize(state=st.sampled_from([state for _, state in begins]))
        def _begin(self, state: State) -> None:
            self._go_to(state)
            self._assert(self._properties.falsified(state) or self._properties.begins_wrongly(state))

        @rule()
        @precondition(lambda self: not any(map(self._enabled, system.actions)))
        def _stay(self) -> None:
            """A run may end, which no machine of Hypothesis may."""

        def _go_to(self, state: State) -> None:
            self._state = state
            self._possible: dict[str, dict[Arguments, State]] = {}

        def _enabled(self, action: Method) -> dict[Arguments, State]:
            """The arguments with which an action is possible, and where each leads."""
            if action.name not in self._possible:
                found = self._possible[action.name] = {}
                for arguments in choices[action.name](self._state):
                    try:
                        successor = system.fire(self._state, action, arguments)
                    except Cut:
                        continue
                    if successor is not None:
                        found[arguments] = successor.state
            return self._possible[action.name]

        def _take(self, action: Method, data: Any) -> None:
            """Draw the arguments of a step, and take it."""
            possible, before = self._enabled(action), self._state
            self._go_to(possible[data.draw(st.sampled_from(list(possible)), label=action.name)])
            self._assert(self._properties.falsified_by_step(before, self._state))
            self._assert(self._properties.falsified(self._state))

        def _assert(self, false: Falsified | None) -> None:
            if false is not None and false.failure is not None:
                raise false.failure
            if false is not None:
                call = f"{false.method.name}({', '.join(map(repr, false.arguments))})"
                raise AssertionError(f"{call} is violated in {system.view(self._state)!r}")

    def ruled(name: str, action: Method) -> Any:
        def step(self: Machine, data: Any) -> None:
            self._take(action, data)

        step.__name__ = name
        return precondition(lambda self: bool(self._enabled(action)))(rule(data=st.data())(step))

    machine = type(f"{system.name}Machine", (Machine,), {"__module__": spec.__module__})
    for action in system.actions:
        name = free_name(machine, action.name)
        setattr(machine, name, ruled(name, action))
    return machine
