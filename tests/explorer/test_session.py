"""What the explorer answers: what can happen and what cannot, runs that grow and branch, searches, comparisons, files."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from quorate.errors import UsageError
from quorate.explorer.session import Session
from quorate.explorer.stage import Run
from quorate.loading import load
from quorate.trace import Trace

ASKED = {"record": "RequestVote", "fields": {"term": 1, "candidate": "s1", "last_index": 0, "last_term": 0}}
RAFT: list[Any] = [["time_out", {"s": "s1"}], ["handle_request", {"s": "s2", "m": ASKED}], ["win", {"s": "s1"}]]
EMPTY: dict[str, Any] = {"initial": {}, "steps": []}


@pytest.fixture(scope="module")
def raft() -> Session:
    return Session(load("raft"), {"Index": 2}, 1)


def look(session: Session, steps: list[Any], at: int | None = None, variant: str | None = None, **more: Any) -> Any:
    return session.answer("look", {"variant": variant, "run": {"initial": {}, "steps": steps}, "at": at, **more})


def calls(answer: Any) -> list[tuple[str, str]]:
    return [(option["action"], option["lane"]) for option in answer["now"]["options"]]


def test_at_the_start_everybody_may_time_out_and_the_rest_says_why_not(raft: Session) -> None:
    answer = look(raft, [])
    assert calls(answer) == [("time_out", "s1"), ("time_out", "s2"), ("time_out", "s3")]
    refused = {one["action"]: one["reasons"] for one in answer["now"]["refused"]}
    assert refused["win"][0] == {
        "lane": "s1",
        "given": "",
        "why": "role[s1] is FOLLOWER",
        "guard": "role[s1] == CANDIDATE",
    }
    assert refused["handle_append"] == [], "there is no AppendEntries to take"
    assert answer["now"]["lanes"] == {"s1": "FOLLOWER", "s2": "FOLLOWER", "s3": "FOLLOWER"}


def test_a_bound_that_stands_in_the_way_is_named(raft: Session) -> None:
    answer = look(raft, [["time_out", {"s": "s1"}]] * 2)
    refused = {one["action"]: one["reasons"] for one in answer["now"]["refused"]}
    assert [(one["lane"], one["why"]) for one in refused["time_out"]] == [("s1", "would pass the bound Term")]


def test_a_message_offers_who_may_take_it_and_a_second_delivery_is_one(raft: Session) -> None:
    answer = look(raft, RAFT[:1])
    (request,) = answer["now"]["wire"]
    takers = [answer["now"]["options"][number] for number in request["options"]]
    assert request["id"] == "m1" and request["source"] == "s1" and [one["lane"] for one in takers] == ["s2", "s3"]
    assert all(one["received"] == ["m1"] and not one["again"] for one in takers)
    commit = Session(load("two_phase_commit"), {}, 1)
    steps = [["abort", {}], ["obey_abort", {"r": "rm1"}]]
    again = [one["lane"] for one in look(commit, steps)["now"]["options"] if one["again"]]
    assert again == ["rm1"]


def test_a_lossy_network_offers_the_loss(tmp_path: Path) -> None:
    file = tmp_path / "lossy.py"
    file.write_text(
        "from quorate import Bag, Spec, action, require\n\n\nclass Lossy(Spec):\n    wire: Bag[bool] = Bag(lossy=True)\n\n"
        "    @action\n    def send(self) -> None:\n        require(True not in self.wire)\n        self.wire.send(True)\n",
        encoding="utf-8",
    )
    answer = look(Session(load(str(file)), {}, 1), [["send", {}]])
    (message,) = answer["now"]["wire"]
    assert [answer["now"]["options"][number]["lost"] for number in message["options"]] == [["m1"]]


def test_a_step_shows_what_it_changed_and_the_picture_grows(raft: Session) -> None:
    answer = look(raft, RAFT)
    assert [step["action"] for step in answer["run"]["steps"]] == ["time_out", "handle_request", "win"]
    rows, columns = answer["run"]["states"]["rows"], answer["run"]["states"]["columns"]
    changed = {
        (rows[cell[0]], columns[cell[1]], cell[2]) for cell in answer["run"]["states"]["frames"][3] if cell[1] >= 0
    }
    assert changed == {("role", "s1", "LEADER")}
    assert [band["index"] for band in answer["scene"]["bands"]] == [0, 1, 2, 3]
    earlier = look(raft, RAFT, at=1)
    assert earlier["scene"] == answer["scene"] and calls(earlier) == calls(look(raft, RAFT[:1]))


def test_a_property_is_red_with_its_witnesses_where_it_is_false(raft: Session) -> None:
    stored = Trace.load(Path("counterexamples/raft/forgets_vote/trace.json").resolve())
    session = Session(load("raft"), stored.bounds, 1)
    steps = [[step.action, step.arguments] for step in stored.steps]
    answer = look(session, steps, variant="ForgetsVote")
    assert [one["false"] for one in answer["judged"]] == [[]] * len(stored) + [["election_safety"]]
    broken = next(one for one in answer["now"]["properties"] if one["name"] == "election_safety")
    assert broken["holds"] is False and {"t", "a", "b"} <= {one["name"] for one in broken["witnesses"]}
    assert answer["run"]["verdict"]["tone"] == "bad"
    assert ["elected", None] in look(session, steps, variant="ForgetsVote", chosen="election_safety")["reads"]


def test_of_a_violation_it_says_when_it_was_too_late() -> None:
    stored = Trace.load(Path("counterexamples/two_phase_commit/commit_by_majority/trace.json").resolve())
    session = Session(load("two_phase_commit"), stored.bounds, 1, stored.variant)
    asked = {"variant": stored.variant, "run": Run.of(stored).to_json()}
    found = session.answer("return", {**asked, "property": stored.property})
    assert found["step"] == len(stored) and "a run can still avoid it (" in found["words"]
    with pytest.raises(UsageError, match="ends with a violation"):
        session.answer("return", {**asked, "property": stored.property, "at": 0})


def test_among_fair_runs_it_may_be_too_late_before() -> None:
    session = Session(load(str(Path(__file__).with_name("candle.py"))), {}, 1)
    run = {"initial": {}, "steps": [["burn", {}]] * 5}
    found = session.answer("return", {"variant": None, "run": run, "property": "burns_long"})
    assert (found["step"], found["fair"]) == (5, 3)
    assert "a run can still avoid it (turn env, turn env; it can go round for ever)" in found["words"]
    assert "Among fair runs it is step 3: before it, a fair run can still avoid it (put_out env;" in found["words"]


def test_a_run_of_a_variant_with_bounds_of_its_own_is_begun_with() -> None:
    stored = Trace.load(Path("counterexamples/two_phase_commit/votes_before_logging/trace.json").resolve())
    session = Session(load("two_phase_commit"), stored.bounds, 1, stored.variant)
    session.begin(Run.of(stored))
    assert session.about()["begin"] == {"variant": stored.variant, "run": Run.of(stored).to_json()}
    assert look(session, [])["bounds"] == {"ResourceManager": stored.bounds["ResourceManager"]}
    with pytest.raises(UsageError, match="no bound"):
        Session(load("two_phase_commit"), stored.bounds, 1)


def test_a_goal_is_reached_where_it_is_true(raft: Session) -> None:
    answer = look(raft, RAFT)
    assert all("two_leaders" not in one["reached"] for one in answer["judged"])
    goal = next(one for one in answer["now"]["properties"] if one["name"] == "two_leaders")
    assert goal["goal"] and goal["holds"] is False and goal["witnesses"] == []


def test_a_run_that_is_not_possible_is_refused_at_its_step(raft: Session) -> None:
    with pytest.raises(UsageError, match=r"Step 1: win\(s1\) is not possible here: role\[s1\] == CANDIDATE is false"):
        look(raft, [["win", {"s": "s1"}]])
    with pytest.raises(UsageError, match="no action of step 1 'lose_heart'"):
        look(raft, [["lose_heart", {}]])
    with pytest.raises(UsageError, match="takes s"):
        look(raft, [["win", {}]])
    with pytest.raises(UsageError, match="has arguments that are none"):
        look(raft, [["win", {"s": "nobody"}]])
    for data in (
        {},
        {"run": 7},
        {"run": {"initial": {}, "steps": [1]}},
        {"run": EMPTY, "at": 5},
        {"run": EMPTY, "at": True},
    ):
        with pytest.raises(UsageError):
            raft.answer("look", {"variant": None, **data})
    with pytest.raises(UsageError, match="no variant"):
        look(raft, [], variant="Nothing")
    with pytest.raises(UsageError, match="no question"):
        raft.answer("tell", {})


def test_the_same_seed_walks_the_same_way(raft: Session) -> None:
    asked = {"variant": None, "run": EMPTY, "steps": 6, "seed": 3}
    first, second = raft.answer("walk", asked), raft.answer("walk", asked)
    assert first == second and 1 <= len(first["run"]["steps"]) <= 6
    assert len(look(raft, first["run"]["steps"])["run"]["steps"]) == len(first["run"]["steps"])


def test_of_a_long_run_the_page_has_the_steps_around_the_current_one() -> None:
    session = Session(load("two_phase_commit"), {"ResourceManager": 4}, 1)
    steps = session.answer("walk", {"variant": None, "run": EMPTY, "steps": 90, "seed": 1})["run"]["steps"]
    assert len(steps) == 90
    answer = look(session, steps, at=50)
    assert answer["offset"] == 20 and answer["length"] == 90 and len(answer["judged"]) == 91
    assert [band["index"] for band in answer["scene"]["bands"]] == list(range(20, 66))
    assert [step["action"] for step in answer["run"]["steps"]] == [action for action, _ in steps[20:65]]
    before, after = look(session, steps[:20])["run"]["states"], answer["run"]["states"]
    shown: dict[tuple[int, int], str] = {}
    for frame in before["frames"]:
        shown |= {(cell[0], cell[1]): cell[2] for cell in frame}
    assert {(cell[0], cell[1]): cell[2] for cell in after["frames"][0]} == shown


def test_another_variant_is_compared_step_by_step(raft: Session) -> None:
    session = Session(load("two_phase_commit"), {}, 1)
    steps = [["prepare", {"r": "rm1"}], ["receive_prepared", {"m": {"record": "Prepared", "fields": {"rm": "rm1"}}}]]
    variants = [one["name"] for one in session.about()["variants"] if one["expect"].startswith("violates atomicity")]
    asked = {"variant": None, "run": {"initial": {}, "steps": steps}}
    found = [session.answer("compare", {**asked, "with": name}) for name in variants]
    assert any(one["offers"] or one["state"] or one["refused"] for one in found)
    same = session.answer("compare", {**asked, "with": None})
    drawn = same.pop("scene")
    assert same == {"variant": None, "taken": 2, "refused": "", "state": None, "offers": None, "false": None}
    assert [band["index"] for band in drawn["bands"]] == [0, 1, 2]


LONG = """from quorate import Nat, Spec, action, invariant


class Place(Nat, max=63):
    pass


class Long(Spec):
    seen: set[Place]

    def last(self) -> Place:
        return 62

    @action
    def see(self) -> None:
        self.seen = {p for p in Place if p < 60} | {self.last()}

    @invariant
    def fine(self) -> bool:
        return True


class Later(Long):
    def last(self) -> Place:
        return 63
"""


def test_what_is_too_long_to_be_shown_is_compared(tmp_path: Path) -> None:
    file = tmp_path / "long.py"
    file.write_text(LONG, encoding="utf-8")
    session = Session(load(str(file)), {}, 1)
    asked = {"variant": None, "run": {"initial": {}, "steps": [["see", {}]]}, "with": "Later"}
    found = session.answer("compare", asked)["state"]
    assert found["step"] == 1 and [one["variable"] for one in found["places"]] == ["seen"]


def test_a_step_that_raises_ends_the_run(tmp_path: Path) -> None:
    file = tmp_path / "raises.py"
    file.write_text(
        "from quorate import Nat, Spec, action\n\n\nclass Count(Nat, max=2):\n    '''How often.'''\n\n\n"
        "class Raises(Spec):\n    count: Count\n\n    @action\n    def divide(self) -> None:\n"
        "        self.count = Count(1 // self.count)\n",
        encoding="utf-8",
    )
    session = Session(load(str(file)), {}, 1)
    (option,) = look(session, [])["now"]["options"]
    assert "ZeroDivisionError" in option["failure"]
    after = look(session, [["divide", {}]])
    assert after["now"]["options"] == [] and "ZeroDivisionError" in after["now"]["failure"]
    assert after["run"]["verdict"]["tone"] == "bad"


@pytest.mark.slow
def test_a_run_is_exported_as_trace_page_picture_and_test(raft: Session, tmp_path: Path) -> None:
    asked = {"variant": None, "run": {"initial": {}, "steps": RAFT}}
    name, media, contents = raft.file("json", asked)
    (tmp_path / name).write_bytes(contents)
    assert media == "application/json" and [step.action for step in Trace.load(tmp_path / name).steps][-1] == "win"
    assert raft.file("svg", asked)[2].startswith(b"<?xml") and b'id="run"' in raft.file("html", asked)[2]
    name, _, contents = raft.file("pytest", asked)
    assert name == "raft_test.py"
    (tmp_path / name).write_bytes(contents)
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:xdist", "-p", "no:cacheprovider", name],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0 and "1 passed" in ran.stdout, ran.stdout
    with pytest.raises(UsageError, match="no kind of file"):
        raft.file("exe", asked)


@pytest.mark.slow
def test_searches_lead_on_from_here_and_say_what_they_found(raft: Session) -> None:
    def seek(kind: str, what: str = "", at: int = 3, **more: Any) -> Any:
        run = {"initial": {}, "steps": RAFT}
        return raft.answer("seek", {"variant": None, "run": run, "at": at, "aim": {"kind": kind, "what": what}, **more})

    found = seek("expression", "len(log[s3]) == 1")
    assert found["words"] == "2 steps from here, and none with fewer."
    answer = look(raft, RAFT + found["run"]["steps"])
    assert len(answer["run"]["steps"]) == 5
    again = seek("expression", "role[s1] == Role.LEADER")
    assert again["words"] == "It is so here." and again["run"]["steps"] == []
    assert seek("violation")["words"].startswith("There is none within the bounds: ")
    assert "from the start" in seek("goal", "two_leaders", **{"from": "start"})["words"]
    with pytest.raises(UsageError, match="no expression of Python"):
        seek("expression", "role[")
    with pytest.raises(UsageError, match="nothing to look for"):
        seek("happiness")
