"""The people of the settings: let in, changed, and locked out when they are no longer named."""

import pytest

from clearml_chatops.models.errors import SettingsError
from clearml_chatops.models.messages import Conversation, IncomingMessage
from clearml_chatops.models.people import Identity, KnownPerson, Person, Role
from tests.support.program import RunningProgram

ON_SLACK = Identity("slack", "U1", "T1")
ON_TELEGRAM = Identity("telegram", "7")


async def seed(program: RunningProgram, *people: KnownPerson) -> None:
    await program.program.process.accounts.seed(people)


async def recognised(program: RunningProgram, identity: Identity) -> Person | None:
    message = IncomingMessage(identity, "whoever", Conversation(identity.platform, "C1"), "/whoami")
    return await program.program.process.accounts.recognise(message)


def known(clearml_user: str = "", *identities: Identity, role: Role = Role.MEMBER) -> KnownPerson:
    return KnownPerson("Bobby", role, clearml_user, identities or (ON_SLACK,))


async def test_a_clearml_user_may_be_given_by_id_or_name(program: RunningProgram) -> None:
    bob = program.sandbox.bob
    for clearml_user in (bob.id, bob.name, bob.name.upper()):
        await seed(program, known(clearml_user))
        person = await recognised(program, ON_SLACK)
        assert person
        assert person.clearml_user_id == bob.id


async def test_an_unknown_clearml_user_is_refused_with_those_there_are(program: RunningProgram) -> None:
    with pytest.raises(SettingsError, match=r"no users called “bop”; give one of .*Bob Brown") as caught:
        await seed(program, known("bop"))
    assert caught.value.values["name"] == "CHATOPS_PEOPLE"
    assert await recognised(program, ON_SLACK) is None


async def test_an_id_costs_no_request(program: RunningProgram) -> None:
    program.sandbox.requests.clear()
    await seed(program, known(program.sandbox.bob.id))
    assert program.sandbox.requests.names() == []


async def test_who_is_named_no_more_is_a_stranger_again(program: RunningProgram) -> None:
    await seed(program, known("", ON_SLACK, ON_TELEGRAM))
    assert await recognised(program, ON_TELEGRAM)
    await seed(program)
    assert await recognised(program, ON_SLACK) is None
    assert await recognised(program, ON_TELEGRAM) is None
    assert await program.person() is None or await recognised(program, program.identity), "a terminal is its own"


async def test_a_role_changes_with_the_settings(program: RunningProgram) -> None:
    await seed(program, known(role=Role.ADMIN))
    await seed(program, known(role=Role.VIEWER))
    person = await recognised(program, ON_SLACK)
    assert person
    assert person.role is Role.VIEWER
