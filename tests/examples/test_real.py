"""Real servers do what the specifications say of their settings; a system that is not installed is skipped."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from examples.real import postgresql, redis
from examples.real.harness import Finding, Missing

SYSTEMS = (postgresql, redis)


@pytest.mark.slow
@pytest.mark.parametrize(
    "part",
    [
        pytest.param(part, id=f"{system.__name__.rpartition('.')[2]}-{part.__name__}")
        for system in SYSTEMS
        for part in system.PARTS
    ],
)
def test_the_server_does_what_the_specification_says(part: Callable[[], Iterator[Finding]]) -> None:
    try:
        findings = list(part())
    except Missing as missing:
        pytest.skip(str(missing))
    assert findings
    for finding in findings:
        assert finding.agrees, str(finding)
