"""Commands for several experiments: show them, ask once, and say of each what happened."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from clearml_chatops.handlers.binding import bind
from clearml_chatops.handlers.command_line import Word, join_words, split_words
from clearml_chatops.handlers.context import Context
from clearml_chatops.handlers.formatting import format_count, format_time_ago
from clearml_chatops.handlers.search_arguments import SearchArguments, parse_search
from clearml_chatops.models.errors import (
    AmbiguousExperimentError,
    ExperimentNotFoundError,
    InvalidValueError,
    ProjectNotFoundError,
    UsageError,
)
from clearml_chatops.models.experiments import SHORT_ID_LENGTH, Experiment
from clearml_chatops.models.replies import Button, Buttons, Choice, Outcome, Reply, Table, Text, Tone
from clearml_chatops.models.selections import SelectedExperiment, SelectionResult
from clearml_chatops.services.experiments.bulk import BulkAction
from clearml_chatops.services.experiments.selections import Chosen

_WORDS_FOR_ALL = frozenset({"all", "everything", "*"})
_USAGE = '--find "status=failed mine" or [experiment…]'


@dataclass(frozen=True, slots=True)
class SeveralCommand:
    """A command for several experiments.

    `words` are its line without the experiments. `verb` and `participle` name what it does: "Enqueue",
    "Enqueued". `details` follow the number of experiments: " in alice_queue". `warning` is part of the question.
    """

    words: tuple[Word, ...]
    verb: str
    participle: str
    action: BulkAction
    details: str = ""
    warning: str = ""


async def choose_experiments(
    context: Context, references: Sequence[str], *, search: str | None, token: str | None
) -> Chosen:
    """Return what the references, the words of a search, or the token of a confirmation mean.

    Raises:
        UsageError: experiments and a search are given.
    """
    if token is not None:
        return Chosen(token=token)
    if search is None:
        await _require_no_word_for_all(context, references)
        return await context.services.selections.choose(references)
    if references:
        raise UsageError(reason="Name experiments or use --find, not both.", usage=_USAGE)
    command = context.registry.get("find")
    assert command
    arguments = bind(command, split_words(search))
    arguments.pop("page", None)
    try:
        return await context.services.selections.search(parse_search(SearchArguments(**arguments)))  # type: ignore[arg-type]  # as declared by /find
    except (InvalidValueError, ProjectNotFoundError) as error:
        button = Button("Try the search", f"/find {search}")
        raise type(error)(**error.values, buttons=[button]) from error


async def _require_no_word_for_all(context: Context, references: Sequence[str]) -> None:
    """Refuse `/abort all`, which would mean whatever one experiment has “all” in its name.

    Raises:
        UsageError: no experiment has exactly this name.
    """
    if len(references) != 1 or references[0].casefold() not in _WORDS_FOR_ALL:
        return
    with suppress(ExperimentNotFoundError, AmbiguousExperimentError):
        if (await context.services.experiments.get(references[0])).name.casefold() == references[0].casefold():
            return
    raise UsageError(
        reason=f"“{references[0]}” isn't one experiment. Choose which ones with --find.",
        usage=_USAGE,
        buttons=[Button("Find my experiments", "/find mine")],
    )


async def answer_for_several(context: Context, chosen: Chosen, command: SeveralCommand) -> Reply:
    """Ask for a confirmation, or carry out what was confirmed."""
    if chosen.token is not None:
        return await _do_with_several(context, chosen.token, command)
    return await _ask_for_several(context, chosen.several or (), command)


def build_no_match_reply() -> Reply:
    return Reply.of("No experiments match, so there's nothing to do. Try the search with /find.")


def build_selection_words(chosen: Chosen) -> tuple[Word, ...]:
    """Return the words of a command line that mean exactly these experiments."""
    if chosen.token is not None:
        return (_build_confirmation(chosen.token),)
    return tuple(Word(item.id) for item in chosen.several or ())


def _build_confirmation(token: str) -> Word:
    return Word(f"confirm={token}", "confirm")


async def _ask_for_several(context: Context, experiments: Sequence[Experiment], command: SeveralCommand) -> Reply:
    """Show the experiments, and ask once. The button carries exactly those that are shown."""
    if not experiments:
        return build_no_match_reply()
    token = await context.services.selections.store(map(SelectedExperiment.of, experiments))
    shown = await context.services.selections.name_owners(experiments)
    count = format_count(len(experiments), "experiment")
    question = f"{command.verb} {count}{command.details}?{command.warning}"
    line = join_words([*command.words, _build_confirmation(token)])
    return Reply(
        (
            Table(
                ("id", "name", "status", "owner", "changed"), tuple(_build_row(context, item) for item in shown)
            ),
            Choice(question, (Button(f"{command.verb} {len(experiments)}", line),)),
        ),
        Outcome.ASKED,
    )


async def _do_with_several(context: Context, token: str, command: SeveralCommand) -> Reply:
    """Do it with the experiments that were shown, and say of each what happened.

    Raises:
        SelectionExpiredError, SelectionInProgressError.
    """
    selections = context.services.selections
    selected = await selections.load(token)
    with selections.claim(token):
        results = await context.services.bulk_runner.run(selected, command.action)
    done = [result.experiment.id for result in results if result.is_done]
    if done:
        await context.services.cards.mark_due(done)
    repeatable = [result.experiment for result in results if result.can_repeat]
    return Reply.of(
        _build_summary(results, command),
        Table(("id", "name", "result"), tuple(_build_result_row(item) for item in _sort_by_success(results))),
        await _build_repeat_button(context, repeatable, command) if repeatable else None,
    )


async def _build_repeat_button(
    context: Context, repeatable: Sequence[SelectedExperiment], command: SeveralCommand
) -> Buttons:
    token = await context.services.selections.store(repeatable)
    line = join_words([*command.words, _build_confirmation(token)])
    return Buttons((Button(f"Try {len(repeatable)} again", line),))


def _build_summary(results: Sequence[SelectionResult], command: SeveralCommand) -> Text:
    done = sum(result.is_done for result in results)
    if done == len(results):
        count = format_count(done, "experiment")
        return Text(f"{command.participle} {count}{command.details}.", Tone.SUCCESS)
    text = f"{command.participle} {done} of {len(results)} experiments{command.details}."
    return Text(text, Tone.WARNING if done else Tone.FAILURE)


def _sort_by_success(results: Sequence[SelectionResult]) -> list[SelectionResult]:
    """Return what was not done first, because that needs a next step."""
    return sorted(results, key=lambda result: result.is_done)


def _build_row(context: Context, item: Experiment) -> tuple[str, ...]:
    changed = format_time_ago(item.status_changed, context.clock())
    return (item.short_id, item.name, item.status.label, item.user_name, changed)


def _build_result_row(result: SelectionResult) -> tuple[str, ...]:
    return (result.experiment.id[:SHORT_ID_LENGTH], result.experiment.name, result.text)
