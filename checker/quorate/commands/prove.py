"""`quorate prove`: proofs with Z3, for fixed bounds or for any size."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from quorate.commands._options import Amount, Explicit, bound_option, format_option
from quorate.commands._show import Folder, rejections, show, show_results
from quorate.errors import UsageError
from quorate.files import write_whole
from quorate.outcome import Exit
from quorate.report.formats import TEXT

if TYPE_CHECKING:
    from quorate.loading import Protocol
    from quorate.prove.results import Claim, Counterexample, Proof, Task
    from quorate.prove.solvers.evidence import Evidence
    from quorate.prove.solvers.smt import Effort

QUORUMS = "quorums"
PARAMETERS = ("N", "R", "W", "Q1", "Q2", "F", "Q", "t")


def _parameters(function: Any) -> Any:
    for name in reversed(PARAMETERS):
        function = click.option(
            f"--{name}",
            name,
            type=int,
            default=None,
            hidden=name not in ("N", "R", "W"),
            help=f"With `{QUORUMS}`: the number {name}; left out, every number.",
        )(function)
    return function


@click.command("prove", cls=Explicit)
@click.argument("spec")
@click.option("--variant", metavar="NAME", help="A variant of the specification; `quorate list SPEC` shows them.")
@click.option(
    "--invariant", "invariants", multiple=True, metavar="NAME", help="Prove only this property; repeat for several."
)
@click.option(
    "--method",
    default="induction",
    show_default=True,
    metavar="induction|bmc|kinduction",
    help="How to prove at fixed bounds.",
)
@click.option(
    "--depth", type=click.IntRange(min=1), default=None, metavar="K", help="Steps of a bounded check; k of k-induction."
)
@bound_option
@click.option("--any-size", is_flag=True, help="Prove for any number of nodes, not for the bounds.")
@click.option(
    "--laws", is_flag=True, help="Prove the laws of the functions marked @merge and @law, for all values of any size."
)
@click.option(
    "--discover", "discovering", is_flag=True, help="Search for lemmas that prove the properties; print them as Python."
)
@click.option(
    "--max-time",
    type=Amount(),
    default=300.0,
    show_default=True,
    metavar="SECONDS",
    help="Time for the search of --discover, before the proof with what it found.",
)
@click.option(
    "--timeout",
    type=Amount(),
    default=60.0,
    show_default=True,
    metavar="SECONDS",
    help="Time for each kind of query.",
)
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    metavar="N",
    help="Processes that ask solvers.",
)
@format_option
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Write trace.json and diagram.svg of a violation or of the first counterexample to induction there.",
)
@click.option(
    "--certificate",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Write every query there as SMT-LIB with its answer, and a manifest, for another solver to check.",
)
@_parameters
def command(
    spec: str,
    variant: str | None,
    invariants: tuple[str, ...],
    method: str,
    depth: int | None,
    bounds: dict[str, int],
    any_size: bool,
    laws: bool,
    discovering: bool,
    max_time: float,
    timeout: float,
    workers: int,
    form: str,
    out: Path | None,
    certificate: Path | None,
    **numbers: int | None,
) -> Exit:
    """Prove the invariants, lemmas and step properties of SPEC.

    With --laws, or if SPEC is a module of functions or one of them (`file.py:join`): the laws of the functions marked
    @merge and @law. A law that fails comes with values in Python. Exit codes: 0 every function does what its mark
    says, 1 one does not, 3 it is not known.

    With --discover: lemmas are proposed from the types and the predicates of SPEC, and those that the proof needs are
    printed as methods to be pasted into the class.

    `quorate prove quorums --N 5 --R 2 --W 3` asks instead whether quorums of these sizes meet; without numbers, it
    proves for every size what all any-size proofs rest on.
    """
    given = {name: value for name, value in numbers.items() if value is not None}
    about_one = {
        "--variant": variant,
        "--invariant": invariants,
        "--method": method != "induction",
        "--depth": depth,
        "--bound": bounds,
        "--discover": discovering,
        "--out": out,
        "--certificate": certificate,
    }
    if spec == QUORUMS:
        from quorate.prove.any_size.quorums import report

        others = {"--any-size": any_size, "--laws": laws, "--format": form != TEXT}
        _require_none({**about_one, **others}, "quorums, which are about all numbers of nodes")
        text, good = report(given)
        click.echo(text)
        return Exit.SUCCESS if good else Exit.VIOLATED
    if given:
        raise UsageError(
            f"--{next(iter(given))} belongs to `quorate prove {QUORUMS}`; bounds are changed with --bound NAME=SIZE."
        )
    from quorate.loading import load
    from quorate.prove.proof import Task, prove
    from quorate.prove.solvers.evidence import Evidence
    from quorate.prove.solvers.smt import Effort

    with rejections(form, spec, variant):
        protocol = load(spec)
    effort = Effort((timeout / 20, timeout / 10, timeout / 5), timeout / 3, workers, timeout)
    if laws or protocol.has_only_laws:
        _require_none(about_one, "laws, which are about all values")
        return _prove_laws(protocol, effort, timeout, form)
    evidence = Evidence() if certificate is not None else None
    if certificate is not None and certificate.exists() and any(certificate.iterdir()):
        raise UsageError(f"{certificate} is not empty: a certificate is written to a new folder.")
    with rejections(form, spec, variant):
        cls = protocol.variant(variant).bounded(**bounds)
        folder = Folder(out) if out is not None else None
        task = Task(cls, spec, variant, invariants, method, depth, any_size, effort, timeout, _progress, evidence)
        proof = _discovered(task, max_time, form) if discovering else prove(task)
    _progress("")
    if form == TEXT:
        for line in explained(proof):
            click.echo(line)
    show(proof.outcome, form, with_trace=folder is None)
    if certificate is not None and evidence is not None:
        _certify(evidence, proof, certificate)
    if folder is not None:
        _save(proof, folder)
    return proof.outcome.exit_code


def _require_none(given: Mapping[str, object], what: str) -> None:
    """Raises UsageError where an option was given that says nothing of what is proven."""
    for option, value in given.items():
        if value:
            raise UsageError(f"{option} has no meaning for {what}. Leave it out.")


def _prove_laws(protocol: Protocol, effort: Effort, timeout: float, form: str) -> Exit:
    """Prove the laws of functions, show what became of them, and return the exit code."""
    from quorate.commands import _laws
    from quorate.report.machine import result_of

    if not protocol.marked:
        raise UsageError(f"{protocol.name} has no function that is marked with @merge or @law.")
    results = []
    for laws in _laws.judged(protocol, effort, timeout, _progress):
        results.append(laws)
        if form == TEXT:
            _progress("")
            for line in _laws.explained(laws):
                click.echo(line)
    if form != TEXT:
        outcomes = [_laws.outcome_of(laws, protocol.name, protocol.marked[laws.name]) for laws in results]
        show_results([result_of(outcome) for outcome in outcomes], form)
    wrong = [laws for laws in results if not laws.as_expected]
    if not wrong:
        return Exit.SUCCESS if results else Exit.OPEN
    return Exit.VIOLATED if any(laws.violated for laws in wrong) else Exit.OPEN


def _discovered(task: Task, seconds: float, form: str) -> Proof:
    """Search for lemmas, show them, and return the proof with them."""
    from quorate.prove.discovery.discover import discover

    if task.method != "induction":
        raise UsageError("--discover searches for lemmas of a proof by induction; leave --method out.")
    found = discover(task, seconds)
    _progress("")
    searched = f"{found.candidates:,} candidates that {found.states:,} explored states allow"
    if form != TEXT:
        notes = (*found.proof.outcome.notes, f"searched: {searched}", *found.imports, *found.lemmas)
        return replace(found.proof, outcome=replace(found.proof.outcome, notes=notes))
    if found.lemmas:
        click.echo(f"{len(found.lemmas)} lemmas of {searched}, to be pasted into the class:\n")
        for text in (*found.imports, *([""] if found.imports else []), *found.lemmas):
            click.echo(text)
    elif found.found:
        click.echo("No further lemma is needed.")
    return found.proof


def _progress(what: str) -> None:
    if sys.stderr.isatty():
        click.echo(f"\r\033[K{what}", err=True, nl=False)


def explained(proof: Proof) -> Iterator[str]:
    """The claims of a proof in lines of text, those that failed with their counterexamples."""
    kept: dict[str, list[Claim]] = {}
    for claim in proof.claims:
        kept.setdefault(claim.property, []).append(claim)
    for name, claims in kept.items():
        good = [claim for claim in claims if claim.status == "proven"]
        needs = sorted(frozenset[str]().union(*(claim.needs for claim in good if claim.needs is not None)) - {name})
        by = f", with {', '.join(needs)}" if needs else ""
        seconds = sum(claim.seconds for claim in claims)
        open_ones = proof.unproven_for(name) if len(good) == len(claims) else ()
        mark = "NOT PROVEN" if len(good) < len(claims) else "kept" if open_ones else "proven"
        given = f" where these hold: {', '.join(open_ones)}" if open_ones else ""
        yield f"{mark:<10}  {name}  ({len(good)} of {len(claims)} steps, {seconds:.2f} s{by}){given}"
        yield from (
            f"            {claim.action}: {claim.reason or claim.status}"
            for claim in claims
            if claim.status == "unknown"
        )
    if proof.unused:
        yield f"not needed  {', '.join(proof.unused)}"
    for claim in proof.failed:
        if claim.counterexample is not None:
            yield from _counterexample(claim, claim.counterexample)


def _counterexample(claim: Claim, counterexample: Counterexample) -> Iterator[str]:
    from quorate.kinds import HYPOTHETICAL
    from quorate.report.values import show as shown

    found = counterexample.step
    arguments = ", ".join(
        f"{parameter.name}={value!r}" for parameter, value in zip(found.action.parameters, found.arguments, strict=True)
    )
    yield ""
    yield (
        f"{claim.property} holds before {found.action.name}({arguments}) and not after"
        if claim.property != "no error"
        else f"{found.action.name}({arguments}) raises an error here"
    )
    where = ", ".join(f"{name}={value}" for name, value in counterexample.bounds.items())
    yield f"  no run, but a step from {HYPOTHETICAL}"
    yield f"  at {where}; the state before {counterexample.hint}"
    for name, before, after in found.places:
        yield f"  {name:<14} {shown(before)}" + ("" if before == after else f"  ->  {shown(after)}")
    if found.witnesses:
        yield f"  false for {', '.join(map(repr, found.witnesses))}"


def _certify(evidence: Evidence, proof: Proof, folder: Path) -> None:
    """Write the queries of a proof, and a manifest that says what was answered."""
    from quorate.report.machine import outcome_json

    queries = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for number, one in enumerate(evidence.answered, 1):
            file = f"{number:04}.smt2"
            write_whole(folder / file, one.text())
            queries.append({"file": file, "query": list(one.name), "answer": one.status, "solver": one.solver})
        manifest = {"outcome": outcome_json(proof.outcome), "queries": queries}
        write_whole(folder / "manifest.json", json.dumps(manifest, indent=1, ensure_ascii=False) + "\n")
    except OSError as error:
        raise UsageError(
            f"Cannot write into {folder}: {error.strerror}. Give another directory with --certificate."
        ) from None
    click.echo(f"wrote {len(queries)} queries and manifest.json to {folder}", err=True)


def _save(proof: Proof, folder: Folder) -> None:
    from quorate.report.machine import trace_of

    trace = trace_of(proof.outcome) or next(
        (claim.counterexample.step.trace for claim in proof.failed if claim.counterexample is not None), None
    )
    if trace is None:
        folder.discard()
        return
    for file in folder.save(trace):
        click.echo(f"wrote {file}", err=True)
