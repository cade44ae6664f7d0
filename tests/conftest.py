"""What all tests need of the process that they run in."""

import signal


def pytest_configure() -> None:
    """Ctrl-C works: a shell starts what it runs in the background with SIGINT ignored, and processes inherit that. Tests send it."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
