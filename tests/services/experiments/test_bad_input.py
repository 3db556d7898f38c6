"""Bad input gets one clear error that says what to do, and changes nothing."""

import pytest

from clearml_chatops.models.replies import Outcome
from clearml_chatops.sandbox import Sandbox
from clearml_chatops.sandbox.demo_experiments import add_demo_experiments
from clearml_chatops.sandbox.documents import Document
from tests.support.program import RunningProgram, get_buttons, to_plain_text
from tests.support.refusals import assert_refused, copy_server_state

NON_DRAFT_STATUSES = ("queued", "in_progress", "completed", "failed", "stopped", "published")
UNKNOWN_ID = "0123456789abcdef" * 2


def add_experiment(sandbox: Sandbox, status: str, name: str = "") -> Document:
    """Add an experiment of Alice with this status, in a queue if it is "queued"."""
    state = sandbox.state
    task = state.add_task(name or f"a {status} one", user=sandbox.alice.id, status=status)
    task["status_changed"] = task["created"]
    task["hyperparams"] = {"Args": {"lr": {"section": "Args", "name": "lr", "value": "0.1", "type": "float"}}}
    if status == "queued":
        queue = state.find_queue("default")
        assert queue
        queue["entries"].append({"task": task["id"], "added": task["created"]})
        task["execution"]["queue"] = queue["id"]
    return task


# ── Which experiment ──────────────────────────────────────────────────────────────────────────────


async def test_an_unknown_experiment_is_reported(ready: RunningProgram) -> None:
    for line in (
        f"/show {UNKNOWN_ID}",
        f"/clone {UNKNOWN_ID} a name",
        f"/set {UNKNOWN_ID} args.lr=1",
        f"/container {UNKNOWN_ID} image=x",
        f"/enqueue {UNKNOWN_ID}",
        f"/enqueue {UNKNOWN_ID} --create",
        f"/rerun {UNKNOWN_ID}",
        f"/archive {UNKNOWN_ID}",
        f"/diff {UNKNOWN_ID}",
        "/clone no_such_name a name",
        "/show 01234567",
    ):
        reply = await assert_refused(ready, line, "experiment_not_found")
        assert "Search with /find" in to_plain_text(reply)


async def test_no_queue_is_created_for_an_experiment_that_cannot_be_enqueued(
    program: RunningProgram, baseline: Document
) -> None:
    """The button "Create and enqueue" creates nothing if nothing can be enqueued."""
    await assert_refused(program, f"/enqueue {UNKNOWN_ID} --create", "experiment_not_found")
    await assert_refused(program, f"/enqueue {baseline['id']} --create", "cannot_enqueue")


async def test_an_ambiguous_prefix_is_a_choice_that_completes_the_same_line(
    ready: RunningProgram, sandbox: Sandbox
) -> None:
    first = sandbox.state.add_task("one", user=sandbox.alice.id, id="abcd" + "1" * 28)
    second = sandbox.state.add_task("two", user=sandbox.alice.id, id="abcd" + "2" * 28)
    for task in (first, second):
        task["hyperparams"] = {"Args": {"note": {"section": "Args", "name": "note", "value": "old"}}}
    before = copy_server_state(sandbox)

    reply = await ready.send('/set abcd args.note="abcd, and two words"')

    assert (reply.outcome, copy_server_state(sandbox)) == (Outcome.ASKED, before)
    assert "2 experiments match" in to_plain_text(reply)
    offered = {label.split()[0]: command for label, command in get_buttons(reply).items()}
    assert set(offered) == {"abcd1111", "abcd2222"}
    await ready.ask(offered["abcd2222"])
    assert second["hyperparams"]["Args"]["note"]["value"] == "abcd, and two words"
    assert first["hyperparams"]["Args"]["note"]["value"] == "old"


async def test_a_choice_puts_the_id_only_where_the_experiment_was_named(
    program: RunningProgram, sandbox: Sandbox
) -> None:
    tasks = [sandbox.state.add_task("same", user=sandbox.alice.id) for _ in range(2)]
    for line, chosen in (
        ("/clone same same", "/clone {id} same"),
        ("/set same args.note=same", "/set {id} args.note=same"),
        ("/name same id=same", "/name same id={id}"),
        ("/name same --id=same", "/name same id={id}"),
        ("/container same image=same", "/container {id} image=same"),
        ("clone same", "clone {id}"),
        ("/abort ' same '", "/abort '{id}'"),
    ):
        reply = await program.send(line)
        assert set(get_buttons(reply).values()) == {chosen.format(id=task["id"]) for task in tasks}


async def test_a_command_that_reads_like_the_reference_stays_the_command(
    program: RunningProgram, sandbox: Sandbox
) -> None:
    tasks = [sandbox.state.add_task("show", user=sandbox.alice.id) for _ in range(2)]
    reply = await program.send("show show")
    assert set(get_buttons(reply).values()) == {f"show {task['id']}" for task in tasks}


# ── Names and values ──────────────────────────────────────────────────────────────────────────────


async def test_a_name_of_two_letters_is_too_short(ready: RunningProgram) -> None:
    for line in ("/clone baseline ab", "/name ab", "/rerun baseline ab", '/clone baseline " ab "'):
        reply = await assert_refused(ready, line, "name_too_short")
        assert "at least 3 characters" in to_plain_text(reply)


async def test_an_unknown_parameter_is_refused_with_the_nearest(ready: RunningProgram) -> None:
    reply = await assert_refused(ready, "/set args.lr=0.5 args.batchsize=64", "parameter_not_found")
    assert "args.batch_size" in to_plain_text(reply)
    assert "--new" in to_plain_text(reply)
    await assert_refused(ready, "/unset args.nosuch", "parameter_not_found")
    await assert_refused(ready, "/rerun baseline again args.batchsize=64", "parameter_not_found")


async def test_a_value_of_the_wrong_type_is_refused_and_nothing_is_set(ready: RunningProgram) -> None:
    for line in (
        "/set args.lr fast",
        "/set args.epochs 1.5",
        "/set args.lr=0.5 args.epochs=many",
        "/rerun baseline args.lr=x",
    ):
        reply = await assert_refused(ready, line, "invalid_value")
        assert "Write a number like" in to_plain_text(reply)


async def test_set_refuses_an_unknown_parameter_and_an_extra_word(ready: RunningProgram) -> None:
    await assert_refused(ready, "/set args.lrr", "parameter_not_found")
    await assert_refused(ready, "/set args.backbone two words here", "usage")


# ── Wrong statuses ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("status", NON_DRAFT_STATUSES)
async def test_a_non_draft_is_not_edited_but_can_be_cloned(
    program: RunningProgram, sandbox: Sandbox, status: str
) -> None:
    task = add_experiment(sandbox, status)
    for line in (
        "/set {} args.lr=1",
        "/unset {} args.lr",
        "/container {} image=x",
        "/script {} branch=x",
        "/undo {}",
    ):
        reply = await assert_refused(program, line.format(task["id"]), "not_a_draft")
    await program.ask(get_buttons(reply)["Clone"])
    assert [other["parent"] for other in sandbox.state.tasks.values() if other is not task] == [task["id"]]


async def test_a_refused_enqueue_says_what_to_do(ready: RunningProgram, sandbox: Sandbox) -> None:
    for status, code, expected_text in (
        ("completed", "cannot_enqueue", "/reset"),
        ("published", "cannot_enqueue", "Clone it"),
        ("in_progress", "cannot_enqueue", "Clone it to run it again."),
        ("queued", "already_pending", "already Pending in default"),
    ):
        task = add_experiment(sandbox, status)
        reply = await assert_refused(ready, f"/enqueue {task['id']}", code)
        assert expected_text in to_plain_text(reply)
        if code == "cannot_enqueue":
            await ready.ask(get_buttons(reply)["Clone"])


async def test_commands_are_refused_in_the_wrong_status(ready: RunningProgram, sandbox: Sandbox) -> None:
    for line, statuses, code in (
        ("/dequeue {}", ("created", "in_progress", "completed", "failed", "stopped", "published"), "not_pending"),
        ("/abort {}", ("created", "completed", "failed", "stopped", "published"), "cannot_abort"),
        ("/reset {}", ("created", "queued", "in_progress", "published"), "cannot_reset"),
        ("/retry {}", ("created", "queued", "in_progress", "completed", "published"), "cannot_retry"),
        ("/archive {}", ("queued", "in_progress"), "cannot_archive"),
        ("/queue move {} front", ("created", "in_progress", "completed"), "not_in_queue"),
    ):
        for status in statuses:
            await assert_refused(ready, line.format(add_experiment(sandbox, status)["id"]), code)


async def test_dequeuing_a_running_experiment_leaves_the_run_alone(
    ready: RunningProgram, sandbox: Sandbox
) -> None:
    """The server would accept it and make a Draft of an experiment that keeps running."""
    task = add_experiment(sandbox, "in_progress")
    reply = await assert_refused(ready, f"/dequeue {task['id']}", "not_pending")
    assert get_buttons(reply) == {"Abort": f"/abort {task['id']}"}
    assert sandbox.requests.find_by_endpoint("tasks.dequeue", "queues.remove_task") == []


async def test_an_experiment_already_taken_by_a_worker_cannot_be_dequeued_or_moved(
    ready: RunningProgram, sandbox: Sandbox
) -> None:
    """The agent takes the task from the queue some milliseconds before it reports the run."""
    task = add_experiment(sandbox, "queued")
    sandbox.state.queues[task["execution"]["queue"]]["entries"].clear()
    await assert_refused(ready, f"/dequeue {task['id']}", "not_pending")
    await assert_refused(ready, f"/queue move {task['id']} front", "not_in_queue")


# ── Queues ────────────────────────────────────────────────────────────────────────────────────────


async def test_an_unknown_queue_is_refused_with_the_nearest_and_not_created(ready: RunningProgram) -> None:
    for line in (
        "/enqueue queue=alise_queue",
        "/queue use alise_queue",
        "/queue delete alise_queue",
        "/queue rename alise_queue other",
        "/queue queue=alise_queue",
        "/rerun baseline queue=alise_queue",
    ):
        reply = await assert_refused(ready, line, "queue_not_found")
        assert "Did you mean alice_queue?" in to_plain_text(reply)


async def test_a_queue_is_not_created_twice(ready: RunningProgram) -> None:
    reply = await assert_refused(ready, "/queue create default", "queue_exists")
    assert get_buttons(reply) == {"Use as my queue": '/queue use "default"'}
    await assert_refused(ready, "/queue rename alice_queue default", "queue_exists")
    await assert_refused(ready, "/queue create ab", "invalid_value")
    await assert_refused(ready, "/queue rename alice_queue ab", "invalid_value")


async def test_a_queue_position_is_a_number_or_an_end(ready: RunningProgram) -> None:
    await ready.ask("/enqueue")
    for position in ("first", "0", "-1", "1.5"):
        await assert_refused(ready, f"/queue move last {position}", "invalid_value")


# ── The line itself ───────────────────────────────────────────────────────────────────────────────


async def test_an_unclosed_quote_is_reported(ready: RunningProgram) -> None:
    for line in ('/name "not closed', "/set args.note 'not closed", "/name „not closed"):
        reply = await assert_refused(ready, line, "unbalanced_quote")
        assert "before “not closed” isn't closed" in to_plain_text(reply)


async def test_typographic_quotes_and_dashes_are_understood(ready: RunningProgram, sandbox: Sandbox) -> None:
    reply = await ready.send("/container args=“-v /data:/data —user 1000:1000 –rm” image=‘python:3.12’")
    container = sandbox.state.tasks[reply.experiment_id]["container"]
    assert container["arguments"] == "-v /data:/data --user 1000:1000 --rm"
    assert container["image"] == "python:3.12"
    await ready.ask("/set args.note=“it’s new — really” —new")
    assert sandbox.state.tasks[reply.experiment_id]["hyperparams"]["Args"]["note"]["value"] == "it’s new — really"


async def test_a_line_of_a_hundred_thousand_characters_is_refused_unread(ready: RunningProgram) -> None:
    reply = await assert_refused(ready, "/name " + "x" * 100_000, "line_too_long")
    assert "100,006" in to_plain_text(reply)
    entry = (await ready.program.process.audit.list_recent(1))[0]
    assert len(entry.command) < 3000


async def test_a_long_value_is_repeated_only_in_part(ready: RunningProgram) -> None:
    await assert_refused(ready, f"/set args.lr {'x' * 15_000}", "invalid_value")
    await assert_refused(ready, f"/show {'x' * 15_000}", "experiment_not_found")


async def test_an_unknown_command_and_a_wrong_option_are_refused(ready: RunningProgram) -> None:
    for line in ("/fnd", "/queue crate", "/clon baseline x"):
        await assert_refused(ready, line, "unknown_command")
    for line in (
        "/log a 5 c",
        "/container imag=x",
        "/find x=1",
        "/set args.gpus=1 2",
        "/set a.b two c d",
    ):
        await assert_refused(ready, line, "usage")
    await assert_refused(ready, "/log 5 0", "invalid_value")
    await assert_refused(ready, "/set a.b 1 c.d 2", "parameter_not_found")
    await assert_refused(ready, "/rerun baseline args.gpus", "parameter_in_name")
    await assert_refused(ready, "/set args.lr=", "invalid_value")


HOSTILE_TEXT = (
    "<b>*_`[x](http://y)`_*</b> <!channel> @here \x1b[31mred\x07 \u202eevil %s {name} \\ 'q' \U0001f9ea ünï"
)


async def test_markup_and_control_characters_pass_through_unharmed(
    program: RunningProgram, sandbox: Sandbox
) -> None:
    """Text is escaped only where it is shown."""
    task = sandbox.state.add_task(HOSTILE_TEXT, user=sandbox.alice.id, tags=[HOSTILE_TEXT])
    task["hyperparams"] = {"Args": {"note": {"section": "Args", "name": "note", "value": HOSTILE_TEXT}}}
    await program.ask(f"/clone {task['id']}")
    clone = next(other for other in sandbox.state.tasks.values() if other is not task)
    assert clone["name"] == f"Clone of {HOSTILE_TEXT}"
    assert HOSTILE_TEXT in await program.ask("/params")
    await program.ask("/set args.note=x")
    await program.ask("/undo")
    assert clone["hyperparams"]["Args"]["note"]["value"] == HOSTILE_TEXT
    await program.ask("/queue create")
    assert HOSTILE_TEXT in await program.ask("/enqueue --force")
    assert HOSTILE_TEXT in await program.ask("/queue")


async def test_a_typed_name_is_stored_as_it_was_typed(program: RunningProgram, baseline: Document) -> None:
    name = "<!channel> *a* & <b> {x} %d \U0001f9ea"
    reply = await program.send(f"/clone {baseline['id']} '{name}'")
    assert program.sandbox.state.tasks[reply.experiment_id]["name"] == name


async def test_lone_surrogates_are_answered_and_audited(program: RunningProgram) -> None:
    for text in ("\udcff", "\x00", "\ud83d"):
        reply = await program.send(f"/find {text}nothing")
        assert reply.outcome is not Outcome.BROKEN, to_plain_text(reply)
        entry = (await program.program.process.audit.list_recent(1))[0]
        assert "nothing" in entry.command


@pytest.mark.parametrize(
    ("line", "name", "learning_rate"),
    [
        ("/clone baseline args.lr 0.3", "Clone of baseline", "0.3"),
        ("/clone baseline longer run args.lr 0.4", "longer run", "0.4"),
        ("/clone baseline Args/lr 0.5, args.epochs 4", "Clone of baseline", "0.5"),
        ("/clone baseline it’s lr args.lr to 0.6", "it’s lr", "0.6"),
    ],
)
async def test_a_value_behind_clone_is_no_name(
    program: RunningProgram, sandbox: Sandbox, line: str, name: str, learning_rate: str
) -> None:
    add_demo_experiments(sandbox.state, alice=sandbox.alice, bob=sandbox.bob)
    await program.ask("/queue create")
    reply = await assert_refused(program, line, "parameter_in_name")
    await program.ask(get_buttons(reply)["Rerun with this value"])
    (task,) = (task for task in sandbox.state.tasks.values() if task["status"] == "queued")
    assert (task["name"], task["hyperparams"]["Args"]["lr"]["value"]) == (name, learning_rate)


async def test_a_clone_may_be_named_after_a_file(program: RunningProgram, sandbox: Sandbox) -> None:
    add_demo_experiments(sandbox.state, alice=sandbox.alice, bob=sandbox.bob)
    for name in ("v1.2 of train.py", "args.nosuch 0.3", "lr 0.3"):
        await program.ask(f'/clone baseline "{name}"')
