"""Tasks: making, cloning, editing, archiving and deleting them."""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from clearml_chatops.sandbox import queue_entries
from clearml_chatops.sandbox.documents import Document, stored
from clearml_chatops.sandbox.errors import (
    INVALID_FIELD_VALUE,
    INVALID_TASK_STATUS,
    TASK_NOT_DELETABLE,
    TASK_NOT_FOUND,
    VALIDATION,
    ApiError,
)
from clearml_chatops.sandbox.registry import Call, endpoint
from clearml_chatops.sandbox.state import State
from clearml_chatops.sandbox.task_status import Change, dequeue, status_before_queue
from clearml_chatops.sandbox.validation import (
    DICTIONARY,
    FLAG,
    LIST,
    REQUIRED_LIST,
    REQUIRED_TEXT,
    TEXT,
    Field,
    check_name,
    check_parameter_texts,
)

TASK_TYPES = (
    "training",
    "testing",
    "inference",
    "data_processing",
    "application",
    "monitor",
    "controller",
    "optimizer",
    "service",
    "qc",
    "custom",
)
TYPE = Field((str,), choices=TASK_TYPES)
REQUIRED_TYPE = Field((str,), required=True, choices=TASK_TYPES)

_SETTABLE = (
    "name",
    "tags",
    "system_tags",
    "type",
    "comment",
    "parent",
    "project",
    "output",
    "models",
    "container",
    "execution",
    "hyperparams",
    "configuration",
    "script",
    "runtime",
)
_UPDATABLE = ("name", "tags", "system_tags", "comment", "project", "parent")
_MERGED = ("execution", "script", "output", "models")
"""Fields of which an edit replaces only the parts it names; all others are replaced whole."""


@endpoint(
    "tasks.create",
    name=REQUIRED_TEXT,
    type=REQUIRED_TYPE,
    tags=LIST,
    system_tags=LIST,
    comment=TEXT,
    parent=TEXT,
    project=TEXT,
    script=DICTIONARY,
    execution=DICTIONARY,
    container=DICTIONARY,
    hyperparams=DICTIONARY,
)
def create(call: Call) -> Document:
    fields = _fields(call.state, call.data, _SETTABLE)
    name = fields.pop("name")
    task = call.state.add_task(name, user=call.user.id)
    _apply(task, fields)
    call.state.touch_project(task.get("project"))
    return {"id": task["id"]}


@endpoint(
    "tasks.clone",
    task=REQUIRED_TEXT,
    new_task_name=TEXT,
    new_task_comment=TEXT,
    new_task_tags=LIST,
    new_task_system_tags=LIST,
    new_task_parent=TEXT,
    new_task_project=TEXT,
    new_project_name=TEXT,
    new_task_hyperparams=DICTIONARY,
    new_task_configuration=DICTIONARY,
    new_task_container=DICTIONARY,
    execution_overrides=DICTIONARY,
)
def clone(call: Call) -> Document:
    """A draft of the caller's with the source's settings, each replaced by the `new_task_…` that is given."""
    state, data = call.state, call.data
    source = state.tasks.get(data["task"])
    if source is None:
        raise ApiError(TASK_NOT_FOUND, id=data["task"])
    overrides = {
        name.removeprefix("new_task_"): data[name]
        for name in data
        if name.startswith("new_task_") and data[name] is not None
    }
    project = None
    if not overrides.get("project") and call.text("new_project_name"):
        project = state.add_project(call.text("new_project_name"), user=call.user.id)
        overrides["project"] = project["id"]
    fields = _fields(state, overrides, (*_UPDATABLE, "hyperparams", "configuration", "container"))
    task = state.add_task(fields.pop("name", source["name"]), user=call.user.id, **_inherited(source))
    task["parent"] = source["id"]
    _apply(task, {**fields, "execution": data.get("execution_overrides") or {}})
    state.touch_project(task.get("project"))
    answer: Document = {"id": task["id"]}
    if project:
        answer["new_project"] = {"id": project["id"], "name": project["name"]}
    return answer


def _inherited(source: Document) -> Document:
    """What a clone takes over from its source: what was set, nothing of what its run left."""
    kept = ("type", "comment", "project", "tags", "script", "hyperparams", "configuration", "container")
    fields = {name: deepcopy(source[name]) for name in kept if name in source}
    fields["system_tags"] = [
        tag for tag in source["system_tags"] if tag not in {"development", "archived", "shared"}
    ]
    fields["execution"] = deepcopy(source["execution"])
    fields["execution"].pop("queue", None)
    fields["execution"]["artifacts"] = [
        artifact for artifact in fields["execution"]["artifacts"] if artifact.get("mode") == "input"
    ]
    fields["models"] = {"input": deepcopy(source["models"].get("input", [])), "output": []}
    return fields


@endpoint(
    "tasks.edit",
    task=REQUIRED_TEXT,
    force=FLAG,
    name=TEXT,
    type=TYPE,
    tags=LIST,
    system_tags=LIST,
    comment=TEXT,
    script=DICTIONARY,
    execution=DICTIONARY,
    container=DICTIONARY,
    hyperparams=DICTIONARY,
    configuration=DICTIONARY,
    runtime=DICTIONARY,
)
def edit(call: Call) -> Document:
    """Changes any field of a draft, with `force` of a running task too."""
    task = editable_task(call)
    fields = _fields(call.state, call.data, _SETTABLE)
    return _changed(call, task, fields, touch=True)


@endpoint("tasks.update", task=REQUIRED_TEXT, name=TEXT, tags=LIST, system_tags=LIST, comment=TEXT)
def update(call: Call) -> Document:
    """Changes name, tags, comment and project, whatever the status."""
    task = call.state.task(call.data["task"])
    fields = _fields(call.state, call.data, _UPDATABLE)
    if not fields:
        return {"fields": {}, "updated": 0}
    return _changed(call, task, fields, touch=False)


def editable_task(call: Call) -> Document:
    """The task of the request, if its settings may be changed.

    Raises:
        ApiError: 400/110, it is no draft, nor with `force` a running task.
    """
    task = call.state.task(call.data["task"])
    if task["status"] != "created" and not (task["status"] == "in_progress" and call.flag("force")):
        raise ApiError(INVALID_TASK_STATUS, expected="created", status=task["status"])
    return task


def mark_changed(call: Call, task: Document) -> Document:
    """Notes who changed a task and when, and returns that as a reply tells it."""
    now = call.state.now()
    task["last_change"] = task["last_update"] = stored(now)
    task["last_changed_by"] = call.user.id
    call.state.touch_project(task.get("project"))
    return {"last_change": now, "last_changed_by": call.user.id, "last_update": now}


def _changed(call: Call, task: Document, fields: Document, *, touch: bool) -> Document:
    before = task["last_update"]
    _apply(task, fields)
    changed = {name: task[name] for name in fields}
    marks = mark_changed(call, task)
    if not touch:
        task["last_update"] = before
        del marks["last_update"]
    return {"fields": {**changed, **marks}, "updated": 1}


def _apply(task: Document, fields: Document) -> None:
    for name, value in fields.items():
        if name in _MERGED:
            task[name] = {**task.get(name, {}), **deepcopy(value)}
        else:
            task[name] = deepcopy(value)


def _fields(state: State, data: Document, allowed: tuple[str, ...]) -> Document:
    """The fields of a request that set something, checked and in the form that is stored."""
    fields = {name: data[name] for name in allowed if data.get(name) is not None}
    if "name" in fields:
        check_name(fields["name"])
    if fields.get("project") and fields["project"] not in state.projects:
        raise ApiError(INVALID_FIELD_VALUE, "expecting Project id", id=fields["project"], field="project")
    if fields.get("parent") and fields["parent"] not in state.tasks:
        raise ApiError(INVALID_FIELD_VALUE, "expecting Task id", id=fields["parent"], field="parent")
    if "hyperparams" in fields:
        fields["hyperparams"] = _parameters(fields["hyperparams"])
    if data.get("output_dest"):
        fields["output"] = {"destination": data["output_dest"]}
    return fields


def _parameters(sections: Mapping[str, Any]) -> Document:
    result: Document = {}
    for section, parameters in sections.items():
        if not isinstance(parameters, dict):
            raise ApiError(
                VALIDATION,
                f"error for field 'hyperparams': ('value is wrong, expected type \"dict\"', {parameters!r}).",
            )
        result[section] = {}
        for name, parameter in parameters.items():
            check_parameter_texts(parameter)
            result[section][name] = {"section": section, "name": name, **parameter}
    return result


@endpoint("tasks.delete", task=REQUIRED_TEXT, force=FLAG)
def delete(call: Call) -> Document:
    """Deletes a draft or an archived task, with `force` any."""
    state = call.state
    task = state.task(call.data["task"])
    if task["status"] != "created" and "archived" not in task["system_tags"] and not call.flag("force"):
        raise ApiError(
            TASK_NOT_DELETABLE,
            "due to status, use force=True",
            task=task["id"],
            expected="created",
            current=task["status"],
        )
    queue_entries.remove_everywhere(state, task["id"])
    del state.tasks[task["id"]]
    state.events.pop(task["id"], None)
    state.touch_project(task.get("project"))
    children = [other for other in state.tasks.values() if other.get("parent") == task["id"]]
    return {
        "deleted": True,
        "updated_children": len(children),
        "updated_models": 0,
        "deleted_models": 0,
        "urls": None,
    }


@endpoint("tasks.archive", tasks=REQUIRED_LIST)
def archive(call: Call) -> Document:
    tasks = [call.state.task(id_) for id_ in call.data["tasks"]]
    for task in tasks:
        archive_task(call, task)
    return {"archived": len(tasks)}


@endpoint("tasks.unarchive", tasks=REQUIRED_LIST)
def unarchive(call: Call) -> Document:
    tasks = [call.state.task(id_) for id_ in call.data["tasks"]]
    for task in tasks:
        unarchive_task(call, task)
    return {"unarchived": len(tasks)}


def archive_task(call: Call, task: Document) -> None:
    """Takes the task out of its queue and out of the ordinary lists."""
    if task["status"] == "queued":
        dequeue(call.state, task, Change(user=call.user.id, status=status_before_queue(task), force=True))
    task["system_tags"] = sorted({*task["system_tags"], "archived"})
    _note_archiving(call, task)


def unarchive_task(call: Call, task: Document) -> None:
    task["system_tags"] = [tag for tag in task["system_tags"] if tag != "archived"]
    _note_archiving(call, task)


def _note_archiving(call: Call, task: Document) -> None:
    task["status_reason"] = call.text("status_reason")
    task["status_message"] = call.text("status_message")
    task["last_change"] = stored(call.state.now())
    task["last_changed_by"] = call.user.id
