"""Small specs aimed at limits: of numbers, of what is packed into words, of how many there are of something, and of names in C.

`SPECS` has the source of each under a name that says what it is aimed at. `BEYOND` are those whose numbers leave 64 bits, `REFUSED` those
that the native engine says it does not cover. All others have the reference engine's counts, verdict and counterexample.

    python -m tests.native.limits

prints what each does.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

GROWS = "\n\n    @action\n    def go(self) -> None:\n        self.at += 1\n\n"
CLAIM = "    @invariant\n    def claim(self) -> bool:\n        return self.at != 3\n"
HEAD = """\
from enum import Enum
from typing import Annotated, Self
from quorate import *


class Small(Nat, max=3):
    pass


class Large(Nat, max=65535):
    pass


def scaled(x: int, by: int) -> int:
    return x * by


def both(x: int) -> tuple[int, int]:
    return x, -x


def perhaps(x: int) -> int | None:
    if x % 2 == 0:
        return None
    return x
"""

NUMBERS = """

class Drawn(Spec):
    out: Small
    large: Large = Large(65535)

    @action
    def go(self, n: Small) -> None:
{body}
        self.out = Small(1 if {test} else 2)

    @invariant
    def claim(self) -> bool:
        return self.out != 2
"""


def _numbers(test: str, *body: str) -> str:
    lines = "\n".join("        " + line for line in body or ("pass",))
    return HEAD + NUMBERS.format(body=lines, test=test)


def _arithmetic() -> Iterator[tuple[str, str]]:
    for bits in (8, 16, 31, 32, 33, 48, 62, 63, 64, 65):
        edge = 1 << bits
        yield f"sum at 2^{bits}", _numbers(f"x == {edge + 1}", f"x = {edge - 1} + n")
        yield f"difference at -2^{bits}", _numbers(f"x >= {-edge}", f"x = {-edge + 1} - n")
        yield f"product at 2^{bits}", _numbers(f"x < {edge}", f"x = {edge // 2} * n")
        yield f"tuple at 2^{bits}", _numbers(f"t[0] == {edge}", f"t = ({edge - 1} + n, n)")
        yield f"optional at 2^{bits}", _numbers("x is None or x > 65536", f"x = n * {edge // 2} if n > 1 else None")
        yield f"list at 2^{bits}", _numbers(f"max(xs) == {edge + 2}", f"xs = [{edge - 1} + n, n, -n]")
        yield f"order of tuples at 2^{bits}", _numbers(f"({edge} - n, n) < ({edge - 2}, 7)")
    for name, test, *body in (
        ("small literals that make a large sum", "x == 2147483648", "x = 2147483647 + 1"),
        ("small literals that make a large product", "46341 * 46341 == 2147488281 and n < 2"),
        ("a sum over a sort", "sum(4611686018427387904 for m in Small) == 18446744073709551616"),
        ("a sum that stays inside", "sum(2305843009213693951 for m in Small) == 9223372036854775804 and n < 3"),
        ("a sum over a range", "sum(i * 65536 for i in range(65536)) == 140735340871680 and n == 0"),
        ("a sum with both signs", "sum(x for x in [9223372036854775807, -9223372036854775807, n]) == n and n < 2"),
        ("a range at 2^31", "sum(1 for i in range(2147483646, 2147483649 + n)) == 3"),
        ("a range at 2^63", "sum(1 for i in range(9223372036854775805, 9223372036854775807)) == 2 and n < 2"),
        ("a range below zero", "sum(i for i in range(-3 - n, 0)) == -6"),
        ("the least number divided by -1", "x // -1 == 9223372036854775808", "x = -9223372036854775807 - n"),
        ("the least number's remainder by -1", "x % -1 == 0 and n != 1", "x = -9223372036854775807 - n"),
        ("quotients below zero", "(-7 - n) // 2 == -4 and (7 + n) // -2 == -4"),
        ("remainders below zero", "(-7 - n) % 4 == 1 and (7 + n) % -4 == -1"),
        ("a large divisor", "(n - 1) // 9223372036854775807 == -1"),
        ("a remainder by a large divisor", "(n - 1) % 9223372036854775807 > 2"),
        ("the magnitude of the least number", "abs(-9223372036854775807 - n) == 9223372036854775808"),
        ("minus the least number", "-(-9223372036854775807 - n) > 0"),
        ("minus a large number", "-(9223372036854775806 + n) < 0 and n < 2"),
        ("squares in a loop", "x == 65536", "x = 2", "for i in range(4):", "    x = x * x"),
        ("squares that leave", "x == 1", "x = 2", "for i in range(6):", "    x = x * x", "x = x // x"),
        (
            "powers up and down",
            "x == 1",
            "x = 1",
            "for i in range(64):",
            "    x = x * 2",
            "for i in range(64):",
            "    x //= 2",
        ),
        ("a counter in a loop", "x == 100 + n", "x = n", "for i in range(100):", "    x += 1"),
        ("a falling counter", "x == n - 100", "x = n", "for i in range(100):", "    x -= 1"),
        ("an accumulated tuple", "t[0] == 4294967296", "t = (1, 0)", "for i in range(32):", "    t = (t[0] * 2, i)"),
        ("an accumulated optional", "x is None", "x = perhaps(4294967295 + n)"),
        ("a function of large numbers", "scaled(65536, 65536 + n) == 4294967296"),
        ("a function that leaves", "scaled(4294967296, 4294967296 + n) > 0"),
        ("a function's tuple", "both(2147483647 + n)[1] == -2147483648"),
        ("a variable's greatest", "self.large * self.large == 4294836225 and n < 2"),
        ("a variable's cube", "self.large * self.large * self.large == 281462092005375 and n < 2"),
        ("a variable's fourth power", "self.large * self.large * self.large * self.large == 18445618199572250625"),
        ("nested tuples", "((2147483648 + n, (4294967296 - n, 1)), n)[0][1][0] == 4294967295"),
        ("a list of tuples of large numbers", "len([(n, 4294967296 * n, -n)] + [(1, 2, 3)]) == 2"),
        ("membership among large numbers", "n + 4294967296 in [4294967296, 4294967297]"),
        ("membership of a large number in a small list", "n * 4294967297 in [0, 1, 2]"),
        ("sorted large numbers", "sorted([n * 4294967296, -n, 65536])[-1] <= 65536"),
        ("sorted tuples of large numbers", "sorted([(n * 65537, -n), (65537, -1), (0, 5)])[0] == (0, 5)"),
        ("the least of tuples", "min((n * 2147483648, 1), (4294967295, 0))[1] == 1"),
        ("an extreme with a default", "max((i * 4294967296 for i in range(n)), default=-1) == 4294967296"),
        ("the one large number", "the((x for x in [n * 4294967296]), 0) == 4294967296"),
        ("a choice of widths", "(n if n > 1 else n * 4294967296) <= 4294967295"),
        ("a condition on mixed widths", "n < 4294967296 * n and -4294967296 * n < n"),
        ("a large number cut", "self.out == 0", "self.large = Large(n * 32768)"),
        ("a large number cut far beyond", "self.out == 0", "self.large = Large(n * 4294967296)"),
        ("a number below zero", "self.out == 0", "self.large = Large(2 - n)"),
        ("a constant beyond 64 bits", "n < 18446744073709551616 * 1"),
        ("a constant beyond 64 bits that is not reached", "n == 3 or n + 1 < 10 or n < 18446744073709551616"),
        ("an index", "[1, 2, 3][n - 3] > 0"),
        ("an index beyond 32 bits", "[1, 2, 3][n * 4294967296] == 1"),
        ("a slice beyond 32 bits", "len([1, 2, 3][: n * 4294967296]) == 3"),
        ("a slice from far below", "len([1, 2, 3][-4294967296 * n - 1:]) == 3"),
        ("a map of large numbers", "{k: n * 4294967296 for k in Small}[Small(1)] <= 4294967296"),
        ("a set of numbers", "{n, n + 1, 3 - n} == {n, n + 1, 3 - n} and len({n, n + 1}) == 2"),
        ("a set of negative numbers", "min({-n, n - 700}) == -700"),
    ):
        yield name, _numbers(test, *body)


def _class(variables: str, action: str, claim: str, before: str = "", parameters: str = "") -> str:
    """A spec with one action."""
    body = "\n".join(f"        {line}" for line in action.split("\n"))
    return (
        f"{HEAD}{before}\n\nclass Drawn(Spec):\n{variables}\n\n    @action\n    def go(self{parameters}) -> None:\n{body}\n\n"
        f"    @invariant\n    def claim(self) -> bool:\n        return {claim}\n"
    )


def _packing() -> Iterator[tuple[str, str]]:
    for count in (63, 64, 65, 66, 130):
        flags = "\n".join(f"    f{i}: bool" for i in range(count))
        yield f"{count} bits of state", _class(flags, f"self.f{count - 1} = not self.f{count - 1}", "not self.f0")
    for size in (2, 63, 64, 65, 128):
        sort = f"\n\nclass Many(Nat, max={size - 1}):\n    pass\n"
        add = "require(len(self.seen) < 1)\nself.seen.add(m)"
        yield (
            f"a set over {size}",
            _class(
                "    seen: set[Many]",
                add,
                f"Many({size - 1}) not in self.seen",
                sort,
                ", m: Many",
            ),
        )
        yield (
            f"a map of {size} keys",
            _class(
                "    at: dict[Many, Small]",
                "require(self.at[m] < 1)\nrequire(sum(self.at.values()) < 1)\nself.at[m] += 1",
                f"self.at[Many({size - 1})] == 0",
                sort,
                ", m: Many",
            ),
        )
    for size in (64, 65, 256, 300):
        members = "\n".join(f"    M{i} = {i}" for i in range(size))
        sort = f"\n\nclass Kind(Enum):\n{members}\n"
        yield (
            f"an enum of {size}",
            _class("    kind: Kind", "self.kind = k", f"self.kind != Kind.M{size - 1}", sort, ", k: Kind"),
        )
    for size in (31, 32, 64, 65, 255, 300):
        yield (
            f"a list of up to {size}",
            _class(
                f"    bounds = {{'log': {size}}}\n    log: list[bool]",
                "self.log.append(len(self.log) % 3 == 0)",
                f"len(self.log) < {size}",
            ),
        )
    for size in (63, 64):
        sort = f"\n\nclass Node(Scalarset, size={size}):\n    pass\n"
        add = "require(len(self.seen) < 1)\nself.seen.add(m)"
        yield f"a scalarset of {size}", _class("    seen: set[Node]", add, "len(self.seen) < 2", sort, ", m: Node")
    for count in (64, 65, 257, 300):
        actions = "\n".join(
            f"    @action\n    def act{i}(self) -> None:\n        require(self.at == {i % 4})\n        self.at = Small({(i + 1) % 4})\n"
            for i in range(count)
        )
        yield (
            f"{count} actions",
            f"{HEAD}\n\nclass Drawn(Spec):\n    at: Small\n\n{actions}\n{CLAIM}",
        )
    for count in (65, 257):
        claims = "\n".join(
            f"    @invariant\n    def claim{i}(self) -> bool:\n        return self.at != 3 or {i} != {count - 1}\n"
            for i in range(count)
        )
        yield (
            f"{count} invariants",
            f"{HEAD}\n\nclass Drawn(Spec):\n    at: Small{GROWS}{claims}",
        )
        steps = claims.replace("@invariant", "@step").replace("(self)", "(self, old: Self)")
        yield (
            f"{count} steps",
            f"{HEAD}\n\nclass Drawn(Spec):\n    at: Small{GROWS}{steps}",
        )
        lists = "\n".join(f"    log{i}: list[bool]" for i in range(count))
        bounds = ", ".join(f"'log{i}': 1" for i in range(count))
        body = "\n".join(f"if n == {i % 3}:\n    self.log{i}.append(True)" for i in range(count))
        yield f"{count} bounds", _class(f"    bounds = {{{bounds}}}\n{lists}", body, "True", "", ", n: Small")
    for count in (62, 63, 64, 65):
        reached = "\n".join(
            f"    @reachable\n    def met{i}(self) -> bool:\n        return self.at == {i % 4}\n" for i in range(count)
        )
        yield (
            f"{count} reachable",
            f"{HEAD}\n\nclass Drawn(Spec):\n    at: Small{GROWS}{reached}",
        )
    wide = "\n\n@record\nclass Wide:\n    a: Large\n    b: Large\n    c: Large\n    d: Large\n    e: Small\n"
    change = "self.r = Wide(Large(65535), Large(n), Large(65534), Large(1), n)"
    yield "a record of 66 bits", _class("    r: Wide", change, "self.r.e != 3 or self.r.a != 65535", wide, ", n: Small")
    yield (
        "an optional record of 66 bits",
        _class("    r: Wide | None", change, "self.r is None or self.r.b != 2", wide, ", n: Small"),
    )
    yield (
        "a list of records of 66 bits",
        _class(
            "    bounds = {'r': 2}\n    r: list[Wide]",
            change.replace("self.r = ", "self.r.append(") + ")",
            "len(self.r) < 2",
            wide,
            ", n: Small",
        ),
    )
    yield (
        "a map of records of 66 bits",
        _class(
            "    r: dict[Small, Wide]",
            change.replace("self.r", "self.r[n]"),
            "self.r[Small(2)].e != 2",
            wide,
            ", n: Small",
        ),
    )
    yield (
        "a network of messages of 64 bits",
        _class(
            "    net: Network[tuple[Large, Large, Large, Large]] = Network(capacity=2)",
            "self.net.send((Large(65535), Large(65535), Large(65535), Large(65532 + n)))",
            "len(self.net) < 2",
            "",
            ", n: Small",
        ),
    )
    yield (
        "a bag of messages of 64 bits",
        _class(
            "    net: Bag[tuple[Large, Large, Large, Large]] = Bag(capacity=2)",
            "self.net.send((Large(65535), Large(65535), Large(65535), Large(65532 + n)))",
            "len(self.net) < 2",
            "",
            ", n: Small",
        ),
    )
    yield (
        "a constant of 66 bits",
        _class(
            "    r: tuple[Large, Large, Large, Large, Small]",
            "self.r = LONG if n == 2 else (self.r[4] * 2, self.r[0], Large(3), Large(2), n)",
            "self.r != LONG",
            "\n\nLONG = (65535, 1, 65534, 65535, 3)\n",
            ", n: Small",
        ),
    )
    yield from _sets()
    yield (
        "a set of tuples of 32 bits",
        _class(
            "    bounds = {'seen': 2}\n    seen: set[tuple[Large, Large]]",
            "self.seen.add((Large(65535), Large(65532 + n)))",
            "len(self.seen) < 2",
            "",
            ", n: Small",
        ),
    )


ALGEBRA = """\
require(len(self.a) < {size} or n == 3)
self.a = ({{m for m in self.b if m % 2 == 1}} | {{Many({last}), Many({last} // 2)}}) & (self.a | {{Many({last})}})
self.b = (set(Many) - self.a) if n == 3 else self.b | {{Many({last} - n)}}
if n == 2 and self.a <= self.b:
    self.a = set(Many)"""


def _sets() -> Iterator[tuple[str, str]]:
    """Operations on sets of more than a word."""
    for size in (62, 63, 64, 65, 127, 128, 129):
        sort = f"\n\nclass Many(Nat, max={size - 1}):\n    pass\n"
        body, claim = ALGEBRA.format(size=size, last=size - 1), f"len(self.a) < {size} or not self.b < self.a"
        yield (
            f"algebra of sets over {size}",
            _class("    a: set[Many]\n    b: set[Many]", body, claim, sort, ", n: Small"),
        )


HOSTILE = (
    "int", "register", "restrict", "NULL", "NONE", "word", "status", "leave", "disabled", "done", "next", "args", "group", "emit",
    "memcpy", "errno", "stdin", "main", "UNLIKELY", "State", "unix", "linux", "trap", "trapped", "x_in", "in_x", "t1", "i1", "result",
    "state", "old_1", "MODEL_WORDS", "bool_", "true_", "signed", "void", "typeof", "asm", "inline", "auto", "volatile", "sizeof",
    "INT64_MAX", "u_int", "é", "ß_1",
)  # fmt: skip
"""Words of C, its library, its compilers, and of our own headers and generated code."""


def _names() -> Iterator[tuple[str, str]]:
    for name in HOSTILE:
        yield (
            f"everything called {name}",
            f"""{HEAD}

class Kind(Enum):
    {name} = 1
    other = 2


@record
class Item:
    {name}: Small
    x: tuple[Large, Large, Large, Large, Large]


def pure_{name}({name}: Small, x: Item) -> Small:
    t = {name}
    if t > x.{name}:
        return Small(0)
    return t


class Drawn(Spec):
    {name}: Small
    item: Item
    kind: Kind

    def go(self, {name}: Small) -> None:
        self.{name} = {name}

    def read(self, {name}: Item, {name}_in: Item) -> bool:
        return {name}.{name} == {name}_in.{name}

    @action
    def {name}_action(self, {name}: Small) -> None:
        for i9 in Small:
            if i9 == {name}:
                self.go(i9)
        t9, n1 = {name}, self.{name}
        self.item = replace(self.item, {name}=pure_{name}(t9, self.item))
        self.kind = Kind.{name} if n1 > 1 else Kind.other

    @invariant
    def {name}_claim(self, {name}: Small) -> bool:
        return all({name} != x or self.read(self.item, self.item) for x in Small) and (self.{name} != 3 or {name} > 0)
""",
        )
    yield (
        "wide parameters called like their copies",
        f"""{HEAD}

class Drawn(Spec):
    at: Small

    def same(self, x: tuple[Large, Large, Large, Large, Large], x_in: tuple[Large, Large, Large, Large, Large]) -> bool:
        return x == x_in

    @action
    def go(self, n: Small) -> None:
        a = (Large(n), Large(1), Large(2), Large(3), Large(4))
        b = (Large(1), Large(1), Large(2), Large(3), Large(4))
        self.at = Small(1 if self.same(a, b) else 2)

    @invariant
    def claim(self) -> bool:
        return self.at != 2
""",
    )


SPECS: dict[str, str] = dict((*_arithmetic(), *_packing(), *_names()))


def main() -> int:
    """What each spec does."""
    from tests.native.large_agreement import outcomes

    found = outcomes(SPECS)
    for name, said in found.items():
        print(f"{name:55} {said}")
    wrong = sum(said.startswith("DISAGREE") for said in found.values())
    print(f"{len(found)} specs, {wrong} disagree")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
