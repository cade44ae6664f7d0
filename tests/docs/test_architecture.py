"""The drawing of the house is that of the imports as they are."""

import runpy
from pathlib import Path

HERE = Path(__file__).parents[2] / "docs" / "architecture"


def test_the_drawing_is_current() -> None:
    draw = runpy.run_path(str(HERE / "draw.py"))
    assert draw["source"]() == (HERE / "house.dot").read_text(encoding="utf-8"), (
        "run `python docs/architecture/draw.py`"
    )
