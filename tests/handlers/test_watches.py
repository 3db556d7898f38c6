"""Being told of experiments, one's own and others'."""

import pytest

from clearml_chatops.models.messages import Conversation, IncomingMessage
from clearml_chatops.models.people import Role
from clearml_chatops.models.replies import Reply
from clearml_chatops.sandbox import Sandbox
from clearml_chatops.sandbox.documents import Document
from tests.support.program import RunningProgram, buttons, plain_text


@pytest.fixture
async def running(program: RunningProgram, sandbox: Sandbox) -> Document:
    """A run of Bob's, in a world that the watcher has begun to look at."""
    await program.listen()
    task = sandbox.state.add_task(
        "of Bob's", user=sandbox.bob.id, status="in_progress", started=sandbox.state.now()
    )
    task["status_changed"] = sandbox.state.now()
    return task


def end(sandbox: Sandbox, task: Document, status: str) -> None:
    task["status"] = status
    task["status_changed"] = task["completed"] = sandbox.state.now()


async def test_another_s_run_can_be_watched_and_its_end_is_told(
    program: RunningProgram, sandbox: Sandbox, running: Document
) -> None:
    viewer = await program.introduce(sandbox.carol, Role.VIEWER)
    assert "“of Bob's” is watched here." in await viewer.ask(f"/watch {running['id']}")
    assert await viewer.listen() == []
    end(sandbox, running, "completed")
    (told,) = await viewer.listen()
    assert "“of Bob's” is Completed" in told
    assert await program.listen() == [], "another conversation did not ask for it"


async def test_to_watch_loses_nothing_that_others_are_about_to_be_told(
    program: RunningProgram, sandbox: Sandbox, running: Document
) -> None:
    await program.ask(f"/watch {running['id']}")
    end(sandbox, running, "failed")
    other = await program.introduce(sandbox.carol, Role.VIEWER)
    await other.ask(f"/watch {running['id']}")
    (told,) = await program.listen()
    assert "has Failed" in told


async def test_who_does_not_watch_any_more_is_told_nothing(
    program: RunningProgram, sandbox: Sandbox, running: Document
) -> None:
    await program.ask(f"/watch {running['id']}")
    assert "no longer watched" in await program.ask(f"/unwatch {running['id'][:8]}")
    end(sandbox, running, "completed")
    assert await program.listen() == []
    assert await program.error_code(f"/unwatch {running['id']}") == "not_watched"


async def test_what_is_watched_is_listed_with_what_moves_on_first_and_without_a_request(
    program: RunningProgram, sandbox: Sandbox, baseline: Document, running: Document
) -> None:
    await program.ask(f"/watch {running['id']}")
    assert "you hear of it if it runs again" in await program.ask("/watch baseline")
    await program.ask("/watch baseline")
    await program.ask("/clone baseline two cards")
    sandbox.requests.clear()
    reply = await program.say("/watching")
    assert sandbox.requests.names() == []
    assert "3 experiments watched here" in plain_text(reply)
    labels = list(buttons(reply))
    assert labels == ["Unwatch two cards", "Unwatch of Bob's", "Unwatch baseline"]
    for line in buttons(reply).values():
        await program.ask(line)
    assert "Nothing is watched here" in await program.ask("/watching")


async def test_a_watch_of_what_was_deleted_in_clearml_can_be_ended(
    program: RunningProgram, sandbox: Sandbox, running: Document
) -> None:
    await program.ask(f"/watch {running['id']}")
    del sandbox.state.tasks[running["id"]]
    assert "“of Bob's” is no longer watched" in await program.ask(f"/unwatch {running['id']}")


async def test_many_watches_come_in_pages(program: RunningProgram, sandbox: Sandbox) -> None:
    for number in range(12):
        task = sandbox.state.add_task(f"run {number:02}", user=sandbox.alice.id)
        await program.ask(f"/watch {task['id']}")
    first = await program.say("/watching")
    assert "1–10 of 12" in plain_text(first)
    second = await program.say(buttons(first)["Next ›"])
    assert "11–12 of 12" in plain_text(second)
    assert "There is no page 3." in await program.ask("/watching page=3")


async def said_in(program: RunningProgram, line: str, *, thread: str = "") -> Reply:
    """What is answered in a channel, or in a thread of it."""
    place = Conversation("chat", "C1", thread)
    return await program.program.dispatcher.handle(IncomingMessage(program.identity, program.name, place, line))


async def test_a_channel_lists_what_its_threads_watch_with_a_mark_and_can_end_it(
    program: RunningProgram, baseline: Document, running: Document
) -> None:
    await said_in(program, f"/watch {running['id']}", thread="17.1")
    await said_in(program, "/watch baseline")
    await said_in(program, "/watch queue=default", thread="17.1")
    listed = plain_text(await said_in(program, "/watching"))
    assert "of Bob's (in a thread)" in listed
    assert "queue default (in a thread)" in listed
    assert "baseline (in a thread)" not in listed
    thread = plain_text(await said_in(program, "/watching", thread="17.1"))
    assert "of Bob's" in thread
    assert "(in a thread)" not in thread
    assert "baseline" not in thread
    for line in buttons(await said_in(program, "/watching")).values():
        assert "no longer watched" in plain_text(await said_in(program, line))
    assert "Nothing is watched here" in plain_text(await said_in(program, "/watching", thread="17.1"))


async def test_what_is_watched_nearest_is_ended_first(program: RunningProgram, baseline: Document) -> None:
    """The list's buttons are pressed in the thread of the answer, wherever the thing is watched."""
    for what in ("queue=default", "project=vision"):
        for thread in ("", "17.1", "18.1"):
            await said_in(program, f"/watch {what}", thread=thread)
        for left in (["", "18.1"], ["18.1"], []):
            said = plain_text(await said_in(program, f"/unwatch {what}", thread="17.1"))
            assert "no longer watched" in said
            for thread in ("", "17.1", "18.1"):
                listed = plain_text(await said_in(program, "/watching", thread=thread))
                is_here = thread in left or (not thread and bool(left))
                assert (what.rpartition("=")[2] in listed) == is_here, (what, thread, left)
        assert "not watched here" in plain_text(await said_in(program, f"/unwatch {what}", thread="17.1"))
    await said_in(program, "/watch baseline", thread="18.1")
    assert "no longer watched" in plain_text(await said_in(program, "/unwatch baseline", thread="17.1"))


async def test_queues_and_projects_are_paged_with_the_experiments(
    program: RunningProgram, sandbox: Sandbox
) -> None:
    for number in range(6):
        sandbox.state.add_project(f"project {number}", user=sandbox.alice.id)
        await program.ask(f'/watch project="project {number}"')
        task = sandbox.state.add_task(f"run {number}", user=sandbox.alice.id)
        await program.ask(f"/watch {task['id']}")
    first = await program.say("/watching")
    assert "6 queues and projects and 6 experiments watched here" in plain_text(first)
    assert "1–10 of 12" in plain_text(first)
    second = plain_text(await program.say(buttons(first)["Next ›"]))
    assert "11–12 of 12" in second
    assert "everybody's in" not in second


async def test_a_part_of_a_name_that_fits_several_projects_is_a_choice_of_them(
    program: RunningProgram, sandbox: Sandbox
) -> None:
    for name in ("team/speech", "team/speech/asr", 'other "speech"'):
        sandbox.state.add_project(name, user=sandbox.alice.id)
    reply = await program.say("/watch project=speech statuses=failed")
    offers = buttons(reply)
    assert set(offers) == {"team/speech", 'other "speech"'}, "what is below one of them is a part of it"
    assert 'project other "speech" and those below it are watched here: Failed.' in await program.ask(
        offers['other "speech"']
    )


async def test_the_current_experiment_s_project_is_meant_where_none_is_named(
    program: RunningProgram, baseline: Document
) -> None:
    assert await program.error_code("/watch project=") == "no_current_experiment"
    await program.ask("/use baseline")
    assert "project vision" in await program.ask("/watch project=")
    assert "project vision is no longer watched" in await program.ask("/unwatch project=")


async def test_a_queue_that_was_deleted_can_be_unwatched_without_a_request(
    program: RunningProgram, sandbox: Sandbox
) -> None:
    await program.ask("/watch queue=default")
    (unwatch,) = [line for label, line in buttons(await program.say("/watching")).items() if "default" in label]
    sandbox.state.queues.clear()
    sandbox.requests.clear()
    assert "queue default is no longer watched" in await program.ask(unwatch)
    assert sandbox.requests.names() == []
