"""Lookup of the experiment that a person means."""

from datetime import timedelta

from clearml_chatops.models.messages import Conversation, IncomingMessage
from clearml_chatops.models.people import Role
from clearml_chatops.models.replies import Outcome
from clearml_chatops.sandbox import Sandbox
from clearml_chatops.sandbox.documents import Document
from tests.support.program import RunningProgram, get_buttons, to_plain_text


async def resolve(program: RunningProgram, line: str) -> str:
    """Return the id of the experiment in the reply to a line."""
    reply = await program.send(line)
    assert reply.outcome is Outcome.DONE, to_plain_text(reply)
    return reply.experiment_id


async def test_an_experiment_can_be_referenced_in_many_ways(program: RunningProgram, baseline: Document) -> None:
    id_ = baseline["id"]
    link = f"https://app.clear.ml/projects/{baseline['project']}/experiments/{id_}/output/log"
    for reference in (
        id_,
        id_.upper(),
        id_[:4],
        id_[:8].upper(),
        id_[:31],
        "baseline",
        "BASELINE",
        "selin",
        link,
        f"http://127.0.0.1:8080/projects/*/tasks/{id_}/execution",
        f'" {id_} "',
    ):
        assert await resolve(program, f"/show {reference}") == id_, reference


async def test_an_id_prefix_needs_four_characters(program: RunningProgram, sandbox: Sandbox) -> None:
    sandbox.state.add_task("one", user=sandbox.alice.id, id="beef" + "0" * 28)
    assert await program.send_for_error_code("/show bee") == "experiment_not_found"
    assert await resolve(program, "/show beef") == "beef" + "0" * 28
    assert await program.send_for_error_code(f"/show {'0' * 8}") == "experiment_not_found", (
        "the middle of an id is not a prefix"
    )


async def test_an_id_prefix_wins_over_a_name(program: RunningProgram, sandbox: Sandbox) -> None:
    named = sandbox.state.add_task("beef stew", user=sandbox.alice.id, id="1" * 32)
    sandbox.state.add_task("another", user=sandbox.alice.id, id="beef" + "0" * 28)
    assert await resolve(program, "/show beef") == "beef" + "0" * 28
    assert await resolve(program, '/show "beef s"') == named["id"]


async def test_an_exact_name_wins_over_a_partial_one(program: RunningProgram, sandbox: Sandbox) -> None:
    exact = sandbox.state.add_task("resnet", user=sandbox.alice.id)
    sandbox.state.add_task("resnet wide", user=sandbox.alice.id)
    assert await resolve(program, "/show resnet") == exact["id"]
    assert (await program.send("/show resn")).outcome is Outcome.ASKED


async def test_an_exact_name_is_found_behind_many_newer_partial_matches(
    program: RunningProgram, sandbox: Sandbox
) -> None:
    now = sandbox.state.now()
    exact = sandbox.state.add_task("resnet", user=sandbox.alice.id, status_changed=now - timedelta(days=30))
    for number in range(30):
        sandbox.state.add_task(f"resnet {number} beef", user=sandbox.alice.id, status_changed=now)
    by_id = sandbox.state.add_task(
        "other", user=sandbox.alice.id, id="beef" + "0" * 28, status_changed=now - timedelta(days=30)
    )
    assert await resolve(program, "/show resnet") == exact["id"]
    assert await resolve(program, "/show beef") == by_id["id"]


async def test_many_matches_are_counted_and_the_first_ones_offered(
    program: RunningProgram, sandbox: Sandbox
) -> None:
    for number in range(12):
        sandbox.state.add_task(f"resnet {number}", user=sandbox.alice.id)
    reply = await program.send("/show resnet")
    assert "12 experiments match “resnet”. Which one? These are the newest 8." in to_plain_text(reply)
    assert len(get_buttons(reply)) == 8


async def test_the_newest_are_offered_with_their_age_and_owner(program: RunningProgram, sandbox: Sandbox) -> None:
    now = sandbox.state.now()
    users = (sandbox.alice.id, sandbox.bob.id)
    ids = [
        sandbox.state.add_task(
            "train", user=users[number % 2], status="failed", status_changed=now - timedelta(hours=number)
        )["id"]
        for number in (3, 7, 1, 11, 5, 9, 2, 0, 10, 4, 8, 6)
    ]
    for number in range(120):
        sandbox.state.add_task(f"train variant {number}", user=sandbox.alice.id, status_changed=now)
    newest = [ids[index] for index in (7, 2, 6, 0, 9, 4, 11, 1)]
    for line in ("/show train", "/log train 50", "/diff baseline id=train", "/queue move train front"):
        reply = await program.send(line)
        assert "12 experiments match “train”" in to_plain_text(reply), line
        buttons = get_buttons(reply)
        assert [next(id_ for id_ in newest if id_ in command) for command in buttons.values()] == newest
        assert list(buttons)[1] == f"{newest[1][:8]} · train · Failed · 1 hour ago · Bob Brown"


async def test_a_choice_among_long_names_replaces_all_words_of_the_name(
    program: RunningProgram, sandbox: Sandbox
) -> None:
    for _ in range(2):
        sandbox.state.add_task("first long run", user=sandbox.alice.id)
    for line in (
        "/show first long run",
        "/show 'first long run'",
        "/watch first long",
        "/abort first long run --yes",
    ):
        reply = await program.send(line)
        assert reply.outcome is Outcome.ASKED
        for command in get_buttons(reply).values():
            assert "long" not in command, line


async def test_a_name_is_not_a_pattern(program: RunningProgram, sandbox: Sandbox) -> None:
    odd = sandbox.state.add_task("lr=0.1 (final) [v2] a+b*", user=sandbox.alice.id)
    sandbox.state.add_task("lr=001 final", user=sandbox.alice.id)
    assert await resolve(program, '/show "0.1 (final) [v2] a+b*"') == odd["id"]
    assert await program.send_for_error_code('/show ".*"') == "experiment_not_found"


async def test_last_is_the_persons_latest_changed_experiment(program: RunningProgram, baseline: Document) -> None:
    """Bob's `augmentation study` has changed even later."""
    reply = await program.send("/show last")
    assert "high learning rate" in to_plain_text(reply)
    bob = await program.add_person(program.sandbox.bob, Role.MEMBER)
    assert "augmentation study" in await bob.ask("/show LAST")
    carol = await program.add_person(program.sandbox.carol, Role.MEMBER)
    assert await carol.send_for_error_code("/show last") == "experiment_not_found"


async def test_the_card_a_message_replies_to_wins_over_the_current_experiment(
    program: RunningProgram, baseline: Document
) -> None:
    await program.ask("/use augmentation")
    reply = await program.send("/show", experiment_id=baseline["id"])
    assert reply.experiment_id == baseline["id"]
    assert (await program.send("/show resnet50 wide", experiment_id=baseline["id"])).experiment_id != baseline[
        "id"
    ]
    assert "augmentation" in await program.ask("/show")


async def test_without_a_current_experiment_the_bot_asks_which_one(
    program: RunningProgram, baseline: Document
) -> None:
    for line in ("/show", "/set args.lr=1", "/enqueue queue=default", "/undo", "/dequeue", "/log"):
        assert await program.send_for_error_code(line) == "no_current_experiment", line


async def test_a_cloned_or_used_experiment_becomes_the_current_one(
    program: RunningProgram, baseline: Document
) -> None:
    clone = (await program.send("/clone baseline two GPUs")).experiment_id
    assert await resolve(program, "/show") == clone
    await program.ask("/use baseline")
    assert await resolve(program, "/show") == baseline["id"]
    rerun = (await program.send("/rerun baseline again queue=default")).experiment_id
    assert await resolve(program, "/show") == rerun
    await program.ask(f"/show {baseline['id']}")
    assert await resolve(program, "/show") == rerun, "/show does not change the current experiment"


async def test_the_current_experiment_is_kept_per_person_and_conversation(
    program: RunningProgram, baseline: Document
) -> None:
    bob = await program.add_person(program.sandbox.bob, Role.MEMBER)
    await program.ask("/use baseline")
    assert await bob.send_for_error_code("/show") == "no_current_experiment"

    async def send_in_channel(sender: RunningProgram, line: str, thread: str = "") -> str:
        message = IncomingMessage(sender.identity, sender.name, Conversation("chat", "C1", thread), line)
        return to_plain_text(await program.program.dispatcher.handle(message))

    assert "Which experiment?" in await send_in_channel(program, "/show")
    await send_in_channel(bob, "/use augmentation")
    await send_in_channel(program, "/use resnet50\\ wide")
    assert "augmentation study" in await send_in_channel(bob, "/show")
    assert "resnet50 wide" in await send_in_channel(program, "/show")
    assert "Which experiment?" in await send_in_channel(bob, "/show", "a thread")
    assert await bob.send_for_error_code("/show") == "no_current_experiment"


async def test_an_archived_experiment_is_found_only_by_its_id(program: RunningProgram, baseline: Document) -> None:
    await program.ask("/archive baseline")
    assert "archived" in baseline["system_tags"]
    assert await program.send_for_error_code("/show baseline") == "experiment_not_found"
    assert "baseline" not in await program.ask("/find")
    assert await resolve(program, f"/show {baseline['id']}") == baseline["id"]
    assert "Cloned" in await program.ask(f"/clone {baseline['id']} from the archive")


async def test_a_deleted_current_experiment_is_reported_as_unknown(
    program: RunningProgram, sandbox: Sandbox, baseline: Document
) -> None:
    await program.ask("/use baseline")
    del sandbox.state.tasks[baseline["id"]]
    reply = await program.send("/show")
    assert baseline["id"] in to_plain_text(reply)
    assert reply.outcome is Outcome.REFUSED


async def test_find_filters_by_text_project_status_and_owner(
    program: RunningProgram, sandbox: Sandbox, baseline: Document
) -> None:
    other = sandbox.state.add_project("vision/segmentation", user=sandbox.alice.id)
    sandbox.state.add_task("masks", user=sandbox.alice.id, project=other["id"])
    for line, names in (
        ("/find project=segmentation", {"masks"}),
        ("/find status=failed", {"resnet50 batch 256"}),
        ("/find status=Aborted", {"high learning rate"}),
        ("/find resnet50", {"resnet50 batch 256", "resnet50 wide"}),
        ("/find resnet50 wide", {"resnet50 wide"}),
        ("/find status=draft mine", {"masks"}),
        ("/find nothing_like_it", set()),
    ):
        assert set(get_buttons(await program.send(line))) == names, line
    assert "augmentation study" not in await program.ask("/find mine")
    assert await program.send_for_error_code("/find project=nosuch") == "project_not_found"
    assert await program.send_for_error_code("/find status=running_away") == "invalid_value"


async def test_find_shows_the_last_changed_first_and_says_that_there_are_more(
    program: RunningProgram, sandbox: Sandbox
) -> None:
    now = sandbox.state.now()
    for number in range(25):
        sandbox.state.add_task(
            f"run {number:02}", user=sandbox.alice.id, last_update=now + timedelta(seconds=number)
        )
    reply = await program.send("/find run")
    assert "1–10, and more" in to_plain_text(reply)
    assert list(get_buttons(reply)) == [f"run {number}" for number in range(24, 14, -1)] + ["Next ›"]


async def test_the_project_to_clone_into_must_be_unambiguous(
    program: RunningProgram, sandbox: Sandbox, baseline: Document
) -> None:
    for name in ("vision/a", "vision/b"):
        sandbox.state.add_project(name, user=sandbox.alice.id)
    clone = (await program.send("/clone baseline moved project=vision/b")).experiment_id
    assert sandbox.state.projects[sandbox.state.tasks[clone]["project"]]["name"] == "vision/b"
    kept = (await program.send("/clone baseline kept project=vision")).experiment_id
    assert sandbox.state.tasks[kept]["project"] == baseline["project"], "a whole name wins over a part of one"
    before = len(sandbox.state.tasks)
    reply = await program.send("/clone baseline nowhere project=visio")
    assert "Write one of vision, vision/a, vision/b" in to_plain_text(reply)
    assert await program.send_for_error_code("/clone baseline nowhere project=nosuch") == "project_not_found"
    assert len(sandbox.state.tasks) == before
