"""The messages that tell what happened to an experiment."""

from datetime import timedelta

from clearml_chatops.handlers.wording import span
from clearml_chatops.models.notifications import EventKind, ExperimentEvent
from clearml_chatops.models.replies import Button, Buttons, Code, Reply, Text, Tone
from clearml_chatops.services.notifications import DueMessage

_TONES = {
    EventKind.COMPLETED: Tone.SUCCESS,
    EventKind.FAILED: Tone.FAILURE,
    EventKind.ABORTED: Tone.WARNING,
    EventKind.DELETED: Tone.WARNING,
}


def notification_message(message: DueMessage) -> Reply:
    """A sentence for each thing that happened, and what one may do now."""
    last = message.events[-1]
    return Reply.of(
        *(Text(_sentence(event), _TONES.get(event.kind, Tone.PLAIN)) for event in message.events),
        Code("\n".join(line.text for line in message.last_lines)) if message.last_lines else None,
        Buttons(_buttons(last)) if last.kind is not EventKind.DELETED else None,
        about=last.experiment_id,
    )


def _sentence(event: ExperimentEvent) -> str:
    name = f"“{event.experiment_name}”"
    after = f" after {span(event.ran)}" if event.ran is not None else ""
    by = f" by {event.by_name}" if event.by_name else ""
    somebody = by or " by another person"
    match event.kind:
        case EventKind.LEFT_PENDING:
            worker = f", picked up by {event.worker_id}" if event.worker_id else ""
            return f"{name} has left Pending{_after_waiting(event)}{worker}."
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


def _after_waiting(event: ExperimentEvent) -> str:
    if event.waited is None:
        return ""
    return f" after {span(event.waited)}" if event.waited >= timedelta(seconds=1) else " at once"


def _buttons(event: ExperimentEvent) -> tuple[Button, ...]:
    show = Button("Show", f"/show {event.experiment_id}")
    log = Button("Log", f"/log {event.experiment_id}")
    match event.kind:
        case EventKind.FAILED | EventKind.ABORTED:
            return (log, Button("Retry", f"/retry {event.experiment_id}"), show)
        case EventKind.DEQUEUED | EventKind.BACK_TO_DRAFT:
            return (show, Button("Enqueue", f"/enqueue {event.experiment_id}"))
        case EventKind.ENQUEUED:
            return (show, Button("Dequeue", f"/dequeue {event.experiment_id}"))
        case _:
            return (show, log)
