"""The handler of Telegram's updates: messages, button presses and answers to questions."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from telegram import CallbackQuery, Message, User
from telegram.error import TelegramError
from telegram.ext import ExtBot

from clearml_chatops.bot.frontends.front_end import (
    INTERRUPTED_REPLY,
    STOPPED_TEXT,
    Actions,
    Cards,
    MessageHandler,
    Requests,
)
from clearml_chatops.bot.frontends.request_order import Place, RequestOrder
from clearml_chatops.bot.frontends.telegram.incoming_messages import (
    TELEGRAM,
    build_incoming_message,
    get_button_conversation,
    get_conversation,
    get_replied_message,
    is_unsupported,
    parse_command_line,
)
from clearml_chatops.bot.frontends.telegram.questions import is_command, is_question
from clearml_chatops.bot.frontends.telegram.sender import Sender
from clearml_chatops.bot.frontends.telegram.typing_indicator import show_typing_indicator
from clearml_chatops.handlers.forms import append_answer
from clearml_chatops.handlers.registry import Registry
from clearml_chatops.models.actions import Action
from clearml_chatops.models.errors import ChatOpsError, QuestionExpiredError, TextNeededError
from clearml_chatops.models.messages import Conversation
from clearml_chatops.models.replies import Outcome, Reply, Text, Tone
from clearml_chatops.models.requests import RequestState

logger = logging.getLogger(__name__)

_EXPIRED_TEXT = "This button has expired. Open the card again, for example with /show, and tap the button there."
_MAX_ALERT_LENGTH = 200


@dataclass(frozen=True, slots=True)
class _Request:
    """A person's request: who sent it and where, the message to reply to, and the message that it is about.

    `key` is the same each time Telegram delivers it.
    """

    key: str
    sender: User
    conversation: Conversation
    reply_to_message_id: int | None
    about_message_id: int | None
    in_place: bool = False

    @property
    def addressee(self) -> User | None:
        """The person to mention in a question; None in a private chat, where nobody else is."""
        return self.sender if self.conversation.id.startswith("-") else None


class UpdateHandler:
    """Runs command lines and sends their replies. Its methods never raise.

    `typing_delay` is how long a command may take before “typing…” is shown.
    """

    def __init__(
        self,
        *,
        bot: ExtBot[Any],
        handle: MessageHandler,
        registry: Registry,
        actions: Actions,
        requests: Requests,
        cards: Cards,
        sender: Sender,
        typing_delay: timedelta,
    ) -> None:
        self._bot = bot
        self._handle = handle
        self._registry = registry
        self._actions = actions
        self._requests = requests
        self._cards = cards
        self._sender = sender
        self._order = RequestOrder()
        self._typing_delay = typing_delay

    async def handle_message(self, message: Message, update_id: int) -> None:
        """Answer a message if it is for the bot."""
        sender = message.from_user
        # Somebody who writes as a group or a channel can't be identified, so they have no rights.
        if sender is None or sender.is_bot or message.sender_chat is not None:
            return
        replied_message = get_replied_message(message)
        request = _Request(
            self._build_key(update_id),
            sender,
            get_conversation(message),
            message.id,
            replied_message.id if replied_message else None,
        )
        if replied_message is not None and self._is_answer_to_question(message, replied_message):
            await self._run_in_order(request, lambda: self._handle_answer(request, message, replied_message))
            return
        if is_unsupported(message):
            await self._run_in_order(
                request, lambda: self._send_failure(request, str(TextNeededError()), Outcome.REFUSED)
            )
            return
        line = parse_command_line(message, bot=self._bot.bot, registry=self._registry)
        if line is not None:
            await self._run_in_order(request, lambda: self._run_command(request, line))

    async def handle_button_press(self, query: CallbackQuery, update_id: int) -> None:
        """Run a button's command as the person who pressed it."""
        conversation = get_button_conversation(query)
        message_id = query.message.message_id if query.message else None
        request = _Request(self._build_key(update_id), query.from_user, conversation, message_id, message_id)
        # The place is taken before Telegram is answered, so that a message sent later can't overtake the press.
        with self._queue_up(request) as place:
            action, refusal = await self._find_action(query)
            # The phone shows a spinner until this is answered. An old press can't be answered but still counts.
            try:
                await (query.answer(refusal[:_MAX_ALERT_LENGTH], show_alert=True) if refusal else query.answer())
            except TelegramError:
                if refusal:
                    await self._run_in_turn(
                        request, place, lambda: self._send_failure(request, refusal, Outcome.REFUSED)
                    )
            if action is not None:
                await self._run_action(replace(request, in_place=action.in_place), place, action, query.data or "")

    async def _find_action(self, query: CallbackQuery) -> tuple[Action | None, str]:
        """Return the action of a pressed button, or None and why it can't run."""
        try:
            action = await self._actions.find_action(query.data or "")
        except ChatOpsError as error:
            return None, str(error)
        return action, "" if action is not None else _EXPIRED_TEXT

    async def _run_action(self, request: _Request, place: Place, action: Action, token: str) -> None:
        if action.question:
            await self._run_in_turn(request, place, lambda: self._ask(request, action, token))
        else:
            await self._run_in_turn(request, place, lambda: self._run_command(request, action.command))

    def _build_key(self, update_id: int) -> str:
        """Return the key of an update; another bot may number its updates in the same way."""
        return f"{self._bot.id}/{update_id}"

    def _is_answer_to_question(self, message: Message, replied_message: Message) -> bool:
        """Return whether a message answers a question of the bot. A command doesn't, even if sent as a reply."""
        is_own_question = (
            replied_message.from_user is not None
            and replied_message.from_user.id == self._bot.id
            and is_question(replied_message)
        )
        return is_own_question and not is_command(message.text or "", self._registry)

    async def _handle_answer(self, request: _Request, message: Message, question: Message) -> None:
        """Run the command line of a question plus the answer, as the person who answered."""
        action = await self._actions.find_action_by_question(request.conversation, str(question.id))
        if action is None:
            raise QuestionExpiredError
        if not message.text:
            raise TextNeededError
        await self._run_command(request, append_answer(action.command, message.text))

    async def _ask(self, request: _Request, action: Action, token: str) -> None:
        await self._sender.ask(
            request.conversation,
            action,
            token,
            experiment_id=await self._find_experiment_id(request),
            reply_to_message_id=request.reply_to_message_id,
            addressee=request.addressee,
        )

    async def _run_command(self, request: _Request, line: str) -> None:
        experiment_id = await self._find_experiment_id(request)
        async with show_typing_indicator(self._typing_delay, self._sender, request.conversation):
            reply = await self._handle(
                build_incoming_message(request.sender, request.conversation, line, experiment_id)
            )
        await self._send_reply(request, reply)

    async def _find_experiment_id(self, request: _Request) -> str:
        if request.about_message_id is None:
            return ""
        return await self._cards.find_experiment_id(request.conversation, str(request.about_message_id))

    def _queue_up(self, request: _Request) -> AbstractContextManager[Place]:
        return self._order.queue_up((request.conversation, request.sender.id))

    async def _run_in_order(self, request: _Request, work: Callable[[], Awaitable[None]]) -> None:
        """Run a person's requests one after the other, each once, and reply if one fails or is stopped."""
        with self._queue_up(request) as place:
            await self._run_in_turn(request, place, work)

    async def _run_in_turn(self, request: _Request, place: Place, work: Callable[[], Awaitable[None]]) -> None:
        try:
            await place.wait_for_turn()
            try:
                await self._run_once(request, work)
            except ChatOpsError as error:
                # The database can't be used, or the question has expired.
                await self._send_failure(request, str(error), Outcome.REFUSED)
        except asyncio.CancelledError:
            with suppress(TelegramError):
                await self._send_failure(request, STOPPED_TEXT, Outcome.BROKEN)
            raise
        except TelegramError as error:
            logger.warning(
                "Can't send a reply to %s: %s",
                request.conversation,
                error.message,
                extra={"action": "telegram_reply_failed"},
            )

    async def _run_once(self, request: _Request, work: Callable[[], Awaitable[None]]) -> None:
        """Run a request unless it was delivered before. Say so if the bot was killed in the midst of it."""
        state = await self._requests.begin(TELEGRAM, (request.key,))
        if state is RequestState.INTERRUPTED:
            await self._send_reply(replace(request, in_place=False), INTERRUPTED_REPLY)
        if state is RequestState.NEW:
            try:
                await work()
            finally:
                await self._requests.finish(TELEGRAM, (request.key,))

    async def _send_reply(self, request: _Request, reply: Reply) -> None:
        if request.in_place and request.reply_to_message_id is not None:
            await self._sender.replace_message(
                request.conversation, request.reply_to_message_id, reply, addressee=request.addressee
            )
        else:
            await self._sender.send(
                request.conversation,
                reply,
                reply_to_message_id=request.reply_to_message_id,
                addressee=request.addressee,
            )

    async def _send_failure(self, request: _Request, sentence: str, outcome: Outcome) -> None:
        reply = Reply((Text(sentence, Tone.FAILURE),), outcome)
        await self._sender.send(request.conversation, reply, reply_to_message_id=request.reply_to_message_id)
