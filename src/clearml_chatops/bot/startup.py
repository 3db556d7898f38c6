"""The start of the bot: it goes on by itself when the database or ClearML can be used again."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import timedelta

from clearml_chatops.bot.loops import wait_for_any
from clearml_chatops.models.errors import ChatOpsError, ClearMLCredentialsError, ClearMLError, DatabaseBusyError
from clearml_chatops.models.people import ConfiguredPerson
from clearml_chatops.services.process import ProcessContext

logger = logging.getLogger(__name__)

_RETRY_INTERVAL = timedelta(seconds=2)
_FRONT_END_DELAY = timedelta(seconds=3)
"""How long the front ends wait for the first attempt. A server that doesn't answer may take longer."""


class Startup:
    """Prepares the database, saves the people in the settings and logs in to ClearML, until all has succeeded.

    `database_ready` is set when everything that needs no ClearML can begin.
    """

    def __init__(
        self,
        process: ProcessContext,
        people: Iterable[ConfiguredPerson],
        stop_event: asyncio.Event,
        *,
        retry_interval: timedelta = _RETRY_INTERVAL,
    ) -> None:
        self._process = process
        self._stop_event = stop_event
        self._retry_interval = retry_interval
        self._first_attempt_ended = asyncio.Event()
        self._reported_code = ""
        self.database_ready = asyncio.Event()
        process.configured_people.configure(people)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Try until it succeeds, beside the block. The block begins after the first attempt or three seconds.

        An error that repeating doesn't mend sets the stop event, and is raised when the block has ended.

        Raises:
            SettingsError, ClearMLCredentialsError, DatabaseOutdatedError, DatabaseUnusableError: A setting or the
                database is wrong.
        """
        task = asyncio.create_task(self._run())
        try:
            await wait_for_any(self._first_attempt_ended, self._stop_event, timeout=_FRONT_END_DELAY)
            if task.done():
                task.result()
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        if not task.cancelled():
            task.result()

    async def _run(self) -> None:
        try:
            while not await self._try_to_start():
                self._first_attempt_ended.set()
                await wait_for_any(self._stop_event, timeout=self._retry_interval)
                if self._stop_event.is_set():
                    return
        except Exception:
            self._stop_event.set()
            raise
        self._first_attempt_ended.set()

    async def _try_to_start(self) -> bool:
        """Take the steps that are still missing. Return whether none is left."""
        try:
            if not self.database_ready.is_set():
                await self._process.database.prepare()
                await self._process.configured_people.save_known()
                self.database_ready.set()
            await self._process.configured_people.save_all()
            # Logs in, if that wasn't necessary before.
            await self._process.clearml.bot.get_identity()
        except ClearMLCredentialsError:
            raise
        except (DatabaseBusyError, ClearMLError) as error:
            self._report_once(error)
            return False
        if self._reported_code:
            logger.info("The start is complete.", extra={"action": "start_complete"})
        return True

    def _report_once(self, error: ChatOpsError) -> None:
        """Log what the start waits for, but not each time again."""
        if error.code != self._reported_code:
            self._reported_code = error.code
            logger.warning(
                "%s The bot answers with this sentence and keeps trying.", error, extra={"action": "start_waits"}
            )
