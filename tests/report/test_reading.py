"""Pictures can be read: by those who do not see red, on paper, on a dark page, and by a screen reader."""

import xml.etree.ElementTree as ET
from itertools import combinations
from pathlib import Path

import pytest
import report_traces as traces
from quorate.errors import TraceError, UsageError
from quorate.report.diagram import scene, spacetime
from quorate.report.palette import BAD, DARK, GOOD, GROUNDS, TEXTS
from quorate.report.render import svg
from quorate.report.scene import Scene
from quorate.trace import Change, Trace
from report_traces import Run, at, members, record, whole

GALLERY = Path(__file__).parents[2] / "counterexamples"
SVG = "{http://www.w3.org/2000/svg}"
A4_WIDTH = 842 - 2 * 28
"""Points across A4, less margins of a centimetre."""


def luminance(colour: str) -> float:
    """Relative luminance, as WCAG 2.2 defines it."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(share * part for share, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("ground", GROUNDS)
@pytest.mark.parametrize("ink", TEXTS)
def test_words_have_a_contrast_of_four_and_a_half_to_one_by_day_and_by_night(ink: str, ground: str) -> None:
    assert contrast(ink, ground) >= 4.5
    assert contrast(DARK[ink], DARK[ground]) >= 4.5


def test_the_measure_of_contrast_is_that_of_the_standard() -> None:
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21.0)
    assert contrast("#777777", "#FFFFFF") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("file", sorted(GALLERY.rglob("trace.json")), ids=lambda file: "-".join(file.parts[-3:-1]))
def test_no_word_of_the_gallery_is_under_seven_points_across_a_page(file: Path) -> None:
    page = scene(Trace.load(file))
    printed = min(1.0, A4_WIDTH / (page.width + 14.4))  # Graphviz pads a tenth of an inch at each side.
    assert min(text.size for text in page.texts) * printed >= 7.0


def test_steps_that_count_have_a_ring_and_not_only_a_colour() -> None:
    page = scene(traces.two_phase_commit())
    rings = {mark.centre for mark in page.marks if mark.name.startswith(".ring")}
    red = {mark.centre for mark in page.marks if mark.name.startswith("step ") and mark.fill == BAD}
    assert rings == red != set()


def test_a_picture_has_a_title_a_description_a_role_and_dark_colours() -> None:
    root = ET.fromstring(svg(spacetime(traces.two_phase_commit())))
    title, description, style = root[0], root[1], root[2]
    assert root.get("role") == "img"
    assert (title.tag, description.tag, style.tag) == (f"{SVG}title", f"{SVG}desc", f"{SVG}style")
    assert (title.text or "").startswith("two_phase_commit")
    assert "8 choose_to_abort at rm3" in (description.text or "")
    assert "prefers-color-scheme: dark" in (style.text or "")


# What takes part, what is touched, what is on the wire


def words(page: Scene) -> str:
    return " ".join(text.text for text in page.texts)


def test_lanes_that_take_no_part_are_left_out_and_named() -> None:
    run = Run("s", ["a", "b", "c"], {"x": 0}).step("act", "a", at("a", "x", 0, 1), send=[record("M", target="b")])
    page = scene(run.end())
    assert "c takes no part" in words(page)
    assert [text.text for text in page.texts if text.size == 12.0] == ["a", "b"]


@pytest.mark.parametrize("lanes", [1, 2, 3])
@pytest.mark.parametrize("words_in_title", [3, 12, 60])
def test_a_long_title_is_whole_and_covers_nothing_however_few_the_lanes(lanes: int, words_in_title: int) -> None:
    drawn, idle = ["a", "b", "c"][:lanes], [f"bystander{number}" for number in range(words_in_title)]
    run = Run("idempotent_requests", [*drawn, *idle], {"x": 0})
    for lane in drawn:
        run.step("act", lane, at(lane, "x", 0, 1))
    page = scene(run.end().but(variant="AsksOnce"))
    title = [text.box for text in page.texts if text.y < 45]
    assert f"variant AsksOnce, {', '.join(idle)} take no part" in words(page)
    assert not any(one.overlaps(other) for one, other in combinations(title, 2))
    assert all(box.right <= page.width and box.bottom < 47 for box in title)


@pytest.mark.parametrize("lanes", [["a"], ["a", "b"], ["a", "b", "c"]])
@pytest.mark.parametrize("lane", ["a", "c", "env"])
@pytest.mark.parametrize("target", ["a", "server"])
def test_the_cross_of_a_lost_message_covers_no_word(lanes: list[str], lane: str, target: str) -> None:
    run = Run("s", [*lanes, "server"], {"x": 0})
    for one in lanes:
        run.step("act", one, at(one, "x", 0, 1))
    run.step("ask", lane, send=[record("M", target=target)]).step("lose", "network", lose="m1")
    page = scene(run.end())
    (cross,) = [mark for mark in page.marks if "lost in" in mark.name]
    assert not [text.text for text in page.texts if text.box.overlaps(cross.box)]


def test_a_step_over_a_quorum_has_a_mark_on_every_lane_that_it_touches() -> None:
    run = Run("s", ["a", "b", "c"], {"x": 0})
    run.step("read", "env", at("a", "x", 0, 1), whole("n", 0, 1), quorum=members("a", "c"))
    page = scene(run.end())
    marks = {mark.name: mark for mark in page.marks}
    assert marks["a in step 1 read"].fill == marks["a in step 1 read"].stroke
    assert marks["c in step 1 read"].fill == "#FFFFFF"
    assert not any(name.startswith("b in") for name in marks)


def test_messages_that_count_where_they_are_are_told_from_those_that_nobody_reads() -> None:
    run = Run("s", ["a", "b"], {"net": members()})
    run.step("vote", "a", send=["YES"]).step("vote", "b", send=["NO"])
    trace = run.end().but(kind="invariant", property="p", looked_at=("m1",))
    page = scene(trace)
    shapes = {mark.name: (mark.shape, mark.stroke) for mark in page.marks if "under way" in mark.name}
    assert shapes["m1 under way since step 1"] == ("diamond", BAD)
    assert shapes["m2 under way since step 2"][0] == "circle"
    assert {"step 1 vote"} == {mark.name for mark in page.marks if mark.name.startswith("step") and mark.fill == BAD}
    assert "on the wire, read by the property" in words(page)


def test_what_the_first_state_has_is_shown_by_lane_once_for_lanes_that_are_alike() -> None:
    run = Run("s", ["a", "b"], {"x": 0}).step("act", "a", at("a", "x", 2, 3)).step("act", "b", at("b", "x", 2, 3))
    given = (*(Change("x", (lane,), 0, 2, lane) for lane in "ab"), Change("total", (), 0, 9))
    page = scene(run.end().but(given=given))
    row = [text.text for text in sorted(page.texts, key=lambda text: (text.y, text.x)) if text.bold][:7]
    assert {"a, b", "2", "9"} <= set(row)


# Anything may be a name


@pytest.mark.parametrize(
    "name", ["<b>x</b>", "a & b", '"', "'", "\\", "\\N", "\N{GRINNING FACE}", "", "n" * 300, "a:b"]
)
def test_the_name_of_a_lane_is_text(name: str) -> None:
    run = Run("s", [name, "b"], {"x": 0})
    run.step("act", name, at(name, "x", 0, 1), send=[record("M", target="b")]).step("get", "b", take="m1")
    root = ET.fromstring(svg(spacetime(run.end())))
    shown = [(element.text or "").replace("\xa0", " ") for element in root.iter(f"{SVG}text")]
    assert name[:5] == "" or any(text.startswith(name[:5]) for text in shown)


def test_the_name_of_an_action_and_a_message_is_text() -> None:
    run = Run("<i>s</i>", ["<b>"], {"x": 0})
    run.step("<b>act</b>", "<b>", at("<b>", "x", 0, 1), send=["<u>m</u>"])
    root = ET.fromstring(svg(spacetime(run.end())))
    shown = {(element.text or "").replace("\xa0", " ") for element in root.iter(f"{SVG}text")}
    assert {"<i>s</i>", "<b>act</b>", "m1 <u>m</u>"} <= shown


# Absurd traces end in seconds, in a picture or in a clear error


def stored(folder: Path, text: str) -> Path:
    path = folder / "trace.json"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("[" * 150_000 + "]" * 150_000, "nested too deep"),
        ("[" * 900 + "]" * 900, "nested more than 200 deep"),
        ("9" * 5000, "thousands of digits"),
    ],
)
def test_values_that_no_specification_has_are_refused(tmp_path: Path, value: str, said: str) -> None:
    with pytest.raises(TraceError, match=said):
        Trace.load(stored(tmp_path, f'{{"format": "quorate-trace-1", "initial": {value}}}'))


def test_a_sentence_as_long_as_a_book_and_a_broken_character_can_be_drawn() -> None:
    run = Run("s\ud800", ["a"], {"x": 0}).step("act", "a", at("a", "x", 0, "\udfff"))
    for sentence in ("word " * 40_000, "w" * 200_000):
        ET.fromstring(svg(spacetime(run.end().but(kind="invariant", property="p", sentence=sentence))))


def test_a_trace_of_ten_thousand_steps_is_refused_with_what_to_do() -> None:
    run = Run("s", ["a"], {"x": 0})
    for number in range(10_000):
        run.step("act", "a", at("a", "x", number, number + 1))
    with pytest.raises(UsageError, match="quorate replay"):
        spacetime(run.end())


def test_a_goal_that_is_reached_is_nothing_red() -> None:
    run = Run("s", ["a"], {"x": 0}).step("act", "a", at("a", "x", 0, 1, True))
    page = scene(run.end().but(kind="reachable", property="p"))
    assert not [
        item for item in (*page.marks, *page.texts) if BAD in (getattr(item, "fill", ""), getattr(item, "colour", ""))
    ]
    assert [mark.fill for mark in page.marks if mark.name == "step 1 act"] == [GOOD]
