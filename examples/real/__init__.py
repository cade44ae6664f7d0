"""Other people's programs, held to the specifications: real servers, killed, paused and delayed, and what they did.

`python -m examples.real.postgresql` starts servers of its own on loopback, in a folder of its own, and stops them again;
docs/real-systems.md tells what was seen.
"""
