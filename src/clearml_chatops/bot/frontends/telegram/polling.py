"""Reports on the long poll: one log line when it starts to fail, and one when it works again."""

import logging
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from telegram.error import Conflict, TelegramError
from telegram.request import HTTPXRequest

logger = logging.getLogger(__name__)

_CONFLICT_TEXT = (
    "Telegram: another program polls with the same TELEGRAM_BOT_TOKEN, so each of them misses messages. "
    "Stop one of them."
)
_UNAUTHORIZED_TEXT = "Telegram no longer accepts TELEGRAM_BOT_TOKEN. Set the new one and restart the bot."


class PollingReport:
    """Logs each problem once, however often the poll fails."""

    def __init__(self) -> None:
        self._reported_action = ""

    def report_failure(self, error: TelegramError) -> None:
        if isinstance(error, Conflict):
            self._log_once(logging.ERROR, "telegram_conflict", _CONFLICT_TEXT)
        else:
            text = f"Telegram doesn't answer ({error.message}). The bot gets its messages when it does."
            self._log_once(logging.WARNING, "telegram_unreachable", text)

    def report_answer(self, status: int) -> None:
        """Report the HTTP status of an answer to a poll."""
        if status == HTTPStatus.OK and self._reported_action:
            self._reported_action = ""
            logger.info("Telegram answers again.", extra={"action": "telegram_connected"})
        elif status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.NOT_FOUND}:
            self._log_once(logging.ERROR, "telegram_token_rejected", _UNAUTHORIZED_TEXT)

    def _log_once(self, level: int, action: str, text: str) -> None:
        if self._reported_action != action:
            self._reported_action = action
            logger.log(level, text, extra={"action": action})


class PollingRequest(HTTPXRequest):
    """The library's HTTP client for polls, which reports the status of each answer."""

    def __init__(self, on_answer: Callable[[int], None]) -> None:
        super().__init__(connection_pool_size=1)
        self._on_answer = on_answer

    async def do_request(self, *args: Any, **kwargs: Any) -> tuple[int, bytes]:
        status, payload = await super().do_request(*args, **kwargs)
        self._on_answer(status)
        return status, payload
