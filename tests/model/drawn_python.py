"""Hostile Python in small specifications: each means in the model what it means in CPython, or is refused at a line.

    python -m tests.model.drawn_python --count 5000 --seed 100000

A drawn specification has one or two of the definitions in `tricks.py`, and statements and expressions about scopes, aliasing,
equality, order and errors. What is held: the model's run and CPython's are the same on every transition and property of the states that are
looked at, by value and class, by the bound that cuts, by the line of an error; or the specification is refused, with a place.
With `--seed N --show` one specification is printed.
"""

from __future__ import annotations

import argparse
import re
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from random import Random
from textwrap import indent
from typing import Any

from quorate.errors import Location, SpecError
from quorate.language.control import Cut
from quorate.language.system import State, System
from quorate.model import Model, build
from quorate.model.determinism import vouch
from quorate.model.interpret import Interpreter
from quorate.model.verify import verify

from tests.generated import load
from tests.model.tricks import TRICKS, Trick

STATES = 16

HEADER = """\
import enum, functools, operator, types, typing
from enum import Enum, IntEnum, auto
from typing import Annotated, ClassVar, NewType, Self
from quorate import *


class Node(Scalarset, size=2): pass
class Rank(Ordered, size=3): pass
class Level(Nat, max=2): pass
class Debt(Int, min=-2, max=2): pass
class Size(Nat, max=2): pass
class Color(Enum):
    RED = 1
    GREEN = 2

LIMIT = 1


@record
class Note:
    source: Node
    level: Level = 1

@record
class Ack:
    source: Node
    color: Color

def better(a: Level, b: Level = 1) -> Level:
    return a if a > b else b

def raised(x: int = LIMIT) -> int:
    return x + LIMIT
"""
VARIABLES = """\
flag: bool
top: Level
debt: Debt
leader: Node | None
rank: Rank
mode: Color
any: Level | Color | None
option: Level | None
pair: tuple[Level, bool]
numbers: Annotated[list[Level], up_to(Size)]
log: Annotated[list[Node], up_to(Size)]
seen: set[Node]
marks: set[Level]
level: dict[Node, Level]
colors: dict[Color, Level]
note: Note | Ack | None
held: Annotated[dict[Level, Level], partial]
lists: Annotated[list[set[Level]], up_to(Size)]
owed: dict[Node, set[Level]]

@action
def fill(self, p: Node, x: Level) -> None:
    self.numbers.append(x)
    self.log.append(p)
    self.debt = 1 - x
    self.seen.add(p)
    self.marks.add(x)
    self.note = Note(p, x) if x != 1 else Ack(p, Color.GREEN)
    self.any = x if x > 0 else Color.GREEN
    self.option = x
    self.rank = Rank[x]
    self.held[x] = 1
    self.pair = (x, x == 1)
    self.owed[p].add(x)
    self.lists.append({x})
    self.level[p] = x

def half(self, x: int) -> int:
    return x // 2
"""
TYPES = ("num", "truth", "node", "list", "set")
LOCALS = ("y", "n", "k", "xs", "ys", "z", "key", "self_")
NAMES = (*LOCALS, "x", "a", "p", "q", "LIMIT", "len", "better", "sum", "Level", "Drawn")
"""Names of locals: some are parameters, functions or constants, too."""
ODD = 0.03
"""How often a form is drawn that the subset may not have, or a name that means something else."""
HOLE = re.compile(r"\b(NUM|BOOL|NODE|LIST|SET)\b")
KINDS = {"NUM": "num", "BOOL": "truth", "NODE": "node", "LIST": "list", "SET": "set"}


@dataclass
class Drawn:
    """The text of a specification, and what it is made of."""

    text: str
    parts: set[str] = field(default_factory=set)


class _Writer:
    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.parts: set[str] = set()
        self.names: dict[str, str] = {}
        self.pure = False
        self.uses: dict[str, list[tuple[str, str]]] = {"truth": [], "num": [], "do": []}

    # Choices

    def filled(self, template: str, depth: int = 1) -> str:
        """A text whose holes are filled."""
        return HOLE.sub(lambda hole: self.expression(KINDS[hole[0]], depth - 1), template)

    def one_of(self, options: dict[str, str], depth: int) -> str:
        """One of some forms, by what it is called."""
        name = self.name_of(options)
        return self.filled(options[name], depth)

    def name_of(self, options: Collection[str]) -> str:
        """One of some forms; seldom one that the subset does not have."""
        usual = [name for name in options if name not in REFUSED]
        name = self.random.choice(list(options) if self.random.random() < ODD else usual)
        self.parts.add(name)
        return name

    def fresh(self) -> str:
        """A name for a local; seldom one that something has."""
        usual = [name for name in LOCALS if name not in self.names] or list(LOCALS)
        return self.random.choice(NAMES if self.random.random() < ODD else usual)

    def plain(self, kind: str) -> str:
        """An expression without parts."""
        known = {*self.names, "LIMIT", "True", "False"}
        return self.random.choice([text for text in PLAIN[kind] if not text.isidentifier() or text in known])

    def expression(self, kind: str, depth: int = 2) -> str:
        """An expression of a type."""
        known = [name for name, one in self.names.items() if one == kind]
        if known and self.random.random() < 0.3:
            return self.random.choice(known)
        if self.random.random() < ODD / 4:
            return self.random.choice(NAMES)
        if self.uses.get(kind) and self.random.random() < 0.12:
            name, text = self.random.choice(self.uses[kind])
            self.parts.add(name)
            return f"({self.filled(text, 0)})"
        if depth <= 0:
            return self.plain(kind)
        if self.random.random() < 0.25:
            return self.comprehension(kind, depth)
        return f"({self.one_of(FORMS[kind], depth)})"

    def comprehension(self, kind: str, depth: int) -> str:
        """A comprehension, whose names may hide others, also each other."""
        saved, clauses = dict(self.names), ""
        form, of_body = self.random.choice(FOLDS[kind])
        ordered = "[" in form or "list" in form
        for position in range(self.random.choice((1, 1, 1, 2))):
            over, of = self.random.choice(
                [one for one in OVER if not ordered or one[0] in ORDERED or self.random.random() < ODD]
            )
            source = self.filled(over, 1)
            name = self.random.choice(NAMES if self.random.random() < 0.3 else LOCALS)
            self.parts.add("a comprehension" if not position else "a comprehension of two")
            if name in saved:
                self.parts.add("a comprehension that hides a name")
            clauses += f" for {name} in {source}"
            self.names[name] = of
            if self.random.random() < 0.3:
                clauses += f" if {self.expression('truth', depth - 1)}"
        body = self.expression(of_body, depth - 1)
        self.names = saved
        return form.replace("BODY", body).replace("CLAUSES", clauses)

    # Statements

    def statements(self, depth: int = 2, count: int = 2) -> list[str]:
        """Some lines."""
        found: list[str] = []
        for _ in range(self.random.randint(1, count)):
            found += self.statement(depth)
        return found

    def block(self, depth: int, end: str = "") -> str:
        """An indented body, whose names end with it."""
        saved = dict(self.names)
        lines = self.statements(depth - 1)
        self.names = saved if self.random.random() < 0.8 else self.names
        return indent("\n".join([*lines, *([end] if end else [])]), "    ")

    def statement(self, depth: int) -> list[str]:
        """One statement."""
        if self.uses["do"] and self.random.random() < 0.4:
            name, text = self.random.choice(self.uses["do"])
            self.parts.add(name)
            return self.filled(text, 1).split("\n")
        roll = self.random.random()
        if depth and roll < 0.3:
            return self.compound(depth)
        if roll < 0.5:
            kind = self.random.choice(TYPES)
            name = self.fresh()
            self.parts.add("a local" if name not in self.names else "a local that hides a name")
            text = self.expression(kind)
            self.names[name] = kind
            return [f"{name} = {text}"]
        if roll < 0.75:
            name, kind = self.random.choice(list(TARGETS.items()))
            return [f"{self.filled(name, 1)} = {self.expression(kind)}"]
        return self.one_of(SIMPLE, 1).split("\n")

    def compound(self, depth: int) -> list[str]:
        """An `if`, a loop, or what is like them."""
        name = self.name_of(COMPOUND)
        head, kind = COMPOUND[name]
        target = self.fresh()
        head = self.filled(head.replace("TARGET", target), 1)
        saved = dict(self.names)
        if kind:
            self.names[target] = kind
        end = self.random.choice(("", "", "", "break", "continue", "return")) if head.startswith("for") else ""
        body = self.block(depth, f"if {self.expression('truth', 1)}:\n    {end}" if end else "")
        self.names = saved
        lines = [head, body]
        if name == "an if with an else":
            lines += ["else:", self.block(depth)]
        if name == "a for with an else":
            lines += ["else:", self.block(depth)]
        if name == "a try":
            lines += [
                self.random.choice(("except Exception:", "except ZeroDivisionError:", "finally:")),
                self.block(depth),
            ]
        return "\n".join(lines).split("\n")

    def match(self) -> list[str]:
        """A `match`, whose captures stay bound."""
        self.parts.add("a match")
        subject, cases = self.random.choice(MATCHES)
        lines = [f"match {self.filled(subject, 1)}:"]
        for case in self.random.sample(cases, self.random.randint(1, len(cases))):
            guard = f" if {self.expression('truth', 1)}" if self.random.random() < 0.4 else ""
            lines += [f"    case {case}{guard}:", f"        {self.statement(0)[0]}"]
        return lines

    # The whole

    def trick(self, trick: Trick) -> None:
        """Let what follows use a trick."""
        for kind, texts in (("truth", trick.truth), ("num", trick.number), ("do", trick.do)):
            self.uses[kind] += [(trick.name, text) for text in texts]

    def body(self, parameters: Mapping[str, str]) -> str:
        """The body of the action."""
        self.names = {name: "node" if kind == "Node" else "num" for name, kind in parameters.items()}
        lines = [f"require({self.expression('truth', 1)})"] if self.random.random() < 0.2 else []
        used = [kind for kind, texts in self.uses.items() if texts]
        for kind in used if self.random.random() < 0.8 else ():
            name, text = self.random.choice(self.uses[kind])
            self.parts.add(name)
            text = self.filled(text, 1)
            lines += {"truth": [f"self.flag = {text}"], "num": [f"self.debt = {text}"], "do": text.split("\n")}[kind]
        if not used or self.random.random() < 0.3:
            lines += self.match() if self.random.random() < 0.04 else self.statements(1, 2 if not used else 1)
        if self.random.random() < 0.06:
            self.parts.add("a dead line")
            lines += [self.random.choice(("return", "require(False)")), self.random.choice(DEAD)]
        return "\n".join(lines or ["pass"])

    def claim(self, result: str) -> str:
        """The body of a property or of a helper."""
        self.names = {"x": "num"}
        lines: list[str] = []
        while self.random.random() < 0.2:
            kind, name = self.random.choice(TYPES), self.fresh()
            lines.append(f"{name} = {self.expression(kind)}")
            self.names[name] = kind
        if self.random.random() < 0.15:
            lines += [f"if {self.expression('truth', 1)}:", f"    return {self.expression(result, 1)}"]
        return "\n".join([*lines, f"return {self.expression(result)}"])

    def drawn(self) -> Drawn:
        """A whole specification."""
        tricks = self.random.sample(TRICKS, self.random.choice((0, 0, 0, 1, 1, 1, 2)))
        if len({trick.of for trick in tricks} | {"Spec"}) > 2:
            tricks = tricks[:1]
        for trick in tricks:
            self.trick(trick)
        names = self.random.choice(("pqxa", "px"))
        parameters = {name: PARAMETERS[name] for name in names}
        members = [
            _method("helper", {"x": "Level"}, "Level", self.claim("num")),
            f"@action\n{_method('act', parameters, 'None', self.body(parameters))}",
            f"@invariant\n{_method('claim', {'x': 'Level'}, 'bool', self.claim('truth'))}",
        ]
        if self.random.random() < 0.3:
            self.parts.add("a step")
            told = re.sub(r"\bself\.", lambda _: self.random.choice(("self.", "old.")), self.claim("truth"))
            members.append(f"@step\n{_method('told', {'old': 'Self', 'x': 'Level'}, 'bool', told)}")
        if self.random.random() < 0.1:
            self.parts.add("an init")
            self.names = {"x": "num"}
            members.append(f"@init\n{_method('begin', {'x': 'Level'}, 'None', chr(10).join(self.statements(1)))}")
        return Drawn(specification(tricks, members), self.parts)


PARAMETERS = {"p": "Node", "q": "Node", "x": "Level", "a": "Level"}


def _method(name: str, parameters: Mapping[str, str], result: str, body: str) -> str:
    given = "".join(f", {parameter}: {kind}" for parameter, kind in parameters.items())
    return f"def {name}(self{given}) -> {result}:\n{indent(body, '    ')}"


def specification(tricks: Sequence[Trick], members: Sequence[str]) -> str:
    """The text of a specification with these definitions and these methods."""
    bases = next((trick.of for trick in tricks if trick.of != "Spec"), "Spec")
    body = "\n\n".join([VARIABLES, *(trick.body for trick in tricks), *members])
    whole = f"class Drawn({bases}):\n{indent(body, '    ')}"
    parts = [HEADER, *(trick.module for trick in tricks), whole, *(trick.after for trick in tricks)]
    return "\n\n".join(part for part in parts if part) + "\n"


def uses(trick: Trick, random: Random) -> Iterator[Drawn]:
    """Each use of a trick alone, with the plainest of expressions."""
    writer, parameters = _Writer(0), {"p": "Node", "x": "Level"}
    writer.random, writer.names = random, {"p": "node", "x": "num"}
    texts = [f"self.flag = {text}" for text in trick.truth] + [f"self.debt = {text}" for text in trick.number]
    for text in [*texts, *trick.do]:
        act = _method("act", parameters, "None", writer.filled(text, 0))
        yield Drawn(specification([trick], [f"@action\n{act}"]), {trick.name})


PLAIN: dict[str, tuple[str, ...]] = {
    "num": (
        "0",
        "1",
        "2",
        "-1",
        "self.top",
        "self.debt",
        "LIMIT",
        "x",
        "len(self.numbers)",
        "self.numbers[0]",
        "self.rank.index",
    ),
    "truth": ("True", "False", "self.flag", "self.top == 1", "self.leader is None", "x > 0"),
    "node": ("the(n for n in self.seen)", "self.log[0]", "self.log[-1]", "p"),
    "list": ("self.numbers", "[0, 1]", "[2, 0, 1]", "[x]", "list(range(2))"),
    "set": ("self.seen", "set(Node)", "{n for n in Node}", "set(self.log)"),
}
FORMS: dict[str, dict[str, str]] = {
    "num": {
        "+": "NUM + NUM",
        "-": "NUM - NUM",
        "*": "NUM * NUM",
        "//": "NUM // NUM",
        "%": "NUM % NUM",
        "// of a negative": "-NUM // 2",
        "% of a negative": "-NUM % 2",
        "% by a negative": "NUM % -2",
        "- of a power": "-NUM ** 2",
        "<<": "NUM << 1",
        ">> of a negative": "-NUM >> 1",
        "&": "NUM & 1",
        "/": "NUM / 1",
        "+x": "+NUM",
        "~": "~NUM",
        "abs": "abs(NUM)",
        "int of a truth": "int(BOOL)",
        "a truth as a number": "BOOL + NUM",
        "Level(...)": "Level(NUM)",
        "max": "max(NUM, NUM)",
        "min": "min(NUM, NUM, 1)",
        "max of a list": "max(LIST)",
        "max with a default": "max(LIST, default=NUM)",
        "max by a key": "max(LIST, key=lambda v: -v)",
        "min by a key": "min([NUM, NUM], key=abs)",
        "sum": "sum(LIST)",
        "sum with a start": "sum(LIST, NUM)",
        "len": "len(LIST)",
        "len of a set": "len(SET)",
        "len of a display": "len({NUM, NUM, 1})",
        "len of a map": "len(self.held)",
        "an index": "LIST[NUM]",
        "an index from the end": "LIST[-1]",
        "a truth as an index": "LIST[BOOL]",
        "an index of a tuple": "(NUM, NUM)[1]",
        "a negative index of a tuple": "(NUM, NUM)[-1]",
        "a map's value": "self.level[NODE]",
        "an enum's key": "self.colors[self.mode]",
        "get": "self.held.get(NUM, 0)",
        "a key that may be absent": "self.held[NUM]",
        "an if": "NUM if BOOL else NUM",
        "or": "NUM or NUM",
        "and": "NUM and NUM",
        "better()": "better(NUM)",
        "better() by keyword": "better(b=NUM, a=NUM)",
        "better() starred": "better(*[NUM, NUM])",
        "better() of a dict": "better(**{'a': NUM})",
        "raised()": "raised(NUM)",
        "raised() by default": "raised()",
        "self.half": "self.half(NUM)",
        "self.helper": "self.helper(Level(NUM))",
        "a field": "self.note.level",
        "a field of a new record": "Note(NODE, NUM).level",
        "a component": "self.pair[0]",
        "an option": "self.option",
        ":=": "(k := NUM) + k",
        "a lambda": "(lambda v: v + 1)(NUM)",
        "a count": "LIST.count(NUM)",
        "an index()": "LIST.index(NUM)",
        "round": "round(NUM)",
        "divmod": "divmod(NUM, 2)[0]",
        "a nested display": "[[NUM, 1], [2]][0][1]",
        "a constant of the class": "Drawn.LIMIT",
        "the sort's bound": "Level.bound",
        "the sort's size": "Node.size",
        "the enum's value": "Color.GREEN.value",
        "next": "self.rank.next().index",
        "a number of a sort": "Rank[NUM].index",
        "zip": "sum(a * b for a, b in zip(LIST, LIST))",
        "enumerate": "sum(i * v for i, v in enumerate(LIST))",
        "reversed": "[v for v in reversed(LIST)][0]",
    },
    "truth": {
        "==": "NUM == NUM",
        "!=": "NUM != NUM",
        "<": "NUM < NUM",
        ">=": "NUM >= NUM",
        "a chain": "NUM < NUM <= NUM",
        "a chain that turns": "NUM < NUM > NUM",
        "a chain of equalities": "NUM == NUM == NUM",
        "a chain of in and ==": "NUM in LIST == LIST",
        "a chain of in a range": "NUM in range(2) == [0, 1]",
        "a chain of in a sort": "NODE in Node == {NODE}",
        "a chain of is": "self.leader is None is True",
        "a chain of not in": "NUM not in LIST != LIST",
        "is None": "self.leader is None",
        "is not": "self.mode is not Color.RED",
        "is True": "BOOL is True",
        "is a number": "NUM is 1",
        "is an option": "self.option is self.top",
        "is a member": "self.any is self.mode",
        "== True": "BOOL == True",
        "a number == True": "NUM == True",
        "a number == a fraction": "NUM == 1.0",
        "in": "NUM in LIST",
        "not in": "NUM not in LIST",
        "in a tuple": "NUM in (NUM, 1)",
        "in a tuple of all": "self.any in (NUM, None, Color.RED)",
        "in a range": "NUM in range(NUM, NUM)",
        "in a range of three": "NUM in range(0, 3, 2)",
        "in a set": "NODE in SET",
        "in a map": "NUM in self.held",
        "in a sort": "NUM in Level",
        "in a display of truths": "NUM in {True, False}",
        "None in": "None in (self.option, NUM)",
        "and": "BOOL and BOOL",
        "or": "BOOL or BOOL",
        "not": "not BOOL",
        "not a number": "not NUM",
        "and of a number": "NUM and BOOL",
        "an if": "BOOL if BOOL else BOOL",
        "== of lists": "LIST == LIST",
        "< of lists": "LIST < LIST",
        "== of a list and a tuple": "LIST == (0, 1)",
        "== of sets": "SET == SET",
        "<= of sets": "SET <= SET",
        "< of sets": "SET < SET",
        "issuperset": "SET.issuperset(SET)",
        "== of tuples": "(NUM, BOOL) == (NUM, BOOL)",
        "< of tuples": "(NUM, NUM) < (NUM, NUM)",
        "== of the state's tuple": "self.pair == (NUM, BOOL)",
        "tuples that mix": "(NUM, 1) == (BOOL, 1)",
        "== of records": "self.note == Note(NODE, NUM)",
        "== of options": "self.option == self.any",
        "< of options": "self.option < NUM",
        "== of maps": "self.level == {n: NUM for n in Node}",
        "isinstance": "isinstance(self.note, Note)",
        "isinstance of int": "isinstance(self.any, int)",
        "isinstance of bool": "isinstance(NUM, bool)",
        "isinstance of a tuple": "isinstance(self.note, (Ack, type(None)))",
        "isinstance of a union": "isinstance(self.any, Level | Color)",
        "isinstance of object": "isinstance(self.option, object)",
        "isinstance and a field": "isinstance(self.note, Note) and self.note.level == NUM",
        "not isinstance or a field": "not isinstance(self.note, Ack) or self.note.color == self.mode",
        "== of enums": "self.mode == Color.GREEN",
        "an enum == its value": "self.mode == 1",
        "< of an Ordered": "self.rank < Rank[NUM]",
        "< of a Scalarset": "NODE < NODE",
        "any of a list": "any([BOOL, BOOL])",
        "all of a list": "all([NUM == 1, BOOL])",
        "all of numbers": "all(LIST)",
        "any of nothing": "any([])",
        "a component": "self.pair[1]",
        "bool()": "bool(NUM)",
        "map": "all(map(lambda v: v > 0, LIST))",
        "filter": "len(list(filter(None, LIST))) > 0",
        "a slice": "LIST[1:] == LIST[:-1]",
        "a slice from behind": "LIST[-2:9] == LIST[NUM:]",
        "a slice with a step": "LIST[::-1] == LIST",
        "a slice of nothing": "LIST[2:1] == []",
        "sorted": "sorted(LIST) == LIST",
        "sorted backwards": "sorted(LIST, reverse=True) == LIST",
        "sorted by a key": "sorted(LIST, key=lambda v: 0) == LIST",
        "a dict display": "{NUM: 1, NUM: 2} == {NUM: 2}",
        "a list of a dict": "list({NUM: 1, 1: 2}) == LIST",
        "a list of a set": "list({NUM, NUM}) == LIST",
        "a text": "'a' < 'b'",
        "callable": "callable(self.half)",
        "hasattr": "hasattr(self, 'top')",
        "getattr": "getattr(self, 'flag')",
        "a majority": "is_majority(SET, Node)",
        "the keys": "all(v > 0 for v in self.held)",
        "the values": "any(v == NUM for v in self.level.values())",
        "the items": "all(v == NUM for k, v in self.held.items())",
        "-0": "-0 == NUM",
        "a list in a list": "LIST in [LIST, [0]]",
        "a set in a list": "{NUM} in self.lists",
        "a set in a map": "NUM in self.owed[NODE]",
        "in a generator": "1 in (y for y in LIST)",
    },
    "node": {
        "an if": "NODE if BOOL else NODE",
        "the leader": "self.leader",
        "the note's": "self.note.source",
        "the": "the((n for n in Node if n in SET), NODE)",
        "an index": "self.log[NUM]",
        "or": "self.leader or NODE",
        "min": "min(self.seen)",
        "next()": "next(iter(self.seen))",
        "the sort's": "Node[0]",
    },
    "list": {
        "a display": "[NUM, NUM]",
        "+": "LIST + LIST",
        "*": "LIST * 2",
        "a slice": "LIST[NUM:]",
        "a slice from behind": "LIST[:-1]",
        "a slice with a step": "LIST[::2]",
        "sorted": "sorted(LIST)",
        "sorted of a set": "sorted({NUM, NUM})",
        "list of a list": "list(LIST)",
        "a range": "range(NUM)",
        "list of a range": "list(range(NUM, 2))",
        "an if": "LIST if BOOL else LIST",
        "a starred display": "[*LIST, NUM]",
        "a copy": "LIST.copy()",
        "a tuple": "(0, NUM)",
        "a list of truths": "[BOOL, NUM]",
        "list of values": "list(self.colors.values())",
        "list of keys": "list(self.held)",
        "reversed": "list(reversed(LIST))",
        "map": "list(map(abs, LIST))",
    },
    "set": {
        "|": "SET | SET",
        "&": "SET & SET",
        "-": "SET - SET",
        "^": "SET ^ SET",
        "a display": "{NODE, NODE}",
        "union()": "SET.union(SET)",
        "difference()": "SET.difference(self.log)",
        "an if": "SET if BOOL else SET",
        "frozenset": "frozenset(SET)",
        "set()": "set()",
        "the sort": "Node",
        "set of keys": "set(self.level)",
        "{}": "{}",
    },
}
REFUSED = frozenset(
    {
        "in a generator",
        "&",
        "*",
        "*= of a list",
        "+= of a parameter",
        "+= of a shared list",
        "+x",
        "- of a power",
        "/",
        ":=",
        "< of a Scalarset",
        "< of lists",
        "<<",
        "<<=",
        "== of a list and a tuple",
        ">> of a negative",
        "None in",
        "^",
        "^=",
        "a call that does nothing",
        "a chain of in a range",
        "a chain of in a sort",
        "a chain of is",
        "a chain of targets",
        "a constant of the class",
        "a count",
        "a def",
        "a dict display",
        "a field that is set",
        "a for into a place",
        "a for of a tuple",
        "a for of enumerate from 1",
        "a for of reversed",
        "a for of zip",
        "a for with an else",
        "a lambda",
        "a list of a dict",
        "a list of a set",
        "a list of targets",
        "a list of truths",
        "a method that does nothing",
        "a negative index of a tuple",
        "a number == True",
        "a number == a fraction",
        "a pair of a list",
        "a range",
        "a return of a value",
        "a set that is taken",
        "a shared list that changes",
        "a shared map that changes",
        "a slice with a step",
        "a starred display",
        "a starred target",
        "a text",
        "a truth as a number",
        "a truth as an index",
        "a try",
        "a tuple's part that is set",
        "a while",
        "a wrong annotation",
        "all of numbers",
        "an enum == its value",
        "an expression",
        "an index()",
        "and",
        "and of a number",
        "any of nothing",
        "better() of a dict",
        "better() starred",
        "bool()",
        "callable",
        "del of a local",
        "del of an index",
        "difference()",
        "divmod",
        "filter",
        "getattr",
        "global",
        "hasattr",
        "import",
        "in a display of truths",
        "in a range of three",
        "is a number",
        "is an option",
        "isinstance of a tuple",
        "map",
        "max by a key",
        "min",
        "min by a key",
        "next()",
        "not a number",
        "or",
        "raise",
        "remove from a list",
        "reversed",
        "round",
        "set()",
        "setdefault",
        "sort",
        "sorted by a key",
        "sum with a start",
        "the sort",
        "the sort's",
        "tuples that mix",
        "two names",
        "update by a list",
        "with",
        "zip",
        "{}",
        "|= of a shared set",
        "~",
    }
)
"""Forms that the subset does not have, whatever is in them."""
OVER: tuple[tuple[str, str], ...] = (
    ("LIST", "num"),
    ("LIST", "num"),
    ("range(NUM)", "num"),
    ("range(NUM, 2)", "num"),
    ("Level", "num"),
    ("Node", "node"),
    ("SET", "node"),
    ("self.marks", "num"),
    ("self.held", "num"),
    ("[NUM, NUM]", "num"),
    ("{NUM, 1}", "num"),
    ("self.level.values()", "num"),
    ("self.log", "node"),
    ("[BOOL, BOOL]", "truth"),
    ("self.colors", "color"),
    ("Color", "color"),
    ("self.owed[NODE]", "num"),
    ("self.lists", "marks"),
)
ORDERED = (
    "LIST",
    "range(NUM)",
    "range(NUM, 2)",
    "Level",
    "[NUM, NUM]",
    "[BOOL, BOOL]",
    "self.log",
    "self.lists",
    "self.held",
    "self.colors",
    "Color",
)
"""What has an order to range over."""
FOLDS: dict[str, tuple[tuple[str, str], ...]] = {
    "truth": (
        ("all(BODYCLAUSES)", "truth"),
        ("any(BODYCLAUSES)", "truth"),
        ("any([BODYCLAUSES])", "truth"),
        ("all({BODYCLAUSES})", "truth"),
        ("1 in [BODYCLAUSES]", "num"),
        ("0 in {BODYCLAUSES}", "num"),
        ("[BODYCLAUSES] == [1]", "num"),
    ),
    "num": (
        ("sum(BODYCLAUSES)", "num"),
        ("sum(BODYCLAUSES)", "truth"),
        ("max((BODYCLAUSES), default=0)", "num"),
        ("min([BODYCLAUSES])", "num"),
        ("len([BODYCLAUSES])", "num"),
        ("len({BODYCLAUSES})", "node"),
        ("len({BODYCLAUSES})", "truth"),
        ("the((BODYCLAUSES), 1)", "num"),
        ("[BODYCLAUSES][0]", "num"),
    ),
    "node": (("the(BODYCLAUSES)", "node"), ("[BODYCLAUSES][0]", "node"), ("[BODYCLAUSES][-1]", "node")),
    "list": (
        ("[BODYCLAUSES]", "num"),
        ("sorted(BODYCLAUSES)", "num"),
        ("list(BODYCLAUSES)", "num"),
        ("sorted([BODYCLAUSES], reverse=True)", "num"),
    ),
    "set": (("{BODYCLAUSES}", "node"), ("set(BODYCLAUSES)", "node"), ("frozenset([BODYCLAUSES])", "node")),
}
FOLDS = {
    kind: tuple((form.replace("BODYCLAUSES", "BODY CLAUSES"), of) for form, of in forms)
    for kind, forms in FOLDS.items()
}
TARGETS = {
    "self.flag": "truth",
    "self.top": "num",
    "self.debt": "num",
    "self.option": "num",
    "self.any": "num",
    "self.numbers": "list",
    "self.seen": "set",
    "self.leader": "node",
    "self.level[NODE]": "num",
    "self.colors[self.mode]": "num",
    "self.held[NUM]": "num",
    "self.numbers[NUM]": "num",
    "self.numbers[-1]": "num",
    "self.log[0]": "node",
}
SIMPLE: dict[str, str] = {
    "+=": "self.top += NUM",
    "-=": "self.debt -= NUM",
    "*=": "self.debt *= NUM",
    "//=": "self.debt //= NUM",
    "%=": "self.debt %= NUM",
    "<<=": "self.debt <<= NUM",
    "+= of a list": "self.numbers += LIST",
    "*= of a list": "self.numbers *= 2",
    "|=": "self.seen |= SET",
    "&=": "self.seen &= SET",
    "-= of a set": "self.seen -= SET",
    "^=": "self.seen ^= SET",
    "+= at a key": "self.level[NODE] += NUM",
    "+= at an index": "self.numbers[NUM] += NUM",
    "+= at an absent key": "self.held[NUM] += NUM",
    "+= of a local": "y = NUM\ny += NUM\nself.debt = y",
    "+= of a parameter": "x += 1\nself.top = x",
    "+= of a local list": "xs = LIST\nxs += LIST\nself.top = len(xs)",
    "+= of a shared list": "xs = self.numbers\nxs += [NUM]",
    "+= of a copy": "xs = list(self.numbers)\nxs += [NUM]\nself.top = len(xs)",
    "|= of a shared set": "ys = self.seen\nys |= SET",
    "|= of a copy": "ys = set(self.seen)\nys |= SET\nself.top = len(ys)",
    "a shared list that changes": "xs = self.numbers\nself.numbers.append(NUM)\nself.top = len(xs)",
    "a shared list that is replaced": "xs = self.numbers\nself.numbers = [NUM]\nself.top = len(xs)",
    "a shared map that changes": "m = self.level\nself.level[NODE] = NUM\nself.top = m[NODE]",
    "a set that is taken": "ys = self.owed[NODE]\nself.owed[NODE].add(NUM)\nself.top = len(ys)",
    "two names": "xs = LIST\nys = xs\nys += [1]\nself.top = len(xs)",
    "two places": "self.owed[p] = self.marks\nself.marks.add(NUM)",
    "a chain of targets": "self.top = self.debt = NUM",
    "a swap": "self.top, self.debt = self.debt, self.top",
    "a pair": "y, k = NUM, NUM\nself.debt = y - k",
    "a pair of one name": "y, y = NUM, NUM\nself.debt = y",
    "a nested pair": "y, (k, n) = NUM, (NUM, BOOL)\nself.flag = n",
    "a pair of a list": "y, k = LIST\nself.debt = y",
    "a list of targets": "[y, k] = NUM, NUM\nself.debt = k",
    "a starred target": "y, *k = LIST\nself.debt = y",
    "an index that is set": "y, self.numbers[y] = NUM, NUM",
    "a key and its map": "self.top, self.colors[self.mode] = NUM, self.top",
    "append": "self.numbers.append(NUM)",
    "extend": "self.numbers.extend(LIST)",
    "extend by itself": "self.numbers.extend(self.numbers)",
    "insert": "self.numbers.insert(NUM, NUM)",
    "pop": "self.numbers.pop()",
    "pop at": "self.numbers.pop(0)",
    "pop at an index": "self.numbers.pop(NUM)",
    "a pop as a value": "y = self.numbers.pop(0)\nself.debt = y",
    "clear": "self.numbers.clear()",
    "sort": "self.numbers.sort()",
    "remove from a list": "self.numbers.remove(NUM)",
    "add": "self.marks.add(NUM)",
    "discard": "self.marks.discard(NUM)",
    "remove": "self.marks.remove(NUM)",
    "update": "self.marks.update(self.owed[NODE])",
    "update by a list": "self.marks.update(LIST)",
    "a set of a set": "self.lists[NUM].add(NUM)",
    "del": "del self.held[NUM]",
    "del of an index": "del self.numbers[0]",
    "del of a local": "y = NUM\ndel y\nself.debt = y",
    "pop of a key": "self.held.pop(NUM)",
    "pop of a key, None": "self.held.pop(NUM, None)",
    "a pop of a key as a value": "y = self.held.pop(NUM)\nself.debt = y",
    "setdefault": "self.held.setdefault(NUM, NUM)",
    "a display of a map": "self.held = {NUM: NUM, NUM: NUM}",
    "an update of a map": "self.held = {**self.held, NUM: NUM}",
    "an update of a total map": "self.level = {**self.level, NODE: NUM}",
    "a map of a set": "self.held = {k: NUM for k in self.marks}",
    "a map with conditions": "self.held = {k: NUM for k in Level if BOOL}",
    "a record": "self.note = Note(NODE, NUM)",
    "a record by keyword": "self.note = Note(level=NUM, source=NODE)",
    "a record by default": "self.note = Note(NODE)",
    "replace": "self.note = replace(self.note, level=NUM)",
    "a field that is set": "self.note.level = NUM",
    "a tuple": "self.pair = (NUM, BOOL)",
    "a tuple's part that is set": "self.pair[0] = NUM",
    "require": "require(BOOL)",
    "assert": "assert BOOL",
    "assert with a text": "assert BOOL, 'text'",
    "assert with a value": "assert BOOL, NUM",
    "a return": "if BOOL:\n    return",
    "a return of None": "if BOOL:\n    return None",
    "a return of a value": "return NUM",
    "an annotated local": "y: Level = NUM\nself.debt = y",
    "an annotated option": "y: Level | None = NUM\nself.option = y",
    "an annotation alone": "y: int\nself.top = NUM",
    "a wrong annotation": "y: Color = NUM\nself.debt = y",
    "an expression": "NUM + 1",
    "a call that does nothing": "better(NUM)",
    "a method that does nothing": "self.half(NUM)",
    "a doc": "'text'",
    "dots": "...",
    ":=": "(y := NUM)\nself.debt = y",
    "a lambda": "f = lambda v: v\nself.debt = f(NUM)",
    "a def": "def f(v: int) -> int:\n    return v\nself.debt = f(NUM)",
    "global": "global LIMIT\nLIMIT = 2",
    "import": "import math\nself.top = NUM",
    "raise": "raise ValueError",
    "with": "with self.flag:\n    pass",
    "a while": "while BOOL:\n    break",
    "an option that is narrowed": "if self.option is not None:\n    self.top = self.option",
    "an option that is not": "self.top = self.option",
    "a union that is narrowed": "if isinstance(self.any, int):\n    self.top = self.any",
    "a union that is narrowed out": "if self.any is None or isinstance(self.any, Color):\n    return\nself.top = self.any",
    "a union that changes": "if self.option is not None:\n    self.option = None if BOOL else 1\n    self.top = self.option",
}
COMPOUND: dict[str, tuple[str, str]] = {
    "an if": ("if BOOL:", ""),
    "an if with an else": ("if BOOL:", ""),
    "a for": ("for TARGET in LIST:", "num"),
    "a for of a copy": ("for TARGET in list(self.numbers):", "num"),
    "a for of a range": ("for TARGET in range(NUM):", "num"),
    "a for of a sort": ("for TARGET in Node:", "node"),
    "a for of numbers": ("for TARGET in Level:", "num"),
    "a for of a set": ("for TARGET in self.marks:", "num"),
    "a for of a tuple": ("for TARGET in (NUM, NUM):", "num"),
    "a for of a map": ("for TARGET in self.held:", "num"),
    "a for of values": ("for TARGET in self.colors.values():", "num"),
    "a for of items": ("for k, TARGET in self.held.items():", "num"),
    "a for of enumerate": ("for k, TARGET in enumerate(LIST):", "num"),
    "a for of enumerate from 1": ("for k, TARGET in enumerate(LIST, 1):", "num"),
    "a for of zip": ("for k, TARGET in zip(LIST, self.numbers):", "num"),
    "a for of reversed": ("for TARGET in reversed(LIST):", "num"),
    "a for of one name twice": ("for TARGET, TARGET in enumerate(LIST):", "num"),
    "a for with an else": ("for TARGET in LIST:", "num"),
    "a for into a place": ("for self.top in LIST:", ""),
    "a try": ("try:", ""),
}
MATCHES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("NUM", ("0", "1 | 2", "y", "_", "Level()", "int(y)", "None")),
    ("self.note", ("Note(source=y)", "Ack()", "None", "Note(level=1)", "y", "Note(y, k)")),
    ("self.mode", ("Color.RED", "Color.GREEN", "y")),
    ("LIST", ("[]", "[y]", "[y, *k]", "y")),
    ("(NUM, BOOL)", ("(0, y)", "(y, True)", "_")),
)
DEAD = (
    "yield",
    "import math as x",
    "global LIMIT",
    "def p() -> None: ...",
    "LIMIT = 1",
    "len = 1",
    "del x",
    "[(y := 1) for n in Node]",
    "self.top = 1",
    "for LIMIT in Node: pass",
    "with self.flag as LIMIT: pass",
    "lambda: (yield)",
    "raise ValueError",
    "import os.path",
)


# What is held


@dataclass(frozen=True)
class Ended:
    """How a call ends: with a value, cut by a bound, or with an error at a line."""

    value: str = ""
    bound: str = ""
    error: bool = False
    location: Location | None = None

    def __eq__(self, other: object) -> bool:
        assert isinstance(other, Ended)
        if (self.value, self.bound, self.error) != (other.value, other.bound, other.error):
            return False
        return None in (self.location, other.location) or self.line == other.line

    __hash__ = None  # type: ignore[assignment]

    @property
    def line(self) -> int:
        """The line of an error."""
        return 0 if self.location is None else self.location.line


def ended(run: Callable[..., Any], *arguments: Any) -> tuple[Ended, Any]:
    """How a call ends, and its value."""
    try:
        value = run(*arguments)
    except Cut as cut:
        return Ended(bound=cut.bound), None
    except SpecError as error:
        return Ended(error=True, location=error.location), None
    value = getattr(value, "state", value)
    return Ended(value=repr(value)), value


class Differs(AssertionError):
    """The model and CPython end in two ways."""


def compare(system: System, model: Model, limit: int = STATES) -> tuple[int, int]:
    """Compare both runs of the first states; how many transitions were compared, and how many of them ended with an error or a cut."""
    interpreter, compared, failed = Interpreter(model), 0, 0

    def same(what: str, wanted: tuple[Ended, Any], found: tuple[Ended, Any], state: State) -> Any:
        nonlocal compared, failed
        compared += 1
        failed += wanted[0].error or bool(wanted[0].bound)
        if wanted[0] != found[0] or (wanted[1] is not None and wanted[1] != found[1]):
            raise Differs(f"{what} in {state}:\n  CPython {wanted[0]}\n  model   {found[0]}")
        return wanted[1]

    def same_properties(state: State, old: State | None) -> None:
        for prop in model.properties:
            for arguments in (
                system.choices(prop.method.parameters) if (prop.kind == "step") == (old is not None) else ()
            ):
                wanted = ended(system.evaluate, prop.method, state, arguments, old)
                found = ended(interpreter.evaluate, prop, state, arguments, old)
                same(f"{prop.name}{arguments}", wanted, found, state)

    if model.init is not None:
        zero = system.zero(before_init=True)
        for arguments in system.choices(model.init.method.parameters):
            wanted = ended(system.fire, zero, model.init.method, arguments)
            same(f"{model.init.name}{arguments}", wanted, ended(interpreter.fire, zero, model.init, arguments), zero)
    frontier: list[State] = [state for _, state in system.initial()]
    seen = set(frontier)
    for state in frontier:
        same_properties(state, None)
        for action in model.actions:
            for arguments in interpreter.choices(state, action):
                wanted = ended(system.fire, state, action.method, arguments)
                after = same(
                    f"{action.name}{arguments}", wanted, ended(interpreter.fire, state, action, arguments), state
                )
                if after is not None:
                    same_properties(after, state)
                if after is not None and after not in seen and len(seen) < limit:
                    seen.add(after)
                    frontier.append(after)
    return compared, failed


@dataclass
class Judged:
    """What became of one: "accepted", "refused", "no Python" (CPython itself does not take it), or "wrong"."""

    what: str
    why: str = ""
    parts: set[str] = field(default_factory=set)
    compared: int = 0
    failed: int = 0


def judged(drawn: Drawn, limit: int = STATES) -> Judged:
    """Hold one specification to CPython."""
    result = partial(Judged, parts=drawn.parts)
    with warnings.catch_warnings(action="ignore"):
        try:
            spec = load(drawn.text)
        except SpecError as error:
            return result("refused", error.message)
        except Exception as error:
            return result("no Python", f"{type(error).__name__}: {error}")
        try:
            system = System(spec)
            model = build(system)
        except SpecError as error:
            try:
                vouch(System(spec))
            except SpecError:
                pass
            except Exception:
                return result("wrong", f"vouch: {traceback.format_exc(limit=-3)}")
            return result("refused" if error.location is not None else "refused nowhere", error.message)
        except Exception:
            return result("wrong", f"internal: {traceback.format_exc(limit=-3)}")
        try:
            verify(model)
            with system:
                compared, failed = compare(system, model, limit)
        except SpecError as error:  # Of the initial states, in CPython.
            return result("refused", error.message)
        except Exception as error:
            text = str(error) if isinstance(error, Differs) else traceback.format_exc(limit=-3)
            return result("wrong", f"{type(error).__name__}: {text}")
    return result("accepted", compared=compared, failed=failed)


def write(seed: int) -> Drawn:
    """The specification of a seed."""
    return _Writer(seed).drawn()


def main() -> None:
    """Judge so many specifications, and say which parts were ever accepted."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--show", action="store_true")
    given = parser.parse_args()
    if given.show:
        drawn = write(given.seed)
        print(drawn.text, judged(drawn), sep="\n")
        return
    tally, accepted, drawn_parts = Counter[str](), Counter[str](), Counter[str]()
    compared = failed = 0
    for seed in range(given.seed, given.seed + given.count):
        found = judged(write(seed))
        tally[found.what] += 1
        drawn_parts.update(found.parts)
        compared, failed = compared + found.compared, failed + found.failed
        if found.what == "accepted":
            accepted.update(found.parts)
        elif found.what in ("wrong", "refused nowhere", "no Python"):
            print(f"seed {seed}: {found.what}: {found.why}", flush=True)
    print(dict(tally), f"{compared} compared, {failed} of them ended early")
    print(f"{len(accepted)} of {len(drawn_parts)} parts were accepted; never:")
    print("; ".join(sorted(part for part in drawn_parts if not accepted[part])))


if __name__ == "__main__":
    main()
