"""Worker views: the workers that should run here, merged with the workers that the server lists."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace

from clearml_chatops.models.queues import Worker
from clearml_chatops.models.workers import WorkerView
from clearml_chatops.services.workers.worker_ids import remove_service_suffix


def build_worker_views(
    listed_workers: Iterable[Worker], own_views: Iterable[WorkerView]
) -> tuple[WorkerView, ...]:
    """Return the bot's workers with what the server lists for them, and all other listed workers.

    The server lists each run of a services-mode worker as a worker. Such a run belongs to its worker's view; it
    gets its own view only if its worker is gone.
    """
    by_id = {item.id: item for item in listed_workers}
    views = {view.id: view for view in own_views}
    known_ids = views.keys() | by_id.keys()
    service_runs: dict[str, list[Worker]] = defaultdict(list)
    for id_ in [
        id_ for id_ in by_id if remove_service_suffix(id_) != id_ and remove_service_suffix(id_) in known_ids
    ]:
        service_runs[remove_service_suffix(id_)].append(by_id.pop(id_))
    views |= {id_: WorkerView(id_) for id_ in by_id if id_ not in views}
    return tuple(
        replace(view, observed=by_id.get(view.id), service_workers=tuple(service_runs[view.id]))
        for view in views.values()
    )
