"""What a worker is called: by host, queue and cards, so that two people's workers on one card are two."""

import re

from clearml_chatops.models.workers import NO_GPUS, WorkerPlan

_GPUS_PATTERN = re.compile(r":gpu([\w,.-]+)$")
_SERVICE_SEPARATOR = ":service:"
"""Stands behind a worker's id in that of each run of one in services mode, which ClearML lists as a worker."""


def build_worker_id(host: str, plan: WorkerPlan) -> str:
    """The agent's own ids hold no queue (contract, section 6). Colons part the id, so none may stand in a name.

    Of several queues it names the first. A name of its own stands where the queue's would.
    """
    gpus = "cpu" if plan.gpus == NO_GPUS else f"gpu{plan.gpus}"
    queue = plan.name or plan.queues[0].queue_name
    return ":".join((_sanitize_part(host), _sanitize_part(queue), "services" if plan.services_mode else gpus))


def parse_worker_gpus(worker_id: str) -> str:
    """The cards that a worker's id names, as `0,1`, the agent's own ids too; empty where it names none."""
    match = _GPUS_PATTERN.search(worker_id)
    return match[1] if match else ""


def remove_service_suffix(worker_id: str) -> str:
    """The id of the worker that began a run, from the one under which the run reports."""
    return worker_id.partition(_SERVICE_SEPARATOR)[0]


def _sanitize_part(name: str) -> str:
    return re.sub(r"[\s:/]+", "_", name)
