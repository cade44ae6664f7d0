"""The sources of the pages with what they are built and tested by, as npm installs it."""

from __future__ import annotations

import shutil
import subprocess
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import pytest

ROOT = Path(__file__).parents[2]
PAGES = ("report/web", "explorer/web")


@cache
def installed() -> Path:
    """A copy of `web/` with its packages; skips where there is no npm, or no packages are to be had."""
    if shutil.which("npm") is None:
        pytest.skip("there is no npm: the built pages were not compared with their sources")
    folder = Path(mkdtemp()) / "web"
    shutil.copytree(ROOT / "web", folder, ignore=shutil.ignore_patterns("node_modules"))
    done = run(folder, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
    if done.returncode != 0:
        pytest.skip(f"npm cannot install the packages: {done.stderr.splitlines()[:1]}")
    return folder


def run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """A command in that folder."""
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
