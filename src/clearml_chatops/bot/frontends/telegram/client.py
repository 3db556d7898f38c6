"""The client that sends and edits single Telegram messages, with retries while the connection fails."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, TypeVar

from telegram import (
    ForceReply,
    InlineKeyboardMarkup,
    InputMediaDocument,
    InputMediaPhoto,
    LinkPreviewOptions,
    Message,
    ReplyParameters,
)
from telegram.constants import ParseMode
from telegram.error import BadRequest, ChatMigrated, NetworkError
from telegram.ext import ExtBot

from clearml_chatops.bot.frontends.front_end import Conversations
from clearml_chatops.bot.frontends.telegram.errors import (
    has_no_text,
    is_not_editable,
    is_not_modified,
    is_photo_refused,
    is_too_long,
    is_transient,
)
from clearml_chatops.bot.frontends.telegram.outgoing_messages import (
    DocumentMessage,
    MediaMessage,
    PhotoMessage,
    ShownMessage,
    TextMessage,
)
from clearml_chatops.models.errors import ChatOpsError
from clearml_chatops.models.messages import Conversation

logger = logging.getLogger(__name__)

_RETRY_DELAYS_SECONDS = (0.5, 1.0, 2.0)
"""Between attempts to send one message while the connection fails."""

_NO_PREVIEW = LinkPreviewOptions(is_disabled=True)
_Result = TypeVar("_Result")


class TelegramClient:
    """Sends and edits single messages.

    All methods raise the library's `TelegramError` if Telegram refuses a request. The library's rate limiter
    waits after a 429. If a group has become a supergroup, messages go there and `conversations` saves its new id.
    """

    def __init__(self, bot: ExtBot[Any], conversations: Conversations) -> None:
        self._bot = bot
        self._conversations = conversations

    async def send(
        self,
        conversation: Conversation,
        message: ShownMessage,
        keyboard: InlineKeyboardMarkup | ForceReply | None,
        *,
        reply_to_message_id: int | None = None,
    ) -> Message:
        """Send a message, as a reply to another one if that still exists."""
        if isinstance(message, TextMessage):
            return await self._call_in_chat(
                conversation,
                lambda chat: self._bot.send_message(
                    chat,
                    message.html,
                    parse_mode=ParseMode.HTML,
                    message_thread_id=_get_thread_id(conversation),
                    reply_parameters=_build_reply_parameters(reply_to_message_id),
                    reply_markup=keyboard,
                    link_preview_options=_NO_PREVIEW,
                ),
            )
        try:
            return await self._send_media(conversation, message, keyboard, reply_to_message_id)
        except BadRequest as error:
            if isinstance(message, DocumentMessage) or not is_photo_refused(error):
                raise
            as_file = DocumentMessage(message.name, message.content, message.caption)
            return await self._send_media(conversation, as_file, keyboard, reply_to_message_id)

    async def edit(
        self,
        conversation: Conversation,
        message_id: str,
        message: ShownMessage,
        keyboard: InlineKeyboardMarkup | None,
    ) -> bool:
        """Edit a message. Return whether it now shows the new content.

        It doesn't if it was deleted, is too old, stayed behind when its group moved, or is a caption that
        is too short for the text.
        """
        # When a group moves, its cards move without their messages and get ids that aren't numbers.
        if not message_id.isdecimal():
            return False
        try:
            await self._retry(lambda: self._edit(int(conversation.id), int(message_id), message, keyboard))
        except ChatMigrated as error:
            # Message ids start again in a supergroup, so the old id would be another message there.
            await self.follow_move(conversation, error.new_chat_id)
            return False
        except BadRequest as error:
            if isinstance(message, TextMessage) and has_no_text(error):
                return await self._edit_caption(conversation, int(message_id), message, keyboard)
            return _is_already_shown(error)
        return True

    async def delete(self, conversation: Conversation, message_id: int) -> None:
        await self._retry(lambda: self._bot.delete_message(int(conversation.id), message_id))

    async def show_typing(self, conversation: Conversation) -> None:
        await self._bot.send_chat_action(
            int(conversation.id), "typing", message_thread_id=_get_thread_id(conversation)
        )

    async def follow_move(self, conversation: Conversation, new_chat_id: int) -> Conversation:
        """Save that a group has a new id, and return the conversation with that id."""
        new_conversation = replace(conversation, id=str(new_chat_id))
        try:
            await self._conversations.move(replace(conversation, thread=""), replace(new_conversation, thread=""))
        except ChatOpsError as error:
            # The next message to the old id finds it again.
            logger.warning(
                "Can't save the new id of a group: %s", error, extra={"action": "telegram_move_not_saved"}
            )
        return new_conversation

    async def _send_media(
        self,
        conversation: Conversation,
        message: MediaMessage,
        keyboard: InlineKeyboardMarkup | ForceReply | None,
        reply_to_message_id: int | None,
    ) -> Message:
        method: Any = self._bot.send_photo if isinstance(message, PhotoMessage) else self._bot.send_document
        sent: Message = await self._call_in_chat(
            conversation,
            lambda chat: method(
                chat,
                message.content,
                filename=message.name,
                caption=message.caption,
                parse_mode=ParseMode.HTML,
                message_thread_id=_get_thread_id(conversation),
                reply_parameters=_build_reply_parameters(reply_to_message_id),
                reply_markup=keyboard,
            ),
        )
        return sent

    async def _edit(
        self, chat_id: int, message_id: int, message: ShownMessage, keyboard: InlineKeyboardMarkup | None
    ) -> object:
        if isinstance(message, TextMessage):
            return await self._bot.edit_message_text(
                message.html,
                chat_id=chat_id,
                message_id=message_id,
                parse_mode=ParseMode.HTML,
                reply_markup=keyboard,
                link_preview_options=_NO_PREVIEW,
            )
        media_class = InputMediaPhoto if isinstance(message, PhotoMessage) else InputMediaDocument
        media = media_class(
            message.content, caption=message.caption, parse_mode=ParseMode.HTML, filename=message.name
        )
        return await self._bot.edit_message_media(
            media, chat_id=chat_id, message_id=message_id, reply_markup=keyboard
        )

    async def _edit_caption(
        self,
        conversation: Conversation,
        message_id: int,
        message: TextMessage,
        keyboard: InlineKeyboardMarkup | None,
    ) -> bool:
        """Edit the caption of a picture or a file. Delete the message if the text is too long for a caption."""
        try:
            await self._retry(
                lambda: self._bot.edit_message_caption(
                    int(conversation.id),
                    message_id,
                    caption=message.html,
                    parse_mode=ParseMode.HTML,
                    reply_markup=keyboard,
                )
            )
        except BadRequest as error:
            if not is_too_long(error):
                return _is_already_shown(error)
            # A message older than two days can't be deleted. It then stays above the new one.
            with contextlib.suppress(BadRequest):
                await self.delete(conversation, message_id)
            return False
        return True

    async def _call_in_chat(
        self, conversation: Conversation, request: Callable[[int], Awaitable[_Result]]
    ) -> _Result:
        try:
            return await self._retry(lambda: request(int(conversation.id)))
        except ChatMigrated as error:
            new_chat_id = error.new_chat_id
        await self.follow_move(conversation, new_chat_id)
        return await self._retry(lambda: request(new_chat_id))

    async def _retry(self, request: Callable[[], Awaitable[_Result]]) -> _Result:
        """Make a request, with retries while the connection fails.

        A connection can also fail after Telegram has carried out the request, and the error is the same.
        Then the message is sent twice, which is better than a reply that never comes.
        """
        for delay in _RETRY_DELAYS_SECONDS:
            try:
                return await request()
            except NetworkError as error:
                if not is_transient(error):
                    raise
                await asyncio.sleep(delay)
        return await request()


def _build_reply_parameters(message_id: int | None) -> ReplyParameters | None:
    return ReplyParameters(message_id, allow_sending_without_reply=True) if message_id is not None else None


def _is_already_shown(error: BadRequest) -> bool:
    """Return whether a message already shows the new content, by the error that refused its edit.

    Raises:
        BadRequest: The edit was refused for another reason than that or a missing message.
    """
    if not is_not_modified(error) and not is_not_editable(error):
        raise error
    return is_not_modified(error)


def _get_thread_id(conversation: Conversation) -> int | None:
    return int(conversation.thread) if conversation.thread else None
