"""What a command does not need is not imported: half of the time of a small check is Python's start."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.cli.samples import MUTEX

UNNEEDED = (
    *("quorate.explorer", "quorate.mutate", "quorate.prove", "quorate.pipeline", "quorate.conform"),
    *("quorate.report.problems", "quorate.report.scene", "quorate.report.sarif", "quorate.report.coverage"),
    *("quorate.explore.traces", "quorate.explore.profile", "quorate.explore.cluster", "quorate.explore.native"),
    *("z3", "rich", "networkx", "graphviz", "multiprocessing", "importlib.metadata", "concurrent.futures"),
    *("ray", "hypothesis", "asyncio", "logging", "socket", "ctypes", "tempfile"),
)


def test_a_check_that_finds_nothing_imports_neither_pictures_nor_traces_nor_other_formats(tmp_path: Path) -> None:
    (tmp_path / "mutex.py").write_text(MUTEX)
    asked = (
        f"import sys; sys.argv = ['quorate', 'check', {str(tmp_path / 'mutex.py')!r}]; from quorate.cli import main\n"
    )
    program = f"{asked}try:\n    main()\nfinally:\n    print(*sys.modules, sep='\\n', file=sys.stderr)"
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert ended.returncode == 0 and "\nholds: " in ended.stdout, ended
    imported = set(ended.stderr.split())
    assert "quorate.explore.checking" in imported and not imported & set(UNNEEDED)
