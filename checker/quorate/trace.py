"""One run of a protocol, as data: what happened, step by step, and which property it violates.

A `Trace` knows nothing of specs or engines. Its values are JSON values in the form the language's types
write (`to_json`): an enum member or an identity is its name, a record is `{"record": name, "fields": {...}}`,
a tuple `{"tuple": [...]}`, a list `[...]`, a set or network `{"set": [...]}`, a bag `{"bag": [[value, count], ...]}`,
a map `{"map": [[key, value], ...]}`, channels `{"channels": [[source, target, [message, ...]], ...]}`.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from quorate.errors import TraceError
from quorate.files import write_whole
from quorate.kinds import TRACES
from quorate.showing import shown

Json = Any
"""A value as `json.loads` gives it."""

FORMAT = "quorate-trace-1"


@dataclass(frozen=True)
class Message:
    """A message on the wire. `id` is `m1, m2, ...` in order of sending; a re-delivered one keeps its id.

    `copy` is true on a reception that is not the first one of this message.
    """

    id: str
    payload: Json
    copy: bool = False


@dataclass(frozen=True)
class Change:
    """One place of the state that a step changed: `variable[key]...`, from `old` to `new`.

    `lane` names the lane that owns the place, if its first key is a lane. `relevant` is true when the
    violated property reads this place.
    """

    variable: str
    key: tuple[Json, ...]
    old: Json
    new: Json
    lane: str | None = None
    relevant: bool = False


@dataclass(frozen=True)
class AbstractStep:
    """What a step is in the more abstract specification that is refined: an `action` there, or none where nothing changes or where
    there is none that makes these `changes`, which violates the refinement."""

    action: str | None
    arguments: dict[str, Json]
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True)
class Abstraction:
    """The more abstract specification whose steps stand beside those of a run, and its state in the beginning."""

    spec: str
    initial: dict[str, Json]


@dataclass(frozen=True)
class Step:
    """One transition. `index` counts from 1; `lane` is where it happened.

    `mark` is what the spec's author called it: `crash`, `restart`, `timeout`, `partition`, `heal`, `loss`, or None.
    `isolated` lists, for a partition, the lanes on one side of it.

    `reads` are the places of the state that the step read, as (variable, key, ...), guards included; None in a trace that does
    not tell. A network is among them where it made a difference what was not on it. `looked_at` are the ids of the messages on
    the wire that it read, beside those that it received or lost. `abstract` is set in runs that violate a refinement.
    """

    index: int
    action: str
    arguments: dict[str, Json]
    lane: str
    mark: str | None = None
    sent: tuple[Message, ...] = ()
    received: tuple[Message, ...] = ()
    lost: tuple[Message, ...] = ()
    changes: tuple[Change, ...] = ()
    isolated: tuple[str, ...] = ()
    reads: tuple[tuple[Json, ...], ...] | None = None
    looked_at: tuple[str, ...] = ()
    abstract: AbstractStep | None = None


@dataclass(frozen=True)
class Witness:
    """A value that makes the property false: `name` is a bound variable or a subexpression of the property.

    `steps` are the indices of the steps that set the places it reads.
    """

    name: str
    value: Json
    steps: tuple[int, ...] = ()


@dataclass(frozen=True)
class Trace:
    """A run from an initial state; or, for a counterexample to induction, a step from a state that need not be reachable.

    `loop` makes it a lasso: after the last step the run goes on from the state that follows step `loop` (0 is the initial
    state; `len(steps)` means that it stays in its last state for ever). `kind` is what was found: `invariant`, `step`,
    `deadlock`, `error`, `eventually`, `leads_to`, `reachable` (a state that satisfies a reachability property),
    `induction` (no run: `initial` is hypothetical) or `run` (nothing is violated: a simulation). `sentence` is the
    property's own description. `role` names the enum-valued variable, keyed by lanes, that colours the lifelines, and
    `roles` its values in order of definition. `given` is what the initial state has that is not the zero (or default) of its
    type; `looked_at` are the ids of the messages on the wire that the property reads. `abstract` is set where a refinement is
    violated, or what it carries over.
    """

    spec: str
    variant: str | None
    bounds: dict[str, int]
    kind: str
    property: str | None
    sentence: str
    lanes: tuple[str, ...]
    initial: dict[str, Json]
    steps: tuple[Step, ...]
    witnesses: tuple[Witness, ...] = ()
    loop: int | None = None
    role: str | None = None
    roles: tuple[str, ...] = ()
    initial_arguments: dict[str, Json] = field(default_factory=dict)
    given: tuple[Change, ...] = ()
    looked_at: tuple[str, ...] = ()
    abstract: Abstraction | None = None

    def __len__(self) -> int:
        return len(self.steps)

    def __bool__(self) -> bool:
        """A run that ends in its first state is one, too."""
        return True

    def _repr_svg_(self) -> str | None:
        """The space-time diagram, in a notebook."""
        return shown("svg", self)

    def to_json(self) -> dict[str, Json]:
        """A JSON object; `Trace.from_json` gives back an equal trace."""
        body: dict[str, Json] = json.loads(json.dumps({"format": FORMAT} | asdict(self)))
        for part in (body, *body["steps"]) if self.abstract is None else ():
            del part["abstract"]
        return body

    @staticmethod
    def from_json(data: Json) -> Trace:
        """The trace that `to_json` wrote. Raises `TraceError`, naming the field, for anything else."""
        if not isinstance(data, dict) or data.get("format") != FORMAT:
            raise TraceError(f'This is not a Quorate trace: it has no field "format" with the value "{FORMAT}".')
        try:
            return _trace(data)
        except (KeyError, TypeError, ValueError) as error:
            what = f"the field {error} is missing" if isinstance(error, KeyError) else str(error)
            raise TraceError(
                f"The trace is damaged: {what}. Make it again with `quorate check ... --out DIR`."
            ) from None

    def save(self, path: Path) -> None:
        """Write the JSON form; a reader never sees half a file."""
        write_whole(path, json.dumps(self.to_json(), indent=1, ensure_ascii=False) + "\n")

    @staticmethod
    def load(path: Path) -> Trace:
        """Read a stored trace. Raises `TraceError` if there is no file or it is not a whole trace."""
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
            if _deeper(data, DEPTH_MAX):
                raise TraceError(
                    f"its values are nested more than {DEPTH_MAX} deep, as no trace of a specification is."
                )
            return Trace.from_json(data)
        except OSError as error:
            raise TraceError(f"Cannot read the trace {path}: {error.strerror}.") from None
        except (json.JSONDecodeError, UnicodeDecodeError) as error:
            raise TraceError(f"{path} is not valid JSON ({error}): the file is truncated or was edited.") from None
        except RecursionError:
            raise TraceError(f"{path} is no trace: its JSON is nested too deep to be read.") from None
        except ValueError:
            raise TraceError(f"{path} is no trace: it has a number of thousands of digits.") from None
        except TraceError as error:
            raise TraceError(f"{path}: {error}") from None

    def but(self, **changes: Any) -> Trace:
        """A copy with other fields."""
        return replace(self, **changes)


DEPTH_MAX = 200
"""Of values inside values, in a stored trace."""


def _deeper(data: Json, most: int) -> bool:
    """Whether JSON is nested deeper than that."""
    level = [data]
    for _ in range(most):
        level = [part for value in level for part in _inside(value)]
        if not level:
            return False
    return True


def _inside(value: Json) -> list[Json]:
    return list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []


PARTS: dict[str, tuple[type, ...] | None] = {
    "set": None,
    "tuple": None,
    "bag": (object, int),
    "map": (object, object),
    "channels": (object, object, list),
}
"""What stands in the list of a container: values, or lists of what has these types."""


def form(value: Json) -> str | None:
    """Which of the forms above a list or an object has; None for words and numbers, and for objects that have none of them."""
    if isinstance(value, list):
        return "list"
    if not isinstance(value, dict):
        return None
    if value.keys() == {"record", "fields"}:
        return "record" if isinstance(value["record"], str) and isinstance(value["fields"], dict) else None
    tag = next(iter(value)) if len(value) == 1 else ""
    if tag not in PARTS or not isinstance(value[tag], list):
        return None
    kinds = PARTS[tag]
    return tag if kinds is None or all(_consists_of(part, kinds) for part in value[tag]) else None


def _consists_of(part: Json, kinds: tuple[type, ...]) -> bool:
    return isinstance(part, list) and len(part) == len(kinds) and all(map(isinstance, part, kinds))


def _value(data: Json, name: str) -> Json:
    """A value in these forms, whatever is in it."""
    if isinstance(data, dict) and form(data) is None:
        raise ValueError(f"the field {name!r} has a value of no known form ({', '.join(data) or 'an empty object'})")
    inside = data["fields"] if isinstance(data, dict) and "fields" in data else data
    for part in _inside(inside):
        _value(part, name)
    return data


def _values(data: Json, name: str) -> dict[str, Json]:
    """Values by names."""
    return {one: _value(value, name) for one, value in _typed(data, dict, name).items()}


def _texts(data: Json, name: str) -> tuple[str, ...]:
    return tuple(_typed(one, str, name) for one in _typed(data, list, name))


def _typed(value: Any, kind: type | tuple[type, ...], name: str) -> Any:
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise ValueError(f"the field {name!r} has the wrong type ({type(value).__name__})")
    return value


def _message(data: dict[str, Json]) -> Message:
    return Message(
        _typed(data["id"], str, "id"), _value(data["payload"], "payload"), _typed(data["copy"], bool, "copy")
    )


def _change(data: dict[str, Json]) -> Change:
    return Change(
        _typed(data["variable"], str, "variable"),
        tuple(_value(_typed(data["key"], list, "key"), "key")),
        _value(data["old"], "old"),
        _value(data["new"], "new"),
        _typed(data["lane"], (str, type(None)), "lane"),
        _typed(data["relevant"], bool, "relevant"),
    )


def _step(data: dict[str, Json]) -> Step:
    def messages(name: str) -> tuple[Message, ...]:
        return tuple(_message(item) for item in _typed(data[name], list, name))

    return Step(
        _typed(data["index"], int, "index"),
        _typed(data["action"], str, "action"),
        _values(data["arguments"], "arguments"),
        _typed(data["lane"], str, "lane"),
        _typed(data["mark"], (str, type(None)), "mark"),
        messages("sent"),
        messages("received"),
        messages("lost"),
        tuple(_change(item) for item in _typed(data["changes"], list, "changes")),
        _texts(data["isolated"], "isolated"),
        _reads(data.get("reads")),
        _texts(data.get("looked_at", []), "looked_at"),
        _abstract_step(data.get("abstract")),
    )


def _abstract_step(data: Json) -> AbstractStep | None:
    if data is None:
        return None
    return AbstractStep(
        _typed(data["action"], (str, type(None)), "action"),
        _values(data["arguments"], "arguments"),
        tuple(_change(item) for item in _typed(data["changes"], list, "changes")),
    )


def _abstraction(data: Json) -> Abstraction | None:
    if data is None:
        return None
    return Abstraction(_typed(data["spec"], str, "spec"), _values(data["initial"], "initial"))


def _reads(data: Json) -> tuple[tuple[Json, ...], ...] | None:
    """The places that a step read; traces of an earlier day do not tell."""
    if data is None:
        return None
    return tuple(_place(place, "reads") for place in _typed(data, list, "reads"))


def _place(data: Json, name: str) -> tuple[Json, ...]:
    """A variable, and keys in it."""
    variable, *keys = _typed(data, list, name) or (None,)
    return _typed(variable, str, name), *_value(keys, name)


def _trace(data: dict[str, Json]) -> Trace:
    optional = (str, type(None))
    loop = _typed(data["loop"], (int, type(None)), "loop")
    steps = tuple(_step(item) for item in _typed(data["steps"], list, "steps"))
    if [step.index for step in steps] != list(range(1, len(steps) + 1)):
        raise ValueError("the steps are not numbered 1, 2, 3, ...")
    if data["kind"] not in TRACES:
        raise ValueError(f"the kind {data['kind']!r} is none of {', '.join(TRACES)}")
    if loop is not None and not 0 <= loop <= len(steps):
        raise ValueError(f"the loop goes back to step {loop}, which does not exist")
    return Trace(
        spec=_typed(data["spec"], str, "spec"),
        variant=_typed(data["variant"], optional, "variant"),
        bounds={name: _typed(size, int, name) for name, size in _typed(data["bounds"], dict, "bounds").items()},
        kind=_typed(data["kind"], str, "kind"),
        property=_typed(data["property"], optional, "property"),
        sentence=_typed(data["sentence"], str, "sentence"),
        lanes=_texts(data["lanes"], "lanes"),
        initial=_values(data["initial"], "initial"),
        steps=steps,
        witnesses=tuple(
            Witness(
                _typed(item["name"], str, "name"),
                item["value"],
                tuple(_typed(step, int, "steps") for step in _typed(item["steps"], list, "steps")),
            )
            for item in _typed(data["witnesses"], list, "witnesses")
        ),
        loop=loop,
        role=_typed(data["role"], optional, "role"),
        roles=_texts(data["roles"], "roles"),
        initial_arguments=_values(data["initial_arguments"], "initial_arguments"),
        given=tuple(_change(item) for item in _typed(data.get("given", []), list, "given")),
        looked_at=_texts(data.get("looked_at", []), "looked_at"),
        abstract=_abstraction(data.get("abstract")),
    )
