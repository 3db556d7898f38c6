"""The command menus that Telegram shows when somebody types a slash, by role and language."""

import logging
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from telegram import (
    BotCommand,
    BotCommandScope,
    BotCommandScopeAllGroupChats,
    BotCommandScopeAllPrivateChats,
    BotCommandScopeChat,
    BotCommandScopeDefault,
)
from telegram.error import BadRequest, Forbidden, TelegramError
from telegram.ext import ExtBot

from clearml_chatops.bot.frontends.sanitizing import sanitize_line
from clearml_chatops.handlers.menu_translations import TRANSLATED_SUMMARIES
from clearml_chatops.handlers.registry import Registry
from clearml_chatops.models.errors import ChatOpsError
from clearml_chatops.models.people import Role

logger = logging.getLogger(__name__)

_MAX_COMMANDS = 100
_MAX_DESCRIPTION_LENGTH = 256
_COMMAND_NAME = re.compile(r"[a-z0-9_]{1,32}")
_LANGUAGES: Mapping[str, Mapping[str, str]] = {"": {}, **TRANSLATED_SUMMARIES}
"""The translated summaries by language code. The entry without a code is for all other languages."""

ListAdminIds = Callable[[], Awaitable[Sequence[str]]]


def build_menu(registry: Registry, role: Role, summaries: Mapping[str, str]) -> list[BotCommand]:
    """Return the commands of a role as menu entries, in the registry's order, up to Telegram's limit.

    `queue create` becomes `queue_create`. Names that Telegram doesn't accept are left out; they can be typed.
    `summaries` are translations by command; a command without one shows its own summary.
    """
    entries = [
        BotCommand(name, _format_description(summaries.get(command.name, command.summary)))
        for command in registry
        if command.role <= role
        and not command.terminal_only
        and _COMMAND_NAME.fullmatch(name := re.sub(r"[ -]", "_", command.name))
    ]
    return entries[:_MAX_COMMANDS]


class CommandMenus:
    """The menus: everybody sees the commands of members, and admins also see theirs in their private chats.

    `list_admin_ids` returns the admins' Telegram ids. A menu restricts nothing: every command can be typed.
    """

    def __init__(self, bot: ExtBot[Any], registry: Registry, list_admin_ids: ListAdminIds) -> None:
        self._bot = bot
        self._registry = registry
        self._list_admin_ids = list_admin_ids
        self._published_user_ids: set[int] = set()

    async def publish(self) -> bool:
        """Send the menus to Telegram, and return whether that worked. The bot works without menus, too."""
        try:
            for scope in (
                BotCommandScopeDefault(),
                BotCommandScopeAllPrivateChats(),
                BotCommandScopeAllGroupChats(),
            ):
                await self._publish_scope(scope, Role.MEMBER)
            for user_id in await self._list_admin_ids():
                await self._publish_for_admin(int(user_id))
        except (TelegramError, ChatOpsError) as error:
            _log_failure(error)
            return False
        return True

    async def publish_if_admin(self, user_id: int) -> None:
        """Send an admin's menu if it is missing: they opened the chat or became an admin after `publish`."""
        if user_id in self._published_user_ids:
            return
        try:
            if str(user_id) in await self._list_admin_ids():
                await self._publish_for_admin(user_id)
        except (TelegramError, ChatOpsError) as error:
            _log_failure(error)

    async def _publish_for_admin(self, user_id: int) -> None:
        try:
            await self._publish_scope(BotCommandScopeChat(user_id), Role.ADMIN)
            self._published_user_ids.add(user_id)
        except (BadRequest, Forbidden) as error:
            logger.info(
                "Can't show an admin the command menu yet: %s",
                error.message,
                extra={"action": "telegram_menu_deferred"},
            )

    async def _publish_scope(self, scope: BotCommandScope, role: Role) -> None:
        for language, summaries in _LANGUAGES.items():
            await self._bot.set_my_commands(
                build_menu(self._registry, role, summaries), scope=scope, language_code=language or None
            )


def _log_failure(error: TelegramError | ChatOpsError) -> None:
    reason = error.message if isinstance(error, TelegramError) else error
    logger.warning("Can't publish the command menu: %s", reason, extra={"action": "telegram_menu_failed"})


def _format_description(summary: str) -> str:
    text = sanitize_line(summary).strip() or "—"
    return text if len(text) <= _MAX_DESCRIPTION_LENGTH else text[: _MAX_DESCRIPTION_LENGTH - 1] + "…"
