"""Where fair runs can stay for ever, straight from the definitions: what engines say of liveness is held against it (`account`).

A run that goes on for ever is from some time on in a set of states that it visits again and again, each of which leads to each
other. It is fair if of the demands of weak fairness those that are possible in all of these states, and of strong fairness those that are
possible in some, are served by steps between them. It may also stay in one state.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import cached_property

from quorate.language.system import Arguments

Demand = tuple[str, Arguments]
"""What fairness demands: the name of an action, and the arguments that tell its demands apart."""


@dataclass(frozen=True)
class Runs:
    """What runs can do, as fairness sees it: the steps from each state that change it, each with the demand that it serves, and the
    demands that are possible there. Those of the actions `strong` are of strong fairness."""

    steps: Mapping[int, Sequence[tuple[Demand | None, int]]]
    possible: Mapping[int, AbstractSet[Demand]]
    strong: Collection[str]
    waiting: Callable[[], None] = lambda: None
    """Called for every set of states that is looked into, of which strong fairness may make many: it may raise to end this."""

    def reached(self, begin: Iterable[int], within: Collection[int]) -> set[int]:
        """The states that runs reach without leaving these."""
        found = {number for number in begin if number in within}
        waiting = list(found)
        while waiting:
            for _, target in self.steps[waiting.pop()]:
                if target in within and target not in found:
                    found.add(target)
                    waiting.append(target)
        return found

    def leading(self, goals: Iterable[int]) -> set[int]:
        """The states from which runs reach some of these."""
        found = set(goals)
        waiting = list(found)
        while waiting:
            before = [number for number in self._back[waiting.pop()] if number not in found]
            found.update(before)
            waiting += before
        return found

    @cached_property
    def _back(self) -> Mapping[int, Sequence[int]]:
        """The states from which steps lead to each state."""
        back: dict[int, list[int]] = {number: [] for number in self.steps}
        for number, steps in self.steps.items():
            for _, target in steps:
                back[target].append(number)
        return back

    def homes(self, within: AbstractSet[int]) -> Iterator[set[int]]:
        """The largest sets of these states in which a fair run can stay for ever, and visit all of them again and again."""
        waiting = [set(within)]
        while waiting:
            self.waiting()
            for component in self._components(waiting.pop()):
                unserved = self._unserved(component)
                if not unserved:
                    yield component
                    continue
                # What nothing serves within may be possible in no state of a run, or, of weak fairness, not in all: it is in all of these.
                left = {number for number in component if not self.possible[number] & unserved}
                if left:
                    waiting.append(left)

    def _unserved(self, component: AbstractSet[int]) -> set[Demand]:
        """What fairness demands of a run that visits all of these again and again, and no step between them serves."""
        possible = [self.possible[number] for number in component]
        once, always = set[Demand]().union(*possible), frozenset.intersection(*map(frozenset, possible))
        wanted = {demand for demand in once if demand in always or demand[0] in self.strong}
        return wanted - {what for number in component for what, target in self.steps[number] if target in component}

    def _components(self, within: AbstractSet[int]) -> Iterator[set[int]]:
        """The sets of these states of which each leads to each other (Kosaraju's algorithm: against the steps, last finished first)."""
        assigned = set[int]()
        for root in reversed(self._finished(within)):
            if root in assigned:
                continue
            component, waiting = {root}, [root]
            while waiting:
                for number in self._back[waiting.pop()]:
                    if number in within and number not in assigned and number not in component:
                        component.add(number)
                        waiting.append(number)
            assigned |= component
            yield component

    def _finished(self, within: AbstractSet[int]) -> list[int]:
        """These states, in the order in which a search in depth is done with them."""
        found, order = set[int](), list[int]()
        for root in within:
            if root in found:
                continue
            found.add(root)
            path = [(root, iter(self.steps[root]))]
            while path:
                number, steps = path[-1]
                following = next((target for _, target in steps if target in within and target not in found), None)
                if following is None:
                    order.append(number)
                    path.pop()
                else:
                    found.add(following)
                    path.append((following, iter(self.steps[following])))
        return order
