"""Requests that read, create and change queues and their order."""

from collections.abc import Sequence

from clearml_chatops.models.queues import Queue
from clearml_chatops.services.clearml_gateway.api_client import ApiClient
from clearml_chatops.services.clearml_gateway.serialization import parse_queue


class QueueApi(ApiClient):
    """The part of ClearML's API for queues."""

    async def list_queues(self) -> tuple[Queue, ...]:
        """Return all queues with their entries and workers. One request."""
        data = await self._call("queues.get_all_ex", {})
        return tuple(
            sorted((parse_queue(queue) for queue in data["queues"]), key=lambda queue: queue.name.casefold())
        )

    async def get_queue(self, queue_id: str) -> Queue | None:
        data = await self._call("queues.get_all_ex", {"id": [queue_id]})
        return next((parse_queue(queue) for queue in data["queues"]), None)

    async def create_queue(self, name: str) -> str:
        return str((await self._call("queues.create", {"name": name}))["id"])

    async def rename_queue(self, queue_id: str, name: str) -> None:
        await self._call("queues.update", {"queue": queue_id, "name": name})

    async def set_queue_tags(self, queue_id: str, tags: Sequence[str]) -> None:
        """Replace all tags of a queue: ClearML keeps none of the previous ones."""
        await self._call("queues.update", {"queue": queue_id, "tags": list(tags)})

    async def delete_queue(self, queue_id: str, *, force: bool) -> None:
        await self._call("queues.delete", {"queue": queue_id, "force": force})

    async def move_to_front(self, queue_id: str, experiment_id: str) -> None:
        await self._call("queues.move_task_to_front", {"queue": queue_id, "task": experiment_id})

    async def move_to_back(self, queue_id: str, experiment_id: str) -> None:
        await self._call("queues.move_task_to_back", {"queue": queue_id, "task": experiment_id})

    async def move_by(self, queue_id: str, experiment_id: str, offset: int) -> None:
        """Move an experiment forward by `offset` positions, or back if it is negative."""
        action = "queues.move_task_forward" if offset > 0 else "queues.move_task_backward"
        await self._call(action, {"queue": queue_id, "task": experiment_id, "count": abs(offset)})
