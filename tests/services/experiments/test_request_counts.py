"""The number of requests of each command, in sequence and in all, as the server counts them."""

from pathlib import Path

import pytest

from clearml_chatops.sandbox import Sandbox
from clearml_chatops.sandbox.documents import Document
from tests.support.program import RunningProgram, run_program

IMAGE = "python:3.12"


async def count_requests(program: RunningProgram, line: str) -> tuple[int, int]:
    """Return how many requests a successful line makes in sequence, and in all."""
    program.sandbox.requests.clear()
    await program.ask(line)
    return program.sandbox.requests.count_longest_sequence(), len(program.sandbox.requests.list_endpoints())


async def clone(program: RunningProgram, source: str, name: str = "two GPUs") -> str:
    return (await program.send(f"/clone {source} {name}")).experiment_id


async def test_clone_set_container_and_enqueue_cost_two_requests_each(
    program: RunningProgram, baseline: Document
) -> None:
    await program.ask("/queue create")

    costs = [await count_requests(program, f"/clone {baseline['id']} two GPUs")]
    draft = next(task["id"] for task in program.sandbox.state.tasks.values() if task["name"] == "two GPUs")
    costs += [
        await count_requests(program, f"/set {draft} args.gpus=1,2"),
        await count_requests(program, f"/container {draft} image={IMAGE}"),
        await count_requests(program, f"/enqueue {draft}"),
    ]

    assert [in_sequence for in_sequence, _ in costs] == [2, 2, 2, 2]
    assert sum(in_all for _, in_all in costs) == 8
    task = program.sandbox.state.tasks[draft]
    assert (task["status"], task["container"]["image"]) == ("queued", IMAGE)
    assert task["hyperparams"]["Args"]["gpus"]["value"] == "1,2"


async def test_a_restart_before_each_command_costs_no_additional_requests(
    sandbox: Sandbox, baseline: Document, tmp_path: Path
) -> None:
    async with run_program(sandbox, tmp_path) as program:
        await program.ask("/queue create")
        draft = await clone(program, baseline["id"])
    total = 0
    for line in (
        f"/clone {baseline['id']} another",
        f"/set {draft} args.gpus=1,2",
        f"/container {draft} image={IMAGE}",
        f"/enqueue {draft}",
    ):
        async with run_program(sandbox, tmp_path) as program:
            in_sequence, requests = await count_requests(program, line)
        assert in_sequence == 2, line
        total += requests
    assert total == 8


async def test_a_draft_from_the_web_ui_needs_no_additional_steps(
    program: RunningProgram, baseline: Document, sandbox: Sandbox
) -> None:
    """The bot does not know its parent, so it is read during the write."""
    draft = sandbox.state.add_task(
        "by hand", user=sandbox.alice.id, parent=baseline["id"], hyperparams=baseline["hyperparams"]
    )
    sandbox.faults.delay("tasks.edit_hyper_params", 0.5)
    sandbox.faults.delay("tasks.get_all_ex", 0.5)
    assert await count_requests(program, f"/set {draft['id']} args.gpus=1,2") == (2, 3)


async def test_a_named_queue_is_read_in_parallel_with_the_experiment(
    program: RunningProgram, baseline: Document
) -> None:
    draft = await clone(program, baseline["id"])
    program.sandbox.faults.delay("*", 0.5)
    assert await count_requests(program, f"/enqueue {draft} queue=default") == (2, 3)


async def test_rerun_costs_three_requests_and_four_with_a_named_queue(
    program: RunningProgram, baseline: Document
) -> None:
    await program.ask("/queue create")
    program.sandbox.faults.delay("*", 0.5)
    assert await count_requests(program, f"/rerun {baseline['id']} again args.gpus=2,3") == (3, 3)
    assert await count_requests(program, f"/rerun {baseline['id']} again args.gpus=2,3 queue=default") == (3, 4)


@pytest.mark.parametrize(
    ("line", "in_sequence"),
    [
        ("/undo {draft}", 2),
        ("/show {draft}", 1),
        ("/find", 1),
        ("/find GPUs status=draft mine", 1),
        ("/use {draft}", 1),
        ("/params id={draft}", 1),
        ("/diff id={draft}", 1),
        ("/name other GPUs", 2),
        ("/tag fast", 2),
        ("/queue", 1),
        ("/queue list", 1),
        ("/whoami", 0),
        ("/help", 0),
    ],
)
async def test_request_count_of_each_other_command(
    program: RunningProgram, baseline: Document, line: str, in_sequence: int
) -> None:
    await program.ask("/queue create")
    draft = await clone(program, baseline["id"])
    await program.ask("/set args.gpus=1,2")
    assert await count_requests(program, line.format(draft=draft)) == (in_sequence, in_sequence)
