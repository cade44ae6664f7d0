"""What was found before: successes by the key of all that they depend on, and how each check ended last.

Both are files in `.quorate_cache` in the project's folder, which may be removed at any time and kept between runs of a
pipeline. Only a verdict that is the expected one is kept; a file that cannot be read, or is of another version, says nothing.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import msgspec

from quorate.files import write_whole

FOLDER = ".quorate_cache"
FORMAT = "quorate-success-1"
ENTRIES_MAX = 4096


@dataclass(frozen=True)
class Success:
    """A verdict that was the expected one: what was expected and found, in words and as the `outcome` object of `--format json`."""

    expected: str
    found: str
    sentence: str
    summary: str
    outcome: Mapping[str, Any]


@dataclass(frozen=True)
class Last:
    """How a check ended last: whether as expected, the seconds that it took, and its key."""

    fine: bool
    seconds: float
    key: str | None


class Record:
    """The successes and last ends of a project's checks."""

    def __init__(self, root: Path) -> None:
        self._folder = root / FOLDER

    def success(self, key: str) -> Success | None:
        """The success with this key, if there was one."""
        said = _read(self._folder / "successes" / f"{key}.json")
        if said.pop("format", None) != FORMAT:
            return None
        with suppress(msgspec.ValidationError):
            return msgspec.convert(said, Success)
        return None

    def keep(self, key: str, success: Success) -> None:
        """Note a success. A folder that cannot be written to costs time only."""
        folder = self._folder / "successes"
        _write(folder / f"{key}.json", {"format": FORMAT} | asdict(success), self._folder)
        with suppress(OSError):
            for old in sorted(folder.glob("*.json"), key=os.path.getmtime, reverse=True)[ENTRIES_MAX:]:
                old.unlink()

    def last(self) -> dict[str, Last]:
        """How each check ended last, by its name."""
        found = {}
        for name, said in _read(self._folder / "last.json").items():
            with suppress(msgspec.ValidationError):
                found[name] = msgspec.convert(said, Last)
        return found

    def keep_last(self, ends: Mapping[str, Last]) -> None:
        """Note how checks ended, beside those of others."""
        known = self.last() | dict(ends)
        _write(self._folder / "last.json", {name: asdict(last) for name, last in sorted(known.items())}, self._folder)


def _read(file: Path) -> dict[str, Any]:
    try:
        said = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return said if isinstance(said, dict) else {}


def _write(file: Path, data: Mapping[str, Any], top: Path) -> None:
    """Write a file whole or not at all; version control is told to leave the folder out."""
    with suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        ignore = top / ".gitignore"
        if not ignore.exists():
            ignore.write_text("*\n", encoding="utf-8")
        write_whole(file, json.dumps(data))
