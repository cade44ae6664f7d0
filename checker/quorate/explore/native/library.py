"""The compiled engine through `ctypes`: the C structures and functions of `engine.c`, nothing more."""

from __future__ import annotations

import ctypes
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from quorate import cc
from quorate.explore.native.render import FILE, Rendered
from quorate.explore.native.render.layout import Numbered
from quorate.language.system import State

FLAGS = ("-O1", "-march=native", "-pthread", "-fvisibility=hidden", "-w")
QUICKLY = ("-Og", "-finline-functions-called-once", "-DINLINE=static inline __attribute__((unused))")
"""For a model that is needed at once: the compiler takes half of the time, and a search a fifth more. Where to inline is left to it."""
HEADERS = (
    "model.h",
    "memo.h",
    "bits.h",
    "numbers.h",
    "candidates.h",
    "colours.h",
    "memory.h",
    "packets.h",
    "fingerprint.h",
    "table.h",
    "roots.h",
    "tree.h",
    "plan.h",
    "sleep.h",
    "meeting.h",
    "search.h",
    "stream.h",
    "treefile.h",
    "arenas.h",
    "compact.h",
    "runs.h",
    "found.h",
    "files.h",
    "disk.h",
    "store.h",
    "checkpoint.h",
    "path.h",
    "trace.h",
    "retrace.h",
    "backtrack.h",
    "counterexample.h",
    "expand.h",
    "profile.h",
    "random.h",
    "guide.h",
    "simulate.h",
    "vertices.h",
    "graph.h",
    "graphfile.h",
    "chunk.h",
    "building.h",
    "components.h",
    "liveness.h",
    "share.h",
    "apart.h",
    "engine.c",
)
ENGINE = "engine.c"
"""The unit of the engine, where it has one of its own."""
SIZE = re.compile(r"^#define MODEL_(\w+) (\d+)$", re.MULTILINE)
ROUNDED = {"SITES": 32, "NUMBERS": 64}
"""Sizes that may be larger than is needed: rounded up, more models have the same."""
STORE_FLAGS = {
    "exact": (),
    "tree": ("-DSTORE_TREE=1",),
    "fingerprint": ("-DSTORE_FINGERPRINT=1",),
    "disk": ("-DSTORE_DISK=1",),
}
STOP_NONE, STOP_INTERRUPTED, STOP_TIME, STOP_MEMORY, STOP_STATES, STOP_TRAPPED, STOP_DISK = range(7)
EVENT_DEADLOCK, EVENT_VIOLATION, EVENT_NONE = 0, 1, -1
NO_ERROR = 0xFFFFFFFF
EVERYTHING = 2**64 - 1


class Options(ctypes.Structure):
    """Limits of a search, and its directory if it has one."""

    _fields_ = (
        *((field, ctypes.c_uint64) for field in ("workers", "memory_limit", "states_max", "again")),
        ("directory", ctypes.c_char_p),
        ("about", ctypes.c_char_p),
    )


REGISTERS = 4096
"""Of each estimate of how many are distinct (`simulate.h`)."""


class Plan(ctypes.Structure):
    """Random runs to make."""

    _fields_ = (
        ("seed", ctypes.c_uint64),
        ("first_run", ctypes.c_uint64),
        ("runs", ctypes.c_uint64),
        ("depth_max", ctypes.c_uint64),
        ("swarm", ctypes.c_uint64),
    )


class LivenessReport(ctypes.Structure):
    """Where a check of liveness stands."""

    _fields_ = tuple(
        (field, ctypes.c_uint64)
        for field in (
            "states",
            "expanded",
            "transitions",
            "record_bytes",
            "bytes",
            "instances",
            "stem_length",
            "path_length",
            "stop",
            "error",
            "begun",
            "pending",
            "open",
            "forced",
            "saves",
        )
    )


@dataclass(frozen=True)
class Step:
    """One step of a counterexample: action number, words of the arguments, whether the attempt was an error."""

    action: int
    arguments: tuple[int, ...]
    failed: bool


class Library:
    """A model compiled together with the engine."""

    def __init__(self, rendered: Rendered, c: ctypes.CDLL, quick: Apart | None = None, searching: bool = False) -> None:
        """`quick` is how the model is compiled well, if it was compiled quickly; `searching` as in `Apart.of`."""
        self.rendered, self.c, self.quick, self.searching = rendered, c, quick, searching
        self._declare()
        bounds, actions = max(len(rendered.bounds), 1), len(rendered.parameters)
        plain = [
            (field, ctypes.c_uint64)
            for field in (
                "states",
                "transitions",
                "depth",
                "frontier",
                "memory_bytes",
                "reached",
                "trace_length",
                "checkpoints",
            )
        ]
        signed = [(field, ctypes.c_int64) for field in ("event", "stop", "done", "trace_failed")]
        counts = [("cuts", ctypes.c_uint64 * bounds), ("fired", ctypes.c_uint64 * actions)]
        self.Report = type("Report", (ctypes.Structure,), {"_fields_": [*plain, *signed, *counts]})
        counted = [
            (field, ctypes.c_uint64) for field in ("runs", "steps", "event", "last_run", "last_start", "last_steps")
        ]
        covered = ("covered", ctypes.c_uint8 * REGISTERS * 2)
        self.Simulated = type("Simulated", (ctypes.Structure,), {"_fields_": [*counted, counts[1], covered]})
        assert ctypes.sizeof(self.Report) == self.c.quorate_report_bytes()

    def _declare(self) -> None:
        pointer, number = ctypes.c_void_p, ctypes.c_uint64
        signatures: dict[str, tuple[object, Sequence[object]]] = {
            "quorate_report_bytes": (number, ()),
            "quorate_open": (pointer, (pointer, number)),
            "quorate_close": (None, (pointer,)),
            "quorate_start": (ctypes.c_int, (pointer,)),
            "quorate_wait": (ctypes.c_int, (pointer, number)),
            "quorate_stop": (None, (pointer, ctypes.c_int)),
            "quorate_report": (None, (pointer, pointer)),
            "quorate_failure": (ctypes.c_char_p, (pointer,)),
            "quorate_checkpoint": (ctypes.c_int, (pointer, ctypes.c_char_p)),
            "quorate_checkpoint_last": (ctypes.c_int, (pointer, ctypes.c_char_p)),
            "quorate_checkpoint_whole": (ctypes.c_int, (pointer, ctypes.c_char_p)),
            "quorate_checkpoint_error": (ctypes.c_char_p, (pointer,)),
            "quorate_checkpoint_arenas": (number, (ctypes.c_char_p,)),
            "quorate_checkpoint_about": (None, (ctypes.c_char_p, ctypes.c_char_p)),
            "quorate_resume": (ctypes.c_char_p, (pointer, ctypes.c_char_p)),
            "quorate_trace_step": (None, (pointer, number, pointer, pointer, pointer, pointer)),
            "quorate_trace_length": (number, (pointer,)),
            "quorate_trapped": (number, ()),
            "quorate_mistaken": (number, ()),
            "quorate_crowded": (ctypes.c_int, ()),
            "quorate_numbered": (number, ()),
            "quorate_level": (number, (pointer, number)),
            "quorate_met": (ctypes.c_int, (pointer, pointer)),
        }
        if self.rendered.numbered:
            signatures["quorate_number"] = (ctypes.c_uint, (number, ctypes.c_uint, ctypes.c_uint))
        if not self.searching:
            signatures |= {
                "quorate_simulate": (ctypes.c_int, (pointer, pointer, pointer)),
                "quorate_rerun": (pointer, (pointer, pointer, number)),
                "quorate_new_states": (ctypes.c_int, (pointer, number, pointer)),
                "quorate_distinct": (number, (pointer, number, number, ctypes.c_int)),
            }
        if self.rendered.points:
            signatures["quorate_counted"] = (number, (pointer, number))
        if self.rendered.guided:
            signatures |= {
                "quorate_guide_open": (pointer, ()),
                "quorate_guide_close": (None, (pointer,)),
                "quorate_guided": (pointer, (pointer, pointer, pointer, pointer)),
                "quorate_guide_learn": (ctypes.c_int, (pointer, pointer)),
                "quorate_guide_ignore": (None, (pointer,)),
                "quorate_guide_weigh": (ctypes.c_int, (pointer,)),
                "quorate_guide_met": (ctypes.c_int, (pointer, number, pointer, pointer)),
            }
        if self.rendered.has_liveness:
            signatures |= {
                "quorate_liveness_open": (pointer, (number, number, number)),
                "quorate_liveness_close": (None, (pointer,)),
                "quorate_liveness_keep": (ctypes.c_int, (pointer, ctypes.c_char_p)),
                "quorate_liveness_resume": (ctypes.c_char_p, (pointer, ctypes.c_char_p)),
                "quorate_liveness_checkpoint": (None, (pointer,)),
                "quorate_liveness_save": (None, (pointer,)),
                "quorate_liveness_failure": (ctypes.c_char_p, (pointer,)),
                "quorate_liveness_note": (ctypes.c_int, (pointer, number, number, number)),
                "quorate_liveness_recall": (ctypes.c_int, (pointer, number, number)),
                "quorate_liveness_build": (ctypes.c_int, (pointer,)),
                "quorate_liveness_check": (ctypes.c_int, (pointer, number, pointer)),
                "quorate_liveness_stop": (None, (pointer, ctypes.c_int)),
                "quorate_liveness_report": (None, (pointer, pointer)),
                "quorate_liveness_step": (ctypes.c_int, (pointer, number, pointer, pointer)),
            }
        for name, (result, arguments) in signatures.items():
            function = getattr(self.c, name)
            function.restype, function.argtypes = result, list(arguments)

    def go_on_with(self, other: ctypes.CDLL) -> bool:
        """Use the model of another library, of the same text; whoever explores with this one may be doing so (`apart.h`). Its engine is not
        used, nor can it be: the other must be loaded for this alone (`cc.Meanwhile`). Whether this was possible."""
        for c in (self.c, other):
            c.quorate_common.restype = c.quorate_model.restype = ctypes.c_void_p
            c.quorate_model.argtypes = c.quorate_take_over.argtypes = [ctypes.c_void_p]
        self.quick = None
        return bool(self.c.quorate_take_over(other.quorate_model(self.c.quorate_common())))

    def trapped(self) -> str | None:
        """Where a number has left the 64 bits that the engine has for it; if it says so, nothing else that it has said counts."""
        number = self.c.quorate_trapped()
        if number == 0:
            return None
        place = self.rendered.traps[number - 1]
        where = "" if place is None else f" at {Path(place.file).name}:{place.line}"
        return f"a number passes 64 bits{where}, all that the native engine has"

    def counted(self, search: int) -> tuple[int, ...]:
        """How often a search that is done came by each point; empty if nothing was counted."""
        return tuple(self.c.quorate_counted(search, counter) for counter in range(2 * self.rendered.points))

    def new_states(self, search: int, level: int) -> list[int]:
        """By action, the states of the level after this one (`profile.h`). Raises MemoryError."""
        counts = (ctypes.c_uint64 * len(self.rendered.parameters))()
        if self.c.quorate_new_states(search, level, counts) != 0:
            raise MemoryError
        return list(counts)

    def distinct(self, search: int, at: int, bits: int, others: bool) -> int:
        """How many values a part of the states has, or all but that part (`profile.h`). Raises MemoryError."""
        count: int = self.c.quorate_distinct(search, at, bits, others)
        if count == 0 and bits > 0:
            raise MemoryError
        return count

    def mistaken(self) -> str | None:
        """The action or invariant of which something else was remembered than is so: then nothing that the engine has said counts."""
        number = self.c.quorate_mistaken()
        return None if number == 0 else self.rendered.sites[number - 1]

    def crowded(self) -> bool:
        """Whether more messages occurred than have numbers (`numbers.h`): then nothing counts that the engine says from there on, and in a
        search of which that came before the end."""
        return bool(self.c.quorate_crowded())

    def met(self, search: int, state: State) -> bool:
        """Whether a search that is done has met a state, or one that renaming makes of it. Messages that have no numbers are given some;
        where there are not as many (`crowded`) nobody can say: then it has."""
        assert self.rendered.layout is not None
        bits = self.rendered.layout.bits(state, self._number)
        words = self.rendered.state_words
        packed = (ctypes.c_uint64 * words)(*(bits >> 64 * i & EVERYTHING for i in range(words)))
        return bool(self.c.quorate_met(search, packed)) or self.crowded()

    def _number(self, kind: Numbered, message: int) -> int:
        found: int = self.c.quorate_number(message, kind.numbers, kind.payload)
        return found

    def steps(self, search: int) -> list[Step]:
        """The counterexample that a search has, its initial state first."""
        state = (ctypes.c_uint64 * self.rendered.state_words)()
        arguments = (ctypes.c_uint64 * self.rendered.argument_words)()
        action, error = ctypes.c_uint32(), ctypes.c_uint32()
        found = []
        for number in range(self.c.quorate_trace_length(search)):
            self.c.quorate_trace_step(search, number, state, arguments, ctypes.byref(action), ctypes.byref(error))
            found.append(Step(action.value, tuple(arguments), error.value != NO_ERROR))
        return found


def compile_model(name: str, source: str, store: str = "exact") -> ctypes.CDLL:
    """A model's C file, compiled with the engine. Raises NoCompiler and CompileFailed."""
    return cc.load(name, with_engine(source), (*FLAGS, *STORE_FLAGS[store]))


@dataclass(frozen=True)
class Apart:
    """A model's C file beside the engine (`apart.h`), to be compiled well or quickly. It counts no runs and guides none."""

    well: cc.Library
    quickly: cc.Library

    @staticmethod
    def of(name: str, source: str, store: str = "exact", searching: bool = False) -> Apart:
        """The two units of a model. What is for `searching` alone has neither profiles nor random runs."""
        head, model, body = source.partition('#include "model.h"')
        head = SIZE.sub(_rounded, head)
        sources = with_engine(f'#define APART 1\n#line 1 "{FILE}"\n{head}{model}{body}')
        sources[FILE] = sources[FILE].replace('#include "engine.inc"', '#include "apart.h"')
        known = {found[1]: int(found[2]) for found in SIZE.finditer(head)}
        if store != "tree":
            bits = known.pop("BITS")
            if known["LIVENESS"] and known["WORDS"] == 1:  # Whose graph keeps states in bytes (vertices.h).
                known["BITS"] = -(-bits // 8) * 8
        sizes = [f"#define MODEL_{size} {value}" for size, value in known.items()]
        includes = [f'#include "{file}"' for file in ("model.h", "apart.h", "engine.inc")]
        only = ["#define SEARCHING 1"] if searching else []
        sources[ENGINE] = "\n".join(["#define APART 2", *only, *sizes, *includes, ""])
        well = cc.Library(name, sources, (*FLAGS, *STORE_FLAGS[store]), ENGINE)
        return Apart(well, replace(well, own=QUICKLY))


def compile_apart(name: str, source: str, store: str = "exact") -> ctypes.CDLL:
    """A model's C file, compiled well beside the engine. Raises NoCompiler and CompileFailed."""
    return cc.built(Apart.of(name, source, store).well)


def _rounded(size: re.Match[str]) -> str:
    """The definition of a size, rounded up if it may be."""
    step = ROUNDED.get(size[1], 1)
    return f"#define MODEL_{size[1]} {-(-int(size[2]) // step) * step}"


def with_engine(source: str) -> dict[str, str]:
    """A model's C file and those of the engine, by name."""
    sources = dict(engine_sources())
    # The engine's main file is included by the model; only the model is a unit of its own.
    sources["engine.inc"] = sources.pop("engine.c")
    key = re.sub(r'^(#define MODEL_KEY "[^"]*)', rf"\1 {engine_version()}", source, count=1, flags=re.MULTILINE)
    sources[FILE] = key.replace('#include "engine.c"', '#include "engine.inc"')
    return sources


@cache
def engine_version() -> str:
    """What the engine is. Of another one checkpoints are not understood: hashes, orders and numbers of states are its own."""
    return hashlib.sha256("".join(engine_sources().values()).encode()).hexdigest()[:16]


def standalone(source: str, name: str) -> str:
    """A model's C file as one to keep under another name: it finds the engine from wherever it is."""
    folder = Path(__file__).parent.resolve()
    for header in HEADERS:
        source = source.replace(f'#include "{header}"', f'#include "{folder / header}"')
    return f"/* cc -std=c11 -O2 -pthread -shared -fPIC {name} */ " + source.replace(f'"{FILE}"', f'"{name}"')


@cache
def engine_sources() -> dict[str, str]:
    """The engine's C files by name."""
    folder = Path(__file__).parent
    return {name: (folder / name).read_text(encoding="utf-8") for name in HEADERS}
