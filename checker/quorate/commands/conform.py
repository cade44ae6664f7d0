"""`quorate conform`: a running program, held to its specification."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from quorate.commands import _driven
from quorate.commands._driven import call, misfit_facts, reason
from quorate.commands._live import events_line, watching
from quorate.commands._options import Amount, Explicit, bound_option, format_option, limits, variant_option
from quorate.commands._show import Folder, rejections, show_results, show_trace
from quorate.errors import Location
from quorate.outcome import Exit
from quorate.report.formats import TEXT
from quorate.report.results import Level, Problem, Result, Rule
from quorate.trace import Json

if TYPE_CHECKING:
    from quorate.conform import Coverage, Driven, Verdict

MISFITS_MAX = 6
"""So many reasons are shown."""


@click.group("conform", context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """Hold a running program to its specification: by the log that it writes, or driven by an adapter."""


@command.command("trace", cls=Explicit)
@click.argument("logs", nargs=-1, required=True, metavar="LOG...")
@click.option("--spec", required=True, metavar="SPEC", help="The specification: a name of `quorate list`, or a file.")
@variant_option
@click.option(
    "--map",
    "map_file",
    required=True,
    type=click.Path(path_type=Path),
    metavar="FILE.py",
    help="How the words of the log are those of the specification: a file with a `Map`.",
)
@click.option(
    "--max-states",
    type=click.IntRange(min=1),
    default=10_000,
    show_default=True,
    metavar="N",
    help="Keep so many of the states that fit; if there are more and the log does not fit the rest, it is not decided.",
)
@click.option(
    "--follow", is_flag=True, help="Go on reading as the log grows, like `tail -f`; say at once what does not fit."
)
@click.option(
    "--idle", type=Amount(), metavar="SECONDS", help="With --follow: end when nothing was written for so long."
)
@click.option("--max-time", type=Amount(), metavar="SECONDS", help="Stop after this time, not decided.")
@format_option
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Write the failing run's trace.json and diagram.svg there.",
)
def trace_command(
    logs: tuple[str, ...],
    spec: str,
    variant: str | None,
    map_file: Path,
    max_states: int,
    follow: bool,
    idle: float | None,
    max_time: float | None,
    form: str,
    out: Path | None,
) -> Exit:
    """Decide whether the LOGs of a program are a behaviour of a specification.

    A LOG has a JSON object on each line; - is the standard input. Exit codes: 0 it is; 1 it is not: the event that fits
    nothing is shown, with the reasons; 2 the log, the map or the usage is wrong; 3 not decided, or too little was compared.
    """
    from quorate.conform.logs import Following
    from quorate.conform.mapping import load_map
    from quorate.conform.validation import validate
    from quorate.conform.verdicts import Differs
    from quorate.loading import load

    folder = Folder(out) if out is not None else None
    with rejections(form, spec, variant):
        cls = load(spec).variant(variant)
        mapping = load_map(map_file)
        name = spec if variant is None else f"{spec}, variant {variant}"
        with watching(limits(None, max_time, None), events_line) as watch:
            verdict = validate(logs, cls, mapping, name, max_states, Following(idle) if follow else None, watch)
    trace = verdict.trace if isinstance(verdict, Differs) else None
    if form == TEXT:
        if trace is not None:
            show_trace(trace)
        click.echo(text(verdict))
    else:
        show_results([result(verdict)], form, together=False)
    if folder is not None and trace is not None:
        for file in folder.save(trace):
            click.echo(f"wrote {file}", err=True)
    return verdict.exit_code


adapter_option = click.option(
    "--adapter",
    "adapter_file",
    required=True,
    type=click.Path(path_type=Path),
    metavar="FILE.py",
    help="What drives the program: a file with a subclass of `Adapter` or `Process`.",
)
out_option = click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Write the failing run's trace.json and diagram.svg there.",
)


@command.command("edges", cls=Explicit)
@click.option("--spec", required=True, metavar="SPEC", help="The specification: a name of `quorate list`, or a file.")
@variant_option
@adapter_option
@bound_option
@click.option(
    "--max-states",
    type=click.IntRange(min=1),
    default=5_000,
    show_default=True,
    metavar="N",
    help="Drive through so many states; if there are more, it is not decided.",
)
@click.option("--max-time", type=Amount(), metavar="SECONDS", help="Stop after this time, not decided.")
@format_option
@out_option
def edges_command(
    spec: str,
    variant: str | None,
    adapter_file: Path,
    bounds: dict[str, int],
    max_states: int,
    max_time: float | None,
    form: str,
    out: Path | None,
) -> Exit:
    """Drive a program through every transition of a specification at small bounds.

    What the specification allows, the program must do, and what it does not allow in a state, the program must refuse. Exit codes:
    0 every transition was covered, less those that the adapter omits; 1 the program differs; 2 the adapter or the usage is
    wrong; 3 not decided.
    """
    from quorate.conform import drive, load_adapter
    from quorate.loading import load

    folder = Folder(out) if out is not None else None
    with rejections(form, spec, variant):
        cls = load(spec).variant(variant)
        adapter = load_adapter(adapter_file)()
        name = spec if variant is None else f"{spec}, variant {variant}"
        try:
            with watching(limits(None, max_time, None), events_line) as watch:
                driven = drive(adapter, cls, name, bounds, max_states, watch)
        finally:
            adapter.close()
    return _tell(driven, str(adapter_file), form, folder)


@command.command("scenario", cls=Explicit)
@click.argument("trace", type=click.Path(path_type=Path))
@adapter_option
@click.option("--spec", metavar="SPEC", help="The specification, if not the one that the trace names.")
@format_option
@out_option
def scenario_command(trace: Path, adapter_file: Path, spec: str | None, form: str, out: Path | None) -> Exit:
    """Make a program follow the run in TRACE.json, step by step.

    A run of `quorate scenarios`, a witness or a simulated run: exit code 0 if the program does what the run says, 1 if it does not.
    A counterexample shows a mistake, which the program should not have: 1 if it follows to the end, 0 if it leaves the run,
    with the step at which it does. 2 the trace, which has to violate its property still, the adapter or the usage is wrong; 3 nothing
    was compared, or the specification without the mistake takes the whole run, too.
    """
    from dataclasses import replace

    from quorate.commands.replay import NOT_VIOLATING
    from quorate.conform import follow, load_adapter
    from quorate.conform.scenarios import beside_the_mistake, require_violation, short_of_the_mistake
    from quorate.loading import load, load_named
    from quorate.trace import Trace

    folder = Folder(out) if out is not None else None
    stored = Trace.load(trace)
    with rejections(form, stored.spec, stored.variant):
        protocol = load(spec) if spec is not None else load_named(stored.spec)
        cls = protocol.variant(stored.variant)
        if stored.kind not in NOT_VIOLATING:
            require_violation(stored, cls)
        adapter = load_adapter(adapter_file)()
        try:
            driven = follow(adapter, stored, cls, str(trace))
            misfit, beside = driven.misfit, ""
            if stored.kind not in NOT_VIOLATING:
                main = None if stored.variant is None else protocol.main
                if misfit is None and not driven.reason:
                    driven = replace(driven, reason=short_of_the_mistake(stored, adapter, cls, main))
                elif misfit is not None and main is not None:
                    beside = beside_the_mistake(driven, stored, adapter, cls, main)
        finally:
            adapter.close()
    if misfit is not None and beside:
        at = f"step {driven.covered + 1}, {misfit.action}, where {misfit.reason}"
        driven = replace(driven, misfit=None, trace=None, reason=f"it leaves the run at {at}: {beside}")
    if stored.kind in NOT_VIOLATING or driven.exit_code is Exit.OPEN:
        return _tell(driven, str(adapter_file), form, folder)
    if driven.misfit is None:
        driven = replace(driven, reason=f"it follows the whole run, which violates {stored.property}")
    said = (
        f"{adapter_file} has the mistake: it follows the run that violates {stored.property}"
        if driven.misfit is None
        else f"{adapter_file} does not have the mistake: it leaves the run that violates {stored.property} at step {driven.covered + 1}"
    )
    code = Exit.VIOLATED if driven.misfit is None else Exit.SUCCESS
    if form == TEXT:
        click.echo("\n".join([*(reason(driven.misfit) if driven.misfit is not None else ()), said]))
    else:
        found = _driven.result(driven, str(adapter_file))
        word = "differs" if code is Exit.VIOLATED else "conforms"
        level: Level = "failure" if code is Exit.VIOLATED else "success"
        facts_ = {**found.facts, "verdict": word}
        show_results(
            [replace(found, level=level, word=word, sentence=said, facts=facts_, problems=())], form, together=False
        )
    return code


def _tell(driven: Driven, adapter: str, form: str, folder: Folder | None) -> Exit:
    """Show what was found, and keep the run that shows it."""
    if form == TEXT:
        if driven.trace is not None:
            show_trace(driven.trace)
        click.echo(_driven.text(driven, adapter))
    else:
        show_results([_driven.result(driven, adapter)], form, together=False)
    if folder is not None and driven.trace is not None:
        for file in folder.save(driven.trace):
            click.echo(f"wrote {file}", err=True)
    return driven.exit_code


def text(verdict: Verdict) -> str:
    """A verdict for people."""
    return "\n".join([*_details(verdict), _sentence(verdict), *_covered(verdict.coverage)])


def _sentence(verdict: Verdict) -> str:
    from quorate.conform.verdicts import Differs, NotDecided

    events = f"{verdict.coverage.events:,} event{'' if verdict.coverage.events == 1 else 's'}"
    if isinstance(verdict, Differs):
        return (
            f"{verdict.log} is no behaviour of {verdict.spec}: {verdict.event.name} ({verdict.event.place}) does not fit, "
            f"after {events} that {'does' if verdict.coverage.events == 1 else 'do'}"
        )
    if isinstance(verdict, NotDecided):
        return f"{verdict.log}: not decided after {events}: {verdict.reason}"
    return f"{verdict.log} is a behaviour of {verdict.spec}: {events}"


def _covered(coverage: Coverage) -> list[str]:
    lines = []
    if coverage.actions:
        lines.append(f"    actions: {_counts(coverage.actions)}")
    if coverage.never:
        lines.append(f"    never happened: {', '.join(coverage.never)}")
    if coverage.values:
        lines.append(f"    values compared: {_counts(coverage.values)}")
    if coverage.untold:
        lines.append(f"    never told: {', '.join(coverage.untold)}")
    if coverage.passed_over:
        lines.append(f"    passed over: {coverage.passed_over:,} of {coverage.lines:,} lines")
    if coverage.states_max > 1:
        lines.append(f"    up to {coverage.states_max:,} states fitted at one time")
    return lines


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in counts.items())


def _details(verdict: Verdict) -> list[str]:
    from quorate.conform.verdicts import Differs

    if not isinstance(verdict, Differs):
        return []
    lines = [f"{verdict.event.name} at {verdict.event.place} fits nothing that the specification allows:"]
    for misfit in verdict.misfits[:MISFITS_MAX]:
        lines += reason(misfit)
    more = len(verdict.misfits) - MISFITS_MAX
    if more > 0:
        lines.append(f"  and {more} more")
    for action, arguments in verdict.others:
        lines.append(f"  {call(action, dict(arguments))} would be possible, with the effect that the log tells")
    for event in verdict.waiting:
        lines.append(f"  after it waits {event.name} ({event.place})")
    if verdict.names:
        lines.append("  " + ", ".join(f"{member} is {name}" for member, name in verdict.names.items()))
    return [*lines, ""]


# For programs


def result(verdict: Verdict) -> Result:
    """A verdict as all formats write it."""
    from quorate.conform.verdicts import Conforms, Differs

    level: Level = {Conforms: "success", Differs: "failure"}.get(type(verdict), "open")  # type: ignore[assignment]
    sentence = _sentence(verdict)
    rule = Rule(f"conform.{verdict.spec}", "The log is a behaviour of the specification.", "of the whole log")
    event = verdict.event if isinstance(verdict, Differs) else None
    place = Location(verdict.log, 1, 0) if event is None else Location(event.file, event.line, 0)
    problems = () if level == "success" else (Problem(rule, level, sentence, place),)
    return Result(
        verdict.spec,
        verdict.log,
        level,
        verdict.word,
        sentence,
        facts(verdict),
        "\n".join(_details(verdict)),
        "\n".join([sentence, *_covered(verdict.coverage)]),
        verdict.coverage.seconds,
        None if event is None else place,
        rules=(rule,),
        problems=problems,
    )


def facts(verdict: Verdict) -> dict[str, Json]:
    """A verdict as JSON."""
    from quorate.conform.verdicts import Differs, NotDecided

    coverage = verdict.coverage
    differs = verdict if isinstance(verdict, Differs) else None
    return {
        "log": verdict.log,
        "spec": verdict.spec,
        "verdict": verdict.word,
        "reason": verdict.reason if isinstance(verdict, NotDecided) else None,
        "events": coverage.events,
        "lines": coverage.lines,
        "passed_over": coverage.passed_over,
        "actions": dict(coverage.actions),
        "never": list(coverage.never),
        "values": dict(coverage.values),
        "untold": list(coverage.untold),
        "states_max": coverage.states_max,
        "seconds": round(coverage.seconds, 3),
        "names": dict(verdict.names),
        "event": None if differs is None else _event(differs.event),
        "misfits": [] if differs is None else list(map(misfit_facts, differs.misfits)),
        "others": []
        if differs is None
        else [{"action": name, "arguments": dict(told)} for name, told in differs.others],
        "waiting": [] if differs is None else list(map(_event, differs.waiting)),
        "trace": None if differs is None or differs.trace is None else differs.trace.to_json(),
    }


def _event(event: Any) -> dict[str, Json]:
    return {"name": event.name, "node": event.node, "file": event.file, "line": event.line}
