"""A run in other processes, where sets have another order."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def digests(protocol: str, seed: int) -> list[str]:
    """Of the run with this seed, in two processes that hash texts in different ways."""
    program = f"from tests.impl.{protocol}.running import run; print(run({seed}).digest)"
    return [
        subprocess.run(
            [sys.executable, "-c", program],
            cwd=Path(__file__).parents[2],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for hash_seed in ("1", "2")
    ]
