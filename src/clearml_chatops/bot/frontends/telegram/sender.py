"""Sending of replies: their messages, the tokens of their buttons, and the experiments they are about."""

import logging
from dataclasses import replace

from telegram import InlineKeyboardButton, InlineKeyboardMarkup, User

from clearml_chatops.bot.frontends.front_end import Actions, Cards, OnDelivered, ignore_delivery
from clearml_chatops.bot.frontends.telegram.client import TelegramClient
from clearml_chatops.bot.frontends.telegram.keyboards import Key, Rows
from clearml_chatops.bot.frontends.telegram.outgoing_messages import QuestionMessage, ShownMessage, TextMessage
from clearml_chatops.bot.frontends.telegram.questions import build_force_reply, render_question
from clearml_chatops.bot.frontends.telegram.rendering import render, render_single_message
from clearml_chatops.models.actions import Action
from clearml_chatops.models.errors import ChatOpsError
from clearml_chatops.models.messages import Conversation, SentMessage
from clearml_chatops.models.replies import Outcome, Reply

logger = logging.getLogger(__name__)


class Sender:
    """Sends and edits replies. All methods raise the library's `TelegramError` if Telegram refuses a request."""

    def __init__(self, client: TelegramClient, *, actions: Actions, cards: Cards) -> None:
        self._client = client
        self._actions = actions
        self._cards = cards

    async def send(
        self,
        conversation: Conversation,
        reply: Reply,
        *,
        reply_to_message_id: int | None = None,
        addressee: User | None = None,
        on_delivered: OnDelivered = ignore_delivery,
    ) -> None:
        """Send all messages of a reply. The first replies to `reply_to_message_id` if that message still exists.

        `addressee` has to answer a question in a group, where others read it, too. `on_delivered` is called as
        soon as Telegram has the last message.
        """
        messages = render(reply)
        last_index = len(messages) - 1
        for index, message in enumerate(messages):
            reply_target = reply_to_message_id if index == 0 else None
            if isinstance(message, QuestionMessage):
                await self._save_and_ask(
                    conversation, message.action, reply, reply_to_message_id=reply_target, addressee=addressee
                )
                continue
            sent = await self._client.send(
                conversation, message, await self._build_keyboard(message.rows), reply_to_message_id=reply_target
            )
            conversation = replace(conversation, id=str(sent.chat.id))
            if index == last_index:
                await on_delivered(SentMessage(conversation, str(sent.message_id)))
            # Only the message with the buttons is the card.
            await self._record_message(
                conversation, str(sent.message_id), reply, is_card=reply.is_card and index == last_index
            )

    async def show_typing(self, conversation: Conversation) -> None:
        await self._client.show_typing(conversation)

    async def edit(self, conversation: Conversation, message_id: str, reply: Reply) -> bool:
        """Replace a sent message with this reply. Return False if it was deleted.

        A card that was deleted is sent again, and the new message is the card from now on. Other deleted
        messages stay deleted, such as a card that only refers to a newer one.
        """
        message = render_single_message(reply)
        keyboard = await self._build_keyboard(message.rows)
        is_edited = await self._client.edit(conversation, message_id, message, keyboard)
        if not is_edited and reply.is_card:
            await self.send(conversation, reply)
        return is_edited

    async def replace_message(
        self, conversation: Conversation, message_id: int, reply: Reply, *, addressee: User | None = None
    ) -> None:
        """Replace the message of a pressed button with the reply to it.

        A reply of several messages is sent as new messages instead, to leave nothing out. So is an error,
        to keep the list and its buttons for another try.
        """
        messages = render(reply)
        message = messages[0]
        fits_in_place = len(messages) == 1 and reply.outcome in {Outcome.DONE, Outcome.ASKED}
        if not fits_in_place or isinstance(message, QuestionMessage):
            await self.send(conversation, reply, reply_to_message_id=message_id, addressee=addressee)
            return
        await self._edit_or_resend(conversation, str(message_id), message, reply)

    async def ask(
        self,
        conversation: Conversation,
        action: Action,
        token: str,
        *,
        experiment_id: str,
        reply_to_message_id: int | None,
        addressee: User | None,
    ) -> None:
        """Ask the question of an action, and save which message asks it.

        `experiment_id` is the experiment that the answer is about, or an empty string.

        Raises:
            ChatOpsError: It can't be saved, so the bot won't understand the answer.
        """
        text = TextMessage(render_question(action.question, addressee))
        reply_markup = build_force_reply(action.question, selective=addressee is not None)
        sent = await self._client.send(conversation, text, reply_markup, reply_to_message_id=reply_to_message_id)
        conversation = replace(conversation, id=str(sent.chat.id))
        message_id = str(sent.message_id)
        await self._actions.record_question(conversation, message_id, token)
        if experiment_id:
            await self._cards.record_message(conversation, message_id, experiment_id, is_card=False)

    async def _save_and_ask(
        self,
        conversation: Conversation,
        action: Action,
        reply: Reply,
        *,
        reply_to_message_id: int | None,
        addressee: User | None,
    ) -> None:
        token = await self._actions.create_token(action)
        experiment_id = reply.experiment_id
        await self.ask(
            conversation,
            action,
            token,
            experiment_id=experiment_id,
            reply_to_message_id=reply_to_message_id,
            addressee=addressee,
        )

    async def _edit_or_resend(
        self, conversation: Conversation, message_id: str, message: ShownMessage, reply: Reply
    ) -> None:
        keyboard = await self._build_keyboard(message.rows)
        if not await self._client.edit(conversation, message_id, message, keyboard):
            sent = await self._client.send(conversation, message, keyboard)
            conversation, message_id = replace(conversation, id=str(sent.chat.id)), str(sent.message_id)
        await self._record_message(conversation, message_id, reply, is_card=reply.is_card)

    async def _record_message(
        self, conversation: Conversation, message_id: str, reply: Reply, *, is_card: bool
    ) -> None:
        if not reply.experiment_id:
            return
        try:
            await self._cards.record_message(conversation, message_id, reply.experiment_id, is_card=is_card)
        except ChatOpsError as error:
            logger.warning(
                "Can't save which experiment a message is about: %s", error, extra={"action": "card_not_saved"}
            )

    async def _build_keyboard(self, rows: Rows) -> InlineKeyboardMarkup | None:
        """Return the buttons, each with a token; None if the tokens can't be saved: the text matters more."""
        if not rows:
            return None
        try:
            return InlineKeyboardMarkup([[await self._build_button(key) for key in row] for row in rows])
        except ChatOpsError as error:
            logger.warning("Sending a reply without its buttons: %s", error, extra={"action": "buttons_not_saved"})
            return None

    async def _build_button(self, key: Key) -> InlineKeyboardButton:
        if key.action is None:
            return InlineKeyboardButton(key.label, url=key.address)
        return InlineKeyboardButton(key.label, callback_data=await self._actions.create_token(key.action))
