"""Forms to fill in: the parameters of a Draft, its container, and what a clone needs."""

from collections.abc import Sequence

from clearml_chatops.handlers.command_line import Word, join_words, split_words
from clearml_chatops.handlers.formatting import shortened
from clearml_chatops.handlers.pages import build_option
from clearml_chatops.models.errors import ChatOpsError
from clearml_chatops.models.experiments import Experiment, Parameter
from clearml_chatops.models.replies import FieldKind, Form, FormField, Outcome, Reply, Text, Tone
from clearml_chatops.services.experiments.parameters import find_parameter


def build_parameters_form(
    draft: Experiment, parent: Experiment | None, only: Sequence[Parameter] | None = None
) -> Reply:
    """All parameters of a Draft, or only some of them, to be changed; with what the parent has beside."""
    parameters = sorted(draft.parameters if only is None else only, key=lambda item: item.key)
    if not parameters:
        return Reply.of(
            f"“{draft.name}” has no parameters; /set args.name=value --new makes the first.",
            experiment_id=draft.id,
        )
    fields = tuple(_build_parameter_field(item, parent) for item in parameters if _is_settable(draft, item))
    omitted = [str(item.key) for item in parameters if not _is_settable(draft, item)]
    names = shortened(", ".join(omitted))
    omitted_text = Text(f"Left out, since their names cannot be written as name=value: {names}.", Tone.SUBTLE)
    form = Form(f"Parameters of “{draft.name}”", f"/set {draft.id}", fields)
    blocks = ((form,) if fields else ()) + ((omitted_text,) if omitted else ())
    return Reply(blocks, Outcome.ASKED, draft.id)


def build_container_form(draft: Experiment) -> Reply:
    """Image, arguments and setup script of a Draft, to be changed."""
    container = draft.container
    form = Form(
        f"Container of “{draft.name}”",
        f"/container {draft.id}",
        (
            FormField("image", "image", container.image, hint="docker image; nothing for the worker's own"),
            FormField("args", "arguments", container.arguments, hint="of docker run, as -v /data:/data"),
            FormField(
                "setup",
                "setup script",
                container.setup_shell_script,
                FieldKind.LONG_TEXT,
                hint="shell script, run in the container before the start",
            ),
        ),
    )
    return Reply((form,), Outcome.ASKED, draft.id)


def build_clone_form(*, experiment_id: str, name: str, project: str) -> Reply:
    """What to copy, and what the copy is called; nothing is made yet."""
    words = [Word("/clone")]
    if project:
        words.append(build_option("project", project))
    form = Form(
        "Clone an experiment",
        join_words(words),
        (
            FormField(
                "experiment",
                "experiment",
                experiment_id,
                FieldKind.EXPERIMENT,
                hint="id, beginning of an id, name, web link or “last”",
                positional=True,
                required=True,
            ),
            FormField("name", "name", name, hint="nothing for “Clone of …”", positional=True),
        ),
    )
    return Reply((form,), Outcome.ASKED, experiment_id)


def _build_parameter_field(item: Parameter, parent: Experiment | None) -> FormField:
    parent_value = {known.key: known.value for known in parent.parameters}.get(item.key) if parent else item.value
    changed = parent_value != item.value
    if not changed:
        comparison = ""
    elif parent_value is None:
        comparison = "the parent has none"
    else:
        comparison = f"parent: {shortened(parent_value) or '(empty)'}"
    return FormField(
        name=str(item.key),
        label=item.name,
        value=item.value,
        kind=FieldKind.LONG_TEXT if "\n" in item.value else FieldKind.TEXT,
        group=item.section,
        hint=", ".join(part for part in (item.type, item.description, comparison) if part),
        changed=changed,
    )


def _is_settable(draft: Experiment, item: Parameter) -> bool:
    """Whether `/set` takes its name as the key of a pair, and means this parameter by it."""
    name = str(item.key)
    try:
        words = split_words(f"{name}=x")
    except ChatOpsError:
        return False
    is_key = words == [Word(f"{name}=x", name)] and not name.startswith("--")
    return is_key and find_parameter(draft.parameters, name) == item
