"""Commands that are being carried out: each beside the others, those of one person one after the other."""

import asyncio
import logging
from collections.abc import Coroutine, Hashable
from datetime import timedelta
from typing import Any
from weakref import WeakValueDictionary

logger = logging.getLogger(__name__)


class CommandsUnderWay:
    """Work that was begun and must be finished, or at least told about, before the program ends."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()
        self._turns: WeakValueDictionary[Hashable, asyncio.Lock] = WeakValueDictionary()

    def begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def turn_of(self, whose: Hashable) -> asyncio.Lock:
        """Held by one command of a person at a time.

        A phone without a connection sends what was written all at once, and `/set` must come before the
        `/enqueue` that was written after it.
        """
        lock = self._turns.get(whose)
        if lock is None:
            lock = self._turns[whose] = asyncio.Lock()
        return lock

    async def finish(self, *, within: timedelta, then: timedelta) -> None:
        """Waits for all work; what is not done `within` is cancelled and has `then` to say so."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=within.total_seconds())
        late = tuple(self._tasks)
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late, timeout=then.total_seconds())
        for task in tuple(self._tasks):
            task.cancel()

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error("A message from Telegram was lost.", exc_info=error, extra={"action": "unexpected"})
