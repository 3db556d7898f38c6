"""Bursts: many events of one conversation within a short time, shown by one message that is edited."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from clearml_chatops.models.messages import Conversation, SentMessage

BURST_WINDOW = timedelta(minutes=1)
"""How close together events have to be to form a burst. A burst ends after this time without events."""

MAX_BURST_AGE = timedelta(hours=1)
"""A longer one continues in a new message: nobody looks at a message that is far above."""

EVENTS_BEFORE_BURST = 3
"""So many events within the window still get messages of their own."""

MAX_LISTED = 20
"""So many experiments are named in a message; if there are more, a file names all of them."""


@dataclass(frozen=True, slots=True)
class Burst:
    """A burst in a conversation.

    `message` shows it, once that was sent, and `shown` is when that last changed. `due` is when the burst needs
    attention next. With `is_waiting`, some of its events aren't sent yet, for example during an outage.
    """

    id: int
    conversation: Conversation
    started: datetime
    last_event: datetime
    due: datetime
    shown: datetime | None = None
    message: SentMessage | None = None
    is_waiting: bool = False

    @property
    def end(self) -> datetime:
        """When it ends, unless another event comes before."""
        latest = self.started + MAX_BURST_AGE
        return latest if self.is_waiting else min(self.last_event + BURST_WINDOW, latest)
