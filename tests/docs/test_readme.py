"""The README's example and commands are those that work."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click import Context, Group
from click.testing import CliRunner
from quorate.cli import cli
from quorate.commands.gallery import broken
from quorate.explore import check
from quorate.loading import load
from quorate.outcome import Holds

from tests.docs.pages import ROOT, blocks, pages, prose, sections

README = ROOT / "README.md"
COMMAND = re.compile(r"(?:`|^\$ |^|&& |bin/)quorate ([a-z]+(?:-[a-z]+)*)([^`\n|&]*)", re.MULTILINE)


def test_the_example_holds(tmp_path: Path) -> None:
    (example,) = [block for block in blocks(README) if block.language == "python"]
    file = tmp_path / "mutex.py"
    file.write_text(example.text, encoding="utf-8")
    outcome = check(load(str(file)).main)
    assert isinstance(outcome, Holds)
    assert outcome.symmetry == ("Process",)


def test_ci_runs_the_test_command_of_the_readme() -> None:
    (command,) = [block.text.strip() for block in blocks(README) if block.note == "tests"]
    lines = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    parts = command.split(" && ")
    assert [line for line in lines if line in parts] == parts


def test_the_first_command_ends_in_the_picture_that_the_readme_shows() -> None:
    (command,) = [block.text.strip() for block in blocks(README) if block.note == "run: exit 1"]
    assert "quorate check quorum_register --variant AsPublished" in command
    assert "counterexamples/quorum_register/as_published/diagram.svg" in README.read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_commands_to_go_on_with_end_as_the_readme_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (block,) = [block for block in blocks(README) if block.note.startswith("try: exits ")]
    monkeypatch.chdir(tmp_path)
    commands = [line.removeprefix("quorate ").split() for line in block.text.splitlines()]
    ended = [CliRunner().invoke(cli, command) for command in commands]
    assert [result.exit_code for result in ended] == [int(code) for code in block.note.split()[2:]], ended
    sizes, each, witness, _ = (result.output for result in ended)
    assert all(re.search(rf"^{size} +holds", sizes, re.MULTILINE) for size in (2, 3, 4)), sizes
    assert "atomicity, commit_spreads: violated" in each
    assert "split_vote" in witness
    assert (tmp_path / "certificate" / "manifest.json").is_file()


def test_the_readme_names_every_family_of_the_library_and_no_more_counterexamples_than_there_are() -> None:
    text = README.read_text(encoding="utf-8")
    families = {
        file.parent.name for file in (ROOT / "specs" / "quorate_specs").glob("*/*.py") if file.stem != "__init__"
    }
    assert set(re.findall(r"specs/quorate_specs/([a-z_]+)/", text)) == families
    (fewest,) = re.findall(r"more than (\d+):", text)
    assert len(list(broken())) > int(fewest)


def test_no_page_links_to_a_file_or_a_section_that_is_not_there() -> None:
    for page in pages():
        for file, section in re.findall(r"\]\(<?([^)#>]*)>?(?:#([^)]*))?\)", prose(page)):
            if file.startswith("https://"):
                continue
            target = page.parent / file if file else page
            assert target.exists(), f"{page.name}: {file}"
            assert not section or section in sections(target), f"{page.name}: {file}#{section}"


def test_pages_name_commands_and_options_that_exist() -> None:
    lines = [(page.name, *line) for page in pages() for line in COMMAND.findall(page.read_text(encoding="utf-8"))]
    assert len(lines) > 50
    for page, name, arguments in lines:
        command = cli.get_command(Context(cli), name)
        assert command, f"{page}: quorate {name}"
        if isinstance(command, Group) and arguments.split():
            command = command.commands[arguments.split()[0]]
        options = {spelling for option in command.params for spelling in (*option.opts, *option.secondary_opts)}
        unknown = {*re.findall(r"(?<=\s)--?[a-zA-Z][\w-]*", arguments)} - options
        assert not unknown, f"{page}: quorate {name}{arguments}"


def test_the_folders_of_the_map_exist() -> None:
    named = re.findall(r"`([a-z_]+(?:/[a-z_]+)*)/`", README.read_text(encoding="utf-8"))
    assert len(named) > 8
    for folder in named:
        assert (ROOT / folder).is_dir(), folder
