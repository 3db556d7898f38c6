"""A file of notifications that were sent, until the database has stored it too."""

import logging
import os
from collections.abc import Iterable
from pathlib import Path

from clearml_chatops.models.notifications import Notification

logger = logging.getLogger(__name__)

_FILE_MODE = 0o600


class DeliveryLog:
    """A record in a file of the notifications that were sent; needs no lock and outlives the process.

    A write to the database may have to wait; if the program is killed meanwhile, the next one would send the
    notification again. A line holds the id of a notification and when it was queued, because another database
    uses the same ids for other notifications.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._delivered = self._read()

    def __contains__(self, notification: Notification) -> bool:
        return _get_key(notification) in self._delivered

    def add(self, notifications: Iterable[Notification]) -> None:
        """Record them immediately. If the file cannot be written, at least this process knows them."""
        keys = [_get_key(notification) for notification in notifications]
        self._delivered.update(keys)
        try:
            self._write("".join(f"{key}\n" for key in keys), os.O_APPEND)
        except OSError as error:
            logger.warning("Can't record sent notifications: %s", error, extra={"action": "delivery_log"})

    def remove(self, notifications: Iterable[Notification]) -> None:
        """Remove them, after the database has stored them as delivered."""
        self._delivered.difference_update(map(_get_key, notifications))
        if self._delivered:
            return
        try:
            self._write("", os.O_TRUNC)
        except OSError as error:
            logger.warning("Can't empty the delivery log: %s", error, extra={"action": "delivery_log"})

    def _read(self) -> set[str]:
        try:
            return set(self._path.read_text(encoding="utf-8").splitlines())
        except FileNotFoundError:
            return set()
        except (OSError, UnicodeDecodeError) as error:
            logger.warning("Can't read the delivery log: %s", error, extra={"action": "delivery_log"})
            return set()

    def _write(self, text: str, mode: int) -> None:
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | mode, _FILE_MODE)
        try:
            os.write(descriptor, text.encode())
        finally:
            os.close(descriptor)


def _get_key(notification: Notification) -> str:
    return f"{notification.id} {notification.queued.isoformat()}"
