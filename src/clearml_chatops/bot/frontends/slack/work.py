"""What is under way: each thing that came in is done once, in a task of its own, and answered before the end."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta

from clearml_chatops.bot.dispatcher import apology
from clearml_chatops.bot.frontends.front_end import DeliveryFailedError, DestinationGoneError
from clearml_chatops.bot.frontends.slack.duplicates import Duplicates
from clearml_chatops.bot.frontends.slack.timing import Timing
from clearml_chatops.models.replies import Outcome, Reply, Text, Tone

logger = logging.getLogger(__name__)

_LAST_WORDS = timedelta(seconds=1)
_MOST_AT_ONCE = 16
"""Commands that are carried out at once. More would be no faster, since ClearML is asked by fewer threads, and
would keep the loop from acknowledging what else comes in."""

_STOPPED_TEXT = (
    "The bot is being stopped before this was done. It may still happen; look with /show before you repeat it."
)
STOPPED = Reply((Text(_STOPPED_TEXT, Tone.WARNING),), Outcome.BROKEN)
"""The reply to what the program's end did not leave time for."""


class Work:
    def __init__(self, timing: Timing) -> None:
        self._timing = timing
        self._duplicates = Duplicates()
        self._under_way: set[asyncio.Task[None]] = set()
        self._out_of_time = asyncio.Event()
        self._turns = asyncio.Semaphore(_MOST_AT_ONCE)

    def begin(self, keys: tuple[str, ...], do: Callable[[], Awaitable[None]]) -> bool:
        """Begins it, and gives whether it was begun: what came before with one of the keys is not done again."""
        if self._duplicates.is_repeated(*keys):
            return False
        task = asyncio.create_task(_done(do))
        self._under_way.add(task)
        task.add_done_callback(self._ended)
        return True

    async def end(self) -> None:
        """Lets what is under way be answered: within 4 seconds each of it is."""
        for patience in (self._timing.wait_at_the_end, _LAST_WORDS):
            if self._under_way:
                await asyncio.wait(self._under_way, timeout=patience.total_seconds())
            self._out_of_time.set()
        for task in self._under_way:
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)

    async def reply(
        self, handle: Callable[[], Awaitable[Reply]], sign_of_life: Callable[[], Awaitable[object]] | None = None
    ) -> Reply:
        """The reply, after a sign of life where it takes long; `STOPPED` where the program ends before it."""
        asked = asyncio.ensure_future(self._in_turn(handle))
        out_of_time = asyncio.create_task(self._out_of_time.wait())
        patience = asyncio.create_task(asyncio.sleep(self._timing.patience.total_seconds()))
        try:
            await asyncio.wait({asked, patience, out_of_time}, return_when=asyncio.FIRST_COMPLETED)
            if not asked.done() and patience.done() and sign_of_life:
                with suppress(DestinationGoneError, DeliveryFailedError):
                    await sign_of_life()
            await asyncio.wait({asked, out_of_time}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            patience.cancel()
            out_of_time.cancel()
            asked.cancel()
        if not asked.done() or asked.cancelled():
            return STOPPED
        error = asked.exception()
        return apology(error)[1] if error else asked.result()

    async def _in_turn(self, handle: Callable[[], Awaitable[Reply]]) -> Reply:
        async with self._turns:
            return await handle()

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        if not task.cancelled() and (error := task.exception()):
            logger.error(
                "A command of Slack's was not answered.", exc_info=error, extra={"action": "slack_unanswered"}
            )


async def _done(do: Callable[[], Awaitable[None]]) -> None:
    await do()
