"""What a page of the explorer asks for, answered as JSON: a run with its picture, a search, a comparison, a file.

The engines' configuration is the whole process's, so that one question is answered after the other. `stop` alone may come at any time.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from threading import Lock

from quorate.errors import QuorateError, UsageError, unknown
from quorate.explore.checking import Naming
from quorate.explore.engine import Finding
from quorate.explore.fair_return import fair_point_of_no_return
from quorate.explore.limits import Limits, Watch
from quorate.explore.no_return import point_of_no_return
from quorate.explore.seeking import Aim, seek
from quorate.explorer.exports import FILES
from quorate.explorer.returning import returning, returning_fairly
from quorate.explorer.stage import Node, NotPossible, Run, Stage, encoded
from quorate.explorer.stategraph import StateGraph
from quorate.explorer.telling import given, now, reads
from quorate.kinds import GOALS, STEPS
from quorate.language.system import State, System
from quorate.loading import Protocol
from quorate.outcome import Failed, Holds, HoldsWithinBounds, Outcome, Violated
from quorate.report.diagram import View, scene
from quorate.report.run_page import run_data
from quorate.report.values import show
from quorate.trace import Json, Trace

PICTURE = View(title=False, verdict=False, changes=False, idle=True)
SHOWN_MAX, BEFORE, AFTER = 60, 30, 15
"""Of a run of more steps the page has those around the current one: so many before it, and after it."""
SEEK_S = 60.0
"""A search that takes longer than this is given up; a reader can stop it before."""
RETURN_S = 10.0
"""A search for the point of no return, and one for that among fair runs, is given up after this time."""
WALK_MAX = 200


class Session:
    """One protocol with its variants, under some bounds."""

    def __init__(self, protocol: Protocol, bounds: dict[str, int], workers: int, variant: str | None = None) -> None:
        """Begin with a variant, which must have all of the bounds. Raises UsageError if it has not."""
        protocol.variant(variant).bounded(**bounds)
        self.protocol, self.bounds, self.workers = protocol, bounds, workers
        self._stages: dict[tuple[str | None, str], Stage] = {}
        self._graphs: dict[Stage, StateGraph] = {}
        self._lock = Lock()
        self._watch: Watch | None = None
        self._questions: dict[str, Callable[[Stage, Json], Json]] = {
            "look": self._look,
            "seek": self._seek,
            "walk": self._walk,
            "compare": self._compare,
            "return": self._return,
            "graph": self._graph,
            "visit": self._visit,
        }
        self._begun: Json = {"variant": variant, "run": None}
        self.stage(variant)

    def begin(self, run: Run) -> None:
        """Let the page begin with a run. Raises UsageError if it is not possible."""
        stage = self.stage(self._begun["variant"])
        with stage.system:
            stage.node(run)
        self._begun["run"] = run.to_json()

    def stage(self, variant: str | None, like: Stage | None = None) -> Stage:
        """The protocol, or a variant of it, under the bounds, or under those of another variant, as far as it has them. Raises
        UsageError for one that does not exist."""
        spec = self.protocol.variant(variant)
        known, wanted = System(spec).bounds, self.bounds if like is None else like.system.bounds
        bounds = {name: size for name, size in wanted.items() if name in known}
        key = variant, repr(bounds)
        if key not in self._stages:
            self._stages[key] = Stage(spec.bounded(**bounds), self.protocol.name, variant)
        return self._stages[key]

    def about(self) -> Json:
        """What the page says before anything is asked."""
        stage = self.stage(self._begun["variant"])
        with self._lock, stage.system:
            init = stage.system.init
            return {
                "spec": self.protocol.name,
                "about": self.protocol.about,
                "main": self.protocol.main.__name__,
                "variants": [
                    {"name": name, "about": " ".join((cls.__doc__ or "").split()), "expect": str(cls.expect)}
                    for name, cls in self.protocol.variants.items()
                ],
                "bounds": stage.system.bounds,
                "begin": self._begun,
                "initial": [
                    {"arguments": encoded(init, arguments), "shown": given(encoded(init, arguments))}
                    for arguments, _ in stage.initial[:200]
                ]
                if init is not None and len(stage.initial) > 1
                else [],
            }

    def answer(self, question: str, data: Json) -> Json:
        """The answer to a page's question. Raises UsageError for one that is none."""
        if question not in self._questions:
            raise unknown("question", question, self._questions)
        if not isinstance(data, dict) or not isinstance(data.get("variant"), str | None):
            raise UsageError("A question is a JSON object; its variant is a name.")
        with self._lock:
            stage = self.stage(data.get("variant"))
            with stage.system:
                return self._questions[question](stage, data)

    def stop(self) -> None:
        """Give up the search that runs."""
        if self._watch is not None:
            self._watch.interrupt("it was stopped")

    def file(self, kind: str, data: Json) -> tuple[str, str, bytes]:
        """A run as a file: its name, its media type and its contents."""
        if kind not in FILES:
            raise unknown("kind of file", kind, FILES)
        with self._lock:
            stage = self.stage(data.get("variant"))
            with stage.system:
                trace = stage.node(Run.from_json(data.get("run"))).trace()
        media, suffix, write = FILES[kind]
        name = "_".join(filter(None, (trace.spec.rpartition("/")[2], trace.variant)))
        return (
            re.sub(r"[^\w.-]", "_", f"{name}{suffix}", flags=re.ASCII),
            media,
            write(trace),
        )  # It is told in a header.

    # Questions

    def _look(self, stage: Stage, data: Json) -> Json:
        run, at = _run_at(data)
        nodes = stage.path(run)
        here = nodes[at]
        first, last = (
            (0, len(run.steps))
            if len(run.steps) <= SHOWN_MAX
            else (max(at - BEFORE, 0), min(at + AFTER, len(run.steps)))
        )
        trace = _part(nodes, first, last, tells=data.get("quiz") is not True)
        return {
            "offset": first,
            "length": len(run.steps),
            "run": run_data(trace, wires=stage.wires),
            "scene": scene(trace, view=replace(PICTURE, offset=first)).to_json(),
            "judged": [
                {
                    "false": [one.name for one in node.judged if one.holds is False and one.kind not in GOALS],
                    "reached": [one.name for one in node.judged if one.holds is True and one.kind in GOALS],
                }
                for node in nodes
            ],
            "now": now(here),
            "reads": reads(here, data.get("chosen")),
            "bounds": stage.system.bounds,
        }

    def _seek(self, stage: Stage, data: Json) -> Json:
        run, at = _run_at(data)
        aim = data.get("aim")
        kind, what = (aim.get("kind"), aim.get("what", "")) if isinstance(aim, dict) else (None, None)
        if not isinstance(kind, str) or not isinstance(what, str):
            raise UsageError("Say what to look for: a kind, and what.")
        here = stage.node(run, at)
        starts = [(here.initial_arguments if at == 0 else (), here.state)]
        if data.get("from") == "start":
            starts = stage.initial
        self._watch = Watch(Limits(seconds=SEEK_S))
        outcome = seek(
            stage.spec, starts, Aim(kind, what), self._watch, self.workers, Naming(stage.name, stage.variant)
        )
        return {"words": _words(outcome, data.get("from") == "start")} | (
            {"run": Run.of(outcome.trace).to_json()}
            if isinstance(outcome, Violated | Failed) and outcome.trace is not None
            else {}
        )

    def _walk(self, stage: Stage, data: Json) -> Json:
        """Steps taken by chance, until nothing is possible."""
        run, at = _run_at(data)
        chance, node = random.Random(data.get("seed")), stage.node(run, at)
        steps = list(run.steps[:at])
        for _ in range(min(int(data.get("steps", 1)), WALK_MAX)):
            options = [option for option in node.options if option.successor is not None]
            if not options:
                break
            action, arguments = chance.choice(options).instance
            steps.append((action.name, encoded(action, arguments)))
            node = stage.node(Run(run.initial, tuple(steps)))
        return {"run": Run(run.initial, tuple(steps)).to_json()}

    def _compare(self, stage: Stage, data: Json) -> Json:
        """The same run under another variant: how far it goes, and the first step after which something differs."""
        run, _ = _run_at(data)
        other = self.stage(data.get("with"), stage)
        mine = stage.path(run)
        with other.system:
            theirs: list[Node] = []
            ended: NotPossible | None = None
            for length in range(len(run.steps) + 1):
                try:
                    theirs.append(other.node(run, length))
                except NotPossible as refused:
                    ended = refused
                    break
            pairs = list(zip(mine, theirs, strict=False))
            return {
                "variant": other.variant,
                "scene": scene(theirs[-1].trace(), view=PICTURE).to_json() if len(theirs) <= SHOWN_MAX else None,
                "taken": len(theirs) - 1,
                "refused": str(ended) if ended else "",
                "state": next(_differing(pairs), None),
                "offers": next(_offering(pairs), None),
                "false": next(_falsified(theirs), None),
            }

    def _graph(self, stage: Stage, data: Json) -> Json:
        """The state graph with the run in it: states that agree in some of the variables are one."""
        return self._graph_of(stage).view(*_run_at(data), data)

    def _visit(self, stage: Stage, data: Json) -> Json:
        """A shortest run to a state of the picture, from here, or from the start if there is none from here."""
        return self._graph_of(stage).visit(*_run_at(data), data)

    def _graph_of(self, stage: Stage) -> StateGraph:
        if stage not in self._graphs:
            self._graphs[stage] = StateGraph(stage)
        return self._graphs[stage]

    def _return(self, stage: Stage, data: Json) -> Json:
        """The first step of a violating run after which no continuation avoids a violation of the property."""
        run, at = _run_at(data)
        nodes = stage.path(run, at)
        judged = next((one for one in nodes[-1].judged if one.name == data.get("property")), None)
        if judged is None or judged.method is None or judged.holds is not False or not run.steps:
            raise UsageError("The point of no return is that of a run that ends with a violation of this property.")
        choices = next(choices for method, choices in stage.choices_of(judged.kind) if method is judged.method)
        of_step, method = judged.kind in STEPS, judged.method

        def violates(old: State, new: State) -> bool:
            before = old if of_step else None
            return not all(stage.properties.holds(method, new, arguments, before) for arguments in choices)

        asked = (stage.system, stage.actions, [node.state for node in nodes], violates)
        self._watch = Watch(Limits(seconds=RETURN_S))
        found = point_of_no_return(*asked, self._watch)
        words, fair = returning(nodes, found, at), None
        if found.step is not None and any(action.declaration.fair for action, _ in stage.actions):
            self._watch = Watch(Limits(seconds=RETURN_S))
            fair = fair_point_of_no_return(*asked, self._watch)
            words = f"{words} {returning_fairly(nodes, found, fair)}"
        return {"step": found.step, "fair": None if fair is None else fair.step, "words": words}


def _part(nodes: Sequence[Node], first: int, last: int, tells: bool) -> Trace:
    """The steps after `first` up to `last` of a run, as a trace from the state between. It `tells` of a violation only as a whole."""
    if tells and first == 0 and last == len(nodes) - 1:
        return nodes[-1].trace()
    trace = nodes[-1].trace(Finding("run", None, nodes[0].initial_arguments, nodes[-1].instances))
    if first == 0 and last == len(nodes) - 1:
        return trace
    steps = (replace(step, index=number) for number, step in enumerate(trace.steps[first:last], 1))
    variables = nodes[0].stage.system.variables
    initial = {
        variable.name: variable.type.to_json(value)
        for variable, value in zip(variables, nodes[first].state, strict=True)
    }
    return trace.but(initial=initial, steps=tuple(steps), given=(), initial_arguments={})


def _run_at(data: Json) -> tuple[Run, int]:
    run, at = Run.from_json(data.get("run")), data.get("at")
    if at is None:
        return run, len(run.steps)
    if not isinstance(at, int) or isinstance(at, bool) or not 0 <= at <= len(run.steps):
        raise UsageError("`at` is the number of a step of the run.")
    return run, at


# Searches and comparisons in words


def _words(outcome: Outcome, from_start: bool) -> str:
    states = f"{outcome.statistics.states:,} states"
    where = "from the start" if from_start else "from here"
    if isinstance(outcome, Violated) and outcome.trace is not None:
        count = len(outcome.trace.steps)
        steps = f"{count} step{'' if count == 1 else 's'}"
        named = f" {outcome.property}:" if outcome.property not in ("never_reached", "") else ""
        return f"{named} {steps} {where}, and none with fewer.".strip() if count else "It is so here."
    if isinstance(outcome, Failed):
        return f"The specification raises an error: {outcome.message}"
    if isinstance(outcome, Holds):
        return f"There is none: all {states} that can be reached {where} were looked at."
    if isinstance(outcome, HoldsWithinBounds):
        cuts = ", ".join(outcome.statistics.cuts)
        return f"There is none within the bounds: {states} were looked at {where}, and what passes {cuts} was left out."
    reason = getattr(outcome, "reason", outcome.verdict)
    return f"Not found among {states} {where}: {reason}."


def _differing(pairs: Sequence[tuple[Node, Node]]) -> Iterator[Json]:
    """The steps after which the states differ, with the variables that do. What is shown of two values may be the same."""

    def shown(values: dict[str, Json], name: str) -> str:
        return show(values[name], 80) if name in values else "none"

    for step, (mine, theirs) in enumerate(pairs):
        here, there = (
            {
                variable.name: variable.type.to_json(value)
                for variable, value in zip(node.stage.system.variables, node.state, strict=True)
            }
            for node in (mine, theirs)
        )
        places = [
            {"variable": name, "here": shown(here, name), "there": shown(there, name)}
            for name in dict.fromkeys((*here, *there))
            if name not in here or name not in there or here[name] != there[name]
        ]
        if places:
            yield {"step": step, "places": places}


def _offering(pairs: Sequence[tuple[Node, Node]]) -> Iterator[Json]:
    """The steps after which different things can happen."""

    def calls(node: Node) -> dict[str, str]:
        """By what tells them apart, what is shown of them."""
        found = (
            (action.name, encoded(action, arguments)) for action, arguments in (one.instance for one in node.options)
        )
        return {json.dumps([name, told]): f"{name} {given(told)}".strip() for name, told in found}

    for step, (mine, theirs) in enumerate(pairs):
        here, there = calls(mine), calls(theirs)
        if here.keys() != there.keys():
            yield {
                "step": step,
                "here": [call for told, call in here.items() if told not in there],
                "there": [call for told, call in there.items() if told not in here],
            }


def _falsified(nodes: Sequence[Node]) -> Iterator[Json]:
    for step, node in enumerate(nodes):
        false = [one.name for one in node.judged if one.holds is False and one.kind not in GOALS]
        if false:
            yield {"step": step, "properties": false}


def worded(error: QuorateError) -> Json:
    """An error that a page shows."""
    return {"error": str(error)}
