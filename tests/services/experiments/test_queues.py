"""Queues: the personal one, the others, and the order of their entries."""

import pytest

from clearml_chatops.models.people import Role
from clearml_chatops.models.replies import Outcome, Table
from clearml_chatops.sandbox import Sandbox
from tests.support.program import RunningProgram, get_buttons, to_plain_text

pytestmark = pytest.mark.usefixtures("baseline")


def list_queue_names(sandbox: Sandbox) -> set[str]:
    return {queue["name"] for queue in sandbox.state.queues.values()}


def list_waiting(sandbox: Sandbox, queue: str) -> list[str]:
    """Return the names of the experiments in a queue, in order."""
    found = sandbox.state.find_queue(queue)
    assert found
    return [sandbox.state.tasks[entry["task"]]["name"] for entry in found["entries"]]


async def test_the_first_created_queue_becomes_the_personal_queue(
    program: RunningProgram, sandbox: Sandbox
) -> None:
    assert await program.send_for_error_code("/queue") == "no_personal_queue"
    assert "It's yours" in await program.ask("/queue create")
    assert list_queue_names(sandbox) == {"default", "alice_queue"}
    assert "alice_queue: 0 experiments waiting" in await program.ask("/queue")
    assert "It's yours" not in await program.ask("/queue create gpu_queue")
    assert "alice_queue" in await program.ask("/whoami")


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("/queue create yakov_queue", "yakov_queue"),
        ("/queue create night jobs", "night jobs"),
        ("/queue create name=gpu_queue", "gpu_queue"),
        ("/queue_create 4090s", "4090s"),
    ],
)
async def test_the_first_queue_is_the_personal_queue_whatever_its_name(
    program: RunningProgram, line: str, name: str
) -> None:
    reply = await program.send(line)
    assert f"Created queue {name}. It's yours: /enqueue uses it." in to_plain_text(reply)
    assert "Use as my queue" not in get_buttons(reply)
    assert f"{name}: 0 experiments waiting" in await program.ask("/queue")
    assert "It's yours" not in await program.ask("/queue create another_queue")


async def test_a_taken_name_is_offered_as_the_personal_queue(program: RunningProgram) -> None:
    reply = await program.send("/queue create default")
    assert await program.send_for_error_code("/queue") == "no_personal_queue"
    await program.ask(get_buttons(reply)["Use as my queue"])
    assert "default: 0 experiments waiting" in await program.ask("/queue")


async def test_a_button_makes_a_named_queue_the_personal_queue(program: RunningProgram) -> None:
    await program.ask("/queue create")
    reply = await program.send("/queue create gpu_queue")
    assert "It's yours" not in to_plain_text(reply)
    await program.ask(get_buttons(reply)["Use as my queue"])
    await program.ask("/rerun baseline again")
    assert "gpu_queue: 1 experiment waiting" in await program.ask("/queue")


async def test_an_existing_queue_of_the_expected_name_becomes_the_personal_queue(
    program: RunningProgram, sandbox: Sandbox
) -> None:
    sandbox.state.add_queue("alice_queue")
    assert "It's yours" in await program.ask("/queue create")
    assert list_queue_names(sandbox) == {"default", "alice_queue"}
    await program.ask("/queue create")
    assert list_queue_names(sandbox) == {"default", "alice_queue"}


async def test_two_people_with_the_same_first_name_do_not_share_a_queue_by_accident(
    program: RunningProgram, sandbox: Sandbox
) -> None:
    await program.ask("/queue create")
    namesake = await program.add_person(sandbox.state.add_user("Alice Zimmer"), Role.MEMBER)
    assert await namesake.send_for_error_code("/queue create") == "queue_exists"
    assert await namesake.send_for_error_code("/queue") == "no_personal_queue"
    assert "choose another name" in to_plain_text(await namesake.send("/queue create"))
    await namesake.ask("/queue create zimmer_queue")
    assert "zimmer_queue is now your queue" in await namesake.ask("/queue use zimmer_queue")
    await namesake.ask("/queue use alice_queue")
    assert "alice_queue" in await namesake.ask("/queue"), "a queue may be shared on purpose"


async def test_enqueue_without_a_queue_offers_to_create_one(program: RunningProgram, sandbox: Sandbox) -> None:
    await program.ask("/clone baseline two GPUs")
    reply = await program.send("/enqueue")
    assert reply.outcome is Outcome.ASKED
    assert list_queue_names(sandbox) == {"default"}
    await program.ask(get_buttons(reply)["Create and enqueue"])
    assert list_waiting(sandbox, "alice_queue") == ["two GPUs"]


@pytest.mark.parametrize("name", ["front", "--create", "two, words", "first  run", "last 3"])
async def test_the_button_that_creates_a_queue_keeps_the_rest_of_the_line(
    program: RunningProgram, sandbox: Sandbox, name: str
) -> None:
    script = {"diff": "print()", "entry_point": "train.py"}
    first, second = (
        sandbox.state.add_task(item, user=sandbox.alice.id, script=script) for item in ("first", name)
    )
    reply = await program.send(f"/enqueue '{second['id'] if name == 'last 3' else name}' front --force")
    await program.ask("/queue create")
    await program.ask(f"/enqueue {first['id']}")
    await program.ask(get_buttons(reply)["Create and enqueue"])
    assert list_waiting(sandbox, "alice_queue") == [name, "first"]


@pytest.mark.parametrize("words", ["first run in", "first run to", "first run", "first run on queue"])
async def test_a_queue_behind_the_experiment_is_offered(
    program: RunningProgram, sandbox: Sandbox, words: str
) -> None:
    await program.ask("/queue create")
    sandbox.state.add_queue("gpu_queue")
    script = {"diff": "print()", "entry_point": "train.py"}
    sandbox.state.add_task("first run", user=sandbox.alice.id, script=script)
    assert not get_buttons(await program.send("/enqueue first run in nosuch_queue"))
    assert not get_buttons(await program.send("/enqueue in gpu_queue"))
    reply = await program.send(f"/enqueue {words} GPU_queue")
    assert list_waiting(sandbox, "gpu_queue") == []
    await program.ask(get_buttons(reply)["Enqueue first run in gpu_queue"])
    assert list_waiting(sandbox, "gpu_queue") == ["first run"]


async def test_queue_names_are_case_insensitive(program: RunningProgram, sandbox: Sandbox) -> None:
    sandbox.state.add_queue("GPU Queue")
    assert "GPU Queue is now your queue" in await program.ask('/queue use "gpu queue"')
    await program.ask("/rerun baseline again")
    assert list_waiting(sandbox, "GPU Queue") == ["again"]
    await program.ask("/rerun baseline other queue=DEFAULT")
    assert list_waiting(sandbox, "default") == ["other"]


async def test_the_list_shows_lengths_workers_and_which_is_mine(program: RunningProgram) -> None:
    await program.ask("/queue create")
    await program.ask("/rerun baseline again")
    reply = await program.send("/queue list")
    table = next(block for block in reply.blocks if isinstance(block, Table))
    assert table.rows == (("alice_queue (yours)", "1", "—"), ("default", "0", "—"))


async def test_a_pending_experiment_can_be_moved_to_any_position(
    program: RunningProgram, sandbox: Sandbox
) -> None:
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
        assert list_waiting(sandbox, "alice_queue") == [f"run {name}" for name in order.split()], line
        moved = line.split("'")[1]
        assert f"“{moved}” is now at position {list_waiting(sandbox, 'alice_queue').index(moved) + 1}" in shown


async def test_an_experiment_can_be_enqueued_at_the_front(program: RunningProgram, sandbox: Sandbox) -> None:
    await program.ask("/queue create")
    await program.ask("/rerun baseline first")
    await program.ask("/clone baseline urgent")
    await program.ask("/enqueue front")
    assert list_waiting(sandbox, "alice_queue") == ["urgent", "first"]


async def test_enqueue_front_succeeds_even_if_a_worker_took_the_experiment_first(
    program: RunningProgram, sandbox: Sandbox
) -> None:
    """A worker may take it between the two requests; the reply still reports the enqueue."""
    await program.ask("/queue create")
    reply = await program.send("/clone baseline urgent")
    sandbox.faults.answer(
        "queues.move_task_to_front",
        status=400,
        body='{"meta": {"result_code": 400, "result_subcode": 703, "result_msg": "not in queue"}, "data": {}}',
        content_type="application/json",
    )
    assert "Pending in alice_queue" in await program.ask("/enqueue front")
    assert sandbox.state.tasks[reply.experiment_id]["status"] == "queued"


async def test_a_renamed_queue_keeps_its_bindings(program: RunningProgram, sandbox: Sandbox) -> None:
    await program.ask("/queue create")
    await program.ask("/queue rename alice_queue two big GPUs")
    assert list_queue_names(sandbox) == {"default", "two big GPUs"}
    assert "two big GPUs" in await program.ask("/whoami")
    await program.ask("/rerun baseline again")
    assert list_waiting(sandbox, "two big GPUs") == ["again"]


async def test_a_queue_with_experiments_is_deleted_only_after_confirmation(
    program: RunningProgram, sandbox: Sandbox
) -> None:
    await program.ask('/queue create "gpu queue"')
    await program.ask('/queue use "gpu queue"')
    await program.ask("/rerun baseline again")
    reply = await program.send('/queue delete "gpu queue"')
    assert reply.outcome is Outcome.ASKED
    assert list_waiting(sandbox, "gpu queue") == ["again"]
    await program.ask(get_buttons(reply)["Delete"])
    assert list_queue_names(sandbox) == {"default"}
    assert [task["status"] for task in sandbox.state.tasks.values() if task["name"] == "again"] == ["created"]
    assert await program.send_for_error_code("/queue") == "no_personal_queue"


async def test_an_empty_queue_is_deleted_without_confirmation(program: RunningProgram, sandbox: Sandbox) -> None:
    await program.ask("/queue create gpu_queue")
    await program.ask("/queue delete gpu_queue")
    assert list_queue_names(sandbox) == {"default"}


async def test_a_personal_queue_deleted_elsewhere_is_reported_as_deleted(
    program: RunningProgram, sandbox: Sandbox
) -> None:
    await program.ask("/queue create")
    await program.ask("/clone baseline two GPUs")
    queue = sandbox.state.find_queue("alice_queue")
    assert queue
    del sandbox.state.queues[queue["id"]]
    for line in ("/queue", "/enqueue"):
        reply = await program.send(line)
        assert "No queue named “alice_queue”. It was deleted." in to_plain_text(reply)
    await program.ask("/queue create")
    await program.ask("/enqueue")
    assert list_waiting(sandbox, "alice_queue") == ["two GPUs"]
