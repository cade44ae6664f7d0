"""Several @init methods as one action of the model."""

from __future__ import annotations

from collections.abc import Sequence

from quorate.language.beginning import assigned_twice
from quorate.model import nodes as ir
from quorate.model.source import Source


def check_parts(
    spec: str, sources: Sequence[Source], body: Sequence[ir.Stmt], functions: dict[str, ir.Function]
) -> None:
    """Refuse @init methods, each a scope of the body, of which two assign one variable, or one reads what a later one assigns."""
    made: dict[str, str] = {}
    parts = [(source, scope) for source, scope in zip(sources, body, strict=True) if isinstance(scope, ir.Scope)]
    for source, scope in parts:
        for name in sorted(ir.writes(scope.body)):
            if name in made:
                raise source.error(source.tree, assigned_twice(spec, name, made[name], scope.name))
            made[name] = scope.name
    read: dict[str, tuple[Source, str]] = {}
    for source, scope in parts:
        for name in ir.writes(scope.body) & read.keys():
            raise read[name][0].error(
                read[name][0].tree,
                f"{spec}.{read[name][1]} reads self.{name}, and {scope.name}, which is marked @init too and runs later, assigns it. Write "
                f"{scope.name} before it, or both as one method.",
            )
        read |= dict.fromkeys(ir.reads(scope.body, functions), (source, scope.name))
