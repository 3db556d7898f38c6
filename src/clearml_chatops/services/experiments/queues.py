"""Queues: a person's own, all others, and the order of their entries."""

import re
from collections.abc import Sequence
from dataclasses import replace

from clearml_chatops.models.errors import (
    ClearMLError,
    InvalidValueError,
    NoPersonalQueueError,
    NotInQueueError,
    QueueExistsError,
    QueueNotFoundError,
    QueueNotYoursError,
)
from clearml_chatops.models.experiments import Experiment, Status
from clearml_chatops.models.people import Person, QueueBinding, Role
from clearml_chatops.models.queues import Queue
from clearml_chatops.models.replies import Button
from clearml_chatops.services.clearml_gateway import ClearML
from clearml_chatops.services.clearml_gateway.api_client import has_code
from clearml_chatops.services.experiments.experiment_lookup import ExperimentLookup
from clearml_chatops.services.experiments.ownership import Ownership
from clearml_chatops.services.similar_names import find_similar_names, format_suggestion
from clearml_chatops.storage.database import Database
from clearml_chatops.storage.people import PeopleStore

MIN_QUEUE_NAME_LENGTH = 3
_NAME_TAKEN = (400, 801)
_QUEUE_NOT_EMPTY = (400, 702)
_NOT_IN_QUEUE = (400, 703)

_RESTORES_ANY_STATUS_API_VERSION = (2, 26)
"""The first API version in which deleting a queue restores the status Failed. Before, such a run was lost."""

LAST_POSITION = -1


class QueueService:
    """Queues for one person."""

    def __init__(
        self,
        *,
        clearml: ClearML,
        database: Database,
        lookup: ExperimentLookup,
        ownership: Ownership,
        person: Person,
    ) -> None:
        self._clearml = clearml
        self._database = database
        self._lookup = lookup
        self._ownership = ownership
        self._person = person

    async def get_binding(self) -> QueueBinding | None:
        """Return the person's own queue, as stored. No request."""
        async with self._database.reading() as session:
            return await PeopleStore(session).get_queue_binding(self._person.id)

    async def resolve_binding(self, name: str, *, create: bool = False) -> QueueBinding:
        """Return the named queue, or without a name the person's own; `create` creates that if it is missing.

        No request for the person's own queue, one for a named queue.

        Raises:
            QueueNotFoundError, NoPersonalQueueError.
        """
        if name:
            queue = await self.find(name)
            return QueueBinding(queue.id, queue.name)
        binding = await self.get_binding()
        if binding is None and create:
            queue = await self.create("")
            return QueueBinding(queue.id, queue.name)
        if binding is None:
            raise NoPersonalQueueError(buttons=[Button("Create my queue", "/queue create")])
        return binding

    async def list_all(self) -> tuple[Queue, ...]:
        return await self._clearml.list_queues()

    async def find(self, name: str) -> Queue:
        """Return the queue with this name, ignoring case. Raises QueueNotFoundError with similar names."""
        queues = await self._clearml.list_queues()
        folded_name = name.strip().casefold()
        for matching in (
            [queue for queue in queues if queue.name == name],
            [queue for queue in queues if queue.name.casefold() == folded_name or queue.id == folded_name],
        ):
            if matching:
                return matching[0]
        nearest = find_similar_names(folded_name, [queue.name for queue in queues])
        raise QueueNotFoundError(name=name, nearest=format_suggestion(nearest))

    async def find_named_or_own(self, name: str) -> Queue:
        """Load the named queue, or without a name the person's own. Raises QueueNotFoundError."""
        if name:
            return await self.find(name)
        binding = await self.resolve_binding("")
        queue = await self._clearml.get_queue(binding.queue_id)
        if queue is None:
            raise QueueNotFoundError(name=binding.queue_name, nearest=" It was deleted.")
        return queue

    async def list_waiting(self, queue_ids: Sequence[str]) -> list[tuple[Queue, list[Experiment]]]:
        """Return these queues without empty ones, each with its experiments in order. One or two requests."""
        queues = [queue for queue in await self._clearml.list_queues() if queue.id in queue_ids and queue.entries]
        ids = [entry.experiment_id for queue in queues for entry in queue.entries]
        found = await self._clearml.get_experiments(ids) if ids else {}
        return [
            (queue, [found[item.experiment_id] for item in queue.entries if item.experiment_id in found])
            for queue in queues
        ]

    async def create(self, name: str) -> Queue:
        """Create a queue. It's bound to the person if they have none yet, or if it has no name.

        Without a name it becomes `<name>_queue`.

        Raises:
            QueueExistsError: the name is taken. An existing own queue is bound unless it is someone else's.
            InvalidValueError: the name is too short.
        """
        is_own = not name
        is_first = await self.get_binding() is None
        queue_name = name or f"{_build_queue_prefix(self._person.name)}_queue"
        _require_queue_name(queue_name)
        try:
            queue = Queue(await self._clearml.create_queue(queue_name), queue_name)
        except ClearMLError as error:
            if not has_code(error, *_NAME_TAKEN):
                raise
            if not is_own:
                raise QueueExistsError(
                    name=queue_name, buttons=[Button("Use as my queue", f'/queue use "{queue_name}"')]
                ) from error
            queue = await self.find(queue_name)
            await self._require_no_other_owner(queue)
        if is_own or is_first:
            await self._save_binding(queue)
        return queue

    async def use(self, name: str) -> Queue:
        """Make a queue the person's own. Raises QueueNotFoundError."""
        queue = await self.find(name)
        await self._save_binding(queue)
        return queue

    async def rename(self, name: str, new_name: str) -> Queue:
        """Rename a queue.

        Raises:
            QueueNotFoundError, QueueNotYoursError, QueueExistsError, InvalidValueError.
        """
        _require_queue_name(new_name)
        queue = await self.find(name)
        await self._require_change_allowed(queue)
        try:
            await self._clearml.rename_queue(queue.id, new_name)
        except ClearMLError as error:
            if has_code(error, *_NAME_TAKEN):
                raise QueueExistsError(name=new_name) from error
            raise
        async with self._database.writing() as session:
            await PeopleStore(session).rename_bound_queue(queue.id, new_name)
        return replace(queue, name=new_name)

    async def delete(self, name: str, *, force: bool) -> Queue | None:
        """Delete a queue and return it. Without `force` return None and do nothing if experiments wait in it.

        With `force` they get back their previous status. Raises QueueNotFoundError, QueueNotYoursError.
        """
        queue = await self.find(name)
        await self._require_change_allowed(queue)
        if force and queue.entries and not await self._clearml.supports_api(_RESTORES_ANY_STATUS_API_VERSION):
            await self._dequeue_all(queue)
        try:
            await self._clearml.delete_queue(queue.id, force=force)
        except ClearMLError as error:
            if has_code(error, *_QUEUE_NOT_EMPTY):
                return None
            raise
        async with self._database.writing() as session:
            await PeopleStore(session).unbind_queue(queue.id)
        return queue

    async def _dequeue_all(self, queue: Queue) -> None:
        """Take all experiments out of a queue, except what a worker takes in the meantime."""
        for entry in queue.entries:
            try:
                await self._clearml.dequeue(entry.experiment_id, queue.id)
            except ClearMLError as error:
                if not has_code(error, *_NOT_IN_QUEUE):
                    raise

    async def move(self, reference: str, position: int) -> tuple[Experiment, Queue]:
        """Move a Pending experiment to a position, counted from 1; `LAST_POSITION` is the end.

        Returns it and the queue after the move.

        Raises:
            NotInQueueError: it is not in a queue, or a worker has already taken it.
        """
        experiment = await self._lookup.find(reference)
        await self._ownership.require_own(experiment)
        queue = await self._clearml.get_queue(experiment.queue_id) if experiment.queue_id else None
        current_position = queue.find_position_number(experiment.id) if queue else None
        if experiment.status is not Status.PENDING or queue is None or current_position is None:
            raise NotInQueueError(name=experiment.name)
        try:
            if position == 1:
                await self._clearml.move_to_front(queue.id, experiment.id)
            elif position == LAST_POSITION or position >= len(queue.entries):
                await self._clearml.move_to_back(queue.id, experiment.id)
            elif position != current_position:
                await self._clearml.move_by(queue.id, experiment.id, current_position - position)
        except ClearMLError as error:
            if has_code(error, *_NOT_IN_QUEUE):
                raise NotInQueueError(name=experiment.name) from error
            raise
        return experiment, await self._clearml.get_queue(queue.id) or queue

    async def _require_no_other_owner(self, queue: Queue) -> None:
        """Raise QueueExistsError if it is another person's: two people may have the same first name."""
        if await self._list_other_owners(queue):
            raise QueueExistsError(name=queue.name)

    async def _require_change_allowed(self, queue: Queue) -> None:
        """Raise QueueNotYoursError if it is also another person's and this one is not an admin."""
        other_owners = await self._list_other_owners(queue)
        if other_owners and self._person.role < Role.ADMIN:
            raise QueueNotYoursError(queue=queue.name, owner=other_owners[0].name)

    async def _list_other_owners(self, queue: Queue) -> list[Person]:
        async with self._database.reading() as session:
            return await PeopleStore(session).list_others_with_queue(queue.id, self._person.id)

    async def _save_binding(self, queue: Queue) -> None:
        async with self._database.writing() as session:
            await PeopleStore(session).bind_queue(self._person.id, QueueBinding(queue.id, queue.name))


def _require_queue_name(name: str) -> None:
    """Raise InvalidValueError for a name that ClearML would refuse as too short (contract: 400/800)."""
    if len(name.strip()) < MIN_QUEUE_NAME_LENGTH:
        raise InvalidValueError(
            value=name, expected="a valid queue name", name="name", advice="Use at least 3 characters."
        )


def _build_queue_prefix(person_name: str) -> str:
    """Return the person's first name in lower case, as people name queues by hand."""
    words = re.findall(r"\w+", person_name.casefold())
    return words[0] if words else "my"
