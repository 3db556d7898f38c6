"""The tokens that auth.login issues: JSON Web Tokens with the claims that SDK and agent read."""

import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import jwt

from clearml_chatops.sandbox.documents import Document, generate_id
from clearml_chatops.sandbox.errors import INVALID_TOKEN, ApiError

TOKEN_LIFETIME = timedelta(days=30)


class Tokens:
    """Signs and reads tokens with a secret that is kept until the server stops."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._secret = secrets.token_hex(32)

    def issue(self, identity: Document, version_claims: Document, *, lifetime: timedelta = TOKEN_LIFETIME) -> str:
        issued_at = int(self._clock().timestamp())
        claims = {
            "iat": issued_at,
            "exp": issued_at + int(lifetime.total_seconds()),
            "session_id": generate_id(),
            "auth_type": "Bearer",
            "identity": identity,
            "env": "<unknown>",
            **version_claims,
        }
        return jwt.encode(claims, self._secret, algorithm="HS256")

    def read_identity(self, token: str) -> Document:
        """Return the identity in a token.

        Raises:
            ApiError: 401/30, the token is malformed, has another signature, or has expired.
        """
        try:
            # expiry is checked below, against the sandbox's clock
            claims: dict[str, Any] = jwt.decode(
                token, self._secret, algorithms=["HS256"], options={"verify_exp": False, "verify_iat": False}
            )
        except jwt.InvalidTokenError as error:
            raise ApiError(INVALID_TOKEN, reason=error) from None
        if claims["exp"] <= self._clock().timestamp():
            raise ApiError(INVALID_TOKEN, reason="Signature has expired")
        identity: Document = claims["identity"]
        return identity
