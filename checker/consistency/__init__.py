"""Recorded histories of operations, judged against consistency models.

    from checker.consistency import History, judge, read_history

    history = read_history("store.edn")
    verdict = judge(history, "linearizable", model=Register())

This module holds the names that users of the library need, and nothing else.
"""

from checker.consistency.formats import read_history
from checker.consistency.history import History, HistoryError, Operation
from checker.consistency.levels import LEVELS, judge
from checker.consistency.models import MODELS, REFUSED, Model, find_model, register
from checker.consistency.orders import Limits
from checker.consistency.verdict import Satisfied, Unknown, Verdict, Violated

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
