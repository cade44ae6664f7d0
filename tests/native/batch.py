"""Many models in one compilation.

Nearly all of the time that a small model takes to compile goes into the engine that it includes, so here the engine is compiled once
for all models with states of the same number of words. Every model keeps its own text, but for the names of what it defines at
file scope: those get the model's number. The engine calls the model that was chosen last.
"""

from __future__ import annotations

import ctypes
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from checker.explore.native.library import Library, compile_model, engine_sources
from checker.explore.native.render import Rendered

DEFINED = re.compile(r"^(?:static\b[^;={(]*?|} |struct )(\w+)(?=[\[(;]| =| \{)", re.MULTILINE)
CALLS = {
    "initial": "void, Successors *out",
    "successors": "void, const State *from, Successors *out",
    "invariant": "unsigned, const State *s",
    "step": "unsigned, const State *old, const State *state",
    "reached": "uint64_t, const State *s, uint64_t known",
    "terminal": "bool, const State *s",
    "canonical": "State, State s",
}
FLAGS = ("HAS_STEPS", "DEADLOCK", "SYMMETRY")
SIZES = ("WORDS", "ARGS", "ACTIONS", "BOUNDS")


@dataclass(frozen=True)
class Batch:
    """Compiled models. The engine is used for one of them at a time."""

    models: Sequence[Rendered]
    c: ctypes.CDLL
    sizes: dict[str, int]

    def choose(self, number: int) -> Library:
        """The engine with one model; the one chosen before must not be used any more."""
        model, sizes = self.models[number], self.sizes
        self.c.quorate_choose(number)
        padded = replace(model, argument_words=sizes["ARGS"], bounds=_padded(model.bounds, sizes["BOUNDS"], ""),
                         parameters=_padded(model.parameters, sizes["ACTIONS"], ()))
        return Library(padded, self.c)


def _padded(values: tuple[Any, ...], length: int, by: Any) -> tuple[Any, ...]:
    return values + (by,) * (length - len(values))


def compile_batch(models: Sequence[Rendered]) -> Batch:
    """Compile models whose states have the same number of words."""
    pieces, records = [], []
    for number, model in enumerate(models):
        defines, body = _parts(model.source)
        pieces.append(f"/* Model {number} */\n{body}\n#undef SYMMETRY_MEMBERS\n")
        functions = ", ".join(f"model_{name}_of_{number}" for name in CALLS)
        records.append(f"    {{{functions}, {', '.join(str(defines[flag]) for flag in FLAGS)}}},")
    sizes = {size: max(_parts(model.source)[0][size] for model in models) for size in SIZES}
    source = "\n".join([
        '#define MODEL_KEY "batch"', *(f"#define MODEL_{size} {count}" for size, count in sizes.items()),
        *(f"#define MODEL_{flag} (chosen->{flag.lower()})" for flag in FLAGS),
        '#include "model.h"', '#include "bits.h"', *(_renamed(piece, number) for number, piece in enumerate(pieces)),
        "typedef struct {", *(f"    {_pointer(name)};" for name in CALLS), f"    bool {', '.join(map(str.lower, FLAGS))};", "} Model;",
        "static const Model models[] = {", *records, "};", "static const Model *chosen = models;",
        *(f"#define model_{name} chosen->{name}" for name in CALLS),
        '#include "engine.c"', "EXPORT void quorate_choose(int number) { chosen = &models[number]; }\n"])
    return Batch(models, compile_model("batch", source), sizes)


def by_words(models: Sequence[Rendered]) -> Iterator[list[int]]:
    """The positions of the models, in groups that can be compiled together."""
    for words in sorted({model.state_words for model in models}):
        yield [position for position, model in enumerate(models) if model.state_words == words]


def _parts(source: str) -> tuple[dict[str, int], str]:
    """The sizes and flags that a model defines, and its text."""
    head, rest = source.split('#include "model.h"\n#include "bits.h"\n')
    body = rest.replace('#include "engine.c"\n', "").replace('#include "symmetry.h"', engine_sources()["symmetry.h"])
    return {name: int(value) for name, value in re.findall(r"^#define MODEL_(\w+) (\d+)$", head, re.MULTILINE)}, body


def _renamed(text: str, number: int) -> str:
    names = "|".join(sorted(set(DEFINED.findall(text)) | {"QUORATE_SYMMETRY_H"}))
    return re.sub(rf"\b({names})\b", rf"\1_of_{number}", text)


def _pointer(name: str) -> str:
    result, *parameters = CALLS[name].split(", ")
    return f"{result} (*{name})({', '.join(parameters)})"
