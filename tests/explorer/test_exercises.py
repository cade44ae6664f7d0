"""Each exercise fails as it is given, and passes with its answer; what is asked cannot be taken away."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from quorate.explorer.exercises import ORDER, Exercise, changed, exercises
from quorate.explorer.playing import Playground

FOLDER = Path(__file__).parents[2] / "docs" / "exercises"


@pytest.fixture(scope="module")
def playground() -> Playground:
    return Playground()


def judged(playground: Playground, given: str, text: str) -> Any:
    return json.loads(playground.judge(given, text))


def test_every_file_is_an_exercise_or_an_answer() -> None:
    files = {file.stem for file in FOLDER.glob("*.py")}
    assert files == {*ORDER, *(f"{name}_answer" for name in ORDER)} and len(ORDER) == 10
    page = (FOLDER / "README.md").read_text(encoding="utf-8")
    for exercise in exercises(FOLDER):
        assert exercise.title in page and len(exercise.text.split()) > 20


@pytest.mark.parametrize("name", ORDER)
def test_what_is_given_fails_and_the_answer_passes(playground: Playground, name: str) -> None:
    exercise = Exercise.of(FOLDER, name)
    fails = judged(playground, exercise.given, exercise.given)
    assert fails["passed"] is False and fails["verdict"] == "violated" and fails["run"]["steps"]
    passes = judged(playground, exercise.given, exercise.answer)
    assert passes["passed"] is True, passes["words"]


@pytest.mark.parametrize(
    ("name", "before", "after", "said"),
    [
        (
            "lock",
            "    @invariant\n    def one_holder",
            "    def one_holder",
            "@invariant one_holder is part of the question, and it is gone",
        ),
        (
            "lock",
            "return a == b or a not in",
            "return True or a not in",
            "@invariant one_holder is part of the question. Leave",
        ),
        (
            "lock",
            "class Client(Scalarset, size=2)",
            "class Client(Scalarset, size=1)",
            "The sort Client is part of the question",
        ),
        ("payments", " = Network(lossy=True)", "", "The variable network is part of the question"),
        ("forks", "class Forks(Spec)", "class Other(Spec)", "The class Forks is part of the question"),
        (
            "fencing",
            "    @reachable\n    def two_believe",
            "    @constraint\n    def few(self) -> bool:\n        return self.current < 2\n\n    @reachable\n    def two_believe",
            "@constraint few is new",
        ),
    ],
)
def test_the_question_stays(name: str, before: str, after: str, said: str) -> None:
    given = Exercise.of(FOLDER, name).given
    assert given.count(before) == 1
    assert said in changed(given, given.replace(before, after))


def test_a_method_that_a_property_calls_stays_and_others_may_change() -> None:
    given = '''
class Asked(Spec):
    size: ClassVar[int] = 1
    seen: set[int]

    def is_good(self) -> bool:
        return self.other()

    def other(self) -> bool:
        return len(self.seen) > 0

    def free(self) -> bool:
        return True

    @invariant
    def good(self) -> bool:
        """It is good."""
        return self.is_good()
'''
    assert "The method other" in changed(given, given.replace("> 0", "> 1"))
    assert (
        changed(given, given.replace("return True", "return False").replace("= 1", "= 2").replace("It is", "All is"))
        == ""
    )
    assert changed(given, given.replace("    seen: set[int]\n", "    seen: set[int]\n    more: bool\n")) == ""


def test_what_is_asked_is_not_solved_by_doing_nothing(playground: Playground) -> None:
    """Without what the goals need, a specification that is safe does not pass."""
    given = Exercise.of(FOLDER, "commit").given
    still = given.replace(
        "require(self.phase[p] == Phase.WORKING or self.phase[p] == Phase.PREPARED)", "require(False)"
    )
    found = judged(playground, given, still)
    assert found["passed"] is False and "one_gives_up_alone" in found["words"]
