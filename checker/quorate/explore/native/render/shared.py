"""What the bodies of one program share: the layout of the state, tables, numbers of bounds, names of functions.

Bodies ask and never assemble: what they ask for is written to the head of the file, or noted for `program`, which puts the file
together.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from quorate.errors import Location, counted
from quorate.explore.native.render.groups import Groups
from quorate.explore.native.render.layout import Numbered, Unsupported, offsets, pack, width, words
from quorate.explore.native.render.operands import Spot, comment, literal
from quorate.explore.native.render.reading import Looked, Reading, looked_at, reading
from quorate.explore.native.render.writer import Writer
from quorate.language.sorts import Scalarset
from quorate.language.types import TupleType, Type
from quorate.model.abstract import Abstract
from quorate.model.accesses import Footprint
from quorate.model.nodes import Expr, Model
from quorate.model.points import Points

ON_SEQUENCES = {
    "lower_bound": ("word element", "element"),
    "insert_element": ("unsigned i, word element", "i, element"),
    "remove_element": ("unsigned i", "i"),
}
"""Functions on sequences: the parameters after the count, and how they are passed on."""
TABLE_MAX = 65_536


class Shared:
    """Layout and names. `head` stands before all functions of the file, which are written to `code`."""

    def __init__(
        self,
        model: Model,
        sorts: Sequence[type[Scalarset]],
        without: Collection[str] = (),
        plans: Sequence[Sequence[int]] = (),
        points: Points | None = None,
        numbered: Mapping[str, Numbered] | None = None,
    ) -> None:
        """`numbered` has the type of the network that is kept as a bit set, if one is."""
        self.model, self.sorts, self.plans, self.points = model, tuple(sorts), plans, points
        self.groups = Groups(model, bool(sorts), without)
        self.remembers = "memo" not in without and points is None  # What is looked up is not counted.
        self.sites: list[str] = []
        """The actions and invariants of which something is remembered, by their numbers (`memo.h`)."""
        self.numbered = dict(numbered or {})
        kinds = {variable.name: variable.type for variable in model.variables if variable.name not in self.numbered}
        kinds |= self.numbered  # They come last, and so lie lowest.
        self.order = tuple(kinds)
        """The variables, the highest first."""
        self.layout = TupleType(tuple(kinds.values()))
        self.state_words = words(width(self.layout) + 1)
        self.head, self.code = Writer(), Writer()
        self.histories: dict[tuple[object, ...], tuple[str, Expr]] = {}
        """The linearizability checks that are asked for: their C names, and a node of each."""
        self.traps: list[Location | None] = []
        """Where numbers may leave their 64 bits, by the number that the C gives to `trap`."""
        at = offsets(self.layout.kinds)
        self._places = {name: (kind, place) for (name, kind), place in zip(kinds.items(), at, strict=True)}
        self._bounds: dict[str, int] = {}
        self._sequence_functions: set[str] = set()
        self._tables: dict[Type, str] = {}
        self._codes: dict[Type, str] = {}

        if plans:
            self._write_plans()

    def _write_plans(self) -> None:
        """Which actions each of several models has, the model that was chosen, the number that each action has in it, and the properties
        that are not looked at."""
        most = max(map(len, self.plans))
        rows = ", ".join(f"{{{', '.join(map(str, plan))}}}" for plan in self.plans)
        self.head(f"static const uint16_t plans[][{most}] = {{{rows}}};")
        self.head(f"static const uint16_t plan_lengths[] = {{{', '.join(str(len(plan)) for plan in self.plans)}}};")
        self.head(f"static uint16_t own_number[{len(self.model.actions)}];")
        self.head("static unsigned plan;")
        self.head("static uint64_t left_out_invariants, left_out_steps;")

    def own(self, number: int) -> str:
        """The number by which the engine calls an action: of several models, each has its own."""
        return f"own_number[{number}]" if self.plans else str(number)

    def among_all(self, own: str) -> str:
        """The action that the engine calls by a number."""
        return f"plans[plan][{own}]" if self.plans else own

    @property
    def bounds(self) -> tuple[str, ...]:
        """The bounds that may cut, in the order of their numbers."""
        return tuple(self._bounds)

    def place(self, name: str) -> tuple[Type, int]:
        """The type of a state variable and the offset where it lies."""
        return self._places[name]

    def variable(self, state: str, name: str) -> Spot:
        """The place of a state variable in the state with this C name."""
        kind, at = self._places[name]
        spot = Spot(state, True, kind, at)
        return spot if isinstance(kind, Numbered) else spot.in_one_word()

    def reading(self, footprint: Footprint, sliced: bool = False) -> Reading:
        """What a computation with this footprint does with the bits of a state."""
        return reading(footprint, self._places, sliced)

    def looked_at(self, footprint: Footprint, arguments: Iterable[Abstract]) -> Looked:
        """What a transition with this footprint and these arguments has read."""
        return looked_at(footprint, self._places, arguments)

    def site(self, name: str) -> int:
        """A number for something that is remembered."""
        self.sites.append(name)
        return len(self.sites) - 1

    def bound(self, name: str) -> int:
        """The number of a named bound."""
        return self._bounds.setdefault(name, len(self._bounds))

    def table(self, kind: Type) -> str:
        """The C table of all values of a type, in canonical order."""
        if kind not in self._tables:
            if kind.cardinality > TABLE_MAX:
                raise Unsupported(f"a choice among {counted(kind.cardinality)} values of {kind}")
            packed = [pack(kind, value) for value in kind.values()]
            assert packed == sorted(packed), kind
            name = self._tables[kind] = f"values_{len(self._tables)}"
            self.head(comment(f"All values of {kind}."))
            self.head(f"static const word {name}[] = {{{', '.join(map(literal, packed))}}};")
        return self._tables[kind]

    def codes(self, kind: Type) -> str:
        """The C table of the codes of all values of a type, by their bits."""
        if kind not in self._codes:
            by_bits = [0] * (1 << width(kind))
            for code, value in enumerate(kind.values()):
                by_bits[pack(kind, value)] = code
            name = self._codes[kind] = f"codes_{len(self._codes)}"
            self.head(comment(f"The numbers of the values of {kind}, by their bits."))
            self.head(f"static const uint16_t {name}[] = {{{', '.join(map(str, by_bits))}}};")
        return self._codes[kind]

    def on_sequences(self, function: str, bits: int, capacity: int) -> str:
        """The C name of a function of `bits.h` for sequences of so many elements of so many bits: it is compiled once for all its calls."""
        parameters, arguments = ON_SEQUENCES[function]
        name = f"{function}_{bits}_{capacity}"
        if name not in self._sequence_functions:
            self._sequence_functions.add(name)
            result, leave = ("unsigned", "return ") if function == "lower_bound" else ("void", "")
            head = f"static {result} {name}({'const ' * bool(leave)}word *a, unsigned at, unsigned count, {parameters})"
            self.head(f"{head} {{ {leave}{function}(a, at, {bits}, {capacity}, count, {arguments}); }}")
        return name

    @staticmethod
    def function(key: str) -> str:
        """The C name of a pure function."""
        return f"fn_{key}"

    def linearizable(self, node: Expr) -> str:
        """The C name of the linearizability check with a sequential object."""
        key = (node.data, node.args[0].type, node.args[1].type)
        return self.histories.setdefault(key, (f"history_{len(self.histories)}", node))[0]

    def trap(self, place: Location | None) -> int:
        """The number of a place where a number may leave its 64 bits."""
        if place not in self.traps:
            self.traps.append(place)
        return self.traps.index(place)
