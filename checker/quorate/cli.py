"""The command line. Each command lives in its own module of `quorate.commands` and is imported when it runs."""

from __future__ import annotations

import errno
import io
import os
import sys
import traceback
from contextlib import suppress
from importlib import import_module
from importlib.util import find_spec
from typing import Any, NoReturn

import click

from quorate.errors import QuorateError, printable
from quorate.outcome import Exit

COMMANDS = {
    "new": "Write a small specification and its test, to begin with.",
    "list": "Show the protocols, their variants, and what each is expected to do.",
    "check": "Explore a specification exhaustively and check its properties.",
    "prove": "Prove properties with Z3, for fixed bounds or for any size.",
    "verify": "Check that every specification and variant does what it says.",
    "why": "Show what each line protects: drop it, see what breaks.",
    "diff": "Show what one version or variant does and another does not.",
    "simulate": "Take random runs of a specification.",
    "replay": "Re-run a stored trace and say whether it still violates.",
    "draw": "Draw a stored trace as a space-time diagram.",
    "explore": "Step through a specification in the browser.",
    "site": "Write documents and gallery of a checkout as static pages.",
    "graph": "Draw the state graph of a small specification.",
    "history": "Judge a history of operations against a consistency model.",
    "run": "Run an implementation as a cluster on this machine.",
    "client": "Ask a running cluster: put, get, cas, delete, status, add-server, ...",
    "nemesis": "Kill, pause and cut off nodes of a running cluster.",
    "bench-store": "Load an implementation: throughput, latency, operations per sync.",
    "conform": "Hold a running program to its specification.",
    "scenarios": "Find a few runs that cover a specification: tests for a program.",
}
"""Every command and its line in the help, so that the help imports none of them."""
UPKEEP = frozenset({"gallery", "map"})
"""Commands for the upkeep of the library, which the help leaves out."""


def _module(command: str) -> str:
    return f"quorate.commands.{command.replace('-', '_')}"


class Lazy(click.Group):
    """A group whose commands are imported when they are used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [name for name in COMMANDS if find_spec(_module(name)) is not None]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in UPKEEP and cmd_name not in self.list_commands(ctx):
            return None
        command: click.Command = import_module(_module(cmd_name)).command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name]) for name in self.list_commands(ctx)])

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        name = args[0] if args else ""
        if name and not name.startswith("-") and self.get_command(ctx, name) is None:
            from quorate.errors import unknown

            raise unknown("command", name, self.list_commands(ctx))
        return super().resolve_command(ctx, args)


@click.command(cls=Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="quorate", prog_name="quorate")
@click.option("--debug", is_flag=True, help="Show the traceback of a mistake of Quorate itself.")
def cli(debug: bool) -> None:
    """Check, prove and draw specifications of distributed protocols.

    Exit codes: 0 it holds or is proven, 1 a property is violated, 2 the usage or the specification is wrong, 3
    unfinished or not judged, 4 a mistake of Quorate itself.
    """


DEBUG = "--debug"
CLUSTER = "--cluster"
"""What asks for Ray, which may end its process."""
COMPLETE = "_QUORATE_COMPLETE"
"""Shells set this to what they want: the script that completes, or completions."""


def _usage(error: click.ClickException) -> str:
    """A mistake in the command line: of what is missing, what it is for and how the command is written."""
    text = error.format_message()
    if not isinstance(error, click.MissingParameter) or error.ctx is None:
        return text
    pieces = [error.ctx.command_path, *error.ctx.command.collect_usage_pieces(error.ctx)]
    if isinstance(error.param, click.Option):
        pieces.append(f"{error.param.opts[0]} {error.param.metavar or 'VALUE'}")
        text = f"{text} {error.param.help or ''}".rstrip()
    return f"{text} Usage: `{' '.join(pieces)}`."


def main() -> NoReturn:
    """Run the command line. A user's mistake is one paragraph on stderr and exit code 2; one of ours asks for a report. Every
    command returns its exit code: 0 is said, never assumed."""
    arguments = sys.argv[1:]
    is_debugging = DEBUG in arguments
    if sys.stdout is None:  # Closed by the caller: the exit code still tells.
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    told = _begin_apart(arguments)
    try:
        code = _run([argument for argument in arguments if argument != DEBUG])
        sys.stdout.flush()
    except QuorateError as error:
        code = fail(str(error))
    except click.ClickException as error:
        code = fail(_usage(error))
    except (click.Abort, KeyboardInterrupt):
        code = fail("Interrupted.", Exit.OPEN)
    except (SystemExit, GeneratorExit) as end:
        code = fail(
            f"A specification, or what it imports, ended the program ({end!r}): nothing was judged. "
            'Take the call of `sys.exit` out, or put it under `if __name__ == "__main__":`.'
        )
    except MemoryError:
        code = fail("There is not enough memory. Limit the search with --max-memory or smaller bounds.", Exit.OPEN)
    except OSError as error:
        code = _unwritable(error, is_debugging)
    except BaseException as error:
        code = _internal(error, is_debugging)
    _end(code, told)


def _begin_apart(arguments: list[str]) -> int | None:
    """Go on in a child if a cluster is asked for, with the file to tell the exit code to; the parent ends here."""
    if not any(argument.partition("=")[0] == CLUSTER for argument in arguments):
        return None
    from quorate.commands._apart import Ended, begin

    begun = begin()
    if not isinstance(begun, Ended):
        return begun
    if begun.said is not None:
        _end(Exit(begun.said))
    message = (
        f"The process that explores has ended before there was a result ({begun.how}): nothing was judged. Ray ends it so where it "
        "cannot start on this machine, or has lost it. The machine may be short of memory, or too busy: try again."
    )
    _end(fail(message, Exit.OPEN))


def _run(arguments: list[str]) -> Exit:
    """The exit code of a command, which `Explicit` makes it say."""
    if COMPLETE in os.environ:
        from click.shell_completion import shell_complete

        code = shell_complete(cli, {}, "quorate", COMPLETE, os.environ[COMPLETE])
        return Exit.SUCCESS if code == 0 else Exit.WRONG
    try:
        with cli.make_context("quorate", arguments) as context:
            cli.invoke(context)
    except click.exceptions.Exit as end:
        return Exit(end.exit_code)
    raise AssertionError("the command ended without an exit code")


def _unwritable(error: OSError, is_debugging: bool) -> Exit:
    """The output cannot be written: whoever reads it is gone, or the disk is full."""
    if isinstance(error, BrokenPipeError):
        return Exit.OPEN
    if error.errno in (errno.ENOSPC, errno.EIO, errno.EDQUOT):
        return fail(f"The output cannot be written: {error.strerror}.", Exit.OPEN)
    return _internal(error, is_debugging)


def _internal(error: BaseException, is_debugging: bool) -> Exit:
    from concurrent.futures import BrokenExecutor

    if isinstance(error, BrokenExecutor):
        return fail(
            "A process that worked for this one was ended: it may have been killed for its memory. Nothing was judged. Use fewer "
            "--workers, or smaller bounds.",
            Exit.OPEN,
        )
    if is_debugging:
        traceback.print_exception(error, file=sys.stderr)
    what = " ".join(f"{type(error).__name__}: {error}".split())
    hint = "" if is_debugging else f" {DEBUG} shows where."
    return fail(
        f"This is a mistake of Quorate, not of your specification: {what[:300]}. Please report it.{hint}", Exit.INTERNAL
    )


def _end(code: Exit, told: int | None = None) -> NoReturn:
    """End with this exit code, which is told first to whoever waits for it; also if nobody takes what is left to be printed."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = Exit.OPEN if code is Exit.SUCCESS else code
    if told is not None:
        os.write(told, bytes([code]))
    sys.exit(int(code))


def fail(message: str, code: Exit = Exit.WRONG) -> Exit:
    """Say on stderr what went wrong; returns the exit code."""
    with suppress(OSError):
        click.echo(printable(f"quorate: {message}"), err=True)
    return code
