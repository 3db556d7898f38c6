"""The connection to ClearML through the `clearml` package's Session. No other module imports that package."""

import asyncio
import inspect
import logging
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ParamSpec, TypeVar, cast

import clearml.backend_api.config
import clearml.config
import requests
from clearml.backend_api import Session
from clearml.backend_api.session.session import LoginError
from clearml.backend_config import Config
from requests.exceptions import (
    ChunkedEncodingError,
    ContentDecodingError,
    StreamConsumedError,
)

from clearml_chatops.models.errors import (
    ClearMLInvalidResponseError,
    ClearMLResponseLostError,
    ClearMLServerError,
    ClearMLUnreachableError,
    SettingsError,
)
from clearml_chatops.services.clearml_gateway.responses import (
    CONNECT_TIMEOUT_SECONDS,
    READ_TIMEOUT_SECONDS,
    UNAUTHORIZED,
    has_possibly_reached_server,
    parse_response,
    remove_password,
    translate_connection_error,
    translate_login_error,
)

logger = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")

_READ_ACTION_PREFIXES = ("get_", "ping", "info", "scalar_metrics_", "multi_task_scalar_metrics_")
"""Actions that start with one of these change nothing."""

_DEFAULT_SETTINGS_MODULES = (clearml.backend_api.config, clearml.config)
"""The SDK's default settings are next to these modules; later ones take precedence."""

_ADMIN_ROLE = "admin"
_MISSING_CREDENTIALS_REASON = (
    "not set. Set CLEARML_API_HOST, CLEARML_API_ACCESS_KEY and CLEARML_API_SECRET_KEY, "
    "or create a clearml.conf with clearml-init."
)


@dataclass(frozen=True, slots=True)
class ClearMLCredentials:
    """The API's address and keys; empty values come from clearml.conf or the environment."""

    api_host: str = ""
    access_key: str = ""
    secret_key: str = ""
    web_host: str = ""

    def __repr__(self) -> str:
        return f"ClearMLCredentials(api_host={remove_password(self.api_host)!r})"


@dataclass(frozen=True, slots=True)
class ClearMLIdentity:
    """The user that the server sees; `role` is the server's, "user" or "admin"."""

    user_id: str
    user_name: str
    role: str

    @property
    def is_admin(self) -> bool:
        """Whether the server allows impersonating other users."""
        return self.role == _ADMIN_ROLE


class _NoRetrySession(Session):
    """The SDK's session without its retries, because a person is waiting.

    By default the SDK retries for minutes, and forever if TLS fails, a response is truncated or the server
    returns 503. Here each request is made once, and the caller decides what may be repeated.
    """

    _session_initial_timeout = (CONNECT_TIMEOUT_SECONDS, READ_TIMEOUT_SECONDS)
    _session_timeout = (CONNECT_TIMEOUT_SECONDS, READ_TIMEOUT_SECONDS)
    _write_session_timeout = (CONNECT_TIMEOUT_SECONDS, READ_TIMEOUT_SECONDS)

    def _get_retry_codes(self) -> list[int]:
        return []

    def _send_request(self, *args: Any, **kwargs: Any) -> requests.Response:
        # Private, but nothing else gives access to the HTTP session before the constructor logs in.
        http = self.__dict__["_Session__http_session"]
        if not isinstance(http.request, _NoRetryRequest):
            http.request = _NoRetryRequest(http.request)
        return cast("requests.Response", super()._send_request(*args, **kwargs))


@dataclass(frozen=True, slots=True)
class _NoRetryRequest:
    """Turns errors that the SDK would retry forever into one that it passes on."""

    send: Callable[..., requests.Response]

    def __call__(self, *args: Any, **kwargs: Any) -> requests.Response:
        try:
            return self.send(*args, **kwargs)
        except (
            requests.exceptions.SSLError,
            ChunkedEncodingError,
            ContentDecodingError,
            StreamConsumedError,
        ) as error:
            raise requests.exceptions.RequestException(str(error)) from error


def load_configuration() -> Any:
    """Return the settings of clearml.conf on top of the SDK's defaults."""
    config = Config()
    # Before loading, because each of the two calls rereads all files.
    config.set_overrides({"api": {"http": {"wait_on_maintenance_forever": False}}})
    config.load_relative_to(*(str(Path(inspect.getfile(module)).parent) for module in _DEFAULT_SETTINGS_MODULES))
    return config


class ClearMLSession:
    """Requests to ClearML as one identity, off the event loop, in a bounded pool of threads."""

    def __init__(self, credentials: ClearMLCredentials, *, executor: Executor) -> None:
        self._credentials = credentials
        self._executor = executor
        self._session: _NoRetrySession | None = None
        self._login_task: asyncio.Task[_NoRetrySession] | None = None

    async def call(
        self, endpoint: str, body: Mapping[str, Any], *, impersonated_user_id: str = ""
    ) -> dict[str, Any]:
        """Return the data of ClearML's response to `endpoint` (like "tasks.clone").

        With an admin's credentials the request impersonates `impersonated_user_id`, so that the web UI
        shows the right owner. Other credentials may not, and act as themselves.

        A read is repeated once if the connection or the server fails; a write never.

        Raises:
            ClearMLUnreachableError: no connection; nothing was sent.
            ClearMLResponseLostError: a write was sent and no response came.
            ClearMLCredentialsError, ClearMLServerError, ClearMLInvalidResponseError: 401, 5xx, no envelope.
            ClearMLError: any other refusal, with ClearML's code and subcode in `values`.
        """
        is_read = endpoint.partition(".")[2].startswith(_READ_ACTION_PREFIXES)
        try:
            return await self._call(endpoint, body, impersonated_user_id)
        except (ClearMLUnreachableError, ClearMLResponseLostError, ClearMLServerError) as error:
            if not is_read:
                raise
            logger.info("Retrying a read from ClearML", extra={"action": "clearml_retry", "error": str(error)})
            try:
                return await self._call(endpoint, body, impersonated_user_id)
            except ClearMLResponseLostError as lost_error:
                # A lost read has changed nothing, so it only means that the server is unreachable.
                raise ClearMLUnreachableError(
                    host=lost_error.values["host"], endpoint=endpoint, reason=lost_error.values["reason"]
                ) from lost_error

    async def require_credentials(self) -> None:
        """Raise SettingsError if neither the settings nor clearml.conf have any. Makes no request."""
        await self._run_in_thread(self._require_credentials)

    async def get_identity(self) -> ClearMLIdentity:
        """Return the user that our credentials belong to, as the server's token says."""
        return self._decode_identity(await self._connect())

    async def build_agent_environment(self) -> dict[str, str]:
        """Return the variables that make a clearml-agent use the same server as the same user.

        They include the web UI's address: the SDK in a run asks for it and fails if it has to guess.
        """
        session = await self._connect()
        web_host = await self.get_web_host()
        return {
            "CLEARML_API_HOST": session.host,
            **({"CLEARML_WEB_HOST": web_host} if web_host else {}),
            "CLEARML_API_ACCESS_KEY": session.access_key,
            "CLEARML_API_SECRET_KEY": session.secret_key,
        }

    async def get_api_host(self) -> str:
        """Return the API server's address without password."""
        await self._connect()
        return self._get_api_host()

    async def get_web_host(self) -> str:
        """Return the web UI's address; empty if neither the settings nor clearml.conf have it."""
        await self._connect()
        configured = self._config.get("api.web_server", "")
        return str(self._credentials.web_host or configured or "").rstrip("/")

    async def _run_in_thread(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._executor, lambda: function(*args, **kwargs))

    @staticmethod
    def _decode_identity(session: _NoRetrySession) -> ClearMLIdentity:
        # An expired token is fine here: the identity stays the same, and the next request renews the token.
        claims = session.get_decoded_token(session.raw_token).get("identity", {})
        return ClearMLIdentity(
            user_id=claims.get("user", ""),
            user_name=claims.get("user_name", ""),
            role=claims.get("role", "user"),
        )

    async def _connect(self) -> _NoRetrySession:
        """Return the SDK's session. It is created on first use, because its constructor logs in.

        All who need it meanwhile share one login. While ClearML is down, each would wait for its own timeout.
        """
        if self._session is not None:
            return self._session
        if self._login_task is None or self._login_task.done():
            self._login_task = asyncio.create_task(
                self._run_in_thread(self._translate_errors, "auth.login", self._log_in)
            )
            self._login_task.add_done_callback(_mark_error_retrieved)
        self._session = await asyncio.shield(self._login_task)
        return self._session

    @cached_property
    def _config(self) -> Any:
        """The settings; reading them takes a third of a second."""
        return load_configuration()

    def _require_credentials(self) -> None:
        keys = {"access_key": self._credentials.access_key, "secret_key": self._credentials.secret_key}
        for name, configured_value in keys.items():
            if not (configured_value or self._config.get(f"api.credentials.{name}", "")):
                raise SettingsError(name=f"CLEARML_API_{name.upper()}", reason=_MISSING_CREDENTIALS_REASON)

    def _log_in(self) -> _NoRetrySession:
        self._require_credentials()
        return _NoRetrySession(
            api_key=self._credentials.access_key or None,
            secret_key=self._credentials.secret_key or None,
            host=self._credentials.api_host or None,
            config=self._config,
            logger=logging.getLogger("clearml.session"),
            http_retries_config={"total": 0, "connect": 0, "read": 0, "redirect": 0, "status": 0},
        )

    async def _call(self, endpoint: str, body: Mapping[str, Any], impersonated_user_id: str) -> dict[str, Any]:
        session = await self._connect()
        return await self._run_in_thread(self._send, session, endpoint, body, impersonated_user_id)

    def _send(
        self, session: _NoRetrySession, endpoint: str, body: Mapping[str, Any], impersonated_user_id: str
    ) -> dict[str, Any]:
        service, _, action = endpoint.partition(".")
        headers = {}
        if impersonated_user_id:
            own_identity = self._decode_identity(session)
            if own_identity.is_admin and own_identity.user_id != impersonated_user_id:
                headers["X-ClearML-Impersonate-As"] = impersonated_user_id

        def send() -> requests.Response:
            return session.send_request(service, action, json=dict(body), headers=headers)

        token = session.raw_token
        response = self._translate_errors(endpoint, send)
        if response.status_code == UNAUTHORIZED and session.raw_token != token:
            # The SDK fetched a new token but repeated the request with the old one. The server refused it
            # twice, so nothing was done and even a write can be sent again.
            response = self._translate_errors(endpoint, send)
        return parse_response(response, host=self._get_api_host(), endpoint=endpoint)

    def _translate_errors(self, endpoint: str, request: Callable[[], T]) -> T:
        """Return what `request` returns, with exceptions of the SDK and of requests turned into ours."""
        try:
            return request()
        except LoginError as error:
            raise translate_login_error(self._get_api_host(), error) from error
        except requests.exceptions.RequestException as error:
            raise translate_connection_error(
                self._get_api_host(), endpoint, error, may_have_reached_server=has_possibly_reached_server(error)
            ) from error
        except ValueError as error:
            raise ClearMLInvalidResponseError(host=self._get_api_host(), endpoint=endpoint) from error

    def _get_api_host(self) -> str:
        """Return the server's address without password."""
        host = self._session.host if self._session else self._credentials.api_host
        return remove_password(host or Session.get_api_server_host())


def _mark_error_retrieved(login_task: asyncio.Task[_NoRetrySession]) -> None:
    """Keep the loop from reporting the error of a login if all who waited for it were cancelled."""
    if not login_task.cancelled():
        login_task.exception()  # noqa: LOG004  # a task's, not a logger's
