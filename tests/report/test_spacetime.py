"""Space-time diagrams show every step and message, clip and overlap nothing, and come out the same every time."""

import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
import report_traces as traces
from hypothesis import given, settings
from hypothesis import strategies as st
from quorate.report.diagram import scene, spacetime
from quorate.report.palette import BAD, FADED_MARK, INK
from quorate.report.render import svg
from quorate.report.scene import Rect, Scene
from quorate.report.story import read
from quorate.trace import Trace
from report_traces import Run, at, mapping, members, record, whole

GOLDEN = Path(__file__).with_name("golden")


def assert_well_laid_out(page: Scene) -> None:
    sheet = Rect(0, 0, page.width, page.height)
    for text in page.texts:
        assert text.box.inside(sheet), f"{text.text!r} leaves the page"
    ordered = sorted(page.texts, key=lambda text: text.box.top)
    for number, text in enumerate(ordered):
        for other in ordered[number + 1 :]:
            if other.box.top >= text.box.bottom:
                break
            assert not text.box.overlaps(other.box), f"{text.text!r} overlaps {other.text!r}"
        if text.background:
            for mark in page.marks:
                assert mark.shape == "none" or mark.radius < 5 or not text.box.overlaps(mark.box), (
                    f"{text.text!r} hides a step"
                )
    for item in (*(mark.box for mark in page.marks), *(box.rect for box in page.boxes)):
        assert item.inside(sheet)
    for curve in page.curves:
        assert all(Rect(*point, *point).inside(sheet) for point in curve.points)


def assert_complete(page: Scene, trace: Trace) -> None:
    story = read(trace)
    marks = {mark.name for mark in page.marks}
    words = " ".join(text.text for text in page.texts)
    for step in trace.steps:
        assert any(text.text == str(step.index) for text in page.texts)
        assert story.lane_of(step) is None or f"step {step.index} {step.action}" in marks
    for flight in story.flights:
        assert re.search(rf"(?<!\w){re.escape(flight.name)}(?!\w)", words), f"{flight.name} has no label"
    assert sum(curve.arrow and curve.ends is not None for curve in page.curves) == sum(
        flight.fate == "received" for flight in story.flights
    )


@pytest.mark.parametrize("name", traces.ALL)
def test_nothing_overlaps_nothing_is_clipped_nothing_is_missing(name: str) -> None:
    trace = traces.ALL[name]()
    page = scene(trace)
    assert_well_laid_out(page)
    assert_complete(page, trace)


@pytest.mark.parametrize("name", traces.ALL)
def test_the_svg_is_well_formed_and_titled(name: str) -> None:
    trace = traces.ALL[name]()
    root = ET.fromstring(svg(spacetime(trace)))
    titles = [element.text or "" for element in root.iter("{http://www.w3.org/2000/svg}title")]
    assert titles[0].startswith(trace.spec)
    assert not any(title.startswith(".") for title in titles)


@pytest.mark.parametrize("name", ["stuck", "two_phase_commit"])
def test_the_source_is_the_golden_one(name: str) -> None:
    """To accept a changed picture, look at it, then write the new source over the golden file."""
    assert spacetime(traces.ALL[name]()) == (GOLDEN / f"{name}.dot").read_text(encoding="utf-8")


def test_the_source_does_not_depend_on_the_process() -> None:
    program = (
        "import report_traces, sys; from quorate.report.diagram import spacetime; "
        "sys.stdout.buffer.write(spacetime(report_traces.quorum_read()).encode())"
    )
    runs = [
        subprocess.run(
            [sys.executable, "-c", program],
            capture_output=True,
            check=True,
            cwd=Path(__file__).parents[2],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": f".:{Path(__file__).parent}"},
        ).stdout
        for seed in "12"
    ]
    assert runs[0] == runs[1] == spacetime(traces.quorum_read()).encode()


def colours(page: Scene) -> dict[str, str]:
    return {mark.name.split()[1]: mark.stroke for mark in page.marks if mark.name.startswith("step ")}


def test_marks_tell_crash_restart_timeout_and_cause_apart() -> None:
    page = scene(traces.target_spacetime())
    shapes = {
        mark.name.split()[1]: (mark.shape, mark.sign, mark.fill) for mark in page.marks if mark.name.startswith("step ")
    }
    assert shapes["10"] == ("square", "\N{MULTIPLICATION SIGN}", INK)
    assert shapes["11"] == ("circle", "", "#FFFFFF")
    assert shapes["6"] == ("diamond", "", INK)
    assert (colours(page)["12"], colours(page)["7"]) == (BAD, FADED_MARK)


def test_only_stressed_values_are_red_and_only_the_past_is_dark() -> None:
    page = scene(traces.two_phase_commit())
    red = [text.text for text in page.texts if text.colour == BAD and text.bold and text.y < page.boxes[-1].rect.top]
    assert red == ["COMMITTED", "COMMITTED", "ABORTED"]


def legend(trace: Trace) -> list[str]:
    page = scene(trace)
    foot = max([box.rect.bottom for box in page.boxes] + [0.0])
    return [text.text for text in page.texts if text.y > foot]


def test_the_legend_lists_only_what_occurs() -> None:
    assert legend(traces.stuck()) == ["WORKING", "PREPARED", "down", "step", "crash", "on the wire"]
    everything = legend(traces.target_spacetime())
    assert {"timeout", "restart", "lost", "partition", "delivered again"} <= set(everything)
    assert "on the wire" not in everything


def test_a_loop_returns_to_the_state_it_repeats() -> None:
    page = scene(traces.lasso())
    back = next(curve for curve in page.curves if curve.arrow and curve.ends is None)
    third, second = (next(mark.centre[1] for mark in page.marks if mark.name.startswith(f"step {n} ")) for n in (3, 2))
    assert second < back.points[-1][1] < third < back.points[0][1]
    assert "repeats steps 3 to 6 for ever" in [text.text for text in page.texts]
    assert "stays in this state for ever" in [text.text for text in scene(traces.stuck()).texts]


def test_a_wire_does_not_touch_a_step_it_has_nothing_to_do_with() -> None:
    run = Run("pass", ["a", "b", "c"], {})
    run.step("send", "a", send=[record("Hi", source="a", target="c")]).step("tick", "b", whole("x", 0, 1))
    run.step("get", "c", take="m1")
    page = scene(run.end())
    wire = next(curve for curve in page.curves if curve.ends is not None)
    middle = next(mark.centre for mark in page.marks if mark.name == "step 2 tick")
    halfway = [
        (wire.points[0][i] + 3 * wire.points[1][i] + 3 * wire.points[2][i] + wire.points[3][i]) / 8 for i in (0, 1)
    ]
    assert abs(halfway[0] - middle[0]) + abs(halfway[1] - middle[1]) > 10


def test_a_payload_too_long_for_its_wire_is_written_beside_the_step_and_whole_in_the_tooltip() -> None:
    source = spacetime(traces.quorum_read())
    assert "m1 Store" in source and "Store(version 1, value v1)" in source
    assert "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" in spacetime(traces.huge_values())


def test_text_that_looks_like_markup_is_printed_as_it_stands() -> None:
    run = Run("<b>&amp;\\N", ["<a>", "b&lt;"], {"x": 0})
    run.step('"quoted"', "<a>", at("<a>", "x", "<i>", "a\\nb\tc\x00"), send=["<table>"])
    run.step("act", "b&lt;", at("b&lt;", "x", 0, 1))
    root = ET.fromstring(svg(spacetime(run.end())))
    texts = {(element.text or "").replace("\xa0", " ") for element in root.iter("{http://www.w3.org/2000/svg}text")}
    assert {"<b>&amp;\\N", "<a>", "b&lt;", '"quoted"', "a\\nb c\N{REPLACEMENT CHARACTER}", "m1 <table>"} <= texts


lane_names = st.sampled_from(["s1", "s2", "s3", "client", "network", "ein sehr langer Name für einen Prozess"])
payloads = st.sampled_from(
    [
        "PING",
        record("Vote", term=1, source="s1", target="s2"),
        record("Append", entries=[1, 2, 3] * 9, target="s3"),
        None,
        record("Wide", reason="W" * 60),
    ]
)
changes = st.builds(
    lambda lane, owned, old, new, relevant: (
        at(lane, "role", old, new, relevant) if owned else whole("total", old, new, relevant)
    ),
    lane_names,
    st.booleans(),
    st.sampled_from(["A", None, 1, members("x")]),
    st.sampled_from(["B", 2, members("x", "y"), [1] * 40]),
    st.booleans(),
)


@st.composite
def random_traces(draw: st.DrawFn) -> Trace:
    run = Run(
        "random", draw(st.lists(lane_names, unique=True, max_size=4)), {"role": mapping(s1="A", s2="B")}, role="role"
    )
    for _ in range(draw(st.integers(0, 12))):
        known = sorted(run.messages)
        some = st.lists(st.sampled_from(known), max_size=2, unique=True).map(" ".join) if known else st.just("")
        run.step(
            draw(st.sampled_from(["act", "handle_a_message_with_a_long_name", "行動"])),
            draw(lane_names),
            *draw(st.lists(changes, max_size=4)),
            take=draw(some),
            lose=draw(some),
            send=draw(st.lists(payloads, max_size=4)),
            mark=draw(st.sampled_from([None, None, "crash", "restart", "timeout", "partition", "heal", "loss"])),
            isolated=tuple(draw(st.lists(lane_names, unique=True, max_size=2))),
            copy=draw(st.booleans()),
        )
    kind = draw(
        st.sampled_from(["invariant", "step", "deadlock", "error", "eventually", "leads_to", "reachable", "run"])
    )
    loop = draw(st.none() | st.integers(0, len(run.steps)))
    return run.end(kind=kind, property="p", sentence="Never so.", loop=loop)


@settings(max_examples=120)
@given(random_traces())
def test_any_trace_is_drawn_without_clipping_or_overlap(trace: Trace) -> None:
    page: Any = scene(trace)
    assert_well_laid_out(page)
    assert_complete(page, trace)


@settings(max_examples=15)
@given(random_traces())
def test_any_trace_gives_well_formed_svg(trace: Trace) -> None:
    ET.fromstring(svg(spacetime(trace)))
