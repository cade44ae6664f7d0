"""Quorate: write a protocol as a typed Python class; explore it exhaustively, prove it, draw what breaks.

    from quorate import Nat, Scalarset, Spec, action, invariant, require

    class Process(Scalarset, size=2):
        "A process that wants the resource."

    class Mutex(Spec):
        waiting: set[Process]
        inside: set[Process]

        @action
        def ask(self, p: Process) -> None:
            require(p not in self.inside)
            self.waiting.add(p)

        @action
        def enter(self, p: Process) -> None:
            require(p in self.waiting and len(self.inside) == 0)
            self.waiting.discard(p)
            self.inside.add(p)

        @action
        def leave(self, p: Process) -> None:
            require(p in self.inside)
            self.inside.discard(p)

        @invariant
        def mutual_exclusion(self) -> bool:
            return len(self.inside) <= 1

`quorate check mutex.py` explores it. This module holds the names that a spec's author imports, and, for programs and notebooks,
`check`, `proven`, `simulate` and `judge`. They are imported when the first of them is used, so that what only looks for
specifications costs nothing.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from quorate.consistency import judge as judge
    from quorate.explore import check as check
    from quorate.explore.simulate import simulate as simulate
    from quorate.explore.stateful import stateful
    from quorate.language.auxiliary import auxiliary
    from quorate.language.control import Disabled, require
    from quorate.language.declarations import (
        action,
        always_from,
        constraint,
        eventually,
        eventually_always,
        eventually_from,
        holds,
        infinitely_often,
        init,
        invariant,
        leads_to,
        lemma,
        mapping,
        reachable,
        step,
        terminal,
        violates,
    )
    from quorate.language.functions import is_majority, is_quorum, linearizable, the
    from quorate.language.laws import law, merge
    from quorate.language.networks import Bag, Channels, Network
    from quorate.language.records import record, replace
    from quorate.language.resolve import partial, up_to
    from quorate.language.sorts import Int, Nat, Ordered, Scalarset
    from quorate.language.spec import Spec
    from quorate.prove.proven import proven as proven

__all__ = [
    "Bag",
    "Channels",
    "Disabled",
    "Int",
    "Nat",
    "Network",
    "Ordered",
    "Scalarset",
    "Spec",
    "action",
    "always_from",
    "auxiliary",
    "constraint",
    "eventually",
    "eventually_always",
    "eventually_from",
    "holds",
    "infinitely_often",
    "init",
    "invariant",
    "is_majority",
    "is_quorum",
    "law",
    "leads_to",
    "lemma",
    "linearizable",
    "mapping",
    "merge",
    "partial",
    "reachable",
    "record",
    "replace",
    "require",
    "stateful",
    "step",
    "terminal",
    "the",
    "up_to",
    "violates",
]

if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        from importlib import import_module

        beside = {
            "check": "quorate.explore",
            "judge": "quorate.consistency",
            "proven": "quorate.prove.proven",
            "simulate": "quorate.explore.simulate",
            "stateful": "quorate.explore.stateful",
        }
        if name in beside:
            return getattr(import_module(beside[name]), name)
        if name not in __all__:
            raise AttributeError(f"module 'quorate' has no attribute {name!r}")
        from quorate.language import author

        return getattr(author, name)
