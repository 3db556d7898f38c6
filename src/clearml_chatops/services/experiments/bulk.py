"""Doing one thing with several experiments: each by itself, and none twice."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from clearml_chatops.models.errors import (
    ChatOpsError,
    ClearMLError,
    ClearMLInvalidResponseError,
    ClearMLResponseLostError,
    ClearMLServerError,
    ClearMLUnreachableError,
    DatabaseBusyError,
)
from clearml_chatops.models.experiments import Experiment
from clearml_chatops.models.selections import SelectedExperiment, SelectionResult
from clearml_chatops.services.clearml_gateway import ClearML

_MAX_CONCURRENT = 6
"""Fewer than the gateway's threads, so that other people's commands don't wait for all of these."""

_MAX_FAILURES_IN_A_ROW = 6
"""After that many ClearML is down, and trying the others only takes everybody's time."""

_TRANSIENT_ERRORS = (
    ClearMLUnreachableError,
    ClearMLResponseLostError,
    ClearMLServerError,
    ClearMLInvalidResponseError,
    DatabaseBusyError,  # perhaps after ClearML has done it
)

_NO_ANSWER = "ClearML doesn't answer"

logger = logging.getLogger(__name__)


async def _do_nothing(_: Experiment) -> None:
    pass


@dataclass(frozen=True, slots=True)
class BulkAction:
    """What is done with each experiment.

    `apply` does it and returns what the experiment is then. `has_happened` tells from what stands in ClearML
    whether a request took effect, although its response was lost. `is_allowed` tells whether it's still what
    the person was shown. `catch_up` does what `apply` would have done after a response that was lost.
    """

    apply: Callable[[Experiment], Awaitable[str]]
    has_happened: Callable[[SelectedExperiment, Experiment], bool]
    is_allowed: Callable[[SelectedExperiment, Experiment], bool] = SelectedExperiment.is_unchanged
    catch_up: Callable[[Experiment], Awaitable[None]] = _do_nothing


class BulkRunner:
    """Carries out an action for several experiments, with a few at a time, in about the given order."""

    def __init__(self, *, clearml: ClearML) -> None:
        self._clearml = clearml
        self._failures_in_a_row = 0
        self._failure_reason = _NO_ANSWER

    async def run(self, selected: Sequence[SelectedExperiment], action: BulkAction) -> list[SelectionResult]:
        """Return what happened to each experiment. One that fails never stops the others."""
        limit = asyncio.Semaphore(_MAX_CONCURRENT)
        self._failures_in_a_row = 0

        async def handle(item: SelectedExperiment) -> SelectionResult:
            async with limit:
                if self._failures_in_a_row >= _MAX_FAILURES_IN_A_ROW:
                    text = f"Not tried, because {self._failure_reason}."
                    return SelectionResult(item, is_done=False, text=text, can_repeat=True)
                result = await self._handle(item, action)
                self._failures_in_a_row = self._failures_in_a_row + 1 if result.can_repeat else 0
                return result

        outcomes = await asyncio.gather(*map(handle, selected), return_exceptions=True)
        return [_to_result(item, outcome) for item, outcome in zip(selected, outcomes, strict=True)]

    async def _handle(self, item: SelectedExperiment, action: BulkAction) -> SelectionResult:
        """Do it, and once more if that failed for the moment and what stands there is still as it was."""
        is_repeated = False
        while True:
            try:
                now = await self._read(item)
                if now is None:
                    return _fail(item, "It was deleted in ClearML.")
                if is_repeated and action.has_happened(item, now):
                    return await self._confirm(item, action, now)
                if not action.is_allowed(item, now):
                    return _fail(item, f"It's {now.status.label} now, no longer as it was shown.")
                return SelectionResult(item, is_done=True, text=await action.apply(now))
            except _TRANSIENT_ERRORS as error:
                if is_repeated:
                    return await self._judge(item, action, error)
                is_repeated = True
            except ChatOpsError as error:
                return _fail(item, str(error))

    async def _judge(self, item: SelectedExperiment, action: BulkAction, error: ChatOpsError) -> SelectionResult:
        """Return what an action came to that has failed twice."""
        extra = {"action": "bulk_failure", "experiment": item.id, "error": str(error)}
        logger.warning("A command failed twice for one of several experiments", extra=extra)
        try:
            now = await self._read(item)
        except ChatOpsError:
            self._failure_reason = _NO_ANSWER
            text = "ClearML doesn't answer, so it may or may not be done."
            return SelectionResult(item, is_done=False, text=text, can_repeat=True)
        if now is not None and action.has_happened(item, now):
            return await self._confirm(item, action, now)
        status = now.status.label if now else item.status.label
        if isinstance(error, ClearMLError):
            reason, self._failure_reason = "ClearML failed to answer.", _NO_ANSWER
        else:
            reason, self._failure_reason = str(error), "the bot's own database can't be used"
        return SelectionResult(item, is_done=False, text=f"{reason} It's still {status}.", can_repeat=True)

    async def _confirm(self, item: SelectedExperiment, action: BulkAction, now: Experiment) -> SelectionResult:
        """Return that it's done. What can't be recorded about it doesn't change that."""
        try:
            await action.catch_up(now)
        except ChatOpsError as error:
            extra = {"action": "bulk_catch_up", "experiment": item.id, "error": str(error)}
            logger.warning("What was done for one of several experiments couldn't be recorded", extra=extra)
        return SelectionResult(item, is_done=True, text=now.status.label)

    async def _read(self, item: SelectedExperiment) -> Experiment | None:
        return (await self._clearml.get_experiments([item.id])).get(item.id)


def _fail(item: SelectedExperiment, text: str) -> SelectionResult:
    return SelectionResult(item, is_done=False, text=text)


def _to_result(item: SelectedExperiment, outcome: SelectionResult | BaseException) -> SelectionResult:
    if isinstance(outcome, SelectionResult):
        return outcome
    if not isinstance(outcome, Exception):
        raise outcome
    logger.error("A command for several experiments failed for %s", item.id, exc_info=outcome)
    return _fail(item, "Something went wrong. An admin can find it in the log by the experiment's id.")
