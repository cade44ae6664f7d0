"""Which network of a model is kept as a bit set over messages that are numbered as they occur (`numbers.h`), and in how many bits.

The messages that will occur are not known before a search. So there are more numbers than most protocols need, as many as there is room
for in half of the words that a sequence takes. Where they run out, the search begins anew with as many as still save something, and then
with a sequence.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from quorate.explore.native.render.layout import Numbered, is_sequence, width, words
from quorate.language.system import State
from quorate.language.types import NetworkType
from quorate.model.nodes import Model

NUMBERS_MIN = 224
"""At least so many numbers, unless fewer messages are possible."""
NUMBERS_MAX = 1_024
WORDS_SAVED_MIN = 2
"""A bit set is worth its table if a state has at least so many words less."""
FEW = "few numbers"
"""What is switched off where they ran out."""


class TakenWhole(Exception):
    """A network that is kept as a bit set is used as a value of its own, which only a sequence can be."""


def numbered(model: Model, initial: Sequence[State], without: Collection[str]) -> dict[str, Numbered]:
    """The variable that is kept as a bit set, and its type; empty if none is."""
    if "bits" in without:
        return {}
    kinds = {variable.name: variable.type for variable in model.variables}
    whole = sum(map(width, kinds.values()))
    networks = {name: kind for name, kind in kinds.items() if isinstance(kind, NetworkType) and is_sequence(kind)}
    name = max(networks, key=lambda name: width(networks[name]), default=None)
    position = list(kinds).index(name) if name is not None else 0
    if name is None or any(state[position].messages for state in initial):
        return {}
    kind = networks[name]
    others, possible, sequence = whole - width(kind) + 1, kind.message.cardinality, words(whole + 1)
    room = max(words(others + min(NUMBERS_MIN, possible)), sequence // 2)
    if FEW in without:
        room = max(room, sequence - WORDS_SAVED_MIN)
    count = min(64 * room - others, possible, NUMBERS_MAX)
    if width(kind.message) > 63 or sequence - words(others + count) < WORDS_SAVED_MIN:
        return {}
    return {name: Numbered(kind.message, kind.capacity, kind.bound, kind.lossy, kind.variable, count)}
