"""The background loops: work that is done again and again beside the front ends."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

from clearml_chatops.models.errors import ChatOpsError

logger = logging.getLogger(__name__)

_TIME_TO_FINISH = timedelta(seconds=0.9)


@dataclass(frozen=True, slots=True)
class Loop:
    """Work with a pause before each time, also the first: a program that runs one command is gone by then.

    `trouble` begins the log line that tells why it cannot be done. The pause may be another one each time;
    `wake`, where there is one, ends it when it is set.
    """

    work: Callable[[], Awaitable[object]]
    pause: timedelta | Callable[[], timedelta]
    trouble: str
    wake: asyncio.Event | None = None


@asynccontextmanager
async def looping(loops: Sequence[Loop], stopping: asyncio.Event) -> AsyncIterator[None]:
    """Does the work of all loops inside. `stopping` is set at the end.

    What is being done then is finished, so that a message sent is also noted as sent; what takes too
    long for that is cancelled.
    """
    tasks = [asyncio.create_task(_repeat(loop, stopping)) for loop in loops]
    try:
        yield
    finally:
        stopping.set()
        await asyncio.wait(tasks, timeout=_TIME_TO_FINISH.total_seconds())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _repeat(loop: Loop, stopping: asyncio.Event) -> None:
    """Whatever goes wrong is logged once, until it has worked again, and waited out."""
    is_failing = False
    while not await _paused(loop, stopping):
        try:
            await loop.work()
            is_failing = False
        except ChatOpsError as error:
            if not is_failing:
                logger.warning("%s: %s", loop.trouble, error, extra={"action": "loop_failed"})
            is_failing = True
        except Exception:
            # Nobody waits for a loop: one that ended by a mistake of ours would be missed by nobody.
            if not is_failing:
                logger.exception("%s.", loop.trouble, extra={"action": "loop_failed"})
            is_failing = True


async def _paused(loop: Loop, stopping: asyncio.Event) -> bool:
    """Waits out the pause of a loop; whether it is to stop."""
    pause = loop.pause() if callable(loop.pause) else loop.pause
    events = [event for event in (stopping, loop.wake) if event is not None]
    waiting = [asyncio.ensure_future(event.wait()) for event in events]
    try:
        await asyncio.wait(waiting, timeout=pause.total_seconds(), return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in waiting:
            task.cancel()
    if loop.wake is not None:
        loop.wake.clear()
    return stopping.is_set()
