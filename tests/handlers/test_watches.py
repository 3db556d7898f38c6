"""Watching experiments, queues and projects."""

import pytest

from clearml_chatops.models.messages import Conversation, IncomingMessage
from clearml_chatops.models.people import Role
from clearml_chatops.models.replies import Reply
from clearml_chatops.sandbox import Sandbox
from clearml_chatops.sandbox.documents import Document
from tests.support.program import RunningProgram, get_buttons, to_plain_text


@pytest.fixture
async def running(program: RunningProgram, sandbox: Sandbox) -> Document:
    """A run of Bob's, known after the first poll of the watcher."""
    await program.poll_and_deliver()
    task = sandbox.state.add_task(
        "of Bob's", user=sandbox.bob.id, status="in_progress", started=sandbox.state.now()
    )
    task["status_changed"] = sandbox.state.now()
    return task


def finish_run(sandbox: Sandbox, task: Document, status: str) -> None:
    task["status"] = status
    task["status_changed"] = task["completed"] = sandbox.state.now()


async def test_watch_of_another_users_run_notifies_at_end(
    program: RunningProgram, sandbox: Sandbox, running: Document
) -> None:
    viewer = await program.add_person(sandbox.carol, Role.VIEWER)
    assert "Notifications for “of Bob's” are on here." in await viewer.ask(f"/watch {running['id']}")
    assert await viewer.poll_and_deliver() == []
    finish_run(sandbox, running, "completed")
    (notification,) = await viewer.poll_and_deliver()
    assert "“of Bob's” completed" in notification
    assert await program.poll_and_deliver() == [], "another conversation does not watch it"


async def test_new_watch_keeps_pending_notifications_of_others(
    program: RunningProgram, sandbox: Sandbox, running: Document
) -> None:
    await program.ask(f"/watch {running['id']}")
    finish_run(sandbox, running, "failed")
    other = await program.add_person(sandbox.carol, Role.VIEWER)
    await other.ask(f"/watch {running['id']}")
    (notification,) = await program.poll_and_deliver()
    assert "“of Bob's” failed" in notification


async def test_unwatch_stops_notifications(program: RunningProgram, sandbox: Sandbox, running: Document) -> None:
    await program.ask(f"/watch {running['id']}")
    assert "are off here" in await program.ask(f"/unwatch {running['id'][:8]}")
    finish_run(sandbox, running, "completed")
    assert await program.poll_and_deliver() == []
    assert await program.send_for_error_code(f"/unwatch {running['id']}") == "not_watched"


async def test_watch_list_shows_active_first_without_requests(
    program: RunningProgram, sandbox: Sandbox, baseline: Document, running: Document
) -> None:
    await program.ask(f"/watch {running['id']}")
    assert "You get notified if it runs again." in await program.ask("/watch baseline")
    await program.ask("/watch baseline")
    await program.ask("/clone baseline two GPUs")
    sandbox.requests.clear()
    reply = await program.send("/watching")
    assert sandbox.requests.list_endpoints() == []
    assert "3 experiments watched here" in to_plain_text(reply)
    labels = list(get_buttons(reply))
    assert labels == ["Unwatch two GPUs", "Unwatch of Bob's", "Unwatch baseline"]
    for line in get_buttons(reply).values():
        await program.ask(line)
    assert "Nothing is watched here" in await program.ask("/watching")


async def test_watch_of_deleted_experiment_can_be_removed(
    program: RunningProgram, sandbox: Sandbox, running: Document
) -> None:
    await program.ask(f"/watch {running['id']}")
    del sandbox.state.tasks[running["id"]]
    assert "Notifications for “of Bob's” are off here." in await program.ask(f"/unwatch {running['id']}")


async def test_watches_are_paged(program: RunningProgram, sandbox: Sandbox) -> None:
    for number in range(12):
        task = sandbox.state.add_task(f"run {number:02}", user=sandbox.alice.id)
        await program.ask(f"/watch {task['id']}")
    first = await program.send("/watching")
    assert "1–10 of 12" in to_plain_text(first)
    second = await program.send(get_buttons(first)["Next ›"])
    assert "11–12 of 12" in to_plain_text(second)
    assert "There's no page 3." in await program.ask("/watching page=3")


async def send_in_channel(program: RunningProgram, line: str, *, thread: str = "") -> Reply:
    """Return the reply in a channel, or in a thread of it."""
    conversation = Conversation("chat", "C1", thread)
    return await program.program.dispatcher.handle(
        IncomingMessage(program.identity, program.name, conversation, line)
    )


async def test_channel_lists_and_removes_watches_of_its_threads(
    program: RunningProgram, baseline: Document, running: Document
) -> None:
    await send_in_channel(program, f"/watch {running['id']}", thread="17.1")
    await send_in_channel(program, "/watch baseline")
    await send_in_channel(program, "/watch queue=default", thread="17.1")
    listed = to_plain_text(await send_in_channel(program, "/watching"))
    assert "of Bob's (in a thread)" in listed
    assert "queue default (in a thread)" in listed
    assert "baseline (in a thread)" not in listed
    thread = to_plain_text(await send_in_channel(program, "/watching", thread="17.1"))
    assert "of Bob's" in thread
    assert "(in a thread)" not in thread
    assert "baseline" not in thread
    for line in get_buttons(await send_in_channel(program, "/watching")).values():
        assert "are off here" in to_plain_text(await send_in_channel(program, line))
    assert "Nothing is watched here" in to_plain_text(await send_in_channel(program, "/watching", thread="17.1"))


async def test_unwatch_removes_nearest_watch_first(program: RunningProgram, baseline: Document) -> None:
    """People press the list's buttons in the thread of the reply, wherever the target is watched."""
    for target in ("queue=default", "project=vision"):
        for thread in ("", "17.1", "18.1"):
            await send_in_channel(program, f"/watch {target}", thread=thread)
        for remaining in (["", "18.1"], ["18.1"], []):
            reply = to_plain_text(await send_in_channel(program, f"/unwatch {target}", thread="17.1"))
            assert "are off here" in reply
            for thread in ("", "17.1", "18.1"):
                listed = to_plain_text(await send_in_channel(program, "/watching", thread=thread))
                is_here = thread in remaining or (not thread and bool(remaining))
                assert (target.rpartition("=")[2] in listed) == is_here, (target, thread, remaining)
        assert "aren't on here" in to_plain_text(
            await send_in_channel(program, f"/unwatch {target}", thread="17.1")
        )
    await send_in_channel(program, "/watch baseline", thread="18.1")
    assert "are off here" in to_plain_text(await send_in_channel(program, "/unwatch baseline", thread="17.1"))


async def test_queues_and_projects_are_paged_with_the_experiments(
    program: RunningProgram, sandbox: Sandbox
) -> None:
    for number in range(6):
        sandbox.state.add_project(f"project {number}", user=sandbox.alice.id)
        await program.ask(f'/watch project="project {number}"')
        task = sandbox.state.add_task(f"run {number}", user=sandbox.alice.id)
        await program.ask(f"/watch {task['id']}")
    first = await program.send("/watching")
    assert "6 queues and projects and 6 experiments watched here" in to_plain_text(first)
    assert "1–10 of 12" in to_plain_text(first)
    second = to_plain_text(await program.send(get_buttons(first)["Next ›"]))
    assert "11–12 of 12" in second
    assert "queue or project" not in second


async def test_ambiguous_project_name_offers_choice(program: RunningProgram, sandbox: Sandbox) -> None:
    for name in ("team/speech", "team/speech/asr", 'other "speech"'):
        sandbox.state.add_project(name, user=sandbox.alice.id)
    reply = await program.send("/watch project=speech statuses=failed")
    offers = get_buttons(reply)
    assert set(offers) == {"team/speech", 'other "speech"'}, "a subproject is part of its parent"
    assert 'the project “other "speech"” and its subprojects are on here: failed.' in await program.ask(
        offers['other "speech"']
    )


async def test_empty_project_means_project_of_current_experiment(
    program: RunningProgram, baseline: Document
) -> None:
    assert await program.send_for_error_code("/watch project=") == "no_current_experiment"
    await program.ask("/use baseline")
    assert "the project “vision” and its subprojects are on" in await program.ask("/watch project=")
    assert "Notifications for the project “vision” are off here." in await program.ask("/unwatch project=")


async def test_deleted_queue_can_be_unwatched_without_requests(program: RunningProgram, sandbox: Sandbox) -> None:
    await program.ask("/watch queue=default")
    (unwatch,) = [
        line for label, line in get_buttons(await program.send("/watching")).items() if "default" in label
    ]
    sandbox.state.queues.clear()
    sandbox.requests.clear()
    assert "Notifications for the queue “default” are off here." in await program.ask(unwatch)
    assert sandbox.requests.list_endpoints() == []
