"""The connection to ClearML, on the `clearml` package's own Session. The only module that imports it."""

import asyncio
import inspect
import logging
import threading
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
"""How the actions begin that change nothing."""

_DEFAULT_SETTINGS_MODULES = (clearml.backend_api.config, clearml.config)
"""The SDK's modules beside which its default settings lie; later ones count more."""

_ADMIN_ROLE = "admin"
_MISSING_CREDENTIALS_REASON = (
    "not set; set CLEARML_API_HOST, CLEARML_API_ACCESS_KEY and CLEARML_API_SECRET_KEY, "
    "or write a clearml.conf with clearml-init."
)


@dataclass(frozen=True, slots=True)
class ClearMLCredentials:
    """Where the API is and as whom; what is empty is taken from clearml.conf or the environment."""

    api_host: str = ""
    access_key: str = ""
    secret_key: str = ""
    web_host: str = ""

    def __repr__(self) -> str:
        return f"ClearMLCredentials(api_host={remove_password(self.api_host)!r})"


@dataclass(frozen=True, slots=True)
class ClearMLIdentity:
    """As whom the server sees us; `role` is the server's word, "user" or "admin"."""

    user_id: str
    user_name: str
    role: str

    @property
    def is_admin(self) -> bool:
        """Whether the server lets us act for other users."""
        return self.role == _ADMIN_ROLE


class _NoRetrySession(Session):
    """The SDK's session for a person who waits.

    The SDK's own settings retry for minutes, and for ever where TLS fails, an answer is cut off or the
    server says 503; here each request is made once, and our caller decides what may be repeated.
    """

    _session_initial_timeout = (CONNECT_TIMEOUT_SECONDS, READ_TIMEOUT_SECONDS)
    _session_timeout = (CONNECT_TIMEOUT_SECONDS, READ_TIMEOUT_SECONDS)
    _write_session_timeout = (CONNECT_TIMEOUT_SECONDS, READ_TIMEOUT_SECONDS)

    def _get_retry_codes(self) -> list[int]:
        return []

    def _send_request(self, *args: Any, **kwargs: Any) -> requests.Response:
        # Private, but there is no other way to the HTTP session before the login in the constructor.
        http = self.__dict__["_Session__http_session"]
        if not isinstance(http.request, _NoRetryRequest):
            http.request = _NoRetryRequest(http.request)
        return cast("requests.Response", super()._send_request(*args, **kwargs))


@dataclass(frozen=True, slots=True)
class _NoRetryRequest:
    """Makes an error that the SDK would retry for ever one that it passes on."""

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
    """clearml.conf over the SDK's defaults."""
    config = Config()
    # before loading: each of the two reads all files anew
    config.set_overrides({"api": {"http": {"wait_on_maintenance_forever": False}}})
    config.load_relative_to(*(str(Path(inspect.getfile(module)).parent) for module in _DEFAULT_SETTINGS_MODULES))
    return config


class ClearMLSession:
    """Requests to ClearML as one identity, off the event loop, in a bounded pool of threads."""

    def __init__(self, credentials: ClearMLCredentials, *, executor: Executor) -> None:
        self._credentials = credentials
        self._executor = executor
        self._lock = threading.Lock()
        self._session: _NoRetrySession | None = None

    async def call(
        self, endpoint: str, body: Mapping[str, Any], *, impersonated_user_id: str = ""
    ) -> dict[str, Any]:
        """The `data` of ClearML's answer to `endpoint` ("tasks.clone").

        It is asked as the user `acting_user_id` where our credentials are an admin's, so that the web UI
        shows the right owner; else as ourselves, the only way the server allows.

        A read is repeated once where the connection or the server failed; a write never.

        Raises:
            ClearMLUnreachableError: no connection; nothing was sent.
            ClearMLAnswerLostError: a write was sent and no answer came.
            ClearMLCredentialsError, ClearMLBrokenError, ClearMLNonsenseError: 401, 5xx, no ClearML envelope.
            ClearMLError: any other refusal, with ClearML's code and subcode in `values`.
        """
        is_read = endpoint.partition(".")[2].startswith(_READ_ACTION_PREFIXES)
        try:
            return await self._run_in_thread(self._call, endpoint, body, impersonated_user_id)
        except (ClearMLUnreachableError, ClearMLResponseLostError, ClearMLServerError) as error:
            if not is_read:
                raise
            logger.info("ClearML failed, asking once more", extra={"action": "clearml_retry", "error": str(error)})
            try:
                return await self._run_in_thread(self._call, endpoint, body, impersonated_user_id)
            except ClearMLResponseLostError as lost_error:
                # A read that got no answer has changed nothing, so it is a server out of reach.
                raise ClearMLUnreachableError(
                    host=lost_error.values["host"], endpoint=endpoint, reason=lost_error.values["reason"]
                ) from lost_error

    async def require_credentials(self) -> None:
        """Raises SettingsError where neither the settings nor clearml.conf have any. Asks no server."""
        await self._run_in_thread(self._require_credentials)

    async def get_identity(self) -> ClearMLIdentity:
        """As whom the server sees our credentials, from the token it gave us."""
        return await self._run_in_thread(self._get_identity)

    async def build_agent_environment(self) -> dict[str, str]:
        """The variables by which a clearml-agent reaches the same server as the same user.

        The SDK in its runs asks for the web UI's address too, and fails where it can only guess it.
        """
        session = await self._run_in_thread(self._connect)
        web_host = await self.get_web_host()
        return {
            "CLEARML_API_HOST": session.host,
            **({"CLEARML_WEB_HOST": web_host} if web_host else {}),
            "CLEARML_API_ACCESS_KEY": session.access_key,
            "CLEARML_API_SECRET_KEY": session.secret_key,
        }

    async def get_api_host(self) -> str:
        """The API server's address, as it may be shown."""
        await self._run_in_thread(self._connect)
        return self._get_api_host()

    async def get_web_host(self) -> str:
        """The address of ClearML's web UI; empty where neither the settings nor clearml.conf tell it."""
        await self._run_in_thread(self._connect)
        configured = self._config.get("api.web_server", "")
        return str(self._credentials.web_host or configured or "").rstrip("/")

    async def _run_in_thread(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._executor, lambda: function(*args, **kwargs))

    def _get_identity(self) -> ClearMLIdentity:
        return self._decode_identity(self._connect())

    @staticmethod
    def _decode_identity(session: _NoRetrySession) -> ClearMLIdentity:
        # the last token, also where it has expired: who we are does not, and a new one is got with the request
        claims = session.get_decoded_token(session.raw_token).get("identity", {})
        return ClearMLIdentity(
            user_id=claims.get("user", ""),
            user_name=claims.get("user_name", ""),
            role=claims.get("role", "user"),
        )

    def _connect(self) -> _NoRetrySession:
        """The SDK's session, made on first use: its constructor logs in."""
        with self._lock:
            if self._session is None:
                self._session = self._translate_errors("auth.login", self._log_in)
            return self._session

    @cached_property
    def _config(self) -> Any:
        """Read once, since that takes a third of a second."""
        return load_configuration()

    def _require_credentials(self) -> None:
        for name, configured_value in (
            ("access_key", self._credentials.access_key),
            ("secret_key", self._credentials.secret_key),
        ):
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

    def _call(self, endpoint: str, body: Mapping[str, Any], impersonated_user_id: str) -> dict[str, Any]:
        session = self._connect()
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
            # The SDK has fetched a new token and repeated the request with the old one. Refused twice, it was
            # not carried out, so that a write can be sent again as well.
            response = self._translate_errors(endpoint, send)
        return parse_response(response, host=self._get_api_host(), endpoint=endpoint)

    def _translate_errors(self, endpoint: str, request: Callable[[], T]) -> T:
        """What the request gives; the SDK's and requests' exceptions become ours."""
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
        """The server's address without anything secret that a URL may hold."""
        host = self._session.host if self._session else self._credentials.api_host
        return remove_password(host or Session.get_api_server_host())
