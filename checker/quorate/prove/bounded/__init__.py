"""Bounded model checking: `bmc` asks for a run of each length, `capacities` says how full containers can be by then."""
