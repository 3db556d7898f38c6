"""Without impersonation, an experiment that the bot creates for a person still belongs to that person."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from clearml_chatops.models.people import Role
from clearml_chatops.sandbox import Sandbox
from clearml_chatops.sandbox.documents import Document
from tests.support.program import RunningProgram, get_buttons, run_program, to_plain_text


@pytest.fixture
async def program(sandbox: Sandbox, tmp_path: Path) -> AsyncIterator[RunningProgram]:
    """The program with the credentials of a user who is neither an admin nor one of its people."""
    robot = sandbox.state.add_user("Robot")
    async with run_program(sandbox, tmp_path, user=robot) as running:
        await running.ask("/whoami")
        yield running


@pytest.fixture
async def bob(program: RunningProgram) -> RunningProgram:
    return await program.add_person(program.sandbox.bob, Role.MEMBER)


@pytest.fixture
async def alice(program: RunningProgram) -> RunningProgram:
    return await program.add_person(program.sandbox.alice, Role.MEMBER)


async def test_the_creator_may_change_it_and_others_may_not(
    program: RunningProgram, alice: RunningProgram, bob: RunningProgram, baseline: Document
) -> None:
    draft = (await bob.send("/clone baseline bobs try")).experiment_id
    assert program.sandbox.state.tasks[draft]["user"] not in {program.sandbox.bob.id, program.sandbox.alice.id}
    await bob.ask("/set args.lr=0.5")
    reply = await alice.send(f"/set {draft} args.lr=0.1")
    assert "“bobs try” belongs to Bob" in to_plain_text(reply)
    await bob.ask("/enqueue queue=default")
    for line in (f"/dequeue {draft}", f"/queue move {draft} front", f"/abort {draft}", f"/name other id={draft}"):
        assert await alice.send_for_error_code(line) == "experiment_not_yours", line
    await program.ask(f"/queue move {draft} front")
    await bob.ask(f"/dequeue {draft}")


async def test_bot_experiments_without_a_recorded_creator_belong_to_everybody(
    program: RunningProgram, bob: RunningProgram, alice: RunningProgram, baseline: Document
) -> None:
    draft = (await program.send("/clone baseline")).experiment_id
    robot = program.sandbox.state.tasks[draft]["user"]
    other = program.sandbox.state.add_task("in the web UI", user=robot)
    for person in (bob, alice):
        await person.ask(f"/tag mine id={other['id']}")
        assert await person.send_for_error_code(f"/tag mine id={draft}") == "experiment_not_yours", (
            "the terminal user created it"
        )


async def test_mine_and_last_include_experiments_created_for_the_person(
    program: RunningProgram, alice: RunningProgram, bob: RunningProgram, baseline: Document, sandbox: Sandbox
) -> None:
    await alice.ask("/clone baseline alices try")
    sandbox.requests.clear()
    assert "augmentation study" in await bob.ask("/find mine")
    assert len(sandbox.requests.list_endpoints()) == 1, "nothing was created for Bob yet"
    await bob.ask("/clone baseline bobs try")
    sandbox.requests.clear()
    sandbox.faults.delay("*", 0.5)
    found = await bob.ask("/find mine")
    assert (len(sandbox.requests.list_endpoints()), sandbox.requests.count_longest_sequence()) == (2, 1)
    assert "bobs try" in found
    assert "augmentation study" in found
    assert "alices try" not in found
    assert "bobs try" in (await bob.ask("/show last")).splitlines()[0]


async def test_pages_of_own_experiments_hold_each_one_once(
    program: RunningProgram, bob: RunningProgram, baseline: Document, sandbox: Sandbox
) -> None:
    for number in range(8):
        await bob.ask(f"/clone baseline cloned {number}")
        sandbox.state.add_task(f"by hand {number}", user=sandbox.bob.id)
    first = await bob.send("/find mine")
    second = await bob.send(get_buttons(first)["Next ›"])
    labels = [label for reply in (first, second) for label in get_buttons(reply) if label.strip("‹› ") == label]
    assert len(labels) == len(set(labels)) == 17
    assert "11–17 of 17" in to_plain_text(second)


async def test_with_impersonation_the_server_knows_the_owner(
    sandbox: Sandbox, tmp_path: Path, baseline: Document
) -> None:
    async with run_program(sandbox, tmp_path / "admin", user=sandbox.carol) as program:
        bob = await program.add_person(sandbox.bob, Role.MEMBER)
        draft = (await bob.send("/clone baseline bobs try")).experiment_id
        assert sandbox.state.tasks[draft]["user"] == sandbox.bob.id
        sandbox.requests.clear()
        await bob.ask("/find mine")
        assert len(sandbox.requests.list_endpoints()) == 1


async def test_another_persons_queue_is_renamed_only_by_them_or_an_admin(
    program: RunningProgram, alice: RunningProgram, bob: RunningProgram
) -> None:
    await bob.ask("/queue create")
    assert await alice.send_for_error_code("/queue rename bob_queue mine_now") == "queue_not_yours"
    await alice.ask("/queue use bob_queue")
    assert await alice.send_for_error_code("/queue rename bob_queue mine_now") == "queue_not_yours"
    await program.ask("/queue rename bob_queue big_queue")
    await alice.ask("/queue create free_queue")
    await alice.ask("/queue rename free_queue other_queue")
