"""Chats and messages on the side of Telegram."""

from dataclasses import dataclass, field
from typing import Any

BOT_ID = 4200
BOT_USERNAME = "lab_bot"
BOT_USER = {"id": BOT_ID, "is_bot": True, "first_name": "Lab", "username": BOT_USERNAME}


@dataclass(frozen=True, slots=True)
class ShownButton:
    """A button with callback data, or with a URL that it opens."""

    label: str
    data: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class ForcedReply:
    """A reply that phones open by themselves: its placeholder, and for which users; None is for all."""

    placeholder: str
    user_ids: frozenset[int] | None


@dataclass
class ShownMessage:
    """A message as the chat shows it now. `source` is its markup and `tags` are the tags in it."""

    id: int
    chat: "Chat"
    sender: dict[str, Any]
    text: str
    date: int
    thread: int | None = None
    reply_to: int | None = None
    source: str = ""
    tags: tuple[str, ...] = ()
    rows: tuple[tuple[ShownButton, ...], ...] = ()
    file_name: str = ""
    file_content: bytes = b""
    is_photo: bool = False
    forced_reply: ForcedReply | None = None
    created_topic: str = ""
    migration: dict[str, int] = field(default_factory=dict)
    edit_count: int = 0

    @property
    def is_from_bot(self) -> bool:
        return bool(self.sender["id"] == BOT_ID)

    @property
    def buttons(self) -> dict[str, str]:
        """The callback data behind each button, by its label."""
        return {button.label: button.data for row in self.rows for button in row if not button.url}

    @property
    def links(self) -> dict[str, str]:
        """The URL behind each button that opens one, by its label."""
        return {button.label: button.url for row in self.rows for button in row if button.url}

    def to_json(self, *, nested: bool = False) -> dict[str, Any]:
        """Return the message in the Bot API's format. A `nested` one lacks the message that it replies to."""
        content: dict[str, Any] = {
            "message_id": self.id,
            "date": self.date,
            "chat": self.chat.to_json(),
            "from": self.sender,
        }
        if self.thread is not None:
            content |= {"message_thread_id": self.thread, "is_topic_message": True}
        elif self.reply_to is not None and self.chat.type == "supergroup":
            # A chain of replies has a thread id, too, which isn't a topic's.
            content["message_thread_id"] = self.reply_to
        if self.created_topic:
            content["forum_topic_created"] = {"name": self.created_topic, "icon_color": 7322096}
        elif self.migration:
            content |= self.migration
        elif self.file_name:
            content |= self._file_to_json() | ({"caption": self.text} if self.text else {})
        else:
            content["text"] = self.text
            if self.text.startswith("/"):
                length = len(self.text.split()[0])
                content["entities"] = [{"type": "bot_command", "offset": 0, "length": length}]
        if self.rows:
            content["reply_markup"] = {
                "inline_keyboard": [
                    [
                        {"text": item.label, **({"url": item.url} if item.url else {"callback_data": item.data})}
                        for item in row
                    ]
                    for row in self.rows
                ]
            }
        # Every other message in a topic is a reply to the message that created the topic.
        replied = self.chat.messages.get(self.reply_to or self.thread or 0)
        if replied is not None and replied is not self and not nested:
            content["reply_to_message"] = replied.to_json(nested=True)
        return content

    def _file_to_json(self) -> dict[str, Any]:
        name = f"file{self.chat.id}x{self.id}"
        ids = {"file_id": name, "file_unique_id": name, "file_size": len(self.file_content)}
        if self.is_photo:
            return {"photo": [{**ids, "width": 100, "height": 100}]}
        return {"document": {**ids, "file_name": self.file_name}}


@dataclass
class Chat:
    """A private chat, a group, or a supergroup, which may have topics."""

    id: int
    type: str
    title: str = ""
    forum: bool = False
    user: dict[str, Any] | None = None
    messages: dict[int, ShownMessage] = field(default_factory=dict)
    bot_is_blocked: bool = False
    moved_to: int | None = None
    chat_actions: list[tuple[str, int | None]] = field(default_factory=list)
    last_id: int = 0

    @property
    def is_private(self) -> bool:
        return self.type == "private"

    @property
    def bot_messages(self) -> list[ShownMessage]:
        """The messages that the bot has sent and not deleted, oldest first."""
        return [message for message in self.messages.values() if message.is_from_bot and not message.created_topic]

    @property
    def texts(self) -> list[str]:
        return [message.text for message in self.bot_messages]

    def next_id(self) -> int:
        self.last_id += 1
        return self.last_id

    def to_json(self) -> dict[str, Any]:
        if self.user is not None:
            return {"id": self.id, "type": "private", "first_name": self.user["first_name"]}
        return {"id": self.id, "type": self.type, "title": self.title} | ({"is_forum": True} if self.forum else {})
