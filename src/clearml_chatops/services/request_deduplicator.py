"""Requests that a platform delivers again, because it missed their acknowledgement or the bot was killed."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from clearml_chatops.models.errors import DatabaseUnusableError
from clearml_chatops.models.requests import RequestState
from clearml_chatops.storage.database import Database
from clearml_chatops.storage.handled_requests import HandledRequestStore, RequestKey

logger = logging.getLogger(__name__)

MEMORY = timedelta(days=1)
"""How long a request is remembered. Telegram keeps an undelivered update for as long, Slack for less."""


class _Delivery:
    """A request that waits to be recorded."""

    def __init__(self, keys: Sequence[RequestKey]) -> None:
        self.keys = keys
        self.state: asyncio.Future[RequestState] = asyncio.get_running_loop().create_future()


class RequestDeduplicator:
    """Lets each request be carried out at most once, across restarts too.

    A request is recorded before it is carried out. Requests that arrive while others are being recorded share
    the next transaction, and go on in the order in which they arrived.
    """

    def __init__(self, *, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock
        self._queue: list[_Delivery] = []
        self._lock = asyncio.Lock()
        self._running: set[RequestKey] = set()
        """The requests that this process is carrying out."""

    async def begin(self, platform: str, keys: Sequence[str]) -> RequestState:
        """Record that a request is about to be carried out. Return what became of it before.

        A request has several keys if the platform delivers it in several ways. One without keys is always new.

        Raises DatabaseBusyError, DatabaseUnusableError: it wasn't recorded, so it must not be carried out.
        """
        if not keys:
            return RequestState.NEW
        delivery = _Delivery([(platform, key) for key in dict.fromkeys(keys)])
        self._queue.append(delivery)
        async with self._lock:
            if not delivery.state.done():
                await self._record_queue()
        return delivery.state.result()

    async def finish(self, platform: str, keys: Sequence[str]) -> None:
        """Record that a request was answered. If that fails, it counts as interrupted after a restart."""
        request_keys = [(platform, key) for key in keys]
        try:
            if request_keys:
                async with self._database.writing() as session:
                    await HandledRequestStore(session).mark_finished(request_keys)
        except DatabaseUnusableError as error:
            logger.warning("Can't record an answered request: %s", error, extra={"action": "request_unrecorded"})
        finally:
            self._running.difference_update(request_keys)

    async def delete_old(self) -> None:
        """Forget the requests that no platform delivers any more."""
        async with self._database.writing() as session:
            await HandledRequestStore(session).remove_older(self._clock() - MEMORY)

    async def _record_queue(self) -> None:
        """Record all waiting requests in one transaction, and tell each its state."""
        deliveries, self._queue = self._queue, []
        try:
            states = await self._record(deliveries)
        except asyncio.CancelledError:
            # The next in the queue records the others.
            self._queue = deliveries + self._queue
            raise
        except Exception as error:  # noqa: BLE001  # each of them raises it
            for delivery in deliveries:
                delivery.state.set_exception(error)
        else:
            for delivery, state in zip(deliveries, states, strict=True):
                delivery.state.set_result(state)

    async def _record(self, deliveries: Sequence[_Delivery]) -> list[RequestState]:
        new_keys: list[RequestKey] = []
        states: list[RequestState] = []
        async with self._database.writing() as session:
            store = HandledRequestStore(session)
            recorded = await store.find([key for delivery in deliveries for key in delivery.keys])
            for delivery in deliveries:
                state = self._judge(delivery.keys, recorded, new_keys)
                states.append(state)
                if state is RequestState.NEW:
                    new_keys += delivery.keys
                elif state is RequestState.INTERRUPTED:
                    recorded |= dict.fromkeys(delivery.keys, True)
                    await store.mark_finished(delivery.keys)
            store.add(new_keys, received=self._clock())
        self._running.update(new_keys)
        return states

    def _judge(
        self, keys: Sequence[RequestKey], recorded: dict[RequestKey, bool], new_keys: Sequence[RequestKey]
    ) -> RequestState:
        if any(key in self._running or key in new_keys or recorded.get(key) for key in keys):
            return RequestState.HANDLED
        return RequestState.INTERRUPTED if any(key in recorded for key in keys) else RequestState.NEW
