"""Questions to a person about the cards that his worker has: may somebody else have them?"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from clearml_chatops.models.messages import Conversation
from clearml_chatops.models.workers import RunningPolicy, WorkerSpec


class GpuRequestAnswer(StrEnum):
    """What the asked person says: share the cards, give them up when his run has ended, or neither."""

    SHARE = "share"
    HAND_OVER = "handover"
    DECLINE = "no"


@dataclass(frozen=True, slots=True)
class GpuRequestDetails:
    """What somebody wants to have carried out once everybody whom he asks for cards has agreed.

    `restarts` is the worker that shall be restarted, None where one shall be started; `line` is the command line
    of it all. What becomes of it is told in `conversation`.
    """

    requester_id: int
    requester_name: str
    conversation: Conversation
    gpu_label: str
    command: str
    worker_spec: WorkerSpec
    worker_id_to_restart: str | None = None
    running_policy: RunningPolicy | None = None


@dataclass(frozen=True, slots=True)
class GpuRequest:
    """A request as one person is asked for it. The questions of one request have the same `group`.

    `worker_ids` are his workers that the bot has started, and can hence end. `answer` is None until he has given
    one, and `begun` until all have and the request is being carried out.
    """

    token: str
    group_token: str
    host: str
    details: GpuRequestDetails
    owner_id: int
    owner_name: str
    worker_ids: tuple[str, ...]
    created: datetime
    expires: datetime
    answer: GpuRequestAnswer | None = None
    handover_started: datetime | None = None
