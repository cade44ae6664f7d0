"""Random merge functions, good and bad, as source text: what laws are proven of is compared with CPython on these."""

from __future__ import annotations

import linecache
import sys
import types
from itertools import count
from random import Random

from quorate.language.laws import Marked, marked_in

HEADER = """\
from enum import Enum
from quorate import *


class Node(Scalarset, size=2):
    pass


class Rank(Ordered, size=3):
    pass


class Level(Nat, max=4):
    pass


class Color(Enum):
    RED = 1
    GREEN = 2


@record
class Write:
    level: Level
    rank: Rank
    color: Color


@record
class Tagged:
    node: Node
    level: Level


Levels = dict[Node, Level]
Nodes = set[Node]
Tags = set[Tagged]
Owner = Node | None
Pair = tuple[Level, set[Node]]
"""

KINDS = ("Level", "Write", "Levels", "Nodes", "Tags", "Owner", "Pair")
_numbers = count()


def write(seed: int) -> str:
    """The source of a module with one function `join`, marked with @merge."""
    random = Random(seed)
    kind = random.choice(KINDS)
    return (
        f"{HEADER}\n\n@merge\ndef join(a: {kind}, b: {kind}) -> {kind}:\n    return {_join(random, kind, 'a', 'b')}\n"
    )


def load(source: str) -> Marked:
    """The function of a drawn source."""
    name = f"drawn_merge_{next(_numbers)}"
    file = f"<{name}>"
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    module = types.ModuleType(name)
    module.__file__ = file
    sys.modules[name] = module
    exec(compile(source, file, "exec", dont_inherit=True), module.__dict__)
    return marked_in(module)["join"]


def _join(random: Random, kind: str, a: str, b: str) -> str:
    if random.random() < 0.1:
        return random.choice([a, b])
    return {
        "Level": _level,
        "Write": _write,
        "Levels": _levels,
        "Nodes": _nodes,
        "Tags": _tags,
        "Owner": _owner,
        "Pair": _pair,
    }[kind](random, a, b)


def _level(random: Random, a: str, b: str, depth: int = 2) -> str:
    if depth == 0:
        return random.choice([a, b])
    one, two = (_level(random, a, b, depth - 1) for _ in range(2))
    return random.choice(
        [
            f"max({a}, {b})",
            f"min({a}, {b})",
            f"max({one}, {two})",
            f"({a} + {b})",
            f"max({one}, {two} + 1)",
            f"({one} if {a} {random.choice(['<', '<=', '!=', '>='])} {b} else {two})",
            f"({one} if {a} > {random.choice([0, 1, 2])} else {two})",
        ]
    )


def _write(random: Random, a: str, b: str) -> str:
    if random.random() < 0.3:
        color = f"({a}.color if {a}.level >= {b}.level else {b}.color)"
        return f"Write({_level(random, f'{a}.level', f'{b}.level', 1)}, max({a}.rank, {b}.rank), {color})"
    keys = random.sample(["level", "rank"], random.choice([1, 2, 2]))
    left, right = ("(" + ", ".join(f"{name}.{key}" for key in keys) + ",)" for name in (a, b))
    condition = f"{left} {random.choice(['>', '>=', '<'])} {right}"
    if random.random() < 0.5:
        condition += f" or ({left} == {right} and {a}.color == Color.RED)"
    return f"{a} if {condition} else {b}"


def _levels(random: Random, a: str, b: str) -> str:
    inner = f"{{n: {_level(random, f'{a}[n]', f'{b}[n]', random.choice([1, 1, 2]))} for n in Node}}"
    if random.random() < 0.3:
        return f"{a} if all({a}[n] >= {b}[n] for n in Node) else {inner}"
    return inner


def _nodes(random: Random, a: str, b: str) -> str:
    other = random.choice([f"{a} & {b}", f"{a} - {b}", f"{{n for n in {a} if n not in {b}}}", a])
    return random.choice([f"{a} | {b}", f"{a} & {b}", f"{a} - {b}", f"({a} | {b}) if {a} <= {b} else ({other})"])


def _tags(random: Random, a: str, b: str) -> str:
    newest = f"{{x for x in {a} | {b} if all(y.node != x.node or y.level <= x.level for y in {a} | {b})}}"
    mine = f"{{x for x in {a} if x in {b} or x.level > {random.choice([0, 1])}}}"
    return random.choice([newest, f"{a} | {b}", f"{mine} | {b}", f"{mine} & {b}"])


def _owner(random: Random, a: str, b: str) -> str:
    return random.choice(
        [f"{a} if {a} is not None else {b}", f"{a} if {a} == {b} else None", f"{b} if {a} is None else {a}"]
    )


def _pair(random: Random, a: str, b: str) -> str:
    members = random.choice(
        [f"{a}[1] | {b}[1]", f"({a}[1] if {a}[0] >= {b}[0] else {b}[1])", f"({a}[1] if {a}[0] > {b}[0] else {b}[1])"]
    )
    return f"({_level(random, f'{a}[0]', f'{b}[0]', 1)}, {members})"
