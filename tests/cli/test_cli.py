"""The command line: what it prints, what it writes, how it ends."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from importlib.metadata import entry_points
from pathlib import Path

import pytest
from quorate.cli import main

from tests.cli.samples import AT_ONCE, LIAR, MUTEX, WRONG

Result = tuple[int, str, str]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with a right specification and one that lies about its expectation."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mutex.py").write_text(MUTEX)
    (tmp_path / "liar.py").write_text(LIAR)
    return tmp_path


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):  # type: ignore[no-untyped-def]
    """Runs `quorate` with arguments: exit code, stdout, stderr."""

    def call(*arguments: str) -> Result:
        monkeypatch.setattr(sys, "argv", ["quorate", *arguments])
        with pytest.raises(SystemExit) as end:
            main()
        out, err = capsys.readouterr()
        return int(end.value.code or 0), out, err

    return call


def test_check_says_that_it_holds(run, folder: Path) -> None:  # type: ignore[no-untyped-def]
    code, out, err = run("check", "mutex.py")
    assert code == 0 and "holds" in out and err == ""


def test_check_shows_the_run_that_violates(run, folder: Path) -> None:  # type: ignore[no-untyped-def]
    code, out, _ = run("check", "mutex.py", "--variant", "Rude")
    assert code == 1 and "mutual_exclusion" in out and "Nobody is inside with another." in out and "enter" in out
    assert run("check", "mutex.py:Rude")[0] == 1


def test_a_run_of_no_steps_is_a_run(run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    """What is wrong in the initial state is shown and written as what is wrong later."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "counters.py").write_text(AT_ONCE)
    for command in ("check", "simulate"):
        assert "in the initial state" in run(command, "counters.py")[1]
        code, out, _ = run(command, "counters.py", "--format", "json")
        assert code == 1 and json.loads(out)["trace"]["steps"] == []
    low, high = "counters.py:Low", "counters.py:High"
    assert run("simulate", low, "--out", "random")[0] == run("diff", low, high, "--out", "other")[0] == 1
    assert (tmp_path / "random" / "trace.json").exists()
    assert (tmp_path / "other" / "trace-only-first.json").exists()


def test_the_json_object_has_the_promised_fields_and_is_the_same_twice(run, folder: Path) -> None:  # type: ignore[no-untyped-def]
    first, second = (json.loads(run("check", "mutex.py", "--variant", "Rude", "--format", "json")[1]) for _ in range(2))
    fields = (
        "spec",
        "variant",
        "bounds",
        "engine",
        "symmetry",
        "verdict",
        "property",
        "states",
        "transitions",
        "depth",
        "cuts",
        "seconds",
        "trace",
    )
    assert all(field in first for field in fields)
    assert (first["spec"], first["variant"], first["verdict"]) == ("mutex.py", "Rude", "violated")
    assert {key for key in first if first[key] != second[key]} <= {"seconds"}


def test_junit_and_github_formats(run, folder: Path) -> None:  # type: ignore[no-untyped-def]
    code, out, _ = run("check", "mutex.py:Rude", "--format", "junit")
    assert code == 1 and ET.fromstring(out).iter("failure") is not None and list(ET.fromstring(out).iter("failure"))
    code, out, _ = run("check", "mutex.py:Rude", "--format", "github")
    assert code == 1 and out.startswith("::error")


def test_out_writes_a_trace_and_a_picture_that_replay_and_draw_read(run, folder: Path) -> None:  # type: ignore[no-untyped-def]
    assert run("check", "mutex.py", "--variant", "Rude", "--out", "found/rude")[0] == 1
    assert sorted(path.name for path in (folder / "found/rude").iterdir()) == ["diagram.svg", "trace.json"]
    assert ET.parse(folder / "found/rude/diagram.svg")
    code, out, _ = run("replay", "found/rude/trace.json")
    assert code == 1 and "still violates mutual_exclusion" in out
    code, out, _ = run("replay", "found/rude/trace.json", "--spec", "mutex.py")
    assert code == 3 and "not possible any more" in out
    for name in ("a.svg", "a.png", "a.pdf", "a.dot", "a.html"):
        assert run("draw", "found/rude/trace.json", "-o", name)[0] == 0 and (folder / name).stat().st_size > 500
    assert run("draw", "found/rude/trace.json", "-o", "a.bmp")[0] == 2


def test_out_leaves_nothing_behind_when_everything_holds(run, folder: Path) -> None:  # type: ignore[no-untyped-def]
    assert run("check", "mutex.py", "--out", "found/none")[0] == 0
    assert not (folder / "found").exists()


def test_out_removes_what_an_earlier_run_left_and_nothing_else(run, folder: Path) -> None:  # type: ignore[no-untyped-def]
    run("check", "mutex.py", "--variant", "Rude", "--out", "found")
    (folder / "found/trace-mine.json").write_text("{}")
    (folder / "found/trace-kept.json").write_text((folder / "found/trace.json").read_text())
    assert run("check", "mutex.py", "--out", "found")[0] == 0
    assert sorted(path.name for path in (folder / "found").iterdir()) == ["trace-kept.json", "trace-mine.json"]


def test_replay_runs_no_file_from_elsewhere_that_a_trace_names(run, folder: Path, tmp_path_factory) -> None:  # type: ignore[no-untyped-def]
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "evil.py"
    elsewhere.write_text("raise SystemExit('it ran')\n")
    run("check", "mutex.py", "--variant", "Rude", "--out", "found")
    data = json.loads((folder / "found/trace.json").read_text())
    for name in (str(elsewhere), f"../{elsewhere.parent.name}/evil.py", f"{elsewhere}:Evil"):
        (folder / "evil.json").write_text(json.dumps(data | {"spec": name}))
        code, out, err = run("replay", "evil.json")
        assert code == 2 and "--spec" in err and "it ran" not in out + err


@pytest.mark.parametrize("damage", ["truncated", "value", "action", "format", "loop", "empty"])
def test_a_damaged_trace_is_one_clear_error_or_a_named_difference(run, folder: Path, damage: str) -> None:  # type: ignore[no-untyped-def]
    run("check", "mutex.py", "--variant", "Rude", "--out", "found")
    path = folder / "found/trace.json"
    text = path.read_text()
    data = json.loads(text)
    if damage == "value":
        data["steps"][0]["changes"][0]["new"] = {"set": ["p9"]}
    elif damage == "action":
        data["steps"][1]["action"] = "vanish"
    elif damage == "format":
        data["format"] = "another"
    elif damage == "loop":
        data["loop"] = 99
    path.write_text("" if damage == "empty" else text[: len(text) // 2] if damage == "truncated" else json.dumps(data))
    code, out, err = run("replay", str(path))
    if damage in ("value", "action"):
        assert code == 3 and "Step" in out
    else:
        assert code == 2 and err.count("\n") <= 2 and "Traceback" not in err
        assert run("draw", str(path), "-o", "x.svg")[0] == 2


def test_limits_end_with_unfinished(run, folder: Path) -> None:  # type: ignore[no-untyped-def]
    for limit in (("--max-states", "2"), ("--max-time", "0.0000001"), ("--max-memory", "0.0001")):
        code, out, _ = run("check", "mutex.py", *limit)
        assert code == 3 and "unfinished" in out


def test_verify_compares_with_what_each_specification_says(run, folder: Path) -> None:  # type: ignore[no-untyped-def]
    code, out, _ = run("verify", "mutex.py", "--workers", "1")
    assert code == 0 and "2 of 2" in out
    code, out, _ = run("verify", "mutex.py", "liar.py", "--workers", "1")
    assert code == 1 and "DIFFERS" in out and "3 of 4" in out
    suite = ET.fromstring(run("verify", "mutex.py", "liar.py", "--workers", "1", "--format", "junit")[1])[0]
    assert (suite.get("tests"), suite.get("failures")) == ("4", "1")
    found = json.loads(run("verify", "liar.py", "--workers", "1", "--format", "json")[1])
    assert [entry["fine"] for entry in found] == [True, False]
    assert run("verify", "liar.py", "--workers", "1", "--format", "github")[1].startswith("::error file=liar.py,line=")
    assert run("verify", "mutex.py", "--workers", "1", "--max-states", "1")[0] in (1, 3)


def test_verify_runs_in_several_processes(run, folder: Path) -> None:  # type: ignore[no-untyped-def]
    assert run("verify", "mutex.py", "--workers", "2")[0] == 0


def test_simulate_prints_its_seed_and_repeats_it(run, folder: Path) -> None:  # type: ignore[no-untyped-def]
    code, out, _ = run("simulate", "mutex.py", "--runs", "3", "--length", "5")
    assert code == 0 and "seed " in out
    first, second = (run("simulate", "mutex.py:Rude", "--seed", "5", "--runs", "100") for _ in range(2))
    assert first == second and first[0] == 1 and "violates mutual_exclusion" in first[1]
    assert json.loads(run("simulate", "mutex.py", "--seed", "5", "--format", "json")[1])["seed"] == 5


def test_graph_draws_a_small_state_graph_and_refuses_a_large_one(run, folder: Path) -> None:  # type: ignore[no-untyped-def]
    assert run("graph", "mutex.py", "-o", "g.svg")[0] == 0 and ET.parse(folder / "g.svg")
    code, _, err = run("graph", "two_phase_commit", "--no-symmetry", "-o", "big.svg")
    assert code == 2 and "200" in err and not (folder / "big.svg").exists()


def test_list_shows_protocols_variants_and_expectations(run, folder: Path) -> None:  # type: ignore[no-untyped-def]
    code, out, _ = run("list")
    assert code == 0 and "two_phase_commit" in out
    code, out, _ = run("list", "mutex.py")
    assert "Rude" in out and "violates mutual_exclusion" in out
    [entry] = json.loads(run("list", "mutex.py", "--format", "json")[1])
    assert entry["classes"][0]["bounds"] == {"Process": 2}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_specification_is_one_paragraph_that_says_what_to_do(run, folder: Path, name: str) -> None:  # type: ignore[no-untyped-def]
    text, wanted = WRONG[name]
    (folder / f"{name}.py").write_text(text)
    code, out, err = run("check", f"{name}.py", "--out", "found")
    assert code == 2, (out, err)
    for part in wanted:
        assert part in out + err
    assert "Traceback" not in out + err and "\n\n" not in err


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        (["check", "two_phase"], ["Did you mean 'two_phase_commit'?"]),
        (["check", "nowhere.py"], ["no file nowhere.py"]),
        (["check", "."], ["There is no protocol"]),
        (["check", "mutex.py", "--variant", "Polite"], ["no variant of mutex.py 'Polite'", "Rude"]),
        (["check", "mutex.py:Polite"], ["Polite", "Mutex, Rude"]),
        (["check", "mutex.py", "--bound", "Server=3"], ["no bound 'Server'", "Process"]),
        (["check", "mutex.py", "--bound", "Process=0"], ["out of range", "from 1 to 64"]),
        (["check", "mutex.py", "--bound", "Process=1000000"], ["out of range"]),
        (["check", "mutex.py", "--bound", "Process"], ["NAME=SIZE"]),
        (["check", "mutex.py", "--bound", "Process=many"], ["whole number"]),
        (["check", "mutex.py", "--engine", "quantum"], ["no engine 'quantum'", "reference"]),
        (["check", "mutex.py", "--max-states", "0"], ["--max-states"]),
        (["check", "mutex.py", "--format", "yaml"], ["yaml"]),
        (["chekc", "mutex.py"], ["Did you mean 'check'?"]),
        (["check"], ["SPEC"]),
        (["replay", "nowhere.json"], ["Cannot read the trace"]),
        (["draw", "mutex.py", "-o", "x.svg"], ["not valid JSON"]),
        (["verify", "nothing_here"], ["no protocol"]),
        (["graph", "mutex.py", "-o", "no/such/folder/g.svg"], ["no/such/folder/g.svg"]),
    ],
)
def test_wrong_usage_is_one_paragraph_and_exit_code_2(
    run, folder: Path, arguments: list[str], wanted: list[str]
) -> None:  # type: ignore[no-untyped-def]
    code, out, err = run(*arguments)
    assert code == 2 and out == "" and "Traceback" not in err and "\n\n" not in err.strip()
    for part in wanted:
        assert part in err


def test_an_output_directory_that_cannot_be_written_is_refused_before_exploring(run, folder: Path) -> None:  # type: ignore[no-untyped-def]
    (folder / "file").write_text("in the way")
    code, _, err = run("check", "mutex.py:Rude", "--out", "file/found")
    assert code == 2 and "Cannot write into file/found" in err and (folder / "file").read_text() == "in the way"


def python(*code: str, **options: object) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2] / "checker")}
    return subprocess.run(
        [sys.executable, *code], capture_output=True, text=True, env=environment, check=False, **options
    )  # type: ignore[call-overload]


def test_the_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; sys.argv = ['quorate', '--help']\nfrom quorate.cli import main\ntry: main()\nexcept SystemExit: pass\n"
        "heavy = {'z3', 'networkx', 'rich', 'graphviz', 'pygraphviz', 'hypothesis', 'quorate.explore'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    done = python("-c", code)
    assert done.returncode == 0, done.stderr
    for command in ("list", "check", "verify", "simulate", "replay", "draw", "graph"):
        assert f"  {command} " in done.stdout


def test_progress_is_silent_where_stderr_is_no_terminal(folder: Path) -> None:
    done = python("-c", "from quorate.cli import main; main()", "check", "mutex.py", cwd=folder)
    assert done.returncode == 0 and done.stderr == ""


def test_ctrl_c_gives_the_partial_result(folder: Path) -> None:
    code = (
        "import os, signal\nfrom quorate.cli import main\nfrom quorate.explore import Watch\nlook = Watch.look\n"
        "def struck(watch, states, *others):\n"
        "    if states and not watch.is_interrupted:\n        os.kill(os.getpid(), signal.SIGINT)\n"
        "    return look(watch, states, *others)\n"
        "Watch.look = struck\nmain()"
    )
    done = python(
        "-c",
        code,
        "check",
        "two_phase_commit",
        "--no-symmetry",
        "--bound",
        "ResourceManager=9",
        "--format",
        "json",
        "--engine",
        "reference",
        cwd=folder,
    )
    found = json.loads(done.stdout)
    assert done.returncode == 3 and found["verdict"] == "unfinished" and found["states"] > 0, done.stderr


@pytest.mark.slow
def test_pytest_collects_and_verifies_specifications(folder: Path) -> None:
    (folder / "spec_mutex.py").write_text(MUTEX)
    (folder / "spec_liar.py").write_text(LIAR)
    (folder / "test_it.py").write_text(
        "from quorate.pytest_plugin import verified\nfrom spec_mutex import Mutex\n"
        "def test_three() -> None:\n    assert verified(Mutex, Process=3).statistics.states > 4\n"
    )
    installed = any(point.name == "quorate" for point in entry_points(group="pytest11"))
    plugin = () if installed else ("-p", "quorate.pytest_plugin")
    done = python("-m", "pytest", *plugin, "--quorate", "-q", "-p", "no:cacheprovider", str(folder), cwd=folder)
    assert done.returncode == 1 and "4 passed" in done.stdout and "1 failed" in done.stdout
    assert (
        "Rude.mutual_exclusion is expected to hold; found: violated" in done.stdout and "Traceback" not in done.stdout
    )


def test_verified_takes_limits_and_an_unfinished_check_is_not_as_expected(folder: Path) -> None:
    from quorate.loading import load
    from quorate.pytest_plugin import NotAsExpected, verified

    spec = load("mutex.py").main
    assert verified(spec, engine="reference").exit_code == 0
    with pytest.raises(NotAsExpected, match="unfinished: the limit of 2 states is reached"):
        verified(spec, engine="reference", max_states=2)


def test_a_path_may_have_colons_of_its_own(run, folder: Path) -> None:  # type: ignore[no-untyped-def]
    (folder / "12:30").mkdir()
    (folder / "12:30" / "mutex.py").write_text(MUTEX)
    whole = run("check", "12:30/mutex.py", "--engine", "reference")
    assert whole[0] == 0, whole
    assert run("check", "12:30/mutex.py:Mutex", "--engine", "reference")[0] == 0
    code, _, said = run("check", "12:30/mutex.py:Nothing", "--engine", "reference")
    assert code == 2 and "Nothing" in said


def test_the_report_shows_what_never_ran(run, folder: Path) -> None:  # type: ignore[no-untyped-def]
    lonely = MUTEX.replace(
        "    @invariant",
        "    @action\n    def wait(self) -> None:\n        require(len(self.inside) > 2)\n        self.inside.clear()\n\n    @invariant",
        1,
    )
    assert lonely != MUTEX
    (folder / "lonely.py").write_text(lonely)
    assert run("check", "lonely.py", "--coverage", "--engine", "reference", "-o", "report.html")[0] == 0
    page = (folder / "report.html").read_text()
    assert "<h3>Coverage</h3>" in page and "never runs" in page and page.count('<tr class="lost">') == 1
