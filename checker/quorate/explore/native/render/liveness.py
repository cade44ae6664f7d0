"""What `liveness.h` needs to know of a model: the fairness of its actions, and its liveness properties as functions of a state."""

from __future__ import annotations

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


def _acceptance(prop: Property) -> str:
    """Which runs violate a property, as `liveness.h` spells it."""
    acceptance = kind_of(prop.kind).acceptance
    assert acceptance is not None, prop.kind
    initially = " | PROMISE_INITIALLY" if acceptance.begins is Begins.INITIALLY else ""
    return WAYS[acceptance.breaks] + initially + " | PROMISE_ENDLESS" * acceptance.of_ends


def liveness(shared: Shared) -> None:
    """Write the functions. Raises Unsupported."""
    found, actions = promises(shared.model), shared.model.actions
    for number, prop in enumerate(found):
        result = PROMISE if kind_of(prop.kind).is_pair else BOOL
        pure(shared, _name(number, prop), f"@{prop.kind} {prop.name}", prop.parameters, prop.body, result)
    out = shared.code
    fairness = [FAIRNESS[action.method.declaration.fair] for action in actions]
    arity = [sum(words(width(kind)) for _, kind in action.parameters) for action in actions]
    acceptance = [_acceptance(prop) for prop in found]
    for name, values in (("fairness", fairness), ("arity", arity), ("acceptance", acceptance)):
        with out.block(f"static inline unsigned model_{name}(unsigned which)"):
            out(f"static const unsigned known[] = {{{', '.join(map(str, values))}}};")
            out(f"return known[{'which' if name == 'acceptance' else shared.among_all('which')}];")
    _fair_classes(shared)
    with out.block("static unsigned model_promise(unsigned property, const uint64_t *choice, const State *state)"):
        out("const word *s = state->w;")
        out("int status_ = 0, *status = &status_;")
        out("(void)choice, (void)status;")
        with out.block("switch (property)"):
            for number, prop in enumerate(found):
                with out.block(f"case {number}:"):
                    _case(Body(shared, out, "s", "s", lambda _: None), number, prop)
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


def _case(writer: Body, number: int, prop: Property) -> None:
    """Evaluate one property: bit 0 if an obligation begins, bit 1 if it is fulfilled, bit 2 for an error."""
    for position, (name, kind) in enumerate(prop.parameters):
        if is_wide(kind):
            raise Unsupported(f"a parameter of type {kind} that ranges over its whole type")
        writer.declare(kind, f"v_{name}", writer.sparse(kind, f"choice[{position}]"))
    arguments = ["status", "s", "s", *(f"v_{name}" for name, _ in prop.parameters)]
    value = writer.let(BOOL, f"{_name(number, prop)}({', '.join(arguments)})")
    if not kind_of(prop.kind).is_pair:
        begins, fulfilled = "1", value
    else:
        begins, fulfilled = (writer.read(writer.spot_of(PROMISE, value).part(PROMISE.kinds, part)) for part in (0, 1))
    writer.out(f"return status_ ? 4 : (unsigned)({begins} | {fulfilled} << 1);")
