"""The reply markup of a message: buttons or a forced reply."""

from urllib.parse import urlsplit

from tests.support.telegram.api_calls import Call
from tests.support.telegram.chats import BOT_ID, Chat, ForcedReply, ShownButton
from tests.support.telegram.markup import ParsedText
from tests.support.telegram.refusals import build_bad_request

_MAX_CALLBACK_DATA_LENGTH = 64
_MAX_BUTTONS = 100
_MAX_PLACEHOLDER_LENGTH = 64

Rows = tuple[tuple[ShownButton, ...], ...]


def parse_rows(call: Call) -> Rows:
    """Return the inline keyboard of a message. Raises RefusalError."""
    markup = call.parameters.get("reply_markup") or {}
    rows = tuple(tuple(map(_parse_button, row)) for row in markup.get("inline_keyboard", []))
    if sum(map(len, rows)) > _MAX_BUTTONS:
        raise build_bad_request("REPLY_MARKUP_TOO_LONG")
    return rows


def parse_forced_reply(call: Call, chat: Chat, text: ParsedText, reply_to: int | None) -> ForcedReply | None:
    """Return the forced reply of a message, and which users see it.

    A selective one is for the users that the text mentions and for the sender of the message that it replies
    to; any other is for all. The bot itself is never among them. Raises RefusalError.
    """
    markup = call.parameters.get("reply_markup") or {}
    if not markup.get("force_reply"):
        return None
    placeholder = markup.get("input_field_placeholder")
    if placeholder is not None and not 1 <= len(placeholder) <= _MAX_PLACEHOLDER_LENGTH:
        raise build_bad_request("REPLY_MARKUP_INPUT_PLACEHOLDER_INVALID")
    if not markup.get("selective"):
        return ForcedReply(placeholder or "", None)
    replied = chat.messages.get(reply_to or 0)
    user_ids = set(text.mentioned_user_ids) | ({replied.sender["id"]} if replied else set())
    return ForcedReply(placeholder or "", frozenset(user_ids - {BOT_ID}))


def _parse_button(button: dict[str, str]) -> ShownButton:
    if not button.get("text", "").strip():
        raise build_bad_request("inline keyboard button text must be non-empty")
    if "url" in button:
        host = urlsplit(button["url"]).hostname or ""
        if "." not in host:
            raise build_bad_request(f"inline keyboard button URL '{button['url']}' is invalid: Wrong HTTP URL")
        return ShownButton(button["text"], url=button["url"])
    data = button.get("callback_data", "")
    if not 1 <= len(data.encode()) <= _MAX_CALLBACK_DATA_LENGTH:
        raise build_bad_request("BUTTON_DATA_INVALID")
    return ShownButton(button["text"], data)
