"""SARIF: what is wrong, at the line of its property, with the run that shows it as a code flow."""

from __future__ import annotations

import json
import sys
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import sarif_schema
from quorate.cli import main
from test_machine_formats import OUTCOMES, written

SPEC = '''
from quorate import Nat, Scalarset, Spec, action, invariant, reachable, violates


class P(Scalarset, size=2):
    """A process."""


class N(Nat, max=3):
    """A number."""


class Count(Spec):
    """Processes count."""

    n: dict[P, N]

    @action
    def up(self, p: P) -> None:
        self.n[p] += 1

    @invariant
    def small(self) -> bool:
        """No process counts to the end of numbers."""
        return all(self.n[p] < 4 for p in P)

    @reachable
    def both(self) -> bool:
        """Both can count."""
        return all(self.n[p] > 0 for p in P)


class Counts(Count):
    """It is held to less than it does."""

    expect = violates("tiny")

    @invariant
    def tiny(self) -> bool:
        """The processes count to two together."""
        return sum(self.n[p] for p in P) < 3

    @invariant
    def single(self) -> bool:
        """No process counts twice."""
        return all(self.n[p] < 2 for p in P)


class Mistaken(Count):
    expect = violates("small")
'''


@pytest.fixture(autouse=True)
def spec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "with space").mkdir()
    file = tmp_path / "with space" / "count.py"
    file.write_text(SPEC, encoding="utf-8")
    return file


def line_of(text: str) -> int:
    return next(number for number, line in enumerate(SPEC.split("\n"), 1) if text in line)


def run_of(*arguments: str, code: int) -> dict[str, Any]:
    printed = StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(printed), pytest.raises(SystemExit) as end:
        patch.setattr(sys, "argv", ["quorate", *arguments, "--format", "sarif"])
        main()
    assert end.value.code == code, printed.getvalue()
    log = json.loads(printed.getvalue())
    jsonschema.validate(log, sarif_schema.LOG)
    (run,) = log["runs"]
    ids = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert len(set(ids)) == len(ids)
    assert all(ids[result["ruleIndex"]] == result["ruleId"] for result in run["results"])
    return dict(run)


def place_of(location: dict[str, Any]) -> tuple[str, int]:
    physical = location["physicalLocation"]
    return physical["artifactLocation"]["uri"], physical["region"]["startLine"]


FILE = "with space/count.py"
URI = "with%20space/count.py"


def test_each_violated_property_is_a_result_at_its_line_and_each_judged_one_a_rule() -> None:
    run = run_of("check", FILE, "--variant", "Counts", "--keep-going", code=1)
    rules = {rule["id"]: rule["shortDescription"]["text"] for rule in run["tool"]["driver"]["rules"]}
    assert rules == {
        "count.Count.small": "No process counts to the end of numbers.",
        "count.Count.both": "Both can count.",
        "count.Counts.tiny": "The processes count to two together.",
        "count.Counts.single": "No process counts twice.",
    }
    single, tiny = run["results"]
    assert (tiny["ruleId"], tiny["kind"], tiny["level"]) == ("count.Counts.tiny", "fail", "error")
    assert place_of(tiny["locations"][0]) == (URI, line_of("def tiny"))
    assert place_of(single["locations"][0]) == (URI, line_of("def single"))
    assert tiny["message"]["text"].startswith("Counts: violated: tiny, by a run of 3 steps with ")
    assert tiny["message"]["text"].endswith(". The processes count to two together.")
    assert "by a run of 2 steps" in single["message"]["text"]
    assert run["invocations"][0]["executionSuccessful"]


def test_the_code_flow_is_the_run_with_each_action_at_its_line_and_the_values_that_it_sets() -> None:
    run = run_of("check", FILE, "--variant", "Counts", "--property", "single", code=1)
    (result,) = run["results"]
    begin, *steps = result["codeFlows"][0]["threadFlows"][0]["locations"]
    assert begin["location"]["message"]["text"] == "initial state"
    assert place_of(begin["location"]) == (URI, line_of("class Counts"))
    assert [place_of(step["location"]) for step in steps] == [(URI, line_of("def up"))] * 2
    assert [step["executionOrder"] for step in steps] == [1, 2]
    (name,) = steps[0]["state"]
    assert name in ("n[p1]", "n[p2]")
    assert [step["state"] for step in steps] == [{name: {"text": "1"}}, {name: {"text": "2"}}]
    assert steps[1]["location"]["message"]["text"].startswith("2  ") and "up" in steps[1]["location"]["message"]["text"]
    assert steps[1]["importance"] == "essential"


def test_what_holds_is_no_result_and_its_verdict_a_note() -> None:
    run = run_of("check", FILE, code=0)
    assert run["results"] == []
    (note,) = run["invocations"][0]["toolExecutionNotifications"]
    assert note["level"] == "note" and "holds within bounds" in note["message"]["text"]


def test_what_a_limit_leaves_open_is_open_and_the_invocation_unsuccessful() -> None:
    run = run_of("check", FILE, "--max-states", "2", code=3)
    assert {(result["kind"], result["level"]) for result in run["results"]} == {("open", "none")}
    assert {result["ruleId"] for result in run["results"]} >= {"count.Count.small"}
    assert not run["invocations"][0]["executionSuccessful"]


def test_a_specification_that_cannot_be_used_is_an_error_at_its_line(spec: Path) -> None:
    spec.write_text("from quorate import Spec\n\nclass Wrong(Spec)\n    pass\n", encoding="utf-8")
    run = run_of("check", FILE, code=2)
    (result,) = run["results"]
    assert (result["ruleId"], place_of(result["locations"][0])) == ("quorate.error", (URI, 3))
    assert not run["invocations"][0]["executionSuccessful"]


def test_a_spec_in_no_file_has_a_name_instead_of_a_place() -> None:
    (result,) = run_of("check", "nonesuch", code=2)["results"]
    assert result["locations"] == [{"logicalLocations": [{"fullyQualifiedName": "nonesuch"}]}]


def test_verify_tells_only_what_differs_from_what_is_expected() -> None:
    run = run_of("verify", FILE, "--workers", "1", code=1)
    (result,) = run["results"]
    assert result["ruleId"] == "quorate.expect"
    assert place_of(result["locations"][0]) == (URI, line_of("class Mistaken"))
    assert "expected violates small, found holds" in result["message"]["text"]
    assert len(run["invocations"][0]["toolExecutionNotifications"]) == 3


def test_a_property_that_breaks_a_specification_expected_to_hold_is_at_its_own_line(spec: Path) -> None:
    spec.write_text(SPEC.replace('    expect = violates("tiny")\n', ""), encoding="utf-8")
    results = run_of("verify", FILE, "--workers", "1", code=1)["results"]
    assert [result["ruleId"] for result in results] == ["count.Counts.single", "quorate.expect"]
    assert results[0]["message"]["text"].startswith("expected holds: Counts: violated: single")


def test_proofs_speak_of_what_can_be_proven() -> None:
    run = run_of("prove", FILE, "--variant", "Counts", "--invariant", "single", code=1)
    (result,) = run["results"]
    assert place_of(result["locations"][0]) == (URI, line_of("def single"))
    assert len(result["codeFlows"][0]["threadFlows"][0]["locations"]) == 3
    assert "count.Count.both" not in {rule["id"] for rule in run["tool"]["driver"]["rules"]}
    assert run_of("prove", FILE, "--invariant", "small", code=0)["results"] == []


def test_a_history_is_judged_at_its_file(tmp_path: Path) -> None:
    events = [
        {"process": 1, "type": "invoke", "f": "write", "value": 1},
        {"process": 1, "type": "ok", "f": "write", "value": 1},
        {"process": 2, "type": "invoke", "f": "read", "value": None},
        {"process": 2, "type": "ok", "f": "read", "value": 2},
    ]
    (tmp_path / "h.jsonl").write_text("\n".join(map(json.dumps, events)), encoding="utf-8")
    (result,) = run_of("history", "h.jsonl", code=1)["results"]
    assert (result["ruleId"], place_of(result["locations"][0])) == ("history.linearizable", ("h.jsonl", 1))


def test_every_kind_of_outcome_is_written_as_the_schema_wants_it() -> None:
    log = json.loads(written("sarif", OUTCOMES))
    jsonschema.validate(log, sarif_schema.LOG)
    (run,) = log["runs"]
    kinds = [(result["kind"], result["properties"]["verdict"]) for result in run["results"]]
    assert kinds == [("fail", "violated"), ("fail", "violated"), ("open", "unfinished"), ("fail", "error")]
    levels = [note["level"] for note in run["invocations"][0]["toolExecutionNotifications"]]
    assert levels == ["note", "note", "note", "note", "note", "warning", "error"]
    assert len(run["results"][0]["codeFlows"][0]["threadFlows"][0]["locations"]) == 15
