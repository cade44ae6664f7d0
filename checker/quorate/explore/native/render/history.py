"""`linearizable(history, model, initial)` in C: the search of Wing & Gong 1993.

An operation is taken next if nothing that has returned before it was called is still to be taken; the sequential object
says whether the result is right. The recursion is as deep as there are operations; histories are short lists, so nothing is
remembered.
"""

from __future__ import annotations

from quorate.explore.native.render.containers import Containers
from quorate.explore.native.render.layout import Unsupported, width, words
from quorate.explore.native.render.operands import ctype, is_wide
from quorate.explore.native.render.shared import Shared
from quorate.explore.native.render.writer import Writer
from quorate.language.types import ListType, RecordType, TupleType, Type, UnionType
from quorate.model.conversion import alternatives
from quorate.model.nodes import Expr


class _History(Containers):
    """Writes the check for one kind of history and object."""

    def __init__(self, shared: Shared, out: Writer, name: str, node: Expr) -> None:
        super().__init__(shared, out)
        self.name, self.node = name, node
        history = node.args[0].type
        assert isinstance(history, ListType)
        self.history, self.event, self.state = history, history.element, node.args[1].type
        self.records = tuple(kind for kind in alternatives(self.event) if isinstance(kind, RecordType))
        self.object = shared.model.functions[node.data]
        if history.capacity > 64:
            raise Unsupported(f"a history of {history.capacity} events (at most 64)")

    def argument(self, kind: Type, name: str) -> str:
        """A parameter."""
        return f"const word *{name}" if is_wide(kind) else f"{ctype(kind)} {name}"

    def kind(self, name: str) -> Type:
        """The type of a field of events, which is the same in all alternatives."""
        kind = self.records[0].field(name)
        assert kind is not None
        return kind

    def field(self, operand: str, name: str) -> str:
        """A field of an event, whatever record it is."""
        spot, part = self.spot_of(self.event, operand), self.kind(name)
        result = self.declare(part, self.out.fresh("f"))

        def of(kind: RecordType, payload: str) -> None:
            place = self.spot_of(kind, payload).part(kind.kinds, kind.names.index(name))
            self.assign(part, result, self.read(place))

        if isinstance(self.event, UnionType):
            with self.out.block(f"switch ({self.tag(spot)})"):
                for position, kind in enumerate(self.records):
                    with self.out.block(f"case {position}:", "} break;"):
                        of(kind, self.read(spot.inner(kind, 0)))
        else:
            of(self.records[0], self.read(spot))
        return result

    def search(self) -> None:
        """The recursive part: whether the operations that are not `done` can be taken from `state`."""
        out, pair = self.out, self.object.result
        assert isinstance(pair, TupleType)
        head = (
            f"static word {self.name}_from(int *status, const word *s, const word *old, {self.argument(self.history, 'history')}, "
            f"const struct {self.name}_operations *all, uint64_t done, {self.argument(self.state, 'state')})"
        )
        with out.block(head):
            out("if ((done & all->closed) == all->closed) return 1;")
            out("unsigned horizon = 64;")
            out("for (unsigned k = 0; k < all->count; k++)")
            out("    if (all->last[k] < horizon && !(done >> k & 1)) horizon = all->last[k];")
            with out.block("for (unsigned k = 0; k < all->count; k++)"):
                out("if (done >> k & 1 || all->called[k] > horizon) continue;")
                out("unsigned at = all->last[k] == 64 ? all->called[k] : all->last[k];")
                event = self.read(self.item(self.spot_of(self.history, "history"), "at"))
                arguments = [
                    "status",
                    "s",
                    "old",
                    self.convert("state", self.state, self.object.parameters[0][1], False),
                    self.convert(event, self.event, self.object.parameters[1][1], False),
                ]
                result = self.declare(pair, "result", None)
                if is_wide(pair):
                    out(f"{self.shared.function(self.node.data)}({', '.join([*arguments, result])});")
                else:
                    out(f"{result} = {self.shared.function(self.node.data)}({', '.join(arguments)});")
                out("if (UNLIKELY(*status)) return 0;")
                answer = self.spot_named(pair, result)
                out(f"if (!{self.read(answer.part(pair.kinds, 0))}) continue;")
                after = self.convert(self.read(answer.part(pair.kinds, 1)), pair.kinds[1], self.state, False)
                out(f"if ({self.name}_from(status, s, old, history, all, done | (uint64_t)1 << k, {after})) return 1;")
                out("if (UNLIKELY(*status)) return 0;")
            out("return 0;")
            out("goto leave;")
            out("leave: return 0;")

    @property
    def head(self) -> str:
        """The head of the function that is called."""
        return (
            f"static word {self.name}(int *status, const word *s, const word *old, "
            f"{self.argument(self.history, 'history')}, {self.argument(self.state, 'state')})"
        )

    def whole(self) -> None:
        """The operations of the history, and the search."""
        out = self.out
        with out.block(f"struct {self.name}_operations", "};"):
            out("unsigned count, called[64], last[64]; /* last is 64 for an operation that has not returned */")
            out("uint64_t closed;")
        self.search()
        with out.block(self.head):
            out(f"struct {self.name}_operations all = {{0}};")
            caller = self.kind("client")
            out(f"word clients[64][{words(width(caller))}];" if is_wide(caller) else f"{ctype(caller)} clients[64];")
            place = self.spot_of(self.history, "history")
            with out.block(f"for (unsigned i = 0, count = {self.length(place)}; i < count; i++)"):
                event = self.let(self.event, self.read(self.item(place, "i")))
                client, returned = self.field(event, "client"), self.field(event, "returned")
                out("unsigned open = all.count;")
                out("for (unsigned k = 0; k < all.count; k++)")
                out(f"    if (all.last[k] == 64 && {self.equal(caller, 'clients[k]', client)}) open = k;")
                self.error(f"{returned} ? open == all.count : open != all.count")
                with out.block(f"if ({returned})"):
                    out("all.last[open] = i;")
                    out("all.closed |= (uint64_t)1 << open;")
                with out.block("else"):
                    self.assign(caller, "clients[all.count]", client)
                    out("all.called[all.count] = i;")
                    out("all.last[all.count++] = 64;")
            out(f"return {self.name}_from(status, s, old, history, &all, 0, state);")
            out("leave: return 0;")
        out()


def history_checks(shared: Shared) -> None:
    """Write the C functions `name(status, s, old, history, initial)` that were asked for: declared at the head, for all that call them."""
    for name, node in shared.histories.values():
        out = Writer()
        check = _History(shared, out, name, node)
        check.whole()
        shared.head(f"{check.head};")
        shared.code.lines.extend(out.lines)
