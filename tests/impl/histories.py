"""Recorded histories, judged by `quorate.consistency`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from quorate.consistency import Satisfied, Verdict, find_model, judge, read_history


def written(history: Sequence[dict[str, Any]], folder: Path) -> Path:
    """The history as a file."""
    path = folder / "history.jsonl"
    path.write_text("".join(json.dumps(event) + "\n" for event in history), encoding="utf-8")
    return path


def verdict(history: Sequence[dict[str, Any]], folder: Path, model: str, initial: Any) -> Verdict:
    """Whether the history is linearizable."""
    return judge(read_history(written(history, folder)), "linearizable", find_model(model).starting(initial))


def is_linearizable(history: Sequence[dict[str, Any]], folder: Path, model: str = "register", initial: Any = 0) -> bool:
    """Whether it certainly is."""
    return isinstance(verdict(history, folder, model, initial), Satisfied)
