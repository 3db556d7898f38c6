"""The experiment that a person's commands in a conversation use when they name none."""

from sqlalchemy.ext.asyncio import AsyncSession

from clearml_chatops.models.messages import Conversation
from clearml_chatops.storage.schema import CurrentExperimentRow


class CurrentExperimentStore:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def get(self, conversation: Conversation, person_id: int) -> str:
        """Return the experiment's id; empty if none was chosen yet."""
        row = await self._session.get(CurrentExperimentRow, (str(conversation), person_id))
        return row.experiment_id if row else ""

    async def remove(self, conversation: Conversation, person_id: int) -> None:
        if row := await self._session.get(CurrentExperimentRow, (str(conversation), person_id)):
            await self._session.delete(row)

    async def set(self, conversation: Conversation, person_id: int, experiment_id: str) -> None:
        await self._session.merge(
            CurrentExperimentRow(conversation=str(conversation), person_id=person_id, experiment_id=experiment_id)
        )
