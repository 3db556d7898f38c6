"""Questions that are answered by replying to them, and how the bot knows them again."""

import html
import re

from telegram import ForceReply, Message, User

from clearml_chatops.bot.frontends.telegram.forms import present_value
from clearml_chatops.bot.frontends.telegram.pages import pages
from clearml_chatops.bot.frontends.telegram.spans import Span, as_html
from clearml_chatops.bot.frontends.visible import visible, visible_line
from clearml_chatops.handlers.registry import Registry
from clearml_chatops.models.errors import UnknownCommandError

_MARK = "❓ "
"""Stands before each question. Telegram does not tell of a message that it forced a reply, nor does the
database when the question is older than its action."""

_LONGEST_PLACEHOLDER = 64
_LONGEST_NAME = 64
_LONGEST_QUESTION = 3000


def question_html(question: str, asked: User | None) -> str:
    """The message that asks. In a group it names the person, because that is how the question reaches him.

    Telegram forces the reply of those who are mentioned, or whose message is replied to; the message with the
    pressed button is the bot's own. https://core.telegram.org/bots/api#forcereply
    """
    body = as_html(pages([Span(visible(question))], _LONGEST_QUESTION)[0])
    return f"{_MARK}{_mention(asked)}{body}\n<i>Reply to this message.</i>"


def forced_reply(question: str, *, selective: bool) -> ForceReply:
    """Opens the reply on the phone, with the value as it is now in the empty field."""
    value = " ".join(visible_line(present_value(question)).split())
    shown = value if len(value) <= _LONGEST_PLACEHOLDER else value[: _LONGEST_PLACEHOLDER - 1] + "…"
    return ForceReply(selective=selective or None, input_field_placeholder=shown or None)


def is_question(message: Message) -> bool:
    """Whether a message of the bot is one that asks."""
    return (message.text or "").startswith(_MARK)


def is_command(text: str, registry: Registry) -> bool:
    """Whether a reply to a question is a command instead of an answer: one that there is, with its slash.

    A path is an answer: its slashes are not where a command's name ends.
    """
    if not re.match(r"/\w+(@\w+)?(\s|$)", text):
        return False
    try:
        registry.find(text.split(), terminal=False)
    except UnknownCommandError:
        return False
    return True


def _mention(asked: User | None) -> str:
    if asked is None:
        return ""
    name = visible_line(asked.full_name)[:_LONGEST_NAME] or "You"
    return f'<a href="tg://user?id={asked.id}">{html.escape(name)}</a>, '
