"""The state graph of a small specification, for the explorer: projected, drawn, and gone to."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from quorate.errors import UsageError
from quorate.trace import Json

if TYPE_CHECKING:
    import networkx

    from quorate.explorer.stage import Run, Stage

STATES_MAX = 3_000
"""A graph of more states takes the reference engine too long for a page that waits."""
READABLE = 40
"""Without a reader's choice, as many variables are looked at as give no more states than this."""


class StateGraph:
    """The states of a stage under its bounds. Use it inside the stage's system."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._refused = ""
        self._projected: dict[tuple[str, ...], networkx.MultiDiGraph[int]] = {}

    @cached_property
    def _whole(self) -> networkx.MultiDiGraph[int]:
        from quorate.explore.graph import state_graph

        if self._refused:  # A page that shows the graph asks again after each step.
            raise UsageError(self._refused)
        try:
            return state_graph(self._stage.spec, states_max=STATES_MAX)
        except UsageError:
            bounds = ", ".join(f"{name}={size}" for name, size in self._stage.system.bounds.items())
            self._refused = (
                f"There are more than {STATES_MAX:,} states with {bounds}, which is too many for a graph. Begin with lower bounds: "
                f"`quorate explore {self._stage.name} --bound NAME=N`."
            )
            raise UsageError(self._refused) from None

    @cached_property
    def _numbers(self) -> dict[Any, int]:
        """The number of each state, by its values."""
        return {tuple(data["state"].values()): number for number, data in self._whole.nodes(data=True)}

    def view(self, run: Run, at: int, data: Json) -> Json:
        """The picture, with the run up to the step `at` marked. `data` names the variables to look at (`project`; null for a choice
        that can be read) and what puts states together (`cluster`)."""
        from quorate.report.graph_scene import CYCLES, graph_picture

        names = [variable.name for variable in self._stage.system.variables]
        chosen, cluster = self._chosen(data.get("project"), names), data.get("cluster") or ""
        if not isinstance(cluster, str):
            raise UsageError("`cluster` is the name of a variable, or `cycles`.")
        if cluster not in ("", CYCLES, *chosen):
            cluster = ""
        graph = self._projection(chosen)
        through = [self._node(graph, state, chosen) for state in self._states(run, at)]
        picture = graph_picture(graph, through, cluster, self._stage.name)
        return {
            **picture.to_json(),
            "variables": names,
            "project": list(chosen),
            "cluster": cluster,
            "clusters": [CYCLES, *chosen],
            "words": self._words(len(graph), chosen, len(names)),
        }

    def visit(self, run: Run, at: int, data: Json) -> Json:
        """The steps that lead to a state of the picture, after those of the run up to `at`, or instead of them."""
        names = [variable.name for variable in self._stage.system.variables]
        chosen, wanted = self._chosen(data.get("project"), names), data.get("node")
        graph = self._projection(chosen)
        if wanted not in graph:
            raise UsageError("There is no such state in the picture.")
        label = _key(graph.nodes[wanted]["label"], chosen)
        here = self._numbers[self._states(run, at)[-1]]

        def is_there(number: int) -> bool:
            return _key(self._whole.nodes[number]["label"], chosen) == label

        steps = self._way([here], is_there)
        if steps is not None:
            return {"from": "here", "run": {"initial": run.initial, "steps": [*run.to_json()["steps"][:at], *steps]}}
        start = self._numbers[self._states(run, 0)[-1]]
        steps = self._way([start], is_there)
        if steps is None:
            raise UsageError("It is reached from another initial state only.")
        return {"from": "start", "run": {"initial": run.initial, "steps": steps}}

    def _way(self, begins: Sequence[int], is_there: Callable[[int], bool]) -> list[Json] | None:
        """The steps of a shortest way, breadth first, in the order of the graph."""
        came: dict[int, tuple[int, Json] | None] = dict.fromkeys(begins)
        level = list(begins)
        while level:
            for number in level:
                if is_there(number):
                    return list(reversed(list(_back(came, number))))
            following = []
            for number in level:
                for _, target, data in self._whole.edges(number, data=True):
                    if target not in came:
                        came[target] = number, [data["action"], data["label"]]
                        following.append(target)
            level = following
        return None

    def _states(self, run: Run, at: int) -> list[tuple[Any, ...]]:
        nodes = self._stage.path(run, at)
        if nodes[-1].failure is not None:
            raise UsageError("The last step raised an error, and led to no state.")
        states = [tuple(node.state) for node in nodes]
        self._whole  # noqa: B018  Whether there are too many comes before what is not among them.
        return states

    def _node(self, graph: networkx.MultiDiGraph[int], state: tuple[Any, ...], chosen: Sequence[str]) -> int:
        wanted = _key(self._whole.nodes[self._numbers[state]]["label"], chosen)
        found: int = graph.graph["by_label"][wanted]
        return found

    def _chosen(self, asked: Json, names: Sequence[str]) -> tuple[str, ...]:
        if asked is None:
            return tuple(self._readable(names))
        if not isinstance(asked, list) or not asked or any(name not in names for name in asked):
            raise UsageError(f"Choose from the variables {', '.join(names)}.")
        return tuple(name for name in names if name in asked)

    def _readable(self, names: Sequence[str]) -> Iterator[str]:
        """The variables to look at without a choice: in their order, those that keep the picture readable; at least the one with the
        fewest values."""
        labels = [data["label"] for _, data in self._whole.nodes(data=True)]
        kept: list[str] = []
        for name in names:
            if len({_key(label, (*kept, name)) for label in labels}) <= READABLE:
                kept.append(name)
        yield from kept or [min(names, key=lambda name: len({_key(label, (name,)) for label in labels}))]

    def _projection(self, chosen: tuple[str, ...]) -> networkx.MultiDiGraph[int]:
        from quorate.report.graph_data import project

        if chosen not in self._projected:
            graph = self._projected[chosen] = project(self._whole, chosen)
            graph.graph["by_label"] = {_key(data["label"], chosen): node for node, data in graph.nodes(data=True)}
        return self._projected[chosen]

    def _words(self, drawn: int, chosen: Sequence[str], variables: int) -> str:
        states = len(self._whole)
        if len(chosen) == variables:
            return f"All {states:,} states."
        together = f"{states:,} states, drawn as {drawn:,}: those that agree in {', '.join(chosen)} are one."
        return f"{together} A path in the picture need not be a run."


def _key(label: dict[str, Json], chosen: Sequence[str]) -> str:
    return json.dumps([label[name] for name in chosen], sort_keys=True)


def _back(came: dict[int, tuple[int, Json] | None], number: int) -> Iterator[Json]:
    """The steps to a state, the last first."""
    while (before := came[number]) is not None:
        number, step = before
        yield step
