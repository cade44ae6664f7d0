"""The notebooks of `docs/notebooks` run from top to bottom, and every result shows itself.

Their cells are run here, one after another in the namespace of one module, and the value of each last expression is rendered
as Jupyter would; what the text claims is asserted by the cells themselves. A kernel (nbclient, ipykernel) shows the same, and would
cost each notebook 2.5 to 3 s more and the extra `test` some thirty packages.
"""

from __future__ import annotations

import ast
import json
import linecache
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.docs.pages import DOCS

NOTEBOOKS = sorted((DOCS / "notebooks").glob("*.ipynb"))


def code(notebook: Path) -> list[dict[str, Any]]:
    """The cells with code."""
    return [cell for cell in json.loads(notebook.read_text(encoding="utf-8"))["cells"] if cell["cell_type"] == "code"]


def shown(value: object) -> str:
    """What Jupyter would show: a picture where the value has one, its `repr` otherwise."""
    if hasattr(value, "_repr_mimebundle_"):
        return str(next(iter(value._repr_mimebundle_().values())))
    forms = (getattr(value, form)() for form in ("_repr_svg_", "_repr_html_") if hasattr(value, form))
    return next((form for form in forms if form is not None), repr(value))


def run(notebook: Path, module: ModuleType) -> Iterator[str]:
    """Run the cells; what is shown below each that ends in an expression."""
    for number, cell in enumerate(code(notebook), 1):
        file, text = f"<{notebook.name}, cell {number}>", "".join(cell["source"])
        # As in Jupyter, the source of what a cell defines can be asked for.
        linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
        tree = ast.parse(text, file)
        last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
        exec(compile(tree, file, "exec"), vars(module))
        if isinstance(last, ast.Expr):
            yield shown(eval(compile(ast.Expression(last.value), file, "eval"), vars(module)))


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebooks_are_kept_without_outputs(notebook: Path) -> None:
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in code(notebook))


@pytest.mark.slow
@pytest.mark.parametrize(("name", "pictures"), [("quorums", 4), ("raft", 6), ("variant", 4)])
def test_notebooks_run(name: str, pictures: int, monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType(f"notebook_{name}")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    seen = list(run(DOCS / "notebooks" / f"{name}.ipynb", module))
    assert all(seen)
    assert sum("<svg" in each for each in seen) == pictures


def test_every_notebook_is_run() -> None:
    assert [path.stem for path in NOTEBOOKS] == ["quorums", "raft", "variant"]
