"""The safety properties of a model as functions of a state: the first invariant and the first step property that is false, and
which @reachable properties are true."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from math import prod

from quorate.explore.native.render.functions import pure
from quorate.explore.native.render.groups import Apart
from quorate.explore.native.render.layout import Unsupported, capacity, words
from quorate.explore.native.render.memo import Table, mask, network
from quorate.explore.native.render.operands import is_wide, literal
from quorate.explore.native.render.paths import BOOL
from quorate.explore.native.render.reading import Slice, Words, cost_of_property, dear
from quorate.explore.native.render.shared import Shared
from quorate.explore.native.render.statements import Body
from quorate.explore.native.render.writer import Writer
from quorate.kinds import ENDS, GOALS, INVARIANTS, MAPPING, STEPS
from quorate.language.types import RecordType, Type
from quorate.model.abstract import Some
from quorate.model.footprints import footprint
from quorate.model.nodes import Expr, If, Model, Op, Property, Return
from quorate.model.totality import is_total

REACHABLE_MAX = 63
"""So many @reachable properties have a bit of their own."""

LEFT_OUT_MAX = 64
"""So many invariants, and steps, can be left out when models are compiled together."""

COST_MIN = 100
"""What takes fewer operations is as fast as looking it up."""
KEY_BITS_MAX = 192
"""Of what reads more of the state, too little is met again."""


@dataclass(frozen=True)
class Shortcut:
    """A property is true whenever `condition` is `when`. The condition cannot fail, and mentions the first `after` parameters only."""

    condition: Expr
    when: bool
    after: int


def _shortcut(prop: Property, model: Model) -> Shortcut | None:
    """`return a or b` and `if a or b: return True` are true if a is, and `return not (a and b)` if a is not: then parameters that only
    b mentions need not be tried."""
    match prop.body:
        case (Return(value=Expr() as value),):
            when = value.op is Op.OR
            if value.op is Op.NOT and value.args[0].op is Op.AND:
                value = value.args[0]
            elif not when:
                return None
        case (If(condition=value, then=(Return(value=Expr(op=Op.CONST, data=True)),)), *_):
            when = True
        case _:
            return None
    first = value.args[0] if value.op is (Op.OR if when else Op.AND) else value
    names = [name for name, _ in prop.parameters]
    mentioned = {node.data for node in first.walk() if node.op is Op.LOCAL}
    after = max((names.index(name) + 1 for name in mentioned if name in names), default=0)
    return Shortcut(first, when, after) if 0 < after < len(names) and is_total(first, model) else None


@contextmanager
def all_choices(
    writer: Body,
    parameters: Sequence[tuple[str, Type]],
    shortcut: Shortcut | None = None,
    leading: tuple[str, int] | None = None,
) -> Iterator[list[str]]:
    """Loops over all values of the parameters; once the parameters of a shortcut have values, it may skip the others. With `leading`
    only those values of the first parameter, a record, of which the first fields have this number, of so many."""
    with ExitStack() as stack:
        for position, (name, kind) in enumerate(parameters):
            if shortcut is not None and position == shortcut.after:
                _take_shortcut(writer, shortcut)
            if is_wide(kind):
                raise Unsupported(f"a parameter of type {kind} that ranges over its whole type")
            loop = writer.codes_with(kind, *leading) if leading is not None and position == 0 else writer.codes(kind)
            index = stack.enter_context(loop)
            writer.declare(kind, f"v_{name}", writer.sparse(kind, index))
        yield [f"v_{name}" for name, _ in parameters]


@contextmanager
def chosen(
    writer: Body, parameters: Sequence[tuple[str, Type]], shortcut: Shortcut | None, apart: Apart, wanted: str
) -> Iterator[list[str]]:
    """The same, but only of those instances that have a bit in `wanted`."""
    out, mask = writer.out, writer.out.fresh("m")
    whole = apart.whole
    with out.block(f"for (uint64_t {mask} = {wanted}; {mask}; {mask} &= {mask} - 1)"):
        out(f"unsigned {mask}i = (unsigned)__builtin_ctzll({mask});")
        following = prod(kind.cardinality for kind in apart.kinds(parameters)[whole:])
        leading = (f"({mask}i % {following})" if whole else f"{mask}i", following) if apart.fields else None
        for position, (name, kind) in reversed(list(enumerate(parameters[:whole]))):
            index = f"{mask}i / {following}" if following > 1 else f"{mask}i"
            writer.declare(
                kind, f"v_{name}", writer.sparse(kind, f"({index} % {kind.cardinality})" if position else f"({index})")
            )
            following *= kind.cardinality
        if shortcut is not None and shortcut.after <= whole:
            _take_shortcut(writer, shortcut)
            shortcut = None
        elif shortcut is not None:
            shortcut = replace(shortcut, after=shortcut.after - whole)
        with all_choices(writer, parameters[whole:], shortcut, leading) as rest:
            yield [*(f"v_{name}" for name, _ in parameters[:whole]), *rest]


def _take_shortcut(writer: Body, shortcut: Shortcut) -> None:
    test = writer.value(shortcut.condition)
    writer.out(f"if ({test if shortcut.when else f'!({test})'}) continue;")


def _break_if_violated(out: Writer, number: int, name: str, values: Sequence[str], first: str = "") -> None:
    holds = out.fresh("holds")
    out(f"word {holds} = {name}({', '.join(['status', 's', 'old', *values])});")
    leave = f"{{ {first} return {number}; }}" if first else f"return {number};"
    out(f"if (UNLIKELY(!{holds} || *status)) {leave}")


@dataclass(frozen=True)
class Key:
    """By what an invariant is remembered: bits of the state, messages of sorted networks, and classes of those of the numbered one, which
    lies in the words `network`."""

    words: Words
    slices: tuple[Slice, ...]
    rows: tuple[int, ...]
    network: range

    def parts(self) -> list[str]:
        """The words of the key that are bits of the state."""
        masks = dict(zip(self.words.touched, map(literal, *self.words.rows(self.words.touched)), strict=True))
        network = self.network if self.rows else ()
        return [
            f"s[{i}] & ({mask(masks.get(i, '0'), self.rows if i in network else (), i)})"
            for i in sorted({*masks, *network})
        ]


def _key_of(shared: Shared, prop: Property) -> Key | None:
    """By what an invariant is remembered; None if it is not worth it: after most transitions few of its instances are evaluated."""
    rows, apart = shared.groups.to_check(prop)
    asked = [row.bit_count() for row in rows if row]
    instances = prod(kind.cardinality for kind in apart.kinds(prop.parameters))
    cost = cost_of_property(shared.model, prop) * sum(asked) // (max(len(asked), 1) * instances)
    if not shared.remembers or not dear(cost, COST_MIN, shared.state_words):
        return None
    arguments = {name: Some(kind) for name, kind in prop.parameters}
    found = shared.reading(footprint(shared.model, prop.body, arguments), sliced=True)
    bits = Words((found.reads | found.adds,))
    short = 0 < found.reads.bit_count() + len(found.slices) + len(found.rows) <= KEY_BITS_MAX
    if not short or not (found.slices or found.rows or bits.never_all_ones):
        return None
    network = range(0)
    for kind in shared.numbered.values():
        network = range(words(kind.numbers))
        if 0 in found.rows or capacity(kind) >= kind.numbers:
            return None
    return Key(bits, found.slices, found.rows, network)


class _Slices:
    """The messages of one class, as words of keys: found once for all invariants that read them."""

    def __init__(self, shared: Shared, head: Writer, out: Writer, slices: Iterable[Slice]) -> None:
        self._names: dict[Slice, str] = {}
        for part in dict.fromkeys(slices):
            name = self._names[part] = f"slice_{len(self._names)}"
            head(f"static const Sent {name}_of = {network(*shared.place(part.variable))};")
            out(f"word {name}[2];")
            bounds = f"{literal(part.first)}, {literal(part.end)}"
            out(f"const bool {name}_fits = memo && memo_slice(&{name}_of, s, {bounds}, &{name}[0], &{name}[1]);")

    def fit(self, key: Key) -> str:
        """Whether a key can be made."""
        return "".join(f" && {self._names[part]}_fits" for part in key.slices)

    def words(self, key: Key) -> list[str]:
        """The words of a key."""
        return [f"{self._names[part]}[{i}]" for part in key.slices for i in (0, 1)]


@contextmanager
def _unless_known(
    shared: Shared, out: Writer, prop: Property, by: Key | None, slices: _Slices
) -> Iterator[tuple[str, str]]:
    """What follows is left out where it is remembered that all instances of an invariant hold. Gives whether all of them are to be
    evaluated, and what is to be done where one is violated; empty if nothing is remembered of this invariant."""
    if by is None:
        yield "", ""
        return
    parts = [*by.parts(), *slices.words(by)]
    table, asks, doubts, known = (
        Table(out, shared.site(f"@{prop.kind} {prop.name}"), len(parts)),
        out.fresh("asks"),
        out.fresh("doubts"),
        out.fresh("known"),
    )
    table.site = out.fresh("site")
    out(f"Site *const {table.site} = memo ? &memo->sites[{table.number}] : NULL;")
    out(f"const bool {asks} = memo{slices.fit(by)} && {table.opened};")
    out(f"bool {doubts} = false;")
    key = table.named(parts)
    with out.block(f"if ({asks})"):
        table.ask(key)
        with out.block(f"if ({table.found(key)})"):
            out(f"if (!memo_doubts(memo, {table.site})) goto {known};")
            out(f"{doubts} = true;")
    yield asks, f"if ({doubts}) memo_mistake({table.number});"
    with out.block(f"if ({asks} && !{doubts} && {table.missed})"):
        table.put(key)
    out(f"{known}:;")


def _of_parameters(prop: Property, apart: Apart) -> str:
    names = [name for name, _ in prop.parameters[: apart.whole]]
    if apart.fields:
        name, kind = prop.parameters[apart.whole]
        assert isinstance(kind, RecordType)
        names += [f"{name}.{field}" for field in kind.names[: apart.fields]]
    return f": instances by {', '.join(names)}" if names else ""


class Properties:
    """Writes the functions that `model.h` asks for."""

    def __init__(self, shared: Shared) -> None:
        self.shared, self._head, self._out = shared, shared.head, shared.code

    def write(self) -> None:
        """All of them. Raises Unsupported."""
        model, numbered = self.shared.model, 0

        def of(*kinds: str) -> list[tuple[str, Property]]:
            nonlocal numbered
            found = []
            for prop in (prop for kind in kinds for prop in model.of(kind)):
                name = f"property_{numbered}_{prop.name}"
                pure(self.shared, name, f"@{prop.kind} {prop.name}", prop.parameters, prop.body, BOOL)
                found.append((name, prop))
                numbered += 1
            return found

        invariants, steps, reachable = of(*INVARIANTS), of(*STEPS), of(*GOALS)
        if len(reachable) > REACHABLE_MAX:
            raise Unsupported(f"{len(reachable)} @reachable properties (at most {REACHABLE_MAX})")
        self._invariants(invariants)
        self._steps(steps)
        self._reachable(reachable)
        if self.shared.points is not None:
            self._counted([*invariants, *reachable], [found for found in steps if found[1].kind != MAPPING])
        terminal = of(*ENDS)
        call = f"{terminal[0][0]}(&status, s->w, s->w) && !status" if terminal else "true"
        self._out(
            f"static bool model_terminal(const State *s) {{ int status = 0; (void)s, (void)status; return {call}; }}"
        )

    @contextmanager
    def _judging(self, head: str, failed: str, before: str = "state") -> Iterator[Body]:
        """A function that evaluates properties. It returns `failed` where evaluating itself is an error."""
        out = Writer()
        with out.block(f"static {head}"):
            out(f"const word *s = state->w, *old = {before}->w;")
            out("int status_ = 0, *status = &status_;")
            out("(void)s, (void)old, (void)status;")
            yield Body(self.shared, out, "s", "old", lambda _: None)
            out("goto leave;")
            out("leave:")
            out(f"return {failed};")
        self._out.lines.extend(out.lines)
        self._out()

    def _invariants(self, invariants: Sequence[tuple[str, Property]]) -> None:
        """The first invariant that is false. After a transition, only those that it may have changed are evaluated."""
        with self._judging(
            "unsigned model_invariant_after(const State *state, unsigned group, Memo *memo)", "0"
        ) as writer:
            out = writer.out
            out("(void)group, (void)memo;")
            keys = [_key_of(self.shared, prop) for _, prop in invariants]
            slices = _Slices(
                self.shared, self._head, out, (part for key in keys if key is not None for part in key.slices)
            )
            for number, (name, prop) in enumerate(invariants):
                self._unless_left_out(out, "invariants", number)
                wanted, apart = self.shared.groups.to_check(prop)
                kinds = apart.kinds(prop.parameters)
                everything = (1 << prod(kind.cardinality for kind in kinds)) - 1
                if all(row == everything for row in wanted):
                    with (
                        out.block(""),
                        _unless_known(self.shared, out, prop, keys[number], slices) as (_, first),
                        all_choices(writer, prop.parameters, _shortcut(prop, self.shared.model)) as values,
                    ):
                        _break_if_violated(out, number, name, values, first)
                    continue
                rows = ", ".join(f"{row:#x}u" for row in [*wanted, everything])
                self._head(f"/* What of {prop.name} each group may change{_of_parameters(prop, apart)}. */")
                self._head(f"static const uint64_t check_{number}[] = {{{rows}}};")
                row = f"check_{number}[group]"
                with (
                    out.block(f"if ({row})"),
                    _unless_known(self.shared, out, prop, keys[number], slices) as (all_of_them, first),
                ):
                    if all_of_them:
                        row = f"({all_of_them} ? {literal(everything)} : {row})"
                    choices = (
                        chosen(writer, prop.parameters, _shortcut(prop, self.shared.model), apart, row)
                        if kinds
                        else all_choices(writer, prop.parameters)
                    )
                    with choices as values:
                        _break_if_violated(out, number, name, values, first)
            out("return NONE;")
        self._out(
            "static unsigned model_invariant(const State *s) { return model_invariant_after(s, MODEL_GROUPS, NULL); }"
        )
        self._out()

    def _unless_left_out(self, out: Writer, kind: str, number: int) -> None:
        """Of several models together, one can be explored without a property: the statement that follows is for the others."""
        if self.shared.plans and number < LEFT_OUT_MAX:
            out(f"if (!(left_out_{kind} >> {number} & 1))")

    def _steps(self, steps: Sequence[tuple[str, Property]]) -> None:
        """The first step property that is false."""
        with self._judging("unsigned model_step(const State *before, const State *state)", "0", "before") as writer:
            for number, (name, prop) in enumerate(steps):
                self._unless_left_out(writer.out, "steps", number)
                with (
                    writer.out.block(""),
                    all_choices(writer, prop.parameters, _shortcut(prop, self.shared.model)) as values,
                ):
                    _break_if_violated(writer.out, number, name, values)
            writer.out("return NONE;")

    def _reachable(self, reachable: Sequence[tuple[str, Property]]) -> None:
        """Bits of the reachability properties that are true; the highest bit for an error."""
        with self._judging(
            "uint64_t model_reached(const State *state, uint64_t known)", f"(uint64_t)1 << {REACHABLE_MAX}"
        ) as writer:
            out = writer.out
            out("(void)known;")
            out("uint64_t reached = 0;")
            for number, (name, prop) in enumerate(reachable):
                with out.block(f"if (!(known >> {number} & 1))"), all_choices(writer, prop.parameters) as values:
                    holds = out.fresh("holds")
                    out(f"word {holds} = {name}({', '.join(['status', 's', 'old', *values])});")
                    out(f"if (*status) {{ *status = 0; reached |= (uint64_t)1 << {REACHABLE_MAX}; }}")
                    out(f"else if ({holds}) reached |= (uint64_t)1 << {number};")
            out("return reached;")

    def _counted(self, of_states: Sequence[tuple[str, Property]], of_steps: Sequence[tuple[str, Property]]) -> None:
        """Functions that evaluate all properties with all arguments, for the sake of what they come by."""
        for head, properties in (
            ("void model_count(const State *state)", of_states),
            ("void model_count_step(const word *old, const word *s)", of_steps),
        ):
            out = Writer()
            with out.block(f"static {head}"):
                if properties is of_states:
                    out("const word *s = state->w, *old = s;")
                out("int status_ = 0, *status = &status_;")
                out("(void)s, (void)old, (void)status;")
                writer = Body(self.shared, out, "s", "old", lambda _: None)
                for name, prop in properties:
                    with out.block(""), all_choices(writer, prop.parameters) as values:
                        out(f"(void){name}({', '.join(['status', 's', 'old', *values])});")
                        out("*status = 0;")
            self._out.lines.extend(out.lines)
            self._out()
