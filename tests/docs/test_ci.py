"""The page about pipelines can be followed in an empty folder, and its pipeline, run there as it is written, does what it says."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from quorate.cli import COMMANDS

from tests.docs.following import follow
from tests.docs.pages import DOCS, ROOT

WORKFLOW = ".github/workflows/specifications.yml"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project of the page, followed to its end."""
    folder = tmp_path_factory.mktemp("project")
    assert len(follow(DOCS / "ci.md", folder)) == 6
    return folder


@pytest.fixture
def shell(tmp_path: Path, project: Path) -> dict[str, str]:
    """An environment in which Quorate and pytest are installed, and `pip` does nothing."""
    programs = {
        "quorate": 'if __name__ == "__main__":\n    from quorate.cli import main\n\n    main()',
        "pytest": "import pytest\nimport sys\n\nsys.exit(pytest.main())",
        "pip": "",
    }
    for name, text in programs.items():
        file = tmp_path / name
        file.write_text(f"#!{sys.executable}\n{text}\n", encoding="utf-8")
        file.chmod(0o755)
    return {"PATH": f"{tmp_path}:{os.environ['PATH']}", "GITHUB_ACTION_PATH": str(ROOT), "HOME": str(tmp_path)}


def run(command: str, folder: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", command], cwd=folder, env=environment, capture_output=True, text=True
    )


def commands(steps: list[dict[str, Any]]) -> Iterator[str]:
    yield from (step["run"] for step in steps if "run" in step)


@pytest.mark.slow
def test_the_pipeline_of_the_page_passes_as_it_is_written_and_leaves_its_reports(
    project: Path, shell: dict[str, str]
) -> None:
    jobs = yaml.safe_load((project / WORKFLOW).read_text(encoding="utf-8"))["jobs"]
    assert set(jobs) == {"verify", "nightly"}
    for job in jobs.values():
        done = [run(command, project, shell) for command in commands(job["steps"])]
        assert [one.returncode for one in done] == [0] * len(done), [one.stdout + one.stderr for one in done]
        for step in job["steps"]:
            options = step.get("with", {})
            for file in (options.get("path"), options.get("sarif_file")):
                assert file is None or (project / file).exists(), file
    assert "Process=5" in (project / "report.html").read_text(encoding="utf-8"), (
        "the last job checks at the sizes of the night"
    )


@pytest.mark.slow
def test_the_pipeline_fails_at_the_line_of_what_is_broken(project: Path, shell: dict[str, str], tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    broken.mkdir()
    for name in ("turn.py", "pyproject.toml", "quorate.lock"):
        text = (project / name).read_text(encoding="utf-8")
        (broken / name).write_text(text.replace("len(self.inside) == 0", "len(self.inside) < 2"), encoding="utf-8")
    jobs = yaml.safe_load((project / WORKFLOW).read_text(encoding="utf-8"))["jobs"]
    verify = next(command for command in commands(jobs["verify"]["steps"]) if command.startswith("quorate"))
    done = run(verify, broken, shell)
    line = next(
        number
        for number, text in enumerate((broken / "turn.py").read_text().splitlines(), 1)
        if "def exclusive" in text
    )
    assert done.returncode == 1 and f"::error file=turn.py,line={line}," in done.stdout


@pytest.mark.slow
def test_the_action_passes_its_inputs_on(project: Path, shell: dict[str, str]) -> None:
    action = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
    steps = action["runs"]["steps"]
    assert action["runs"]["using"] == "composite"
    assert all(step["shell"] == "bash" for step in steps if "run" in step), "a composite action has no default"
    text = (ROOT / "action.yml").read_text(encoding="utf-8")
    assert all(f"${{{{ inputs.{name}" in text for name in action["inputs"])
    (verify,) = [step for step in steps if step.get("name") == "Verify"]
    assert "${{" not in verify["run"], "what is given from outside comes by the environment"
    inputs = {
        "SPECS": "turn.py:Turn\ntwo_phase_commit:TwoPhaseCommit",
        "BOUNDS": "nightly",
        "BUDGET": "300",
        "SKIP": "false",
    }
    done = run(verify["run"], project, shell | inputs)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "two_phase_commit" in (project / "quorate-report.html").read_text(encoding="utf-8")
    for output in action["outputs"].values():
        assert (project / output["value"]).exists()
    empty = run(verify["run"], project, shell | dict.fromkeys(inputs, "") | {"SKIP": "true"})
    assert empty.returncode == 0, empty.stdout + empty.stderr


def test_the_hook_is_a_command_that_there_is() -> None:
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    program, command = hook["entry"].split()
    assert (program, command in COMMANDS, hook["language"]) == ("quorate", True, "python")
    assert hook["pass_filenames"] is False, "what depends on a changed file is for `verify` to find"
