"""The menus that Telegram shows when somebody types a slash, by role and language."""

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

from clearml_chatops.bot.frontends.visible import visible_line
from clearml_chatops.handlers.menu_translations import TRANSLATED_SUMMARIES
from clearml_chatops.handlers.registry import Registry
from clearml_chatops.models.errors import ChatOpsError
from clearml_chatops.models.people import Role

logger = logging.getLogger(__name__)

_MOST_COMMANDS = 100
_LONGEST_DESCRIPTION = 256
_NAME = re.compile(r"[a-z0-9_]{1,32}")
_LANGUAGES: Mapping[str, Mapping[str, str]] = {"": {}, **TRANSLATED_SUMMARIES}
"""The summaries by language code. The one without a code is for everybody whose language is not among them."""

Admins = Callable[[], Awaitable[Sequence[str]]]


def menu_of(registry: Registry, highest: Role, summaries: Mapping[str, str]) -> list[BotCommand]:
    """The commands of a role as menu entries, in the order of the registry, as many as Telegram takes.

    `queue create` becomes `queue_create`. A name that Telegram does not take is left out; it can be typed.
    `summaries` are translated ones by command; without one the command's own is shown.
    """
    entries = [
        BotCommand(name, _description(summaries.get(command.name, command.summary)))
        for command in registry
        if command.role <= highest
        and not command.terminal_only
        and _NAME.fullmatch(name := re.sub(r"[ -]", "_", command.name))
    ]
    return entries[:_MOST_COMMANDS]


class Menus:
    """Everybody is shown the commands of members; admins theirs too, in their private chats.

    `admins` gives the Telegram ids of the admins. Typed, every command works wherever its person may.
    """

    def __init__(self, bot: ExtBot[Any], registry: Registry, admins: Admins) -> None:
        self._bot = bot
        self._registry = registry
        self._admins = admins
        self._looked_at: set[int] = set()

    async def publish(self) -> None:
        """Has Telegram show the commands. A bot without a menu still does everything, so this raises nothing."""
        try:
            for scope in (
                BotCommandScopeDefault(),
                BotCommandScopeAllPrivateChats(),
                BotCommandScopeAllGroupChats(),
            ):
                await self._set(scope, Role.MEMBER)
            for user in await self._admins():
                await self._set_for_admin(int(user))
        except (TelegramError, ChatOpsError) as error:
            _tell_failed(error)

    async def has_written(self, user: int) -> None:
        """Gives an admin his menu where he had none, because he had not opened a chat, or became one since."""
        if user in self._looked_at:
            return
        self._looked_at.add(user)
        try:
            if str(user) in await self._admins():
                await self._set_for_admin(user)
        except (TelegramError, ChatOpsError) as error:
            _tell_failed(error)

    async def _set_for_admin(self, user: int) -> None:
        try:
            await self._set(BotCommandScopeChat(user), Role.ADMIN)
            self._looked_at.add(user)
        except (BadRequest, Forbidden) as error:
            logger.info("An admin has no menu yet: %s", error.message, extra={"action": "menu_waits"})

    async def _set(self, scope: BotCommandScope, highest: Role) -> None:
        for language, summaries in _LANGUAGES.items():
            await self._bot.set_my_commands(
                menu_of(self._registry, highest, summaries), scope=scope, language_code=language or None
            )


def _tell_failed(error: TelegramError | ChatOpsError) -> None:
    words = error.message if isinstance(error, TelegramError) else error
    logger.warning("The menu of commands was not published: %s", words, extra={"action": "menu_failed"})


def _description(summary: str) -> str:
    text = visible_line(summary).strip() or "—"
    return text if len(text) <= _LONGEST_DESCRIPTION else text[: _LONGEST_DESCRIPTION - 1] + "…"
