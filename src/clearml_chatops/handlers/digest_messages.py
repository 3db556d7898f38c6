"""The message that sums up what was held back from a conversation."""

from collections import Counter
from collections.abc import Iterable, Sequence

from clearml_chatops.handlers.wording import span
from clearml_chatops.models.notifications import EventKind, ExperimentEvent
from clearml_chatops.models.replies import Block, Button, Buttons, Reply, Text, Tone
from clearml_chatops.services.notifications.local_time import shown_time
from clearml_chatops.services.notifications.notifications import DueMessage

MOST_LINES = 20
MOST_BUTTONS = 5
_MOST_STEPS = 3
_LONGEST_NAME = 60
_LONGEST_LINE = 140
_LINES_OF_A_TEXT = 10
_GROUPS = (
    (EventKind.FAILED, "Failed", Tone.FAILURE),
    (EventKind.COMPLETED, "Completed", Tone.SUCCESS),
    (EventKind.ABORTED, "Aborted", Tone.WARNING),
    (EventKind.LEFT_PENDING, "Running", Tone.PLAIN),
)
"""By what happened last, in the order in which one wants to know it."""
_OTHER = "Other"
_STEPS = {
    EventKind.COMPLETED: "Completed",
    EventKind.FAILED: "Failed",
    EventKind.ABORTED: "Aborted",
    EventKind.ENQUEUED: "enqueued",
    EventKind.DEQUEUED: "taken out of its queue",
    EventKind.BACK_TO_DRAFT: "made a Draft again",
    EventKind.DELETED: "deleted in ClearML",
    EventKind.UNDELIVERED: "could not be told elsewhere",
}


def digest_message(message: DueMessage) -> Reply:
    """How each experiment stands and how it came to that, the failed ones first; then what else was to be told."""
    ways = list(_ways(message.events))
    by_kind = {kind: [way for way in ways if way[-1].kind is kind] for kind, _, _ in _GROUPS}
    others = [way for way in ways if way[-1].kind not in by_kind]
    groups = [(word, tone, by_kind[kind]) for kind, word, tone in _GROUPS] + [(_OTHER, Tone.PLAIN, others)]
    notices = list(dict.fromkeys(notice.text for notice in message.notices))
    room = MOST_LINES
    blocks: list[Block] = []
    for word, tone, found in groups:
        shown, room = found[:room], max(room - len(found), 0)
        blocks += lines_below(word, [_line(way, message.zone) for way in shown], tone)
    blocks += lines_below("", [line_of_a_list(text) for text in notices[:room]])
    more = len(ways) + len(notices) - MOST_LINES
    return Reply.of(
        Text(f"While it was quiet here: {_counts(groups, len(notices))}", Tone.HEADING),
        *blocks,
        Text(f"and {more} more", Tone.QUIET) if more > 0 else None,
        Buttons(
            (
                *log_buttons(
                    (way[-1].experiment_id, way[-1].experiment_name) for way in by_kind[EventKind.FAILED]
                ),
                Button("All that is watched", "/watching"),
            )
        ),
    )


def lines_below(title: str, lines: Sequence[str], tone: Tone = Tone.PLAIN) -> list[Text]:
    """Lines below a title, in texts that every platform takes whole; none where there are no lines."""
    texts = [lines[start : start + _LINES_OF_A_TEXT] for start in range(0, len(lines), _LINES_OF_A_TEXT)]
    return [
        Text("\n".join((title, *text) if title and not number else text), Tone.PLAIN if number else tone)
        for number, text in enumerate(texts)
    ]


def log_buttons(failed: Iterable[tuple[str, str]]) -> tuple[Button, ...]:
    """A button for the log of each of the first failed experiments, given as ids and names."""
    first = [(id_, name) for (id_, name), _ in zip(failed, range(MOST_BUTTONS), strict=False)]
    return tuple(Button(f"Show log of {one_line(name, _LONGEST_NAME)}", f"/log {id_}") for id_, name in first)


def one_line(text: str, longest: int) -> str:
    """A text from outside within a line of its own."""
    line = " ".join(text.split())
    return line if len(line) <= longest else f"{line[: longest - 1]}…"


def line_of_a_list(text: str) -> str:
    """A text within one line of a list that platforms take whole."""
    return one_line(text, _LONGEST_LINE)


def quoted(name: str) -> str:
    """An experiment's name as it stands in a line among others."""
    return f"“{one_line(name, _LONGEST_NAME)}”"


def _ways(events: Sequence[ExperimentEvent]) -> Iterable[list[ExperimentEvent]]:
    """What happened to each experiment, in order; what was to be told in two threads happened once."""
    ways: dict[str, dict[tuple[EventKind, object], ExperimentEvent]] = {}
    for event in events:
        ways.setdefault(event.experiment_id, {})[event.kind, event.at] = event
    return (list(way.values()) for way in ways.values())


def _counts(groups: Sequence[tuple[str, Tone, list[list[ExperimentEvent]]]], notices: int) -> str:
    counts = Counter({word: len(found) for word, _, found in groups})
    counts[_OTHER] += notices
    return ", ".join(
        f"{number} {word if word != _OTHER else word.lower()}" for word, number in counts.items() if number
    )


def _line(way: list[ExperimentEvent], zone: str) -> str:
    """“a”: left Pending 23:10, Completed after 5 h 2 min."""
    name = quoted(way[-1].experiment_name)
    steps = ", ".join(_step(event, zone) for event in way[-_MOST_STEPS:])
    return line_of_a_list(f"{name}: {steps}")


def _step(event: ExperimentEvent, zone: str) -> str:
    by = f" by {one_line(event.by_name, _LONGEST_NAME)}" if event.by_name else ""
    after = f" after {span(event.ran)}" if event.ran is not None else ""
    if event.kind is EventKind.LEFT_PENDING:
        utc = "" if zone else " UTC"
        return f"left Pending {shown_time(event.at, zone)}{utc}"
    return f"{_STEPS[event.kind]}{by if event.kind is not EventKind.UNDELIVERED else ''}{after}"
