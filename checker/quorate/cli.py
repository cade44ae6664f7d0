"""The command line. Each command lives in its own module of `quorate.commands` and is imported when it runs."""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.util import find_spec
from typing import Any, NoReturn

import click

from quorate.errors import QuorateError

COMMANDS = {
    "list": "Show the protocols, their variants, and what each is expected to do.",
    "check": "Explore a specification exhaustively and check its properties.",
    "prove": "Prove properties with Z3, for fixed bounds or for any size.",
    "verify": "Check that every specification and variant does what it says.",
    "why": "Show what each line protects: drop it, see what breaks.",
    "simulate": "Take random runs of a specification.",
    "replay": "Re-run a stored trace and say whether it still violates.",
    "draw": "Draw a stored trace as a space-time diagram.",
    "graph": "Draw the state graph of a small specification.",
    "history": "Judge a history of operations against a consistency model.",
    "conform": "Check an implementation against its specification.",
}
"""Every command and its line in the help, so that the help imports none of them."""
UPKEEP = frozenset({"gallery"})
"""Commands for the upkeep of the library, which the help leaves out."""


class Lazy(click.Group):
    """A group whose commands are imported when they are used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [name for name in COMMANDS if find_spec(f"quorate.commands.{name}") is not None]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in UPKEEP and cmd_name not in self.list_commands(ctx):
            return None
        command: click.Command = import_module(f"quorate.commands.{cmd_name}").command
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
def cli() -> None:
    """Check, prove and draw specifications of distributed protocols.

    Exit codes: 0 it holds or is proven, 1 a property is violated, 2 the usage or the specification is wrong, 3
    unfinished.
    """


def main() -> NoReturn:
    """Run the command line. A user's mistake is one paragraph on stderr and exit code 2."""
    try:
        sys.exit(cli(standalone_mode=False))
    except QuorateError as error:
        fail(str(error))
    except click.ClickException as error:
        fail(error.format_message())
    except (click.Abort, KeyboardInterrupt):
        fail("Interrupted.", 3)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(0)


def fail(message: str, code: int = 2) -> NoReturn:
    """Say what went wrong, and exit."""
    click.echo(f"quorate: {message}", err=True)
    sys.exit(code)
