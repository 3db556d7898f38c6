"""Putting an experiment into a queue and taking it out, with the errors that people get for each refusal."""

from dataclasses import replace

from clearml_chatops.models.errors import (
    AlreadyPendingError,
    ClearMLError,
    QueueNotFoundError,
    StillPendingError,
)
from clearml_chatops.models.experiments import Experiment, Status
from clearml_chatops.models.people import QueueBinding
from clearml_chatops.models.replies import Button
from clearml_chatops.services.clearml_gateway import ClearML
from clearml_chatops.services.clearml_gateway.api_client import has_code
from clearml_chatops.services.clearml_gateway.experiment_actions import EnqueueResult
from clearml_chatops.services.experiments.status_errors import (
    build_cannot_enqueue_error,
    build_not_pending_error,
)

_INVALID_STATUS = (400, 110)
_UNKNOWN_QUEUE = (400, 701)
_NOT_IN_QUEUE = (400, 703)
_ALREADY_QUEUED = (400, 706)


async def enqueue(clearml: ClearML, experiment: Experiment, binding: QueueBinding) -> EnqueueResult:
    """Enqueue a Draft, Failed or Aborted experiment.

    Raises:
        AlreadyPendingError, CannotEnqueueError, QueueNotFoundError: also if it changed in the meantime.
    """
    try:
        return await clearml.enqueue(experiment.id, binding.queue_id)
    except ClearMLError as error:
        if has_code(error, *_UNKNOWN_QUEUE):
            raise QueueNotFoundError(name=binding.queue_name, nearest=" It was deleted.") from error
        if has_code(error, *_ALREADY_QUEUED):
            raise AlreadyPendingError(name=experiment.name, queue=binding.queue_name) from error
        if not has_code(error, *_INVALID_STATUS):
            raise
        current = await _read_again(clearml, experiment)
        if current.status is Status.PENDING:
            # Before API 2.31 this is not 400/706.
            raise await build_already_pending_error(clearml, current) from error
        if current.status is not Status.FAILED:
            raise build_cannot_enqueue_error(current) from error
    # Before API 2.31 a Failed experiment is enqueued only with force.
    return await clearml.enqueue(experiment.id, binding.queue_id, force=True)


async def dequeue(clearml: ClearML, experiment: Experiment) -> Experiment:
    """Take a Pending experiment out of its queue, and return it with the status it had before.

    Raises:
        NotPendingError: a worker has just taken it.
        StillPendingError: it's in no queue, but ClearML may show it as Pending.
    """
    try:
        status = await clearml.dequeue(experiment.id, experiment.queue_id)
    except ClearMLError as error:
        if not has_code(error, *_NOT_IN_QUEUE):
            raise
        current = await _read_again(clearml, experiment)
        if current.status is not Status.PENDING:
            raise build_not_pending_error(current) from error
        raise _build_still_pending_error(
            current, "A worker is probably starting it. If it's still Pending in a minute, end it with /abort."
        ) from error
    if status in {Status.PENDING, Status.UNKNOWN}:
        raise _build_still_pending_error(
            experiment, "ClearML may still show it as Pending. If it does, end it with /abort."
        )
    return replace(experiment, status=status)


async def build_already_pending_error(clearml: ClearML, experiment: Experiment) -> AlreadyPendingError:
    queue = await clearml.get_queue(experiment.queue_id) if experiment.queue_id else None
    return AlreadyPendingError(name=experiment.name, queue=queue.name if queue else "a queue")


async def _read_again(clearml: ClearML, experiment: Experiment) -> Experiment:
    return (await clearml.get_experiments([experiment.id])).get(experiment.id, experiment)


def _build_still_pending_error(experiment: Experiment, advice: str) -> StillPendingError:
    buttons = [Button("Show", f"/show {experiment.id}"), Button("Abort", f"/abort {experiment.id}")]
    return StillPendingError(name=experiment.name, advice=advice, buttons=buttons)
