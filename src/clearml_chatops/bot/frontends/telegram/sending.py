"""Replies on their way out: each message sent, its buttons given tokens, its experiment remembered."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from telegram import InlineKeyboardButton, InlineKeyboardMarkup, LinkPreviewOptions, Message, ReplyParameters
from telegram.constants import ParseMode
from telegram.error import BadRequest, ChatMigrated, NetworkError
from telegram.ext import ExtBot

from clearml_chatops.bot.frontends.front_end import Actions, Cards
from clearml_chatops.bot.frontends.telegram.errors import is_deleted, is_not_modified, is_passing
from clearml_chatops.bot.frontends.telegram.keyboards import Rows
from clearml_chatops.bot.frontends.telegram.rendering import (
    OutgoingMessage,
    TextMessage,
    render,
    render_in_one,
)
from clearml_chatops.models.actions import Action
from clearml_chatops.models.errors import ChatOpsError
from clearml_chatops.models.messages import Conversation
from clearml_chatops.models.replies import Button, Reply

logger = logging.getLogger(__name__)

_PAUSES_SECONDS = (0.5, 1.0, 2.0)
"""Between tries of one message while the connection fails."""

_Result = TypeVar("_Result")

_NO_PREVIEW = LinkPreviewOptions(is_disabled=True)


class Sender:
    """Sends and edits. All its methods raise the library's `TelegramError` when Telegram does not let them."""

    def __init__(self, bot: ExtBot[Any], *, actions: Actions, cards: Cards) -> None:
        self._bot = bot
        self._actions = actions
        self._cards = cards
        self._moved: dict[str, str] = {}

    async def send(self, conversation: Conversation, reply: Reply, *, answers: int | None = None) -> None:
        """Sends all messages of a reply; the first one answers the message `answers`, if there still is one."""
        for number, message in enumerate(render(reply)):
            sent = await self._send(conversation, message, answers if number == 0 else None)
            await self._remember_card(conversation, str(sent.message_id), reply)

    async def edit(self, conversation: Conversation, message_id: str, reply: Reply) -> None:
        """Has a message that was sent show this reply. One that was deleted is sent anew."""
        message = render_in_one(reply)
        keyboard = await self._keyboard(message.rows)
        try:
            await self._persist(
                conversation,
                lambda chat: self._bot.edit_message_text(
                    message.html,
                    chat_id=chat,
                    message_id=int(message_id),
                    parse_mode=ParseMode.HTML,
                    reply_markup=keyboard,
                    link_preview_options=_NO_PREVIEW,
                ),
            )
        except BadRequest as error:
            if is_deleted(error):
                await self.send(conversation, reply)
            elif not is_not_modified(error):
                raise

    async def show_typing(self, conversation: Conversation) -> None:
        await self._bot.send_chat_action(
            self._chat(conversation), "typing", message_thread_id=_thread(conversation)
        )

    async def _send(self, conversation: Conversation, message: OutgoingMessage, answers: int | None) -> Message:
        keyboard = await self._keyboard(message.rows)
        reply_to = ReplyParameters(answers, allow_sending_without_reply=True) if answers is not None else None
        thread = _thread(conversation)
        if isinstance(message, TextMessage):
            return await self._persist(
                conversation,
                lambda chat: self._bot.send_message(
                    chat,
                    message.html,
                    parse_mode=ParseMode.HTML,
                    message_thread_id=thread,
                    reply_parameters=reply_to,
                    reply_markup=keyboard,
                    link_preview_options=_NO_PREVIEW,
                ),
            )
        return await self._persist(
            conversation,
            lambda chat: self._bot.send_document(
                chat,
                message.content,
                filename=message.name,
                caption=message.caption,
                parse_mode=ParseMode.HTML,
                message_thread_id=thread,
                reply_parameters=reply_to,
                reply_markup=keyboard,
            ),
        )

    async def _remember_card(self, conversation: Conversation, message_id: str, reply: Reply) -> None:
        if not reply.experiment_id:
            return
        try:
            await self._cards.remember(conversation, message_id, reply.experiment_id, is_card=reply.is_card)
        except ChatOpsError as error:
            logger.warning("A card will not know its experiment: %s", error, extra={"action": "card_lost"})

    async def _keyboard(self, rows: Rows) -> InlineKeyboardMarkup | None:
        """The buttons, each with a token. An answer without them is better than none."""
        if not rows:
            return None
        try:
            return InlineKeyboardMarkup([[await self._button(button) for button in row] for row in rows])
        except ChatOpsError as error:
            logger.warning("Buttons are left out: %s", error, extra={"action": "buttons_lost"})
            return None

    async def _button(self, button: Button) -> InlineKeyboardButton:
        token = await self._actions.remember(Action(button.command, in_place=button.in_place))
        return InlineKeyboardButton(button.label, callback_data=token)

    async def _persist(self, conversation: Conversation, request: Callable[[int], Awaitable[_Result]]) -> _Result:
        """What the request gives, made again while the connection fails, and where the group has moved to.

        A connection can be lost after Telegram has carried the request out, and nothing tells the two apart.
        Then the message comes twice, which is better than an answer that never comes.
        """
        for pause in _PAUSES_SECONDS:
            try:
                return await request(self._chat(conversation))
            except ChatMigrated as error:
                self._moved[conversation.id] = str(error.new_chat_id)
            except NetworkError as error:
                if not is_passing(error):
                    raise
                await asyncio.sleep(pause)
        return await request(self._chat(conversation))

    def _chat(self, conversation: Conversation) -> int:
        return int(self._moved.get(conversation.id, conversation.id))


def _thread(conversation: Conversation) -> int | None:
    return int(conversation.thread) if conversation.thread else None
