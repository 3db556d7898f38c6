"""How many GPUs the runs of a worker have."""

from collections.abc import Awaitable, Callable, Sequence

from clearml_chatops.models.errors import NoGpuDriverError
from clearml_chatops.models.gpus import Gpu
from clearml_chatops.models.workers import ALL_GPUS, NO_GPUS
from clearml_chatops.services.workers.gpu_reader import GpuReader
from clearml_chatops.services.workers.host_workers import HostWorkers
from clearml_chatops.services.workers.worker_ids import parse_worker_gpus, remove_service_suffix

_CPU_SUFFIX = ":cpu"


class WorkerGpuCounts:
    """Counts the GPUs of any worker, as far as its id or this host's GPUs tell."""

    def __init__(self, *, host_workers: HostWorkers, reader: GpuReader) -> None:
        self._host_workers = host_workers
        self._reader = reader

    async def count(self, worker_id: str) -> int | None:
        """Return how many GPUs the runs of a worker have, None if unknown. No request to ClearML."""
        id_ = remove_service_suffix(worker_id)
        gpus = NO_GPUS if id_.endswith(_CPU_SUFFIX) else parse_worker_gpus(id_)
        if gpus == ALL_GPUS and id_ not in {item.id for item in await self._host_workers.list_desired()}:
            return None
        return await count_gpus(gpus, self._reader.read_gpus) if gpus else None


async def count_gpus(gpus: str, read_gpus: Callable[[], Awaitable[Sequence[Gpu]]]) -> int | None:
    """Return how many GPUs an agent's `--gpus` means; `read_gpus` reads those of its machine for "all"."""
    if gpus == NO_GPUS:
        return 0
    if gpus != ALL_GPUS:
        return len(set(gpus.split(",")))
    try:
        return len(await read_gpus())
    except NoGpuDriverError:
        return None
