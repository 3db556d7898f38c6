"""What /help shows of the commands, and to whom."""

from clearml_chatops.models.people import Role
from clearml_chatops.models.replies import Outcome
from tests.support.program import RunningProgram, plain_text


async def test_help_of_a_command_shows_its_usage_arguments_and_examples(program: RunningProgram) -> None:
    for spelling in ("queue move", "/queue_move", "Queue Move"):
        shown = await program.ask(f"/help {spelling}")
        assert "/queue move <experiment> <place>" in shown
        assert "<place>: front, back, or a number counted from 1." in shown
        assert "/queue move 4f2a front" in shown
        assert "Needs the role member." in shown


async def test_help_of_a_misspelt_command_gives_the_nearest(program: RunningProgram) -> None:
    assert "Did you mean /enqueue?" in plain_text(await program.say("/help enqeue"))
    assert await program.error_code("/help queue creat") == "unknown_command"


async def test_help_lists_for_each_person_what_he_may_and_can_say_there(program: RunningProgram) -> None:
    viewer = await program.introduce(program.sandbox.bob, Role.VIEWER)
    ours, theirs = await program.ask("/help"), await viewer.ask("/help")
    assert "/wait |" in ours
    assert "/clone |" in ours
    assert "/find |" in theirs
    assert "/wait |" not in theirs
    assert "/clone |" not in theirs


async def test_a_terminal_only_command_has_no_help_elsewhere(program: RunningProgram) -> None:
    member = await program.introduce(program.sandbox.bob, Role.MEMBER)
    assert "/wait" in await program.ask("/help wait")
    assert (await member.say("/help wait")).outcome is Outcome.REFUSED
