"""Many models in one compilation.

Nearly all of the time that a small model takes to compile goes into the engine that it includes, so here the engine is compiled once
for all models with states of the same number of words. Every model keeps its own text, but for the names of what it defines at
file scope: those get the model's number. The engine calls the model that was chosen last.
"""

from __future__ import annotations

import ctypes
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from quorate.explore.native.library import Library, compile_model, engine_sources
from quorate.explore.native.render import Rendered

DEFINED = re.compile(r"^(?:(?:static|INLINE)\b[^;={(]*?|} |struct |enum \{ )(\w+)(?=[\[(;]| =| \{)", re.MULTILINE)
CALLS = {
    "initial": ("void", "Successors *out"),
    "successors": ("void", "const State *from, Successors *out"),
    "invariant": ("unsigned", "const State *s"),
    "invariant_after": ("unsigned", "const State *s, unsigned group, Memo *memo"),
    "before": ("uint64_t", "unsigned group"),
    "independent": ("uint64_t", "unsigned group"),
    "room": ("bool", "const State *s"),
    "step": ("unsigned", "const State *old, const State *state"),
    "reached": ("uint64_t", "const State *s, uint64_t known"),
    "terminal": ("bool", "const State *s"),
    "canonical": ("State", "State s, Memo *memo"),
}
"""What the engine calls, as `model.h` says."""

LIVENESS_CALLS = {
    "fairness": ("unsigned", "unsigned action"),
    "arity": ("unsigned", "unsigned action"),
    "demand": ("int", "const State *s, const Label *label, Label *demand"),
    "acceptance": ("unsigned", "unsigned property"),
    "ends": ("unsigned", "unsigned property, const uint64_t *choice, const State *old, const State *state"),
    "promise": ("unsigned", "unsigned property, const uint64_t *choice, const State *s"),
}
"""What it calls besides for liveness properties, if some model has any; for one that has none it never does."""

COUNTING_CALLS = {"count": ("void", "const State *s")}
"""What it calls besides if what runs is counted, which is so for all models of a batch or for none."""

SIZES = ("WORDS", "BITS", "ARGS", "ACTIONS", "BOUNDS", "LIVENESS", "POINTS", "SITES", "NUMBERS", "CLASSES")
"""What is an array's size: the greatest of all models."""

SYMMETRY = ("candidates.h", "colours.h")
"""What each model includes by itself, and what it defines for them."""
SYMMETRY_DEFINES = ("SYMMETRY_MEMBERS", "SYMMETRY_RENAMINGS", "SYMMETRY_NEAR")


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
        padded = replace(
            model,
            argument_words=sizes["ARGS"],
            bounds=_padded(model.bounds, sizes["BOUNDS"], ""),
            parameters=_padded(model.parameters, sizes["ACTIONS"], ()),
        )
        return Library(padded, self.c)


def _padded(values: tuple[Any, ...], length: int, by: Any) -> tuple[Any, ...]:
    return values + (by,) * (length - len(values))


def compile_batch(models: Sequence[Rendered], store: str = "exact") -> Batch:
    """Compile models whose states have the same number of words."""
    sizes, source = combined(models)
    return Batch(models, compile_model("batch", source, store), sizes)


def combined(models: Sequence[Rendered]) -> tuple[dict[str, int], str]:
    """One C file for all, and the sizes of its arrays."""
    calls = CALLS | (LIVENESS_CALLS if any(model.has_liveness for model in models) else {})
    calls |= COUNTING_CALLS if any(model.points for model in models) else {}
    parts = [_parts(model.source + _never_called(model, calls)) for model in models]
    sizes = {size: max(defines.get(size, 0) for defines, _ in parts) for size in SIZES}
    chosen = [name for name in parts[0][0] if name not in SIZES]
    pieces = [
        _renamed("\n".join([f"/* Model {number} */", body, *(f"#undef {name}" for name in SYMMETRY_DEFINES)]), number)
        for number, (_, body) in enumerate(parts)
    ]
    records = [
        f"    {{{', '.join([*(f'model_{name}_of_{number}' for name in calls), *(str(defines[name]) for name in chosen)])}}},"
        for number, (defines, _) in enumerate(parts)
    ]
    source = "\n".join(
        [
            '#define MODEL_KEY "batch"',
            *(f"#define MODEL_{size} {count}" for size, count in sizes.items()),
            *(f"static unsigned model_{name};\n#define MODEL_{name} model_{name}" for name in chosen),
            '#include "model.h"',
            '#include "bits.h"',
            *pieces,
            "typedef struct {",
            *(f"    {result} (*{name})({parameters});" for name, (result, parameters) in calls.items()),
            f"    unsigned {', '.join(chosen)};",
            "} Model;",
            "static const Model models[] = {",
            *records,
            "};",
            "static Model chosen;",
            *(_call(name, *calls[name]) for name in calls),
            '#include "engine.c"',
            "EXPORT void quorate_choose(int number) {",
            "    chosen = models[number];",
            "    atomic_store(&common->trapped, 0);",
            "    atomic_store(&common->mistaken, 0);",
            "    atomic_store(&common->crowded, 0);",
            "#if MODEL_NUMBERS",
            "    memset(common->numbers.slots, 0, sizeof common->numbers.slots);",
            "    memset(common->numbers.masks, 0, sizeof common->numbers.masks);",
            "    common->numbers.count = 0;",
            "#endif",
            *(f"    model_{name} = chosen.{name};" for name in chosen),
            "}",
            "",
        ]
    )
    return sizes, source


def by_words(models: Sequence[Rendered]) -> Iterator[list[int]]:
    """The positions of the models, in groups that can be compiled together."""
    for words in sorted({model.state_words for model in models}):
        yield [position for position, model in enumerate(models) if model.state_words == words]


def _never_called(model: Rendered, calls: Mapping[str, tuple[str, str]]) -> str:
    """What a model lacks of liveness that others have."""
    lacking = [] if model.has_liveness else [name for name in LIVENESS_CALLS if name in calls]
    return "".join(f"static {calls[name][0]} model_{name}({calls[name][1]}) {{ return 0; }}\n" for name in lacking)


def _parts(source: str) -> tuple[dict[str, int], str]:
    """The sizes and flags that a model defines, and its text."""
    head, rest = source.split('#include "model.h"\n#include "bits.h"\n')
    body = rest.replace('#include "engine.c"\n', "")
    for name in SYMMETRY:
        body = body.replace(f'#include "{name}"', engine_sources()[name])
    return {name: int(value) for name, value in re.findall(r"^#define MODEL_(\w+) (\d+)$", head, re.MULTILINE)}, body


def _renamed(text: str, number: int) -> str:
    names = "|".join(sorted(set(DEFINED.findall(text)) | {"Renamed", "QUORATE_CANDIDATES_H", "QUORATE_COLOURS_H"}))
    return re.sub(rf"\b({names})\b", rf"\1_of_{number}", text)


def _call(name: str, result: str, parameters: str) -> str:
    """The function that calls the chosen model's."""
    arguments = ", ".join(parameter.split()[-1].lstrip("*") for parameter in parameters.split(","))
    return f"static {result} model_{name}({parameters}) {{ return chosen.{name}({arguments}); }}"
