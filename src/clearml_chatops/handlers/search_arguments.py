"""The arguments of a search: from the words of `/find` to what is searched for, and back."""

import re
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from clearml_chatops.handlers.command_line import Word
from clearml_chatops.handlers.pages import build_option
from clearml_chatops.models.alerts import MetricCondition
from clearml_chatops.models.errors import InvalidValueError
from clearml_chatops.models.experiments import SHOWN_STATUSES, Status
from clearml_chatops.models.searches import ExperimentSearch, SortField, SortOrder
from clearml_chatops.services.similar_names import find_similar_names
from clearml_chatops.services.watching.alert_conditions import parse_condition

_SPAN = re.compile(r"(\d{1,4})\s*(m|min|minutes?|h|hours?|d|days?|w|weeks?)")
_SPAN_UNIT = re.compile(r"min(utes?)?|hours?|days?|weeks?")
_SPAN_UNITS = {
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}
_SPAN_SUGGESTIONS = ("1d", "7d")
_SORT_ALIASES = {
    "updated": SortField.CHANGED,
    "newest": SortField.CREATED,
    "completed": SortField.FINISHED,
    "ended": SortField.FINISHED,
    "iteration": SortField.ITERATIONS,
}
_SIGNS = (">", "<", "≥", "≤")
_LISTS = ("status", "owner", "tag", "metric")


@dataclass(frozen=True, slots=True)
class SearchArguments:
    """The arguments of a search as they were typed. None is an option that wasn't given."""

    text: str = ""
    project: str | None = None
    status: str | None = None
    owner: str | None = None
    tag: str | None = None
    since: str | None = None
    metric: str | None = None
    sort: str | None = None
    mine: bool = False
    all_: bool = False

    def to_words(self) -> list[Word]:
        """Return the words that give these arguments again."""
        options = {
            "project": self.project,
            "status": self.status,
            "owner": self.owner,
            "tag": self.tag,
            "since": self.since,
            "metric": self.metric,
            "sort": self.sort,
        }
        return [
            *([Word(self.text, quoted=True)] if self.text else []),
            *(build_option(name, value) for name, value in options.items() if value is not None),
            *([Word("mine")] if self.mine else []),
            *([Word("--all")] if self.all_ else []),
        ]

    def with_option(self, name: str, value: str | None) -> "SearchArguments":
        """Return the arguments with another value of an option; None leaves the option out."""
        changes: dict[str, Any] = {name: value}
        return replace(self, **changes)

    def replace_value(self, name: str, typed: str, value: str) -> "SearchArguments":
        """Return the arguments with another value in place of the typed one, which may be one of several."""
        current = getattr(self, name) or ""
        parts = [part.strip() for part in current.split(",")] if name in _LISTS else [current]
        matching = [index for index, part in enumerate(parts) if typed.casefold() in part.casefold()]
        if not matching:
            return self.with_option(name, value)
        kept_sign = "-" if name == "tag" and parts[matching[0]].startswith("-") else ""
        parts[matching[0]] = f"{kept_sign}{value}"
        return self.with_option(name, ",".join(parts))


def parse_search(arguments: SearchArguments) -> ExperimentSearch:
    """Return what to search for.

    Raises:
        InvalidValueError: an option has a wrong value. `values["suggestions"]` are better ones.
    """
    arguments = _join_split_values(arguments)
    tags = _split("tag", arguments.tag)
    return ExperimentSearch(
        text=arguments.text,
        project=_require_text("project", arguments.project),
        owners=_split("owner", arguments.owner),
        statuses=tuple(map(_parse_status, _split("status", arguments.status))),
        tags=tuple(tag for tag in tags if not tag.startswith("-")),
        excluded_tags=tuple(tag[1:] for tag in tags if tag.startswith("-")),
        changed_within=None if arguments.since is None else _parse_span(arguments.since),
        metrics=tuple(map(_parse_metric, _split("metric", arguments.metric))),
        sort=_parse_sort(arguments.sort),
        mine=arguments.mine,
        include_hidden=arguments.all_,
    )


def _join_split_values(arguments: SearchArguments) -> SearchArguments:
    """Undo spaces within values: the rest of `status=failed, aborted` and `since=2 days` is in the text."""
    words = arguments.text.split(" ")
    unit = next((word for word in (words[0], words[-1]) if _SPAN_UNIT.fullmatch(word.casefold())), None)
    if unit and (arguments.since or "").isdecimal():
        words.remove(unit)
        arguments = replace(arguments, since=f"{arguments.since} {unit}", text=" ".join(words))
    for name in _LISTS:
        value = getattr(arguments, name)
        while value and arguments.text and _continues(name, value, arguments.text):
            word, _, rest = arguments.text.partition(" ")
            separator = "" if value.endswith((",", *_SIGNS)) or word.startswith(_SIGNS) else " "
            value = f"{value}{separator}{word}"
            arguments = replace(arguments.with_option(name, value), text=rest)
    return arguments


def _continues(name: str, value: str, text: str) -> bool:
    is_open_list = value.endswith(",")
    is_open_condition = name == "metric" and (value.endswith(_SIGNS) or text.startswith(_SIGNS))
    return is_open_list or is_open_condition


def _split(name: str, text: str | None) -> tuple[str, ...]:
    if text is None:
        return ()
    parts = tuple(part.strip() for part in text.split(",") if part.strip(" -"))
    return parts or (_require_text(name, ""),)


def _require_text(name: str, text: str | None) -> str:
    if text is not None and not text.strip():
        raise InvalidValueError(
            name=name, value=text, expected="a value", advice=f"Write it after {name}= with no spaces."
        )
    return (text or "").strip()


def _parse_status(text: str) -> Status:
    if status := Status.from_text(text.replace(" ", "_").replace("-", "_")):
        return status
    labels = [status.label for status in SHOWN_STATUSES]
    raise InvalidValueError(
        name="status",
        value=text,
        expected="a status",
        advice=f"Use {', '.join(labels[:-1])} or {labels[-1]}.",
        suggestions=[label.lower() for label in find_similar_names(text, labels)],
    )


def _parse_span(text: str) -> timedelta:
    match = _SPAN.fullmatch(text.strip().casefold())
    if match and int(match[1]):
        return int(match[1]) * _SPAN_UNITS[match[2][0]]
    number = text.strip()
    suggestions = [f"{number}h", f"{number}d"] if re.fullmatch(r"[1-9]\d{0,3}", number) else _SPAN_SUGGESTIONS
    raise InvalidValueError(
        name="since",
        value=text,
        expected="a span of time",
        advice="Write it like 90m, 12h, 2d or 1w.",
        suggestions=suggestions,
    )


def _parse_metric(text: str) -> MetricCondition:
    try:
        return parse_condition([text])[0]
    except InvalidValueError as error:
        name, separator, number = text.partition("=")
        suggestions = [f"{name}>={number}", f"{name}<={number}"] if separator and number else []
        raise InvalidValueError(
            name="metric",
            value=text,
            expected=error.values["expected"],
            advice=error.values["advice"],
            suggestions=suggestions,
        ) from error


def _parse_sort(text: str | None) -> SortOrder:
    if text is None:
        return SortOrder()
    typed = _require_text("sort", text)
    is_reversed = typed.startswith("-")
    name = _require_text("sort", typed.lstrip("+-"))
    folded = name.casefold()
    field = _SORT_ALIASES.get(folded) or next((item for item in SortField if item == folded), name)
    return SortOrder(field, reversed=is_reversed)
