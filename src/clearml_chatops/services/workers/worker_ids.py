"""Worker ids, made of host, queue and GPUs: two people can each have a worker on the same GPU."""

import re

from clearml_chatops.models.workers import NO_GPUS, WorkerPlan

_GPUS_PATTERN = re.compile(r":gpu([\w,.-]+)$")
_SERVICE_SEPARATOR = ":service:"
"""Separates a services-mode worker's id from its run's id: ClearML lists each such run as a worker."""


def build_worker_id(host: str, plan: WorkerPlan) -> str:
    """Return the worker's id, such as `lab:alice_queue:gpu0,1`, `lab:alice_queue:cpu` or `lab:jobs:services`.

    The agent's own ids contain no queue (contract, section 6). With several queues, the id names the first; a
    name in the plan replaces the queue. Colons separate the parts, so they become underscores within a part.
    """
    gpus = "cpu" if plan.gpus == NO_GPUS else f"gpu{plan.gpus}"
    queue = plan.name or plan.queues[0].queue_name
    return ":".join((_sanitize_part(host), _sanitize_part(queue), "services" if plan.services_mode else gpus))


def parse_worker_gpus(worker_id: str) -> str:
    """Return the GPUs that a worker id names, as `0,1`; empty if none. The agent's own ids work too."""
    match = _GPUS_PATTERN.search(worker_id)
    return match[1] if match else ""


def remove_service_suffix(worker_id: str) -> str:
    """Return the id of the worker that started a run, given the id under which the run reports."""
    return worker_id.partition(_SERVICE_SEPARATOR)[0]


def _sanitize_part(name: str) -> str:
    return re.sub(r"[\s:/]+", "_", name)
