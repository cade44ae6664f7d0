"""The page of one run: what it draws is the scene, a reader steps through it, and nothing is loaded from anywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from quorate.report.diagram import BARE, WHOLE, View, scene
from quorate.report.run_page import run_page
from quorate.report.states import States, states
from quorate.trace import Trace

ROOT = Path(__file__).parents[2]
FIGURE_8 = ROOT / "counterexamples" / "raft" / "commits_old_terms" / "trace.json"
BLOCKED = ROOT / "counterexamples" / "raft_election" / "candidate_waits" / "trace.json"


@pytest.fixture
def trace() -> Trace:
    return Trace.load(FIGURE_8)


def at(table: States, step: int) -> dict[tuple[str, str], str]:
    """What stands in the table after a step: by variable and lane, or variable alone."""
    found = {}
    for frame in table.frames[: step + 1]:
        for cell in frame:
            found[table.rows[cell.row], table.columns[cell.column] if cell.column >= 0 else ""] = cell.text
    return found


def test_the_states_are_those_of_the_run_step_by_step(trace: Trace) -> None:
    table = states(trace)
    assert table.columns == trace.lanes and "network" not in table.rows
    first, last = at(table, 0), at(table, len(trace))
    assert first["role", "s1"] == "LEADER" and first["committed", ""] == "{}"
    assert last["role", "s2"] == "LEADER" and last["term", "s2"] == "4" and "Commitment(" in last["committed", ""]
    for step in trace.steps:
        now = at(table, step.index)
        for change in step.changes:
            if change.variable == "role":
                assert now["role", change.key[0]] == change.new
    stressed = {(table.rows[cell.row], cell.column) for frame in table.frames for cell in frame if cell.stressed}
    assert ("committed", -1) in stressed


def test_a_hidden_variable_is_in_no_row(trace: Trace) -> None:
    assert "term" not in states(trace, ["term"]).rows


def test_a_scene_says_where_its_steps_and_lanes_are(trace: Trace) -> None:
    drawn = scene(trace, view=BARE).to_json()
    assert [band["index"] for band in drawn["bands"]] == list(range(len(trace) + 1))
    assert all(
        above["bottom"] <= below["top"] for above, below in zip(drawn["bands"], drawn["bands"][1:], strict=False)
    )
    assert set(drawn["lanes"]) == set(trace.lanes) and drawn["bands"][-1]["bottom"] <= drawn["foot"]
    words = [text["text"] for text in drawn["texts"]]
    assert "\N{MULTIPLICATION SIGN} leader_completeness" not in words
    assert "\N{MULTIPLICATION SIGN} leader_completeness" in [text["text"] for text in scene(trace).to_json()["texts"]]


def test_a_scene_without_changes_is_narrow_and_keeps_every_lane() -> None:
    trace = Trace.load(BLOCKED)
    narrow = scene(trace, view=View(False, False, changes=False, idle=True))
    assert narrow.width < scene(trace, view=WHOLE).width
    assert set(narrow.lanes) == set(trace.lanes)


def test_a_reader_steps_through_the_run_by_keys_slider_and_rows(page: Any, trace: Trace, tmp_path: Path) -> None:
    file = tmp_path / "run.html"
    file.write_text(run_page(trace), encoding="utf-8")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(file.as_uri())
    assert page.locator("output").inner_text() == "10"
    role = page.locator("tr", has=page.get_by_role("rowheader", name="role", exact=True)).locator("td")
    page.keyboard.press("Home")
    assert page.get_by_role("heading", name="Initial state").is_visible()
    assert [cell.inner_text() for cell in role.all()] == ["LEADER", "LEADER", "FOLLOWER"]
    page.keyboard.press("ArrowRight")
    assert page.get_by_text("handle_request s1").is_visible() and page.url.endswith("#1")
    assert "changed" in (role.first.get_attribute("class") or "") and "FOLLOWER" in role.first.inner_text()
    page.get_by_role("slider").fill("6")
    assert page.get_by_role("heading", name="Step 6", exact=True).is_visible() and page.locator(".veil").count() == 1
    page.locator(".row").nth(9).click()
    assert page.url.endswith("#9")
    page.keyboard.press("End")
    assert page.locator(".veil").count() == 0
    assert page.get_by_role("region", name="Verdict").get_by_text("leader_completeness").is_visible()
    assert asked == [file.as_uri()]


def test_without_scripts_the_picture_and_the_text_are_there(browser: Any, trace: Trace, tmp_path: Path) -> None:
    file = tmp_path / "run.html"
    file.write_text(run_page(trace), encoding="utf-8")
    context = browser.new_context(java_script_enabled=False)
    tab = context.new_page()
    tab.goto(file.as_uri())
    assert tab.locator("figure svg").is_visible()
    tab.locator("summary").click()
    assert "leader_completeness" in tab.locator("pre").inner_text()
    context.close()
