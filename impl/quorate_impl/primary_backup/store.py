"""The state machine: a map from keys to values, and the sessions that make updates happen once.

A client that gets no answer asks again, and the update may be in the log twice. So each update has a number in its
client's session, and the machine remembers the answers that the client has not confirmed. The state is a function of the log:
a node whose log is cut computes it anew from its last snapshot.
"""

from __future__ import annotations

import msgspec

from quorate_impl.primary_backup.messages import (
    Answer,
    Cas,
    Command,
    Delete,
    Done,
    Expired,
    Mismatch,
    Position,
    Put,
    Scheme,
    Update,
)

SESSIONS_MAX = 10_000


class Version(msgspec.Struct, frozen=True, array_like=True):
    """What was last done to a key: its value, None if it was taken away, where in the log, and how it is replicated."""

    value: str | None
    index: int
    scheme: Scheme


NEVER = Version(None, 0, Scheme.ASYNCHRONOUS)
"""Of a key that nobody has written."""


class Answers(msgspec.Struct, array_like=True):
    """What a session remembers: the answers after number `confirmed`."""

    confirmed: int
    by_number: dict[int, Done | Mismatch]

    def confirm(self, number: int) -> None:
        """Forget the answers up to this number."""
        if number - self.confirmed > len(self.by_number):
            self.by_number = {n: answer for n, answer in self.by_number.items() if n > number}
        else:
            for n in range(self.confirmed + 1, number + 1):
                self.by_number.pop(n, None)
        self.confirmed = max(self.confirmed, number)


class State(msgspec.Struct, array_like=True):
    """All that a snapshot holds. Sessions are in the order of their last use."""

    versions: dict[str, Version]
    sessions: dict[Position, Answers]


class Store:
    """The machine. It is deterministic: the same entries lead to the same state."""

    def __init__(self, sessions_max: int = SESSIONS_MAX) -> None:
        self._state = State({}, {})
        self._sessions_max = sessions_max

    def open(self, session: Position) -> None:
        """A client begins a session."""
        sessions = self._state.sessions
        sessions[session] = Answers(0, {})
        if len(sessions) > self._sessions_max:
            del sessions[next(iter(sessions))]

    def execute(self, command: Command, position: Position) -> Answer:
        """Execute an update, unless that has happened before: then its answer is that of then."""
        sessions = self._state.sessions
        answers = sessions.pop(command.session, None)
        if answers is None:
            return Expired()
        sessions[command.session] = answers
        if command.number <= answers.confirmed:
            return Expired()
        if command.number not in answers.by_number:
            answers.by_number[command.number] = self._update(command.update, position)
        answer = answers.by_number[command.number]
        answers.confirm(command.answered)
        return answer

    def answer(self, session: Position, number: int) -> Done | Mismatch | None:
        """What an update of a session was answered, if it has been executed and its client may still ask."""
        answers = self._state.sessions.get(session)
        return answers.by_number.get(number) if answers is not None else None

    def _update(self, update: Update, position: Position) -> Done | Mismatch:
        versions, (_, index) = self._state.versions, position
        match update:
            case Cas(key, expected, value, scheme):
                found = self.read(key).value
                if found != expected:
                    return Mismatch(found, position)
                versions[key] = Version(value, index, scheme)
            case Put(key, value, scheme):
                versions[key] = Version(value, index, scheme)
            case Delete(key, scheme):
                versions[key] = Version(None, index, scheme)
        return Done(position)

    def read(self, key: str) -> Version:
        """What was last done to a key."""
        return self._state.versions.get(key, NEVER)

    def bury(self, index: int) -> None:
        """Every node knows all up to `index`: the keys that were taken away until then need no mark any more."""
        versions = self._state.versions
        for key in [key for key, each in versions.items() if each.value is None and each.index <= index]:
            del versions[key]

    def snapshot(self) -> bytes:
        """The whole state."""
        return msgspec.msgpack.encode(self._state)

    def restore(self, snapshot: bytes) -> None:
        """Go on from a snapshot."""
        self._state = msgspec.msgpack.decode(snapshot, type=State)
