"""`quorate list`: what is in the library."""

from __future__ import annotations

import json
from typing import Any

import click

from checker.commands._show import table
from checker.language.spec import Spec
from checker.loading import Protocol, load, names


@click.command("list")
@click.argument("specs", nargs=-1, metavar="[SPEC]...")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(specs: tuple[str, ...], form: str) -> None:
    """Show the protocols, their variants, what each is expected to do, and the bounds.

    Without SPEC, everything in the library.
    """
    protocols = [load(name) for name in specs or names()]
    if form == "json":
        click.echo(json.dumps([_facts(protocol) for protocol in protocols], indent=1))
        return
    rows = [(name, str(cls.expect), _sentence(cls)) for protocol in protocols for name, cls in [
        (protocol.name, protocol.main), *((f"  {name}", cls) for name, cls in protocol.variants.items())]]
    click.echo(table(rows))


def _facts(protocol: Protocol) -> dict[str, Any]:
    rows = [(None, protocol.main), *protocol.variants.items()]
    return {"spec": protocol.name, "classes": [
        {"variant": name, "class": cls.__name__, "expect": str(cls.expect), "sentence": _sentence(cls), "bounds": _bounds(cls)}
        for name, cls in rows
    ]}


def _bounds(cls: type[Spec]) -> dict[str, int]:
    from checker.language.system import System

    return System(cls).bounds


def _sentence(cls: type[Spec]) -> str:
    return (cls.__doc__ or "").strip().partition("\n")[0]
