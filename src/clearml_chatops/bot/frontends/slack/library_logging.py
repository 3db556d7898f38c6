"""The libraries' own log lines, without the secrets that they would hold."""

import logging
import re

_SECRET_PATTERN = re.compile(r"\bx(?:ox[a-z]|app)-[\w-]+|(?<=ticket=)[^&\s'\"]+|(?<=://hooks\.slack\.com/)\S+")
_NOISE_PATTERN = re.compile(r"`token`.* will be (?:ignored|unused)")
"""Bolt's remark on a client that has a token of its own, as ours has on purpose."""


class _SecretRedactingFilter(logging.Filter):
    """Blots out tokens and single-use addresses, and leaves out tracebacks, which repeat them."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg = _SECRET_PATTERN.sub("…", record.getMessage())
        record.args = ()
        record.exc_info = None
        return not _NOISE_PATTERN.search(record.msg)


def get_library_logger() -> logging.Logger:
    """The logger that slack_sdk and slack_bolt are given.

    Never below INFO: at DEBUG they write every message, its response address and the socket's ticket.
    """
    logger = logging.getLogger(f"{__name__}.library")
    logger.setLevel(max(logging.getLogger(__name__).getEffectiveLevel(), logging.INFO))
    if not logger.filters:
        logger.addFilter(_SecretRedactingFilter())
    return logger
