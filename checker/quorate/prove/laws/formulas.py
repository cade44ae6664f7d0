"""A law as a formula over unknown values: of any size, or within bounds."""

from __future__ import annotations

from quorate.prove.encode.anysize.containers import Value
from quorate.prove.encode.anysize.definitions import quorums_in
from quorate.prove.encode.anysize.execution import AnySize
from quorate.prove.encode.anysize.terms import Formula
from quorate.prove.encode.machine import Env, Machine
from quorate.prove.encode.values import Cond, Part
from quorate.prove.laws.algebra import Law
from quorate.prove.laws.subject import Lowered, Sentence


def sentence_of(lowered: Lowered, law: Law) -> Sentence:
    """A law as expressions."""
    return next(sentence for sentence in lowered.sentences if sentence.law is law)


def broken(machine: Machine[Cond, Part], sentence: Sentence, env: Env[Cond, Part]) -> tuple[Cond, Cond]:
    """When a law fails for values of its parameters (its premise is true, and its claim is false or raises an error), and when a bound
    cuts the computation."""
    machine.events = []
    premise = machine.condition(sentence.premise, env)
    with machine.under(premise):
        claim = machine.condition(sentence.claim, env)
    events, machine.events = machine.events, []
    raised = [event.condition for event in events if event.kind == "error"]
    cut = machine.either([event.condition for event in events if event.kind == "cut"])
    return machine.either([machine.both([premise, machine.negate(claim)]), *raised]), cut


def unbounded(lowered: Lowered, law: Law) -> tuple[AnySize, list[Value], list[Formula]]:
    """Unknown values of any size, and the formulas that say that they break a law; that these have no solution proves
    it. Raises NoAnySize. Use it inside `with lowered.system`."""
    sentence, machine = sentence_of(lowered, law), AnySize(lowered.model)
    machine.supposes = False  # A law is about all sizes, on no condition.
    values = [machine.parameter(kind, f"value {name}", False) for name, kind in sentence.parameters]
    goal, _ = broken(machine, sentence, machine.stateless(sentence.parameters, values))
    quorums = machine.quorum_axioms(lowered.system.bounds, *quorums_in(goal))
    axioms = [axiom for axiom, _, condition in quorums if not condition]
    return machine, values, [goal, *axioms, *machine.definitions, *machine.symbols.known]
