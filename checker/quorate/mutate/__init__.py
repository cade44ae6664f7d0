"""Why is this line here? Mutants of a specification, and what each of them breaks.

A mutant is the specification with one thing removed or weakened: a `require`, a conjunct, an assignment, a message, what survives a
restart. It is made of source, method by method, so that CPython and the typed model read the same mistake, and a counterexample is
a run of the mutant as any other. What the model does not take, or cannot tell from the original, is counted and not explored.

    from quorate.explore import Naming
    from quorate.mutate import Original, bare, mutants, trial
    original = Original.of(bare(TwoPhaseCommit), Naming("two_phase_commit"))
    for mutant in mutants(original.spec):
        print(mutant, trial(original, mutant).finding.verdict)

text.py       a file of source, and edits of it
protocol.py   the methods that a protocol runs, and what else reads them
changes.py    what can be removed or weakened at a node of the syntax tree
memory.py     what is lost in a restart
mutants.py    mutants as classes
content.py    when two models are the same
trial.py      what a mutant breaks
share.py      what one process does with its share of them
crew.py       the processes, of this machine or of a cluster
series.py     all mutants, side by side, within a budget of time
cache.py      what was found before
"""

from __future__ import annotations

from quorate.mutate.mutants import Mutant, mutants
from quorate.mutate.series import Series, series
from quorate.mutate.share import Task
from quorate.mutate.trial import Finding, Original, Trial, Verdict, bare, trial

__all__ = ["Finding", "Mutant", "Original", "Series", "Task", "Trial", "Verdict", "bare", "mutants", "series", "trial"]
