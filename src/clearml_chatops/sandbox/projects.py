"""Projects: creating, changing and reading them, and data about their tasks."""

from datetime import timedelta

from clearml_chatops.sandbox import queries
from clearml_chatops.sandbox.documents import Document, truncate_to_milliseconds
from clearml_chatops.sandbox.errors import PROJECT_EXISTS, PROJECT_HAS_TASKS, ApiError
from clearml_chatops.sandbox.filters import Filters
from clearml_chatops.sandbox.queries import Schema
from clearml_chatops.sandbox.registry import Call, endpoint
from clearml_chatops.sandbox.state import State
from clearml_chatops.sandbox.validation import FLAG, LIST, REQUIRED_TEXT, TEXT, TEXT_OR_LIST, check_name

PROJECT_SCHEMA = Schema(
    fields=frozenset(
        [
            "id",
            "company",
            "company_origin",
            "user",
            "name",
            "basename",
            "description",
            "created",
            "tags",
            "system_tags",
            "last_update",
            "featured",
            "parent",
            "path",
            "default_output_destination",
            "stats",
            "sub_projects",
        ]
    ),
    filters=Filters(
        patterns=("name", "basename", "description"),
        lists=("id", "user", "tags", "system_tags", "parent"),
        dates=("created", "last_update"),
        full_text=("name", "id", "description"),
    ),
    references={"company": "companies", "user": "users", "parent": "projects"},
    hidden=frozenset({"path"}),
)

_STATUSES = (
    "closed",
    "completed",
    "created",
    "failed",
    "in_progress",
    "published",
    "publishing",
    "queued",
    "stopped",
    "unknown",
)


@endpoint("projects.create", name=REQUIRED_TEXT, description=TEXT, tags=LIST, system_tags=LIST)
def create(call: Call) -> Document:
    """Create a project, and the missing projects above it in its path."""
    name = call.data["name"].strip("/")
    check_name(name)
    if call.state.find_project(name):
        raise ApiError(PROJECT_EXISTS, name=name, company=call.state.company)
    project = call.state.add_project(name, user=call.user.id, description=call.get_text("description"))
    project["tags"] = list(call.data.get("tags") or [])
    project["system_tags"] = list(call.data.get("system_tags") or [])
    if call.get_text("default_output_destination"):
        project["default_output_destination"] = call.get_text("default_output_destination")
    return {"id": project["id"]}


@endpoint("projects.update", project=REQUIRED_TEXT, name=TEXT, description=TEXT, tags=LIST, system_tags=LIST)
def update(call: Call) -> Document:
    """Change a project. A new name also renames its subprojects."""
    project = call.state.require_project(call.data["project"])
    fields = {
        name: call.data[name]
        for name in ("name", "description", "tags", "system_tags", "default_output_destination")
        if call.data.get(name) is not None
    }
    if fields.get("name", project["name"]) != project["name"]:
        _rename(call, project, fields["name"])
    project.update(fields)
    project["last_update"] = truncate_to_milliseconds(call.state.now())
    return {"fields": fields, "updated": 1}


def _rename(call: Call, project: Document, name: str) -> None:
    check_name(name)
    if call.state.find_project(name):
        raise ApiError(PROJECT_EXISTS, name=name, company=call.state.company)
    old = project["name"]
    for other in call.state.projects.values():
        if other["name"].startswith(f"{old}/"):
            other["name"] = name + other["name"].removeprefix(old)
    project["basename"] = name.rpartition("/")[2]


@endpoint("projects.delete", project=REQUIRED_TEXT, force=FLAG)
def delete(call: Call) -> Document:
    """Delete a project and its subprojects. `force` allows it with tasks, which then have no project."""
    state = call.state
    project = state.require_project(call.data["project"])
    deleted_ids = state.expand_subprojects([project["id"]])
    tasks = state.list_tasks(deleted_ids)
    if tasks and not call.get_flag("force"):
        raise ApiError(PROJECT_HAS_TASKS, "use force=true to delete", id=project["id"])
    for task in tasks:
        task.pop("project", None)
    for id_ in deleted_ids:
        del state.projects[id_]
    return {
        "deleted": 1,
        "disassociated_tasks": len(tasks),
        "deleted_models": 0,
        "deleted_tasks": 0,
        "urls": {},
    }


@endpoint("projects.get_by_id", project=REQUIRED_TEXT)
def get_by_id(call: Call) -> Document:
    project = call.state.require_project(call.data["project"])
    return {"project": {**project, "path": _list_ancestor_ids(call.state, project)}}


def _list_ancestor_ids(state: State, project: Document) -> list[str]:
    """Return the ids of the projects above, the topmost first."""
    parent = state.projects.get(project.get("parent", ""))
    return [*_list_ancestor_ids(state, parent), parent["id"]] if parent else []


@endpoint("projects.get_all", only_fields=TEXT_OR_LIST, shallow_search=FLAG, search_hidden=FLAG)
def get_all(call: Call) -> Document:
    found = _find_projects(call)
    answer = {"projects": [queries.select_fields(project, call.data, PROJECT_SCHEMA) for project in found]}
    return {**answer, **queries.advance_scroll(call.state, call.data, found)}


@endpoint("projects.get_all_ex", only_fields=TEXT_OR_LIST, include_stats=FLAG)
def get_all_ex(call: Call) -> Document:
    """Answer like get_all, with references as documents and, on request, with task counts by status."""
    found = _find_projects(call)
    projects = [queries.expand_references(call.state, project, call.data, PROJECT_SCHEMA) for project in found]
    if call.get_flag("include_stats"):
        for project, answer in zip(found, projects, strict=True):
            answer["stats"] = {"active": _compute_statistics(call.state, project)}
            answer["sub_projects"] = _list_subprojects(call.state, project)
    return {"projects": projects, **queries.advance_scroll(call.state, call.data, found)}


def _find_projects(call: Call) -> list[Document]:
    state, data = call.state, call.data
    queries.parse_only_fields(data, PROJECT_SCHEMA)
    projects = state.projects
    if not call.get_flag("search_hidden"):
        projects = {id_: item for id_, item in projects.items() if "hidden" not in item["system_tags"]}
    if call.get_flag("shallow_search"):
        projects = {id_: item for id_, item in projects.items() if "parent" not in item}
    if data.get("active_users"):
        active_ids = {task.get("project") for task in state.tasks.values() if task["user"] in data["active_users"]}
        projects = {id_: item for id_, item in projects.items() if id_ in active_ids}
    return queries.find(state, projects, data, PROJECT_SCHEMA)


def _compute_statistics(state: State, project: Document) -> Document:
    now = state.now()
    tasks = [
        task
        for task in state.list_tasks(state.expand_subprojects([project["id"]]))
        if "archived" not in task["system_tags"]
    ]
    counts = dict.fromkeys(_STATUSES, 0)
    for task in tasks:
        counts[task["status"]] += 1
    completed = [task["completed"] for task in tasks if task.get("completed")]
    return {
        "status_count": counts,
        "total_tasks": len(tasks),
        "total_runtime": sum(task.get("active_duration") or 0 for task in tasks),
        "completed_tasks_24h": sum(now - moment < timedelta(days=1) for moment in completed),
        "last_task_run": max((task["started"] for task in tasks if task.get("started")), default=None),
    }


def _list_subprojects(state: State, project: Document) -> list[Document]:
    prefix = f"{project['name']}/"
    subprojects = [other for other in state.projects.values() if other["name"].startswith(prefix)]
    return [{"id": subproject["id"], "name": subproject["name"]} for subproject in subprojects]


def _find_tasks(call: Call, field: str) -> list[Document]:
    """Return the tasks of the requested projects and their subprojects, or all tasks without a project."""
    if not (requested := call.data.get(field)):
        return call.state.list_tasks(None)
    ids = requested if isinstance(requested, list) else [requested]
    return call.state.list_tasks(call.state.expand_subprojects(ids))


@endpoint("projects.get_hyper_parameters", since="2.9", project=TEXT)
def get_hyper_parameters(call: Call) -> Document:
    """Return the sorted parameter names of a project's tasks, in pages."""
    names = sorted(
        {
            (section, name)
            for task in _find_tasks(call, "project")
            for section, parameters in task["hyperparams"].items()
            for name in parameters
        }
    )
    size = int(call.data.get("page_size") or 500)
    start = int(call.data.get("page") or 0) * size
    part = names[start : start + size]
    return {
        "total": len(names),
        "remaining": max(len(names) - start - len(part), 0),
        "parameters": [{"section": section, "name": name} for section, name in part],
    }


@endpoint("projects.get_task_tags", since="2.8", projects=LIST)
def get_task_tags(call: Call) -> Document:
    tasks = _find_tasks(call, "projects")
    answer = {"tags": sorted({tag for task in tasks for tag in task["tags"]})}
    if call.get_flag("include_system"):
        answer["system_tags"] = sorted({tag for task in tasks for tag in task["system_tags"]})
    return answer


@endpoint("projects.get_task_parents", since="2.12", projects=LIST)
def get_task_parents(call: Call) -> Document:
    """Return the tasks that the projects' tasks were cloned from."""
    parents = {task["parent"] for task in _find_tasks(call, "projects") if task.get("parent")}
    found = [call.state.tasks[id_] for id_ in parents if id_ in call.state.tasks]
    items = [{"id": task["id"], "name": task["name"], "project": {"id": task.get("project")}} for task in found]
    return {"parents": sorted(items, key=lambda item: item["name"])}


@endpoint("projects.get_unique_metric_variants", project=TEXT)
def get_unique_metric_variants(call: Call) -> Document:
    """Return the metrics and variants that the project's tasks reported, with their keys in `last_metrics`."""
    found = {
        (entry["metric"], entry["variant"]): {
            "metric": entry["metric"],
            "metric_hash": metric,
            "variant": entry["variant"],
            "variant_hash": variant,
        }
        for task in _find_tasks(call, "project")
        for metric, variants in task["last_metrics"].items()
        for variant, entry in variants.items()
    }
    return {"metrics": [found[key] for key in sorted(found)]}
