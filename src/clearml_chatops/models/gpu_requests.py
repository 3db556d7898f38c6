"""GPU requests: asking the owner of a worker to share or hand over its GPUs."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from clearml_chatops.models.messages import Conversation
from clearml_chatops.models.workers import RunningPolicy, WorkerSpec


class GpuRequestAnswer(StrEnum):
    """The owner's answer: share the GPUs, hand them over when the current run has ended, or decline."""

    SHARE = "share"
    HAND_OVER = "handover"
    DECLINE = "no"


@dataclass(frozen=True, slots=True)
class GpuRequestDetails:
    """What to carry out for the requester once every owner has agreed.

    `gpu_label` is text for people, such as "GPUs 0 and 1". `worker_id_to_restart` is None if a new worker is to
    be started. `command` is the command that was sent. Notifications go to `conversation`.
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
    """A request to one owner. Requests that belong to one command share a `group_token`.

    `worker_ids` are the owner's workers that the bot started, and can therefore stop. `answer` is None until the
    owner has answered; `handover_started` is None until all owners have agreed and the request is carried out.
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
