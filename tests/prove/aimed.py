"""Specifications written to catch the encoding at fixed bounds: each action body and each property, held against CPython."""

from __future__ import annotations

HEADER = '''
from enum import Enum
from typing import Annotated

from quorate import (
    Bag, Channels, Nat, Network, Ordered, Scalarset, Spec, action, init, is_majority, is_quorum, record, require, the, up_to,
)


class P(Scalarset, size=2):
    """P."""


class R(Ordered, size=2):
    """R."""


class T(Nat, max=2):
    """T."""


class Color(Enum):
    RED = 1
    BLUE = 2


@record
class M:
    to: P
    n: T


@record
class C:
    source: P
    target: P
    n: T


@record
class A:
    n: T


@record
class B:
    p: P


def fact(x: T) -> int:
    return 1 if x == 0 else 2 * x


'''

VARIABLES = {
    "n": "T",
    "b": "bool",
    "c": "Color",
    "s": "Annotated[set[T], up_to(2)]",
    "l": "Annotated[list[T], up_to(2)]",
    "m": "dict[P, T]",
    "ms": "dict[P, set[P]]",
    "t": "tuple[T, bool]",
    "u": "A | B",
    "o": "P | None",
    "q": "set[P]",
    "bag": "Bag[M] = Bag(capacity=2)",
    "ch": "Channels[C] = Channels(capacity=2)",
    "net": "Network[M] = Network(capacity=2)",
    "lossy": "Network[M] = Network(lossy=True, capacity=1)",
    "ll": "Annotated[list[Annotated[list[T], up_to(1)]], up_to(2)]",
    "so": "set[P | None]",
    "lr": "Annotated[list[M], up_to(2)]",
    "mt": "dict[P, tuple[T, R]]",
    "mo": "dict[P, A | None]",
    "r": "R",
    "sp": "Annotated[set[tuple[P, T]], up_to(2)]",
}

ACTIONS = [
    ("n", "x: T", "self.n = x + 1"),
    ("n", "x: T", "self.n -= x"),
    ("n", "x: T", "self.n = x // self.n"),
    ("n", "x: T", "self.n = x % (self.n - 1)"),
    ("n", "x: T", "self.n = abs(self.n - x)"),
    ("n", "x: T", "self.n = max(x, self.n) - min(x, 1)"),
    ("n b", "x: T", ("require(x > 0 or self.b)\nself.n = x - 1\nself.b = not self.b")),
    ("n", "x: T", ("assert x != 1 or self.n > 0\nself.n = x")),
    ("n", "x: T", ("require(x != 1)\nassert x != 1\nself.n = x")),
    ("s", "x: T", "self.s.add(x)"),
    ("s", "x: T", "self.s.remove(x)"),
    ("s", "x: T", ("self.s.discard(x)\nself.s.add(T(0))")),
    ("s", "x: T", ("self.s.add(x)\nself.s.discard(x)")),
    ("s", "x: T", "self.s = {x, T(1)}"),
    ("s", "x: T", "self.s = self.s | {x}"),
    ("s", "x: T", "self.s = {y for y in T if y >= x}"),
    ("s", "x: T", ("self.s = self.s - {x}\nself.s.add(T(2))")),
    ("s n", "", "self.n = len(self.s)"),
    ("s n", "x: T", ("self.s.add(x)\nself.n = sum(y for y in self.s)")),
    ("s n", "x: T", ("self.n = max(self.s)\nself.s.add(x)")),
    ("s n", "x: T", ("self.n = max(self.s, default=0)\nself.s.add(x)")),
    ("s n", "x: T", ("self.n = min(y for y in self.s if y > x)\nself.s.add(x)")),
    ("s n", "x: T", ("self.n = the(y for y in self.s if y >= x)\nself.s.add(x)")),
    ("l", "x: T", "self.l.append(x)"),
    ("l", "x: T", ("self.l.append(x)\nself.l.append(x)")),
    ("l", "", "self.l.pop()"),
    ("l", "x: T", "self.l[x] = T(1)"),
    ("l n", "x: T", ("self.n = self.l[x]\nself.l.append(x)")),
    ("l n", "x: T", "self.n = self.l[-1]"),
    ("l n", "x: T", ("self.l.append(x)\nself.n = self.l[-1 - x]")),
    ("l", "x: T", "self.l = self.l[x:]"),
    ("l", "x: T", "self.l = [x] + self.l"),
    ("l", "x: T", "self.l = self.l[:x] + [x]"),
    ("l", "x: T", "self.l = [y for y in self.l if y != x] + [x]"),
    ("l", "x: T", "self.l = sorted([x] + self.l)[:2]"),
    ("l", "x: T", "self.l = sorted([x] + self.l[:1], reverse=True)"),
    ("l", "x: T", ("self.l.append(x)\nself.l[len(self.l) - 1] = T(x + 1)")),
    ("l n", "x: T", ("self.l.append(x)\nfor y in self.l:\n    self.n = self.n + y")),
    ("l n", "x: T", ("self.l.append(x)\nfor y in self.l:\n    if y == 1:\n        break\n    self.n = y")),
    (
        "l n",
        "x: T",
        ("self.l.append(x)\nfor y in self.l:\n    if y == 0:\n        continue\n    assert y != 2\n    self.n = y"),
    ),
    ("l n", "x: T", ("self.l.append(x)\nfor y in self.l:\n    require(y != 1)\n    assert y != 2")),
    ("l n", "x: T", ("self.l.append(x)\nfor y in self.l:\n    self.n = self.l[y]")),
    ("l n", "x: T", ("self.l.append(x)\nfor y in self.l:\n    if y == 1:\n        return\n    self.n = T(y)")),
    ("m", "p: P, x: T", "self.m[p] = x + self.m[p]"),
    ("m", "p: P", "self.m = {v: self.m[p] for v in P}"),
    ("m", "p: P, x: T", ("self.m[p] = x\nself.m = {v: T(self.m[v] + 1) if v != p else self.m[v] for v in P}")),
    ("m n", "p: P, x: T", ("self.m[p] = x\nself.n = sum(self.m[v] for v in P)")),
    ("m n", "p: P, x: T", ("self.m[p] = x\nself.n = max(self.m[v] for v in P)")),
    ("m n", "p: P, x: T", ("self.m[p] = x\nfor v in P:\n    self.m[v] = self.m[v] + 1")),
    ("m b", "p: P, x: T", ("self.m[p] = x\nself.b = all(self.m[v] == x for v in P)")),
    ("m b", "p: P, x: T", ("self.m[p] = x\nself.b = any(1 // self.m[v] == 1 for v in P)")),
    ("ms", "p: P, v: P", "self.ms[p].add(v)"),
    ("ms", "p: P, v: P", "self.ms[p].remove(v)"),
    ("ms", "p: P, v: P", "self.ms[p] = self.ms[v] | {p}"),
    ("ms b", "p: P, v: P", ("self.ms[p].add(v)\nself.b = is_majority(self.ms[v], P)")),
    ("ms b", "p: P, v: P", ("self.ms[p].add(v)\nself.b = self.ms[p] <= self.ms[v]")),
    ("ms b", "p: P, v: P", ("self.ms[p].add(v)\nself.b = self.ms[p] & self.ms[v] == set()")),
    ("q b", "p: P", ("self.q.add(p)\nself.b = is_quorum(self.q, 2, P)")),
    ("q b n", "p: P, x: T", ("self.q.add(p)\nself.n = x\nself.b = is_quorum(self.q, self.n, P)")),
    ("t", "x: T", "self.t = (x, not self.t[1])"),
    ("t n", "x: T", ("self.t = (x, x == 1)\nself.n = self.t[0] + self.n")),
    ("u", "x: T", "self.u = A(x)"),
    ("u", "p: P", "self.u = B(p)"),
    ("o", "p: P", "self.o = p if self.o is None else None"),
    ("o q", "p: P", ("if self.o is not None:\n    self.q.add(self.o)\nself.o = p")),
    ("o b", "p: P", ("self.b = self.o == p\nself.o = p")),
    (
        "o m",
        "p: P, x: T",
        ("assert self.o is not None or x != 1\nif self.o is not None:\n    self.m[self.o] = x\nself.o = p"),
    ),
    ("bag", "p: P, x: T", "self.bag.send(M(p, x))"),
    ("bag", "m: M", ("require(m in self.bag)\nself.bag.receive(m)")),
    ("bag", "p: P, x: T", ("self.bag.send(M(p, x))\nself.bag.send(M(p, x))")),
    ("bag", "p: P, x: T", ("self.bag.send(M(p, x))\nself.bag.receive(M(p, T(0)))")),
    ("bag n", "p: P, x: T", ("self.n = len(self.bag)\nself.bag.send(M(p, x))")),
    ("bag n", "p: P, x: T", ("self.bag.send(M(p, x))\nself.n = sum(m.n for m in self.bag)")),
    ("bag", "p: P, x: T", ("self.bag.send(M(p, x))\nfor m in self.bag:\n    assert m.n != 2")),
    ("bag b", "p: P, x: T", ("self.b = any(m.to == p for m in self.bag)\nself.bag.send(M(p, x))")),
    ("ch", "p: P, v: P, x: T", "self.ch.send(C(p, v, x))"),
    ("ch", "m: C", ("require(m in self.ch)\nself.ch.receive(m)")),
    ("ch", "p: P, x: T", ("self.ch.send(C(p, p, x))\nself.ch.receive(C(p, p, T(0)))")),
    ("ch n", "p: P, x: T", ("self.ch.send(C(p, p, x))\nself.n = len(self.ch)")),
    ("ch b", "p: P, x: T", ("self.ch.send(C(p, p, x))\nself.b = C(p, p, T(1)) in self.ch")),
    ("net", "p: P, x: T", "self.net.send(M(p, x))"),
    ("net", "m: M", ("require(m in self.net)\nself.net.receive(m)")),
    ("net n", "p: P, x: T", ("self.net.send(M(p, x))\nself.n = len(self.net)")),
    ("net", "p: P, x: T", ("self.net.send(M(p, x))\nfor m in {m for m in self.net if m.n < x}:\n    self.net.drop(m)")),
    ("net n", "p: P, x: T", ("self.net.send(M(p, x))\nself.n = max(m.n for m in self.net) + 1")),
    ("lossy n", "p: P, x: T", ("self.lossy.send(M(p, x))\nself.n = x")),
    ("ll", "x: T", "self.ll.append([x])"),
    ("ll", "x: T", ("self.ll.append([])\nself.ll[0].append(x)")),
    ("ll", "x: T", "self.ll[x].append(T(0))"),
    ("ll n", "x: T", ("self.ll.append([x])\nself.n = self.ll[-1][0] + self.ll[0][0]")),
    ("ll n", "x: T", ("self.ll.append([x])\nself.n = sum(y for z in self.ll for y in z)")),
    ("so", "p: P", ("self.so.add(p)\nself.so.add(None)")),
    ("so b", "p: P", ("self.b = None in self.so\nself.so.add(p if self.b else None)")),
    ("lr", "p: P, x: T", "self.lr.append(M(p, x))"),
    ("lr n", "p: P, x: T", ("self.lr.append(M(p, x))\nself.n = self.lr[x].n")),
    ("lr b", "p: P, x: T", ("self.b = M(p, x) in self.lr\nself.lr.append(M(p, x))")),
    ("mt", "p: P, x: T, y: R", "self.mt[p] = (x, y)"),
    ("mt b", "p: P, x: T, y: R", ("self.b = self.mt[p] < (x, y)\nself.mt[p] = max(self.mt[p], (x, y))")),
    ("mt n", "p: P, x: T, y: R", ("self.mt[p] = (x, y)\nself.n = max(self.mt[v] for v in P)[0] + 1")),
    ("mo", "p: P, x: T", "self.mo[p] = A(x) if self.mo[p] is None else None"),
    ("mo n", "p: P, x: T", ("found = self.mo[p]\nself.n = found.n if found is not None else x\nself.mo[p] = A(x)")),
    ("r b", "y: R", ("self.b = self.r < y\nself.r = y")),
    ("r n", "", ("self.n = sum(1 for y in R if y <= self.r)\nself.r = max(R)")),
    ("sp", "p: P, x: T", ("self.sp.add((p, x))\nself.sp.discard((p, T(0)))")),
    ("sp n", "p: P, x: T", ("self.sp.add((p, x))\nself.n = sum(y for v, y in self.sp if v == p)")),
    (
        "sp b",
        "p: P, x: T",
        ("self.sp.add((p, x))\nself.b = all(any(v == w and y != z for w, z in self.sp) for v, y in self.sp)"),
    ),
    ("n", "x: T", "self.n = fact(x) + self.n"),
    ("c n", "x: T", ("self.c = Color.BLUE if x == 1 else self.c\nself.n = x if self.c == Color.RED else T(0)")),
    ("n b", "x: T", ("self.b = 0 <= x - self.n < 2\nself.n = x")),
]
"""The variables, the parameters, and the body of an action."""


def source(variables: str, parameters: str, body: str) -> str:
    """A specification with one action."""
    names = variables.split()
    lines = [f"    {name}: {VARIABLES[name]}" for name in names]
    if "u" in names:
        lines += ["    @init", "    def start(self) -> None:", "        self.u = A(T(0))"]
    lines += [
        "    @action",
        f"    def act(self, {parameters}) -> None:" if parameters else "    def act(self) -> None:",
    ]
    lines += [f"        {line}" for line in body.splitlines()]
    return HEADER + "class Drawn(Spec):\n" + "\n".join(lines) + "\n"
