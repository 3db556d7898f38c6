"""From what a person asks for to how a worker is to run. All that can be wrong with it is found out here."""

from dataclasses import replace

from clearml_chatops.models.errors import DockerOrVenvError, UnknownHostError
from clearml_chatops.models.people import QueueBinding
from clearml_chatops.models.workers import NO_GPUS, WorkerOrder, WorkerPlan
from clearml_chatops.services.experiments.queues import QueueService
from clearml_chatops.services.workers.agents import LocalAgents
from clearml_chatops.services.workers.card_claims import CardClaims


class WorkerPlans:
    """Makes the plans for one person's workers on this host. Nothing is changed by it."""

    def __init__(self, *, queues: QueueService, claims: CardClaims, agents: LocalAgents, host: str) -> None:
        self._queues = queues
        self._claims = claims
        self._agents = agents
        self._host = host

    async def first(self, order: WorkerOrder) -> WorkerPlan:
        """The plan of a new worker.

        Raises:
            UnknownHostError, DockerOrVenvError, QueueNotFoundError, NoPersonalQueueError, NoGpuDriverError,
            InvalidValueError, AgentMissingError, DockerMissingError.
        """
        self._require_possible(order)
        # The server first: of one that is down an agent tells only after 15 s.
        queues = tuple([await self._queue(name) for name in order.queue_names or ("",)])
        gpus = await self._claims.chosen(NO_GPUS if order.services else order.gpus or "all")
        plan = WorkerPlan(queues, gpus, services=order.services, name=order.name)
        return self._startable(_with_containers(plan, order))

    async def changed(self, plan: WorkerPlan, order: WorkerOrder) -> WorkerPlan:
        """The plan with what the order changes.

        Raises:
            DockerOrVenvError, NoGpuDriverError, InvalidValueError, AgentMissingError, DockerMissingError.
        """
        self._require_possible(order)
        gpus = plan.gpus if order.gpus is None else await self._claims.chosen(order.gpus)
        return self._startable(_with_containers(replace(plan, gpus=gpus), order))

    def _require_possible(self, order: WorkerOrder) -> None:
        if order.host and order.host.casefold() != self._host.casefold():
            raise UnknownHostError(host=self._host, wanted=order.host)
        if order.venv and order.docker:
            raise DockerOrVenvError(one="one of the two words")
        if order.venv and order.image:
            raise DockerOrVenvError(one="venv or image=")

    def _startable(self, plan: WorkerPlan) -> WorkerPlan:
        self._agents.require_programs(plan, host=self._host)
        return plan

    async def _queue(self, name: str) -> QueueBinding:
        queue = await self._queues.mine(name)
        return QueueBinding(queue.id, queue.name)


def _with_containers(plan: WorkerPlan, order: WorkerOrder) -> WorkerPlan:
    """An empty image takes the worker's own away, and with it the containers where `docker` is not said.

    `docker` stands in a plan only where there is no image: the same worker is the same plan.
    """
    if order.venv or (order.image == "" and not order.docker):
        return replace(plan, image="", docker=False)
    image = plan.image if order.image is None else order.image
    return replace(plan, image=image, docker=not image and (order.docker or plan.docker))
