"""The cards: messages that show how an experiment is, edited as it moves on."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from clearml_chatops.models.messages import Conversation


@dataclass(frozen=True, slots=True)
class DueCard:
    """A card that shows what no longer is so.

    A superseded one has a newer card of the same experiment further down its conversation. `edited` is
    when it was changed last, `due` since when it has to be changed. One that `is_outdated` shows another status
    than the experiment has, and not only numbers that have moved on.
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
    """How long a card is left alone between two edits, and a conversation between edits of any of its cards.

    Where there is one for the conversation, edits use up what the platform takes of new messages too, so that
    these go first.
    """

    card: timedelta
    conversation: timedelta = timedelta(0)
