"""From a typed model to C: `render(model, initial, sorts)` (see `program`)."""

from quorate.explore.native.render.layout import Unsupported, unpack
from quorate.explore.native.render.program import FILE, Rendered, render

__all__ = ["FILE", "Rendered", "Unsupported", "render", "unpack"]
