"""The methods that change or delete a message which the bot has sent."""

from typing import Any

from tests.support.telegram.calls import Call
from tests.support.telegram.chats import Chat, ShownMessage
from tests.support.telegram.files import sent_file
from tests.support.telegram.keyboards import Rows, rows_of
from tests.support.telegram.markup import LONGEST_CAPTION, ParsedText, accepted_text
from tests.support.telegram.refusals import bad_request
from tests.support.telegram.state import State


def edit_message_text(state: State, call: Call) -> Any:
    message = _message_to_edit(state, call)
    if message.file_name:
        raise bad_request("there is no text in the message to edit")
    source = str(call.parameters.get("text", ""))
    _show(message, source, accepted_text(source, call.parameters.get("parse_mode")), rows_of(call))
    return message.to_json()


def edit_message_caption(state: State, call: Call) -> Any:
    message = _message_to_edit(state, call)
    if not message.file_name:
        raise bad_request("there is no caption in the message to edit")
    source = str(call.parameters.get("caption", ""))
    caption = accepted_text(source, call.parameters.get("parse_mode"), limit=LONGEST_CAPTION, empty=True)
    _show(message, source, caption, rows_of(call))
    return message.to_json()


def edit_message_media(state: State, call: Call) -> Any:
    """Makes any message one with a file; a text too."""
    message = _message_to_edit(state, call)
    media = call.parameters.get("media") or {}
    if media.get("type") not in {"photo", "document"}:
        raise bad_request("can't parse InputMedia: unsupported type specified")
    file = sent_file(call, str(media.get("media", "")), is_photo=media["type"] == "photo")
    source = str(media.get("caption", ""))
    caption = accepted_text(source, media.get("parse_mode"), limit=LONGEST_CAPTION, empty=True)
    changed = file.content != message.file_content
    message.file_name, message.file_content = file.name, file.content
    message.is_photo = media["type"] == "photo"
    _show(message, source, caption, rows_of(call), changed=changed)
    return message.to_json()


def delete_message(state: State, call: Call) -> Any:
    chat = state.chat_to_write_in(call.parameters.get("chat_id"))
    message_id = int(call.parameters.get("message_id", 0))
    if message_id not in chat.messages:
        raise bad_request("message to delete not found")
    del chat.messages[message_id]
    return True


def _show(message: ShownMessage, source: str, parsed: ParsedText, rows: Rows, *, changed: bool = False) -> None:
    if not changed and (parsed.text, parsed.tags, rows) == (message.text, message.tags, message.rows):
        raise bad_request(
            "message is not modified: specified new message content and reply markup are exactly the same "
            "as a current content and reply markup of the message"
        )
    message.text, message.source, message.tags, message.rows = parsed.text, source, parsed.tags, rows
    message.edited += 1


def _message_to_edit(state: State, call: Call) -> ShownMessage:
    chat: Chat = state.chat_to_write_in(call.parameters.get("chat_id"))
    message = chat.messages.get(int(call.parameters.get("message_id", 0)))
    if message is None:
        raise bad_request("message to edit not found")
    if not message.from_bot:
        raise bad_request("message can't be edited")
    return message
