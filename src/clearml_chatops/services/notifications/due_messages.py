"""A message to send now, made of due notifications."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from clearml_chatops.models.bursts import Burst
from clearml_chatops.models.messages import Conversation
from clearml_chatops.models.notifications import EventKind, ExperimentEvent, Notice, Notification, get_subject
from clearml_chatops.services.notifications.diagnosis import Diagnosis

MAX_PER_MESSAGE = 8
"""Fits one message on every platform: of a message in two parts, a delivered first part could come twice."""


@dataclass(frozen=True, slots=True)
class DueMessage:
    """One message to send now: the events of one experiment or the notices of one subject, in order.

    `diagnosis` is why a run failed; None if none did or its log is not available. A summary covers several
    subjects that were deferred in a conversation; `zone` is the reader's time zone, if known. The message of a
    `burst` is sent once and then edited; it also has what it has `shown` before. With `is_file`, it is the file
    that names all experiments of the burst.
    """

    notifications: tuple[Notification, ...]
    diagnosis: Diagnosis | None = None
    is_summary: bool = False
    zone: str = ""
    burst: Burst | None = None
    shown: tuple[Notification, ...] = ()
    is_file: bool = False

    @property
    def recipient(self) -> Conversation:
        """The conversation it is sent to: the thread, or the whole channel if it is about several threads."""
        if self.burst:
            return self.burst.conversation
        conversations = {item.conversation for item in self.notifications}
        recipient = conversations.pop()
        return replace(recipient, thread="") if conversations else recipient

    @property
    def parts(self) -> "tuple[DueMessage, ...]":
        """The messages that a summary or burst stands for, one for each subject and thread."""
        by_subject: dict[tuple[object, Conversation], list[Notification]] = {}
        for item in self.notifications:
            by_subject.setdefault((get_subject(item.event), item.conversation), []).append(item)
        return tuple(DueMessage(tuple(items)) for items in by_subject.values())

    @property
    def all_notifications(self) -> tuple[Notification, ...]:
        """What it shows, in the order of the events."""
        return tuple(sorted((*self.shown, *self.notifications), key=lambda item: item.id))

    @property
    def events(self) -> tuple[ExperimentEvent, ...]:
        return tuple(item.event for item in self.all_notifications if isinstance(item.event, ExperimentEvent))

    @property
    def notices(self) -> tuple[Notice, ...]:
        return tuple(item.event for item in self.all_notifications if isinstance(item.event, Notice))

    @property
    def subject_count(self) -> int:
        return len({get_subject(item.event) for item in self.all_notifications})

    @property
    def is_overview(self) -> bool:
        """Whether it sums up what would otherwise be several messages."""
        if self.is_summary:
            return True
        return self.burst is not None and (self.subject_count > 1 or len(self.all_notifications) > MAX_PER_MESSAGE)

    @property
    def failed(self) -> tuple[Notification, ...]:
        """The last event of each experiment that has failed, in the order of the failures."""
        last = {
            item.event.experiment_id: item
            for item in self.all_notifications
            if isinstance(item.event, ExperimentEvent)
        }
        return tuple(
            item
            for item in sorted(last.values(), key=lambda item: item.id)
            if isinstance(item.event, ExperimentEvent) and item.event.kind is EventKind.FAILED
        )

    @property
    def undiagnosed(self) -> tuple[Notification, ...]:
        """The failures with a log that nobody has read yet."""
        return tuple(item for item in self.failed if item.diagnosis is None)


def split_into_messages(notifications: tuple[Notification, ...]) -> Iterator[DueMessage]:
    """Yield messages short enough for every platform."""
    for start in range(0, len(notifications), MAX_PER_MESSAGE):
        yield DueMessage(notifications[start : start + MAX_PER_MESSAGE])
