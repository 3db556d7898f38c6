"""The delivery of notifications from the outbox to a front end."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection
from datetime import timedelta
from functools import partial

from clearml_chatops.bot.frontends.front_end import (
    DeliveryFailedError,
    DestinationGoneError,
    MessageEditor,
    OnDelivered,
)
from clearml_chatops.handlers.notification_messages import build_notification_message
from clearml_chatops.models.messages import Conversation
from clearml_chatops.models.replies import Reply
from clearml_chatops.services.notifications.due_messages import DueMessage
from clearml_chatops.services.notifications.notifications import NotificationService

logger = logging.getLogger(__name__)

_FINISH_TIMEOUT = timedelta(seconds=0.9)

Send = Callable[[Conversation, Reply, OnDelivered], Awaitable[None]]


class Delivery:
    """Delivers a platform's notifications, in each conversation in the order of the events.

    People who can't be reached get their notifications on another of the `connected_platforms`.
    `conversation_id` restricts delivery to one conversation: a terminal serves its own user only. Without an
    `editor`, as on a terminal, many events at once are not made one message.
    No message is started after `stop_event` is set.
    """

    def __init__(
        self,
        *,
        notifications: NotificationService,
        platform: str,
        send: Send,
        editor: MessageEditor | None = None,
        conversation_id: str = "",
        connected_platforms: Collection[str] = (),
        stop_event: asyncio.Event | None = None,
    ) -> None:
        self._notifications = notifications
        self._platform = platform
        self._conversation_id = conversation_id
        self._send = send
        self._editor = editor
        self._connected_platforms = connected_platforms
        self._stop_event = stop_event or asyncio.Event()
        self._conversation_tasks: dict[str, asyncio.Task[None]] = {}
        self._conversations_to_recheck: set[str] = set()

    async def deliver_due_messages(self) -> int:
        """Send all due messages and return their number."""
        if self._conversation_id:
            return await self._deliver_to_conversation(self._conversation_id)
        waiting_ids = await self._notifications.list_waiting_conversations(self._platform)
        return sum(await asyncio.gather(*map(self._deliver_to_conversation, waiting_ids)))

    async def start_due_deliveries(self) -> None:
        """Start one task for each conversation with due messages, so a slow one doesn't delay the others.

        Raises:
            DatabaseUnusableError: A delivery that was started earlier has failed.
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
        """Wait until messages in flight are marked delivered; cancel those that take too long."""
        if not self._conversation_tasks:
            return
        tasks = self._conversation_tasks.values()
        await asyncio.wait(tasks, timeout=_FINISH_TIMEOUT.total_seconds())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _deliver_until_empty(self, conversation_id: str) -> None:
        """Send to one conversation until nothing is due, including what arrived meanwhile."""
        while True:
            self._conversations_to_recheck.discard(conversation_id)
            await self._deliver_to_conversation(conversation_id)
            if conversation_id not in self._conversations_to_recheck:
                return

    async def _deliver_to_conversation(self, conversation_id: str) -> int:
        """Send due messages to one conversation until one fails. Return how many were sent."""
        sent_count = 0
        get_edit_intervals = self._editor.get_edit_intervals if self._editor else None
        while due_messages := await self._notifications.list_due(
            self._platform, conversation_id, get_edit_intervals
        ):
            for message in due_messages:
                if not await self._deliver_message(message):
                    return sent_count
                sent_count += 1
        return sent_count

    async def _deliver_message(self, message: DueMessage) -> bool:
        """Send one message. Return whether the next one may follow."""
        if self._stop_event.is_set():
            return False
        try:
            message = await self._notifications.add_diagnosis(message)
            await self._edit_or_send(message, build_notification_message(message))
        except (DeliveryFailedError, OSError) as error:
            await self._notifications.mark_failed(message, str(error) or type(error).__name__)
            return False
        except DestinationGoneError as error:
            # No retry can reach this conversation, and its messages must not block the outbox.
            new_recipient = await self._notifications.reroute(message, self._connected_platforms)
            logger.warning(
                "%s can no longer be reached (%s). Rerouted to: %s.",
                message.recipient,
                error,
                new_recipient or "nobody",
                extra={"action": "destination_gone"},
            )
        return True

    async def _edit_or_send(self, message: DueMessage, reply: Reply) -> None:
        """Edit the message of a burst, unless people deleted it; send any other message."""
        on_delivered = partial(self._notifications.mark_delivered, message)
        sent = message.burst.message if message.burst and not message.is_file else None
        if sent and self._editor and await self._editor.edit(sent.conversation, sent.id, reply):
            await on_delivered(sent)
        else:
            await self._send(message.recipient, reply, on_delivered)
