"""Commands for several experiments: shown, confirmed once, and each done once or said why not."""

import asyncio
import random
from collections.abc import Callable
from typing import Any

import pytest

from clearml_chatops.models.errors import DatabaseBusyError
from clearml_chatops.models.people import Role
from clearml_chatops.models.replies import Outcome, Reply, Table
from clearml_chatops.sandbox import Sandbox
from clearml_chatops.sandbox.documents import Document
from clearml_chatops.services.experiments.runs import RunService
from clearml_chatops.services.watching.tracking import Tracking
from clearml_chatops.storage.people import PeopleStore
from tests.support.program import RunningProgram, get_buttons, to_plain_text
from tests.support.refusals import assert_refused, copy_server_state
from tests.support.servers import API_VERSIONS


@pytest.fixture
async def owner(program: RunningProgram) -> RunningProgram:
    """A person with a queue."""
    await program.ask("/queue create")
    return program


def add(sandbox: Sandbox, name: str, status: str = "created", **fields: object) -> Document:
    task = sandbox.state.add_task(
        name, user=sandbox.alice.id, status=status, script={"diff": "print()", "entry_point": "train.py"}
    )
    task["status_changed"] = task["created"]
    task.update(fields)
    if status == "queued":
        queue = sandbox.state.find_queue("default")
        assert queue
        queue["entries"].append({"task": task["id"], "added": task["created"]})
        task["execution"]["queue"] = queue["id"]
    return task


async def confirm(program: RunningProgram, line: str, question: str) -> Reply:
    """Send a line that asks this question, press the button, and return the reply."""
    return await program.send(await ask(program, line, question))


async def ask(program: RunningProgram, line: str, question: str) -> str:
    """Send a line that asks this question without doing anything, and return the command of its button."""
    before = copy_server_state(program.sandbox)
    reply = await program.send(line)
    assert (reply.outcome, copy_server_state(program.sandbox)) == (Outcome.ASKED, before), to_plain_text(reply)
    assert question in to_plain_text(reply)
    (command,) = get_buttons(reply).values()
    return command


def list_results(reply: Reply) -> dict[str, str]:
    """Return what the table says of each experiment, by name."""
    (table,) = (block for block in reply.blocks if isinstance(block, Table))
    return {row[1]: row[2] for row in table.rows}


# ── Which experiments ─────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "build_line",
    [
        lambda tasks: f"/enqueue {tasks[0]['id']} {tasks[1]['id']}",
        lambda tasks: f"/enqueue {tasks[0]['id'][:8]}, {tasks[1]['id'][:8]}",
        lambda _: "/enqueue 'first run' 'second run'",
        lambda _: "/enqueue first run, second run",
        lambda _: "/enqueue first run and second run",
        lambda _: "/enqueue first run, and second run",
        lambda tasks: f"/enqueue {tasks[0]['id'][:8]} & {tasks[1]['id'][:8]}",
        lambda _: "/enqueue last 2",
        lambda tasks: f"/enqueue {tasks[0]['id']} 'second run' 'first run'",
        lambda _: '/enqueue --find "status=draft mine"',
        lambda _: "/enqueue --find run",
    ],
)
async def test_several_are_named_in_many_ways(
    owner: RunningProgram, sandbox: Sandbox, build_line: Callable[[list[Document]], str]
) -> None:
    tasks = [add(sandbox, "first run"), add(sandbox, "second run")]
    reply = await confirm(owner, build_line(tasks), "Enqueue 2 experiments in alice_queue?")
    assert "Enqueued 2 experiments in alice_queue." in to_plain_text(reply)
    assert {task["status"] for task in tasks} == {"queued"}
    assert list_results(reply) == dict.fromkeys(
        ("first run", "second run"), "Pending in alice_queue, but no worker listens on it"
    )


async def test_one_experiment_needs_no_confirmation(owner: RunningProgram, sandbox: Sandbox) -> None:
    for name, line in (
        ("first run", "/enqueue first run"),
        ("last run", "/enqueue last run"),
        ("lr=0.1, wd=0", "/enqueue 'lr=0.1, wd=0'"),
        ("a, b", "/enqueue a, b"),
        ("salt and pepper", "/enqueue salt and pepper"),
        ("all", "/enqueue all"),
        ("twice", "/enqueue 'twice' 'twice'"),
    ):
        task = add(sandbox, name)
        await owner.ask(line)
        assert task["status"] == "queued", line


async def test_what_cannot_be_found_changes_nothing(owner: RunningProgram, sandbox: Sandbox) -> None:
    add(sandbox, "first run")
    await assert_refused(owner, "/enqueue 'first run' nosuch", "experiment_not_found")
    await assert_refused(owner, "/enqueue first run, nosuch", "experiment_not_found")
    await assert_refused(owner, f"/enqueue {'0' * 32} {'1' * 32}", "experiment_not_found")
    await assert_refused(owner, "/enqueue 'first run' --find mine", "usage")
    reply = await assert_refused(owner, '/enqueue --find "status=drafd mine"', "invalid_value")
    assert "first run" in to_plain_text(
        await owner.send(get_buttons(await owner.send(get_buttons(reply)["Try the search"]))["status=draft"])
    )
    assert "nothing to do" in await owner.ask("/enqueue --find nosuch")


async def test_all_is_no_part_of_a_name(owner: RunningProgram, sandbox: Sandbox) -> None:
    add(sandbox, "smaller overall", "queued")
    for line in ("/abort all", "/dequeue ALL", "/archive everything", "/watch *", "/retry 'all'", "/reset all"):
        reply = await assert_refused(owner, line, "usage")
        assert "Choose which ones with --find." in to_plain_text(reply)
        assert "smaller overall" in to_plain_text(await owner.send(*get_buttons(reply).values()))


async def test_an_ambiguous_name_among_several_is_a_choice(owner: RunningProgram, sandbox: Sandbox) -> None:
    add(sandbox, "other one")
    add(sandbox, "twin run")
    add(sandbox, "twin run")
    for name in ("other", "twin", "twin"):
        add(sandbox, name)
    for line, name in (
        ("/enqueue 'twin run' 'other one'", "twin run"),
        ("/enqueue other one, twin run", "twin run"),
        ("/enqueue twin run, other one", "twin run"),
        ("/enqueue other,twin", "twin"),
        ("/tag best id=other,twin", "twin"),
    ):
        reply = await owner.send(line)
        assert f"2 experiments match “{name}”. Which one?" in to_plain_text(reply), line
        for command in get_buttons(reply).values():
            await ask(owner, command, " 2 experiments")


async def test_too_many_are_refused(owner: RunningProgram, sandbox: Sandbox) -> None:
    for number in range(501):
        add(sandbox, f"bulk {number}")
    await assert_refused(owner, "/archive --find bulk", "too_many_experiments")


# ── The verbs ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("verb", "status", "question", "summary", "result", "now"),
    [
        ("/enqueue", "created", "Enqueue 2 experiments in alice_queue?", "Enqueued 2", "Pending in", "queued"),
        ("/retry", "failed", "Retry 2 experiments?", "Enqueued 2", "Pending in", "queued"),
        ("/dequeue", "queued", "Dequeue 2 experiments?", "Dequeued 2", "Draft again", "created"),
        ("/abort", "queued", "Abort 2 experiments?", "Aborted 2", "Aborted", "stopped"),
        ("/reset", "failed", "Reset 2 experiments? Their logs", "Reset 2", "Draft again", "created"),
        ("/archive", "failed", "Archive 2 experiments?", "Archived 2", "Archived", "failed"),
        ("/tag best -wip", "failed", "Tag 2 experiments with best, -wip?", "Tagged 2", "Tags: best", "failed"),
        ("/watch", "queued", "Watch 2 experiments?", "Watching 2", "Pending, notifications on", "queued"),
    ],
)
@pytest.mark.parametrize("api_version", API_VERSIONS)
async def test_each_verb_takes_several(  # noqa: PLR0913, PLR0917  # what each verb shows and does
    owner: RunningProgram,
    sandbox: Sandbox,
    api_version: str,
    verb: str,
    status: str,
    question: str,
    summary: str,
    result: str,
    now: str,
) -> None:
    sandbox.state.version = type(sandbox.state.version)(api_version, "")
    tasks = [add(sandbox, f"run {number}", status, tags=["wip"]) for number in range(2)]
    other = add(sandbox, "another", status)
    reply = await confirm(owner, f"{verb} --find run", question)
    assert f"{summary} experiments" in to_plain_text(reply)
    assert all(text.startswith(result) for text in list_results(reply).values()), list_results(reply)
    assert [task["status"] for task in tasks] == [now, now]
    assert other["status"] == status
    if verb == "/archive":
        assert all("archived" in task["system_tags"] for task in tasks)
    if verb == "/tag best -wip":
        assert [task["tags"] for task in tasks] == [["best"], ["best"]]
    if verb == "/watch":
        assert "run 0" in await owner.ask("/watching")


async def test_several_are_tagged_by_id(owner: RunningProgram, sandbox: Sandbox) -> None:
    tasks = [add(sandbox, "first run"), add(sandbox, "second run")]
    for line in (
        f"/tag best id={tasks[0]['id']},{tasks[1]['id']}",
        "/tag best id='first run, second run'",
        "/tag best id='last 2'",
        "/tag best id=last 2",
    ):
        await confirm(owner, line, "Tag 2 experiments with best?")
        assert [task["tags"] for task in tasks] == [["best"], ["best"]], line
        for task in tasks:
            task["tags"] = []


async def test_experiments_among_tags_become_no_tags(owner: RunningProgram, sandbox: Sandbox) -> None:
    tasks = [add(sandbox, "first run"), add(sandbox, "second run")]
    first, second = (task["id"][:8] for task in tasks)
    for line, count in (
        (f"/tag {first} {second} best", 2),
        (f"/tag best, wip {first}, {second}", 2),
        ("/tag best last 2", 2),
        (f"/tag {first} https://app.clear.ml/projects/x/experiments/{tasks[1]['id']}/log best", 2),
        (f"/tag {second} best", 1),
    ):
        reply = await assert_refused(owner, line, "usage")
        (command,) = get_buttons(reply).values()
        reply = await owner.send(command)
        if count > 1:
            await owner.send(*get_buttons(reply).values())
        assert sum("best" in task["tags"] for task in tasks) == count, line
        assert all(set(task["tags"]) <= {"best", "wip"} for task in tasks), line
        for task in tasks:
            task["tags"] = []


async def test_commas_separate_tags(owner: RunningProgram, sandbox: Sandbox) -> None:
    task = add(sandbox, "first run")
    await owner.ask(f"/use {task['id']}")
    for line, tags in (
        ("/tag best, wip", ["best", "wip"]),
        ("/tag best,wip", ["best", "wip"]),
        ("/tag two, 'two words', -best", ["two", "two words"]),
        ("/tag last, 2024 beef", ["last", "2024", "beef"]),
    ):
        task["tags"] = []
        await owner.ask(line)
        assert task["tags"] == tags, line


async def test_searches_that_are_given_twice_must_both_match(owner: RunningProgram, sandbox: Sandbox) -> None:
    add(sandbox, "mine that failed", "failed")
    add(sandbox, "mine that completed", "completed")
    add(sandbox, "not mine", "failed", user=sandbox.bob.id)
    for line in (
        "/archive --find status=failed --find mine",
        "/archive find=status=failed find=mine",
        "/archive --find mine --find 'status=failed'",
    ):
        reply = await owner.send(line)
        (table,) = (block for block in reply.blocks if isinstance(block, Table))
        assert [row[1] for row in table.rows] == ["mine that failed"], line


async def test_the_queue_is_created_only_after_the_confirmation(program: RunningProgram, sandbox: Sandbox) -> None:
    tasks = [add(sandbox, "first run"), add(sandbox, "second run")]
    reply = await program.send("/enqueue last 2")
    create = get_buttons(reply)["Create and enqueue…"]
    answer = await confirm(program, create, "Enqueue 2 experiments in your new queue?")
    assert "Pending in alice_queue" in to_plain_text(answer)
    assert {task["status"] for task in tasks} == {"queued"}
    assert len([queue for queue in sandbox.state.queues.values() if queue["name"] == "alice_queue"]) == 1


async def test_a_queue_that_is_missing_at_the_confirmation_is_created_for_the_same_experiments(
    owner: RunningProgram, sandbox: Sandbox
) -> None:
    tasks = [add(sandbox, "first run"), add(sandbox, "second run")]
    current = add(sandbox, "current")
    await owner.ask(f"/use {current['id']}")
    command = await ask(owner, "/enqueue first run, second run", "Enqueue 2 experiments in alice_queue?")
    queue = sandbox.state.find_queue("alice_queue")
    assert queue
    async with owner.program.process.database.writing() as session:
        await PeopleStore(session).unbind_queue(queue["id"])
    create = get_buttons(await owner.send(command))["Create and enqueue…"]
    await owner.send(create)
    assert [task["status"] for task in (*tasks, current)] == ["queued", "queued", "created"]


async def test_nothing_found_is_said_before_a_queue_is_offered(program: RunningProgram, sandbox: Sandbox) -> None:
    current = add(sandbox, "current")
    await program.ask(f"/use {current['id']}")
    reply = await program.send("/enqueue --find nowhere")
    assert "No experiments match" in to_plain_text(reply)
    assert get_buttons(reply) == {}


async def test_one_that_fails_does_not_stop_the_others(owner: RunningProgram, sandbox: Sandbox) -> None:
    fine = [add(sandbox, f"fine {number}") for number in range(3)]
    add(sandbox, "completed", "completed")
    add(sandbox, "no code", script={})
    add(sandbox, "not mine", user=sandbox.bob.id)
    deleted = add(sandbox, "deleted")
    member = await owner.add_person(sandbox.alice, Role.MEMBER)
    await member.ask("/queue use alice_queue")
    command = await ask(member, "/enqueue --find ''", "Enqueue 7 experiments")
    del sandbox.state.tasks[deleted["id"]]
    reply = await member.send(command)
    assert "Enqueued 3 of 7 experiments" in to_plain_text(reply)
    results = list_results(reply)
    assert {task["status"] for task in fine} == {"queued"}
    assert "can't be enqueued" in results["completed"]
    assert "no code" in results["no code"]
    assert "belongs to Bob Brown" in results["not mine"]
    assert results["deleted"] == "It was deleted in ClearML."
    assert list(results)[-3:] == [item for item in results if item.startswith("fine")], "what failed comes first"


# ── Nothing twice ─────────────────────────────────────────────────────────────────────────────────


async def test_a_second_press_does_nothing_twice(owner: RunningProgram, sandbox: Sandbox) -> None:
    tasks = [add(sandbox, f"run {number}", "failed") for number in range(3)]
    command = await ask(owner, "/retry --find run", "Retry 3 experiments?")
    await owner.ask(command)
    again = await owner.send(command)
    assert "Enqueued 0 of 3" in to_plain_text(again)
    assert set(list_results(again).values()) == {"It's Pending now, no longer as it was shown."}
    # They ran and failed again meanwhile.
    for task in tasks:
        task.update(status="failed", status_changed=sandbox.state.now())
    assert "Enqueued 0 of 3" in to_plain_text(await owner.send(command))
    assert sandbox.requests.list_endpoints().count("tasks.enqueue") == 3


async def test_two_presses_at_once_do_nothing_twice(owner: RunningProgram, sandbox: Sandbox) -> None:
    for number in range(5):
        add(sandbox, f"run {number}")
    command = await ask(owner, "/enqueue --find run", "Enqueue 5 experiments")
    replies = await asyncio.gather(owner.send(command), owner.send(command))
    assert sorted(reply.outcome for reply in replies) == [Outcome.DONE, Outcome.REFUSED]
    assert sandbox.requests.list_endpoints().count("tasks.enqueue") == 5


async def test_an_interrupted_press_is_continued_by_the_next(owner: RunningProgram, sandbox: Sandbox) -> None:
    tasks = [add(sandbox, f"run {number}") for number in range(40)]
    command = await ask(owner, "/enqueue --find run", "Enqueue 40 experiments")
    press = asyncio.create_task(owner.send(command))
    while not any(task["status"] == "queued" for task in tasks):  # noqa: ASYNC110  # the server is in this process
        await asyncio.sleep(0)
    press.cancel()
    await asyncio.gather(press, return_exceptions=True)
    assert any(task["status"] == "created" for task in tasks)
    await owner.send(command)
    assert {task["status"] for task in tasks} == {"queued"}
    assert sandbox.requests.list_endpoints().count("tasks.enqueue") == 40


async def test_what_started_meanwhile_is_aborted_but_a_new_run_is_not(
    owner: RunningProgram, sandbox: Sandbox
) -> None:
    started, rerun = add(sandbox, "started", "queued"), add(sandbox, "rerun", "failed")
    command = await ask(owner, f"/abort {started['id']} {rerun['id']}", "Abort 2 experiments?")
    now = sandbox.state.now()
    started.update(status="in_progress", status_changed=now, started=now, status_message="stopping")
    rerun.update(status="in_progress", status_changed=now, started=now)
    sandbox.faults.answer("tasks.stop", status=500, times=2)
    results = list_results(await owner.send(command))
    assert results["rerun"] == "It's Running now, no longer as it was shown."


async def test_an_expired_list_is_refused(owner: RunningProgram, sandbox: Sandbox) -> None:
    add(sandbox, "run")
    for token in ("nosuch", ""):
        await assert_refused(owner, f"/enqueue confirm={token}", "selection_expired")


# ── When ClearML fails now and then ───────────────────────────────────────────────────────────────


async def test_a_lost_response_is_judged_by_what_stands_there(owner: RunningProgram, sandbox: Sandbox) -> None:
    tasks = [add(sandbox, f"run {number}") for number in range(4)]
    command = await ask(owner, "/enqueue --find run", "Enqueue 4 experiments")
    sandbox.faults.disconnect("tasks.enqueue", takes_effect=True, times=2)
    sandbox.faults.disconnect("tasks.enqueue", times=1)
    reply = await owner.send(command)
    assert "Enqueued 4 experiments" in to_plain_text(reply)
    assert {task["status"] for task in tasks} == {"queued"}
    queue = sandbox.state.find_queue("alice_queue")
    assert queue
    assert len(queue["entries"]) == len({entry["task"] for entry in queue["entries"]}) == 4
    watched = await owner.ask("/watching")
    assert all(task["name"] in watched for task in tasks)


@pytest.mark.parametrize("failures", [1, 2, 3])
async def test_what_is_done_counts_although_the_database_is_busy(
    owner: RunningProgram, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, failures: int
) -> None:
    remaining = [DatabaseBusyError(reason="database is locked")] * failures
    follow = Tracking.follow

    async def follow_later(self: Tracking, *arguments: Any, **options: Any) -> None:
        if remaining:
            raise remaining.pop()
        await follow(self, *arguments, **options)

    monkeypatch.setattr(Tracking, "follow", follow_later)
    tasks = [add(sandbox, f"run {number}") for number in range(2)]
    reply = await confirm(owner, "/enqueue --find run", "Enqueue 2 experiments")
    assert "Enqueued 2 experiments" in to_plain_text(reply)
    assert {task["status"] for task in tasks} == {"queued"}


async def test_what_a_busy_database_keeps_from_being_done_is_said(
    owner: RunningProgram, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object, **__: object) -> None:
        raise DatabaseBusyError(reason="database is locked")

    task = add(sandbox, "first run")
    add(sandbox, "second run")
    command = await ask(owner, "/enqueue last 2", "Enqueue 2 experiments")
    monkeypatch.setattr(Tracking, "record_own_action", fail)
    reply = await owner.send(command)
    assert all("(database is locked)" in text and "still Draft" in text for text in list_results(reply).values())
    assert task["status"] == "created"
    monkeypatch.undo()
    await owner.ask(get_buttons(reply)["Try 2 again"])
    assert task["status"] == "queued"


async def test_a_database_that_stays_busy_is_not_tried_for_each(
    owner: RunningProgram, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object, **__: object) -> None:
        raise DatabaseBusyError(reason="database is locked")

    for number in range(30):
        add(sandbox, f"run {number}")
    command = await ask(owner, "/enqueue --find run", "Enqueue 30 experiments")
    monkeypatch.setattr(Tracking, "record_own_action", fail)
    results = set(list_results(await owner.send(command)).values())
    assert "Not tried, because the bot's own database can't be used." in results


async def test_what_is_done_counts_although_it_cannot_be_recorded(
    owner: RunningProgram, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> None:
        raise DatabaseBusyError(reason="database is locked")

    tasks = [add(sandbox, f"run {number}") for number in range(2)]
    command = await ask(owner, "/enqueue --find run", "Enqueue 2 experiments")
    monkeypatch.setattr(RunService, "follow", fail)
    sandbox.faults.disconnect("tasks.enqueue", takes_effect=True, times=2)
    assert "Enqueued 2 experiments" in to_plain_text(await owner.send(command))
    assert {task["status"] for task in tasks} == {"queued"}


async def test_what_fails_twice_is_said_and_can_be_tried_again(owner: RunningProgram, sandbox: Sandbox) -> None:
    task = add(sandbox, "first run")
    add(sandbox, "second run")
    command = await ask(owner, "/enqueue last 2", "Enqueue 2 experiments")
    sandbox.faults.answer("tasks.enqueue", status=500)
    reply = await owner.send(command)
    assert "Enqueued 0 of 2 experiments" in to_plain_text(reply)
    assert set(list_results(reply).values()) == {"ClearML failed to answer. It's still Draft."}
    sandbox.faults.clear()
    again = await owner.ask(get_buttons(reply)["Try 2 again"])
    assert "Enqueued 2 experiments in alice_queue." in again
    assert task["status"] == "queued"


async def test_a_server_that_is_down_is_not_asked_for_each(owner: RunningProgram, sandbox: Sandbox) -> None:
    for number in range(60):
        add(sandbox, f"run {number}")
    command = await ask(owner, "/enqueue --find run", "Enqueue 60 experiments")
    sandbox.faults.answer("*", status=502)
    sandbox.requests.clear()
    reply = await owner.send(command)
    assert "Enqueued 0 of 60 experiments" in to_plain_text(reply)
    assert "Not tried, because ClearML doesn't answer." in set(list_results(reply).values())
    assert len(sandbox.requests.list_endpoints()) < 120
    sandbox.faults.clear()
    assert "Enqueued 60 experiments" in await owner.ask(get_buttons(reply)["Try 60 again"])


async def test_200_drafts_are_each_enqueued_once_while_clearml_fails_now_and_then(
    owner: RunningProgram, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A tenth of all requests fail before or after they take effect."""
    tasks = [add(sandbox, f"sweep {number:03}") for number in range(200)]
    command = await ask(owner, "/enqueue --find sweep status=draft", "Enqueue 200 experiments in alice_queue?")
    chance = random.Random(11)
    take = sandbox.faults.take

    def fail_sometimes(endpoint: str) -> object:
        sandbox.faults.clear()
        if chance.random() < 0.1:
            if chance.random() < 0.5:
                sandbox.faults.answer(endpoint, status=500, takes_effect=chance.random() < 0.5)
            else:
                sandbox.faults.disconnect(endpoint, takes_effect=chance.random() < 0.5)
        return take(endpoint)

    monkeypatch.setattr(sandbox.faults, "take", fail_sometimes)
    reply = await owner.send(command)
    monkeypatch.undo()
    sandbox.faults.clear()
    results = list_results(reply)
    queue = sandbox.state.find_queue("alice_queue")
    assert queue
    entries = [entry["task"] for entry in queue["entries"]]
    assert len(results) == 200
    assert len(entries) == len(set(entries)), "none twice"
    for task in tasks:
        is_enqueued = task["id"] in entries
        assert results[task["name"]].startswith("Pending" if is_enqueued else "ClearML"), results[task["name"]]
        assert (task["status"] == "queued") is is_enqueued
    assert len(entries) > 180
    missing = [name for name, text in results.items() if not text.startswith("Pending")]
    if missing:
        await owner.ask(get_buttons(reply)[f"Try {len(missing)} again"])
    assert {task["status"] for task in tasks} == {"queued"}
    assert len(queue["entries"]) == 200
