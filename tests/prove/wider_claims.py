"""False claims about what `false_claims` does not draw: maps with keys made of parts, partial and optional maps, unions, lists of records,
bounded sets, ranks, two thresholds, quorums of quorums, @init with arguments, several sorts in one value.

    python -m tests.prove.wider_claims --count 2000 --seed 1000

What has no meaning for any size is left out property by property; of actions, those are drawn that mostly have one.
"""

from __future__ import annotations

from collections.abc import Sequence

from tests.prove import false_claims

HEADER = """
@record
class Ack:
    to: Server

class Drawn(Spec):
    threshold: ClassVar[int] = 2
    low: ClassVar[int] = 1
    top: Term
    term: dict[Server, Term]
    up: set[Server]
    seen: set[Term]
    votes: dict[Server, set[Server]]
    leader: Server | None
    role: dict[Server, Role]
    other: set[Big]
    log: Annotated[list[Term], up_to(Size)]
    net: Network[Note | Ack] = Network(capacity=3)
    rank: Rank
    ranks: dict[Server, Rank]
    by_pair: dict[tuple[Server, Term], bool]
    by_note: dict[Note, bool]
    by_opt: dict[Server | None, Term]
    by_both: dict[Server, dict[Big, bool]]
    mail: Note | Ack | None
    mixed: set[Note | Ack]
    held: Annotated[dict[Server, Term], partial]
    opt: dict[Server, Term | None]
    optpairs: set[tuple[Server | None, Term | None]]
    pairs: set[tuple[Server, Term]]
    few: Annotated[set[Term], up_to(2)]
    logs: dict[Server, Annotated[list[Note], up_to(Size)]]
    batch: Annotated[list[Server], up_to(2)] | None

    def opt_or(self, s: Server, t: Term) -> Term:
        found = self.opt[s]
        return t if found is None else found

    def mail_or(self, t: Term) -> Term:
        mail = self.mail
        if isinstance(mail, Note):
            return mail.term
        if isinstance(mail, Ack):
            return self.term[mail.to]
        return t

    def to(self) -> Server | None:
        mail = self.mail
        return None if mail is None else mail.to

    def chosen(self) -> set[Server]:
        return {s for s in Server if is_majority(self.votes[s], Server)}

    def highest(self, start: Term) -> Term:
        best = start
        for s in Server:
            if s in self.held:
                best = max(best, self.held[s])
        return best
"""


class Writer(false_claims._Writer):
    """Draws the text of a wider specification."""

    def number(self, servers: Sequence[str], terms: Sequence[str], depth: int = 2) -> str:
        if self.random.random() < 0.4:
            return (
                super().number(servers, terms, depth).replace("self.free()", "self.seen").replace("lowest", "highest")
            )
        p, t = self.pick(servers), self.pick([*terms, "self.top"])
        options = [
            f"self.opt_or({p}, Term({t}))",
            f"self.mail_or(Term({t}))",
            f"self.held.get({p}, Term(0))",
            f"(self.held[{p}] if {p} in self.held else 0)",
            f"self.by_opt[{self.pick(['None', p, 'self.leader', 'self.to()'])}]",
            "min(self.few, default=Term(0))",
            "max(self.few | self.seen, default=Term(0))",
            "max(self.held.values(), default=Term(0))",
            "max((t2 for s2, t2 in self.held.items()), default=Term(0))",
            f"max((n.term for n in self.logs[{p}]), default=Term(0))",
            f"len(self.logs[{p}])",
            f"(self.logs[{p}][{self.pick(['0', '-1'])}].term if len(self.logs[{p}]) > 0 else 0)",
            "max((n.term for n in self.mixed if isinstance(n, Note)), default=Term(0))",
            "max((n.term for n in self.net if isinstance(n, Note)), default=Term(0))",
            "max((self.term[s2] for s2 in self.chosen()), default=Term(0))",
            "min((t2 for s2, t2 in self.pairs if self.by_pair[s2, t2]), default=Term(0))",
            "max((self.term[s2] for s2 in Server if self.ranks[s2] == self.rank), default=Term(0))",
        ]
        return self.pick(options)

    def members(self, servers: Sequence[str], terms: Sequence[str], depth: int = 1) -> str:
        if self.random.random() < 0.6:
            return super().members(servers, terms, depth)
        p = self.pick(servers)
        return self.pick(
            [
                "self.chosen()",
                "{s2 for s2 in Server if s2 in self.held}",
                "{s2 for s2 in self.held}",
                "{n.to for n in self.mixed}",
                "{n.to for n in self.mixed if isinstance(n, Ack)}",
                f"{{n.to for n in self.logs[{p}]}}",
                "{s2 for s2 in Server if self.opt[s2] is not None}",
                "{s2 for s2, t2 in self.pairs}",
                "{s2 for s2 in Server if self.by_pair[s2, self.top]}",
                "{s2 for s2 in Server if self.ranks[s2] <= self.rank}",
                f"{{s2 for s2 in Server if {p} in self.votes[s2]}}",
            ]
        )

    def truth(self, servers: Sequence[str], terms: Sequence[str], depth: int = 2) -> str:
        if self.random.random() < 0.5:
            old = super().truth(servers, terms, depth)
            if not any(gone in old for gone in ("self.bag", "self.ranked", "for n in self.net")):
                return old
        p, q = self.pick(servers), self.pick(servers)
        t = self.pick([*terms, "self.top"])

        def few(*more: str) -> str:
            return self.members([*servers, *more], terms, max(depth - 1, 0))

        options = [
            f"Note({p}, {t}) in self.mixed",
            f"Ack({p}) in self.mixed",
            f"Ack({p}) in self.net",
            f"self.mail == Note({p}, {t})",
            f"self.mail == Ack({p})",
            "isinstance(self.mail, Ack)",
            "self.mail is None",
            f"self.to() == {self.pick([p, 'self.leader', 'None'])}",
            f"any(isinstance(n, Ack) and n.to == {p} for n in self.mixed)",
            "all(isinstance(n, Note) for n in self.mixed)",
            f"all(n.term <= {t} for n in self.mixed if isinstance(n, Note))",
            f"self.by_pair[{p}, {t}]",
            f"self.by_note[Note({p}, {t})]",
            f"{p} in self.held",
            f"self.held.get({p}) == {self.pick([t, 'None', f'self.opt[{q}]'])}",
            "len(self.held) == 0",
            f"self.opt[{p}] == {self.pick([t, 'None', f'self.opt[{q}]'])}",
            f"({p}, {t}) in self.optpairs",
            f"({self.pick([p, 'None', 'self.leader'])}, {self.pick([t, 'None', f'self.opt[{q}]'])}) in self.optpairs",
            f"({p}, {t}) in self.pairs",
            f"self.logs[{p}] == self.logs[{q}]",
            f"Note({p}, {t}) in self.logs[{q}]",
            f"all(n.term <= {t} for n in self.logs[{p}])",
            f"any(n.to == {p} for n in self.logs[{q}])",
            f"self.logs[{p}][:1] == self.logs[{q}][:1]",
            f"self.ranks[{p}] {self.pick(['<', '<=', '=='])} {self.pick([f'self.ranks[{q}]', 'self.rank'])}",
            "all(self.ranks[s2] <= self.rank for s2 in self.up)",
            "self.rank == max(r2 for r2 in Rank)",
            "any(self.ranks[s2] == r2 for s2 in self.up for r2 in Rank)",
            f"{t} in self.few",
            "self.few <= self.seen",
            f"self.few == {{{t}}}",
            f"{{{t}}} <= self.few",
            "self.seen & self.few == self.few",
            "self.batch is None",
            "self.batch == []",
            f"self.batch == [{p}]",
            f"self.votes == {{s2: {few('s2')} for s2 in Server}}",
            "self.opt == {s2: None for s2 in Server}",
            f"self.held == {{s2: self.term[s2] for s2 in Server if s2 in {few()}}}",
            f"self.by_both[{p}][b2] for b2 in Big",
            f"is_quorum({few()}, self.low, Server)",
            f"is_quorum({few()}, self.threshold, Server)",
            f"is_quorum({few()}, self.threshold + self.low, Server)",
            f"is_quorum({few()}, {self.pick('123')}, Server)",
            "is_majority(self.chosen(), Server)",
            "any(is_quorum(self.votes[s2], self.low, Server) for s2 in self.up)",
            f"any(is_quorum(self.votes[s2] & self.votes[{p}], self.low, Server) for s2 in self.up)",
            "is_quorum(self.other, 1, Big)",
            f"is_quorum({{b2 for b2 in Big if self.by_both[{p}][b2]}}, self.threshold, Big)",
            "is_majority(self.up, Server) and is_quorum(set(Server), self.threshold, Server)",
        ]
        found = self.pick(options)
        if found.endswith("for b2 in Big"):
            found = f"{self.pick(['any', 'all'])}({found})"
        if depth and self.random.random() < 0.4:
            inner = self.truth([*servers, "s"], [*terms], depth - 1)
            timed = self.truth([*servers, "s"], [*terms, "t2"], depth - 1)
            said = self.truth([*servers, "n.to"], [*terms, "n.term"], depth - 1)
            found = self.pick(
                [
                    f"all({inner} for s in self.held)",
                    f"any({timed} for s, t2 in self.held.items())",
                    f"all({timed} for s, t2 in self.pairs)",
                    f"any({said} for n in self.logs[{p}])",
                    f"all({said} for n in self.mixed if isinstance(n, Note))",
                    f"all({inner} for s in self.chosen())",
                    f"not ({found})",
                    f"({found} or {self.truth(servers, terms, depth - 1)})",
                ]
            )
        return found

    def effect(self, servers: Sequence[str], terms: Sequence[str]) -> list[str]:
        if self.random.random() < 0.3:
            old = super().effect(servers, terms)
            if not any(gone in line for line in old for gone in ("self.bag", "self.ranked", "self.free")):
                return old
            return self.effect(servers, terms)
        p, q, t = self.pick(servers), self.pick(servers), self.pick([*terms, "self.top"])
        number, truth = self.number(servers, terms, 1), self.truth(servers, terms, 1)
        s = [*servers, "s"]
        some = self.members(servers, terms)
        each = self.pick(["Server", "self.up", some])
        inner, inside = self.number(s, terms, 1), self.truth(s, terms, 1)
        single = [
            f"self.by_pair[{p}, {t}] = {truth}",
            f"self.by_note[Note({p}, {t})] = {truth}",
            f"self.by_opt[{self.pick([p, 'None', 'self.leader', 'self.to()'])}] = Term({number})",
            f"self.by_both[{p}] = {{b: b in self.other for b in Big}}",
            f"self.mail = {self.pick([f'Note({p}, Term({number}))', f'Ack({p})', 'None'])}",
            f"self.mixed.{self.pick(['add', 'discard'])}({self.pick([f'Note({p}, Term({number}))', f'Ack({p})'])})",
            f"self.mixed = {{n for n in self.mixed if n.to != {p}}}",
            f"self.mixed |= {{Ack(s2) for s2 in {self.members(servers, terms)}}}",
            f"self.net.send({self.pick([f'Note({p}, Term({number}))', f'Ack({p})'])})",
            f"self.held[{p}] = Term({number})",
            f"self.held.pop({p}, None)",
            "self.held.clear()",
            "self.held = {}",
            f"self.held = {{s2: Term({self.number([*servers, 's2'], terms, 1)}) for s2 in Server if s2 in {some}}}",
            f"self.opt[{p}] = {self.pick(['None', f'Term({number})', f'self.opt[{q}]', f'self.held.get({q})'])}",
            "self.opt = {s2: None if s2 in self.up else self.opt[s2] for s2 in Server}",
            f"self.optpairs.add(({self.pick([p, 'None', 'self.leader'])}, {self.pick(['None', f'Term({number})', f'self.opt[{q}]'])}))",
            f"self.pairs.add(({p}, Term({number})))",
            f"self.few.add(Term({number}))",
            f"self.few = {{Term({number})}}",
            f"self.few.discard(Term({t}))",
            f"self.logs[{p}].append(Note({q}, Term({number})))",
            f"self.logs[{p}] = self.logs[{q}]",
            f"self.logs[{p}] = self.logs[{q}][:1]",
            f"self.logs[{p}] = []",
            f"self.batch = {self.pick(['None', '[]', f'[{p}]', f'[{p}, {q}]'])}",
            f"self.ranks[{p}] = {self.pick(['self.rank', f'self.ranks[{q}]', 'max(r2 for r2 in Rank)', 'min(r2 for r2 in Rank)'])}",
            f"self.rank = self.ranks[{p}]",
            f"self.rank = max(self.rank, self.ranks[{p}])",
            f"self.leader = {self.pick(['self.to()', 'None', p])}",
            f"self.votes = {{s2: {self.members([*servers, 's2'], terms)} for s2 in Server}}",
            f"self.term = {{s2: Term({self.number([*servers, 's2'], terms, 1)}) for s2 in Server}}",
            f"if {truth}: self.mail = None",
        ]
        loops = [
            [f"for s in {each}:", f"    if {inside}:", f"        self.held[s] = Term({inner})"],
            [f"for s in {each}:", "    self.held.pop(s, None)"],
            [f"for s in {each}:", f"    self.opt[s] = {self.pick(['None', f'Term({inner})'])}"],
            [f"for s in {each}:", "    self.mixed.add(Ack(s))"],
            [f"for s in {each}:", f"    if {inside}:", f"        self.by_opt[s] = Term({inner})"],
            [f"for s in {each}:", "    self.logs[s] = []"],
            [f"for s in {each}:", f"    self.by_pair[s, {t}] = {inside}"],
            [f"for s in {each}:", f"    self.by_note[Note(s, {t})] = {inside}"],
            ["for s, t2 in self.held.items():", "    self.seen.add(t2)"],
            [
                "for s, t2 in self.pairs:",
                f"    if {self.truth(s, [*terms, 't2'], 0)}:",
                "        self.by_pair[s, t2] = True",
            ],
            [f"for n in self.logs[{p}]:", "    self.up.add(n.to)"],
            [
                "mail = self.mail",
                "if isinstance(mail, Note):",
                "    self.term[mail.to] = mail.term",
                "elif isinstance(mail, Ack):",
                f"    self.{self.pick(['up.discard(mail.to)', 'leader = mail.to', 'opt[mail.to] = None'])}",
                "else:",
                f"    self.top = Term({number})",
            ],
        ]
        return self.random.choice([*([line] for line in single), *loops])

    def action(self, number: int) -> list[str]:
        kind = self.pick(["plain", "plain", "net"])
        head, body, servers, terms = {
            "plain": ("p: Server, q: Server, t: Term", [], ["p", "q"], ["t"]),
            "net": ("m: Note, q: Server", ["require(m in self.net)"], ["m.to", "q"], ["m.term"]),
        }[kind]
        body = list(body)
        if self.random.random() < 0.6:
            body.insert(1, f"require({self.truth(servers, terms, 1)})")
        for _ in range(self.random.randint(1, 2)):
            body += self.effect(servers, terms)
        return ["    @action", f"    def act{number}(self, {head}) -> None:", *(f"        {line}" for line in body), ""]

    def beginning(self) -> list[str]:
        """@init with arguments, sometimes."""
        if self.random.random() < 0.5:
            return []
        effects = self.effect(["a"], ["u"])
        if any("require" in line for line in effects):  # There is to be an initial state.
            effects = []
        first = self.pick(
            [
                "self.top = u",
                "self.leader = a",
                "self.up = {a}",
                "self.held[a] = u",
                "self.opt[a] = u",
                "self.ranks[a] = r",
            ]
        )
        return [
            "    @init",
            "    def begin(self, a: Server, u: Term, r: Rank) -> None:",
            *(["        require(u <= 1)"] if self.random.random() < 0.5 else []),
            f"        {first}",
            *(f"        {line}" for line in effects),
            "",
        ]


def write(seed: int) -> str:
    """The text of a drawn specification."""
    writer = Writer(seed)
    lines = writer.beginning()
    lines += [line for number in range(2) for line in writer.action(number)]
    lines += [line for number in range(6) for line in writer.claim(number)]
    return PREFIX + HEADER + "\n" + "\n".join(lines)


def drawn(seed: int) -> false_claims.Judged:
    """One drawn specification."""
    return false_claims.judged(write(seed), SIZES, whole=False)


SIZES = tuple(sizes | {"low": 1} for sizes in false_claims.SIZES)
PREFIX = false_claims.HEADER[: false_claims.HEADER.index("class Drawn")]


if __name__ == "__main__":
    false_claims.main(drawn)
