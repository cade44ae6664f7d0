"""What is installed has names of its own: a project with its own `checker.py`, `specs/` and `impl/` does not notice Quorate."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OWN = {"quorate", "quorate_specs", "quorate_impl"}

PROJECT = {
    "checker.py": "WHO = 'the project'\n",
    "specs/__init__.py": "WHO = 'the project'\n",
    "impl/__init__.py": "WHO = 'the project'\n",
    "conftest.py": "import checker\n\nassert checker.WHO == 'the project'\n",
    "test_project.py": """
import checker
import impl
import specs
from quorate import Scalarset, Spec, action, invariant, require
from quorate.pytest_plugin import verified


class Process(Scalarset, size=2):
    \"\"\"Who wants the lock.\"\"\"


class Lock(Spec):
    \"\"\"One process at a time.\"\"\"

    inside: set[Process]

    @action
    def enter(self, p: Process) -> None:
        require(len(self.inside) == 0)
        self.inside.add(p)

    @action
    def leave(self, p: Process) -> None:
        require(p in self.inside)
        self.inside.discard(p)

    @invariant
    def alone(self) -> bool:
        return len(self.inside) <= 1


def test_the_projects_own_modules_are_imported():
    assert checker.WHO == specs.WHO == impl.WHO == "the project"


def test_a_spec_of_the_project_is_checked():
    verified(Lock)


def test_the_library_is_there():
    from quorate_specs.transactions.two_phase_commit import TwoPhaseCommit

    assert issubclass(TwoPhaseCommit, Spec)
""",
}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", str(folder), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True, timeout=300)
    (built,) = folder.glob("quorate-*.whl")
    return built


@pytest.mark.slow
def test_the_wheel_has_no_other_names_at_its_top(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        tops = {name.split("/")[0] for name in archive.namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == OWN


@pytest.mark.slow
def test_the_wheel_has_the_files_for_prometheus_and_grafana(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = {Path(name).name for name in archive.namelist() if name.startswith("quorate_impl/monitoring/")}
    assert {
        "common.rules.yml",
        "raft.rules.yml",
        "primary_backup.rules.yml",
        "as_published.rules.yml",
        "paxos_commit.rules.yml",
        "dashboard.json",
        "paxos_commit.dashboard.json",
    } <= names


@pytest.mark.slow
@pytest.mark.parametrize("command", [["-m", "pytest"], ["-m", "pytest", "--import-mode=importlib"]], ids=" ".join)
def test_a_project_with_modules_of_the_same_names_runs_its_tests(
    wheel: Path, tmp_path: Path, command: list[str]
) -> None:
    environment = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(environment)], check=True)
    packages = Path(sysconfig.get_path("purelib", vars={"base": str(environment), "platbase": str(environment)}))
    # What Quorate depends on comes from the environment of these tests; Quorate itself from the wheel.
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib"), encoding="utf-8")
    install = [sys.executable, "-m", "pip", "--quiet", "install", "--no-deps", "--target", str(packages), str(wheel)]
    subprocess.run(install, check=True, capture_output=True, timeout=300)

    project = tmp_path / "project"
    for name, text in PROJECT.items():
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text(text, encoding="utf-8")
    done = subprocess.run(
        [str(environment / "bin" / "python"), *command, "-p", "no:cacheprovider"],
        cwd=project, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0 and "4 passed" in done.stdout, done.stdout + done.stderr
