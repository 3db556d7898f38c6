"""What comes in is answered: messages, presses, and replies to the questions of buttons. Each exactly once."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from telegram import CallbackQuery, Message, User
from telegram.error import TelegramError
from telegram.ext import ExtBot

from clearml_chatops.bot.frontends.front_end import Actions, Cards
from clearml_chatops.bot.frontends.telegram.incoming import (
    command_line,
    conversation_of,
    conversation_of_press,
    incoming,
    is_unreadable,
    replied_to,
)
from clearml_chatops.bot.frontends.telegram.questions import is_command, is_question
from clearml_chatops.bot.frontends.telegram.sending import Sender
from clearml_chatops.bot.frontends.telegram.sign_of_life import typing_after
from clearml_chatops.bot.frontends.telegram.under_way import CommandsUnderWay
from clearml_chatops.handlers.forms import answered_line
from clearml_chatops.handlers.registry import Registry
from clearml_chatops.models.actions import Action
from clearml_chatops.models.errors import ChatOpsError, QuestionExpiredError, TextNeededError
from clearml_chatops.models.messages import Conversation, IncomingMessage
from clearml_chatops.models.replies import Outcome, Reply, Text, Tone

logger = logging.getLogger(__name__)

_EXPIRED = "This button has expired. Ask for the card again, for example with /show, and press it there."
_STOPPED = "I was stopped before this was finished, so it may or may not have been done; look with /show."
_LONGEST_ALERT = 200

Handle = Callable[[IncomingMessage], Awaitable[Reply]]


@dataclass(frozen=True, slots=True)
class _Request:
    """Who wants something and where, the message that is answered, and the one that it is about."""

    sender: User
    conversation: Conversation
    answers: int | None
    about: int | None
    in_place: bool = False

    @property
    def asked(self) -> User | None:
        """Who must be named in a question; in a private chat nobody else is there."""
        return self.sender if self.conversation.id.startswith("-") else None


class Answering:
    """Has command lines carried out and shows what came of them. Nothing here raises.

    `patience` is how long a command may take before “typing…” is shown.
    """

    def __init__(
        self,
        *,
        bot: ExtBot[Any],
        handle: Handle,
        registry: Registry,
        actions: Actions,
        cards: Cards,
        sender: Sender,
        under_way: CommandsUnderWay,
        patience: timedelta,
    ) -> None:
        self._bot = bot
        self._handle = handle
        self._registry = registry
        self._actions = actions
        self._cards = cards
        self._sender = sender
        self._under_way = under_way
        self._patience = patience

    async def heard(self, message: Message) -> None:
        """Answers a message, if it is for the bot."""
        sender = message.from_user
        # Who writes in the name of a group or a channel cannot be known, and so may nothing.
        if sender is None or sender.is_bot or message.sender_chat is not None:
            return
        replied = replied_to(message)
        request = _Request(sender, conversation_of(message), message.id, replied.id if replied else None)
        if replied is not None and self._is_answer(message, replied):
            await self._in_turn(request, lambda: self._take_answer(request, message, replied))
            return
        if is_unreadable(message):
            await self._in_turn(request, lambda: self._tell(request, str(TextNeededError()), Outcome.REFUSED))
            return
        line = command_line(message, bot=self._bot.bot, registry=self._registry)
        if line is not None:
            await self._in_turn(request, lambda: self._carry_out(request, line))

    async def pressed(self, query: CallbackQuery) -> None:
        """Does what a button stands for, as the person who pressed it."""
        try:
            action = await self._actions.recall(query.data or "")
            trouble = _EXPIRED
        except ChatOpsError as error:
            action, trouble = None, str(error)
        message_id = query.message.message_id if query.message else None
        in_place = action is not None and action.in_place
        request = _Request(query.from_user, conversation_of_press(query), message_id, message_id, in_place)
        # The phone shows a spinner until this is answered. After a while it cannot be, and the press counts.
        try:
            await (query.answer(trouble[:_LONGEST_ALERT], show_alert=True) if action is None else query.answer())
        except TelegramError:
            if action is None:
                await self._in_turn(request, lambda: self._tell(request, trouble, Outcome.REFUSED))
        if action is None:
            return
        if action.question:
            await self._in_turn(request, lambda: self._ask(request, action, query.data or ""))
        else:
            await self._in_turn(request, lambda: self._carry_out(request, action.line))

    def _is_answer(self, message: Message, replied: Message) -> bool:
        """Whether a message answers a question of the bot. A command does not, also when it is sent as a reply."""
        asks = replied.from_user is not None and replied.from_user.id == self._bot.id and is_question(replied)
        return asks and not is_command(message.text or "", self._registry)

    async def _take_answer(self, request: _Request, message: Message, question: Message) -> None:
        """Runs the line of a question with the answer behind it, as the person who answered."""
        action = await self._actions.asked_by(request.conversation, str(question.id))
        if action is None:
            raise QuestionExpiredError
        if not message.text:
            raise TextNeededError
        await self._carry_out(request, answered_line(action.line, message.text))

    async def _ask(self, request: _Request, action: Action, token: str) -> None:
        await self._sender.ask(
            request.conversation,
            action,
            token,
            about=await self._experiment_of(request),
            answers=request.answers,
            asked=request.asked,
        )

    async def _carry_out(self, request: _Request, line: str) -> None:
        experiment = await self._experiment_of(request)
        async with typing_after(self._patience, self._sender, request.conversation):
            reply = await self._handle(incoming(request.sender, request.conversation, line, experiment))
        await self._show(request, reply)

    async def _experiment_of(self, request: _Request) -> str:
        if request.about is None:
            return ""
        return await self._cards.experiment_of(request.conversation, str(request.about))

    async def _in_turn(self, request: _Request, work: Callable[[], Awaitable[None]]) -> None:
        """Does one thing of a person after the other, and tells him when it cannot be done or finished."""
        try:
            async with self._under_way.turn_of((request.conversation, request.sender.id)):
                try:
                    await work()
                except ChatOpsError as error:
                    # The database is out of order, or what he answers is not asked any more.
                    await self._tell(request, str(error), Outcome.REFUSED)
        except asyncio.CancelledError:
            with contextlib.suppress(TelegramError):
                await self._tell(request, _STOPPED, Outcome.BROKEN)
            raise
        except TelegramError as error:
            logger.warning(
                "An answer in %s was not sent: %s",
                request.conversation,
                error.message,
                extra={"action": "answer_lost"},
            )

    async def _show(self, request: _Request, reply: Reply) -> None:
        if request.in_place and request.answers is not None:
            await self._sender.put_in_place(request.conversation, request.answers, reply, asked=request.asked)
        else:
            await self._sender.send(request.conversation, reply, answers=request.answers, asked=request.asked)

    async def _tell(self, request: _Request, sentence: str, outcome: Outcome) -> None:
        reply = Reply((Text(sentence, Tone.FAILURE),), outcome)
        await self._sender.send(request.conversation, reply, answers=request.answers)
