"""`quorate list`: what is in the library."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import click

from quorate.commands._options import Explicit
from quorate.commands._show import table
from quorate.language.spec import Spec
from quorate.loading import Protocol, load, names
from quorate.outcome import Exit


@click.command("list", cls=Explicit)
@click.argument("specs", nargs=-1, metavar="[SPEC]...")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(specs: tuple[str, ...], form: str) -> Exit:
    """Show the protocols, their variants, the functions with laws, what each is expected to do, and the bounds.

    Without SPEC, everything in the library.
    """
    protocols = [load(name) for name in specs or names()]
    if form == "json":
        click.echo(json.dumps([_facts(protocol) for protocol in protocols], indent=1))
        return Exit.SUCCESS
    click.echo(table([row for protocol in protocols for row in _rows(protocol)]))
    return Exit.SUCCESS


def _rows(protocol: Protocol) -> Iterator[tuple[str, str, str]]:
    if protocol.has_only_laws:
        yield protocol.name, "", _sentence(protocol.module)
    else:
        yield protocol.name, str(protocol.main.expect), _sentence(protocol.main)
    yield from ((f"  {name}", str(cls.expect), _sentence(cls)) for name, cls in protocol.variants.items())
    for name, one in protocol.marked.items():
        yield f"  @{one.claim.kind} {name}", str(one.claim.expect), _sentence(one.function)


def _facts(protocol: Protocol) -> dict[str, Any]:
    rows = [] if protocol.has_only_laws else [(None, protocol.main), *protocol.variants.items()]
    return {
        "spec": protocol.name,
        "classes": [
            {
                "variant": name,
                "class": cls.__name__,
                "expect": str(cls.expect),
                "sentence": _sentence(cls),
                "bounds": _bounds(cls),
            }
            for name, cls in rows
        ],
        "functions": [
            {
                "function": name,
                "kind": one.claim.kind,
                "expect": str(one.claim.expect),
                "sentence": _sentence(one.function),
            }
            for name, one in protocol.marked.items()
        ],
    }


def _bounds(cls: type[Spec]) -> dict[str, int]:
    from quorate.language.system import System

    return System(cls).bounds


def _sentence(what: object) -> str:
    return (what.__doc__ or "").strip().partition("\n")[0]
