"""Text tells the whole run, marks the values that count, and no verdict claims more than was found."""

import re

import pytest
import report_traces as traces
from quorate.outcome import Failed, Holds, HoldsWithinBounds, Outcome, Proven, Statistics, Unfinished, Violated
from quorate.report.text import outcome_styled, outcome_text, trace_styled, trace_text, verdict

SIZES = {"Server": 3, "Term": 2}
STATS = Statistics(1288, 5146, 11, {"Term": 12, "network": 1, "idle": 0}, {"vote": 5146, "crash": 0}, 1.234, 50 * 2**20)


def test_a_trace_is_told_step_by_step() -> None:
    assert (
        trace_text(traces.stuck())
        == """\
two_phase_commit, variant Blocking

   1  rm1  prepare
           sends m1 Prepared(rm rm1), never received
           rm WORKING → PREPARED
   2  TM   crash
           tm_up yes → no
   └─ the run stays in this state for ever

✗ prepared_decides: violated by a run that stays in this state for ever: Who is prepared decides in the end.
"""
    )


def test_every_message_and_every_value_the_property_reads_is_in_the_text() -> None:
    text = trace_text(traces.target_spacetime())
    assert "sends m2 RequestVote(term 1) to n3, lost in step 4" in text
    assert "receives m5 RequestVote(term 1) from n3, again" in text
    assert re.findall(r"\* (.*)", text) == [
        "voted_for ∅ → n1",
        "voted_for n1 → ∅",
        "role CANDIDATE → LEADER",
        "voted_for ∅ → n3",
        "role CANDIDATE → LEADER",
        "the property reads this value",
    ]
    assert "voted_for[n2]  n3  (steps 2, 11, 13)" in text


def test_a_lasso_is_bracketed() -> None:
    lines = trace_text(traces.lasso()).splitlines()
    opening = next(number for number, line in enumerate(lines) if "┌─" in line)
    assert lines[opening + 1].startswith("   3  s1  reject")
    assert sum("└─ the run repeats steps 3 to 6 for ever" in line for line in lines) == 1


def test_an_initial_state_that_is_wrong_is_shown() -> None:
    text = trace_text(traces.initial_violation())
    assert "holder {p1: yes, p2: yes}" in text and "first p1" in text


@pytest.mark.parametrize("name", traces.ALL)
def test_styles_change_no_word(name: str) -> None:
    trace = traces.ALL[name]()
    styled = "\n".join(line.rstrip() for line in trace_styled(trace).plain.split("\n"))
    assert styled == trace_text(trace)


def case(kind: type[Outcome], **fields: object) -> Outcome:
    return kind("raft", None, SIZES, "native", **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        (
            case(Holds, statistics=STATS),
            "holds: every property is true in all 1,288 reachable states with Server=3, Term=2",
        ),
        (
            case(Holds, statistics=STATS, symmetry=("Server",)),
            "holds: every property is true in all 1,288 reachable states up to symmetry of Server with Server=3, Term=2",
        ),
        (
            case(HoldsWithinBounds, statistics=STATS),
            "holds within bounds: no violation in the 1,288 states that the bounds leave with Server=3, Term=2; "
            "cut by Term=2 (12 cuts), network (1 cut)",
        ),
        (case(Proven, properties=("a", "b"), any_size=True), "proven for any size: a, b"),
        (case(Proven, properties=("a",)), "proven with Server=3, Term=2 (not for other sizes): a"),
        (
            case(Proven, properties=("a",), statistics=Statistics(depth=8)),
            "proven with Server=3, Term=2, in runs of at most 8 steps (not for other sizes): a",
        ),
        (case(Violated, property="p", trace=traces.stuck()), "violated: p, by a run of 2 steps with Server=3, Term=2"),
        (
            case(Violated, property="p", trace=traces.initial_violation()),
            "violated: p, in the initial state with Server=3, Term=2",
        ),
        (
            case(Violated, property="p", statistics=STATS),
            "violated: p, which none of the 1,288 explored states satisfies with Server=3, Term=2; a state beyond the bounds might",
        ),
        (
            case(Unfinished, reason="the time limit of 60 s was reached", statistics=STATS),
            "unfinished: the time limit of 60 s was reached; 1,288 states to depth 11 were explored, the rest was not. "
            "This is no verdict",
        ),
        (case(Failed, message="IndexError in `append`"), "error in the spec: IndexError in `append`"),
    ],
)
def test_a_verdict_says_what_was_found_and_for_what(outcome: Outcome, words: str) -> None:
    assert verdict(outcome) == words
    text = outcome_text(outcome)
    assert words in text
    assert "\n".join(line.rstrip() for line in outcome_styled(outcome).plain.split("\n")) == text


def test_counts_cuts_notes_and_coverage_follow_the_verdict() -> None:
    text = outcome_text(
        case(HoldsWithinBounds, statistics=STATS, notes=("symmetry is off: a property orders servers",))
    )
    assert "    1,288 states, 5,146 transitions, depth 11, 1.23 s, 50 MiB, native engine\n" in text
    assert "    cut by Term=2: 12 transitions; what lies beyond was not explored\n" in text
    assert "idle" not in text
    assert "    note: symmetry is off: a property orders servers\n" in text
    assert "      vote   5,146\n      crash      0  never fired\n" in text
