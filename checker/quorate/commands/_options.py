"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from quorate.errors import UsageError
from quorate.explore.limits import Limits

F = TypeVar("F", bound=Callable[..., Any])


def bound_option(function: F) -> F:
    """`--bound NAME=SIZE`, repeated; the command receives a dict `bounds`."""
    return click.option(
        "--bound",
        "bounds",
        multiple=True,
        metavar="NAME=SIZE",
        callback=_bounds,
        help="Change a bound; repeat for several. `quorate list --format json` shows their names.",
    )(function)


def _bounds(_: click.Context, __: click.Parameter, texts: tuple[str, ...]) -> dict[str, int]:
    found: dict[str, int] = {}
    for text in texts:
        name, equals, size = text.partition("=")
        try:
            found[name.strip()] = int(size)
        except ValueError:
            raise UsageError(
                f"--bound {text!r} is not NAME=SIZE with a whole number, such as `--bound Server=3`."
            ) from None
        if not equals or not name.strip():
            raise UsageError(f"--bound {text!r} is not NAME=SIZE, such as `--bound Server=3`.")
    return found


def limit_options(function: F) -> F:
    """`--max-states`, `--max-time` and `--max-memory`."""
    for option in (
        click.option(
            "--max-memory",
            type=click.FloatRange(min=0, min_open=True),
            metavar="GB",
            help="Stop with `unfinished` when the process holds more than this.",
        ),
        click.option(
            "--max-time",
            type=click.FloatRange(min=0, min_open=True),
            metavar="SECONDS",
            help="Stop with `unfinished` after this time.",
        ),
        click.option(
            "--max-states", type=click.IntRange(min=1), metavar="N", help="Stop with `unfinished` at this many states."
        ),
    ):
        function = option(function)
    return function


def limits(max_states: int | None, max_time: float | None, max_memory: float | None) -> Limits:
    """The limits that the options of `limit_options` give."""
    return Limits(max_states, max_time, None if max_memory is None else int(max_memory * 2**30))


def format_option(function: F) -> F:
    """`--format`, passed on as `form`."""
    return click.option(
        "--format",
        "form",
        type=click.Choice(["text", "json", "junit", "github"]),
        default="text",
        show_default=True,
        help="Text for people; JSON, JUnit XML and GitHub annotations for programs.",
    )(function)


def variant_option(function: F) -> F:
    """`--variant NAME`."""
    return click.option("--variant", metavar="NAME", help="A variant of the specification; `quorate list` shows them.")(
        function
    )
