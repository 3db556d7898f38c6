"""Telegram as a place to talk to the bot: messages and presses become commands, replies become messages."""

import contextlib
from collections.abc import Iterator, Sequence
from datetime import timedelta

from aiohttp.web import RouteDef
from telegram import Message, Update
from telegram.error import TelegramError

from clearml_chatops.bot.frontends.front_end import (
    Actions,
    Arrived,
    Cards,
    DeliveryFailedError,
    Places,
    nothing_to_note,
)
from clearml_chatops.bot.frontends.telegram.answering import Answering, Handle
from clearml_chatops.bot.frontends.telegram.connection import Connection
from clearml_chatops.bot.frontends.telegram.duplicates import SeenUpdates
from clearml_chatops.bot.frontends.telegram.errors import translated
from clearml_chatops.bot.frontends.telegram.incoming import TELEGRAM
from clearml_chatops.bot.frontends.telegram.menu import Admins, Menus
from clearml_chatops.bot.frontends.telegram.sending import Sender
from clearml_chatops.bot.frontends.telegram.under_way import CommandsUnderWay
from clearml_chatops.bot.frontends.telegram.wire import Wire
from clearml_chatops.handlers.registry import Registry
from clearml_chatops.models.cards import EditPace
from clearml_chatops.models.errors import ChatOpsError
from clearml_chatops.models.messages import Conversation
from clearml_chatops.models.replies import Reply

_PACE_IN_GROUPS = EditPace(card=timedelta(seconds=10), conversation=timedelta(seconds=6))
_PACE_IN_PRIVATE = EditPace(card=timedelta(seconds=3), conversation=timedelta(seconds=1))
_GRACE = timedelta(seconds=3)
_TIME_TO_SAY_SO = timedelta(seconds=0.7)


class TelegramFrontEnd:
    """One bot on Telegram: by long polling, or by webhook where `webhook_url` is its public address.

    `handle` answers messages; `actions` remembers what buttons do, `cards` which experiment a message is
    about; `places` is told of groups that move; `admins` gives the Telegram ids of those who are shown the
    commands of admins. `patience` is how long a command may take before “typing…” is shown.

    Raises:
        SettingsError: the token or an address cannot be one.
    """

    platform = TELEGRAM

    def __init__(  # noqa: PLR0913  # what it works with, each by its name
        self,
        *,
        handle: Handle,
        registry: Registry,
        actions: Actions,
        cards: Cards,
        places: Places,
        admins: Admins,
        token: str,
        api_url: str = "",
        webhook_url: str = "",
        patience: timedelta = timedelta(seconds=1),
    ) -> None:
        self._connection = Connection(
            token=token,
            api_url=api_url,
            webhook_url=webhook_url,
            receive=self._receive,
            connected=self._publish_menus,
        )
        self._wire = Wire(self._connection.bot, places)
        self._sender = Sender(self._wire, actions=actions, cards=cards)
        self._menus = Menus(self._connection.bot, registry, admins)
        self._seen = SeenUpdates()
        self._under_way = CommandsUnderWay()
        self._answering = Answering(
            bot=self._connection.bot,
            handle=handle,
            registry=registry,
            actions=actions,
            cards=cards,
            sender=self._sender,
            under_way=self._under_way,
            patience=patience,
        )
        self._stopped = False

    @property
    def routes(self) -> Sequence[RouteDef]:
        return self._connection.routes

    async def start(self) -> None:
        """Begins to listen. Where Telegram cannot be reached now, this returns and it is tried again.

        Raises:
            SettingsError: Telegram does not accept the token or the webhook's address.
        """
        await self._connection.open()

    async def stop(self) -> None:
        """Ends within five seconds. Commands under way have most of them to be answered."""
        await self._connection.stop_receiving()
        await self._under_way.finish(within=_GRACE, then=_TIME_TO_SAY_SO)
        self._stopped = True
        await self._connection.close()

    async def deliver(self, conversation: Conversation, reply: Reply, arrived: Arrived = nothing_to_note) -> None:
        """Sends what nobody asked for; it has `arrived` when Telegram has all of it.

        Raises:
            DestinationGoneError: nothing can be sent there any more.
            DeliveryFailedError: it was not sent, or not all of it.
        """
        with self._own_errors():
            await self._sender.send(conversation, reply, arrived=arrived)

    async def edit(self, conversation: Conversation, message_id: str, reply: Reply) -> None:
        """Has a message that was sent show this reply. A card that was deleted is sent anew.

        Raises:
            DestinationGoneError, DeliveryFailedError: as `deliver`.
        """
        with self._own_errors():
            await self._sender.edit(conversation, message_id, reply)

    def edit_pace(self, conversation: Conversation) -> EditPace:
        """Groups take 20 messages and edits a minute, of which edits get the half; a private chat one a second."""
        return _PACE_IN_GROUPS if conversation.id.startswith("-") else _PACE_IN_PRIVATE

    @contextlib.contextmanager
    def _own_errors(self) -> Iterator[None]:
        if self._stopped:
            raise DeliveryFailedError("The connection is closed.")
        try:
            yield
        except TelegramError as error:
            raise translated(error) from error
        except ChatOpsError as error:
            raise DeliveryFailedError(str(error)) from error

    def _publish_menus(self) -> None:
        self._under_way.begin(self._menus.publish())

    def _receive(self, update: Update) -> None:
        if not self._seen.is_new(update.update_id):
            return
        if update.callback_query is not None:
            self._under_way.begin(self._answering.pressed(update.callback_query))
        elif update.message is not None:
            self._hear(update.message)

    def _hear(self, message: Message) -> None:
        if message.migrate_to_chat_id is not None:
            self._under_way.begin(self._has_moved(message.chat.id, message.migrate_to_chat_id))
        elif message.migrate_from_chat_id is not None:
            self._under_way.begin(self._has_moved(message.migrate_from_chat_id, message.chat.id))
        else:
            self._under_way.begin(self._answering.heard(message))
        if message.chat.type == message.chat.PRIVATE:
            self._under_way.begin(self._menus.has_written(message.chat.id))

    async def _has_moved(self, old_chat: int, new_chat: int) -> None:
        await self._wire.moved(Conversation(TELEGRAM, str(old_chat)), new_chat)
