"""Many failures in one message: counts by cause, and buttons to retry all of a cause."""

from collections.abc import Iterable, Sequence

from clearml_chatops.handlers.cause_phrases import UNKNOWN_CAUSE_PHRASE, get_cause_phrase
from clearml_chatops.handlers.message_lines import MAX_BUTTONS, build_log_buttons, quote_name, to_list_line
from clearml_chatops.models.notifications import Notification, get_subject
from clearml_chatops.models.replies import Button

_MAX_RETRIES = 500
"""Experiments of one button: their ids have to fit into one command line."""
_MAX_RETRY_BUTTONS = 4
_MAX_CAUSES = 8

Groups = Sequence[tuple[str, Sequence[Notification]]]
"""What happened to failed runs, with these runs; the most frequent first."""


def group_by_cause(failed: Iterable[Notification]) -> Groups:
    """Return the diagnosed runs by what happened to them. Unknown causes come last."""
    by_cause: dict[str, list[Notification]] = {}
    for item in failed:
        if item.diagnosis is not None:
            by_cause.setdefault(get_cause_phrase(item.diagnosis.cause, 2), []).append(item)
    return sorted(by_cause.items(), key=lambda group: (group[0] == UNKNOWN_CAUSE_PHRASE, -len(group[1])))


def format_causes(groups: Groups) -> list[str]:
    """Return a line for each cause: 12 lost their worker."""
    lines = [
        to_list_line(f"{len(items):,} {get_cause_phrase(_get_cause(items), len(items))}")
        for _, items in groups[:_MAX_CAUSES]
    ]
    more = sum(len(items) for _, items in groups[_MAX_CAUSES:])
    return [*lines, f"{more:,} failed for other causes"] if more else lines


def build_failure_buttons(failed: Sequence[Notification], groups: Groups) -> tuple[Button, ...]:
    """Return buttons that retry all runs of a cause, where that can help, and buttons for some logs."""
    retries = [
        button
        for phrase, items in groups
        if phrase != UNKNOWN_CAUSE_PHRASE
        for button in _build_retry_buttons(items)
    ]
    # Of many logs, one for each cause.
    examples = failed if len(failed) <= MAX_BUTTONS else [items[0] for _, items in groups]
    logs = build_log_buttons((get_subject(item.event)[1], _get_name(item)) for item in examples or failed)
    return (*retries[:_MAX_RETRY_BUTTONS], *logs)


def _build_retry_buttons(failed: Sequence[Notification]) -> list[Button]:
    retryable = [item for item in failed if item.diagnosis and item.diagnosis.can_retry]
    parts = [retryable[start : start + _MAX_RETRIES] for start in range(0, len(retryable), _MAX_RETRIES)]
    return [
        Button(
            _format_retry_label(part, first=index * _MAX_RETRIES + 1, total=len(retryable)),
            " ".join(("/retry", *(get_subject(item.event)[1] for item in part))),
        )
        for index, part in enumerate(parts)
    ]


def _format_retry_label(part: Sequence[Notification], *, first: int, total: int) -> str:
    if total == 1:
        return f"Retry {quote_name(_get_name(part[0]))}"
    numbers = "" if len(part) == total else f"{first:,}–{first + len(part) - 1:,} of "
    return f"Retry {numbers}the {total:,} that {get_cause_phrase(_get_cause(part), total)}"


def _get_cause(failed: Sequence[Notification]) -> str:
    return failed[0].diagnosis.cause if failed[0].diagnosis else ""


def _get_name(item: Notification) -> str:
    return getattr(item.event, "experiment_name", "")
