"""People in the settings: they get access, change, and lose access when removed."""

import pytest

from clearml_chatops.models.errors import ClearMLUnreachableError, SettingsError
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
    with pytest.raises(SettingsError, match="no users named “bop”"):
        await identify(program, ON_SLACK)


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


async def test_a_name_is_resolved_at_the_first_command_after_an_outage(program: RunningProgram) -> None:
    people = program.program.process.configured_people
    program.sandbox.faults.disconnect("*")
    people.configure(
        [
            build_known_person(program.sandbox.bob.name, ON_SLACK, role=Role.ADMIN),
            ConfiguredPerson("Carol", Role.VIEWER, program.sandbox.carol.id, (ON_TELEGRAM,)),
        ]
    )
    with pytest.raises(ClearMLUnreachableError):
        await people.save_all()
    with pytest.raises(ClearMLUnreachableError):
        await identify(program, ON_SLACK)
    carol = await identify(program, ON_TELEGRAM)
    assert carol
    assert carol.clearml_user_id == program.sandbox.carol.id, "who is given by an id doesn't wait"
    program.sandbox.faults.clear()
    bob = await identify(program, ON_SLACK)
    assert bob
    assert (bob.clearml_user_id, bob.role) == (program.sandbox.bob.id, Role.ADMIN)


async def test_an_outage_revokes_removed_people_and_keeps_the_others(program: RunningProgram) -> None:
    bob = build_known_person(program.sandbox.bob.name, ON_SLACK)
    await seed(program, bob, ConfiguredPerson("Carol", Role.ADMIN, "", (ON_TELEGRAM,)))
    before = await identify(program, ON_SLACK)
    program.sandbox.faults.disconnect("*")
    with pytest.raises(ClearMLUnreachableError):
        await seed(program, bob)
    assert await identify(program, ON_TELEGRAM) is None, "Carol is no longer in the settings"
    program.sandbox.faults.clear()
    assert await identify(program, ON_SLACK) == before, "with the same queue and subscriptions"
