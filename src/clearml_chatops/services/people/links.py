"""Accounts linked across platforms, by a one-time code from a platform where the person is known."""

import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from hashlib import sha256

from clearml_chatops.models.errors import (
    IdentityTakenError,
    LastIdentityError,
    TooManyLinkCodesError,
    WrongLinkCodeError,
)
from clearml_chatops.models.people import Identity, Person, Role
from clearml_chatops.storage.audit import AuditStore
from clearml_chatops.storage.database import Database
from clearml_chatops.storage.link_codes import LinkCodeStore
from clearml_chatops.storage.people import PeopleStore

LIFETIME = timedelta(minutes=10)
MAX_WRONG_CODES = 5
_CODE_BYTES = 12
_MINUTES = int(LIFETIME.total_seconds() // 60)


class LinkService:
    def __init__(self, *, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock

    async def create_code(self, person: Person) -> str:
        """Return a code that works once, within ten minutes. Only its digest is stored."""
        code = _generate_code()
        async with self._database.writing() as session:
            store = LinkCodeStore(session)
            await store.remove_expired(now=self._clock())
            await store.put(_hash_code(code), person.id, expires=self._clock() + LIFETIME)
        return code

    async def redeem_code(self, code: str, identity: Identity) -> Person:
        """Link the identity to the person who created the code, and return that person.

        Wrong codes are counted in the audit trail, which records every message.

        Raises:
            WrongLinkCodeError, IdentityTakenError.
            TooManyLinkCodesError: this identity has sent too many wrong codes; this one isn't tried.
        """
        now = self._clock()
        async with self._database.reading() as session:
            wrong_count = await AuditStore(session).count(
                str(identity), error_code=WrongLinkCodeError.code, since=now - LIFETIME
            )
        if wrong_count >= MAX_WRONG_CODES:
            raise TooManyLinkCodesError(minutes=_MINUTES)
        async with self._database.writing() as session:
            people = PeopleStore(session)
            person_id = await LinkCodeStore(session).take(_hash_code(code), now=now)
            if person_id is None:
                raise WrongLinkCodeError
            existing_person = await people.find(identity)
            if existing_person is not None and existing_person.id != person_id:
                raise IdentityTakenError(name=existing_person.name)
            return await people.link(identity, person_id)

    async def unlink(self, identity: Identity) -> None:
        """Unlink an identity from its person. Raises LastIdentityError."""
        async with self._database.writing() as session:
            people = PeopleStore(session)
            person = await people.find(identity)
            if person is not None and len(await people.list_identities(person.id)) == 1:
                raise LastIdentityError
            await people.unlink(identity)

    async def list_identities(self, person: Person) -> list[Identity]:
        """Return all identities of a person."""
        async with self._database.reading() as session:
            return await PeopleStore(session).list_identities(person.id)

    async def list_admin_names(self) -> list[str]:
        """Return the names of the admins, for an unknown user to ask."""
        async with self._database.reading() as session:
            return await PeopleStore(session).list_names_with_role(Role.ADMIN)


def _generate_code() -> str:
    """Return characters of `A-Za-z0-9_-`, valid in a Telegram bot link, that don't look like an option."""
    while True:
        code = secrets.token_urlsafe(_CODE_BYTES)
        if code[0].isalnum() and "--" not in code:
            return code


def _hash_code(code: str) -> str:
    return sha256(code.strip().encode()).hexdigest()
