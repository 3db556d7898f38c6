"""Questions to a person about the cards that his worker has: may somebody else have them?"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from clearml_chatops.models.messages import Conversation
from clearml_chatops.models.workers import MidRun, WorkerOrder


class Consent(StrEnum):
    """What the asked person says: share the cards, give them up when his run has ended, or neither."""

    SHARE = "share"
    HAND_OVER = "handover"
    REFUSE = "no"


@dataclass(frozen=True, slots=True)
class CardRequest:
    """What somebody wants to have carried out once everybody whom he asks for cards has agreed.

    `restarts` is the worker that shall be restarted, None where one shall be started; `line` is the command line
    of it all. What becomes of it is told in `conversation`.
    """

    asker_id: int
    asker_name: str
    conversation: Conversation
    cards: str
    line: str
    order: WorkerOrder
    restarts: str | None = None
    mid_run: MidRun | None = None


@dataclass(frozen=True, slots=True)
class CardQuestion:
    """A request as one person is asked for it. The questions of one request have the same `group`.

    `worker_ids` are his workers that the bot has started, and can hence end. `answer` is None until he has given
    one, and `begun` until all have and the request is being carried out.
    """

    token: str
    group: str
    host: str
    request: CardRequest
    asked_id: int
    asked_name: str
    worker_ids: tuple[str, ...]
    noted: datetime
    expires: datetime
    answer: Consent | None = None
    begun: datetime | None = None
