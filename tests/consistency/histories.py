"""Small histories for the tests: all of them, or drawn by Hypothesis."""

from __future__ import annotations

from collections.abc import Iterator

from hypothesis import strategies as st
from quorate.consistency.history import History, Operation

Call = tuple[str, object, object, object]  # function, key, argument, result


def of_sessions(
    sessions: list[list[Call]], interleaving: list[int] | None = None, pending: frozenset[int] = frozenset()
) -> History:
    """Sessions as lists of calls. `interleaving` lists process numbers: each mention is that process's next event
    (invocation or answer); by default sessions run one after another. The last call of a process in `pending` gets no
    answer."""
    if interleaving is None:
        interleaving = [p for p, own in enumerate(sessions) for _ in range(2 * len(own))]
    progress = [0] * len(sessions)
    invoked: dict[tuple[int, int], int] = {}
    found = []
    for position, p in enumerate(interleaving):
        number, answered = divmod(progress[p], 2)
        progress[p] += 1
        if not answered:
            invoked[p, number] = position
        if answered or (p in pending and number == len(sessions[p]) - 1):
            function, key, argument, result = sessions[p][number]
            returned = position if answered else None
            found.append(
                Operation(0, p, function, argument, result if answered else None, invoked[p, number], returned, key)
            )
    return History.of(found)


@st.composite
def histories(draw: st.DrawFn, alphabet: list[Call], operations_max: int = 5, processes_max: int = 3) -> History:
    """Histories over an alphabet of calls, with overlapping and pending operations."""
    count = draw(st.integers(1, operations_max))
    owners = draw(st.lists(st.integers(0, processes_max - 1), min_size=count, max_size=count))
    sessions: list[list[Call]] = [[] for _ in range(processes_max)]
    for owner in owners:
        sessions[owner].append(draw(st.sampled_from(alphabet)))
    pending = draw(st.sets(st.integers(0, processes_max - 1))) if draw(st.integers(0, 2)) == 0 else set()
    events = [p for p, own in enumerate(sessions) for _ in range(2 * len(own) - (p in pending and bool(own)))]
    return of_sessions(sessions, draw(st.permutations(events)), frozenset(pending))


def shapes(count: int, processes_max: int) -> Iterator[list[int]]:
    """How many operations each process has: partitions of `count`, largest first."""

    def parts(left: int, largest: int, room: int) -> Iterator[list[int]]:
        if left == 0:
            yield []
        elif room:
            for size in range(min(left, largest), 0, -1):
                for rest in parts(left - size, size, room - 1):
                    yield [size, *rest]

    return parts(count, count, processes_max)
