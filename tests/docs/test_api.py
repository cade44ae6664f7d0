"""The reference is that of the docstrings as they are."""

import runpy

from tests.docs.pages import DOCS


def test_the_reference_is_current() -> None:
    api = runpy.run_path(str(DOCS / "api.py"))
    assert api["page"]() == (DOCS / "api.md").read_text(encoding="utf-8"), "run `python docs/api.py`"
