"""Commands that edit a Draft: parameters, container, script, undo."""

from clearml_chatops.handlers.arguments import (
    ExperimentReference,
    Flag,
    FreeText,
    ParameterValues,
    ParameterWords,
    SingleWord,
)
from clearml_chatops.handlers.assignments import has_section
from clearml_chatops.handlers.command_line import Word, join_words
from clearml_chatops.handlers.context import Context
from clearml_chatops.handlers.corrections import Pairs, build_line, offer_corrections, offer_edits
from clearml_chatops.handlers.draft_forms import build_container_form, build_parameters_form
from clearml_chatops.handlers.formatting import build_changes_table, format_count, shortened
from clearml_chatops.handlers.pages import Page, PageNumber, build_option
from clearml_chatops.handlers.registry import CommandFamily
from clearml_chatops.handlers.spaced_values import read_set_words, require_no_spaced_text
from clearml_chatops.models.errors import ChatOpsError, ExperimentNotFoundError, ParameterNameError
from clearml_chatops.models.experiments import Parameter
from clearml_chatops.models.people import Role
from clearml_chatops.models.replies import Button, Buttons, Fields, Reply, Table, Text, Tone
from clearml_chatops.services.experiments.drafts import EditedDraft
from clearml_chatops.services.experiments.parameter_names import list_candidates, require_parameters

DRAFTS = CommandFamily("Drafts")
_SET_USAGE = "/set [experiment] [section.name] [value] or /set [experiment] section.name=value … [--new]"
_PAGE_SIZE = 30


@DRAFTS.command(
    "set",
    usage=_SET_USAGE,
    examples=("/set", "/set args.gpus 1,2", "/set args.lr=0.05 args.epochs=2", "/set 4f2a args.note=''"),
    max_form_words=1,
)
async def set_(
    context: Context, parameter: ParameterWords = (), values: ParameterValues = (), *, new: Flag = False
) -> Reply:
    """Set parameters of a Draft. Without a value, you get a form with all of them.

    Write a parameter as args.lr, or Args/lr as in the web UI; case doesn't matter, and lr is enough if it's the
    only one. Write a list as 4,5 or [4, 5]. The value must fit the parameter's type. Type and description stay
    the same.

    Args:
        parameter: Parameter and value, with the experiment in front if it isn't the current one.
        values: Several at once, like args.lr=0.05 args.epochs=2.
        new: Create parameters that the experiment doesn't have yet.
    """
    if len(parameter) <= 1 and not values:
        return await _build_values_form(context, parameter[0] if parameter else "")

    def build_set_line(experiment_id: str, pairs: Pairs) -> str:
        return build_line([Word("/set"), Word(experiment_id), *([Word("--new")] if new else [])], pairs)

    experiment, assignments = await read_set_words(context, parameter, values, build_set_line, usage=_SET_USAGE)
    try:
        with offer_edits(assignments, build_set_line):
            edited = await context.services.drafts.set_parameters(experiment, assignments, allow_new=new)
    except ExperimentNotFoundError:
        await require_no_spaced_text(context, experiment, assignments, build_set_line, usage=_SET_USAGE)
        raise
    return _build_edited_reply(edited, "Nothing changed. These values are already set.")


@DRAFTS.command(
    "unset",
    usage="/unset [experiment] <section.name> …",
    examples=("/unset args.note", "/unset 4f2a args.note args.seed"),
)
async def unset(context: Context, parameters: ParameterWords) -> Reply:
    """Remove parameters from a Draft; the script's defaults apply again.

    Args:
        parameters: Names like args.lr, with the experiment in front if it isn't the current one.
    """
    experiment, names = _split_experiment(parameters)

    def build_unset_line(experiment_id: str, pairs: Pairs) -> str:
        return join_words(
            [Word("/unset"), Word(experiment_id), *(Word(name, quoted=" " in name) for name, _ in pairs)]
        )

    with offer_corrections([(name, "") for name in names], build_unset_line):
        edited = await context.services.drafts.unset_parameters(experiment, names)
    return _build_edited_reply(edited, "Nothing was removed.")


@DRAFTS.command("params", role=Role.VIEWER, examples=("/params", "/params lr", "/params id=4f2a"))
async def params(
    context: Context, filter: SingleWord = "", *, id: ExperimentReference = "", page: PageNumber = 1
) -> Reply:
    """Show an experiment's parameters.

    Args:
        filter: Only parameters with this in their name. Long values are then shown in full.
        id: Which experiment. Default: the current one.
        page: Page number, thirty parameters each.
    """
    experiment = await context.services.experiments.get(id)
    search_text = filter.casefold()
    parameters = sorted(experiment.parameters, key=lambda item: item.key)
    found = [item for item in parameters if search_text in str(item.key).casefold()]
    first = (page - 1) * _PAGE_SIZE
    page_items = found[first : first + _PAGE_SIZE]
    last = first + len(page_items)
    current_page = Page(page, _PAGE_SIZE, len(page_items), last < len(found), len(found))
    words = [Word("/params"), *([Word(filter, quoted=True)] if filter else []), build_option("id", experiment.id)]
    if found and not page_items:
        return Reply.of(f"There's no page {page}.", current_page.build_buttons(words), experiment_id=experiment.id)
    if not page_items:
        filter_text = f" with “{filter}” in their name" if filter else ""
        return Reply.of(f"“{experiment.name}” has no parameters{filter_text}.", experiment_id=experiment.id)
    rows = tuple(
        (str(item.key), item.value if filter else shortened(item.value), item.type_label, item.help_text)
        for item in page_items
    )
    return Reply.of(
        Text(f"Parameters of “{experiment.name}”", Tone.HEADING),
        Table(("name", "value", "type", "description"), rows),
        None if current_page.is_only_page else Text(current_page.range_text, Tone.SUBTLE),
        current_page.build_buttons(words),
        experiment_id=experiment.id,
    )


@DRAFTS.command(
    "container",
    role=Role.VIEWER,
    edit_role=Role.MEMBER,
    max_form_words=1,
    examples=(
        "/container",
        "/container image=nvcr.io/nvidia/pytorch:25.09-py3",
        "/container 4f2a image=''",
        '/container args="-v /data:/data -w /workspace --user 1000:1000"',
    ),
)
async def container(
    context: Context,
    experiment: ExperimentReference = "",
    *,
    image: SingleWord | None = None,
    args: FreeText | None = None,
    setup: FreeText | None = None,
) -> Reply:
    """Show or change an experiment's container. Options you leave out keep their value.

    Args:
        experiment: Which experiment. Default: the current one.
        image: Docker image; '' removes it.
        args: Arguments for docker run, in quotes; '' removes them.
        setup: Shell script that runs in the container before the experiment starts, in quotes; '' removes it.
    """
    if image is None and args is None and setup is None:
        found, may_change = await context.services.drafts.check_editable(experiment)
        if may_change:
            return build_container_form(found)
        return Reply.of(
            Text(f"Container of “{found.name}”", Tone.HEADING),
            Fields(
                (
                    ("image", found.container.image or "the worker's default"),
                    ("arguments", found.container.arguments or "none"),
                    ("setup script", found.container.setup_shell_script or "none"),
                )
            ),
            experiment_id=found.id,
        )
    edited = await context.services.drafts.change_container(experiment, image=image, arguments=args, setup=setup)
    return _build_edited_reply(edited, "Nothing changed. The container already has these settings.")


@DRAFTS.command(
    "script",
    role=Role.VIEWER,
    edit_role=Role.MEMBER,
    examples=("/script", "/script branch=main", "/script commit=1f0c2ab entry=train.py"),
)
async def script(
    context: Context,
    experiment: ExperimentReference = "",
    *,
    branch: SingleWord | None = None,
    commit: SingleWord | None = None,
    entry: SingleWord | None = None,
) -> Reply:
    """Show or change the code an experiment runs. A new branch runs at its newest commit.

    Args:
        experiment: Which experiment. Default: the current one.
        branch: Git branch.
        commit: Git commit.
        entry: Path of the script in the repository.
    """
    if branch is None and commit is None and entry is None:
        found = await context.services.experiments.get(experiment)
        return Reply.of(
            Text(f"Script of “{found.name}”", Tone.HEADING),
            Fields(
                (
                    ("repository", found.script.repository or "none (the code is stored in the experiment)"),
                    ("branch", found.script.branch or "default"),
                    ("commit", found.script.commit or "newest"),
                    ("entry point", found.script.entry_point or "none"),
                )
            ),
            experiment_id=found.id,
        )
    edited = await context.services.drafts.change_script(
        experiment, branch=branch, commit=commit, entry_point=entry
    )
    return _build_edited_reply(edited, "Nothing changed. The script already has these settings.")


@DRAFTS.command("undo", examples=("/undo", "/undo 4f2a"))
async def undo(context: Context, experiment: ExperimentReference = "") -> Reply:
    """Undo the last edit that the bot made to a Draft.

    Args:
        experiment: Which experiment. Default: the current one.
    """
    edited = await context.services.drafts.undo(experiment)
    return _build_edited_reply(edited, "There was nothing to undo.")


async def _build_values_form(context: Context, word: str) -> Reply:
    """Return a form with the parameters of the current experiment that a name matches, or all of the named one."""
    names_experiment = "://" in word or not has_section(word)
    if word and "://" not in word and (named := await _list_current_candidates(context, word)):
        draft, parent = await context.services.drafts.require_editable("")
        return build_parameters_form(draft, parent, named)
    draft, parent = await context.services.drafts.require_editable(word if names_experiment else "")
    if names_experiment:
        return build_parameters_form(draft, parent)
    try:
        return build_parameters_form(draft, parent, require_parameters(draft, [word]))
    except ParameterNameError as error:
        error.buttons = (Button("Edit parameters", f"/set {draft.id}"),)
        raise


async def _list_current_candidates(context: Context, name: str) -> list[Parameter]:
    """Return the parameters of the current experiment that a name matches; none if no experiment is current."""
    try:
        current = await context.services.experiments.get("")
    except ChatOpsError:
        return []
    return list_candidates(current.parameters, name)


def _build_edited_reply(edited: EditedDraft, unchanged: str) -> Reply:
    draft = edited.experiment
    buttons = Buttons((Button("Enqueue", f"/enqueue {draft.id}"), Button("Undo", f"/undo {draft.id}")))
    if not edited.changes:
        return Reply.of(unchanged, experiment_id=draft.id)
    parent_changes = edited.changes_from_parent
    return Reply.of(
        Text(f"Changed “{draft.name}”.", Tone.SUCCESS),
        build_changes_table(edited.changes, "before", "now"),
        None
        if not parent_changes
        else Text(f"{format_count(len(parent_changes), 'difference')} from the parent. See /diff.", Tone.SUBTLE),
        buttons,
        experiment_id=draft.id,
    )


def _split_experiment(words: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    """Return the experiment, empty if the first word is a parameter, and the other words."""
    if len(words) > 1 and not has_section(words[0]):
        return words[0], words[1:]
    return "", words
