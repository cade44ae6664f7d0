"""Imports point one way and never in a circle; the contracts stand in `pyproject.toml`, under `tool.importlinter`."""

from __future__ import annotations

import ast
from pathlib import Path

import grimp
import networkx as nx
import pytest
from importlinter.cli import EXIT_STATUS_SUCCESS, lint_imports

ROOT = Path(__file__).parent.parent
PACKAGES = ("quorate", "quorate_specs", "quorate_impl")


def test_the_contracts_are_kept(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    assert lint_imports(cache_dir=None, no_cache=True) == EXIT_STATUS_SUCCESS, capfd.readouterr().out


@pytest.mark.parametrize("package", PACKAGES)
def test_no_modules_import_each_other_in_a_circle(package: str) -> None:
    """Imports under `TYPE_CHECKING` count: who needs a name to understand a signature depends on it."""
    graph = grimp.build_graph(package, exclude_type_checking_imports=False, cache_dir=None)
    imports = nx.DiGraph(
        (name, target) for name in graph.modules for target in graph.find_modules_directly_imported_by(name)
    )
    assert [sorted(circle) for circle in nx.strongly_connected_components(imports) if len(circle) > 1] == []


def test_the_core_does_not_print_or_open_files() -> None:
    for folder in ("language", "model"):
        for path in (ROOT / "checker" / "quorate" / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                assert not (isinstance(node, ast.Name) and node.id in ("print", "open")), f"{path} uses {node.id}"
