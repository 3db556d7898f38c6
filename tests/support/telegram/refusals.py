"""Telegram's answers to requests that it refuses."""

from typing import Any


class RefusalError(Exception):
    """A refused request, with one of Telegram's own descriptions.

    Args:
        status: The HTTP status, which is also the `error_code`.
        description: Telegram's text, with the prefix of the status (`Bad Request: …`).
        parameters: `retry_after` or `migrate_to_chat_id`.
    """

    def __init__(self, status: int, description: str, **parameters: Any) -> None:
        super().__init__(description)
        self.status = status
        self.description = description
        self.parameters = parameters


def build_bad_request(description: str, **parameters: Any) -> RefusalError:
    return RefusalError(400, f"Bad Request: {description}", **parameters)
