"""Replies on their way out: each message sent, its buttons given tokens, its experiment remembered."""

import logging
from dataclasses import replace

from telegram import InlineKeyboardButton, InlineKeyboardMarkup, User

from clearml_chatops.bot.frontends.front_end import Actions, Arrived, Cards, nothing_to_note
from clearml_chatops.bot.frontends.telegram.keyboards import Key, Rows
from clearml_chatops.bot.frontends.telegram.outgoing import QuestionMessage, ShownMessage, TextMessage
from clearml_chatops.bot.frontends.telegram.questions import forced_reply, question_html
from clearml_chatops.bot.frontends.telegram.rendering import render, render_in_one
from clearml_chatops.bot.frontends.telegram.wire import Wire
from clearml_chatops.models.actions import Action
from clearml_chatops.models.errors import ChatOpsError
from clearml_chatops.models.messages import Conversation
from clearml_chatops.models.replies import Outcome, Reply

logger = logging.getLogger(__name__)


class Sender:
    """Sends and edits. All its methods raise the library's `TelegramError` when Telegram does not let them."""

    def __init__(self, wire: Wire, *, actions: Actions, cards: Cards) -> None:
        self._wire = wire
        self._actions = actions
        self._cards = cards

    async def send(
        self,
        conversation: Conversation,
        reply: Reply,
        *,
        answers: int | None = None,
        asked: User | None = None,
        arrived: Arrived = nothing_to_note,
    ) -> None:
        """Sends all messages of a reply; the first one answers the message `answers`, if there still is one.

        `asked` is who has to answer a question in a group, where others read it too. `arrived` is done the
        moment Telegram has the last message.
        """
        messages = render(reply)
        last = len(messages) - 1
        for number, message in enumerate(messages):
            to = answers if number == 0 else None
            if isinstance(message, QuestionMessage):
                await self._ask_new(conversation, message.action, reply, answers=to, asked=asked)
                continue
            sent = await self._wire.send(conversation, message, await self._keyboard(message.rows), answers=to)
            if number == last:
                await arrived()
            conversation = replace(conversation, id=str(sent.chat.id))
            # Only one message can be the card: the one with the buttons.
            await self._remember_card(
                conversation, str(sent.message_id), reply, is_card=reply.is_card and number == last
            )

    async def show_typing(self, conversation: Conversation) -> None:
        await self._wire.show_typing(conversation)

    async def edit(self, conversation: Conversation, message_id: str, reply: Reply) -> None:
        """Has a message that was sent show this reply.

        A card that was deleted is sent anew, and the new message is the card from now on. What else was
        deleted, such as a card that only says that a newer one stands further down, stays deleted.
        """
        message = render_in_one(reply)
        keyboard = await self._keyboard(message.rows)
        if not await self._wire.edit(conversation, message_id, message, keyboard) and reply.is_card:
            await self.send(conversation, reply)

    async def put_in_place(
        self, conversation: Conversation, message_id: int, reply: Reply, *, asked: User | None = None
    ) -> None:
        """Has the answer to a button take the place of the message that has the button.

        What is more than one message is sent anew instead, so that nothing is left out; and so is what went
        wrong, which takes no list away and leaves its buttons to try again.
        """
        messages = render(reply)
        message = messages[0]
        in_place = len(messages) == 1 and reply.outcome in {Outcome.DONE, Outcome.ASKED}
        if not in_place or isinstance(message, QuestionMessage):
            await self.send(conversation, reply, answers=message_id, asked=asked)
            return
        await self._replace(conversation, str(message_id), message, reply)

    async def ask(
        self,
        conversation: Conversation,
        action: Action,
        token: str,
        *,
        about: str,
        answers: int | None,
        asked: User | None,
    ) -> None:
        """Asks the question of an action, and has it noted by which message it was asked.

        `about` is the experiment that the answer is about.

        Raises:
            ChatOpsError: it cannot be noted, so the answer to it will not be understood.
        """
        text = TextMessage(question_html(action.question, asked))
        reply_markup = forced_reply(action.question, selective=asked is not None)
        sent = await self._wire.send(conversation, text, reply_markup, answers=answers)
        conversation = replace(conversation, id=str(sent.chat.id))
        message_id = str(sent.message_id)
        await self._actions.remember_question(conversation, message_id, token)
        if about:
            await self._cards.remember(conversation, message_id, about, is_card=False)

    async def _ask_new(
        self, conversation: Conversation, action: Action, reply: Reply, *, answers: int | None, asked: User | None
    ) -> None:
        token = await self._actions.remember(action)
        about = reply.experiment_id
        await self.ask(conversation, action, token, about=about, answers=answers, asked=asked)

    async def _replace(
        self, conversation: Conversation, message_id: str, message: ShownMessage, reply: Reply
    ) -> None:
        keyboard = await self._keyboard(message.rows)
        if not await self._wire.edit(conversation, message_id, message, keyboard):
            sent = await self._wire.send(conversation, message, keyboard)
            conversation, message_id = replace(conversation, id=str(sent.chat.id)), str(sent.message_id)
        await self._remember_card(conversation, message_id, reply, is_card=reply.is_card)

    async def _remember_card(
        self, conversation: Conversation, message_id: str, reply: Reply, *, is_card: bool
    ) -> None:
        if not reply.experiment_id:
            return
        try:
            await self._cards.remember(conversation, message_id, reply.experiment_id, is_card=is_card)
        except ChatOpsError as error:
            logger.warning("A card will not know its experiment: %s", error, extra={"action": "card_lost"})

    async def _keyboard(self, rows: Rows) -> InlineKeyboardMarkup | None:
        """The buttons, each with a token. An answer without them is better than none."""
        if not rows:
            return None
        try:
            return InlineKeyboardMarkup([[await self._button(key) for key in row] for row in rows])
        except ChatOpsError as error:
            logger.warning("Buttons are left out: %s", error, extra={"action": "buttons_lost"})
            return None

    async def _button(self, key: Key) -> InlineKeyboardButton:
        return InlineKeyboardButton(key.label, callback_data=await self._actions.remember(key.action))
