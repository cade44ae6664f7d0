"""A model that was compiled well takes over from one that was compiled quickly, at any moment, and nothing is different."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from quorate import cc
from quorate.explore import reference
from quorate.explore.checking import symmetric_sorts
from quorate.explore.limits import Watch
from quorate.explore.native import better, library
from quorate.explore.native.library import Apart, Library
from quorate.explore.native.render import numbering
from quorate.explore.native.search import Crowded, compiled, rendering, run
from quorate.explore.symmetry import affordable
from quorate.language.spec import Spec
from quorate.language.system import Arguments, State, System
from quorate_specs.consensus.paxos import Paxos
from quorate_specs.consensus.raft import Raft, VotesForAnyone
from quorate_specs.coordination.lease_lock import LeaseLock
from quorate_specs.transactions.two_phase_commit import AnswersBeforeLogging

from tests.native.agreement import summary
from tests.native.liveness_agreement import case, compare

FAST = ("-O0", "-w", "-pthread", "-fvisibility=hidden")


def alternating(name: str, source: str, rendered: library.Rendered, store: str = "exact") -> Library:
    """A library of which every other call goes to the model of another one that has taken over."""
    apart = Apart.of(name, source, store)
    flags = (*FAST, *library.STORE_FLAGS[store])
    found = Library(rendered, cc.built(replace(apart.well, flags=(*flags, "-DALTERNATING"))), apart)
    assert found.go_on_with(cc.built(replace(apart.well, flags=flags, own=("-Og",))))
    return found


@pytest.mark.slow
@pytest.mark.parametrize(
    ("spec", "store"),
    [
        *((Raft.bounded(Term=1, Index=1), store) for store in ("exact", "tree", "fingerprint", "disk")),
        (VotesForAnyone.bounded(Term=1, Index=1), "exact"),
    ],
    ids=lambda part: part if isinstance(part, str) else part.__name__,
)
def test_a_search_may_go_on_with_another_library_s_model_at_any_call(spec: type[Spec], store: str) -> None:
    with System(spec) as system:
        initial = list(system.initial())
        for sorts in (affordable(system, symmetric_sorts(system)[0])[0], ()):
            expected = summary(reference.explore(system, sorts, Watch(), 1), not sorts)
            rendered = rendering(system, [state for _, state in initial], sorts, ("bits",) if store == "disk" else ())
            found = alternating(system.name, rendered.source, rendered, store)
            for workers in (1,) if store == "disk" else (1, 2, 4):
                with TemporaryDirectory() if store == "disk" else nullcontext() as folder:
                    watch = Watch(store=store, again=1) if folder is None else Watch(disk=Path(folder), again=1)
                    assert summary(run(system, found, initial, watch, workers), not sorts) == expected, workers


@pytest.mark.slow
def test_so_may_a_check_of_liveness() -> None:
    found = case("lease_lock", LeaseLock.bounded(Client=2, Token=2), 100_000)
    assert compare(found, alternating("lease_lock", found.rendered.source, found.rendered)).total() > 0


@pytest.fixture
def quick(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[System]:
    """A system whose model is compiled quickly, with an empty cache, and is to be bettered at the first look."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("CFLAGS", raising=False)
    monkeypatch.setattr(library, "QUICKLY", ("-O0",))
    monkeypatch.setattr(better, "LASTING_S", 0.0)
    with System(Paxos) as system:
        yield system


def explored(system: System, found: Library, initial: list[tuple[Arguments, State]]) -> tuple[object, ...]:
    return summary(run(system, found, initial, Watch(), 2), False)


@pytest.mark.slow
def test_a_search_that_lasts_goes_on_with_what_was_compiled_well(quick: System) -> None:
    sorts = symmetric_sorts(quick)[0]
    initial, found = compiled(quick, sorts)
    assert found.quick is not None
    cc.built(found.quick.well)  # So that it is there at once.
    begun_quickly = explored(quick, found, initial)
    assert found.quick is None
    with System(Paxos) as again:
        initial, kept = compiled(again, sorts)
        assert kept.quick is None
        assert explored(again, kept, initial) == begun_quickly


@pytest.mark.slow
@pytest.mark.parametrize("body", ["exit 1", "sleep 60"], ids=["fails", "hangs"])
def test_a_compiler_that_fails_or_hangs_meanwhile_makes_no_difference(
    quick: System, body: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    initial, found = compiled(quick, symmetric_sorts(quick)[0])
    compiler = tmp_path / "compiler"
    compiler.write_text(f"#!/bin/sh\n{body}\n")
    compiler.chmod(0o700)
    monkeypatch.setenv("CC", str(compiler))
    began = time.monotonic()
    covered = run(quick, found, initial, Watch(), 1)
    assert (covered.states, covered.stopped) == (73_965, None)
    assert time.monotonic() - began < 30
    assert (found.quick is None) == (body == "exit 1")


@pytest.mark.slow
def test_what_takes_over_is_nobody_else_s(quick: System, monkeypatch: pytest.MonkeyPatch) -> None:
    """A check that begins with what was compiled well, while an earlier one in this process went on with it, sees what its model says: here
    that there are too few numbers for its messages."""
    monkeypatch.setattr(library, "FLAGS", FAST)
    monkeypatch.setattr(numbering, "WORDS_SAVED_MIN", -numbering.NUMBERS_MAX)
    monkeypatch.setattr(numbering, "NUMBERS_MAX", 12)
    spec = Raft.bounded(Term=1, Index=1)
    with System(spec) as system:
        _, found = compiled(system, ())
        assert found.quick is not None
        building = cc.Meanwhile(found.quick.well)
        building._thread.join()
        assert building.found is not None and found.go_on_with(building.found)
    with System(spec) as again:
        initial, kept = compiled(again, ())
        assert kept.quick is None
        with pytest.raises(Crowded):
            run(again, kept, initial, Watch(), 1)


def test_flags_of_the_user_say_how_well(quick: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CFLAGS", "-g -O0")
    with System(AnswersBeforeLogging) as system:
        assert compiled(system, ())[1].quick is None


@pytest.mark.slow
def test_what_takes_over_must_be_the_same_model() -> None:
    made = []
    for size in (1, 2):
        with System(AnswersBeforeLogging.bounded(ResourceManager=size)) as system:
            rendered = rendering(system, [state for _, state in system.initial()], ())
            apart = Apart.of(system.name, rendered.source)
            made.append(Library(rendered, cc.built(replace(apart.well, flags=FAST)), apart))
    assert not made[0].go_on_with(made[1].c)
