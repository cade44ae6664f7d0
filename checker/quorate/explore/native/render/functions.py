"""C functions that compute a value and change nothing: the pure functions and the properties of a model."""

from __future__ import annotations

from collections.abc import Sequence

from quorate.explore.native.render.groups import Parameters, Split
from quorate.explore.native.render.layout import width, words
from quorate.explore.native.render.operands import comment, ctype, is_wide, to_bits
from quorate.explore.native.render.shared import Shared
from quorate.explore.native.render.statements import Body
from quorate.explore.native.render.values import Values
from quorate.explore.native.render.writer import Writer
from quorate.language.types import Type
from quorate.model.nodes import Function, Stmt


def parameter(name: str, kind: Type) -> str:
    """The C name of a parameter; a wide one has another name inside, of its own copy."""
    return f"in_{name}" if is_wide(kind) else f"v_{name}"


def declared(parameters: Parameters) -> list[str]:
    """The parameters of a C function."""
    return [
        f"{'const word *' if is_wide(kind) else f'{ctype(kind)} '}{parameter(name, kind)}" for name, kind in parameters
    ]


def unpack_parameters(writer: Values, parameters: Parameters) -> None:
    """Wide parameters are copied: a body may change its own."""
    for name, kind in parameters:
        if is_wide(kind):
            writer.declare(kind, f"v_{name}", parameter(name, kind))


def pack_arguments(writer: Values, parameters: Parameters) -> None:
    """The parameters as words, `args`."""
    pieces: list[str] = []
    for name, kind in parameters:
        if is_wide(kind):
            pieces += [f"{parameter(name, kind)}[{i}]" for i in range(words(width(kind)))]
        else:
            pieces.append(to_bits(kind, f"v_{name}"))
    writer.out(f"const uint64_t args[] = {{{', '.join(pieces) or '0'}}};")


def place_of(writer: Body, splits: Sequence[Split], parameters: Parameters) -> str:
    """The number of a combination of values that are told apart."""
    place = "0"
    for split in splits:
        value = writer.dense(split.kind, writer.value(split.expression(parameters)))
        place = (
            f"({place} * {split.kind.cardinality}u + (unsigned)({value}))" if place != "0" else f"(unsigned)({value})"
        )
    return place


def pure(
    shared: Shared,
    name: str,
    what: str,
    parameters: Parameters,
    body: Sequence[Stmt],
    result: Type,
    partial: bool = False,
) -> None:
    """Write a function `name`. `what` it is stands above it. One that is `partial` has the value 0 where a guard is false."""
    out = Writer()
    wide = is_wide(result)
    head = [f"static {'void' if wide else ctype(result)} {name}(int *status, const word *s, const word *old"]
    head += [*declared(parameters), *(["word *result"] if wide else [])]

    def leave(operand: str | None) -> None:
        assert operand is not None
        if wide:
            out(f"memcpy(result, {operand}, {8 * words(width(result))});")
            out("return;")
        else:
            out(f"return {operand};")

    writer = Body(shared, out, "s", "old", leave)
    with out.block(", ".join(head) + ")"):
        out("(void)status, (void)s, (void)old;")
        unpack_parameters(writer, parameters)
        writer.declare_locals(body, [key for key, _ in parameters])
        writer.block(body)
        out("goto leave;")
        if partial:
            out("goto disabled;")
            out("disabled:")
        out("leave:")
        out("return;" if wide else "return 0;")
    shared.code(comment(what))
    shared.code.lines.extend(out.lines)
    shared.code()


def function(shared: Shared, known: Function) -> None:
    """Write a pure function of the model."""
    pure(shared, shared.function(known.key), known.key, known.parameters, known.body, known.result, known.partial)
