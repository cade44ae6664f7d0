"""One failing specification, shown rightly in every format, each read by somebody else's reader where there is one."""

from __future__ import annotations

import json
import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import itf_py
import jsonschema
import junitparser
import pytest
import sarif_schema
from hypothesis import given
from hypothesis import strategies as st
from quorate.cli import main
from quorate.outcome import Failed, Holds, Outcome, Statistics
from quorate.report.machine import result_of
from quorate.report.report_page import report_page
from test_machine_formats import OUTCOMES

SPEC = '''from quorate import Nat, Scalarset, Spec, action, holds, invariant, reachable, require, violates


class P(Scalarset, size=2):
    """A process."""


class N(Nat, max=3):
    """A number."""


class Count(Spec):
    """Processes <count>, & stop."""

    n: dict[P, N]

    @action
    def up(self, p: P) -> None:
        self.n[p] += 1

    @action
    def never(self, p: P) -> None:
        require(self.n[p] > 3)
        self.n[p] = N(0)

    @invariant
    def few(self) -> bool:
        """No process counts to <three> & more."""
        return all(self.n[p] < 3 for p in P)

    @reachable
    def begun(self) -> bool:
        return any(self.n[p] > 0 for p in P)


class Expected(Count):
    expect = violates("few")
'''
REFERENCE = ("--engine", "reference")
LINE = SPEC[: SPEC.index("def few")].count("\n") + 1


def run(*arguments: str) -> int:
    """The exit code of a command."""
    with pytest.MonkeyPatch.context() as patch, pytest.raises(SystemExit) as end:
        patch.setattr(sys, "argv", ["quorate", *arguments])
        main()
    return int(end.value.code or 0)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "count.py").write_text(SPEC, encoding="utf-8")
    return tmp_path


@pytest.fixture
def checked(folder: Path) -> Path:
    files = [part for name in ("r.html", "r.xml", "r.sarif", "r.json") for part in ("-o", name)]
    assert run("check", "count.py", *files, "--out", "out", *REFERENCE) == 1
    assert run("draw", "out/trace.json", "-o", "run.itf.json") == 0
    return folder


class Page(HTMLParser):
    """The texts, tags and attributes of a page. Fails for a tag that is not closed in order."""

    VOID = ("meta", "line", "rect", "path", "polygon", "polyline", "ellipse", "text")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.open: list[str] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def outside(page: Page) -> Iterator[str]:
    """What a page would fetch."""
    for name, value in page.attributes:
        if name in ("src", "href", "xlink:href", "data", "action") and not value.startswith("#"):
            yield value


def test_the_page_has_the_verdict_the_numbers_and_the_run_and_fetches_nothing(checked: Path) -> None:
    text = (checked / "r.html").read_text(encoding="utf-8")
    page = Page(text)
    words = "\n".join(page.words)
    assert list(outside(page)) == [] and "script" not in page.tags and "url(" not in text
    assert "No process counts to <three> & more." in words
    assert "violated: few, by a run of 3 steps" in words
    assert f"count.py:{LINE}" in words
    assert (
        page.words[page.words.index("never") + 1] == "0"
    )  # The search ended early: it is not said that the action never fires.
    assert ("aria-label", "New states by depth, from 0 to 3; at most 2, at depth 2") in page.attributes
    assert [word for word in page.words if word.startswith("depth ")] == [
        "depth 0: 1 state",
        "depth 1: 1 state",
        "depth 2: 2 states",
        "depth 3: 2 states",
    ]
    assert page.tags.count("svg") == 2  # The plot, and the run.
    ids = [value for name, value in page.attributes if name == "id"]
    assert len(ids) == len(set(ids))


def test_junit_is_read_as_a_failure_with_the_run(checked: Path) -> None:
    (suite,) = junitparser.JUnitXml.fromfile(str(checked / "r.xml"))
    assert (suite.tests, suite.failures, suite.errors, suite.skipped) == (1, 1, 0, 0)
    (case,) = suite
    (found,) = case.result
    assert isinstance(found, junitparser.Failure) and found.type == "violated"
    assert "up" in found.text and "few: violated after step 3" in found.text
    shape(ET.parse(checked / "r.xml").getroot())


SHAPE: dict[str, tuple[set[str], set[str], set[str]]] = {
    "testsuites": (set(), set(), {"testsuite"}),
    "testsuite": ({"name", "tests", "failures", "errors", "skipped", "time"}, set(), {"testcase"}),
    "testcase": ({"classname", "name", "time"}, {"file", "line"}, {"failure", "error", "system-out"}),
    "failure": ({"type", "message"}, set(), set()),
    "error": ({"type", "message"}, set(), set()),
    "system-out": (set(), set(), set()),
}
"""The elements of JUnit's XML as Ant's formatter and surefire write it, and as GitLab and CircleCI read it (`file`, `line`): the
attributes that each must have and may have, and its children."""


def shape(element: ET.Element) -> None:
    must, may, children = SHAPE[element.tag]
    assert must <= set(element.attrib) <= must | may, element.tag
    for child in element:
        assert child.tag in children
        shape(child)


def test_sarif_is_as_its_schema_says_and_at_the_line_of_the_property(checked: Path) -> None:
    log = json.loads((checked / "r.sarif").read_text(encoding="utf-8"))
    jsonschema.validate(log, sarif_schema.LOG)
    results = [one for one in log["runs"][0]["results"] if one["kind"] == "fail"]
    place = results[0]["locations"][0]["physicalLocation"]
    assert (place["artifactLocation"]["uri"], place["region"]["startLine"]) == ("count.py", LINE)


def test_itf_is_read_by_another_library_as_the_states_of_the_run(checked: Path) -> None:
    trace = itf_py.trace_from_json(json.loads((checked / "run.itf.json").read_text(encoding="utf-8")))
    assert trace.vars == ["n"] and len(trace.states) == 4
    assert [sorted(state.values["n"].values()) for state in trace.states] == [[0, 0], [0, 1], [0, 2], [0, 3]]


def test_github_annotates_the_line_of_the_property(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("check", "count.py", "--format", "github", *REFERENCE) == 1
    assert capsys.readouterr().out.startswith(f"::error file=count.py,line={LINE},col=")


def test_every_format_can_be_printed_and_the_page_is_the_same(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("check", "count.py", "--format", "html", "-o", "r.html", *REFERENCE) == 1
    printed = capsys.readouterr().out
    assert printed == (folder / "r.html").read_text(encoding="utf-8")


def test_a_report_of_many_has_a_table_and_shows_what_is_wrong(folder: Path) -> None:
    assert run("verify", "count.py", "--workers", "1", "-o", "v.html", *REFERENCE) == 1
    assert (
        run("verify", "count.py", "--workers", "1", "-o", "v.html", "-o", "v.json", *REFERENCE) == 1
    )  # One is skipped now.
    text = (folder / "v.html").read_text(encoding="utf-8")
    page = Page(text)
    words = "\n".join(page.words)
    assert "2 results: 1 as it should be, 1 wrong" in words
    assert "not as expected" in words and "as expected, skipped" in words
    assert page.tags.count("svg") == 4, "the run of the variant that is to break is drawn, too"
    assert text.count("<details open>") == 1
    assert [one["skipped"] for one in json.loads((folder / "v.json").read_text(encoding="utf-8"))] == [False, True]


def test_what_cannot_be_written_is_refused_before_anything_is_done(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("check", "count.py", "-o", "r.txt", *REFERENCE) == 2
    assert run("check", "count.py", "-o", "none/r.html", *REFERENCE) == 2
    assert "explor" not in capsys.readouterr().out


def test_a_specification_that_cannot_be_used_is_in_the_report(folder: Path) -> None:
    (folder / "bad.py").write_text("x = 1 // 0\n", encoding="utf-8")
    assert run("check", "bad.py", "-o", "r.html", *REFERENCE) == 2
    assert "ZeroDivisionError" in (folder / "r.html").read_text(encoding="utf-8")


@given(st.text(), st.text())
def test_any_text_is_text(name: str, message: str) -> None:
    outcomes: list[Outcome] = [
        Failed(name, message, {}, "reference", message=message),
        Holds(
            name,
            None,
            {"N": 1},
            "native",
            (),
            Statistics(3, 3, 1, actions={name: 0, "b": 3}, levels=(1, 2)),
            (message,),
        ),
    ]
    page = Page(report_page([result_of(outcome) for outcome in outcomes]))
    assert "script" not in page.tags and list(outside(page)) == []


def test_every_kind_of_outcome_has_a_section() -> None:
    page: Any = Page(report_page([result_of(outcome) for outcome in OUTCOMES]))
    assert page.tags.count("h2") == len(OUTCOMES)
