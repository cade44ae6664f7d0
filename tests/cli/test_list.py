"""`quorate list`: by family, narrowed by words, readable at 80 columns, complete as JSON."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner
from quorate.commands import _show
from quorate.commands.list import command
from quorate.errors import UsageError
from quorate.loading import families, load, names


def shown(*arguments: str) -> str:
    result = CliRunner().invoke(command, list(arguments), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def protocols(*arguments: str) -> list[str]:
    """The protocols that are listed with their members."""
    return [line.split()[0] for line in shown(*arguments).splitlines() if line and not line.startswith(" ")]


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal with 80 columns."""
    monkeypatch.setattr(_show, "is_terminal", lambda: True)
    monkeypatch.setenv("COLUMNS", "80")


def test_all_protocols_are_listed_by_family_and_fit_into_80_columns(narrow: None) -> None:
    lines = shown().splitlines()
    assert max(map(len, lines)) <= 80
    found = [line.split()[0].rstrip(":") for line in lines if line[:3].strip() and not line.startswith("`")]
    headed = [name for family in families() for name in (family.name, *family.protocols)]
    assert [word for word in found if word in headed] == headed


def test_members_fit_into_80_columns_and_say_what_breaks(narrow: None) -> None:
    out = shown("quorum_register")
    assert max(map(len, out.splitlines())) <= 80
    said = " ".join(out.split())
    assert "quorum_register (replication)" in said and "SloppyQuorum violates regular" in said
    assert "Promise: To the clients: reads and writes behave like those of one variable (atomicity)" in said


@pytest.mark.parametrize("word", ["raft", "RAFT"])
def test_a_word_is_looked_for_at_the_beginning_of_words(word: str) -> None:
    assert set(protocols(word)) >= {name for name in names() if name.startswith("raft")}
    assert "paxos" not in protocols(word)


def test_a_word_in_a_variant_shows_that_variant_alone() -> None:
    entries = {entry["spec"]: entry for entry in json.loads(shown("fencing", "--format", "json"))}
    assert [one["variant"] for one in entries["sharding"]["classes"]] == ["NoFencing"]
    assert len(entries["lease_lock"]["classes"]) == 1 + len(load("lease_lock").variants), "it is about fencing"
    assert protocols("nofencing") == [name for name in entries if "NoFencing" in load(name).variants]


def test_several_words_ask_for_what_has_one_of_them_and_families_narrow_it() -> None:
    assert {"raft_reads", "cap"} <= set(protocols("raft_reads", "cap"))
    assert protocols("--family", "coordination") == ["idempotent_requests", "lease_lock"]
    assert protocols("lock", "--family", "coordination") == ["lease_lock"]


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [(["two_phase_comit"], "Did you mean 'two_phase_commit'?"), (["--family", "consens"], "Did you mean 'consensus'?")],
)
def test_what_nothing_has_is_refused_with_what_there_is(arguments: list[str], wanted: str) -> None:
    error = CliRunner().invoke(command, arguments).exception
    assert isinstance(error, UsageError) and wanted in str(error)


def test_json_is_complete() -> None:
    entries = {entry["spec"]: entry for entry in json.loads(shown("--format", "json"))}
    assert set(entries) == set(names())
    for family in families():
        for name in family.protocols:
            entry, protocol = entries[name], load(name)
            assert entry["family"] == family.name
            assert entry["promise"] == protocol.promise and entry["about"] == protocol.about
            assert [one["variant"] for one in entry["classes"]] == [None, *protocol.variants]
            expected = [str(cls.expect) for cls in (protocol.main, *protocol.variants.values())]
            assert [one["expect"] for one in entry["classes"]] == expected
            assert all(one["bounds"] and one["sentence"] for one in entry["classes"]), name
