"""What the watcher stores: states of experiments, its cursor, and watches."""

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
"""Pending or running, and watched. Any subscription counts: which one covers an experiment is not stored."""


class WatcherStore:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def get_cursor(self) -> datetime | None:
        row = await self._session.get(WatcherCursorRow, _CURSOR_ID)
        return row.position if row else None

    async def get_start(self) -> datetime | None:
        """Return the server's last status change at the watcher's first poll; None before it."""
        row = await self._session.get(WatcherCursorRow, _CURSOR_ID)
        return row.started if row else None

    async def move_cursor(self, position: datetime, *, started: datetime | None = None) -> None:
        """Move the cursor. The first call also stores where the watcher started: `started`, or else `position`."""
        if (row := await self._session.get(WatcherCursorRow, _CURSOR_ID)) is None:
            self._session.add(WatcherCursorRow(id=_CURSOR_ID, position=position, started=started or position))
        else:
            row.position = position

    async def get_oldest_status_change(self) -> datetime | None:
        """Return the oldest status change among the stored states."""
        return await self._session.scalar(select(func.min(ExperimentStateRow.status_changed)))

    async def has_active_experiments(self) -> bool:
        """Return whether a watched experiment is pending or running."""
        found = await self._session.scalar(
            select(ExperimentStateRow.experiment_id).where(*_IS_ACTIVE_AND_WATCHED).limit(1)
        )
        return found is not None

    async def find_states(self, experiment_ids: Collection[str]) -> dict[str, ExperimentState]:
        """Return the stored states, by id; experiments never seen are left out."""
        found: dict[str, ExperimentState] = {}
        for chunk in split_into_chunks(experiment_ids):
            rows = await self._session.scalars(
                select(ExperimentStateRow).where(ExperimentStateRow.experiment_id.in_(chunk))
            )
            found.update({row.experiment_id: _to_state(row) for row in rows})
        return found

    async def put_states(self, states: Iterable[ExperimentState]) -> None:
        """Store the current states of experiments, in one statement."""
        rows = [_to_row(state) for state in states]
        if not rows:
            return
        insert = build_insert(self._session, ExperimentStateRow)
        changed = {name: insert.excluded[name] for name in rows[0] if name != "experiment_id"}
        await self._session.execute(
            insert.on_conflict_do_update(index_elements=["experiment_id"], set_=changed), rows
        )

    async def add_watch(self, experiment_id: str, conversation: Conversation, person_id: int) -> None:
        """Add a conversation's watch of an experiment, unless it exists.

        A person has one watch per channel: asking again in another thread moves it there.
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
        """Add watches, given as experiment id, conversation and person id, in one statement."""
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
        """Remove a conversation's watch of an experiment. Return whether there was one.

        For a thread without a watch the channel's is removed, or else those of all threads of the channel.
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
        """Return the stored states of what a conversation watches, last changed first.

        For a channel this includes what its threads watch; the second value is whether only threads watch it.
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
        """Return the conversations that watch each experiment, oldest watch first; unwatched ones are left out."""
        found = await self.find_recipients(experiment_ids)
        return {id_: [recipient.conversation for recipient in recipients] for id_, recipients in found.items()}

    async def find_recipients(self, experiment_ids: Collection[str]) -> dict[str, list[Recipient]]:
        """Return the recipients of each watched experiment, oldest watch first."""
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
        """Return the ids of watched experiments that are pending or running, as last seen."""
        found = select(ExperimentStateRow.experiment_id).where(*_IS_ACTIVE_AND_WATCHED)
        rows = await self._session.scalars(found.order_by(ExperimentStateRow.experiment_id))
        return list(rows)

    async def remove_experiments(self, experiment_ids: Sequence[str]) -> None:
        """Remove experiments that no longer exist, with their watches."""
        for chunk in split_into_chunks(experiment_ids):
            for table in (WatchRow, ExperimentOptOutRow, ExperimentStateRow):
                await self._session.execute(delete(table).where(table.experiment_id.in_(chunk)))


def _select_watches(conversation: Conversation) -> Select[WatchRow]:
    return _select_channel_watches(conversation).where(WatchRow.thread == conversation.thread)


def _select_channel_watches(conversation: Conversation) -> Select[WatchRow]:
    """Return the watches of a channel and all its threads, also if the conversation is one of the threads."""
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
