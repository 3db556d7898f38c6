"""The server: HTTP, the response envelope, and routing requests to endpoints."""

import asyncio
import importlib
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Self

from aiohttp import web

from clearml_chatops.sandbox.authentication import LOGIN_COOKIE, authenticate
from clearml_chatops.sandbox.documents import Document, generate_id
from clearml_chatops.sandbox.errors import (
    INTERNAL,
    INVALID_PATH,
    MALFORMED_REQUEST,
    NOT_A_DICT,
    ApiError,
)
from clearml_chatops.sandbox.faults import Fault, Faults
from clearml_chatops.sandbox.registry import Call, Endpoint, find_endpoint
from clearml_chatops.sandbox.request_log import HandledRequest, RequestLog
from clearml_chatops.sandbox.state import State, User
from clearml_chatops.sandbox.tokens import TOKEN_LIFETIME, Tokens
from clearml_chatops.sandbox.versions import NEWEST_API_VERSION, find_server_version

for _module in (
    "enqueueing",
    "events",
    "bulk_task_actions",
    "organization",
    "projects",
    "queues",
    "scalars",
    "task_parameters",
    "task_queries",
    "task_status",
    "tasks",
    "users",
    "workers",
):
    # importing a module registers its endpoints
    importlib.import_module(f"clearml_chatops.sandbox.{_module}")

MAX_BODY_SIZE = 256 * 1024 * 1024
"""Bytes. A task's uncommitted changes are sent in one request."""
MIN_COMPRESSED_SIZE = 1024
BATCH_ENDPOINT = "events.add_batch"

_PATH = re.compile(r"/(?:v(?P<version>\d+\.\d+)/)?(?P<name>\w+\.\w+)/?")


def utc_now() -> datetime:
    return datetime.now(UTC)


class Sandbox:
    """A ClearML API server in this process, in memory, reachable from this machine only.

    It starts with two ordinary users, an admin, and an empty queue `default`.

    Args:
        clock: Returns the current time as an aware UTC datetime.
        alice_keys: Access key and secret key of the first user. None makes random ones, like those of the
            others.
        api_version: The API version of the server to play, one of `versions.SERVER_VERSIONS`.

    Raises:
        ValueError: The sandbox can't play that version.

    Attributes:
        state: The data, for seeding and assertions.
        alice, bob: Users with the role `user`.
        carol: A user with the role `admin`.
        requests: The log of handled requests.
        faults: The faults that the server simulates.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], datetime] = utc_now,
        alice_keys: tuple[str, str] | None = None,
        api_version: str = NEWEST_API_VERSION,
    ) -> None:
        access_key, secret_key = alice_keys or (None, None)
        self.state = State(clock, find_server_version(api_version))
        self.state.add_user("Default User", id="__tests__", role="system")
        self.alice = self.state.add_user("Alice Adams", access_key=access_key, secret_key=secret_key)
        self.bob = self.state.add_user("Bob Brown")
        self.carol = self.state.add_user("Carol Chen", role="admin")
        self.state.add_queue("default", system_tags=["default"])
        self.requests = RequestLog()
        self.faults = Faults()
        self._tokens = Tokens(clock)
        self._runner: web.AppRunner | None = None
        self._port = 0

    @property
    def url(self) -> str:
        """The value for CLEARML_API_HOST, known once the server has started."""
        return f"http://127.0.0.1:{self._port}"

    async def start(self, *, port: int = 0) -> None:
        """Start listening, on a free port unless one is given.

        Raises:
            OSError: The port is taken.
        """
        application = web.Application(client_max_size=MAX_BODY_SIZE)
        application.router.add_route("*", "/{path:.*}", self._respond)
        # compressed bodies are refused unread, as on the real server
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=1.0, auto_decompress=False)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", port)
        try:
            await site.start()
        except OSError:
            await self.aclose()
            raise
        self._port = self._runner.addresses[0][1]

    async def aclose(self) -> None:
        """Stop listening and drop open connections. The state stays, and the server can be started again."""
        if self._runner:
            await self._runner.cleanup()
            self._runner = None

    async def __aenter__(self) -> Self:
        if self._runner is None:
            await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def _respond(self, request: web.Request) -> web.StreamResponse:
        encoding = request.headers.get("Content-Encoding", "identity")
        if encoding != "identity":
            return web.Response(status=415, text=f"Content encoding is not supported ({encoding})")
        try:
            body = await request.read()
        except ConnectionError:
            return web.Response(status=400, text="The client disconnected.")
        match = _PATH.fullmatch(request.path)
        name = match["name"] if match else ""
        record = self.requests.record_start(name, request.method, request.path, body)
        response: web.StreamResponse | None = None
        try:
            fault = self.faults.take(name)
            if fault:
                response = await self._respond_with_fault(fault, request, record)
            else:
                response = self._answer(request, record)
            return response
        finally:
            self.requests.record_finish(record, response.status if response else None)

    async def _respond_with_fault(
        self, fault: Fault, request: web.Request, record: HandledRequest
    ) -> web.StreamResponse:
        await asyncio.sleep(fault.delay)
        if fault.status is None and not fault.disconnects:
            return self._answer(request, record)
        if fault.takes_effect:
            self._answer(request, record)
        if fault.disconnects:
            if request.transport:
                request.transport.abort()
            raise web.HTTPServiceUnavailable
        return web.Response(status=fault.status or 500, body=fault.body, content_type=fault.content_type)

    def _answer(self, request: web.Request, record: HandledRequest) -> web.Response:
        match = _PATH.fullmatch(request.path)
        server_version = self.state.version
        envelope = Envelope(record.endpoint, (match and match["version"]) or server_version.api)
        data: Document = {}
        try:
            if match is None:
                error = ApiError(INVALID_PATH)
                error.message = f"{INVALID_PATH.text} {request.path}"
                raise error
            endpoint = find_endpoint(record.endpoint, envelope.version, server_version)
            envelope.actual_version = endpoint.since
            call = self._build_call(endpoint, request, record)
            data = endpoint.answer(call)
        except ApiError as error:
            envelope.set_error(error)
        except (TypeError, ValueError, LookupError, AttributeError) as error:
            # a value that no check expected; the real server also answers 500/100
            envelope.set_error(ApiError(INTERNAL, type(error).__name__, err=error))
        response = web.Response(
            status=envelope.code,
            body=json.dumps(envelope.to_document(data), default=_encode_datetime).encode(),
            content_type="application/json",
        )
        if "token" in data and record.endpoint == "auth.login":
            lifetime = int(TOKEN_LIFETIME.total_seconds())
            response.set_cookie(LOGIN_COOKIE, data["token"], max_age=lifetime, httponly=True, samesite="Lax")
        if len(response.body or b"") >= MIN_COMPRESSED_SIZE:  # type: ignore[arg-type]
            response.enable_compression()
        return response

    def _build_call(self, endpoint: Endpoint, request: web.Request, record: HandledRequest) -> Call:
        data, batch = _parse_body(request, record)
        user: User | None = None
        if endpoint.name not in {"debug.ping", "server.info"} or "Authorization" in request.headers:
            user = authenticate(self.state, self._tokens, request.headers, request.cookies)
            record.user = user.name
        return Call(
            state=self.state,
            tokens=self._tokens,
            user=user or self.state.users["__tests__"],
            data=data,
            address=request.remote or "127.0.0.1",
            batch=batch,
        )


class Envelope:
    """The `meta` part of a response."""

    def __init__(self, endpoint: str, version: str) -> None:
        self.endpoint = endpoint
        self.version = version
        self.actual_version: str | None = None
        self.code = 200
        self.subcode = 0
        self.message = "OK"

    def set_error(self, error: ApiError) -> None:
        self.code, self.subcode = error.kind.code, error.kind.subcode
        self.message = error.message

    def to_document(self, data: Document) -> Document:
        id_ = generate_id()
        return {
            "meta": {
                "id": id_,
                "trx": id_,
                "endpoint": {
                    "name": self.endpoint,
                    "requested_version": self.version,
                    "actual_version": self.actual_version,
                },
                "result_code": self.code,
                "result_subcode": self.subcode,
                "result_msg": self.message,
                "error_stack": None,
                "error_data": {},
            },
            "data": data,
        }


def _parse_body(request: web.Request, record: HandledRequest) -> tuple[Document, list[object]]:
    """Return the fields of a request and the items of a batch.

    The SDK and the agent send JSON bodies even with GET; browsers send query strings.
    """
    data: Document = {}
    for name in request.query:
        values = request.query.getall(name)
        data[name.removesuffix("[]")] = values if name.endswith("[]") else values[0]
    if not record.raw_body.strip():
        return data, []
    if record.endpoint == BATCH_ENDPOINT:
        lines = [line for line in record.raw_body.splitlines() if line.strip()]
        return data, [_parse_json(line) for line in lines]
    parsed = _parse_json(record.raw_body)
    if parsed is None:
        return data, []
    if not isinstance(parsed, dict):
        raise ApiError(NOT_A_DICT)
    return {**data, **parsed}, []


def _parse_json(text: bytes) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        raise ApiError(MALFORMED_REQUEST) from None


def _encode_datetime(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} can't be encoded as JSON")
