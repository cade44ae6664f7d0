"""Programs held to their specs.

What a map or an adapter imports, and what tests call: `from quorate.conform import Adapter, Map, OPEN`.
"""

from quorate.conform.adapter import Adapter, AdapterError, Process, Refused, load_adapter
from quorate.conform.edges import Driven, drive
from quorate.conform.mapping import NOTHING, OPEN, Map
from quorate.conform.scenarios import Program, Scenarios, follow, scenarios
from quorate.conform.validation import validate
from quorate.conform.verdicts import Conforms, Coverage, Differs, NotDecided, Verdict

__all__ = [
    "NOTHING",
    "OPEN",
    "Adapter",
    "AdapterError",
    "Conforms",
    "Coverage",
    "Differs",
    "Driven",
    "Map",
    "NotDecided",
    "Process",
    "Program",
    "Refused",
    "Scenarios",
    "Verdict",
    "drive",
    "follow",
    "load_adapter",
    "scenarios",
    "validate",
]
