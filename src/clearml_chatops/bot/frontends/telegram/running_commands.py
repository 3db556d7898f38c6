"""Commands that are being carried out: each beside the others, those of one person one after the other."""

import asyncio
import logging
from collections.abc import Coroutine, Hashable
from datetime import timedelta
from typing import Any
from weakref import WeakValueDictionary

logger = logging.getLogger(__name__)


class RunningCommands:
    """Work that was begun and must be finished, or at least told about, before the program ends."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()
        self._locks: WeakValueDictionary[Hashable, asyncio.Lock] = WeakValueDictionary()

    def start(self, coroutine: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._on_finished)

    def get_lock(self, key: Hashable) -> asyncio.Lock:
        """Held by one command of a person at a time.

        A phone without a connection sends what was written all at once, and `/set` must come before the
        `/enqueue` that was written after it.
        """
        lock = self._locks.get(key)
        if lock is None:
            lock = self._locks[key] = asyncio.Lock()
        return lock

    async def finish(self, *, finish_timeout: timedelta, cancel_timeout: timedelta) -> None:
        """Waits for all work; what is not done `within` is cancelled and has `then` to say so."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=finish_timeout.total_seconds())
        unfinished = tuple(self._tasks)
        for task in unfinished:
            task.cancel()
        if unfinished:
            await asyncio.wait(unfinished, timeout=cancel_timeout.total_seconds())
        for task in tuple(self._tasks):
            task.cancel()

    def _on_finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error("A message from Telegram was lost.", exc_info=error, extra={"action": "unexpected"})
