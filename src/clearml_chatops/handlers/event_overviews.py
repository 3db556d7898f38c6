"""The one message about many events: those of a burst, or those deferred during a mute or quiet hours."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from clearml_chatops.handlers.cause_phrases import UNKNOWN_CAUSE_PHRASE, get_cause_phrase
from clearml_chatops.handlers.failure_overviews import (
    Groups,
    build_failure_buttons,
    format_causes,
    group_by_cause,
)
from clearml_chatops.handlers.formatting import format_duration
from clearml_chatops.handlers.message_lines import (
    MAX_LINE_LENGTH,
    MAX_LINES,
    MAX_NAME_LENGTH,
    build_list_texts,
    quote_name,
    to_list_line,
    to_single_line,
)
from clearml_chatops.models.notifications import EventKind, ExperimentEvent, StoredDiagnosis, get_subject
from clearml_chatops.models.replies import Block, Button, Buttons, Reply, Text, TextFile, Tone
from clearml_chatops.services.notifications.due_messages import DueMessage
from clearml_chatops.services.notifications.local_time import format_local_time

_MAX_STEPS = 3
_MAX_FILE_LINE_LENGTH = 1000
_FILE_HINT = ". A file with all of them follows after a quiet minute."
_GROUPS = (
    (EventKind.FAILED, "Failed", Tone.FAILURE),
    (EventKind.COMPLETED, "Completed", Tone.SUCCESS),
    (EventKind.ABORTED, "Aborted", Tone.WARNING),
    (EventKind.STARTED, "Running", Tone.PLAIN),
)
"""By the last event of an experiment, the most important group first."""
_OTHER = "Other"
_STEP_WORDS = {
    EventKind.COMPLETED: "completed",
    EventKind.FAILED: "failed",
    EventKind.ABORTED: "aborted",
    EventKind.ENQUEUED: "enqueued",
    EventKind.DEQUEUED: "dequeued",
    EventKind.BACK_TO_DRAFT: "reset",
    EventKind.DELETED: "deleted",
    EventKind.UNDELIVERED: "not delivered elsewhere",
}


def build_overview(message: DueMessage) -> Reply:
    """Return the causes of failures, a line for each experiment, failed ones first, then the other notices."""
    groups, notices = _group_events(message.events), _list_notices(message)
    diagnoses = _map_diagnoses(message)
    remaining = MAX_LINES
    blocks: list[Block] = []
    for word, tone, found in groups:
        lines = [_format_history(history, message.zone, diagnoses) for history in found[:remaining]]
        remaining = max(remaining - len(found), 0)
        blocks += build_list_texts(word, lines, tone)
    blocks += build_list_texts("", [to_list_line(text) for text in notices[:remaining]])
    more = sum(len(found) for _, _, found in groups) + len(notices) - MAX_LINES
    causes = group_by_cause(message.failed)
    return Reply.of(
        Text(f"{_format_title(message)}: {_format_counts(groups, len(notices))}", Tone.HEADING),
        *_build_cause_texts(message, causes),
        *blocks,
        Text(f"and {more:,} more{_FILE_HINT if message.burst else ''}", Tone.SUBTLE) if more > 0 else None,
        Buttons((*build_failure_buttons(message.failed, causes), Button("Show watch list", "/watching"))),
    )


def build_overview_file(message: DueMessage) -> Reply:
    """Return a file with a line for each experiment, failed ones first, and for each notice."""
    diagnoses = _map_diagnoses(message)
    lines = [
        f"{history[-1].experiment_id}  {_format_history(history, message.zone, diagnoses, _MAX_FILE_LINE_LENGTH)}"
        for _, _, found in _group_events(message.events)
        for history in found
    ]
    notices = [to_single_line(text, _MAX_FILE_LINE_LENGTH) for text in _list_notices(message)]
    caption = f"All {message.subject_count:,} updates, failed experiments first"
    return Reply.of(TextFile("updates.txt", "\n".join((*lines, *notices)) + "\n", caption))


def _format_title(message: DueMessage) -> str:
    if message.burst is None:
        return "While notifications were paused"
    return "1 update" if message.subject_count == 1 else f"{message.subject_count:,} updates"


def _build_cause_texts(message: DueMessage, causes: Groups) -> list[Text]:
    """Return what the failures have in common; nothing for a single one, which has its cause in its line."""
    unread = len(message.undiagnosed) if message.burst else 0
    lines = format_causes(causes) if len(message.failed) > 1 else []
    texts = [Text("\n".join(("Causes", *lines)))] if lines else []
    return (
        [*texts, Text(f"Still reading {unread:,} {'log' if unread == 1 else 'logs'}", Tone.SUBTLE)]
        if unread
        else texts
    )


def _group_events(events: Sequence[ExperimentEvent]) -> list[tuple[str, Tone, list[list[ExperimentEvent]]]]:
    """Return the events of each experiment, by its last one, the most important group first."""
    histories = list(_group_by_experiment(events))
    by_kind = {kind: [history for history in histories if history[-1].kind is kind] for kind, _, _ in _GROUPS}
    others = [history for history in histories if history[-1].kind not in by_kind]
    return [(word, tone, by_kind[kind]) for kind, word, tone in _GROUPS] + [(_OTHER, Tone.PLAIN, others)]


def _list_notices(message: DueMessage) -> list[str]:
    return list(dict.fromkeys(notice.text for notice in message.notices))


def _map_diagnoses(message: DueMessage) -> dict[str, StoredDiagnosis]:
    return {get_subject(item.event)[1]: item.diagnosis for item in message.failed if item.diagnosis}


def _group_by_experiment(events: Sequence[ExperimentEvent]) -> Iterable[list[ExperimentEvent]]:
    """Return the events of each experiment in order. An event deferred in two threads counts once."""
    histories: dict[str, dict[tuple[EventKind, object], ExperimentEvent]] = {}
    for event in events:
        histories.setdefault(event.experiment_id, {})[event.kind, event.at] = event
    return (list(history.values()) for history in histories.values())


def _format_counts(groups: Sequence[tuple[str, Tone, list[list[ExperimentEvent]]]], notice_count: int) -> str:
    counts = Counter({word: len(found) for word, _, found in groups})
    counts[_OTHER] += notice_count
    return ", ".join(
        f"{number:,} {word if word != _OTHER else word.lower()}" for word, number in counts.items() if number
    )


def _format_history(
    history: list[ExperimentEvent],
    zone: str,
    diagnoses: Mapping[str, StoredDiagnosis],
    max_length: int = MAX_LINE_LENGTH,
) -> str:
    """Return the last events of one experiment: “a”: started 23:10, failed after 5 h (lost its worker)."""
    name = quote_name(history[-1].experiment_name)
    steps = ", ".join(_format_step(event, zone) for event in history[-_MAX_STEPS:])
    diagnosis = diagnoses.get(history[-1].experiment_id)
    phrase = get_cause_phrase(diagnosis.cause, 1) if diagnosis else UNKNOWN_CAUSE_PHRASE
    cause = f" ({phrase})" if phrase != UNKNOWN_CAUSE_PHRASE else ""
    return to_single_line(f"{name}: {steps}{cause}", max_length)


def _format_step(event: ExperimentEvent, zone: str) -> str:
    if event.kind is EventKind.STARTED:
        utc = "" if zone else " UTC"
        return f"started {format_local_time(event.at, zone)}{utc}"
    after = f" after {format_duration(event.running_time)}" if event.running_time is not None else ""
    # The actor of an undelivered event is the conversation that it did not reach.
    has_actor = event.actor_name and event.kind is not EventKind.UNDELIVERED
    by = f" by {to_single_line(event.actor_name, MAX_NAME_LENGTH)}" if has_actor else ""
    return f"{_STEP_WORDS[event.kind]}{after}{by}"
