"""The replicated state machine: a map from keys to values, and the sessions that make operations happen once.

A client that gets no answer asks again, and a primary that lies may propose an order as often as it likes. So each order
has a number, and the machine remembers the answers that the client has not confirmed. A client has one session, by its
public key; when there are too many, the one that was unused for longest is forgotten, by all replicas at the same number.
"""

from __future__ import annotations

import hashlib

import msgspec

from quorate_impl.pbft.messages import (
    Answer,
    Cas,
    Delete,
    Done,
    Expired,
    Get,
    Mismatch,
    Open,
    Opened,
    Operation,
    Order,
    Position,
    Put,
    Value,
)

SESSIONS_MAX = 10_000


class Session(msgspec.Struct, array_like=True):
    """Opened by the client's order of this number, known by its position; the answers after number `confirmed`."""

    opening: int
    position: Position
    confirmed: int
    answers: dict[int, Answer]

    def confirm(self, number: int) -> None:
        """Forget the answers up to this number."""
        if number > self.confirmed:
            self.confirmed = number
            self.answers = {each: answer for each, answer in self.answers.items() if each > number}


class State(msgspec.Struct, array_like=True):
    """All that a checkpoint holds. Sessions, by the client's key, are in the order of their last use."""

    values: dict[str, str]
    sessions: dict[bytes, Session]


class Store:
    """The machine. It is deterministic, to the byte of its snapshot: the same orders lead to the same state."""

    def __init__(self, sessions_max: int = SESSIONS_MAX) -> None:
        self._state = State({}, {})
        self._sessions_max = sessions_max

    def execute(self, order: Order, position: Position) -> Answer:
        """Execute an order, unless that has happened before: then its answer is that of then."""
        known = self.recall(order)
        sessions = self._state.sessions
        if known is not None:
            if not isinstance(known, Expired):
                sessions[order.client] = sessions.pop(order.client)
            return known
        if isinstance(order.operation, Open):
            sessions.pop(order.client, None)
            sessions[order.client] = Session(order.number, position, 0, {})
            if len(sessions) > self._sessions_max:
                del sessions[next(iter(sessions))]
            return Opened(position)
        session = self._session(order)
        if session is None:
            return Expired()
        del sessions[order.client]
        sessions[order.client] = session
        answer = session.answers[order.number] = self._operate(order.operation)
        session.confirm(min(order.answered, order.number - 1))
        return answer

    def recall(self, order: Order) -> Answer | None:
        """The answer to an order that was executed; None if that has not happened, or is forgotten with its session."""
        if isinstance(order.operation, Open):
            session = self._state.sessions.get(order.client)
            return Opened(session.position) if session is not None and order.number <= session.opening else None
        session = self._session(order)
        if session is None:
            return None
        return Expired() if order.number <= session.confirmed else session.answers.get(order.number)

    def _session(self, order: Order) -> Session | None:
        session = self._state.sessions.get(order.client)
        return session if session is not None and session.position == order.session else None

    def _operate(self, operation: Operation) -> Answer:
        values = self._state.values
        match operation:
            case Get(key):
                return Value(values.get(key))
            case Cas(key, expected, value):
                if values.get(key) != expected:
                    return Mismatch(values.get(key))
                values[key] = value
            case Put(key, value):
                values[key] = value
            case Delete(key):
                values.pop(key, None)
        return Done()

    def snapshot(self) -> bytes:
        """The whole state."""
        return msgspec.msgpack.encode(self._state)

    def restore(self, snapshot: bytes) -> None:
        """Go on from a snapshot."""
        self._state = msgspec.msgpack.decode(snapshot, type=State)


def digest_of(data: bytes) -> bytes:
    """SHA-256."""
    return hashlib.sha256(data).digest()
