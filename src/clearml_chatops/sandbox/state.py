"""The server's data of one company, in memory, with methods to add and look up documents."""

import secrets
from collections.abc import Callable, Iterable
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from clearml_chatops.sandbox.documents import Document, generate_id, truncate_to_milliseconds
from clearml_chatops.sandbox.errors import (
    PROJECT_NOT_FOUND,
    QUEUE_NOT_FOUND,
    TASK_NOT_FOUND,
    ApiError,
)
from clearml_chatops.sandbox.versions import ServerVersion

COMPANY_NAME = "clearml"


@dataclass(frozen=True, kw_only=True)
class User:
    """A user of the company, with their first pair of keys."""

    id: str
    name: str
    role: str
    """ClearML's role: `user`, `admin`, or `system` for the server's own account."""
    created: datetime
    access_key: str
    secret_key: str


@dataclass(frozen=True)
class Credentials:
    """A pair of API keys."""

    secret_key: str
    user: str
    label: str = ""


@dataclass(kw_only=True)
class Worker:
    """An agent as it last reported. ClearML has one worker per company, user and id."""

    key: str
    id: str
    user: str
    address: str
    queues: list[str]
    tags: list[str]
    system_tags: list[str]
    register_time: datetime
    register_timeout: int
    last_activity_time: datetime
    last_report_time: datetime | None = None
    task: str | None = None
    queue: str | None = None
    statistics: list[tuple[datetime, Document]] = field(default_factory=list)
    activity: list[tuple[datetime, bool]] = field(default_factory=list)
    """The time of each report, and whether a task was running."""

    def is_expired(self, now: datetime) -> bool:
        return now - self.last_activity_time > timedelta(seconds=self.register_timeout)


@dataclass
class TaskEvents:
    """The events that a task has reported."""

    log: list[Document] = field(default_factory=list)
    """Sorted by timestamp."""
    scalars: list[Document] = field(default_factory=list)


class State:
    """The data of one company.

    Tests and the demo fill it with `add_…`. The endpoints read and change the dictionaries directly.

    Args:
        clock: Returns the current time as an aware UTC datetime.
        version: The server that is played.
    """

    def __init__(self, clock: Callable[[], datetime], version: ServerVersion) -> None:
        self.now = clock
        self.version = version
        self.company = generate_id()
        self.users: dict[str, User] = {}
        self.credentials: dict[str, Credentials] = {}
        self.projects: dict[str, Document] = {}
        self.tasks: dict[str, Document] = {}
        self.queues: dict[str, Document] = {}
        self.models: dict[str, Document] = {}
        self.workers: dict[str, Worker] = {}
        self.events: dict[str, TaskEvents] = {}
        self.queue_waits: dict[str, list[tuple[datetime, float, int]]] = {}
        """By queue id: when an entry was removed, how many seconds it had waited, how many entries were left."""
        self.scroll_positions: dict[str, int] = {}
        self.retired_workers: list[Worker] = []

    def add_user(
        self,
        name: str,
        *,
        role: str = "user",
        id: str | None = None,  # noqa: A002 - ClearML's name
        access_key: str | None = None,
        secret_key: str | None = None,
    ) -> User:
        """Add a user with a pair of keys, random unless given."""
        user = User(
            id=id or generate_id(),
            name=name,
            role=role,
            created=truncate_to_milliseconds(self.now()),
            access_key=access_key or secrets.token_hex(15).upper(),
            secret_key=secret_key or secrets.token_urlsafe(48),
        )
        self.users[user.id] = user
        self.credentials[user.access_key] = Credentials(user.secret_key, user.id)
        return user

    def add_project(self, name: str, *, user: str, description: str = "") -> Document:
        """Return the project with this name. Create it if missing, with its parents ("a/b" is under "a")."""
        existing = self.find_project(name)
        if existing is not None:
            return existing
        parent_name, _, basename = name.rpartition("/")
        parent = self.add_project(parent_name, user=user)["id"] if parent_name else None
        now = truncate_to_milliseconds(self.now())
        project: Document = {
            "id": generate_id(),
            "company": self.company,
            "user": user,
            "name": name,
            "basename": basename,
            "description": description,
            "created": now,
            "tags": [],
            "system_tags": [],
            "last_update": now,
            "featured": 9999,
        }
        if parent:
            project["parent"] = parent
        self.projects[project["id"]] = project
        return project

    def add_queue(
        self,
        name: str,
        *,
        tags: Iterable[str] = (),
        system_tags: Iterable[str] = (),
        metadata: Document | None = None,
    ) -> Document:
        now = truncate_to_milliseconds(self.now())
        queue: Document = {
            "id": generate_id(),
            "name": name,
            "company": self.company,
            "created": now,
            "tags": list(tags),
            "system_tags": list(system_tags),
            "entries": [],
            "last_update": now,
            "metadata": metadata or {},
        }
        self.queues[queue["id"]] = queue
        return queue

    def add_task(self, name: str, *, user: str, **fields: object) -> Document:
        """Add a task with these API fields. Without `status` it is a draft."""
        now = truncate_to_milliseconds(self.now())
        task: Document = {
            "id": generate_id(),
            "company": self.company,
            "user": user,
            "name": name,
            "type": "training",
            "status": "created",
            "report_assets": [],
            "created": now,
            "output": {},
            "execution": {
                "test_split": 0,
                "parameters": {},
                "model_desc": {},
                "model_labels": {},
                "artifacts": [],
            },
            "tags": [],
            "system_tags": [],
            "script": {"binary": "python", "repository": "", "entry_point": "", "requirements": {}},
            "last_update": now,
            "last_change": now,
            "last_iteration": 0,
            "last_metrics": {},
            "unique_metrics": [],
            "metric_stats": {},
            "hyperparams": {},
            "configuration": {},
            "runtime": {},
            "models": {"input": [], "output": []},
            "container": {},
            "last_changed_by": user,
        }
        task.update(deepcopy(fields))
        self.tasks[task["id"]] = task
        return task

    def require_task(self, id: str) -> Document:  # noqa: A002
        """Return the task with this id.

        Raises:
            ApiError: 400/101, it doesn't exist.
        """
        found = self.tasks.get(id)
        if found is None:
            raise ApiError(TASK_NOT_FOUND, id=id, company=self.company)
        return found

    def require_readable_task(self, id: str) -> Document:  # noqa: A002
        """Return the task with this id, for endpoints that only read; their error lists ids."""
        found = self.tasks.get(id)
        if found is None:
            raise ApiError(TASK_NOT_FOUND, ids=f"({id})")
        return found

    def require_queue(self, id: str) -> Document:  # noqa: A002
        found = self.queues.get(id)
        if found is None:
            raise ApiError(QUEUE_NOT_FOUND, id=id, company=self.company)
        return found

    def require_project(self, id: str) -> Document:  # noqa: A002
        found = self.projects.get(id)
        if found is None:
            raise ApiError(PROJECT_NOT_FOUND, id=id)
        return found

    def find_project(self, name: str) -> Document | None:
        return next((project for project in self.projects.values() if project["name"] == name), None)

    def find_queue(self, name: str) -> Document | None:
        return next((queue for queue in self.queues.values() if queue["name"] == name), None)

    def expand_subprojects(self, ids: Iterable[str]) -> set[str]:
        """Return the ids of the given projects and all their subprojects."""
        names = tuple(self.projects[id_]["name"] for id_ in ids if id_ in self.projects)
        return {
            project["id"]
            for project in self.projects.values()
            if any(project["name"] == name or project["name"].startswith(f"{name}/") for name in names)
        }

    def list_tasks(self, project_ids: Iterable[str] | None) -> list[Document]:
        """Return the tasks of some projects, or all tasks if None."""
        if project_ids is None:
            return list(self.tasks.values())
        selected_ids = set(project_ids)
        return [task for task in self.tasks.values() if task.get("project") in selected_ids]

    def touch_project(self, id: str | None) -> None:  # noqa: A002
        """Set a project's `last_update` to now, after a change of its tasks."""
        if id in self.projects:
            self.projects[id]["last_update"] = truncate_to_milliseconds(self.now())
