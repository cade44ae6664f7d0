"""Random specs: from a seed that Hypothesis draws, the source of a small protocol inside the compiled subset.

Engines are compared on these. A drawn spec is plain source text, so that a failing example can be read, saved and run by hand:
`load(source)` gives its class.
"""

from __future__ import annotations

import linecache
import sys
import types
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from random import Random

from hypothesis import strategies as st
from quorate import Spec
from quorate.kinds import KINDS, LIVENESS

from tests import constructs, hazards, hostile
from tests.constructs import Constructs
from tests.hazards import Hazards
from tests.naive import VARIABLES as VARIABLES_OF_NEWCOMERS
from tests.naive import Naive
from tests.wider import HEADER as WIDER_HEADER
from tests.wider import VARIABLES as WIDER_VARIABLES
from tests.wider import Wider

PROMISES = [*LIVENESS, "leads_to"]

HEADER = """\
from enum import Enum
from typing import Annotated, ClassVar, Self
from quorate import *


class Node(Scalarset, size={nodes}):
    pass


class Rank(Ordered, size=2):
    pass


class Level(Nat, max={levels}):
    pass


class Size(Nat, max=2):
    pass


class Color(Enum):
    RED = 1
    GREEN = 2
    BLUE = 3


@record
class Note:
    source: Node
    target: Node
    level: Level


@record
class Ack:
    source: Node
    target: Node
    color: Color


def better(a: Level, b: Level) -> Level:
    return a if a > b else b


def raised(note: Note) -> bool:
    if note.level == 0:
        return False
    return note.source != note.target
"""

VARIABLES = {
    "level": "dict[Node, Level]",
    "color": "dict[Node, Color]",
    "seen": "set[Node]",
    "leader": "Node | None",
    "log": "Annotated[list[Level], up_to(Size)]",
    "friends": "dict[Node, set[Node]]",
    "flag": "bool",
    "top": "Level",
    "pairs": "set[tuple[Node, Level]]",
    "logs": "dict[Node, Annotated[list[Node], up_to(Size)]]",
    "ranked": "dict[Rank, bool]",
    "note": "Note | None",
    "mode": "Color",
    "owner": "dict[Node, Node | None]",
    **constructs.VARIABLES,
}
WIRES = {
    "Network": ["", " = Network(lossy=True)", " = Network(capacity=2)"],
    "Bag": [" = Bag(capacity=2)", " = Bag(lossy=True, capacity=2)"],
    "Channels": [" = Channels(capacity=1)", " = Channels(lossy=True, capacity=1)"],
}

_numbers = count()


def load(source: str, name: str = "Drawn") -> type[Spec]:
    """The class `Drawn` of a drawn source, or another one of it."""
    wanted = name
    name = f"drawn_{next(_numbers)}"
    file = f"<{name}>"
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    module = types.ModuleType(name)
    module.__file__ = file
    sys.modules[name] = module
    exec(compile(source, file, "exec", dont_inherit=True), module.__dict__)
    found: type[Spec] = module.__dict__[wanted]
    return found


@dataclass
class _Scope:
    """What an expression may mention: variables of the spec, and names in scope by type."""

    variables: dict[str, str]
    wire: str | None
    nodes: list[str] = field(default_factory=list)
    ranks: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    acks: list[str] = field(default_factory=list)
    owner: str = "self"

    def has(self, *names: str) -> bool:
        return all(name in self.variables for name in names)

    def but(self, **changes: list[str]) -> _Scope:
        return _Scope(**{**self.__dict__, **changes})


class _Writer(Constructs):
    """Draws expressions and statements. `depth` bounds their nesting."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.fairness = ["", "", '(fair="weak")', '(fair="strong")']
        self.forms = False
        self._names = count()

    def pick(self, options: list[str]) -> str:
        return self.random.choice(options)

    def chance(self, percent: int) -> bool:
        return self.random.randrange(100) < percent

    def name(self, stem: str) -> str:
        return f"{stem}{next(self._names)}"

    # Expressions

    def node(self, s: _Scope, depth: int = 2) -> str | None:
        options = list(s.nodes) + [f"{note}.{end}" for note in s.notes + s.acks for end in ("source", "target")]
        return self.pick(options) if options else None

    def number(self, s: _Scope, depth: int = 2) -> str:
        node = self.node(s)
        options = ["0", "1", "2"]
        if s.has("top"):
            options.append(f"{s.owner}.top")
        if s.has("level") and node:
            options.append(f"{s.owner}.level[{node}]")
        options.extend(f"{note}.level" for note in s.notes)
        if s.has("seen"):
            options.append(f"len({s.owner}.seen)")
        if s.has("log"):
            options += [
                f"len({s.owner}.log)",
                f"({s.owner}.log[-1] if len({s.owner}.log) > 0 else 0)",
                f"sum({s.owner}.log)",
            ]
        if s.has("friends") and node:
            options.append(f"len({s.owner}.friends[{node}])")
        if depth > 0 and self.chance(55):
            a, b = self.number(s, depth - 1), self.number(s, depth - 1)
            options += [
                f"({a} + {b})",
                f"max({a}, {b})",
                f"min({a}, {b})",
                f"abs({a} - {b})",
                f"({a} * {b})",
                f"({a} % 2)",
                f"({a} // 2)",
                f"better(Level({a}), Level({b}))",
                f"({a} if {self.truth(s, depth - 1)} else {b})",
            ]
            inner = self.name("n")
            options.append(f"sum({self.number(s.but(nodes=[*s.nodes, inner]), depth - 1)} for {inner} in Node)")
            options.append(f"sum(1 for {inner} in Node if {self.truth(s.but(nodes=[*s.nodes, inner]), depth - 1)})")
            options.append(
                f"max(({self.number(s.but(nodes=[*s.nodes, inner]), depth - 1)} for {inner} in Node), default=0)"
            )
        options += self.further_numbers(s) if depth > 0 else []
        return self.pick(options)

    def color(self, s: _Scope) -> str:
        node = self.node(s)
        options = ["Color.RED", "Color.GREEN", "Color.BLUE"]
        if s.has("mode"):
            options.append(f"{s.owner}.mode")
        if s.has("color") and node:
            options.append(f"{s.owner}.color[{node}]")
        options.extend(f"{ack}.color" for ack in s.acks)
        return self.pick(options)

    def nodes(self, s: _Scope, depth: int = 2) -> str:
        inner = self.name("n")
        options = [f"{{{inner} for {inner} in Node if {self.truth(s.but(nodes=[*s.nodes, inner]), depth - 1)}}}"]
        node = self.node(s)
        if s.has("seen"):
            options.append(f"{s.owner}.seen")
        if node:
            options.append(f"{{{node}}}")
            if s.has("friends"):
                options.append(f"{s.owner}.friends[{node}]")
        if s.has("pairs"):
            options.append(f"{{pair[0] for pair in {s.owner}.pairs}}")
        if depth > 0 and self.chance(40):
            a, b = self.nodes(s, depth - 1), self.nodes(s, depth - 1)
            options += [f"({a} | {b})", f"({a} & {b})", f"({a} - {b})"]
        return self.pick(options)

    def truth(self, s: _Scope, depth: int = 2) -> str:
        node, other = self.node(s), self.node(s)
        options = [f"{self.number(s, 0)} {self.pick(['<', '<=', '==', '!=', '>', '>='])} {self.number(s, 0)}"]
        if s.has("flag"):
            options.append(f"{s.owner}.flag")
        if s.has("leader"):
            options.append(f"{s.owner}.leader is None")
            if node:
                options.append(f"{s.owner}.leader == {node}")
        if node and other:
            options.append(f"{node} {self.pick(['==', '!='])} {other}")
        if s.has("color") or s.has("mode") or s.acks:
            options.append(f"{self.color(s)} {self.pick(['==', '!='])} {self.color(s)}")
        if node and s.has("seen"):
            options.append(f"{node} {self.pick(['in', 'not in'])} {s.owner}.seen")
        if node and s.has("owner"):
            options += [f"{s.owner}.owner[{node}] is not None", f"{s.owner}.owner[{node}] == {other}"]
        if s.has("log"):
            options.append(f"1 in {s.owner}.log")
        if s.has("note"):
            options += [
                f"{s.owner}.note is None",
                f"({s.owner}.note is not None and {s.owner}.note.level > 0)",
                f"({s.owner}.note is not None and raised({s.owner}.note))",
            ]
        if node and s.has("pairs"):
            options.append(f"({node}, {self.number(s, 0)}) in {s.owner}.pairs")
        if node and s.has("logs"):
            options += [f"{other} in {s.owner}.logs[{node}]", f"{s.owner}.logs[{node}] == {s.owner}.logs[{other}][:1]"]
        if s.has("ranked"):
            inner, second = self.name("r"), self.name("r")
            options.append(
                f"any({s.owner}.ranked[{inner}] and {inner} < {second} for {inner} in Rank for {second} in Rank)"
            )
        if depth > 0:
            if self.chance(50):
                a, b = self.truth(s, depth - 1), self.truth(s, depth - 1)
                options += [f"({a} and {b})", f"({a} or {b})", f"not ({a})"]
            if self.chance(50):
                inner = self.name("n")
                body = self.truth(s.but(nodes=[*s.nodes, inner]), depth - 1)
                options += [f"all({body} for {inner} in Node)", f"any({body} for {inner} in Node)"]
            if self.chance(30):
                options += [
                    f"is_majority({self.nodes(s, depth - 1)}, Node)",
                    f"is_quorum({self.nodes(s, depth - 1)}, 2, Node)",
                    f"{self.nodes(s, depth - 1)} <= {self.nodes(s, depth - 1)}",
                ]
        options += self.further_truths(s) if depth > 0 else []
        return self.pick(options)

    def message(self, s: _Scope) -> str:
        source, target = self.node(s), self.node(s)
        if self.chance(50):
            return f"Note({source}, {target}, Level({self.number(s, 1)}))"
        return f"Ack(source={source}, target={target}, color={self.color(s)})"

    # Statements

    def statement(self, s: _Scope, depth: int = 1) -> list[str]:
        node, other = self.node(s), self.node(s)
        options: list[Callable[[], list[str]]] = []

        def line(text: str) -> None:
            options.append(lambda: [text])

        if s.has("flag"):
            line(f"self.flag = {self.truth(s, 1)}")
        if s.has("top"):
            line(f"self.top = Level({self.number(s, 1)})")
            line("self.top += 1")
        if s.has("mode"):
            line(f"self.mode = {self.color(s)}")
        if s.has("seen"):
            line(f"self.seen = {self.nodes(s, 1)}")
            if node:
                line(f"self.seen.{self.pick(['add', 'discard'])}({node})")
                line(f"self.seen |= {self.nodes(s, 1)}")
        if s.has("log"):
            line(f"self.log.append(Level({self.number(s, 1)}))")
            line(f"self.log = self.log[{self.pick(['1:', ':1', ':-1', '0:2'])}]")
            line("self.log.clear()")
            options.append(lambda: ["if len(self.log) > 0:", f"    self.log[0] = Level({self.number(s, 1)})"])
        if node:
            if s.has("level"):
                line(f"self.level[{node}] {self.pick(['=', '+='])} Level({self.number(s, 1)})")
            if s.has("color"):
                line(f"self.color[{node}] = {self.color(s)}")
            if s.has("leader"):
                line(f"self.leader = {self.pick(['None', node])}")
            if s.has("owner"):
                line(f"self.owner[{node}] = {self.pick(['None', other or node])}")
            if s.has("friends"):
                line(f"self.friends[{node}].add({other})")
                line(f"self.friends[{node}] = {self.nodes(s, 1)}")
            if s.has("pairs"):
                line(f"self.pairs.add(({node}, Level({self.number(s, 1)})))")
            if s.has("mail"):
                line(f"self.mail.add({self.message(s)})")
            if s.has("logs"):
                line(f"self.logs[{node}].append({other})")
                line(f"self.logs[{node}] = self.logs[{other}] + [{node}]")
            if s.has("note"):
                line(f"self.note = Note({node}, {other}, Level({self.number(s, 1)}))")
            if s.wire:
                line(f"self.wire.send({self.message(s)})")
        if s.has("ranked"):
            options.append(lambda: ["for r in Rank:", f"    self.ranked[r] = not self.ranked[r] or {self.truth(s, 0)}"])
        if s.has("note"):
            options.append(
                lambda: [
                    "if self.note is not None:",
                    f"    self.note = replace(self.note, level=Level({self.number(s, 1)}))",
                ]
            )
        if depth > 0:
            options.append(lambda: self.branch(s, depth))
            options.append(lambda: self.round(s))
            options.append(lambda: self.local(s, depth))
            options += self.further_statements(s)
        return self.random.choice(options)() if options else ["pass"]

    def branch(self, s: _Scope, depth: int) -> list[str]:
        lines = [f"if {self.truth(s, 1)}:", *self.indent(self.statement(s, depth - 1))]
        if self.chance(40):
            lines += ["else:", *self.indent(self.statement(s, depth - 1))]
        return lines

    def round(self, s: _Scope) -> list[str]:
        """A loop over all nodes whose rounds commute."""
        inner = self.name("each")
        scope = s.but(nodes=[*s.nodes, inner])
        bodies = []
        if s.has("level"):
            bodies.append(
                [f"self.level[{inner}] = Level(better(self.level[{inner}], Level({self.pick(['0', '1', '2'])})))"]
            )
        if s.has("seen"):
            bodies.append(
                [f"if {self.pick(['True', f'{inner} != {self.node(scope)}'])}:", f"    self.seen.add({inner})"]
            )
        if s.wire:
            source = self.node(s) or inner
            bodies.append([f"self.wire.send(Note({source}, {inner}, Level(1)))"])
        if s.has("color"):
            bodies.append([f"if self.color[{inner}] == Color.RED:", "    continue", f"self.color[{inner}] = Color.RED"])
        if not bodies:
            return ["pass"]
        return [f"for {inner} in Node:", *self.indent(self.random.choice(bodies))]

    def local(self, s: _Scope, depth: int) -> list[str]:
        name = self.name("x")
        lines = [f"{name} = {self.number(s, 1)}", f"if {self.truth(s, 1)}:", f"    {name} = {name} + 1"]
        if s.has("top"):
            lines.append(f"self.top = Level({name})")
        elif s.has("flag"):
            lines.append(f"self.flag = {name} > 1")
        return lines

    @staticmethod
    def indent(lines: list[str]) -> list[str]:
        return ["    " + line for line in lines]

    def method(
        self, name: str, decorator: str, parameters: list[str], body: list[str], result: str = "None"
    ) -> list[str]:
        head = f"def {name}({', '.join(['self', *parameters])}) -> {result}:"
        return ["", f"    {decorator}", f"    {head}", *self.indent(self.indent(body))]

    def action(self, s: _Scope, number: int) -> list[str]:
        name = f"act{number}"
        body: list[str] = []
        parameters: list[str] = []
        scope = s
        if s.wire and self.chance(50):
            kind = self.pick(["Note", "Ack", "Note | Ack"])
            parameters.append(f"m: {kind}")
            body.append("require(m in self.wire)")
            scope = s.but(notes=["m"] if kind == "Note" else [], acks=["m"] if kind == "Ack" else [])
            if kind == "Note | Ack":
                scope = s.but(nodes=["m.source", "m.target"])
            if self.chance(60):
                body.append("self.wire.receive(m)")
            if kind == "Note | Ack" and self.chance(50):
                body += ["if isinstance(m, Note):", *self.indent(self.statement(scope.but(notes=["m"]), 0))]
                body += ["else:", *self.indent(self.statement(scope.but(acks=["m"]), 0))]
        if self.chance(75):
            parameters.append("p: Node")
            scope = scope.but(nodes=[*scope.nodes, "p"])
            if self.chance(30):
                parameters.append("q: Node")
                scope = scope.but(nodes=[*scope.nodes, "q"])
        if self.chance(70):
            body.append(f"require({self.truth(scope, 1)})")
        for _ in range(self.random.randint(1, 3)):
            body += self.statement(scope)
        fair = self.pick(self.fairness)
        named = [parameter.split(":")[0] for parameter in parameters]
        if not fair or not self.forms:
            return self.method(name, f"@action{fair}", parameters, body)
        form = self.pick(["", "", 'fair_per="action"', f"fair_per=({self.pick(named)!r},)" if named else "", "fair_if"])
        if form != "fair_if":
            return self.method(name, f"@action({fair[1:-1]}{', ' if form else ''}{form})", parameters, body)
        at = scope.but(nodes=[node for node in scope.nodes if node in named], notes=[], acks=[])
        kept = [parameter for parameter in parameters if parameter.split(":")[0] in at.nodes]
        condition = self.method(f"fair{number}", "", kept, [f"return {self.truth(at, 1)}"], "bool")
        condition.remove("    ")
        return self.method(name, f'@action({fair[1:-1]}, fair_if="fair{number}")', parameters, body) + condition

    def tiring(self, action: list[str]) -> list[str]:
        """An action that is possible a few times, and then is disabled, or cut by a bound; some are neither."""
        ends = [f"require(self.fuel < {self.pick(['Fuel.bound', 'Fuel.bound', '1'])})"] if self.chance(55) else []
        spent = ["self.fuel += 1"] if self.chance(85) else []
        return [*action, *self.indent(self.indent([*ends, *spent]))]

    def terminal(self) -> list[str]:
        """Where runs may end."""
        where = self.pick(["False", "False", "self.fuel == 1", "0 < self.fuel < 2", "self.fuel == Fuel.bound"])
        return self.method("ends", "@terminal", [], [f"return {where}"], "bool")

    def property(self, s: _Scope, number: int) -> list[str]:
        kind = self.pick(["invariant", "invariant", "invariant", "reachable", "step", "lemma"])
        parameters = ["old: Self"] if kind == "step" else []
        scope = s
        if self.chance(50):
            parameters.append("a: Node")
            scope = scope.but(nodes=[*scope.nodes, "a"])
        truth = self.truth(scope, 2)
        if kind == "step":
            past = _Scope(**{**scope.__dict__, "owner": "old"})
            truth = f"{truth} or {self.truth(past, 1)}"
        return self.method(f"{kind}{number}", f"@{kind}", parameters, [f"return {truth}"], "bool")

    def promise(self, s: _Scope, number: int) -> list[str]:
        """A liveness property. It is often a simple one: those are violated late rather than at once, or hold."""
        kind, parameters = self.pick(PROMISES), []
        if self.chance(60):
            parameters.append("a: Node")
            s = s.but(nodes=[*s.nodes, "a"])
            if self.chance(30):
                parameters.append("c: Color")
        truth = self.truth(s, self.random.randint(0, 1))
        if not KINDS[kind].is_pair:
            return self.method(f"{kind}{number}", f"@{kind}", parameters, [f"return {truth}"], "bool")
        body = [f"return ({self.truth(s, 1)}, {truth})"]
        return self.method(f"{kind}{number}", f"@{kind}", parameters, body, "tuple[bool, bool]")

    def constraint(self, s: _Scope, number: int) -> list[str]:
        """A constraint of states or of steps."""
        of_step = self.chance(40)
        truth = " or ".join(self.truth(s, 0) for _ in range(self.random.randint(1, 2)))
        if of_step:
            past = _Scope(**{**s.__dict__, "owner": "old"})
            truth = f"{truth} or {self.truth(past, 0)}"
        body = [f"return {truth}"]
        if self.chance(20):
            body = [f"if {self.truth(s, 0)}:", "    return True", *body]
        return self.method(f"constraint{number}", "@constraint", ["old: Self"] if of_step else [], body, "bool")


class _OddWriter(Hazards, _Writer):
    """Draws what nobody would write, too."""


class _NaiveWriter(Naive, _Writer):
    """Draws what a newcomer writes, too."""


class _WiderWriter(Wider, _Writer):
    """Draws what the language had no words for at first, too."""


def write(
    seed: int,
    histories: bool = True,
    liveness: bool = False,
    odd: bool = False,
    constraints: bool = False,
    naive: bool = False,
    wider: bool = False,
    ends: bool = False,
) -> str:
    """The source of a spec named `Drawn`, with a small state space; the same for the same seed. `histories` allows
    `linearizable`, which the provers do not take; `liveness` adds properties of fair runs; `odd` what nobody would write;
    `constraints` one or two of them; `naive` what a newcomer writes; `wider` several @init methods, maps of which keys may be absent, and
    lists that may be None; `ends` runs that end, where they may and where they may not.
    """
    random = Random(seed)
    writer = _OddWriter(random) if odd else _NaiveWriter(random) if naive else _Writer(random)
    writer = _WiderWriter(random) if wider else writer
    if liveness:
        writer.fairness = ["", '(fair="weak")', '(fair="weak")', '(fair="strong")', '(fair="strong")']
        writer.forms = True
    variables = VARIABLES | (hostile.VARIABLES if odd else {})
    names = random.sample(list(variables), random.randint(2, 5) if odd else random.randint(1, 4))
    wire = random.choice([None, *WIRES])
    scope = _Scope({name: variables[name] for name in names} | (VARIABLES_OF_NEWCOMERS if naive else {}), wire)
    if wider:
        chosen = random.sample(list(WIDER_VARIABLES), random.randint(1, 2))
        scope.variables.update({name: WIDER_VARIABLES[name] for name in chosen})
    history, varied = writer.chance(10) and histories, writer.chance(40)
    lines = [HEADER.format(nodes=random.randint(2, 3), levels=random.randint(1, 2))]
    if odd:
        least = random.randint(-2, 0)
        lines += [
            *hostile.HEADER.format(least=least, most=least + random.randint(0, 2)).splitlines(),
            *hazards.FUNCTIONS.splitlines(),
        ]
    lines += constructs.HISTORY_HEADER.splitlines() if history else []
    lines += WIDER_HEADER.splitlines() if wider else []
    lines += ["", "", f"class Fuel(Nat, max={random.randint(1, 3)}):", "    pass"] if ends else []
    lines += ["", "", f"class {'Base' if varied else 'Drawn'}(Spec):"]
    lines += ["    " + line for line in constructs.PARAMETERS]
    lines += [f"    {name}: {kind}" for name, kind in scope.variables.items()]
    if bounds := {name: most for name, most in hostile.BOUNDS.items() if name in names}:
        lines.append(f"    bounds = {bounds}")
    lines += ["    fuel: Fuel"] if ends else []
    if wire:
        lines.append(f"    wire: {wire}[Note | Ack]{writer.pick(WIRES[wire])}")
    if history:
        lines += ["    " + line for line in constructs.HISTORY_VARIABLES]
        lines += [line.replace("{stale}", writer.truth(scope, 0)) for line in constructs.HISTORY_METHODS]
    begun = writer.beginning(scope) if isinstance(writer, _WiderWriter) else []
    lines += [*begun, *writer.helpers(scope)]
    if not begun and writer.chance(30):
        lines += writer.method("start", "@init", ["p: Node"], writer.statement(scope.but(nodes=["p"]), 0))
    actions = [writer.action(scope, number) for number in range(random.randint(1, 3))]
    lines += [line for action in actions for line in (writer.tiring(action) if ends else action)]
    lines += writer.terminal() if ends else []
    lines += writer.further_actions(scope) if isinstance(writer, _WiderWriter) else []
    lines += writer.further_properties(scope) if isinstance(writer, _WiderWriter) else []
    for number in range(random.randint(3, 5) if naive else random.randint(0, 3)):
        lines += writer.property(scope, number)
    for number in range(random.randint(1, 2) if liveness else 0):
        lines += writer.promise(scope, number)
    for number in range(random.randint(1, 2) if constraints else 0):
        lines += writer.constraint(scope, number)
    if varied:
        lines += writer.variant(scope, [action[2] for action in actions])
    source = "\n".join(lines) + "\n"
    return hostile.renamed(source, random) if odd and writer.chance(60) else source


def sources(histories: bool = True, liveness: bool = False, constraints: bool = False) -> st.SearchStrategy[str]:
    """Random specs. Hypothesis draws the seed only: a spec is too large to be shrunk piece by piece."""
    seeds = st.integers(0, 2**32 - 1)
    return st.builds(
        write, seeds, st.just(histories), st.just(liveness), odd=st.just(False), constraints=st.just(constraints)
    )
