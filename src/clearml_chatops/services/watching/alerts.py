"""What a conversation wants to be told of once: setting it, listing it, taking it back."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from clearml_chatops.models.alerts import Alert, AlertProgress, Condition, LogCondition, MetricCondition
from clearml_chatops.models.errors import (
    AlertNotFoundError,
    AmbiguousMetricError,
    MetricNotFoundError,
    NothingWillComeError,
    TooManyAlertsError,
)
from clearml_chatops.models.experiments import Experiment, Metric
from clearml_chatops.models.messages import Conversation
from clearml_chatops.models.people import Person
from clearml_chatops.services.clearml_gateway import ClearML
from clearml_chatops.services.experiments.curve_names import named_like
from clearml_chatops.services.experiments.experiment_lookup import ExperimentLookup
from clearml_chatops.services.watching.alert_conditions import extreme, fulfilled, read_condition
from clearml_chatops.services.watching.log_patterns import require_pattern
from clearml_chatops.storage.alerts import AlertStore
from clearml_chatops.storage.database import Database

MOST_ALERTS = 50
"""In one conversation."""


@dataclass(frozen=True, slots=True)
class AlertAnswer:
    """What came of the wish: an alert, or none where the metric `already` is as it should be.

    `is_new_name` tells that the run has reported nothing of this name so far.
    """

    experiment: Experiment
    condition: Condition
    alert: Alert | None = None
    already: Metric | None = None
    is_new_name: bool = False


class AlertService:
    """Alerts of one conversation. Whoever may look may be told."""

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

    async def on_metric(self, words: Sequence[str], *, new: bool = False) -> AlertAnswer:
        """Has the conversation told when a scalar is beyond a number. The words: condition, then experiment.

        A name is taken as it is where nothing has been reported yet, or where it is `new`.

        Raises:
            InvalidValueError, MetricNotFoundError, AmbiguousMetricError, NothingWillComeError,
            TooManyAlertsError, and what `ExperimentLookup.find` raises.
        """
        condition, reference = read_condition(words)
        experiment = await self._find(reference)
        named = _named(condition, experiment, new=new)
        if named is not None:
            condition = replace(condition, metric=named.name)
            if fulfilled(condition, [named], before=extreme(condition, [named])):
                return AlertAnswer(experiment, condition, already=named)
        progress = AlertProgress(extreme=extreme(condition, experiment.metrics))
        alert = await self._add(experiment, condition, progress)
        return AlertAnswer(experiment, condition, alert, is_new_name=named is None)

    async def on_log(self, pattern: str, reference: str) -> AlertAnswer:
        """Has the conversation told when a line that is logged from now on holds the pattern.

        Raises:
            BadPatternError, InvalidValueError, NothingWillComeError, TooManyAlertsError, and what
            `ExperimentLookup.find` raises.
        """
        require_pattern(pattern)
        experiment = await self._find(reference)
        end = await self._clearml.end_of_log(experiment.id)
        condition = LogCondition(pattern)
        alert = await self._add(experiment, condition, AlertProgress(log_from=end, log_next=end))
        return AlertAnswer(experiment, condition, alert)

    async def here(self) -> list[Alert]:
        """The alerts of this conversation, the oldest first. No request."""
        async with self._database.reading() as session:
            return await AlertStore(session).of(self._conversation)

    async def remove(self, number: int | None) -> list[Alert]:
        """Takes one alert back, or all of this conversation; gives what was removed.

        Raises:
            AlertNotFoundError: there is none of this number here.
        """
        async with self._database.writing() as session:
            store = AlertStore(session)
            removed = [item for item in await store.of(self._conversation) if number in {None, item.number}]
            for item in removed:
                await store.remove(item.number)
        if number is not None and not removed:
            raise AlertNotFoundError(number=number)
        return removed

    async def _find(self, reference: str) -> Experiment:
        experiment = await self._lookup.find(reference)
        if experiment.status.is_over:
            raise NothingWillComeError(name=experiment.name, status=experiment.status.word)
        return experiment

    async def _add(self, experiment: Experiment, condition: Condition, progress: AlertProgress) -> Alert:
        """The alert, new or the same that there is already."""
        alert = Alert(
            number=0,
            experiment_id=experiment.id,
            experiment_name=experiment.name,
            condition=condition,
            conversation=self._conversation,
            person_id=self._person.id,
            since=self._clock(),
            progress=progress,
        )
        async with self._database.writing() as session:
            store = AlertStore(session)
            there = await store.of(self._conversation)
            for item in there:
                if (item.experiment_id, item.condition) == (experiment.id, condition):
                    return item
            if len(there) >= MOST_ALERTS:
                raise TooManyAlertsError(limit=MOST_ALERTS)
            return replace(alert, number=await store.add(alert))


def _named(condition: MetricCondition, experiment: Experiment, *, new: bool) -> Metric | None:
    """The scalar that is meant; None for one that is still to come."""
    if not experiment.metrics:
        return None
    try:
        found = named_like([condition.metric], experiment.metrics, experiment=experiment.name)
    except MetricNotFoundError as error:
        if new:
            return None
        values = {**error.values, "condition": condition, "experiment_id": experiment.id}
        raise MetricNotFoundError(offers=error.offers, **values) from error
    if len(found) > 1:
        names = " and ".join(item.name for item in found)
        raise AmbiguousMetricError(name=condition.metric, names=names, experiment=experiment.name)
    return found[0]
