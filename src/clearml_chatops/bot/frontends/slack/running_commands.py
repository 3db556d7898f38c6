"""The running commands: each request is handled once, in a task of its own, and answered before shutdown.

The commands of one person in one channel run in order, all others in parallel.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from datetime import timedelta
from typing import Any

from clearml_chatops.bot.dispatcher import build_refusal, report_incident
from clearml_chatops.bot.frontends.front_end import (
    INTERRUPTED_REPLY,
    STOPPED_TEXT,
    DeliveryFailedError,
    DestinationGoneError,
    Requests,
)
from clearml_chatops.bot.frontends.request_order import RequestOrder
from clearml_chatops.bot.frontends.slack.incoming_requests import PLATFORM
from clearml_chatops.bot.frontends.slack.timing import Timing
from clearml_chatops.models.errors import ChatOpsError
from clearml_chatops.models.replies import Outcome, Reply, Text, Tone
from clearml_chatops.models.requests import RequestState

logger = logging.getLogger(__name__)

_STOPPED_REPLY_TIMEOUT = timedelta(seconds=1)
_MAX_CONCURRENT_COMMANDS = 16
"""More wouldn't be faster, because fewer threads call ClearML, and would delay acknowledgements."""

STOPPED_REPLY = Reply((Text(STOPPED_TEXT, Tone.WARNING),), Outcome.BROKEN)
"""The reply to a command that shutdown left no time for."""


Work = Callable[[], Coroutine[Any, Any, None]]


class RunningCommands:
    def __init__(self, timing: Timing, requests: Requests) -> None:
        self._timing = timing
        self._requests = requests
        self._order = RequestOrder()
        self._tasks: set[asyncio.Task[None]] = set()
        self._stop_event = asyncio.Event()
        self._slots = asyncio.Semaphore(_MAX_CONCURRENT_COMMANDS)

    def start(
        self,
        keys: tuple[str, ...],
        run: Work,
        *,
        show: Callable[[Reply], Coroutine[Any, Any, object]],
        on_repeat: Work | None = None,
        order_key: str = "",
    ) -> None:
        """Start a task that carries out a request, unless one with any of the keys was delivered before.

        `show` shows the reply to a request that isn't carried out. `on_repeat` handles one that is being carried
        out or was answered. Tasks with the same order key run one after the other; one without runs at once.
        """

        async def run_once() -> None:
            await self._run_once(keys, run, show, on_repeat)

        task = asyncio.create_task(self._run_in_order(order_key, run_once) if order_key else run_once())
        self._tasks.add(task)
        task.add_done_callback(self._on_finished)

    async def finish(self) -> None:
        """Wait for the running commands. Each is answered within 4 seconds."""
        for timeout in (self._timing.shutdown_timeout, _STOPPED_REPLY_TIMEOUT):
            if self._tasks:
                await asyncio.wait(self._tasks, timeout=timeout.total_seconds())
            self._stop_event.set()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def wait_for_reply(
        self,
        handle: Callable[[], Awaitable[Reply]],
        show_typing_indicator: Callable[[], Awaitable[object]] | None = None,
    ) -> Reply:
        """Return the reply, or `STOPPED_REPLY` if shutdown comes first.

        Show the typing indicator if the reply takes longer than `typing_indicator_delay`.
        """
        if self._stop_event.is_set():
            return STOPPED_REPLY
        reply_task = asyncio.ensure_future(self._run_in_slot(handle))
        stop_task = asyncio.create_task(self._stop_event.wait())
        indicator_task = asyncio.create_task(asyncio.sleep(self._timing.typing_indicator_delay.total_seconds()))
        try:
            await asyncio.wait({reply_task, indicator_task, stop_task}, return_when=asyncio.FIRST_COMPLETED)
            if not reply_task.done() and indicator_task.done() and show_typing_indicator:
                with suppress(DestinationGoneError, DeliveryFailedError):
                    await show_typing_indicator()
            await asyncio.wait({reply_task, stop_task}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            indicator_task.cancel()
            stop_task.cancel()
            reply_task.cancel()
        if not reply_task.done() or reply_task.cancelled():
            return STOPPED_REPLY
        error = reply_task.exception()
        if isinstance(error, ChatOpsError):
            return build_refusal(error)
        return report_incident(error)[1] if error else reply_task.result()

    async def _run_in_order(self, order_key: str, run: Work) -> None:
        with self._order.queue_up(order_key) as place:
            await self._wait_unless_stopped(place.wait_for_turn())
            await run()

    async def _wait_unless_stopped(self, turn: Coroutine[Any, Any, None]) -> None:
        """Wait, but at most until shutdown: then nothing else is carried out, and all have to be answered."""
        tasks = [asyncio.create_task(turn), asyncio.create_task(self._stop_event.wait())]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()

    async def _run_once(
        self,
        keys: tuple[str, ...],
        run: Work,
        show: Callable[[Reply], Coroutine[Any, Any, object]],
        on_repeat: Work | None,
    ) -> None:
        try:
            state = await self._requests.begin(PLATFORM, keys)
        except ChatOpsError as error:
            await show(build_refusal(error))
            return
        if state is RequestState.INTERRUPTED:
            await show(INTERRUPTED_REPLY)
        elif state is RequestState.HANDLED:
            await (on_repeat() if on_repeat else asyncio.sleep(0))
        else:
            try:
                await run()
            finally:
                await self._requests.finish(PLATFORM, keys)

    async def _run_in_slot(self, handle: Callable[[], Awaitable[Reply]]) -> Reply:
        async with self._slots:
            return await handle()

    def _on_finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            logger.error(
                "A command from Slack wasn't answered.", exc_info=error, extra={"action": "slack_unanswered"}
            )
