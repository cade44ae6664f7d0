"""The typed model of a spec: `build(spec)` reads a class and gives the data that engines and provers work on (see
`nodes`).
"""

from quorate.model.build import build, symmetric_sorts
from quorate.model.nodes import Model
from quorate.model.rounds import deciding_sorts

__all__ = ["Model", "build", "deciding_sorts", "symmetric_sorts"]
