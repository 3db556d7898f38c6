"""Requests that change experiments: edit drafts, start and end runs."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from clearml_chatops.models.experiments import Container, Parameter, Script
from clearml_chatops.services.clearml_gateway.api_client import ApiClient
from clearml_chatops.services.clearml_gateway.serialization import (
    parse_experiment,
    serialize_container,
    serialize_parameter,
    serialize_script,
)


@dataclass(frozen=True, slots=True)
class EnqueueResult:
    """ClearML's response to an enqueue; `has_worker` is whether a worker listens on the queue, None if unknown."""

    enqueued_at: datetime | None
    has_worker: bool | None


class ExperimentActions(ApiClient):
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

    async def enqueue(self, experiment_id: str, queue_id: str) -> EnqueueResult:
        data = await self._call(
            "tasks.enqueue", {"task": experiment_id, "queue": queue_id, "verify_watched_queue": True}
        )
        changed = parse_experiment({"id": experiment_id, **data.get("fields", {})})
        return EnqueueResult(changed.status_changed, data.get("queue_watched"))

    async def dequeue(self, experiment_id: str, queue_id: str) -> None:
        """Take an experiment out of its queue; it gets back the status it had before.

        Uses queues.remove_task, which refuses (400/703) what a worker has already taken. tasks.dequeue
        would accept that and lose the run.
        """
        await self._call(
            "queues.remove_task", {"queue": queue_id, "task": experiment_id, "update_task_status": True}
        )

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
