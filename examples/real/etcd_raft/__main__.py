"""`python -m examples.real.etcd_raft`."""

from examples.real.etcd_raft import PARTS
from examples.real.harness import main

main("etcd's Raft library", *PARTS)
