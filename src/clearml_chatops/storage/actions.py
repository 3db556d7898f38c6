"""The actions of buttons, by token, and the messages that ask their questions."""

from datetime import datetime

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession

from clearml_chatops.models.actions import Action
from clearml_chatops.models.messages import Conversation
from clearml_chatops.storage.schema import ActionRow, QuestionRow


class ActionStore:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, token: str, action: Action, *, expires: datetime) -> None:
        self._session.add(
            ActionRow(
                token=token,
                command=action.command,
                question=action.question,
                in_place=action.in_place,
                expires=expires,
            )
        )

    async def get(self, token: str, *, now: datetime) -> Action | None:
        """Return the action of a token; None if it has expired or never existed."""
        row = await self._session.get(ActionRow, token)
        return Action(row.command, row.question, row.in_place) if row and row.expires > now else None

    async def put_question(self, conversation: Conversation, message_id: str, token: str) -> None:
        await self._session.merge(
            QuestionRow(
                platform=conversation.platform,
                conversation_id=conversation.id,
                message_id=message_id,
                token=token,
            )
        )

    async def find_by_question(
        self, conversation: Conversation, message_id: str, *, now: datetime
    ) -> Action | None:
        """Return the action that a message asks the question of."""
        row = await self._session.get(QuestionRow, (conversation.platform, conversation.id, message_id))
        return await self.get(row.token, now=now) if row else None

    async def remove_expired(self, *, now: datetime) -> None:
        """Remove expired actions; their questions are deleted with them."""
        await self._session.execute(delete(ActionRow).where(ActionRow.expires <= now))
