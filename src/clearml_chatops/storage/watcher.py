"""What the watcher remembers: states of experiments, its cursor, and who watches what."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, delete, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from clearml_chatops.models.experiments import Status
from clearml_chatops.models.messages import Conversation
from clearml_chatops.models.notifications import ExperimentState, Recipient
from clearml_chatops.storage.chunks import split_into_chunks
from clearml_chatops.storage.schema import (
    ExperimentOptOutRow,
    ExperimentStateRow,
    PersonRow,
    SubscriptionRow,
    WatcherCursorRow,
    WatchRow,
)
from clearml_chatops.storage.upserts import build_insert

_CURSOR_ID = 1

_IS_ACTIVE_AND_WATCHED = (
    ExperimentStateRow.status.in_((Status.PENDING.value, Status.RUNNING.value)),
    or_(
        exists().where(WatchRow.experiment_id == ExperimentStateRow.experiment_id),
        select(SubscriptionRow.id).exists(),
    ),
)
"""What waits or runs and is watched. By which subscription it was seen is not kept, so that one stands for all."""


class WatcherStore:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def get_cursor(self) -> datetime | None:
        row = await self._session.get(WatcherCursorRow, _CURSOR_ID)
        return row.position if row else None

    async def get_start(self) -> datetime | None:
        """The server's last change when the watcher first looked; None before."""
        row = await self._session.get(WatcherCursorRow, _CURSOR_ID)
        return row.started if row else None

    async def move_cursor(self, position: datetime, *, started: datetime | None = None) -> None:
        """Moves the cursor; the first time it also notes where the watcher began, at `position` unless told."""
        row = await self._session.get(WatcherCursorRow, _CURSOR_ID)
        if row is None:
            self._session.add(WatcherCursorRow(id=_CURSOR_ID, position=position, started=started or position))
        else:
            row.position = position

    async def get_oldest_status_change(self) -> datetime | None:
        """The oldest status change among the remembered states."""
        return await self._session.scalar(select(func.min(ExperimentStateRow.status_changed)))

    async def has_active_experiments(self) -> bool:
        """Whether something that is watched waits or runs."""
        found = await self._session.scalar(
            select(ExperimentStateRow.experiment_id).where(*_IS_ACTIVE_AND_WATCHED).limit(1)
        )
        return found is not None

    async def find_states(self, experiment_ids: Collection[str]) -> dict[str, ExperimentState]:
        """The remembered states, by id; an experiment never seen is absent."""
        found: dict[str, ExperimentState] = {}
        for chunk in split_into_chunks(experiment_ids):
            rows = await self._session.scalars(
                select(ExperimentStateRow).where(ExperimentStateRow.experiment_id.in_(chunk))
            )
            found.update({row.experiment_id: _to_state(row) for row in rows})
        return found

    async def put_states(self, states: Iterable[ExperimentState]) -> None:
        """Notes how these experiments are now, all in one statement."""
        rows = [_to_row(state) for state in states]
        if not rows:
            return
        insert = build_insert(self._session, ExperimentStateRow)
        changed = {name: insert.excluded[name] for name in rows[0] if name != "experiment_id"}
        await self._session.execute(
            insert.on_conflict_do_update(index_elements=["experiment_id"], set_=changed), rows
        )

    async def add_watch(self, experiment_id: str, conversation: Conversation, person_id: int) -> None:
        """Has the recipient told of this experiment; asking twice changes nothing.

        A person is told once in a channel: where he asks again in another thread of it, he is told there.
        """
        watchers = await self.find_watchers([experiment_id])
        if conversation in watchers.get(experiment_id, ()):
            return
        row = await self._session.scalar(
            select(WatchRow).where(
                WatchRow.experiment_id == experiment_id,
                WatchRow.platform == conversation.platform,
                WatchRow.conversation_id == conversation.id,
                WatchRow.person_id == person_id,
            )
        )
        if row is not None:
            row.thread = conversation.thread
            return
        self._session.add(
            WatchRow(
                experiment_id=experiment_id,
                platform=conversation.platform,
                conversation_id=conversation.id,
                thread=conversation.thread,
                person_id=person_id,
            )
        )

    async def add_watches(self, watches: Iterable[tuple[str, Conversation, int]]) -> None:
        """Has people told of experiments, each of one at one place, all in one statement."""
        rows = [
            {
                "experiment_id": experiment_id,
                "platform": conversation.platform,
                "conversation_id": conversation.id,
                "thread": conversation.thread,
                "person_id": person_id,
            }
            for experiment_id, conversation, person_id in watches
        ]
        if rows:
            await self._session.execute(build_insert(self._session, WatchRow).on_conflict_do_nothing(), rows)

    async def remove_watch(self, experiment_id: str, conversation: Conversation) -> bool:
        """Has the recipient told no more of this experiment; whether he was.

        A thread that is not told of it means its channel; where that is not either, all its threads are meant.
        """
        channel_watches = list(
            await self._session.scalars(
                _select_channel_watches(conversation).where(WatchRow.experiment_id == experiment_id)
            )
        )
        found = (
            [row for row in channel_watches if row.thread == conversation.thread]
            or [row for row in channel_watches if not row.thread]
            or channel_watches
        )
        for row in found:
            await self._session.delete(row)
        return bool(found)

    async def list_watched(self, conversation: Conversation) -> list[tuple[ExperimentState, bool]]:
        """The remembered states of what the recipient is told of, the last changed first.

        For a channel also what its threads are told of; the second tells which are told there alone.
        """
        query = _select_watches(conversation) if conversation.thread else _select_channel_watches(conversation)
        rows = await self._session.execute(
            query.join(ExperimentStateRow, ExperimentStateRow.experiment_id == WatchRow.experiment_id)
            .with_only_columns(ExperimentStateRow, WatchRow.thread)
            .order_by(ExperimentStateRow.status_changed.desc(), ExperimentStateRow.experiment_id)
        )
        found: dict[str, tuple[ExperimentState, bool]] = {}
        for row, thread in rows:
            _, is_only_in_threads = found.get(row.experiment_id, (None, True))
            found[row.experiment_id] = (_to_state(row), is_only_in_threads and thread != conversation.thread)
        return list(found.values())

    async def find_watchers(self, experiment_ids: Collection[str]) -> dict[str, list[Conversation]]:
        """Who is told of each experiment, in the order in which they asked; one that nobody watches is absent."""
        found = await self.find_recipients(experiment_ids)
        return {
            experiment_id: [recipient.conversation for recipient in recipients]
            for experiment_id, recipients in found.items()
        }

    async def find_recipients(self, experiment_ids: Collection[str]) -> dict[str, list[Recipient]]:
        """Who is told of each experiment, and for whom; in the order in which they asked."""
        found: dict[str, list[Recipient]] = {}
        for chunk in split_into_chunks(experiment_ids):
            rows = await self._session.execute(
                select(WatchRow, PersonRow.clearml_user_id)
                .join(PersonRow, PersonRow.id == WatchRow.person_id)
                .where(WatchRow.experiment_id.in_(chunk))
                .order_by(WatchRow.id)
            )
            for row, clearml_user_id in rows:
                conversation = Conversation(row.platform, row.conversation_id, row.thread)
                found.setdefault(row.experiment_id, []).append(
                    Recipient(conversation, row.person_id, clearml_user_id)
                )
        return found

    async def list_active(self) -> list[str]:
        """The experiments that are watched and wait or run, as far as is known."""
        rows = await self._session.scalars(
            select(ExperimentStateRow.experiment_id)
            .where(*_IS_ACTIVE_AND_WATCHED)
            .order_by(ExperimentStateRow.experiment_id)
        )
        return list(rows)

    async def remove_experiments(self, experiment_ids: Sequence[str]) -> None:
        """Forgets experiments that are no more, and who watched them."""
        for chunk in split_into_chunks(experiment_ids):
            for table in (WatchRow, ExperimentOptOutRow, ExperimentStateRow):
                await self._session.execute(delete(table).where(table.experiment_id.in_(chunk)))


def _select_watches(conversation: Conversation) -> Select[WatchRow]:
    return _select_channel_watches(conversation).where(WatchRow.thread == conversation.thread)


def _select_channel_watches(conversation: Conversation) -> Select[WatchRow]:
    """Those of a channel and of all its threads, also where one of these is the recipient."""
    return select(WatchRow).where(
        WatchRow.platform == conversation.platform, WatchRow.conversation_id == conversation.id
    )


def _to_row(state: ExperimentState) -> dict[str, Any]:
    return {
        "experiment_id": state.experiment_id,
        "name": state.name,
        "status": state.status.value,
        "status_changed": state.status_changed,
        "parent_id": state.parent_id,
        "started": state.started,
        "completed": state.completed,
        "worker_id": state.worker_id,
        "pending_since": state.pending_since,
        "stop_requested_by": state.stop_requested_by,
    }


def _to_state(row: ExperimentStateRow) -> ExperimentState:
    return ExperimentState(
        experiment_id=row.experiment_id,
        name=row.name,
        status=Status(row.status),
        status_changed=row.status_changed,
        parent_id=row.parent_id,
        started=row.started,
        completed=row.completed,
        worker_id=row.worker_id,
        pending_since=row.pending_since,
        stop_requested_by=row.stop_requested_by,
    )
