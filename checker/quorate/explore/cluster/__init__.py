"""A search by many processes, on as many machines as a Ray cluster has.

worker.py   one worker: a native engine with the states that it owns, and what it keeps for its neighbour
search.py   the level, carried from worker to worker; a worker that is lost; the counterexample
rays.py     Ray: the cluster that is joined or started, and the workers in it

Why it is exact, and the same as a search by one process. Every state has one owner, the worker that its hash names, and only the owner
decides whether the state is new (`native/share.h` has the rest of the argument). The driver goes from one level to the next when all
workers have expanded their part of it and have inserted everything that was sent to them: before that nothing of the next level is
expanded. So the states of each level, their successors, cuts and transitions are those of `explore/native`, whatever the number of
workers and the order in which messages arrive. A violation does not end the level in which it is found, and the path to it is computed
afterwards, from the sets of states from which it can still be reached: the same path that one process gives.

Why a lost worker costs the level and no more. At the end of a level each worker sends the states that it has found in it to its neighbour,
which writes them to its disk; only then has the level ended. When a worker is lost, another one is started in its place, is given those
states, and is given to keep what the lost one kept for its own neighbour. All others forget what they have found since the level
began, and the level is searched again. Each of these tasks has the number of the attempt: what is left of an earlier one is refused.
Counts of a lost worker are what it had said at the end of the last level. Two neighbours that are lost at the same time end the search.

The driver reads the specification, renders its C, and runs the counterexample; workers know neither, they are given C to compile.
"""

from quorate.explore.cluster.search import explore

__all__ = ["explore"]
