"""getUpdates: the long poll, of which a bot may have one at a time."""

import asyncio
import contextlib
from typing import Any

from tests.support.telegram.api_calls import Call
from tests.support.telegram.faults import CONFLICT
from tests.support.telegram.refusals import RefusalError
from tests.support.telegram.state import State

_MAX_UPDATES = 100


class Polling:
    """Answers polls. As on Telegram, a new poll ends a waiting one with a conflict."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._current_poll: asyncio.Future[None] | None = None

    async def get_updates(self, call: Call) -> list[dict[str, Any]]:
        """Return the updates from `offset` on; those before it are confirmed and deleted.

        Raises:
            RefusalError: Another poll has started, or a webhook is set.
        """
        if self._state.webhook_url:
            raise RefusalError(
                409, "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook first"
            )
        offset = int(call.parameters.get("offset", 0))
        self._state.updates[:] = [update for update in self._state.updates if update["update_id"] >= offset]
        if self._current_poll is not None and not self._current_poll.done():
            self._current_poll.set_exception(CONFLICT)
        own_poll = self._current_poll = asyncio.get_running_loop().create_future()
        return await self._wait_for_updates_or_conflict(own_poll, call, float(call.parameters.get("timeout", 0)))

    async def _wait_for_updates_or_conflict(
        self,
        own_poll: asyncio.Future[None],
        call: Call,
        timeout: float,  # noqa: ASYNC109  # the protocol's own parameter
    ) -> list[dict[str, Any]]:
        updates_task = asyncio.create_task(self._wait_for_updates(call))
        try:
            await asyncio.wait([updates_task, own_poll], timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
            if own_poll.done():
                own_poll.result()
            return self._list_allowed_updates(call)
        finally:
            updates_task.cancel()
            if not own_poll.done():
                own_poll.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await updates_task

    async def _wait_for_updates(self, call: Call) -> None:
        async with self._state.changed:
            await self._state.changed.wait_for(lambda: bool(self._list_allowed_updates(call)))

    def _list_allowed_updates(self, call: Call) -> list[dict[str, Any]]:
        kinds = call.parameters.get("allowed_updates") or []
        allowed_updates = [update for update in self._state.updates if not kinds or set(kinds) & set(update)]
        return allowed_updates[: int(call.parameters.get("limit", _MAX_UPDATES))]
