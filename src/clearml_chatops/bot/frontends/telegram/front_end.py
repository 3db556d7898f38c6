"""Telegram as a place to talk to the bot: messages and presses become commands, replies become messages."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Iterator, Sequence
from datetime import timedelta

from aiohttp.web import RouteDef
from telegram import CallbackQuery, Message, Update, User
from telegram.error import TelegramError

from clearml_chatops.bot.frontends.front_end import Actions, Cards, DeliveryFailedError
from clearml_chatops.bot.frontends.telegram.connection import Connection
from clearml_chatops.bot.frontends.telegram.duplicates import SeenUpdates
from clearml_chatops.bot.frontends.telegram.errors import translated
from clearml_chatops.bot.frontends.telegram.incoming import (
    TELEGRAM,
    command_line,
    conversation_of,
    conversation_of_press,
    incoming,
    replied_to,
)
from clearml_chatops.bot.frontends.telegram.menu import publish_menus
from clearml_chatops.bot.frontends.telegram.sending import Sender
from clearml_chatops.bot.frontends.telegram.sign_of_life import typing_after
from clearml_chatops.bot.frontends.telegram.under_way import CommandsUnderWay
from clearml_chatops.bot.frontends.telegram.welcome import is_first_step, welcome
from clearml_chatops.handlers.registry import Registry
from clearml_chatops.models.errors import ChatOpsError
from clearml_chatops.models.messages import Conversation, IncomingMessage
from clearml_chatops.models.replies import Outcome, Reply, Text, Tone

logger = logging.getLogger(__name__)

_EXPIRED = "This button has expired. Ask for the card again, for example with /show, and press it there."
_APOLOGY = "Something unexpected happened, and an admin finds it in the log. Look with /show before you repeat it."
_STOPPED = "I was stopped before this was finished, so it may or may not have been done; look with /show."

_LONGEST_ALERT = 200
_PAUSE_IN_GROUPS = timedelta(seconds=10)
_PAUSE_IN_PRIVATE = timedelta(seconds=3)
_GRACE = timedelta(seconds=3)
_TIME_TO_SAY_SO = timedelta(seconds=0.7)

Handle = Callable[[IncomingMessage], Awaitable[Reply]]


class TelegramFrontEnd:
    """One bot on Telegram, polling.

    `handle` answers messages; `actions` remembers what buttons do, `cards` which experiment a message is
    about. `patience` is how long a command may take before “typing…” is shown.

    Raises:
        SettingsError: the token or the address cannot be one.
    """

    platform = TELEGRAM

    def __init__(
        self,
        *,
        handle: Handle,
        registry: Registry,
        actions: Actions,
        cards: Cards,
        token: str,
        api_url: str = "",
        webhook_url: str = "",
        patience: timedelta = timedelta(seconds=1),
    ) -> None:
        self._handle = handle
        self._registry = registry
        self._actions = actions
        self._cards = cards
        self._patience = patience
        self._webhook_url = webhook_url
        self._connection = Connection(token=token, api_url=api_url, receive=self._receive, connected=self._greet)
        self._sender = Sender(self._connection.bot, actions=actions, cards=cards)
        self._seen = SeenUpdates()
        self._under_way = CommandsUnderWay()
        self._stopped = False

    @property
    def routes(self) -> Sequence[RouteDef]:
        return ()

    async def start(self) -> None:
        """Begins to listen. Where Telegram cannot be reached now, this returns and it is tried again.

        Raises:
            SettingsError: Telegram does not accept the token.
        """
        await self._connection.open()

    async def stop(self) -> None:
        """Ends within five seconds. Commands under way have most of them to be answered."""
        await self._connection.stop_receiving()
        await self._under_way.finish(within=_GRACE, then=_TIME_TO_SAY_SO)
        self._stopped = True
        await self._connection.close()

    async def deliver(self, conversation: Conversation, reply: Reply) -> None:
        """Sends what nobody asked for; returns when Telegram has all of it.

        Raises:
            DestinationGoneError: nothing can be sent there any more.
            DeliveryFailedError: it was not sent, or not all of it.
        """
        with self._own_errors():
            await self._sender.send(conversation, reply)

    async def edit(self, conversation: Conversation, message_id: str, reply: Reply) -> None:
        """Has a message that was sent show this reply. One that was deleted is sent anew.

        Raises:
            DestinationGoneError, DeliveryFailedError: as `deliver`.
        """
        with self._own_errors():
            await self._sender.edit(conversation, message_id, reply)

    def pause_between_edits(self, conversation: Conversation) -> timedelta:
        """Groups take 20 messages and edits a minute; a private chat one a second."""
        is_group = conversation.id.startswith("-")
        return _PAUSE_IN_GROUPS if is_group else _PAUSE_IN_PRIVATE

    @contextlib.contextmanager
    def _own_errors(self) -> Iterator[None]:
        if self._stopped:
            raise DeliveryFailedError("The connection is closed.")
        try:
            yield
        except TelegramError as error:
            raise translated(error) from error

    def _greet(self) -> None:
        self._under_way.begin(self._publish_menus())

    async def _publish_menus(self) -> None:
        try:
            await publish_menus(self._connection.bot, self._registry)
        except TelegramError as error:
            # A bot without a menu still does everything.
            logger.warning(
                "The menu of commands was not published: %s", error.message, extra={"action": "menu_failed"}
            )

    def _receive(self, update: Update) -> None:
        if not self._seen.is_new(update.update_id):
            return
        if update.callback_query is not None:
            self._under_way.begin(self._pressed(update.callback_query))
        elif update.message is not None:
            self._under_way.begin(self._heard(update.message))

    async def _heard(self, message: Message) -> None:
        sender = message.from_user
        # Who writes in the name of a group or a channel cannot be known, and so may nothing.
        if sender is None or sender.is_bot or message.sender_chat is not None:
            return
        line = command_line(message, bot=self._connection.bot.bot, registry=self._registry)
        if line is not None:
            replied = replied_to(message)
            await self._answer(
                sender, conversation_of(message), line, answers=message.id, about=replied.id if replied else None
            )

    async def _pressed(self, query: CallbackQuery) -> None:
        """Runs what a button stands for, as the person who pressed it."""
        try:
            action = await self._actions.recall(query.data or "")
            trouble = _EXPIRED
        except ChatOpsError as error:
            action, trouble = None, str(error)
        # The phone shows a spinner until this is answered. After a while it cannot be, and the press counts.
        with contextlib.suppress(TelegramError):
            await (
                query.answer() if action is not None else query.answer(trouble[:_LONGEST_ALERT], show_alert=True)
            )
        if action is not None:
            message_id = query.message.message_id if query.message else None
            await self._answer(
                query.from_user, conversation_of_press(query), action.line, answers=message_id, about=message_id
            )

    async def _answer(
        self, sender: User, conversation: Conversation, line: str, *, answers: int | None, about: int | None
    ) -> None:
        """Has a line carried out and answers the message that it came with. Raises nothing."""
        try:
            async with self._under_way.turn_of((conversation, sender.id)):
                reply = await self._reply(sender, conversation, line, about)
                await self._sender.send(conversation, reply, answers=answers)
        except asyncio.CancelledError:
            with contextlib.suppress(TelegramError):
                await self._sender.send(conversation, _broken(_STOPPED), answers=answers)
            raise
        except TelegramError as error:
            logger.warning(
                "An answer in %s was not sent: %s", conversation, error.message, extra={"action": "answer_lost"}
            )

    async def _reply(self, sender: User, conversation: Conversation, line: str, about: int | None) -> Reply:
        if is_first_step(line, self._registry):
            return welcome(self._registry)
        try:
            experiment = await self._cards.experiment_of(conversation, str(about)) if about is not None else ""
            async with typing_after(self._patience, self._sender, conversation):
                return await self._handle(incoming(sender, conversation, line, experiment))
        except Exception:
            logger.exception("A message from Telegram was not handled.", extra={"action": "unexpected"})
            return _broken(_APOLOGY)


def _broken(sentence: str) -> Reply:
    return Reply((Text(sentence, Tone.FAILURE),), Outcome.BROKEN)
