"""A file of notifications that were sent, until the database has stored it too."""

import logging
import os
from collections.abc import Iterable
from pathlib import Path

from clearml_chatops.models.bursts import Burst
from clearml_chatops.models.messages import Conversation, SentMessage
from clearml_chatops.models.notifications import Notification

logger = logging.getLogger(__name__)

_FILE_MODE = 0o600
_BURST_PREFIX = "burst-"
_KEY_LENGTH = 2
"""Words of a line that identify what was sent; those after it identify the message."""

Sent = Notification | Burst
"""What can be sent: a notification, or the file of a burst."""


class DeliveryLog:
    """A record in a file of the notifications that were sent; needs no lock and outlives the process.

    A write to the database may have to wait; if the program is killed meanwhile, the next one would send the
    notification again. A line holds the id of a notification and when it was queued, because another database
    uses the same ids for other notifications; then the message that shows it, if that will be edited.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._delivered = self._read()

    def __contains__(self, sent: Sent) -> bool:
        return _get_key(sent) in self._delivered

    def find_message(self, notification: Notification) -> SentMessage | None:
        """Return the message that shows a notification, if it will be edited."""
        reference = self._delivered.get(_get_key(notification), ())
        if not reference:
            return None
        conversation_id, message_id = reference
        conversation = notification.conversation
        return SentMessage(Conversation(conversation.platform, conversation_id, conversation.thread), message_id)

    def add(self, sent: Iterable[Sent], message: SentMessage | None = None) -> None:
        """Record them immediately. If the file cannot be written, at least this process knows them."""
        reference = (message.conversation.id, message.id) if message else ()
        keys = [_get_key(item) for item in sent]
        self._delivered.update(dict.fromkeys(keys, reference))
        try:
            self._write("".join(f"{' '.join((key, *reference))}\n" for key in keys), os.O_APPEND)
        except OSError as error:
            logger.warning("Can't record sent notifications: %s", error, extra={"action": "delivery_log"})

    def remove(self, sent: Iterable[Sent]) -> None:
        """Remove them, after the database has stored them as delivered."""
        for item in sent:
            self._delivered.pop(_get_key(item), None)
        self._empty_if_unneeded()

    def get_keys(self) -> frozenset[str]:
        """Return a key for each thing that it holds."""
        return frozenset(self._delivered)

    def retain(self, needed: Iterable[Sent], *, among: frozenset[str]) -> None:
        """Remove what a killed program left behind: of these keys, those of nothing that is still needed."""
        for key in among - {_get_key(item) for item in needed}:
            self._delivered.pop(key, None)
        self._empty_if_unneeded()

    def _empty_if_unneeded(self) -> None:
        if self._delivered:
            return
        try:
            self._write("", os.O_TRUNC)
        except OSError as error:
            logger.warning("Can't empty the delivery log: %s", error, extra={"action": "delivery_log"})

    def _read(self) -> dict[str, tuple[str, ...]]:
        try:
            lines = self._path.read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return {}
        except (OSError, UnicodeDecodeError) as error:
            logger.warning("Can't read the delivery log: %s", error, extra={"action": "delivery_log"})
            return {}
        words = [tuple(line.split(" ")) for line in lines]
        return {" ".join(line[:_KEY_LENGTH]): _parse_reference(line[_KEY_LENGTH:]) for line in words}

    def _write(self, text: str, mode: int) -> None:
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | mode, _FILE_MODE)
        try:
            os.write(descriptor, text.encode())
        finally:
            os.close(descriptor)


def _get_key(sent: Sent) -> str:
    if isinstance(sent, Burst):
        return f"{_BURST_PREFIX}{sent.id} {sent.started.isoformat()}"
    return f"{sent.id} {sent.queued.isoformat()}"


def _parse_reference(words: tuple[str, ...]) -> tuple[str, ...]:
    """Return the conversation and id of a message; nothing if the line was cut off."""
    return words if len(words) == len(("conversation", "message")) else ()
