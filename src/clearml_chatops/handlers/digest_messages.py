"""The message that sums up what was held back from a conversation."""

from collections import Counter
from collections.abc import Iterable, Sequence

from clearml_chatops.handlers.formatting import format_duration
from clearml_chatops.models.notifications import EventKind, ExperimentEvent
from clearml_chatops.models.replies import Block, Button, Buttons, Reply, Text, Tone
from clearml_chatops.services.notifications.local_time import format_local_time
from clearml_chatops.services.notifications.notifications import DueMessage

MAX_LINES = 20
MAX_BUTTONS = 5
_MAX_STEPS = 3
_MAX_NAME_LENGTH = 60
_MAX_LINE_LENGTH = 140
_LINES_PER_TEXT = 10
_GROUPS = (
    (EventKind.FAILED, "Failed", Tone.FAILURE),
    (EventKind.COMPLETED, "Completed", Tone.SUCCESS),
    (EventKind.ABORTED, "Aborted", Tone.WARNING),
    (EventKind.STARTED, "Running", Tone.PLAIN),
)
"""By what happened last, in the order in which one wants to know it."""
_OTHER = "Other"
_STEP_WORDS = {
    EventKind.COMPLETED: "Completed",
    EventKind.FAILED: "Failed",
    EventKind.ABORTED: "Aborted",
    EventKind.ENQUEUED: "enqueued",
    EventKind.DEQUEUED: "taken out of its queue",
    EventKind.BACK_TO_DRAFT: "made a Draft again",
    EventKind.DELETED: "deleted in ClearML",
    EventKind.UNDELIVERED: "could not be told elsewhere",
}


def build_digest_message(message: DueMessage) -> Reply:
    """How each experiment stands and how it came to that, the failed ones first; then what else was to be told."""
    histories = list(_group_by_experiment(message.events))
    by_kind = {kind: [history for history in histories if history[-1].kind is kind] for kind, _, _ in _GROUPS}
    others = [way for way in histories if way[-1].kind not in by_kind]
    groups = [(word, tone, by_kind[kind]) for kind, word, tone in _GROUPS] + [(_OTHER, Tone.PLAIN, others)]
    notices = list(dict.fromkeys(notice.text for notice in message.notices))
    remaining = MAX_LINES
    blocks: list[Block] = []
    for word, tone, found in groups:
        listed, remaining = found[:remaining], max(remaining - len(found), 0)
        blocks += build_list_texts(word, [_format_history(way, message.zone) for way in listed], tone)
    blocks += build_list_texts("", [to_list_line(text) for text in notices[:remaining]])
    more = len(histories) + len(notices) - MAX_LINES
    return Reply.of(
        Text(f"While it was quiet here: {_format_counts(groups, len(notices))}", Tone.HEADING),
        *blocks,
        Text(f"and {more} more", Tone.SUBTLE) if more > 0 else None,
        Buttons(
            (
                *build_log_buttons(
                    (way[-1].experiment_id, way[-1].experiment_name) for way in by_kind[EventKind.FAILED]
                ),
                Button("All that is watched", "/watching"),
            )
        ),
    )


def build_list_texts(title: str, lines: Sequence[str], tone: Tone = Tone.PLAIN) -> list[Text]:
    """Lines below a title, in texts that every platform takes whole; none where there are no lines."""
    texts = [lines[start : start + _LINES_PER_TEXT] for start in range(0, len(lines), _LINES_PER_TEXT)]
    return [
        Text("\n".join((title, *text) if title and not number else text), Tone.PLAIN if number else tone)
        for number, text in enumerate(texts)
    ]


def build_log_buttons(failed: Iterable[tuple[str, str]]) -> tuple[Button, ...]:
    """A button for the log of each of the first failed experiments, given as ids and names."""
    first = [(id_, name) for (id_, name), _ in zip(failed, range(MAX_BUTTONS), strict=False)]
    return tuple(
        Button(f"Show log of {to_single_line(name, _MAX_NAME_LENGTH)}", f"/log {id_}") for id_, name in first
    )


def to_single_line(text: str, max_length: int) -> str:
    """A text from outside within a line of its own."""
    line = " ".join(text.split())
    return line if len(line) <= max_length else f"{line[: max_length - 1]}…"


def to_list_line(text: str) -> str:
    """A text within one line of a list that platforms take whole."""
    return to_single_line(text, _MAX_LINE_LENGTH)


def quote_name(name: str) -> str:
    """An experiment's name as it stands in a line among others."""
    return f"“{to_single_line(name, _MAX_NAME_LENGTH)}”"


def _group_by_experiment(events: Sequence[ExperimentEvent]) -> Iterable[list[ExperimentEvent]]:
    """What happened to each experiment, in order; what was to be told in two threads happened once."""
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
    """“a”: left Pending 23:10, Completed after 5 h 2 min."""
    name = quote_name(history[-1].experiment_name)
    steps = ", ".join(_format_step(event, zone) for event in history[-_MAX_STEPS:])
    return to_list_line(f"{name}: {steps}")


def _format_step(event: ExperimentEvent, zone: str) -> str:
    by = f" by {to_single_line(event.actor_name, _MAX_NAME_LENGTH)}" if event.actor_name else ""
    after = f" after {format_duration(event.running_time)}" if event.running_time is not None else ""
    if event.kind is EventKind.STARTED:
        utc = "" if zone else " UTC"
        return f"left Pending {format_local_time(event.at, zone)}{utc}"
    return f"{_STEP_WORDS[event.kind]}{by if event.kind is not EventKind.UNDELIVERED else ''}{after}"
