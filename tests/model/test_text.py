"""The text of a specification may stand in its file as Python allows it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from quorate.errors import SpecError
from quorate.explore import check
from quorate.language.loaded import lines_in
from quorate.language.system import System
from quorate.language.written import written
from quorate.loading import load as load_file
from quorate.model import build
from quorate.model.source import Source
from quorate.mutate.mutants import mutants
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


@pytest.mark.parametrize(
    "encoded",
    [
        lambda text: text.replace("class N", "# \f\n\f\nclass N").encode(),  # Of these only the ends of lines end one.
        lambda text: text.replace("and a remark", "\x1c \u2028 \x85").encode(),
        lambda text: b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode(),
        lambda text: f"# coding: latin-1\n{text}".replace("remark", "é").encode("latin-1"),
        lambda text: text.replace("\n", "\r").encode(),
    ],
    ids=["form feed", "separators", "byte order", "latin", "returns"],
)
def test_files_are_read_as_python_reads_them(tmp_path: Path, encoded: Callable[[str], bytes]) -> None:
    file = tmp_path / "odd.py"
    file.write_bytes(encoded(AT_THE_MARGIN.replace("return self", "return 3 > 2 and self")))
    spec = load_file(str(file)).main
    assert len(build(System(spec)).actions) == 1
    found = {mutant.before for mutant in mutants(spec)}
    assert {"require(self.n < 2)", "self.n += 1"} <= found


def test_lines_are_those_of_python() -> None:
    text = "a = 1 # \f \x85 \u2028\n\f\ndef second() -> int:\n    return 2\n"
    assert len(lines_in(text)) == 4
    function = written("second", text, "<odd>", {})
    assert Source.of(function).location(Source.of(function).tree).line == 3


def test_columns_are_in_characters() -> None:
    condition = "self.n < 2 and len('ééé') < n"
    with pytest.raises(SpecError) as found:
        build(System(load(AT_THE_MARGIN.replace("self.n < 2", condition))))
    place = found.value.location
    assert place is not None and place.text[place.column :][: place.length] == "'ééé'"
