"""Checks before an experiment is enqueued: code, container, GPUs, and a worker on its queue."""

import asyncio
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from clearml_chatops.models.errors import NoGpuDriverError, PreflightError
from clearml_chatops.models.experiments import Experiment
from clearml_chatops.models.people import QueueBinding
from clearml_chatops.models.replies import Button
from clearml_chatops.models.workers import ALL_GPUS, DesiredWorker
from clearml_chatops.services.clearml_gateway import ClearML
from clearml_chatops.services.workers.gpu_counts import count_gpus
from clearml_chatops.services.workers.gpu_parameters import describe_numbering, find_misfit, list_gpu_parameters
from clearml_chatops.services.workers.gpu_selection import format_gpu_names
from clearml_chatops.services.workers.gpus import GpuService
from clearml_chatops.services.workers.host_workers import HostWorkers
from clearml_chatops.services.workers.queue_pauses import PAUSE_TAG

_DOCKER_TIMEOUT_SECONDS = 5.0


class Severity(StrEnum):
    """Whether an experiment can't run, may not run as intended, or is fine in one respect."""

    ERROR = "red"
    WARNING = "amber"
    OK = "green"


@dataclass(frozen=True, slots=True)
class Finding:
    """A result of a check, with buttons that may solve it."""

    severity: Severity
    text: str
    buttons: tuple[Button, ...] = ()


class Preflight:
    """The checks of an experiment against its queue's workers."""

    def __init__(self, *, clearml: ClearML, host_workers: HostWorkers, gpus: GpuService) -> None:
        self._clearml = clearml
        self._host_workers = host_workers
        self._gpus = gpus

    async def require_runnable(
        self, experiment: Experiment, queue: QueueBinding, *, force: bool
    ) -> tuple[Finding, ...]:
        """Return the warnings for an experiment in this queue, and with `force` the errors too. No request.

        Raises:
            PreflightError: it can't run there, and `force` is not set.
        """
        findings = await self._check_compatibility(experiment, queue)
        errors = [item.text for item in findings if item.severity is Severity.ERROR]
        if errors and not force:
            raise PreflightError(
                name=experiment.name,
                reason=" ".join(errors),
                buttons=[Button("Check", f"/check {experiment.id}")],
            )
        return tuple(item for item in findings if item.severity is not Severity.OK)

    async def check(self, experiment: Experiment, queue: QueueBinding) -> tuple[Finding, ...]:
        """Return the findings of all checks, including what is fine."""
        return (
            await self._check_listeners(queue),
            *await self._check_compatibility(experiment, queue),
            *await self._check_images(experiment, await self._list_queue_workers(queue)),
            *await self._check_free_gpus(await self._list_queue_workers(queue)),
        )

    async def _list_queue_workers(self, queue: QueueBinding) -> list[DesiredWorker]:
        desired_workers = await self._host_workers.list_desired()
        return [item for item in desired_workers if queue.queue_id in item.plan.queue_ids]

    async def _check_listeners(self, binding: QueueBinding) -> Finding:
        queue = await self._clearml.get_queue(binding.queue_id)
        if queue is None or not queue.worker_ids:
            text = f"No worker listens on {binding.queue_name}. Start one with /worker start."
            start_button = Button("Start worker", f'/worker start queue="{binding.queue_name}"')
            return Finding(Severity.WARNING, text, (start_button,))
        pausing_worker_ids = [
            item.id for item in await self._list_queue_workers(binding) if queue.id in item.paused_queue_ids
        ]
        if pausing_worker_ids:
            text = f"{queue.name} is paused while {' and '.join(pausing_worker_ids)} finishes and stops."
            return Finding(Severity.WARNING, text)
        if PAUSE_TAG in queue.tags:
            text = f"{queue.name} is paused by its tag {PAUSE_TAG}. Remove the tag in ClearML to resume it."
            return Finding(Severity.WARNING, text)
        listen = "listens" if len(queue.worker_ids) == 1 else "listen"
        return Finding(Severity.OK, f"{', '.join(queue.worker_ids)} {listen} on {queue.name}.")

    async def _check_compatibility(self, experiment: Experiment, queue: QueueBinding) -> tuple[Finding, ...]:
        workers = await self._list_queue_workers(queue)
        return (
            _check_code(experiment),
            *self._check_container(experiment, workers),
            *await self._check_gpu_parameter(experiment, workers),
        )

    @staticmethod
    def _check_container(experiment: Experiment, workers: Sequence[DesiredWorker]) -> tuple[Finding, ...]:
        """Return a warning if a worker runs without Docker: it ignores the experiment's image."""
        image = experiment.container.image
        workers_without_docker = [item.id for item in workers if not item.plan.uses_containers]
        if not image or not workers_without_docker:
            return ()
        run = "runs" if len(workers_without_docker) == 1 else "run"
        text = f"{', '.join(workers_without_docker)} {run} without Docker. The image {image} is ignored there."
        return (Finding(Severity.WARNING, text),)

    async def _check_gpu_parameter(
        self, experiment: Experiment, workers: Sequence[DesiredWorker]
    ) -> tuple[Finding, ...]:
        """Return findings if no worker has the GPUs that a parameter names; runs number their GPUs from 0."""
        gpu_parameters = list_gpu_parameters(experiment)
        if not gpu_parameters:
            return ()
        findings = []
        for worker in workers:
            gpu_count = await count_gpus(worker.plan.gpus, self._gpus.list_gpus)
            misfit = find_misfit(gpu_parameters, gpu_count)
            if gpu_count is None or misfit is None:
                continue
            key, value = misfit.parameter.key, misfit.parameter.value
            advice = f" Use /set {key} {misfit.suggest(gpu_count)}." if gpu_count else ""
            # A single number may be a count, and a script without Docker may choose the machine's GPUs itself.
            is_certain = worker.plan.uses_containers and len(misfit.numbers) > 1
            text = f"{key} is {value}, but {worker.id} {describe_numbering(gpu_count)}.{advice}"
            findings.append(Finding(Severity.ERROR if is_certain else Severity.WARNING, text))
        return tuple(findings) if len(findings) == len(workers) else ()

    async def _check_images(self, experiment: Experiment, workers: Sequence[DesiredWorker]) -> list[Finding]:
        """Return for each image whether this machine has it; nothing if Docker doesn't answer."""
        images = {experiment.container.image or item.plan.image for item in workers if item.plan.uses_containers}
        findings = []
        # If neither names an image, the agent uses the one of its own settings.
        for image in sorted(filter(None, images)):
            is_present = await _has_image(image)
            if is_present is True:
                findings.append(Finding(Severity.OK, f"The image {image} is on this machine."))
            elif is_present is False:
                text = f"The image {image} isn't on this machine yet. It's pulled before the run starts."
                findings.append(Finding(Severity.WARNING, text))
        return findings

    async def _check_free_gpus(self, workers: Sequence[DesiredWorker]) -> list[Finding]:
        gpu_ids = frozenset(gpu_id for item in workers for gpu_id in item.plan.gpu_ids)
        if not gpu_ids:
            return []
        try:
            uses = (await self._gpus.get_overview()).uses
        except NoGpuDriverError:
            return []
        worker_gpus = [use for use in uses if ALL_GPUS in gpu_ids or str(use.gpu.index) in gpu_ids]
        free_gpus = [str(use.gpu.index) for use in worker_gpus if not use.occupants and not use.gpu.lost]
        if free_gpus:
            verb = "is" if len(free_gpus) == 1 else "are"
            return [Finding(Severity.OK, f"{format_gpu_names(free_gpus)} {verb} free.")]
        text = "No GPU of its workers is free. See who uses them with /gpus."
        return [Finding(Severity.WARNING, text)] if worker_gpus else []


def _check_code(experiment: Experiment) -> Finding:
    script = experiment.script
    if not script.repository and not script.other.get("diff"):
        return Finding(Severity.ERROR, "It has no code, neither a repository nor a script.")
    if script.repository and not script.commit:
        branch = script.branch or "the repository"
        return Finding(Severity.WARNING, f"It has no commit. The latest commit of {branch} runs.")
    return Finding(Severity.OK, "It has code.")


async def _has_image(image: str) -> bool | None:
    """Return whether Docker has the image; None if Docker doesn't answer."""
    docker = shutil.which("docker")
    if not docker:
        return None
    process = await asyncio.create_subprocess_exec(
        *(docker, "image", "inspect", "--format", "{{.Id}}", image),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        _, errors = await asyncio.wait_for(process.communicate(), _DOCKER_TIMEOUT_SECONDS)
    except TimeoutError:
        return None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode == 0:
        return True
    return False if b"No such image" in errors or b"No such object" in errors else None
