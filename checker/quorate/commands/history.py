"""`quorate history`: a recorded history, judged against a consistency model."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from quorate.commands._options import Amount, Explicit, format_option
from quorate.commands._show import Folder, rejections, show_results
from quorate.errors import Location, UsageError
from quorate.files import write_whole
from quorate.outcome import Exit
from quorate.report.formats import TEXT
from quorate.report.results import Level, Problem, Result, Rule

if TYPE_CHECKING:
    from quorate.consistency import Verdict

ALL = "all"


@click.command("history", cls=Explicit)
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--model",
    "model_name",
    default="register",
    show_default=True,
    metavar="NAME|FILE.py:CLASS",
    help="What the objects are: register, cas-register, multi-register, append-string, set, queue, mutex, lock, counter, "
    "map. Not used for transactions.",
)
@click.option(
    "--initial",
    metavar="JSON",
    help="What each object holds at first, as a JSON value: 0, null, '[1, 2]'. Of a map, what a key holds that is absent.",
)
@click.option(
    "--level",
    default="linearizable",
    show_default=True,
    metavar="LEVEL",
    help="The consistency model to judge by, `all`, or a workload (bank, set-full, long-fork, monotonic); `--level help` "
    "lists them with their definitions.",
)
@click.option("--input", "input_format", metavar="FORMAT", help="jsonl, edn or jepsen-log; recognized if not given.")
@click.option(
    "--keyed", is_flag=True, help="In Jepsen's formats, values are pairs [key value] (its independent workloads)."
)
@click.option(
    "--engine",
    type=click.Choice(["auto", "native", "python"]),
    default="auto",
    show_default=True,
    help="What searches for orders.",
)
@click.option(
    "--max-memory",
    type=Amount(),
    default=1.0,
    show_default=True,
    metavar="GB",
    help="Answer `unknown` when the search has remembered this much.",
)
@click.option(
    "--max-steps",
    type=click.IntRange(min=1),
    metavar="N",
    help="Answer `unknown` after this many configurations or attempts.",
)
@format_option
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Write verdict.json there, and timeline.svg or cycle.svg of a violation.",
)
def command(
    file: Path,
    model_name: str,
    initial: str | None,
    level: str,
    input_format: str | None,
    keyed: bool,
    engine: str,
    max_memory: float,
    max_steps: int | None,
    form: str,
    out: Path | None,
) -> Exit:
    """Judge the history in FILE.

    FILE has one event on each line as JSON or is a JSON array of events, a Jepsen history in EDN, or the lines of a Jepsen
    log; it may be compressed by gzip, and - is standard input. Exit codes: 0 satisfied, 1 violated, 2 the file or the usage
    is wrong, 3 unknown (a limit was hit).
    """
    from quorate.consistency import HistoryError, Limits, find_model, judge, read_history
    from quorate.consistency.history import Malformed, without_collections
    from quorate.consistency.levels import LEVELS, WORKLOAD_LEVELS, find_level
    from quorate.consistency.survey import survey
    from quorate.report.history import text

    if level == "help":
        for each in (LEVELS | WORKLOAD_LEVELS).values():
            click.echo(f"{each.name:34} {each.definition} [{each.source}]")
        return Exit.SUCCESS
    if level != ALL:
        find_level(level)
    model = find_model(model_name)
    if initial is not None:
        if level in WORKLOAD_LEVELS:
            raise UsageError(f"--initial is for levels, and {level!r} is a workload: its objects begin empty.")
        model = model.starting(_value(initial))
    folder = Folder(out).path if out is not None else None
    limits = Limits(int(max_memory * 2**30), max_steps, {"native": True, "python": False}.get(engine))
    verdicts: Mapping[str, Verdict] = {}
    with rejections(form, str(file)), without_collections():
        history = read_history(file, input_format, keyed)
        try:
            if level == ALL:
                verdicts = survey(history, model, limits)
            else:
                verdict = judge(history, level, model, limits)
        except Malformed as failure:
            raise HistoryError(f"{file}:{failure.line}: {failure.message}") from None
    if level == ALL:
        return _survey(verdicts, str(file), form, folder)
    if form == TEXT:
        click.echo(text(verdict))
    else:
        show_results([_result(verdict, str(file))], form, together=False)
    if folder is not None:
        _write(verdict, folder)
    return Exit(verdict.exit_code)


def _survey(verdicts: Mapping[str, Verdict], file: str, form: str, folder: Path | None) -> Exit:
    """Show the verdicts of all levels. The exit code is 1 if one falls, 3 if one is not decided, 0 if all hold."""
    from quorate.report.history import facts, survey_text

    if form == TEXT:
        click.echo(survey_text(verdicts))
    else:
        show_results([_result(verdict, file) for verdict in verdicts.values()], form, together=True)
    if folder is not None:
        _save(folder / "verdicts.json", [facts(verdict) for verdict in verdicts.values()])
    codes = {verdict.exit_code for verdict in verdicts.values()}
    return Exit(1 if 1 in codes else max(codes))


def _result(verdict: Verdict, file: str) -> Result:
    """A verdict as all formats write it."""
    from quorate.consistency import Satisfied, Unknown, Violated
    from quorate.report.history import facts, text

    levels: dict[type[Verdict], Level] = {Satisfied: "success", Violated: "failure", Unknown: "open"}
    said, level = text(verdict), levels[type(verdict)]
    sentence = said.split("\n")[0]
    rule = Rule(f"history.{verdict.level}", f"The history is {verdict.level}.", "of the whole history")
    problem = Problem(rule, level, sentence, Location(file, 1, 0))
    problems = () if level == "success" else (problem,)
    return Result(
        file,
        verdict.level,
        level,
        verdict.verdict,
        sentence,
        facts(verdict),
        said,
        rules=(rule,),
        problems=problems,
    )


def _value(text: str) -> object:
    from quorate.consistency.formats.jsonl import decode

    try:
        return decode(text)
    except (ValueError, RecursionError):
        raise UsageError(f"--initial is a JSON value such as 0, null or '\"x\"', not {text!r}.") from None


def _write(verdict: Verdict, out: Path) -> None:
    from quorate.consistency import Violated
    from quorate.consistency.verdict import Cycle
    from quorate.report.history import cycle, facts, timeline, timeline_of
    from quorate.report.render import render

    for old in ("timeline.svg", "cycle.svg"):  # Of a run before this one.
        (out / old).unlink(missing_ok=True)
    _save(out / "verdict.json", facts(verdict))
    if isinstance(verdict, Violated):
        view = timeline_of(verdict)
        if view is not None:
            render(timeline(view), out / "timeline.svg")
        if isinstance(verdict.evidence, Cycle):
            render(cycle(verdict.evidence, verdict.level), out / "cycle.svg")


def _save(path: Path, found: object) -> None:
    try:
        write_whole(path, json.dumps(found, indent=1) + "\n")
    except OSError as failure:
        raise UsageError(
            f"Cannot write into {path.parent}: {failure.strerror}. Give another directory with --out."
        ) from None
