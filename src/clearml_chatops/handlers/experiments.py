"""Commands that find, show, clone, name, archive and compare experiments, and read their logs."""

from clearml_chatops.handlers.arguments import (
    ExperimentReference,
    Flag,
    FreeExperimentText,
    FreeText,
    LineCount,
    SingleWord,
    StatusTexts,
    Texts,
    WordFlag,
    Words,
)
from clearml_chatops.handlers.assignments import has_section
from clearml_chatops.handlers.cards import build_card_with_intro, load_card
from clearml_chatops.handlers.command_line import Word, join_words
from clearml_chatops.handlers.context import Context
from clearml_chatops.handlers.draft_forms import build_clone_form
from clearml_chatops.handlers.experiment_lists import ConfirmationToken, ExperimentReferences, SearchText
from clearml_chatops.handlers.formatting import build_changes_table, format_count
from clearml_chatops.handlers.pages import PageNumber
from clearml_chatops.handlers.registry import CommandFamily
from clearml_chatops.handlers.search_arguments import SearchArguments
from clearml_chatops.handlers.searches import build_search_reply
from clearml_chatops.handlers.several_experiments import choose_experiments
from clearml_chatops.handlers.several_runs import archive_several, tag_several
from clearml_chatops.handlers.spaced_values import find_first_pair
from clearml_chatops.handlers.tag_words import require_only_tags, split_tags
from clearml_chatops.models.errors import ParameterInNameError
from clearml_chatops.models.experiments import Status
from clearml_chatops.models.people import Role
from clearml_chatops.models.replies import Button, Code, Reply, Text, Tone
from clearml_chatops.services.experiments.experiment_lookup import LAST_REFERENCE

EXPERIMENTS = CommandFamily("Experiments")
_MAX_COUNT_DIGITS = 3
"""A number this short is a line count, as in `/log 100`; names and starts of ids are longer."""


@EXPERIMENTS.command(
    "find",
    role=Role.VIEWER,
    examples=(
        "/find baseline",
        "/find status=failed,aborted since=2d mine",
        "/find resnet project=vision owner=alice tag=best",
        "/find metric=val/acc>0.8 sort=val/acc",
    ),
)
async def find(  # noqa: PLR0913  # each option of a search
    context: Context,
    text: FreeExperimentText = "",
    *,
    project: SingleWord | None = None,
    status: StatusTexts | None = None,
    owner: Texts | None = None,
    tag: Texts | None = None,
    since: SingleWord | None = None,
    metric: Texts | None = None,
    sort: SingleWord | None = None,
    mine: WordFlag = False,
    all_: Flag = False,
    page: PageNumber = 1,
) -> Reply:
    """Find experiments by name, id, project, status, owner, tag or metric.

    The most recently changed come first. Archived experiments are left out, and so is what ClearML's web UI
    hides: datasets, steps of pipelines and hidden projects.

    Args:
        text: Part of the name, or the start of the id. Default: all experiments.
        project: Only projects with this in their name.
        status: Only these statuses, separated by commas: Draft, Pending, Running, Completed, Failed, Aborted or
            Published.
        owner: Only experiments of these people, by any part of their name.
        tag: Only with all of these tags, separated by commas; -tag for those without it.
        since: Only what changed its status within this time, like 12h, 2d or 1w.
        metric: Only if the last reported value meets this, like val/acc>0.8. Several are separated by commas.
        sort: changed, created, started, finished, name, iterations or a metric. Newest and highest come first;
            a minus in front turns that around.
        mine: Only your own.
        all: Include what ClearML's web UI hides.
        page: Page number, ten experiments each.
    """
    arguments = SearchArguments(text, project, status, owner, tag, since, metric, sort, mine, all_)
    return await build_search_reply(context, arguments, page)


@EXPERIMENTS.command("show", role=Role.VIEWER, examples=("/show", "/show 4f2a", "/show last"))
async def show(context: Context, experiment: ExperimentReference = "") -> Reply:
    """Show an experiment: status, metrics, settings and what you can do next.

    Args:
        experiment: Id, start of an id, name, web link or "last". Default: the current one.
    """
    return await load_card(context, await context.services.experiments.get(experiment))


@EXPERIMENTS.command("use", role=Role.VIEWER, examples=("/use 4f2a", "/use baseline"))
async def use(context: Context, experiment: ExperimentReference) -> Reply:
    """Make an experiment the current one: commands use it when you don't name another.

    Args:
        experiment: Id, start of an id, name, web link or "last".
    """
    return await load_card(context, await context.services.experiments.use(experiment))


@EXPERIMENTS.command(
    "clone",
    examples=("/clone", "/clone 4f2a baseline on two GPUs", "/clone baseline project=vision/tests"),
    max_form_words=0,
)
async def clone(
    context: Context, experiment: ExperimentReference = "", name: FreeText = "", *, project: SingleWord = ""
) -> Reply:
    """Clone an experiment into a new Draft, which becomes the current one.

    Args:
        experiment: What to clone: id, start of an id, name, web link or "last". Leave it out to get a form.
        name: Name of the clone, at least 3 characters. Default: "Clone of …".
        project: Project of the clone. Default: the same project.
    """
    if not experiment:
        return build_clone_form(experiment_id=context.message.context_experiment_id, name=name, project=project)
    if any(map(has_section, name.split())):
        await _require_no_parameter(context, experiment, name)
    draft = await context.services.experiments.clone(experiment, name=name, project=project)
    return build_card_with_intro(
        Text(f"Cloned as “{draft.name}”.", Tone.SUCCESS),
        Text("Change it with /set or /container, then run it with /enqueue.", Tone.SUBTLE),
        card=await load_card(context, draft),
    )


async def _require_no_parameter(context: Context, reference: str, name: str) -> None:
    """Raise ParameterInNameError for `/clone x args.lr 0.3`, with a button for each command that may be meant."""
    source = await context.services.experiments.get(reference)
    words = name.split()
    start = find_first_pair(source, words)
    if start == len(words):
        return
    name_words = [Word(" ".join(words[:start]), quoted=True)] if start else []
    rerun = join_words([Word("/rerun"), Word(source.id), *name_words, *map(Word, words[start:])])
    raise ParameterInNameError(
        name=words[start],
        value=" ".join(words[start + 1 :]),
        buttons=[Button("Rerun with this value", rerun), Button("Clone only", f"/clone {source.id}")],
    )


@EXPERIMENTS.command("name", examples=("/name baseline on two GPUs", "/name better name id=4f2a"))
async def name(context: Context, name: FreeText, *, id: ExperimentReference = "") -> Reply:
    """Rename an experiment.

    Args:
        name: New name, at least 3 characters.
        id: Which experiment. Default: the current one.
    """
    experiment = await context.services.experiments.rename(id, name)
    return Reply.of(Text(f"Renamed to “{experiment.name}”.", Tone.SUCCESS), experiment_id=experiment.id)


@EXPERIMENTS.command("tag", examples=("/tag best", "/tag paper -wip", "/tag best id=4f2a,81c0"))
async def tag(
    context: Context,
    tags: Words,
    *,
    id: ExperimentReference = "",
    find: SearchText | None = None,
    confirm: ConfirmationToken | None = None,
) -> Reply:
    """Add tags to an experiment, or remove them with a minus in front.

    Args:
        tags: Tags to add; -tag removes one.
        id: Which experiment. Default: the current one. Several are separated by commas, or "last 3" in quotes.
        find: Everything that /find finds with these words, like --find "status=failed mine".
    """
    references = (id,) if id else ()
    if id.casefold() == LAST_REFERENCE and len(tags) > 1 and tags[-1].isdigit():
        # `id=last 3` without quotes
        references, tags = (f"{LAST_REFERENCE} {tags[-1]}",), tags[:-1]
    tags = split_tags(tags)
    if not references and find is None and confirm is None:
        await require_only_tags(context, tags)
    chosen = await choose_experiments(context, references, search=find, token=confirm)
    if chosen.is_several:
        return await tag_several(context, chosen, tags=tags)
    experiment = await context.services.experiments.tag(
        chosen.reference,
        add=[word for word in tags if not word.startswith("-")],
        remove=[word[1:] for word in tags if word.startswith("-")],
    )
    tag_list = ", ".join(experiment.tags) or "none"
    return Reply.of(Text(f"Tags of “{experiment.name}”: {tag_list}.", Tone.SUCCESS), experiment_id=experiment.id)


@EXPERIMENTS.command("archive", examples=("/archive 4f2a", "/archive --find 'status=failed tag=wip mine'"))
async def archive(
    context: Context,
    experiment: ExperimentReferences = (),
    *,
    find: SearchText | None = None,
    confirm: ConfirmationToken | None = None,
) -> Reply:
    """Archive an experiment: it no longer shows up in lists.

    Args:
        experiment: Id, start of an id, name, web link or "last". Default: the current one. Several: ids or quoted
            names, names separated by commas, or "last 3".
        find: Everything that /find finds with these words, like --find "status=failed mine".
    """
    chosen = await choose_experiments(context, experiment, search=find, token=confirm)
    if chosen.is_several:
        return await archive_several(context, chosen)
    archived = await context.services.experiments.archive(chosen.reference)
    return Reply.of(Text(f"Archived “{archived.name}”.", Tone.SUCCESS), experiment_id=archived.id)


@EXPERIMENTS.command("diff", role=Role.VIEWER, examples=("/diff", "/diff baseline", "/diff 4f2a id=81c0"))
async def diff(context: Context, other: ExperimentReference = "", *, id: ExperimentReference = "") -> Reply:
    """Show how an experiment differs from its parent or from another one.

    Args:
        other: What to compare with. Default: the parent.
        id: Which experiment. Default: the current one.
    """
    other_experiment, experiment, changes = await context.services.experiments.diff(id, other)
    if not changes:
        return Reply.of(
            f"“{experiment.name}” and “{other_experiment.name}” don't differ.", experiment_id=experiment.id
        )
    return Reply.of(
        Text(f"{format_count(len(changes), 'difference')} from “{other_experiment.name}”", Tone.HEADING),
        build_changes_table(changes, other_experiment.name, experiment.name),
        experiment_id=experiment.id,
    )


@EXPERIMENTS.command("log", role=Role.VIEWER, examples=("/log", "/log 100", "/log 4f2a 100"))
async def log(context: Context, experiment: ExperimentReference = "", lines: LineCount = 20) -> Reply:
    """Show the last lines of an experiment's console log.

    Args:
        experiment: Id, start of an id, name, web link or "last". Default: the current one.
        lines: Number of lines. Default: 20.
    """
    if experiment.isdigit() and len(experiment) <= _MAX_COUNT_DIGITS:
        experiment, lines = "", int(experiment)
    found, log_lines = await context.services.experiments.read_log(experiment, lines)
    if not log_lines:
        is_not_started = found.status in {Status.DRAFT, Status.PENDING}
        text = (
            f"no log yet. Its status is {found.status.label}." if is_not_started else "no log. It printed nothing."
        )
        return Reply.of(f"“{found.name}” has {text}", experiment_id=found.id)
    return Reply.of(
        Text(f"Log of “{found.name}”, last {format_count(len(log_lines), 'line')}", Tone.HEADING),
        Code("\n".join(line.text.rstrip("\n") for line in log_lines)),
        experiment_id=found.id,
    )
