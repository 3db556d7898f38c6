"""A page of experiments that changed their status in ClearML, compared with what the watcher has stored."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from clearml_chatops.models.experiments import Experiment
from clearml_chatops.models.messages import Conversation
from clearml_chatops.models.notifications import EventKind, ExperimentEvent, ExperimentState, OwnAction
from clearml_chatops.services.watching.discovery import (
    Audience,
    Discovery,
    find_active_ids,
    find_owner_names,
    has_started,
    load_audience,
)
from clearml_chatops.services.watching.events import derive_events, derive_first_events
from clearml_chatops.services.watching.recipients import address_events
from clearml_chatops.services.watching.tracking import to_state
from clearml_chatops.storage.cards import CardStore
from clearml_chatops.storage.database import Database
from clearml_chatops.storage.own_experiments import OwnExperimentStore
from clearml_chatops.storage.subscriptions import SubscriptionStore
from clearml_chatops.storage.watcher import WatcherStore


@dataclass(frozen=True, slots=True)
class ChangedPage:
    """The new states on a page that somebody may get notified of, and the cards that show an old status."""

    experiments: Mapping[str, Experiment]
    states: Sequence[ExperimentState]
    outdated_card_ids: Sequence[str]
    audience: Audience


async def load_changed_page(changed: Sequence[Experiment], since: datetime, database: Database) -> ChangedPage:
    """Compare a page with the database. Of experiments never seen, only those that started after `since` count."""
    states = [to_state(item) for item in changed]
    async with database.reading() as session:
        known_states = await WatcherStore(session).find_states([state.experiment_id for state in states])
        outdated_card_ids = await CardStore(session).find_outdated(
            {state.experiment_id: state.status_changed for state in states}
        )
        changed_states = select_changed(states, known_states)
        audience = Audience()
        if changed_states:
            audience = await load_audience(SubscriptionStore(session), OwnExperimentStore(session))
    experiments = {item.id: item for item in changed}
    relevant_states = [
        state
        for state in changed_states
        if state.experiment_id in known_states
        or (audience.includes(experiments[state.experiment_id]) and has_started(state, since=since))
    ]
    return ChangedPage(experiments, relevant_states, outdated_card_ids, audience)


def select_changed(
    states: Collection[ExperimentState], known_states: Mapping[str, ExperimentState]
) -> list[ExperimentState]:
    """Return the states that differ from the stored ones, or are not stored."""
    return [state for state in states if _has_changed(known_states.get(state.experiment_id), state)]


def derive_page_events(
    states: Collection[ExperimentState], known_states: Mapping[str, ExperimentState], *, since: datetime
) -> list[ExperimentEvent]:
    """Return what happened to the experiments; to those never seen, what happened after `since`."""
    return [
        event
        for state in states
        for event in (
            derive_events(known_states[state.experiment_id], state)
            if state.experiment_id in known_states
            else derive_first_events(state, since=since)
        )
    ]


async def address_page_events(
    events: Sequence[ExperimentEvent],
    states: Sequence[ExperimentState],
    page: ChangedPage,
    *,
    discovery: Discovery,
    own_actions: Mapping[tuple[str, EventKind], OwnAction],
    names: Mapping[str, str],
    bot_user_id: str,
) -> list[tuple[ExperimentEvent, Conversation]]:
    """Return each event with each conversation to send it to; within one transaction."""
    experiments = [page.experiments[state.experiment_id] for state in states]
    recipients = await discovery.find_recipients(
        experiments, page.audience, active_ids=find_active_ids(states, events), own_actions=own_actions
    )
    return address_events(
        events,
        recipients=recipients,
        own_actions=own_actions,
        names=names,
        owners=await find_owner_names(discovery.created_experiments, experiments, recipients, names),
        bot_user_id=bot_user_id,
    )


def _has_changed(known: ExperimentState | None, current: ExperimentState) -> bool:
    return known is None or replace(known, pending_since=None) != replace(current, pending_since=None)
