"""Slack's Web API, with only the methods that the bot calls."""

import asyncio
import json
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.support.slack.socket_mode import SocketMode
from tests.support.slack.views import View, Views
from tests.support.slack.workspace import BOT_ID, BOT_USER, TEAM, File, RefusedError, Workspace

Arguments = dict[str, Any]
Method = Callable[[Arguments], Awaitable[Arguments]]

MAX_ALT_TEXT_LENGTH = 1000

_REQUIRED_SCOPES = {
    "chat.postMessage": "chat:write",
    "chat.update": "chat:write",
    "chat.postEphemeral": "chat:write",
    "conversations.open": "im:write",
    "users.info": "users:read",
    "files.getUploadURLExternal": "files:write",
    "files.completeUploadExternal": "files:write",
}


@dataclass(frozen=True)
class Call:
    """A recorded request to the Web API."""

    method: str
    arguments: Arguments
    called_at: float


@dataclass
class Faults:
    """How the Web API misbehaves, per method."""

    rate_limits: dict[str, deque[int]] = field(default_factory=dict)
    refusals: dict[str, str] = field(default_factory=dict)
    delays: dict[str, float] = field(default_factory=dict)
    side_effects: dict[str, Callable[[], None]] = field(default_factory=dict)
    """Called while a request is on its way."""
    is_unavailable: bool = False
    """Every request gets a 503."""


class WebApi:
    """Answers `/api/<method>`, and records every call and every unknown method."""

    def __init__(
        self, workspace: Workspace, views: Views, sockets: SocketMode, *, bot_token: str, app_token: str
    ) -> None:
        self.calls: list[Call] = []
        self.unknown_methods: list[str] = []
        self.faults = Faults()
        self.scopes: set[str] = set()
        self.bot_token = bot_token
        self.app_token = app_token
        self.url = ""
        self._workspace = workspace
        self._views = views
        self._sockets = sockets
        self._methods: dict[str, Method] = {
            "auth.test": self._test_auth,
            "apps.connections.open": self._open_connection,
            "chat.postMessage": self._post,
            "chat.update": self._update,
            "chat.postEphemeral": self._post_ephemeral,
            "conversations.open": self._open_conversation,
            "users.info": self._get_user,
            "files.getUploadURLExternal": self._create_upload_url,
            "files.completeUploadExternal": self._complete_upload,
            "views.open": self._open_view,
            "views.update": self._update_view,
            "views.publish": self._publish_view,
        }

    def list_calls(self, method: str) -> list[Arguments]:
        return [call.arguments for call in self.calls if call.method == method]

    async def handle_call(self, request: web.Request) -> web.Response:
        method = request.match_info["method"]
        arguments = await _read_arguments(request)
        self.calls.append(Call(method, arguments, self._workspace.clock()))
        if self.faults.is_unavailable:
            return web.Response(status=503, text="upstream connect error")
        if delays := self.faults.rate_limits.get(method):
            headers = {"Retry-After": str(delays.popleft())}
            return web.json_response({"ok": False, "error": "ratelimited"}, status=429, headers=headers)
        if method in self.faults.side_effects:
            self.faults.side_effects[method]()
        if method in self.faults.delays:
            await asyncio.sleep(self.faults.delays[method])
        try:
            self._authorise(method, request.headers.get("Authorization", "").removeprefix("Bearer "))
            result = await self._methods[method](arguments)
        except RefusedError as error:
            return web.json_response({"ok": False, "error": error.code, **error.details})
        return web.json_response({"ok": True, **result}, headers={"x-oauth-scopes": ",".join(sorted(self.scopes))})

    async def receive_upload(self, request: web.Request) -> web.Response:
        file = self._workspace.files[request.match_info["file"]]
        if "upload" in self.faults.refusals:
            return web.Response(status=500, text=self.faults.refusals["upload"])
        content = await request.read()
        if len(content) != file.length:
            return web.Response(status=400, text="wrong length")
        file.content = content
        return web.Response(text=f"OK - {file.length}")

    async def handle_response_url(self, request: web.Request) -> web.Response:
        """Answer a post to a response_url."""
        response_url = self._workspace.response_urls[request.match_info["token"]]
        body = await request.json()
        self.calls.append(Call("response_url", body, self._workspace.clock()))
        if delays := self.faults.rate_limits.get("response_url"):
            return web.Response(status=429, headers={"Retry-After": str(delays.popleft())})
        try:
            self._workspace.respond(response_url, body)
        except RefusedError as error:
            return web.Response(status=404 if error.code.endswith("_url") else 400, text=error.code)
        return web.Response(text="ok")

    def _authorise(self, method: str, token: str) -> None:
        if method not in self._methods:
            self.unknown_methods.append(method)
            raise RefusedError("unknown_method")
        if method == "apps.connections.open":
            if token != self.app_token:
                raise RefusedError("invalid_auth" if token.startswith("xapp-") else "not_allowed_token_type")
        elif token != self.bot_token:
            raise RefusedError("invalid_auth")
        if refusal := self.faults.refusals.get(method):
            raise RefusedError(refusal)
        if (needed := _REQUIRED_SCOPES.get(method)) and needed not in self.scopes:
            raise RefusedError("missing_scope", needed=needed, provided=",".join(sorted(self.scopes)))

    async def _test_auth(self, _arguments: Arguments) -> Arguments:
        return {
            "url": "https://lab.slack.com/",
            "team": "Lab",
            "user": "clearml",
            "team_id": TEAM,
            "user_id": BOT_USER,
            "bot_id": BOT_ID,
        }

    async def _open_connection(self, _arguments: Arguments) -> Arguments:
        return {"url": self._sockets.create_url()}

    async def _post(self, arguments: Arguments) -> Arguments:
        channel = self._workspace.require_writable_channel(arguments["channel"])
        message = self._workspace.post(
            channel.id,
            arguments.get("text") or "",
            _read_blocks(arguments),
            thread_ts=arguments.get("thread_ts") or "",
        )
        if arguments.get("reply_broadcast"):
            self._workspace.broadcasts.append("reply_broadcast")
        return {"channel": channel.id, "ts": message.ts, "message": {"ts": message.ts, "text": message.text}}

    async def _update(self, arguments: Arguments) -> Arguments:
        channel = self._workspace.require_writable_channel(arguments["channel"])
        message = self._workspace.find_message(channel.id, arguments["ts"])
        if message is None:
            raise RefusedError("message_not_found")
        if message.user != BOT_USER:
            raise RefusedError("cant_update_message")
        self._workspace.update(message, arguments.get("text") or "", _read_blocks(arguments))
        return {"channel": channel.id, "ts": message.ts}

    async def _post_ephemeral(self, arguments: Arguments) -> Arguments:
        channel = self._workspace.require_writable_channel(arguments["channel"])
        text, blocks = arguments.get("text") or "", _read_blocks(arguments)
        message = self._workspace.post(channel.id, text, blocks, visible_to=arguments["user"])
        return {"message_ts": message.ts}

    async def _open_conversation(self, arguments: Arguments) -> Arguments:
        if arguments["users"] not in self._workspace.users:
            raise RefusedError("user_not_found")
        return {"channel": {"id": self._workspace.open_direct_channel(arguments["users"])}}

    async def _get_user(self, arguments: Arguments) -> Arguments:
        name = self._workspace.users.get(arguments["user"])
        if name is None:
            raise RefusedError("user_not_found")
        user = {"id": arguments["user"], "name": name, "profile": {"display_name": name}}
        zone = self._workspace.time_zones.get(arguments["user"], "")
        return {"user": {**user, "tz": zone} if zone else user}

    async def _open_view(self, arguments: Arguments) -> Arguments:
        return _build_view_result(self._views.open(arguments["trigger_id"], _read_view(arguments)))

    async def _update_view(self, arguments: Arguments) -> Arguments:
        known_hash = arguments.get("hash") or ""
        return _build_view_result(self._views.update(arguments["view_id"], _read_view(arguments), known_hash))

    async def _publish_view(self, arguments: Arguments) -> Arguments:
        return _build_view_result(self._views.publish(arguments["user_id"], _read_view(arguments)))

    async def _create_upload_url(self, arguments: Arguments) -> Arguments:
        length, description = int(arguments["length"]), arguments.get("alt_txt") or ""
        if not length or not arguments["filename"]:
            raise RefusedError("missing_argument")
        if len(description) > MAX_ALT_TEXT_LENGTH:
            raise RefusedError("alt_txt_too_large")
        file = File(f"F{self._workspace.take_number():06}", arguments["filename"], length, description)
        self._workspace.files[file.id] = file
        return {"upload_url": f"{self.url}/upload/v1/{file.id}", "file_id": file.id}

    async def _complete_upload(self, arguments: Arguments) -> Arguments:
        channel = self._workspace.require_writable_channel(arguments["channel_id"])
        files = [self._workspace.files[item["id"]] for item in json.loads(arguments["files"])]
        if not files or any(not file.content or file.shared for file in files):
            raise RefusedError("file_not_found")
        for file in files:
            file.shared = True
        comment = arguments.get("initial_comment") or files[0].name
        thread_ts = arguments.get("thread_ts") or ""
        self._workspace.post(channel.id, comment, [], thread_ts=thread_ts).files = files
        return {"files": [{"id": file.id, "title": file.name} for file in files]}


def _build_view_result(view: View) -> Arguments:
    return {"view": view.to_payload()}


def _read_view(arguments: Arguments) -> Arguments:
    view = arguments["view"]
    found: Arguments = json.loads(view) if isinstance(view, str) else view
    return found


def _read_blocks(arguments: Arguments) -> list[dict[str, Any]]:
    blocks = arguments.get("blocks") or []
    found: list[dict[str, Any]] = json.loads(blocks) if isinstance(blocks, str) else blocks
    return found


async def _read_arguments(request: web.Request) -> Arguments:
    """Return the arguments from the query and from a JSON or form body."""
    found: Arguments = dict(request.query)
    if request.content_type == "application/json":
        found.update(await request.json())
    else:
        found.update(await request.post())
    return found
