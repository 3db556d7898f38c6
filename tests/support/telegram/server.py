"""The fake Telegram server: HTTP, the record of calls, and faults."""

import asyncio
import json
from collections.abc import Callable
from typing import Any, Self

from aiohttp import web

from tests.support.telegram.api_calls import Call, SentFile
from tests.support.telegram.chats import BOT_ID, Chat
from tests.support.telegram.faults import Fault, Faults
from tests.support.telegram.methods import METHODS
from tests.support.telegram.people import Person
from tests.support.telegram.polling import Polling
from tests.support.telegram.refusals import RefusalError
from tests.support.telegram.state import State
from tests.support.telegram.webhooks import WebhookDelivery

_WAIT_TIMEOUT_SECONDS = 20.0
_JSON_PARAMETERS = {
    "allow_sending_without_reply",
    "allowed_updates",
    "commands",
    "drop_pending_updates",
    "link_preview_options",
    "media",
    "reply_markup",
    "reply_parameters",
    "scope",
    "show_alert",
}


class TelegramServer:
    """Telegram's Bot API for one bot, in memory, reachable from this machine only.

    Attributes:
        token: The bot's token; any other is unauthorised.
        calls: The calls, without polls.
        poll_count: How many polls have started.
        unknown_methods: Called methods that don't exist here. If there are any, the server fails at its end.
        state: The data, for seeding and for assertions.
        webhook: The delivery of updates to the bot's webhook.
    """

    def __init__(self) -> None:
        self.token = f"{BOT_ID}:AAE-test_token_that_must_not_be_in_any_log"
        self.state = State()
        self.calls: list[Call] = []
        self.poll_count = 0
        self.unknown_methods: list[str] = []
        self._faults = Faults()
        self._polling = Polling(self.state)
        self.webhook = WebhookDelivery(self.state)
        self._runner: web.AppRunner | None = None
        self._port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    async def __aenter__(self) -> Self:
        await self.listen()
        self.webhook.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.webhook.stop()
        await self.stop_listening()
        assert not self.unknown_methods, self.unknown_methods

    async def listen(self) -> None:
        """Start to answer; after `stop_listening`, on the same port again."""
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_route("*", "/bot{token}/{method}", self._handle_request)
        self._runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port, reuse_address=True)
        await site.start()
        self._port = self._runner.addresses[0][1]

    async def stop_listening(self) -> None:
        """Drop all connections and refuse new ones."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    def add_fault(self, method: str, fault: Fault) -> None:
        """Plan a fault for the next calls of a method."""
        self._faults.add(method, fault)

    def has_no_faults_left(self, method: str) -> bool:
        """Return whether all planned faults of a method have happened."""
        return not self._faults.planned.get(method)

    def list_calls(self, method: str) -> list[dict[str, Any]]:
        """Return the parameters of each call of a method, including refused ones."""
        return [call.parameters for call in self.calls if call.method == method]

    async def wait_until(self, condition: Callable[[], object]) -> None:
        """Wait until the condition holds. It is checked after each change here."""
        async with asyncio.timeout(_WAIT_TIMEOUT_SECONDS), self.state.changed:
            await self.state.changed.wait_for(lambda: bool(condition()))

    # ── People ────────────────────────────────────────────────────────────────────────────────────

    def add_person(self, first_name: str, last_name: str = "", *, has_opened_chat: bool = True) -> Person:
        """Add a person. Unless they have opened the private chat already, their first message opens it."""
        return Person(self.state, first_name, last_name, has_opened_chat=has_opened_chat)

    def add_group(self, title: str) -> Chat:
        return self._add_chat(Chat(self.state.next_group_id(), "group", title))

    def add_supergroup(self, title: str) -> Chat:
        return self._add_chat(Chat(self.state.next_group_id() - 10**12, "supergroup", title))

    def add_forum(self, title: str) -> Chat:
        """Add a supergroup with topics."""
        return self._add_chat(Chat(self.state.next_group_id() - 10**12, "supergroup", title, forum=True))

    def upgrade_group(self, group: Chat) -> Chat:
        """Turn a group into a supergroup and return that. The group's old id is refused from now on.

        Its messages stay behind, and the ids of new messages start again.
        """
        supergroup = self.add_supergroup(group.title)
        group.moved_to = supergroup.id
        return supergroup

    async def announce_upgrade(self, group: Chat, person: Person) -> None:
        """Send the bot the two service messages that follow when a person turns a group into a supergroup."""
        assert group.moved_to is not None, "the group has not moved"
        supergroup = self.state.chats[group.moved_to]
        for chat, migration in (
            (group, {"migrate_to_chat_id": supergroup.id}),
            (supergroup, {"migrate_from_chat_id": group.id}),
        ):
            message = self.state.add_message(chat, person.user, "", migration=migration)
            await self.state.add_update("message", message.to_json())

    def _add_chat(self, chat: Chat) -> Chat:
        self.state.chats[chat.id] = chat
        return chat

    # ── HTTP ──────────────────────────────────────────────────────────────────────────────────────

    async def _handle_request(self, request: web.Request) -> web.StreamResponse:
        try:
            return web.json_response({"ok": True, "result": await self._run_method(request)})
        except RefusalError as refusal:
            content: dict[str, Any] = {
                "ok": False,
                "error_code": refusal.status,
                "description": refusal.description,
            }
            if refusal.parameters:
                content["parameters"] = refusal.parameters
            return web.json_response(content, status=refusal.status)
        finally:
            await self.state.notify_changed()

    async def _run_method(self, request: web.Request) -> Any:
        if request.match_info["token"] != self.token:
            raise RefusalError(401, "Unauthorized")
        call = await _parse_call(request)
        method = METHODS.get(call.method)
        if method is None and call.method != "getUpdates":
            self.unknown_methods.append(call.method)
            raise RefusalError(404, "Not Found")
        if call.method == "getUpdates":
            self.poll_count += 1
        else:
            self.calls.append(call)
        await self.state.notify_changed()
        fault = self._faults.take_next(call.method)
        if fault is not None and not fault.runs_method:
            await _apply_fault(fault, request)
        result = await self._polling.get_updates(call) if method is None else method(self.state, call)
        if fault is not None and fault.runs_method:
            await _apply_fault(fault, request)
        return result


async def _apply_fault(fault: Fault, request: web.Request) -> None:
    if fault.side_effect is not None:
        fault.side_effect()
    if fault.release_event is not None:
        await fault.release_event.wait()
    if fault.drops_connection:
        if request.transport is not None:
            request.transport.abort()
        raise ConnectionResetError
    if fault.refusal is not None:
        raise fault.refusal


async def _parse_call(request: web.Request) -> Call:
    """Return the call, with parameters from the query, JSON, a form, or a form with files."""
    method = request.match_info["method"]
    parameters: dict[str, Any] = dict(request.query)
    files: dict[str, SentFile] = {}
    if request.content_type == "application/json":
        parameters |= await request.json()
    elif request.can_read_body:
        for name, value in (await request.post()).items():
            if isinstance(value, web.FileField):
                files[name] = SentFile(value.filename, value.file.read())
            else:
                parameters[name] = _parse_value(name, str(value))
    return Call(method, parameters, files)


def _parse_value(name: str, text: str) -> Any:
    """Return a form's value: anything but a string is sent as JSON."""
    return json.loads(text) if name in _JSON_PARAMETERS else text
