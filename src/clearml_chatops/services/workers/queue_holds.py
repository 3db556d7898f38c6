"""Keeping workers from taking anything from a queue for a moment, by ClearML's own tag.

An agent reads the tag before it takes something. What is held is noted before it is, so that it is let go of also
by the next bot when this one dies.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from clearml_chatops.models.errors import ClearMLError
from clearml_chatops.models.workers import WantedWorker
from clearml_chatops.services.clearml_gateway import ClearML
from clearml_chatops.services.clearml_gateway.calls import has_code
from clearml_chatops.storage.database import Database
from clearml_chatops.storage.workers import WantedWorkerStore

HOLD_TAG = "force_workers:off"
"""What ClearML calls it; every worker of a queue that has it takes nothing from there."""

HOLD_TAKES_EFFECT = timedelta(seconds=1)
"""An agent reads the tag and takes an experiment within some milliseconds, one after the other."""

_UNKNOWN_QUEUE = (400, 701)


class QueueHolds:
    """The queues that are held for the sake of one worker."""

    def __init__(self, *, clearml: ClearML, database: Database, clock: Callable[[], datetime]) -> None:
        self._clearml = clearml
        self._database = database
        self._clock = clock

    async def hold(self, worker: WantedWorker, queue_ids: Iterable[str]) -> WantedWorker:
        """Has these queues held for a worker, and lets go of all others that were. Gives it as it then is.

        What somebody else holds already stays as it is.
        """
        wanted = tuple(queue_ids)
        free = [id_ for id_ in wanted if await self._is_free(id_)]
        if free:
            held = tuple(dict.fromkeys((*worker.held_queues, *free)))
            worker = await self._noted(replace(worker, held_queues=held, held_since=self._clock()))
            for id_ in free:
                await self._tag(id_)
        elif wanted and worker.held_since is None:
            worker = await self._noted(replace(worker, held_since=self._clock()))
        left = [id_ for id_ in worker.held_queues if id_ not in wanted]
        for id_ in left:
            await self._untag(id_)
        if left or (not wanted and worker.held_since is not None):
            kept = tuple(id_ for id_ in worker.held_queues if id_ in wanted)
            worker = await self._noted(
                replace(worker, held_queues=kept, held_since=worker.held_since if wanted else None)
            )
        return worker

    async def _noted(self, worker: WantedWorker) -> WantedWorker:
        async with self._database.writing() as session:
            await WantedWorkerStore(session).put(worker)
        return worker

    async def _is_free(self, queue_id: str) -> bool:
        """Whether nobody holds a queue."""
        queue = await self._clearml.queue(queue_id)
        return queue is not None and HOLD_TAG not in queue.tags

    async def _tag(self, queue_id: str) -> None:
        queue = await self._clearml.queue(queue_id)
        if queue is not None and HOLD_TAG not in queue.tags:
            await self._write_tags(queue_id, (*queue.tags, HOLD_TAG))

    async def _untag(self, queue_id: str) -> None:
        queue = await self._clearml.queue(queue_id)
        if queue is not None and HOLD_TAG in queue.tags:
            await self._write_tags(queue_id, [tag for tag in queue.tags if tag != HOLD_TAG])

    async def _write_tags(self, queue_id: str, tags: Iterable[str]) -> None:
        try:
            await self._clearml.write_queue_tags(queue_id, list(tags))
        except ClearMLError as error:
            if not has_code(error, *_UNKNOWN_QUEUE):
                raise
