"""The C of generated models: clean under the compiler's sanitizers, and traceable to the lines of the spec."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner
from quorate import cc
from quorate.commands.check import command
from quorate.explore.checking import symmetric_sorts
from quorate.explore.limits import Watch
from quorate.explore.native import explore as native
from quorate.explore.native.render import Rendered
from quorate.explore.native.search import rendering
from quorate.language.spec import Spec
from quorate.language.system import System
from quorate_specs.consensus.paxos import Paxos
from quorate_specs.consensus.raft import Raft
from quorate_specs.consensus.raft_election import RaftElection
from quorate_specs.replication.primary_backup import PrimaryBackup
from quorate_specs.replication.quorum_register import QuorumRegister
from quorate_specs.replication.vector_clock import VectorClock
from quorate_specs.transactions import two_phase_commit
from quorate_specs.transactions.two_phase_commit import TwoPhaseCommit, TwoPhaseCommitWithCrashes

from tests.native.agreement import draw, numbering_all, remembering_everything
from tests.native.batch import by_words, combined
from tests.native.building import SANITIZERS, found, program

QUICK = ("-O0", "-w", "-DINLINE=static __attribute__((unused))")
RUN = '\n#include "run.c"\n'
RUN_ALL = """
#define main run_one
#include "run.c"
#undef main
int main(int argc, char **argv) {
    for (int i = 0; i < (int)(sizeof models / sizeof *models); i++) {
        quorate_choose(i);
        if (run_one(argc, argv)) return 1;
    }
    return 0;
}
"""
CASES: list[tuple[type[Spec], bool, str]] = [
    (Paxos.bounded(Ballot=1), True, "address"),
    (Raft.bounded(Term=1, Index=2), False, "address"),
    (RaftElection.bounded(Term=1), True, "address"),
    (QuorumRegister.bounded(Reader=1), True, "address"),
    (PrimaryBackup.bounded(Node=2), False, "address"),
    (VectorClock.bounded(Count=2, network=5), True, "address"),
    (TwoPhaseCommitWithCrashes.bounded(Crashes=2), True, "address"),
    (Raft.bounded(Term=1, Index=2), False, "thread"),
    (Raft.bounded(Term=1, Index=2), True, "thread"),
    (RaftElection.bounded(Term=2), False, "thread"),
    (TwoPhaseCommitWithCrashes.bounded(Crashes=2), True, "thread"),
]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("spec", "symmetry", "sanitizer"),
    [pytest.param(*case, marks=[] if number % 2 == 0 else [pytest.mark.deep]) for number, case in enumerate(CASES)],
)
def test_the_librarys_models_are_clean_under_sanitizers(
    tmp_path: Path, spec: type[Spec], symmetry: bool, sanitizer: str
) -> None:
    system = System(spec)
    with system:
        sorts = symmetric_sorts(system)[0] if symmetry else ()
        expected = native(system, sorts, Watch(), 1)
        source = rendering(system, [state for _, state in system.initial()], sorts).source
    answer = found(program(tmp_path / "model", source + RUN, sanitizer, *QUICK), 3)
    assert (answer["states"], answer["transitions"]) == (str(expected.states), str(expected.transitions))


@pytest.mark.slow
@pytest.mark.parametrize("sanitizer", ["address", pytest.param("thread", marks=pytest.mark.deep)])
def test_drawn_models_are_clean_under_sanitizers(tmp_path: Path, sanitizer: str) -> None:
    with remembering_everything(), numbering_all():
        cases = [case for number in range(5_000, 5_012) for case in draw(number)]
        cases += [case for number in range(5_012, 5_020) for case in draw(number, networks=True)]
    assert any(case.sorts for case in cases) and any(case.rendered.sites for case in cases)
    assert any("#define MODEL_NUMBERS" in case.rendered.source for case in cases)
    for group in by_words([case.rendered for case in cases]):
        models: list[Rendered] = [cases[position].rendered for position in group]
        run_all = program(tmp_path / "models", combined(models)[1] + RUN_ALL, sanitizer, *QUICK)
        done = subprocess.run([run_all, "2"], capture_output=True, text=True, check=True)
        states = [int(number) for number in re.findall(r"states=(\d+)", done.stdout)]
        assert states == [cases[position].expected.states for position in group]


def kept(folder: Path, *options: str) -> Path:
    """The file that `--keep-c` writes for two-phase commit."""
    file = folder / "two_phase_commit.c"
    done = CliRunner().invoke(command, ["two_phase_commit", *options, "--keep-c", str(file)])
    assert done.exit_code == 0, done.output
    return file


def test_the_kept_file_compiles_by_itself(tmp_path: Path) -> None:
    """As its first line says."""
    file = kept(tmp_path)
    flags = file.read_text(encoding="utf-8").split("*/")[0].split()[2:]
    subprocess.run([*cc.find().command, *flags, "-o", "model.so"], cwd=tmp_path, check=True)


def test_a_message_of_the_compiler_speaks_of_the_spec(tmp_path: Path) -> None:
    file = kept(tmp_path)
    wrong = file.read_text(encoding="utf-8").replace("n[0] |= (word)1", "n[0] |= (wort)1")
    file.write_text(wrong, encoding="utf-8")
    done = subprocess.run(
        [*cc.find().command, "-std=c11", "-c", file.name], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    source = Path(two_phase_commit.__file__)
    lines = source.read_text(encoding="utf-8").splitlines()
    named = {
        int(number) for number in re.findall(rf"^{re.escape(str(source))}:(\d+):\d+: error", done.stderr, re.MULTILINE)
    }
    assert named and all(
        "self.network.send" in lines[number - 1] or "self.prepared.add" in lines[number - 1] for number in named
    )


def test_every_line_of_generated_code_is_on_the_line_of_the_spec_that_it_comes_from(tmp_path: Path) -> None:
    """Counted by gcov: assignments run as often as their actions fire."""
    if (
        shutil.which("gcov") is None
        or "gcc" not in subprocess.run([*cc.find().command, "-v"], capture_output=True, text=True).stderr
    ):
        pytest.skip("no gcov here")
    system = System(TwoPhaseCommit)
    with system:
        found_natively = native(system, (), Watch(), 1)
    file = kept(tmp_path, "--no-symmetry")
    text = file.read_text(encoding="utf-8") + RUN
    run = program(tmp_path / "two_phase_commit", text, "plain", "-O0", "-w", "--coverage")
    subprocess.run([run, "1"], cwd=tmp_path, check=True, capture_output=True)
    data = next(tmp_path.glob("*.gcda"))
    subprocess.run(["gcov", "--preserve-paths", data.name], cwd=tmp_path, check=True, capture_output=True)
    report = next(path for path in tmp_path.glob("*two_phase_commit.py.gcov")).read_text(encoding="utf-8")
    counts = {int(line): int(count) for count, line in re.findall(r"^ *(\d+)\*?: *(\d+):", report, re.MULTILINE)}
    lines = Path(two_phase_commit.__file__).read_text(encoding="utf-8").splitlines()
    for action, statement in (
        ("commit", "self.network.send(Verdict.COMMIT)"),
        ("prepare", "self.rm[r] = RM.PREPARED"),
        ("obey_abort", "self.network.receive(Verdict.ABORT)"),
        ("receive_prepared", "self.prepared.add(m.rm)"),
    ):
        line = 1 + next(i for i, text in enumerate(lines) if text.strip() == statement)
        assert counts[line] == found_natively.actions[action], action


def test_the_directives_return_to_the_c_file(tmp_path: Path) -> None:
    """A directive that names the C file says the number of the line that follows it."""
    file = kept(tmp_path)
    lines = file.read_text(encoding="utf-8").splitlines()
    back = [
        (number, int(found[1]))
        for number, line in enumerate(lines, start=1)
        if (found := re.match(rf'#line (\d+) "{file.name}"', line))
    ]
    assert len(back) > 10 and all(said == number + 1 for number, said in back)


def test_sanitizers_have_a_build_each() -> None:
    assert {sanitizer for _, _, sanitizer in CASES} | {"plain"} == set(SANITIZERS)
