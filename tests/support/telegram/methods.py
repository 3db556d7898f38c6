"""The methods of the Bot API that the bot needs."""

from collections.abc import Callable
from typing import Any

from tests.support.telegram.api_calls import Call
from tests.support.telegram.chats import BOT_USER, Chat
from tests.support.telegram.edit_methods import (
    delete_message,
    edit_message_caption,
    edit_message_media,
    edit_message_text,
)
from tests.support.telegram.files import find_sent_file
from tests.support.telegram.keyboards import parse_forced_reply, parse_rows
from tests.support.telegram.markup import MAX_CAPTION_LENGTH, parse_text
from tests.support.telegram.menus import get_my_commands, set_my_commands
from tests.support.telegram.refusals import build_bad_request
from tests.support.telegram.state import CallbackAnswer, State
from tests.support.telegram.webhooks import delete_webhook, get_webhook_info, set_webhook

_MAX_CALLBACK_ANSWER_LENGTH = 200

Method = Callable[[State, Call], Any]


def get_me(_state: State, _call: Call) -> Any:
    return {
        **BOT_USER,
        "can_join_groups": True,
        "can_read_all_group_messages": False,
        "supports_inline_queries": False,
    }


def send_message(state: State, call: Call) -> Any:
    chat = state.find_writable_chat(call.parameters.get("chat_id"))
    source = str(call.parameters.get("text", ""))
    parsed = parse_text(source, call.parameters.get("parse_mode"))
    destination = _parse_destination(chat, call)
    message = state.add_message(
        chat,
        BOT_USER,
        parsed.text,
        source=source,
        tags=parsed.tags,
        **destination,
        rows=parse_rows(call),
        forced_reply=parse_forced_reply(call, chat, parsed, destination["reply_to"]),
    )
    return message.to_json()


def send_document(state: State, call: Call) -> Any:
    return _send_file(state, call, "document", is_photo=False)


def send_photo(state: State, call: Call) -> Any:
    return _send_file(state, call, "photo", is_photo=True)


def _send_file(state: State, call: Call, kind: str, *, is_photo: bool) -> Any:
    chat = state.find_writable_chat(call.parameters.get("chat_id"))
    source = str(call.parameters.get("caption", ""))
    caption = parse_text(
        source, call.parameters.get("parse_mode"), max_length=MAX_CAPTION_LENGTH, may_be_empty=True
    )
    file = find_sent_file(call, str(call.parameters.get(kind, kind)), is_photo=is_photo)
    message = state.add_message(
        chat,
        BOT_USER,
        caption.text,
        source=source,
        tags=caption.tags,
        **_parse_destination(chat, call),
        rows=parse_rows(call),
        file_name=file.name,
        file_content=file.content,
        is_photo=is_photo,
    )
    return message.to_json()


def _parse_destination(chat: Chat, call: Call) -> dict[str, int | None]:
    """Return the topic of a new message and the message that it replies to."""
    thread = call.parameters.get("message_thread_id")
    if thread is not None and (not chat.forum or int(thread) not in chat.messages):
        raise build_bad_request("message thread not found")
    reply = call.parameters.get("reply_parameters") or {}
    reply_to = reply.get("message_id") or call.parameters.get("reply_to_message_id")
    if reply_to is not None and int(reply_to) not in chat.messages:
        if not reply.get("allow_sending_without_reply"):
            raise build_bad_request("message to be replied not found")
        reply_to = None
    return {
        "thread": int(thread) if thread is not None else None,
        "reply_to": int(reply_to) if reply_to is not None else None,
    }


def answer_callback_query(state: State, call: Call) -> Any:
    query_id = str(call.parameters.get("callback_query_id", ""))
    if query_id not in state.pending_presses:
        raise build_bad_request("query is too old and response timeout expired or query ID is invalid")
    text = str(call.parameters.get("text", ""))
    if len(text) > _MAX_CALLBACK_ANSWER_LENGTH:
        raise build_bad_request("MESSAGE_TOO_LONG")
    state.answered_presses[query_id] = CallbackAnswer(text, bool(call.parameters.get("show_alert")))
    return True


def send_chat_action(state: State, call: Call) -> Any:
    chat = state.find_writable_chat(call.parameters.get("chat_id"))
    chat.chat_actions.append((str(call.parameters.get("action", "")), _parse_destination(chat, call)["thread"]))
    return True


def get_chat(state: State, call: Call) -> Any:
    chat = state.find_writable_chat(call.parameters.get("chat_id"))
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
    "editMessageCaption": edit_message_caption,
    "editMessageMedia": edit_message_media,
    "deleteMessage": delete_message,
    "answerCallbackQuery": answer_callback_query,
    "sendChatAction": send_chat_action,
    "getChat": get_chat,
}
