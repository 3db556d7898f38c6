"""Editing a Draft: parameters, container, script, undo."""

from clearml_chatops.handlers.arguments import (
    ExperimentReference,
    Flag,
    FreeText,
    ParameterValues,
    ParameterWords,
    PlainWord,
)
from clearml_chatops.handlers.context import Context
from clearml_chatops.handlers.draft_forms import container_form, parameters_form
from clearml_chatops.handlers.lines import Word
from clearml_chatops.handlers.pages import Page, PageNumber, option
from clearml_chatops.handlers.registry import CommandFamily
from clearml_chatops.handlers.wording import changes_table, count, shortened
from clearml_chatops.models.errors import UsageError
from clearml_chatops.models.people import Role
from clearml_chatops.models.replies import Button, Buttons, Fields, Reply, Table, Text, Tone
from clearml_chatops.services.experiments.drafts import EditedDraft
from clearml_chatops.services.experiments.parameters import named_parameters

DRAFTS = CommandFamily("Drafts")
_SET_USAGE = "/set [experiment] [section.name] [value] or /set [experiment] section.name=value … [--new]"
_NAME_AND_VALUE = 2
_PARAMETERS_ON_A_PAGE = 30


@DRAFTS.command(
    "set",
    usage=_SET_USAGE,
    examples=("/set", "/set args.gpus 1,2", "/set args.lr=0.05 args.epochs=2", "/set 4f2a args.note=''"),
    form_words=1,
)
async def set_(
    context: Context, parameter: ParameterWords = (), values: ParameterValues = (), *, new: Flag = False
) -> Reply:
    """Set parameters of a Draft; without a value, a form with those there are.

    A parameter is written args.lr, or Args/lr as in the web UI; capital and small letters are the same.
    Its type and description are kept and the value is checked against the type.

    Args:
        parameter: A parameter and its value; before them the experiment, if not the current one.
        values: Several at once, as args.lr=0.05 args.epochs=2.
        new: Create parameters that the experiment does not have.
    """
    if len(parameter) <= 1 and not values:
        return await _asked_for_values(context, parameter[0] if parameter else "")
    experiment, assignments = _assignments(parameter, values)
    edited = await context.services.drafts.set_parameters(experiment, assignments, allow_new=new)
    return _edited_reply(edited, "These values were set already.")


@DRAFTS.command(
    "unset",
    usage="/unset [experiment] <section.name> …",
    examples=("/unset args.note", "/unset 4f2a args.note args.seed"),
)
async def unset(context: Context, parameters: ParameterWords) -> Reply:
    """Remove parameters from a Draft, so that the script's own defaults hold.

    Args:
        parameters: Names like args.lr; before them the experiment, if not the current one.
    """
    experiment, names = _experiment_first(parameters)
    edited = await context.services.drafts.unset_parameters(experiment, names)
    return _edited_reply(edited, "Nothing was removed.")


@DRAFTS.command("params", role=Role.VIEWER, examples=("/params", "/params lr", "/params id=4f2a"))
async def params(
    context: Context, filter: PlainWord = "", *, id: ExperimentReference = "", page: PageNumber = 1
) -> Reply:
    """Show the parameters of an experiment.

    Args:
        filter: Only those with this in their name; long values are then shown whole.
        id: Which experiment; nothing for the current one.
        page: Which thirty of them, counted from 1.
    """
    experiment = await context.services.experiments.show(id)
    wanted = filter.casefold()
    parameters = sorted(experiment.parameters, key=lambda item: item.key)
    found = [item for item in parameters if wanted in str(item.key).casefold()]
    first = (page - 1) * _PARAMETERS_ON_A_PAGE
    shown = found[first : first + _PARAMETERS_ON_A_PAGE]
    last = first + len(shown)
    part = Page(page, _PARAMETERS_ON_A_PAGE, len(shown), last < len(found), len(found))
    words = [Word("/params"), *([Word(filter, quoted=True)] if filter else []), option("id", experiment.id)]
    if found and not shown:
        return Reply.of(f"There is no page {page}.", part.buttons(words), about=experiment.id)
    if not shown:
        so_called = f" with “{filter}” in its name" if filter else ""
        return Reply.of(f"“{experiment.name}” has no parameter{so_called}.", about=experiment.id)
    rows = tuple(
        (str(item.key), item.value if filter else shortened(item.value), item.type or "", item.description or "")
        for item in shown
    )
    return Reply.of(
        Text(f"Parameters of “{experiment.name}”", Tone.HEADING),
        Table(("name", "value", "type", "description"), rows),
        None if part.is_all else Text(part.range, Tone.QUIET),
        part.buttons(words),
        about=experiment.id,
    )


@DRAFTS.command(
    "container",
    role=Role.VIEWER,
    changing_role=Role.MEMBER,
    form_words=1,
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
    image: PlainWord | None = None,
    args: FreeText | None = None,
    setup: FreeText | None = None,
) -> Reply:
    """Show or change the container of an experiment; what is not named stays as it is.

    Args:
        experiment: Which experiment; nothing for the current one.
        image: The docker image; '' takes it away, as it does the others.
        args: The arguments of docker run, in quotes.
        setup: The shell script run in the container before the start, in quotes.
    """
    if image is None and args is None and setup is None:
        shown, may_change = await context.services.drafts.look(experiment)
        if may_change:
            return container_form(shown)
        return Reply.of(
            Text(f"Container of “{shown.name}”", Tone.HEADING),
            Fields(
                (
                    ("image", shown.container.image or "the worker's own"),
                    ("arguments", shown.container.arguments or "none"),
                    ("setup", shown.container.setup_shell_script or "none"),
                )
            ),
            about=shown.id,
        )
    edited = await context.services.drafts.change_container(experiment, image=image, arguments=args, setup=setup)
    return _edited_reply(edited, "The container is like that already.")


@DRAFTS.command(
    "script",
    role=Role.VIEWER,
    changing_role=Role.MEMBER,
    examples=("/script", "/script branch=main", "/script commit=1f0c2ab entry=train.py"),
)
async def script(
    context: Context,
    experiment: ExperimentReference = "",
    *,
    branch: PlainWord | None = None,
    commit: PlainWord | None = None,
    entry: PlainWord | None = None,
) -> Reply:
    """Show or change which code an experiment runs; a new branch means its newest commit.

    Args:
        experiment: Which experiment; nothing for the current one.
        branch: The git branch.
        commit: The git commit.
        entry: The script's path in the repository.
    """
    if branch is None and commit is None and entry is None:
        shown = await context.services.experiments.show(experiment)
        return Reply.of(
            Text(f"Script of “{shown.name}”", Tone.HEADING),
            Fields(
                (
                    ("repository", shown.script.repository or "none: the code is in the experiment"),
                    ("branch", shown.script.branch or "the default one"),
                    ("commit", shown.script.commit or "the newest"),
                    ("entry", shown.script.entry_point or "none"),
                )
            ),
            about=shown.id,
        )
    edited = await context.services.drafts.change_script(
        experiment, branch=branch, commit=commit, entry_point=entry
    )
    return _edited_reply(edited, "The script is like that already.")


@DRAFTS.command("undo", examples=("/undo", "/undo 4f2a"))
async def undo(context: Context, experiment: ExperimentReference = "") -> Reply:
    """Take back the last edit that was made to a Draft here.

    Args:
        experiment: Which experiment; nothing for the current one.
    """
    edited = await context.services.drafts.undo(experiment)
    return _edited_reply(edited, "There was nothing to take back.")


async def _asked_for_values(context: Context, word: str) -> Reply:
    """A form with one parameter of the current experiment, or with all of the experiment that is named."""
    named = _is_parameter(word) and "://" not in word
    draft, parent = await context.services.drafts.editable("" if named else word)
    return parameters_form(draft, parent, named_parameters(draft, [word]) if named else None)


def _edited_reply(edited: EditedDraft, unchanged: str) -> Reply:
    draft = edited.experiment
    buttons = Buttons((Button("Enqueue", f"/enqueue {draft.id}"), Button("Undo", f"/undo {draft.id}")))
    if not edited.changes:
        return Reply.of(unchanged, about=draft.id)
    against = edited.against_parent
    return Reply.of(
        Text(f"Changed “{draft.name}”", Tone.SUCCESS),
        changes_table(edited.changes, "before", "now"),
        None if not against else Text(f"{count(len(against), 'difference')} to the parent (/diff).", Tone.QUIET),
        buttons,
        about=draft.id,
    )


def _assignments(
    words: tuple[str, ...], values: tuple[tuple[str, str], ...]
) -> tuple[str, tuple[tuple[str, str], ...]]:
    """The experiment and the pairs that `/set` was given in one of its two forms."""
    named = words[0] if words else ""
    if values:
        if len(words) <= 1:
            return named, values
        raise UsageError(reason="/set takes either a name and a value or name=value pairs.", usage=_SET_USAGE)
    if len(words) == _NAME_AND_VALUE:
        return "", ((words[0], words[1]),)
    if len(words) == _NAME_AND_VALUE + 1 and _is_parameter(words[1]):
        return words[0], ((words[1], words[2]),)
    raise UsageError(
        reason="Several at once are written args.lr=0.05 args.epochs=3, and a value with spaces needs quotes.",
        usage=_SET_USAGE,
    )


def _experiment_first(words: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    """An experiment, if the first word is none of a parameter, and the words behind it."""
    if len(words) > 1 and not _is_parameter(words[0]):
        return words[0], words[1:]
    return "", words


def _is_parameter(word: str) -> bool:
    return "." in word or "/" in word
