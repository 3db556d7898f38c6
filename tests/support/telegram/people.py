"""The people who use the bot. They write, reply and press buttons."""

from typing import Any

from tests.support.telegram.chats import BOT_USERNAME, Chat, ShownMessage
from tests.support.telegram.state import CallbackAnswer, State


class Person:
    """A Telegram user.

    Privacy mode is on: in a group the bot gets only commands, mentions and replies to its messages.
    """

    def __init__(self, state: State, first_name: str, last_name: str, *, has_opened_chat: bool) -> None:
        self._state = state
        self.id = state.next_user_id()
        self.user: dict[str, Any] = {"id": self.id, "is_bot": False, "first_name": first_name}
        if last_name:
            self.user["last_name"] = last_name
        self.chat = Chat(self.id, "private", user=self.user)
        if has_opened_chat:
            state.chats[self.id] = self.chat
        self._press_count = 0

    async def send(self, text: str, *, chat: Chat | None = None, topic: int | None = None) -> ShownMessage:
        """Send a message, by default in the private chat."""
        return await self._send_message(chat or self.chat, text, topic=topic, reply_to=None)

    async def reply_to(self, message: ShownMessage, text: str) -> ShownMessage:
        return await self._send_message(message.chat, text, topic=message.thread, reply_to=message)

    async def reply_with_photo(self, message: ShownMessage) -> ShownMessage:
        """Send a reply without a text."""
        photo = self._state.add_message(
            message.chat, self.user, "", reply_to=message.id, file_name="photo.jpg", is_photo=True
        )
        await self._state.add_update("message", photo.to_json())
        return photo

    async def press(self, message: ShownMessage, label: str) -> str:
        """Press a button. Return the id of the press, for `get_callback_answer`."""
        self._press_count += 1
        press_id = f"{self.id}{self._press_count:06}"
        self._state.pending_presses.add(press_id)
        content = {
            "id": press_id,
            "from": self.user,
            "chat_instance": str(message.chat.id),
            "message": message.to_json(),
            "data": message.buttons[label],
        }
        await self._state.add_update("callback_query", content)
        return press_id

    def get_callback_answer(self, press_id: str) -> CallbackAnswer | None:
        """Return what the phone shows after a press; None while it shows the spinner."""
        return self._state.answered_presses.get(press_id)

    async def open_topic(self, forum: Chat, name: str) -> int:
        """Open a topic in a forum and return its id."""
        message = self._state.add_message(forum, self.user, "", created_topic=name)
        message.thread = message.id
        return message.id

    async def _send_message(
        self, chat: Chat, text: str, *, topic: int | None, reply_to: ShownMessage | None
    ) -> ShownMessage:
        self._state.chats.setdefault(chat.id, chat)
        message = self._state.add_message(
            chat, self.user, text, thread=topic, reply_to=reply_to.id if reply_to else None
        )
        if _is_visible_to_bot(chat, text, reply_to):
            await self._state.add_update("message", message.to_json())
        return message


def _is_visible_to_bot(chat: Chat, text: str, reply_to: ShownMessage | None) -> bool:
    return (
        chat.is_private
        or text.startswith("/")
        or f"@{BOT_USERNAME}" in text
        or (reply_to is not None and reply_to.is_from_bot)
    )
