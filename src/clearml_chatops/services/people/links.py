"""One person on several platforms: a code made where the bot knows him, said where it does not."""

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
        """A code that is good once, for ten minutes. Only its digest is kept."""
        code = _generate_code()
        async with self._database.writing() as session:
            store = LinkCodeStore(session)
            await store.remove_expired(now=self._clock())
            await store.put(_hash_code(code), person.id, expires=self._clock() + LIFETIME)
        return code

    async def redeem_code(self, code: str, identity: Identity) -> Person:
        """Has the identity be the person who made the code.

        Wrong codes are counted by the audit trail, which each message reaches.

        Raises:
            WrongLinkCodeError, KnownAsAnotherError.
            TooManyLinkCodesError: this identity has said too many wrong ones; this one is not even tried.
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
        """Forgets by which identity a person was known here. Raises LastIdentityError."""
        async with self._database.writing() as session:
            people = PeopleStore(session)
            person = await people.find(identity)
            if person is not None and len(await people.list_identities(person.id)) == 1:
                raise LastIdentityError
            await people.unlink(identity)

    async def list_identities(self, person: Person) -> list[Identity]:
        """All by which the person is known."""
        async with self._database.reading() as session:
            return await PeopleStore(session).list_identities(person.id)

    async def list_admin_names(self) -> list[str]:
        """Whom a stranger may ask."""
        async with self._database.reading() as session:
            return await PeopleStore(session).list_names_with_role(Role.ADMIN)


def _generate_code() -> str:
    """Characters of `A-Za-z0-9_-`, as a link to a Telegram bot takes them; never what looks like an option."""
    while True:
        code = secrets.token_urlsafe(_CODE_BYTES)
        if code[0].isalnum() and "--" not in code:
            return code


def _hash_code(code: str) -> str:
    return sha256(code.strip().encode()).hexdigest()
