"""Where each person was last alone with the bot on a chat platform."""

from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from clearml_chatops.models.messages import TERMINAL, Conversation
from clearml_chatops.models.people import Identity
from clearml_chatops.storage.schema import IdentityRow, OwnPlaceRow


class OwnPlaceStore:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def note(self, person_id: int, place: Conversation) -> None:
        await self._session.merge(
            OwnPlaceRow(person_id=person_id, platform=place.platform, conversation_id=place.id)
        )

    async def of(self, person_ids: Collection[int]) -> dict[int, Conversation]:
        """Where to write to these people; who has no identity any more is absent.

        Who was never alone with the bot is written to by his id on a chat platform. A terminal is the last
        resort: nobody looks at one that is closed.
        """
        rows = await self._session.scalars(
            select(IdentityRow)
            .where(IdentityRow.person_id.in_(person_ids))
            .order_by(IdentityRow.platform, IdentityRow.workspace, IdentityRow.user_id)
        )
        identities: dict[int, list[Identity]] = {}
        for row in rows:
            identities.setdefault(row.person_id, []).append(Identity(row.platform, row.user_id, row.workspace))
        places = await self._session.scalars(select(OwnPlaceRow).where(OwnPlaceRow.person_id.in_(person_ids)))
        noted = {row.person_id: Conversation(row.platform, row.conversation_id) for row in places}
        return {
            person_id: _place_of(known, noted.get(person_id)) for person_id, known in sorted(identities.items())
        }


def private_place(identity: Identity) -> Conversation:
    """Where a person can be written to on a platform without his having been there: by his own id."""
    return Conversation(identity.platform, identity.user_id)


def _place_of(identities: list[Identity], noted: Conversation | None) -> Conversation:
    """Where he was last, unless he is known on that platform no more."""
    if noted is not None and any(identity.platform == noted.platform for identity in identities):
        return noted
    return private_place(min(identities, key=lambda identity: identity.platform == TERMINAL))
