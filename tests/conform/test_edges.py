"""A program is driven through every transition of its specification, and along single runs; each planted mistake is named."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

import pytest
from quorate import Scalarset, Spec, action, require
from quorate.conform import (
    Adapter,
    AdapterError,
    Driven,
    Process,
    Refused,
    drive,
    follow,
    load_adapter,
    scenarios,
    validate,
)
from quorate.conform.mapping import load_map
from quorate.conform.verdicts import Conforms, Differs
from quorate.explore import check
from quorate.explore.choices import Choices
from quorate.explore.engine import Finding
from quorate.explore.traces.tracing import trace
from quorate.language.system import System
from quorate.outcome import Exit, Violated
from quorate_specs.transactions.two_phase_commit import PreparedAborts, TwoPhaseCommit

from tests.conform.runs import write
from tests.docs.pages import DOCS, blocks

FILES = {
    block.note.partition(": ")[2]: block.text
    for block in blocks(DOCS / "conformance.md")
    if block.note.startswith("file: ")
}


def program(folder: Path, monkeypatch: pytest.MonkeyPatch, old: str = "", new: str = "") -> type[Adapter]:
    """The adapter of the example on the page, over the server with one mistake."""
    for name, text in FILES.items():
        assert name != "commit_server.py" or not old or text.count(old) == 1
        (folder / name).write_text(text.replace(old, new) if old else text, encoding="utf-8")
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.delitem(sys.modules, "commit_server", raising=False)
    return load_adapter(folder / "commit_adapter.py")


@pytest.fixture
def correct(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Adapter]]:
    yield program(tmp_path, monkeypatch)
    sys.modules.pop("commit_server", None)


SMALL = {"ResourceManager": 2}


def smaller(adapter: type[Adapter]) -> type[Adapter]:
    """The same with two participants: enough for most mistakes, and few transitions."""
    module: ModuleType = sys.modules["commit_server"]
    module.PARTICIPANTS = ("alice", "bob")  # type: ignore[attr-defined]
    loaded = sys.modules[adapter.__module__]
    loaded.PARTICIPANTS = ("alice", "bob")  # type: ignore[attr-defined]
    adapter.members = {"ResourceManager": ("alice", "bob")}
    return adapter


def test_every_transition_is_covered(correct: type[Adapter]) -> None:
    driven = drive(smaller(correct)(), TwoPhaseCommit, "two_phase_commit", {})
    assert driven.exit_code is Exit.SUCCESS
    found = check(TwoPhaseCommit.bounded(**SMALL), symmetry=False, engine="reference")
    assert driven.states == found.statistics.states
    assert driven.covered == driven.total == found.statistics.transitions - 1 > 50  # TLC counts initial states.
    assert driven.refused > driven.total and driven.unseen == ()


MISTAKES = {
    "commits when it has a majority": ("self.votes == set(PARTICIPANTS)", "len(self.votes) > 0", "commit"),
    "gives up after it has voted": (
        'if self.state == "working":  # Whoever has voted must wait.',
        "if True:",
        "choose_to_abort",
    ),
    "commits what is aborted": (
        'self.become("aborted", "obey_abort")',
        'self.become("committed", "obey_abort")',
        "obey_abort",
    ),
    "votes without preparing": (
        'self.become("prepared", "prepare")',
        'log("prepare", self.name)',
        "prepare",
    ),
    "does not count a vote": ("self.votes.add(voter)", "pass", "receive_prepared"),
    "tells nobody": (
        "self.network.extend((name, verdict) for name in PARTICIPANTS)",
        "pass",
        "abort",
    ),
    "decides twice": (
        'if self.state == "init":\n            self.decide',
        'if self.state != "":\n            self.decide',
        "abort",
    ),
    "counts votes after its decision": (
        'if self.state != "init":\n            return\n        self.votes',
        "self.votes",
        "receive_prepared",
    ),
}


@pytest.mark.parametrize(
    "mistake", [pytest.param(one, marks=[pytest.mark.slow] * (one != "decides twice")) for one in MISTAKES]
)
def test_every_planted_mistake_is_caught(mistake: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old, new, action = MISTAKES[mistake]
    driven = drive(smaller(program(tmp_path, monkeypatch, old, new))(), TwoPhaseCommit, "two_phase_commit", {})
    assert driven.exit_code is Exit.VIOLATED and driven.misfit is not None
    assert driven.misfit.action == action
    assert driven.trace is not None and driven.trace.kind == "conform"


def test_the_run_that_shows_it_goes_straight_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However far the walk has come: a decision takes two votes."""
    adapter = smaller(program(tmp_path, monkeypatch, *MISTAKES["decides twice"][:2]))
    driven = drive(adapter(), TwoPhaseCommit, "two_phase_commit", {})
    assert driven.trace is not None and driven.covered > 50
    votes = ["prepare", "receive_prepared"] * 2
    assert [step.action for step in driven.trace.steps] == [*votes, "commit"]
    assert {"spec: tm", "program: tm"} <= {witness.name for witness in driven.trace.witnesses}


LOGGED = {
    "commits when it has a majority": "commit",
    "gives up after it has voted": "choose_to_abort",
    "commits what is aborted": "obey_abort",
    "votes without preparing": "prepare",
    "does not count a vote": "vote",
    "decides twice": "abort",
    "counts votes after its decision": "vote",
}
"""Mistakes that a log shows, and at which event. Messages are not logged: a server that tells nobody is only quiet."""


@pytest.mark.slow
@pytest.mark.parametrize("mistake", LOGGED)
def test_a_log_shows_the_mistake(
    mistake: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    mapping = load_map(tmp_path / "commit_map.py")
    for seed in range(60):
        monkeypatch.setattr(sys, "argv", ["commit_server.py", str(seed)])
        exec(
            compile(FILES["commit_server.py"].replace(*MISTAKES[mistake][:2]), "commit_server.py", "exec"),
            {"__name__": "__main__"},
        )
        (tmp_path / "log.jsonl").write_text(capsys.readouterr().out, encoding="utf-8")
        verdict = validate([str(tmp_path / "log.jsonl")], TwoPhaseCommit, mapping, "two_phase_commit")
        if isinstance(verdict, Differs):
            assert verdict.event.name == LOGGED[mistake]
            return
        assert isinstance(verdict, Conforms)
    pytest.fail("no run meets it")


# What is worth nothing


class Deaf(Adapter):
    """Ignores what it is told."""

    members: Mapping[str, Any] = {"ResourceManager": ("rm1", "rm2")}

    def reset(self, arguments: dict[str, Any]) -> None:
        return

    def perform(self, action: str, arguments: dict[str, Any]) -> None:
        return

    def observe(self) -> Mapping[str, Any]:
        return {"rm": {"rm1": "working", "rm2": "working"}}


class Blind(Deaf):
    """Shows nothing."""

    def observe(self) -> Mapping[str, Any]:
        return {}


class Stubborn(Deaf):
    """Refuses everything."""

    def perform(self, action: str, arguments: dict[str, Any]) -> None:
        raise Refused("not today")


class Excused(Deaf):
    """Has an excuse for everything."""

    def omitted(self, action: str, arguments: dict[str, Any]) -> str | None:
        return "not built yet"


def test_an_adapter_that_ignores_its_commands_is_caught() -> None:
    driven = drive(Deaf(), TwoPhaseCommit, "two_phase_commit", {})
    assert driven.misfit is not None
    assert driven.misfit.reason.startswith("nothing that it shows changes: the program, or its adapter, ignores this")
    assert "it has shown the same whatever it was told" in driven.misfit.reason
    assert "the adapter does not refuse what is no action" in driven.misfit.reason


def test_an_adapter_that_refuses_everything_is_caught() -> None:
    driven = drive(Stubborn(), TwoPhaseCommit, "two_phase_commit", {})
    assert driven.misfit is not None and "refuses what the specification allows: not today" in driven.misfit.reason


def test_an_adapter_that_shows_nothing_is_not_judged() -> None:
    driven = drive(Blind(), TwoPhaseCommit, "two_phase_commit", {})
    assert driven.exit_code is Exit.OPEN and "nothing was compared" in driven.reason


def test_an_adapter_that_omits_everything_is_not_judged() -> None:
    driven = drive(Excused(), TwoPhaseCommit, "two_phase_commit", {})
    assert driven.exit_code is Exit.OPEN and "every transition is omitted" in driven.reason
    assert driven.omitted == {"not built yet": driven.total}


def test_what_lies_behind_an_omission_is_not_said_to_be_covered(correct: type[Adapter]) -> None:
    class WithoutAbort(smaller(correct)):  # type: ignore[misc]
        def omitted(self, action: str, arguments: dict[str, Any]) -> str | None:
            return "it never aborts" if action == "abort" else None

    driven = drive(WithoutAbort(), TwoPhaseCommit, "two_phase_commit", {})
    assert driven.exit_code is Exit.OPEN and "behind omitted ones" in driven.reason
    assert driven.covered + sum(driven.omitted.values()) < driven.total


def test_too_many_states_are_not_judged(correct: type[Adapter]) -> None:
    driven = drive(smaller(correct)(), TwoPhaseCommit, "two_phase_commit", {}, states_max=10)
    assert driven.exit_code is Exit.OPEN and "only the first 10 states" in driven.reason


class Clumsy(Deaf):
    """Has a mistake of its own."""

    def perform(self, action: str, arguments: dict[str, Any]) -> None:
        raise KeyError(action)


class Strange(Deaf):
    """Shows what the specification does not have."""

    def observe(self) -> Mapping[str, Any]:
        return {"rms": 3}


@pytest.mark.parametrize(
    ("adapter", "message"),
    [(Clumsy, "raises KeyError: 'commit'"), (Strange, "There is no variable or view 'rms'. Did you mean 'rm'?")],
)
def test_a_mistake_of_the_adapter_is_told_as_one(adapter: type[Adapter], message: str) -> None:
    with pytest.raises(AdapterError) as failed:
        drive(adapter(), TwoPhaseCommit, "two_phase_commit", {})
    assert message in str(failed.value)


# Runs


@pytest.mark.parametrize("cover", ["actions", "pairs", pytest.param("edges", marks=pytest.mark.slow)])
def test_scenarios_cover_what_they_say(cover: Any) -> None:
    found = scenarios(TwoPhaseCommit.bounded(**SMALL), cover, "two_phase_commit")
    assert found.is_whole and found.covered == found.total
    happened = {step.action for run in found.runs for step in run.steps}
    assert happened == {
        "abort",
        "choose_to_abort",
        "commit",
        "obey_abort",
        "obey_commit",
        "prepare",
        "receive_prepared",
    }
    if cover == "pairs":
        pairs = {
            (one.action, two.action) for run in found.runs for one, two in zip(run.steps, run.steps[1:], strict=False)
        }
        first = {run.steps[0].action for run in found.runs}
        assert len(pairs) + len(first) == found.total


@pytest.mark.slow
def test_a_program_follows_scenarios_and_not_the_counterexample_of_a_mistake(correct: type[Adapter]) -> None:
    adapter = smaller(correct)
    for run in scenarios(TwoPhaseCommit.bounded(**SMALL), "pairs", "two_phase_commit").runs:
        assert follow(adapter(), run, TwoPhaseCommit, "two_phase_commit").exit_code is Exit.SUCCESS
    outcome = check(PreparedAborts)
    assert isinstance(outcome, Violated) and outcome.trace is not None
    driven = follow(adapter(), outcome.trace, PreparedAborts, "PreparedAborts")
    assert driven.misfit is not None and driven.misfit.action == "choose_to_abort"


class Forgetful:
    """Does not know that a participant may abort on its own, and does not say so."""

    def perform(self, action: str, arguments: dict[str, Any]) -> None:
        if action in ("prepare", "receive_prepared", "commit", "abort", "obey_commit", "obey_abort"):
            super().perform(action, arguments)  # type: ignore[misc]


class ShowsTheCoordinator:
    """Shows the state of the coordinator alone."""

    def observe(self) -> Mapping[str, Any]:
        return {"tm": super().observe()["tm"]}  # type: ignore[misc]


def along(adapter: type[Adapter], *names: str) -> Driven:
    """A program that is made to follow the run of these actions, which participants take one after the other."""
    bounded = TwoPhaseCommit.bounded(**SMALL)
    system = System(bounded)
    with system:
        ((arguments, state),) = system.initial()
        instances = []
        for name in names:
            action = system.action(name)
            chosen, state = next(
                (chosen, found.state)
                for chosen in Choices(system, action)(state)
                if (found := system.fire(state, action, chosen)) is not None
            )
            instances.append((action, chosen))
        run = trace(system, Finding("run", None, arguments, tuple(instances)), "two_phase_commit", None)
    return follow(adapter(), run, TwoPhaseCommit, "run.json")


def test_an_action_that_an_adapter_does_not_know_is_not_said_to_conform(correct: type[Adapter]) -> None:
    """What it ignores is seen by what it shows; where that need not change, the adapter is asked whether it minds what is no action."""
    known = smaller(correct)
    forgetful = type("Forgets", (Forgetful, known), {})
    driven = along(forgetful, "choose_to_abort", "prepare")
    assert driven.exit_code is Exit.VIOLATED and driven.misfit is not None and driven.covered == 0
    assert driven.misfit.reason.startswith("nothing that it shows changes")
    assert "does not refuse what is no action" in driven.misfit.reason
    assert "whatever it was told" in driven.misfit.reason
    partial = type("Partial", (ShowsTheCoordinator, Forgetful, known), {})
    driven = along(partial, "choose_to_abort", "abort", "obey_abort")
    assert driven.exit_code is Exit.OPEN
    assert driven.reason.startswith("choose_to_abort, obey_abort change nothing that the adapter shows")
    strict = type("Strict", (ShowsTheCoordinator, known), {})
    assert along(strict, "choose_to_abort", "abort", "obey_abort").exit_code is Exit.SUCCESS


def test_a_run_in_which_nothing_changes_that_is_shown_says_nothing() -> None:
    class Constant(Deaf):
        """Ignores what it is told, and shows what need not change."""

        def observe(self) -> Mapping[str, Any]:
            return {"tm": "init"}

    driven = along(Constant, "prepare", "prepare", "receive_prepared")
    assert driven.exit_code is Exit.OPEN
    assert "changes in 3 steps: a program that ignores its commands does as well" in driven.reason
    driven = along(Constant, "prepare", "abort")
    assert driven.misfit is not None and driven.misfit.action == "abort"
    assert "it has shown the same whatever it was told (2 steps)" in driven.misfit.reason


# Child processes


ECHO = """
import json, sys
for line in sys.stdin:
    asked = json.loads(line)
    if asked["do"] == "perform":
        {reply}
    print(json.dumps({{"vars": {{"tm": "init"}}}}), flush=True)
"""


def child(reply: str) -> Process:
    class Child(Process):
        command = (sys.executable, "-c", ECHO.format(reply=reply))

    return Child()


@pytest.mark.parametrize(
    ("reply", "message"),
    [("sys.exit(7)", "ended (exit code"), ("print('ready', flush=True)", "An answer is a JSON object"), ("", None)],
)
def test_a_child_that_fails_is_told_from_one_that_differs(reply: str, message: str | None) -> None:
    adapter = child(reply or "pass")
    try:
        if message is None:
            assert drive(adapter, TwoPhaseCommit, "two_phase_commit", SMALL).exit_code is Exit.VIOLATED
        else:
            with pytest.raises(AdapterError) as failed:
                drive(adapter, TwoPhaseCommit, "two_phase_commit", SMALL)
            assert message in str(failed.value)
    finally:
        adapter.close()


def test_a_node_that_the_specification_does_not_have_is_refused(tmp_path: Path) -> None:
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    log = write(tmp_path / "log.jsonl", [{"event": "prepare", "node": "dave"}])
    with pytest.raises(Exception, match="the node 'dave' is no member of ResourceManager"):
        validate([log], TwoPhaseCommit, load_map(tmp_path / "commit_map.py"), "two_phase_commit")


class P(Scalarset, size=2):
    """A person."""


class Room(Spec):
    """Persons wait, and leave once they are served."""

    waiting: set[P]
    served: set[P]

    @action
    def come(self, p: P) -> None:
        require(p not in self.waiting and p not in self.served)
        self.waiting.add(p)

    @action
    def leave(self, p: P) -> None:
        require(p in self.waiting)
        self.waiting.remove(p)
        self.served.add(p)


class Serves(Adapter):
    """Serves who waits; an heir serves whoever comes."""

    members: ClassVar[dict[str, Any]] = {"P": ("a", "b")}
    is_careful = True

    def reset(self, arguments: dict[str, Any]) -> None:
        self.waiting: set[str] = set()
        self.served: set[str] = set()

    def perform(self, action: str, arguments: dict[str, Any]) -> None:
        match action, arguments:
            case "come", {"p": p} if p not in self.waiting | self.served:
                self.waiting.add(p)
            case "leave", {"p": p} if p in self.waiting or not self.is_careful:
                self.waiting.discard(p)
                self.served.add(p)
            case _:
                raise Refused(action)

    def observe(self) -> Mapping[str, Any]:
        return {"waiting": sorted(self.waiting), "served": sorted(self.served)}


class ServesAnyone(Serves):
    is_careful = False


def test_a_program_has_to_refuse_who_is_not_in_the_set_that_an_action_takes_from() -> None:
    driven = drive(Serves(), Room, "room", {})
    assert driven.exit_code is Exit.SUCCESS and driven.refused == 2 * 2 * 9 - driven.total == 24
    driven = drive(ServesAnyone(), Room, "room", {})
    assert driven.misfit is not None and driven.misfit.action == "leave" and driven.exit_code is Exit.VIOLATED
    assert "its guard is false: p in self.waiting" in driven.misfit.reason
