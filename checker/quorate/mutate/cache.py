"""What was found of mutants, kept for the next time: by the content of the model, of its file, and of the checker itself."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import quorate
from quorate import cc
from quorate.files import write_whole
from quorate.mutate.trial import Finding

FILES_MAX = 5_000
"""More files than this are not kept: those used longest ago are removed."""
PARTS = ("language", "model", "explore", "mutate")
"""What a finding depends on, of the checker, beside what is in no part of it."""


@dataclass(frozen=True)
class Cache:
    """Findings in a folder, None for nowhere. `salt` is what they depend on beside the mutant: its original, its file, what it is
    called."""

    folder: Path | None
    salt: str = ""

    @staticmethod
    def of_user(salt: str) -> Cache:
        """The user's own."""
        objects = cc.cache_directory()
        return Cache(None if objects is None else objects.parent / "why", salt)

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
        key = hashlib.sha256("\0".join([_checker(), self.salt, content]).encode()).hexdigest()
        return self.folder / f"{key[:40]}.json"


@cache
def _checker() -> str:
    """A digest of the parts of the checker that findings depend on."""
    root = Path(quorate.__file__).parent
    digest = hashlib.sha256(sys.version.encode())
    for file in sorted([*root.glob("*.py"), *(file for part in PARTS for file in (root / part).rglob("*"))]):
        if file.suffix in (".py", ".c", ".h"):
            digest.update(file.read_bytes())
    return digest.hexdigest()
