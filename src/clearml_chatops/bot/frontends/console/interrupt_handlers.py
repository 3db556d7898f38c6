"""Ctrl-C, for as long as a command runs."""

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def handle_interrupt(callback: Callable[[], object]) -> Iterator[None]:
    """Within, Ctrl-C does `act` instead of ending the program. For the main thread only."""
    loop = asyncio.get_running_loop()
    previous_handler = signal.getsignal(signal.SIGINT)
    loop.add_signal_handler(signal.SIGINT, callback)
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGINT)
        # The loop would put Python's own handler there, not the one that asyncio.run had set.
        signal.signal(signal.SIGINT, previous_handler)
