"""Notification messages: what happened to an experiment or a worker, why a run failed, and what to do next."""

from collections.abc import Sequence
from datetime import timedelta

from clearml_chatops.handlers.assignments import is_typable
from clearml_chatops.handlers.command_line import Word, join_words
from clearml_chatops.handlers.event_overviews import build_overview, build_overview_file
from clearml_chatops.handlers.formatting import format_duration
from clearml_chatops.handlers.message_lines import MAX_NAME_LENGTH, to_single_line
from clearml_chatops.handlers.pages import build_option
from clearml_chatops.models.notifications import EventKind, ExperimentEvent, Notice
from clearml_chatops.models.replies import Block, Button, Buttons, Code, Reply, Text, Tone
from clearml_chatops.services.notifications.diagnosis import Diagnosis, SuggestedChange
from clearml_chatops.services.notifications.due_messages import DueMessage
from clearml_chatops.services.notifications.failure_patterns.rows import LOOK, NextStep

_MAX_TEXT_LENGTH = 150
"""Of a name or a log line. A notification has to fit into one message: of two, only one might arrive."""

_TONES = {
    EventKind.COMPLETED: Tone.SUCCESS,
    EventKind.FAILED: Tone.FAILURE,
    EventKind.ABORTED: Tone.WARNING,
    EventKind.DELETED: Tone.WARNING,
    EventKind.UNDELIVERED: Tone.WARNING,
}
_STEP_BUTTONS = {
    NextStep.CLONE: ("Clone and edit", "/clone {id}"),
    NextStep.SHOW_LOG: ("Show log", "/log {id}"),
    NextStep.RETRY: ("Retry", "/retry {id}"),
    NextStep.SHOW_CONTAINER: ("Show container", "/container {id}"),
    NextStep.SHOW_PARAMETERS: ("Show parameters", "/params id={id}"),
    NextStep.SHOW_CODE: ("Show code", "/script {id}"),
    NextStep.SHOW_GPUS: ("Show GPUs", "/gpus"),
    NextStep.SHOW_WORKERS: ("Show workers", "/worker"),
}


def build_notification_message(message: DueMessage) -> Reply:
    """Return a sentence for each event, the cause of a failure, and buttons for the next step."""
    if message.is_file:
        return build_overview_file(message)
    if message.is_overview:
        return build_overview(message)
    if message.notices:
        return _build_notices_reply(message.notices)
    last, diagnosis = message.events[-1], message.diagnosis
    return Reply.of(
        *(Text(_format_event(event), _TONES.get(event.kind, Tone.PLAIN)) for event in message.events),
        Text(diagnosis.summary) if diagnosis else None,
        Text("The machine is the cause, not the experiment.", Tone.SUBTLE)
        if diagnosis and diagnosis.is_machine_fault
        else None,
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
    name = f"“{_truncate(event.experiment_name)}”" + (f" ({event.owner_name})" if event.owner_name else "")
    after = f" after {format_duration(event.running_time)}" if event.running_time is not None else ""
    by = f" by {event.actor_name}" if event.actor_name else ""
    by_someone = by or " by someone else"
    match event.kind:
        case EventKind.STARTED:
            worker = f" on {event.worker_id}" if event.worker_id else ""
            return f"{name} started{worker}.{_format_waiting_time(event)}"
        case EventKind.COMPLETED:
            return f"{name} completed{after}."
        case EventKind.FAILED:
            return f"{name} failed{after}."
        case EventKind.ABORTED:
            return f"{name} was aborted{after}{by}."
        case EventKind.ENQUEUED:
            return f"{name} was enqueued{by_someone}."
        case EventKind.DEQUEUED:
            return f"{name} was dequeued{by_someone}."
        case EventKind.BACK_TO_DRAFT:
            return f"{name} was reset{by_someone}. Its log is deleted."
        case EventKind.DELETED:
            return f"{name} was deleted{by or ' in ClearML'}."
        case EventKind.UNDELIVERED:
            return f"Notifications for {name} couldn't be sent to {event.actor_name} for a day ({event.reason})."


def _truncate(text: str) -> str:
    return text if len(text) <= _MAX_TEXT_LENGTH else f"{text[:_MAX_TEXT_LENGTH]}…"


def _format_waiting_time(event: ExperimentEvent) -> str:
    if event.waiting_time is None:
        return ""
    is_short = event.waiting_time < timedelta(seconds=1)
    return f" (waited {'less than a second' if is_short else format_duration(event.waiting_time)})"


def _list_buttons(event: ExperimentEvent, diagnosis: Diagnosis | None) -> tuple[Button, ...]:
    show = Button("Show", f"/show {event.experiment_id}")
    log = Button("Show log", f"/log {event.experiment_id}")
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
    """Return the buttons for a failed run, the most useful for its cause first."""
    if diagnosis is None:
        return tuple(_build_step_button(step, experiment_id) for step in LOOK)
    return (
        *_build_rerun_buttons(diagnosis.suggested_change, experiment_id),
        *(_build_step_button(step, experiment_id) for step in diagnosis.steps),
    )


def _build_step_button(step: NextStep, experiment_id: str) -> Button:
    label, command = _STEP_BUTTONS[step]
    return Button(label, command.format(id=experiment_id))


def _build_rerun_buttons(change: SuggestedChange | None, experiment_id: str) -> tuple[Button, ...]:
    """Return the button that runs a clone with the change, in the same queue; none if a line can't express it."""
    if change is None or not is_typable(str(change.parameter)):
        return ()
    words = [Word("/rerun"), Word(experiment_id), build_option(str(change.parameter), change.value)]
    if change.queue_id:
        words.append(build_option("queue", change.queue_id))
    line = join_words(words)
    assignment = to_single_line(f"{change.parameter.name}={change.value}", MAX_NAME_LENGTH)
    return (Button(f"Rerun with {assignment}", line),)
