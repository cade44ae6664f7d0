"""Recorded histories of operations, judged against consistency models.

    from quorate.consistency import History, judge, read_history

    history = read_history("store.edn")
    verdict = judge(history, "linearizable", model=Register())

This module holds the names that users of the library need, and nothing else.
"""

from quorate.consistency.formats import read_history
from quorate.consistency.history import History, HistoryError, Operation
from quorate.consistency.levels import LEVELS, judge
from quorate.consistency.models import MODELS, REFUSED, Model, find_model, register
from quorate.consistency.orders import Limits
from quorate.consistency.verdict import Satisfied, Unknown, Verdict, Violated

__all__ = [
    "LEVELS",
    "MODELS",
    "REFUSED",
    "History",
    "HistoryError",
    "Limits",
    "Model",
    "Operation",
    "Satisfied",
    "Unknown",
    "Verdict",
    "Violated",
    "find_model",
    "judge",
    "read_history",
    "register",
]
