"""What people do with several experiments at once."""

from collections.abc import Sequence

from clearml_chatops.models.experiments import Experiment, Status
from clearml_chatops.models.selections import SelectedExperiment
from clearml_chatops.services.experiments.bulk import BulkAction
from clearml_chatops.services.experiments.experiments import ExperimentService
from clearml_chatops.services.experiments.runs import EnqueuedExperiment, RunService
from clearml_chatops.services.watching.watches import WatchService

_ENQUEUED_STATUSES = {Status.PENDING, Status.RUNNING}
_LEFT_QUEUE_STATUSES = {Status.DRAFT, Status.FAILED, Status.ABORTED, Status.COMPLETED}


class BulkActions:
    """The actions of one person in one conversation. They do what the commands for one experiment do."""

    def __init__(self, *, runs: RunService, experiments: ExperimentService, watches: WatchService) -> None:
        self._runs = runs
        self._experiments = experiments
        self._watches = watches

    def enqueue(self, *, queue_name: str, front: bool, force: bool) -> BulkAction:
        async def apply(now: Experiment) -> str:
            enqueued = await self._runs.enqueue(
                now.id, queue_name=queue_name, front=front, force=force, make_current=False
            )
            return _describe_enqueued(enqueued)

        return BulkAction(apply, _is_enqueued, catch_up=self._runs.follow)

    def retry(self, *, queue_name: str) -> BulkAction:
        async def apply(now: Experiment) -> str:
            return _describe_enqueued(await self._runs.retry(now.id, queue_name=queue_name, make_current=False))

        return BulkAction(apply, _is_enqueued, catch_up=self._runs.follow)

    def dequeue(self) -> BulkAction:
        async def apply(now: Experiment) -> str:
            return f"{(await self._runs.dequeue(now.id)).status.label} again"

        return BulkAction(apply, lambda before, now: _has_become(before, now, _LEFT_QUEUE_STATUSES))

    def abort(self) -> BulkAction:
        async def apply(now: Experiment) -> str:
            aborted = await self._runs.abort(await self._runs.require_abortable(now.id))
            if aborted.status is Status.RUNNING:
                return "Aborting. Its worker hasn't stopped it yet."
            return aborted.status.label

        return BulkAction(
            apply,
            lambda before, now: now.is_stopping or _has_become(before, now, {Status.ABORTED}),
            is_allowed=lambda before, now: before.is_unchanged(now) or _has_started(before, now),
        )

    def reset(self) -> BulkAction:
        async def apply(now: Experiment) -> str:
            return f"{(await self._runs.reset(await self._runs.require_resettable(now.id))).status.label} again"

        return BulkAction(apply, lambda before, now: _has_become(before, now, {Status.DRAFT}))

    def archive(self) -> BulkAction:
        async def apply(now: Experiment) -> str:
            await self._experiments.archive(now.id)
            return "Archived"

        return BulkAction(apply, lambda _, now: now.archived, is_allowed=_always)

    def tag(self, *, add: Sequence[str], remove: Sequence[str]) -> BulkAction:
        async def apply(now: Experiment) -> str:
            tagged = await self._experiments.tag(now.id, add=add, remove=remove)
            return f"Tags: {', '.join(tagged.tags) or 'none'}"

        def has_happened(_: SelectedExperiment, now: Experiment) -> bool:
            return set(add) <= set(now.tags) and not set(remove) & set(now.tags)

        return BulkAction(apply, has_happened, is_allowed=_always)

    def watch(self) -> BulkAction:
        async def apply(now: Experiment) -> str:
            await self._watches.watch(now.id)
            return f"{now.status.label}, notifications on"

        return BulkAction(apply, lambda *_: False, is_allowed=_always)


def _describe_enqueued(enqueued: EnqueuedExperiment) -> str:
    no_worker = ", but no worker listens on it" if enqueued.has_worker is False else ""
    return f"{enqueued.experiment.status.label} in {enqueued.queue_name}{no_worker}"


def _always(_: SelectedExperiment, __: Experiment) -> bool:
    return True


def _has_become(before: SelectedExperiment, now: Experiment, statuses: set[Status]) -> bool:
    return not before.is_unchanged(now) and now.status in statuses


def _is_enqueued(before: SelectedExperiment, now: Experiment) -> bool:
    return _has_become(before, now, _ENQUEUED_STATUSES)


def _has_started(before: SelectedExperiment, now: Experiment) -> bool:
    return before.status is Status.PENDING and now.status is Status.RUNNING
