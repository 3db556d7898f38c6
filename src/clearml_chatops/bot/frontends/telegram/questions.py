"""Questions that people answer by replying to them, and how the bot recognises them."""

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
"""Starts each question. Telegram doesn't report that a message forced a reply, and the database no longer
knows a question that is older than its action."""

_MAX_PLACEHOLDER_LENGTH = 64
_MAX_NAME_LENGTH = 64
_MAX_QUESTION_LENGTH = 3000


def render_question(question: str, addressee: User | None) -> str:
    """Return the message that asks. In a group it mentions the person who has to answer.

    Telegram opens the reply only for people who are mentioned, or who wrote the replied message. The message
    with the pressed button is the bot's own. https://core.telegram.org/bots/api#forcereply
    """
    body = to_html(split_pages([Span(sanitize_text(question))], _MAX_QUESTION_LENGTH)[0])
    return f"{_QUESTION_MARK}{_render_mention(addressee)}{body}\n<i>Reply to this message.</i>"


def build_force_reply(question: str, *, selective: bool) -> ForceReply:
    """Return the markup that opens a reply on the phone, with the current value as the placeholder."""
    value = " ".join(sanitize_line(parse_current_value(question)).split())
    placeholder = value if len(value) <= _MAX_PLACEHOLDER_LENGTH else value[: _MAX_PLACEHOLDER_LENGTH - 1] + "…"
    return ForceReply(selective=selective or None, input_field_placeholder=placeholder or None)


def is_question(message: Message) -> bool:
    """Return whether a message of the bot is a question."""
    return (message.text or "").startswith(_QUESTION_MARK)


def is_command(text: str, registry: Registry) -> bool:
    """Return whether a reply to a question is a command: an existing one, with its slash.

    A path is an answer: it has a slash after its first word.
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
