"""Takes notifications from the outbox to a front end, again and again."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta

from clearml_chatops.handlers.cards import notification_card
from clearml_chatops.models.errors import ChatOpsError
from clearml_chatops.models.messages import Conversation
from clearml_chatops.models.replies import Reply
from clearml_chatops.services.notifications import NotificationService

logger = logging.getLogger(__name__)


class Delivery:
    """Delivers one conversation's notifications in the order in which things happened."""

    def __init__(
        self,
        *,
        notifications: NotificationService,
        conversation: Conversation,
        send: Callable[[Reply], Awaitable[None]],
        interval: timedelta,
    ) -> None:
        self._notifications = notifications
        self._conversation = conversation
        self._send = send
        self._interval = interval

    async def run(self) -> None:
        """Delivers until cancelled. A database out of order is logged and waited out."""
        while True:
            try:
                await self.deliver_due()
            except ChatOpsError as error:
                logger.warning("Notifications are not delivered: %s", error, extra={"action": "delivery_failed"})
            await asyncio.sleep(self._interval.total_seconds())

    async def deliver_due(self) -> int:
        """Sends what is due and gives how many it was; after one that fails the others wait with it."""
        due = await self._notifications.due(self._conversation.platform, self._conversation.id)
        for sent, item in enumerate(due):
            try:
                await self._send(notification_card(item))
            except OSError:
                await self._notifications.failed(item.notification)
                return sent
            await self._notifications.delivered(item.notification)
        return len(due)
