"""The one message that sums up the notifications deferred during a mute or quiet hours."""

from collections import Counter
from collections.abc import Iterable, Sequence

from clearml_chatops.handlers.formatting import format_duration
from clearml_chatops.handlers.message_lines import (
    MAX_LINES,
    MAX_NAME_LENGTH,
    build_list_texts,
    build_log_buttons,
    quote_name,
    to_list_line,
    to_single_line,
)
from clearml_chatops.models.notifications import EventKind, ExperimentEvent
from clearml_chatops.models.replies import Block, Button, Buttons, Reply, Text, Tone
from clearml_chatops.services.notifications.local_time import format_local_time
from clearml_chatops.services.notifications.notifications import DueMessage

_MAX_STEPS = 3
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


def build_pause_summary(message: DueMessage) -> Reply:
    """Return a line for each experiment with its last events, failed ones first, then the other notices."""
    histories = list(_group_by_experiment(message.events))
    by_kind = {kind: [history for history in histories if history[-1].kind is kind] for kind, _, _ in _GROUPS}
    others = [history for history in histories if history[-1].kind not in by_kind]
    groups = [(word, tone, by_kind[kind]) for kind, word, tone in _GROUPS] + [(_OTHER, Tone.PLAIN, others)]
    notices = list(dict.fromkeys(notice.text for notice in message.notices))
    remaining = MAX_LINES
    blocks: list[Block] = []
    for word, tone, found in groups:
        listed, remaining = found[:remaining], max(remaining - len(found), 0)
        blocks += build_list_texts(word, [_format_history(history, message.zone) for history in listed], tone)
    blocks += build_list_texts("", [to_list_line(text) for text in notices[:remaining]])
    more = len(histories) + len(notices) - MAX_LINES
    return Reply.of(
        Text(f"While notifications were paused: {_format_counts(groups, len(notices))}", Tone.HEADING),
        *blocks,
        Text(f"and {more} more", Tone.SUBTLE) if more > 0 else None,
        Buttons(
            (
                *build_log_buttons(
                    (history[-1].experiment_id, history[-1].experiment_name)
                    for history in by_kind[EventKind.FAILED]
                ),
                Button("Show watch list", "/watching"),
            )
        ),
    )


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
        f"{number} {word if word != _OTHER else word.lower()}" for word, number in counts.items() if number
    )


def _format_history(history: list[ExperimentEvent], zone: str) -> str:
    """Return the last events of one experiment: “a”: started 23:10, completed after 5 h 2 min."""
    name = quote_name(history[-1].experiment_name)
    steps = ", ".join(_format_step(event, zone) for event in history[-_MAX_STEPS:])
    return to_list_line(f"{name}: {steps}")


def _format_step(event: ExperimentEvent, zone: str) -> str:
    if event.kind is EventKind.STARTED:
        utc = "" if zone else " UTC"
        return f"started {format_local_time(event.at, zone)}{utc}"
    after = f" after {format_duration(event.running_time)}" if event.running_time is not None else ""
    # The actor of an undelivered event is the conversation that it did not reach.
    has_actor = event.actor_name and event.kind is not EventKind.UNDELIVERED
    by = f" by {to_single_line(event.actor_name, MAX_NAME_LENGTH)}" if has_actor else ""
    return f"{_STEP_WORDS[event.kind]}{after}{by}"
