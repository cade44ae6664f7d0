"""The C of the engine has rooms, too: every header includes what it uses, and none includes itself in a loop."""

from __future__ import annotations

import re
from graphlib import TopologicalSorter

from quorate.explore.native.library import engine_sources

INCLUDE = re.compile(r'^#include "(.+)"$', re.MULTILINE)
DECLARED = re.compile(r"^static [\w ]*?\**(\w+)\([^;{]*\);$", re.MULTILINE)
DEFINED = re.compile(r"^static [\w ]*?\**(\w+)\([^;{]*\) \{", re.MULTILINE)


def test_headers_include_each_other_in_one_direction() -> None:
    sources = engine_sources()
    includes = {name: set(INCLUDE.findall(text)) & sources.keys() for name, text in sources.items()}
    assert len(list(TopologicalSorter(includes).static_order())) == len(sources)


def test_no_header_declares_what_another_defines() -> None:
    """A declaration ahead would be a loop in disguise. What the model defines is declared in `model.h`."""
    sources = engine_sources()
    defined = {name for text in sources.values() for name in DEFINED.findall(text)}
    declared = {name for text in sources.values() for name in DECLARED.findall(text)}
    assert not declared & defined and "request_stop" in defined
