"""Laws are proven of all values exactly if no values break them, and what breaks them is shown as Python that runs."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from typing import Any

import pytest
from click.testing import CliRunner
from quorate.commands._laws import explained
from quorate.commands.prove import command
from quorate.commands.verify import command as verify_command
from quorate.errors import QuorateError
from quorate.explore.engine import Disagreement
from quorate.language.control import Cut
from quorate.language.resolve import Configuration, activate, deactivate
from quorate.language.system import System
from quorate.language.types import BoolType, MapType, RecordType, SetType, TupleType, Type, UnionType
from quorate.loading import load
from quorate.prove.laws.algebra import laws_of
from quorate.prove.laws.prove import Judged, Laws, Task, prove_laws
from quorate.prove.laws.subject import Subject
from quorate.prove.solvers.smt import Answer, Effort
from quorate.report.python import prelude, source

from tests.costs import shares
from tests.prove import drawn_merges

SAMPLES = Path(__file__).parent / "merges.py"
PROVEN = {
    "grow_only": "total commutative associative idempotent inflationary reflexive antisymmetric transitive least",
    "positive_negative": "total commutative associative idempotent inflationary",
    "add_wins": "total closed commutative associative idempotent inflationary",
    "versions": "total equivalence congruent commutative associative idempotent inflationary",
    "sum_up": "total commutative associative",
    "last": "total associative idempotent inflationary",
    "within_a_tolerance": "total commutative idempotent inflationary",
    "Register.join": "total commutative associative idempotent inflationary",
    "LastArgument.join": "total associative idempotent inflationary",
    "two_phase": "total commutative associative idempotent inflationary",
}


def laws(name: str, path: Path = SAMPLES) -> Laws:
    return prove_laws(Task(load(str(path)).marked[name]))


def by_name(found: Laws) -> dict[str, Judged]:
    return {one.law: one for one in found.judged}


@pytest.mark.parametrize("name", PROVEN)
def test_the_laws_of_known_merges(name: str) -> None:
    found = laws(name)
    assert " ".join(one.law for one in found.judged if one.status == "proven") == PROVEN[name]
    assert not found.open and found.as_expected


@pytest.mark.parametrize("name", ["last", "sum_up"])
def test_what_a_solver_proves_wrongly_is_seen_in_cpython(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("quorate.prove.laws.prove.ask", lambda *_: Answer((name, ""), "unsat", 0.0, "z3"))
    monkeypatch.setattr("quorate.prove.laws.prove.AUDIT_SECONDS", 1.0)
    with pytest.raises(
        Disagreement, match=rf"{name}: (commutative|associative|idempotent) is proven, .* not so of a = "
    ):
        laws(name)


def test_values_that_break_a_law_are_python_that_runs() -> None:
    names = vars(load(str(SAMPLES)).module)
    for name in ("sum_up", "last", "within_a_tolerance"):
        for one in laws(name).violated:
            assert one.counterexample is not None
            bounds = {sort: sort.bound for sort, _ in one.counterexample.sorts}
            scope: dict[str, Any] = dict(names)
            activate(Configuration(of_one_spec=False))  # Records remember the bounds of their first use.
            for line in prelude(one.counterexample.sorts):
                exec(line, scope)
            for argument, value in one.counterexample.arguments:
                scope[argument] = eval(source(value), scope)
            assert one.counterexample.calls
            for text, result in one.counterexample.calls:
                assert eval(text, scope) == eval(source(result), scope)
            assert not eval(one.sentence, scope), one.sentence
            deactivate()
            for sort, bound in bounds.items():
                sort.bound = bound


def test_a_time_beyond_every_bound_that_was_tried_is_found() -> None:
    broken = by_name(laws("within_a_tolerance"))["associative"]
    assert broken.counterexample is not None
    assert max(value.at for _, value in broken.counterexample.arguments) >= 500


AT_SOME_SIZES = """
from quorate import *

class T(Nat, max=3): pass
class K(Scalarset, size=2): pass
class O(Ordered, size=2): pass

@law
def said(t: T, u: T, k: K, o: O) -> bool:
    return LAW
"""


@pytest.mark.parametrize(
    "law",
    [
        "any(x == 1 for x in T)",
        "t < 1000 or any(x == t + u for x in T)",
        "t < 1000 or not all(x <= t for x in T)",
        "t < 1000 or all(k == l for l in K)",
        "t < 1000 or any(k != l for l in K)",
        "t < 1000 or all(p <= o for p in O) or all(o <= p for p in O)",
    ],
)
def test_a_law_that_is_false_at_some_sizes_is_shown_there(tmp_path: Path, law: str) -> None:
    """Which no bound that is tried shows: the solver's model has sizes as well as values."""
    (tmp_path / "sizes.py").write_text(AT_SOME_SIZES.replace("LAW", law))
    (judged,) = laws("said", tmp_path / "sizes.py").judged
    assert judged.status == "violated"


def test_a_law_about_sorts_that_cannot_be_larger(tmp_path: Path) -> None:
    """Nor is one of them taken for the other where values are drawn."""
    text = (
        "from quorate import Nat, Scalarset, law\nclass S(Scalarset, size=64): pass\nclass T(Nat, max=65_535): pass\n"
    )
    (tmp_path / "full.py").write_text(text + "@law\ndef said(s: S, t: T) -> bool:\n    return s == s and t >= 0\n")
    (judged,) = laws("said", tmp_path / "full.py").judged
    assert judged.status == "proven"


def test_a_law_below_another_decorator_is_not_passed_over(tmp_path: Path) -> None:
    around = "\ndef closure(f):\n    def around(t: T) -> bool:\n        return f(t)\n    return around\n"
    text = AT_SOME_SIZES.split("@law")[0] + around + "\n@closure\n@law\ndef said(t: T) -> bool:\n    return t < 1\n"
    (tmp_path / "hidden.py").write_text(text)
    with pytest.raises(QuorateError, match="mark on said is hidden"):
        laws("said", tmp_path / "hidden.py")


def test_a_law_whose_values_pass_a_bound_in_python_is_open(tmp_path: Path) -> None:
    text = AT_SOME_SIZES.split("@law")[0] + (
        "@merge\ndef far(a: T, b: T) -> T:\n    return (a + b) * 6 if a > 500 and b > a else max(a, b)\n"
    )
    (tmp_path / "far.py").write_text(text)
    found = by_name(laws("far", tmp_path / "far.py"))
    assert found["commutative"].status == "open" and found["total"].status == "proven"


VALID = """
from quorate import Nat, merge

class Time(Nat, max=3):
    pass

def ok(a: Time) -> bool:
    return CONDITION

@merge(valid=ok)
def join(a: Time, b: Time) -> Time:
    return a if a > 0 else b
"""


@pytest.mark.parametrize(
    ("condition", "status"), [("a > 0 and a < 1", "open"), ("a > 1000", "violated"), ("a > 2", "violated")]
)
def test_laws_about_no_value_at_all_say_nothing(tmp_path: Path, condition: str, status: str) -> None:
    (tmp_path / "restricted.py").write_text(VALID.replace("CONDITION", condition))
    found = by_name(laws("join", tmp_path / "restricted.py"))
    assert found["commutative"].status == status
    assert found["idempotent"].status == ("open" if status == "open" else "proven")
    assert status != "open" or found["idempotent"].reason == "nothing is known to be valid (no values at Time=15 are)"


def test_a_merge_that_raises_has_no_further_laws() -> None:
    (total,) = laws("difference").judged
    assert total.law == "total" and total.counterexample is not None
    assert "below zero" in (total.counterexample.raised or "")


def test_what_depends_on_the_number_of_nodes_is_open_and_never_proven() -> None:
    found = laws("as_many_as_nodes")
    assert {one.status for one in found.judged} == {"open"}
    assert "The size of a set has no any-size meaning" in found.judged[0].reason
    assert "no values at Count=15 break it" in found.judged[0].reason


def test_without_time_for_the_values_that_break_a_law_it_is_open() -> None:
    """The formulas are not written, either."""
    found = prove_laws(Task(load(str(SAMPLES)).marked["as_many_as_nodes"], seconds=0.0))
    assert {one.status for one in found.judged} == {"open"}
    assert all("were tried that break it" in one.reason for one in found.judged)


def test_a_law_of_ones_own_is_proven_or_refuted() -> None:
    assert [one.status for one in laws("below_is_antisymmetric").judged] == ["proven"]
    (refuted,) = laws("below_is_total").judged
    assert refuted.counterexample is not None and len(refuted.counterexample.arguments) == 2


def test_the_vector_clocks_of_the_library_are_a_lattice_for_any_number_of_processes() -> None:
    for marked in load("vector_clock").marked.values():
        found = prove_laws(Task(marked))
        assert found.as_expected, found
        if found.expect.violated is None:
            assert {one.status for one in found.judged} == {"proven"}


KEYS = """
from quorate import *

class T(Nat, max=3): pass
class I(Nat, max=2): pass

@record
class R:
    at: dict[T, bool]
    t: T
    i: I

@law
def kept(a: R) -> bool:
    return a.at[KEY] == a.at[KEY]
"""


@pytest.mark.parametrize(
    ("key", "status"), [("a.t", "proven"), ("0", "proven"), ("2", "violated"), ("max(a.t, 1)", "open"), ("a.i", "open")]
)
def test_a_key_is_one_for_all_sizes_or_the_law_is_not_proven(tmp_path: Path, key: str, status: str) -> None:
    """A law is about all sizes, and supposes nothing of them."""
    path = tmp_path / "keys.py"
    path.write_text(KEYS.replace("KEY", key), encoding="utf-8")
    (judged,) = prove_laws(Task(load(str(path)).marked["kept"])).judged
    assert judged.status == status


LIMITED = """
from typing import ClassVar
from quorate import *

class T(Nat, max=3): pass

class Counter(Spec):
    x: T
    limit: ClassVar[int] = 2

    @action
    def rise(self) -> None:
        self.x += 1

    @law
    def ordered(self, a: T, b: T) -> bool:
        return self.most(self.limit) or a <= b

    def most(self, number: int) -> bool:
        return number == 2
"""


def test_a_class_variable_that_a_law_reads_is_named(tmp_path: Path) -> None:
    """`bounds = {"limit": 1}` is another specification, where this is no law."""
    path = tmp_path / "limited.py"
    path.write_text(LIMITED, encoding="utf-8")
    found = prove_laws(Task(load(str(path)).marked["Counter.ordered"]))
    assert by_name(found)["ordered"].status == "proven"
    assert found.rests_on == ("constants as configured: limit = 2",)
    assert "    rests on: constants as configured: limit = 2" in explained(found)


# Against CPython


def drawn_value(kind: Type, random: Random) -> Any:
    """A random value of a type, in the bounds that are configured."""
    match kind:
        case RecordType(fields=fields):
            return kind.sort(*(drawn_value(part, random) for _, part in fields))
        case TupleType(kinds=kinds):
            return tuple(drawn_value(part, random) for part in kinds)
        case UnionType(kinds=kinds):
            return drawn_value(random.choice(kinds), random)
        case MapType():
            return kind.check({key: drawn_value(kind.value, random) for key in kind.keys})
        case SetType(element=element):
            return kind.check({drawn_value(element, random) for _ in range(random.randrange(4))})
        case BoolType():
            return random.random() < 0.5
    return random.choice(list(kind.values()))


def refuted_by_chance(subject: Subject, name: str, random: Random, tries: int) -> tuple[Any, ...] | None:
    """Random values that break a law in CPython, or None."""
    law = next(law for law in subject.laws if law.name == name)
    with System(subject.carrier) as system:
        kind = system.variables[-1].type
        for _ in range(tries):
            values = tuple(drawn_value(kind, random) for _ in range(law.arity))
            try:
                if not subject.run(system, law, values)[0]:
                    return values
            except Cut:
                continue
    return None


@pytest.mark.slow
@pytest.mark.parametrize("begin", shares(80, 20))
def test_no_values_break_what_is_proven_and_what_is_refuted_comes_with_values(begin: int) -> None:
    """A law that stays open (of sets with a greatest element, say, which infinite sets need not have) is not refuted
    within the bounds either."""
    for seed in range(begin, begin + 20):
        not_broken(seed)


def not_broken(seed: int) -> None:
    marked = drawn_merges.load(drawn_merges.write(seed))
    found, subject = prove_laws(Task(marked, Effort((1.0,), 0.0), 5.0)), Subject(marked)
    for one in found.judged:
        if one.status != "violated":
            assert refuted_by_chance(subject, one.law, Random(seed), 60) is None, one
        else:
            assert one.counterexample is not None


@pytest.mark.parametrize(
    "name", ["grow_only", "positive_negative", "add_wins", "versions", "two_phase", "Register.join"]
)
def test_the_library_of_samples_is_not_refuted_by_chance(name: str) -> None:
    subject = Subject(load(str(SAMPLES)).marked[name])
    for law in PROVEN[name].split():
        assert refuted_by_chance(subject, law, Random(law), 300) is None, law


# Mistakes


MISTAKES = {
    "one_argument": "two values of one type",
    "other_result": "two values of one type",
    "no_annotation": "has no annotation",
    "not_a_predicate": "stands before a predicate",
    "unknown_law": "which is no law of it: it has total, commutative",
    "Reading.join": "reads self.limit",
    "wrong_order": "order=wrong takes 2 values, not 1",
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes_are_named(name: str) -> None:
    with pytest.raises(QuorateError, match=MISTAKES[name]):
        laws(name, Path(__file__).parent / "merge_mistakes.py")


def test_a_mark_without_an_order_claims_no_order() -> None:
    marked = load(str(SAMPLES)).marked
    assert "least" in [law.name for law in laws_of(marked["grow_only"].claim, "grow_only", 2)]
    assert "least" not in [law.name for law in laws_of(marked["two_phase"].claim, "two_phase", 2)]


# On the command line


def test_a_module_of_functions_is_proven_as_a_whole() -> None:
    result = CliRunner().invoke(command, [f"{SAMPLES}:sum_up"])
    assert result.exit_code == 0, result.output
    assert "VIOLATED (as expected)  idempotent: sum_up(a, a) == a" in result.output
    assert "n1, n2 = Node" in result.output


@pytest.mark.parametrize(
    ("named", "exit_code", "words"),
    [
        (
            'violates("commutative")',
            0,
            ["VIOLATED (as expected)  comm", "VIOLATED (not named by `expect`, so free to fail)  idem"],
        ),
        ('violates("commutative", "idempotent")', 0, ["VIOLATED (as expected)  comm", "VIOLATED (as expected)  idem"]),
        ('violates("commutative", "total")', 1, ["expected to violate total, and it does not"]),
        ("holds()", 1, ["VIOLATED  comm", "VIOLATED  idem"]),
    ],
)
def test_a_broken_law_is_told_from_one_that_is_announced(
    tmp_path: Path, named: str, exit_code: int, words: list[str]
) -> None:
    """`prove` and `verify` agree, and `violates` of several laws asks for all of them."""
    file = tmp_path / "lopsided.py"
    file.write_text(
        "from quorate import Nat, holds, merge, violates\n\nclass Count(Nat, max=9):\n    ...\n\n"
        f"@merge(expect={named})\ndef lopsided(a: tuple[Count, Count], b: tuple[Count, Count]) -> tuple[Count, Count]:\n"
        "    return (b[1], a[0])\n"
    )
    result = CliRunner().invoke(command, [str(file)])
    assert result.exit_code == exit_code, result.output
    assert all(word in result.output for word in words), result.output
    assert CliRunner().invoke(verify_command, [str(file)]).exit_code == exit_code


def test_laws_that_a_mark_does_not_announce_fail_the_command() -> None:
    result = CliRunner().invoke(command, [f"{SAMPLES}:as_many_as_nodes"])
    assert result.exit_code == 3 and "NOT KNOWN" in result.output
    result = CliRunner().invoke(command, ["lww_register", "--laws", "--format", "json"])
    assert result.exit_code == 0, result.output
    found = {one["variant"]: one for one in json.loads(result.output)}
    assert found["later"]["verdict"] == "proven" and found["later"]["any_size"]
    assert found["later_without_tie_break"]["property"] == "commutative"
    assert set(found["later_without_tie_break"]["values"]) == {"a", "b"}


def test_verify_covers_the_functions_of_a_module() -> None:
    result = CliRunner().invoke(verify_command, [f"{SAMPLES}:last", "--workers", "1"])
    assert result.exit_code == 0, result.output
    assert "violates commutative" in result.output


def test_a_module_of_functions_cannot_be_explored() -> None:
    with pytest.raises(QuorateError, match="has functions with laws and no runs"):
        load(f"{SAMPLES}:last").variant(None)
