"""Reading tasks: by id and in lists."""

from clearml_chatops.sandbox import queries
from clearml_chatops.sandbox.conditions import Filters
from clearml_chatops.sandbox.documents import Document
from clearml_chatops.sandbox.queries import Schema
from clearml_chatops.sandbox.registry import Call, endpoint
from clearml_chatops.sandbox.validation import LIST, ONE_OR_SEVERAL, REQUIRED_TEXT

TASKS = Schema(
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
        equals=("runtime.*", "script.*", "container.*"),
        searched=("name", "id", "comment", "type", "tags", "report", "script.entry_point"),
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
    """The whole task; `only_fields` has no say here."""
    task = call.state.readable_task(call.data["task"])
    return {"task": {name: value for name, value in task.items() if name != "enqueue_status"}}


@endpoint("tasks.get_all", only_fields=ONE_OR_SEVERAL)
def get_all(call: Call) -> Document:
    found = _find(call)
    tasks = [queries.projected(task, call.data, TASKS) for task in found]
    return {"tasks": tasks, **queries.scroll(call.state, call.data, found)}


@endpoint("tasks.get_all_ex", only_fields=ONE_OR_SEVERAL)
def get_all_ex(call: Call) -> Document:
    """As get_all, with users, projects, parents and queues as documents instead of ids."""
    found = _find(call)
    tasks = [queries.expanded(call.state, task, call.data, TASKS) for task in found]
    return {"tasks": tasks, **queries.scroll(call.state, call.data, found)}


@endpoint("tasks.get_by_id_ex", id=LIST)
def get_by_id_ex(call: Call) -> Document:
    return get_all_ex(call)


@endpoint("tasks.get_types")
def get_types(call: Call) -> Document:
    """The types of the tasks that there are, in some projects or all."""
    tasks = call.state.tasks_of(call.data.get("projects"))
    return {"types": sorted({task["type"] for task in tasks})}


def _find(call: Call) -> list[Document]:
    queries.only_fields(call.data, TASKS)
    data = call.data
    if data.get("project") and call.flag("include_subprojects"):
        projects = data["project"] if isinstance(data["project"], list) else [data["project"]]
        data = {**data, "project": sorted(call.state.with_subprojects(projects))}
    return queries.find(call.state, call.state.tasks, data, TASKS)
