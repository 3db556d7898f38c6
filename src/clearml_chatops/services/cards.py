"""Which message of the bot is about which experiment, so that a reply to it means that experiment."""

from clearml_chatops.models.messages import Conversation
from clearml_chatops.storage.cards import CardStore
from clearml_chatops.storage.database import Database


class CardService:
    def __init__(self, *, database: Database) -> None:
        self._database = database

    async def remember(self, conversation: Conversation, message_id: str, experiment_id: str) -> None:
        async with self._database.writing() as session:
            await CardStore(session).put(conversation, message_id, experiment_id)

    async def experiment_of(self, conversation: Conversation, message_id: str) -> str:
        """The experiment's id; empty where the message is about none."""
        async with self._database.reading() as session:
            return await CardStore(session).experiment_of(conversation, message_id)
