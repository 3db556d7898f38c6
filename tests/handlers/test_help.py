"""What /help shows, and to which roles."""

from clearml_chatops.models.people import Role
from clearml_chatops.models.replies import Fields, Outcome
from tests.support.program import RunningProgram, get_buttons, to_plain_text


async def test_command_help_shows_usage_arguments_and_examples(program: RunningProgram) -> None:
    for spelling in ("queue move", "/queue_move", "Queue Move"):
        shown = await program.ask(f"/help {spelling}")
        assert "/queue move <experiment> <position>" in shown
        assert "<position>: front, back, or a number counted from 1." in shown
        assert "/queue move 4f2a front" in shown
        assert "Requires the member role." in shown


async def test_help_suggests_nearest_command(program: RunningProgram) -> None:
    assert "Did you mean /enqueue?" in to_plain_text(await program.send("/help enqeue"))
    assert await program.send_for_error_code("/help queue creat") == "unknown_command"


async def test_help_lists_only_allowed_commands(program: RunningProgram) -> None:
    viewer = await program.add_person(program.sandbox.bob, Role.VIEWER)
    ours, theirs = await program.ask("/help"), await viewer.ask("/help")
    assert "/wait |" in ours
    assert "/clone |" in ours
    assert "/find" in theirs
    assert "/wait" not in theirs
    assert "/clone" not in theirs


async def test_chat_help_is_short_with_group_buttons(program: RunningProgram) -> None:
    member = await program.add_person(program.sandbox.bob, Role.MEMBER)
    reply = await member.send("/help")
    (names,) = (block for block in reply.blocks if isinstance(block, Fields))
    assert all(value for _, value in names.items)
    assert sum(len(label) + len(value) for label, value in names.items) < 700
    groups = get_buttons(reply)
    assert groups.keys() == {label for label, _ in names.items}
    for label, line in groups.items():
        assert label in await member.ask(line)
    assert "/queue create: Create a queue" in await member.ask("/help queues")
    viewer = await program.add_person(program.sandbox.carol, Role.VIEWER)
    assert "Runs" not in get_buttons(await viewer.send("/help")), "a group with no allowed command"


async def test_terminal_only_command_has_no_help_in_chat(program: RunningProgram) -> None:
    member = await program.add_person(program.sandbox.bob, Role.MEMBER)
    assert "/wait" in await program.ask("/help wait")
    assert (await member.send("/help wait")).outcome is Outcome.REFUSED
