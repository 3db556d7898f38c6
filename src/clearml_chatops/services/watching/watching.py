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
from clearml_chatops.services.bells import Bell
from clearml_chatops.services.clearml_gateway import ClearML
from clearml_chatops.services.watching.events import events_between, first_events, remembered
from clearml_chatops.services.watching.finding import (
    Audience,
    Finder,
    audience_of,
    is_begun,
    moved_on,
    owner_names,
)
from clearml_chatops.services.watching.telling import ACT_COUNTS_FOR, addressed
from clearml_chatops.services.watching.tracking import state_of
from clearml_chatops.storage.acts import ActStore
from clearml_chatops.storage.cards import CardStore
from clearml_chatops.storage.created_experiments import CreatedExperimentStore
from clearml_chatops.storage.database import Database
from clearml_chatops.storage.outbox import OutboxStore
from clearml_chatops.storage.own_experiments import OwnExperimentStore
from clearml_chatops.storage.own_places import OwnPlaceStore
from clearml_chatops.storage.people import PeopleStore
from clearml_chatops.storage.states import WatcherStore
from clearml_chatops.storage.subscriptions import SubscriptionStore

PAGE_SIZE = 500

OVERLAP = timedelta(seconds=10)
"""How far before the cursor a look begins. The server stamps a change before it stores it, so that
one stamped earlier can appear later; what was seen already gives no event again."""

_ASKED_ANEW = timedelta(seconds=30)
_PAUSE_FOR_A_WORKER = timedelta(seconds=0.5)

_STEP = timedelta(milliseconds=1)
"""The server keeps its times in milliseconds."""

_BETWEEN_STAMPS = timedelta(seconds=1)
"""The times of a run's begin and end are taken a little before that of the status change which notes them."""

_EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
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
        news: Bell,
        watched: Bell,
        interval: timedelta,
        idle_interval: timedelta,
    ) -> None:
        self._clearml = clearml
        self._database = database
        self._clock = clock
        self._news = news
        self._interval = interval
        self._idle_interval = max(interval, idle_interval)
        self._more_to_watch = watched.listener()
        self._moves_on: bool | None = None
        self._asked_what_moves = datetime.min.replace(tzinfo=UTC)
        self._has_news = False
        self._nameless_since: dict[str, datetime] = {}
        self._settling: tuple[datetime, datetime] | None = None
        self._settled: datetime | None = None
        self._has_left = False
        self._cursor: datetime | None = None
        """As this process moved it last; asking the database in each idle cycle would double its cost."""
        self._begun = _EARLIEST

    def pause(self) -> timedelta:
        """How long to wait before the next look."""
        if self._has_left:
            return min(self._interval, _PAUSE_FOR_A_WORKER)
        return self._idle_interval if self._moves_on is False else self._interval

    async def look(self) -> int:
        """One cycle. Gives the number of notifications put into the outbox."""
        self._has_news = False
        count = await self._look()
        if self._has_news or self._more_to_watch.is_set() or self._may_be_moving():
            self._more_to_watch.clear()
            self._asked_what_moves = self._clock()
            async with self._database.reading() as session:
                self._moves_on = await WatcherStore(session).is_anything_moving()
        return count

    def _may_be_moving(self) -> bool:
        """Whether it is not known, or was not so long ago that another program may have something watched since.

        To ask in each look would double its cost.
        """
        if self._moves_on is False:
            return self._clock() - self._asked_what_moves >= _ASKED_ANEW
        return self._moves_on is None

    async def _look(self) -> int:
        cursor = self._cursor or await self._remembered_cursor()
        if cursor is None:
            return await self._begin()
        begun, reached = self._clock(), cursor
        start, count = self._start(cursor), 0
        since = max(start - _BETWEEN_STAMPS, self._begun)
        self._has_left = False
        async for changed in self._clearml.pages_of_changes(start, page_size=PAGE_SIZE):
            count += await self._record(changed, cursor=cursor, since=since)
            if changed:
                reached = max(reached, changed[-1].status_changed)
        self._settle(reached, begun)
        return count

    async def look_for_deleted(self) -> int:
        """Tells of what waited or ran and is no more: of that ClearML's changes say nothing.

        Who deleted it is not known. Gives the number of notifications put into the outbox.
        """
        async with self._database.reading() as session:
            moving = await WatcherStore(session).moving()
        there = await self._clearml.existing(moving)
        deleted = [experiment_id for experiment_id in moving if experiment_id not in there]
        if not deleted:
            return 0
        now = self._clock()
        async with self._database.writing() as session:
            store = WatcherStore(session)
            states = await store.states(deleted)
            events = [
                ExperimentEvent(EventKind.DELETED, state.experiment_id, state.name, state.status_changed)
                for state in states.values()
            ]
            told = addressed(events, recipients=await store.recipients(deleted), acts={}, names={})
            await OutboxStore(session).add(told, now=now)
            await CardStore(session).mark_due(deleted, now=now)
            await store.forget(deleted)
        self._moves_on = None
        self._news.ring()
        return len(told)

    async def _remembered_cursor(self) -> datetime | None:
        async with self._database.reading() as session:
            store = WatcherStore(session)
            self._begun = await store.begun() or _EARLIEST
            return await store.cursor()

    def _start(self, cursor: datetime) -> datetime:
        """Where to begin: within reach of what may appear late, but behind what cannot have anything late.

        Else the last thousand experiments that changed at one moment would be read in every cycle for ever.
        """
        start = cursor - OVERLAP
        return max(start, self._settled + _STEP) if self._settled is not None else start

    def _settle(self, position: datetime, begun: datetime) -> None:
        """Notes how far a complete look came. A look that begins long enough after it settles all up to there."""
        if self._has_left:
            self._settling = None
        elif self._settling is None:
            self._settling = (position, begun)
        elif begun - self._settling[1] >= OVERLAP:
            self._settled = self._settling[0]
            self._settling = (position, begun)

    async def _begin(self) -> int:
        """The first look ever: from the oldest state remembered of a tracked experiment, else from now on.

        "Now" is the server's last change, so that its clock need not agree with ours; a state that we noted
        ourselves, by a clock that goes ahead, must not make us skip what the server stamps before it.
        """
        newest = await self._clearml.last_status_change()
        async with self._database.writing() as session:
            store = WatcherStore(session)
            oldest = await store.oldest_change()
            known = (moment for moment in (newest, oldest) if moment and moment > _EARLIEST)
            await store.move_cursor(min(known, default=_EARLIEST), begun=newest or _EARLIEST)
        return 0

    async def _record(self, changed: Sequence[Experiment], *, cursor: datetime, since: datetime) -> int:
        """Tells of one page and moves the cursor behind it, in one transaction; none where nothing is new.

        Of what was never seen before it tells what happened after `since`.
        """
        if not changed:
            return 0
        states = [state_of(item) for item in changed]
        async with self._database.reading() as session:
            known = await WatcherStore(session).states([state.experiment_id for state in states])
            outdated = await CardStore(session).outdated(
                {state.experiment_id: state.status_changed for state in states}
            )
            different = [state for state in states if _is_different(known.get(state.experiment_id), state)]
            audience = Audience()
            if different:
                audience = await audience_of(SubscriptionStore(session), OwnExperimentStore(session))
        experiments = {item.id: item for item in changed}
        news = [
            state
            for state in different
            if state.experiment_id in known
            or (audience.is_concerned_by(experiments[state.experiment_id]) and is_begun(state, since=since))
        ]
        told = [state for state in news if not self._is_nameless(state)]
        self._has_left = self._has_left or len(told) < len(news)
        # What this page or one before it leaves for a later look must stay within reach of it.
        position = cursor if self._has_left else max(cursor, states[-1].status_changed)
        if not told and not outdated and position <= cursor:
            return 0
        self._has_news = True
        # From our own token; no request.
        bot_user_id = (await self._clearml.identity()).user_id if told else ""
        async with self._database.writing() as session:
            store = WatcherStore(session)
            # Read again under the write lock: another process may have told of it meanwhile.
            known = await store.states([state.experiment_id for state in told])
            told = [state for state in told if _is_different(known.get(state.experiment_id), state)]
            events = [event for state in told for event in _events(known.get(state.experiment_id), state, since)]
            concerned = [state.experiment_id for state in told]
            acts = await ActStore(session).since(concerned, self._clock() - ACT_COUNTS_FOR)
            names = await PeopleStore(session).names_by_clearml_user()
            created = CreatedExperimentStore(session)
            finder = Finder(store, OwnExperimentStore(session), OwnPlaceStore(session), created)
            page = [experiments[experiment_id] for experiment_id in concerned]
            recipients = await finder.recipients(page, audience, moved=moved_on(told, events), acts=acts)
            notifications = addressed(
                events,
                recipients=recipients,
                acts=acts,
                names=names,
                owners=await owner_names(created, page, recipients, names),
                bot_user_id=bot_user_id,
            )
            # A command has one effect: what follows is another's doing.
            await ActStore(session).forget_done(
                key for event in events if (key := (event.experiment_id, event.kind)) in acts
            )
            await OutboxStore(session).add(notifications, now=self._clock())
            await CardStore(session).mark_due(outdated, now=self._clock())
            await store.remember(remembered(known.get(state.experiment_id), state) for state in told)
            position = max(position, await store.cursor() or position)
            await store.move_cursor(position)
        self._cursor = position
        if notifications:
            self._news.ring()
        for state in told:
            self._nameless_since.pop(state.experiment_id, None)
        return len(notifications)

    def _is_nameless(self, state: ExperimentState) -> bool:
        """Whether it is a fresh run whose worker will be known in a moment."""
        if state.status is not Status.RUNNING or state.worker_id:
            self._nameless_since.pop(state.experiment_id, None)
            return False
        since = self._nameless_since.setdefault(state.experiment_id, self._clock())
        return self._clock() - since < WORKER_GRACE


def _is_different(known: ExperimentState | None, now: ExperimentState) -> bool:
    """Whether an experiment is otherwise than remembered, or not remembered at all."""
    return known is None or replace(known, pending_since=None) != replace(now, pending_since=None)


def _events(known: ExperimentState | None, now: ExperimentState, since: datetime) -> tuple[ExperimentEvent, ...]:
    return events_between(known, now) if known is not None else first_events(now, since=since)
