"""Whose what is, and who may do what with it. The server itself would let anybody change everything."""

from collections.abc import AsyncIterator
from copy import deepcopy
from pathlib import Path

import pytest

from clearml_chatops.models.people import Identity, Role
from clearml_chatops.models.replies import Outcome
from clearml_chatops.sandbox import Sandbox
from clearml_chatops.sandbox.documents import Document
from clearml_chatops.storage.people import PeopleStore
from tests.support.program import RunningProgram, plain_text, running_program


@pytest.fixture
async def admin(sandbox: Sandbox, tmp_path: Path) -> AsyncIterator[RunningProgram]:
    """The program with Carol's credentials, which may act for everybody."""
    async with running_program(sandbox, tmp_path, user=sandbox.carol) as program:
        await program.ask("/find")
        yield program


@pytest.fixture
async def bob(admin: RunningProgram) -> RunningProgram:
    return await admin.introduce(admin.sandbox.bob, Role.MEMBER)


@pytest.fixture
async def alices(admin: RunningProgram, baseline: Document) -> dict[str, str]:
    """Ids of Alice's experiments, by status."""
    alice = await admin.introduce(admin.sandbox.alice, Role.MEMBER)
    await alice.ask("/queue create")
    draft = (await alice.say("/clone baseline her draft")).experiment_id
    pending = (await alice.say("/rerun baseline her pending one")).experiment_id
    state = admin.sandbox.state
    running = state.add_task("her running one", user=admin.sandbox.alice.id, status="in_progress")
    failed = next(task for task in state.tasks.values() if task["status"] == "failed")
    return {"draft": draft, "pending": pending, "running": running["id"], "failed": failed["id"]}


CHANGES = (
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


async def test_a_member_changes_nothing_of_another_s(bob: RunningProgram, alices: dict[str, str]) -> None:
    state = bob.sandbox.state
    before = deepcopy((state.tasks, state.queues, state.events))
    for line in CHANGES:
        assert await bob.error_code(line.format(**alices)) == "not_yours", line
        assert (state.tasks, state.queues, state.events) == before, line
    reply = await bob.say(CHANGES[0].format(**alices))
    assert "“her draft” belongs to Alice Adams; clone it" in plain_text(reply)


async def test_a_member_without_a_clearml_user_changes_nothing_of_another_s(
    admin: RunningProgram, alices: dict[str, str]
) -> None:
    identity = Identity("chat", "guest", "team")
    async with admin.program.process.database.writing() as session:
        await PeopleStore(session).add(identity, name="guest", role=Role.MEMBER, clearml_user_id="")
    guest = RunningProgram(admin.program, admin.sandbox, identity, "guest")
    for line in CHANGES:
        assert await guest.error_code(line.format(**alices)) == "not_yours", line
    await guest.ask(f"/clone {alices['failed']} my own try")
    await guest.ask("/set args.lr=0.5")


async def test_a_member_does_not_undo_what_another_did(
    admin: RunningProgram, bob: RunningProgram, alices: dict[str, str]
) -> None:
    await admin.ask(f"/set {alices['draft']} args.lr=0.5")
    assert await bob.error_code(f"/undo {alices['draft']}") == "not_yours"


async def test_a_member_looks_at_and_copies_what_is_another_s(bob: RunningProgram, alices: dict[str, str]) -> None:
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
        await bob.ask(line.format(**alices))
    mine = [task for task in bob.sandbox.state.tasks.values() if task["name"].startswith("my ")]
    assert {task["user"] for task in mine} == {bob.sandbox.bob.id}


async def test_an_admin_changes_everybody_s(admin: RunningProgram, alices: dict[str, str]) -> None:
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
        await admin.ask(line.format(**alices))
    assert [state.tasks[alices[name]]["status"] for name in ("draft", "pending", "running", "failed")] == [
        "queued",
        "created",
        "stopped",
        "queued",
    ]


async def test_a_viewer_only_looks(admin: RunningProgram, alices: dict[str, str]) -> None:
    state = admin.sandbox.state
    dana = await admin.introduce(state.add_user("Dana Duran"), Role.VIEWER)
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
        await dana.ask(line.format(**alices))
    for line in ("/help", "/whoami", "/queue queue=alice_queue", "/worker"):
        await dana.ask(line)
    before = deepcopy((state.tasks, state.queues))
    for line in (
        *CHANGES,
        "/clone baseline mine",
        "/rerun baseline mine queue=default",
        "/queue create",
        "/queue use default",
        "/queue rename default other",
        "/worker start gpus=none",
        "/worker stop",
    ):
        assert await dana.error_code(line.format(**alices)) == "not_allowed", line
    assert (state.tasks, state.queues) == before


async def test_only_an_admin_deletes_queues(admin: RunningProgram, bob: RunningProgram) -> None:
    await bob.ask("/queue create gpu_queue")
    reply = await bob.say("/queue delete gpu_queue --yes")
    assert "needs the role admin and yours is member" in plain_text(reply)
    assert admin.sandbox.state.queue_named("gpu_queue")
    await admin.ask("/queue delete gpu_queue")


async def test_a_stranger_gets_one_line_with_his_id_and_is_recorded(admin: RunningProgram) -> None:
    stranger = RunningProgram(admin.program, admin.sandbox, Identity("chat", "U0815", "team"), "Mallory")
    admin.sandbox.requests.clear()
    for line in ("/find", "/nonsense", "", "/clone baseline 'x", "x" * 100_000):
        reply = await stranger.say(line)
        assert plain_text(reply) == (
            "I do not know you yet. Ask alice to let you in and give this id: chat:team:U0815"
        )
        assert reply.outcome is Outcome.REFUSED
    assert admin.sandbox.requests.names() == []
    entries = await admin.program.process.audit.last(5)
    assert {(entry.identity, entry.person_id, entry.error_code) for entry in entries} == {
        ("chat:team:U0815", None, "stranger")
    }
    assert await stranger.person() is None


async def test_the_same_user_id_of_another_workspace_or_platform_is_a_stranger(
    admin: RunningProgram, bob: RunningProgram
) -> None:
    for identity in (
        Identity("chat", bob.identity.user_id, "other"),
        Identity("chat", bob.identity.user_id),
        Identity("other", bob.identity.user_id, "team"),
    ):
        other = RunningProgram(admin.program, admin.sandbox, identity, bob.name)
        assert await other.error_code("/find") == "stranger"


async def test_who_sits_at_the_terminal_is_an_admin_at_once(program: RunningProgram) -> None:
    assert await program.person() is None
    assert "role: admin" in await program.ask("/whoami")
    person = await program.person()
    assert person
    assert (person.role, person.name) == (Role.ADMIN, "alice")


async def test_who_a_person_is_holds_for_the_next_message_at_once(admin: RunningProgram) -> None:
    stranger = RunningProgram(admin.program, admin.sandbox, Identity("chat", "U1", "team"), "Eve")
    assert await stranger.error_code("/find") == "stranger"
    async with admin.program.process.database.writing() as session:
        await PeopleStore(session).add(stranger.identity, name="Eve", role=Role.MEMBER, clearml_user_id="")
    await stranger.ask("/find")
