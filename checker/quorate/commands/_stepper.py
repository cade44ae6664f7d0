"""`quorate explore --terminal`: the explorer as plain text, for a terminal without a browser."""

from __future__ import annotations

from dataclasses import dataclass, replace

import click

from quorate.errors import QuorateError, printable
from quorate.explorer.session import Session
from quorate.explorer.stage import Run
from quorate.trace import Json

HELP = """\
  NUMBER     take what can happen        u, redo   undo, redo
  s          the state                   n         what cannot happen, and why
  r          a random step               t EXPR    to a state where a Python expression is true
  v          to a violation              g NAME    to a goal
  p          the properties              q         end"""


@dataclass(frozen=True)
class Place:
    """A run, and where in it a reader stands."""

    variant: str | None
    run: Run
    at: int

    def question(self, **more: Json) -> Json:
        """What a session is asked of it."""
        return {"variant": self.variant, "run": self.run.to_json(), "at": self.at, **more}


def step_through(session: Session, variant: str | None, run: Run) -> None:
    """Ask, show, until the reader ends it."""
    place = Place(variant, run, len(run.steps))
    look = session.answer("look", place.question())
    _say(_here(look, place))
    while True:
        try:
            typed = click.prompt("", prompt_suffix="> ", default="", show_default=False).strip()
        except click.Abort:
            return
        if typed in ("q", "quit", "exit"):
            return
        try:
            moved = _moved(session, place, look, typed)
        except QuorateError as error:
            _say([str(error)])
            continue
        if moved is not None:
            place = moved
            look = session.answer("look", place.question())
            _say(_here(look, place))


def _moved(session: Session, place: Place, look: Json, typed: str) -> Place | None:
    """Where a command leads; None if it only shows something."""
    word, _, rest = typed.partition(" ")
    options = look["now"]["options"]
    if word.isdecimal() and 1 <= int(word) <= len(options):
        option = options[int(word) - 1]
        steps = (*place.run.steps[: place.at], (option["action"], option["arguments"]))
        return Place(place.variant, replace(place.run, steps=steps), len(steps))
    match word:
        case "u":
            return replace(place, at=max(place.at - 1, 0))
        case "redo":
            return replace(place, at=min(place.at + 1, len(place.run.steps)))
        case "r":
            found = session.answer("walk", place.question(steps=1))
            return _ended(place, Run.from_json(found["run"]))
        case "v":
            return _sought(session, place, {"kind": "violation"})
        case "t" if rest:
            return _sought(session, place, {"kind": "expression", "what": rest})
        case "g" if rest:
            return _sought(session, place, {"kind": "goal", "what": rest})
        case "s":
            _say(_state(look, place))
        case "n":
            _say(_refused(look))
        case "p":
            _say(_properties(look))
        case _:
            _say([HELP])
    return None


def _sought(session: Session, place: Place, aim: Json) -> Place | None:
    found = session.answer("seek", place.question(aim=aim))
    _say([found["words"]])
    if "run" not in found:
        return None
    steps = (*place.run.steps[: place.at], *Run.from_json(found["run"]).steps)
    return _ended(place, replace(place.run, steps=steps))


def _ended(place: Place, run: Run) -> Place:
    return Place(place.variant, run, len(run.steps))


def _say(lines: list[str]) -> None:
    for line in lines:
        click.echo(printable(line))


def _here(look: Json, place: Place) -> list[str]:
    """The last step, what is false, and what can happen."""
    lines = [""]
    if place.at == 0:
        lines.append("initial state")
    else:
        step = look["run"]["steps"][place.at - look["offset"] - 1]
        given = ", ".join(f"{name} {value}" for name, value in step["arguments"])
        lines.append(f"step {place.at} of {len(place.run.steps)}: {step['action']} {step['lane']} {given}".rstrip())
        for verb, messages in (("receives", step["received"]), ("sends", step["sent"]), ("loses", step["lost"])):
            lines += [f"    {verb} {number} {payload}" for number, payload in messages]
        lines += [
            f"    {change['place']} {'' if change['old'] is None else change['old'] + ' → '}{change['new'] or '-'}"
            for change in step["changes"]
        ]
    lines += [f"  ✗ {name} is false" for name in look["judged"][place.at]["false"]]
    if look["now"]["failure"]:
        return [*lines, f"  {look['now']['failure']}"]
    for number, option in enumerate(look["now"]["options"], 1):
        taken = f" ← {', '.join(option['received'])}" if option["received"] else ""
        lines.append(f"{number:3}  {option['action']} {option['lane']}{taken} {option['given']}".rstrip())
    return lines if look["now"]["options"] else [*lines, "  nothing is possible here"]


def _state(look: Json, place: Place) -> list[str]:
    states = look["run"]["states"]
    cells: dict[tuple[int, int], str] = {}
    for frame in states["frames"][: place.at - look["offset"] + 1]:
        cells |= {(cell[0], cell[1]): cell[2] for cell in frame}
    wide = max(map(len, states["rows"]), default=0)
    lines = []
    for row, name in enumerate(states["rows"]):
        values = [f"{lane} {cells[row, at]}" for at, lane in enumerate(states["columns"]) if (row, at) in cells]
        lines.append(f"  {name:{wide}}  {'   '.join(values) if values else cells.get((row, -1), '')}")
    return lines + [f"  {message['id']} {message['payload']}" for message in look["now"]["wire"]]


def _refused(look: Json) -> list[str]:
    return [
        f"  {one['action']} {reason['lane']} {reason['given']}: {reason['why']}".replace(" :", ":")
        for one in look["now"]["refused"]
        for reason in one["reasons"] or [{"lane": "", "given": "", "why": "there is nothing to take"}]
    ]


def _properties(look: Json) -> list[str]:
    words = {True: "true", False: "false", None: "not judged by one state"}
    goals = {True: "reached", False: "not reached", None: ""}
    return [f"  {one['name']}: {(goals if one['goal'] else words)[one['holds']]}" for one in look["now"]["properties"]]
