"""What a log leaves out of a record is not known, wherever the record is; and where it could not be said which record is meant, it is
refused at its line."""

from __future__ import annotations

import gzip
import json
from enum import Enum
from pathlib import Path
from typing import Annotated, Any

import pytest
from quorate import Bag, Nat, Network, Scalarset, Spec, action, partial, record
from quorate.conform import OPEN, Conforms, Differs, Map, Verdict, validate
from quorate.conform.logs import LogError
from quorate.errors import UsageError


class Node(Scalarset, size=2):
    """A process."""


class Term(Nat, max=2):
    """A number."""


class State(Enum):
    """The names of members, too, are words of this package."""

    known = "known"
    UNKNOWN = "unknown"


@record
class Entry:
    term: Term
    known: bool


@record
class Letter:
    entries: list[Entry]
    last: Entry
    target: Node


class Store(Spec):
    """A variable of each type that holds records."""

    term: dict[Node, Term]
    log: list[Entry]
    pair: tuple[Entry, bool]
    kept: Letter | None
    entries: set[Entry]
    letters: Network[Letter]
    bag: Bag[Letter]
    held: Annotated[dict[Node, Entry], partial]
    state: State

    @action
    def write(self, n: Node, known: bool) -> None:
        self.term[n] += 1
        entry = Entry(self.term[n], known)
        self.log = [*self.log, entry]
        self.pair = (entry, known)
        self.kept = Letter(self.log, entry, n)
        self.entries.add(entry)
        self.letters.send(self.kept)
        self.bag.send(self.kept)
        self.held[n] = entry
        self.state = State.known


NAMED = Map(members={"Node": ("a", "b")})
WHOLE = {"term": 1, "known": True}
LETTER = {"entries": [WHOLE], "last": WHOLE, "target": "a"}


def judged(folder: Path, told: Any, mapping: Map = NAMED, arguments: Any = None) -> Verdict:
    log = folder / "log.jsonl"
    log.write_text(json.dumps({"event": "write", "args": arguments or {"n": "a", "known": True}, "vars": told}) + "\n")
    return validate([str(log)], Store, mapping, "store")


@pytest.mark.parametrize(
    ("told", "verdict"),
    [
        ({"log": [WHOLE]}, Conforms),
        ({"log": [{"term": 1}]}, Conforms),
        ({"log": [{}]}, Conforms),
        ({"log": [{"term": 2}]}, Differs),
        ({"log": [{"known": False}]}, Differs),
        ({"log": [{"term": 1}, {}]}, Differs),
        ({"log": []}, Differs),
        ({"pair": [{"term": 1}, True]}, Conforms),
        ({"pair": [{"term": 1}, False]}, Differs),
        ({"pair": [{"term": 2}, True]}, Differs),
        ({"kept": {"target": "a"}}, Conforms),
        ({"kept": {"target": "b"}}, Differs),
        ({"kept": {**LETTER, "entries": [{"term": 1}]}}, Conforms),
        ({"kept": {**LETTER, "entries": [{"term": 2}]}}, Differs),
        ({"kept": {**LETTER, "last": {"known": True}}}, Conforms),
        ({"kept": {**LETTER, "last": {"known": False}}}, Differs),
        ({"held": {"a": WHOLE}}, Conforms),
        ({"held": {"a": {"term": 1, "known": False}}}, Differs),
        ({"entries": [WHOLE], "letters": [LETTER], "bag": [LETTER]}, Conforms),
        ({"entries": [WHOLE, {"term": 2, "known": True}]}, Differs),
        ({"letters": []}, Differs),
        ({"bag": [LETTER, LETTER]}, Differs),
        ({"state": "known"}, Conforms),
        ({"state": "unknown"}, Differs),
    ],
)
def test_a_record_may_lack_fields_in_a_list_a_tuple_and_another_record(
    told: Any, verdict: type[Verdict], tmp_path: Path
) -> None:
    assert isinstance(judged(tmp_path, told), verdict)


@pytest.mark.parametrize(
    "told",
    [
        {"entries": [{"term": 1}]},
        {"letters": [{"target": "a"}]},
        {"letters": [{**LETTER, "entries": [{}]}]},
        {"bag": [{**LETTER, "last": {}}]},
    ],
)
def test_in_what_has_no_order_a_record_has_all_its_fields(told: Any, tmp_path: Path) -> None:
    with pytest.raises(
        LogError, match=r"log\.jsonl:1: .*leaves out fields, and what is in a .* is told with all of them"
    ):
        judged(tmp_path, told)


def test_a_member_is_named_once_and_a_key_of_an_object_may_be_a_number(tmp_path: Path) -> None:
    for names in (("a", "a"), (1, True)):
        with pytest.raises(UsageError, match="two are called the same"):
            judged(tmp_path, {"log": [WHOLE]}, Map(members={"Node": names}))
    for members in ((1, 2), OPEN):
        mapping = Map(members={"Node": members})
        assert isinstance(judged(tmp_path, {"term": {"1": 1}}, mapping, {"n": 1, "known": True}), Conforms)
        assert isinstance(judged(tmp_path, {"term": {"1": 2}}, mapping, {"n": 1, "known": True}), Differs)
        assert isinstance(judged(tmp_path, {"term": {"2": 1}}, mapping, {"n": 1, "known": True}), Differs)


def lazily(line: dict[str, Any]) -> Any:
    yield line
    raise KeyError("entry")


@pytest.mark.parametrize("read", [lambda line: "abc", lambda line: 3, lambda line: [None], lazily])
def test_a_map_that_reads_a_line_as_no_event_is_told_at_its_line(read: Any, tmp_path: Path) -> None:
    with pytest.raises(LogError, match=r"log\.jsonl:1: the map's `read`"):
        judged(tmp_path, {"log": [WHOLE]}, Map(members={"Node": ("a", "b")}, read=read))


def test_a_damaged_archive_is_no_log(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl.gz"
    whole = gzip.compress(json.dumps({"event": "write", "vars": {}}).encode() * 50)
    for damaged in (whole[:-10], whole[:20] + b"xxxx" + whole[24:], b"{}"):
        log.write_bytes(damaged)
        with pytest.raises(UsageError, match="is compressed by gzip, and damaged"):
            validate([str(log)], Store, NAMED, "store")
