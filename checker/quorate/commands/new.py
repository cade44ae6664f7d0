"""`quorate new`: a specification to begin with, that works at once."""

from __future__ import annotations

import keyword
import os
import sys
from pathlib import Path

import click

from quorate.commands._options import Explicit
from quorate.outcome import Exit

SPEC = '''"""What this protocol promises, to whom, and what not."""

from quorate import Scalarset, Spec, action, invariant, reachable, require, violates


class Process(Scalarset, size=3):
    """A process that wants the resource."""


class {title}(Spec):
    """Processes take turns with one resource."""

    inside: set[Process]

    @action
    def enter(self, p: Process) -> None:
        require(len(self.inside) == 0)
        self.inside.add(p)

    @action
    def leave(self, p: Process) -> None:
        require(p in self.inside)
        self.inside.discard(p)

    @invariant
    def exclusive(self) -> bool:
        """At most one process is inside."""
        return len(self.inside) <= 1

    @reachable
    def used(self) -> bool:
        """A process can be inside."""
        return len(self.inside) > 0


class {title}WithoutGuard({title}):
    """Nobody looks whether the resource is taken."""

    expect = violates("exclusive")

    @action
    def enter(self, p: Process) -> None:
        self.inside.add(p)
'''

TEST = '''"""`pytest {file}` checks that the specification and its variants do what they say."""

import {name}
import pytest
from quorate.explore import as_expected, check


@pytest.mark.parametrize("spec", [{name}.{title}, {name}.{title}WithoutGuard])
def test_it_does_what_it_says(spec):
    assert as_expected(spec, check(spec))
'''


TAKEN = ("Process", "Scalarset", "Spec")


@click.command("new", cls=Explicit)
@click.argument("name")
def command(name: str) -> Exit:
    """Write NAME.py, a small specification with a variant that breaks it, and test_NAME.py, its test.

    NAME is an identifier of Python. Files that are there are not written over.
    """
    from quorate.errors import UsageError

    if not name.isidentifier() or keyword.iskeyword(name):
        raise UsageError(
            f"{name!r} is no name of a Python module: use letters, digits and underscores, and no keyword."
        )
    title = "".join(part[:1].upper() + part[1:] for part in name.split("_"))
    if name in (*sys.stdlib_module_names, "quorate", "pytest") or title in TAKEN or not title.isidentifier():
        raise UsageError(
            f"{name!r} would hide a name that the specification needs, or gives its class none. Choose another."
        )
    files = {
        Path(f"{name}.py"): SPEC.format(title=title),
        Path(f"test_{name}.py"): TEST.format(title=title, name=name, file=f"test_{name}.py"),
    }
    for file in files:
        if os.path.lexists(file):
            raise UsageError(f"There is a file {file} already. Choose another name, or move the file.")
    for file, text in files.items():
        try:
            with file.open("x", encoding="utf-8") as made:
                made.write(text)
        except OSError as error:
            raise UsageError(f"Cannot write {file}: {error.strerror}.") from None
        click.echo(f"wrote {file}")
    click.echo(f"next: quorate verify {name}.py")
    return Exit.SUCCESS
