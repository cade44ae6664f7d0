"""What a trace tells: how messages fared, who was what when, which steps caused the violation."""

import report_traces as traces
from quorate.report.story import Flight, headline, read
from quorate.trace import Trace, Witness
from report_traces import Run, ask, at, record, vote, whole


def fates(trace: Trace) -> list[tuple[str, str | None, str | None, int | None, int | None, str]]:
    return [(f.name, f.source, f.target, f.sent, f.ended, f.fate) for f in read(trace).flights]


def test_every_message_is_told_with_its_origin_and_its_fate() -> None:
    assert fates(traces.target_spacetime()) == [
        ("m1", "n1", "n2", 1, 2, "received"),
        ("m2", "n1", "n3", 1, 4, "lost"),
        ("m3", "n2", "n1", 2, 12, "received"),
        ("m4", "n3", "n1", 6, 7, "received"),
        ("m5", "n3", "n2", 6, 9, "received"),
        ("m5'", "n3", "n2", 6, 13, "received"),
        ("m6", "n2", "n3", 13, 14, "received"),
    ]


def test_one_message_received_in_two_lanes_is_a_broadcast_not_a_duplicate() -> None:
    assert [(f.target, f.again) for f in read(traces.two_phase_commit()).flights if f.message.id == "m3"] == [
        ("rm1", False),
        ("rm2", False),
    ]


def test_messages_may_come_from_before_the_start_stay_under_way_or_return_to_their_lane() -> None:
    found = fates(traces.crowded())
    assert ("m1", None, "a", None, 1, "received") in found
    assert ("m2", "a", "a", 1, 2, "received") in found
    assert ("m8", "b", "a", 3, None, "under way") in found


def test_a_message_received_in_the_step_that_sends_it_departs_there() -> None:
    run = Run("now", ["a", "b"], {})
    run.messages["m1"] = "x"
    trace = run.step("call", "a", send=["y"], take="m1").end()
    step = trace.steps[0]
    both = trace.but(steps=(step.__class__(1, "call", {}, "a", sent=step.sent, received=step.sent),))
    assert fates(both) == [("m2", "a", "a", 1, 1, "received")]


def test_labels_leave_out_what_the_arrow_shows_but_not_a_forged_sender() -> None:
    assert read(traces.target_spacetime()).flights[0].label == record("RequestVote", term=1)
    honest = Flight(traces.Message("m1", ask("s1", "s2")), "s1", "s2", 1, 2, "received")
    forged = Flight(traces.Message("m1", ask("s1", "s2")), "s3", "s2", 1, 2, "received")
    assert honest.label == record("RequestVote", term=1)
    assert forged.label == record("RequestVote", term=1, source="s1")


def test_lanes_follow_roles_and_crashes() -> None:
    spells = [(s.first, s.last, s.role, s.up) for s in read(traces.target_spacetime()).spells]
    assert (10, 11, "FOLLOWER", False) in spells and (11, 15, "FOLLOWER", True) in spells
    assert (1, 12, "CANDIDATE", True) in spells and (12, 15, "LEADER", True) in spells


def test_steps_in_an_unknown_lane_get_one_but_the_network_has_none() -> None:
    assert read(traces.huge_values()).lanes[-1] == "an extra lane"
    assert read(traces.target_spacetime()).lanes == ("n1", "n2", "n3")
    assert read(Run("r", ["network"], {}).step("forward", "network").end()).lanes == ("network",)


def test_the_causal_past_leaves_out_losses_and_steps_that_pass_nothing_on() -> None:
    story = read(traces.target_spacetime())
    assert story.causes.past == {1, 2, 6, 10, 11, 12, 13, 14}
    assert [f.name for f in story.flights if story.dark_flight(f)] == ["m1", "m3", "m5'", "m6"]


def test_influence_flows_through_a_variable_that_no_lane_owns() -> None:
    run = Run("shared", ["a", "b", "c"], {"x": 0})
    run.step("write", "a", whole("x", 0, 1)).step("other", "c", at("c", "y", 0, 1)).step(
        "bump", "b", whole("x", 1, 2, True)
    )
    assert read(run.end(kind="invariant", property="p")).causes.past == {1, 3}


def test_an_invariant_rests_on_last_values_and_on_those_a_witness_names() -> None:
    run = Run("counter", ["a"], {"n": 0})
    for value in range(4):
        run.step("inc", "a", at("a", "n", value, value + 1, True))

    def stressed(**fields: object) -> set[int]:
        return {index for index, _ in read(run.end(property="p", **fields)).causes.stressed}

    assert stressed(kind="invariant") == {4}
    assert stressed(kind="invariant", witnesses=(Witness("self.n[a]", 4, (2, 4)),)) == {2, 4}
    assert stressed(kind="invariant", witnesses=(Witness("other", 4, (2, 4)),)) == {4}
    assert stressed(kind="step") == {3, 4}
    assert stressed(kind="eventually", loop=4) == {1, 2, 3, 4}


def test_nothing_is_pale_when_nothing_singles_out_a_cause() -> None:
    story = read(traces.lasso())
    assert story.causes.past is None and all(story.dark(step.index) for step in story.trace.steps)


def test_changes_of_the_network_that_its_messages_explain_are_not_repeated() -> None:
    run = Run("net", ["s1", "s2"], {})
    run.step(
        "send", "s1", whole("network", traces.members(), traces.members(vote("s1", "s2"))), send=[vote("s1", "s2")]
    )
    run.step("other", "s2", whole("seen", traces.members(), traces.members("s1")), take="m1")
    story = read(run.end())
    assert [len(story.changes(step)) for step in story.trace.steps] == [0, 1]


def test_headlines_say_what_happened_and_when() -> None:
    assert (
        headline(traces.target_spacetime()).text == "violated after step 14: At most one leader is elected in a term."
    )
    assert headline(traces.initial_violation()).text.startswith("violated in the initial state")
    assert headline(traces.lasso()).text.startswith("violated by a run that repeats steps 3 to 6 for ever")
    assert headline(traces.stuck()).text.startswith("violated by a run that stays in this state for ever")
    assert headline(traces.crowded()).tone == "good"
    assert headline(traces.long_run(3, 2)).text == "3 steps, nothing is violated"
    assert headline(traces.stuck().but(kind="deadlock", property=None, loop=None)).text.startswith(
        "nothing can happen any more"
    )
    assert headline(traces.stuck().but(kind="step")).text.startswith("violated by step 2")
