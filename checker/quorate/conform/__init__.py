"""Programs held to their specs.

What a map file imports, and what tests call: `from quorate.conform import Map, OPEN`.
"""

from quorate.conform.mapping import NOTHING, OPEN, Map
from quorate.conform.validation import validate
from quorate.conform.verdicts import Conforms, Coverage, Differs, NotDecided, Verdict

__all__ = ["NOTHING", "OPEN", "Conforms", "Coverage", "Differs", "Map", "NotDecided", "Verdict", "validate"]
