"""Errors about an experiment's status, with advice and buttons for the next step."""

from clearml_chatops.models.errors import (
    CannotAbortError,
    CannotEnqueueError,
    NotADraftError,
    NotPendingError,
)
from clearml_chatops.models.experiments import Experiment, Status
from clearml_chatops.models.replies import Button


def build_not_a_draft_error(experiment: Experiment) -> NotADraftError:
    clone = Button("Clone", f"/clone {experiment.id}")
    if experiment.status is Status.PENDING:
        advice = "Take it out of its queue with /dequeue, or clone it first."
        buttons = [Button("Dequeue", f"/dequeue {experiment.id}"), clone]
    else:
        advice, buttons = "Clone it first.", [clone]
    return NotADraftError(name=experiment.name, status=experiment.status.label, advice=advice, buttons=buttons)


def build_not_pending_error(experiment: Experiment) -> NotPendingError:
    is_running = experiment.status is Status.RUNNING
    return NotPendingError(
        name=experiment.name,
        status=experiment.status.label,
        advice=" To end the run, use /abort." if is_running else "",
        buttons=[Button("Abort", f"/abort {experiment.id}")] if is_running else [],
    )


def build_cannot_abort_error(experiment: Experiment) -> CannotAbortError:
    return CannotAbortError(name=experiment.name, status=experiment.status.label)


def build_cannot_enqueue_error(experiment: Experiment) -> CannotEnqueueError:
    clone = Button("Clone", f"/clone {experiment.id}")
    if experiment.status is Status.RUNNING:
        advice, buttons = "Clone it to run it again.", [clone]
    elif experiment.status in {Status.PUBLISHED, Status.PUBLISHING}:
        advice, buttons = "Clone it and enqueue the copy.", [clone]
    else:
        advice = "Clone it and enqueue the copy, or make it a Draft again with /reset, which deletes its log."
        buttons = [clone, Button("Reset", f"/reset {experiment.id}")]
    return CannotEnqueueError(name=experiment.name, status=experiment.status.label, advice=advice, buttons=buttons)
