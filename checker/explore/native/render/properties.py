"""The safety properties of a model as functions of a state: the first invariant and the first step property that is false, and
which @reachable properties are true."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from checker.explore.native.render.layout import Unsupported
from checker.explore.native.render.paths import BOOL
from checker.explore.native.render.statements import Body
from checker.explore.native.render.values import is_wide
from checker.explore.native.render.writer import Writer
from checker.language.types import Type
from checker.model.nodes import Expr, Op, Property, Return

if TYPE_CHECKING:
    from checker.explore.native.render.program import Program

REACHABLE_MAX = 63
"""So many @reachable properties have a bit of their own."""


@dataclass(frozen=True)
class Shortcut:
    """A property is true whenever `condition` is `when`, and the condition mentions the first `after` parameters only."""

    condition: Expr
    when: bool
    after: int


def _shortcut(prop: Property) -> Shortcut | None:
    """`a or b` is true if a is, and `not (a and b)` if a is not: then parameters that only b mentions need not be tried."""
    if len(prop.body) != 1 or not isinstance(prop.body[0], Return) or prop.body[0].value is None:
        return None
    value, when = prop.body[0].value, True
    if value.op is Op.NOT and value.args[0].op is Op.AND:
        value, when = value.args[0], False
    elif value.op is not Op.OR:
        return None
    first = value.args[0]
    names = [name for name, _ in prop.parameters]
    mentioned = {node.data for node in first.walk() if node.op is Op.LOCAL}
    after = max((names.index(name) + 1 for name in mentioned if name in names), default=0)
    return Shortcut(first, when, after) if 0 < after < len(names) else None


@contextmanager
def all_choices(
    writer: Body, parameters: Sequence[tuple[str, Type]], shortcut: Shortcut | None = None, first: str | None = None
) -> Iterator[list[str]]:
    """Loops over all values of the parameters; once the parameters of a shortcut have values, it may skip the others.

    `first` is C for the values of the first parameter that are wanted, as bits; all are if it is None."""
    out = writer.out
    with ExitStack() as stack:
        for position, (name, kind) in enumerate(parameters):
            if shortcut is not None and position == shortcut.after:
                _take_shortcut(writer, shortcut)
            if is_wide(kind):
                raise Unsupported(f"a parameter of type {kind} that ranges over its whole type")
            index, head = out.fresh("i"), f"for (unsigned {{0}} = 0; {{0}} < {kind.cardinality}; {{0}}++)"
            if first is not None and position == 0:
                stack.enter_context(out.block(f"for (uint64_t m{index} = {first}; m{index}; m{index} &= m{index} - 1)"))
                out(f"unsigned {index} = (unsigned)__builtin_ctzll(m{index});")
            else:
                stack.enter_context(out.block(head.format(index)))
            writer.declare(kind, f"v_{name}", writer.sparse(kind, index))
        yield [f"v_{name}" for name, _ in parameters]


def _take_shortcut(writer: Body, shortcut: Shortcut) -> None:
    with writer.out.aside() as lines:
        test = writer.value(shortcut.condition)
    if not lines:  # A condition that needs statements could be an error; it stays where it is.
        writer.out(f"if ({test if shortcut.when else f'!({test})'}) continue;")


def _break_if_violated(out: Writer, number: int, name: str, values: Sequence[str]) -> None:
    holds = out.fresh("holds")
    out(f"word {holds} = {name}({', '.join(['status', 's', 'old', *values])});")
    out(f"if (UNLIKELY(!{holds} || *status)) return {number};")


class Properties:
    """Writes the functions that `model.h` asks for: tables to the head, functions to `out`."""

    def __init__(self, program: Program, head: Writer, out: Writer) -> None:
        self.program, self._head, self._out = program, head, out

    def write(self) -> None:
        """All of them. Raises Unsupported."""
        model, numbered = self.program.model, 0

        def of(*kinds: str) -> list[tuple[str, Property]]:
            nonlocal numbered
            found = []
            for prop in (prop for kind in kinds for prop in model.of(kind)):
                name = f"property_{numbered}_{prop.name}"
                self.program.pure(name, f"@{prop.kind} {prop.name}", prop.parameters, prop.body, BOOL)
                found.append((name, prop))
                numbered += 1
            return found

        invariants, steps, reachable = of("invariant", "lemma"), of("step"), of("reachable")
        if len(reachable) > REACHABLE_MAX:
            raise Unsupported(f"{len(reachable)} @reachable properties (at most {REACHABLE_MAX})")
        self._invariants(invariants)
        self._steps(steps)
        self._reachable(reachable)
        terminal = of("terminal")
        call = f"{terminal[0][0]}(&status, s->w, s->w) && !status" if terminal else "true"
        self._out(
            f"static bool model_terminal(const State *s) {{ int status = 0; (void)s, (void)status; return {call}; }}"
        )

    @contextmanager
    def _judging(self, head: str, before: str = "state") -> Iterator[Body]:
        """A function that evaluates properties."""
        out = Writer()
        with out.block(f"static {head}"):
            out(f"const word *s = state->w, *old = {before}->w;")
            out("int status_ = 0, *status = &status_;")
            out("(void)s, (void)old, (void)status;")
            yield Body(self.program, out, "s", "old", lambda _: None)
        self._out.lines.extend(out.lines)
        self._out()

    def _invariants(self, invariants: Sequence[tuple[str, Property]]) -> None:
        """The first invariant that is false. After a transition, only those that it may have changed are evaluated."""
        with self._judging("unsigned model_invariant_after(const State *state, unsigned group)") as writer:
            out = writer.out
            out("(void)group;")
            for number, (name, prop) in enumerate(invariants):
                wanted, apart = self.program.groups.to_check(prop)
                everything = (1 << prop.parameters[0][1].cardinality) - 1 if apart else 1
                table = f"check_{number}"
                if any(row != everything for row in wanted):
                    self._head(
                        f"/* What of {prop.name} each group may change{': values of its first parameter' * apart}. */"
                    )
                    self._head(
                        f"static const uint64_t {table}[] = {{{', '.join(f'{row}u' for row in [*wanted, everything])}}};"
                    )
                    guard, first = f"if ({table}[group])", f"{table}[group]"
                else:
                    guard, first, apart = "", "", False
                with (
                    out.block(guard),
                    all_choices(writer, prop.parameters, _shortcut(prop), first if apart else None) as values,
                ):
                    _break_if_violated(out, number, name, values)
            out("return NONE;")
        self._out("static unsigned model_invariant(const State *s) { return model_invariant_after(s, MODEL_GROUPS); }")
        self._out()

    def _steps(self, steps: Sequence[tuple[str, Property]]) -> None:
        """The first step property that is false."""
        with self._judging("unsigned model_step(const State *before, const State *state)", "before") as writer:
            for number, (name, prop) in enumerate(steps):
                with writer.out.block(""), all_choices(writer, prop.parameters, _shortcut(prop)) as values:
                    _break_if_violated(writer.out, number, name, values)
            writer.out("return NONE;")

    def _reachable(self, reachable: Sequence[tuple[str, Property]]) -> None:
        """Bits of the reachability properties that are true; the highest bit for an error."""
        with self._judging("uint64_t model_reached(const State *state, uint64_t known)") as writer:
            out = writer.out
            out("(void)known;")
            out("uint64_t reached = 0;")
            for number, (name, prop) in enumerate(reachable):
                done = out.fresh("done")
                with out.block(f"if (!(known >> {number} & 1))"), all_choices(writer, prop.parameters) as values:
                    holds = out.fresh("holds")
                    out(f"word {holds} = {name}({', '.join(['status', 's', 'old', *values])});")
                    out(f"if (*status) {{ *status = 0; reached |= (uint64_t)1 << {REACHABLE_MAX}; }}")
                    out(f"else if ({holds}) {{ reached |= (uint64_t)1 << {number}; goto {done}; }}")
                out(f"{done}:;")
            out("return reached;")
