"""What a worker is called: by host, queue and cards, so that two people's workers on one card are two."""

import re

from clearml_chatops.models.workers import NO_GPUS, WorkerPlan

_CARDS = re.compile(r":gpu([\w,.-]+)$")
_SERVICE = ":service:"
"""Stands behind a worker's id in that of each run of one in services mode, which ClearML lists as a worker."""


def worker_id_for(host: str, plan: WorkerPlan) -> str:
    """The agent's own ids hold no queue (contract, section 6). Colons part the id, so none may stand in a name.

    Of several queues it names the first. A name of its own stands where the queue's would.
    """
    cards = "cpu" if plan.gpus == NO_GPUS else f"gpu{plan.gpus}"
    queue = plan.name or plan.queues[0].queue_name
    return ":".join((_part(host), _part(queue), "services" if plan.services else cards))


def cards_named_in(worker_id: str) -> str:
    """The cards that a worker's id names, as `0,1`, the agent's own ids too; empty where it names none."""
    named = _CARDS.search(worker_id)
    return named[1] if named else ""


def worker_of(run_worker_id: str) -> str:
    """The id of the worker that began a run, from the one under which the run reports."""
    return run_worker_id.partition(_SERVICE)[0]


def _part(name: str) -> str:
    return re.sub(r"[\s:/]+", "_", name)
