"""How long a check takes the first time, and again: `python -m bench.start --before TREE`.

CPU and wall-clock seconds of whole `quorate check`s, with an empty cache of compiled objects and with what that run left in it. TREE is
another working copy (`git worktree add TREE COMMIT`); runs alternate between the trees, and the table has medians.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench.measuring import Run, Summary, measure, summary

ROOT = Path(__file__).parent.parent
LOCK = "the tutorial's lock"
CASES = (LOCK, "two_phase_commit", "lease_lock", "paxos", "raft")
OPTIONS = {"raft": ("--bound", "Index=2")}
"""At its default bounds the search takes ten times as long as everything before it."""


def lock(folder: Path) -> Path:
    """The specification that the tutorial ends with."""
    texts = re.findall(r"<!-- file: lock\.py -->\s*```python\n(.*?)```", (ROOT / "docs/tutorial.md").read_text(), re.S)
    file = folder / "lock.py"
    file.write_text(texts[-1], encoding="utf-8")
    return file


def checks(tree: Path, spec: str) -> Iterator[Run]:
    """The first check with an empty cache, and the next."""
    with tempfile.TemporaryDirectory() as cache:
        paths = ":".join(str(tree / part) for part in ("checker", "specs"))
        surroundings = {"PYTHONPATH": paths, "XDG_CACHE_HOME": cache}
        for _ in range(2):
            yield measure([sys.executable, "-m", "quorate", "check", spec, *OPTIONS.get(spec, ())], tree, surroundings)


def row(name: str, spec: str, trees: list[Path], runs: int) -> str:
    """A row of the table."""
    found: dict[Path, list[tuple[Run, Run]]] = {tree: [] for tree in trees}
    for _ in range(runs):
        for tree in trees:
            first, again = checks(tree, spec)
            found[tree].append((first, again))
    cells = [
        f"{one.cpu_s:.2f} ({one.wall_s:.2f})"
        for tree in trees
        for one in (_of(found[tree], position) for position in (0, 1))
    ]
    return f"| {' | '.join([name, *cells])} |"


def _of(pairs: list[tuple[Run, Run]], position: int) -> Summary:
    return summary([pair[position] for pair in pairs])


def main() -> None:
    """Print the table."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--before", type=Path, help="another working copy")
    options.add_argument("--runs", type=int, default=3)
    options.add_argument("--only", action="append", choices=CASES)
    chosen = options.parse_args()
    trees = [*([chosen.before.resolve()] if chosen.before else []), ROOT]
    heads = [f"{when}{what}" for when in (["before: ", ""] if chosen.before else [""]) for what in ("first", "again")]
    print(f"| CPU s (wall) | {' | '.join(heads)} |\n|---|{'--:|' * len(heads)}")
    with tempfile.TemporaryDirectory() as folder:
        for name in chosen.only or CASES:
            print(row(name, str(lock(Path(folder))) if name == LOCK else name, trees, chosen.runs), flush=True)


if __name__ == "__main__":
    main()
