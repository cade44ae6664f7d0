"""The native engine (see `search` for how it is used, `model.h` and `expand.h` for how it works).

render/     the typed model as C
*.h, *.c    the engine: search, table, counterexamples, checkpoints, simulation; graph, components and lassos
library.py  the compiled whole through ctypes
search.py   a search, watched and judged
better.py   what is compiled well takes over from what was compiled quickly
liveness.py the liveness properties, watched and judged
"""

from quorate.explore.native.search import explore

__all__ = ["explore"]
