"""What a log says is taken at its word: nothing that is equal in Python alone, said twice, or said of two things is accepted."""

from __future__ import annotations

import random
from enum import Enum
from pathlib import Path
from typing import Any

import pytest
from quorate import Bag, Channels, Nat, Network, Scalarset, Spec, action, init, record
from quorate.conform import OPEN, Conforms, Differs, Map, NotDecided, Verdict, validate
from quorate.conform.logs import Event, LogError
from quorate.conform.matching import Matching
from quorate.conform.subject import wide_system
from quorate.errors import UsageError


class P(Scalarset, size=2):
    """A process."""


class N(Nat, max=3):
    """A number."""


class Color(Enum):
    """Each has the other's name as its value."""

    RED = "GREEN"
    GREEN = "RED"
    BLUE = "blue"


class Shade(Enum):
    """Has a member that is called as one of the others."""

    BLUE = "blue"
    DARK = "dark"


@record
class Letter:
    n: N
    source: P
    target: P


class Everything(Spec):
    """A variable of each type."""

    count: dict[P, N]
    total: N
    up: bool
    color: Color
    wall: Color | Shade
    owner: P | None
    kept: Letter | None
    pair: tuple[N, P] | None
    numbers: list[N]
    seen: set[P]
    table: dict[tuple[Color, bool], N]
    network: Network[Letter]
    bag: Bag[Letter] = Bag(capacity=2)
    links: Channels[Letter] = Channels(capacity=2)

    @action
    def count_up(self, p: P) -> None:
        self.count[p] += 1
        self.total += 1

    @action
    def paint(self) -> None:
        self.color = Color.GREEN

    @action
    def shade(self) -> None:
        self.wall = Shade.BLUE

    @action
    def say(self, letter: Letter) -> None:
        self.kept = letter


def doubled(state: Everything) -> int:
    return 2 * state.total


def anything(state: Everything) -> bool:
    return state.total > 0


def judged(folder: Path, *logs: str, members: Any = ("a", "b"), **options: Any) -> Verdict:
    files = [folder / f"{number}.jsonl" for number, _ in enumerate(logs)]
    for file, text in zip(files, logs, strict=True):
        file.write_text(text)
    return validate([str(file) for file in files], Everything, Map(members={"P": members}, **options), "everything")


@pytest.mark.parametrize(
    "event",
    [
        '{"event": "count_up", "node": "a", "vars": {"count": {"a": 2}, "count": {"a": 1}}}',
        '{"event": "count_up", "node": "a", "vars": {"count": {"a": true}}}',
        '{"event": "count_up", "node": "a", "vars": {"count": {"a": 1.0}}}',
        '{"event": "count_up", "node": "a", "vars": {"count": {"a": "\\u0967"}}}',
        '{"event": "count_up", "node": "a", "vars": {"count": {"a": "--1"}}}',
        '{"event": "count_up", "node": "a", "vars": {"count": {"a": "\\u00b2"}}}',
        '{"event": "count_up", "node": "a", "vars": {"count": {"a": NaN}}}',
        '{"event": "count_up", "node": "a", "vars": {"doubled": 2.0}}',
        '{"event": "count_up", "node": "a", "vars": {"anything": 1}}',
        '{"event": "count_up", "node": "a", "vars": {"bag": true}}',
        '{"event": "count_up", "node": "a", "vars": {"bag": {"bag": [1]}}}',
        '{"event": "paint", "vars": {"color": "RED"}}',
    ],
)
def test_what_is_only_equal_in_python_or_said_twice_is_refused_at_its_line(tmp_path: Path, event: str) -> None:
    with pytest.raises(LogError, match=r"0\.jsonl:1: "):
        judged(tmp_path, event, views=(doubled, anything))


def test_members_of_one_name_in_two_sorts_are_told_apart(tmp_path: Path) -> None:
    event = '{"event": "shade", "vars": {"wall": "Shade.BLUE"}}'
    assert isinstance(judged(tmp_path, event), Conforms)
    assert isinstance(judged(tmp_path, event.replace("Shade", "Color")), Differs)
    with pytest.raises(LogError, match="may be several"):
        judged(tmp_path, event.replace("Shade.", ""))


def test_names_of_members_are_not_truths(tmp_path: Path) -> None:
    one = '{"event": "count_up", "node": 1, "vars": {"doubled": 2}}'
    assert isinstance(judged(tmp_path, one, members=(1, 2), views=(doubled,)), Conforms)
    with pytest.raises(LogError):
        judged(tmp_path, one.replace('"node": 1', '"args": {"p": true}'), members=(1, 2), views=(doubled,))


@pytest.mark.parametrize(("sent", "received"), [("1", "true"), ('"[1]"', "[1]"), ("1", '"1"'), ('"a"', '"b"')])
def test_names_of_messages_are_told_apart(tmp_path: Path, sent: str, received: str) -> None:
    first = f'{{"event": "count_up", "node": "a", "vars": {{"total": 1}}, "sent": [{sent}]}}'
    second = f'{{"event": "count_up", "node": "b", "vars": {{"total": 2}}, "received": [{received}]}}'
    assert isinstance(judged(tmp_path, first, second), Differs)
    assert isinstance(judged(tmp_path, first, second.replace(f"[{received}]", f"[{sent}]")), Conforms)


def test_a_vector_clock_counts_events_of_one_node(tmp_path: Path) -> None:
    """The first event of b is the second one of its log, and comes before the one of c, which is told to be the second of all."""
    both = (
        '{"event": "count_up", "node": "a", "vars": {"total": 1}, "clock": {"a": 1}}\n'
        '{"event": "count_up", "node": "b", "vars": {"total": 3}, "clock": {"b": 1}}\n'
    )
    after = '{"event": "count_up", "node": "c", "vars": {"total": 2}, "clock": {"b": 1, "c": 1}}'
    with pytest.raises(LogError, match="a log of its own for each node"):
        judged(tmp_path, both, after, members=("a", "b", "c"))
    alone = both.splitlines()
    assert isinstance(judged(tmp_path, *alone, after, members=("a", "b", "c")), Differs)


def test_numbers_as_nodes_have_clocks_too(tmp_path: Path) -> None:
    first = '{"event": "count_up", "node": 1, "vars": {"total": 1}, "clock": {"1": 1}}'
    second = '{"event": "count_up", "node": 2, "vars": {"total": 2}, "clock": {"1": 1, "2": 1}}'
    assert isinstance(judged(tmp_path, first, second, members=(1, 2)), Conforms)


@pytest.mark.parametrize("clock", ['{"a": "x"}', '{"a": null}', '{"a": true}', "true", '"17"', "[1]", "NaN", "1e999"])
def test_a_clock_is_a_number_or_counts(tmp_path: Path, clock: str) -> None:
    event = f'{{"event": "count_up", "node": "a", "vars": {{"total": 1}}, "clock": {clock}}}'
    with pytest.raises(LogError, match=r"0\.jsonl:1: "):
        judged(tmp_path, event)


def drawn(random_: random.Random, depth: int = 0) -> Any:
    """A JSON value that is nearly never what it should be."""
    if depth < 3 and random_.random() < 0.5:
        parts = [drawn(random_, depth + 1) for _ in range(random_.randrange(4))]
        tags = ["record", "fields", "n", "source", "target", "set", "map", "bag", "tuple", "channels", "a", "1", "RED"]
        return parts if random_.random() < 0.4 else {random_.choice(tags): part for part in parts}
    return random_.choice(
        [None, True, False, 0, 1, 5, -1, 1.5, "a", "b", "RED", "BLUE", "blue", "1", "x", "", "²", "--1"]
    )


@pytest.mark.parametrize("members", [("a", "b"), OPEN])
def test_whatever_a_line_says_ends_in_a_reading_or_an_error_at_its_place(members: Any) -> None:
    mapping = Map(members={"P": members})
    system, values_of = wide_system(Everything, mapping)
    with system:
        matching = Matching(system, mapping, values_of(system))
        states = [state for _, state in system.initial()]
        read = 0
        for seed in range(2_000):
            random_ = random.Random(seed)
            arguments = {"letter": drawn(random_)} if seed % 2 else {}
            told = {random_.choice(list(system.index)): drawn(random_)}
            event = Event("log", 1, "say" if seed % 2 else "count_up", drawn(random_, 2), arguments, told)
            try:
                wanted = matching.wanted(event)
                for state in states:
                    read += 1 + len(list(matching.steps(state, wanted)))
            except LogError as error:
                assert str(error).startswith("log:1: ")
            except UsageError as error:
                assert "not told" in str(error)
        assert read > 20


def test_a_log_begins_once_unless_the_map_says_what_a_restart_is(tmp_path: Path) -> None:
    lines = '{"event": "init", "vars": {"total": 0}}', '{"event": "count_up", "node": "a", "vars": {"total": 1}}'
    assert isinstance(judged(tmp_path, "\n".join(lines)), Conforms)
    again = "\n".join((*lines, '{"event": "init", "args": {"anything": 1}}'))
    with pytest.raises(LogError, match=r"0\.jsonl:3: init is the beginning"):
        judged(tmp_path, again)
    assert isinstance(judged(tmp_path, again, events={"init": None}), Conforms)


class Begun(Spec):
    """Begins with any number, and has an action with the name of what tells the beginning."""

    total: N

    @init
    def begin(self, n: N) -> None:
        self.total = n

    @action
    def count_up(self, p: P) -> None:
        self.total += 1


class Initial(Begun):
    @action
    def init(self, p: P) -> None:
        self.total += 2


def begun(tmp_path: Path, *logs: list[str], spec: type[Spec] = Begun) -> Verdict:
    paths = [tmp_path / f"{number}.jsonl" for number in range(len(logs))]
    for path, lines in zip(paths, logs, strict=True):
        path.write_text("\n".join(lines))
    return validate([str(path) for path in paths], spec, Map(members={"P": ("a", "b")}), "begun")


@pytest.mark.parametrize(
    ("first", "second", "verdict"),
    [("1", "1", Conforms), ("1", "2", Differs), ("2", "2", Differs), ("{}", '"one"', LogError), ("1", "1.0", LogError)],
)
def test_each_of_several_logs_tells_with_what_it_began(tmp_path: Path, first: str, second: str, verdict: Any) -> None:
    begins = '{"event": "init", "args": {"n": %s}}'
    logs = (
        [begins % first, '{"event": "count_up", "node": "a", "vars": {"total": 2}}'],
        [begins % second, '{"event": "count_up", "node": "b"}'],
    )
    if verdict is LogError:
        with pytest.raises(LogError, match=r"jsonl:1: the argument n of @init"):
            begun(tmp_path, *logs)
    else:
        ordered = [logs[0][0], logs[0][1]], [logs[1][0], logs[1][1].replace("}", ', "received": ["x"]}')]
        ordered[0][1] = ordered[0][1].replace('"vars"', '"sent": ["x"], "vars"')
        assert isinstance(begun(tmp_path, *ordered), verdict)


def test_an_argument_that_init_has_not_is_refused_at_its_line(tmp_path: Path) -> None:
    with pytest.raises(LogError, match=r"1\.jsonl:1: .*argument of @init"):
        begun(tmp_path, ['{"event": "count_up", "node": "a"}'], ['{"event": "init", "args": {"m": 1}}'])


def test_an_action_that_is_called_init_is_no_beginning(tmp_path: Path) -> None:
    lines = ['{"event": "init", "node": "a", "vars": {"total": 1}}']
    assert isinstance(begun(tmp_path, lines), Conforms | NotDecided)
    verdict = begun(tmp_path, lines, spec=Initial)  # Whatever it began with was not told.
    assert isinstance(verdict, NotDecided) and "jsonl:1 (init) does not fit" in verdict.reason
    assert isinstance(begun(tmp_path, [lines[0].replace("1}", "2}")], spec=Initial), Conforms)
