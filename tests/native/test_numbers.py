"""Arithmetic is that of the integers in every engine: a number that leaves 64 bits is never a wrapped one."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner
from quorate import Spec
from quorate.commands.verify import command as verify
from quorate.explore import Watch, check
from quorate.explore.engine import EngineUnavailable
from quorate.explore.native import library
from quorate.explore.simulate import simulate
from quorate.outcome import Holds, Unfinished, Violated

from tests.costs import shares
from tests.generated import load
from tests.native.agreement import QUICK_FLAGS
from tests.native.large_agreement import agree_on, outcomes
from tests.native.limits import HEAD, SPECS

LEAVING = ("2^63", "2^64", "2^65")
BEYOND = {name for name in SPECS if name.endswith(LEAVING) and "a range" not in name} | {
    "a sum over a sort",
    "the least number divided by -1",
    "the least number's remainder by -1",
    "the magnitude of the least number",
    "minus the least number",
    "minus a large number",
    "squares that leave",
    "powers up and down",
    "a function that leaves",
    "a variable's fourth power",
    "a constant beyond 64 bits",
}
"""Specs with a number that does not have 64 bits."""
REFUSED = {"64 reachable", "65 reachable"}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library, "FLAGS", QUICK_FLAGS)


def source(body: str) -> str:
    return f"{HEAD}\n\nclass Drawn(Spec):\n" + "".join(f"    {line}\n" for line in body.strip("\n").split("\n"))


def spec(body: str) -> type[Spec]:
    return load(source(body))


@pytest.mark.slow
def test_specs_aimed_at_limits_agree_with_the_reference_engine_or_leave_64_bits() -> None:
    found = outcomes(SPECS)
    assert [name for name, said in found.items() if said.startswith(("DISAGREE", "unavailable", "too many"))] == []
    assert {name for name, said in found.items() if said == "left 64 bits"} == BEYOND
    assert {name for name, said in found.items() if said.startswith("refused")} == REFUSED


@pytest.mark.slow
@pytest.mark.parametrize("begin", shares(300, 75))
def test_drawn_specs_about_large_numbers_agree(begin: int) -> None:
    """`python -m tests.native.large_agreement --count 20000` is the deeper run."""
    tally, told = agree_on(range(begin, begin + 75))
    assert told == "" and tally["DISAGREE"] == 0
    assert tally["left 64 bits"] < 38 and min(tally["same verdict: holds"], tally["same verdict: invariant"]) > 12


POWERS = """
out: Small

@action
def go(self) -> None:
    x = 1
    for i in range(64):
        x = x * 2
    for i in range(64):
        x = x // 2
    self.out = Small(x)

@invariant
def never_one(self) -> bool:
    return self.out != 1
"""


def test_a_number_that_leaves_64_bits_is_left_to_the_reference_engine() -> None:
    outcome = check(spec(POWERS), watch=Watch(at_once=0))
    assert isinstance(outcome, Violated) and outcome.engine == "reference"
    assert any("64 bits at" in note for note in outcome.notes)


def test_the_native_engine_alone_is_unfinished_and_says_the_line() -> None:
    outcome = check(spec(POWERS), engine="native")
    assert isinstance(outcome, Unfinished)
    line = 1 + source(POWERS).splitlines().index("            x = x * 2")
    assert f":{line}, all that" in outcome.reason


def test_numbers_in_tuples_have_as_many_bits_as_they_need() -> None:
    found = spec("""
out: Small

@action
def go(self, n: Small) -> None:
    t = (2147483647 + n, 0)
    self.out = Small(1 if t[0] == 2147483647 else 2)

@invariant
def never_two(self) -> bool:
    return self.out != 2
""")
    outcome = check(found, engine="native")
    assert isinstance(outcome, Violated)


def test_random_runs_do_not_wrap() -> None:
    found = simulate(spec(POWERS), seed=1, runs=2, length=3)
    assert (
        found.engine == "reference" and found.violation is not None and any("64 bits" in note for note in found.notes)
    )
    with pytest.raises(EngineUnavailable, match="64 bits"):
        simulate(spec(POWERS), seed=1, runs=2, length=3, engine="native")


LARGE = "all(4611686018427387904 * (n + 1) * 2 > 0 for n in Small)"


@pytest.mark.parametrize(
    "prop",
    [
        f"@invariant\ndef claim(self) -> bool:\n    return {LARGE}",
        f"@step\ndef claim(self, old: Self) -> bool:\n    return {LARGE}",
        f"@reachable\ndef claim(self) -> bool:\n    return {LARGE} and self.out == 2",
        f"@terminal\ndef claim(self) -> bool:\n    return {LARGE}",
    ],
)
def test_properties_do_not_wrap(prop: str) -> None:
    found = spec(
        f"out: Small\n\n@action\ndef go(self) -> None:\n    require(self.out < 2)\n    self.out += 1\n\n{prop}"
    )
    outcome = check(found, watch=Watch(at_once=0))
    assert isinstance(outcome, Holds) and outcome.engine == "reference"
    assert isinstance(check(found, engine="native"), Unfinished)


LIVENESS = f"""
out: Small

@action(fair="weak")
def go(self) -> None:
    require(self.out < 2)
    self.out += 1

@eventually
def arrives(self) -> bool:
    return {LARGE} and self.out == 2
"""


def test_liveness_does_not_wrap() -> None:
    outcome = check(spec(LIVENESS), watch=Watch(at_once=0))
    assert isinstance(outcome, Holds) and any("64 bits" in note for note in outcome.notes)


TICKS = """
ticks: Large

@action
def tick(self) -> None:
    require(self.ticks < 600)
    self.ticks += 1
"""


def test_verify_tells_what_the_native_engine_left_to_the_reference_engine(tmp_path: Path) -> None:
    for name, body in (("safety", POWERS.replace("!= 1", "<= 1")), ("liveness", LIVENESS)):
        file = tmp_path / f"{name}.py"
        file.write_text(source(body + TICKS), encoding="utf-8")
        done = CliRunner().invoke(verify, [str(file)])
        assert done.exit_code == 0 and "a number passes 64 bits at" in " ".join(done.output.split()), done.output


@pytest.mark.parametrize(("kind", "head"), [("invariant", "self"), ("step", "self, old: Self"), ("reachable", "self")])
@pytest.mark.parametrize("first", ["return not self.f(b) or", "if not self.f(b):\n        return True\n    return"])
def test_a_call_in_the_first_part_of_a_property_compiles(kind: str, head: str, first: str) -> None:
    """What a loop over arguments may skip is asked of a method, which may fail in C."""
    found = spec(f"""
seen: set[Small]

@action
def add(self, b: Small) -> None:
    self.seen.add(b)

def f(self, b: Small) -> bool:
    return b in self.seen

@{kind}
def safe({head}, b: Small, c: Small) -> bool:
    {first} c in self.seen or True
""")
    outcome = check(found, engine="native")
    assert isinstance(outcome, Holds) and outcome.statistics.states == 16
