"""The explorer in a real browser: tours of two protocols, with mouse and with keys only, and what axe-core says of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from quorate.explorer.server import Server
from quorate.explorer.session import Session
from quorate.explorer.stage import Run
from quorate.loading import load
from quorate.trace import Trace

from tests.web.conftest import WAIT_MS
from tests.web.npm import installed

Start = Callable[..., str]


@pytest.fixture
def start() -> Iterator[Start]:
    """Serves a protocol under some bounds, or with the run of a counterexample; gives the page's address."""
    with ExitStack() as stack:

        def serve(name: str, variant: str = "", **bounds: int) -> str:
            if variant:
                stored = Trace.load(Path("counterexamples", name, variant, "trace.json").resolve())
                session = Session(load(name), stored.bounds, 2, stored.variant)
                session.begin(Run.of(stored))
            else:
                session = Session(load(name), bounds, 2)
            server = stack.enter_context(Server(session))
            thread = Thread(target=server.serve_forever)
            thread.start()
            stack.callback(thread.join)
            stack.callback(server.shutdown)
            return server.address

        yield serve


def option(page: Any, action: str, lane: str) -> Any:
    return page.locator(".option", has_text=action).filter(has_text=lane).first


def step(page: Any, number: int) -> None:
    """Wait until the page shows this step."""
    page.locator("#state", has_text=f"step {number}" if number else "Initial").wait_for()


def value(page: Any, variable: str, column: int) -> str:
    row = page.locator(".states tbody tr", has=page.get_by_role("rowheader", name=variable, exact=True))
    return str(row.locator("td").nth(column).locator(".value").inner_text())


def test_a_tour_of_raft(page: Any, start: Start) -> None:
    page.goto(start("raft"))
    option(page, "time_out", "s1").click()
    step(page, 1)
    assert value(page, "role", 0) == "CANDIDATE" and page.locator("td.changed").count() == 3
    page.locator("#wire-m1").get_by_role("button", name="s2").click()
    step(page, 2)
    option(page, "win", "s1").click()
    step(page, 3)
    assert value(page, "role", 0) == "LEADER" and "LEADER" in page.locator(".head").first.inner_text()
    refused = page.locator(".refused").filter(has=page.get_by_text("request", exact=True))
    refused.locator("summary").click()
    refused.get_by_role("listitem").filter(has_text="role[s2] is FOLLOWER").wait_for()
    page.locator(".head").first.get_by_role("button").click()
    step(page, 4)
    page.get_by_role("button", name="Undo").click()
    step(page, 3)
    assert page.locator(".veil").count() == 1
    option(page, "request", "s1").click()
    step(page, 4)
    branches = page.get_by_role("group", name="Branches").get_by_role("button")
    assert branches.count() == 2, "another step than before begins a branch"
    branches.first.click()
    step(page, 3)
    page.get_by_role("button", name="Redo").click()
    step(page, 4)
    page.locator("#last + p", has_text="restart").wait_for()
    page.locator(".row").nth(1).click()
    step(page, 1)
    page.get_by_label("What if another variant ran here").select_option("ForgetsVote")
    page.get_by_role("heading", name="What if ForgetsVote ran here?").wait_for()
    page.get_by_role("button", name="Go on with it").click()
    page.locator("#variant").get_by_text("ForgetsVote").first.wait_for(state="attached")
    assert page.locator("#variant").input_value() == "ForgetsVote"


def test_a_tour_by_keys_only_and_its_address_is_the_run(page: Any, start: Start) -> None:
    address = start("two_phase_commit")
    page.goto(address)
    page.locator(".option").first.wait_for()
    for number in range(1, 4):
        page.keyboard.press("1")
        step(page, number)
    page.keyboard.press("ArrowLeft")
    step(page, 2)
    page.keyboard.press("Home")
    step(page, 0)
    page.keyboard.press("End")
    step(page, 3)
    page.keyboard.press("r")
    step(page, 4)
    page.keyboard.press("u")
    step(page, 3)
    page.keyboard.press("Shift+U")
    step(page, 4)
    page.keyboard.press("?")
    page.locator("#keys").wait_for()
    page.keyboard.press("/")
    assert page.evaluate("() => document.activeElement.id") == "expression"
    page.keyboard.press("1")
    assert page.locator("#expression").input_value() == "1", "what is typed into a field is no shortcut"
    page.keyboard.press("Escape")
    page.keyboard.press("Tab")
    actions = page.locator("#last + p").inner_text()
    shared = page.url
    assert "#" in shared
    page.goto("about:blank")
    page.goto(shared)
    step(page, 4)
    assert page.locator("#last + p").inner_text() == actions


def test_a_run_is_saved(page: Any, start: Start, tmp_path: Path) -> None:
    page.goto(start("two_phase_commit"))
    option(page, "abort", "TM").click()
    step(page, 1)
    with page.expect_download() as download:
        page.get_by_label("Export this run").select_option("json")
    assert download.value.suggested_filename == "two_phase_commit.json"
    file = tmp_path / "run.json"
    download.value.save_as(file)
    assert [one.action for one in Trace.load(file).steps] == ["abort"]


@pytest.mark.slow
def test_a_quiz_hides_what_is_violated_until_it_is_said_when(page: Any, start: Start) -> None:
    page.goto(start("two_phase_commit", "commit_by_majority"))
    step(page, 7)
    page.get_by_label("Quiz", exact=True).select_option("spot")
    step(page, 0)
    assert page.locator(".properties").count() == 0 and page.locator(".tick").count() == 0
    page.keyboard.press("x")
    page.get_by_text("Not yet: nothing is false after step 0.").wait_for()
    page.keyboard.press("End")
    step(page, 7)
    assert page.locator(".stressed").count() == 0, "nothing is red before it is said"
    page.get_by_role("button", name="It is broken now").click()
    page.get_by_text("Right: from step 7 on").wait_for()
    page.get_by_role("button", name="End the quiz").click()
    page.get_by_label("Quiz", exact=True).select_option("break")
    step(page, 6)
    tried = 0
    while page.get_by_text("Right: that breaks").count() == 0:
        page.locator(".option").nth(tried).click()
        page.get_by_text("Nothing is violated after this step").or_(
            page.get_by_text("Right: that breaks")
        ).first.wait_for()
        if page.get_by_text("Right: that breaks").count() == 0:
            page.keyboard.press("u")
            step(page, 6)
        tried += 1
    page.locator(".properties .bad").first.wait_for()


@pytest.mark.slow
def test_it_says_when_it_was_too_late_and_draws_another_variant_beside(page: Any, start: Start) -> None:
    page.goto(start("two_phase_commit", "commit_by_majority"))
    step(page, 7)
    page.get_by_role("button", name="When was it too late?").first.click()
    page.get_by_text("The point of no return is step 7").first.wait_for()
    assert page.locator(".tick.late").count() == 1
    page.get_by_label("What if another variant ran here").select_option("TwoPhaseCommit")
    page.get_by_role("heading", name="What if the protocol itself ran here?").wait_for()
    assert page.locator(".diagram").count() == 2


@pytest.mark.slow
def test_it_takes_a_reader_to_figure_8_and_shows_what_is_violated(page: Any, start: Start) -> None:
    bounds = Trace.load(Path("counterexamples/raft/commits_old_terms/trace.json").resolve()).bounds
    page.goto(start("raft", **bounds))
    page.locator(".option").first.wait_for()
    before = page.url
    page.get_by_label("Variant", exact=True).select_option("CommitsOldTerms")
    page.wait_for_function(
        "url => location.href !== url", arg=before
    )  # What is asked of the first one is not asked of this.
    page.locator(".option").first.wait_for()
    page.keyboard.press("v")
    page.locator(".properties .bad", has_text="leader_completeness").wait_for()
    assert "none with fewer" in page.locator(".found").inner_text()
    assert page.locator(".tick").count() == 1 and page.locator(".properties .bad dl").is_visible()


def test_the_state_graph_shows_the_run_and_goes_to_a_state(page: Any, start: Start) -> None:
    page.goto(start("raft_election", Server=2, Term=1))
    page.locator(".option").first.wait_for()
    page.keyboard.press("1")
    step(page, 1)
    page.keyboard.press("g")
    page.get_by_role("region", name="State graph").wait_for()
    page.get_by_text("All 30 states").wait_for()
    for name in ("voted_for", "network", "elected", "steady"):
        page.get_by_label(name, exact=True).uncheck()
    page.get_by_text("30 states, drawn as 9: those that agree in term, role are one").wait_for()
    assert page.locator(".state.now").count() == 1
    page.get_by_label("Together").select_option("role")
    page.locator(".states-graph path[stroke-dasharray]").first.wait_for()
    page.get_by_role("button", name="role {s1: LEADER, s2: FOLLOWER}").click()
    step(page, 3)
    assert value(page, "role", 0) == "LEADER"
    page.locator(".state.now").focus()
    page.get_by_role("button", name="initial;").focus()
    page.keyboard.press("Enter")
    step(page, 0)
    page.get_by_role("button", name="Graph").click()
    page.get_by_role("region", name="Space-time diagram").wait_for()


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(browser: Any, start: Start, scheme: str) -> None:
    axe = (installed() / "node_modules" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")
    context = browser.new_context(viewport={"width": 1280, "height": 800}, color_scheme=scheme, bypass_csp=True)
    context.set_default_timeout(WAIT_MS)
    page = context.new_page()
    page.goto(start("raft"))
    page.locator(".option").first.wait_for()
    for key in ("1", "1", "3", "?"):
        page.keyboard.press(key)
        page.wait_for_timeout(300)
    page.locator(".properties button").first.click()
    page.evaluate(axe)
    found = page.evaluate("() => axe.run()")["violations"]
    page.goto(start("raft_election", Server=2, Term=1))
    page.locator(".option").first.wait_for()
    page.keyboard.press("g")
    page.locator(".states-graph").wait_for()
    page.evaluate(axe)
    found += page.evaluate("() => axe.run()")["violations"]
    context.close()
    assert [(one["id"], [node["html"][:120] for node in one["nodes"]]) for one in found] == []
