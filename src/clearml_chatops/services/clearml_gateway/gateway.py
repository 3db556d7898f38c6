"""What the program asks of ClearML, as typed verbs; and one connection for each ClearML identity."""

import re
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from clearml_chatops.models.errors import ClearMLError
from clearml_chatops.models.experiments import Container, Experiment, LogLine, Parameter, Script, Status
from clearml_chatops.models.queues import Queue, Worker
from clearml_chatops.models.scalars import Curve
from clearml_chatops.services.clearml_gateway.reading import (
    EXPERIMENT_FIELDS,
    LISTED_FIELDS,
    RUN_FIELDS,
    STATE_FIELDS,
    read_curve,
    read_experiment,
    read_log_lines,
    read_queue,
    read_worker,
    write_container,
    write_parameter,
    write_script,
)
from clearml_chatops.services.clearml_gateway.run_reports import RunReports
from clearml_chatops.services.clearml_gateway.session import (
    ClearMLCredentials,
    ClearMLIdentity,
    ClearMLSession,
)

_REQUESTS_AT_ONCE = 8
"""Requests under way at once; ClearML's API server has a handful of processes itself."""

_ID_LENGTH = 32

_WORKER_SEEN_WITHIN_SECONDS = 600


@dataclass(frozen=True, slots=True)
class ExperimentFilter:
    """What to look for. Texts are matched as they are, without regard to case, never as a pattern.

    `exact` asks for names that are the whole text and ids that begin with it.
    """

    text: str = ""
    exact: bool = False
    ids: tuple[str, ...] = ()
    project_ids: tuple[str, ...] = ()
    user_ids: tuple[str, ...] = ()
    statuses: tuple[Status, ...] = ()


@dataclass(frozen=True, slots=True)
class Enqueued:
    """The answer to an enqueue: when, and whether a worker listens on the queue (None: not told)."""

    at: datetime | None
    watched: bool | None


class ClearML(RunReports):
    """ClearML's API as one identity."""

    def __init__(self, session: ClearMLSession, *, acting_user_id: str = "") -> None:
        self._session = session
        self._acting_user_id = acting_user_id

    async def _call(self, endpoint: str, body: Mapping[str, object]) -> dict[str, Any]:
        return await self._session.call(endpoint, body, acting_user_id=self._acting_user_id)

    # ── Experiments ───────────────────────────────────────────────────────────────────────────────

    async def experiments(self, ids: Sequence[str], *, whole: bool = True) -> dict[str, Experiment]:
        """The experiments with these full ids, by id; unknown ids are absent. One request, for 500 at most."""
        fields = list(EXPERIMENT_FIELDS if whole else LISTED_FIELDS)
        data = await self._call(
            "tasks.get_all_ex", {"id": list(ids), "only_fields": fields, "search_hidden": True}
        )
        return {task["id"]: read_experiment(task) for task in data["tasks"]}

    async def find_experiments(
        self, wanted: ExperimentFilter, *, limit: int, skip: int = 0, whole: bool = False
    ) -> tuple[Experiment, ...]:
        """The experiments that fit, the last changed first; archived ones are left out. One request.

        `skip` leaves out as many of the first. How many fit in all ClearML does not tell.
        """
        page, page_size = _page_around(skip, limit)
        body: dict[str, object] = {
            "only_fields": list(EXPERIMENT_FIELDS if whole else LISTED_FIELDS),
            "order_by": ["-last_update"],
            "page": page,
            "page_size": page_size,
            "system_tags": ["-archived"],
        }
        if wanted.text:
            body["_any_"] = {"fields": ["id", "name"], "pattern": _pattern(wanted)}
        if wanted.ids:
            body["id"] = list(wanted.ids)
        if wanted.project_ids:
            body["project"] = list(wanted.project_ids)
        if wanted.user_ids:
            body["user"] = list(wanted.user_ids)
        if wanted.statuses:
            body["status"] = [status.value for status in wanted.statuses]
        data = await self._call("tasks.get_all_ex", body)
        before = skip - page * page_size
        return tuple(read_experiment(task) for task in data["tasks"][before : before + limit])

    async def experiments_changed_since(
        self, moment: datetime, *, page: int, page_size: int
    ) -> tuple[Experiment, ...]:
        """One page of what changed its status at `moment` or later, oldest change first."""
        data = await self._call(
            "tasks.get_all_ex",
            {
                "status_changed": [f">={moment.isoformat()}"],
                "order_by": ["status_changed", "id"],
                "only_fields": list(STATE_FIELDS),
                "page": page,
                "page_size": page_size,
                "search_hidden": True,
            },
        )
        return tuple(read_experiment(task) for task in data["tasks"])

    async def running_experiments(self) -> tuple[Experiment, ...]:
        """All that ClearML takes for running, with where and by which worker. One request, for at most 500."""
        data = await self._call(
            "tasks.get_all_ex",
            {
                "status": [Status.RUNNING.value],
                "only_fields": list(RUN_FIELDS),
                "page": 0,
                "page_size": 500,
                "search_hidden": True,
            },
        )
        return tuple(read_experiment(task) for task in data["tasks"])

    async def existing(self, ids: Sequence[str]) -> frozenset[str]:
        """Which of these experiments there are, archived ones too. One request for at most 500."""
        data = await self._call(
            "tasks.get_all_ex",
            {"id": list(ids), "only_fields": ["id"], "page": 0, "page_size": 500, "search_hidden": True},
        )
        return frozenset(task["id"] for task in data["tasks"])

    async def last_status_change(self) -> datetime | None:
        """The server's time of its most recent status change; None where there are no experiments."""
        data = await self._call(
            "tasks.get_all_ex",
            {"order_by": ["-status_changed"], "only_fields": list(STATE_FIELDS), "page": 0, "page_size": 1},
        )
        tasks = data["tasks"]
        return read_experiment(tasks[0]).status_changed if tasks else None

    async def clone(
        self,
        source_id: str,
        *,
        name: str,
        project_id: str = "",
        parameters: Sequence[Parameter] | None = None,
        container: Container | None = None,
    ) -> str:
        """Makes a Draft and gives its id. Parameters and container, where given, are the copy's whole ones."""
        body: dict[str, object] = {"task": source_id, "new_task_name": name, "new_task_parent": source_id}
        if project_id:
            body["new_task_project"] = project_id
        if parameters is not None:
            sections: dict[str, dict[str, object]] = {}
            for parameter in parameters:
                sections.setdefault(parameter.section, {})[parameter.name] = write_parameter(parameter)
            body["new_task_hyperparams"] = sections
        if container is not None:
            body["new_task_container"] = write_container(container)
        return str((await self._call("tasks.clone", body))["id"])

    async def write_parameters(self, experiment_id: str, parameters: Sequence[Parameter]) -> None:
        """Sets these parameters of a Draft; all others stay as the server has them."""
        await self._call(
            "tasks.edit_hyper_params",
            {
                "task": experiment_id,
                "hyperparams": [write_parameter(parameter) for parameter in parameters],
                "replace_hyperparams": "none",
            },
        )

    async def delete_parameters(self, experiment_id: str, parameters: Sequence[Parameter]) -> None:
        await self._call(
            "tasks.delete_hyper_params",
            {
                "task": experiment_id,
                "hyperparams": [{"section": item.section, "name": item.name} for item in parameters],
            },
        )

    async def write_container(self, experiment_id: str, container: Container) -> None:
        """Sets the whole container of a Draft: ClearML keeps nothing of the former one."""
        await self._call("tasks.edit", {"task": experiment_id, "container": write_container(container)})

    async def write_script(self, experiment_id: str, script: Script) -> None:
        """Sets the whole script of a Draft."""
        await self._call("tasks.edit", {"task": experiment_id, "script": write_script(script)})

    async def rename(self, experiment_id: str, name: str) -> None:
        await self._call("tasks.update", {"task": experiment_id, "name": name})

    async def write_tags(self, experiment_id: str, tags: Sequence[str]) -> None:
        await self._call("tasks.update", {"task": experiment_id, "tags": list(tags)})

    async def enqueue(self, experiment_id: str, queue_id: str) -> Enqueued:
        data = await self._call(
            "tasks.enqueue", {"task": experiment_id, "queue": queue_id, "verify_watched_queue": True}
        )
        changed = read_experiment({"id": experiment_id, **data.get("fields", {})})
        return Enqueued(changed.status_changed, data.get("queue_watched"))

    async def dequeue(self, experiment_id: str, queue_id: str) -> None:
        """Takes it out of its queue, back to the status it had before.

        By queues.remove_task, which refuses (400/703) what a worker has taken meanwhile; tasks.dequeue
        would say yes and lose the run.
        """
        await self._call(
            "queues.remove_task", {"queue": queue_id, "task": experiment_id, "update_task_status": True}
        )

    async def stop(self, experiment_id: str, *, reason: str) -> None:
        await self._call("tasks.stop", {"task": experiment_id, "status_reason": reason})

    async def note_stopped(self, experiment_id: str, *, reason: str) -> None:
        """Notes that a run was stopped, in the stead of an agent that is no more."""
        await self._call("tasks.stopped", {"task": experiment_id, "status_reason": reason, "force": True})

    async def note_failed(self, experiment_id: str, *, reason: str) -> None:
        """Notes that a run has failed, in the stead of an agent that is no more."""
        await self._call("tasks.failed", {"task": experiment_id, "status_reason": reason})

    async def reset(self, experiment_id: str) -> None:
        await self._call("tasks.reset", {"task": experiment_id})

    async def archive(self, experiment_id: str) -> None:
        await self._call("tasks.archive", {"tasks": [experiment_id]})

    async def last_log_lines(self, experiment_id: str, count: int) -> tuple[LogLine, ...]:
        """The last lines of a run's console, oldest first."""
        data = await self._call(
            "events.get_task_log", {"task": experiment_id, "batch_size": count, "navigate_earlier": True}
        )
        events = sorted(data["events"], key=lambda event: event.get("timestamp") or 0)
        return tuple(line for event in events for line in read_log_lines(event))[-count:]

    async def curves(self, experiment_id: str, *, samples: int) -> tuple[Curve, ...]:
        """All that a run reported over its iterations, at most `samples` points each. One request."""
        data = await self._call(
            "events.scalar_metrics_iter_histogram", {"task": experiment_id, "samples": samples, "key": "iter"}
        )
        return tuple(
            read_curve(experiment_id, metric, variant, points)
            for metric, variants in data.items()
            for variant, points in variants.items()
        )

    async def curves_of_several(self, experiment_ids: Sequence[str], *, samples: int) -> tuple[Curve, ...]:
        """The same of several experiments. One request."""
        data = await self._call(
            "events.multi_task_scalar_metrics_iter_histogram",
            {"tasks": list(experiment_ids), "samples": samples, "key": "iter"},
        )
        return tuple(
            read_curve(experiment_id, metric, variant, points)
            for metric, variants in data["metrics"].items()
            for variant, experiments in variants.items()
            for experiment_id, points in experiments.items()
        )

    async def projects(self, name: str) -> dict[str, str]:
        """Ids of the projects whose name holds `name`, by name."""
        data = await self._call(
            "projects.get_all",
            {"name": re.escape(name), "only_fields": ["id", "name"], "search_hidden": False},
        )
        return {project["name"]: project["id"] for project in data["projects"]}

    # ── Queues ────────────────────────────────────────────────────────────────────────────────────

    async def queues(self) -> tuple[Queue, ...]:
        """All queues with what waits in them and who listens. One request."""
        data = await self._call("queues.get_all_ex", {})
        return tuple(
            sorted((read_queue(queue) for queue in data["queues"]), key=lambda queue: queue.name.casefold())
        )

    async def queue(self, queue_id: str) -> Queue | None:
        data = await self._call("queues.get_all_ex", {"id": [queue_id]})
        return next((read_queue(queue) for queue in data["queues"]), None)

    async def create_queue(self, name: str) -> str:
        return str((await self._call("queues.create", {"name": name}))["id"])

    async def rename_queue(self, queue_id: str, name: str) -> None:
        await self._call("queues.update", {"queue": queue_id, "name": name})

    async def write_queue_tags(self, queue_id: str, tags: Sequence[str]) -> None:
        """Sets all tags of a queue: ClearML keeps none of the former ones."""
        await self._call("queues.update", {"queue": queue_id, "tags": list(tags)})

    async def delete_queue(self, queue_id: str, *, force: bool) -> None:
        await self._call("queues.delete", {"queue": queue_id, "force": force})

    async def move_to_front(self, queue_id: str, experiment_id: str) -> None:
        await self._call("queues.move_task_to_front", {"queue": queue_id, "task": experiment_id})

    async def move_to_back(self, queue_id: str, experiment_id: str) -> None:
        await self._call("queues.move_task_to_back", {"queue": queue_id, "task": experiment_id})

    async def move_by(self, queue_id: str, experiment_id: str, places: int) -> None:
        """Moves it towards the front by `places`, or towards the back where that is negative."""
        action = "queues.move_task_forward" if places > 0 else "queues.move_task_backward"
        await self._call(action, {"queue": queue_id, "task": experiment_id, "count": abs(places)})

    # ── Workers, the server, ourselves ────────────────────────────────────────────────────────────

    async def workers(self) -> tuple[Worker, ...]:
        """The workers that were seen within the ten minutes after which ClearML forgets one."""
        data = await self._call("workers.get_all", {"last_seen": _WORKER_SEEN_WITHIN_SECONDS})
        return tuple(sorted((read_worker(worker) for worker in data["workers"]), key=lambda worker: worker.id))

    async def sign_off(self, worker_id: str) -> None:
        """Takes a worker from ClearML's list, which keeps a killed one there for ten minutes."""
        await self._call("workers.unregister", {"worker": worker_id})

    async def users(self) -> dict[str, str]:
        """Names of all users, by id."""
        data = await self._call("users.get_all_ex", {"only_fields": ["id", "name"]})
        return {user["id"]: user["name"] for user in data["users"]}

    async def identity(self) -> ClearMLIdentity:
        return await self._session.identity()

    async def agent_environment(self) -> dict[str, str]:
        return await self._session.agent_environment()

    async def host(self) -> str:
        return await self._session.host()

    async def web_host(self) -> str:
        return await self._session.web_host()


class ClearMLConnections:
    """The way to ClearML for everybody who uses this bot, in one bounded pool of threads."""

    def __init__(self, credentials: ClearMLCredentials) -> None:
        self._threads = ThreadPoolExecutor(_REQUESTS_AT_ONCE, thread_name_prefix="clearml")
        self._session = ClearMLSession(credentials, threads=self._threads)
        self.bot = ClearML(self._session)

    async def require_credentials(self) -> None:
        """Raises SettingsError where no credentials are set; whether they are right the server tells."""
        await self._session.require_credentials()

    def acting_as(self, clearml_user_id: str) -> ClearML:
        """ClearML as this user where the bot's credentials allow it, else as the bot itself."""
        return ClearML(self._session, acting_user_id=clearml_user_id)

    async def aclose(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)


def _pattern(wanted: ExperimentFilter) -> str:
    """The regular expression for names and ids."""
    text = re.escape(wanted.text)
    if not wanted.exact:
        return text
    rest_of_id = max(0, _ID_LENGTH - len(wanted.text))
    return rf"^{text}$|^{text}[0-9a-f]{{{rest_of_id}}}$"


def _page_around(skip: int, limit: int) -> tuple[int, int]:
    """Number and size of the smallest page that holds `limit` entries behind the first `skip`."""
    size = limit
    while skip // size != (skip + limit - 1) // size:
        size += 1
    return skip // size, size


def has_code(error: ClearMLError, result_code: int, result_subcode: int) -> bool:
    """Whether ClearML refused with exactly this code and subcode."""
    return (error.values.get("result_code"), error.values.get("result_subcode")) == (
        result_code,
        result_subcode,
    )
