"""Symmetry reduction of a program: by candidates where a state has few renamings, otherwise by colours."""

from __future__ import annotations

from quorate.explore.native.render import candidates
from quorate.explore.native.render.candidates import Candidates
from quorate.explore.native.render.colours import Colours
from quorate.explore.native.render.shared import Shared
from quorate.explore.native.render.writer import Writer
from quorate.explore.symmetry import renamings


def canonical_form(shared: Shared) -> Writer:
    """`model_canonical`, which comes last."""
    out = Writer()
    if not shared.sorts:
        out("static State model_canonical(State s, Memo *memo) { (void)memo; return s; }")
    elif renamings(shared.sorts) <= candidates.CANDIDATES_MAX:
        Candidates(shared, out).write_all()
    else:
        Colours(shared, out).write_all()
    return out
