"""What was found of a program that was driven through its specification, for people and for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from quorate.errors import Location
from quorate.outcome import Exit
from quorate.report.results import Level, Problem, Result, Rule
from quorate.report.values import show
from quorate.trace import Json

if TYPE_CHECKING:
    from quorate.conform import Driven
    from quorate.conform.told import Misfit

WIDTH = 90
LEVELS: dict[Exit, Level] = {Exit.SUCCESS: "success", Exit.VIOLATED: "failure", Exit.OPEN: "open"}


def reason(misfit: Misfit) -> list[str]:
    """Why something does not fit, with the values side by side."""
    if misfit.is_effect:
        column = max((len(one.name) for one in misfit.differences), default=0)
        rows = [
            f"      {one.name.ljust(column)}  expected {show(one.expected, WIDTH)}, observed {show(one.observed, WIDTH)}"
            for one in misfit.differences
        ]
    else:
        rows = [f"      {one.name} is {show(one.expected, WIDTH)}" for one in misfit.differences]
    return [f"  {call(misfit.action, misfit.arguments)}: {misfit.reason}", *rows]


def call(action: str | None, arguments: object) -> str:
    """An action with its arguments."""
    if action is None:
        return "no action"
    assert isinstance(arguments, dict)
    return f"{action}({', '.join(f'{name} {show(value, WIDTH)}' for name, value in arguments.items())})"


def misfit_facts(misfit: Misfit) -> dict[str, Json]:
    """A misfit as JSON."""
    return {
        "action": misfit.action,
        "arguments": dict(misfit.arguments),
        "reason": misfit.reason,
        "effect": misfit.is_effect,
        "differences": [
            {"name": one.name, "expected": one.expected, "observed": one.observed if misfit.is_effect else None}
            for one in misfit.differences
        ],
    }


def sentence(driven: Driven, adapter: str) -> str:
    """The verdict in a sentence."""
    left_out = sum(driven.omitted.values())
    part = f"{driven.covered:,} of {driven.total:,} transitions" + (f", {left_out:,} omitted" if left_out else "")
    if driven.misfit is not None:
        return f"{adapter} leaves {driven.spec}: {call(driven.misfit.action, driven.misfit.arguments)} does not fit, after {part}"
    if driven.reason:
        return f"{adapter}: not decided after {part}: {driven.reason}"
    return f"{adapter} does what {driven.spec} says: {part}"


def text(driven: Driven, adapter: str) -> str:
    """The verdict for people."""
    lines = [*reason(driven.misfit), ""] if driven.misfit is not None else []
    lines.append(sentence(driven, adapter))
    if driven.refused:
        lines.append(f"    refused, as it must be: {driven.refused:,} instances of actions in {driven.states:,} states")
    for why, count in driven.omitted.items():
        lines.append(f"    omitted: {count:,}, {why}")
    if driven.values:
        lines.append(f"    values compared: {', '.join(f'{name} {count:,}' for name, count in driven.values.items())}")
    if driven.unseen:
        lines.append(f"    never shown: {', '.join(driven.unseen)}")
    return "\n".join(lines)


def result(driven: Driven, adapter: str) -> Result:
    """The verdict as all formats write it."""
    level = LEVELS[driven.exit_code]
    said = sentence(driven, adapter)
    rule = Rule(f"conform.{driven.spec}", "The program does what the specification says.", "of all transitions")
    place = Location(adapter, 1, 0)
    return Result(
        driven.spec,
        adapter,
        level,
        driven.word[driven.exit_code],
        said,
        facts(driven, adapter),
        "\n".join(reason(driven.misfit)) if driven.misfit is not None else "",
        text(driven, adapter),
        driven.seconds,
        place,
        rules=(rule,),
        problems=() if level == "success" else (Problem(rule, level, said, place),),
    )


def facts(driven: Driven, adapter: str) -> dict[str, Json]:
    """The verdict as JSON."""
    return {
        "adapter": adapter,
        "spec": driven.spec,
        "bounds": driven.bounds,
        "verdict": driven.word[driven.exit_code],
        "reason": driven.reason or None,
        "states": driven.states,
        "transitions": driven.total,
        "covered": driven.covered,
        "omitted": driven.omitted,
        "refused": driven.refused,
        "values": driven.values,
        "unseen": list(driven.unseen),
        "seconds": round(driven.seconds, 3),
        "misfit": None if driven.misfit is None else misfit_facts(driven.misfit),
        "trace": None if driven.trace is None else driven.trace.to_json(),
    }
