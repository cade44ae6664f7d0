"""What all systems need: processes, a network that delays, clients whose answers are recorded, and findings.

An adapter of a system starts its servers and says how a client asks them; all else is here.
"""

from examples.real.harness.clock import Clock
from examples.real.harness.findings import Finding, main, sought
from examples.real.harness.processes import Missing, Server, free_port, program, unprivileged, until, workspace
from examples.real.harness.proxy import Proxy
from examples.real.harness.recording import Client, Losses, Recorder, Rejected
from examples.real.harness.workloads import Node, Step, at_work, failover, reads, transactions

__all__ = [
    "Client",
    "Clock",
    "Finding",
    "Losses",
    "Missing",
    "Node",
    "Proxy",
    "Recorder",
    "Rejected",
    "Server",
    "Step",
    "at_work",
    "failover",
    "free_port",
    "main",
    "program",
    "reads",
    "sought",
    "transactions",
    "unprivileged",
    "until",
    "workspace",
]
