"""One at a time on this machine: the bot and a terminal beside it change the same agents."""

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

_PAUSE_SECONDS = 0.1


class HostLock:
    """A lock among the tasks of this program and all programs that use the same file.

    The system lets go of it when a program ends, however that happens.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._tasks = asyncio.Lock()

    @property
    def is_held_here(self) -> bool:
        """Whether a task of this program has it."""
        return self._tasks.locked()

    @asynccontextmanager
    async def held(self) -> AsyncIterator[None]:
        """The lock is held inside; waits for it."""
        async with self._tasks:
            while (descriptor := self._taken()) is None:  # noqa: ASYNC110  # another program sets no event
                await asyncio.sleep(_PAUSE_SECONDS)
            try:
                yield
            finally:
                os.close(descriptor)

    def _taken(self) -> int | None:
        """The lock as an open file that no agent inherits; None while another program has it."""
        self._file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(self._file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        return descriptor
