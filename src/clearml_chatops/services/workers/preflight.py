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
from clearml_chatops.models.workers import ALL_GPUS, NO_GPUS, WantedWorker
from clearml_chatops.services.clearml_gateway import ClearML
from clearml_chatops.services.workers.gpus import GpuService
from clearml_chatops.services.workers.host_workers import HostWorkers
from clearml_chatops.services.workers.queue_holds import HOLD_TAG

_CARD_PARAMETERS = frozenset({"gpus", "gpu", "gpu_ids", "gpu_id", "devices", "device_ids", "cuda_devices"})
_IMAGE_SECONDS = 5.0


class Light(StrEnum):
    """How bad a finding is: it would not run, it may not, it is well."""

    RED = "red"
    AMBER = "amber"
    GREEN = "green"


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found out; `offers` may mend it."""

    light: Light
    text: str
    offers: tuple[Button, ...] = ()


class Preflight:
    """Looks at an experiment before it waits. At an enqueue nobody is asked, but where something is wrong."""

    def __init__(self, *, clearml: ClearML, host_workers: HostWorkers, gpus: GpuService) -> None:
        self._clearml = clearml
        self._host_workers = host_workers
        self._gpus = gpus

    async def require_fit(
        self, experiment: Experiment, queue: QueueBinding, *, force: bool
    ) -> tuple[Finding, ...]:
        """What may go wrong with it in this queue.

        Raises:
            PreflightError: it cannot run there, and `force` is not set.
        """
        findings = await self._fitting(experiment, queue)
        red = [item.text for item in findings if item.light is Light.RED]
        if red and not force:
            raise PreflightError(
                name=experiment.name, reason=" ".join(red), offers=[Button("Check it", f"/check {experiment.id}")]
            )
        return tuple(item for item in findings if item.light is not Light.GREEN)

    async def check(self, experiment: Experiment, queue: QueueBinding) -> tuple[Finding, ...]:
        """All that can be found out, also what is well."""
        return (
            await self._listening(queue),
            *await self._fitting(experiment, queue),
            *await self._images(experiment, await self._wanted(queue)),
            *await self._free_cards(await self._wanted(queue)),
        )

    async def _wanted(self, queue: QueueBinding) -> list[WantedWorker]:
        wanted = await self._host_workers.wanted()
        return [item for item in wanted if queue.queue_id in item.plan.queue_ids]

    async def _listening(self, binding: QueueBinding) -> Finding:
        queue = await self._clearml.queue(binding.queue_id)
        if queue is None or not queue.worker_ids:
            text = f"No worker listens on {binding.queue_name}; /worker start makes one."
            start = Button("Start a worker", f'/worker start queue="{binding.queue_name}"')
            return Finding(Light.AMBER, text, (start,))
        holding = [item.id for item in await self._wanted(binding) if queue.id in item.held_queues]
        if holding:
            text = f"Nothing is taken from {queue.name} while {', '.join(holding)} ends what it runs and stops."
            return Finding(Light.AMBER, text)
        if HOLD_TAG in queue.tags:
            return Finding(
                Light.AMBER, f"{queue.name} is held by its tag {HOLD_TAG}, so nothing is taken from it."
            )
        return Finding(Light.GREEN, f"{', '.join(queue.worker_ids)} listens on {queue.name}.")

    async def _fitting(self, experiment: Experiment, queue: QueueBinding) -> tuple[Finding, ...]:
        workers = await self._wanted(queue)
        return (
            _code(experiment),
            *self._container(experiment, workers),
            *await self._cards(experiment, workers),
        )

    @staticmethod
    def _container(experiment: Experiment, workers: Sequence[WantedWorker]) -> tuple[Finding, ...]:
        """A worker without docker takes an experiment with an image all the same, and leaves the image out."""
        image = experiment.container.image
        without = [item.id for item in workers if not item.plan.in_containers]
        if not image or not without:
            return ()
        text = f"{', '.join(without)} runs without docker, so the image {image} is left out."
        return (Finding(Light.AMBER, text),)

    async def _cards(self, experiment: Experiment, workers: Sequence[WantedWorker]) -> tuple[Finding, ...]:
        """The cards of a worker are numbered from 0 for what it runs, whichever they are on the machine."""
        parameter = _card_parameter(experiment)
        if parameter is None:
            return ()
        indices = [int(index) for index in parameter.value.split(",")]
        findings = []
        for worker in workers:
            count = await self._count(worker)
            if count is None or max(indices) < count:
                continue
            right = ",".join(str(index) for index in range(min(count, len(indices))))
            has = f"has the cards {worker.plan.gpus}: for what it runs they are 0 to {count - 1}"
            advice = f"{has}; /set {parameter.key} {right}." if count else "has no card."
            # A single number may be how many, and a script without docker may choose the machine's cards itself.
            light = Light.RED if worker.plan.in_containers and len(indices) > 1 else Light.AMBER
            text = f"{parameter.key} is {parameter.value}, and {worker.id} {advice}"
            findings.append(Finding(light, text))
        return tuple(findings) if len(findings) == len(workers) else ()

    async def _count(self, worker: WantedWorker) -> int | None:
        if worker.plan.gpus == NO_GPUS:
            return 0
        if worker.plan.gpus != ALL_GPUS:
            return len(worker.plan.cards)
        try:
            return len(await self._gpus.cards())
        except NoGpuDriverError:
            return None

    async def _images(self, experiment: Experiment, workers: Sequence[WantedWorker]) -> list[Finding]:
        """Whether the image is on this machine, where docker answers."""
        images = {experiment.container.image or item.plan.image for item in workers if item.plan.in_containers}
        findings = []
        # Which image an agent takes where neither names one is its own setting.
        for image in sorted(filter(None, images)):
            there = await _has_image(image)
            if there is True:
                findings.append(Finding(Light.GREEN, f"The image {image} is on this machine."))
            elif there is False:
                findings.append(
                    Finding(Light.AMBER, f"The image {image} is not on this machine and is pulled first.")
                )
        return findings

    async def _free_cards(self, workers: Sequence[WantedWorker]) -> list[Finding]:
        wanted = frozenset(card for item in workers for card in item.plan.cards)
        if not wanted:
            return []
        try:
            uses = (await self._gpus.overview()).uses
        except NoGpuDriverError:
            return []
        meant = [use for use in uses if ALL_GPUS in wanted or str(use.gpu.index) in wanted]
        free = [str(use.gpu.index) for use in meant if not use.occupants and not use.gpu.lost]
        if free:
            return [Finding(Light.GREEN, f"Card {', '.join(free)} is free.")]
        return (
            [Finding(Light.AMBER, "No card of its workers is free; /gpus shows who is on them.")] if meant else []
        )


def _code(experiment: Experiment) -> Finding:
    script = experiment.script
    if not script.repository and not script.other.get("diff"):
        return Finding(Light.RED, "It has no code: neither a repository nor a script of its own.")
    if script.repository and not script.commit:
        branch = script.branch or "the repository"
        return Finding(Light.AMBER, f"It names no commit, so the newest of {branch} is run.")
    return Finding(Light.GREEN, "Its code is given.")


def _card_parameter(experiment: Experiment) -> Parameter | None:
    """The parameter that names cards, where one does by their indices."""
    return next(
        (
            item
            for item in experiment.parameters
            if item.name.casefold() in _CARD_PARAMETERS and re.fullmatch(r"\d{1,3}(,\d{1,3})*", item.value)
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
        _, errors = await asyncio.wait_for(process.communicate(), _IMAGE_SECONDS)
    except TimeoutError:
        return None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode == 0:
        return True
    return False if b"No such image" in errors or b"No such object" in errors else None
