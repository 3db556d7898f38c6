"""Admins of a platform."""

from dataclasses import replace

from clearml_chatops.models.people import ConfiguredPerson, Identity, Role
from tests.support.program import RunningProgram


async def test_lists_admin_ids_of_a_platform(program: RunningProgram) -> None:
    accounts = program.program.process.accounts
    carol = ConfiguredPerson("Carol", Role.ADMIN, "", (Identity("telegram", "7"), Identity("slack", "U7", "T1")))
    dora = ConfiguredPerson("Dora", Role.ADMIN, "", (Identity("telegram", "5"),))
    bob = ConfiguredPerson("Bob", Role.MEMBER, "", (Identity("telegram", "9"),))
    await accounts.seed([carol, dora, bob])

    assert await accounts.list_admin_user_ids("telegram") == ["5", "7"]
    assert await accounts.list_admin_user_ids("slack") == ["U7"]

    await accounts.seed([carol, replace(dora, role=Role.VIEWER), bob])
    assert await accounts.list_admin_user_ids("telegram") == ["7"]
