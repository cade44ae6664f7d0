"""How fast `quorate history` judges, on generated histories. Run: `python -m bench.history [--quick]`.

Each history is what a correct store would have recorded: operations take effect at a random moment between invocation
and answer. An invalid one has one answer, late in the record, replaced by an older one. Seeds are fixed, so that a line
of the table means the same history everywhere. Times are of one judgement, with evidence or checked witness, without
reading a file. `--lines N` instead measures the command `quorate history` on a file of N lines of list-append transactions.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from quorate.consistency import History, Model, Operation, Satisfied, judge
from quorate.consistency.history import Value
from quorate.consistency.models import MODELS, REFUSED
from quorate.consistency.native import library
from quorate.consistency.values import Map

from bench.measuring import measure as run_measured
from bench.measuring import summary

Call = tuple[str, Value]
Steps = tuple[tuple[str, int, Value], ...]


@dataclass
class Client:
    """A client between operations, or with one that was invoked and may have taken effect."""

    process: int
    call: Call | None = None
    key: int = 0
    invoked: int = 0
    done: bool = False
    result: Value = None


def draw_call(model: str, rng: random.Random, number: int, holding: bool) -> Call:
    """A random operation of a built-in model."""
    choices: dict[str, Callable[[], list[Call]]] = {
        "register": lambda: [("read", None), ("write", rng.randrange(5))],
        "cas-register": lambda: [
            ("read", None),
            ("write", rng.randrange(5)),
            ("cas", (rng.randrange(5), rng.randrange(5))),
        ],
        "append-string": lambda: [("read", None), ("append", f"{number},")],
        "set": lambda: [("read", None), ("add", rng.randrange(20)), ("remove", rng.randrange(20))],
        "queue": lambda: [("enqueue", number), ("dequeue", None)],
        "counter": lambda: [("read", None), ("add", rng.randrange(1, 4)), ("increment", None)],
        "map": lambda: [("get", None), ("put", rng.randrange(5)), ("delete", None)],
        "lock": lambda: [("release" if holding else "acquire", None)],
        "mutex": lambda: [("release" if holding else "acquire", None)],
        "multi-register": lambda: [
            ("read", None),
            ("write", Map(frozenset({(rng.choice("xyz"), rng.randrange(5))}))),
        ],
    }
    return rng.choice(choices[model]())


def effect(model: Model, state: Any, client: Client) -> tuple[Value, Value] | None:
    """The state after the client's operation and its true result; None while it must wait."""
    assert client.call is not None
    function, argument = client.call
    results: dict[str, Callable[[], Value]] = {
        "read": lambda: whole(model, state),
        "get": lambda: dict(state).get(client.key),
        "dequeue": lambda: state[0] if state else None,
        "cas": lambda: state == argument[0],  # type: ignore[index]
    }
    result = results.get(function, lambda: None)()
    after = model.step(state, Operation(0, client.process, function, argument, result, 0, 1, client.key))
    return None if after is REFUSED else (after, result)


def whole(model: Model, state: Any) -> Value:
    """What a read of the whole object returns."""
    if model.name == "set":
        return tuple(sorted(state))
    return Map(frozenset(state)) if model.name == "multi-register" else state


def recorded(model: Model, operations: int, clients: int, keys: int, seed: int, crashes: float = 0.0) -> History:
    """What `clients` record of a correct store with `keys` objects. Crashed clients go on under a new process."""
    rng = random.Random(seed)
    everybody = [Client(p) for p in range(clients)]
    states: dict[int, Value] = dict.fromkeys(range(keys), model.initial)
    held: dict[int, int] = {}
    found: list[Operation] = []
    position = invoked = 0
    fresh = clients
    while len(found) < operations:
        client = rng.choice(everybody)
        if client.call is None:
            if invoked < operations:
                client.key = held.get(client.process, rng.randrange(keys))
                client.call = draw_call(model.name, rng, invoked, client.process in held)
                client.invoked, client.done = position, False
                position, invoked = position + 1, invoked + 1
        elif not client.done:
            happened = effect(model, states[client.key], client)
            if happened is not None:
                states[client.key], client.result = happened
                client.done = True
                if client.call[0] == "acquire":
                    held[client.process] = client.key
                elif client.call[0] == "release":
                    del held[client.process]
            elif invoked == operations:  # A lock that nobody will release any more.
                found.append(_operation(client, None))
                client.call = None
        else:
            crashed = rng.random() < crashes
            found.append(_operation(client, None if crashed else position))
            position += 1
            client.call = None
            if crashed:
                client.process, fresh = fresh, fresh + 1
    return History.of(found)


def _operation(client: Client, returned: int | None) -> Operation:
    assert client.call is not None
    function, argument = client.call
    result = client.result if returned is not None else None
    return Operation(0, client.process, function, argument, result, client.invoked, returned, client.key)


def spoiled(history: History, seed: int) -> History:
    """The history with one late answer that was true earlier: a stale read, a value dequeued twice; or a lock that is
    released by a process that does not hold it."""
    rng = random.Random(seed)
    telling = [o for o in history if o.function in ("read", "get", "dequeue", "release") and not o.pending]
    for victim in reversed(telling):
        if victim.function == "release":
            return History(tuple(replace(o, process="thief") if o is victim else o for o in history))
        earlier = [
            o.result for o in telling if o.key == victim.key and o.precedes(victim) and o.result != victim.result
        ]
        if earlier:
            stale = earlier[rng.randrange(len(earlier))]
            return History(tuple(replace(o, result=stale) if o is victim else o for o in history))
    raise ValueError("The history has no answer to spoil.")


def invalid(history: History, model: Model) -> History:
    """The first spoiled form of the history that is not linearizable (a stale answer may be excused by an overlapping
    update)."""
    forms = (spoiled(history, seed) for seed in range(1_000))
    return next(each for each in forms if not isinstance(judge(each, "linearizable", model), Satisfied))


def appended(transactions: int, clients: int, keys: int, seed: int, skew: bool = False) -> History:
    """List-append transactions of a strictly serializable store. A key is retired after 100 appends, as in Elle's
    workloads.

    With `skew`, two transactions at the end miss each other's write."""
    rng = random.Random(seed)
    store: dict[int, tuple[int, ...]] = {}
    live, fresh = list(range(keys)), keys
    free = [-1.0] * clients
    found: list[tuple[int, Steps, float, float]] = []
    for number in range(transactions):
        steps: list[tuple[str, int, Value]] = []
        for _ in range(rng.randint(1, 4)):
            slot = rng.randrange(keys)
            key = live[slot]
            if rng.random() < 0.5:
                steps.append(("r", key, store.get(key, ())))
            else:
                store[key] = (*store.get(key, ()), len(store.get(key, ())) + 1)
                steps.append(("append", key, store[key][-1]))
                if len(store[key]) >= 100:
                    live[slot], fresh = fresh, fresh + 1
        process = min(range(clients), key=lambda p: free[p])
        invoked = max(number - clients * rng.random(), free[process] + rng.random() / 1000)
        free[process] = number + rng.random() / 2
        found.append((process, tuple(steps), invoked, free[process]))
    if skew:
        end = float(transactions)
        found.append((clients, (("r", -2, ()), ("append", -1, 1)), end + 1, end + 3))
        found.append((clients + 1, (("r", -1, ()), ("append", -2, 1)), end + 2, end + 4))
    return _positioned(found)


def _positioned(found: list[tuple[int, Steps, float, float]]) -> History:
    """The transactions with their times replaced by positions."""
    times = sorted((moment, n, kind) for n, (_, _, *span) in enumerate(found) for kind, moment in enumerate(span))
    place = {(n, kind): position for position, (_, n, kind) in enumerate(times)}
    return History.of(
        Operation(0, process, "txn", steps, steps, place[n, 0], place[n, 1])
        for n, (process, steps, _, _) in enumerate(found)
    )


def measure(name: str, history: History, level: str, model: Model | None = None) -> None:
    started = time.perf_counter()
    verdict = judge(history, level, model)
    seconds = time.perf_counter() - started
    print(f"{name:36} {level:20} {len(history):7,} operations  {verdict.verdict:9} {seconds:8.3f} s", flush=True)


def write(history: History, path: Path) -> None:
    """The record of answered transactions as JSON lines."""
    events = []
    for o in history:
        assert isinstance(o.argument, tuple)
        asked = [(step[0], step[1], None) if step[0] == "r" else step for step in o.argument if isinstance(step, tuple)]
        events += [(o.invoked, o.process, "invoke", asked), (o.returned or 0, o.process, "ok", o.result)]
    with path.open("w") as file:
        for _, process, kind, steps in sorted(events, key=lambda event: event[0]):
            file.write(json.dumps({"process": process, "type": kind, "f": "txn", "value": steps}) + "\n")


def of_a_file(lines: int, runs: int = 3) -> None:
    """CPU seconds and memory of the command, medians."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "record.jsonl"
        write(appended(lines // 2, 20, 20, seed=1), path)
        command = ["quorate", "history", str(path), "--level", "strict-serializable", "--max-memory", "4"]
        of = summary([run_measured(command, Path(folder), {}) for _ in range(runs)])
        print(
            f"{lines:,} lines, strict-serializable: {of.cpu_s:.1f} CPU s, {of.memory_bytes / 1e9:.2f} GB ({runs} runs)"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a tenth of the size")
    parser.add_argument("--lines", type=int, metavar="N", help="the command on a file of N lines")
    arguments = parser.parse_args()
    if arguments.lines:
        of_a_file(arguments.lines)
        return
    scale = 10 if arguments.quick else 1
    library()  # Compiled once, outside the measurements.
    for name, cls in MODELS.items():
        history = recorded(cls(), 2_000 // scale, 50, 10, seed=1)
        measure(f"{name}, 50 clients, 10 keys", history, "linearizable", cls())
        measure(f"{name}, one answer spoiled", invalid(history, cls()), "linearizable", cls())
    crashing = recorded(MODELS["cas-register"](), 2_000 // scale, 50, 10, seed=1, crashes=0.02)
    measure("cas-register, one in 50 crashes", crashing, "linearizable", MODELS["cas-register"]())
    for level in ("serializable", "strict-serializable", "snapshot-isolation"):
        measure("list-append, 20 clients, 20 keys", appended(20_000 // scale, 20, 20, seed=1), level)
        measure("list-append, one write skew", appended(20_000 // scale, 20, 20, seed=1, skew=True), level)


if __name__ == "__main__":
    main()
