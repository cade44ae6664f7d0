"""The small records of `docs/consistency/records`: of each workload and model one that is right, and one that is not."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner
from quorate.cli import cli

RECORDS = Path(__file__).parents[2] / "docs" / "consistency" / "records"
RIGHT = {
    "bank.edn": ("--level", "bank"),
    "set-full.edn": ("--level", "set-full"),
    "long-fork.edn": ("--level", "long-fork"),
    "monotonic.edn": ("--level", "monotonic"),
    "mutex.edn": ("--model", "mutex"),
    "lock.edn": ("--model", "lock"),
    "multi-register.edn": ("--model", "multi-register"),
    "map.jsonl": ("--model", "map"),
    "predicates.jsonl": ("--level", "serializable"),
}
WRONG = {
    "bank-torn-read.edn": ("bank.edn", "has a total of 12"),
    "set-full-lost-element.edn": ("set-full.edn", "misses 2; read() = {1 2} of process 2 was finished before"),
    "long-fork-two-orders.edn": ("long-fork.edn", "T3 sees it the other way round"),
    "monotonic-going-back.edn": ("monotonic.edn", "began when inc() = 2 of process 0 was finished"),
    "mutex-held-twice.edn": ("mutex.edn", "acquire() = nil of process 1 cannot be next"),
    "lock-released-by-another.edn": ("lock.edn", "release() = nil of process 2 cannot be next"),
    "multi-register-early-read.edn": ("multi-register.edn", "read() = {:x 1, :y 2} of process 1 cannot be next"),
    "map-lost-append.jsonl": ("map.jsonl", "k.get() = ac of process 0 cannot be next"),
    "predicates-write-skew.jsonl": ("predicates.jsonl", "T1 finds no on-call-ann by predicate, and T0 writes it"),
}


def told(name: str, *arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(cli, ["history", str(RECORDS / name), *arguments])
    return result.exit_code, result.output


@pytest.mark.parametrize("name", RIGHT)
def test_what_is_right_is_satisfied(name: str) -> None:
    code, output = told(name, *RIGHT[name])
    assert code == 0 and output.startswith("satisfied")


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_violated_and_told_in_words(name: str) -> None:
    right, words = WRONG[name]
    code, output = told(name, *RIGHT[right])
    assert code == 1 and words in output


def test_phantoms_are_what_repeatable_read_allows() -> None:
    assert told("predicates-write-skew.jsonl", "--level", "repeatable-read")[0] == 0


def test_every_record_is_judged() -> None:
    assert {path.name for path in RECORDS.iterdir()} == {*RIGHT, *WRONG}
