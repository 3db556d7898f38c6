"""Permissions: who may change which experiments and queues. The server itself allows everybody everything."""

from collections.abc import AsyncIterator
from copy import deepcopy
from pathlib import Path

import pytest

from clearml_chatops.models.people import Identity, Role
from clearml_chatops.models.replies import Outcome
from clearml_chatops.sandbox import Sandbox
from clearml_chatops.sandbox.documents import Document
from clearml_chatops.storage.people import PeopleStore
from tests.support.program import RunningProgram, run_program, to_plain_text


@pytest.fixture
async def admin(sandbox: Sandbox, tmp_path: Path) -> AsyncIterator[RunningProgram]:
    """The program with Carol's credentials, which allow impersonation."""
    async with run_program(sandbox, tmp_path, user=sandbox.carol) as program:
        await program.ask("/find")
        yield program


@pytest.fixture
async def bob(admin: RunningProgram) -> RunningProgram:
    return await admin.add_person(admin.sandbox.bob, Role.MEMBER)


@pytest.fixture
async def alice_experiment_ids(admin: RunningProgram, baseline: Document) -> dict[str, str]:
    """Ids of Alice's experiments, by status."""
    alice = await admin.add_person(admin.sandbox.alice, Role.MEMBER)
    await alice.ask("/queue create")
    draft = (await alice.send("/clone baseline her draft")).experiment_id
    pending = (await alice.send("/rerun baseline her pending one")).experiment_id
    state = admin.sandbox.state
    running = state.add_task("her running one", user=admin.sandbox.alice.id, status="in_progress")
    failed = next(task for task in state.tasks.values() if task["status"] == "failed")
    return {"draft": draft, "pending": pending, "running": running["id"], "failed": failed["id"]}


CHANGING_COMMANDS = (
    "/set {draft} args.lr=0.5",
    "/unset {draft} args.lr",
    "/container {draft} image=python:3.12",
    "/script {draft} branch=main",
    "/name other name id={draft}",
    "/tag fast id={draft}",
    "/enqueue {draft} queue=default",
    "/enqueue {draft} --create",
    "/queue move {pending} front",
    "/dequeue {pending}",
    "/abort {running}",
    "/abort {running} --yes",
    "/retry {failed}",
    "/reset {failed}",
    "/reset {failed} --yes",
    "/archive {failed}",
)


async def test_a_member_cannot_change_another_persons_experiments(
    bob: RunningProgram, alice_experiment_ids: dict[str, str]
) -> None:
    state = bob.sandbox.state
    before = deepcopy((state.tasks, state.queues, state.events))
    for line in CHANGING_COMMANDS:
        assert await bob.send_for_error_code(line.format(**alice_experiment_ids)) == "experiment_not_yours", line
        assert (state.tasks, state.queues, state.events) == before, line
    reply = await bob.send(CHANGING_COMMANDS[0].format(**alice_experiment_ids))
    assert "“her draft” belongs to Alice Adams. Clone it" in to_plain_text(reply)


async def test_a_member_without_a_clearml_user_cannot_change_another_persons_experiments(
    admin: RunningProgram, alice_experiment_ids: dict[str, str]
) -> None:
    identity = Identity("chat", "guest", "team")
    async with admin.program.process.database.writing() as session:
        await PeopleStore(session).add(identity, name="guest", role=Role.MEMBER, clearml_user_id="")
    guest = RunningProgram(admin.program, admin.sandbox, identity, "guest")
    for line in CHANGING_COMMANDS:
        assert await guest.send_for_error_code(line.format(**alice_experiment_ids)) == "experiment_not_yours", line
    await guest.ask(f"/clone {alice_experiment_ids['failed']} my own try")
    await guest.ask("/set args.lr=0.5")


async def test_a_member_cannot_undo_another_persons_edit(
    admin: RunningProgram, bob: RunningProgram, alice_experiment_ids: dict[str, str]
) -> None:
    await admin.ask(f"/set {alice_experiment_ids['draft']} args.lr=0.5")
    assert await bob.send_for_error_code(f"/undo {alice_experiment_ids['draft']}") == "experiment_not_yours"


async def test_a_member_can_view_and_clone_another_persons_experiments(
    bob: RunningProgram, alice_experiment_ids: dict[str, str]
) -> None:
    for line in (
        "/show {draft}",
        "/params id={draft}",
        "/diff id={draft}",
        "/log {failed}",
        "/use {draft}",
        "/container {draft}",
        "/script {draft}",
        "/queue queue=alice_queue",
        "/clone {failed} my own try",
        "/set args.lr=0.5",
        "/rerun {failed} my other try queue=default",
    ):
        await bob.ask(line.format(**alice_experiment_ids))
    mine = [task for task in bob.sandbox.state.tasks.values() if task["name"].startswith("my ")]
    assert {task["user"] for task in mine} == {bob.sandbox.bob.id}


async def test_an_admin_can_change_everyones_experiments(
    admin: RunningProgram, alice_experiment_ids: dict[str, str]
) -> None:
    state = admin.sandbox.state
    for line in (
        "/set {draft} args.lr=0.5",
        "/container {draft} image=python:3.12",
        "/name other name id={draft}",
        "/undo {draft}",
        "/enqueue {draft} queue=default",
        "/queue move {pending} front",
        "/dequeue {pending}",
        "/abort {running} --yes",
        "/retry {failed} queue=default",
    ):
        await admin.ask(line.format(**alice_experiment_ids))
    assert [
        state.tasks[alice_experiment_ids[name]]["status"] for name in ("draft", "pending", "running", "failed")
    ] == [
        "queued",
        "created",
        "stopped",
        "queued",
    ]


async def test_a_viewer_can_only_read(admin: RunningProgram, alice_experiment_ids: dict[str, str]) -> None:
    state = admin.sandbox.state
    dana = await admin.add_person(state.add_user("Dana Duran"), Role.VIEWER)
    for line in (
        "/find",
        "/show {draft}",
        "/params id={draft}",
        "/diff id={draft}",
        "/log {failed}",
        "/container {draft}",
        "/script {draft}",
        "/use {draft}",
        "/watch {draft}",
        "/watching",
        "/home",
        "/start",
        "/queue list",
    ):
        await dana.ask(line.format(**alice_experiment_ids))
    for line in ("/help", "/whoami", "/queue queue=alice_queue", "/worker"):
        await dana.ask(line)
    before = deepcopy((state.tasks, state.queues))
    for line in (
        *CHANGING_COMMANDS,
        "/clone baseline mine",
        "/rerun baseline mine queue=default",
        "/queue create",
        "/queue use default",
        "/queue rename default other",
        "/worker start gpus=none",
        "/worker stop",
    ):
        assert await dana.send_for_error_code(line.format(**alice_experiment_ids)) == "not_allowed", line
    assert (state.tasks, state.queues) == before


async def test_only_an_admin_deletes_queues(admin: RunningProgram, bob: RunningProgram) -> None:
    await bob.ask("/queue create gpu_queue")
    reply = await bob.send("/queue delete gpu_queue --yes")
    assert "needs the role admin, and yours is member" in to_plain_text(reply)
    assert admin.sandbox.state.find_queue("gpu_queue")
    await admin.ask("/queue delete gpu_queue")


async def test_an_unknown_user_gets_one_line_with_their_id_and_is_audited(admin: RunningProgram) -> None:
    unknown_user = RunningProgram(admin.program, admin.sandbox, Identity("chat", "U0815", "team"), "Mallory")
    admin.sandbox.requests.clear()
    for line in ("/find", "/nonsense", "", "/clone baseline 'x", "x" * 100_000):
        reply = await unknown_user.send(line)
        assert to_plain_text(reply) == (
            "You don't have access yet. Ask alice to add you, with this id: chat:team:U0815"
        )
        assert reply.outcome is Outcome.REFUSED
    assert admin.sandbox.requests.list_endpoints() == []
    entries = await admin.program.process.audit.list_recent(5)
    assert {(entry.identity, entry.person_id, entry.error_code) for entry in entries} == {
        ("chat:team:U0815", None, "unknown_user")
    }
    assert await unknown_user.find_person() is None


async def test_the_same_user_id_on_another_workspace_or_platform_is_an_unknown_user(
    admin: RunningProgram, bob: RunningProgram
) -> None:
    for identity in (
        Identity("chat", bob.identity.user_id, "other"),
        Identity("chat", bob.identity.user_id),
        Identity("other", bob.identity.user_id, "team"),
    ):
        other = RunningProgram(admin.program, admin.sandbox, identity, bob.name)
        assert await other.send_for_error_code("/find") == "unknown_user"


async def test_the_terminal_user_is_an_admin(program: RunningProgram) -> None:
    assert await program.find_person() is None
    assert "role: admin" in await program.ask("/whoami")
    person = await program.find_person()
    assert person
    assert (person.role, person.name) == (Role.ADMIN, "alice")


async def test_a_newly_added_person_is_known_for_their_next_message(admin: RunningProgram) -> None:
    unknown_user = RunningProgram(admin.program, admin.sandbox, Identity("chat", "U1", "team"), "Eve")
    assert await unknown_user.send_for_error_code("/find") == "unknown_user"
    async with admin.program.process.database.writing() as session:
        await PeopleStore(session).add(unknown_user.identity, name="Eve", role=Role.MEMBER, clearml_user_id="")
    await unknown_user.ask("/find")
