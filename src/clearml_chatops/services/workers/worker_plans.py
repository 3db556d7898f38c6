"""Turning a worker spec, which a person asks for, into a checked worker plan."""

from dataclasses import replace

from clearml_chatops.models.errors import DockerVenvConflictError, UnknownHostError
from clearml_chatops.models.people import QueueBinding
from clearml_chatops.models.workers import NO_GPUS, WorkerPlan, WorkerSpec
from clearml_chatops.services.experiments.queues import QueueService
from clearml_chatops.services.workers.agents import LocalAgents
from clearml_chatops.services.workers.gpu_conflicts import GpuConflicts


class WorkerPlanner:
    """A planner of one person's workers on this host. Changes nothing."""

    def __init__(self, *, queues: QueueService, conflicts: GpuConflicts, agents: LocalAgents, host: str) -> None:
        self._queues = queues
        self._conflicts = conflicts
        self._agents = agents
        self._host = host

    async def create_plan(self, spec: WorkerSpec) -> WorkerPlan:
        """Return the plan of a new worker.

        Raises:
            UnknownHostError, DockerVenvConflictError, QueueNotFoundError, NoPersonalQueueError,
            NoGpuDriverError, InvalidValueError, AgentMissingError, DockerMissingError.
        """
        self._require_valid(spec)
        # Ask the server first: an agent needs 15 s to report that the server is down.
        queues = [await self._queues.find_named_or_own(name) for name in spec.queue_names or ("",)]
        bindings = tuple(QueueBinding(queue.id, queue.name) for queue in queues)
        gpus = await self._conflicts.resolve_gpus(NO_GPUS if spec.services_mode else spec.gpus or "all")
        plan = WorkerPlan(bindings, gpus, services_mode=spec.services_mode, name=spec.name)
        return self._require_startable(_apply_containers(plan, spec))

    async def change_plan(self, plan: WorkerPlan, spec: WorkerSpec) -> WorkerPlan:
        """Return the plan with the changes that the spec asks for.

        Raises:
            UnknownHostError, DockerVenvConflictError, NoGpuDriverError, InvalidValueError, AgentMissingError,
            DockerMissingError.
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


def _apply_containers(plan: WorkerPlan, spec: WorkerSpec) -> WorkerPlan:
    """Return the plan with the spec's container settings.

    An empty image removes the plan's image and, without `docker`, the containers too. A plan has `docker` only if
    it has no image: equal workers have equal plans.
    """
    if spec.venv or (spec.image == "" and not spec.docker):
        return replace(plan, image="", docker=False)
    image = plan.image if spec.image is None else spec.image
    return replace(plan, image=image, docker=not image and (spec.docker or plan.docker))
