"""getUpdates: a long poll, of which one bot may have one at a time."""

import asyncio
import contextlib
from typing import Any

from tests.support.telegram.calls import Call
from tests.support.telegram.faults import CONFLICT
from tests.support.telegram.refusals import RefusalError
from tests.support.telegram.state import State

_MOST_UPDATES = 100


class Polling:
    """Answers polls; a new one ends the one that waits with a conflict, as Telegram does."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._waiting: asyncio.Future[None] | None = None

    async def get_updates(self, call: Call) -> list[dict[str, Any]]:
        """The updates from `offset` on; those before it are forgotten, because the bot has them.

        Raises:
            RefusalError: another poll has begun, or a webhook is set.
        """
        if self._state.webhook:
            raise RefusalError(
                409, "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook first"
            )
        offset = int(call.parameters.get("offset", 0))
        self._state.updates[:] = [update for update in self._state.updates if update["update_id"] >= offset]
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(CONFLICT)
        mine = self._waiting = asyncio.get_running_loop().create_future()
        return await self._first_of(mine, call, float(call.parameters.get("timeout", 0)))

    async def _first_of(self, mine: asyncio.Future[None], call: Call, timeout: float) -> list[dict[str, Any]]:  # noqa: ASYNC109  # the protocol's own parameter
        waiting = asyncio.create_task(self._wait_for_updates(call))
        try:
            await asyncio.wait([waiting, mine], timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
            if mine.done():
                mine.result()
            return self._wanted(call)
        finally:
            waiting.cancel()
            if not mine.done():
                mine.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await waiting

    async def _wait_for_updates(self, call: Call) -> None:
        async with self._state.changed:
            await self._state.changed.wait_for(lambda: bool(self._wanted(call)))

    def _wanted(self, call: Call) -> list[dict[str, Any]]:
        kinds = call.parameters.get("allowed_updates") or []
        wanted = [update for update in self._state.updates if not kinds or set(kinds) & set(update)]
        return wanted[: int(call.parameters.get("limit", _MOST_UPDATES))]
