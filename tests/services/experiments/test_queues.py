"""Queues: one's own, the others, and the order of what waits."""

import pytest

from clearml_chatops.models.people import Role
from clearml_chatops.models.replies import Outcome, Table
from clearml_chatops.sandbox import Sandbox
from tests.support.program import RunningProgram, buttons, plain_text

pytestmark = pytest.mark.usefixtures("baseline")


def names(sandbox: Sandbox) -> set[str]:
    return {queue["name"] for queue in sandbox.state.queues.values()}


def waiting(sandbox: Sandbox, queue: str) -> list[str]:
    """Names of what waits in a queue, in order."""
    found = sandbox.state.queue_named(queue)
    assert found
    return [sandbox.state.tasks[entry["task"]]["name"] for entry in found["entries"]]


async def test_the_first_queue_created_becomes_one_s_own(program: RunningProgram, sandbox: Sandbox) -> None:
    assert await program.error_code("/queue") == "no_personal_queue"
    assert "It is yours" in await program.ask("/queue create")
    assert names(sandbox) == {"default", "alice_queue"}
    assert "alice_queue: 0 experiments waiting" in await program.ask("/queue")
    assert "It is yours" not in await program.ask("/queue create gpu_queue")
    assert "alice_queue" in await program.ask("/whoami")


async def test_a_named_queue_is_made_one_s_own_by_a_button(program: RunningProgram) -> None:
    reply = await program.say("/queue create gpu_queue")
    assert "It is yours" not in plain_text(reply)
    await program.ask(buttons(reply)["Make it mine"])
    await program.ask("/rerun baseline again")
    assert "gpu_queue: 1 experiment waiting" in await program.ask("/queue")


async def test_one_s_own_queue_made_by_hand_before_is_taken(program: RunningProgram, sandbox: Sandbox) -> None:
    sandbox.state.add_queue("alice_queue")
    assert "It is yours" in await program.ask("/queue create")
    assert names(sandbox) == {"default", "alice_queue"}
    await program.ask("/queue create")
    assert names(sandbox) == {"default", "alice_queue"}


async def test_two_people_with_the_same_first_name_do_not_share_a_queue_unawares(
    program: RunningProgram, sandbox: Sandbox
) -> None:
    await program.ask("/queue create")
    namesake = await program.introduce(sandbox.state.add_user("Alice Zimmer"), Role.MEMBER)
    assert await namesake.error_code("/queue create") == "queue_exists"
    assert await namesake.error_code("/queue") == "no_personal_queue"
    assert "choose another name" in plain_text(await namesake.say("/queue create"))
    await namesake.ask("/queue create zimmer_queue")
    assert "zimmer_queue is your queue" in await namesake.ask("/queue use zimmer_queue")
    await namesake.ask("/queue use alice_queue")
    assert "alice_queue" in await namesake.ask("/queue"), "to share one on purpose is everybody's right"


async def test_enqueue_without_a_queue_offers_to_create_one(program: RunningProgram, sandbox: Sandbox) -> None:
    await program.ask("/clone baseline two cards")
    reply = await program.say("/enqueue")
    assert reply.outcome is Outcome.ASKED
    assert names(sandbox) == {"default"}
    await program.ask(buttons(reply)["Create my queue and enqueue"])
    assert waiting(sandbox, "alice_queue") == ["two cards"]


async def test_another_queue_can_be_taken_and_named_without_regard_to_case(
    program: RunningProgram, sandbox: Sandbox
) -> None:
    sandbox.state.add_queue("GPU Queue")
    assert "GPU Queue is your queue now" in await program.ask('/queue use "gpu queue"')
    await program.ask("/rerun baseline again")
    assert waiting(sandbox, "GPU Queue") == ["again"]
    await program.ask("/rerun baseline other queue=DEFAULT")
    assert waiting(sandbox, "default") == ["other"]


async def test_the_list_shows_lengths_workers_and_which_is_mine(program: RunningProgram) -> None:
    await program.ask("/queue create")
    await program.ask("/rerun baseline again")
    reply = await program.say("/queue list")
    table = next(block for block in reply.blocks if isinstance(block, Table))
    assert table.rows == (("alice_queue (mine)", "1", "—"), ("default", "0", "—"))


async def test_what_waits_can_be_moved_to_each_place(program: RunningProgram, sandbox: Sandbox) -> None:
    await program.ask("/queue create")
    for name in ("one", "two", "three", "four"):
        await program.ask(f"/rerun baseline run {name}")
    for line, order in (
        ("/queue move 'run four' front", "four one two three"),
        ("/queue move 'run four' 3", "one two four three"),
        ("/queue move 'run four' 2", "one four two three"),
        ("/queue move 'run four' 2", "one four two three"),
        ("/queue move 'run one' back", "four two three one"),
        ("/queue move 'run four' 9", "two three one four"),
        ("/queue move 'run one' 1", "one two three four"),
    ):
        shown = await program.ask(line)
        assert waiting(sandbox, "alice_queue") == [f"run {name}" for name in order.split()], line
        moved = line.split("'")[1]
        assert f"“{moved}” is at place {waiting(sandbox, 'alice_queue').index(moved) + 1}" in shown


async def test_an_experiment_can_be_put_before_all_others(program: RunningProgram, sandbox: Sandbox) -> None:
    await program.ask("/queue create")
    await program.ask("/rerun baseline first")
    await program.ask("/clone baseline urgent")
    await program.ask("/enqueue front")
    assert waiting(sandbox, "alice_queue") == ["urgent", "first"]


async def test_one_taken_before_it_could_be_put_in_front_is_enqueued_all_the_same(
    program: RunningProgram, sandbox: Sandbox
) -> None:
    """A worker may take it between the two requests; the person is told of the run nevertheless."""
    await program.ask("/queue create")
    reply = await program.say("/clone baseline urgent")
    sandbox.faults.answer(
        "queues.move_task_to_front",
        status=400,
        body='{"meta": {"result_code": 400, "result_subcode": 703, "result_msg": "not in queue"}, "data": {}}',
        content_type="application/json",
    )
    assert "Pending in alice_queue" in await program.ask("/enqueue front")
    assert sandbox.state.tasks[reply.experiment_id]["status"] == "queued"


async def test_a_queue_gets_another_name_for_everybody(program: RunningProgram, sandbox: Sandbox) -> None:
    await program.ask("/queue create")
    await program.ask("/queue rename alice_queue two big cards")
    assert names(sandbox) == {"default", "two big cards"}
    assert "two big cards" in await program.ask("/whoami")
    await program.ask("/rerun baseline again")
    assert waiting(sandbox, "two big cards") == ["again"]


async def test_a_queue_with_something_in_it_is_deleted_only_when_confirmed(
    program: RunningProgram, sandbox: Sandbox
) -> None:
    await program.ask('/queue create "gpu queue"')
    await program.ask('/queue use "gpu queue"')
    await program.ask("/rerun baseline again")
    reply = await program.say('/queue delete "gpu queue"')
    assert reply.outcome is Outcome.ASKED
    assert waiting(sandbox, "gpu queue") == ["again"]
    await program.ask(buttons(reply)["Delete it"])
    assert names(sandbox) == {"default"}
    assert [task["status"] for task in sandbox.state.tasks.values() if task["name"] == "again"] == ["created"]
    assert await program.error_code("/queue") == "no_personal_queue"


async def test_an_empty_queue_is_deleted_without_a_question(program: RunningProgram, sandbox: Sandbox) -> None:
    await program.ask("/queue create gpu_queue")
    await program.ask("/queue delete gpu_queue")
    assert names(sandbox) == {"default"}


async def test_one_s_own_queue_deleted_elsewhere_is_said_to_be_gone(
    program: RunningProgram, sandbox: Sandbox
) -> None:
    await program.ask("/queue create")
    await program.ask("/clone baseline two cards")
    queue = sandbox.state.queue_named("alice_queue")
    assert queue
    del sandbox.state.queues[queue["id"]]
    for line in ("/queue", "/enqueue"):
        reply = await program.say(line)
        assert "There is no queue “alice_queue”. It was deleted." in plain_text(reply)
    await program.ask("/queue create")
    await program.ask("/enqueue")
    assert waiting(sandbox, "alice_queue") == ["two cards"]
