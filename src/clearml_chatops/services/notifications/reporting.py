"""From experiments to a report of some time. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from clearml_chatops.models.experiments import Experiment, Status
from clearml_chatops.models.reports import Report, UseOfMachines
from clearml_chatops.services.workers.worker_ids import cards_named_in

_NONE = timedelta(0)


def report_of(
    experiments: Iterable[Experiment], *, since: datetime, now: datetime, makers: Mapping[str, str]
) -> Report:
    """The report of these experiments. `makers` names whose an experiment is where the server says the bot's."""
    in_order = sorted(experiments, key=lambda item: (item.status_changed, item.id), reverse=True)
    ran: defaultdict[str, timedelta] = defaultdict(timedelta)
    on_cards: defaultdict[str, timedelta] = defaultdict(timedelta)
    for item in in_order:
        length = _ran_within(item, since, now)
        person = makers.get(item.id) or item.user_name or "nobody known"
        ran[person] += length
        on_cards[person] += length * _number_of_cards(item.worker_id)
    use = (UseOfMachines(person, ran[person], on_cards[person]) for person in ran if ran[person] > _NONE)
    return Report(
        since=since,
        now=now,
        ended=tuple(item for item in in_order if item.status.is_over and item.status_changed >= since),
        running=tuple(item for item in in_order if item.status is Status.RUNNING),
        waiting=tuple(item for item in in_order if item.status is Status.PENDING),
        use=tuple(sorted(use, key=lambda item: (-item.on_cards, -item.ran, item.person_name))),
    )


def _ran_within(experiment: Experiment, since: datetime, now: datetime) -> timedelta:
    if experiment.started is None or not (experiment.status.is_over or experiment.status is Status.RUNNING):
        return _NONE
    ended = (experiment.completed or experiment.status_changed) if experiment.status.is_over else now
    return max(min(ended, now) - max(experiment.started, since), _NONE)


def _number_of_cards(worker_id: str) -> int:
    """How many cards a worker's id names. One that has "all" counts as one: how many that are it does not say."""
    cards = cards_named_in(worker_id)
    return len(cards.split(",")) if cards else 0
