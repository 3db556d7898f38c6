"""Running experiments: into a queue and out of it, abort, reset, retry, and all in one line."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

from clearml_chatops.models.errors import (
    AlreadyPendingError,
    CannotAbortError,
    CannotEnqueueError,
    CannotResetError,
    CannotRetryError,
    ClearMLError,
    NotPendingError,
    ParameterInNameError,
    QueueNotFoundError,
)
from clearml_chatops.models.experiments import Container, Experiment, Status
from clearml_chatops.models.notifications import EventKind
from clearml_chatops.models.people import Person, QueueBinding
from clearml_chatops.models.replies import Button
from clearml_chatops.services.clearml_gateway import ClearML
from clearml_chatops.services.clearml_gateway.api_client import has_code
from clearml_chatops.services.experiments.differences import ValueChange, diff_experiments
from clearml_chatops.services.experiments.experiment_lookup import ExperimentLookup
from clearml_chatops.services.experiments.experiments import ExperimentService, require_valid_name
from clearml_chatops.services.experiments.ownership import Ownership
from clearml_chatops.services.experiments.parameters import find_parameter, merged, resolve_assignments
from clearml_chatops.services.experiments.queues import QueueService
from clearml_chatops.services.watching.tracking import Tracking
from clearml_chatops.services.workers.preflight import Finding, Preflight

_INVALID_STATUS = (400, 110)
_UNKNOWN_QUEUE = (400, 701)
_NOT_IN_QUEUE = (400, 703)
_ALREADY_QUEUED = (400, 706)

_ABORT_POLL_COUNT = 8
_ABORT_POLL_INTERVAL_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class EnqueuedExperiment:
    """An experiment that now waits. `watched` tells whether a worker listens there (None: not known).

    `changes` is what it has otherwise than the one it was cloned from, where it was cloned for this;
    `findings` are what may go wrong with it there.
    """

    experiment: Experiment
    queue_name: str
    has_worker: bool | None
    changes: tuple[ValueChange, ...] = ()
    findings: tuple[Finding, ...] = ()


class RunService:
    """Runs for one person in one conversation. Verbs that change a run raise NotYoursError."""

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
    ) -> EnqueuedExperiment:
        """Puts a Draft, a failed or an aborted experiment into a queue, the person's own where none is named.

        Raises:
            CannotEnqueueError, AlreadyPendingError, QueueNotFoundError, NoPersonalQueueError.
            PreflightError: it would not run as it should there, and `force` is not set.
        """
        if create_queue:
            experiment = await self._lookup.find(reference)
            # a queue is made only for what can be put into it
            await self._require_enqueueable(experiment)
            binding = await self._queues.resolve_binding(queue_name, create=True)
        else:
            experiment, binding = await asyncio.gather(
                self._lookup.find(reference), self._queues.resolve_binding(queue_name)
            )
        await self._require_enqueueable(experiment)
        findings = await self._preflight.require_runnable(experiment, binding, force=force)
        return replace(await self._enqueue(experiment, binding, front=front), findings=findings)

    async def retry(self, reference: str, *, queue_name: str, front: bool = False) -> EnqueuedExperiment:
        """Puts a failed or aborted run back, as it is, into its former queue or the named one."""
        experiment = await self._lookup.find(reference)
        await self._ownership.require_own(experiment)
        if experiment.status not in {Status.FAILED, Status.ABORTED}:
            raise CannotRetryError(
                name=experiment.name,
                status=experiment.status.label,
                advice="Use /rerun for a fresh copy."
                if experiment.status.is_finished
                else "Use /enqueue instead.",
            )
        if not queue_name and experiment.queue_id:
            queue = await self._clearml.get_queue(experiment.queue_id)
            if queue is not None:
                return await self._enqueue(experiment, QueueBinding(queue.id, queue.name), front=front)
        return await self._enqueue(experiment, await self._queues.resolve_binding(queue_name), front=front)

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
        """Clones an experiment, changes the copy and enqueues it. Three requests, one more for a named queue.

        Raises:
            ParameterInNameError: the name begins with a parameter's.
            What clone, set and enqueue raise; nothing is made unless all of it fits.
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
        # A queue is made only for what can be put into it.
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
        """Whether an experiment can run in a queue, the one in which it waits or the person's own."""
        experiment = await self._lookup.find(reference)
        if experiment.status is Status.PENDING and experiment.queue_id and not queue_name:
            queue = await self._clearml.get_queue(experiment.queue_id)
            binding = QueueBinding(experiment.queue_id, queue.name if queue else experiment.queue_id)
        else:
            binding = await self._queues.resolve_binding(queue_name)
        return experiment, await self._preflight.check(experiment, binding)

    async def dequeue(self, reference: str) -> Experiment:
        """Takes an experiment out of its queue. Raises NotPendingError, also if a worker was quicker."""
        experiment = await self._lookup.find(reference)
        await self._ownership.require_own(experiment)
        if experiment.status is not Status.PENDING:
            raise _build_not_pending_error(experiment)
        await self._tracking.record_own_action(experiment.id, EventKind.DEQUEUED)
        try:
            await self._clearml.dequeue(experiment.id, experiment.queue_id)
        except ClearMLError as error:
            if has_code(error, *_NOT_IN_QUEUE):
                raise _build_not_pending_error(replace(experiment, status=Status.RUNNING)) from error
            raise
        return experiment

    async def require_abortable(self, reference: str) -> Experiment:
        """The experiment, if there is something to abort. Raises CannotAbortError, NotYoursError."""
        experiment = await self._lookup.find(reference)
        await self._ownership.require_own(experiment)
        if experiment.status not in {Status.PENDING, Status.RUNNING}:
            raise _build_cannot_abort_error(experiment)
        return experiment

    async def abort(self, experiment: Experiment) -> Experiment:
        """Stops a run, or what waits to run; gives it as it then is, still Running where the worker is slow.

        An agent that has just taken it writes its own status message over ClearML's request to stop, which
        it then never sees. Hence the request is repeated until it stands or the run has ended.

        Raises:
            CannotAbortError: it ended before it could be stopped.
        """
        await self._tracking.record_own_action(experiment.id, EventKind.ABORTED)
        try:
            await self._stop(experiment)
        except ClearMLError as error:
            if has_code(error, *_INVALID_STATUS):
                raise _build_cannot_abort_error(await self._lookup.find(experiment.id)) from error
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
        """The experiment, if it can be made a Draft again. Raises CannotResetError, NotYoursError."""
        experiment = await self._lookup.find(reference)
        await self._ownership.require_own(experiment)
        advice = {
            Status.RUNNING: "abort it first with /abort.",
            Status.PENDING: "take it out of its queue with /dequeue.",
            Status.DRAFT: "there is nothing to reset in a Draft.",
            Status.PUBLISHED: "clone it and change the copy.",
        }.get(experiment.status)
        if advice:
            raise CannotResetError(name=experiment.name, status=experiment.status.label, advice=advice)
        return experiment

    async def reset(self, experiment: Experiment) -> Experiment:
        """Makes it a Draft again; its log and scalars are deleted by the server."""
        await self._tracking.record_own_action(experiment.id, EventKind.BACK_TO_DRAFT)
        await self._clearml.reset(experiment.id)
        return replace(experiment, status=Status.DRAFT, metrics=(), last_iteration=0, started=None, completed=None)

    async def _require_enqueueable(self, experiment: Experiment) -> None:
        """Raises NotYoursError, AlreadyPendingError with the queue it is in, CannotEnqueueError."""
        await self._ownership.require_own(experiment)
        if experiment.status is Status.PENDING:
            queue = await self._clearml.get_queue(experiment.queue_id) if experiment.queue_id else None
            raise AlreadyPendingError(name=experiment.name, queue=queue.name if queue else "a queue")
        if experiment.status not in {Status.DRAFT, Status.FAILED, Status.ABORTED}:
            raise _build_cannot_enqueue_error(experiment)

    async def _enqueue(self, experiment: Experiment, binding: QueueBinding, *, front: bool) -> EnqueuedExperiment:
        await self._require_enqueueable(experiment)
        await self._tracking.record_own_action(experiment.id, EventKind.ENQUEUED)
        try:
            enqueued = await self._clearml.enqueue(experiment.id, binding.queue_id)
        except ClearMLError as error:
            if has_code(error, *_UNKNOWN_QUEUE):
                raise QueueNotFoundError(name=binding.queue_name, nearest=" It was deleted.") from error
            if has_code(error, *_ALREADY_QUEUED):
                raise AlreadyPendingError(name=experiment.name, queue=binding.queue_name) from error
            if has_code(error, *_INVALID_STATUS):
                raise _build_cannot_enqueue_error(await self._lookup.find(experiment.id)) from error
            raise
        pending = replace(
            experiment,
            status=Status.PENDING,
            status_changed=enqueued.enqueued_at or self._tracking.now(),
            queue_id=binding.queue_id,
        )
        await self._tracking.follow(pending)
        await self._lookup.set_current(experiment.id)
        if front:
            await self._move_to_front(pending)
        return EnqueuedExperiment(pending, binding.queue_name, enqueued.queue_watched)

    async def _move_to_front(self, pending: Experiment) -> None:
        try:
            await self._clearml.move_to_front(pending.queue_id, pending.id)
        except ClearMLError as error:
            # a worker has taken it already: no place is further to the front
            if not has_code(error, *_NOT_IN_QUEUE):
                raise


def _require_no_parameter_in_name(name: str, source: Experiment) -> None:
    """Refuses `args.gpus 2,3` as a name: it was meant as args.gpus=2,3, and would run unchanged."""
    first_word, _, rest = name.partition(" ")
    if (
        first_word
        and any(separator in first_word for separator in "./")
        and find_parameter(source.parameters, first_word)
    ):
        raise ParameterInNameError(name=first_word, value=rest or "…")


def _build_not_pending_error(experiment: Experiment) -> NotPendingError:
    is_running = experiment.status is Status.RUNNING
    return NotPendingError(
        name=experiment.name,
        status=experiment.status.label,
        advice=" To end the run, use /abort." if is_running else "",
        buttons=[Button("Abort it", f"/abort {experiment.id}")] if is_running else [],
    )


def _build_cannot_abort_error(experiment: Experiment) -> CannotAbortError:
    return CannotAbortError(name=experiment.name, status=experiment.status.label)


def _build_cannot_enqueue_error(experiment: Experiment) -> CannotEnqueueError:
    clone = Button("Clone it", f"/clone {experiment.id}")
    if experiment.status is Status.RUNNING:
        advice, offers = "it runs already; clone it to run it once more.", [clone]
    elif experiment.status in {Status.PUBLISHED, Status.PUBLISHING}:
        advice, offers = "clone it and enqueue the copy.", [clone]
    else:
        advice = "clone it and enqueue the copy, or make it a Draft again with /reset (its log is deleted)."
        offers = [clone, Button("Reset it", f"/reset {experiment.id}")]
    return CannotEnqueueError(name=experiment.name, status=experiment.status.label, advice=advice, buttons=offers)
