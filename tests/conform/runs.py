"""Logs of programs that do what a specification says: random runs of it, told in the words of a log."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from quorate.conform import OPEN
from quorate.conform.sizes import sized
from quorate.conform.subject import identities_of
from quorate.explore.choices import Choices
from quorate.explore.traces.witnesses import plain_json
from quorate.language.control import Cut
from quorate.language.spec import Spec
from quorate.language.system import State, System
from quorate.language.types import MapType, Type

Line = dict[str, Any]


def members(spec: type[Spec], *open_sorts: str) -> dict[str, Any]:
    """The members of each sort, as the specification itself calls them."""
    system = System(spec)
    with system:
        return {
            name: OPEN if name in open_sorts else tuple(map(repr, sort.members()))
            for name, sort in identities_of(system).items()
        }


def numbers(spec: type[Spec]) -> dict[str, int]:
    """Where the sorts of numbers end that end in the protocol itself."""
    return {name: System(spec).bounds[name] for name in sized(spec)}


def random_run(spec: type[Spec], seed: int, length: int) -> list[Line]:
    """The events of a random run within the bounds of a specification, each with its arguments and all that it changes."""
    rng = random.Random(seed)
    system = System(spec)
    lines: list[Line] = []
    with system:
        choices = [(action, Choices(system, action)) for action in system.actions]
        arguments, state = rng.choice(list(system.initial()))
        inits = system.of("init")
        if inits:
            named = dict(zip((one.name for one in inits[0].parameters), map(plain_json, arguments), strict=True))
            lines.append({"event": "init", "args": named})
        while len(lines) < length:
            possible = []
            for action, choose in rng.sample(choices, len(choices)):
                for chosen in choose(state):
                    try:
                        after = system.fire(state, action, chosen)
                    except Cut:
                        continue
                    if after is not None:
                        possible.append((action, chosen, after.state))
                if possible:
                    break
            if not possible:
                break
            action, chosen, after = rng.choice(possible)
            args = dict(zip((one.name for one in action.parameters), map(plain_json, chosen), strict=True))
            lines.append({"event": action.name, "args": args, "vars": dict(changes(system, state, after))})
            state = after
    return lines


def changes(system: System, old: State, new: State) -> Iterator[tuple[str, Any]]:
    """The variables that a step changes, with their new values: of a map, those of the keys that it changes."""
    for variable, before, after in zip(system.variables, old, new, strict=True):
        if before != after:
            yield variable.name, _changed(variable.type, before, after)


def _changed(kind: Type, old: Any, new: Any) -> Any:
    if not isinstance(kind, MapType):
        return kind.to_json(new)
    return {
        "map": [
            [kind.key.to_json(key), _changed(kind.value, old[key], new[key])]
            for key in kind.keys
            if old[key] != new[key]
        ]
    }


def write(path: Path, lines: list[Line]) -> str:
    """Write a log."""
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return str(path)
