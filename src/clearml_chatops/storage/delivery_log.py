"""What was told a moment ago, until the database has it too."""

import logging
import os
from collections.abc import Iterable
from pathlib import Path

from clearml_chatops.models.notifications import Notification

logger = logging.getLogger(__name__)

_FILE_MODE = 0o600


class DeliveryLog:
    """Notes in a file that notifications were told, which waits for no lock and outlives the process.

    A database may have a writer wait, and what a program that is killed meanwhile has told, the next one would
    tell again. A line is the number of a notification and when it was noted, so that another database, with
    the same numbers for something else, is not taken for this one.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._delivered = self._read()

    def __contains__(self, notification: Notification) -> bool:
        return _get_key(notification) in self._delivered

    def add(self, notifications: Iterable[Notification]) -> None:
        """Notes them at once. Where the file cannot be written they are known at least to this process."""
        keys = [_get_key(notification) for notification in notifications]
        self._delivered.update(keys)
        try:
            self._write("".join(f"{key}\n" for key in keys), os.O_APPEND)
        except OSError as error:
            logger.warning("What was told is not noted in a file: %s", error, extra={"action": "delivery_log"})

    def remove(self, notifications: Iterable[Notification]) -> None:
        """Forgets them, now that the database knows them as told."""
        self._delivered.difference_update(map(_get_key, notifications))
        if self._delivered:
            return
        try:
            self._write("", os.O_TRUNC)
        except OSError as error:
            logger.warning("The file of what was told is not emptied: %s", error, extra={"action": "delivery_log"})

    def _read(self) -> set[str]:
        try:
            return set(self._path.read_text(encoding="utf-8").splitlines())
        except FileNotFoundError:
            return set()
        except (OSError, UnicodeDecodeError) as error:
            logger.warning("What was told last is not known: %s", error, extra={"action": "delivery_log"})
            return set()

    def _write(self, text: str, mode: int) -> None:
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | mode, _FILE_MODE)
        try:
            os.write(descriptor, text.encode())
        finally:
            os.close(descriptor)


def _get_key(notification: Notification) -> str:
    return f"{notification.id} {notification.queued.isoformat()}"
