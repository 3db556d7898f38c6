"""ClearML's responses and connection failures, turned into data or into our errors."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.exceptions import ConnectTimeout, InvalidURL, MissingSchema, ProxyError, RequestException, Timeout
from urllib3.exceptions import NewConnectionError

from clearml_chatops.models.errors import (
    ChatOpsError,
    ClearMLCredentialsError,
    ClearMLError,
    ClearMLInvalidResponseError,
    ClearMLResponseLostError,
    ClearMLServerError,
    ClearMLUnreachableError,
)

CONNECT_TIMEOUT_SECONDS = 3.0
READ_TIMEOUT_SECONDS = 15.0
UNAUTHORIZED = 401
_OK = 200
_FIRST_ERROR_CODE = 400
_FIRST_SERVER_ERROR_CODE = 500


class _ResponseData(dict[str, Any]):
    """The data of a response. A missing key raises ClearMLInvalidResponseError."""

    def __init__(self, data: Mapping[str, Any], *, host: str, endpoint: str) -> None:
        super().__init__(data)
        self._host = host
        self._endpoint = endpoint

    def __missing__(self, key: str) -> Any:
        raise ClearMLInvalidResponseError(host=self._host, endpoint=self._endpoint)


def parse_response(response: requests.Response, *, host: str, endpoint: str) -> dict[str, Any]:
    """Return the data in ClearML's envelope.

    Raises:
        ClearMLCredentialsError, ClearMLServerError, ClearMLInvalidResponseError: 401, 5xx, no envelope.
        ClearMLError: any other refusal, with ClearML's code and subcode in `values`.
    """
    try:
        envelope = response.json()
        meta, data = envelope["meta"], envelope["data"]
        code, subcode, reason = meta["result_code"], meta["result_subcode"], meta["result_msg"]
        is_success = code == _OK and isinstance(data, dict)
        is_refused = not is_success and code >= _FIRST_ERROR_CODE
    except (ValueError, KeyError, TypeError) as error:
        if response.status_code >= _FIRST_SERVER_ERROR_CODE:
            raise ClearMLServerError(host=host, endpoint=endpoint, status=response.status_code) from error
        raise ClearMLInvalidResponseError(host=host, endpoint=endpoint) from error
    if is_success:
        return _ResponseData(data, host=host, endpoint=endpoint)
    if not is_refused:
        raise ClearMLInvalidResponseError(host=host, endpoint=endpoint)
    if code == UNAUTHORIZED:
        raise ClearMLCredentialsError(host=host)
    if code >= _FIRST_SERVER_ERROR_CODE:
        raise ClearMLServerError(host=host, endpoint=endpoint, status=code)
    raise ClearMLError(endpoint=endpoint, reason=reason, result_code=code, result_subcode=subcode)


def translate_login_error(host: str, error: Exception) -> ChatOpsError:
    """Return our error for a failed login; the SDK wraps the cause and keeps it as the context."""
    cause = error.__context__
    if isinstance(cause, RequestException):
        return translate_connection_error(host, "auth.login", cause, may_have_reached_server=False)
    if f"error {UNAUTHORIZED} " in str(error):
        return ClearMLCredentialsError(host=host)
    if "error 5" in str(error):
        status = str(error).partition("error ")[2][:3]
        return ClearMLServerError(host=host, endpoint="auth.login", status=status)
    return ClearMLInvalidResponseError(host=host, endpoint="auth.login")


def translate_connection_error(
    host: str, endpoint: str, error: RequestException, *, may_have_reached_server: bool
) -> ClearMLError:
    """Return our error for a request that got no response."""
    if isinstance(error, Timeout):
        timeout_seconds = CONNECT_TIMEOUT_SECONDS if isinstance(error, ConnectTimeout) else READ_TIMEOUT_SECONDS
        reason = f"no response within {timeout_seconds:.0f} s"
    elif isinstance(error, InvalidURL | MissingSchema):
        reason = "not a valid address; use one like http://host:8008"
    else:
        reason = "no connection"
    error_class = ClearMLResponseLostError if may_have_reached_server else ClearMLUnreachableError
    return error_class(host=host, endpoint=endpoint, reason=reason)


def has_possibly_reached_server(error: RequestException) -> bool:
    """Return whether the request may have reached the server; urllib3 keeps the reason in the arguments."""
    reason = getattr(error.args[0], "reason", None) if error.args else None
    return not isinstance(error, ConnectTimeout | ProxyError) and not isinstance(reason, NewConnectionError)


def remove_password(address: str) -> str:
    """Return the address without user name and password, so that it can be shown."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
