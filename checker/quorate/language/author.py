"""Every name that the author of a spec imports from `quorate`, which hands them on."""

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
    "step",
    "terminal",
    "the",
    "up_to",
    "violates",
]
