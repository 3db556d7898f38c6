"""Forms for the parameters and the container of a Draft, and for a clone."""

from collections.abc import Sequence

from clearml_chatops.handlers.assignments import is_typable
from clearml_chatops.handlers.command_line import Word, join_words
from clearml_chatops.handlers.formatting import shortened
from clearml_chatops.handlers.pages import build_option
from clearml_chatops.models.experiments import Experiment, Parameter
from clearml_chatops.models.replies import FieldKind, Form, FormField, Outcome, Reply, Text, Tone
from clearml_chatops.services.experiments.parameter_names import find_parameter


def build_parameters_form(
    draft: Experiment, parent: Experiment | None, only: Sequence[Parameter] | None = None
) -> Reply:
    """Return a form with the parameters of a Draft, all or only some, and how the parent's differ."""
    parameters = sorted(draft.parameters if only is None else only, key=lambda item: item.key)
    if not parameters:
        return Reply.of(
            f"“{draft.name}” has no parameters. Create one with /set args.name=value --new.",
            experiment_id=draft.id,
        )
    fields = tuple(_build_parameter_field(item, parent) for item in parameters if _is_settable(draft, item))
    omitted = [str(item.key) for item in parameters if not _is_settable(draft, item)]
    names = shortened(", ".join(omitted))
    omitted_text = Text(f"Left out, because their names can't be typed: {names}.", Tone.SUBTLE)
    form = Form(f"Parameters of “{draft.name}”", f"/set {draft.id}", fields)
    blocks = ((form,) if fields else ()) + ((omitted_text,) if omitted else ())
    return Reply(blocks, Outcome.ASKED, draft.id)


def build_container_form(draft: Experiment) -> Reply:
    """Return a form with the image, arguments and setup script of a Draft."""
    container = draft.container
    form = Form(
        f"Container of “{draft.name}”",
        f"/container {draft.id}",
        (
            FormField(
                "image", "image", container.image, hint="Docker image; leave empty for the worker's default"
            ),
            FormField(
                "args", "arguments", container.arguments, hint="Arguments for docker run, like -v /data:/data"
            ),
            FormField(
                "setup",
                "setup script",
                container.setup_shell_script,
                FieldKind.LONG_TEXT,
                hint="Shell script that runs in the container before the experiment starts",
            ),
        ),
    )
    return Reply((form,), Outcome.ASKED, draft.id)


def build_clone_form(*, experiment_id: str, name: str, project: str) -> Reply:
    """Return a form that asks what to clone and for the name of the clone. Nothing is cloned yet."""
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
                hint="Id, start of an id, name, web link or “last”",
                positional=True,
                required=True,
            ),
            FormField("name", "name", name, hint="Leave empty for “Clone of …”", positional=True),
        ),
    )
    return Reply((form,), Outcome.ASKED, experiment_id)


def _build_parameter_field(item: Parameter, parent: Experiment | None) -> FormField:
    parent_value = {known.key: known.value for known in parent.parameters}.get(item.key) if parent else item.value
    changed = parent_value != item.value
    if not changed:
        comparison = ""
    elif parent_value is None:
        comparison = "not in the parent"
    else:
        comparison = f"parent: {shortened(parent_value) or '(empty)'}"
    return FormField(
        name=str(item.key),
        label=item.name,
        value=item.value,
        kind=FieldKind.LONG_TEXT if "\n" in item.value else FieldKind.TEXT,
        group=item.section,
        hint=", ".join(part for part in (item.type_label, item.help_text, comparison) if part),
        changed=changed,
    )


def _is_settable(draft: Experiment, item: Parameter) -> bool:
    """Return whether `/set` accepts the name as the key of a pair and finds this parameter by it."""
    name = str(item.key)
    return is_typable(name) and find_parameter(draft.parameters, name) == item
