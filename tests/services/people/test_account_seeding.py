"""People in the settings: they get access, change, and lose access when removed."""

import pytest

from clearml_chatops.models.errors import SettingsError
from clearml_chatops.models.messages import Conversation, IncomingMessage
from clearml_chatops.models.people import ConfiguredPerson, Identity, Person, Role
from tests.support.program import RunningProgram

ON_SLACK = Identity("slack", "U1", "T1")
ON_TELEGRAM = Identity("telegram", "7")


async def seed(program: RunningProgram, *people: ConfiguredPerson) -> None:
    configured_people = program.program.process.configured_people
    configured_people.configure(people)
    await configured_people.save_all()


async def identify(program: RunningProgram, identity: Identity) -> Person | None:
    message = IncomingMessage(identity, "Somebody", Conversation(identity.platform, "C1"), "/whoami")
    return await program.program.process.accounts.identify(message)


def build_known_person(
    clearml_user: str = "", *identities: Identity, role: Role = Role.MEMBER
) -> ConfiguredPerson:
    return ConfiguredPerson("Bobby", role, clearml_user, identities or (ON_SLACK,))


async def test_clearml_user_is_accepted_by_id_or_name(program: RunningProgram) -> None:
    bob = program.sandbox.bob
    for clearml_user in (bob.id, bob.name, bob.name.upper()):
        await seed(program, build_known_person(clearml_user))
        person = await identify(program, ON_SLACK)
        assert person
        assert person.clearml_user_id == bob.id


async def test_unknown_clearml_user_is_rejected_with_the_known_ones(program: RunningProgram) -> None:
    with pytest.raises(SettingsError, match=r"no users named “bop”\. Use one of .*Bob Brown") as caught:
        await seed(program, build_known_person("bop"))
    assert caught.value.values["name"] == "CHATOPS_PEOPLE"
    assert await identify(program, ON_SLACK) is None


async def test_an_id_costs_no_request(program: RunningProgram) -> None:
    program.sandbox.requests.clear()
    await seed(program, build_known_person(program.sandbox.bob.id))
    assert program.sandbox.requests.list_endpoints() == []


async def test_removed_person_is_unknown_again(program: RunningProgram) -> None:
    await seed(program, build_known_person("", ON_SLACK, ON_TELEGRAM))
    assert await identify(program, ON_TELEGRAM)
    await seed(program)
    assert await identify(program, ON_SLACK) is None
    assert await identify(program, ON_TELEGRAM) is None
    assert await program.find_person() is None or await identify(program, program.identity), (
        "the terminal user is not in the settings"
    )


async def test_role_follows_the_settings(program: RunningProgram) -> None:
    await seed(program, build_known_person(role=Role.ADMIN))
    await seed(program, build_known_person(role=Role.VIEWER))
    person = await identify(program, ON_SLACK)
    assert person
    assert person.role is Role.VIEWER
