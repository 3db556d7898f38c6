"""The cards: messages that show how an experiment is, edited as it moves on."""

from dataclasses import dataclass
from datetime import datetime

from clearml_chatops.models.messages import Conversation


@dataclass(frozen=True, slots=True)
class DueCard:
    """A card that shows what no longer is so.

    A superseded one has a newer card of the same experiment further down its conversation. `edited` is
    when it was changed last, `due` since when it has to be changed.
    """

    conversation: Conversation
    message_id: str
    experiment_id: str
    due: datetime
    edited: datetime | None = None
    is_superseded: bool = False
