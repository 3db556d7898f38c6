"""People of a workspace, who write, mention the bot and press buttons."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.support.slack.block_kit import build_sent_value, find_buttons
from tests.support.slack.modals import Modal, press_button_in_view
from tests.support.slack.socket_mode import Envelope
from tests.support.slack.views import View
from tests.support.slack.workspace import BOT_USER, TEAM, Message

if TYPE_CHECKING:
    from tests.support.slack.server import SlackServer


def escape(text: str) -> str:
    """Return a typed text as Slack sends it."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


@dataclass(frozen=True)
class Person:
    """A person with Slack open. Their text is escaped, unless a test gives it `as_sent` by Slack."""

    server: "SlackServer"
    id: str
    name: str

    @property
    def direct_channel(self) -> str:
        return self.server.workspace.open_direct_channel(self.id)

    async def send_slash_command(
        self, command: str, text: str, channel: str, *, as_sent: bool = False
    ) -> Envelope:
        workspace = self.server.workspace
        response_url = workspace.create_response_url(channel, self.id)
        payload = {
            "token": "verification",
            "team_id": TEAM,
            "team_domain": "lab",
            "channel_id": channel,
            "channel_name": workspace.channels[channel].name or "directmessage",
            "user_id": self.id,
            "user_name": self.name,
            "command": command,
            "text": text if as_sent else escape(text),
            "api_app_id": "A0001",
            "response_url": f"{self.server.url}/response/{response_url.token}",
            "trigger_id": self.server.views.create_trigger(self.id),
        }
        return await self.server.send("slash_commands", payload)

    async def mention_bot(self, channel: str, text: str, *, thread: str = "", as_sent: bool = False) -> Message:
        """Mention the bot in a channel. Return the message."""
        message, _ = await self._write(
            "app_mention", channel, f"<@{BOT_USER}> {_to_sent_text(text, as_sent)}", thread
        )
        return message

    async def send_direct_message(self, text: str, *, thread: str = "", as_sent: bool = False) -> Envelope:
        _, envelope = await self._write(
            "message", self.direct_channel, _to_sent_text(text, as_sent), thread, channel_type="im"
        )
        return envelope

    async def write(self, kind: str, channel: str, text: str, *, thread: str = "", **more: Any) -> Envelope:
        """Send a message event with additional fields."""
        _, envelope = await self._write(kind, channel, text, thread, **more)
        return envelope

    async def press(self, label: str, *, on: Message | None = None) -> Envelope:
        """Press the button with this label, on the newest message that has it."""
        message = on or next(
            message for message in reversed(self.list_visible_messages()) if label in message.button_labels
        )
        button = next(button for button in find_buttons(message.blocks) if button["text"]["text"] == label)
        workspace = self.server.workspace
        response_url = workspace.create_response_url(message.channel, self.id, message)
        container = {
            "type": "message",
            "message_ts": message.ts,
            "channel_id": message.channel,
            "is_ephemeral": bool(message.visible_to),
            **({"thread_ts": message.thread_ts} if message.thread_ts else {}),
        }
        more: dict[str, Any] = {}
        if not message.visible_to:
            thread = {"thread_ts": message.thread_ts} if message.thread_ts else {}
            more["message"] = {"type": "message", "user": BOT_USER, "ts": message.ts, **thread}
        return await self.interact(
            "block_actions",
            container=container,
            trigger_id=self.server.views.create_trigger(self.id),
            channel={"id": message.channel, "name": workspace.channels[message.channel].name},
            response_url=f"{self.server.url}/response/{response_url.token}",
            actions=[{**button, **build_sent_value(button), "block_id": "b", "action_ts": message.ts}],
            **more,
        )

    async def use_shortcut(self, callback_id: str, message: Message) -> Envelope:
        """Use a shortcut in the menu of a message."""
        workspace = self.server.workspace
        response_url = workspace.create_response_url(message.channel, self.id)
        thread = {"thread_ts": message.thread_ts} if message.thread_ts else {}
        return await self.interact(
            "message_action",
            callback_id=callback_id,
            action_ts=message.ts,
            message_ts=message.ts,
            trigger_id=self.server.views.create_trigger(self.id),
            response_url=f"{self.server.url}/response/{response_url.token}",
            channel={"id": message.channel, "name": workspace.channels[message.channel].name},
            message={
                "type": "message",
                "user": message.user,
                "ts": message.ts,
                "text": message.text,
                "blocks": message.blocks,
                **thread,
            },
        )

    async def interact(
        self, kind: str, *, on_acknowledged: Callable[[dict[str, Any] | None], None] | None = None, **more: Any
    ) -> Envelope:
        """Send an interaction. `on_acknowledged` gets the payload of the acknowledgement."""
        payload = {
            "type": kind,
            "user": {"id": self.id, "username": self.name, "name": self.name, "team_id": TEAM},
            "api_app_id": "A0001",
            "token": "verification",
            "team": {"id": TEAM, "domain": "lab"},
            **more,
        }
        return await self.server.send("interactive", payload, on_acknowledged=on_acknowledged)

    async def open_home(self, tab: str = "home") -> Envelope:
        """Open a tab of the app, as by a click on the bot's name."""
        view = {"view": self.home_view.to_payload()} if tab == "home" and self.home_view else {}
        event = {
            "type": "app_home_opened",
            "user": self.id,
            "channel": self.direct_channel,
            "tab": tab,
            "event_ts": "1700000000.000001",
            **view,
        }
        return await self._send_event(event)

    async def press_in_home(self, label: str) -> Envelope:
        assert self.home_view
        return await press_button_in_view(self, self.home_view, label)

    @property
    def home_view(self) -> View | None:
        """The person's Home tab, once the bot has published it."""
        return self.server.views.homes.get(self.id)

    @property
    def modal(self) -> Modal | None:
        """The person's top modal."""
        opened = self.server.views.list_open_views(self.id)
        return Modal(self, opened[-1]) if opened else None

    def list_visible_messages(self, channel: str = "") -> list[Message]:
        """Return the messages that the person sees now, oldest first."""
        return [
            message
            for message in self.server.workspace.messages
            if not message.deleted
            and message.visible_to in {"", self.id}
            and channel in {"", message.channel}
            and self.server.workspace.channels[message.channel].direct_message_user in {"", self.id}
        ]

    async def _write(
        self, kind: str, channel: str, text: str, thread: str, **more: Any
    ) -> tuple[Message, Envelope]:
        message = self.server.workspace.post(channel, text, [], user=self.id, thread_ts=thread)
        event = {
            "type": kind,
            "user": self.id,
            "text": text,
            "ts": message.ts,
            "event_ts": message.ts,
            "channel": channel,
            **({"thread_ts": thread} if thread else {}),
            **more,
        }
        return message, await self._send_event(event)

    async def _send_event(self, event: dict[str, Any]) -> Envelope:
        payload = {
            "token": "verification",
            "team_id": TEAM,
            "api_app_id": "A0001",
            "event": event,
            "type": "event_callback",
            "event_id": f"Ev{self.server.workspace.take_number():06}",
            "authorizations": [{"team_id": TEAM, "user_id": BOT_USER, "is_bot": True}],
        }
        return await self.server.send("events_api", payload)


def _to_sent_text(text: str, as_sent: bool) -> str:  # noqa: FBT001  # passed through from the callers
    return text if as_sent else escape(text)
