"""Finding the workers that a person names by id, queue, GPUs, or a unique part of these."""

from collections.abc import Sequence
from dataclasses import dataclass

from clearml_chatops.models.workers import DesiredWorker


@dataclass(frozen=True, slots=True)
class WorkerMatch:
    """The workers that match. `is_group` is whether the person named all of them, by their queue."""

    workers: tuple[DesiredWorker, ...] = ()
    is_group: bool = False


def match_reference(reference: str, workers: Sequence[DesiredWorker]) -> WorkerMatch:
    """Return the workers with this id, else of this queue, else with this part in the id, else with this text."""
    text = reference.strip().casefold()
    if same_id := [item for item in workers if item.id.casefold() == text]:
        return WorkerMatch(tuple(same_id))
    if same_queue := [item for item in workers if text in _list_queue_names(item)]:
        return WorkerMatch(tuple(same_queue), is_group=True)
    parts = [item for item in workers if f":{text}:" in f":{item.id.casefold()}:"]
    fragments = [item for item in workers if any(text in name for name in _list_names(item))]
    return WorkerMatch(tuple(parts or fragments if text else ()))


def match_gpus(gpus: str, workers: Sequence[DesiredWorker]) -> WorkerMatch:
    """Return the workers with exactly these GPUs, else those that use all of them and more."""
    wanted = frozenset(gpus.split(","))
    same = [item for item in workers if frozenset(item.plan.gpus.split(",")) == wanted]
    return WorkerMatch(tuple(same or [item for item in workers if wanted <= item.plan.gpu_ids]))


def _list_queue_names(worker: DesiredWorker) -> set[str]:
    return {queue.queue_name.casefold() for queue in worker.plan.queues}


def _list_names(worker: DesiredWorker) -> set[str]:
    return {worker.id.casefold(), *_list_queue_names(worker)}
