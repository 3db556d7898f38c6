"""Pausing queues for a short time with ClearML's own tag: workers take nothing from a queue that has it.

An agent reads the tag before it takes an experiment. A pause is stored before the tag is set; after a crash, the
next bot removes the tag.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from clearml_chatops.models.errors import ClearMLError
from clearml_chatops.models.workers import DesiredWorker
from clearml_chatops.services.clearml_gateway import ClearML
from clearml_chatops.services.clearml_gateway.api_client import has_code
from clearml_chatops.storage.database import Database
from clearml_chatops.storage.workers import DesiredWorkerStore

PAUSE_TAG = "force_workers:off"
"""ClearML's name for the tag; no worker takes anything from a queue that has it."""

PAUSE_DELAY = timedelta(seconds=1)
"""Wait this long after setting the tag: an agent may have read the tags some milliseconds earlier."""

_UNKNOWN_QUEUE = (400, 701)


class QueuePauses:
    """The queues that are paused for one worker."""

    def __init__(self, *, clearml: ClearML, database: Database, clock: Callable[[], datetime]) -> None:
        self._clearml = clearml
        self._database = database
        self._clock = clock

    async def set_paused_queues(self, worker: DesiredWorker, queue_ids: Iterable[str]) -> DesiredWorker:
        """Pause exactly these queues for a worker and resume its others. Return the updated worker.

        A queue that somebody else paused stays unchanged.
        """
        requested_ids = tuple(queue_ids)
        unpaused_ids = [id_ for id_ in requested_ids if await self._is_unpaused(id_)]
        if unpaused_ids:
            paused_ids = tuple(dict.fromkeys((*worker.paused_queue_ids, *unpaused_ids)))
            worker = await self._save(replace(worker, paused_queue_ids=paused_ids, paused_since=self._clock()))
            for id_ in unpaused_ids:
                await self._add_tag(id_)
        elif requested_ids and worker.paused_since is None:
            worker = await self._save(replace(worker, paused_since=self._clock()))
        released_ids = [id_ for id_ in worker.paused_queue_ids if id_ not in requested_ids]
        for id_ in released_ids:
            await self._remove_tag(id_)
        if released_ids or (not requested_ids and worker.paused_since is not None):
            remaining_ids = tuple(id_ for id_ in worker.paused_queue_ids if id_ in requested_ids)
            paused_since = worker.paused_since if requested_ids else None
            worker = await self._save(replace(worker, paused_queue_ids=remaining_ids, paused_since=paused_since))
        return worker

    async def _save(self, worker: DesiredWorker) -> DesiredWorker:
        async with self._database.writing() as session:
            await DesiredWorkerStore(session).put(worker)
        return worker

    async def _is_unpaused(self, queue_id: str) -> bool:
        """Return whether the queue exists and isn't paused."""
        queue = await self._clearml.get_queue(queue_id)
        return queue is not None and PAUSE_TAG not in queue.tags

    async def _add_tag(self, queue_id: str) -> None:
        queue = await self._clearml.get_queue(queue_id)
        if queue is not None and PAUSE_TAG not in queue.tags:
            await self._set_tags(queue_id, (*queue.tags, PAUSE_TAG))

    async def _remove_tag(self, queue_id: str) -> None:
        queue = await self._clearml.get_queue(queue_id)
        if queue is not None and PAUSE_TAG in queue.tags:
            await self._set_tags(queue_id, [tag for tag in queue.tags if tag != PAUSE_TAG])

    async def _set_tags(self, queue_id: str, tags: Iterable[str]) -> None:
        try:
            await self._clearml.set_queue_tags(queue_id, list(tags))
        except ClearMLError as error:
            if not has_code(error, *_UNKNOWN_QUEUE):
                raise
