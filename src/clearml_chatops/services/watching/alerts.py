"""Alerts of a conversation: adding, listing and removing them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from clearml_chatops.models.alerts import Alert, AlertProgress, Condition, LogCondition, MetricCondition
from clearml_chatops.models.errors import (
    AlertNotFoundError,
    AmbiguousMetricError,
    MetricNotFoundError,
    RunEndedError,
    TooManyAlertsError,
)
from clearml_chatops.models.experiments import Experiment, Metric
from clearml_chatops.models.messages import Conversation
from clearml_chatops.models.people import Person
from clearml_chatops.services.clearml_gateway import ClearML
from clearml_chatops.services.experiments.experiment_lookup import ExperimentLookup
from clearml_chatops.services.experiments.scalar_names import find_scalars
from clearml_chatops.services.watching.alert_conditions import (
    find_extreme,
    find_fulfilling_metric,
    parse_condition,
)
from clearml_chatops.services.watching.log_patterns import require_pattern
from clearml_chatops.storage.alerts import AlertStore
from clearml_chatops.storage.database import Database

MAX_ALERTS = 50
"""Per conversation."""


@dataclass(frozen=True, slots=True)
class AlertResult:
    """The added alert, or None if `fulfilled_by` names a metric that meets the condition already.

    `is_new_metric` says that the run has not reported a metric of this name yet.
    """

    experiment: Experiment
    condition: Condition
    alert: Alert | None = None
    fulfilled_by: Metric | None = None
    is_new_metric: bool = False


class AlertService:
    """Alerts of one conversation. Everyone who may view experiments may add alerts."""

    def __init__(
        self,
        *,
        clearml: ClearML,
        database: Database,
        lookup: ExperimentLookup,
        person: Person,
        conversation: Conversation,
        clock: Callable[[], datetime],
    ) -> None:
        self._clearml = clearml
        self._database = database
        self._lookup = lookup
        self._person = person
        self._conversation = conversation
        self._clock = clock

    async def add_metric_alert(self, words: Sequence[str], *, is_new: bool = False) -> AlertResult:
        """Notify the conversation when a metric crosses a threshold. The words: a condition, an experiment.

        The metric's name is not checked if the run has reported nothing yet, or with `is_new`.

        Raises:
            InvalidValueError, MetricNotFoundError, AmbiguousMetricError, RunEndedError, TooManyAlertsError,
            and what `ExperimentLookup.find` raises.
        """
        condition, reference = parse_condition(words)
        experiment = await self._find_unfinished(reference)
        metric = _find_metric(condition, experiment, is_new=is_new)
        if metric is not None:
            condition = replace(condition, metric=metric.name)
            if find_fulfilling_metric(condition, [metric], previous_extreme=find_extreme(condition, [metric])):
                return AlertResult(experiment, condition, fulfilled_by=metric)
        progress = AlertProgress(extreme=find_extreme(condition, experiment.metrics))
        alert = await self._add(experiment, condition, progress)
        return AlertResult(experiment, condition, alert, is_new_metric=metric is None)

    async def add_log_alert(self, pattern: str, reference: str) -> AlertResult:
        """Notify the conversation when a line logged from now on matches the pattern.

        Raises:
            BadPatternError, InvalidValueError, RunEndedError, TooManyAlertsError, and what
            `ExperimentLookup.find` raises.
        """
        require_pattern(pattern)
        experiment = await self._find_unfinished(reference)
        log_end = await self._clearml.get_last_log_time(experiment.id)
        condition = LogCondition(pattern)
        alert = await self._add(experiment, condition, AlertProgress(log_since=log_end, log_read_until=log_end))
        return AlertResult(experiment, condition, alert)

    async def list_for_conversation(self) -> list[Alert]:
        """Return the alerts of this conversation, the oldest first. Takes no ClearML request."""
        async with self._database.reading() as session:
            return await AlertStore(session).list_for_conversation(self._conversation)

    async def remove(self, number: int | None) -> list[Alert]:
        """Remove one alert, or all of this conversation for None; return the removed ones.

        Raises:
            AlertNotFoundError: the conversation has no alert with this number.
        """
        async with self._database.writing() as session:
            store = AlertStore(session)
            removed = [
                item
                for item in await store.list_for_conversation(self._conversation)
                if number in {None, item.number}
            ]
            for item in removed:
                await store.remove(item.number)
        if number is not None and not removed:
            raise AlertNotFoundError(number=number)
        return removed

    async def _find_unfinished(self, reference: str) -> Experiment:
        experiment = await self._lookup.find(reference)
        if experiment.status.is_finished:
            raise RunEndedError(name=experiment.name, status=experiment.status.label)
        return experiment

    async def _add(self, experiment: Experiment, condition: Condition, progress: AlertProgress) -> Alert:
        """Store and return the alert, or return the equal one that exists already."""
        alert = Alert(
            number=0,
            experiment_id=experiment.id,
            experiment_name=experiment.name,
            condition=condition,
            conversation=self._conversation,
            person_id=self._person.id,
            created=self._clock(),
            progress=progress,
        )
        async with self._database.writing() as session:
            store = AlertStore(session)
            existing = await store.list_for_conversation(self._conversation)
            for item in existing:
                if (item.experiment_id, item.condition) == (experiment.id, condition):
                    return item
            if len(existing) >= MAX_ALERTS:
                raise TooManyAlertsError(limit=MAX_ALERTS)
            return replace(alert, number=await store.add(alert))


def _find_metric(condition: MetricCondition, experiment: Experiment, *, is_new: bool) -> Metric | None:
    """Return the metric that a condition is about, None if it has not been reported yet."""
    if not experiment.metrics:
        return None
    try:
        found = find_scalars([condition.metric], experiment.metrics, experiment=experiment.name)
    except MetricNotFoundError as error:
        if is_new:
            return None
        values = {**error.values, "condition": condition, "experiment_id": experiment.id}
        raise MetricNotFoundError(buttons=error.buttons, **values) from error
    if len(found) > 1:
        names = " and ".join(item.name for item in found)
        raise AmbiguousMetricError(name=condition.metric, names=names, experiment=experiment.name)
    return found[0]
