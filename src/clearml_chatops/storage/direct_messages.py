"""The conversation in which each person can be sent a direct message."""

from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from clearml_chatops.models.messages import TERMINAL, Conversation
from clearml_chatops.models.people import Identity
from clearml_chatops.storage.schema import DirectMessageRow, IdentityRow


class DirectMessageStore:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def put(self, person_id: int, conversation: Conversation) -> None:
        await self._session.merge(
            DirectMessageRow(person_id=person_id, platform=conversation.platform, conversation_id=conversation.id)
        )

    async def find_for_people(self, person_ids: Collection[int]) -> dict[int, Conversation]:
        """Return where to write to these people; people without an identity are left out.

        People who never had a private conversation with the bot are written to by their id on a chat platform.
        A terminal is the last resort: nobody sees it when it is closed.
        """
        rows = await self._session.scalars(
            select(IdentityRow)
            .where(IdentityRow.person_id.in_(person_ids))
            .order_by(IdentityRow.platform, IdentityRow.workspace, IdentityRow.user_id)
        )
        identities: dict[int, list[Identity]] = {}
        for row in rows:
            identities.setdefault(row.person_id, []).append(Identity(row.platform, row.user_id, row.workspace))
        direct_message_rows = await self._session.scalars(
            select(DirectMessageRow).where(DirectMessageRow.person_id.in_(person_ids))
        )
        last_conversations = {
            row.person_id: Conversation(row.platform, row.conversation_id) for row in direct_message_rows
        }
        return {
            person_id: _choose_conversation(person_identities, last_conversations.get(person_id))
            for person_id, person_identities in sorted(identities.items())
        }


def to_direct_message(identity: Identity) -> Conversation:
    """Return the private conversation of an identity that has never written there: its own user id."""
    return Conversation(identity.platform, identity.user_id)


def _choose_conversation(identities: list[Identity], last_conversation: Conversation | None) -> Conversation:
    """Return the last private conversation, unless the person has no identity on its platform any more."""
    platforms = {identity.platform for identity in identities}
    if last_conversation is not None and last_conversation.platform in platforms:
        return last_conversation
    return to_direct_message(min(identities, key=lambda identity: identity.platform == TERMINAL))
