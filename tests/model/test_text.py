"""The text of a specification may stand in its file as Python allows it."""

from __future__ import annotations

import pytest
from quorate.errors import SpecError
from quorate.explore import check
from quorate.language.system import System
from quorate.model import build
from quorate.outcome import Violated

from tests.generated import load

AT_THE_MARGIN = '''
from quorate import Nat, Spec, action, invariant, require


class N(Nat, max=2):
    pass


class Drawn(Spec):
    n: N

    @action
    def go(self) -> None:
        """It has a text
that goes on at the margin."""
# and a remark there
        require(self.n < 2)
        self.n += 1

    @invariant
    def small(self) -> bool:
        return self.n < (
    2
        )
'''


@pytest.mark.parametrize("engine", ["reference", "native"])
def test_text_at_the_margin_is_no_end(engine: str) -> None:
    outcome = check(load(AT_THE_MARGIN), engine=engine)
    assert isinstance(outcome, Violated) and len(outcome.trace.steps) == 2


def test_an_error_behind_it_has_its_place() -> None:
    lines = AT_THE_MARGIN.replace("self.n += 1", "self.n += len").splitlines()
    line = next(number for number, text in enumerate(lines, 1) if text.endswith("self.n += len"))
    with pytest.raises(SpecError) as found:
        build(System(load("\n".join(lines))))
    place = found.value.location
    assert place is not None and (place.line, place.text[place.column :]) == (line, "len")
