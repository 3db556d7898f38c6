"""The GPUs of this machine and who uses them: worker, experiment, person."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from clearml_chatops.models.errors import ChatOpsError
from clearml_chatops.models.experiments import Experiment
from clearml_chatops.models.figures import Bar
from clearml_chatops.models.gpus import Gpu, GpuProcess, GpuUsage, Occupant
from clearml_chatops.models.queues import Worker
from clearml_chatops.services.clearml_gateway import ClearML
from clearml_chatops.services.experiments.figure_renderer import FigureRenderer
from clearml_chatops.services.workers.agents import AgentProcess
from clearml_chatops.services.workers.gpu_reader import GpuReader
from clearml_chatops.services.workers.process_owners import ProcessOwner, find_owners
from clearml_chatops.storage.database import Database
from clearml_chatops.storage.workers import StartedWorkerStore


@dataclass(frozen=True, slots=True)
class GpuOverview:
    """The GPUs of a host. `lookup_error` says why experiments have no names, if ClearML did not answer."""

    host: str
    uses: tuple[GpuUsage, ...]
    lookup_error: str = ""


class GpuService:
    """The GPUs of this host, read with `reader`, and who uses them, looked up in ClearML."""

    def __init__(
        self,
        *,
        reader: GpuReader,
        clearml: ClearML,
        database: Database,
        figure_renderer: FigureRenderer,
        host: str,
    ) -> None:
        self._reader = reader
        self._clearml = clearml
        self._database = database
        self._figure_renderer = figure_renderer
        self._host = host

    async def list_gpus(self) -> tuple[Gpu, ...]:
        """Return the GPUs without a request to ClearML. Raises NoGpuDriverError."""
        return await self._reader.read_gpus()

    async def get_overview(self) -> GpuOverview:
        """Return the GPUs and who uses each. Requests are sent only if an agent uses one.

        Raises:
            NoGpuDriverError: the GPUs can't be read.
        """
        gpus = await self._reader.read_gpus()
        process_ids = {process.id for gpu in gpus for process in gpu.all_processes}
        owners = await asyncio.to_thread(find_owners, process_ids, await self._find_own_agents())
        workers: dict[str, Worker] = {}
        experiments: dict[str, Experiment] = {}
        lookup_error = ""
        try:
            workers, experiments = await self._find_workers_and_experiments(owners)
        except ChatOpsError as error:
            lookup_error = str(error)
        occupants = {
            item: _build_occupant(item, owners[item.id], workers, experiments)
            for gpu in gpus
            for item in gpu.all_processes
        }
        uses = tuple(GpuUsage(gpu, tuple(occupants[item] for item in gpu.all_processes)) for gpu in gpus)
        return GpuOverview(self._host, uses, lookup_error)

    async def render_chart(self, title: str, bars: list[Bar]) -> bytes:
        """Return a PNG with one bar for each GPU."""
        return await self._figure_renderer.render_bars(title, bars)

    async def _find_own_agents(self) -> dict[int, str]:
        """Return the worker ids of the bot's running agents on this host, by process id."""
        async with self._database.reading() as session:
            started = await StartedWorkerStore(session).list(host=self._host)

        def filter_running() -> dict[int, str]:
            return {
                item.process_id: item.id
                for item in started
                if AgentProcess(item.process_id, item.process_started).is_running
            }

        return await asyncio.to_thread(filter_running)

    async def _find_workers_and_experiments(
        self, owners: Mapping[int, ProcessOwner]
    ) -> tuple[dict[str, Worker], dict[str, Experiment]]:
        """Return the workers by their own and by their experiment's id, and the experiments by id."""
        experiment_ids = {owner.experiment_id for owner in owners.values() if owner.experiment_id}
        worker_ids = {owner.worker_id for owner in owners.values() if owner.worker_id}
        if not experiment_ids and not worker_ids:
            return {}, {}
        listed_workers, experiments = await asyncio.gather(
            self._clearml.list_workers(),
            self._clearml.get_experiments(sorted(experiment_ids)) if experiment_ids else _return_no_experiments(),
        )
        workers = {item.id: item for item in listed_workers} | {
            item.experiment_id: item for item in listed_workers if item.experiment_id
        }
        missing_ids = {workers[id_].experiment_id for id_ in worker_ids if id_ in workers} - experiment_ids - {""}
        if missing_ids:
            experiments |= await self._clearml.get_experiments(sorted(missing_ids))
        return workers, experiments


async def _return_no_experiments() -> dict[str, Experiment]:
    return {}


def _build_occupant(
    process: GpuProcess, owner: ProcessOwner, workers: Mapping[str, Worker], experiments: Mapping[str, Experiment]
) -> Occupant:
    worker = workers.get(owner.worker_id) or workers.get(owner.experiment_id)
    experiment_id = owner.experiment_id or (worker.experiment_id if worker else "")
    experiment = experiments.get(experiment_id)
    return Occupant(
        process=process,
        worker_id=owner.worker_id or (worker.id if worker else ""),
        experiment_id=experiment_id,
        experiment_name=experiment.name if experiment else "",
        person_name=experiment.user_name if experiment else "",
        system_user=owner.account,
        program=owner.program,
    )
