"""The messages that tell what happened to an experiment or a worker."""

from collections.abc import Sequence
from datetime import timedelta

from clearml_chatops.handlers.digest_messages import build_digest_message
from clearml_chatops.handlers.formatting import format_duration
from clearml_chatops.models.notifications import EventKind, ExperimentEvent, Notice
from clearml_chatops.models.replies import Block, Button, Buttons, Code, Reply, Text, Tone
from clearml_chatops.services.notifications.diagnosis import Diagnosis
from clearml_chatops.services.notifications.notifications import DueMessage

_MAX_TEXT_LENGTH = 150
"""Of a name or a line of a log: a message that is more than the platform takes in one could come half."""

_TONES = {
    EventKind.COMPLETED: Tone.SUCCESS,
    EventKind.FAILED: Tone.FAILURE,
    EventKind.ABORTED: Tone.WARNING,
    EventKind.DELETED: Tone.WARNING,
    EventKind.UNDELIVERED: Tone.WARNING,
}


def build_notification_message(message: DueMessage) -> Reply:
    """A sentence for each thing that happened, why a run failed, and what one may do now."""
    if message.is_summary:
        return build_digest_message(message)
    if message.notices:
        return _build_notices_reply(message.notices)
    last, diagnosis = message.events[-1], message.diagnosis
    return Reply.of(
        *(Text(_format_event(event), _TONES.get(event.kind, Tone.PLAIN)) for event in message.events),
        Text(diagnosis.summary) if diagnosis else None,
        Code("\n".join(map(_truncate, diagnosis.evidence))) if diagnosis and diagnosis.evidence else None,
        Buttons(_list_buttons(last, diagnosis)) if last.kind is not EventKind.DELETED else None,
        experiment_id=last.experiment_id,
    )


def _build_notices_reply(notices: Sequence[Notice]) -> Reply:
    last = notices[-1]
    blocks: list[Block] = []
    for item in notices:
        blocks.append(Text(item.text, Tone.WARNING if item.is_warning else Tone.PLAIN))
        blocks += [Text(text) for text in item.extra_texts]
        blocks += [Code(item.quote)] if item.quote else []
    return Reply.of(*blocks, Buttons(last.buttons) if last.buttons else None, experiment_id=last.experiment_id)


def _format_event(event: ExperimentEvent) -> str:
    name = f"“{_truncate(event.experiment_name)}”" + (f" of {event.owner_name}" if event.owner_name else "")
    after = f" after {format_duration(event.running_time)}" if event.running_time is not None else ""
    by = f" by {event.actor_name}" if event.actor_name else ""
    somebody = by or " by another person"
    match event.kind:
        case EventKind.STARTED:
            worker = f", picked up by {event.worker_id}" if event.worker_id else ""
            return f"{name} has left Pending{_format_waited(event)}{worker}."
        case EventKind.COMPLETED:
            return f"{name} is Completed{after}."
        case EventKind.FAILED:
            return f"{name} has Failed{after}."
        case EventKind.ABORTED:
            return f"{name} was Aborted{by}{after}."
        case EventKind.ENQUEUED:
            return f"{name} was enqueued{somebody}."
        case EventKind.DEQUEUED:
            return f"{name} was taken out of its queue{somebody}."
        case EventKind.BACK_TO_DRAFT:
            return f"{name} was made a Draft again{somebody}; its log is deleted."
        case EventKind.DELETED:
            return f"{name} was deleted in ClearML."
        case EventKind.UNDELIVERED:
            return f"What happened to {name} could not be told at {event.actor_name} for a day ({event.reason})."


def _truncate(text: str) -> str:
    return text if len(text) <= _MAX_TEXT_LENGTH else f"{text[:_MAX_TEXT_LENGTH]}…"


def _format_waited(event: ExperimentEvent) -> str:
    if event.waiting_time is None:
        return ""
    return (
        f" after {format_duration(event.waiting_time)}"
        if event.waiting_time >= timedelta(seconds=1)
        else " at once"
    )


def _list_buttons(event: ExperimentEvent, diagnosis: Diagnosis | None) -> tuple[Button, ...]:
    show = Button("Show", f"/show {event.experiment_id}")
    log = Button("Log", f"/log {event.experiment_id}")
    match event.kind:
        case EventKind.FAILED:
            return _list_failure_buttons(event.experiment_id, diagnosis)
        case EventKind.ABORTED:
            return (log, Button("Retry", f"/retry {event.experiment_id}"), show)
        case EventKind.DEQUEUED | EventKind.BACK_TO_DRAFT:
            return (show, Button("Enqueue", f"/enqueue {event.experiment_id}"))
        case EventKind.ENQUEUED:
            return (show, Button("Dequeue", f"/dequeue {event.experiment_id}"))
        case _:
            return (show, log)


def _list_failure_buttons(experiment_id: str, diagnosis: Diagnosis | None) -> tuple[Button, ...]:
    """What helps most comes first."""
    log = Button("Show log", f"/log {experiment_id}")
    clone = Button("Clone and edit", f"/clone {experiment_id}")
    retry = Button("Retry", f"/retry {experiment_id}")
    if diagnosis is not None and diagnosis.cause.is_infrastructure_failure:
        return (Button("Requeue", f"/retry {experiment_id}"), log, clone)
    if diagnosis is not None and diagnosis.cause.needs_change:
        return (clone, log, retry)
    return (log, retry, clone)
