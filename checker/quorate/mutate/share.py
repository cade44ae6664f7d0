"""What one process does with its share of the mutants of a specification."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import cast

from quorate.errors import QuorateError
from quorate.explore.checking import Naming, check, check_system, symmetric_sorts
from quorate.explore.limits import Limits, Watch, machine_bytes
from quorate.explore.native.together import Together, compiled_together
from quorate.kinds import SAFETY
from quorate.language.spec import Spec, without
from quorate.language.system import Failure, State, System
from quorate.loading import Protocol, load
from quorate.model import build
from quorate.model.nodes import Model
from quorate.mutate.content import doing
from quorate.mutate.mutants import mutants
from quorate.mutate.trial import Finding, Made, Original, bare, explored
from quorate.outcome import Outcome, Unfinished, Violated

TOGETHER_MAX = 64
"""So many mutants make a program: what a compiler needs for them is little beside the engine, and does not grow without end."""
MEMORY_SHARE = 0.6
"""The share of the machine's memory that all of them may take."""


@dataclass(frozen=True)
class Task:
    """Whose mutants: a specification by its name, a variant, and bounds."""

    spec: str
    variant: str | None = None
    bounds: dict[str, int] = field(default_factory=dict)
    engine: str = "auto"

    @property
    def naming(self) -> Naming:
        """What it is called."""
        return Naming(self.spec, self.variant)

    def loaded(self) -> tuple[Protocol, type[Spec]]:
        """Its file, and the class without lemmas, at the bounds of its mutants."""
        protocol = load(self.spec)
        cls = protocol.variant(self.variant)
        own = cls.__dict__.get("mutant_bounds", {})
        return protocol, bare(cls.bounded(**own | self.bounds))


@dataclass(frozen=True)
class Looked:
    """A mutant's model: the digest of its content, the variants that it is, or why there is none."""

    content: str
    variants: tuple[str, ...] = ()
    illegal: Finding | None = None


class Share:
    """The mutants of one process. What it is asked about a mutant it answers whatever it was asked before: it may be in the place of a
    process that was lost."""

    def __init__(self, task: Task, outcome: Outcome, size: int) -> None:
        protocol, spec = task.loaded()
        self.task, self.size = task, size
        self.original = Original(spec, outcome, task.naming)
        self.mutants = mutants(spec)
        self.made: dict[int, Made] = {}
        self.places: dict[int, tuple[Together, int]] = {}
        self.protocol = protocol
        self.variants = dict(_variants(protocol, protocol.variant(task.variant), System(spec).bounds))

    def look(self, number: int) -> Looked:
        """Make the model of a mutant."""
        made = self.original.made(self.mutants[number])
        if isinstance(made, Finding):
            return Looked("", illegal=made)
        self.made[number] = made
        does = doing(made.model) if self.variants else ""
        return Looked(made.content, tuple(name for name, other in self.variants.items() if other == does))

    def _made(self, number: int) -> Made:
        if number not in self.made:
            self.look(number)
        return self.made[number]

    def compile(self, worker: int, numbers: Sequence[int]) -> None:
        """Compile these mutants as few programs: those that differ from the original in their actions alone."""
        if self.task.engine not in ("auto", "native"):
            return
        original = self.original.model
        with original.system as system:
            initial = [state for _, state in system.initial()]
            alike = [number for number in numbers if self._is_alike(self._made(number).model, initial)]
            sorts, _ = symmetric_sorts(system)
            for begin in range(0, len(alike), TOGETHER_MAX):
                batch = alike[begin : begin + TOGETHER_MAX]
                with suppress(QuorateError):  # Then each is explored on its own.
                    together = compiled_together([self.made[number].model for number in batch], initial, sorts)
                    self.places |= {number: (together, position) for position, number in enumerate(batch)}

    def _is_alike(self, model: Model, initial: Sequence[State]) -> bool:
        """Whether a mutant differs from the original in its actions alone."""

        def rest(one: Model) -> object:
            return one.variables, one.symmetric, [prop.body for prop in (*one.properties, *one.constraints)]

        with suppress(Failure):  # It has no initial state.
            begins = [state for _, state in model.system.initial()]
            return begins == list(initial) and rest(model) == rest(self.original.model)
        return False

    def explore(self, number: int, limit_s: float) -> Finding:
        """Explore a mutant."""
        watch = self._watch(limit_s, number in self.places)
        model = self._made(number).model
        if number in self.places:
            together, position = self.places[number]
            with model.system:
                together.choose(position)
        explore = partial(explored, naming=self.task.naming, engine=self.task.engine)
        whole = partial(explore, watch=self._watch(limit_s, False), symmetry=False)
        return self.original.judged(self.mutants[number], model, explore(model, watch=watch), whole)

    def _watch(self, limit_s: float, is_compiled: bool) -> Watch:
        limits = Limits(seconds=limit_s, memory_bytes=_memory(self.size))
        return Watch(limits, at_once=0) if is_compiled else Watch(limits)

    def later(self, number: int, finding: Finding, limit_s: float) -> Finding:
        """What a mutant breaks besides, each property that is violated with the length of its shortest run."""
        broken, later = list(finding.properties), list[tuple[str, int]]()
        watch = self._watch(limit_s, number in self.places)
        spec = cast(type[Spec], self._made(number).model.system.spec)
        while True:
            system = System(without(spec, broken))
            if number in self.places:
                together, position = self.places[number]
                with system:
                    together.choose(position, system)
            outcome = check_system(system, engine=self.task.engine, symmetry=True, watch=watch, workers=1, naming=None)
            if (
                not isinstance(outcome, Violated)
                or outcome.trace is None
                or self.original.kinds.get(outcome.property) not in SAFETY
            ):
                return replace(finding, later=tuple(later))
            broken.append(outcome.property)
            later.append((outcome.property, len(outcome.trace)))

    def elsewhere(self, number: int, variants: Sequence[str], limit_s: float) -> Finding | str | None:
        """What variants that do what a mutant does break, each at bounds of its own and from its own beginning: what the first that breaks
        something does; or which is left, and why; None if nothing."""
        watch = self._watch(limit_s, False)
        left: str | None = None
        for variant in variants:
            outcome = check(
                bare(self.protocol.variants[variant]),
                engine=self.task.engine,
                watch=watch,
                naming=Naming(self.task.spec, variant),
            )
            finding = self.original.broken(outcome)
            if finding is not None and finding.trace is not None:
                bounds = ", ".join(f"{name} {size}" for name, size in outcome.bounds.items())
                return replace(finding, where=f"as the variant {variant} begins, at {bounds}")
            if isinstance(outcome, Unfinished):
                left = left or f"{variant} is left ({outcome.reason})"
        return left


def _variants(protocol: Protocol, base: type[Spec], bounds: dict[str, int]) -> Iterator[tuple[str, str]]:
    """What the variants of a class do, at these bounds."""
    for name, cls in protocol.classes.items():
        if cls is not base and issubclass(cls, base):
            with suppress(QuorateError):  # It may have no such bound, or no model.
                yield name, doing(build(cls.bounded(**bounds)))


def _memory(processes: int) -> int:
    """The bytes that one of several processes may hold, of which there is no more than one for each core of a machine."""
    return int(machine_bytes() * MEMORY_SHARE / min(processes, os.cpu_count() or processes))
