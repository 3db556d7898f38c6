"""The logger of Slack's libraries, which redacts secrets."""

import logging
import re

_SECRET_PATTERN = re.compile(r"\bx(?:ox[a-z]|app)-[\w-]+|(?<=ticket=)[^&\s'\"]+|(?<=://hooks\.slack\.com/)\S+")
_NOISE_PATTERN = re.compile(r"`token`.* will be (?:ignored|unused)")
"""Bolt's warning that the client has a token of its own. The bot's client has one on purpose."""


class _SecretRedactingFilter(logging.Filter):
    """Redacts tokens and single-use URLs, and drops tracebacks, which repeat them."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg = _SECRET_PATTERN.sub("…", record.getMessage())
        record.args = ()
        record.exc_info = None
        return not _NOISE_PATTERN.search(record.msg)


def get_library_logger() -> logging.Logger:
    """Return the logger for slack_sdk and slack_bolt.

    Its level is never below INFO: at DEBUG they log every message, its response_url and the socket's ticket.
    """
    logger = logging.getLogger(f"{__name__}.library")
    logger.setLevel(max(logging.getLogger(__name__).getEffectiveLevel(), logging.INFO))
    if not logger.filters:
        logger.addFilter(_SecretRedactingFilter())
    return logger
