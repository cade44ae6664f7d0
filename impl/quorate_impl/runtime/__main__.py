"""`python -m quorate_impl.runtime CONFIG.json`: one node, until SIGTERM or SIGINT. Exit code 3 says that its disk failed, 2 that it cannot
run as it was told to: starting it again helps with neither.

With `--while-stdin` it ends when its standard input does, and so with the process that started it.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from quorate_impl.protocol import Misconfigured
from quorate_impl.runtime.config import NodeConfig, read_config
from quorate_impl.runtime.journal import Journal
from quorate_impl.runtime.node import Node
from quorate_impl.runtime.protocols import PROTOCOLS
from quorate_impl.storage import StorageError

DISK_FAILED, MISCONFIGURED = 3, 2
WHILE_STDIN = "--while-stdin"


async def serve(config: NodeConfig, journal: Journal) -> None:
    """Run the node until a signal comes."""
    node = Node(config, PROTOCOLS[config.protocol](config.members, config.settings), journal)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, node.stop)
    if WHILE_STDIN in sys.argv:
        loop.add_reader(sys.stdin, node.stop)
    await node.run()
    journal.note("ends")


def main() -> int:
    """Read the config that is named, and serve."""
    config = read_config(Path(sys.argv[1]))
    journal = Journal(config.name, sys.stderr)
    try:
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            runner.run(serve(config, journal))
    except StorageError as error:
        journal.note("stopped", reason=str(error))
        return DISK_FAILED
    except Misconfigured as error:
        journal.note("cannot run", reason=str(error))
        return MISCONFIGURED
    except OSError as error:
        journal.note("cannot run", reason=str(error))
        return 1
    return 0


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop's loop, where it is installed."""
    try:
        import uvloop
    except ImportError:
        return None
    factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return factory


if __name__ == "__main__":
    sys.exit(main())
