"""The home page: a person's account, queue, runs and workers."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass

from clearml_chatops.models.errors import NoGpuDriverError
from clearml_chatops.models.experiments import Experiment, Status
from clearml_chatops.models.gpus import GpuUsage
from clearml_chatops.models.people import Identity, Person, QueueBinding
from clearml_chatops.models.queues import Queue, Worker
from clearml_chatops.services.clearml_gateway import ClearML
from clearml_chatops.services.clearml_gateway.experiment_filters import ExperimentFilter
from clearml_chatops.services.experiments.experiment_lookup import ExperimentLookup
from clearml_chatops.services.experiments.queues import QueueService
from clearml_chatops.services.people.accounts import Account, AccountService
from clearml_chatops.services.people.links import LinkService
from clearml_chatops.services.workers.gpus import GpuService

MAX_ACTIVE = 10
MAX_FINISHED = 5
_ACTIVE_STATUSES = (Status.RUNNING, Status.PENDING)
_FINISHED_STATUSES = (Status.COMPLETED, Status.FAILED, Status.ABORTED, Status.PUBLISHED)


@dataclass(frozen=True, slots=True)
class Home:
    """What /home shows.

    `queue` is None if the person has none or it was deleted. `active` are Pending and Running experiments,
    `finished` the last ones that ended. `workers` listen on the queue. `gpus` are those of the bot's machine,
    empty if it has no driver.
    """

    account: Account
    identities: tuple[Identity, ...]
    queue: Queue | None
    workers: tuple[Worker, ...]
    active: tuple[Experiment, ...]
    finished: tuple[Experiment, ...]
    gpus: tuple[GpuUsage, ...] = ()


class HomeService:
    def __init__(
        self,
        *,
        clearml: ClearML,
        accounts: AccountService,
        links: LinkService,
        lookup: ExperimentLookup,
        queues: QueueService,
        gpus: GpuService,
        person: Person,
    ) -> None:
        self._clearml = clearml
        self._accounts = accounts
        self._links = links
        self._lookup = lookup
        self._queues = queues
        self._gpus = gpus
        self._person = person

    async def load_home(self) -> Home:
        """Load everything concurrently: four requests, none of which waits for another."""
        binding = await self._queues.get_binding()
        (account, identities, queue), (workers, active, finished), gpus = await asyncio.gather(
            asyncio.gather(
                self._accounts.load_account(self._person),
                self._links.list_identities(self._person),
                self._find_queue(binding),
            ),
            asyncio.gather(
                self._clearml.list_workers(),
                self._lookup.find_own(ExperimentFilter(statuses=_ACTIVE_STATUSES), limit=MAX_ACTIVE),
                self._lookup.find_own(ExperimentFilter(statuses=_FINISHED_STATUSES), limit=MAX_FINISHED),
            ),
            self._load_gpu_uses(),
        )
        return Home(
            account=account,
            identities=tuple(identities),
            queue=queue,
            workers=tuple(worker for worker in workers if queue and queue.name in worker.queue_names),
            active=active,
            finished=finished,
            gpus=gpus,
        )

    async def _load_gpu_uses(self) -> tuple[GpuUsage, ...]:
        with suppress(NoGpuDriverError):
            return (await self._gpus.get_overview()).uses
        return ()

    async def _find_queue(self, binding: QueueBinding | None) -> Queue | None:
        return await self._clearml.get_queue(binding.queue_id) if binding else None
