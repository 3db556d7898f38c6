"""The reply to a search: a page of what was found, or what to change about the search."""

from dataclasses import replace

from clearml_chatops.handlers.command_line import Word, join_words
from clearml_chatops.handlers.context import Context
from clearml_chatops.handlers.formatting import NO_VALUE, format_time_ago
from clearml_chatops.handlers.pages import Page
from clearml_chatops.handlers.search_arguments import SearchArguments, parse_search
from clearml_chatops.models.errors import InvalidValueError, ProjectNotFoundError
from clearml_chatops.models.experiments import SHOWN_STATUSES, Experiment, Status
from clearml_chatops.models.replies import Button, Buttons, Reply, Table, Text, Tone
from clearml_chatops.services.clearml_gateway.experiment_filters import MetricKey
from clearml_chatops.services.experiments.search import EXPERIMENTS_PER_PAGE
from clearml_chatops.services.experiments.search_order import get_metric_value

_COLUMNS = ("id", "name", "status", "project", "owner", "changed")
_WORDS_FOR_MINE = frozenset({"my", "mine"})
_STATUS_FILLERS = _WORDS_FOR_MINE | {"status", "run", "runs", "experiment", "experiments", "and", "or", "all"}


async def build_search_reply(context: Context, arguments: SearchArguments, page: int) -> Reply:
    """Search, and return a page of what was found.

    Raises:
        InvalidValueError, ProjectNotFoundError: with a button for each value that would do.
    """
    words = [Word("/find"), *arguments.to_words()]
    try:
        found = await context.services.search.find_page(parse_search(arguments), page)
    except (InvalidValueError, ProjectNotFoundError) as error:
        raise type(error)(**error.values, buttons=_build_corrections(arguments, error)) from error
    items = found.experiments
    current_page = Page(page, EXPERIMENTS_PER_PAGE, len(items), found.has_more)
    if not items:
        return _build_empty_reply(arguments, current_page, words, only_hidden_match=found.only_hidden_match)
    return Reply.of(
        Table(
            (*_COLUMNS, *(metric.name for metric in found.metrics)),
            tuple(_build_row(context, item, found.metrics) for item in items),
        ),
        None if current_page.is_only_page else Text(current_page.range_text, Tone.SUBTLE),
        Buttons(tuple(Button(item.name, f"/show {item.id}") for item in items)),
        current_page.build_buttons(words),
    )


def _build_corrections(
    arguments: SearchArguments, error: InvalidValueError | ProjectNotFoundError
) -> list[Button]:
    """Return a button for each better value of the option that is wrong, and one that leaves it out."""
    option = str(error.values["name"]) if isinstance(error, InvalidValueError) else "project"
    typed = str(error.values["value" if isinstance(error, InvalidValueError) else "name"])
    suggestions = error.values.get("suggestions")
    corrected = [
        (f"{option}={value}", arguments.replace_value(option, typed, value))
        for value in (suggestions if isinstance(suggestions, list | tuple) else ())
    ]
    without = (f"Search without {option}=", arguments.with_option(option, None))
    return [
        Button(label, join_words([Word("/find"), *changed.to_words()])) for label, changed in (*corrected, without)
    ]


def _build_empty_reply(
    arguments: SearchArguments, page: Page, words: list[Word], *, only_hidden_match: bool
) -> Reply:
    if page.number > 1:
        return Reply.of(f"There's no page {page.number}.", page.build_buttons(words))
    text_part = f" “{arguments.text}”" if arguments.text else ""
    if not only_hidden_match:
        text = f"No experiments match{text_part}. Try fewer words or filters."
        return Reply.of(text, _build_status_button(arguments))
    return Reply.of(
        f"No experiments match{text_part}, except some that ClearML's web UI hides.",
        Buttons((Button("Show hidden ones too", join_words([*words, Word("--all")])),)),
    )


def _build_status_button(arguments: SearchArguments) -> Buttons | None:
    """Offer to search for a status that was typed as text: `/find failed`, `/find my failed runs`."""
    words = [word.strip(",:") for word in arguments.text.split()]
    statuses = {word: found for word in words if (found := Status.from_text(word)) in SHOWN_STATUSES}
    if not statuses or arguments.status is not None:
        return None
    status = ",".join(dict.fromkeys(item.label.lower() for item in statuses.values() if item))
    mine = arguments.mine or any(word.casefold() in _WORDS_FOR_MINE for word in words)
    text = " ".join(word for word in words if word not in statuses and word.casefold() not in _STATUS_FILLERS)
    changed = replace(arguments, text=text, status=status, mine=mine)
    label = f"{text} status={status}{' mine' if mine else ''}".strip()
    return Buttons((Button(label, join_words([Word("/find"), *changed.to_words()])),))


def _build_row(context: Context, item: Experiment, metrics: tuple[MetricKey, ...]) -> tuple[str, ...]:
    changed = format_time_ago(item.status_changed, context.clock())
    values = (get_metric_value(item, metric) for metric in metrics)
    return (
        item.short_id,
        item.name,
        item.status.label,
        item.project_name,
        item.user_name,
        changed,
        *(NO_VALUE if value is None else f"{value:.6g}" for value in values),
    )
