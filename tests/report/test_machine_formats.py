"""JSON, JUnit and GitHub annotations: fixed keys, well-formed, and a violation is never taken for success."""

import json
import xml.etree.ElementTree as ET

import pytest
import report_traces as traces
from hypothesis import given
from hypothesis import strategies as st
from quorate.outcome import (
    Failed,
    Holds,
    HoldsWithinBounds,
    Judgement,
    Outcome,
    Proven,
    Statistics,
    Unfinished,
    Violated,
)
from quorate.report.formats import FORMATS
from quorate.report.machine import LEVELS, outcome_json, result_of
from quorate.trace import Trace


def written(form: str, outcomes: list[Outcome]) -> str:
    return FORMATS[form].write([result_of(outcome) for outcome in outcomes], len(outcomes) > 1)


STATS = Statistics(10, 20, 3, {"Term": 1}, {"vote": 20}, 0.5, 1000)
OUTCOMES: list[Outcome] = [
    Holds("raft", None, {"Server": 3}, "native", ("Server",), STATS),
    HoldsWithinBounds("raft", "Fast", {"Term": 2}, "reference"),
    Proven("lww", None, {}, "symbolic", properties=("converges",), any_size=True),
    Violated(
        "raft", "NoVote", {"Server": 3}, "native", (), STATS, property="one_leader", trace=traces.target_spacetime()
    ),
    Violated("raft", None, {}, "native", property="some_leader"),
    Unfinished("raft", None, {}, "native", (), STATS, reason="memory limit"),
    Failed("raft", "Typo", {}, "reference", message="KeyError: 's4'", trace=traces.huge_values()),
]


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("kind", sorted(LEVELS, key=lambda kind: kind.__name__))
def test_every_outcome_can_be_written_when_a_property_is_known_to_be_violated(kind: type[Outcome], form: str) -> None:
    """`--keep-going` goes on after a violation, and may end at an error or a limit."""
    known = Judgement("one_leader", "invariant", "violated", trace=traces.target_spacetime())
    outcome = kind("raft", None, {}, "native", judgements=(known,))
    assert "one_leader" in written(form, [outcome])


def test_the_json_has_the_documented_keys_in_order() -> None:
    for outcome in OUTCOMES:
        found = outcome_json(outcome)
        assert list(found) == [
            "spec",
            "variant",
            "bounds",
            "engine",
            "symmetry",
            "verdict",
            "property",
            "states",
            "transitions",
            "depth",
            "cuts",
            "seconds",
            "trace",
            "actions",
            "notes",
            "reason",
            "message",
            "properties",
            "any_size",
            "rests_on",
            "store",
            "collision_probability",
            "class",
            "location",
            "verdicts",
            "levels",
            "values",
            "profile",
            "coverage",
        ]
        assert json.loads(json.dumps(found)) == found
        assert found["verdict"] == outcome.verdict


def every(cls: type[Outcome]) -> set[type[Outcome]]:
    return {cls, *(found for sub in cls.__subclasses__() for found in every(sub))}


def test_every_type_of_outcome_counts_as_something_and_only_successes_exit_with_0() -> None:
    types = every(Outcome) - {Outcome}
    assert set(LEVELS) == types
    for cls, level in LEVELS.items():
        assert (level == "success") == (cls.exit_code == 0)


def test_among_others_github_shows_only_what_is_no_success() -> None:
    assert written("github", OUTCOMES).count("::notice") == 0


def test_the_json_carries_the_trace_and_what_belongs_to_the_verdict() -> None:
    holds, _, proven, violated, _, unfinished, failed = map(outcome_json, OUTCOMES)
    assert (holds["property"], holds["trace"], holds["states"], holds["symmetry"]) == (None, None, 10, ["Server"])
    assert Trace.from_json(violated["trace"]) == traces.target_spacetime()
    assert violated["property"] == "one_leader"
    assert (proven["properties"], proven["any_size"]) == (["converges"], True)
    assert (unfinished["reason"], failed["message"]) == ("memory limit", "KeyError: 's4'")


def test_junit_counts_violations_as_failures_and_the_undecided_as_errors() -> None:
    suite = ET.fromstring(written("junit", OUTCOMES)).find("testsuite")
    assert suite is not None
    assert {key: suite.get(key) for key in ("tests", "failures", "errors")} == {
        "tests": "7",
        "failures": "2",
        "errors": "2",
    }
    kinds = [[child.tag for child in case if child.tag != "system-out"] for case in suite.findall("testcase")]
    assert kinds == [[], [], [], ["failure"], ["failure"], ["error"], ["error"]]
    failure = suite.find("testcase/failure")
    assert failure is not None and "handle_request_vote" in (failure.text or "")


def test_github_annotations_are_one_line_each_with_the_level_of_the_verdict() -> None:
    lines = "".join(written("github", [outcome]) for outcome in OUTCOMES).splitlines()
    assert [line.split(" ")[0] for line in lines] == [
        "::notice",
        "::notice",
        "::notice",
        "::error",
        "::error",
        "::warning",
        "::error",
    ]
    assert lines[3].startswith("::error title=Quorate raft NoVote::violated: one_leader, by a run of 14 steps")
    assert "%0A" in lines[3]


def test_github_titles_escape_what_would_end_them() -> None:
    assert written("github", [Holds("a:b,c%", None, {}, "native")]).startswith(
        "::notice title=Quorate a%3Ab%2Cc%25::holds"
    )


@given(st.text(), st.text())
def test_any_text_gives_well_formed_output(name: str, message: str) -> None:
    outcomes = [
        Failed(name, message, {}, "reference", message=message),
        Unfinished(name, None, {}, "native", reason=message),
    ]
    assert len(ET.fromstring(written("junit", outcomes)).findall("testsuite/testcase")) == 2
    assert written("github", outcomes).replace("\r", "\n").count("\n") == 2
