"""The whole model as one C file, by the interface that `model.h` describes."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from quorate.explore.native.render.directives import directed
from quorate.explore.native.render.groups import Groups
from quorate.explore.native.render.history import history_check
from quorate.explore.native.render.layout import Unsupported, capacity, offsets, pack, width, words
from quorate.explore.native.render.liveness import liveness, promises
from quorate.explore.native.render.properties import Properties, all_choices
from quorate.explore.native.render.ranging import opening, ranging
from quorate.explore.native.render.statements import Body
from quorate.explore.native.render.symmetry import canonical_form
from quorate.explore.native.render.values import Spot, Values, ctype, is_wide, literal, to_bits
from quorate.explore.native.render.writer import Writer
from quorate.kinds import ENDS, STEPS
from quorate.language.sorts import Scalarset
from quorate.language.system import State
from quorate.language.types import TupleType, Type
from quorate.model.nodes import Action, Expr, Function, Model, Op, Require, Stmt, conjuncts
from quorate.model.totality import is_total

FILE = "model.c"
"""What the C file is called."""
ON_SEQUENCES = {
    "lower_bound": ("word element", "element"),
    "insert_element": ("unsigned i, word element", "i, element"),
    "remove_element": ("unsigned i", "i"),
}
"""Functions on sequences: the parameters after the count, and how they are passed on."""
TABLE_MAX = 65_536
INITIAL_MAX = 50_000


@dataclass(frozen=True)
class Rendered:
    """A model in C and what is needed to read the engine's answers. Bounds and actions are in the order of their numbers.

    `has_liveness` says whether there are liveness properties in it; `no_liveness` why not, if the model has some."""

    source: str
    bounds: tuple[str, ...]
    parameters: tuple[tuple[Type, ...], ...]
    state_bits: int
    state_words: int
    argument_words: int
    has_liveness: bool = False
    no_liveness: str | None = None


def render(
    model: Model, initial: Sequence[State], sorts: Sequence[type[Scalarset]] = (), without: Collection[str] = ()
) -> Rendered:
    """The C file of a model that starts in these states, reduced over these sorts; `without` names what the search is not to save.
    Raises Unsupported.

    Use it inside the system's configuration."""
    return Program(model, initial, sorts, without).rendered()


class Program:
    """What the bodies of one program share: layout of the state, tables, numbers of bounds, names of functions."""

    def __init__(
        self,
        model: Model,
        initial: Sequence[State],
        sorts: Sequence[type[Scalarset]],
        without: Collection[str] = (),
    ) -> None:
        if len(initial) > INITIAL_MAX:
            raise Unsupported(f"{len(initial):,} initial states (at most {INITIAL_MAX:,})")
        self.model, self.initial, self.sorts = model, initial, tuple(sorts)
        self.groups = Groups(model, bool(sorts), without)
        kinds = tuple(variable.type for variable in model.variables)
        self.layout = TupleType(kinds)
        self.state_words = words(width(self.layout) + 1)
        self._places = {
            variable.name: (variable.type, at) for variable, at in zip(model.variables, offsets(kinds), strict=True)
        }
        self.argument_words = max(
            [sum(words(width(kind)) for _, kind in action.parameters) for action in model.actions] + [1]
        )
        self._bounds: dict[str, int] = {}
        self._sequence_functions: set[str] = set()
        self._tables: dict[Type, str] = {}
        self._codes: dict[Type, str] = {}
        self._head, self._code = Writer(), Writer()
        self._histories: dict[tuple[object, ...], str] = {}
        self._actions = Writer()

    # What bodies ask for

    def variable(self, state: str, name: str) -> Spot:
        """The place of a state variable in the state with this C name."""
        kind, at = self._places[name]
        if self.state_words == 1:
            return Spot(f"{state}[0]", False, kind, at)
        return Spot(state, True, kind, at)

    def bound(self, name: str) -> int:
        """The number of a named bound."""
        return self._bounds.setdefault(name, len(self._bounds))

    def table(self, kind: Type) -> str:
        """The C table of all values of a type, in canonical order."""
        if kind not in self._tables:
            if kind.cardinality > TABLE_MAX:
                raise Unsupported(f"a choice among the {kind.cardinality:,} values of {kind}")
            packed = [pack(kind, value) for value in kind.values()]
            assert packed == sorted(packed), kind
            name = self._tables[kind] = f"values_{len(self._tables)}"
            self._head(f"/* All values of {kind}. */")
            self._head(f"static const word {name}[] = {{{', '.join(map(literal, packed))}}};")
        return self._tables[kind]

    def codes(self, kind: Type) -> str:
        """The C table of the codes of all values of a type, by their bits."""
        if kind not in self._codes:
            by_bits = [0] * (1 << width(kind))
            for code, value in enumerate(kind.values()):
                by_bits[pack(kind, value)] = code
            name = self._codes[kind] = f"codes_{len(self._codes)}"
            self._head(f"/* The numbers of the values of {kind}, by their bits. */")
            self._head(f"static const uint16_t {name}[] = {{{', '.join(map(str, by_bits))}}};")
        return self._codes[kind]

    def on_sequences(self, function: str, bits: int, capacity: int) -> str:
        """The C name of a function of `bits.h` for sequences of so many elements of so many bits: it is compiled once for all its calls."""
        parameters, arguments = ON_SEQUENCES[function]
        name = f"{function}_{bits}_{capacity}"
        if name not in self._sequence_functions:
            self._sequence_functions.add(name)
            result, leave = ("unsigned", "return ") if function == "lower_bound" else ("void", "")
            head = f"static {result} {name}({'const ' * bool(leave)}word *a, unsigned at, unsigned count, {parameters})"
            self._head(f"{head} {{ {leave}{function}(a, at, {bits}, {capacity}, count, {arguments}); }}")
        return name

    @staticmethod
    def function(key: str) -> str:
        """The C name of a pure function."""
        return f"fn_{key}"

    def linearizable(self, node: Expr) -> str:
        """The C name of the linearizability check with a sequential object."""
        key = (node.data, node.args[0].type, node.args[1].type)
        if key not in self._histories:
            self._histories[key] = f"history_{len(self._histories)}"
            kept, self._code = self._code, Writer()
            history_check(self, self._code, self._histories[key], node)
            self._actions.lines.extend(self._code.lines)
            self._code = kept
        return self._histories[key]

    # Functions and properties

    def _parameters(self, parameters: Sequence[tuple[str, Type]]) -> list[str]:
        return [f"const word *v_{name}" if is_wide(kind) else f"{ctype(kind)} v_{name}" for name, kind in parameters]

    def pure(
        self, name: str, comment: str, parameters: Sequence[tuple[str, Type]], body: Sequence[Stmt], result: Type
    ) -> None:
        """A C function that computes a value and changes nothing."""
        out = Writer()
        wide = is_wide(result)
        head = [f"static {'void' if wide else ctype(result)} {name}(int *status, const word *s, const word *old"]
        head += [*self._parameters(self._mutable(parameters)), *(["word *result"] if wide else [])]

        def leave(operand: str | None) -> None:
            assert operand is not None
            if wide:
                out(f"memcpy(result, {operand}, {8 * words(width(result))});")
                out("return;")
            else:
                out(f"return {operand};")

        writer = Body(self, out, "s", "old", leave)
        with out.block(", ".join(head) + ")"):
            out("(void)status, (void)s, (void)old;")
            self._unpack_parameters(writer, parameters)
            writer.declare_locals(body, [key for key, _ in parameters])
            writer.block(body)
            out("goto leave;")
            out("leave:")
            out("return;" if wide else "return 0;")
        self._actions(f"/* {comment} */")
        self._actions.lines.extend(out.lines)
        self._actions()

    @staticmethod
    def _mutable(parameters: Sequence[tuple[str, Type]]) -> list[tuple[str, Type]]:
        return [(f"{name}_in", kind) if is_wide(kind) else (name, kind) for name, kind in parameters]

    @staticmethod
    def _unpack_parameters(writer: Values, parameters: Sequence[tuple[str, Type]]) -> None:
        """Wide parameters are copied: a body may change its own."""
        for name, kind in parameters:
            if is_wide(kind):
                writer.declare(kind, f"v_{name}", f"v_{name}_in")

    def _function(self, function: Function) -> None:
        self.pure(self.function(function.key), function.key, function.parameters, function.body, function.result)

    # Actions

    def _attempt(self, action: Action, number: int) -> None:
        """One action with given arguments: a successor, a cut, an error, or nothing. Guards are evaluated before the state is copied."""
        out = Writer()
        guards, body = opening(action)
        parameters = self._parameters(self._mutable(action.parameters))
        with out.block(
            f"static void attempt_{number}({', '.join(['const State *from', 'Successors *out', *parameters])})"
        ):
            out("const word *const s = from->w;")
            out("int status_ = 0, *status = &status_;")
            out("(void)s, (void)status;")
            before = Body(self, out, "s", "s", lambda _: None)
            self._pack_arguments(before, action.parameters)
            self._unpack_parameters(before, action.parameters)
            before.block(guards)
            out("State next = *from;")
            out("word *const n = next.w;")
            out("(void)n;")
            writer = Body(self, out, "n", "n", lambda _: out("goto done;"))
            out(f"const unsigned group = {self._group(before, action, number)};")
            writer.declare_locals(body, [name for name, _ in action.parameters])
            writer.block(body)
            count = sum(words(width(kind)) for _, kind in action.parameters)
            out("goto done;")
            out("done:")
            out(f"emit(out, from, &next, {number}, group, args, {count});")
            out("goto disabled;")
            out("leave:")
            out(f"if (*status < 0) fail(out, from, {number}, args, {count});")
            if promises(self.model) and action.method.declaration.fair is not None:
                out(f"else cut_fair(out, (uint32_t)*status - 1, from, {number}, args, {count});")
            else:
                out("else cut(out, (uint32_t)*status - 1);")
            out("disabled:")
            out("return;")
        self._actions(
            f"/* @action {action.name}({', '.join(f'{name}: {kind}' for name, kind in action.parameters)}) */"
        )
        self._actions.lines.extend(out.lines)
        self._actions()

    def _group(self, writer: Body, action: Action, number: int) -> str:
        """The number of the group that a transition belongs to."""
        place = "0"
        for split in self.groups.splits[number]:
            value = writer.dense(split.kind, writer.value(split.expression(action.parameters)))
            place = (
                f"({place} * {split.kind.cardinality}u + (unsigned)({value}))"
                if place != "0"
                else f"(unsigned)({value})"
            )
        return f"{self.groups.first[number]}u + {place}"

    @staticmethod
    def _pack_arguments(writer: Body, parameters: Sequence[tuple[str, Type]]) -> None:
        pieces: list[str] = []
        for name, kind in parameters:
            if is_wide(kind):
                pieces += [f"v_{name}_in[{i}]" for i in range(words(width(kind)))]
            else:
                pieces.append(to_bits(kind, f"v_{name}"))
        writer.out(f"const uint64_t args[] = {{{', '.join(pieces) or '0'}}};")

    def _choices(self, action: Action, number: int) -> None:
        """Try an action with all its arguments."""
        out = Writer()
        with out.block(f"static void action_{number}(const State *from, Successors *out)"):
            out("const word *const s = from->w;")
            out("int status_ = 0, *status = &status_;")
            out("(void)s, (void)status;")
            writer = Body(self, out, "s", "s", lambda _: None)
            guards = self._early_guards(action)
            self._guard(writer, guards[0], "return")
            with ExitStack() as stack:
                for (name, kind), source, early in zip(action.parameters, action.ranges, guards[1:], strict=True):
                    if source is None:
                        stack.enter_context(all_choices(writer, [(name, kind)]))
                    else:
                        value = stack.enter_context(ranging(writer, source, kind))
                        writer.declare(kind, f"v_{name}", value)
                    self._guard(writer, early, "continue")
                out(f"attempt_{number}({', '.join(['from', 'out', *(f'v_{name}' for name, _ in action.parameters)])});")
            out("return;")
            out("leave:")
            out(f"fail(out, from, {number}, NULL, 0);")
        self._actions.lines.extend(out.lines)
        self._actions()

    def _early_guards(self, action: Action) -> list[list[Expr]]:
        """For each number of first parameters, the guards that are decided when these have values and others are to come.

        A guard moves forward over others only if none of them can fail."""
        names = [name for name, _ in action.parameters]
        found: list[list[Expr]] = [[] for _ in range(len(names) + 1)]
        for statement in action.body:
            if not isinstance(statement, Require):
                break
            for guard in conjuncts(statement.condition):
                if not is_total(guard, self.model):
                    return found
                mentioned = {node.data for node in guard.walk() if node.op is Op.LOCAL}
                known = max((names.index(name) + 1 for name in mentioned if name in names), default=0)
                if known < len(names):
                    found[known].append(guard)
        return found

    @staticmethod
    def _guard(writer: Body, guards: Sequence[Expr], otherwise: str) -> None:
        for guard in guards:
            writer.out(f"if (!({writer.value(guard)})) {otherwise};")

    def _initial(self) -> None:
        out = self._actions
        rows = [pack(self.layout, state) for state in self.initial]
        with out.block(f"static const word initial_states[][{self.state_words}] =", "};"):
            for row in rows:
                out("{" + ", ".join(literal(row >> 64 * i & (1 << 64) - 1) for i in range(self.state_words)) + "},")
        with (
            out.block("static void model_initial(Successors *out)"),
            out.block(f"for (uint64_t i = 0; i < {len(rows)}; i++)"),
        ):
            out("State state;")
            out("memcpy(state.w, initial_states[i], sizeof state.w);")
            out("emit_initial(out, &state, &i);")

    def _successors(self) -> None:
        out = self._actions
        with out.block("static void model_successors(const State *from, Successors *out)"):
            for number, action in enumerate(self.model.actions):
                out(f"action_{number}(from, out); /* {action.name} */")

    def _room(self) -> None:
        """Whether no two transitions from a state can be cut by a capacity: else their order might matter."""
        out = Writer()
        with out.block("static bool model_room(const State *state)"):
            out("const word *s = state->w;")
            out("(void)s;")
            writer = Body(self, out, "s", "s", lambda _: None)
            for name, needed in self.groups.room.items():
                spot = self.variable("s", name)
                out(f"if ({writer.length(spot)} + {needed} > {capacity(spot.kind)}) return false;")
            out("return true;")
        self._actions.lines.extend(out.lines)

    def _sleeping(self) -> None:
        """Which groups commute."""
        out = self._actions
        if self.groups.sleep:
            rows = ", ".join(f"{row:#x}u" for row in self.groups.independent)
            out("/* The groups whose transitions commute with those of each group, as bits. */")
            out(f"static const uint64_t independent_of[] = {{{rows}}};")
        before, row = ("((uint64_t)1 << group) - 1", "independent_of[group]") if self.groups.sleep else ("0", "0")
        self._room()
        out(f"static inline uint64_t model_before(unsigned group) {{ (void)group; return {before}; }}")
        out(f"static inline uint64_t model_independent(unsigned group) {{ (void)group; return {row}; }}")
        out()

    def _liveness(self) -> str | None:
        """Fairness and liveness properties, if there are any, or why not: then safety alone is compiled."""
        if not promises(self.model):
            return None
        out, before = Writer(), len(self._actions.lines)
        try:
            liveness(self, out)
        except Unsupported as reason:
            del self._actions.lines[before:]
            return str(reason)
        self._actions.lines.extend(out.lines)
        return None

    # The file

    def rendered(self) -> Rendered:
        """The whole file."""
        for function in self.model.functions.values():
            self._function(function)
        Properties(self, self._head, self._actions).write()
        for number, action in enumerate(self.model.actions):
            self._attempt(action, number)
            self._choices(action, number)
        self._initial()
        self._successors()
        self._sleeping()
        no_liveness = self._liveness()
        canonical = Writer()
        canonical_form(self, canonical)
        promised = 0 if no_liveness is not None else len(promises(self.model))
        body, defines = [*self._head.lines, "", *self._actions.lines, "", *canonical.lines], self._defines(promised)
        key = hashlib.sha256("\n".join([defines, *body]).encode()).hexdigest()[:32]
        head = (
            f"/* {self.model.name}, rendered by Quorate. Directives tell which line of the spec the C below them is; its text\n"
            f'   stands beside. */\n#define MODEL_KEY "{key}"\n{defines}#include "model.h"\n#include "bits.h"\n\n'
        )
        text = "\n".join(directed(body, FILE, head.count("\n") + 1))
        source = f'{head}{text}\n\n#include "engine.c"\n'
        return Rendered(
            source,
            tuple(self._bounds),
            tuple(tuple(kind for _, kind in action.parameters) for action in self.model.actions),
            width(self.layout),
            self.state_words,
            self.argument_words,
            promised > 0,
            no_liveness,
        )

    def _defines(self, promised: int) -> str:
        values = {
            "WORDS": self.state_words,
            "ARGS": self.argument_words,
            "ACTIONS": len(self.model.actions),
            "BOUNDS": max(len(self._bounds), 1),
            "HAS_STEPS": int(bool(self.model.of(*STEPS))),
            "DEADLOCK": int(bool(self.model.of(*ENDS))),
            "SYMMETRY": int(bool(self.sorts)),
            "GROUPS": self.groups.count,
            "SLEEP": int(self.groups.sleep),
            "LIVENESS": promised,
        }
        return "".join(f"#define MODEL_{name} {value}\n" for name, value in values.items())
