"""What commands print and store as JSON is what docs/schemas says, and docs/json-formats.md names every field."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from jsonschema import Draft202012Validator
from quorate.cli import cli
from quorate.errors import QuorateError
from quorate.kinds import KINDS, TRACES
from quorate.trace import FORMAT
from referencing import Registry, Resource

from tests.docs.pages import DOCS, ROOT

SCHEMAS = {file.stem: json.loads(file.read_text(encoding="utf-8")) for file in (DOCS / "schemas").glob("*.json")}
REGISTRY: Registry[Any] = Registry().with_resources(
    [(schema["$id"], Resource.from_contents(schema)) for schema in SCHEMAS.values()]
)

SPEC = '''
from quorate import Nat, Network, Scalarset, Spec, action, eventually, holds, init, invariant, merge, reachable, record
from quorate import require, violates


class Node(Scalarset, size=2):
    """A node."""


class Count(Nat, max=2):
    """A number."""


@record
class Ping:
    source: Node
    count: Count


class Pings(Spec):
    """Nodes count what they are sent."""

    expect = holds()
    seen: dict[Node, Count]
    first: Node
    network: Network[Ping]

    @init
    def begin(self, n: Node) -> None:
        self.first = n

    @action
    def send(self, n: Node) -> None:
        self.network.send(Ping(n, self.seen[n]))

    @action(mark="timeout", fair="weak")
    def count(self, n: Node, m: Ping) -> None:
        require(m in self.network)
        self.network.receive(m)
        self.seen[n] += 1

    @invariant
    def counts_are_small(self, n: Node) -> bool:
        """No count is large."""
        return self.is_small(self.seen[n])

    def is_small(self, count: Count) -> bool:
        return count <= 2

    @reachable
    def something_is_seen(self, n: Node) -> bool:
        return self.seen[n] == 1


class Smaller(Pings):
    """Counts grow."""

    expect = violates("counts_are_small")

    def is_small(self, count: Count) -> bool:
        return count < 2


class Lasting(Pings):
    """Nobody has to send."""

    expect = violates("is_pinged")

    @eventually
    def is_pinged(self) -> bool:
        return len(self.network) > 0


class Failing(Pings):
    """It raises."""

    @action
    def fail(self) -> None:
        assert len(self.network) == 0


@merge(expect=violates("idempotent"))
def added(a: Count, b: Count) -> Count:
    return Count(a + b)
'''
STALE = """{"process": 0, "type": "invoke", "f": "write", "value": 1}
{"process": 0, "type": "ok", "f": "write"}
{"process": 1, "type": "invoke", "f": "read"}
{"process": 1, "type": "ok", "f": "read", "value": null}
"""
SKEW = """{"process": 0, "type": "invoke", "f": "txn", "value": [["r", "x", null], ["append", "y", 1]]}
{"process": 1, "type": "invoke", "f": "txn", "value": [["r", "y", null], ["append", "x", 1]]}
{"process": 0, "type": "ok", "f": "txn", "value": [["r", "x", null], ["append", "y", 1]]}
{"process": 1, "type": "ok", "f": "txn", "value": [["r", "y", null], ["append", "x", 1]]}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with a specification and two histories."""
    (tmp_path / "pings.py").write_text(SPEC, encoding="utf-8")
    (tmp_path / "stale.jsonl").write_text(STALE, encoding="utf-8")
    (tmp_path / "skew.jsonl").write_text(SKEW, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def validate(found: Any, name: str) -> None:
    errors = list(Draft202012Validator(SCHEMAS[name], registry=REGISTRY).iter_errors(found))
    assert not errors, [(list(error.absolute_path), error.message) for error in errors]


def printed(command: str) -> Any:
    result = CliRunner().invoke(cli, command.split())
    assert result.exception is None or isinstance(result.exception, SystemExit | QuorateError), result.exception
    return json.loads(result.stdout)


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_schemas_are_schemas(name: str) -> None:
    Draft202012Validator.check_schema(SCHEMAS[name])
    assert SCHEMAS[name]["$id"] == f"{name}.json"


@pytest.mark.parametrize(
    ("command", "verdict"),
    [
        ("check pings.py", "holds-within-bounds"),
        ("check pings.py --variant Smaller", "violated"),
        ("check pings.py --variant Smaller --keep-going", "violated"),
        ("check pings.py --variant Lasting --property is_pinged", "violated"),
        ("check pings.py --variant Failing", "error"),
        ("check pings.py --max-states 2", "unfinished"),
        ("check pings.py --witness something_is_seen", "reached"),
        ("check nothing.py", "error"),
    ],
)
def test_what_check_prints(command: str, verdict: str, folder: Path) -> None:
    found = printed(f"{command} --engine reference --format json")
    validate(found, "outcome")
    assert found["verdict"] == verdict


def test_coverage_and_profile_are_part_of_an_outcome(folder: Path) -> None:
    found = printed("check pings.py --coverage --profile --engine reference --format json")
    validate(found, "outcome")
    never = [point["text"] for point in found["coverage"]["points"] if point["runs"] == 0]
    assert found["coverage"]["functions"][0]["name"] == "send" and never == []
    assert {"seen", "first"} < {variable["name"] for variable in found["profile"]["variables"]}
    assert found["profile"]["advice"]


def test_several_sizes_and_laws_are_lists_of_outcomes(folder: Path) -> None:
    sizes = printed("check pings.py --bound Node=1..2 --engine reference --format json")
    laws = printed("prove pings.py --laws --format json")
    assert [one["bounds"]["Node"] for one in sizes] == [1, 2] and laws[0]["values"]
    for one in (*sizes, *laws):
        validate(one, "outcome")


def test_what_prove_prints_and_certifies(folder: Path) -> None:
    found = printed("prove pings.py --format json --certificate certificate")
    validate(found, "outcome")
    manifest = json.loads((folder / "certificate" / "manifest.json").read_text(encoding="utf-8"))
    validate(manifest, "certificate")
    assert found["properties"] == ["counts_are_small"] and manifest["queries"]


def test_what_verify_and_list_print(folder: Path) -> None:
    found = printed("verify pings.py --engine reference --workers 1 --format json")
    validate(found, "verify")
    assert [one["fine"] for one in found] == [True, True, True, False, True]
    for asked in ("pings.py", "lww_register"):
        validate(printed(f"list {asked} --format json"), "list")


def test_what_history_prints_and_writes(folder: Path) -> None:
    for file, verdict in (("stale.jsonl", "violated"), ("skew.jsonl", "violated")):
        every = printed(f"history {file} --level all --format json")
        assert verdict in {one["verdict"] for one in every} and "satisfied" in {one["verdict"] for one in every}
        for one in every:
            validate(one, "history")
    one = printed("history stale.jsonl --format json --out out")
    validate(one, "history")
    assert json.loads((folder / "out" / "verdict.json").read_text(encoding="utf-8")) == one
    validate(printed("history stale.jsonl --engine python --max-steps 1 --format json"), "history")


def test_what_simulate_and_replay_print(folder: Path) -> None:
    printed("check pings.py --variant Smaller --engine reference --format json --out out")
    validate(json.loads((folder / "out" / "trace.json").read_text(encoding="utf-8")), "trace")
    validate(printed("replay out/trace.json --format json"), "replay")
    validate(printed("simulate pings.py --seed 1 --length 5 --engine reference --format json"), "simulation")


def test_what_diff_prints(folder: Path) -> None:
    found = printed("diff pings.py pings.py:Smaller --format json")
    validate(found, "diff")
    assert found["only_first"]["known"] == "none-within-bounds"


@pytest.mark.parametrize("options", ["", " --no-symmetry", " --project seen"])
def test_the_lines_of_a_state_graph(options: str, folder: Path) -> None:
    assert CliRunner().invoke(cli, f"graph pings.py -o states.jsonl{options}".split()).exit_code == 0
    lines = [json.loads(line) for line in (folder / "states.jsonl").read_text(encoding="utf-8").splitlines()]
    assert {"format", "state", "edge"} <= {next(iter(line)) for line in lines}
    for line in lines:
        validate(line, "graph-line")


STORED = sorted((ROOT / "counterexamples").glob("*/*/trace.json"))


@pytest.mark.parametrize("file", STORED[::7], ids=lambda file: f"{file.parent.parent.name}-{file.parent.name}")
def test_the_stored_counterexamples(file: Path) -> None:
    validate(json.loads(file.read_text(encoding="utf-8")), "trace")


def test_kinds_and_versions_are_those_of_the_code() -> None:
    trace = SCHEMAS["trace"]["properties"]
    assert trace["format"]["const"] == FORMAT and set(trace["kind"]["enum"]) == set(TRACES)
    verdicts = SCHEMAS["outcome"]["properties"]["verdicts"]["items"]["properties"]
    assert set(verdicts["kind"]["enum"]) == {*KINDS, "deadlock"} - {"terminal"}


def names(schema: Any) -> Iterator[str]:
    """The fields that a schema names."""
    if isinstance(schema, dict):
        fields = schema.get("properties", {})
        yield from fields
        for part in (*fields.values(), *(part for keyword, part in schema.items() if keyword != "properties")):
            yield from names(part)
    elif isinstance(schema, list):
        for part in schema:
            yield from names(part)


def test_the_page_names_every_field() -> None:
    page = (DOCS / "json-formats.md").read_text(encoding="utf-8")
    for name, schema in SCHEMAS.items():
        assert f"(schemas/{name}.json)" in page
        assert not {field for field in names(schema) if f"`{field}`" not in page}
