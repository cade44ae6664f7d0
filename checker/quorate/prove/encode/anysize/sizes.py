"""How large quorums are, and what their sizes say of each other: which of them have members in common, and under which condition."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from quorate.errors import Location
from quorate.model.nodes import Expr, For, Op

Configured: TypeAlias = "Mapping[Location | None, str]"
"""The class variables that are read as numbers, by the places where they are."""


@dataclass(frozen=True)
class Size:
    """How large a quorum is: more than half (`least` is None), or at least so many, which are called `name` ("" if the
    specification just says the number)."""

    least: int | None
    name: str = ""

    def __str__(self) -> str:
        return "a majority" if self.least is None else f"{self.name} ({self.least})" if self.name else str(self.least)

    @property
    def whichever(self) -> str:
        """Any quorum of this size, in words."""
        return "any majority" if self.least is None else f"any {self}"

    def at(self, total: int) -> int:
        """The least number of members that are enough, of so many."""
        return total // 2 + 1 if self.least is None else self.least

    @property
    def configured(self) -> bool:
        """Whether it goes with the number of members, so that conditions on both make sense."""
        return self.least is None or bool(self.name)


@dataclass(frozen=True)
class Counted:
    """What sizes of quorums say of each other, where `total` members of `sort` are configured: the condition under which
    it is so ("": always), or None if it need not be so."""

    sort: str
    total: int

    def meet(self, first: Size | None, second: Size | None) -> str | None:
        """That any two quorums of these sizes have a member in common."""
        assert first is not None and second is not None
        if first.least is None and second.least is None:
            return ""
        if first.least is None:
            first, second = second, first  # One condition, in whichever order they come.
        fine = first.at(self.total) + second.at(self.total) > self.total
        said = f"{first.whichever} and {second.whichever} of {self.sort} have a member in common"
        return self._if(fine, first, second, said)

    def meet_two(self, twice: Size | None, once: Size | None) -> str | None:
        """That any two quorums of the first size and any one of the second have a member in common, all three (Lamport 2006, "Fast Paxos",
        section 2.2). `quorate prove quorums` ("fast") proves it from the sizes for every number of members."""
        assert twice is not None and once is not None
        if twice.least is None or twice == once:
            return None
        fine = 2 * twice.at(self.total) + once.at(self.total) > 2 * self.total
        said = f"any two of {twice} and {once.whichever} of {self.sort} have a member in common, all three"
        return self._if(fine, twice, once, said)

    def implies(self, first: Size | None, second: Size | None) -> str | None:
        """That a quorum of the first size is one of the second."""
        assert first is not None and second is not None
        if first == second:
            return ""
        said = f"{first} of {self.sort} is at least {second}"
        if first.least is not None and second.least is not None:
            if first.least < second.least:
                return None
            return said if first.name or second.name else ""
        fine = first.at(self.total) > second.at(self.total)  # Where they are equal, they need not be at other sizes.
        return self._if(fine, first, second, said)

    def inhabited(self, size: Size | None) -> str:
        """That a quorum has a member. The number that is configured says so, and the verdict names it as it does all others."""
        assert size is not None
        return f"{size} of {self.sort} is at least 1" if size.name else ""

    def full(self, size: Size | None) -> str | None:
        """That all members are a quorum."""
        assert size is not None
        if size.least is None:
            return ""
        return self._if(size.least <= self.total, size, size, f"there are at least {size} of {self.sort}")

    def _if(self, fine: bool, first: Size, second: Size, condition: str) -> str | None:
        """A condition on configured sizes; of a number that the specification just says, none can be made."""
        return condition if fine and first.configured and second.configured else None


def name_of(size: Expr, configured: Configured) -> str:
    """What the size of a quorum is called where it is written, which says the same wherever else it is: it is computed from class variables
    and literals alone, on that line. "" otherwise, for what is just a number, be it under the name of a parameter or of a constant of the
    module, or the result of a call: a helper's `n * self.f + 1` is another size for another `n`."""
    if size.op is Op.CONST:
        return configured.get(size.location, "")
    parts = list(size.walk())
    is_read = any(part.location in configured for part in parts)
    return _text(size).replace(OWN, "") if is_read and all(_says(part, size, configured) for part in parts) else ""


def constants_in(body: Expr, configured: Configured) -> set[str]:
    """The class variables that an expression reads as numbers: where they are named sizes of quorums, the conditions on them are told."""
    if body.op is Op.CONST:
        return {configured[body.location]} if body.location in configured else set()
    parts = body.args[:1] if body.op is Op.QUORUM and name_of(body.args[1], configured) else body.args
    clauses = (clause.source if isinstance(clause, For) else clause.condition for clause in body.clauses)
    return set().union(*(constants_in(part, configured) for part in (*parts, *clauses)))


def told(constants: Mapping[str, object]) -> Iterator[str]:
    """What a verdict says of the class variables that a proof takes as configured."""
    if constants:
        yield f"constants as configured: {', '.join(f'{name} = {value}' for name, value in constants.items())}"


def _says(part: Expr, whole: Expr, configured: Configured) -> bool:
    """Whether what is written in an expression says what this part of it is."""
    if part.op is Op.CONST:
        return _is_within(part, whole) and (part.location in configured or _text(part) == str(part.data))
    return bool(part.args) and part.op is not Op.CALL and _is_within(part, whole)


def _is_within(part: Expr, whole: Expr) -> bool:
    """Whether a part of an expression is written there, on its first line: an argument of a procedure is written where that is called."""
    here, there = part.location, whole.location
    if here is None or there is None or (here.file, here.line) != (there.file, there.line):
        return False
    return there.column <= here.column and here.column + here.length <= there.column + there.length


OWN = "self."


def _text(node: Expr) -> str:
    """How an expression is written."""
    where = node.location
    return "" if where is None else where.text[where.column : where.column + where.length].strip()
