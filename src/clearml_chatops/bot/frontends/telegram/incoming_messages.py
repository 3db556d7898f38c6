"""Conversion of Telegram messages to command lines, and the check whether a message is for the bot."""

import re

from telegram import CallbackQuery, Message, User

from clearml_chatops.handlers.registry import Registry
from clearml_chatops.handlers.unknown_commands import is_for_bot
from clearml_chatops.models.messages import Conversation, IncomingMessage
from clearml_chatops.models.people import Identity

TELEGRAM = "telegram"
"""The platform's name in identities and conversations."""

_ADDRESSED_COMMAND = re.compile(r"(/\w+)@(\w+)(.*)", re.DOTALL)


def get_conversation(message: Message) -> Conversation:
    """Return the chat, with the topic if it has topics.

    A reply in an ordinary group has a thread id, too, but the bot can't write to that.
    """
    thread_id = message.message_thread_id if message.is_topic_message else None
    return Conversation(TELEGRAM, str(message.chat.id), str(thread_id or ""))


def get_button_conversation(query: CallbackQuery) -> Conversation:
    """Return the conversation of a pressed button. For old messages Telegram sends only the chat, or nothing."""
    if isinstance(query.message, Message):
        return get_conversation(query.message)
    return Conversation(TELEGRAM, str(query.message.chat.id if query.message else query.from_user.id))


def get_replied_message(message: Message) -> Message | None:
    """Return the message that a person replied to.

    Telegram marks every other message in a topic as a reply to the topic's first message. That one is ignored.
    """
    replied_message = message.reply_to_message
    return None if replied_message is None or replied_message.forum_topic_created else replied_message


def parse_command_line(message: Message, *, bot: User, registry: Registry) -> str | None:
    """Return the command line in a message, or None if it isn't for this bot.

    In a private chat everything is for the bot. In a group these are: messages that name the bot, and commands
    without its name that it knows or that look like one. A reply to its message needs no slash, but what people
    write there to each other is no command.
    """
    text = (message.text or "").strip()
    if not text:
        return None
    name = (bot.username or "").casefold()
    if addressed_match := _ADDRESSED_COMMAND.fullmatch(text):
        command, addressee, rest = addressed_match.groups()
        return f"{command}{rest}" if addressee.casefold() == name else None
    if message.chat.type == message.chat.PRIVATE:
        return text
    if text.startswith("/"):
        # Other bots in the group receive it, too.
        return text if is_for_bot(text, registry) else None
    if mention_match := re.fullmatch(rf"@{re.escape(name)}\b[\s,:]*(.*)", text, re.DOTALL | re.IGNORECASE):
        return mention_match[1] or "/help"
    replied_message = get_replied_message(message)
    is_reply_to_bot = (
        replied_message is not None
        and replied_message.from_user is not None
        and replied_message.from_user.id == bot.id
    )
    return text if is_reply_to_bot and is_for_bot(text, registry) else None


def is_unsupported(message: Message) -> bool:
    """Return whether somebody sent the bot a picture, a file or a voice message. In groups these are ignored."""
    return message.chat.type == message.chat.PRIVATE and not message.text and bool(message.effective_attachment)


def build_incoming_message(sender: User, conversation: Conversation, line: str, about: str) -> IncomingMessage:
    """Return the message. A private chat has the id of its person; all other chats are visible to others."""
    return IncomingMessage(
        Identity(TELEGRAM, str(sender.id)),
        sender.full_name,
        conversation,
        line,
        about,
        is_visible_to_others=conversation.id != str(sender.id),
    )
