"""Finding, showing, copying and naming experiments."""

from clearml_chatops.handlers.arguments import (
    ExperimentReference,
    FreeExperimentText,
    FreeText,
    LineCount,
    PlainWord,
    StatusName,
    WordFlag,
    Words,
)
from clearml_chatops.handlers.cards import build_card_with_intro, load_card
from clearml_chatops.handlers.command_line import Word
from clearml_chatops.handlers.context import Context
from clearml_chatops.handlers.draft_forms import build_clone_form
from clearml_chatops.handlers.formatting import build_changes_table, format_count, format_time_ago
from clearml_chatops.handlers.pages import Page, PageNumber, build_option
from clearml_chatops.handlers.registry import CommandFamily
from clearml_chatops.models.experiments import Experiment, Status
from clearml_chatops.models.people import Role
from clearml_chatops.models.replies import Button, Buttons, Code, Reply, Table, Text, Tone
from clearml_chatops.services.experiments.experiments import EXPERIMENTS_PER_PAGE

EXPERIMENTS = CommandFamily("Experiments")
_MAX_COUNT_DIGITS = 3
"""`/log 100` means lines: names and beginnings of ids are longer."""


@EXPERIMENTS.command(
    "find",
    role=Role.VIEWER,
    examples=("/find baseline", "/find status=failed mine", "/find resnet project=vision"),
)
async def find(
    context: Context,
    text: FreeExperimentText = "",
    *,
    project: PlainWord = "",
    status: StatusName | None = None,
    mine: WordFlag = False,
    page: PageNumber = 1,
) -> Reply:
    """Find experiments by name, id, project or status.

    The last changed come first.

    Args:
        text: A part of the name or the beginning of the id; nothing for all.
        project: Only in projects with this in their name.
        status: Only with this status: Draft, Pending, Running, Completed, Failed, Aborted or Published.
        mine: Only my own.
        page: Which ten of those that fit, counted from 1.
    """
    found, has_more = await context.services.experiments.find(
        text, project=project, status=status, mine=mine, page=page
    )
    words = _build_find_words(text, project=project, status=status, mine=mine)
    current_page = Page(page, EXPERIMENTS_PER_PAGE, len(found), has_more)
    if not found and page > 1:
        return Reply.of(f"There is no page {page}.", current_page.build_buttons(words))
    if not found:
        return Reply.of(f"No experiment fits “{text}”." if text else "No experiment fits.")
    return Reply.of(
        Table(
            ("id", "name", "status", "project", "owner", "changed"),
            tuple(_build_row(context, item) for item in found),
        ),
        None if current_page.is_only_page else Text(current_page.range_text, Tone.SUBTLE),
        Buttons(tuple(Button(item.name, f"/show {item.id}") for item in found)),
        current_page.build_buttons(words),
    )


@EXPERIMENTS.command("show", role=Role.VIEWER, examples=("/show", "/show 4f2a", "/show last"))
async def show(context: Context, experiment: ExperimentReference = "") -> Reply:
    """Show an experiment's card.

    Args:
        experiment: Id, beginning of an id, name, web link or "last"; nothing for the current one.
    """
    return await load_card(context, await context.services.experiments.get(experiment))


@EXPERIMENTS.command("use", role=Role.VIEWER, examples=("/use 4f2a", "/use baseline"))
async def use(context: Context, experiment: ExperimentReference) -> Reply:
    """Make an experiment the current one, which commands mean when they name none.

    Args:
        experiment: Id, beginning of an id, name, web link or "last".
    """
    return await load_card(context, await context.services.experiments.use(experiment))


@EXPERIMENTS.command(
    "clone",
    examples=("/clone", "/clone 4f2a baseline on two GPUs", "/clone baseline project=vision/tests"),
    max_form_words=0,
)
async def clone(
    context: Context, experiment: ExperimentReference = "", name: FreeText = "", *, project: PlainWord = ""
) -> Reply:
    """Copy an experiment into a new Draft, which becomes the current one.

    Args:
        experiment: What to copy: id, beginning of an id, name, web link or "last"; nothing for a form.
        name: The copy's name, at least 3 characters; nothing for "Clone of …".
        project: The copy's project; nothing for the same one.
    """
    if not experiment:
        return build_clone_form(experiment_id=context.message.context_experiment_id, name=name, project=project)
    draft = await context.services.experiments.clone(experiment, name=name, project=project)
    return build_card_with_intro(
        Text(f"Cloned as “{draft.name}”.", Tone.SUCCESS),
        Text("Change it with /set and /container, then /enqueue.", Tone.SUBTLE),
        card=await load_card(context, draft),
    )


@EXPERIMENTS.command("name", examples=("/name baseline on two GPUs", "/name better name id=4f2a"))
async def name(context: Context, name: FreeText, *, id: ExperimentReference = "") -> Reply:
    """Give an experiment another name.

    Args:
        name: The new name, at least 3 characters.
        id: Which experiment; nothing for the current one.
    """
    experiment = await context.services.experiments.rename(id, name)
    return Reply.of(Text(f"Now called “{experiment.name}”.", Tone.SUCCESS), experiment_id=experiment.id)


@EXPERIMENTS.command("tag", examples=("/tag best", "/tag paper -wip", "/tag best id=4f2a"))
async def tag(context: Context, tags: Words, *, id: ExperimentReference = "") -> Reply:
    """Add tags to an experiment, or remove them with a minus before.

    Args:
        tags: Tags to add; -tag removes one.
        id: Which experiment; nothing for the current one.
    """
    experiment = await context.services.experiments.tag(
        id,
        add=[word for word in tags if not word.startswith("-")],
        remove=[word[1:] for word in tags if word.startswith("-")],
    )
    tag_list = ", ".join(experiment.tags) or "no tags"
    return Reply.of(Text(f"“{experiment.name}” has {tag_list}.", Tone.SUCCESS), experiment_id=experiment.id)


@EXPERIMENTS.command("archive", examples=("/archive 4f2a",))
async def archive(context: Context, experiment: ExperimentReference = "") -> Reply:
    """Move an experiment to the archive, out of all lists.

    Args:
        experiment: Id, beginning of an id, name, web link or "last"; nothing for the current one.
    """
    archived = await context.services.experiments.archive(experiment)
    return Reply.of(Text(f"“{archived.name}” is archived.", Tone.SUCCESS), experiment_id=archived.id)


@EXPERIMENTS.command("diff", role=Role.VIEWER, examples=("/diff", "/diff baseline", "/diff 4f2a id=81c0"))
async def diff(context: Context, other: ExperimentReference = "", *, id: ExperimentReference = "") -> Reply:
    """Show what an experiment has otherwise than its parent, or than another one.

    Args:
        other: What to compare with; nothing for the parent.
        id: Which experiment; nothing for the current one.
    """
    other_experiment, experiment, changes = await context.services.experiments.diff(id, other)
    if not changes:
        return Reply.of(
            f"“{experiment.name}” is the same as “{other_experiment.name}”.", experiment_id=experiment.id
        )
    return Reply.of(
        Text(f"{format_count(len(changes), 'difference')} to “{other_experiment.name}”", Tone.HEADING),
        build_changes_table(changes, other_experiment.name, experiment.name),
        experiment_id=experiment.id,
    )


@EXPERIMENTS.command("log", role=Role.VIEWER, examples=("/log", "/log 100", "/log 4f2a 100"))
async def log(context: Context, experiment: ExperimentReference = "", lines: LineCount = 20) -> Reply:
    """Show the last lines of a run's console.

    Args:
        experiment: Id, beginning of an id, name, web link or "last"; nothing for the current one.
        lines: How many lines, 20 unless said otherwise.
    """
    if experiment.isdigit() and len(experiment) <= _MAX_COUNT_DIGITS:
        experiment, lines = "", int(experiment)
    found, log_lines = await context.services.experiments.read_log(experiment, lines)
    if not log_lines:
        is_not_started = found.status in {Status.DRAFT, Status.PENDING}
        reason = f"it is {found.status.label}" if is_not_started else "the run has written nothing"
        return Reply.of(f"“{found.name}” has no log: {reason}.", experiment_id=found.id)
    return Reply.of(
        Text(f"Log of “{found.name}”, last {format_count(len(log_lines), 'line')}", Tone.HEADING),
        Code("\n".join(line.text.rstrip("\n") for line in log_lines)),
        experiment_id=found.id,
    )


def _build_find_words(text: str, *, project: str, status: Status | None, mine: bool) -> list[Word]:
    """The words that find the same again."""
    words = [Word("/find")]
    if text:
        words.append(Word(text, quoted=True))
    if project:
        words.append(build_option("project", project))
    if status:
        words.append(Word(f"status={status.label}", "status"))
    return [*words, Word("mine")] if mine else words


def _build_row(context: Context, item: Experiment) -> tuple[str, ...]:
    changed = format_time_ago(item.status_changed, context.clock())
    return (item.short_id, item.name, item.status.label, item.project_name, item.user_name, changed)
