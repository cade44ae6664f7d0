"""What was found of mutants, kept for the next time: by the content of the model, and by a key for all that it depends on."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from quorate import cc
from quorate.files import write_whole
from quorate.mutate.trial import Finding

FILES_MAX = 5_000
"""More files than this are not kept: those used longest ago are removed."""


def _always() -> bool:
    return True


@dataclass(frozen=True)
class Cache:
    """Findings in a folder, None for nowhere. `key` stands for what they depend on beside the mutant: all that its original is made
    from, what was asked, and the checker. `is_current`: whether what has been loaded by now is what the key stands for."""

    folder: Path | None = None
    key: str = ""
    is_current: Callable[[], bool] = _always

    @staticmethod
    def of_user(key: str | None, is_current: Callable[[], bool] = _always) -> Cache:
        """The user's own; none without a key, since then it is not known what findings depend on."""
        objects = None if key is None else cc.cache_directory()
        return Cache() if objects is None or key is None else Cache(objects.parent / "why", key, is_current)

    def get(self, content: str) -> Finding | None:
        """What is known of a mutant."""
        file = self._file(content)
        if file is None:
            return None
        try:
            found = Finding.from_json(json.loads(file.read_text(encoding="utf-8")))
            os.utime(file)
        except (OSError, ValueError, LookupError, TypeError):
            return None
        return found

    def put(self, content: str, finding: Finding) -> None:
        """Keep a finding. Where nothing can be written, it is found again the next time."""
        file = self._file(content)
        if file is None:
            return
        with suppress(OSError):
            file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            write_whole(file, json.dumps(finding.to_json()))

    def prune(self) -> None:
        """Remove what was used longest ago, if there is too much."""
        if self.folder is None:
            return
        with suppress(OSError):
            files = sorted(self.folder.iterdir(), key=lambda file: file.stat().st_mtime, reverse=True)
            for file in files[FILES_MAX:]:
                file.unlink(missing_ok=True)

    def _file(self, content: str) -> Path | None:
        if self.folder is None:
            return None
        key = hashlib.sha256("\0".join([self.key, content]).encode()).hexdigest()
        return self.folder / f"{key[:40]}.json"
