"""From what a person asks for to how a worker is to run. All that can be wrong with it is found out here."""

from dataclasses import replace

from clearml_chatops.models.errors import DockerVenvConflictError, UnknownHostError
from clearml_chatops.models.people import QueueBinding
from clearml_chatops.models.workers import NO_GPUS, WorkerPlan, WorkerSpec
from clearml_chatops.services.experiments.queues import QueueService
from clearml_chatops.services.workers.agents import LocalAgents
from clearml_chatops.services.workers.gpu_conflicts import GpuConflicts


class WorkerPlanner:
    """Makes the plans for one person's workers on this host. Nothing is changed by it."""

    def __init__(self, *, queues: QueueService, conflicts: GpuConflicts, agents: LocalAgents, host: str) -> None:
        self._queues = queues
        self._conflicts = conflicts
        self._agents = agents
        self._host = host

    async def create_plan(self, spec: WorkerSpec) -> WorkerPlan:
        """The plan of a new worker.

        Raises:
            UnknownHostError, DockerOrVenvError, QueueNotFoundError, NoPersonalQueueError, NoGpuDriverError,
            InvalidValueError, AgentMissingError, DockerMissingError.
        """
        self._require_valid(spec)
        # The server first: of one that is down an agent tells only after 15 s.
        queues = tuple([await self._find_queue(name) for name in spec.queue_names or ("",)])
        gpus = await self._conflicts.resolve_gpus(NO_GPUS if spec.services_mode else spec.gpus or "all")
        plan = WorkerPlan(queues, gpus, services_mode=spec.services_mode, name=spec.name)
        return self._require_startable(_apply_containers(plan, spec))

    async def change_plan(self, plan: WorkerPlan, spec: WorkerSpec) -> WorkerPlan:
        """The plan with what the order changes.

        Raises:
            DockerOrVenvError, NoGpuDriverError, InvalidValueError, AgentMissingError, DockerMissingError.
        """
        self._require_valid(spec)
        gpus = plan.gpus if spec.gpus is None else await self._conflicts.resolve_gpus(spec.gpus)
        return self._require_startable(_apply_containers(replace(plan, gpus=gpus), spec))

    def _require_valid(self, spec: WorkerSpec) -> None:
        if spec.host and spec.host.casefold() != self._host.casefold():
            raise UnknownHostError(host=self._host, requested_host=spec.host)
        if spec.venv and spec.docker:
            raise DockerVenvConflictError(one="one of the two words")
        if spec.venv and spec.image:
            raise DockerVenvConflictError(one="venv or image=")

    def _require_startable(self, plan: WorkerPlan) -> WorkerPlan:
        self._agents.require_programs(plan, host=self._host)
        return plan

    async def _find_queue(self, name: str) -> QueueBinding:
        queue = await self._queues.find_named_or_own(name)
        return QueueBinding(queue.id, queue.name)


def _apply_containers(plan: WorkerPlan, spec: WorkerSpec) -> WorkerPlan:
    """An empty image takes the worker's own away, and with it the containers where `docker` is not said.

    `docker` stands in a plan only where there is no image: the same worker is the same plan.
    """
    if spec.venv or (spec.image == "" and not spec.docker):
        return replace(plan, image="", docker=False)
    image = plan.image if spec.image is None else spec.image
    return replace(plan, image=image, docker=not image and (spec.docker or plan.docker))
