"""Takes notifications from the outbox to a front end, again and again."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection
from datetime import timedelta
from functools import partial

from clearml_chatops.bot.frontends.front_end import DeliveryFailedError, DestinationGoneError, OnDelivered
from clearml_chatops.handlers.notification_messages import build_notification_message
from clearml_chatops.models.messages import Conversation
from clearml_chatops.models.replies import Reply
from clearml_chatops.services.notifications.notifications import DueMessage, NotificationService

logger = logging.getLogger(__name__)

_FINISH_TIMEOUT = timedelta(seconds=0.9)

Send = Callable[[Conversation, Reply, OnDelivered], Awaitable[None]]


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
        connected_platforms: Collection[str] = (),
        stop_event: asyncio.Event | None = None,
    ) -> None:
        self._notifications = notifications
        self._platform = platform
        self._conversation_id = conversation_id
        self._send = send
        self._connected_platforms = connected_platforms
        self._stop_event = stop_event or asyncio.Event()
        self._conversation_tasks: dict[str, asyncio.Task[None]] = {}
        self._conversations_to_recheck: set[str] = set()

    async def deliver_due_messages(self) -> int:
        """Sends what is due and gives how many it was."""
        if self._conversation_id:
            return await self._deliver_to_conversation(self._conversation_id)
        conversation_ids = await self._notifications.list_waiting_conversations(self._platform)
        return sum(
            await asyncio.gather(
                *(self._deliver_to_conversation(conversation_id) for conversation_id in conversation_ids)
            )
        )

    async def start_due_deliveries(self) -> None:
        """Begins to send what is due: a conversation that has to wait for its platform holds up no other.

        Raises:
            DatabaseUnusableError: what was begun before could not be gone on with.
        """
        for conversation_id, task in list(self._conversation_tasks.items()):
            if task.done():
                del self._conversation_tasks[conversation_id]
                task.result()
        for conversation_id in await self._notifications.list_waiting_conversations(self._platform):
            if conversation_id in self._conversation_tasks:
                self._conversations_to_recheck.add(conversation_id)
            else:
                self._conversation_tasks[conversation_id] = asyncio.create_task(
                    self._deliver_until_empty(conversation_id)
                )

    async def finish(self) -> None:
        """Lets what is being sent be noted as sent; what takes too long for that is cancelled."""
        if not self._conversation_tasks:
            return
        tasks = self._conversation_tasks.values()
        await asyncio.wait(tasks, timeout=_FINISH_TIMEOUT.total_seconds())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _deliver_until_empty(self, conversation_id: str) -> None:
        """Sends to one conversation until nothing is due, also not what came while the last was sent."""
        while True:
            self._conversations_to_recheck.discard(conversation_id)
            await self._deliver_to_conversation(conversation_id)
            if conversation_id not in self._conversations_to_recheck:
                return

    async def _deliver_to_conversation(self, conversation_id: str) -> int:
        """Sends what is due to one conversation; after one that fails the others wait with it."""
        sent_count = 0
        while due_messages := await self._notifications.list_due(self._platform, conversation_id):
            for message in due_messages:
                if not await self._deliver_message(message):
                    return sent_count
                sent_count += 1
        return sent_count

    async def _deliver_message(self, message: DueMessage) -> bool:
        """Sends one; whether the next may follow it."""
        if self._stop_event.is_set():
            return False
        try:
            reply = build_notification_message(await self._notifications.add_diagnosis(message))
            await self._send(message.recipient, reply, partial(self._notifications.mark_delivered, message))
        except (DeliveryFailedError, OSError) as error:
            await self._notifications.mark_failed(message, str(error) or type(error).__name__)
            return False
        except DestinationGoneError as error:
            # Nobody is there to be told, now or later; what is for him must not hold up the outbox.
            new_recipient = await self._notifications.reroute(message, self._connected_platforms)
            logger.warning(
                "%s cannot be reached any more: %s; told at %s instead",
                message.recipient,
                error,
                new_recipient or "no other place",
                extra={"action": "destination_gone"},
            )
        return True
