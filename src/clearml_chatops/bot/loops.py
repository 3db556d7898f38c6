"""The background loops: work that is done again and again beside the front ends."""

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
    """Work with a pause before each time, also the first: a program that runs one command is gone by then.

    `trouble` begins the log line that tells why it cannot be done. The pause may be another one each time;
    `wake`, where there is one, ends it when it is set.
    """

    work: Callable[[], Awaitable[object]]
    interval: timedelta | Callable[[], timedelta]
    failure_message: str
    wake_event: asyncio.Event | None = None


@asynccontextmanager
async def run_loops(loops: Sequence[Loop], stop_event: asyncio.Event) -> AsyncIterator[None]:
    """Does the work of all loops inside. `stopping` is set at the end.

    What is being done then is finished, so that a message sent is also noted as sent; what takes too
    long for that is cancelled.
    """
    tasks = [asyncio.create_task(_run_loop(loop, stop_event)) for loop in loops]
    try:
        yield
    finally:
        stop_event.set()
        await asyncio.wait(tasks, timeout=_FINISH_TIMEOUT.total_seconds())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _run_loop(loop: Loop, stop_event: asyncio.Event) -> None:
    """Whatever goes wrong is logged once, until it has worked again, and waited out."""
    is_failing = False
    while not await _wait_and_check_stop(loop, stop_event):
        try:
            await loop.work()
            is_failing = False
        except ChatOpsError as error:
            if not is_failing:
                logger.warning("%s: %s", loop.failure_message, error, extra={"action": "loop_failed"})
            is_failing = True
        except Exception:
            # Nobody waits for a loop: one that ended by a mistake of ours would be missed by nobody.
            if not is_failing:
                logger.exception("%s.", loop.failure_message, extra={"action": "loop_failed"})
            is_failing = True


async def _wait_and_check_stop(loop: Loop, stop_event: asyncio.Event) -> bool:
    """Waits out the pause of a loop; whether it is to stop."""
    interval = loop.interval() if callable(loop.interval) else loop.interval
    events = [event for event in (stop_event, loop.wake_event) if event is not None]
    wait_tasks = [asyncio.ensure_future(event.wait()) for event in events]
    try:
        await asyncio.wait(wait_tasks, timeout=interval.total_seconds(), return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in wait_tasks:
            task.cancel()
    if loop.wake_event is not None:
        loop.wake_event.clear()
    return stop_event.is_set()
