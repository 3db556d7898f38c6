"""The watcher: one look at ClearML tells what changed, and everybody concerned gets it into his outbox.

ClearML has no webhooks, so it is asked. One request a cycle, whatever the number of watched
experiments: what changed its status since the cursor. New states, cursor and outbox rows are one
transaction, so that a crash in between loses nothing and tells nothing twice.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from clearml_chatops.models.experiments import Experiment, Status
from clearml_chatops.models.notifications import ExperimentState
from clearml_chatops.services.clearml_gateway import ClearML
from clearml_chatops.services.events import events_between, remembered
from clearml_chatops.services.tracking import state_of
from clearml_chatops.storage.cards import CardStore
from clearml_chatops.storage.database import Database
from clearml_chatops.storage.outbox import OutboxStore
from clearml_chatops.storage.states import WatcherStore

PAGE_SIZE = 500

OVERLAP = timedelta(seconds=10)
"""How far before the cursor each look begins. The server stamps a change before it stores it, so that
one stamped earlier can appear later; what was seen already gives no event again."""

_EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
"""ClearML stamps no status change on a fresh draft, which reads as the year 1."""

WORKER_GRACE = timedelta(seconds=5)
"""How long a fresh run without a worker is left for a later look: the agent names itself some
milliseconds after it has set the status, and people want to know which worker it is."""


class Watcher:
    """Looks at ClearML and fills the outbox."""

    def __init__(self, *, clearml: ClearML, database: Database, clock: Callable[[], datetime]) -> None:
        self._clearml = clearml
        self._database = database
        self._clock = clock
        self._nameless_since: dict[str, datetime] = {}

    async def look(self) -> int:
        """One cycle. Gives the number of notifications put into the outbox."""
        async with self._database.reading() as session:
            cursor = await WatcherStore(session).cursor()
        if cursor is None:
            return await self._begin()
        start, page, count = cursor - OVERLAP, 0, 0
        while True:
            changed = await self._clearml.experiments_changed_since(start, page=page, page_size=PAGE_SIZE)
            count += await self._record(changed, cursor=cursor)
            if len(changed) < PAGE_SIZE:
                return count
            # The next page begins at the last change seen, not at a number: what changes meanwhile moves to
            # the end and would shift the pages. Only among changes of one same moment must pages be counted.
            last = changed[-1].status_changed
            start, page = (last, 0) if last > start else (start, page + 1)

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
            await store.move_cursor(min(known, default=_EARLIEST))
        return 0

    async def _record(self, changed: Sequence[Experiment], *, cursor: datetime) -> int:
        """Tells of one page and moves the cursor behind it, in one transaction; none where nothing is new."""
        states = [state_of(item) for item in changed]
        async with self._database.reading() as session:
            known = await WatcherStore(session).states([state.experiment_id for state in states])
        news = [state for state in states if _is_news(known.get(state.experiment_id), state)]
        told = [state for state in news if not self._is_nameless(state)]
        position = max((state.status_changed for state in states), default=cursor)
        if len(told) < len(news) or self._leaves_something():
            # What this page or one before it leaves for a later look must stay within the overlap.
            position = cursor
        changes = {state.experiment_id: state.status_changed for state in states}
        async with self._database.reading() as session:
            outdated = await CardStore(session).outdated(changes)
        if not told and not outdated and position <= cursor:
            return 0
        async with self._database.writing() as session:
            store = WatcherStore(session)
            # Read again under the write lock: another process may have told of it meanwhile.
            known = await store.states([state.experiment_id for state in told])
            told = [state for state in told if _is_news(known.get(state.experiment_id), state)]
            count = await self._tell(store, OutboxStore(session), known, told)
            await CardStore(session).mark_due(outdated, now=self._clock())
            await store.remember(remembered(known[state.experiment_id], state) for state in told)
            await store.move_cursor(max(position, await store.cursor() or position))
        return count

    async def _tell(
        self,
        store: WatcherStore,
        outbox: OutboxStore,
        known: dict[str, ExperimentState],
        told: Sequence[ExperimentState],
    ) -> int:
        watchers = await store.watchers([state.experiment_id for state in told])
        count = 0
        for state in told:
            for event in events_between(known[state.experiment_id], state):
                recipients = watchers.get(state.experiment_id, [])
                await outbox.add(event, recipients, now=self._clock())
                count += len(recipients)
        return count

    def _is_nameless(self, state: ExperimentState) -> bool:
        """Whether it is a fresh run whose worker will be known in a moment."""
        if state.status is not Status.RUNNING or state.worker_id:
            self._nameless_since.pop(state.experiment_id, None)
            return False
        since = self._nameless_since.setdefault(state.experiment_id, self._clock())
        return self._clock() - since < WORKER_GRACE

    def _leaves_something(self) -> bool:
        now = self._clock()
        return any(now - since < WORKER_GRACE for since in self._nameless_since.values())


def _is_news(known: ExperimentState | None, now: ExperimentState) -> bool:
    """Whether a tracked experiment is otherwise than remembered; what nobody tracks is no news."""
    return known is not None and replace(known, pending_since=None) != replace(now, pending_since=None)
