"""Every protocol of the library can be stepped through: all that a page asks for is answered, at the start and along a random run."""

from __future__ import annotations

import pytest
from quorate.explorer.session import Session
from quorate.loading import families, load

PROTOCOLS = [name for family in families() for name in family.protocols]


@pytest.mark.slow
@pytest.mark.parametrize("name", PROTOCOLS)
def test_a_protocol_can_be_stepped_through(name: str) -> None:
    session = Session(load(name), {}, 1)
    run = {"initial": {}, "steps": []}
    walked = session.answer("walk", {"variant": None, "run": run, "steps": 6, "seed": 1})["run"]
    for asked in (run, walked):
        answer = session.answer("look", {"variant": None, "run": asked})
        steps = answer["run"]["steps"]
        assert [step["action"] for step in steps] == [action for action, _ in asked["steps"]]
        assert answer["scene"]["width"] > 0 and {"options", "refused", "wire", "properties"} <= set(answer["now"])
        wire = {message["id"] for message in answer["now"]["wire"]}
        for option in answer["now"]["options"]:
            assert set(option["received"]) <= wire, "what can be taken is shown"
        assert not any(one["false"] for one in answer["judged"]), "the protocols hold"
