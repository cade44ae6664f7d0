"""What `liveness.h` needs to know of a model: the fairness of its actions, and its liveness properties as functions of a state."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from quorate.explore.native.render.functions import pure
from quorate.explore.native.render.layout import Unsupported, width, words
from quorate.explore.native.render.operands import Spot, is_wide
from quorate.explore.native.render.paths import BOOL
from quorate.explore.native.render.shared import Shared
from quorate.explore.native.render.statements import Body
from quorate.kinds import LIVENESS, Begins, Breaks, kind_of
from quorate.language.methods import kept_positions
from quorate.language.types import TupleType
from quorate.model.nodes import Action, Model, Property

FAIRNESS = {None: 0, "weak": 1, "strong": 2}
PROMISE = TupleType((BOOL, BOOL))


def promises(model: Model) -> tuple[Property, ...]:
    """The liveness properties of a model; their positions are their numbers in C."""
    return model.of(*LIVENESS)


WAYS = {
    Breaks.NEVER_FULFILLED: "PROMISE_NEVER",
    Breaks.AGAIN_AND_AGAIN_UNFULFILLED: "PROMISE_AGAIN",
    Breaks.ONCE_UNFULFILLED: "PROMISE_ONCE",
}


def _acceptance(prop: Property, by_steps: bool) -> str:
    """Which runs violate a property, as `liveness.h` spells it. One that steps fulfil, too, begins anew after each of them."""
    acceptance = kind_of(prop.kind).acceptance
    assert acceptance is not None, prop.kind
    initially = acceptance.begins is Begins.INITIALLY and not by_steps
    spelled = WAYS[acceptance.breaks] + " | PROMISE_INITIALLY" * initially + " | PROMISE_ENDLESS" * acceptance.of_ends
    return spelled + " | PROMISE_STEPS" * by_steps


def liveness(shared: Shared) -> None:
    """Write the functions. Raises Unsupported."""
    found, actions = promises(shared.model), shared.model.actions
    for number, prop in enumerate(found):
        result = PROMISE if kind_of(prop.kind).is_pair else BOOL
        pure(shared, _name(number, prop), f"@{prop.kind} {prop.name}", prop.parameters, prop.body, result)
    named = {prop.name: prop for prop in shared.model.endings}
    endings = {number: named[prop.name] for number, prop in enumerate(found) if prop.name in named}
    for number, prop in endings.items():
        pure(shared, _ending(number, prop), f"what ends {prop.name}", prop.parameters, prop.body, BOOL)
    out = shared.code
    fairness = [FAIRNESS[action.method.declaration.fair] for action in actions]
    arity = [sum(words(width(kind)) for _, kind in action.parameters) for action in actions]
    acceptance = [_acceptance(prop, number in endings) for number, prop in enumerate(found)]
    for name, values in (("fairness", fairness), ("arity", arity), ("acceptance", acceptance)):
        with out.block(f"static inline unsigned model_{name}(unsigned which)"):
            out(f"static const unsigned known[] = {{{', '.join(map(str, values))}}};")
            out(f"return known[{'which' if name == 'acceptance' else shared.among_all('which')}];")
    _fair_classes(shared)
    _asked(shared, "promise", "const State *state", "*s = state->w", dict(enumerate(found)), _promise)
    _asked(shared, "ends", "const State *before, const State *state", "*s = state->w, *old = before->w", endings, _ends)


def _asked(
    shared: Shared,
    name: str,
    states: str,
    words: str,
    properties: Mapping[int, Property],
    answer: Callable[[Body, int, Property], str],
) -> None:
    """Write a function of states that answers for each of some properties; bit 2 for an error."""
    out = shared.code
    with out.block(f"static unsigned model_{name}(unsigned property, const uint64_t *choice, {states})"):
        out(f"const word {words};")
        out("int status_ = 0, *status = &status_;")
        out(f"(void)s, (void)choice, (void)status{', (void)old' if 'old' in words else ''};")
        with out.block("switch (property)"):
            for number, prop in properties.items():
                with out.block(f"case {number}:"):
                    writer = Body(shared, out, "s", "s", lambda _: None)
                    _choose(writer, prop)
                    out(f"return status_ ? 4 : (unsigned)({answer(writer, number, prop)});")
        out("return 0;")
        out("goto leave;")
        out("leave:")
        out("return 4;")


def _fair_classes(shared: Shared) -> None:
    """Which demand of fairness a transition belongs to: the action, and the arguments that tell its demands apart."""
    out, actions = shared.code, shared.model.actions
    for number, action in enumerate(actions):
        if action.fair_if is not None:
            name = f"fair_{number}_{action.fair_if.key}"
            pure(shared, name, f"fair_if of {action.name}", action.fair_if.parameters, action.fair_if.body, BOOL)
    kept = [_kept_words(action) for action in actions]
    with out.block("static int model_demand(const State *state, const Label *label, Label *demand)"):
        out(f"static const uint64_t kept[] = {{{', '.join(f'UINT64_C({mask})' for mask in kept)}}};")
        out("const word *s = state->w;")
        out("const uint64_t *args = label->args;")
        out("int status_ = 0, *status = &status_;")
        out("(void)s, (void)args, (void)status;")
        out("demand->action = label->action;")
        with out.block("for (unsigned i = 0; i < model_arity(label->action); i++)"):
            out(f"demand->args[i] = kept[{shared.among_all('label->action')}] >> i & 1 ? args[i] : 0;")
        with out.block(f"switch ({shared.among_all('label->action')})"):
            for number, action in enumerate(actions):
                if action.fair_if is not None:
                    with out.block(f"case {number}:"):
                        _fair_if(Body(shared, out, "s", "s", lambda _: None), number, action)
        out("return model_fairness(label->action) != 0;")
        out("goto leave;")
        out("leave:")
        out("return -1;")


def _kept_words(action: Action) -> int:
    """The words of an action's arguments that tell its demands apart, as bits."""
    kept, mask, at = kept_positions(action.method), 0, 0
    for position, (_, kind) in enumerate(action.parameters):
        count = words(width(kind))
        mask |= ((1 << count) - 1 << at) * (position in kept)
        at += count
    if at > 64:
        raise Unsupported(f"{action.name} with arguments of {at} words (at most 64, for fairness)")
    return mask


def _fair_if(writer: Body, number: int, action: Action) -> None:
    """Whether an instance is fair in a state; -1 for an error."""
    assert action.fair_if is not None
    at = 0
    for name, kind in action.parameters:
        writer.declare(kind, f"v_{name}", writer.read(Spot("args", True, kind, 64 * at)))
        at += words(width(kind))
    arguments = ["status", "s", "s", *(f"v_{name}" for name, _ in action.fair_if.parameters)]
    value = writer.let(BOOL, f"fair_{number}_{action.fair_if.key}({', '.join(arguments)})")
    for name, _ in action.parameters:
        writer.out(f"(void)v_{name};")
    writer.out(f"return status_ ? -1 : (int)({value});")


def _name(number: int, prop: Property) -> str:
    return f"promise_{number}_{prop.name}"


def _ending(number: int, prop: Property) -> str:
    return f"ending_{number}_{prop.name}"


def _choose(writer: Body, prop: Property) -> None:
    """The parameters of a property, from the positions of their values."""
    for position, (name, kind) in enumerate(prop.parameters):
        if is_wide(kind):
            raise Unsupported(f"a parameter of type {kind} that ranges over its whole type")
        writer.declare(kind, f"v_{name}", writer.sparse(kind, f"choice[{position}]"))


def _promise(writer: Body, number: int, prop: Property) -> str:
    """Bit 0 if an obligation begins, bit 1 if it is fulfilled."""
    arguments = ["status", "s", "s", *(f"v_{name}" for name, _ in prop.parameters)]
    value = writer.let(BOOL, f"{_name(number, prop)}({', '.join(arguments)})")
    if not kind_of(prop.kind).is_pair:
        return f"1 | {value} << 1"
    begins, fulfilled = (writer.read(writer.spot_of(PROMISE, value).part(PROMISE.kinds, part)) for part in (0, 1))
    return f"{begins} | {fulfilled} << 1"


def _ends(writer: Body, number: int, prop: Property) -> str:
    """Bit 1 if the step fulfils it."""
    arguments = ["status", "s", "old", *(f"v_{name}" for name, _ in prop.parameters)]
    value = writer.let(BOOL, f"{_ending(number, prop)}({', '.join(arguments)})")
    return f"{value} << 1"
