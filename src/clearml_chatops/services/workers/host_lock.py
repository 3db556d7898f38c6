"""A lock for this machine: the bot and a terminal session change the same agents."""

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

_POLL_INTERVAL_SECONDS = 0.1


class HostLock:
    """A lock shared by the tasks of this program and all programs that use the same file.

    The operating system releases it when a program ends, even after a crash.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._task_lock = asyncio.Lock()

    @property
    def is_locked_by_this_process(self) -> bool:
        """Whether a task of this program holds the lock."""
        return self._task_lock.locked()

    @asynccontextmanager
    async def acquire(self) -> AsyncIterator[None]:
        """Wait for the lock and hold it inside the block."""
        async with self._task_lock:
            while (descriptor := self._try_acquire()) is None:  # noqa: ASYNC110  # another program sets no event
                await asyncio.sleep(_POLL_INTERVAL_SECONDS)
            try:
                yield
            finally:
                os.close(descriptor)

    def _try_acquire(self) -> int | None:
        """Return the lock as a file descriptor that agents don't inherit; None while another program holds it."""
        self._file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(self._file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        return descriptor
