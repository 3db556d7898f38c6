"""Admins of a platform."""

from dataclasses import replace

from clearml_chatops.models.people import ConfiguredPerson, Identity, Role
from tests.support.program import RunningProgram


async def test_lists_admin_ids_of_a_platform(program: RunningProgram) -> None:
    accounts, configured_people = program.program.process.accounts, program.program.process.configured_people
    carol = ConfiguredPerson("Carol", Role.ADMIN, "", (Identity("telegram", "7"), Identity("slack", "U7", "T1")))
    dora = ConfiguredPerson("Dora", Role.ADMIN, "", (Identity("telegram", "5"),))
    bob = ConfiguredPerson("Bob", Role.MEMBER, "", (Identity("telegram", "9"),))
    configured_people.configure([carol, dora, bob])
    await configured_people.save_all()

    assert await accounts.list_admin_user_ids("telegram") == ["5", "7"]
    assert await accounts.list_admin_user_ids("slack") == ["U7"]

    configured_people.configure([carol, replace(dora, role=Role.VIEWER), bob])
    await configured_people.save_all()
    assert await accounts.list_admin_user_ids("telegram") == ["7"]
