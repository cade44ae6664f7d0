"""The example of both commit protocols: purchases over an order service and several inventories.

What is here does not depend on how votes are gathered and decisions learnt; that is `two_phase_commit` and `paxos_commit`.
"""
