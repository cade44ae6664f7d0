"""What people write who think of meaning first: calls in guards, sets built to be looked at once, searches for a message that is
determined.

A template is written where a condition is drawn. `$m`, `$o` and `$i` are fresh names, `$n` and `$p` nodes, `$s` a set of nodes, `$k` a
small number, `$C` a collection of messages. Some can fail: they have to fail as before.
"""

from __future__ import annotations

from string import Template
from typing import Any

from tests.constructs import Constructs

VARIABLES = {"mail": "set[Note | Ack]"}

METHODS = """
    def notes(self, n: Node, k: int) -> set[Note]:
        return {m for m in self.mail if isinstance(m, Note) and m.source == n and m.level >= k}

    def acknowledged(self, n: Node, q: set[Node]) -> bool:
        if n in q:
            return False
        return all(any(m.source == p for m in self.acks(n)) for p in q)

    def acks(self, n: Node) -> set[Ack]:
        return {m for m in self.mail if isinstance(m, Ack) and m.target == n}

    def quick(self, k: int) -> bool:
        return k % 2 == 1

    def share(self, k: int) -> bool:
        return 2 // k == 1

    @action
    def tell(self, n: Node, p: Node) -> None:
        require(len(self.mail) < 2)
        self.mail.add(Note(n, p, Level(1)))

    @action
    def confirm(self, n: Node, p: Node) -> None:
        require(self.acknowledged(p, {n}) or len(self.mail) < 1)
        self.mail.add(Ack(n, p, Color.RED))
""".splitlines()

TEMPLATES = (
    "any(isinstance($m, Note) and $m.source == $n and $m.target == $p for $m in $C)",
    "any(isinstance($m, Note) and $m.source == $n and $m.target in $s for $m in $C)",
    "any($n == $m.source and $m.target == $p and $m.color == Color.RED for $m in $C if isinstance($m, Ack))",
    "any($m.source == $m.target and $m.source == $n for $m in $C if isinstance($m, Ack))",
    "any($m.level == $k and $m.source == $n for $m in $C if isinstance($m, Note))",
    "any($m.level == $k and $m.source == $n for $m in $C)",
    "any(isinstance($m, Note) and $m.level == Level($k // 2) and $m.source == $n for $m in $C)",
    "all(any($m.source == $i for $m in {$o for $o in $C if isinstance($o, Ack)}) for $i in $s)",
    "all($m.level > $k for $m in {$o for $o in $C if isinstance($o, Note) and $o.source == $n})",
    "any(2 // $m.level == 1 for $m in $C if isinstance($m, Note) and $m.source == $n)",
    "any($m > $k for $m in {$k // $o.level for $o in $C if isinstance($o, Note)})",
    "any($m == $n for $m in {$o.source for $o in $C})",
    "Note($n, $p, Level(1)) in {$o for $o in $C if isinstance($o, Note) and $o.level > 0}",
    "$n in {$i for $i in $s if $i != $p}",
    "len({$o for $o in $C if isinstance($o, Ack)}) $test",
    "len({$o.source for $o in $C}) $test",
    "len({$o for $o in $C if isinstance($o, Note) and 1 // $o.level > 0}) $test",
    "len({$m.target for $m in self.notes($n, 1)}) $test",
    "len(self.notes($n, $k)) $test",
    "(self.quick($k) and self.acknowledged($n, $s))",
    "self.acknowledged($p, $s)",
    "(self.share($k) or self.quick($k))",
    "sum(1 for $m in {$o for $o in $C if $o.source == $n}) $test",
    "(isinstance(self.note, Note) and self.note.source == $n and self.note.level $test)",
    "any(isinstance($m, Note) and $m in self.notes($m.source, 0) for $m in $C)",
    "all($m in self.acks($n) for $m in self.acks($p))",
)
ON_THE_WAY = (
    "len(self.wire.queue($n, $p)) $test",
    "any(isinstance($m, Note) and $m.level > 0 for $m in self.wire.queue($n, $p))",
    "self.wire.queue($n, $p)[0].source == $n",
    "(len(self.wire.queue($n, $p)) > 0 and self.wire.queue($n, $p)[0] in self.wire)",
    "sum(len(self.wire.queue($i, $p)) for $i in Node) $test",
)
TESTS = ["== 0", "!= 0", "> 0", ">= 1", "< 1", "== 1", "> 1"]


class Naive(Constructs):
    """Draws them half of the time."""

    def further_truths(self, s: Any) -> list[str]:
        """Conditions that a newcomer would write."""
        found = super().further_truths(s)
        if not s.has("mail") or s.owner != "self":
            return found
        known = [text for text in TEMPLATES if "self.note." not in text or s.has("note")]
        known += ON_THE_WAY * 2 if s.wire == "Channels" else ()
        return [*found, *(self.naive(s, self.pick(known)) for _ in range(12))]

    def naive(self, s: Any, template: str) -> str:
        """One of them, filled."""
        inner = self.name("i")
        scope = s.but(nodes=[*s.nodes, inner]) if not s.nodes else s
        values = {
            **{letter: self.name(letter) for letter in "moi"},
            "n": self.node(scope),
            "p": self.node(scope),
            "s": self.nodes(scope, 0),
            "k": self.pick(["0", "1", "2", "len(self.mail)"]),
            "C": self.pick(["self.mail", "self.mail", "self.wire"] if s.wire else ["self.mail"]),
            "test": self.pick(TESTS),
        }
        text = Template(template).substitute(values)
        return text if s.nodes else f"any({text} for {inner} in Node)"

    def helpers(self, s: Any) -> list[str]:
        """Methods that conditions call."""
        return [*METHODS, *super().helpers(s)]
