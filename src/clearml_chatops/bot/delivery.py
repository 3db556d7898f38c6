"""Takes notifications from the outbox to a front end, again and again."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection
from datetime import timedelta
from functools import partial

from clearml_chatops.bot.frontends.front_end import Arrived, DeliveryFailedError, DestinationGoneError
from clearml_chatops.handlers.notification_messages import notification_message
from clearml_chatops.models.messages import Conversation
from clearml_chatops.models.replies import Reply
from clearml_chatops.services.notifications.notifications import DueMessage, NotificationService

logger = logging.getLogger(__name__)

_TIME_TO_FINISH = timedelta(seconds=0.9)

Send = Callable[[Conversation, Reply, Arrived], Awaitable[None]]


class Delivery:
    """Delivers a platform's notifications, to each conversation in the order in which things happened.

    Whom they do not reach they reach on another of the `platforms` that the bot is on.
    `conversation_id` restricts it to one conversation: a terminal serves its own user only. Once
    `stopping` is set nothing more is begun.
    """

    def __init__(
        self,
        *,
        notifications: NotificationService,
        platform: str,
        send: Send,
        conversation_id: str = "",
        platforms: Collection[str] = (),
        stopping: asyncio.Event | None = None,
    ) -> None:
        self._notifications = notifications
        self._platform = platform
        self._conversation_id = conversation_id
        self._send = send
        self._platforms = platforms
        self._stopping = stopping or asyncio.Event()
        self._lanes: dict[str, asyncio.Task[None]] = {}
        self._again: set[str] = set()

    async def deliver_due(self) -> int:
        """Sends what is due and gives how many it was."""
        if self._conversation_id:
            return await self._deliver_to(self._conversation_id)
        waiting = await self._notifications.waiting_conversations(self._platform)
        return sum(await asyncio.gather(*(self._deliver_to(conversation) for conversation in waiting)))

    async def begin_due(self) -> None:
        """Begins to send what is due: a conversation that has to wait for its platform holds up no other.

        Raises:
            DatabaseUnusableError: what was begun before could not be gone on with.
        """
        for conversation_id, lane in list(self._lanes.items()):
            if lane.done():
                del self._lanes[conversation_id]
                lane.result()
        for conversation_id in await self._notifications.waiting_conversations(self._platform):
            if conversation_id in self._lanes:
                self._again.add(conversation_id)
            else:
                self._lanes[conversation_id] = asyncio.create_task(self._lane(conversation_id))

    async def finish(self) -> None:
        """Lets what is being sent be noted as sent; what takes too long for that is cancelled."""
        if not self._lanes:
            return
        lanes = self._lanes.values()
        await asyncio.wait(lanes, timeout=_TIME_TO_FINISH.total_seconds())
        for lane in lanes:
            lane.cancel()
        await asyncio.gather(*lanes, return_exceptions=True)

    async def _lane(self, conversation_id: str) -> None:
        """Sends to one conversation until nothing is due, also not what came while the last was sent."""
        while True:
            self._again.discard(conversation_id)
            await self._deliver_to(conversation_id)
            if conversation_id not in self._again:
                return

    async def _deliver_to(self, conversation_id: str) -> int:
        """Sends what is due to one conversation; after one that fails the others wait with it."""
        sent = 0
        while due := await self._notifications.due(self._platform, conversation_id):
            for message in due:
                if not await self._is_dealt_with(message):
                    return sent
                sent += 1
        return sent

    async def _is_dealt_with(self, message: DueMessage) -> bool:
        """Sends one; whether the next may follow it."""
        if self._stopping.is_set():
            return False
        try:
            reply = notification_message(await self._notifications.in_full(message))
            await self._send(message.recipient, reply, partial(self._notifications.delivered, message))
        except (DeliveryFailedError, OSError) as error:
            await self._notifications.failed(message, str(error) or type(error).__name__)
            return False
        except DestinationGoneError as error:
            # Nobody is there to be told, now or later; what is for him must not hold up the outbox.
            place = await self._notifications.gone(message, self._platforms)
            logger.warning(
                "%s cannot be reached any more: %s; told at %s instead",
                message.recipient,
                error,
                place or "no other place",
                extra={"action": "destination_gone"},
            )
        return True
