"""The Bolt app that passes on the payloads of one person in the order in which they came."""

from typing import Any

from slack_bolt.app.async_app import AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse

from clearml_chatops.bot.frontends.request_order import RequestOrder

_UNORDERED_TYPES = frozenset({"block_suggestion", "view_submission"})
"""Payloads that Bolt answers with what they ask for, which may take a while."""


class OrderedApp(AsyncApp):
    """Bolt's way to a listener is longer for a message than for a button, so a press could overtake a message."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._order = RequestOrder()

    async def async_dispatch(self, req: AsyncBoltRequest) -> BoltResponse:
        if req.body.get("type") in _UNORDERED_TYPES:
            return await super().async_dispatch(req)
        with self._order.queue_up(req.context.user_id) as place:
            await place.wait_for_turn()
            return await super().async_dispatch(req)
