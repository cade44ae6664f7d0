"""A model and the engine are compiled apart: what that saves, and that it is the same."""

from __future__ import annotations

from pathlib import Path

import pytest
from quorate.explore.checking import symmetric_sorts
from quorate.explore.limits import Watch
from quorate.explore.native import library
from quorate.explore.native.library import Library, compile_apart, compile_model
from quorate.explore.native.liveness import Check
from quorate.explore.native.search import compiled, rendering, run
from quorate.language.spec import Spec
from quorate.language.system import System
from quorate_specs.consensus.raft import Raft
from quorate_specs.transactions.two_phase_commit import (
    AnswersBeforeLogging,
    TwoPhaseCommit,
    TwoPhaseCommitWithCrashes,
    VotesBeforeLogging,
)

from tests.native.agreement import QUICK_FLAGS, summary


def test_variants_share_the_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    for spec in (AnswersBeforeLogging, VotesBeforeLogging):
        with System(spec) as system:
            compiled(system, ())
    kinds = [file.suffix for file in (tmp_path / "quorate" / "objects").glob("*/*")]
    assert (kinds.count(".so"), kinds.count(".o")) == (2, 1)


@pytest.mark.slow
def test_what_is_only_searched_with_has_no_random_runs() -> None:
    with System(VotesBeforeLogging) as system:
        searched = compiled(system, ())[1]
        walked = compiled(system, (), searching=False)[1]
        assert [hasattr(one.c, "quorate_simulate") for one in (searched, walked)] == [False, True]
        assert compiled(system, ())[1] is walked


@pytest.mark.slow
@pytest.mark.parametrize("store", ["exact", "tree", "fingerprint"])
@pytest.mark.parametrize("spec", [Raft.bounded(Term=1, Index=1), TwoPhaseCommit.bounded(ResourceManager=4)])
def test_what_is_compiled_apart_searches_as_what_is_compiled_whole(spec: type[Spec], store: str) -> None:
    with System(spec) as system:
        sorts, _ = symmetric_sorts(system)
        initial = list(system.initial())
        rendered = rendering(system, [state for _, state in initial], sorts)
        found = [
            summary(
                run(system, Library(rendered, compile_it(system.name, rendered.source, store)), initial, Watch(), 2),
                False,
            )
            for compile_it in (compile_apart, compile_model)
        ]
    assert found[0] == found[1]


@pytest.mark.slow
def test_the_graph_for_liveness_takes_no_more_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine by itself knows how many bytes a state has."""
    monkeypatch.setattr(library, "FLAGS", QUICK_FLAGS)
    with System(TwoPhaseCommitWithCrashes) as system:
        initial = list(system.initial())
        rendered = rendering(system, [state for _, state in initial], ())
        taken = []
        for compile_it in (compile_apart, compile_model):
            found = Library(rendered, compile_it(system.name, rendered.source))
            check = Check(system, found, initial, (), Watch())
            with check.opened():
                assert found.c.quorate_liveness_build(check.handle) == 1
                taken.append(check._report().bytes)
    assert rendered.state_words == 1 and taken[0] == taken[1]
