"""Reading tasks: by id and in lists."""

from clearml_chatops.sandbox import queries
from clearml_chatops.sandbox.documents import Document
from clearml_chatops.sandbox.filters import Filters
from clearml_chatops.sandbox.queries import Schema
from clearml_chatops.sandbox.registry import Call, endpoint
from clearml_chatops.sandbox.validation import LIST, REQUIRED_TEXT, TEXT_OR_LIST

TASK_SCHEMA = Schema(
    fields=frozenset(
        [
            "id",
            "company",
            "company_origin",
            "user",
            "name",
            "type",
            "status",
            "status_reason",
            "status_message",
            "status_changed",
            "comment",
            "report",
            "report_assets",
            "created",
            "started",
            "completed",
            "published",
            "active_duration",
            "duration",
            "parent",
            "project",
            "output",
            "execution",
            "container",
            "tags",
            "system_tags",
            "script",
            "last_worker",
            "last_worker_report",
            "last_update",
            "last_change",
            "last_changed_by",
            "last_iteration",
            "last_metrics",
            "unique_metrics",
            "metric_stats",
            "hyperparams",
            "configuration",
            "runtime",
            "models",
            "enqueue_status",
        ]
    ),
    filters=Filters(
        patterns=("name", "comment", "report"),
        lists=(
            "id",
            "company",
            "user",
            "project",
            "parent",
            "type",
            "status",
            "tags",
            "system_tags",
            "hyperparams.*",
            "execution.queue",
            "models.input.model",
            "last_worker",
        ),
        dates=(
            "created",
            "started",
            "completed",
            "status_changed",
            "last_update",
            "last_change",
            "last_worker_report",
        ),
        ranges=("active_duration", "last_iteration", "last_metrics.*"),
        exact=("runtime.*", "script.*", "container.*"),
        full_text=("name", "id", "comment", "type", "tags", "report", "script.entry_point"),
    ),
    references={
        "company": "companies",
        "user": "users",
        "project": "projects",
        "parent": "tasks",
        "execution.queue": "queues",
    },
    hidden=frozenset({"unique_metrics", "enqueue_status"}),
)


@endpoint("tasks.get_by_id", task=REQUIRED_TEXT)
def get_by_id(call: Call) -> Document:
    """Return the whole task. `only_fields` is ignored."""
    task = call.state.require_readable_task(call.data["task"])
    return {"task": {name: value for name, value in task.items() if name != "enqueue_status"}}


@endpoint("tasks.get_all", only_fields=TEXT_OR_LIST)
def get_all(call: Call) -> Document:
    found = _find_tasks(call)
    tasks = [queries.select_fields(task, call.data, TASK_SCHEMA) for task in found]
    return {"tasks": tasks, **queries.advance_scroll(call.state, call.data, found)}


@endpoint("tasks.get_all_ex", only_fields=TEXT_OR_LIST)
def get_all_ex(call: Call) -> Document:
    """Answer like get_all, with users, projects, parents and queues as documents instead of ids."""
    found = _find_tasks(call)
    tasks = [queries.expand_references(call.state, task, call.data, TASK_SCHEMA) for task in found]
    return {"tasks": tasks, **queries.advance_scroll(call.state, call.data, found)}


@endpoint("tasks.get_by_id_ex", id=LIST)
def get_by_id_ex(call: Call) -> Document:
    return get_all_ex(call)


@endpoint("tasks.get_types")
def get_types(call: Call) -> Document:
    """Return the types of the tasks in some projects or all."""
    tasks = call.state.list_tasks(call.data.get("projects"))
    return {"types": sorted({task["type"] for task in tasks})}


def _find_tasks(call: Call) -> list[Document]:
    queries.parse_only_fields(call.data, TASK_SCHEMA)
    data = call.data
    if data.get("project") and call.get_flag("include_subprojects"):
        projects = data["project"] if isinstance(data["project"], list) else [data["project"]]
        data = {**data, "project": sorted(call.state.expand_subprojects(projects))}
    documents = call.state.tasks
    if not call.get_flag("search_hidden") and not data.get("id"):
        documents = {id_: task for id_, task in documents.items() if "hidden" not in task["system_tags"]}
    return queries.find(call.state, documents, data, TASK_SCHEMA)
