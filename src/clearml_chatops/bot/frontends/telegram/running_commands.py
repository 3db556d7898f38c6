"""The commands that are running: what must finish, or report that it was stopped, before the program ends."""

import asyncio
import logging
from collections.abc import Coroutine
from datetime import timedelta
from typing import Any

logger = logging.getLogger(__name__)


class RunningCommands:
    """Tasks that must finish, or at least report that they were stopped, before the program ends."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, coroutine: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._on_finished)

    async def finish(self, *, finish_timeout: timedelta, cancel_timeout: timedelta) -> None:
        """Wait for all tasks; after `finish_timeout` cancel the rest, which have `cancel_timeout` to report it."""
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
            text = "Unexpected error while handling a message from Telegram."
            logger.error(text, exc_info=error, extra={"action": "unexpected"})
