"""The long poll, watched: one log line when it begins to fail, one when it works again."""

import logging
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from telegram.error import Conflict, TelegramError
from telegram.request import HTTPXRequest

logger = logging.getLogger(__name__)

_CONFLICT = (
    "Telegram: another program polls with the same TELEGRAM_BOT_TOKEN, and each takes the other's messages; "
    "stop one of them."
)
_REJECTED = "Telegram no longer accepts TELEGRAM_BOT_TOKEN; set the new one and start the program again."


class PollingReport:
    """Tells of a trouble once, however often the poll is tried meanwhile."""

    def __init__(self) -> None:
        self._told = ""

    def failed(self, error: TelegramError) -> None:
        if isinstance(error, Conflict):
            self._tell(logging.ERROR, "telegram_conflict", _CONFLICT)
        else:
            words = f"Telegram does not answer ({error.message}); messages are fetched when it does."
            self._tell(logging.WARNING, "telegram_unreachable", words)

    def answered(self, status: int) -> None:
        """Takes note of an answer to a poll."""
        if status == HTTPStatus.OK and self._told:
            self._told = ""
            logger.info("Telegram answers again.", extra={"action": "telegram_reached"})
        elif status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.NOT_FOUND}:
            self._tell(logging.ERROR, "telegram_token_rejected", _REJECTED)

    def _tell(self, level: int, action: str, words: str) -> None:
        if self._told != action:
            self._told = action
            logger.log(level, words, extra={"action": action})


class WatchedRequest(HTTPXRequest):
    """The library's HTTP client for polls, which tells the status of each answer."""

    def __init__(self, answered: Callable[[int], None]) -> None:
        super().__init__(connection_pool_size=1)
        self._answered = answered

    async def do_request(self, *args: Any, **kwargs: Any) -> tuple[int, bytes]:
        status, payload = await super().do_request(*args, **kwargs)
        self._answered(status)
        return status, payload
