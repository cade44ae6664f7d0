"""The typed model of a spec: `build(spec)` reads a class and gives the data that engines and provers work on (see
`nodes`).
"""

from quorate.model.build import build
from quorate.model.nodes import Model

__all__ = ["Model", "build"]
