"""The command menus, by scope and language."""

import re
from typing import Any

from tests.support.telegram.api_calls import Call
from tests.support.telegram.refusals import build_bad_request
from tests.support.telegram.state import State

_MAX_COMMANDS = 100
_MAX_DESCRIPTION_LENGTH = 256
_COMMAND = re.compile(r"[a-z0-9_]{1,32}")
_SCOPES = {"default", "all_private_chats", "all_group_chats", "all_chat_administrators"}


def set_my_commands(state: State, call: Call) -> Any:
    commands = call.parameters.get("commands", [])
    if len(commands) > _MAX_COMMANDS:
        raise build_bad_request("BOT_COMMANDS_TOO_MUCH")
    for command in commands:
        if not _COMMAND.fullmatch(command["command"]):
            raise build_bad_request("BOT_COMMAND_INVALID")
        if not 1 <= len(command["description"]) <= _MAX_DESCRIPTION_LENGTH:
            raise build_bad_request("BOT_COMMAND_DESCRIPTION_INVALID")
    state.commands[_parse_scope(state, call)] = commands
    return True


def get_my_commands(state: State, call: Call) -> Any:
    return state.commands.get(_parse_scope(state, call), [])


def _parse_scope(state: State, call: Call) -> tuple[str, str]:
    """Return the scope and the language. The scope of a single chat is the chat's id."""
    scope = call.parameters.get("scope", {"type": "default"})
    language = call.parameters.get("language_code", "")
    if language and not re.fullmatch(r"[a-z]{2}", language):
        raise build_bad_request("invalid language code specified")
    if scope["type"] == "chat":
        return str(state.find_writable_chat(scope.get("chat_id")).id), language
    if scope["type"] not in _SCOPES:
        raise build_bad_request("can't parse BotCommandScope: unsupported type specified")
    return scope["type"], language
