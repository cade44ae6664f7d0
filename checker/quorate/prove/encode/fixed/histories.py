"""`linearizable(history, model, initial)` as a circuit.

The history is gone through from its first event to its last, with the set of *configurations* that are possible there:
which of the open operations have taken effect, and the state of the sequential object. An operation may be taken to
have its effect as late as can be, just before the next return (Lowe 2017, "Testing for linearizability", just-in-time
linearization): so at the return of an operation every configuration may let open operations take effect, in any order,
and those remain in which this one has. The history is linearizable if a configuration remains at its end.

What an operation does is judged by its return, which tells its result, and by its call where it has not returned. So
the events are first gone through backwards, to know for each call the return that follows.
"""

from __future__ import annotations

from typing import Any

from quorate.errors import SpecError
from quorate.language.types import RecordType, Type
from quorate.model.conversion import alternatives
from quorate.model.nodes import Expr, Function
from quorate.prove.encode.fixed.base import Env
from quorate.prove.encode.fixed.circuit import FALSE, TRUE
from quorate.prove.encode.fixed.comprehensions import Comprehensions
from quorate.prove.encode.fixed.parts import Seq, Value, as_condition, as_seq
from quorate.prove.encode.values import ABSENT, Union, class_key, parts_of

CLIENTS_MAX = 6
"""Each set of clients may be the one whose open operations have taken effect."""

Configurations = dict[tuple[frozenset[Any], Any], int]
"""Clients whose open operation has taken effect, and the object's state, with the condition that this is possible."""


class Histories(Comprehensions):
    """Histories at fixed bounds."""

    def op_linearizable(self, node: Expr, env: Env) -> Value:
        history, initial = self.values(node.args, env)
        function = self.model.functions[node.data]
        event_type = node.args[0].type.children()[0]
        return _Sweep(self, function, event_type, env, node).possible(as_seq(history), initial)


class _Sweep:
    """One look at one history."""

    def __init__(self, machine: Histories, function: Function, event: Type, env: Env, node: Expr) -> None:
        self.machine, self.function, self.event, self.env, self.node = machine, function, event, env, node
        (_, self.state), _ = function.parameters

    def possible(self, history: Seq, initial: Value) -> int:
        """The condition that the history is linearizable."""
        machine = self.machine
        events = [(machine.cells.longer(history, position), item) for position, item in enumerate(history.items)]
        events = [(there, item) for there, item in events if there != FALSE and item is not ABSENT]
        marks = [self._marks(there, item) for there, item in events]
        clients = list(dict.fromkeys(client for calls, returns in marks for client in (*calls, *returns)))
        if len(clients) > CLIENTS_MAX:
            raise SpecError(
                f"linearizable(...) over {len(clients)} clients has no symbolic encoding: there may be {CLIENTS_MAX}. "
                "Lower the bound of the clients, or leave the property out of proofs with `--invariant` for the others.",
                self.node.location,
            )
        results = self._results([item for _, item in events], marks, clients)
        found: Configurations = {
            (frozenset(), state): guard for state, guard in machine.cells.cases(initial, self.state)
        }
        opened = dict.fromkeys(clients, FALSE)
        current: dict[Any, Value] = dict.fromkeys(clients, ABSENT)
        for (calls, returns), result in zip(marks, results, strict=True):
            twice = [machine.both((guard, opened[client])) for client, guard in calls.items()]
            machine.stop("error", machine.either(twice), "two open operations of one client", self.node.location)
            without = [machine.both((guard, opened[client] ^ 1)) for client, guard in returns.items()]
            machine.stop("error", machine.either(without), "a return without a call", self.node.location)
            if returns:
                found = self._returned(found, returns, opened, current)
            for client, guard in returns.items():
                opened[client] = machine.both((opened[client], guard ^ 1))
            for client, guard in calls.items():
                opened[client] = machine.either((opened[client], guard))
                current[client] = machine.select(guard, result[client], current[client])
        return machine.either(found.values())

    def _marks(self, there: int, item: Value) -> tuple[dict[Any, int], dict[Any, int]]:
        """For each client, when an event is a call of its, and when a return."""
        machine = self.machine
        calls: dict[Any, int] = {}
        returns: dict[Any, int] = {}
        for kind in alternatives(self.event):
            assert isinstance(kind, RecordType)
            guard, record = item[class_key(kind)] if isinstance(item, Union) else (TRUE, item)
            client, answered = (parts_of(record)[kind.names.index(name)] for name in ("client", "returned"))
            returned = as_condition(answered)
            client_type = dict(kind.fields)["client"]
            for python, condition in machine.cells.cases(client, client_type):
                for mark, what in ((returns, returned), (calls, returned ^ 1)):
                    one = machine.both((there, guard, condition, what))
                    if one != FALSE:
                        mark[python] = machine.either((mark.get(python, FALSE), one))
        return calls, returns

    def _results(
        self, items: list[Value], marks: list[tuple[dict[Any, int], dict[Any, int]]], clients: list[Any]
    ) -> list[dict[Any, Value]]:
        """For each event, should it be a call of a client, the event that tells what the operation did: the next return
        of the client, or else the call itself."""
        machine = self.machine
        later: dict[Any, tuple[int, Value]] = dict.fromkeys(clients, (FALSE, ABSENT))
        found: list[dict[Any, Value]] = []
        for item, (_, returns) in zip(reversed(items), reversed(marks), strict=True):
            found.append({client: machine.select(some, event, item) for client, (some, event) in later.items()})
            for client, guard in returns.items():
                some, event = later[client]
                later[client] = machine.either((guard, some)), machine.select(guard, item, event)
        return found[::-1]

    def _returned(
        self,
        found: Configurations,
        returns: dict[Any, int],
        opened: dict[Any, int],
        current: dict[Any, Value],
    ) -> Configurations:
        """The configurations after an event that may be a return of some clients, or no return."""
        machine, some = self.machine, self.machine.either(returns.values())
        after: dict[tuple[frozenset[Any], Any], list[int]] = {
            key: [machine.both((guard, some ^ 1))] for key, guard in found.items()
        }
        for (done, state), guard in self._with_effects(found, some, opened, current).items():
            for client in [one for one in returns if one in done]:
                kept = machine.both((guard, returns[client]))
                after.setdefault((done - {client}, state), []).append(kept)
        joined = {key: machine.either(parts) for key, parts in after.items()}
        return {key: guard for key, guard in joined.items() if guard != FALSE}

    def _with_effects(
        self, found: Configurations, when: int, opened: dict[Any, int], current: dict[Any, Value]
    ) -> Configurations:
        """The configurations and those that they become when open operations take effect, one after the other."""
        machine = self.machine
        reached = dict(found)
        for size in range(len(opened)):
            for (done, state), guard in [item for item in reached.items() if len(item[0][0]) == size]:
                for client in [one for one in opened if one not in done]:
                    condition = machine.both((guard, when, opened[client]))
                    if condition == FALSE:
                        continue
                    for after, right in self._effect(state, current[client], condition):
                        key = (done | {client}, after)
                        reached[key] = machine.either((reached.get(key, FALSE), right))
        return reached

    def _effect(self, state: Any, event: Value, condition: int) -> list[tuple[Any, int]]:
        """The states that an operation can lead to where a condition is true, each with its own."""
        machine = self.machine
        with machine.under(condition):
            before = machine.constant(state, self.state)
            allowed, after = parts_of(machine.apply(self.function, [before, event], self.env))
            right = as_condition(allowed)
        cases = [
            (one, machine.both((condition, right, guard))) for one, guard in machine.cells.cases(after, self.state)
        ]
        return [(one, guard) for one, guard in cases if guard != FALSE]
