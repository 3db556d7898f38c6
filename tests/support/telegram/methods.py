"""The methods of the Bot API, as far as a bot like ours needs them. An unknown one has no function here."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.support.telegram.chats import BOT_USER, Chat, ShownButton, ShownMessage
from tests.support.telegram.markup import accepted_text
from tests.support.telegram.refusals import bad_request
from tests.support.telegram.state import CallbackAnswer, State

Parameters = dict[str, Any]

_LONGEST_CAPTION = 1024
_LONGEST_CALLBACK_DATA = 64
_LONGEST_CALLBACK_ANSWER = 200
_MOST_BUTTONS = 100
_MOST_COMMANDS = 100
_LONGEST_DESCRIPTION = 256
_COMMAND = re.compile(r"[a-z0-9_]{1,32}")
_SCOPES = {"default", "all_private_chats", "all_group_chats", "all_chat_administrators", "chat", "chat_member"}


@dataclass(frozen=True, slots=True)
class SentFile:
    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Call:
    """One request: its method, its parameters with JSON read, and the files that came with it."""

    method: str
    parameters: Parameters
    files: dict[str, SentFile] = field(default_factory=dict)


Method = Callable[[State, Call], Any]


def get_me(_state: State, _call: Call) -> Any:
    return {
        **BOT_USER,
        "can_join_groups": True,
        "can_read_all_group_messages": False,
        "supports_inline_queries": False,
    }


def set_webhook(state: State, call: Call) -> Any:
    state.webhook = str(call.parameters.get("url", ""))
    return True


def delete_webhook(state: State, call: Call) -> Any:
    state.webhook = ""
    if call.parameters.get("drop_pending_updates"):
        state.updates.clear()
    return True


def get_webhook_info(state: State, _call: Call) -> Any:
    return {"url": state.webhook, "has_custom_certificate": False, "pending_update_count": len(state.updates)}


def set_my_commands(state: State, call: Call) -> Any:
    commands = call.parameters.get("commands", [])
    if len(commands) > _MOST_COMMANDS:
        raise bad_request("BOT_COMMANDS_TOO_MUCH")
    for command in commands:
        if not _COMMAND.fullmatch(command["command"]):
            raise bad_request("BOT_COMMAND_INVALID")
        if not 1 <= len(command["description"]) <= _LONGEST_DESCRIPTION:
            raise bad_request("BOT_COMMAND_DESCRIPTION_INVALID")
    state.commands[_scope(call)] = commands
    return True


def get_my_commands(state: State, call: Call) -> Any:
    return state.commands.get(_scope(call), [])


def _scope(call: Call) -> tuple[str, str]:
    scope = call.parameters.get("scope", {"type": "default"})["type"]
    language = call.parameters.get("language_code", "")
    if scope not in _SCOPES:
        raise bad_request("can't parse BotCommandScope: unsupported type specified")
    if language and not re.fullmatch(r"[a-z]{2}", language):
        raise bad_request("invalid language code specified")
    return scope, language


def send_message(state: State, call: Call) -> Any:
    chat = state.chat_to_write_in(call.parameters.get("chat_id"))
    source = str(call.parameters.get("text", ""))
    parsed = accepted_text(source, call.parameters.get("parse_mode"))
    message = state.add_message(
        chat, BOT_USER, parsed.text, source=source, tags=parsed.tags, **_place(chat, call), rows=_keyboard(call)
    )
    return message.to_json()


def send_document(state: State, call: Call) -> Any:
    return _send_file(state, call, "document", is_photo=False)


def send_photo(state: State, call: Call) -> Any:
    return _send_file(state, call, "photo", is_photo=True)


def _send_file(state: State, call: Call, kind: str, *, is_photo: bool) -> Any:
    chat = state.chat_to_write_in(call.parameters.get("chat_id"))
    source = str(call.parameters.get("caption", ""))
    caption = accepted_text(source, call.parameters.get("parse_mode"), limit=_LONGEST_CAPTION, empty=True)
    file = call.files.get(str(call.parameters.get(kind, kind)).removeprefix("attach://"))
    if file is None or not file.content:
        raise bad_request("file must be non-empty")
    message = state.add_message(
        chat,
        BOT_USER,
        caption.text,
        source=source,
        tags=caption.tags,
        **_place(chat, call),
        rows=_keyboard(call),
        file_name=file.name,
        file_content=file.content,
        is_photo=is_photo,
    )
    return message.to_json()


def _place(chat: Chat, call: Call) -> dict[str, int | None]:
    """The topic of a new message and the message that it replies to."""
    thread = call.parameters.get("message_thread_id")
    if thread is not None and (not chat.forum or int(thread) not in chat.messages):
        raise bad_request("message thread not found")
    reply = call.parameters.get("reply_parameters") or {}
    reply_to = reply.get("message_id") or call.parameters.get("reply_to_message_id")
    if reply_to is not None and int(reply_to) not in chat.messages:
        if not reply.get("allow_sending_without_reply"):
            raise bad_request("message to be replied not found")
        reply_to = None
    return {
        "thread": int(thread) if thread is not None else None,
        "reply_to": int(reply_to) if reply_to is not None else None,
    }


def _keyboard(call: Call) -> tuple[tuple[ShownButton, ...], ...]:
    markup = call.parameters.get("reply_markup") or {}
    rows = tuple(tuple(map(_button, row)) for row in markup.get("inline_keyboard", []))
    if sum(map(len, rows)) > _MOST_BUTTONS:
        raise bad_request("REPLY_MARKUP_TOO_LONG")
    return rows


def _button(button: dict[str, str]) -> ShownButton:
    if not button.get("text", "").strip():
        raise bad_request("inline keyboard button text must be non-empty")
    data = button.get("callback_data", "")
    if not 1 <= len(data.encode()) <= _LONGEST_CALLBACK_DATA:
        raise bad_request("BUTTON_DATA_INVALID")
    return ShownButton(button["text"], data)


def edit_message_text(state: State, call: Call) -> Any:
    chat = state.chat_to_write_in(call.parameters.get("chat_id"))
    message = _own_message(chat, call, "edit")
    source = str(call.parameters.get("text", ""))
    parsed = accepted_text(source, call.parameters.get("parse_mode"))
    rows = _keyboard(call)
    if (parsed.text, parsed.tags, rows) == (message.text, message.tags, message.rows):
        raise bad_request(
            "message is not modified: specified new message content and reply markup are exactly the same "
            "as a current content and reply markup of the message"
        )
    message.text, message.source, message.tags, message.rows = parsed.text, source, parsed.tags, rows
    message.edited += 1
    return message.to_json()


def delete_message(state: State, call: Call) -> Any:
    chat = state.chat_to_write_in(call.parameters.get("chat_id"))
    message_id = int(call.parameters.get("message_id", 0))
    if message_id not in chat.messages:
        raise bad_request("message to delete not found")
    del chat.messages[message_id]
    return True


def _own_message(chat: Chat, call: Call, purpose: str) -> ShownMessage:
    message = chat.messages.get(int(call.parameters.get("message_id", 0)))
    if message is None:
        raise bad_request(f"message to {purpose} not found")
    if not message.from_bot:
        raise bad_request(f"message can't be {purpose}ed")
    return message


def answer_callback_query(state: State, call: Call) -> Any:
    query = str(call.parameters.get("callback_query_id", ""))
    if query not in state.open_presses:
        raise bad_request("query is too old and response timeout expired or query ID is invalid")
    text = str(call.parameters.get("text", ""))
    if len(text) > _LONGEST_CALLBACK_ANSWER:
        raise bad_request("MESSAGE_TOO_LONG")
    state.answered_presses[query] = CallbackAnswer(text, bool(call.parameters.get("show_alert")))
    return True


def send_chat_action(state: State, call: Call) -> Any:
    chat = state.chat_to_write_in(call.parameters.get("chat_id"))
    chat.actions.append((str(call.parameters.get("action", "")), _place(chat, call)["thread"]))
    return True


def get_chat(state: State, call: Call) -> Any:
    chat = state.chat_to_write_in(call.parameters.get("chat_id"))
    return {**chat.to_json(), "accent_color_id": 0, "max_reaction_count": 11}


METHODS: dict[str, Method] = {
    "getMe": get_me,
    "setWebhook": set_webhook,
    "deleteWebhook": delete_webhook,
    "getWebhookInfo": get_webhook_info,
    "setMyCommands": set_my_commands,
    "getMyCommands": get_my_commands,
    "sendMessage": send_message,
    "sendDocument": send_document,
    "sendPhoto": send_photo,
    "editMessageText": edit_message_text,
    "deleteMessage": delete_message,
    "answerCallbackQuery": answer_callback_query,
    "sendChatAction": send_chat_action,
    "getChat": get_chat,
}
