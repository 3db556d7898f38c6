"""The menu that Telegram shows when somebody types a slash."""

import re
from typing import Any

from telegram import (
    BotCommand,
    BotCommandScope,
    BotCommandScopeAllGroupChats,
    BotCommandScopeAllPrivateChats,
    BotCommandScopeDefault,
)
from telegram.ext import ExtBot

from clearml_chatops.bot.frontends.visible import visible_line
from clearml_chatops.handlers.registry import Registry
from clearml_chatops.models.people import Role

_MOST_COMMANDS = 100
_LONGEST_DESCRIPTION = 256
_NAME = re.compile(r"[a-z0-9_]{1,32}")


def menu_of(registry: Registry, highest: Role) -> list[BotCommand]:
    """The commands of a role as menu entries, in the order of the registry, as many as Telegram takes.

    `queue create` becomes `queue_create`. A name that Telegram does not take is left out; it can be typed.
    """
    entries = [
        BotCommand(name, _description(command.summary))
        for command in registry
        if command.role <= highest
        and not command.terminal_only
        and _NAME.fullmatch(name := re.sub(r"[ -]", "_", command.name))
    ]
    return entries[:_MOST_COMMANDS]


async def publish_menus(bot: ExtBot[Any], registry: Registry) -> None:
    """Has Telegram show the commands. In groups those of admins are left out; typed, they work there too.

    Raises:
        TelegramError: Telegram does not answer or does not take them.
    """
    menus: tuple[tuple[BotCommandScope, Role], ...] = (
        (BotCommandScopeDefault(), Role.MEMBER),
        (BotCommandScopeAllPrivateChats(), Role.ADMIN),
        (BotCommandScopeAllGroupChats(), Role.MEMBER),
    )
    for scope, highest in menus:
        await bot.set_my_commands(menu_of(registry, highest), scope=scope)


def _description(summary: str) -> str:
    text = visible_line(summary).strip() or "—"
    return text if len(text) <= _LONGEST_DESCRIPTION else text[: _LONGEST_DESCRIPTION - 1] + "…"
