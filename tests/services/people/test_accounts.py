"""Who is an admin on which platform."""

from dataclasses import replace

from clearml_chatops.models.people import Identity, KnownPerson, Role
from tests.support.program import RunningProgram


async def test_admins_are_known_by_their_ids_on_a_platform(program: RunningProgram) -> None:
    accounts = program.program.process.accounts
    carol = KnownPerson("Carol", Role.ADMIN, "", (Identity("telegram", "7"), Identity("slack", "U7", "T1")))
    dora = KnownPerson("Dora", Role.ADMIN, "", (Identity("telegram", "5"),))
    bob = KnownPerson("Bob", Role.MEMBER, "", (Identity("telegram", "9"),))
    await accounts.seed([carol, dora, bob])

    assert await accounts.admins("telegram") == ["5", "7"]
    assert await accounts.admins("slack") == ["U7"]

    await accounts.seed([carol, replace(dora, role=Role.VIEWER), bob])
    assert await accounts.admins("telegram") == ["7"]
