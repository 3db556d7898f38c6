"""The watcher: one look at ClearML tells what changed, and everybody concerned gets it into his outbox.

ClearML has no webhooks, so it is asked. One request a cycle, whatever the number of watched
experiments: what changed its status since the cursor. New states, cursor and outbox rows are one
transaction, so that a crash in between loses nothing and tells nothing twice.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from clearml_chatops.models.experiments import Experiment, Status
from clearml_chatops.models.notifications import EventKind, ExperimentEvent, ExperimentState
from clearml_chatops.services.clearml_gateway import ClearML
from clearml_chatops.services.wakeups import Wakeup
from clearml_chatops.services.watching.discovery import (
    Audience,
    Discovery,
    find_active_ids,
    find_owner_names,
    has_started,
    load_audience,
)
from clearml_chatops.services.watching.events import derive_events, derive_first_events, merge_state
from clearml_chatops.services.watching.recipients import OWN_ACTION_WINDOW, address_events
from clearml_chatops.services.watching.tracking import to_state
from clearml_chatops.storage.cards import CardStore
from clearml_chatops.storage.created_experiments import CreatedExperimentStore
from clearml_chatops.storage.database import Database
from clearml_chatops.storage.direct_messages import DirectMessageStore
from clearml_chatops.storage.outbox import OutboxStore
from clearml_chatops.storage.own_actions import OwnActionStore
from clearml_chatops.storage.own_experiments import OwnExperimentStore
from clearml_chatops.storage.people import PeopleStore
from clearml_chatops.storage.subscriptions import SubscriptionStore
from clearml_chatops.storage.watcher import WatcherStore

PAGE_SIZE = 500

OVERLAP = timedelta(seconds=10)
"""How far before the cursor a look begins. The server stamps a change before it stores it, so that
one stamped earlier can appear later; what was seen already gives no event again."""

_ACTIVITY_CHECK_INTERVAL = timedelta(seconds=30)
_WORKER_POLL_INTERVAL = timedelta(seconds=0.5)

_TIME_RESOLUTION = timedelta(milliseconds=1)
"""The server keeps its times in milliseconds."""

_TIMESTAMP_TOLERANCE = timedelta(seconds=1)
"""The times of a run's begin and end are taken a little before that of the status change which notes them."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
"""ClearML stamps no status change on a fresh draft, which reads as the year 1."""

WORKER_GRACE = timedelta(seconds=5)
"""How long a fresh run without a worker is left for a later look: the agent names itself some
milliseconds after it has set the status, and people want to know which worker it is."""


class Watcher:
    """Looks at ClearML and fills the outbox.

    The bell `news` tells of what it put there, `watched` tells it that there is more to watch.
    `interval` is the pause between two looks while something that is watched waits or runs, `idle_interval`
    the one while nothing does.
    """

    def __init__(
        self,
        *,
        clearml: ClearML,
        database: Database,
        clock: Callable[[], datetime],
        outbox_wakeup: Wakeup,
        watcher_wakeup: Wakeup,
        interval: timedelta,
        idle_interval: timedelta,
    ) -> None:
        self._clearml = clearml
        self._database = database
        self._clock = clock
        self._outbox_wakeup = outbox_wakeup
        self._interval = interval
        self._idle_interval = max(interval, idle_interval)
        self._wakeup_event = watcher_wakeup.subscribe()
        self._is_anything_active: bool | None = None
        self._activity_checked_at = datetime.min.replace(tzinfo=UTC)
        self._has_changes = False
        self._worker_missing_since: dict[str, datetime] = {}
        self._settling_position: tuple[datetime, datetime] | None = None
        self._settled_position: datetime | None = None
        self._has_postponed = False
        self._cursor: datetime | None = None
        """As this process moved it last; asking the database in each idle cycle would double its cost."""
        self._watching_since = _EPOCH

    def get_poll_delay(self) -> timedelta:
        """How long to wait before the next look."""
        if self._has_postponed:
            return min(self._interval, _WORKER_POLL_INTERVAL)
        return self._idle_interval if self._is_anything_active is False else self._interval

    async def poll(self) -> int:
        """One cycle. Gives the number of notifications put into the outbox."""
        self._has_changes = False
        count = await self._poll_changes()
        if self._has_changes or self._wakeup_event.is_set() or self._needs_activity_check():
            self._wakeup_event.clear()
            self._activity_checked_at = self._clock()
            async with self._database.reading() as session:
                self._is_anything_active = await WatcherStore(session).has_active_experiments()
        return count

    def _needs_activity_check(self) -> bool:
        """Whether it is not known, or was not so long ago that another program may have something watched since.

        To ask in each look would double its cost.
        """
        if self._is_anything_active is False:
            return self._clock() - self._activity_checked_at >= _ACTIVITY_CHECK_INTERVAL
        return self._is_anything_active is None

    async def _poll_changes(self) -> int:
        cursor = self._cursor or await self._load_cursor()
        if cursor is None:
            return await self._initialize_cursor()
        started_at, position = self._clock(), cursor
        start, count = self._get_start(cursor), 0
        since = max(start - _TIMESTAMP_TOLERANCE, self._watching_since)
        self._has_postponed = False
        async for changed in self._clearml.iterate_changed_experiments(start, page_size=PAGE_SIZE):
            count += await self._record_changes(changed, cursor=cursor, since=since)
            if changed:
                position = max(position, changed[-1].status_changed)
        self._update_settled_position(position, started_at)
        return count

    async def poll_deleted(self) -> int:
        """Tells of what waited or ran and is no more: of that ClearML's changes say nothing.

        Who deleted it is not known. Gives the number of notifications put into the outbox.
        """
        async with self._database.reading() as session:
            active_ids = await WatcherStore(session).list_active()
        existing_ids = await self._clearml.find_existing_ids(active_ids)
        deleted_ids = [experiment_id for experiment_id in active_ids if experiment_id not in existing_ids]
        if not deleted_ids:
            return 0
        now = self._clock()
        async with self._database.writing() as session:
            store = WatcherStore(session)
            states = await store.find_states(deleted_ids)
            events = [
                ExperimentEvent(EventKind.DELETED, state.experiment_id, state.name, state.status_changed)
                for state in states.values()
            ]
            notifications = address_events(
                events, recipients=await store.find_recipients(deleted_ids), own_actions={}, names={}
            )
            await OutboxStore(session).add(notifications, now=now)
            await CardStore(session).mark_due(deleted_ids, now=now)
            await store.remove_experiments(deleted_ids)
        self._is_anything_active = None
        self._outbox_wakeup.wake()
        return len(notifications)

    async def _load_cursor(self) -> datetime | None:
        async with self._database.reading() as session:
            store = WatcherStore(session)
            self._watching_since = await store.get_start() or _EPOCH
            return await store.get_cursor()

    def _get_start(self, cursor: datetime) -> datetime:
        """Where to begin: within reach of what may appear late, but behind what cannot have anything late.

        Else the last thousand experiments that changed at one moment would be read in every cycle for ever.
        """
        start = cursor - OVERLAP
        return (
            max(start, self._settled_position + _TIME_RESOLUTION) if self._settled_position is not None else start
        )

    def _update_settled_position(self, position: datetime, started_at: datetime) -> None:
        """Notes how far a complete look came. A look that begins long enough after it settles all up to there."""
        if self._has_postponed:
            self._settling_position = None
        elif self._settling_position is None:
            self._settling_position = (position, started_at)
        elif started_at - self._settling_position[1] >= OVERLAP:
            self._settled_position = self._settling_position[0]
            self._settling_position = (position, started_at)

    async def _initialize_cursor(self) -> int:
        """The first look ever: from the oldest state remembered of a tracked experiment, else from now on.

        "Now" is the server's last change, so that its clock need not agree with ours; a state that we noted
        ourselves, by a clock that goes ahead, must not make us skip what the server stamps before it.
        """
        newest = await self._clearml.get_last_status_change()
        async with self._database.writing() as session:
            store = WatcherStore(session)
            oldest = await store.get_oldest_status_change()
            known_times = (moment for moment in (newest, oldest) if moment and moment > _EPOCH)
            await store.move_cursor(min(known_times, default=_EPOCH), started=newest or _EPOCH)
        return 0

    async def _record_changes(self, changed: Sequence[Experiment], *, cursor: datetime, since: datetime) -> int:
        """Tells of one page and moves the cursor behind it, in one transaction; none where nothing is new.

        Of what was never seen before it tells what happened after `since`.
        """
        if not changed:
            return 0
        states = [to_state(item) for item in changed]
        async with self._database.reading() as session:
            known_states = await WatcherStore(session).find_states([state.experiment_id for state in states])
            outdated = await CardStore(session).find_outdated(
                {state.experiment_id: state.status_changed for state in states}
            )
            changed_states = [
                state for state in states if _has_changed(known_states.get(state.experiment_id), state)
            ]
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
        ready_states = [state for state in relevant_states if not self._is_awaiting_worker(state)]
        self._has_postponed = self._has_postponed or len(ready_states) < len(relevant_states)
        # What this page or one before it leaves for a later look must stay within reach of it.
        position = cursor if self._has_postponed else max(cursor, states[-1].status_changed)
        if not ready_states and not outdated and position <= cursor:
            return 0
        self._has_changes = True
        # From our own token; no request.
        bot_user_id = (await self._clearml.get_identity()).user_id if ready_states else ""
        async with self._database.writing() as session:
            store = WatcherStore(session)
            # Read again under the write lock: another process may have told of it meanwhile.
            known_states = await store.find_states([state.experiment_id for state in ready_states])
            ready_states = [
                state for state in ready_states if _has_changed(known_states.get(state.experiment_id), state)
            ]
            events = [
                event
                for state in ready_states
                for event in _derive_events(known_states.get(state.experiment_id), state, since)
            ]
            experiment_ids = [state.experiment_id for state in ready_states]
            own_actions = await OwnActionStore(session).find_since(
                experiment_ids, self._clock() - OWN_ACTION_WINDOW
            )
            names = await PeopleStore(session).get_names_by_clearml_user()
            created_experiments = CreatedExperimentStore(session)
            discovery = Discovery(
                store, OwnExperimentStore(session), DirectMessageStore(session), created_experiments
            )
            page = [experiments[experiment_id] for experiment_id in experiment_ids]
            recipients = await discovery.find_recipients(
                page, audience, active_ids=find_active_ids(ready_states, events), own_actions=own_actions
            )
            notifications = address_events(
                events,
                recipients=recipients,
                own_actions=own_actions,
                names=names,
                owners=await find_owner_names(created_experiments, page, recipients, names),
                bot_user_id=bot_user_id,
            )
            # A command has one effect: what follows is another's doing.
            await OwnActionStore(session).remove_all(
                key for event in events if (key := (event.experiment_id, event.kind)) in own_actions
            )
            await OutboxStore(session).add(notifications, now=self._clock())
            await CardStore(session).mark_due(outdated, now=self._clock())
            await store.put_states(
                merge_state(known_states.get(state.experiment_id), state) for state in ready_states
            )
            position = max(position, await store.get_cursor() or position)
            await store.move_cursor(position)
        self._cursor = position
        if notifications:
            self._outbox_wakeup.wake()
        for state in ready_states:
            self._worker_missing_since.pop(state.experiment_id, None)
        return len(notifications)

    def _is_awaiting_worker(self, state: ExperimentState) -> bool:
        """Whether it is a fresh run whose worker will be known in a moment."""
        if state.status is not Status.RUNNING or state.worker_id:
            self._worker_missing_since.pop(state.experiment_id, None)
            return False
        since = self._worker_missing_since.setdefault(state.experiment_id, self._clock())
        return self._clock() - since < WORKER_GRACE


def _has_changed(known: ExperimentState | None, current: ExperimentState) -> bool:
    """Whether an experiment is otherwise than remembered, or not remembered at all."""
    return known is None or replace(known, pending_since=None) != replace(current, pending_since=None)


def _derive_events(
    known: ExperimentState | None, current: ExperimentState, since: datetime
) -> tuple[ExperimentEvent, ...]:
    return derive_events(known, current) if known is not None else derive_first_events(current, since=since)
