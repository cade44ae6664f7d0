"""What makes the states, for people and programs: variables and actions by their share, with advice that names the variable."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

from quorate.outcome import ActionShare, Profile, VariableShare
from quorate.trace import Json

WARN, DIM, STRONG = "bold yellow", "dim", "bold"
ALONE = 2.0
"""A variable makes the states if there are so many times fewer without it."""
REPRESENTATIVES = "variables are those of the states that stand for their orbits"


def factor(profile: Profile, variable: VariableShare) -> float:
    """How many times fewer states there are without a variable."""
    return profile.states / max(variable.states_without, 1)


def ranked(profile: Profile) -> list[VariableShare]:
    """The variables, those first that make most states."""
    return sorted(profile.variables, key=lambda variable: (variable.states_without, -variable.values))


def advice(profile: Profile) -> tuple[str, ...]:
    """Sentences on what to look at, the variable that makes most states first."""
    variables = ranked(profile)
    if profile.states <= 1 or not variables:
        return ()
    first = variables[0]
    said = [_of_first(profile, first)]
    idle = [
        variable.name for variable in variables if variable.states_without == profile.states and variable.values > 1
    ]
    if idle:
        verb, they = ("makes", "it") if len(idle) == 1 else ("make", "each of them")
        said.append(f"{_listed(idle)} {verb} no states: {they} follows from all other variables in what was found.")
    action = max(profile.actions, key=lambda one: one.new_states, default=None)
    if action is not None and 2 * action.new_states > profile.states:
        said.append(f"{action.name} is the first to meet {_share(action.new_states, profile.states)} of the states.")
    return tuple(said)


def _of_first(profile: Profile, first: VariableShare) -> str:
    times = factor(profile, first)
    lower = f" A lower bound of {' or '.join(first.bounds)} makes it smaller." if first.bounds else ""
    if times < ALONE:
        return (
            f"no variable makes the states alone: without {first.name}, which makes most, "
            f"there are {times:.2g} times fewer. Look for variables that change independently of each other.{lower}"
        )
    return (
        f"{first.name} makes the states: without it there are {first.states_without:,} instead of {profile.states:,}, "
        f"{times:.3g} times fewer. It has {first.values:,} values. Ask what of it is still needed: what nobody will read again "
        f"can be reset, and what is only shown can be auxiliary.{lower}"
    )


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.0f} %"


def variable_rows(profile: Profile) -> list[tuple[str, str, str, str]]:
    """Name, values, states without it, and how many times fewer."""
    return [(one.name, f"{one.values:,}", f"{one.states_without:,}", _fewer(profile, one)) for one in ranked(profile)]


def _fewer(profile: Profile, variable: VariableShare) -> str:
    none = variable.states_without == profile.states
    return "as many" if none else f"{factor(profile, variable):.3g} times fewer"


def action_rows(profile: Profile) -> list[tuple[str, str, str, str]]:
    """Name, new states, their share of all, transitions."""
    actions: list[ActionShare] = sorted(profile.actions, key=lambda one: -one.new_states)
    return [
        (one.name, f"{one.new_states:,}", _share(one.new_states, max(profile.states, 1)), f"{one.transitions:,}")
        for one in actions
    ]


VARIABLES = ("variable", "values", "states without it", "")
ACTIONS = ("action", "new states", "of all", "transitions")


def profile_lines(profile: Profile) -> Iterator[list[tuple[str, str]]]:
    """The text, as pieces with styles."""
    for heads, rows in ((VARIABLES, variable_rows(profile)), (ACTIONS, action_rows(profile))):
        yield []
        widths = [max(len(row[column]) for row in (heads, *rows)) for column in range(4)]
        for row in (heads, *rows):
            name, *numbers = (
                cell.rjust(width) if column else cell.ljust(width)
                for column, (cell, width) in enumerate(zip(row, widths, strict=True))
            )
            yield [(f"    {name}  {'  '.join(numbers)}", DIM if row is heads else "")]
    yield []
    for sentence in advice(profile):
        yield [(f"    {sentence}", WARN)]
    if profile.of_representatives:
        yield [(f"    {REPRESENTATIVES}", DIM)]


def profile_json(profile: Profile) -> Json:
    """The profile as JSON."""
    return {
        "states": profile.states,
        "initial": profile.initial,
        "variables": [
            {
                "name": one.name,
                "type": one.type,
                "values": one.values,
                "states_without": one.states_without,
                "bounds": list(one.bounds),
            }
            for one in profile.variables
        ],
        "actions": [
            {"name": one.name, "transitions": one.transitions, "new_states": one.new_states} for one in profile.actions
        ],
        "advice": list(advice(profile)),
        "of_representatives": profile.of_representatives,
    }


def profile_html(data: Mapping[str, Any]) -> Iterator[str]:
    """The same as HTML, from the JSON."""
    profile = Profile(
        data["states"],
        data["initial"],
        tuple(ActionShare(**one) for one in data["actions"]),
        tuple(VariableShare(**(one | {"bounds": tuple(one["bounds"])})) for one in data["variables"]),
        data["of_representatives"],
    )
    yield "<h3>What makes the states</h3>\n"
    yield "".join(f"<p>{escape(sentence)}</p>\n" for sentence in data["advice"])
    yield '<div class="numbers">\n'
    for heads, rows in ((VARIABLES, variable_rows(profile)), (ACTIONS, action_rows(profile))):
        head = "".join(f"<th{' class=n' if column else ''}>{escape(text)}</th>" for column, text in enumerate(heads))
        yield f'<div class="wide"><table><thead><tr>{head}</tr></thead>\n<tbody>\n'
        for row in rows:
            cells = "".join(f"<td{' class=n' if column else ''}>{escape(text)}</td>" for column, text in enumerate(row))
            yield f"<tr>{cells}</tr>\n"
        yield "</tbody></table></div>\n"
    yield "</div>\n"
    if profile.of_representatives:
        yield f"<p>{REPRESENTATIVES.capitalize()}.</p>\n"
