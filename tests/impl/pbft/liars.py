"""A replica that lies, for tests: it sends what it can sign, to whom it likes and when it likes, or nothing.

It runs the honest program, to have at hand what a clever liar would know, and distorts what that one sends. What it does
changes with its mood, several times in a run. Its random numbers come from its name and its disk, so that a run repeats itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from random import Random

import msgspec
from msgspec.structs import replace
from quorate_impl.core import Core, Effect, Event, Message, Record, Reply, Send
from quorate_impl.pbft import Authority, Options, Pbft
from quorate_impl.pbft.messages import (
    Batch,
    Certificate,
    Checkpoint,
    Commit,
    Done,
    Execute,
    Mismatch,
    NewView,
    Open,
    Piece,
    Prepare,
    PrePrepare,
    Propose,
    Put,
    Reported,
    Response,
    Result,
    Signed,
    Statement,
    TheBatch,
    Value,
    ViewChange,
    WantBatch,
    WantState,
)
from quorate_impl.pbft.replica import digest_of_batch
from quorate_impl.pbft.store import State, digest_of

LIE = Put("x", "lie")
"""What nobody has asked for."""
FALSE_STATE = msgspec.msgpack.encode(State({"x": "lie"}, {}))
"""What nobody has."""


class Liar(Pbft):
    """Its moods are the names of its methods, each from a message and its target to what is sent in its place."""

    moods: tuple[str, ...] = (
        "honest",
        "silent",
        "choosy",
        "two_faced",
        "rewriting",
        "false_states",
        "talkative",
        "forging",
    )
    mood_ticks = 40
    """How long a mood lasts, at most."""
    hides = 0.4
    """How often it hides its certificates, where otherwise it makes some up."""

    def __init__(
        self, name: str, records: Sequence[Record], members: Mapping[str, str], authority: Authority, options: Options
    ) -> None:
        super().__init__(name, records, members, authority, options)
        self.random = Random(f"liar {name} {len(records)}")
        self._mood = self.random.choice(self.moods)
        self._changes_at = self.random.randint(1, self.mood_ticks)
        self._seen: dict[int, dict[bytes, Batch]] = {}

    def step(self, *events: Event) -> list[Effect]:
        return [lie for effect in super().step(*events) for lie in self._distort(effect)]

    def tick(self, now: int) -> None:
        super().tick(now)
        if self.ticks >= self._changes_at:
            self._mood = self.random.choice(self.moods)
            self._changes_at = self.ticks + self.random.randint(1, self.mood_ticks)
        if self._mood in ("talkative", "forging"):
            self._talk()

    def received(self, source: str, message: Message) -> None:
        if isinstance(message, Propose) and isinstance(message.signed.statement, PrePrepare):
            self._remember(message.signed.statement.number, message.batch)
        super().received(source, message)

    def _handle_want_batch(self, source: str, m: WantBatch) -> None:
        """Of what it has made up, too."""
        if m.digest in self._seen.get(m.number, ()):
            self.send_at_once(source, TheBatch(m.number, self._seen[m.number][m.digest]))
        super()._handle_want_batch(source, m)

    def _handle_want_state(self, source: str, m: WantState) -> None:
        if self._mood == "false_states":
            self.send_at_once(source, Piece(m.number, m.offset, b"?"))
        super()._handle_want_state(source, m)

    def _remember(self, number: int, batch: Batch) -> bytes:
        digest = digest_of_batch(batch)
        self._seen.setdefault(number, {})[digest] = batch
        return digest

    def _distort(self, effect: Effect) -> Iterator[Effect]:
        mood: Callable[[str, Message], Iterator[Message]] = getattr(self, self._mood)
        match effect:
            case Send(target, message):
                for each in mood(target, message):
                    yield Send(target, each)
            case Reply(client, Response(number, result)) if self._mood != "honest":
                if self._mood != "silent":
                    yield Reply(client, Response(number, self._false_result(result)))
            case _:
                yield effect

    def _false_result(self, result: Result) -> Result:
        match result:
            case Value():
                return self.random.choice((Value("lie"), Value(None)))
            case Done():
                return Mismatch(None)
            case Mismatch():
                return Done()
        return result

    # Moods

    def honest(self, target: str, message: Message) -> Iterator[Message]:
        """What the program says."""
        yield message

    def silent(self, target: str, message: Message) -> Iterator[Message]:
        """Nothing."""
        yield from ()

    def choosy(self, target: str, message: Message) -> Iterator[Message]:
        """Something to some, and nothing to one of them."""
        if target != self.names[self._changes_at % len(self.names)]:
            yield message

    def two_faced(self, target: str, message: Message) -> Iterator[Message]:
        """Proposes one thing to some and another to others, and votes for whatever anybody was told."""
        match message:
            case Propose(Signed(statement=PrePrepare(view, number)), batch):
                if self.names.index(target) % 2 == number % 2 or self.random.random() < 0.2:
                    batch = self._another(batch)
                digest = self._remember(number, batch)
                yield Propose(self.sign(PrePrepare(view, number, digest)), batch)
                yield from self._all_votes(view, number)
            case Signed(statement=Prepare(view, number) | Commit(view, number)):
                yield from self._all_votes(view, number)
            case _:
                yield message

    def _another(self, batch: Batch) -> Batch:
        """Something else that clients have signed: in another order, less, nothing, or what waits."""
        waiting = [each.request for each in self.pending.values()]
        return self.random.choice((batch[::-1], batch[1:], (), tuple(waiting[:2]), tuple(waiting[-1:])))

    def _all_votes(self, view: int, number: int) -> Iterator[Message]:
        for digest in (*self._seen.get(number, ()), *(self.slots[number].batches if number in self.slots else ())):
            for statement in (Prepare(view, number, digest), Commit(view, number, digest)):
                for source in self.speaks_for():
                    yield Signed(source, statement, self.authority.sign(statement))

    def speaks_for(self) -> Sequence[str]:
        """In whose names it votes. It has no signatures but its own."""
        return (self.name,)

    def rewriting(self, target: str, message: Message) -> Iterator[Message]:
        """Hides what is prepared, makes up certificates, and begins views with a history of its own."""
        match message:
            case Signed(statement=ViewChange() as change):
                yield self.sign(self._false_change(change))
            case Signed(statement=NewView(view, changes, proposals)):
                if self.random.random() < 0.5:
                    changes = tuple(self._false_report(each) for each in changes)
                numbers = [each.number for each, _ in proposals]
                yield self.sign(NewView(view, changes, tuple(self._proposal(view, number) for number in numbers)))
            case _:
                yield message

    def _false_report(self, reported: Reported) -> Reported:
        """Of its own view change there may be two."""
        if reported.source != self.name:
            return reported
        change = self._false_change(reported.change)
        return Reported(self.name, change, self.authority.sign(change))

    def _false_change(self, change: ViewChange) -> ViewChange:
        if self.random.random() < self.hides:
            return replace(change, certificates=())
        low = change.stable.checkpoint.number
        made_up = [self._made_up(change.view - 1, low + 1 + i) for i in range(self.random.randint(1, 4))]
        return replace(change, certificates=tuple(made_up))

    def _made_up(self, view: int, number: int) -> Certificate:
        """With its own signature in the place of all."""
        digest = self._some_digest(number)
        own = self.authority.sign(Prepare(view, number, digest))
        return Certificate(view, number, digest, tuple((name, own) for name in self.names))

    def _proposal(self, view: int, number: int) -> tuple[PrePrepare, bytes]:
        proposal = PrePrepare(view, number, self._some_digest(number))
        return proposal, self.authority.sign(proposal)

    def _some_digest(self, number: int) -> bytes:
        """Of a batch of the number, of something that waits, or of nothing."""
        known = dict(self._seen.get(number, {}))
        if number in self.slots:
            known |= self.slots[number].batches
        batch = self.random.choice([*known.values(), self._another(()), ()])
        return self._remember(number, batch)

    def false_states(self, target: str, message: Message) -> Iterator[Message]:
        """Signs a state that nobody has, before anybody is there, and hands it out."""
        match message:
            case Signed(statement=Checkpoint(number)):
                number += self.options.checkpoint_every
                yield self.sign(Checkpoint(number, digest_of(FALSE_STATE), len(FALSE_STATE)))
            case Piece(number, offset):
                yield Piece(number, offset, FALSE_STATE[offset : offset + self.options.piece_bytes])
            case TheBatch(number):
                yield TheBatch(number, self._another(()))
            case _:
                yield message

    def talkative(self, target: str, message: Message) -> Iterator[Message]:
        """What the program says, and besides, unasked, any statement that it can sign."""
        yield message

    def forging(self, target: str, message: Message) -> Iterator[Message]:
        """The same, with requests that no client has made, and in the names of others, whose signatures it does not have."""
        match message:
            case Propose(Signed(statement=PrePrepare(view, number)), batch):
                forged = tuple(self._forged(each) for each in batch)
                digest = self._remember(number, forged)
                yield Propose(self.sign(PrePrepare(view, number, digest)), forged)
            case _:
                yield message

    @staticmethod
    def _forged(request: Execute) -> Execute:
        order = request.order
        return request if isinstance(order.operation, Open) else replace(request, order=replace(order, operation=LIE))

    def _talk(self) -> None:
        for target in self.others():
            statement = self._any_statement()
            source = self.random.choice(self.names) if self._mood == "forging" else self.name
            self.send_at_once(target, Signed(source, statement, self.authority.sign(statement)))

    def _any_statement(self) -> Statement:
        number = self.low + self.random.randint(1, self.options.window)
        if self.slots and self.random.random() < 0.7:
            number = self.random.choice(sorted(self.slots))
        view = self.view + self.random.choice((0, 0, 0, 1))
        digest = self._some_digest(number)
        every = self.options.checkpoint_every
        match self.random.randrange(5):
            case 0 | 1:
                return Prepare(view, number, digest)
            case 2 | 3:
                return Commit(view, number, digest)
        return Checkpoint((number // every + 1) * every, digest, 100)


class TwoFaced(Liar):
    """Equivocates for most of the time."""

    moods = ("two_faced", "two_faced", "silent")


class Impersonating(TwoFaced):
    """Equivocates, and votes for everything in the names of all."""

    def speaks_for(self) -> Sequence[str]:
        return self.names


class Rewriting(Liar):
    """Gets the view changed, and tells of another past."""

    moods = ("silent", "rewriting", "rewriting")


class MakingUp(Liar):
    """Tells, in each view change, of certificates that there are not."""

    moods = ("rewriting",)
    hides = 0.0


class Forging(Liar):
    """Speaks for others, clients among them."""

    moods = ("forging",)


class FalseStates(Liar):
    """Signs and sends states that nobody has."""

    moods = ("false_states",)


class Silent(Core):
    """Says nothing, ever."""

    def __init__(
        self, name: str, records: Sequence[Record], members: Mapping[str, str], authority: Authority, options: Options
    ) -> None:
        super().__init__(name)


AnyLiar = Liar | Silent
"""Each is made like a replica."""
