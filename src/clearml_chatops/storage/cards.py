"""The bot's messages about experiments, and which of them are cards that have to be edited."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from clearml_chatops.models.cards import DueCard
from clearml_chatops.models.messages import Conversation
from clearml_chatops.storage.chunks import split_into_chunks
from clearml_chatops.storage.schema import CardRow, ExperimentStateRow


class CardStore:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def put(self, conversation: Conversation, message_id: str, experiment_id: str, *, is_card: bool) -> None:
        await self._session.merge(
            CardRow(
                platform=conversation.platform,
                conversation_id=conversation.id,
                message_id=message_id,
                thread=conversation.thread,
                experiment_id=experiment_id,
                is_card=is_card,
                is_superseded=False,
            )
        )

    async def supersede(
        self, conversation: Conversation, message_id: str, experiment_id: str, *, now: datetime
    ) -> None:
        """Mark the experiment's other cards in the conversation as superseded, to be edited once more."""
        await self._session.execute(
            update(CardRow)
            .where(
                CardRow.platform == conversation.platform,
                CardRow.conversation_id == conversation.id,
                CardRow.thread == conversation.thread,
                CardRow.experiment_id == experiment_id,
                CardRow.message_id != message_id,
                CardRow.is_card,
            )
            .values(is_superseded=True, due=now)
        )

    async def get_experiment_id(self, conversation: Conversation, message_id: str) -> str:
        """Return the id of the message's experiment; empty if it is about none."""
        row = await self._session.get(CardRow, (conversation.platform, conversation.id, message_id))
        return row.experiment_id if row else ""

    async def remove_reference(self, conversation: Conversation, message_id: str) -> None:
        """Remove that a message is about an experiment, unless it is a card."""
        row = await self._session.get(CardRow, (conversation.platform, conversation.id, message_id))
        if row and not row.is_card:
            await self._session.delete(row)

    async def mark_due(self, experiment_ids: Sequence[str], *, now: datetime) -> None:
        """Mark the cards of these experiments as due for an edit.

        Cards that are already due get the new time too: an edit in progress may show the previous state.
        """
        for chunk in split_into_chunks(experiment_ids):
            await self._session.execute(
                update(CardRow).where(CardRow.experiment_id.in_(chunk), CardRow.is_card).values(due=now)
            )

    async def find_outdated(self, changes: Mapping[str, datetime]) -> list[str]:
        """Return the experiments with a card that does not show their status change given in `changes`."""
        found: set[str] = set()
        for chunk in split_into_chunks(changes):
            rows = await self._session.scalars(
                select(CardRow).where(CardRow.experiment_id.in_(chunk), CardRow.is_card)
            )
            found |= {row.experiment_id for row in rows if row.shown_status_changed != changes[row.experiment_id]}
        return sorted(found)

    async def list_due(self, platform: str, *, now: datetime) -> list[DueCard]:
        """Return the cards to edit: first those that show an outdated status, then those due longest."""
        rows = await self._session.execute(
            select(CardRow, ExperimentStateRow.status_changed)
            .outerjoin(ExperimentStateRow, ExperimentStateRow.experiment_id == CardRow.experiment_id)
            .where(CardRow.platform == platform, CardRow.is_card, CardRow.due <= now)
            .order_by(CardRow.due, CardRow.message_id)
        )
        cards = [
            DueCard(
                conversation=Conversation(row.platform, row.conversation_id, row.thread),
                message_id=row.message_id,
                experiment_id=row.experiment_id,
                due=row.due,
                edited=row.edited,
                is_superseded=row.is_superseded,
                has_outdated_status=status_changed is not None and status_changed != row.shown_status_changed,
            )
            for row, status_changed in rows
            if row.due is not None
        ]
        return sorted(cards, key=lambda card: not card.has_outdated_status)

    async def mark_edited(
        self, card: DueCard, *, at: datetime, shown_status_changed: datetime | None, due: datetime | None
    ) -> None:
        """Store that a card was edited and when it is due next, unless it became due again meanwhile."""
        row = await self._get_row(card)
        if row is None:
            return
        row.edited = at
        row.shown_status_changed = shown_status_changed
        if row.due == card.due:
            row.due = due

    async def retire(self, card: DueCard) -> None:
        """Stop editing a card; replies to it still refer to its experiment."""
        row = await self._get_row(card)
        if row is not None:
            row.is_card = False
            row.due = None

    async def _get_row(self, card: DueCard) -> CardRow | None:
        key = (card.conversation.platform, card.conversation.id, card.message_id)
        return await self._session.get(CardRow, key)
