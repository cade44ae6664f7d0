"""Imports point one way; the contracts stand in `pyproject.toml`, under `tool.importlinter`."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from importlinter.cli import EXIT_STATUS_SUCCESS, lint_imports

ROOT = Path(__file__).parent.parent


def test_the_contracts_are_kept(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    assert lint_imports(cache_dir=None, no_cache=True) == EXIT_STATUS_SUCCESS, capfd.readouterr().out


def test_the_core_does_not_print_or_open_files() -> None:
    for folder in ("language", "model"):
        for path in (ROOT / "checker" / "quorate" / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                assert not (isinstance(node, ast.Name) and node.id in ("print", "open")), f"{path} uses {node.id}"
