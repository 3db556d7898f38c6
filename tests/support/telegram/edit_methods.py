"""The methods that edit or delete a message of the bot."""

from typing import Any

from tests.support.telegram.api_calls import Call
from tests.support.telegram.chats import Chat, ShownMessage
from tests.support.telegram.files import find_sent_file
from tests.support.telegram.keyboards import Rows, parse_rows
from tests.support.telegram.markup import MAX_CAPTION_LENGTH, ParsedText, parse_text
from tests.support.telegram.refusals import build_bad_request
from tests.support.telegram.state import State


def edit_message_text(state: State, call: Call) -> Any:
    message = _find_message_to_edit(state, call)
    if message.file_name:
        raise build_bad_request("there is no text in the message to edit")
    source = str(call.parameters.get("text", ""))
    _apply_edit(message, source, parse_text(source, call.parameters.get("parse_mode")), parse_rows(call))
    return message.to_json()


def edit_message_caption(state: State, call: Call) -> Any:
    message = _find_message_to_edit(state, call)
    if not message.file_name:
        raise build_bad_request("there is no caption in the message to edit")
    source = str(call.parameters.get("caption", ""))
    caption = parse_text(
        source, call.parameters.get("parse_mode"), max_length=MAX_CAPTION_LENGTH, may_be_empty=True
    )
    _apply_edit(message, source, caption, parse_rows(call))
    return message.to_json()


def edit_message_media(state: State, call: Call) -> Any:
    """Turn any message into one with a file, also a text."""
    message = _find_message_to_edit(state, call)
    media = call.parameters.get("media") or {}
    if media.get("type") not in {"photo", "document"}:
        raise build_bad_request("can't parse InputMedia: unsupported type specified")
    file = find_sent_file(call, str(media.get("media", "")), is_photo=media["type"] == "photo")
    source = str(media.get("caption", ""))
    caption = parse_text(source, media.get("parse_mode"), max_length=MAX_CAPTION_LENGTH, may_be_empty=True)
    changed = file.content != message.file_content
    message.file_name, message.file_content = file.name, file.content
    message.is_photo = media["type"] == "photo"
    _apply_edit(message, source, caption, parse_rows(call), changed=changed)
    return message.to_json()


def delete_message(state: State, call: Call) -> Any:
    chat = state.find_writable_chat(call.parameters.get("chat_id"))
    message_id = int(call.parameters.get("message_id", 0))
    if message_id not in chat.messages:
        raise build_bad_request("message to delete not found")
    del chat.messages[message_id]
    return True


def _apply_edit(
    message: ShownMessage, source: str, parsed: ParsedText, rows: Rows, *, changed: bool = False
) -> None:
    if not changed and (parsed.text, parsed.tags, rows) == (message.text, message.tags, message.rows):
        raise build_bad_request(
            "message is not modified: specified new message content and reply markup are exactly the same "
            "as a current content and reply markup of the message"
        )
    message.text, message.source, message.tags, message.rows = parsed.text, source, parsed.tags, rows
    message.edit_count += 1


def _find_message_to_edit(state: State, call: Call) -> ShownMessage:
    chat: Chat = state.find_writable_chat(call.parameters.get("chat_id"))
    message = chat.messages.get(int(call.parameters.get("message_id", 0)))
    if message is None:
        raise build_bad_request("message to edit not found")
    if not message.is_from_bot:
        raise build_bad_request("message can't be edited")
    return message
