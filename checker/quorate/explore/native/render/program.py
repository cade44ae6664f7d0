"""The whole model as one C file, by the interface that `model.h` describes."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace

from quorate.errors import Location
from quorate.explore.native.render.directives import directed
from quorate.explore.native.render.functions import declared, function, pack_arguments, place_of, unpack_parameters
from quorate.explore.native.render.history import history_checks
from quorate.explore.native.render.layout import Layout, Numbered, Unsupported, capacity, width, words
from quorate.explore.native.render.liveness import liveness, promises
from quorate.explore.native.render.numbering import TakenWhole, numbered
from quorate.explore.native.render.operands import comment, literal
from quorate.explore.native.render.properties import Properties, all_choices
from quorate.explore.native.render.ranging import opening, ranging
from quorate.explore.native.render.reads import reads
from quorate.explore.native.render.recall import plan, recall
from quorate.explore.native.render.shared import Shared
from quorate.explore.native.render.statements import Body
from quorate.explore.native.render.symmetry import canonical_form
from quorate.explore.native.render.writer import Writer
from quorate.kinds import ENDS, STEPS
from quorate.language.sorts import Scalarset
from quorate.language.system import State
from quorate.language.types import Type
from quorate.model.nodes import Action, Expr, Model, Op, Require, conjuncts
from quorate.model.points import Points
from quorate.model.totality import is_total

FILE = "model.c"
"""What the C file is called."""
INITIAL_MAX = 50_000
CHOOSE = """\
EXPORT void quorate_choose(unsigned number, uint64_t invariants, uint64_t steps) {
    plan = number;
    left_out_invariants = invariants;
    left_out_steps = steps;
    for (unsigned i = 0; i < plan_lengths[plan]; i++) own_number[plans[plan][i]] = (uint16_t)i;
    atomic_store(&common->trapped, 0);
}
"""
"""How one of several models is chosen, and which properties are left out, as bits."""


@dataclass(frozen=True)
class Rendered:
    """A model in C and what is needed to read the engine's answers. Bounds and actions are in the order of their numbers.

    `sites` are the actions and invariants of which something is remembered, by their numbers. `layout` says what words a state is.
    `has_liveness` says whether there are liveness properties in it; `no_liveness` why not, if the model has some. `traps` are the places
    where a number may leave its 64 bits; `points` is how many are counted."""

    source: str
    bounds: tuple[str, ...]
    parameters: tuple[tuple[Type, ...], ...]
    state_bits: int
    state_words: int
    argument_words: int
    has_liveness: bool = False
    no_liveness: str | None = None
    traps: tuple[Location | None, ...] = ()
    points: int = 0
    sites: tuple[str, ...] = ()
    guided: bool = False
    layout: Layout | None = None

    @property
    def numbered(self) -> bool:
        """Whether messages have numbers, and it is known which."""
        return self.layout is not None and any(isinstance(kind, Numbered) for kind in self.layout.kinds.kinds)

    @property
    def silent(self) -> Rendered:
        """The same without what belongs to the specification: for processes that do not have it."""
        return replace(self, parameters=((),) * len(self.parameters), layout=None)


def render(
    model: Model,
    initial: Sequence[State],
    sorts: Sequence[type[Scalarset]] = (),
    without: Collection[str] = (),
    plans: Sequence[Sequence[int]] = (),
    points: Points | None = None,
    guided: bool = False,
) -> Rendered:
    """The C file of a model that starts in these states, reduced over these sorts; `without` names what the search is not to save.
    With `plans` it is several models, each with some of the actions (`together.py`); with `points` the search counts how often it comes by
    them; `guided` writes what steps read, for random runs. Raises Unsupported.

    Use it inside the system's configuration."""
    if guided:
        return Program(model, initial, sorts, without, guided=True).rendered()
    if not plans and points is None and not promises(model):
        try:
            return Program(model, initial, sorts, without, numbered=numbered(model, initial, without)).rendered()
        except TakenWhole:
            pass
    return Program(model, initial, sorts, without, plans, points).rendered()


class Program:
    """Assembles the file of one model."""

    def __init__(
        self,
        model: Model,
        initial: Sequence[State],
        sorts: Sequence[type[Scalarset]],
        without: Collection[str] = (),
        plans: Sequence[Sequence[int]] = (),
        points: Points | None = None,
        numbered: Mapping[str, Numbered] | None = None,
        guided: bool = False,
    ) -> None:
        if len(initial) > INITIAL_MAX:
            raise Unsupported(f"{len(initial):,} initial states (at most {INITIAL_MAX:,})")
        self.model, self.initial, self.guided = model, initial, guided
        self.shared = Shared(model, sorts, without, plans, points, numbered)
        names = [variable.name for variable in model.variables]
        self.layout = Layout(tuple(map(names.index, self.shared.order)), self.shared.layout)
        self.argument_words = max(
            [sum(words(width(kind)) for _, kind in action.parameters) for action in model.actions] + [1]
        )

    # Actions

    def _attempt(self, action: Action, number: int) -> None:
        """One action with given arguments: a successor, a cut, an error, or nothing. Guards are evaluated before the state is copied,
        unless they are counted."""
        out, counted = Writer(), self.shared.points is not None
        own = self.shared.own(number)
        guards, body = ([], list(action.body)) if counted else opening(action)
        head = ["const State *from", "Successors *out", *declared(action.parameters)]
        with out.block(f"static void attempt_{number}({', '.join(head)})"):
            out("const word *const s = from->w;")
            out("int status_ = 0, *status = &status_;")
            out("(void)s, (void)status;")
            before = Body(self.shared, out, "s", "s", lambda _: None)
            pack_arguments(before, action.parameters)
            unpack_parameters(before, action.parameters)
            if counted:
                out("count_into(out);")
            before.block(guards)
            out("State next = *from;")
            out("word *const n = next.w;")
            out("(void)n;")
            writer = Body(self.shared, out, "n", "s", lambda _: out("goto done;"))
            place = place_of(before, self.shared.groups.splits[number], action.parameters)
            out(f"const unsigned group = {self.shared.groups.first[number]}u + {place};")
            writer.declare_locals(body, [name for name, _ in action.parameters])
            writer.block(body)
            count = sum(words(width(kind)) for _, kind in action.parameters)
            out("goto done;")
            out("done:")
            if counted:
                out("model_count_step(s, n);")
                out("count_nowhere();")
            out(f"emit(out, from, &next, {own}, group, args, {count});")
            out("goto disabled;")
            out("leave:")
            if counted:
                out("count_nowhere();")
            out(f"if (*status < 0) fail(out, from, {own}, args, {count});")
            if promises(self.model) and action.method.declaration.fair is not None:
                out(f"else cut_fair(out, (uint32_t)*status - 1, from, {own}, args, {count});")
            else:
                out("else cut(out, (uint32_t)*status - 1);")
            out("disabled:")
            if counted:
                out("count_nowhere();")
            out("return;")
        parameters = ", ".join(f"{name}: {kind}" for name, kind in action.parameters)
        self.shared.code(comment(f"@action {action.name}({parameters})"))
        self.shared.code.lines.extend(out.lines)
        self.shared.code()

    def _choices(self, action: Action, number: int) -> None:
        """Try an action with all its arguments: by what is remembered, where that is worth it."""
        how = plan(self.shared, action)
        if how is None:
            self._loops(f"action_{number}", "attempt", action, number, 0, len(action.parameters))
            return
        outer = len(how.outer)
        self._loops(f"rest_{number}", "attempt", action, number, outer, len(action.parameters))
        recall(self.shared, action, number, how)
        self._loops(f"action_{number}", "recall", action, number, 0, outer)

    def _loops(self, name: str, what: str, action: Action, number: int, begin: int, end: int) -> None:
        """A function that does something for all values of the parameters from `begin` to `end`; those before have values."""
        out = Writer()
        parameters = declared(action.parameters[:begin])
        with out.block(f"static void {name}({', '.join(['const State *from', 'Successors *out', *parameters])})"):
            out("const word *const s = from->w;")
            out("int status_ = 0, *status = &status_;")
            out("(void)s, (void)status;")
            writer = Body(self.shared, out, "s", "s", lambda _: None)
            unpack_parameters(writer, action.parameters[:begin])
            guards = self._early_guards(action)
            if begin == 0 and (action.parameters or what == "recall"):
                self._guard(writer, guards[0], "return")
            with ExitStack() as stack:
                for position in range(begin, end):
                    (known, kind), source = action.parameters[position], action.ranges[position]
                    if source is None:
                        stack.enter_context(all_choices(writer, [(known, kind)]))
                    else:
                        value = stack.enter_context(ranging(writer, source, kind))
                        writer.declare(kind, f"v_{known}", value)
                    if position + 1 < len(action.parameters) or what == "recall":
                        self._guard(writer, guards[position + 1], "continue")
                values = [f"v_{known}" for known, _ in action.parameters[:end]]
                out(f"{what}_{number}({', '.join(['from', 'out', *values])});")
            out("return;")
            out("leave:")
            out(f"fail(out, from, {self.shared.own(number)}, NULL, 0);")
        self.shared.code.lines.extend(out.lines)
        self.shared.code()

    def _early_guards(self, action: Action) -> list[list[Expr]]:
        """For each number of first parameters, the guards that are decided when these have values.

        A guard moves forward over others only if none of them can fail, and if it is not counted how often it decides."""
        asked = [guard.condition for guard in opening(action)[0]]
        names = [name for name, _ in action.parameters]
        found: list[list[Expr]] = [[] for _ in range(len(names) + 1)]
        for statement in action.body if self.shared.points is None else ():
            if not isinstance(statement, Require):
                break
            for guard in conjuncts(statement.condition):
                if not is_total(guard, self.model):
                    return found
                mentioned = {node.data for node in guard.walk() if node.op is Op.LOCAL}
                known = max((names.index(name) + 1 for name in mentioned if name in names), default=0)
                if known < len(names) or guard in asked:
                    found[known].append(guard)
        return found

    @staticmethod
    def _guard(writer: Body, guards: Sequence[Expr], otherwise: str) -> None:
        for guard in guards:
            writer.out(f"if (!({writer.value(guard)})) {otherwise};")

    def _initial(self) -> None:
        out = self.shared.code
        rows = [self.layout.bits(state) for state in self.initial]
        with out.block(f"static const word initial_states[][{self.shared.state_words}] =", "};"):
            for row in rows:
                out(
                    "{"
                    + ", ".join(literal(row >> 64 * i & (1 << 64) - 1) for i in range(self.shared.state_words))
                    + "},"
                )
        with (
            out.block("static void model_initial(Successors *out)"),
            out.block(f"for (uint64_t i = 0; i < {len(rows)}; i++)"),
        ):
            out("State state;")
            out("memcpy(state.w, initial_states[i], sizeof state.w);")
            out("emit_initial(out, &state, &i);")

    def _successors(self) -> None:
        out = self.shared.code
        if self.shared.plans:
            self._planned()
            return
        with out.block("static void model_successors(const State *from, Successors *out)"):
            for number, action in enumerate(self.model.actions):
                out(f"action_{number}(from, out); /* {action.name} */")

    def _planned(self) -> None:
        """The actions of the plan that was chosen."""
        out, actions = self.shared.code, self.model.actions
        tries = ", ".join(f"action_{number}" for number in range(len(actions)))
        out(f"static void (*const tries[])(const State *, Successors *) = {{{tries}}};")
        with (
            out.block("static void model_successors(const State *from, Successors *out)"),
            out.block("for (unsigned i = 0; i < plan_lengths[plan]; i++)"),
        ):
            out("tries[plans[plan][i]](from, out);")

    def _room(self) -> None:
        """Whether no two transitions from a state can be cut by a capacity: else their order might matter."""
        out = Writer()
        with out.block("static bool model_room(const State *state)"):
            out("const word *s = state->w;")
            out("(void)s;")
            writer = Body(self.shared, out, "s", "s", lambda _: None)
            for name, needed in self.shared.groups.room.items():
                spot = self.shared.variable("s", name)
                out(f"if ({writer.length(spot)} + {needed} > {capacity(spot.kind)}) return false;")
            out("return true;")
        self.shared.code.lines.extend(out.lines)

    def _sleeping(self) -> None:
        """Which groups commute."""
        out = self.shared.code
        if self.shared.groups.sleep:
            rows = ", ".join(f"{row:#x}u" for row in self.shared.groups.independent)
            out("/* The groups whose transitions commute with those of each group, as bits. */")
            out(f"static const uint64_t independent_of[] = {{{rows}}};")
        before, row = (
            ("((uint64_t)1 << group) - 1", "independent_of[group]") if self.shared.groups.sleep else ("0", "0")
        )
        self._room()
        out(f"static inline uint64_t model_before(unsigned group) {{ (void)group; return {before}; }}")
        out(f"static inline uint64_t model_independent(unsigned group) {{ (void)group; return {row}; }}")
        out()

    def _liveness(self) -> str | None:
        """Fairness and liveness properties, if there are any, or why not: then safety alone is compiled."""
        if not promises(self.model):
            return None
        before = len(self.shared.code.lines)
        try:
            liveness(self.shared)
        except Unsupported as reason:
            del self.shared.code.lines[before:]
            return str(reason)
        return None

    # The file

    def rendered(self) -> Rendered:
        """The whole file."""
        shared = self.shared
        for known in self.model.functions.values():
            function(shared, known)
        Properties(shared).write()
        for number, action in enumerate(self.model.actions):
            self._attempt(action, number)
            self._choices(action, number)
        self._initial()
        self._successors()
        self._sleeping()
        if self.guided:
            reads(shared)
        no_liveness = self._liveness()
        history_checks(shared)
        canonical = canonical_form(shared)
        promised = 0 if no_liveness is not None else len(promises(self.model))
        body, defines = [*shared.head.lines, "", *shared.code.lines, "", *canonical.lines], self._defines(promised)
        key = hashlib.sha256("\n".join([defines, *body]).encode()).hexdigest()[:32]
        title = comment(
            f"{self.model.name}, rendered by Quorate. Directives tell the line of the spec; its text stands beside."
        )
        head = f'{title}\n#define MODEL_KEY "{key}"\n{defines}#include "model.h"\n#include "bits.h"\n\n'
        text = "\n".join(directed(body, FILE, head.count("\n") + 1))
        source = f'{head}{text}\n\n#include "engine.c"\n{CHOOSE if shared.plans else ""}'
        return Rendered(
            source,
            shared.bounds,
            tuple(tuple(kind for _, kind in action.parameters) for action in self.model.actions),
            width(self.shared.layout),
            self.shared.state_words,
            self.argument_words,
            promised > 0,
            no_liveness,
            tuple(shared.traps),
            0 if shared.points is None else len(shared.points),
            tuple(shared.sites),
            self.guided,
            self.layout,
        )

    def _defines(self, promised: int) -> str:
        values = {
            "WORDS": self.shared.state_words,
            "BITS": width(self.shared.layout),
            "ARGS": self.argument_words,
            "ACTIONS": len(self.model.actions),
            "BOUNDS": max(len(self.shared.bounds), 1),
            "HAS_STEPS": int(bool(self.model.of(*STEPS))),
            "DEADLOCK": int(bool(self.model.of(*ENDS))),
            "SYMMETRY": int(bool(self.shared.sorts)),
            "GROUPS": self.shared.groups.count,
            "SLEEP": int(self.shared.groups.sleep),
            "LIVENESS": promised,
            "SITES": len(self.shared.sites),
        }
        for kind in self.shared.numbered.values():
            values |= {"NUMBERS": kind.numbers, "CLASSES": len(kind.classes)}
        if self.shared.points is not None:
            values["POINTS"] = len(self.shared.points)
        if self.guided:
            values["GUIDED"] = 1
        return "".join(f"#define MODEL_{name} {value}\n" for name, value in values.items())
