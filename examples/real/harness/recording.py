"""What clients asked and were told, in the order in which it was seen: a history as `quorate history` reads them."""

from __future__ import annotations

import gzip
import itertools
import json
import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quorate.consistency import History, Verdict, Violated, find_model, judge, read_history


class Rejected(Exception):
    """The server has said that an operation had no effect."""


class Recorder:
    """The record of one run; threads may share it."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self._lock = threading.Lock()
        self._processes = itertools.count()

    def note(self, event: dict[str, Any]) -> None:
        with self._lock:
            self.events.append(event)

    def process(self) -> int:
        """A name for a client, which is nobody else's."""
        with self._lock:
            return next(self._processes)

    def save(self, path: Path) -> None:
        """Write it as JSON lines, compressed if the name ends in `.gz`."""
        lines = "".join(json.dumps(event, separators=(",", ":")) + "\n" for event in self.events)
        data = lines.encode()
        path.write_bytes(gzip.compress(data, mtime=0) if path.suffix == ".gz" else data)

    def history(self) -> History:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "history.jsonl")
            self.save(path)
            return read_history(path)

    def judge(self, level: str, model: str = "register") -> Verdict:
        """Whether what was told keeps a consistency level."""
        return judge(self.history(), level, find_model(model))

    def violates(self, level: str, model: str = "register") -> bool:
        return isinstance(self.judge(level, model), Violated)


class Client:
    """One who asks one thing after another, and goes on under another name after a question without an answer."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._process = recorder.process()

    def ask(self, f: str, call: Callable[[], Any], value: Any = None, key: Any = None) -> Any:
        """Ask by `call`, whose answer is recorded and returned.

        `Rejected` is recorded as a failure; any other exception leaves in doubt what has happened. Both are raised again."""
        asked = {"f": f, **({} if key is None else {"key": key}), **({} if value is None else {"value": value})}
        self._note("invoke", asked)
        try:
            answer = call()
        except Rejected:
            self._note("fail", asked)
            raise
        except Exception:
            self._note("info", asked)
            self._process = self._recorder.process()
            raise
        self._note("ok", asked if answer is None and f != "read" else {**asked, "value": answer})
        return answer

    def _note(self, kind: str, fields: dict[str, Any]) -> None:
        self._recorder.note({"process": self._process, "type": kind, **fields})


@dataclass(frozen=True)
class Losses:
    """How many additions were acknowledged, and how many of these the final read does not show."""

    acknowledged: int
    lost: int

    @staticmethod
    def of(recorder: Recorder) -> Losses:
        """Count them in a record of `add` that ends with a `read` of all, and have the judge of `set-full` say the same."""
        added = {event["value"] for event in recorder.events if event["f"] == "add" and event["type"] == "ok"}
        last = recorder.events[-1]
        assert last["f"] == "read" and last["type"] == "ok"
        assert added, "nothing was acknowledged, so that nothing could be lost"
        losses = Losses(len(added), len(added - set(last["value"])))
        assert recorder.violates("set-full") == (losses.lost > 0)
        return losses

    def __str__(self) -> str:
        return f"{self.lost:,} of {self.acknowledged:,} acknowledged writes lost"
