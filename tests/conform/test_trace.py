"""A log of a program is a behaviour of its specification, or the first event that is none is named, with the reason."""

from __future__ import annotations

import copy
import json
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from quorate import Int, Nat, Spec, action, require
from quorate.conform import NOTHING, OPEN, Conforms, Differs, Map, NotDecided, Verdict, validate
from quorate.conform.logs import Event, Following, LogError
from quorate.conform.matching import Matching
from quorate.conform.subject import wide_system
from quorate.errors import UsageError
from quorate.explore.traces.witnesses import plain_json
from quorate.language.system import System
from quorate.loading import load, names
from quorate.outcome import Exit
from quorate_specs.consensus.raft import Raft, Server
from quorate_specs.replication.isr_log import IsrLog
from quorate_specs.transactions.two_phase_commit import TwoPhaseCommitWithCrashes

from tests.conform.raft_program import (
    MAP,
    MISTAKES,
    AppendsAnywhere,
    Cluster,
    CommitRegresses,
    CommitsOldTerms,
    HalfIsEnough,
    KeepsConflicts,
    KeepsRole,
    Node,
    VotesForAnyLog,
    VotesTwice,
)
from tests.conform.raft_program import ForgetsVote as ForgetsItsVote
from tests.conform.runs import Line, changes, members, numbers, random_run, write

SERVERS = ("s1", "s2", "s3")
RAFT = Map(members={"Server": SERVERS, "Command": OPEN})
TOLD = ("term", "voted_for", "log", "role", "commit_index")
"""What a server knows, and a program can log."""
PROTOCOLS = [name for name in names() if not load(name).has_only_laws]
QUICK = ("two_phase_commit", "paxos")


def judged(folder: Path, lines: list[Line], mapping: Map = RAFT, **options: Any) -> Verdict:
    return validate([write(folder / "log.jsonl", lines)], Raft, mapping, "raft", **options)


def without_network(lines: list[Line]) -> list[Line]:
    """What a program can say: the variables of its servers, not the wire or what only properties speak of."""
    return [line | {"vars": {name: line["vars"][name] for name in TOLD if name in line["vars"]}} for line in lines]


@pytest.fixture(scope="module")
def run() -> list[Line]:
    """A run of a program in which leaders change and entries are committed, told with its network and with whole logs."""
    lines = told_in_full(Cluster(seed=2).run(50, elections=0.05))
    assert {line["event"] for line in lines} == {action.name for action in System(Raft).actions}
    return lines


def told_in_full(lines: list[Line]) -> list[Line]:
    """The same events, each with the values of all variables that it changes in the specification."""
    system, values_of = wide_system(Raft, MAP)
    told = []
    with system:
        matching = Matching(system, MAP, values_of(system))
        (state,) = matching.initial()
        for number, line in enumerate(lines, 1):
            event = Event("", number, line["event"], line["node"], line["args"], line["vars"])
            ((instance, after),) = matching.steps(state, matching.wanted(event))
            assert instance is not None
            arguments = zip((one.name for one in instance[0].parameters), map(plain_json, instance[1]), strict=True)
            told.append({"event": line["event"], "args": dict(arguments), "vars": dict(changes(system, state, after))})
            state = after
    return told


@pytest.mark.library
@pytest.mark.parametrize(
    "name", [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in PROTOCOLS]
)
def test_a_run_of_a_protocol_is_a_behaviour_of_it(name: str, tmp_path: Path) -> None:
    spec = load(name).main
    lines = random_run(spec, seed=0, length=25)
    log = write(tmp_path / "log.jsonl", lines)
    everything = tuple(System(spec).index)
    verdict = validate([log], spec, Map(members=members(spec), numbers=numbers(spec), complete=everything), name)
    assert isinstance(verdict, Conforms) and verdict.coverage.events == len(lines)


def test_the_log_need_not_tell_the_network(run: list[Line], tmp_path: Path) -> None:
    verdict = judged(tmp_path, without_network(run))
    assert isinstance(verdict, Conforms)
    assert verdict.coverage.untold == ("network", "elected", "committed")
    assert set(verdict.coverage.values) == set(TOLD)


def test_terms_and_entries_have_no_bound(tmp_path: Path) -> None:
    """A hundred elections, and as many entries, where the specification's own bounds are 2."""
    lines: list[Line] = []
    for term in range(1, 101):
        vote = {"term": term, "candidate": "s1", "last_index": term - 1, "last_term": term - 1}
        entry = {"term": term, "command": f"command {term}"}
        append = {"term": term, "leader": "s1", "prev_index": term - 1, "prev_term": term - 1, "entry": entry}
        lines += [
            {"event": "time_out", "node": "s1", "vars": {"term": {"s1": term}}},
            {"event": "handle_request", "node": "s2", "args": {"m": vote}, "vars": {"voted_for": {"s2": "s1"}}},
            {"event": "win", "node": "s1", "vars": {"role": {"s1": "leader"}}},
            {"event": "request", "node": "s1", "args": {"c": f"command {term}"}},
            {"event": "handle_append", "node": "s2", "args": {"m": append | {"commit": term - 1}}},
            {"event": "commit", "node": "s1", "args": {"i": term}, "vars": {"commit_index": {"s1": term}}},
            {"event": "restart", "node": "s1"},
        ]
    verdict = judged(tmp_path, lines)
    assert isinstance(verdict, Conforms) and verdict.coverage.events == 700


def test_it_begins_with_as_many_members_as_the_map_names(tmp_path: Path) -> None:
    """Two brokers, where an exploration has three."""
    lines = [
        {"event": "init", "args": {"b": "y"}, "vars": {"leader": "y", "isr": ["x", "y"]}},
        {"event": "produce", "node": "y", "vars": {"log": {"y": [1]}}},
    ]
    verdict = validate([write(tmp_path / "log.jsonl", lines)], IsrLog, Map(members={"Broker": ("x", "y")}), "isr_log")
    assert isinstance(verdict, Conforms)


def test_arguments_that_are_not_told_are_found(run: list[Line], tmp_path: Path) -> None:
    lines = [line | {"args": {name: value for name, value in line["args"].items() if name == "s"}} for line in run]
    verdict = judged(tmp_path, lines, Map(members=RAFT.members, complete=TOLD))
    assert isinstance(verdict, Conforms)


# What is wrong is named


def edits(lines: list[Line]) -> list[tuple[str, int, list[Line]]]:
    """Ten edits of one field each: what is edited, at which event, and the log."""

    def edited(what: str, position: int, change: Any) -> tuple[str, int, list[Line]]:
        copied = copy.deepcopy(lines)
        change(copied[position])
        return what, position, copied

    def first(event: str, variable: str | None = None, after: int = 0) -> int:
        return next(
            number
            for number, line in enumerate(lines)
            if number >= after and line["event"] == event and (variable is None or variable in line["vars"])
        )

    def bump(line: Line, variable: str, value: Any) -> None:
        line["vars"][variable]["map"][0][1] = value

    def field(line: Line, name: str, value: Any) -> None:
        line["args"]["m"]["fields"][name] = value

    return [
        edited("a later term", first("time_out"), lambda line: bump(line, "term", 9)),
        edited("another role", first("win"), lambda line: bump(line, "role", "CANDIDATE")),
        edited("another vote", first("handle_request", "voted_for"), lambda line: bump(line, "voted_for", None)),
        edited("a shorter log", first("request"), lambda line: bump(line, "log", [])),
        edited("a commit index too far", first("commit"), lambda line: bump(line, "commit_index", 2)),
        edited("the commit of another entry", first("commit"), lambda line: line["args"].update(i=7)),
        edited("another server", first("win"), lambda line: line["args"].update(s=other(line["args"]["s"]))),
        edited("a message that nobody sent", first("handle_append"), lambda line: field(line, "prev_index", 5)),
        edited("an entry of another term", first("handle_append"), lambda line: field(line, "term", 7)),
        edited(
            "another action", first("request"), lambda line: line.update(event="restart", args={"s": line["args"]["s"]})
        ),
    ]


def other(server: str) -> str:
    return next(each for each in SERVERS if each != server)


def test_each_of_ten_edits_of_one_field_is_rejected_at_its_event(run: list[Line], tmp_path: Path) -> None:
    lines = without_network(run)
    assert isinstance(judged(tmp_path, lines), Conforms)
    mutants = edits(lines)
    assert len(mutants) == 10
    for what, position, mutant in mutants:
        verdict = judged(tmp_path, mutant)
        assert isinstance(verdict, Differs), what
        assert (verdict.event.line, verdict.coverage.events) == (position + 1, position), what
        assert verdict.misfits, what


@pytest.mark.parametrize(
    "mistake",
    [pytest.param(one, id=one.__name__, marks=[pytest.mark.slow] * (one is not VotesTwice)) for one in MISTAKES],
)
def test_every_planted_mistake_is_caught(mistake: type[Node], tmp_path: Path) -> None:
    """Whether a run meets the mistake is chance: the first seed that does is enough."""
    for seed in range(40):
        log = write(tmp_path / "log.jsonl", Cluster(seed, mistake).run(150, elections=0.08))
        verdict = validate([log], Raft, MAP, "raft")
        if isinstance(verdict, Differs):
            assert verdict.event.name in CAUGHT_AT[mistake]
            return
    pytest.fail("no run meets it")


CAUGHT_AT = {
    VotesTwice: {"handle_request"},
    VotesForAnyLog: {"handle_request"},
    HalfIsEnough: {"win"},
    AppendsAnywhere: {"handle_append"},
    KeepsConflicts: {"handle_append"},
    CommitsOldTerms: {"commit"},
    CommitRegresses: {"handle_append"},
    KeepsRole: {"handle_request"},
    ForgetsItsVote: {"restart"},
}


@pytest.mark.slow
def test_the_program_without_mistakes_is_accepted(tmp_path: Path) -> None:
    for seed in range(3):
        log = write(tmp_path / "log.jsonl", Cluster(seed).run(150, elections=0.08))
        assert isinstance(validate([log], Raft, MAP, "raft"), Conforms)


def test_a_number_beyond_all_others_is_rejected_without_counting_to_it(run: list[Line], tmp_path: Path) -> None:
    lines = copy.deepcopy(without_network(run))
    position = next(number for number, line in enumerate(lines) if line["event"] == "commit")
    lines[position]["vars"]["commit_index"]["map"][0][1] = 10**15
    verdict = judged(tmp_path, lines)
    assert isinstance(verdict, Differs) and verdict.event.line == position + 1


def test_values_stand_side_by_side(run: list[Line], tmp_path: Path) -> None:
    lines = copy.deepcopy(run)
    lines[0]["vars"]["term"] = {"s2": 5}
    verdict = judged(tmp_path, lines)
    assert isinstance(verdict, Differs)
    nearest = verdict.misfits[0]
    (difference,) = nearest.differences
    assert nearest.is_effect and (difference.name, difference.observed) == ("term[s2]", 5)
    assert verdict.trace is not None and verdict.trace.kind == "conform"
    assert [witness.name for witness in verdict.trace.witnesses] == ["spec: term[s2]", "log: term[s2]"]


def test_the_guard_that_is_false_is_named_with_its_values(tmp_path: Path) -> None:
    lines = [{"event": "time_out", "node": "s1", "vars": {"term": {"s1": 1}}}, {"event": "win", "node": "s1"}]
    verdict = judged(tmp_path, lines)
    assert isinstance(verdict, Differs) and verdict.event.line == 2
    (misfit,) = verdict.misfits
    assert misfit.reason == "its guard is false: self.is_enough(s, votes)"
    assert {one.name: one.expected for one in misfit.differences} == {"s": "s1", "votes": {"set": ["s1"]}}
    assert misfit.location is not None and "require(self.is_enough" in misfit.location.text


def test_another_action_that_would_fit_is_named(tmp_path: Path) -> None:
    lines = [{"event": "win", "node": "s1", "vars": {"term": {"s1": 1}, "role": {"s1": "candidate"}}}]
    verdict = judged(tmp_path, lines)
    assert isinstance(verdict, Differs)
    assert verdict.others == (("time_out", {"s": "s1"}),)


def test_what_is_not_mentioned_has_not_changed_where_the_map_says_so(tmp_path: Path) -> None:
    """A server that forgets to vote for itself logs no change of its vote."""
    lines = [{"event": "time_out", "node": "s1", "vars": {"term": {"s1": 1}, "role": {"s1": "candidate"}}}]
    assert isinstance(judged(tmp_path, lines), Conforms)
    verdict = judged(tmp_path, lines, Map(members=RAFT.members, complete=TOLD))
    assert isinstance(verdict, Differs)
    (difference,) = verdict.misfits[0].differences
    assert (difference.name, difference.expected, difference.observed) == ("voted_for[s1]", "s1", None)


def test_a_number_that_ends_in_the_protocol_itself_must_be_said_to(tmp_path: Path) -> None:
    """`Crashes.bound` stands in a guard: how many crashes there may be is no bound of the exploration alone."""
    spec = TwoPhaseCommitWithCrashes
    log = write(tmp_path / "log.jsonl", [{"event": "crash", "node": "rm1", "vars": {"crashes": 1}}])
    with pytest.raises(UsageError, match=r"two_phase_commit.py:\d+: .* asks for the size of Crashes.* or OPEN"):
        validate([log], spec, Map(members=members(spec)), "two_phase_commit")
    for most, found in ((1, Conforms), (0, Differs)):
        mapping = Map(members=members(spec), numbers={"Crashes": most})
        assert isinstance(validate([log], spec, mapping, "two_phase_commit"), found)


class Round(Nat, max=2):
    """How often somebody may try."""


class Rounds(Spec):
    """Tries, of which an exploration sees few."""

    tried: Round
    seen: set[Round]

    @action
    def go_on(self) -> None:
        require(self.tried < Round.bound)
        self.tried += 1

    @action
    def look(self, r: Round) -> None:
        require(not Round.bound <= self.tried and all(i not in self.seen for i in Round if i > r))
        self.seen.add(r)


class EndsWithTheLast(Rounds):
    """Something else is done with the last number."""

    def look(self, r: Round) -> None:
        self.seen.add(Round(Round.bound))


class LooksAtEach(Rounds):
    """All numbers are asked for at once."""

    def look(self, r: Round) -> None:
        require(len(self.seen) < len(Round))


def may_go_on(tried: Round) -> bool:
    """A limit that a function of the module asks for."""
    return tried < Round.bound


class AsksAFunction(Rounds):
    """The limit stands in no method."""

    def go_on(self) -> None:
        require(may_go_on(self.tried))
        self.tried += 1


class GoesOnAsBefore(Rounds):
    """The method that is overridden is called, and runs as it is."""

    def go_on(self) -> None:
        super().go_on()


class CallsByName(Rounds):
    """So does one that is called by the name of its class."""

    def go_on(self) -> None:
        Rounds.go_on(self)


class AsksWhetherItIsOne(Rounds):
    """Where numbers end is asked in another way."""

    def go_on(self) -> None:
        require(self.tried + 1 in Round)
        self.tried += 1


class CallsItOtherwise(Rounds):
    """The sort has another name."""

    def go_on(self) -> None:
        turn = Round
        require(self.tried < turn.bound)
        self.tried += 1


@pytest.mark.parametrize("spec", [AsksAFunction, GoesOnAsBefore, CallsByName, AsksWhetherItIsOne, CallsItOtherwise])
def test_a_limit_that_would_stay_has_to_be_a_number(spec: type[Spec], tmp_path: Path) -> None:
    log = write(tmp_path / "log.jsonl", [{"event": "go_on", "vars": {"tried": number}} for number in range(1, 6)])
    with pytest.raises(UsageError, match="asks for the size of Round"):
        validate([log], spec, Map(members={}), "rounds")
    with pytest.raises(UsageError, match="does something with the size of Round"):
        validate([log], spec, Map(members={}, numbers={"Round": OPEN}), "rounds")
    for most, found in ((4, Differs), (5, Conforms)):
        assert isinstance(validate([log], spec, Map(members={}, numbers={"Round": most}), "rounds"), found)


def test_a_limit_of_the_exploration_is_none_of_the_program(tmp_path: Path) -> None:
    steps: list[Line] = [{"event": "go_on", "vars": {"tried": number}} for number in range(1, 6)]
    log = write(
        tmp_path / "log.jsonl", [*steps, {"event": "look", "args": {"r": 70}}, {"event": "look", "args": {"r": 3}}]
    )

    def judged_with(spec: type[Spec], **numbers: Any) -> Verdict:
        return validate([log], spec, Map(members={}, numbers=numbers), "rounds")

    verdict = judged_with(Rounds, Round=OPEN)
    assert isinstance(verdict, Differs) and verdict.event.line == 7  # A later one was seen.
    verdict = judged_with(Rounds, Round=4)
    assert isinstance(verdict, Differs) and verdict.event.line == 5
    for spec in (EndsWithTheLast, LooksAtEach):
        with pytest.raises(UsageError, match=r"test_trace.py:\d+: look .* does something with the size of Round"):
            judged_with(spec, Round=OPEN)
    with pytest.raises(UsageError, match="ends at a number up to 1,000,000"):
        judged_with(Rounds, Round=10**9)


def test_other_numbers_go_on_in_both_directions(tmp_path: Path) -> None:
    class Balance(Int, min=-1, max=1):
        """What an account holds."""

    class Account(Spec):
        balance: Balance

        @action
        def move(self, b: Balance) -> None:
            self.balance += b

    log = write(tmp_path / "log.jsonl", [{"event": "move", "args": {"b": b}, "vars": {"balance": b}} for b in (-70,)])
    assert isinstance(validate([log], Account, Map(members={}), "account"), Conforms)


# Partial logs


def test_unlogged_actions_are_filled_in(run: list[Line], tmp_path: Path) -> None:
    kept = [line for line in without_network(run[:24]) if line["event"] != "handle_request"]
    assert len(kept) < 24
    assert isinstance(judged(tmp_path, kept), Differs)
    mapping = Map(members=RAFT.members, silent=("handle_request",), silent_max=2)
    verdict = judged(tmp_path, kept, mapping)
    assert isinstance(verdict, Conforms) and verdict.coverage.states_max > 1


def test_too_few_states_kept_decide_nothing(run: list[Line], tmp_path: Path) -> None:
    kept = [line for line in without_network(run[:24]) if line["event"] != "handle_request"]
    mapping = Map(members=RAFT.members, silent=("handle_request",), silent_max=2)
    verdict = judged(tmp_path, kept, mapping, states_max=1)
    assert isinstance(verdict, NotDecided) and "more than 1 states fitted" in verdict.reason
    assert verdict.exit_code is Exit.OPEN


def test_a_line_may_be_several_events_and_words_may_differ(tmp_path: Path) -> None:
    def read(line: Line) -> Line | list[Line]:
        if line["msg"] == "elected":
            votes = [{"event": "handle_request", "node": voter} for voter in line["by"]]
            return [*votes, {"event": "win", "node": line["id"], "vars": {"role": {line["id"]: "leader"}}}]
        return {"event": line["msg"], "node": line["id"]}

    mapping = Map(
        members={"Server": (1, 2, 3), "Command": OPEN},
        events={"campaign": "time_out", "tick": NOTHING, "gc": None},
        read=read,
    )
    lines: list[Line] = [
        {"msg": "gc", "id": 1},
        {"msg": "tick", "id": 1},
        {"msg": "campaign", "id": 1},
        {"msg": "elected", "id": 1, "by": [3]},
    ]
    verdict = judged(tmp_path, lines, mapping)
    assert isinstance(verdict, Conforms)
    assert (verdict.coverage.events, verdict.coverage.passed_over) == (4, 1)
    assert verdict.names == {"s1": "1", "s2": "2", "s3": "3"}


def test_a_view_tells_what_no_variable_is(run: list[Line], tmp_path: Path) -> None:
    def log_length(state: Raft, s: Server) -> int:
        return len(state.log[s])

    mapping = Map(members=RAFT.members, views=(log_length,), complete=("log_length",))
    lines: list[Line] = []
    for line in run:
        logs = line["vars"].get("log", {"map": []})["map"]
        lines.append(line | {"vars": {"log_length": {server: len(entries) for server, entries in logs}}})
    assert isinstance(judged(tmp_path, lines, mapping), Conforms)
    position = next(number for number, line in enumerate(lines) if line["event"] == "request")
    lines[position]["vars"]["log_length"] = {}
    verdict = judged(tmp_path, lines, mapping)
    assert isinstance(verdict, Differs) and verdict.event.line == position + 1
    assert verdict.misfits[0].differences[0].name.startswith("log_length[")


def test_what_is_logged_completely_does_not_change_silently(run: list[Line], tmp_path: Path) -> None:
    kept = [line for line in without_network(run[:24]) if line["event"] != "handle_request"]
    mapping = Map(members=RAFT.members, silent=("handle_request",), silent_max=2, complete=("term",))
    assert isinstance(judged(tmp_path, kept, mapping), Differs)


def test_a_view_that_raises_is_a_mistake_of_the_map(tmp_path: Path) -> None:
    def last_term(state: Raft, s: Server) -> int:
        return state.log[s][-1].term

    lines = [{"event": "time_out", "node": "s1", "vars": {"last_term": {"s1": 0}}}]
    with pytest.raises(UsageError, match=r"The map's view last_term\(s1\) raises IndexError"):
        judged(tmp_path, lines, Map(members=RAFT.members, views=(last_term,)))


# Several logs


def by_node(folder: Path, lines: list[Line], clocks: bool) -> list[str]:
    """The log of each server, with numbers of messages as they are sent and received, or with a clock."""
    logs: dict[str, list[Line]] = {server: [] for server in SERVERS}
    sent: dict[str, str] = {}
    for number, line in enumerate(lines):
        node = line["args"]["s"]
        told: Line = {"event": line["event"], "node": node, "args": line["args"], "vars": line["vars"]}
        if clocks:
            told["clock"] = number
        if "m" in line["args"]:
            told["received"] = [sent[json.dumps(line["args"]["m"])]]
        for message in line["vars"].pop("network", {"set": []})["set"]:
            name = json.dumps(message)
            if name not in sent:
                sent[name] = f"m{len(sent)}"
                told.setdefault("sent", []).append(sent[name])
        logs[node].append(told)
    return [write(folder / f"{server}.jsonl", told) for server, told in logs.items()]


@pytest.mark.parametrize("clocks", [True, False], ids=["clock", "messages"])
def test_the_logs_of_several_nodes_are_put_in_order(run: list[Line], clocks: bool, tmp_path: Path) -> None:
    lines = copy.deepcopy(run[:24])
    mapping = Map(members=RAFT.members, hidden=("elected", "committed"))
    verdict = validate(by_node(tmp_path, lines, clocks), Raft, mapping, "raft")
    assert isinstance(verdict, Conforms) and verdict.coverage.events == 24
    assert (verdict.coverage.states_max > 1) is not clocks


def test_an_event_that_fits_in_no_order_is_named(run: list[Line], tmp_path: Path) -> None:
    lines = copy.deepcopy(run[:24])
    position = max(number for number, line in enumerate(lines) if line["event"] == "request")
    lines[position]["vars"]["log"]["map"][0][1] = []
    mapping = Map(members=RAFT.members, hidden=("elected", "committed"))
    verdict = validate(by_node(tmp_path, lines, False), Raft, mapping, "raft")
    assert isinstance(verdict, Differs) and verdict.event.name == "request"


# Nothing is accepted for nothing


def test_an_empty_log_is_not_judged(tmp_path: Path) -> None:
    verdict = judged(tmp_path, [])
    assert isinstance(verdict, NotDecided) and "the log is empty" in verdict.reason


def test_a_log_of_which_nothing_matches_is_not_judged(tmp_path: Path) -> None:
    verdict = judged(tmp_path, [{"event": "gc"}] * 3, Map(members=RAFT.members, events={"gc": None}))
    assert isinstance(verdict, NotDecided) and "none of the 3 lines is an event" in verdict.reason


def test_events_that_are_no_actions_are_not_judged(tmp_path: Path) -> None:
    verdict = judged(tmp_path, [{"event": "tick"}] * 3, Map(members=RAFT.members, events={"tick": NOTHING}))
    assert isinstance(verdict, NotDecided) and "no event of the log is an action" in verdict.reason


def test_a_map_that_hides_every_variable_is_told_for_what_it_is(run: list[Line], tmp_path: Path) -> None:
    everything = (*TOLD, "network", "elected", "committed")
    verdict = judged(tmp_path, run, Map(members=RAFT.members, hidden=everything))
    assert isinstance(verdict, NotDecided) and "not a single value was compared" in verdict.reason


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ({"event": "elect"}, "log.jsonl:1: There is no action 'elect'"),
        ({"event": "win", "args": {"x": 1}}, "log.jsonl:1: win has no argument 'x'"),
        (
            {"event": "win", "node": "s1", "vars": {"terms": 1}},
            "There is no variable or view 'terms'. Did you mean 'term'?",
        ),
        ({"event": "win", "node": "s1", "vars": {"role": {"s1": "boss"}}}, "role[s1]: 'boss' is not a Role: FOLLOWER"),
        ({"event": "win", "args": {"s": "s9"}}, "the argument s of win: 's9' is not one of the members of Server"),
        ({"event": "win", "term": 1}, "an event has no field 'term'"),
        ({"name": "win"}, 'an event has its name in the field "event"'),
    ],
)
def test_a_line_that_is_no_event_is_refused_at_its_place(line: Line, message: str, tmp_path: Path) -> None:
    with pytest.raises(LogError) as refused:
        judged(tmp_path, [line])
    assert message in str(refused.value)


@pytest.mark.parametrize(
    ("mapping", "message"),
    [
        (Map(members={"Server": SERVERS}), "what the members of Command are called"),
        (Map(members=RAFT.members, silent=("loose",)), "The map's silent: There is no action 'loose'"),
        (Map(members=RAFT.members, hidden=("terms",)), "The map's hidden: There is no variable or view 'terms'"),
        (Map(members=RAFT.members, events={"x": "wins"}), "Did you mean 'win'?"),
        (Map(members={**RAFT.members, "Node": OPEN}), "There is no sort of identities 'Node'"),
    ],
)
def test_a_map_that_does_not_fit_is_refused(mapping: Map, message: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as refused:
        judged(tmp_path, [{"event": "win"}], mapping)
    assert message in str(refused.value)


def test_a_violation_is_told_while_the_log_is_written(tmp_path: Path) -> None:
    """The writer goes on; the verdict does not wait for its end."""
    log = tmp_path / "log.jsonl"
    log.write_text("", encoding="utf-8")
    done: list[Verdict] = []

    def read() -> None:
        done.append(validate([str(log)], Raft, RAFT, "raft", following=Following()))

    reader = threading.Thread(target=read)
    reader.start()
    with log.open("a", encoding="utf-8") as stream:
        print(json.dumps({"event": "time_out", "node": "s1", "vars": {"term": {"s1": 1}}}), file=stream, flush=True)
        stream.write('{"event": "win", ')
        stream.flush()
        time.sleep(0.3)
        assert not done, "half a line was judged"
        print('"node": "s1"}', file=stream, flush=True)
        reader.join(timeout=60)
        assert done, "the log was not closed"
    assert isinstance(done[0], Differs) and done[0].event.line == 2
