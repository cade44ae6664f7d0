"""What all tests need of the process that they run in."""

import signal


def pytest_configure() -> None:
    """Tests send signals: a shell starts what it runs in the background with SIGINT ignored, `nohup` with SIGHUP ignored, and
    processes inherit that."""
    for number, usual in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, usual)
