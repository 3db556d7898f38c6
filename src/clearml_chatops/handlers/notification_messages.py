"""The messages that tell what happened to an experiment or a worker."""

from collections.abc import Sequence
from datetime import timedelta

from clearml_chatops.handlers.digest_messages import digest_message
from clearml_chatops.handlers.wording import span
from clearml_chatops.models.notifications import EventKind, ExperimentEvent, Notice
from clearml_chatops.models.replies import Block, Button, Buttons, Code, Reply, Text, Tone
from clearml_chatops.services.notifications.notifications import DueMessage
from clearml_chatops.services.notifications.triage import Triage

_LONGEST = 150
"""Of a name or a line of a log: a message that is more than the platform takes in one could come half."""

_TONES = {
    EventKind.COMPLETED: Tone.SUCCESS,
    EventKind.FAILED: Tone.FAILURE,
    EventKind.ABORTED: Tone.WARNING,
    EventKind.DELETED: Tone.WARNING,
    EventKind.UNDELIVERED: Tone.WARNING,
}


def notification_message(message: DueMessage) -> Reply:
    """A sentence for each thing that happened, why a run failed, and what one may do now."""
    if message.is_digest:
        return digest_message(message)
    if message.notices:
        return _notices(message.notices)
    last, triage = message.events[-1], message.triage
    return Reply.of(
        *(Text(_sentence(event), _TONES.get(event.kind, Tone.PLAIN)) for event in message.events),
        Text(triage.sentence) if triage else None,
        Code("\n".join(map(_cut, triage.lines))) if triage and triage.lines else None,
        Buttons(_buttons(last, triage)) if last.kind is not EventKind.DELETED else None,
        about=last.experiment_id,
    )


def _notices(notices: Sequence[Notice]) -> Reply:
    last = notices[-1]
    blocks: list[Block] = []
    for item in notices:
        blocks.append(Text(item.text, Tone.WARNING if item.is_trouble else Tone.PLAIN))
        blocks += [Text(text) for text in item.more]
        blocks += [Code(item.quote)] if item.quote else []
    return Reply.of(*blocks, Buttons(last.offers) if last.offers else None, about=last.experiment_id)


def _sentence(event: ExperimentEvent) -> str:
    name = f"“{_cut(event.experiment_name)}”" + (f" of {event.owner}" if event.owner else "")
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
        case EventKind.UNDELIVERED:
            return f"What happened to {name} could not be told at {event.by_name} for a day ({event.reason})."


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _after_waiting(event: ExperimentEvent) -> str:
    if event.waited is None:
        return ""
    return f" after {span(event.waited)}" if event.waited >= timedelta(seconds=1) else " at once"


def _buttons(event: ExperimentEvent, triage: Triage | None) -> tuple[Button, ...]:
    show = Button("Show", f"/show {event.experiment_id}")
    log = Button("Log", f"/log {event.experiment_id}")
    match event.kind:
        case EventKind.FAILED:
            return _buttons_of_a_failure(event.experiment_id, triage)
        case EventKind.ABORTED:
            return (log, Button("Retry", f"/retry {event.experiment_id}"), show)
        case EventKind.DEQUEUED | EventKind.BACK_TO_DRAFT:
            return (show, Button("Enqueue", f"/enqueue {event.experiment_id}"))
        case EventKind.ENQUEUED:
            return (show, Button("Dequeue", f"/dequeue {event.experiment_id}"))
        case _:
            return (show, log)


def _buttons_of_a_failure(experiment_id: str, triage: Triage | None) -> tuple[Button, ...]:
    """What helps most comes first."""
    log = Button("Show log", f"/log {experiment_id}")
    clone = Button("Clone and edit", f"/clone {experiment_id}")
    retry = Button("Retry", f"/retry {experiment_id}")
    if triage is not None and triage.kind.is_of_the_infrastructure:
        return (Button("Requeue", f"/retry {experiment_id}"), log, clone)
    if triage is not None and triage.kind.asks_for_a_change:
        return (clone, log, retry)
    return (log, retry, clone)
