"""One worker of a search on a cluster: the actor's body. It has no thread but the one that runs its tasks."""

from __future__ import annotations

import ctypes
import os
import platform
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from tempfile import TemporaryFile
from typing import IO, NamedTuple

from quorate import cc
from quorate.errors import QuorateError
from quorate.explore.limits import machine_bytes
from quorate.explore.native import library
from quorate.explore.native.library import EVERYTHING, STOP_NONE, Library, Options, Step
from quorate.explore.native.render import Rendered

SHARED_FLAG = "-DMODEL_SHARED=1"
LEAD, SHOW, SHOW_INITIALLY = range(3)
"""Which states `members` asks for (`share.h`)."""
PIECE_STATES = 1 << 22
"""Expanded in one task: the next look at limits and Ctrl-C comes after it."""
BOX_BYTES, PIECE_BYTES_MAX = 4 << 20, 128 << 20
"""What a task sends to each other worker, about, and to all of them. Each box is a task of its own, which costs the driver as much time
whatever is in it."""
OWNED_SHARE = 0.5
"""Of a machine's memory, what its workers may take together: Ray takes a part for what is on the way."""


class Look(NamedTuple):
    """Where a worker stands after a task: `left` of its states of the level are not expanded yet, and so many bytes wait for each owner."""

    states: int
    transitions: int
    left: int = 0
    stop: int = STOP_NONE
    lengths: tuple[int, ...] = ()


class Tally(NamedTuple):
    """What a worker has counted since it began, and `found` states of the next level. `wrong` is what makes all of it void."""

    states: int
    transitions: int
    found: int
    memory_bytes: int
    reached: int
    event: int
    stop: int
    cuts: tuple[int, ...]
    fired: tuple[int, ...]
    counted: tuple[int, ...]
    trapped: str | None
    mistaken: str | None


class Moment(NamedTuple):
    """What a task belongs to: an attempt at a level, when all workers together have `reached` so many goals, as bits."""

    level: int
    attempt: int
    reached: int


class Place(NamedTuple):
    """Where a worker runs."""

    machine: str
    process: int
    memory_bytes: int


class Stale(Exception):
    """A task of an attempt that was given up."""


@dataclass
class Kept:
    """What a neighbour has found, on this worker's disk: a file that vanishes with the process, and where its levels end."""

    file: IO[bytes] = field(default_factory=TemporaryFile)
    lengths: dict[int, int] = field(default_factory=dict)

    def begin(self, level: int) -> int:
        """Where a level begins."""
        return sum(length for before, length in self.lengths.items() if before < level)


class Worker:
    """Owns the states of part `part` of `parts`."""

    def __init__(self, name: str, sources: Mapping[str, str], rendered: Rendered) -> None:
        self._name, self._sources, self._rendered = name, sources, rendered
        self._kept: defaultdict[int, Kept] = defaultdict(Kept)
        self._level, self._attempt = -1, 0
        self._share = 0

    def place(self) -> Place:
        """Where it runs, with the machine's memory."""
        return Place(platform.node(), os.getpid(), machine_bytes())

    def open(self, part: int, parts: int, memory_bytes: int, again: int, attempt: int, seed: bool) -> str | None:
        """Compile, and find the initial states unless others follow. None, or why that cannot be."""
        try:
            c = cc.load(self._name, self._sources, (*library.FLAGS, SHARED_FLAG))
        except QuorateError as reason:
            return str(reason)
        self._library = Library(self._rendered, c)
        self._c, self._parts, self._part = _declared(c), parts, part
        options = Options(1, memory_bytes, EVERYTHING, again)
        self._share = c.quorate_share_open(ctypes.byref(options), part, parts, seed)
        self._attempt = attempt
        self._state_bytes = 8 * self._rendered.state_words
        return None if self._share else "there is no memory for a worker"

    # ---- A level ----

    def _at(self, moment: Moment) -> None:
        """Be in this attempt at this level. Raises Stale if it was given up."""
        level, attempt, reached = moment
        if attempt < self._attempt:
            raise Stale
        if attempt > self._attempt and level == self._level >= 0:
            self._c.quorate_share_back(self._share)
        if level > self._level:
            self._c.quorate_share_turn(self._share, reached)
        self._level, self._attempt = level, attempt

    def expand(self, moment: Moment) -> tuple[Look | bytes | None, ...]:
        """Expand a piece of the level: where it stands then, and what goes to each worker."""
        self._at(moment)
        most = min(self._parts * BOX_BYTES, PIECE_BYTES_MAX)
        left = self._c.quorate_share_expand(self._share, PIECE_STATES, most)
        boxes = [self._box(owner) if owner != self._part else b"" for owner in range(self._parts)]
        self._c.quorate_share_sent(self._share)
        return (self._look(left, tuple(map(len, boxes))), *(box or None for box in boxes))

    def insert(self, moment: Moment, box: bytes) -> Look:
        """Insert what another worker has sent."""
        self._at(moment)
        self._c.quorate_share_insert(self._share, box, len(box))
        return self._look()

    def end(self, moment: Moment) -> Tally:
        """Everything of the level is expanded and inserted: what came of it."""
        self._at(moment)
        report = self._report()
        found = ctypes.c_uint64(EVERYTHING)
        self._c.quorate_share_level(self._share, moment.level + 1, 0, ctypes.byref(found))
        return Tally(
            report.states,
            report.transitions,
            found.value,
            report.memory_bytes,
            report.reached,
            report.event,
            report.stop,
            tuple(report.cuts[: len(self._rendered.bounds)]),
            tuple(report.fired),
            self._library.counted(self._c.quorate_share_search(self._share)),
            self._library.trapped(),
            self._library.mistaken(),
        )

    def states(self, depth: int, begin: int, most: int) -> bytes:
        """Of the states that are first met at this depth some, from one on."""
        count = ctypes.c_uint64(most)
        at = self._c.quorate_share_level(self._share, depth, begin, ctypes.byref(count))
        return ctypes.string_at(at, count.value * self._state_bytes)

    def _look(self, left: int = 0, lengths: tuple[int, ...] = ()) -> Look:
        report = self._report()
        return Look(report.states, report.transitions, left, report.stop, lengths)

    def _report(self) -> ctypes.Structure:
        report: ctypes.Structure = self._library.Report()
        self._c.quorate_share_report(self._share, ctypes.byref(report))
        return report

    def _box(self, owner: int) -> bytes:
        length = ctypes.c_uint64()
        at = self._c.quorate_share_box(self._share, owner, ctypes.byref(length))
        return bytes((ctypes.c_char * length.value).from_address(at)) if length.value else b""

    # ---- When one is lost ----

    def keep(self, owner: int, depth: int, begin: int, states: bytes) -> str | None:
        """Write down what a neighbour has found at a depth, from one of its states on. None, or why that cannot be."""
        kept = self._kept[owner]
        try:
            kept.file.seek(kept.begin(depth) + begin * self._state_bytes)
            kept.file.write(states)
            kept.file.flush()
        except OSError as error:
            return error.strerror
        kept.lengths[depth] = begin * self._state_bytes + len(states)
        return None

    def kept(self, owner: int, depth: int, begin: int, most: int) -> bytes:
        """Read it again."""
        kept = self._kept[owner]
        kept.file.seek(kept.begin(depth) + begin * self._state_bytes)
        return kept.file.read(min(most * self._state_bytes, kept.lengths[depth] - begin * self._state_bytes))

    def load(self, states: bytes) -> None:
        """Take over states of a worker that was lost."""
        self._c.quorate_share_load(self._share, states, len(states))

    def loaded(self) -> None:
        """These were all of their level, and others follow."""
        self._c.quorate_share_loaded(self._share)
        self._level += 1

    def resume(self) -> None:
        """These were all."""
        self._c.quorate_share_resume(self._share)

    # ---- The counterexample ----

    def members(self, moment: Moment, depth: int, how: int, event: int, wanted: bytes) -> bytes:
        """Its states of a depth that lead to one that is wanted, or show the event."""
        self._at(moment)
        self._want(wanted)
        self._c.quorate_share_members(self._share, depth, how, event)
        found = self._box(self._part)
        self._c.quorate_share_sent(self._share)
        return found

    def joined(self, *members: bytes) -> bytes:
        """What several workers have, as one."""
        return b"".join(members)

    def path(self, event: int | None, *sets: bytes) -> list[Step]:
        """The first path through these sets, and on to the event unless it shows in the last of them."""
        for depth, wanted in enumerate(sets):
            self._want(wanted)
            if not self._c.quorate_share_step(self._share, depth):
                return []
        if event is not None and not self._c.quorate_share_violate(self._share, event):
            return []
        return self._library.steps(self._c.quorate_share_search(self._share))

    def _want(self, wanted: bytes) -> None:
        if not self._c.quorate_share_want(self._share, wanted, len(wanted)):
            raise MemoryError


def _declared(c: ctypes.CDLL) -> ctypes.CDLL:
    pointer, number = ctypes.c_void_p, ctypes.c_uint64
    signatures: dict[str, tuple[object, Sequence[object]]] = {
        "quorate_share_open": (pointer, (pointer, number, number, ctypes.c_int)),
        "quorate_share_search": (pointer, (pointer,)),
        "quorate_share_expand": (number, (pointer, number, number)),
        "quorate_share_insert": (None, (pointer, ctypes.c_char_p, number)),
        "quorate_share_box": (pointer, (pointer, number, pointer)),
        "quorate_share_sent": (None, (pointer,)),
        "quorate_share_turn": (None, (pointer, number)),
        "quorate_share_back": (None, (pointer,)),
        "quorate_share_level": (pointer, (pointer, number, number, pointer)),
        "quorate_share_load": (None, (pointer, ctypes.c_char_p, number)),
        "quorate_share_loaded": (None, (pointer,)),
        "quorate_share_resume": (None, (pointer,)),
        "quorate_share_want": (ctypes.c_int, (pointer, ctypes.c_char_p, number)),
        "quorate_share_members": (None, (pointer, number, ctypes.c_int, number)),
        "quorate_share_step": (ctypes.c_int, (pointer, number)),
        "quorate_share_violate": (ctypes.c_int, (pointer, number)),
        "quorate_share_report": (None, (pointer, pointer)),
    }
    for name, (result, arguments) in signatures.items():
        function = getattr(c, name)
        function.restype, function.argtypes = result, list(arguments)
    return c
