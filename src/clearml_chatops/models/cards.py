"""Cards: messages that show an experiment and are edited as it progresses."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from clearml_chatops.models.messages import Conversation


@dataclass(frozen=True, slots=True)
class DueCard:
    """A card with outdated content.

    A superseded one has a newer card of the same experiment further down its conversation. `edited` is
    the time of the last edit, `due` the time since when an edit is due. `has_outdated_status` is whether the
    card shows a status that the experiment no longer has, rather than only old numbers.
    """

    conversation: Conversation
    message_id: str
    experiment_id: str
    due: datetime
    edited: datetime | None = None
    is_superseded: bool = False
    has_outdated_status: bool = False


@dataclass(frozen=True, slots=True)
class EditIntervals:
    """Minimum intervals between two edits of one card, and of any cards of one conversation.

    An interval for the conversation means that the platform counts edits and new messages against the same
    rate limit, so new messages are sent first.
    """

    card: timedelta
    conversation: timedelta = timedelta(0)
