"""Tasks: creating, cloning, editing, archiving and deleting them."""

from collections.abc import Mapping
from contextlib import suppress
from copy import deepcopy
from typing import Any

from clearml_chatops.sandbox import queue_entries
from clearml_chatops.sandbox.documents import Document, truncate_to_milliseconds
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
from clearml_chatops.sandbox.task_status import StatusChange, dequeue, get_status_before_enqueue
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
TASK_TYPE = Field((str,), choices=TASK_TYPES)
REQUIRED_TASK_TYPE = Field((str,), required=True, choices=TASK_TYPES)

_EDITABLE_FIELDS = (
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
_UPDATABLE_FIELDS = ("name", "tags", "system_tags", "comment", "project", "parent")
_MERGED_FIELDS = ("execution", "script", "output", "models")
"""Fields that an edit merges; all others are replaced as a whole."""


@endpoint(
    "tasks.create",
    name=REQUIRED_TEXT,
    type=REQUIRED_TASK_TYPE,
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
    fields = _parse_fields(call.state, call.data, _EDITABLE_FIELDS)
    name = fields.pop("name")
    task = call.state.add_task(name, user=call.user.id)
    _apply_fields(task, fields)
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
    """Create a draft of the caller with the source's settings, overridden by the given `new_task_…` fields."""
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
    if not overrides.get("project") and call.get_text("new_project_name"):
        project = state.add_project(call.get_text("new_project_name"), user=call.user.id)
        overrides["project"] = project["id"]
    fields = _parse_fields(state, overrides, (*_UPDATABLE_FIELDS, "hyperparams", "configuration", "container"))
    task = state.add_task(fields.pop("name", source["name"]), user=call.user.id, **_copy_settings(source))
    task["parent"] = source["id"]
    _apply_fields(task, {**fields, "execution": data.get("execution_overrides") or {}})
    state.touch_project(task.get("project"))
    answer: Document = {"id": task["id"]}
    if project:
        answer["new_project"] = {"id": project["id"], "name": project["name"]}
    return answer


def _copy_settings(source: Document) -> Document:
    """Return what a clone copies from its source: the settings, but no results of its run."""
    copied_fields = ("type", "comment", "project", "tags", "script", "hyperparams", "configuration", "container")
    fields = {name: deepcopy(source[name]) for name in copied_fields if name in source}
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
    type=TASK_TYPE,
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
    """Change any field of a draft, or with `force` of a running task."""
    task = require_editable_task(call)
    fields = _parse_fields(call.state, call.data, _EDITABLE_FIELDS)
    return _change_task(call, task, fields, touch=True)


@endpoint("tasks.update", task=REQUIRED_TEXT, name=TEXT, tags=LIST, system_tags=LIST, comment=TEXT)
def update(call: Call) -> Document:
    """Change name, tags, comment and project, whatever the status."""
    task = call.state.require_task(call.data["task"])
    fields = _parse_fields(call.state, call.data, _UPDATABLE_FIELDS)
    if not fields:
        return {"fields": {}, "updated": 0}
    return _change_task(call, task, fields, touch=False)


def require_editable_task(call: Call) -> Document:
    """Return the task of the request if its settings can be changed.

    Raises:
        ApiError: 400/110, it is neither a draft nor, with `force`, a running task.
    """
    task = call.state.require_task(call.data["task"])
    if task["status"] != "created" and not (task["status"] == "in_progress" and call.get_flag("force")):
        raise ApiError(INVALID_TASK_STATUS, expected="created", status=task["status"])
    return task


def mark_changed(call: Call, task: Document) -> Document:
    """Record who changed a task and when. Return these fields for the answer."""
    now = call.state.now()
    task["last_change"] = task["last_update"] = truncate_to_milliseconds(now)
    task["last_changed_by"] = call.user.id
    call.state.touch_project(task.get("project"))
    return {"last_change": now, "last_changed_by": call.user.id, "last_update": now}


def _change_task(call: Call, task: Document, fields: Document, *, touch: bool) -> Document:
    previous_update = task["last_update"]
    _apply_fields(task, fields)
    changed = {name: task[name] for name in fields}
    change_record = mark_changed(call, task)
    if not touch:
        task["last_update"] = previous_update
        del change_record["last_update"]
    return {"fields": {**changed, **change_record}, "updated": 1}


def _apply_fields(task: Document, fields: Document) -> None:
    for name, value in fields.items():
        if name in _MERGED_FIELDS:
            task[name] = {**task.get(name, {}), **deepcopy(value)}
        else:
            task[name] = deepcopy(value)


def _parse_fields(state: State, data: Document, allowed: tuple[str, ...]) -> Document:
    """Return the fields that a request sets, validated and in stored form."""
    fields = {name: data[name] for name in allowed if data.get(name) is not None}
    if "name" in fields:
        check_name(fields["name"])
    if fields.get("project") and fields["project"] not in state.projects:
        raise ApiError(INVALID_FIELD_VALUE, "expecting Project id", id=fields["project"], field="project")
    if fields.get("parent") and fields["parent"] not in state.tasks:
        raise ApiError(INVALID_FIELD_VALUE, "expecting Task id", id=fields["parent"], field="parent")
    if "hyperparams" in fields:
        fields["hyperparams"] = _parse_parameters(fields["hyperparams"])
    if data.get("output_dest"):
        fields["output"] = {"destination": data["output_dest"]}
    return fields


def _parse_parameters(sections: Mapping[str, Any]) -> Document:
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
    """Delete a draft or an archived task, or with `force` any task."""
    state = call.state
    task = state.require_task(call.data["task"])
    if task["status"] != "created" and "archived" not in task["system_tags"] and not call.get_flag("force"):
        raise ApiError(
            TASK_NOT_DELETABLE,
            "due to status, use force=True",
            task=task["id"],
            expected="created",
            current=task["status"],
        )
    queue_entries.remove_from_all_queues(state, task["id"])
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
    tasks = [call.state.require_task(id_) for id_ in call.data["tasks"]]
    for task in tasks:
        archive_task(call, task)
    return {"archived": len(tasks)}


@endpoint("tasks.unarchive", tasks=REQUIRED_LIST)
def unarchive(call: Call) -> Document:
    tasks = [call.state.require_task(id_) for id_ in call.data["tasks"]]
    for task in tasks:
        unarchive_task(call, task)
    return {"unarchived": len(tasks)}


def archive_task(call: Call, task: Document) -> None:
    """Dequeue the task and hide it from the default lists."""
    if task["status"] == "queued":
        change = StatusChange(user=call.user.id, status=get_status_before_enqueue(task))
        with suppress(ApiError):
            # the real server archives it anyway
            dequeue(call.state, task, change)
    task["system_tags"] = sorted({*task["system_tags"], "archived"})
    _record_archive_change(call, task)


def unarchive_task(call: Call, task: Document) -> None:
    task["system_tags"] = [tag for tag in task["system_tags"] if tag != "archived"]
    _record_archive_change(call, task)


def _record_archive_change(call: Call, task: Document) -> None:
    task["status_reason"] = call.get_text("status_reason")
    task["status_message"] = call.get_text("status_message")
    task["last_change"] = truncate_to_milliseconds(call.state.now())
    task["last_changed_by"] = call.user.id
