"""Runs of experiments: enqueue, dequeue, abort, reset, retry, and rerun as all steps in one."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

from clearml_chatops.models.errors import (
    CannotResetError,
    CannotRetryError,
    ClearMLError,
    ParameterInNameError,
)
from clearml_chatops.models.experiments import Container, Experiment, Status
from clearml_chatops.models.notifications import EventKind
from clearml_chatops.models.people import Person, QueueBinding
from clearml_chatops.services.clearml_gateway import ClearML
from clearml_chatops.services.clearml_gateway.api_client import has_code
from clearml_chatops.services.experiments import queue_requests
from clearml_chatops.services.experiments.differences import ValueChange, diff_experiments
from clearml_chatops.services.experiments.experiment_lookup import ExperimentLookup
from clearml_chatops.services.experiments.experiments import ExperimentService, require_valid_name
from clearml_chatops.services.experiments.ownership import Ownership
from clearml_chatops.services.experiments.parameter_names import find_parameter
from clearml_chatops.services.experiments.parameters import merged, resolve_assignments
from clearml_chatops.services.experiments.queues import QueueService
from clearml_chatops.services.experiments.status_errors import (
    build_cannot_abort_error,
    build_cannot_enqueue_error,
    build_not_pending_error,
)
from clearml_chatops.services.watching.tracking import Tracking
from clearml_chatops.services.workers.preflight import Finding, Preflight

_INVALID_STATUS = (400, 110)
_NOT_IN_QUEUE = (400, 703)

_ABORT_POLL_COUNT = 8
_ABORT_POLL_INTERVAL_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class EnqueuedExperiment:
    """An experiment that is now Pending. `has_worker` is whether a worker listens on the queue (None: unknown).

    `changes` are the differences from its source, if it was cloned for this run. `findings` are problems that
    it may have in the queue.
    """

    experiment: Experiment
    queue_name: str
    has_worker: bool | None
    changes: tuple[ValueChange, ...] = ()
    findings: tuple[Finding, ...] = ()


class RunService:
    """Runs for one person in one conversation. Methods that change a run raise ExperimentNotYoursError."""

    def __init__(
        self,
        *,
        clearml: ClearML,
        lookup: ExperimentLookup,
        experiments: ExperimentService,
        queues: QueueService,
        tracking: Tracking,
        ownership: Ownership,
        preflight: Preflight,
        person: Person,
    ) -> None:
        self._clearml = clearml
        self._lookup = lookup
        self._experiments = experiments
        self._queues = queues
        self._tracking = tracking
        self._ownership = ownership
        self._preflight = preflight
        self._person = person

    async def enqueue(
        self,
        reference: str,
        *,
        queue_name: str,
        front: bool,
        create_queue: bool = False,
        force: bool = False,
        make_current: bool = True,
    ) -> EnqueuedExperiment:
        """Enqueue a Draft, Failed or Aborted experiment, without a queue name into the person's own queue.

        Raises:
            CannotEnqueueError, AlreadyPendingError, QueueNotFoundError, NoPersonalQueueError.
            PreflightError: it has a problem in this queue, and `force` is not set.
        """
        if create_queue:
            experiment = await self._lookup.find(reference)
            # Create a queue only for an experiment that can be enqueued.
            await self._require_enqueueable(experiment)
            binding = await self._queues.resolve_binding(queue_name, create=True)
        else:
            experiment, binding = await asyncio.gather(
                self._lookup.find(reference), self._queues.resolve_binding(queue_name)
            )
        await self._require_enqueueable(experiment)
        findings = await self._preflight.require_runnable(experiment, binding, force=force)
        enqueued = await self._enqueue(experiment, binding, front=front, make_current=make_current)
        return replace(enqueued, findings=findings)

    async def retry(
        self, reference: str, *, queue_name: str, front: bool = False, make_current: bool = True
    ) -> EnqueuedExperiment:
        """Enqueue a Failed or Aborted run again unchanged, in its previous queue or the named one."""
        experiment = await self._lookup.find(reference)
        await self._ownership.require_own(experiment)
        if experiment.status not in {Status.FAILED, Status.ABORTED}:
            raise CannotRetryError(
                name=experiment.name,
                status=experiment.status.label,
                advice="Use /enqueue instead." if experiment.is_draft else "Use /rerun to run a copy.",
            )
        former_queue = (
            await self._clearml.get_queue(experiment.queue_id) if experiment.queue_id and not queue_name else None
        )
        binding = (
            QueueBinding(former_queue.id, former_queue.name)
            if former_queue
            else await self._queues.resolve_binding(queue_name)
        )
        return await self._enqueue(experiment, binding, front=front, make_current=make_current)

    async def rerun(
        self,
        reference: str,
        *,
        name: str,
        assignments: Sequence[tuple[str, str]],
        image: str | None,
        queue_name: str,
        create_queue: bool = False,
        force: bool = False,
    ) -> EnqueuedExperiment:
        """Clone an experiment, change the copy and enqueue it. Three requests, one more for a named queue.

        Everything is checked before the clone is created.

        Raises:
            ParameterInNameError: the name starts with a parameter name.
            And everything that clone, set and enqueue raise.
        """
        require_valid_name(name, allow_empty=True)
        if create_queue:
            source, binding = await self._lookup.find(reference), None
        else:
            source, binding = await asyncio.gather(
                self._lookup.find(reference), self._queues.resolve_binding(queue_name)
            )
        _require_no_parameter_in_name(name, source)
        parameters = merged(source.parameters, resolve_assignments(source, assignments, allow_new=False))
        # Create a queue only once the values are valid.
        binding = binding or await self._queues.resolve_binding(queue_name, create=True)
        container: Container = source.container if image is None else replace(source.container, image=image)
        planned = replace(source, parameters=tuple(parameters), container=container)
        findings = await self._preflight.require_runnable(planned, binding, force=force)
        draft = await self._experiments.clone_experiment(
            source, name=name, parameters=parameters, container=container
        )
        enqueued = await self._enqueue(draft, binding, front=False)
        return replace(enqueued, changes=diff_experiments(source, draft), findings=findings)

    async def check(self, reference: str, *, queue_name: str) -> tuple[Experiment, tuple[Finding, ...]]:
        """Check that an experiment can run in a queue: the named one, its current one or the person's own."""
        experiment = await self._lookup.find(reference)
        if experiment.status is Status.PENDING and experiment.queue_id and not queue_name:
            queue = await self._clearml.get_queue(experiment.queue_id)
            binding = QueueBinding(experiment.queue_id, queue.name if queue else experiment.queue_id)
        else:
            binding = await self._queues.resolve_binding(queue_name)
        return experiment, await self._preflight.check(experiment, binding)

    async def dequeue(self, reference: str) -> Experiment:
        """Take an experiment out of its queue, and return it with the status it had before.

        Raises:
            NotPendingError: also if a worker has just taken it.
            StillPendingError: it's in no queue, but ClearML may show it as Pending.
        """
        experiment = await self._lookup.find(reference)
        await self._ownership.require_own(experiment)
        if experiment.status is not Status.PENDING:
            raise build_not_pending_error(experiment)
        await self._tracking.record_own_action(experiment.id, EventKind.DEQUEUED)
        return await queue_requests.dequeue(self._clearml, experiment)

    async def require_abortable(self, reference: str) -> Experiment:
        """Return an experiment that can be aborted. Raises CannotAbortError, ExperimentNotYoursError."""
        experiment = await self._lookup.find(reference)
        await self._ownership.require_own(experiment)
        if experiment.status not in {Status.PENDING, Status.RUNNING}:
            raise build_cannot_abort_error(experiment)
        return experiment

    async def abort(self, experiment: Experiment) -> Experiment:
        """Abort a Pending or Running experiment and return its new state, Running if the worker is slow.

        An agent that has just taken the experiment overwrites ClearML's stop request with its own status
        message and never sees the request. It is therefore repeated until it stays or the run has ended.

        Raises:
            CannotAbortError: the run ended before the request.
        """
        await self._tracking.record_own_action(experiment.id, EventKind.ABORTED)
        try:
            await self._stop(experiment)
        except ClearMLError as error:
            if has_code(error, *_INVALID_STATUS):
                raise build_cannot_abort_error(await self._lookup.find(experiment.id)) from error
            raise
        if experiment.status is Status.PENDING:
            return replace(experiment, status=Status.ABORTED)
        for _ in range(_ABORT_POLL_COUNT):
            experiment = await self._lookup.find(experiment.id)
            if experiment.status is not Status.RUNNING:
                break
            if not experiment.is_stopping:
                await self._stop(experiment)
            await asyncio.sleep(_ABORT_POLL_INTERVAL_SECONDS)
        return experiment

    async def _stop(self, experiment: Experiment) -> None:
        await self._clearml.stop(experiment.id, reason=f"Aborted by {self._person.name}")

    async def require_resettable(self, reference: str) -> Experiment:
        """Return an experiment that can be reset. Raises CannotResetError, ExperimentNotYoursError."""
        experiment = await self._lookup.find(reference)
        await self._ownership.require_own(experiment)
        advice = {
            Status.RUNNING: "Abort it first with /abort.",
            Status.PENDING: "Take it out of its queue with /dequeue.",
            Status.DRAFT: "A Draft has nothing to reset.",
            Status.PUBLISHED: "Clone it and change the copy.",
        }.get(experiment.status)
        if advice:
            raise CannotResetError(name=experiment.name, status=experiment.status.label, advice=advice)
        return experiment

    async def reset(self, experiment: Experiment) -> Experiment:
        """Make an experiment a Draft again; the server deletes its log and scalars."""
        await self._tracking.record_own_action(experiment.id, EventKind.BACK_TO_DRAFT)
        await self._clearml.reset(experiment.id)
        return replace(experiment, status=Status.DRAFT, metrics=(), last_iteration=0, started=None, completed=None)

    async def _require_enqueueable(self, experiment: Experiment) -> None:
        """Raise ExperimentNotYoursError, AlreadyPendingError or CannotEnqueueError if it cannot be enqueued."""
        await self._ownership.require_own(experiment)
        if experiment.status is Status.PENDING:
            raise await queue_requests.build_already_pending_error(self._clearml, experiment)
        if experiment.status not in {Status.DRAFT, Status.FAILED, Status.ABORTED}:
            raise build_cannot_enqueue_error(experiment)

    async def follow(self, experiment: Experiment) -> None:
        """Notify the person of a run that a request of theirs enqueued, although its response was lost."""
        await self._tracking.follow(experiment)

    async def _enqueue(
        self, experiment: Experiment, binding: QueueBinding, *, front: bool, make_current: bool = True
    ) -> EnqueuedExperiment:
        await self._require_enqueueable(experiment)
        await self._tracking.record_own_action(experiment.id, EventKind.ENQUEUED)
        enqueued = await queue_requests.enqueue(self._clearml, experiment, binding)
        pending = replace(
            experiment,
            status=Status.PENDING,
            status_changed=enqueued.enqueued_at or self._tracking.now(),
            queue_id=binding.queue_id,
        )
        await self._tracking.follow(pending)
        if make_current:
            await self._lookup.set_current(experiment.id)
        if front:
            await self._move_to_front(pending)
        return EnqueuedExperiment(pending, binding.queue_name, enqueued.has_worker)

    async def _move_to_front(self, pending: Experiment) -> None:
        try:
            await self._clearml.move_to_front(pending.queue_id, pending.id)
        except ClearMLError as error:
            # Not an error if a worker has already taken it.
            if not has_code(error, *_NOT_IN_QUEUE):
                raise


def _require_no_parameter_in_name(name: str, source: Experiment) -> None:
    """Raise ParameterInNameError for `args.gpus 2,3`: the person means args.gpus=2,3, not a name."""
    first_word, _, rest = name.partition(" ")
    if (
        first_word
        and any(separator in first_word for separator in "./")
        and find_parameter(source.parameters, first_word)
    ):
        raise ParameterInNameError(name=first_word, value=rest or "…")
