"""Questions that are answered by replying to them, and how the bot knows them again."""

import html
import re

from telegram import ForceReply, Message, User

from clearml_chatops.bot.frontends.sanitizing import sanitize_line, sanitize_text
from clearml_chatops.bot.frontends.telegram.forms import parse_current_value
from clearml_chatops.bot.frontends.telegram.pages import split_pages
from clearml_chatops.bot.frontends.telegram.spans import Span, to_html
from clearml_chatops.handlers.registry import Registry
from clearml_chatops.models.errors import UnknownCommandError

_QUESTION_MARK = "❓ "
"""Stands before each question. Telegram does not tell of a message that it forced a reply, nor does the
database when the question is older than its action."""

_MAX_PLACEHOLDER_LENGTH = 64
_MAX_NAME_LENGTH = 64
_MAX_QUESTION_LENGTH = 3000


def render_question(question: str, addressee: User | None) -> str:
    """The message that asks. In a group it names the person, because that is how the question reaches him.

    Telegram forces the reply of those who are mentioned, or whose message is replied to; the message with the
    pressed button is the bot's own. https://core.telegram.org/bots/api#forcereply
    """
    body = to_html(split_pages([Span(sanitize_text(question))], _MAX_QUESTION_LENGTH)[0])
    return f"{_QUESTION_MARK}{_render_mention(addressee)}{body}\n<i>Reply to this message.</i>"


def build_force_reply(question: str, *, selective: bool) -> ForceReply:
    """Opens the reply on the phone, with the value as it is now in the empty field."""
    value = " ".join(sanitize_line(parse_current_value(question)).split())
    placeholder = value if len(value) <= _MAX_PLACEHOLDER_LENGTH else value[: _MAX_PLACEHOLDER_LENGTH - 1] + "…"
    return ForceReply(selective=selective or None, input_field_placeholder=placeholder or None)


def is_question(message: Message) -> bool:
    """Whether a message of the bot is one that asks."""
    return (message.text or "").startswith(_QUESTION_MARK)


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


def _render_mention(addressee: User | None) -> str:
    if addressee is None:
        return ""
    name = sanitize_line(addressee.full_name)[:_MAX_NAME_LENGTH] or "You"
    return f'<a href="tg://user?id={addressee.id}">{html.escape(name)}</a>, '
