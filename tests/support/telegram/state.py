"""Telegram's state for one bot: its chats, its menus, and its pending updates."""

import asyncio
import time
from dataclasses import dataclass, field
from typing import Any

from tests.support.telegram.chats import Chat, ShownMessage
from tests.support.telegram.refusals import RefusalError, build_bad_request


@dataclass
class CallbackAnswer:
    """The answer that the phone shows after a button press."""

    text: str
    is_alert: bool


@dataclass
class State:
    chats: dict[int, Chat] = field(default_factory=dict)
    updates: list[dict[str, Any]] = field(default_factory=list)
    commands: dict[tuple[str, str], list[dict[str, str]]] = field(default_factory=dict)
    pending_presses: set[str] = field(default_factory=set)
    answered_presses: dict[str, CallbackAnswer] = field(default_factory=dict)
    webhook_url: str = ""
    webhook_secret: str = ""
    allowed_updates: tuple[str, ...] = ()
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)
    _last_update: int = 1000
    _last_user: int = 100
    _last_group: int = 1000

    def now(self) -> int:
        return int(time.time())

    def next_user_id(self) -> int:
        self._last_user += 1
        return self._last_user

    def next_group_id(self) -> int:
        self._last_group += 1
        return -self._last_group

    async def add_update(self, kind: str, content: dict[str, Any]) -> dict[str, Any]:
        """Add an update for the bot's next poll."""
        self._last_update += 1
        update = {"update_id": self._last_update, kind: content}
        await self.redeliver(update)
        return update

    async def redeliver(self, update: dict[str, Any]) -> None:
        """Add the same update again, as Telegram does if it was not confirmed."""
        self.updates.append(update)
        await self.notify_changed()

    async def notify_changed(self) -> None:
        """Wake all tasks that wait for a change."""
        async with self.changed:
            self.changed.notify_all()

    def find_writable_chat(self, chat_id: Any) -> Chat:
        """Return a chat that the bot may write to.

        Raises:
            RefusalError: There is no such chat, the bot was blocked, or the group has become a supergroup.
        """
        try:
            chat = self.chats[int(chat_id)]
        except (KeyError, TypeError, ValueError):
            raise build_bad_request("chat not found") from None
        if chat.bot_is_blocked:
            words = "bot was blocked by the user" if chat.is_private else "bot was kicked from the group chat"
            raise RefusalError(403, f"Forbidden: {words}")
        if chat.moved_to is not None:
            raise build_bad_request(
                "group chat was upgraded to a supergroup chat", migrate_to_chat_id=chat.moved_to
            )
        return chat

    def add_message(self, chat: Chat, sender: dict[str, Any], text: str, **fields: Any) -> ShownMessage:
        message = ShownMessage(id=chat.next_id(), chat=chat, sender=sender, text=text, date=self.now(), **fields)
        chat.messages[message.id] = message
        return message
