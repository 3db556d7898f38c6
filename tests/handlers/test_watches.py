"""Being told of experiments, one's own and others'."""

import pytest

from clearml_chatops.models.people import Role
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
