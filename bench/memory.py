"""What a state of each library spec takes: `python -m bench.memory` prints the table of `bench/memory.md`.

Bits are those of the packed state; bytes are table, states and sleep sets (`exact`), the peak of all that is kept
(`tree`), or table and the widest levels (`fingerprint`) at the end of a search without symmetry by one
worker, divided by the number of states.
"""

from __future__ import annotations

from quorate.explore.engine import Covered
from quorate.explore.limits import STORES, Watch
from quorate.explore.native import explore
from quorate.explore.native.search import rendering
from quorate.language.system import System
from quorate.loading import load

SPECS = {
    "lww_register": {"Time": 4},
    "paxos": {},
    "primary_backup": {},
    "quorum_register": {},
    "raft": {"Index": 2},
    "raft_election": {},
    "two_phase_commit": {"ResourceManager": 9},
    "two_phase_commit TwoPhaseCommitWithCrashes": {"ResourceManager": 4},
    "vector_clock": {},
}


def row(name: str, bounds: dict[str, int]) -> str:
    """One line of the table."""
    spec, _, variant = name.partition(" ")
    system = System(load(spec).variant(variant or None).bounded(**bounds))
    with system:
        model = rendering(system, [state for _, state in system.initial()], ())
        found: dict[str, Covered] = {store: explore(system, (), Watch(store=store), 1) for store in STORES}
    states = found["exact"].states
    assert {covered.states for covered in found.values()} == {states}
    sizes = ", ".join(f"{bound}={size}" for bound, size in system.bounds.items())
    bytes_a_state = " | ".join(f"{found[store].stored_bytes / states:.1f}" for store in STORES)
    return f"| {variant or spec} | {sizes} | {states:,} | {model.state_bits} | {model.state_words} | {bytes_a_state} |"


def main() -> None:
    """Print the table."""
    print(
        "| spec | bounds | states | bits | words | bytes a state, exact | tree | fingerprint |\n|---|---|---|---|---|---|---|---|"
    )
    for name, bounds in SPECS.items():
        print(row(name, bounds), flush=True)


if __name__ == "__main__":
    main()
