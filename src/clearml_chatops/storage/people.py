"""People, their identities on the platforms, and their personal queues."""

from collections.abc import Collection

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from clearml_chatops.models.people import ConfiguredPerson, Identity, Person, QueueBinding, Role
from clearml_chatops.storage.schema import IdentityRow, PersonRow, QueueBindingRow


class PeopleStore:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def find(self, identity: Identity) -> Person | None:
        """Return the person with this identity; None for an unknown user."""
        row = await self._session.scalar(
            select(PersonRow)
            .join(IdentityRow, IdentityRow.person_id == PersonRow.id)
            .where(
                IdentityRow.platform == identity.platform,
                IdentityRow.workspace == identity.workspace,
                IdentityRow.user_id == identity.user_id,
            )
        )
        return _to_person(row) if row else None

    async def get(self, person_id: int) -> Person | None:
        row = await self._session.get(PersonRow, person_id)
        return _to_person(row) if row else None

    async def find_by_clearml_user(self, clearml_user_id: str) -> Person | None:
        """Return the person with this ClearML user; None if there is none, or more than one."""
        rows = list(
            await self._session.scalars(select(PersonRow).where(PersonRow.clearml_user_id == clearml_user_id))
        )
        return _to_person(rows[0]) if clearml_user_id and len(rows) == 1 else None

    async def list_people(self) -> list[Person]:
        return [_to_person(row) for row in await self._session.scalars(select(PersonRow).order_by(PersonRow.id))]

    async def list_user_ids(self, platform: str, role: Role) -> list[str]:
        """Return the user ids on a platform of everybody with this role."""
        found = await self._session.scalars(
            select(IdentityRow.user_id)
            .join(PersonRow, IdentityRow.person_id == PersonRow.id)
            .where(IdentityRow.platform == platform, PersonRow.role == role.value)
            .order_by(IdentityRow.user_id)
        )
        return list(found)

    async def add(self, identity: Identity, *, name: str, role: Role, clearml_user_id: str) -> Person:
        row = PersonRow(name=name, role=role.value, clearml_user_id=clearml_user_id)
        self._session.add(row)
        await self._session.flush()
        self._session.add(
            IdentityRow(
                platform=identity.platform,
                workspace=identity.workspace,
                user_id=identity.user_id,
                person_id=row.id,
            )
        )
        await self._session.flush()
        return _to_person(row)

    async def put(self, configured: ConfiguredPerson, *, clearml_user_id: str) -> int:
        """Add a person from the settings, or update the one with one of these identities. Return their id.

        Their other identities stay.
        """
        people = [person for identity in configured.identities if (person := await self.find(identity))]
        row = await self._session.get_one(PersonRow, people[0].id) if people else PersonRow()
        row.name, row.role, row.clearml_user_id = configured.name, configured.role.value, clearml_user_id
        row.from_settings = True
        self._session.add(row)
        await self._session.flush()
        for identity in configured.identities:
            await self.link(identity, row.id)
        return row.id

    async def link(self, identity: Identity, person_id: int) -> Person:
        """Assign an identity to this person, even if it belonged to somebody else."""
        await self._session.merge(
            IdentityRow(
                platform=identity.platform,
                workspace=identity.workspace,
                user_id=identity.user_id,
                person_id=person_id,
            )
        )
        return _to_person(await self._session.get_one(PersonRow, person_id))

    async def unlink(self, identity: Identity) -> None:
        row = await self._session.get(IdentityRow, (identity.platform, identity.workspace, identity.user_id))
        if row is not None:
            await self._session.delete(row)

    async def list_identities(self, person_id: int) -> list[Identity]:
        rows = await self._session.scalars(
            select(IdentityRow)
            .where(IdentityRow.person_id == person_id)
            .order_by(IdentityRow.platform, IdentityRow.workspace, IdentityRow.user_id)
        )
        return [Identity(row.platform, row.user_id, row.workspace) for row in rows]

    async def list_identities_with_role(self, role: Role) -> list[Identity]:
        """Return the identities of everybody with this role."""
        rows = await self._session.scalars(
            select(IdentityRow)
            .join(PersonRow, IdentityRow.person_id == PersonRow.id)
            .where(PersonRow.role == role.value)
            .order_by(IdentityRow.platform, IdentityRow.workspace, IdentityRow.user_id)
        )
        return [Identity(row.platform, row.user_id, row.workspace) for row in rows]

    async def list_names_with_role(self, role: Role) -> list[str]:
        """Return the names of everybody with this role."""
        rows = await self._session.scalars(
            select(PersonRow.name).where(PersonRow.role == role.value).order_by(PersonRow.id)
        )
        return list(rows)

    async def get_names_by_clearml_user(self) -> dict[str, str]:
        """Return the names of people, by ClearML user id."""
        rows = await self._session.execute(
            select(PersonRow.clearml_user_id, PersonRow.name).where(PersonRow.clearml_user_id != "")
        )
        return dict(row.tuple() for row in rows)

    async def revoke_removed_people(self, *, keep_ids: Collection[int]) -> None:
        """Remove the identities of people who were in the settings once and no longer are."""
        removed_ids = select(PersonRow.id).where(PersonRow.from_settings, PersonRow.id.not_in(keep_ids))
        await self._session.execute(delete(IdentityRow).where(IdentityRow.person_id.in_(removed_ids)))

    async def get_queue_binding(self, person_id: int) -> QueueBinding | None:
        row = await self._session.get(QueueBindingRow, person_id)
        return QueueBinding(row.queue_id, row.queue_name) if row else None

    async def bind_queue(self, person_id: int, binding: QueueBinding) -> None:
        await self._session.merge(
            QueueBindingRow(person_id=person_id, queue_id=binding.queue_id, queue_name=binding.queue_name)
        )

    async def list_others_with_queue(self, queue_id: str, person_id: int) -> list[Person]:
        """Return everybody else who has this queue as their own."""
        rows = await self._session.scalars(
            select(PersonRow)
            .join(QueueBindingRow, QueueBindingRow.person_id == PersonRow.id)
            .where(QueueBindingRow.queue_id == queue_id, PersonRow.id != person_id)
            .order_by(PersonRow.id)
        )
        return [_to_person(row) for row in rows]

    async def rename_bound_queue(self, queue_id: str, name: str) -> None:
        for row in await self._session.scalars(
            select(QueueBindingRow).where(QueueBindingRow.queue_id == queue_id)
        ):
            row.queue_name = name

    async def unbind_queue(self, queue_id: str) -> None:
        """Remove the queue from everybody who has it as their own."""
        for row in await self._session.scalars(
            select(QueueBindingRow).where(QueueBindingRow.queue_id == queue_id)
        ):
            await self._session.delete(row)


def _to_person(row: PersonRow) -> Person:
    return Person(id=row.id, name=row.name, role=Role(row.role), clearml_user_id=row.clearml_user_id)
