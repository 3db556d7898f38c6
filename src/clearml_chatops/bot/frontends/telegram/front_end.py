"""The Telegram front end: it connects the parts that receive updates with those that send messages."""

import asyncio
import contextlib
from collections.abc import Iterator, Sequence
from datetime import timedelta

from aiohttp.web import RouteDef
from telegram import Message, Update
from telegram.error import TelegramError

from clearml_chatops.bot.frontends.front_end import (
    Actions,
    Cards,
    Conversations,
    DeliveryFailedError,
    MessageHandler,
    OnDelivered,
    Requests,
    ignore_delivery,
)
from clearml_chatops.bot.frontends.telegram.client import TelegramClient
from clearml_chatops.bot.frontends.telegram.command_menus import CommandMenus, ListAdminIds
from clearml_chatops.bot.frontends.telegram.connection import Connection
from clearml_chatops.bot.frontends.telegram.errors import to_delivery_error
from clearml_chatops.bot.frontends.telegram.incoming_messages import TELEGRAM
from clearml_chatops.bot.frontends.telegram.running_commands import RunningCommands
from clearml_chatops.bot.frontends.telegram.sender import Sender
from clearml_chatops.bot.frontends.telegram.update_handler import UpdateHandler
from clearml_chatops.handlers.registry import Registry
from clearml_chatops.models.cards import EditIntervals
from clearml_chatops.models.errors import ChatOpsError
from clearml_chatops.models.messages import Conversation
from clearml_chatops.models.replies import Reply

_GROUP_EDIT_INTERVALS = EditIntervals(card=timedelta(seconds=10), conversation=timedelta(seconds=6))
_PRIVATE_EDIT_INTERVALS = EditIntervals(card=timedelta(seconds=3), conversation=timedelta(seconds=1))
_FIRST_MENU_DELAY = timedelta(seconds=2)
_MAX_MENU_DELAY = timedelta(minutes=1)
_FINISH_TIMEOUT = timedelta(seconds=3)
_CANCEL_TIMEOUT = timedelta(seconds=0.7)


class TelegramFrontEnd:
    """One bot on Telegram, by long polling or by webhook.

    Args:
        handle: Answers messages.
        registry: The commands.
        actions: The actions behind buttons.
        requests: The updates that were handled.
        cards: The experiments that messages are about.
        conversations: Saves the new ids of groups that become supergroups.
        list_admin_ids: Returns the Telegram ids of the people who see the commands of admins.
        token: The bot's token.
        api_url: A proxy or an own Bot API server; empty for Telegram's own.
        webhook_url: The public address for the webhook; empty for long polling.
        typing_delay: How long a command may take before “typing…” is shown.

    Raises:
        SettingsError: The token or an address is malformed.
    """

    platform = TELEGRAM

    def __init__(  # noqa: PLR0913  # keyword-only dependencies
        self,
        *,
        handle: MessageHandler,
        registry: Registry,
        actions: Actions,
        requests: Requests,
        cards: Cards,
        conversations: Conversations,
        list_admin_ids: ListAdminIds,
        token: str,
        api_url: str = "",
        webhook_url: str = "",
        typing_delay: timedelta = timedelta(seconds=1),
    ) -> None:
        self._connection = Connection(
            token=token,
            api_url=api_url,
            webhook_url=webhook_url,
            receive=self._receive,
            on_connected=self._publish_menus,
        )
        self._client = TelegramClient(self._connection.bot, conversations)
        self._sender = Sender(self._client, actions=actions, cards=cards)
        self._command_menus = CommandMenus(self._connection.bot, registry, list_admin_ids)
        self._running_commands = RunningCommands()
        self._update_handler = UpdateHandler(
            bot=self._connection.bot,
            handle=handle,
            registry=registry,
            actions=actions,
            requests=requests,
            cards=cards,
            sender=self._sender,
            typing_delay=typing_delay,
        )
        self._menu_task: asyncio.Task[None] | None = None
        self._is_stopped = False

    @property
    def routes(self) -> Sequence[RouteDef]:
        return self._connection.routes

    async def start(self) -> None:
        """Connect. If Telegram can't be reached, keep trying in the background.

        Raises:
            SettingsError: Telegram doesn't accept the token or the webhook's address.
        """
        await self._connection.open()

    async def stop(self) -> None:
        """Stop within five seconds, most of which are for answering running commands."""
        await self._connection.stop_receiving()
        if self._menu_task is not None:
            self._menu_task.cancel()
            await asyncio.gather(self._menu_task, return_exceptions=True)
        await self._running_commands.finish(finish_timeout=_FINISH_TIMEOUT, cancel_timeout=_CANCEL_TIMEOUT)
        self._is_stopped = True
        await self._connection.close()

    async def deliver(
        self, conversation: Conversation, reply: Reply, on_delivered: OnDelivered = ignore_delivery
    ) -> None:
        """Send a notification. Call `on_delivered` as soon as Telegram has all of it.

        Raises:
            DestinationGoneError: The conversation can no longer be reached.
            DeliveryFailedError: It was not sent, or only a part of it.
        """
        with self._translate_errors():
            await self._sender.send(conversation, reply, on_delivered=on_delivered)

    async def edit(self, conversation: Conversation, message_id: str, reply: Reply) -> bool:
        """Replace a sent message with this reply. A card that was deleted is sent again.

        Returns False if the message was deleted.

        Raises:
            DestinationGoneError, DeliveryFailedError: As `deliver`.
        """
        with self._translate_errors():
            return await self._sender.edit(conversation, message_id, reply)

    def get_edit_intervals(self, conversation: Conversation) -> EditIntervals:
        """Return the pauses between edits.

        A group takes 20 messages and edits a minute, and edits use half of them. A private chat takes one a
        second.
        """
        return _GROUP_EDIT_INTERVALS if conversation.id.startswith("-") else _PRIVATE_EDIT_INTERVALS

    @contextlib.contextmanager
    def _translate_errors(self) -> Iterator[None]:
        if self._is_stopped:
            raise DeliveryFailedError("The connection is closed.")
        try:
            yield
        except TelegramError as error:
            raise to_delivery_error(error) from error
        except ChatOpsError as error:
            raise DeliveryFailedError(str(error)) from error

    def _publish_menus(self) -> None:
        self._menu_task = asyncio.create_task(self._publish_menus_until_done())

    async def _publish_menus_until_done(self) -> None:
        delay = _FIRST_MENU_DELAY
        while not await self._command_menus.publish():
            await asyncio.sleep(delay.total_seconds())
            delay = min(delay * 2, _MAX_MENU_DELAY)

    def _receive(self, update: Update) -> None:
        if update.callback_query is not None:
            press = self._update_handler.handle_button_press(update.callback_query, update.update_id)
            self._running_commands.start(press)
        elif update.message is not None:
            self._receive_message(update.message, update.update_id)

    def _receive_message(self, message: Message, update_id: int) -> None:
        if message.migrate_to_chat_id is not None:
            self._running_commands.start(self._follow_move(message.chat.id, message.migrate_to_chat_id))
        elif message.migrate_from_chat_id is not None:
            self._running_commands.start(self._follow_move(message.migrate_from_chat_id, message.chat.id))
        else:
            self._running_commands.start(self._answer_message(message, update_id))

    async def _answer_message(self, message: Message, update_id: int) -> None:
        await self._update_handler.handle_message(message, update_id)
        if message.chat.type == message.chat.PRIVATE:
            # Afterwards, because the first command after an outage makes somebody known as an admin.
            await self._command_menus.publish_if_admin(message.chat.id)

    async def _follow_move(self, old_chat_id: int, new_chat_id: int) -> None:
        await self._client.follow_move(Conversation(TELEGRAM, str(old_chat_id)), new_chat_id)
