"""The fake Slack server: one local port for the Web API, Socket Mode, uploads and response URLs."""

import time
from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from aiohttp import web

from tests.support.slack.block_kit import find_markup
from tests.support.slack.http_events import HttpEvents
from tests.support.slack.people import Person
from tests.support.slack.socket_mode import Envelope, Payload, SocketMode
from tests.support.slack.views import Views
from tests.support.slack.web_api import WebApi
from tests.support.slack.workspace import BOT_USER, Message, Workspace

REQUIRED_SCOPES = frozenset(
    {"commands", "chat:write", "app_mentions:read", "im:history", "im:write", "files:write", "users:read"}
)
BOT_TOKEN = "xoxb-0001-secret"
APP_TOKEN = "xapp-1-A0001-secret"


class SlackServer:
    """A workspace that a bot can connect to; an async context manager.

    `clock` gives the seconds that decide when an acknowledgement is late and a response URL expires. `port` 0
    takes any free port.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic, port: int = 0) -> None:
        self.workspace = Workspace(clock)
        self.views = Views(self.workspace)
        self.socket_mode = SocketMode(clock)
        self.http_events = HttpEvents(clock, self.socket_mode.envelopes)
        self.api = WebApi(self.workspace, self.views, self.socket_mode, bot_token=BOT_TOKEN, app_token=APP_TOKEN)
        self.api.scopes = set(REQUIRED_SCOPES)
        self.url = ""
        self._port = port
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=2**26)
        app.router.add_route("*", "/api/{method}", self.api.handle_call)
        app.router.add_post("/upload/v1/{file}", self.api.receive_upload)
        app.router.add_post("/response/{token}", self.api.handle_response_url)
        app.router.add_get("/link/", self.socket_mode.connect)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port).start()
        address = f"127.0.0.1:{self._runner.addresses[0][1]}"
        self.url = self.api.url = f"http://{address}"
        self.socket_mode.base_url = f"ws://{address}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.http_events.close()
        await self.socket_mode.close()
        assert self._runner
        await self._runner.cleanup()

    @property
    def api_url(self) -> str:
        """The value for SLACK_API_URL."""
        return f"{self.url}/api/"

    def add_person(self, name: str) -> Person:
        user_id = f"U{self.workspace.take_number():06}"
        self.workspace.users[user_id] = name
        return Person(self, user_id, name)

    def add_channel(self, name: str, *, has_bot: bool = True, is_archived: bool = False) -> str:
        return self.workspace.add_channel(name, has_bot=has_bot, is_archived=is_archived)

    def list_posted_messages(self, channel: str = "", *, thread: str | None = None) -> list[Message]:
        """Return the bot's messages that aren't ephemeral, oldest first. `thread=""` leaves out the threads."""
        return [
            message
            for message in self.workspace.messages
            if message.user == BOT_USER
            and not message.visible_to
            and not message.deleted
            and channel in {"", message.channel}
            and thread in {None, message.thread_ts}
        ]

    def list_ephemeral_messages(self, person: Person) -> list[Message]:
        """Return the ephemeral messages that a person got, oldest first."""
        return [
            message
            for message in self.workspace.messages
            if message.visible_to == person.id and not message.deleted
        ]

    def limit_rate(self, method: str, *retry_after: int) -> None:
        """Answer the next calls of a method, or of `response_url`, with 429: one per number of seconds."""
        self.api.faults.rate_limits[method] = deque(retry_after)

    async def redeliver(self, envelope: Envelope, attempt: int = 1) -> Envelope:
        """Send the same payload again in a new envelope, as Slack does without an acknowledgement."""
        return await self.send(
            envelope.type,
            envelope.payload,
            on_acknowledged=envelope.on_acknowledged,
            retry_attempt=attempt,
            retry_reason="timeout",
        )

    async def send(self, kind: str, payload: Payload, **more: Any) -> Envelope:
        """Send a payload to the bot: by HTTP if the app has a request URL, otherwise by Socket Mode."""
        transport = self.http_events if self.http_events.request_url else self.socket_mode
        return await transport.send(kind, payload, **more)

    @property
    def timed_out(self) -> list[Envelope]:
        """The envelopes that people saw as `operation_timeout`."""
        return [envelope for envelope in self.socket_mode.envelopes.values() if envelope.timed_out]

    def find_markup_texts(self) -> list[str]:
        """Return the bot's texts that Slack interprets as markup."""
        block_lists = [message.blocks for message in self.workspace.messages]
        block_lists += [
            view.content["blocks"] for view in (*self.views.views.values(), *self.views.homes.values())
        ]
        return [text for blocks in block_lists for text in find_markup(blocks)]

    def list_calls(self, method: str) -> list[dict[str, Any]]:
        return self.api.list_calls(method)
