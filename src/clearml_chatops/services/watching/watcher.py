"""The watcher: polls ClearML for status changes and puts notifications into the outbox.

ClearML has no webhooks. One request per poll reads what changed its status since the cursor, however many
experiments are watched. New states, cursor and outbox rows are one transaction, so a crash in between
neither loses nor repeats a notification.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from clearml_chatops.models.experiments import Experiment, Status
from clearml_chatops.models.notifications import EventKind, ExperimentEvent, ExperimentState
from clearml_chatops.services.clearml_gateway import ClearML
from clearml_chatops.services.wakeups import Wakeup
from clearml_chatops.services.watching.changed_pages import (
    address_page_events,
    derive_page_events,
    load_changed_page,
    select_changed,
)
from clearml_chatops.services.watching.discovery import Discovery
from clearml_chatops.services.watching.events import merge_state
from clearml_chatops.services.watching.recipients import OWN_ACTION_WINDOW, address_events
from clearml_chatops.storage.cards import CardStore
from clearml_chatops.storage.created_experiments import CreatedExperimentStore
from clearml_chatops.storage.database import Database
from clearml_chatops.storage.direct_messages import DirectMessageStore
from clearml_chatops.storage.outbox import OutboxStore
from clearml_chatops.storage.own_actions import OwnActionStore
from clearml_chatops.storage.own_experiments import OwnExperimentStore
from clearml_chatops.storage.people import PeopleStore
from clearml_chatops.storage.watcher import WatcherStore

PAGE_SIZE = 500

OVERLAP = timedelta(seconds=10)
"""How far before the cursor a poll begins. The server stamps a change before it stores it, so a change with an
earlier time can appear later; what was seen already gives no event again."""

_ACTIVITY_CHECK_INTERVAL = timedelta(seconds=30)
_WORKER_POLL_INTERVAL = timedelta(seconds=0.5)

_TIME_RESOLUTION = timedelta(milliseconds=1)
"""The server stores its times in milliseconds."""

_TIMESTAMP_TOLERANCE = timedelta(seconds=1)
"""The start and end times of a run are a little earlier than those of the status changes."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
"""Later than the year 1, which is the status time of a fresh Draft, as ClearML does not set it."""

WORKER_GRACE = timedelta(seconds=5)
"""How long a fresh run without a worker is left for a later poll: the agent reports its name some milliseconds
after it has set the status, and people want to know which worker it is."""


@dataclass(frozen=True, slots=True)
class _CompletePoll:
    """When a complete poll began, and how far it came."""

    started_at: datetime
    position: datetime


class Watcher:
    """Polls ClearML and fills the outbox.

    `outbox_wakeup` wakes delivery when notifications are queued; `watcher_wakeup` wakes the watcher when there is
    more to watch. `interval` is the delay between two polls while something watched is Pending or Running,
    `idle_interval` the delay at other times.
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
        self._settling_poll: _CompletePoll | None = None
        self._settled_position: datetime | None = None
        self._has_postponed = False
        self._cursor: datetime | None = None
        """As this process moved it last; reading it from the database would double the cost of an idle poll."""
        self._watching_since = _EPOCH

    def get_poll_delay(self) -> timedelta:
        """Return how long to wait before the next poll."""
        if self._has_postponed:
            return min(self._interval, _WORKER_POLL_INTERVAL)
        return self._idle_interval if self._is_anything_active is False else self._interval

    async def poll(self) -> int:
        """Poll once; return how many notifications were queued."""
        self._has_changes = False
        count = await self._poll_changes()
        if self._has_changes or self._wakeup_event.is_set() or self._needs_activity_check():
            self._wakeup_event.clear()
            self._activity_checked_at = self._clock()
            async with self._database.reading() as session:
                self._is_anything_active = await WatcherStore(session).has_active_experiments()
        return count

    def _needs_activity_check(self) -> bool:
        """Return whether to query for active experiments: unknown, or idle for long.

        Another process may have added a watch meanwhile. To query in each poll would double its cost.
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
        """Find active experiments that were deleted, which the changes do not show; return how many were queued.

        ClearML does not say who deleted them.
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
        """Return where to begin: `OVERLAP` before the cursor, but after the settled position.

        Otherwise every poll would read the last changes again, which may be thousands at one moment.
        """
        start = cursor - OVERLAP
        return (
            max(start, self._settled_position + _TIME_RESOLUTION) if self._settled_position is not None else start
        )

    def _update_settled_position(self, position: datetime, started_at: datetime) -> None:
        """Record how far a complete poll came. A poll that begins `OVERLAP` later settles that position."""
        if self._has_postponed:
            self._settling_poll = None
        elif self._settling_poll is None:
            self._settling_poll = _CompletePoll(started_at, position)
        elif started_at - self._settling_poll.started_at >= OVERLAP:
            self._settled_position = self._settling_poll.position
            self._settling_poll = _CompletePoll(started_at, position)

    async def _initialize_cursor(self) -> int:
        """Start at the oldest stored state of a tracked experiment, or else now.

        "Now" is the server's last change, as its clock may differ from the bot's. A state that the bot stored
        by a clock ahead of the server's must not make it skip what the server stamps before that.
        """
        newest = await self._clearml.get_last_status_change()
        async with self._database.writing() as session:
            store = WatcherStore(session)
            oldest = await store.get_oldest_status_change()
            known_times = (moment for moment in (newest, oldest) if moment and moment > _EPOCH)
            await store.move_cursor(min(known_times, default=_EPOCH), started=newest or _EPOCH)
        return 0

    async def _record_changes(self, changed: Sequence[Experiment], *, cursor: datetime, since: datetime) -> int:
        """Record one page and move the cursor behind it, in one transaction; skip it if nothing is new.

        Experiments never seen before give events only for what happened after `since`.
        """
        if not changed:
            return 0
        page = await load_changed_page(changed, since, self._database)
        ready_states = [state for state in page.states if not self._is_awaiting_worker(state)]
        self._has_postponed = self._has_postponed or len(ready_states) < len(page.states)
        # What this page or one before it leaves for a later poll must stay within reach of that.
        position = cursor if self._has_postponed else max(cursor, changed[-1].status_changed)
        if not ready_states and not page.outdated_card_ids and position <= cursor:
            return 0
        self._has_changes = True
        # Read from the bot's own token, without a request.
        bot_user_id = (await self._clearml.get_identity()).user_id if ready_states else ""
        async with self._database.writing() as session:
            store = WatcherStore(session)
            # Read again under the write lock: another process may have queued the notifications meanwhile.
            known_states = await store.find_states([state.experiment_id for state in ready_states])
            ready_states = select_changed(ready_states, known_states)
            events = derive_page_events(ready_states, known_states, since=since)
            own_action_store = OwnActionStore(session)
            own_actions = await own_action_store.find_since(
                [state.experiment_id for state in ready_states], self._clock() - OWN_ACTION_WINDOW
            )
            notifications = await address_page_events(
                events,
                ready_states,
                page,
                discovery=Discovery(
                    store,
                    OwnExperimentStore(session),
                    DirectMessageStore(session),
                    CreatedExperimentStore(session),
                ),
                own_actions=own_actions,
                names=await PeopleStore(session).get_names_by_clearml_user(),
                bot_user_id=bot_user_id,
            )
            # A command has one effect: a second event of the kind is somebody else's action.
            await own_action_store.remove_all(
                key for event in events if (key := (event.experiment_id, event.kind)) in own_actions
            )
            await OutboxStore(session).add(notifications, now=self._clock())
            await CardStore(session).mark_due(page.outdated_card_ids, now=self._clock())
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
        """Return whether a fresh run has no worker yet but will soon report one."""
        if state.status is not Status.RUNNING or state.worker_id:
            self._worker_missing_since.pop(state.experiment_id, None)
            return False
        since = self._worker_missing_since.setdefault(state.experiment_id, self._clock())
        return self._clock() - since < WORKER_GRACE
