"""Recorded exchanges with a real server, and the setup that each of them needs.

The recordings come from several sessions, so the documents they refer to don't exist in a new sandbox. The setup
is derived from the request and the recorded response: tasks, queues, projects and workers are created with the
recorded ids, and brought to the status that the response shows, through the API.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from clearml_chatops.sandbox.state import Credentials, State

from .support import Client, Clock, build_basic_authorization

ALICE = "ebd9c614fe1dfb0bcb4618861bd238fd"
BOB = "1c44282c289e4ad9bb1a55cb9c0e5a56"

_ID = re.compile(r"(?!0{32})[0-9a-f]{32}")
_STATUS = re.compile(r"(?:current_status|current|status)=(\w+)")
_QUEUE = "arranged_queue"

# The usual status for a call. A status in the recorded response takes precedence.
_USUAL_STATUSES = {
    "tasks.started": "queued",
    "tasks.completed": "in_progress",
    "tasks.failed": "in_progress",
    "tasks.stopped": "in_progress",
    "tasks.stop": "in_progress",
    "tasks.ping": "in_progress",
    "tasks.publish": "completed",
    "tasks.dequeue": "queued",
    "queues.remove_task": "queued",
    "queues.move_task_to_front": "queued",
    "queues.move_task_to_back": "queued",
    "queues.move_task_forward": "queued",
    "queues.move_task_backward": "queued",
    "workers.status_report": "in_progress",
}
# The fields whose ids don't exist, by subcode of the response.
_MISSING_FIELDS = {
    101: ("task", "tasks", "id"),
    131: ("task",),
    401: ("project",),
    701: ("queue", "queues"),
}
_ACTIONS_WITH_ENTRY = (
    "get_num_entries",
    "peek_task",
    "clear_queue",
    "get_queue_metrics",
    "get_by_id",
    "get_all_ex",
)


@dataclass(frozen=True)
class Recording:
    """One recorded exchange."""

    number: int
    method: str
    path: str
    request: Any
    status: int
    response: Any

    @property
    def endpoint(self) -> str:
        return self.path.rpartition("/")[2]

    @property
    def subcode(self) -> int:
        return int(self.response["meta"]["result_subcode"])

    @property
    def message(self) -> str:
        return str(self.response["meta"]["result_msg"])

    @property
    def data(self) -> Any:
        return self.response["data"]

    @property
    def fields(self) -> dict[str, Any]:
        return self.request if isinstance(self.request, dict) else {}

    @property
    def body(self) -> bytes | None:
        if self.request is None:
            return None
        return (self.request if isinstance(self.request, str) else json.dumps(self.request)).encode()

    def __str__(self) -> str:
        return f"{self.number}-{self.endpoint}-{self.status}-{self.subcode}"


def load_recordings() -> list[Recording]:
    lines = Path(__file__).with_name("recordings.jsonl").read_text(encoding="utf-8").splitlines()
    found = []
    for number, line in enumerate(lines):
        item = json.loads(line)
        item.pop("client")
        found.append(Recording(number, **item))
    return found


RECORDINGS = load_recordings()


def find_first_success(endpoint: str) -> Recording:
    return next(item for item in RECORDINGS if item.endpoint == endpoint and item.status == 200)


@dataclass
class RecordingSetup:
    """Prepares a sandbox for one recording."""

    client: Client
    clock: Clock
    recording: Recording

    @property
    def state(self) -> State:
        return self.client.sandbox.state

    async def prepare(self) -> dict[str, str]:
        """Create everything that the request needs. Return the headers to send it with."""
        self._set_clock()
        recording = self.recording
        self._add_projects()
        await self._add_queues()
        await self._add_tasks()
        await self._add_entries()
        await self._add_events()
        await self._add_workers()
        if recording.endpoint.startswith(("projects.get_", "organization.")) and recording.status == 200:
            await self._add_example_task()
        if "access_key" in recording.fields:
            keys = Credentials("SECRET_KEY", self.client.user.id)
            self.state.credentials[recording.fields["access_key"]] = keys
        return self._build_headers()

    def build_body(self) -> bytes | None:
        """Return the recorded body, with the users of this sandbox."""
        body = self.recording.body
        if body is None:
            return None
        sandbox = self.client.sandbox
        return body.replace(ALICE.encode(), sandbox.alice.id.encode()).replace(
            BOB.encode(), sandbox.bob.id.encode()
        )

    def _build_headers(self) -> dict[str, str]:
        recording, user = self.recording, self.client.user
        headers = {"Authorization": build_basic_authorization(user.access_key, user.secret_key)}
        match recording.status, recording.subcode:
            case 401, 20:
                return {}
            case 401, 22:
                headers["Authorization"] = build_basic_authorization(user.access_key, "wrong")
            case 401, 30:
                headers["Authorization"] = "Bearer garbage"
            case 401, 10:
                headers["Authorization"] = "Digest something"
            case 400, 6:
                headers["X-ClearML-Impersonate-As"] = self.client.sandbox.bob.id
        return headers

    def _set_clock(self) -> None:
        """Set the clock to the end of the time range of a request for statistics."""
        if "to_date" in self.recording.fields:
            self.clock.moment = datetime.fromtimestamp(self.recording.fields["to_date"] - 5, UTC)

    def _list_ids(self, *names: str) -> list[str]:
        """Return the ids in these fields of the request, without those that didn't exist at the recording."""
        missing_names = _MISSING_FIELDS.get(self.recording.subcode, ()) if self.recording.status == 400 else ()
        found: list[str] = []
        for name in names:
            value = self.recording.fields.get(name)
            ids = value if isinstance(value, list) else [value]
            if name not in missing_names:
                found += [id_ for id_ in ids if isinstance(id_, str) and _ID.fullmatch(id_)]
        return found

    # projects

    def _add_projects(self) -> None:
        recording = self.recording
        for document in _find_documents(recording.data, "project", "projects"):
            self._ensure_project(document.get("id"), document.get("name") or recording.fields["name"])
        for id_ in self._list_ids("project", "projects"):
            self._ensure_project(id_, f"arranged/{id_[:6]}")
        if recording.endpoint == "projects.create" and recording.subcode == 801:
            self._ensure_project(None, recording.fields["name"])

    def _ensure_project(self, id_: str | None, name: str) -> None:
        if id_ in self.state.projects:
            return
        project = self.state.add_project(name, user=self.client.user.id)
        if id_:
            del self.state.projects[project["id"]]
            project["id"] = id_
            self.state.projects[id_] = project

    # queues

    async def _add_queues(self) -> None:
        recording = self.recording
        for document in _find_documents(recording.data, "queue", "queues"):
            self._ensure_queue(document.get("id"), document.get("name") or _QUEUE)
        ids = self._list_ids("queue", "queues", "queue_ids")
        if recording.endpoint.startswith("queues."):
            ids += self._list_ids("id")
        for id_ in ids:
            self._ensure_queue(id_, f"arranged_{id_[:6]}")
        if recording.endpoint == "queues.create" and recording.subcode == 801:
            self._ensure_queue(None, recording.fields["name"])

    def _ensure_queue(self, id_: str | None, name: str) -> str:
        existing = self.state.queues.get(id_ or "") or self.state.find_queue(name)
        queue = existing or self.state.add_queue(name)
        if id_ and queue["id"] != id_:
            del self.state.queues[queue["id"]]
            queue["id"] = id_
            self.state.queues[id_] = queue
        return str(queue["id"])

    async def _add_entries(self) -> None:
        """Enqueue a task in the queues that had one, as the request or the response shows."""
        recording = self.recording
        service, _, action = recording.endpoint.partition(".")
        if service != "queues":
            return
        queues = self._list_ids("queue", "id", "queue_ids")
        for document in _find_documents(recording.data, "queues", "queue"):
            if document.get("entries") and document.get("id"):
                queues.append(document["id"])
        has_entry = action in _ACTIONS_WITH_ENTRY or recording.subcode == 702 or bool(recording.data.get("entry"))
        lists_entries = any(document.get("entries") for document in _find_documents(recording.data, "queues"))
        if action == "get_next_task" and not recording.data.get("entry"):
            has_entry = False
        if has_entry or lists_entries:
            for queue in dict.fromkeys(queues):
                task = self.state.add_task("an entry", user=self.client.user.id)["id"]
                await self.client.call_for_data("tasks.enqueue", task=task, queue=queue)
        if action == "get_queue_metrics":
            for queue in queues:
                await self.client.call_for_data("queues.get_next_task", queue=queue)

    # tasks

    async def _add_tasks(self) -> None:
        recording = self.recording
        documents = list(_find_documents(recording.data, "task", "tasks"))
        if len(documents) == 1 and "id" not in documents[0]:
            # the request named the id, so the response leaves it out
            documents[0] = {**documents[0], "id": self._list_ids("id")[0]}
        recorded_tasks = {document["id"]: document for document in documents}
        task_ids = list(recorded_tasks)
        task_ids += self._list_ids("task", "tasks", "new_task_parent")
        if recording.endpoint.startswith("tasks."):
            task_ids += self._list_ids("id")
        if recording.endpoint == "events.add_batch" and recording.status == 200:
            task_ids += [event["task"] for event in _parse_events(recording)]
        for id_ in dict.fromkeys(task_ids):
            await self._add_task(id_, recorded_tasks.get(id_, {}))

    async def _add_task(self, id_: str, recorded_task: dict[str, Any]) -> None:
        recording = self.recording
        copied_fields = ("type", "tags", "comment", "hyperparams", "container", "script", "system_tags", "runtime")
        fields = {name: recorded_task[name] for name in copied_fields if name in recorded_task}
        project = recorded_task.get("project") or next(iter(self._list_ids("project")), None)
        if project:
            self._ensure_project(project, f"arranged/{project[:6]}")
            fields["project"] = project
        if "parent" in recorded_task:
            fields["parent"] = self.state.add_task("the parent", user=self.client.user.id)["id"]
        user = (
            self.client.sandbox.bob
            if _get_user_id(recorded_task) == BOB or "user" in recording.fields
            else self.client.user
        )
        name = recorded_task.get("name") or recording.fields.get("search_text") or "arranged"
        self.state.add_task(name, id=id_, user=user.id, **fields)
        status = recorded_task.get("status") or self._infer_status()
        has_worker = "last_worker" in recorded_task or _get_answered_status(recording) == (
            "in_progress",
            "stopping",
        )
        await self._advance_to_status(id_, status, has_worker=has_worker)
        if recorded_task.get("status") == "created" and recorded_task.get("execution", {}).get("queue"):
            await self.client.call_for_data("tasks.enqueue", task=id_)
            await self.client.call_for_data("tasks.dequeue", task=id_)
        if recorded_task.get("status_reason") == "failed enqueueing":
            answer = await self.client.call("tasks.enqueue", task=id_, queue="0" * 32)
            assert answer.subcode == 701
        if recorded_task.get("metric_stats"):
            await self.client.call_for_data("events.add_batch", type="log", task=id_, msg="a line")

    def _infer_status(self) -> str:
        """Return the status that the task had before the request, as far as request and response show it."""
        recording, fields = self.recording, self.recording.fields
        status_match = _STATUS.search(recording.message)
        status = _USUAL_STATUSES.get(recording.endpoint, "created")
        if status_match:
            status = status_match[1]
        elif recording.subcode == 706 or recording.data.get("dequeued") == {"removed": 1}:
            status = "queued"
        elif recording.subcode == 703:
            status = "created"
        elif recording.endpoint == "tasks.dequeue":
            status = fields.get("new_status") or status
        elif recording.endpoint == "tasks.edit_hyper_params" and fields.get("force"):
            status = "in_progress"
        elif recording.endpoint == "tasks.started" and "started" not in recording.data["fields"]:
            # no start time in the response: the task had been started before
            status = "in_progress"
        elif len(fields.get("status") or ()) == 1:
            status = str(fields["status"][0])
        return status

    async def _advance_to_status(self, id_: str, status: str, *, has_worker: bool) -> None:
        """Bring the task to a status through the API."""
        if status == "created":
            return
        queue = next(iter(self._list_ids("queue")), None) or self._ensure_queue(None, _QUEUE)
        await self.client.call_for_data("tasks.enqueue", task=id_, queue=queue)
        if status == "queued":
            return
        await self.client.call_for_data("queues.remove_task", task=id_, queue=queue)
        await self.client.call_for_data("tasks.started", task=id_, force=True)
        if has_worker:
            await self.client.call_for_data("workers.status_report", worker="box:gpu0", task=id_, timestamp=0)
        if status in {"completed", "failed", "stopped"}:
            await self.client.call_for_data(f"tasks.{status}", task=id_)
        if status == "published":
            await self.client.call_for_data("tasks.completed", task=id_)
            await self.client.call_for_data("tasks.publish", task=id_)

    async def _add_example_task(self) -> None:
        """Create the first recorded task, which has tags and parameters, in the requested project."""
        fields = dict(find_first_success("tasks.create").fields)
        project = next(iter(self._list_ids("project", "projects")), None)
        if project or "tags" in self.recording.data:
            await self.client.call_for_data("tasks.create", **{**fields, "project": project})

    # events and workers

    async def _add_events(self) -> None:
        recording = self.recording
        if recording.endpoint.startswith("events.") and recording.endpoint != "events.add_batch":
            if recording.status != 200 or recording.data.get("total") == 0:
                return
            body = str(find_first_success("events.add_batch").request)
            for task in self._list_ids("task", "tasks"):
                for line in body.splitlines():
                    await self.client.call_for_data("events.add", **{**json.loads(line), "task": task})

    async def _add_workers(self) -> None:
        recording = self.recording
        if recording.endpoint == "workers.get_all":
            for worker in recording.data["workers"]:
                await self._add_worker(worker)
        for id_ in recording.fields.get("worker_ids") or ():
            statistics = {"cpu_usage": [1, 2], "memory_used": 5}
            await self.client.call_for_data(
                "workers.status_report", worker=id_, timestamp=0, machine_stats=statistics
            )

    async def _add_worker(self, recorded_worker: dict[str, Any]) -> None:
        queues = [self._ensure_queue(queue["id"], queue["name"]) for queue in recorded_worker["queues"]]
        for queue in recorded_worker["queues"]:
            if "next_task" in queue:
                task = self.state.add_task("next", user=self.client.user.id)["id"]
                await self.client.call_for_data("tasks.enqueue", task=task, queue=queue["id"])
        await self.client.call_for_data("workers.register", worker=recorded_worker["id"], queues=queues)
        if "last_report_time" in recorded_worker:
            report: dict[str, Any] = {"worker": recorded_worker["id"], "timestamp": 0}
            if "task" in recorded_worker:
                project = self.state.add_project("running", user=self.client.user.id)["id"]
                task = self.state.add_task("running", user=self.client.user.id, project=project)["id"]
                await self.client.call_for_data("tasks.started", task=task)
                report |= {"task": task, "queue": queues[0]}
            await self.client.call_for_data("workers.status_report", **report)


def _find_documents(data: dict[str, Any], *names: str) -> Iterator[dict[str, Any]]:
    """Yield the documents under these names in a response."""
    for name in names:
        value = data.get(name)
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, dict):
                yield item


def _get_user_id(document: dict[str, Any]) -> str:
    user = document.get("user")
    return str(user.get("id") if isinstance(user, dict) else user)


def _get_answered_status(recording: Recording) -> tuple[Any, Any]:
    fields = recording.data.get("fields") or {}
    return fields.get("status"), fields.get("status_message")


def _parse_events(recording: Recording) -> list[dict[str, Any]]:
    text = recording.request if isinstance(recording.request, str) else json.dumps(recording.request)
    return [json.loads(line) for line in text.splitlines()]
