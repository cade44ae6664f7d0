"""What a command found, as every output format takes it: results, and the properties and runs behind them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from quorate.errors import Location
from quorate.trace import Json

Level = Literal["success", "failure", "open", "error"]
"""`open`: not known to be a success or a failure. `error`: what was to be judged is itself wrong."""


@dataclass(frozen=True)
class Rule:
    """What is judged: a property, or what is asked of every specification. `id` is the same from run to run (`raft.Raft.one_leader`),
    `meaning` says when such a property is true."""

    id: str
    sentence: str
    meaning: str


@dataclass(frozen=True)
class Event:
    """One step of a run: what happened, as text; where its action is defined; the places that it changed, with their new values.
    `matters`: whether it is in the causal past of the violation, None if nothing singles that out."""

    text: str
    location: Location | None
    changes: Mapping[str, str]
    matters: bool | None = None


@dataclass(frozen=True)
class Problem:
    """What is wrong, or not known, of one rule: in a sentence, at a place, with the run that shows it if there is one."""

    rule: Rule
    level: Level
    sentence: str
    location: Location | None = None
    run: tuple[Event, ...] = ()


@dataclass(frozen=True)
class Result:
    """What became of one thing that was judged. `spec` and `name` say what it is; `word` is the verdict, `sentence` the verdict
    in a sentence, `details` what shows it (a run, say), `summary` what a reader sees as text. `facts` is the JSON object. `rules`
    are the properties that were judged, `problems` what became of those that are not known to hold."""

    spec: str
    name: str
    level: Level
    word: str
    sentence: str
    facts: Mapping[str, Json]
    details: str = ""
    summary: str = ""
    seconds: float = 0.0
    location: Location | None = None
    rules: tuple[Rule, ...] = ()
    problems: tuple[Problem, ...] = ()


def relative(file: str) -> str:
    """The path from the working directory, if it is below: what a repository knows a file by."""
    try:
        near = os.path.relpath(file)
    except ValueError:  # Another drive.
        return file
    return file if near.startswith(os.pardir) else near
