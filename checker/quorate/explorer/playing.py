"""The explorer without a server: what the playground's page asks of Python in the browser (Pyodide).

Texts go in and come out as JSON, since that is what crosses between the two languages. The specification is a text that the reader
edits; the reference engine explores it.
"""

from __future__ import annotations

import inspect
import json
import linecache
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import mkdtemp

from quorate.errors import QuorateError, SpecError
from quorate.explore import Limits, Naming, Watch, check
from quorate.explorer.exercises import changed
from quorate.explorer.session import Session
from quorate.explorer.stage import Run
from quorate.loading import families, load
from quorate.outcome import Holds, HoldsWithinBounds, Outcome
from quorate.report.machine import traces_of
from quorate.report.text import outcome_text
from quorate.trace import Json

CHECK_S = 60.0
"""A check that takes longer is given up."""
NAME = "spec"


class Playground:
    """One text, and the session that steps through it."""

    def __init__(self) -> None:
        self._file = Path(mkdtemp()) / f"{NAME}.py"
        self._session: Session | None = None

    def protocols(self) -> str:
        """The names of the library's protocols."""
        return json.dumps([name for family in families() for name in family.protocols])

    def source(self, name: str) -> str:
        """The text of a protocol of the library."""
        return json.dumps(inspect.getsource(load(name).module))

    def open(self, text: str) -> str:
        """Take a text; what the page says of it before anything is asked, or what is wrong with it and where."""
        return self._told(lambda: self._opened(text))

    def ask(self, question: str, data: str) -> str:
        """The answer to a question of the explorer's page."""
        return self._told(lambda: self._current().answer(question, json.loads(data)))

    def file(self, kind: str, data: str) -> str:
        """A run as a file: its name, its media type and its text."""

        def written() -> Json:
            name, media, contents = self._current().file(kind, json.loads(data))
            return {"name": name, "media": media, "text": contents.decode()}

        return self._told(written)

    def check(self, variant: str) -> str:
        """What the reference engine finds, in words; with the run of a violation. An empty name is the main class."""
        return self._told(lambda: self._checked(variant or None))

    def judge(self, given: str, text: str) -> str:
        """Whether a text solves the exercise that gave the other one, in words; with the run of a violation."""
        return self._told(lambda: self._judged(given, text))

    def _judged(self, given: str, text: str) -> Json:
        self._opened(text)
        wrong = changed(given, text)
        if wrong:
            return {"verdict": "changed", "passed": False, "words": wrong, "run": None}
        found = self._checked(None)
        return found | {"passed": found["verdict"] in (Holds.verdict, HoldsWithinBounds.verdict)}

    def _opened(self, text: str) -> Json:
        self._file.write_text(text, encoding="utf-8")
        sys.modules.pop(NAME, None)
        linecache.clearcache()
        self._session = Session(load(str(self._file)), {}, 1)
        return self._session.about() | {"spec": NAME}

    def _current(self) -> Session:
        assert self._session is not None, "nothing was opened"
        return self._session

    def _checked(self, variant: str | None) -> Json:
        spec = self._current().protocol.variant(variant)
        outcome: Outcome = check(
            spec, engine="reference", watch=Watch(Limits(seconds=CHECK_S)), naming=Naming(NAME, variant)
        )
        runs = [Run.of(trace).to_json() for trace in traces_of(outcome)]
        return {"verdict": outcome.verdict, "words": outcome_text(outcome), "run": runs[0] if runs else None}

    def _told(self, made: Callable[[], Json]) -> str:
        """An answer, or an error with its place in the text."""
        try:
            return json.dumps(made())
        except QuorateError as error:
            place = error.location if isinstance(error, SpecError) else None
            found: Json = {"error": error.message if isinstance(error, SpecError) else str(error)}
            if place is not None and Path(place.file) == self._file.resolve():
                found["place"] = [place.line, place.column, place.length]
            return json.dumps(found)
