"""Workers: agents of this machine that listen on a queue."""

import re
from collections.abc import Callable
from datetime import datetime

from clearml_chatops.models.errors import AgentFailedError, NoWorkerError, WorkerExistsError
from clearml_chatops.models.people import Person
from clearml_chatops.models.queues import StartedWorker, Worker
from clearml_chatops.services.agents import AgentProcess, LocalAgents
from clearml_chatops.services.clearml_gateway import ClearML
from clearml_chatops.services.queues import QueueService
from clearml_chatops.storage.database import Database
from clearml_chatops.storage.workers import StartedWorkerStore


class WorkerService:
    """Starts and stops workers of this host, for one person; knows all workers of the server."""

    def __init__(
        self,
        *,
        clearml: ClearML,
        database: Database,
        queues: QueueService,
        agents: LocalAgents,
        person: Person,
        host: str,
        clock: Callable[[], datetime],
    ) -> None:
        self._clearml = clearml
        self._database = database
        self._queues = queues
        self._agents = agents
        self._person = person
        self._host = host
        self._clock = clock

    async def all(self) -> tuple[Worker, ...]:
        """The workers that the server knows, of every host."""
        return await self._clearml.workers()

    async def start(self, *, queue_name: str, gpus: str, image: str) -> StartedWorker:
        """Starts a worker on this host for the named queue, or the person's own.

        Raises:
            NoPersonalQueueError, QueueNotFoundError, WorkerExistsError, AgentMissingError, AgentFailedError.
        """
        queue = await self._queues.target(queue_name)
        worker_id = worker_id_for(self._host, queue.queue_name, gpus)
        known = {worker.id: worker for worker in await self._recorded()}
        if worker_id in known and _process_of(known[worker_id]).is_running:
            raise WorkerExistsError(worker=worker_id)
        process = await self._agents.start(
            worker_id,
            queue_id=queue.queue_id,
            gpus=gpus,
            image=image,
            environment=await self._clearml.agent_environment(),
            host=self._host,
        )
        worker = StartedWorker(
            id=worker_id,
            host=self._host,
            queue_id=queue.queue_id,
            queue_name=queue.queue_name,
            gpus=gpus,
            image=image,
            person_id=self._person.id,
            process_id=process.id,
            process_started=process.started,
            started=self._clock(),
        )
        async with self._database.writing() as session:
            await StartedWorkerStore(session).put(worker)
        if worker_id not in {seen.id for seen in await self._clearml.workers()}:
            raise AgentFailedError(host=self._host, reason=f"{worker_id} runs, but ClearML does not list it.")
        return worker

    async def stop(self, *, queue_name: str) -> tuple[StartedWorker, ...]:
        """Stops the workers that this bot started on this host for a queue, and no others.

        Raises:
            NoWorkerError: there is none.
        """
        queue = await self._queues.target(queue_name)
        workers = [worker for worker in await self._recorded() if worker.queue_id == queue.queue_id]
        running = [worker for worker in workers if _process_of(worker).is_running]
        for worker in workers:
            await self._agents.stop(
                worker.id,
                process=_process_of(worker),
                environment=await self._clearml.agent_environment(),
                host=self._host,
            )
            async with self._database.writing() as session:
                await StartedWorkerStore(session).remove(worker.id)
        if not running:
            raise NoWorkerError(queue=queue.queue_name, host=self._host)
        return tuple(running)

    async def _recorded(self) -> list[StartedWorker]:
        async with self._database.reading() as session:
            return await StartedWorkerStore(session).list(host=self._host)


def worker_id_for(host: str, queue_name: str, gpus: str) -> str:
    """An id that names host, queue and cards, so that two people's workers on the same card are two.

    The agent's own ids hold no queue (contract, section 6). Colons part the id, so none may stand in a name.
    """
    cards = "cpu" if gpus == "none" else f"gpu{gpus}"
    return ":".join((_part(host), _part(queue_name), cards))


def _part(name: str) -> str:
    return re.sub(r"[\s:/]+", "_", name)


def _process_of(worker: StartedWorker) -> AgentProcess:
    return AgentProcess(worker.process_id, worker.process_started)
