"""Parts of a task that have their own endpoints: parameters, configurations, packages, artifacts."""

from clearml_chatops.sandbox.documents import Document
from clearml_chatops.sandbox.errors import VALIDATION, ApiError
from clearml_chatops.sandbox.registry import Call, endpoint
from clearml_chatops.sandbox.tasks import mark_changed, require_editable_task
from clearml_chatops.sandbox.validation import (
    FLAG,
    LIST,
    REQUIRED_DICTIONARY,
    REQUIRED_LIST,
    REQUIRED_TEXT,
    Field,
    check_parameters,
)

REPLACE_MODE = Field((str,), choices=("none", "section", "all"))


@endpoint("tasks.get_hyper_params", tasks=REQUIRED_LIST)
def get_hyper_params(call: Call) -> Document:
    """Return the parameters of some tasks, sorted by section and name."""
    tasks = [call.state.require_readable_task(id_) for id_ in call.data["tasks"]]
    return {"params": [{"task": task["id"], "hyperparams": _list_parameters(task)} for task in tasks]}


@endpoint(
    "tasks.edit_hyper_params",
    task=REQUIRED_TEXT,
    hyperparams=REQUIRED_LIST,
    force=FLAG,
    replace_hyperparams=REPLACE_MODE,
)
def edit_hyper_params(call: Call) -> Document:
    """Set parameters. `replace_hyperparams` removes all others, or those in the same sections."""
    check_parameters(call.data["hyperparams"])
    task = require_editable_task(call)
    parameters: list[Document] = call.data["hyperparams"]
    mode = call.get_text("replace_hyperparams") or "none"
    if mode == "all":
        task["hyperparams"] = {}
    elif mode == "section":
        for section in {parameter["section"] for parameter in parameters}:
            task["hyperparams"].pop(section, None)
    for parameter in parameters:
        task["hyperparams"].setdefault(parameter["section"], {})[parameter["name"]] = dict(parameter)
    mark_changed(call, task)
    return {"updated": 1}


@endpoint("tasks.delete_hyper_params", task=REQUIRED_TEXT, hyperparams=REQUIRED_LIST, force=FLAG)
def delete_hyper_params(call: Call) -> Document:
    """Delete parameters, or whole sections if no name is given."""
    task = require_editable_task(call)
    for parameter in call.data["hyperparams"]:
        section = task["hyperparams"].get(parameter.get("section"), {})
        if parameter.get("name"):
            section.pop(parameter["name"], None)
        else:
            section.clear()
        if not section:
            task["hyperparams"].pop(parameter.get("section"), None)
    mark_changed(call, task)
    return {"deleted": 1}


def _list_parameters(task: Document) -> list[Document]:
    return [
        task["hyperparams"][section][name]
        for section in sorted(task["hyperparams"])
        for name in sorted(task["hyperparams"][section])
    ]


@endpoint("tasks.get_configurations", tasks=REQUIRED_LIST, names=LIST)
def get_configurations(call: Call) -> Document:
    names = call.data.get("names")
    return {
        "configurations": [
            {
                "task": id_,
                "configuration": [
                    item
                    for name, item in sorted(call.state.require_readable_task(id_)["configuration"].items())
                    if not names or name in names
                ],
            }
            for id_ in call.data["tasks"]
        ]
    }


@endpoint("tasks.get_configuration_names", tasks=REQUIRED_LIST)
def get_configuration_names(call: Call) -> Document:
    tasks = [call.state.require_readable_task(id_) for id_ in call.data["tasks"]]
    return {"configurations": [{"task": task["id"], "names": sorted(task["configuration"])} for task in tasks]}


@endpoint("tasks.edit_configuration", task=REQUIRED_TEXT, configuration=REQUIRED_LIST, force=FLAG)
def edit_configuration(call: Call) -> Document:
    task = require_editable_task(call)
    if call.get_flag("replace_configuration"):
        task["configuration"] = {}
    for item in call.data["configuration"]:
        if not isinstance(item, dict) or not item.get("name"):
            raise ApiError(VALIDATION, "error for field 'configuration': error for field 'name'.")
        task["configuration"][item["name"]] = dict(item)
    mark_changed(call, task)
    return {"updated": 1}


@endpoint("tasks.delete_configuration", task=REQUIRED_TEXT, configuration=REQUIRED_LIST, force=FLAG)
def delete_configuration(call: Call) -> Document:
    task = require_editable_task(call)
    for name in call.data["configuration"]:
        task["configuration"].pop(name, None)
    mark_changed(call, task)
    return {"deleted": 1}


@endpoint("tasks.set_requirements", task=REQUIRED_TEXT, requirements=REQUIRED_DICTIONARY)
def set_requirements(call: Call) -> Document:
    """Store the packages that an agent installed for the run."""
    task = call.state.require_task(call.data["task"])
    task["script"] = {**task.get("script", {}), "requirements": call.data["requirements"]}
    mark_changed(call, task)
    return {"fields": {}, "updated": 1}


@endpoint("tasks.add_or_update_artifacts", task=REQUIRED_TEXT, artifacts=REQUIRED_LIST, force=FLAG)
def add_or_update_artifacts(call: Call) -> Document:
    task = call.state.require_task(call.data["task"])
    artifacts_by_key = {_get_artifact_key(artifact): artifact for artifact in call.data["artifacts"]}
    unchanged = [
        item for item in task["execution"]["artifacts"] if _get_artifact_key(item) not in artifacts_by_key
    ]
    task["execution"]["artifacts"] = [
        *unchanged,
        *({"mode": "output", **item} for item in artifacts_by_key.values()),
    ]
    mark_changed(call, task)
    return {"updated": 1}


@endpoint("tasks.delete_artifacts", task=REQUIRED_TEXT, artifacts=REQUIRED_LIST, force=FLAG)
def delete_artifacts(call: Call) -> Document:
    task = call.state.require_task(call.data["task"])
    deleted_keys = {_get_artifact_key(artifact) for artifact in call.data["artifacts"]}
    task["execution"]["artifacts"] = [
        item for item in task["execution"]["artifacts"] if _get_artifact_key(item) not in deleted_keys
    ]
    mark_changed(call, task)
    return {"deleted": 1}


def _get_artifact_key(artifact: Document) -> tuple[str, str]:
    return str(artifact.get("key")), str(artifact.get("mode") or "output")
