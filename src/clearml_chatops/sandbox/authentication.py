"""Authentication: Basic and Bearer credentials, the cookie that auth.login sets, and impersonation."""

import base64
import binascii
import secrets
from collections.abc import Mapping

from clearml_chatops.sandbox.errors import (
    BAD_CREDENTIALS,
    BAD_SCHEME,
    IMPERSONATION_NOT_ALLOWED,
    INVALID_TOKEN,
    MISSING_CREDENTIALS,
    ApiError,
)
from clearml_chatops.sandbox.state import State, User
from clearml_chatops.sandbox.tokens import Tokens

LOGIN_COOKIE = "clearml_token_basic"
IMPERSONATE_HEADER = "X-ClearML-Impersonate-As"


def authenticate(state: State, tokens: Tokens, headers: Mapping[str, str], cookies: Mapping[str, str]) -> User:
    """Return the user that a request acts as.

    Raises:
        ApiError: 401 if the credentials are missing or wrong, 400/6 if impersonation isn't allowed.
    """
    header = headers.get("Authorization")
    if header:
        scheme, _, value = header.partition(" ")
        if scheme == "Basic":
            user = _authenticate_by_keys(state, value)
        elif scheme == "Bearer":
            user = _authenticate_by_token(state, tokens, value)
        else:
            raise ApiError(BAD_SCHEME)
    elif cookies.get(LOGIN_COOKIE):
        user = _authenticate_by_token(state, tokens, cookies[LOGIN_COOKIE])
    else:
        raise ApiError(MISSING_CREDENTIALS)
    return _impersonate(state, user, headers.get(IMPERSONATE_HEADER))


def _authenticate_by_keys(state: State, encoded_keys: str) -> User:
    try:
        access_key, _, secret_key = base64.b64decode(encoded_keys, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise ApiError(BAD_CREDENTIALS, "failed to locate provided credentials") from None
    credentials = state.credentials.get(access_key)
    if credentials is None or not secrets.compare_digest(credentials.secret_key, secret_key):
        raise ApiError(BAD_CREDENTIALS, "failed to locate provided credentials")
    return state.users[credentials.user]


def _authenticate_by_token(state: State, tokens: Tokens, token: str) -> User:
    user = state.users.get(tokens.read_identity(token)["user"])
    if user is None:
        raise ApiError(INVALID_TOKEN, reason="unknown user")
    return user


def _impersonate(state: State, user: User, impersonated_id: str | None) -> User:
    if not impersonated_id:
        return user
    if user.role != "admin":
        raise ApiError(IMPERSONATION_NOT_ALLOWED, "impersonation not allowed", role=user.role)
    if impersonated_id not in state.users:
        raise ApiError(IMPERSONATION_NOT_ALLOWED, "unknown user", id=impersonated_id)
    return state.users[impersonated_id]
