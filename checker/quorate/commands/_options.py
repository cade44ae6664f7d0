"""Options that several commands share."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import click
from click.shell_completion import CompletionItem

from quorate.errors import UsageError
from quorate.explore.limits import Cluster, Limits
from quorate.outcome import Exit
from quorate.report.formats import FORMATS, SUFFIXES

NUMBER_MAX = 2**62
"""No limit is larger: the engine counts with 64 bits."""

F = TypeVar("F", bound=Callable[..., Any])


class Specification(click.types.StringParamType):
    """What names a specification; shells complete it to protocols of the library and to files."""

    name = "spec"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        from quorate.loading import families

        names = sorted(name for family in families() for name in family.protocols)
        return [
            *map(CompletionItem, filter(lambda name: name.startswith(incomplete), names)),
            CompletionItem("", "file"),
        ]


class Explicit(click.Command):
    """A command that returns its exit code. One that returns none is a mistake, and no success."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for parameter in self.params:
            if parameter.name in ("spec", "specs") and parameter.type is click.STRING:
                parameter.type = Specification()

    def invoke(self, ctx: click.Context) -> NoReturn:
        code = super().invoke(ctx)
        if not isinstance(code, Exit):
            raise AssertionError(f"`{self.name}` returned {code!r} instead of an exit code")
        ctx.exit(int(code))


Ranges = dict[str, range]
"""For each bound that is changed, the sizes that it is to have."""


def bound_option(function: F) -> F:
    """`--bound NAME=SIZE`, repeated; the command receives a dict `bounds`."""
    return _bound_option("NAME=SIZE", _sizes)(function)


def bounds_option(function: F) -> F:
    """`--bound NAME=SIZE` or `--bound NAME=FIRST..LAST`, repeated; the command receives `bounds`, of type Ranges."""
    return _bound_option("NAME=SIZE[..LAST]", _ranges)(function)


def _bound_option(metavar: str, callback: Callable[..., Any]) -> Callable[[F], F]:
    return click.option(
        "--bound",
        "bounds",
        multiple=True,
        metavar=metavar,
        callback=callback,
        help="Change a bound; repeat for several. `quorate list --format json` shows their names."
        + (" A range gives a table with a check for each size." if callback is _ranges else ""),
    )


def _ranges(_: click.Context, __: click.Parameter, texts: tuple[str, ...]) -> Ranges:
    found: Ranges = {}
    for text in texts:
        name, equals, size = text.partition("=")
        name = name.strip()
        first, dots, last = size.partition("..")
        try:
            sizes = range(int(first), int(last if dots else first) + 1)
        except ValueError:
            raise UsageError(
                f"--bound {text!r} is not NAME=SIZE with a whole number, such as `--bound Server=3`."
            ) from None
        if not equals or not name:
            raise UsageError(f"--bound {text!r} is not NAME=SIZE, such as `--bound Server=3`.")
        if not sizes:
            raise UsageError(f"--bound {text!r} is an empty range: write the smaller size first.")
        if name in found:
            raise UsageError(
                f"--bound {name} is given twice; a range such as `--bound {name}=2..4` checks several sizes."
            )
        found[name] = sizes
    return found


def _sizes(context: click.Context, parameter: click.Parameter, texts: tuple[str, ...]) -> dict[str, int]:
    found = {}
    for name, sizes in _ranges(context, parameter, texts).items():
        if len(sizes) > 1:
            raise UsageError(
                f"--bound {name} is a range, and this command takes one size. `quorate check` takes ranges."
            )
        found[name] = sizes[0]
    return found


class Amount(click.FloatRange):
    """A positive number that is one: neither NaN nor infinite, and small enough to be counted in bytes. `least` is the smallest, if there
    is one."""

    name = "number"

    def __init__(self, least: float | None = None) -> None:
        super().__init__(min=least or 0, min_open=least is None, max=1e9)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        number = float(super().convert(value, param, ctx))
        if number != number:
            self.fail(f"{value!r} is not a number", param, ctx)
        return number


def limit_options(function: F) -> F:
    """`--max-states`, `--max-time` and `--max-memory`."""
    for option in (
        click.option(
            "--max-memory",
            type=Amount(),
            metavar="GB",
            help="Stop with `unfinished` when the process holds more than this.",
        ),
        click.option(
            "--max-time",
            type=Amount(),
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
    for option, value, most in (
        ("--max-states", max_states, NUMBER_MAX),
        ("--max-time", max_time, NUMBER_MAX),
        ("--max-memory", max_memory, NUMBER_MAX / 2**30),
    ):
        if value is not None and not value <= most:  # Of NaN every comparison is false.
            raise UsageError(f"{option} {value} is no limit: give a number up to {most:,.0f}, or leave the option out.")
    return Limits(max_states, max_time, None if max_memory is None else int(max_memory * 2**30))


def format_option(function: F) -> F:
    """`--format`, passed on as `form`."""
    return click.option(
        "--format",
        "form",
        type=click.Choice(list(FORMATS)),
        default="text",
        show_default=True,
        help="Text for people; JSON, JUnit XML, SARIF and GitHub annotations for programs; an HTML page for both.",
    )(function)


def output_option(function: F) -> F:
    """`-o FILE`, repeated; the command receives the tuple `outputs`."""
    return click.option(
        "-o",
        "--output",
        "outputs",
        multiple=True,
        type=click.Path(path_type=Path, dir_okay=False),
        metavar="FILE",
        callback=_writable,
        help=f"Also write what was found to a file, in the format of its name ({', '.join(SUFFIXES)}); repeatable.",
    )(function)


def _writable(_: click.Context, __: click.Parameter, files: tuple[Path, ...]) -> tuple[Path, ...]:
    """What cannot be written is refused before any work is done."""
    for file in files:
        if file.suffix not in SUFFIXES:
            raise UsageError(
                f"-o {file}: a report is of one of the formats {', '.join(SUFFIXES)}, by how its name ends."
            )
        if not os.access(file if file.exists() else file.parent, os.W_OK):
            raise UsageError(f"Cannot write {file}: its folder is not there, or nothing can be written to it.")
    return files


def variant_option(function: F) -> F:
    """`--variant NAME`."""
    return click.option(
        "--variant", metavar="NAME", help="A variant of the specification; `quorate list SPEC` shows them."
    )(function)


def seeing_options(function: F) -> F:
    """`--show EXPR` and `--hide NAME`, both repeated; the command receives the tuples `show` and `hide`."""
    show = click.option(
        "--show",
        multiple=True,
        metavar="EXPR",
        help="Also tell what this is along the run: Python over the variables, such as `len(log[s1])` or `self.method()`; repeatable.",
    )
    hide = click.option(
        "--hide", multiple=True, metavar="NAME", help="Do not tell changes of this variable; repeatable."
    )
    return show(hide(function))


HERE = "here"
"""The address that `--cluster` has without one: a cluster of this machine alone, started for the command."""


def cluster_options(what: str) -> Callable[[F], F]:
    """`--cluster [ADDRESS]` and `--cluster-workers N`; the command receives both, for `cluster_of`."""

    def added(function: F) -> F:
        for option in (
            click.option(
                "--cluster-workers",
                type=click.IntRange(min=1),
                metavar="N",
                help="Processes of --cluster; one for each core of the cluster without this, two on this machine.",
            ),
            click.option(
                "--cluster",
                is_flag=False,
                flag_value=HERE,
                metavar="[ADDRESS]",
                help=f"{what} the Ray cluster at this address (`auto`: the one that this machine belongs to), or, without one, "
                "in processes on this machine. Needs the package ray.",
            ),
        ):
            function = option(function)
        return function

    return added


def cluster_of(address: str | None, count: int | None, workers: int | None) -> Cluster | None:
    """The cluster that is meant, if one is. Raises UsageError for options that do not go together."""
    if address is None:
        if count is not None:
            raise click.UsageError("--cluster-workers N needs --cluster.")
        return None
    if workers is not None:
        raise click.UsageError(
            "--workers are of this machine alone; the processes of a cluster are --cluster-workers N."
        )
    return Cluster(None if address == HERE else address, count)
