"""Which message of the bot is about which experiment."""

from sqlalchemy.ext.asyncio import AsyncSession

from clearml_chatops.models.messages import Conversation
from clearml_chatops.storage.schema import CardRow


class CardStore:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def put(self, conversation: Conversation, message_id: str, experiment_id: str) -> None:
        await self._session.merge(
            CardRow(
                platform=conversation.platform,
                conversation_id=conversation.id,
                message_id=message_id,
                experiment_id=experiment_id,
            )
        )

    async def experiment_of(self, conversation: Conversation, message_id: str) -> str:
        """The experiment's id; empty where the message is about none."""
        row = await self._session.get(CardRow, (conversation.platform, conversation.id, message_id))
        return row.experiment_id if row else ""
