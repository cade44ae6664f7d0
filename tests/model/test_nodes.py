"""Expressions as keys of what is remembered of them."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys

from quorate.errors import Location
from quorate.language.types import BoolType
from quorate.model.nodes import Expr, Op

ASK = """
import pickle, sys

one = pickle.load(sys.stdin.buffer)
print(one in {type(one)(one.op, one.type, one.args, one.data)})
"""
NAME = Expr(Op.LOCAL, BoolType(), (), "held", Location("here.py", 1, 0))
WHOLE = Expr(Op.NOT, BoolType(), (NAME,))


def test_where_an_expression_stands_is_no_part_of_it() -> None:
    elsewhere = Expr(Op.NOT, BoolType(), (Expr(Op.LOCAL, BoolType(), (), "held"),))
    assert {WHOLE: 1}[elsewhere] == 1
    assert Expr(Op.NOT, BoolType(), (Expr(Op.LOCAL, BoolType(), (), "kept"),)) not in {WHOLE}


def test_an_expression_that_comes_from_another_process_is_found_by_what_it_says() -> None:
    """Texts have other hashes there."""
    hash(WHOLE)
    found = subprocess.run(
        [
            sys.executable,
            "-c",
            "import pickle, sys; one = pickle.load(sys.stdin.buffer); print(one in {type(one)(one.op, one.type, one.args, one.data)})",
        ],
        input=pickle.dumps(WHOLE),
        env={**os.environ, "PYTHONHASHSEED": "7"},
        capture_output=True,
        check=True,
    )
    assert found.stdout == b"True\n"
