"""Bad input gets one clear sentence that says what to do, and changes nothing."""

import pytest

from clearml_chatops.models.replies import Outcome
from clearml_chatops.sandbox import Sandbox
from clearml_chatops.sandbox.documents import Document
from tests.support.program import RunningProgram, buttons, plain_text
from tests.support.refused_lines import contents, refused

NOT_DRAFTS = ("queued", "in_progress", "completed", "failed", "stopped", "published")
UNKNOWN_ID = "0123456789abcdef" * 2


def experiment(sandbox: Sandbox, status: str, name: str = "") -> Document:
    """One of Alice's experiments with some status, in a queue where that is "queued"."""
    state = sandbox.state
    task = state.add_task(name or f"a {status} one", user=sandbox.alice.id, status=status)
    task["status_changed"] = task["created"]
    task["hyperparams"] = {"Args": {"lr": {"section": "Args", "name": "lr", "value": "0.1", "type": "float"}}}
    if status == "queued":
        queue = state.queue_named("default")
        assert queue
        queue["entries"].append({"task": task["id"], "added": task["created"]})
        task["execution"]["queue"] = queue["id"]
    return task


# ── Which experiment ──────────────────────────────────────────────────────────────────────────────


async def test_an_unknown_experiment_is_said_to_be_unknown(ready: RunningProgram) -> None:
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
        "/clone nothing_is_called_so a name",
        "/show 01234567",
    ):
        reply = await refused(ready, line, "experiment_not_found")
        assert "look for it with /find" in plain_text(reply)


async def test_no_queue_is_made_for_an_experiment_that_cannot_be_enqueued(
    program: RunningProgram, baseline: Document
) -> None:
    """The button "Create my queue and enqueue" creates nothing where nothing can be enqueued."""
    await refused(program, f"/enqueue {UNKNOWN_ID} --create", "experiment_not_found")
    await refused(program, f"/enqueue {baseline['id']} --create", "cannot_enqueue")


async def test_an_ambiguous_prefix_is_a_choice_that_completes_the_same_line(
    ready: RunningProgram, sandbox: Sandbox
) -> None:
    first = sandbox.state.add_task("one", user=sandbox.alice.id, id="abcd" + "1" * 28)
    second = sandbox.state.add_task("two", user=sandbox.alice.id, id="abcd" + "2" * 28)
    for task in (first, second):
        task["hyperparams"] = {"Args": {"note": {"section": "Args", "name": "note", "value": "old"}}}
    before = contents(sandbox)

    reply = await ready.say('/set abcd args.note="abcd, and two words"')

    assert (reply.outcome, contents(sandbox)) == (Outcome.ASKED, before)
    assert "fits 2 experiments" in plain_text(reply)
    offered = {label.split()[0]: command for label, command in buttons(reply).items()}
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
        reply = await program.say(line)
        assert set(buttons(reply).values()) == {chosen.format(id=task["id"]) for task in tasks}


async def test_a_command_that_reads_like_the_reference_stays_the_command(
    program: RunningProgram, sandbox: Sandbox
) -> None:
    tasks = [sandbox.state.add_task("show", user=sandbox.alice.id) for _ in range(2)]
    reply = await program.say("show show")
    assert set(buttons(reply).values()) == {f"show {task['id']}" for task in tasks}


# ── Names and values ──────────────────────────────────────────────────────────────────────────────


async def test_a_name_of_two_letters_is_too_short(ready: RunningProgram) -> None:
    for line in ("/clone baseline ab", "/name ab", "/rerun baseline ab", '/clone baseline " ab "'):
        reply = await refused(ready, line, "name_too_short")
        assert "at least 3 characters" in plain_text(reply)


async def test_an_unknown_parameter_is_refused_with_the_nearest(ready: RunningProgram) -> None:
    reply = await refused(ready, "/set args.lr=0.5 args.batchsize=64", "parameter_not_found")
    assert "args.batch_size" in plain_text(reply)
    assert "--new" in plain_text(reply)
    await refused(ready, "/unset args.nosuch", "parameter_not_found")
    await refused(ready, "/rerun baseline again args.batchsize=64", "parameter_not_found")


async def test_a_value_against_its_type_is_refused_and_none_is_set(ready: RunningProgram) -> None:
    for line in (
        "/set args.lr fast",
        "/set args.epochs 1.5",
        "/set args.lr=0.5 args.epochs=many",
        "/rerun baseline args.lr=x",
    ):
        reply = await refused(ready, line, "invalid_value")
        assert "write a number like" in plain_text(reply)


async def test_set_with_a_parameter_that_there_is_not_and_with_a_word_too_many(ready: RunningProgram) -> None:
    await refused(ready, "/set args.lrr", "parameter_not_found")
    await refused(ready, "/set args.backbone two words here", "usage")


# ── What only drafts, only runs allow ─────────────────────────────────────────────────────────────


@pytest.mark.parametrize("status", NOT_DRAFTS)
async def test_what_is_no_draft_is_not_edited_but_can_be_cloned(
    program: RunningProgram, sandbox: Sandbox, status: str
) -> None:
    task = experiment(sandbox, status)
    for line in (
        "/set {} args.lr=1",
        "/unset {} args.lr",
        "/container {} image=x",
        "/script {} branch=x",
        "/undo {}",
    ):
        reply = await refused(program, line.format(task["id"]), "not_a_draft")
    await program.ask(buttons(reply)["Clone it"])
    assert [other["parent"] for other in sandbox.state.tasks.values() if other is not task] == [task["id"]]


async def test_what_cannot_be_enqueued_says_what_can_be_done(ready: RunningProgram, sandbox: Sandbox) -> None:
    for status, code, says in (
        ("completed", "cannot_enqueue", "/reset"),
        ("published", "cannot_enqueue", "clone it"),
        ("in_progress", "cannot_enqueue", "it runs already"),
        ("queued", "already_pending", "already Pending in default"),
    ):
        task = experiment(sandbox, status)
        reply = await refused(ready, f"/enqueue {task['id']}", code)
        assert says in plain_text(reply)
        if code == "cannot_enqueue":
            await ready.ask(buttons(reply)["Clone it"])


async def test_verbs_are_refused_in_the_statuses_that_they_are_not_for(
    ready: RunningProgram, sandbox: Sandbox
) -> None:
    for line, statuses, code in (
        ("/dequeue {}", ("created", "in_progress", "completed", "failed", "stopped", "published"), "not_pending"),
        ("/abort {}", ("created", "completed", "failed", "stopped", "published"), "cannot_abort"),
        ("/reset {}", ("created", "queued", "in_progress", "published"), "cannot_reset"),
        ("/retry {}", ("created", "queued", "in_progress", "completed", "published"), "cannot_retry"),
        ("/archive {}", ("queued", "in_progress"), "cannot_archive"),
        ("/queue move {} front", ("created", "in_progress", "completed"), "not_in_queue"),
    ):
        for status in statuses:
            await refused(ready, line.format(experiment(sandbox, status)["id"]), code)


async def test_taking_a_running_one_out_of_its_queue_leaves_the_run_alone(
    ready: RunningProgram, sandbox: Sandbox
) -> None:
    """The server would answer yes and make a Draft of what goes on running."""
    task = experiment(sandbox, "in_progress")
    reply = await refused(ready, f"/dequeue {task['id']}", "not_pending")
    assert buttons(reply) == {"Abort it": f"/abort {task['id']}"}
    assert sandbox.requests.named("tasks.dequeue", "queues.remove_task") == []


async def test_a_worker_that_was_quicker_keeps_what_it_took(ready: RunningProgram, sandbox: Sandbox) -> None:
    """The agent takes the task from the queue some milliseconds before it says that it runs."""
    task = experiment(sandbox, "queued")
    sandbox.state.queues[task["execution"]["queue"]]["entries"].clear()
    await refused(ready, f"/dequeue {task['id']}", "not_pending")
    await refused(ready, f"/queue move {task['id']} front", "not_in_queue")


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
        reply = await refused(ready, line, "queue_not_found")
        assert "Did you mean alice_queue?" in plain_text(reply)


async def test_a_queue_is_not_created_twice(ready: RunningProgram) -> None:
    reply = await refused(ready, "/queue create default", "queue_exists")
    assert buttons(reply) == {"Use it": '/queue use "default"'}
    await refused(ready, "/queue rename alice_queue default", "queue_exists")
    await refused(ready, "/queue create ab", "invalid_value")
    await refused(ready, "/queue rename alice_queue ab", "invalid_value")


async def test_a_place_in_the_queue_is_a_number_or_an_end(ready: RunningProgram) -> None:
    await ready.ask("/enqueue")
    for place in ("first", "0", "-1", "1.5"):
        await refused(ready, f"/queue move last {place}", "invalid_value")


# ── The line itself ───────────────────────────────────────────────────────────────────────────────


async def test_a_quote_that_is_not_closed_is_named(ready: RunningProgram) -> None:
    for line in ('/name "not closed', "/set args.note 'not closed", "/name „not closed"):
        reply = await refused(ready, line, "unbalanced_quote")
        assert "before “not closed” is not closed" in plain_text(reply)


async def test_what_phones_make_of_quotes_and_dashes_is_understood(
    ready: RunningProgram, sandbox: Sandbox
) -> None:
    reply = await ready.say("/container args=“-v /data:/data —user 1000:1000 –rm” image=‘python:3.12’")
    container = sandbox.state.tasks[reply.experiment_id]["container"]
    assert container["arguments"] == "-v /data:/data --user 1000:1000 --rm"
    assert container["image"] == "python:3.12"
    await ready.ask("/set args.note=“it’s new — really” —new")
    assert sandbox.state.tasks[reply.experiment_id]["hyperparams"]["Args"]["note"]["value"] == "it’s new — really"


async def test_a_line_of_a_hundred_thousand_characters_is_refused_unread(ready: RunningProgram) -> None:
    reply = await refused(ready, "/name " + "x" * 100_000, "line_too_long")
    assert "100,006" in plain_text(reply)
    entry = (await ready.program.process.audit.last(1))[0]
    assert len(entry.line) < 3000


async def test_a_long_value_is_repeated_only_in_part(ready: RunningProgram) -> None:
    await refused(ready, f"/set args.lr {'x' * 15_000}", "invalid_value")
    await refused(ready, f"/show {'x' * 15_000}", "experiment_not_found")


async def test_an_unknown_command_and_a_wrong_option_are_refused(ready: RunningProgram) -> None:
    for line in ("/fnd", "/queue crate", "/clon baseline x"):
        await refused(ready, line, "unknown_command")
    for line in (
        "/log a 5 c",
        "/container imag=x",
        "/find x=1",
        "/set args.gpus=1, 2",
        "/set a.b 1 c.d 2",
    ):
        await refused(ready, line, "usage")
    await refused(ready, "/log 5 0", "invalid_value")
    await refused(ready, "/rerun baseline args.gpus 2,3", "parameter_in_name")
    await refused(ready, "/set args.lr=", "invalid_value")


NASTY = "<b>*_`[x](http://y)`_*</b> <!channel> @here \x1b[31mred\x07 \u202eevil %s {name} \\ 'q' \U0001f9ea ünï"


async def test_markup_and_control_characters_pass_through_unharmed(
    program: RunningProgram, sandbox: Sandbox
) -> None:
    """Text is escaped where it is shown, and nowhere else."""
    task = sandbox.state.add_task(NASTY, user=sandbox.alice.id, tags=[NASTY])
    task["hyperparams"] = {"Args": {"note": {"section": "Args", "name": "note", "value": NASTY}}}
    await program.ask(f"/clone {task['id']}")
    clone = next(other for other in sandbox.state.tasks.values() if other is not task)
    assert clone["name"] == f"Clone of {NASTY}"
    assert NASTY in await program.ask("/params")
    await program.ask("/set args.note=x")
    await program.ask("/undo")
    assert clone["hyperparams"]["Args"]["note"]["value"] == NASTY
    await program.ask("/queue create")
    assert NASTY in await program.ask("/enqueue --force")
    assert NASTY in await program.ask("/queue")


async def test_a_typed_name_is_stored_as_it_was_typed(program: RunningProgram, baseline: Document) -> None:
    name = "<!channel> *a* & <b> {x} %d \U0001f9ea"
    reply = await program.say(f"/clone {baseline['id']} '{name}'")
    assert program.sandbox.state.tasks[reply.experiment_id]["name"] == name


async def test_half_characters_are_answered_and_recorded(program: RunningProgram) -> None:
    for text in ("\udcff", "\x00", "\ud83d"):
        reply = await program.say(f"/find {text}nothing")
        assert reply.outcome is not Outcome.BROKEN, plain_text(reply)
        entry = (await program.program.process.audit.last(1))[0]
        assert "nothing" in entry.line
