"""Requests that change experiments: edit drafts, start and end runs."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from clearml_chatops.models.errors import ClearMLError
from clearml_chatops.models.experiments import REMOVED_FROM_QUEUE_REASON, Container, Parameter, Script, Status
from clearml_chatops.services.clearml_gateway.api_client import has_code
from clearml_chatops.services.clearml_gateway.serialization import (
    parse_experiment,
    serialize_container,
    serialize_parameter,
    serialize_script,
)
from clearml_chatops.services.clearml_gateway.server_info import ServerInfo

_RESTORES_STATUS_API_VERSION = (2, 31)
"""The first API version in which queues.remove_task can restore the status."""

_UNKNOWN_TASK, _INVALID_STATUS = (400, 101), (400, 110)

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class EnqueueResult:
    """ClearML's response to an enqueue; `has_worker` is whether a worker listens on the queue, None if unknown."""

    enqueued_at: datetime | None
    has_worker: bool | None


class ExperimentActions(ServerInfo):
    """The part of ClearML's API that creates, edits, enqueues and ends experiments."""

    async def clone(
        self,
        source_id: str,
        *,
        name: str,
        project_id: str = "",
        parameters: Sequence[Parameter] | None = None,
        container: Container | None = None,
    ) -> str:
        """Create a Draft and return its id.

        `parameters` and `container`, if given, replace those of the source completely.
        """
        body: dict[str, object] = {"task": source_id, "new_task_name": name, "new_task_parent": source_id}
        if project_id:
            body["new_task_project"] = project_id
        if parameters is not None:
            sections: dict[str, dict[str, object]] = {}
            for parameter in parameters:
                sections.setdefault(parameter.section, {})[parameter.name] = serialize_parameter(parameter)
            body["new_task_hyperparams"] = sections
        if container is not None:
            body["new_task_container"] = serialize_container(container)
        return str((await self._call("tasks.clone", body))["id"])

    async def set_parameters(self, experiment_id: str, parameters: Sequence[Parameter]) -> None:
        """Set these parameters of a Draft; the others keep the values they have on the server."""
        await self._call(
            "tasks.edit_hyper_params",
            {
                "task": experiment_id,
                "hyperparams": [serialize_parameter(parameter) for parameter in parameters],
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

    async def set_container(self, experiment_id: str, container: Container) -> None:
        """Replace the whole container of a Draft: ClearML keeps nothing of the previous one."""
        await self._call("tasks.edit", {"task": experiment_id, "container": serialize_container(container)})

    async def set_script(self, experiment_id: str, script: Script) -> None:
        """Replace the whole script of a Draft."""
        await self._call("tasks.edit", {"task": experiment_id, "script": serialize_script(script)})

    async def rename(self, experiment_id: str, name: str) -> None:
        await self._call("tasks.update", {"task": experiment_id, "name": name})

    async def set_tags(self, experiment_id: str, tags: Sequence[str]) -> None:
        await self._call("tasks.update", {"task": experiment_id, "tags": list(tags)})

    async def enqueue(self, experiment_id: str, queue_id: str, *, force: bool = False) -> EnqueueResult:
        """Enqueue an experiment, with `force` whatever its status: even a running one, which would run twice."""
        body = {"task": experiment_id, "queue": queue_id, "verify_watched_queue": True}
        data = await self._call("tasks.enqueue", {**body, "force": True} if force else body)
        changed = parse_experiment({"id": experiment_id, **data.get("fields", {})})
        return EnqueueResult(changed.status_changed, data.get("queue_watched"))

    async def dequeue(self, experiment_id: str, queue_id: str) -> Status:
        """Take an experiment out of its queue and return its status afterwards: the one it had before.

        Uses queues.remove_task, which refuses (400/703) what a worker has already taken. tasks.dequeue
        would accept that and lose the run.

        Returns:
            `Status.PENDING` or `Status.UNKNOWN` if it is out of its queue, but may have kept its status.
        """
        await self._call(
            "queues.remove_task", {"queue": queue_id, "task": experiment_id, "update_task_status": True}
        )
        try:
            return await self._restore_status(experiment_id)
        except ClearMLError as error:
            extra = {"action": "dequeue", "experiment": experiment_id, "error": str(error)}
            logger.warning("The status of a dequeued experiment could not be restored", extra=extra)
            return Status.UNKNOWN

    async def _restore_status(self, experiment_id: str) -> Status:
        """Restore the status of an experiment that was removed from its queue, unless the server has done it.

        Old servers answer with success and leave it Pending for ever. As it's in no queue, no worker can take
        it between these requests.
        """
        status = await self._get_status(experiment_id)
        if status is not Status.PENDING or await self.supports_api(_RESTORES_STATUS_API_VERSION):
            return status
        body = {"task": experiment_id, "status_reason": REMOVED_FROM_QUEUE_REASON}
        try:
            await self._call("tasks.dequeue", body)
        except ClearMLError as error:
            # Before API 2.26 no status but Draft and Aborted can follow Pending without force.
            if has_code(error, *_INVALID_STATUS) and await self._was_failed(experiment_id):
                await self._call("tasks.failed", {**body, "force": True})
            elif not has_code(error, *_UNKNOWN_TASK):  # no longer Pending
                raise
        return await self._get_status(experiment_id)

    async def _get_status(self, experiment_id: str) -> Status:
        tasks = await self._get_tasks([experiment_id], ("id", "status"))
        return parse_experiment(tasks[0]).status if tasks else Status.UNKNOWN

    async def _was_failed(self, experiment_id: str) -> bool:
        """Return whether a Pending experiment was Failed before it was enqueued."""
        tasks = await self._get_tasks([experiment_id], ("id", "enqueue_status"))
        return any(task.get("enqueue_status") == Status.FAILED for task in tasks)

    async def stop(self, experiment_id: str, *, reason: str) -> None:
        await self._call("tasks.stop", {"task": experiment_id, "status_reason": reason})

    async def mark_stopped(self, experiment_id: str, *, reason: str) -> None:
        """Set a run to Aborted on behalf of an agent that no longer exists."""
        await self._call("tasks.stopped", {"task": experiment_id, "status_reason": reason, "force": True})

    async def mark_failed(self, experiment_id: str, *, reason: str) -> None:
        """Set a run to Failed on behalf of an agent that no longer exists."""
        await self._call("tasks.failed", {"task": experiment_id, "status_reason": reason})

    async def reset(self, experiment_id: str) -> None:
        await self._call("tasks.reset", {"task": experiment_id})

    async def archive(self, experiment_id: str) -> None:
        await self._call("tasks.archive", {"tasks": [experiment_id]})
