"""What a more abstract specification promises of its runs is asked of the runs that refine it, in every engine alike."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace

import pytest
from quorate import Scalarset, Spec, action, eventually, holds, is_majority, leads_to, mapping, require, the, violates
from quorate.errors import OutsideSubset, SpecError
from quorate.explore import check
from quorate.explore.every import only
from quorate.kinds import LIVENESS
from quorate.language.system import System
from quorate.model import build
from quorate.model.verify import verify

from tests import generated
from tests.model.test_interpreter import agree

ENGINES = ("reference", pytest.param("native", marks=pytest.mark.slow))


class Server(Scalarset, size=3):
    """A voter."""


class Chosen(Spec):
    """Once it is asked for, somebody is elected."""

    elected: Server | None
    asked: bool

    @action
    def ask(self) -> None:
        require(not self.asked)
        self.asked = True

    @action(fair="weak", fair_per="action")
    def elect(self, s: Server) -> None:
        require(self.asked and self.elected is None)
        self.elected = s

    @leads_to
    def somebody_is_elected(self) -> tuple[bool, bool]:
        return self.asked, self.elected is not None


class Counted(Spec):
    """A majority elects. Nobody votes for another than those before."""

    refines = Chosen
    expect = holds()

    voted: dict[Server, Server | None]
    begun: bool

    @action
    def begin(self) -> None:
        require(not self.begun)
        self.begun = True

    @action(fair="weak", fair_per="action")
    def vote(self, s: Server, candidate: Server) -> None:
        require(self.begun and self.voted[s] is None and self.may_vote(candidate))
        self.voted[s] = candidate

    def may_vote(self, candidate: Server) -> bool:
        return all(self.voted[t] in (None, candidate) for t in Server)

    @mapping(live=True)
    def refines_choice(self, abstract: Chosen) -> None:
        s = {c for c in Server if is_majority({t for t in Server if self.voted[t] == c}, Server)}
        abstract.elected = the((c for c in s), None)
        abstract.asked = self.begun


class SplitsItsVotes(Counted):
    """Each server may vote for another one, and then there is no majority."""

    expect = violates("somebody_is_elected")

    def may_vote(self, candidate: Server) -> bool:
        return True


class StopsVoting(Counted):
    """Nobody has to vote."""

    expect = violates("somebody_is_elected")

    @action
    def vote(self, s: Server, candidate: Server) -> None:
        super().vote(s, candidate)


@pytest.mark.parametrize("engine", ENGINES)
def test_what_is_promised_there_is_asked_here(engine: str) -> None:
    assert check(Chosen, engine=engine).verdict == check(Counted, engine=engine).verdict == "holds"
    split = check(SplitsItsVotes, engine=engine)
    assert (split.verdict, split.violated) == ("violated", ("somebody_is_elected",))
    assert split.trace is not None and split.trace.abstract is not None
    beside = [step.abstract.action for step in split.trace.steps if step.abstract is not None]
    assert beside == ["ask", None, None, None]  # One begins, three vote.


def test_runs_are_fair_as_the_refining_specification_says() -> None:
    lazy = check(StopsVoting, engine="reference")
    assert lazy.verdict == "violated" and lazy.trace is not None and len(lazy.trace.steps) == 1


@pytest.mark.parametrize("engine", ENGINES)
def test_it_can_be_asked_alone_or_omitted(engine: str) -> None:
    assert check(only(SplitsItsVotes, ["somebody_is_elected"]), engine=engine).verdict == "violated"
    assert check(only(SplitsItsVotes, ["refines_choice"]), engine=engine).verdict == "holds"


@pytest.mark.parametrize("live", [False, True])
def test_an_heir_may_omit_the_mapping_of_its_base_for_one_of_its_own(live: bool) -> None:
    """It was mapped by the one that it omits, or ended in an error, and was asked for nothing of runs."""

    class Asked(Spec):
        asked: bool

        @action
        def ask(self) -> None:
            self.asked = True

    class Asks(SplitsItsVotes):
        refines = Asked
        omits = ("refines_choice",)

        @mapping
        def refines_asked(self, abstract: Asked) -> None:
            abstract.asked = self.begun

    class Elects(Asks):
        refines = Chosen
        omits = ("refines_asked",)
        expect = violates("somebody_is_elected")

    class Renamed(Asks):
        refines = Chosen
        omits = ("refines_choice", "refines_asked")

        @mapping(live=live)
        def as_chosen(self, abstract: Chosen) -> None:
            self.refines_choice(abstract)

    def judged(spec: type[Spec]) -> dict[str, str]:
        return {one.property: one.status for one in check(spec, engine="reference").judgements}

    broken = {"somebody_is_elected": "violated"}
    assert judged(Asks) == {"refines_asked": "holds"}
    assert judged(Elects) == {"refines_choice": "holds", **broken}
    assert judged(Renamed) == {"as_chosen": "holds", **(broken if live else {})}
    if live:
        assert judged(only(Renamed, ["somebody_is_elected"])) == broken


def test_names_are_of_one_meaning() -> None:
    class Own(Counted):
        @eventually
        def somebody_is_elected(self) -> bool:
            return True

    with pytest.raises(SpecError, match="somebody_is_elected of its own"):
        System(Own)


def test_a_specification_that_promises_nothing_is_not_carried_over() -> None:
    class Silent(Chosen):
        omits = ("somebody_is_elected",)

    class Nothing(Counted):
        refines = Silent

    with pytest.raises(SpecError, match="promises nothing of its runs"):
        System(Nothing)


def _mapped_to_itself(seed: int) -> type[Spec]:
    """A drawn specification that has its properties of runs twice: as its own, and carried over from another one that is the same."""
    source = generated.write(seed, histories=False, liveness=True)
    begin = re.search(r"^class (Base|Drawn)\(Spec\):", source, re.MULTILINE)
    assert begin is not None
    classes = source[begin.start() :]
    above = re.sub(r"\bBase\b", "BaseAbove", re.sub(r"\bDrawn\b", "Above", classes))
    above = re.sub(rf"def ((?:{'|'.join(LIVENESS)})\d+)\(", r"def promised_\1(", above)
    plain = generated.load(source)
    lines = [
        "class Live(Drawn):",
        "    refines = Above",
        "",
        "    @mapping(live=True)",
        "    def same(self, abstract: Above) -> None:",
    ]
    lines += [f"        abstract.{variable.name} = self.{variable.name}" for variable in System(plain).variables]
    return generated.load("\n\n".join([source, above, "\n".join(lines) + "\n"]), "Live")


@pytest.mark.slow
def test_a_drawn_specification_keeps_its_own_promises_as_often_as_those_carried_over() -> None:
    verdicts: Counter[str] = Counter()
    for seed in range(20):
        spec = _mapped_to_itself(seed)
        system = System(spec)
        try:
            model = build(system)
        except OutsideSubset:  # As a step of another one, an action may be a loop whose order Python does not fix.
            verdicts["refused"] += 1
            continue
        verify(model)
        with system:
            asked = tuple(one for one in model.properties if one.name in system.carried)
            agree(system, replace(model, properties=asked), 4)
        for name in system.carried:
            own, carried = (
                check(only(spec, [one]), engine="reference", symmetry=False)
                for one in (name.removeprefix("promised_"), name)
            )
            assert own.verdict == carried.verdict, (seed, name, own, carried)
            verdicts[own.verdict] += 1
    assert min(verdicts["violated"], verdicts["holds"] + verdicts["holds-within-bounds"]) >= 2, verdicts
    assert verdicts["refused"] <= 4, verdicts
