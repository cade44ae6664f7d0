"""What a real Kafka logged of a fail-over is a behaviour of `isr_log`, with one thing that it does sooner; edits of it are named."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from quorate.conform import Conforms, Differs, validate
from quorate_specs.replication.isr_log import IsrLog

from examples.real.kafka_log import MAP, AsLogged, told
from tests.conform.runs import Line, write

RECORD = Path(__file__).parents[2] / "examples" / "real" / "records" / "kafka" / "log-state.jsonl.gz"
LINES: list[Line] = [json.loads(text) for text in gzip.decompress(RECORD.read_bytes()).splitlines()]


def place(event: str, number: int = 0) -> int:
    """Where an event stands for the first time, or a later one."""
    return [i for i, each in enumerate(LINES) if each["event"] == event][number]


def test_the_record_is_a_behaviour() -> None:
    verdict = validate([str(RECORD)], AsLogged, MAP, "isr_log")
    assert isinstance(verdict, Conforms) and verdict.coverage.events == len(LINES) == 29
    assert {"crash", "elect", "expand", "fetch", "learn", "restart", "shrink"} <= verdict.coverage.actions.keys()


def test_kafka_advances_as_soon_as_a_follower_is_in_sync_again() -> None:
    verdict = validate([str(RECORD)], IsrLog, MAP, "isr_log")
    assert isinstance(verdict, Differs) and verdict.event.line == place("expand") + 2
    assert verdict.event.name == "high watermark"


def now(name: str, change: Callable[[Any], Any]) -> Callable[[Line], None]:
    def edit(line: Line) -> None:
        value = line["vars"][name]
        line["vars"][name] = (
            {key: change(part) for key, part in value.items()} if isinstance(value, dict) else change(value)
        )

    return edit


@pytest.mark.slow
@pytest.mark.parametrize(
    ("at", "edit"),
    [
        (place("high watermark", 1), now("high_watermark", lambda offset: offset + 1)),
        (place("append", 2), now("log_length", lambda length: length + 1)),
        (place("elect"), now("epoch", lambda epoch: epoch + 1)),
        (place("shrink"), now("elr", lambda _: [])),
        (place("learn"), now("known_isr", lambda _: ["1", "2"])),
        (place("restart"), now("elr", lambda _: ["2"])),
        (place("expand"), now("isr", lambda _: ["1"])),
    ],
)
def test_an_edit_is_rejected_at_its_event(at: int, edit: Callable[[Line], None], tmp_path: Path) -> None:
    lines: list[Line] = json.loads(json.dumps(LINES))
    edit(lines[at])
    verdict = validate([write(tmp_path / "edited.jsonl", lines)], AsLogged, MAP, "isr_log")
    assert isinstance(verdict, Differs) and verdict.event.line == at + 1


def test_lines_of_servers_are_read() -> None:
    change = (
        "18:31:54.463 [quorum] DEBUG ReplicationControlManager - partition change for ledger-0 with topic ID Rggr: isr: [2, 1] -> [1], "
        "leader: 2 -> 1, leaderEpoch: 0 -> 1, elr: [] -> [2], partitionEpoch: 0 -> 1"
    )
    assert list(told("0", change)) == [
        {"event": "shrink", "args": {"b": "2"}, "vars": {"isr": ["1"], "elr": ["2"]}},
        {"event": "elect", "args": {"b": "1"}, "vars": {"leader": "1", "epoch": 2}},
    ]
    appended = "18:31:43 [data-plane-kafka-request-handler-7] TRACE [UnifiedLog partition=ledger-0, dir=d] Appended message set with "
    (event,) = told("2", f"{appended}last offset: 4, first offset: 4, next offset: 5, and messages: m")
    assert event == {"event": "produce", "args": {"b": "2"}, "vars": {"log_length": {"2": 5}}}
    assert list(told("2", appended.replace("ledger", "other"))) == []
