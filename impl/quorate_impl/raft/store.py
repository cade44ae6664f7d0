"""The replicated state machine: a map from keys to values, and the sessions that make updates happen once.

A client that gets no answer asks again, and the update may be in the log twice. So each update has a number in its
client's session, and the machine remembers the answers that the client has not confirmed (Ongaro 2014, section 6.3). All
servers forget the same session at the same entry: the one that was unused for longest, when there are too many.
"""

from __future__ import annotations

import msgspec

from quorate_impl.raft.messages import Cas, Command, Delete, Done, Expired, Get, Mismatch, Put, Update, Value

Answer = Done | Mismatch
SESSIONS_MAX = 10_000


class Answers(msgspec.Struct, array_like=True):
    """What a session remembers: the answers after number `confirmed`."""

    confirmed: int
    by_number: dict[int, Answer]

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

    values: dict[str, str]
    sessions: dict[int, Answers]


class Store:
    """The machine. It is deterministic: the same entries lead to the same state."""

    def __init__(self, sessions_max: int = SESSIONS_MAX) -> None:
        self._state = State({}, {})
        self._sessions_max = sessions_max

    def open(self, session: int) -> None:
        """A client begins a session."""
        sessions = self._state.sessions
        sessions[session] = Answers(0, {})
        if len(sessions) > self._sessions_max:
            del sessions[next(iter(sessions))]

    def execute(self, command: Command) -> Answer | Expired:
        """Execute an update, unless that has happened before: then its answer is that of then."""
        sessions = self._state.sessions
        answers = sessions.pop(command.session, None)
        if answers is None:
            return Expired()
        sessions[command.session] = answers
        if command.number <= answers.confirmed:
            return Expired()
        if command.number not in answers.by_number:
            answers.by_number[command.number] = self._update(command.update)
        answer = answers.by_number[command.number]
        answers.confirm(command.answered)
        return answer

    def _update(self, update: Update) -> Answer:
        values = self._state.values
        match update:
            case Put(key, value):
                values[key] = value
            case Cas(key, expected, value):
                if values.get(key) != expected:
                    return Mismatch(values.get(key))
                values[key] = value
            case Delete(key):
                values.pop(key, None)
        return Done()

    def read(self, get: Get) -> Value:
        """The value of a key."""
        return Value(self._state.values.get(get.key))

    def snapshot(self) -> bytes:
        """The whole state."""
        return msgspec.msgpack.encode(self._state)

    def restore(self, snapshot: bytes) -> None:
        """Go on from a snapshot."""
        self._state = msgspec.msgpack.decode(snapshot, type=State)
