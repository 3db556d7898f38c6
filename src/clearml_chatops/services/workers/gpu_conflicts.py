"""GPU conflicts: the bot's workers, other agents and other processes that use a requested GPU."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from clearml_chatops.models.errors import NoGpuDriverError
from clearml_chatops.models.gpus import GpuUsage, Occupant
from clearml_chatops.models.queues import Worker
from clearml_chatops.models.workers import ALL_GPUS, NO_GPUS, DesiredWorker, OwnedRun, WorkerPlan
from clearml_chatops.services.clearml_gateway import ClearML
from clearml_chatops.services.experiments.ownership import Ownership
from clearml_chatops.services.workers.gpu_selection import select_gpus
from clearml_chatops.services.workers.gpus import GpuService
from clearml_chatops.services.workers.worker_ids import parse_worker_gpus


@dataclass(frozen=True, slots=True)
class GpuConflict:
    """A worker with its run, or a process, that uses some of the requested GPUs.

    `person_name` is the worker's owner; `person_id` is known if they started it with the bot.
    """

    gpus: str
    worker_id: str = ""
    person_name: str = ""
    person_id: int | None = None
    run: OwnedRun | None = None
    occupant: Occupant | None = None


class GpuConflicts:
    """The GPU conflicts and the free GPUs of this host."""

    def __init__(self, *, clearml: ClearML, gpus: GpuService, ownership: Ownership, host: str) -> None:
        self._clearml = clearml
        self._ownership = ownership
        self._gpus = gpus
        self._host = host

    async def resolve_gpus(self, text: str) -> str:
        """Return the GPUs that a person asks for, as `--gpus` of an agent takes them, in order.

        "all" stays "all" if every GPU can be used whole; the worker then also uses GPUs that are added later.

        Raises:
            NoGpuDriverError: without a driver, GPUs can't be checked.
            InvalidValueError: no such GPU.
        """
        if text == NO_GPUS:
            return NO_GPUS
        available_gpus = await self._gpus.list_gpus()
        selected = select_gpus(text, available_gpus)
        all_usable_whole = not any(gpu.lost or gpu.instances for gpu in available_gpus)
        return ALL_GPUS if text == ALL_GPUS and all_usable_whole else ",".join(selected)

    async def find_conflicts(
        self,
        plan: WorkerPlan,
        desired_workers: Iterable[DesiredWorker],
        *,
        ignored_worker_ids: Collection[str] = (),
    ) -> tuple[GpuConflict, ...]:
        """Return the workers and processes that use some of a plan's GPUs, each once."""
        if not plan.gpu_ids:
            return ()
        workers = {worker.id: worker for worker in await self._clearml.list_workers()}
        conflicts = [
            GpuConflict(
                ",".join(sorted(item.plan.gpu_ids & plan.gpu_ids or plan.gpu_ids)),
                worker_id=item.id,
                person_name=item.person_name,
                person_id=item.person_id,
            )
            for item in desired_workers
            if item.id not in ignored_worker_ids and _has_overlap(item.plan.gpu_ids, plan.gpu_ids)
        ]
        known_worker_ids = {*ignored_worker_ids, *(conflict.worker_id for conflict in conflicts)}
        for worker in workers.values():
            gpus = parse_worker_gpus(worker.id) if worker.id.startswith(f"{self._host}:") else ""
            if (
                gpus
                and worker.id not in known_worker_ids
                and _has_overlap(frozenset(gpus.split(",")), plan.gpu_ids)
            ):
                conflicts.append(GpuConflict(gpus, worker_id=worker.id, person_name=worker.user_name))
                known_worker_ids.add(worker.id)
        return await self._add_runs(
            [*conflicts, *await self._find_process_conflicts(plan, known_worker_ids)], workers
        )

    async def list_free_gpus(self, desired_workers: Iterable[DesiredWorker]) -> list[str]:
        """Return the indices of free GPUs, without GPUs split into MIG instances."""
        uses = await self._get_gpu_uses()
        taken = frozenset(gpu_id for item in desired_workers for gpu_id in item.plan.gpu_ids)
        if ALL_GPUS in taken:
            return []
        return [
            str(use.gpu.index)
            for use in uses
            if not (use.gpu.lost or use.gpu.instances or use.occupants) and str(use.gpu.index) not in taken
        ]

    async def _find_process_conflicts(
        self, plan: WorkerPlan, known_worker_ids: Collection[str]
    ) -> list[GpuConflict]:
        """Return the processes that belong to no known worker; one per GPU and run or program."""
        conflicts: dict[tuple[str, ...], GpuConflict] = {}
        for use in await self._get_gpu_uses():
            if not _has_overlap(_list_gpu_ids(use), plan.gpu_ids):
                continue
            for occupant in _find_occupants(use, plan):
                gpu_index = str(use.gpu.index)
                key = (
                    gpu_index,
                    occupant.worker_id,
                    occupant.experiment_id,
                    occupant.system_user,
                    occupant.program,
                )
                if occupant.worker_id not in known_worker_ids:
                    conflicts.setdefault(
                        key, GpuConflict(gpu_index, occupant.worker_id, occupant.person_name, occupant=occupant)
                    )
        return list(conflicts.values())

    async def _add_runs(
        self, conflicts: list[GpuConflict], workers: Mapping[str, Worker]
    ) -> tuple[GpuConflict, ...]:
        """Return the conflicts with their runs. One request; none if they run nothing."""
        experiment_ids = [_find_experiment_id(conflict, workers) for conflict in conflicts]
        found = (
            await self._clearml.get_experiments(sorted(set(filter(None, experiment_ids))))
            if any(experiment_ids)
            else {}
        )
        runs = {id_: OwnedRun(item, await self._ownership.get_owner_name(item)) for id_, item in found.items()}
        return tuple(
            replace(conflict, run=runs.get(id_)) for conflict, id_ in zip(conflicts, experiment_ids, strict=True)
        )

    async def _get_gpu_uses(self) -> tuple[GpuUsage, ...]:
        try:
            return (await self._gpus.get_overview()).uses
        except NoGpuDriverError:
            return ()


def _find_experiment_id(conflict: GpuConflict, workers: Mapping[str, Worker]) -> str:
    if conflict.occupant and conflict.occupant.experiment_id:
        return conflict.occupant.experiment_id
    worker = workers.get(conflict.worker_id)
    return worker.experiment_id if worker else ""


def _has_overlap(some: frozenset[str], others: frozenset[str]) -> bool:
    return bool(some and others) and (ALL_GPUS in some | others or bool(some & others))


def _list_gpu_ids(use: GpuUsage) -> frozenset[str]:
    return frozenset({str(use.gpu.index), *(part.uuid for part in use.gpu.instances)})


def _find_occupants(use: GpuUsage, plan: WorkerPlan) -> list[Occupant]:
    """Return who uses the GPU, or those of its instances that the plan names."""
    if ALL_GPUS in plan.gpu_ids or str(use.gpu.index) in plan.gpu_ids:
        return list(use.occupants)
    ids = {item.id for part in use.gpu.instances if part.uuid in plan.gpu_ids for item in part.processes}
    return [item for item in use.occupants if item.process.id in ids]
