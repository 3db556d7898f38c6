"""Whether an experiment can run as it is where it is to wait: said before it is too late."""

import asyncio
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from clearml_chatops.models.errors import NoGpuDriverError, PreflightError
from clearml_chatops.models.experiments import Experiment, Parameter
from clearml_chatops.models.people import QueueBinding
from clearml_chatops.models.replies import Button
from clearml_chatops.models.workers import ALL_GPUS, NO_GPUS, DesiredWorker
from clearml_chatops.services.clearml_gateway import ClearML
from clearml_chatops.services.workers.gpus import GpuService
from clearml_chatops.services.workers.host_workers import HostWorkers
from clearml_chatops.services.workers.queue_pauses import PAUSE_TAG

_GPU_PARAMETER_NAMES = frozenset({"gpus", "gpu", "gpu_ids", "gpu_id", "devices", "device_ids", "cuda_devices"})
_DOCKER_TIMEOUT_SECONDS = 5.0


class Severity(StrEnum):
    """How bad a finding is: it would not run, it may not, it is well."""

    ERROR = "red"
    WARNING = "amber"
    OK = "green"


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found out; `offers` may mend it."""

    severity: Severity
    text: str
    offers: tuple[Button, ...] = ()


class Preflight:
    """Looks at an experiment before it waits. At an enqueue nobody is asked, but where something is wrong."""

    def __init__(self, *, clearml: ClearML, host_workers: HostWorkers, gpus: GpuService) -> None:
        self._clearml = clearml
        self._host_workers = host_workers
        self._gpus = gpus

    async def require_runnable(
        self, experiment: Experiment, queue: QueueBinding, *, force: bool
    ) -> tuple[Finding, ...]:
        """What may go wrong with it in this queue.

        Raises:
            PreflightError: it cannot run there, and `force` is not set.
        """
        findings = await self._check_compatibility(experiment, queue)
        errors = [item.text for item in findings if item.severity is Severity.ERROR]
        if errors and not force:
            raise PreflightError(
                name=experiment.name,
                reason=" ".join(errors),
                buttons=[Button("Check it", f"/check {experiment.id}")],
            )
        return tuple(item for item in findings if item.severity is not Severity.OK)

    async def check(self, experiment: Experiment, queue: QueueBinding) -> tuple[Finding, ...]:
        """All that can be found out, also what is well."""
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
            text = f"No worker listens on {binding.queue_name}; /worker start makes one."
            start_button = Button("Start a worker", f'/worker start queue="{binding.queue_name}"')
            return Finding(Severity.WARNING, text, (start_button,))
        pausing_worker_ids = [
            item.id for item in await self._list_queue_workers(binding) if queue.id in item.paused_queue_ids
        ]
        if pausing_worker_ids:
            text = f"Nothing is taken from {queue.name} while {', '.join(pausing_worker_ids)} ends what it runs and stops."
            return Finding(Severity.WARNING, text)
        if PAUSE_TAG in queue.tags:
            return Finding(
                Severity.WARNING, f"{queue.name} is held by its tag {PAUSE_TAG}, so nothing is taken from it."
            )
        return Finding(Severity.OK, f"{', '.join(queue.worker_ids)} listens on {queue.name}.")

    async def _check_compatibility(self, experiment: Experiment, queue: QueueBinding) -> tuple[Finding, ...]:
        workers = await self._list_queue_workers(queue)
        return (
            _check_code(experiment),
            *self._check_container(experiment, workers),
            *await self._check_gpu_parameter(experiment, workers),
        )

    @staticmethod
    def _check_container(experiment: Experiment, workers: Sequence[DesiredWorker]) -> tuple[Finding, ...]:
        """A worker without docker takes an experiment with an image all the same, and leaves the image out."""
        image = experiment.container.image
        workers_without_docker = [item.id for item in workers if not item.plan.uses_containers]
        if not image or not workers_without_docker:
            return ()
        text = f"{', '.join(workers_without_docker)} runs without docker, so the image {image} is left out."
        return (Finding(Severity.WARNING, text),)

    async def _check_gpu_parameter(
        self, experiment: Experiment, workers: Sequence[DesiredWorker]
    ) -> tuple[Finding, ...]:
        """The cards of a worker are numbered from 0 for what it runs, whichever they are on the machine."""
        parameter = _find_gpu_parameter(experiment)
        if parameter is None:
            return ()
        indices = [int(index) for index in parameter.value.split(",")]
        findings = []
        for worker in workers:
            gpu_count = await self._count_gpus(worker)
            if gpu_count is None or max(indices) < gpu_count:
                continue
            suggested_indices = ",".join(str(index) for index in range(min(gpu_count, len(indices))))
            description = f"has the cards {worker.plan.gpus}: for what it runs they are 0 to {gpu_count - 1}"
            advice = f"{description}; /set {parameter.key} {suggested_indices}." if gpu_count else "has no card."
            # A single number may be how many, and a script without docker may choose the machine's cards itself.
            severity = Severity.ERROR if worker.plan.uses_containers and len(indices) > 1 else Severity.WARNING
            text = f"{parameter.key} is {parameter.value}, and {worker.id} {advice}"
            findings.append(Finding(severity, text))
        return tuple(findings) if len(findings) == len(workers) else ()

    async def _count_gpus(self, worker: DesiredWorker) -> int | None:
        if worker.plan.gpus == NO_GPUS:
            return 0
        if worker.plan.gpus != ALL_GPUS:
            return len(worker.plan.gpu_ids)
        try:
            return len(await self._gpus.list_gpus())
        except NoGpuDriverError:
            return None

    async def _check_images(self, experiment: Experiment, workers: Sequence[DesiredWorker]) -> list[Finding]:
        """Whether the image is on this machine, where docker answers."""
        images = {experiment.container.image or item.plan.image for item in workers if item.plan.uses_containers}
        findings = []
        # Which image an agent takes where neither names one is its own setting.
        for image in sorted(filter(None, images)):
            is_present = await _has_image(image)
            if is_present is True:
                findings.append(Finding(Severity.OK, f"The image {image} is on this machine."))
            elif is_present is False:
                findings.append(
                    Finding(Severity.WARNING, f"The image {image} is not on this machine and is pulled first.")
                )
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
            return [Finding(Severity.OK, f"Card {', '.join(free_gpus)} is free.")]
        return (
            [Finding(Severity.WARNING, "No card of its workers is free; /gpus shows who is on them.")]
            if worker_gpus
            else []
        )


def _check_code(experiment: Experiment) -> Finding:
    script = experiment.script
    if not script.repository and not script.other.get("diff"):
        return Finding(Severity.ERROR, "It has no code: neither a repository nor a script of its own.")
    if script.repository and not script.commit:
        branch = script.branch or "the repository"
        return Finding(Severity.WARNING, f"It names no commit, so the newest of {branch} is run.")
    return Finding(Severity.OK, "Its code is given.")


def _find_gpu_parameter(experiment: Experiment) -> Parameter | None:
    """The parameter that names cards, where one does by their indices."""
    return next(
        (
            item
            for item in experiment.parameters
            if item.name.casefold() in _GPU_PARAMETER_NAMES and re.fullmatch(r"\d{1,3}(,\d{1,3})*", item.value)
        ),
        None,
    )


async def _has_image(image: str) -> bool | None:
    """None where docker does not answer."""
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
