"""Background loops: work that is repeated while the front ends run."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

from clearml_chatops.models.errors import ChatOpsError

logger = logging.getLogger(__name__)

_FINISH_TIMEOUT = timedelta(seconds=0.9)


@dataclass(frozen=True, slots=True)
class Loop:
    """Work with a pause before each run.

    The pause comes before the first run, too, so a process that runs one command ends before it.
    `interval` is the pause, or a function that returns the next one. Setting `wake_event` ends the pause.
    `failure_message` starts the log line for an error.
    """

    work: Callable[[], Awaitable[object]]
    interval: timedelta | Callable[[], timedelta]
    failure_message: str
    wake_event: asyncio.Event | None = None


@asynccontextmanager
async def run_loops(
    loops: Sequence[Loop], stop_event: asyncio.Event, *, start_event: asyncio.Event | None = None
) -> AsyncIterator[None]:
    """Run all loops inside the block, from `start_event` on, and set `stop_event` at its end.

    Work in progress may finish, so that a sent message is also marked delivered. Work that takes too long
    is cancelled.
    """
    tasks = [asyncio.create_task(_run_loop(loop, start_event, stop_event)) for loop in loops]
    try:
        yield
    finally:
        stop_event.set()
        await asyncio.wait(tasks, timeout=_FINISH_TIMEOUT.total_seconds())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _run_loop(loop: Loop, start_event: asyncio.Event | None, stop_event: asyncio.Event) -> None:
    """Repeat the work of a loop. Log an error once until the work succeeds again, and keep trying."""
    is_failing = False
    if start_event is not None:
        await wait_for_any(start_event, stop_event)
    while not await _wait_and_check_stop(loop, stop_event):
        try:
            await loop.work()
            is_failing = False
        except ChatOpsError as error:
            if not is_failing:
                logger.warning("%s: %s", loop.failure_message, error, extra={"action": "loop_failed"})
            is_failing = True
        except Exception:
            # Nothing awaits a loop, so one that ended because of a bug would go unnoticed.
            if not is_failing:
                logger.exception("%s.", loop.failure_message, extra={"action": "loop_failed"})
            is_failing = True


async def _wait_and_check_stop(loop: Loop, stop_event: asyncio.Event) -> bool:
    """Wait until the loop's pause is over. Return whether the loop has to stop."""
    interval = loop.interval() if callable(loop.interval) else loop.interval
    await wait_for_any(*(event for event in (stop_event, loop.wake_event) if event is not None), timeout=interval)
    if loop.wake_event is not None:
        loop.wake_event.clear()
    return stop_event.is_set()


async def wait_for_any(*events: asyncio.Event, timeout: timedelta | None = None) -> None:  # noqa: ASYNC109
    """Wait until one of the events is set, at most for `timeout`."""
    tasks = [asyncio.ensure_future(event.wait()) for event in events]
    try:
        await asyncio.wait(
            tasks,
            timeout=timeout.total_seconds() if timeout is not None else None,
            return_when=asyncio.FIRST_COMPLETED,
        )
    finally:
        for task in tasks:
            task.cancel()
