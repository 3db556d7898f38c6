"""The handling of Ctrl-C while a command runs."""

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def handle_interrupt(callback: Callable[[], object]) -> Iterator[None]:
    """Call `callback` on Ctrl-C inside the block, instead of ending the program. For the main thread only."""
    loop = asyncio.get_running_loop()
    previous_handler = signal.getsignal(signal.SIGINT)
    loop.add_signal_handler(signal.SIGINT, callback)
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGINT)
        # The loop installs Python's default handler here, not the one that asyncio.run had set.
        signal.signal(signal.SIGINT, previous_handler)
